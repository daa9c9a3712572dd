//! Events. The command that makes a change also writes its events.

use crate::{Bounds, Listed, Page};
use model::clock::{AccountTime, ServerTime};
use model::event::{Event, EventType};
use model::id::{EventId, MerchantId};

/// An event with the state of its deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// The server time of its commit, which rises with each event of a shard.
    pub committed_at: ServerTime,
    /// Its number in the merchant's feed. `None` while it waits for its dispatch.
    pub feed: Option<u64>,
    /// The number of its pending deliveries.
    pub pending: u32,
}

impl StoredEvent {
    /// The event's position in its list.
    pub fn place(&self) -> EventPlace {
        let Event { id, created, .. } = &self.event;
        EventPlace { created: *created, committed_at: self.committed_at, shard: id.shard }
    }
}

/// The position of an event in its list: `created`, then the time of the commit, then the shard, all
/// descending. So events of one shard are in the order of their commits. Across shards the clocks of
/// the servers decide, because no order of commits exists there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// The time of the event.
    pub created: AccountTime,
    /// The server time of the commit.
    pub committed_at: ServerTime,
    /// The shard in the event's id.
    pub shard: u64,
}

/// Lists a merchant's events. Returns `Listed<StoredEvent>`.
#[derive(Clone, Debug)]
pub struct ListEvents {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The event types to list. A type may end in `.*`. If the list is empty, all types match.
    pub types: Vec<String>,
    /// The bounds of the events' `created`.
    pub created: Bounds,
    /// If `true`, only events with at least one delivery, all of which succeeded. If `false`, only
    /// events with a delivery that failed or has not succeeded yet.
    pub delivery_success: Option<bool>,
    /// True if events that exist only as thin events are listed, too.
    pub only_thin: bool,
    /// True if events of types that exist in previews only are listed, too.
    pub in_preview: bool,
    /// The page to return.
    pub page: Page<EventPlace>,
}

impl ListEvents {
    /// True if events of a type may be listed.
    pub(crate) fn lists(&self, event_type: EventType) -> bool {
        (self.only_thin || !event_type.is_only_thin())
            && (self.in_preview || !event_type.is_in_preview())
    }
}

reads!(ListEvents => Listed<StoredEvent>, event::list);

/// Finds an event. Returns `Option<StoredEvent>`.
#[derive(Clone, Copy, Debug)]
pub struct FindEvent {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The event's id.
    pub event: EventId,
}

reads!(FindEvent => Option<StoredEvent>, event::find);

/// True if a filter of event types matches a type. A filter matches a type that it names, and
/// `family.*` matches every type below `family`. An empty list of filters matches every type.
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

    /// A family matches every type below it, and no other type.
    #[test]
    fn families_match_types_below_them() {
        let takes = |word: &str, event_type| takes_type(&[word.to_owned()], event_type);
        assert!(takes_type(&[], "customer.created"));
        assert!(takes("customer.created", "customer.created"));
        assert!(takes("customer.*", "customer.created"));
        assert!(!takes("customer.*", "customers.created"));
        assert!(!takes("customer.*", "customer"));
        assert!(!takes("custom.*", "customer.created"));
    }
}
