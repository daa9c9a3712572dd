//! Waiting for the delivery of an event, so that a test needs no sleep and no poll. A wait for the name
//! of a thin event returns the thin event.
//!
//! A wait without `after` returns the first event of the feed that was delivered. An event whose
//! first attempts are still to be made is not passed. An event with a failed attempt is.
//!
//! A wait after an event returns the first match that follows it in the feed. It first waits for
//! the first attempt of each delivery, so that the handlers of a test have run, and returns the
//! event at the end of its time in any case. So a loop that passes the last event returns every
//! match once, in one order, whatever the state of their deliveries.

use crate::Lab;
use crate::render::delivery::thin_event;
use engine::{ApiResponse, Context, Error};
use model::Word;
use model::counted::counted;
use model::delivery::{Delivery, DeliveryStatus};
use model::endpoint::EventForm;
use model::event::{Event, EventType};
use model::id::{AccountId, EndpointId, EventId, MerchantId};
use model::limits::PAGE_ROWS_MAX;
use model::thin::{all_names, stored_type, thin_names};
use std::fmt::Write as _;
use std::slice::from_ref;
use store::{FeedEvent, FindEvent, ListDeliveries, ListFeed, takes_type};
use wire::error::Error as ApiError;

/// The number of events that are read at once during a search.
const EVENTS_READ: usize = PAGE_ROWS_MAX as usize;

/// The filter of the awaited event.
#[derive(Clone, Debug)]
pub struct WaitFilter {
    /// The accepted types. A word may end in `.*`. All types if empty.
    pub types: Vec<String>,
    /// The bank account that the event concerns.
    pub account: Option<String>,
    /// The object that the event shows.
    pub object: Option<String>,
    /// The event that it follows in the feed.
    pub after: Option<String>,
    /// The endpoint that it must be delivered to. `None` for all that subscribe to it.
    pub endpoint: Option<String>,
    /// The longest wait in seconds. 0 looks once.
    pub timeout_s: u64,
}

/// The filter with resolved ids.
struct Sought<'a> {
    merchant: MerchantId,
    types: &'a [String],
    account: Option<AccountId>,
    object: Option<&'a str>,
    after: Option<EventId>,
    endpoint: Option<EndpointId>,
}

/// The result of a search.
enum Look {
    /// The event to return.
    Found(Box<FeedEvent>),
    /// The first match after an event. The first attempt of a delivery is still to be made.
    Unattempted(Box<FeedEvent>),
    /// The number of matching events that were looked at, and the last of them. None of them is
    /// delivered yet.
    NotYet(usize, Option<EventId>),
}

/// The progress of an event's deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The first attempt of a delivery is still to be made.
    Unattempted,
    /// Each delivery was attempted, and one of them has not succeeded.
    Attempted,
    /// The event is delivered.
    Delivered,
}

impl Lab {
    /// Ends all current and future waits, because the server is about to stop.
    pub fn end_waits(&self) {
        self.instruments.waits.end();
    }

    /// Returns the first delivered event that matches, in the order of the feed. An event is
    /// delivered once every endpoint that subscribes to it has returned 2xx for one attempt. If no
    /// enabled endpoint subscribes to it, it is delivered at once.
    ///
    /// A wait after an event returns the first match, delivered or not, once the first attempt of
    /// each of its deliveries has ended. At the end of its time it returns the match in any case.
    pub async fn wait_for_event(
        &self,
        context: &Context,
        filter: &WaitFilter,
    ) -> Result<ApiResponse, Error> {
        let sought = self.sought(context, filter).await?;
        self.instruments.checker.waits(context.merchant, self.engine.clock().server_now());
        // Enter before the first search, so that no wake-up is missed between the two.
        let waits = &self.instruments.waits;
        let mut place = waits.enter(context.merchant, context.share_owner())?;
        let mut look = self.look_for(&sought).await?;
        let looking = async {
            while !matches!(look, Look::Found(_)) {
                place.wake_up().await;
                look = self.look_for(&sought).await?;
            }
            Ok(())
        };
        waits.within(filter.timeout_s, looking).await?;
        match look {
            Look::Found(found) | Look::Unattempted(found) => {
                let listeners = self.engine.listeners_of(context.merchant).await?;
                let pending = found.pending as usize;
                let body = match shown_form(&found.event, &filter.types) {
                    EventForm::Snapshot => {
                        self.engine.shown_event(&found.event, pending, &listeners)
                    }
                    EventForm::Thin(id) => {
                        let connected = listeners.connected.as_deref();
                        self.engine.full_thin_event(context, &found.event, id, connected)?
                    }
                };
                Ok(ApiResponse::unchanged(body))
            }
            Look::NotYet(fitting, newest) => {
                let waited = self.waited(context, filter.timeout_s, fitting, newest).await?;
                Err(ApiError::waited_in_vain(&waited).into())
            }
        }
    }

