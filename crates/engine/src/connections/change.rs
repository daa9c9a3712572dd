//! Events and ended refreshes that are committed together with a changed account.

use crate::Context;
use crate::events::next_position;
use model::bank::Feature;
use model::clock::AccountTime;
use model::event::{Cause, Event, EventType};
use model::refresh::{RefreshKey, RefreshStatus};
use store::AccountChange;

/// Adds an event of the change.
pub fn push_event(
    change: &mut AccountChange,
    event_type: EventType,
    now: AccountTime,
    context: &Context,
) {
    push_event_of(change, event_type, now, context.cause());
}

/// Adds an event of the change, with its cause if a request made it.
pub(crate) fn push_event_of(
    change: &mut AccountChange,
    event_type: EventType,
    now: AccountTime,
    cause: Option<Cause>,
) {
    let position = next_position(&change.events);
    change.events.push(Event::of_account(&change.account, event_type, position, now, cause));
}

/// Records the refreshes that a change interrupted: the end of their jobs, and an event each.
pub fn record_interrupted_by(
    change: &mut AccountChange,
    interrupted: &[Feature],
    now: AccountTime,
    cause: Option<&Cause>,
) {
    for feature in interrupted {
        if let Some(state) = change.account.refresh(*feature) {
            let key = RefreshKey {
                account: change.account.id,
                feature: *feature,
                sequence: state.sequence,
            };
            change.ended.push((key, RefreshStatus::Failed));
        }
        push_event_of(change, EventType::refreshed(*feature), now, cause.cloned());
    }
}
