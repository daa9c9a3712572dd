//! The ledger of deliveries, and sending an event again.
//!
//! A repeated event has the bytes that were stored when the event was dispatched, with a new
//! signature. It is a further attempt of the same delivery. An endpoint that never received the
//! event gets a delivery of its own. The attempts then follow the schedule from its beginning.

use crate::{Lab, render};
use engine::events::dispatch::delivery_to;
use engine::events::event::subscribed;
use engine::{ApiResponse, Context, Error, list_body, settled};
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::endpoint::{Endpoint, EndpointStatus};
use model::id::EventId;
use model::limits::DELIVERY_ATTEMPTS_MAX;
use store::{
    Cursor, DeliveryPlace, FindEvent, ListDeliveries, ListLedger, Page, ResendDeliveries,
    StoredEvent, WithAttempts,
};
use wire::error::Error as ApiError;
use wire::list::PageParams;

/// The filters of a list of deliveries.
#[derive(Clone, Debug)]
pub struct LedgerFilter {
    /// Only deliveries of this event.
    pub event: Option<String>,
    /// Only deliveries to this endpoint.
    pub endpoint: Option<String>,
    /// Only deliveries with this status.
    pub status: Option<DeliveryStatus>,
    /// The page.
    pub page: PageParams,
}

/// The destination of an event that is sent again.
#[derive(Clone, Debug)]
pub enum ResendTo {
    /// All enabled endpoints that subscribe to it.
    All,
    /// This endpoint, even if it does not subscribe to the type.
    Endpoint(String),
    /// The Stripe command-line programs that listen.
    Listening,
}

fn body_of((delivery, attempts): &WithAttempts) -> Vec<u8> {
    engine::render(|w| render::delivery::write(w, delivery, attempts))
}

impl Lab {
    /// Shows the deliveries of an event with their attempts.
    pub async fn list_deliveries(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let event = self.engine.get_event(context, id, "event").await?.event.id;
        let list = ListDeliveries { merchant: context.merchant, event };
        let deliveries = self.engine.store().read(list).await?;
        let bodies: Vec<Vec<u8>> = deliveries.iter().map(body_of).collect();
        let url = format!("/v1/test_helpers/events/{event}/deliveries");
        Ok(ApiResponse::unchanged(list_body(&url, false, &bodies)))
    }

    /// Lists a merchant's deliveries with their attempts, those of the newest event first.
    pub async fn list_ledger(
        &self,
        context: &Context,
        filter: &LedgerFilter,
    ) -> Result<ApiResponse, Error> {
        let endpoint = match &filter.endpoint {
            Some(id) => {
                let listeners = self.engine.listeners_of(context.merchant).await?;
                Some(listeners.get(id, "endpoint")?.id)
            }
            None => None,
        };
        let merchant = context.merchant;
        let (rows, has_more) = if let Some(id) = &filter.event {
            let event = self.engine.get_event(context, id, "event").await?.event.id;
            let mut rows = self.engine.store().read(ListDeliveries { merchant, event }).await?;
            rows.reverse();
            rows.retain(|(delivery, _)| {
                endpoint.is_none_or(|endpoint| endpoint == delivery.key.endpoint)
                    && filter.status.is_none_or(|status| status == delivery.status)
            });
            page_of_event(rows, &filter.page)?
        } else {
            let page = self.ledger_page(context, &filter.page).await?;
            let list = ListLedger { merchant, endpoint, status: filter.status, page };
            let listed = self.engine.store().read(list).await?;
            (listed.items, listed.has_more)
        };
        let bodies: Vec<Vec<u8>> = rows.iter().map(body_of).collect();
        Ok(ApiResponse::unchanged(list_body("/v1/test_helpers/deliveries", has_more, &bodies)))
    }

    /// Shows a delivery with its attempts.
    pub async fn retrieve_delivery(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let (_, row) = self.get_delivery(context, id, "id").await?;
        Ok(ApiResponse::unchanged(body_of(&row)))
    }

    /// Sends a delivery again.
    pub async fn resend_delivery(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.engine
            .change("resend_delivery", async || {
                let (stored, (mut delivery, attempts)) =
                    self.get_delivery(context, id, "id").await?;
                let listeners = self.engine.listeners_of(context.merchant).await?;
                let endpoint = listeners.get(&delivery.key.endpoint.to_string(), "id")?;
                check_enabled(endpoint, "id")?;
                check_room(&delivery, "id")?;
                delivery.status = DeliveryStatus::Pending;
                delivery.due_at = self.engine.clock().server_now();
                delivery.resent_from = Some(delivery.attempts);
                let body = body_of(&(delivery.clone(), attempts));
                let event = stored.event.id;
                if self.send_again(context, event, vec![delivery], &body).await? {
                    return Ok(Some(ApiResponse::committed(body)));
                }
                Ok(None)
            })
            .await
    }