    async fn sought<'a>(
        &self,
        context: &Context,
        filter: &'a WaitFilter,
    ) -> Result<Sought<'a>, Error> {
        let account = match &filter.account {
            Some(id) => Some(self.engine.get_account(context, id, "account").await?.id),
            None => None,
        };
        let after = match &filter.after {
            Some(id) => {
                let (stored, _) = self.engine.get_event_in_form(context, id, "after").await?;
                Some(stored.event.id)
            }
            None => None,
        };
        let endpoint = match &filter.endpoint {
            Some(id) => {
                let listeners = self.engine.listeners_of(context.merchant).await?;
                Some(listeners.get(id, "webhook_endpoint")?.id)
            }
            None => None,
        };
        Ok(Sought {
            merchant: context.merchant,
            types: &filter.types,
            account,
            object: filter.object.as_deref(),
            after,
            endpoint,
        })
    }

    /// Searches the matching events in the order of the feed.
    async fn look_for(&self, sought: &Sought<'_>) -> Result<Look, Error> {
        let after = match sought.after {
            Some(event) => {
                let find = FindEvent { merchant: sought.merchant, event };
                let stored = self.engine.store().read(find).await?;
                let Some(feed) = stored.and_then(|stored| stored.feed) else {
                    // It is not dispatched yet, so no event follows it.
                    return Ok(Look::NotYet(0, None));
                };
                feed
            }
            None => 0,
        };
        let mut list = ListFeed {
            merchant: sought.merchant,
            account: sought.account,
            types: stored_types(sought.types),
            after,
            limit: EVENTS_READ,
        };
        let (mut matching, mut newest) = (0, None);
        loop {
            let events = self.engine.store().read(list.clone()).await?;
            let more = events.len() == EVENTS_READ;
            list.after = events.last().map_or(list.after, |found| found.feed);
            for found in events {
                // One stored type has the names of both ends of a refresh.
                if !is_named(&found.event, sought.types) {
                    continue;
                }
                if sought.object.is_some_and(|object| !self.shows(&found.event, object)) {
                    continue;
                }
                let mut deliveries = self.deliveries(&found.event, sought.endpoint).await?;
                if let EventForm::Thin(thin) = shown_form(&found.event, sought.types) {
                    deliveries.retain(|delivery| thin_event(delivery) == Some(thin));
                }
                if sought.after.is_some() && sought.endpoint.is_some() && deliveries.is_empty() {
                    // It does not go to this endpoint.
                    continue;
                }
                (matching, newest) = (matching + 1, Some(found.event.id));
                match (progress(&deliveries, sought.endpoint), sought.after) {
                    (Progress::Delivered, _) | (Progress::Attempted, Some(_)) => {
                        return Ok(Look::Found(Box::new(found)));
                    }
                    (Progress::Unattempted, Some(_)) => {
                        return Ok(Look::Unattempted(Box::new(found)));
                    }
                    // It may be delivered, and then it comes before the later events.
                    (Progress::Unattempted, None) => return Ok(Look::NotYet(matching, newest)),
                    (Progress::Attempted, None) => {}
                }
            }
            if !more {
                return Ok(Look::NotYet(matching, newest));
            }
        }
    }

    /// True if an event shows the object with this id.
    fn shows(&self, event: &Event, object: &str) -> bool {
        let version = wire::version::Version::default();
        let body = self.engine.render_event(event, &version, 0, None);
        let shown: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        shown["data"]["object"]["id"] == object
    }

    /// The deliveries of an event, or only the one to this endpoint.
    async fn deliveries(
        &self,
        event: &Event,
        endpoint: Option<EndpointId>,
    ) -> Result<Vec<Delivery>, Error> {
        let list = ListDeliveries { merchant: event.merchant, event: event.id };
        let deliveries = self.engine.store().read(list).await?;
        let deliveries = deliveries.into_iter().map(|(delivery, _)| delivery);
        let wanted = deliveries
            .filter(|delivery| endpoint.is_none_or(|endpoint| endpoint == delivery.key.endpoint));
        Ok(wanted.collect())
    }

    /// Describes an unsuccessful wait in a sentence or two, so that a failed test shows its reason.
    async fn waited(
        &self,
        context: &Context,
        timeout_s: u64,
        fitting: usize,
        newest: Option<EventId>,
    ) -> Result<String, Error> {
        let mut message =
            format!("No such event was delivered within {}", counted(timeout_s, "second"));
        let Some(event) = newest else { return Ok(message + ", nor did one happen.") };
        // Writing to a String cannot fail.
        let _ = write!(message, "; {fitting} happened, the last of them {event}");
        let list = ListDeliveries { merchant: context.merchant, event };
        let deliveries = self.engine.store().read(list).await?;
        for (delivery, attempts) in &deliveries {
            let status = delivery.status.word();
            let endpoint = match self.engine.endpoint_of(delivery).await? {
                Some(endpoint) => endpoint.shown_id(),
                None => delivery.key.endpoint.text(),
            };
            let endpoint = endpoint.as_str();
            let _ = write!(message, "; its delivery to {endpoint} is {status}");
            let Some(attempt) = attempts.last() else { continue };
            let _ = match (&attempt.status, &attempt.error) {
                (Some(status), _) => write!(message, ", attempt {} got {status}", attempt.number),
                (None, error) => {
                    let error = error.as_deref().unwrap_or("no answer");
                    write!(message, ", attempt {} failed: {error}", attempt.number)
                }
            };
        }
        Ok(message + ".")
    }
}

