//! Thin events: notifications of a change, without data.
//!
//! A thin event is not stored. Each stored event has up to two, and their names and ids follow from
//! it. The first has the event's own name after `v1.`. The end of a refresh of an account has a second
//! one with the outcome in its name.

use crate::bank::Feature;
use crate::event::{Event, EventType, Snapshot};
use crate::id::ThinEventId;
use crate::refresh::RefreshStatus;
use crate::word::Word;

/// A thin event with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThinName {
    /// The id.
    pub id: ThinEventId,
    /// The name, as in `v1.customer.created`.
    pub name: String,
}

/// Returns the thin events of an event, in the order in which they are dispatched.
pub fn thin_names(event: &Event) -> impl Iterator<Item = ThinName> {
    let id = |outcome| ThinEventId { event: event.id, outcome };
    let first = first_name(event.event_type).map(|name| ThinName { id: id(false), name });
    let second = outcome_name(event).map(|name| ThinName { id: id(true), name });
    first.into_iter().chain(second)
}

/// Returns the name of a thin event of an event. `None` if the event has no such thin event.
pub fn name_of(event: &Event, id: ThinEventId) -> Option<String> {
    thin_names(event).find(|thin| thin.id == id).map(|thin| thin.name)
}

/// The name of the first thin event of a type. Types in preview and those of an authorization have no such
/// event.
fn first_name(event_type: EventType) -> Option<String> {
    match event_type {
        EventType::AuthorizationExpectedDeactivationDateUpdated
        | EventType::AuthorizationUpcomingDeactivation
        | EventType::AccountRefreshedInferredBalances
        | EventType::SessionUpdated => None,
        EventType::EventDestinationPing => Some(event_type.word().to_owned()),
        _ => Some(format!("v1.{}", event_type.word())),
    }
}

/// Returns the type of the stored events that have thin events with a name. `None` if this server emits
/// no thin event with the name.
pub fn stored_type(name: &str) -> Option<EventType> {
    let has_name = |event_type: EventType| {
        let feature = event_type.refreshed_feature();
        let mut ends = [true, false].into_iter();
        first_name(event_type).is_some_and(|first| first == name)
            || feature.is_some_and(|feature| ends.any(|end| refresh_name(feature, end) == name))
    };
    EventType::ALL.iter().copied().find(|event_type| has_name(*event_type))
}

/// Returns the names of all thin events that this server emits.
pub fn all_names() -> Vec<String> {
    let first = EventType::ALL.iter().filter_map(|event_type| first_name(*event_type));
    let ends = |feature| [true, false].map(|succeeded| refresh_name(feature, succeeded));
    first.chain(Feature::ALL.iter().copied().flat_map(ends)).collect()
}

/// The name of the thin event that tells how a refresh ended.
fn outcome_name(event: &Event) -> Option<String> {
    let Snapshot::Account(account) = &event.snapshot else { return None };
    let feature = event.event_type.refreshed_feature()?;
    match account.refresh(feature)?.status {
        RefreshStatus::Succeeded => Some(refresh_name(feature, true)),
        RefreshStatus::Failed => Some(refresh_name(feature, false)),
        RefreshStatus::Pending => None,
    }
}

fn refresh_name(feature: Feature, succeeded: bool) -> String {
    let end = if succeeded { "succeeded" } else { "failed" };
    format!("v1.financial_connections.account.{}_refresh_{end}", feature.word())
}
