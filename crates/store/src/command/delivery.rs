//! Deliveries: claimed when due, settled with the attempt that was made.

use crate::{EventPlace, Listed, Page, Reply, Written};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStatus};
use model::id::{EndpointId, EventId, MerchantId};

/// Claims due deliveries that nobody holds a lease of, round-robin by endpoint, the longest due
/// first within each. Answers `Vec<Delivery>` with the claim raised by one.
#[derive(Clone, Debug)]
pub struct ClaimDeliveries {
    /// Real time.
    pub now: ServerTime,
    /// Until when the claims hold.
    pub leased_until: ServerTime,
    /// The most deliveries.
    pub limit: usize,
    /// The most deliveries of one endpoint, those in flight included.
    pub per_endpoint: usize,
    /// Deliveries in flight, by endpoint.
    pub in_flight: Vec<(EndpointId, usize)>,
}

writes!(ClaimDeliveries => Vec<Delivery>, delivery::claim);

/// Records what became of a claimed delivery. Answers [`crate::Written`]: `Stale` unless the claim
/// is the newest and the delivery still pending.
#[derive(Clone, Debug)]
pub struct SettleDelivery {
    /// Which.
    pub key: DeliveryKey,
    /// Whose.
    pub merchant: MerchantId,
    /// The number of the claim.
    pub claim: u32,
    /// The attempt; none when the endpoint was gone and nothing was sent.
    pub attempt: Option<Attempt>,
    /// Where it stands now.
    pub status: DeliveryStatus,
    /// When the next attempt is due, while pending.
    pub due_at: ServerTime,
}

writes!(SettleDelivery => Written, delivery::settle);

/// Lists an event's deliveries with their attempts, by endpoint. Answers
/// `Vec<(Delivery, Vec<Attempt>)>`.
#[derive(Clone, Copy, Debug)]
pub struct ListDeliveries {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which event.
    pub event: EventId,
}

reads!(ListDeliveries => Vec<(Delivery, Vec<Attempt>)>, delivery::list);

/// A delivery with its attempts.
pub type WithAttempts = (Delivery, Vec<Attempt>);

/// Where a delivery stands in the merchant's list: as its event does, then by endpoint descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryPlace {
    /// Its event.
    pub event: EventPlace,
    /// Its endpoint.
    pub endpoint: EndpointId,
}

/// Lists a merchant's deliveries with their attempts. Answers `Listed<WithAttempts>`.
#[derive(Clone, Copy, Debug)]
pub struct ListLedger {
    /// Whose.
    pub merchant: MerchantId,
    /// Only those to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only those that stand so.
    pub status: Option<DeliveryStatus>,
    /// Which page.
    pub page: Page<DeliveryPlace>,
}

reads!(ListLedger => Listed<WithAttempts>, delivery::list_ledger);

/// Makes deliveries of an event due at once, whatever became of them: one that does not exist is
/// made as it stands here, and of one that exists the attempts begin anew. Answers
/// [`crate::Written`]: `Stale` if there is no such event, if an attempt at one of them is under
/// way, or if one has as many attempts as it may ([`model::limits::DELIVERY_ATTEMPTS_MAX`]);
/// nothing is written then.
#[derive(Clone, Debug)]
pub struct ResendDeliveries {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which event.
    pub event: EventId,
    /// One per endpoint.
    pub deliveries: Vec<Delivery>,
    /// Real time.
    pub now: ServerTime,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(ResendDeliveries => Written, delivery::resend);

/// Makes a delivery due that waits for its first attempt. One that is under way, or not waiting for
/// its first any more, is left alone.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseDelivery {
    /// Which.
    pub key: DeliveryKey,
    /// Whose.
    pub merchant: MerchantId,
    /// Real time.
    pub now: ServerTime,
}

writes!(ReleaseDelivery => (), delivery::release);

/// Makes all that waits for an attempt at an endpoint due, whose ever it is.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseEndpoint {
    /// Where to.
    pub endpoint: EndpointId,
    /// Real time.
    pub now: ServerTime,
}

writes!(ReleaseEndpoint => (), delivery::release_endpoint);
