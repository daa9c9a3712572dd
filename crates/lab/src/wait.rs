//! Waiting for the delivery of an event, so that a test needs no sleep and no poll.
//!
//! A waiting call first looks through the stored events. After that it is notified of each settled
//! delivery and each event without an endpoint, after the commit, and looks again. If there are
//! more notifications than it can process, it looks through all events, so it misses none. A wait
//! is not stored, so it ends if the server dies.

use crate::Lab;
use engine::{ApiResponse, Context, Error};
use model::Word;
use model::delivery::{Delivery, DeliveryStatus};
use model::event::EventType;
use model::id::{AccountId, EndpointId, EventId, MerchantId};
use model::limits::{EVENT_NEWS_MAX, EVENT_WAITS_MAX, PAGE_ROWS_MAX};
use std::fmt::Write as _;
use std::time::Duration;
use store::{ListDeliveries, ListEventsAfter, StoredEvent};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::sync::{Semaphore, watch};
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
    /// The event after which it was committed.
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
    after: i64,
    endpoint: Option<EndpointId>,
}

/// The result of a search.
enum Look {
    Delivered(Box<StoredEvent>),
    /// The number of matching events, and the last of them. None of them is delivered yet.
    NotYet(usize, Option<EventId>),
}

/// The calls that wait, and their notifications.
pub(crate) struct Waits {
    news: Sender<MerchantId>,
    free: Semaphore,
    ended: watch::Sender<bool>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            news: Sender::new(EVENT_NEWS_MAX),
            free: Semaphore::new(EVENT_WAITS_MAX),
            ended: watch::Sender::new(false),
        }
    }
}

impl Waits {
    /// Notifies the waiting calls that an event was delivered or has no endpoint.
    pub(crate) fn notify(&self, merchant: MerchantId) {
        // Sending fails only if no call waits.
        let _ = self.news.send(merchant);
    }
}

impl Lab {
    /// Ends all current and future waits, because the server is about to stop.
    pub fn end_waits(&self) {
        self.instruments.waits.ended.send_replace(true);
    }

