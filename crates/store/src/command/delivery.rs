//! Deliveries: claimed when they are due, then settled with the attempt that was made.

use super::share::{Candidate, Shares, Used};
use crate::{EventPlace, IdempotencyRecord, Listed, Page, Written};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStatus};
use model::id::{EndpointId, EventId, MerchantId};
use model::share::has_share;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Claims due deliveries that have no valid lease. Returns `Vec<Delivery>` with the claim raised by one.
///
/// Merchants take turns, and within a merchant its endpoints do, the longest due of each endpoint first.
/// The second thin events of an endpoint take turns like another endpoint, within the share of their
/// endpoint. Connected accounts have their turns and their share with their platform.
///
/// A delivery is claimed only while the attempts of its merchant and those of its endpoint are together
/// fewer than the free places. So a merchant has at most half of all places, and a place stays free for
/// merchants and endpoints without attempts.
#[derive(Clone, Debug)]
pub struct ClaimDeliveries {
    /// The current server time.
    pub now: ServerTime,
    /// The end of the leases.
    pub leased_until: ServerTime,
    /// The maximum number of deliveries.
    pub limit: usize,
    /// The free places of the server, which all merchants share.
    pub free: usize,
    /// The maximum number of deliveries of one endpoint, including those in flight.
    pub per_endpoint: usize,
    /// Deliveries in flight, by endpoint.
    pub in_flight: Vec<EndpointLoad>,
}

/// The owners of the shares of endpoints.
pub(crate) type EndpointOwners = BTreeMap<EndpointId, MerchantId>;

impl ClaimDeliveries {
    /// The places in use, by merchant and endpoint.
    pub(crate) fn shares(&self) -> Shares<EndpointId> {
        let loads = self.in_flight.iter();
        let used = loads.map(|load| (load.owner, load.endpoint, load.deliveries));
        Shares::of(self.free, used)
    }

    /// True if an endpoint has a share for one more delivery.
    pub(crate) fn allows(&self, used: Used) -> bool {
        used.part < self.per_endpoint && has_share(used.owner + used.part, used.free)
    }

    /// The owners of the endpoints with deliveries in flight.
    pub(crate) fn owners(&self) -> EndpointOwners {
        self.in_flight.iter().map(|load| (load.endpoint, load.owner)).collect()
    }

    /// The most deliveries that the claim may add to an endpoint. It is 0 if its share is used up.
    pub(crate) fn room(
        &self,
        endpoint: EndpointId,
        owners: &EndpointOwners,
        shares: &Shares<EndpointId>,
    ) -> usize {
        let Some(owner) = owners.get(&endpoint) else { return self.per_endpoint };
        let used = shares.used(*owner, endpoint);
        if self.allows(used) { self.per_endpoint - used.part } else { 0 }
    }

    /// A due delivery of an owner, with its position among those of its target.
    pub(crate) fn candidate(
        delivery: &Delivery,
        rank: usize,
        owner: MerchantId,
    ) -> Candidate<EndpointId> {
        let DeliveryKey { endpoint, outcome, .. } = delivery.key;
        let order = (delivery.due_at.0, endpoint.number(), u64::from(outcome));
        Candidate { owner, part: endpoint, rank, order }
    }
}

/// The deliveries in flight to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointLoad {
    /// The endpoint's id.
    pub endpoint: EndpointId,
    /// The owner of their share, as [`Continued::owners`] names it.
    pub owner: MerchantId,
    /// Their number.
    pub deliveries: usize,
}

writes!(ClaimDeliveries => Vec<Delivery>, delivery_claim::claim);

/// Records the result of a claimed delivery. Returns [`crate::Written`]. It is a version conflict
/// unless the claim is the newest and the delivery is still pending.
#[derive(Clone, Debug)]
pub struct SettleDelivery {
    /// The key of the delivery.
    pub key: DeliveryKey,
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The number of the claim.
    pub claim: u32,
    /// The attempt. `None` if the endpoint was gone, so the delivery was not sent.
    pub attempt: Option<Attempt>,
    /// The new status.
    pub status: DeliveryStatus,
    /// The time of the next attempt, while the delivery is pending.
    pub due_at: ServerTime,
}

