//! A merchant's feed: its events in the order in which they were dispatched.
//!
//! The command that makes a change also writes its events, without a feed number. The dispatcher
//! claims a merchant and writes the deliveries of its events. The same command gives each event the
//! merchant's next feed number. So an event gets its number once it is committed and visible, and a
//! reader of the numbers after its last one skips no event.
//!
//! A claim has a number and a lease. The lease saves work, and the number gives correctness: a
//! command with an older number is rejected. A released claim stays valid until the next one.

use crate::{Object, Written};
use model::clock::ServerTime;
use model::delivery::Delivery;
use model::event::Event;
use model::id::{AccountId, EventId, MerchantId};

/// Lists the merchants with events that wait for their dispatch. Returns `Vec<WaitingFeed>`. The order
/// is that of the store, and a merchant's place in it may change with a restore.
#[derive(Clone, Copy, Debug)]
pub struct ListWaitingFeeds {
    /// The merchant after which the list begins.
    pub after: Option<MerchantId>,
    /// The maximum number of merchants.
    pub limit: usize,
}

reads!(ListWaitingFeeds => Vec<WaitingFeed>, feed::list_waiting, for all);

/// A merchant with events that wait for their dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingFeed {
    /// The merchant.
    pub merchant: MerchantId,
    /// The number of the newest claim. 0 if there was none.
    pub claim: u32,
    /// The end of its lease. `None` if it was released.
    pub leased_until: Option<ServerTime>,
}

/// Claims feeds. Returns `Vec<FeedClaim>` without the feeds that have a valid lease or no waiting
/// event.
#[derive(Clone, Debug)]
pub struct ClaimFeeds {
    /// The merchants.
    pub merchants: Vec<MerchantId>,
    /// The current server time.
    pub now: ServerTime,
    /// The end of the leases.
    pub leased_until: ServerTime,
    /// True if a valid lease of another claim is ignored.
    pub forced: bool,
}

writes!(ClaimFeeds => Vec<FeedClaim>, feed::claim);

/// A claim of a merchant's feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedClaim {
    /// The merchant.
    pub merchant: MerchantId,
    /// The number of the claim.
    pub number: u32,
}

/// Lists a merchant's events that wait for their dispatch, by the time of their commit, then by
/// shard. So events of one shard are in the order of their commits. Returns [`Undispatched`].
#[derive(Clone, Copy, Debug)]
pub struct ListUndispatched {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The maximum number of events.
    pub limit: usize,
    /// The size in bytes of the stored events after which the list ends.
    pub bytes_max: usize,
}

reads!(ListUndispatched => Undispatched, feed::list_undispatched);

/// The events that wait for their dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undispatched {
    /// The newest feed number of the merchant. 0 if there is none.
    pub feed: u64,
    /// The events.
    pub events: Vec<Event>,
    /// True if more events wait.
    pub has_more: bool,
}

/// Writes the deliveries of events and gives the events the next feed numbers, in this order.
/// Deliveries that exist stay as they are. An event that does not exist or has a number is skipped.
/// Returns [`Written`], which is a version conflict unless the claim is the newest and the versions of
/// the objects match.
#[derive(Clone, Debug)]
pub struct DispatchEvents {
    /// The claim.
    pub claim: FeedClaim,
    /// The events, each with one delivery for each subscribed endpoint.
    pub events: Vec<(EventId, Vec<Delivery>)>,
    /// Objects to create at version 1 or to replace, such as counters of the laboratory.
    pub objects: Vec<Object>,
    /// The new end of the lease. `None` releases the claim.
    pub leased_until: Option<ServerTime>,
}

writes!(DispatchEvents => Written, feed::dispatch);

/// Lists a merchant's events after a feed number, the smallest number first. Returns
/// `Vec<FeedEvent>`.
#[derive(Clone, Debug)]
pub struct ListFeed {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// If set, only events about this bank account.
    pub account: Option<AccountId>,
    /// The event types to list. A type may end in `.*`. If the list is empty, all types match.
    pub types: Vec<String>,
    /// The feed number after which the list begins.
    pub after: u64,
    /// The maximum number of events.
    pub limit: usize,
}

reads!(ListFeed => Vec<FeedEvent>, feed::list);

/// An event of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEvent {
    /// Its feed number.
    pub feed: u64,
    /// The event.
    pub event: Event,
    /// The number of its pending deliveries.
    pub pending: u32,
}
