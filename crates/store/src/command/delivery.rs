//! Deliveries: claimed when due, settled with the attempt that was made.

use crate::Written;
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