writes!(SettleDelivery => Written, delivery::settle; prepared::of_settle);

/// Records the results of several claimed deliveries, and then claims others, in one commit. A result
/// with a version conflict is left out, and the others are recorded. Returns [`Continued`].
#[derive(Clone, Debug)]
pub struct ContinueDeliveries {
    /// The results. The caller shares them, so that it can record each apart if this command fails.
    pub settled: Arc<[SettleDelivery]>,
    /// The claim, unless the caller takes no further deliveries.
    pub claim: Option<ClaimDeliveries>,
}

writes!(ContinueDeliveries => Continued, delivery::continue_with; prepared::of_continue);

/// The result of [`ContinueDeliveries`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continued {
    /// The result of each settlement, in their order.
    pub written: Vec<Written>,
    /// The claimed deliveries.
    pub claimed: Vec<Delivery>,
    /// The owner of the share of each of them, in their order. It is the platform of a connected
    /// account, and the merchant itself otherwise.
    pub owners: Vec<MerchantId>,
}

/// Lists an event's deliveries with their attempts, by endpoint. Returns `Vec<(Delivery,
/// Vec<Attempt>)>`.
#[derive(Clone, Copy, Debug)]
pub struct ListDeliveries {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The event's id.
    pub event: EventId,
}

reads!(ListDeliveries => Vec<(Delivery, Vec<Attempt>)>, delivery::list);

/// A delivery with its attempts.
pub type WithAttempts = (Delivery, Vec<Attempt>);

/// The position of a delivery in the merchant's list: that of its event, then the endpoint
/// descending, then the thin event that tells how a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryPlace {
    /// The position of its event.
    pub event: EventPlace,
    /// The endpoint's id.
    pub endpoint: EndpointId,
    /// True for the thin event that tells how a refresh ended.
    pub outcome: bool,
}

/// Lists a merchant's deliveries with their attempts. Returns `Listed<WithAttempts>`.
#[derive(Clone, Copy, Debug)]
pub struct ListLedger {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// If set, only deliveries to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// If set, only deliveries with this status.
    pub status: Option<DeliveryStatus>,
    /// The page to return.
    pub page: Page<DeliveryPlace>,
}

reads!(ListLedger => Listed<WithAttempts>, delivery::list_ledger);

impl DeliveryPlace {
    /// The position of a delivery of an event.
    pub fn of(event: EventPlace, key: DeliveryKey) -> Self {
        Self { event, endpoint: key.endpoint, outcome: key.outcome }
    }
}

/// Makes deliveries of an event due at once, whatever their status. A delivery that does not exist
/// is created as given. Retries of an existing one start over. Returns [`crate::Written`].
///
/// It is a version conflict, and writes no rows, if the event does not exist or an attempt at one
/// of the deliveries is in flight. It is also one if a delivery has
/// [`model::limits::DELIVERY_ATTEMPTS_MAX`] attempts.
#[derive(Clone, Debug)]
pub struct ResendDeliveries {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The event's id.
    pub event: EventId,
    /// The deliveries, one for each endpoint.
    pub deliveries: Vec<Delivery>,
    /// The current server time.
    pub now: ServerTime,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

writes!(ResendDeliveries => Written, delivery::resend);

/// Makes a delivery due that waits for its first attempt. Any other delivery is left as it is.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseDelivery {
    /// The key of the delivery.
    pub key: DeliveryKey,
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The current server time.
    pub now: ServerTime,
}

writes!(ReleaseDelivery => (), delivery::release);

/// Makes pending deliveries to an endpoint due, of every merchant. These are the next ones, at most
/// [`model::limits::RELEASE_ROWS_MAX`]. Returns their number.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseEndpoint {
    /// The endpoint's id.
    pub endpoint: EndpointId,
    /// The current server time.
    pub now: ServerTime,
}

writes!(ReleaseEndpoint => u32, delivery::release_endpoint);