/// The progress of a dispatched event with these deliveries. To one endpoint, its delivery must have
/// succeeded. Otherwise canceled deliveries do not count.
fn progress(deliveries: &[Delivery], endpoint: Option<EndpointId>) -> Progress {
    let succeeded = |delivery: &Delivery| delivery.status == DeliveryStatus::Succeeded;
    let delivered = match endpoint {
        Some(_) => deliveries.iter().any(succeeded),
        None => deliveries
            .iter()
            .all(|delivery| delivery.status == DeliveryStatus::Canceled || succeeded(delivery)),
    };
    if delivered {
        Progress::Delivered
    } else if deliveries.iter().any(Delivery::is_unattempted) {
        Progress::Unattempted
    } else {
        Progress::Attempted
    }
}

/// The types of stored events for names in a filter, which may be names of thin events.
fn stored_types(names: &[String]) -> Vec<String> {
    let mut types: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        types.push(name.clone());
        let thin = all_names().into_iter().filter(|thin| takes_type(from_ref(name), thin));
        let stored = thin.filter_map(|thin| stored_type(&thin));
        types.extend(stored.map(|event_type| event_type.word().to_owned()));
    }
    types
}

/// True if an event, or a thin event of it, has one of these names.
fn is_named(event: &Event, names: &[String]) -> bool {
    let is_thin = || thin_names(event).any(|thin| takes_type(names, &thin.name));
    takes_type(names, event.event_type.word()) || is_thin()
}

/// The form in which a wait returns an event: a thin event if its name was awaited, and not the
/// event's own.
fn shown_form(event: &Event, names: &[String]) -> EventForm {
    if !event.event_type.is_only_thin() && takes_type(names, event.event_type.word()) {
        return EventForm::Snapshot;
    }
    let thin = thin_names(event).find(|thin| takes_type(names, &thin.name));
    thin.map_or(EventForm::Snapshot, |thin| EventForm::Thin(thin.id))
}

/// Rejects a type, or a family of types, that does not exist. A misspelt word is therefore found at
/// once. `path` is the parameter that contains it.
pub fn check_type(text: &str, path: &str) -> Result<(), ApiError> {
    let family = text.strip_suffix(".*");
    let fits = |word: &str| match family {
        Some(family) => word.strip_prefix(family).is_some_and(|rest| rest.starts_with('.')),
        None => word == text,
    };
    let is_thin = || all_names().iter().any(|name| fits(name));
    if EventType::ALL.iter().any(|event_type| fits(event_type.word())) || is_thin() {
        return Ok(());
    }
    let message = format!("This server sends no event of the type '{text}'.");
    Err(ApiError::invalid(message).param(path))
}