    /// Sends an event again and returns it.
    pub async fn resend_event(
        &self,
        context: &Context,
        id: &str,
        to: &ResendTo,
    ) -> Result<ApiResponse, Error> {
        self.engine.change("resend_event", async || {
            let stored = self.engine.get_event(context, id, "id").await?;
            let listeners = self.engine.listeners_of(context.merchant).await?;
            if let ResendTo::Listening = to {
                if !self.engine.send_to_streams(&stored.event, &listeners) {
                    let message = "Nobody listens: run 'stripe listen' with this key first, or \
                                   name the webhook_endpoint that is to get the event again.";
                    return Err(ApiError::invalid(message).param("for_stripecli").into());
                }
                return Ok(Some(ApiResponse::unchanged(self.engine.event_body(&stored, &listeners))));
            }
            let takers: Vec<&Endpoint> = match to {
                ResendTo::Endpoint(id_text) => {
                    let endpoint = listeners.get(id_text, "webhook_endpoint")?;
                    check_enabled(endpoint, "webhook_endpoint")?;
                    vec![endpoint]
                }
                _ => subscribed(&listeners.endpoints, &stored.event).collect(),
            };
            if takers.is_empty() {
                let message = "No enabled webhook endpoint takes this event: make one that does, or \
                               name another in webhook_endpoint.";
                return Err(ApiError::invalid(message).param("webhook_endpoint").into());
            }
            let query = ListDeliveries { merchant: context.merchant, event: stored.event.id };
            for (delivery, _) in self.engine.store().read(query).await? {
                if takers.iter().any(|endpoint| endpoint.id == delivery.key.endpoint) {
                    check_room(&delivery, "id")?;
                }
            }
            let now = self.engine.clock().server_now();
            let connected = listeners.connected.as_deref();
            let deliveries = takers.iter().map(|endpoint| {
                delivery_to(&stored.event, endpoint, now, |version| {
                    self.engine.render_event(&stored.event, version, takers.len(), connected)
                })
            });
            let deliveries: Vec<Delivery> = deliveries.collect();
            let body = self.engine.event_body(&stored, &listeners);
            if self.send_again(context, stored.event.id, deliveries, &body).await? {
                return Ok(Some(ApiResponse::committed(body)));
            }
            Ok(None)
        })
        .await
    }

    async fn send_again(
        &self,
        context: &Context,
        event: EventId,
        deliveries: Vec<Delivery>,
        body: &[u8],
    ) -> Result<bool, Error> {
        let resend = ResendDeliveries {
            merchant: context.merchant,
            event,
            deliveries,
            now: self.engine.clock().server_now(),
            reply: context.reply(&self.engine, body),
        };
        let sent = settled(self.engine.store().write(resend).await?)?;
        if sent {
            self.engine.wake().deliver();
        }
        Ok(sent)
    }

    async fn get_delivery(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<(StoredEvent, WithAttempts), Error> {
        let missing = || Error::from(ApiError::no_such("delivery", id, param));
        let key: DeliveryKey = id.parse().map_err(|_| missing())?;
        let find = FindEvent { merchant: context.merchant, event: key.event };
        let stored = self.engine.store().read(find).await?.ok_or_else(missing)?;
        let list = ListDeliveries { merchant: context.merchant, event: key.event };
        let rows = self.engine.store().read(list).await?;
        let row = rows.into_iter().find(|(delivery, _)| delivery.key == key);
        Ok((stored, row.ok_or_else(missing)?))
    }

    async fn ledger_page(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<Page<DeliveryPlace>, Error> {
        let place = async |id: &str, param: &str| -> Result<DeliveryPlace, Error> {
            let missing = || Error::from(ApiError::no_such("delivery", id, param).status(400));
            let found = self.get_delivery(context, id, param).await;
            let (stored, (delivery, _)) = found.map_err(|_| missing())?;
            Ok(DeliveryPlace { event: stored.place(), endpoint: delivery.key.endpoint })
        };
        let cursor = match (&page.starting_after, &page.ending_before) {
            (Some(id), _) => Cursor::After(place(id, "starting_after").await?),
            (None, Some(id)) => Cursor::Before(place(id, "ending_before").await?),
            (None, None) => Cursor::Newest,
        };
        Ok(Page { limit: page.limit, cursor })
    }
}

/// Returns a page of the deliveries of one event, which are few, and true if there are more.
fn page_of_event(
    mut rows: Vec<WithAttempts>,
    page: &PageParams,
) -> Result<(Vec<WithAttempts>, bool), Error> {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let place = |id: &str, param: &str| {
        let key: Option<DeliveryKey> = id.parse().ok();
        let found = rows.iter().position(|(delivery, _)| Some(delivery.key) == key);
        found.ok_or_else(|| Error::from(ApiError::no_such("delivery", id, param).status(400)))
    };
    if let (None, Some(id)) = (&page.starting_after, &page.ending_before) {
        rows.truncate(place(id, "ending_before")?);
        let more = rows.len() > limit;
        return Ok((rows.split_off(rows.len().saturating_sub(limit)), more));
    }
    let from = match &page.starting_after {
        Some(id) => place(id, "starting_after")? + 1,
        None => 0,
    };
    let mut rows = rows.split_off(from);
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok((rows, more))
}

fn check_enabled(endpoint: &Endpoint, param: &str) -> Result<(), Error> {
    if endpoint.status == EndpointStatus::Enabled {
        return Ok(());
    }
    let message = format!("The webhook endpoint {} is disabled.", endpoint.id);
    Err(ApiError::invalid(message).param(param).into())
}

fn check_room(delivery: &Delivery, param: &str) -> Result<(), Error> {
    if delivery.attempts < DELIVERY_ATTEMPTS_MAX {
        return Ok(());
    }
    let message = format!("A delivery is attempted at most {DELIVERY_ATTEMPTS_MAX} times.");
    Err(ApiError::invalid(message).param(param).into())
}
