//! Deliveries: claimed when they are due, then settled with the attempt that was made.

use crate::{EventPlace, IdempotencyRecord, Listed, Page, Written};
use model::clock::ServerTime;
use model::delivery::{Attempt, Delivery, DeliveryKey, DeliveryStatus};
use model::id::{EndpointId, EventId, MerchantId};
use std::sync::Arc;

/// Claims due deliveries that have no valid lease, round-robin by endpoint, the longest due of each
/// endpoint first. The second thin events of an endpoint take turns like another endpoint, within the
/// share of their endpoint. Returns `Vec<Delivery>` with the claim raised by one.
#[derive(Clone, Debug)]
pub struct ClaimDeliveries {
    /// The current server time.
    pub now: ServerTime,
    /// The end of the leases.
    pub leased_until: ServerTime,
    /// The maximum number of deliveries.
    pub limit: usize,
    /// The maximum number of deliveries of one endpoint, including those in flight.
    pub per_endpoint: usize,
    /// Deliveries in flight, by endpoint.
    pub in_flight: Vec<(EndpointId, usize)>,
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