    /// Returns the first delivered event that matches, in the order of commits. An event is
    /// delivered once every endpoint that subscribes to it has returned 2xx for one attempt. If no
    /// enabled endpoint subscribes to it, it is delivered at once.
    pub async fn wait_for_event(
        &self,
        context: &Context,
        filter: &WaitFilter,
    ) -> Result<ApiResponse, Error> {
        let sought = self.sought(context, filter).await?;
        let place = self.instruments.waits.free.try_acquire();
        let _place = place.map_err(|_| ApiError::rate_limited("global-concurrency"))?;
        // Subscribe before the first search, so that no notification is missed between the two.
        let mut news = self.instruments.waits.news.subscribe();
        let mut ended = self.instruments.waits.ended.subscribe();
        let mut look = self.look_for(&sought).await?;
        let looking = async {
            while !matches!(look, Look::Delivered(_)) {
                wait_for_news(sought.merchant, &mut news).await;
                look = self.look_for(&sought).await?;
            }
            Ok::<(), Error>(())
        };
        tokio::select! {
            looked = tokio::time::timeout(Duration::from_secs(filter.timeout_s), looking) => {
                looked.unwrap_or(Ok(()))?;
            }
            _ = ended.wait_for(|ended| *ended) => {}
        }
        match look {
            Look::Delivered(stored) => {
                let listeners = self.engine.listeners_of(context.merchant).await?;
                Ok(ApiResponse::unchanged(self.engine.event_body(&stored, &listeners)))
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
            Some(id) => self.engine.get_event(context, id, "after").await?.position,
            None => i64::MIN,
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

    /// Searches the matching events in the order of commits.
    async fn look_for(&self, sought: &Sought<'_>) -> Result<Look, Error> {
        let mut list = ListEventsAfter {
            merchant: sought.merchant,
            account: sought.account,
            types: sought.types.to_vec(),
            after: sought.after,
            limit: EVENTS_READ,
        };
        let (mut fitting, mut newest) = (0, None);
        loop {
            let events = self.engine.store().read(list.clone()).await?;
            let more = events.len() == EVENTS_READ;
            list.after = events.last().map_or(list.after, |stored| stored.position);
            for stored in events {
                if sought.object.is_some_and(|object| !self.shows(&stored, object)) {
                    continue;
                }
                (fitting, newest) = (fitting + 1, Some(stored.event.id));
                if self.is_delivered(&stored, sought.endpoint).await? {
                    return Ok(Look::Delivered(Box::new(stored)));
                }
            }
            if !more {
                return Ok(Look::NotYet(fitting, newest));
            }
        }
    }

    /// True if an event shows the object with this id.
    fn shows(&self, stored: &StoredEvent, object: &str) -> bool {
        let version = wire::version::Version::newest();
        let body = self.engine.render_event(&stored.event, &version, 0, None);
        let shown: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        shown["data"]["object"]["id"] == object
    }

    async fn is_delivered(
        &self,
        stored: &StoredEvent,
        endpoint: Option<EndpointId>,
    ) -> Result<bool, Error> {
        if stored.undispatched || (stored.pending > 0 && endpoint.is_none()) {
            return Ok(false);
        }
        let list = ListDeliveries { merchant: stored.event.merchant, event: stored.event.id };
        let deliveries = self.engine.store().read(list).await?;
        let mut deliveries = deliveries.iter().map(|(delivery, _)| delivery);
        let succeeded = |delivery: &Delivery| delivery.status == DeliveryStatus::Succeeded;
        Ok(match endpoint {
            Some(endpoint) => {
                deliveries.any(|delivery| delivery.key.endpoint == endpoint && succeeded(delivery))
            }
            None => deliveries
                .all(|delivery| delivery.status == DeliveryStatus::Canceled || succeeded(delivery)),
        })
    }

    /// Describes an unsuccessful wait in a sentence or two, so that a failed test shows its reason.
    async fn waited(
        &self,
        context: &Context,
        timeout_s: u64,
        fitting: usize,
        newest: Option<EventId>,
    ) -> Result<String, Error> {
        let mut message = format!("No such event was delivered within {timeout_s} seconds");
        let Some(event) = newest else { return Ok(message + ", nor did one happen.") };
        // Writing to a String cannot fail.
        let _ = write!(message, "; {fitting} happened, the last of them {event}");
        let list = ListDeliveries { merchant: context.merchant, event };
        let deliveries = self.engine.store().read(list).await?;
        for (delivery, attempts) in &deliveries {
            let (endpoint, status) = (delivery.key.endpoint, delivery.status.word());
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

/// Rejects a type, or a family of types, that does not exist. A misspelt word is therefore found at
/// once. `path` is the parameter that contains it.
pub fn check_type(text: &str, path: &str) -> Result<(), ApiError> {
    let family = text.strip_suffix(".*");
    let fits = |word: &str| match family {
        Some(family) => word.strip_prefix(family).is_some_and(|rest| rest.starts_with('.')),
        None => word == text,
    };
    if EventType::ALL.iter().any(|event_type| fits(event_type.word())) {
        return Ok(());
    }
    let message = format!("This server sends no event of the type '{text}'.");
    Err(ApiError::invalid(message).param(path))
}

/// Waits for a notification of this merchant, and takes the others that are already there.
async fn wait_for_news(merchant: MerchantId, news: &mut Receiver<MerchantId>) {
    loop {
        match news.recv().await {
            Ok(other) if other != merchant => {}
            Ok(_) | Err(RecvError::Lagged(_)) => break,
            // The sender lives as long as the engine, which the caller borrows.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
    while !matches!(news.try_recv(), Err(broadcast::error::TryRecvError::Empty)) {}
}
