//! Events, and the mark that says which are still to be dispatched.
//!
//! An event is written by the command that makes the change it reports, with the mark set; the
//! mark is cleared by the command that writes its deliveries. Nothing is found by a high-water
//! mark, so an event that commits late is not missed.

use crate::{Bounds, Listed, Page};
use model::clock::{AccountTime, ServerTime};
use model::delivery::Delivery;
use model::event::Event;
use model::id::{AccountId, EventId, MerchantId};

/// An event with what its deliveries say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Its place in the order of commits.
    pub position: i64,
    /// Whether it still waits for its deliveries.
    pub undispatched: bool,
    /// Deliveries that are not settled.
    pub pending: u32,
}

/// Where an event stands in its list: `created` descending, then commit order descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// When it happened.
    pub created: AccountTime,
    /// Its place in the order of commits.
    pub position: i64,
}

/// Lists a merchant's events. Answers `Listed<StoredEvent>`.
#[derive(Clone, Debug)]
pub struct ListEvents {
    /// Whose.
    pub merchant: MerchantId,
    /// Only these types; a word may end in `.*`. All when empty.
    pub types: Vec<String>,
    /// Only those that happened within.
    pub created: Bounds,
    /// `true`: only those of which every delivery succeeded, at least one. `false`: only those with
    /// a delivery that did not succeed yet or failed.
    pub delivery_success: Option<bool>,
    /// Which page.
    pub page: Page<EventPlace>,
}

reads!(ListEvents => Listed<StoredEvent>, event::list);

/// Lists a merchant's events that were committed after a place, the first committed first. Answers
/// `Vec<StoredEvent>`.
#[derive(Clone, Debug)]
pub struct ListEventsAfter {
    /// Whose.
    pub merchant: MerchantId,
    /// Only those about this bank account.
    pub account: Option<AccountId>,
    /// Only these types; a word may end in `.*`. All when empty.
    pub types: Vec<String>,
    /// The place in the order of commits that they follow.
    pub after: i64,
    /// The most events.
    pub limit: usize,
}

reads!(ListEventsAfter => Vec<StoredEvent>, event::list_after);

/// Finds an event. Answers `Option<StoredEvent>`.
#[derive(Clone, Copy, Debug)]
pub struct FindEvent {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub event: EventId,
}

reads!(FindEvent => Option<StoredEvent>, event::find);

/// Lists events that wait for their deliveries, in the order of commits. Answers `Vec<Event>`
/// paired with the real time of their commit.
#[derive(Clone, Copy, Debug)]
pub struct ListUndispatched {
    /// The most events.
    pub limit: usize,
}

reads!(ListUndispatched => Vec<(Event, ServerTime)>, event::list_undispatched);

/// Writes an event's deliveries (those that exist stay as they are) and clears its mark.
#[derive(Clone, Debug)]
pub struct DispatchEvent {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub event: EventId,
    /// One per subscribed endpoint.
    pub deliveries: Vec<Delivery>,
}

writes!(DispatchEvent => (), event::dispatch);

/// Whether these words take this type: one of them names it, or ends in `.*` and names what it is
/// of. No words take all.
pub fn takes_type(types: &[String], event_type: &str) -> bool {
    types.is_empty()
        || types.iter().any(|word| match word.strip_suffix(".*") {
            Some(family) => {
                event_type.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'))
            }
            None => word == event_type,
        })
}

#[cfg(test)]
mod tests {
    use super::takes_type;

    /// A family takes what is below it, and only that.
    #[test]
    fn families_take_what_is_below() {
        let takes = |word: &str, event_type| takes_type(&[word.to_owned()], event_type);
        assert!(takes_type(&[], "customer.created"));
        assert!(takes("customer.created", "customer.created"));
        assert!(takes("customer.*", "customer.created"));
        assert!(!takes("customer.*", "customers.created"));
        assert!(!takes("customer.*", "customer"));
        assert!(!takes("custom.*", "customer.created"));
    }
}
