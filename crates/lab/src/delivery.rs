//! The ledger of deliveries, and sending an event again.
//!
//! A repeated event has the bytes that were stored when the event was dispatched, with a new
//! signature. It is a further attempt of the same delivery. An endpoint that never received the
//! event gets a delivery of its own. The attempts then follow the schedule from its beginning.

use crate::{Lab, render};
use engine::events::event::Listeners;
use engine::events::thin::takers;
use engine::{ApiResponse, Context, Error, list_body, settled};
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::endpoint::{Endpoint, EndpointStatus, EventForm};
use model::event::Event;
use model::id::{EndpointId, EventId, IdText};
use model::limits::DELIVERY_ATTEMPTS_MAX;
use model::thin::thin_names;
use std::collections::BTreeMap;
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

/// The ids of endpoints, as clients see them.
type Names = BTreeMap<EndpointId, IdText>;

fn body_of((delivery, attempts): &WithAttempts, names: &Names) -> Vec<u8> {
    let endpoint = delivery.key.endpoint;
    let endpoint = names.get(&endpoint).copied().unwrap_or_else(|| endpoint.text());
    engine::render(|w| render::delivery::write(w, delivery, endpoint, attempts))
}

impl Lab {
    /// Shows the deliveries of an event with their attempts.
    pub async fn list_deliveries(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let rows = self.rows_of_event(context, id).await?;
        let names = self.names_in(&rows).await?;
        let bodies: Vec<Vec<u8>> = rows.iter().map(|row| body_of(row, &names)).collect();
        let url = format!("/v1/test_helpers/events/{id}/deliveries");
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
            let mut rows = self.rows_of_event(context, id).await?;
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
        let names = self.names_in(&rows).await?;
        let bodies: Vec<Vec<u8>> = rows.iter().map(|row| body_of(row, &names)).collect();
        Ok(ApiResponse::unchanged(list_body("/v1/test_helpers/deliveries", has_more, &bodies)))
    }

    /// Shows a delivery with its attempts.
    pub async fn retrieve_delivery(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let (_, row) = self.get_delivery(context, id, "id").await?;
        let names = self.names_in(std::slice::from_ref(&row)).await?;
        Ok(ApiResponse::unchanged(body_of(&row, &names)))
    }

    /// Sends a delivery again.
    pub async fn resend_delivery(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.engine
            .change("resend_delivery", async || {
                let (stored, (mut delivery, attempts)) =
                    self.get_delivery(context, id, "id").await?;
                let listeners = self.engine.listeners_of(context.merchant).await?;
                let number = delivery.key.endpoint;
                let endpoint = listeners.endpoints.iter().find(|endpoint| endpoint.id == number);
                let Some(endpoint) = endpoint else {
                    let id = number.to_string();
                    return Err(ApiError::no_such("webhook endpoint", &id, "id").into());
                };
                check_enabled(endpoint, "id")?;
                check_room(&delivery, "id")?;
                delivery.status = DeliveryStatus::Pending;
                delivery.due_at = self.engine.clock().server_now();
                delivery.resent_from = Some(delivery.attempts);
                let names = Names::from([(endpoint.id, endpoint.shown_id())]);
                let body = body_of(&(delivery.clone(), attempts), &names);
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
        self.engine
            .change("resend_event", async || {
                let (stored, form) = self.engine.get_event_in_form(context, id, "id").await?;
                let listeners = self.engine.listeners_of(context.merchant).await?;
                let body = self.resent_body(context, &stored, form, &listeners)?;
                if let ResendTo::Listening = to {
                    let is_sent = form == EventForm::Snapshot
                        && self.engine.send_to_streams(&stored.event, &listeners);
                    if !is_sent {
                        let message = "Nobody listens: run 'stripe listen' with this key first, or \
                                   name the webhook_endpoint that is to get the event again.";
                        return Err(ApiError::invalid(message).param("for_stripecli").into());
                    }
                    return Ok(Some(ApiResponse::unchanged(body)));
                }
                let takers = resent_to(&stored.event, form, to, &listeners)?;
                let query = ListDeliveries { merchant: context.merchant, event: stored.event.id };
                let is_repeated = |delivery: &Delivery| {
                    takers.iter().any(|taker| {
                        form_key(*taker) == (delivery.key.endpoint, delivery.key.outcome)
                    })
                };
                for (delivery, _) in self.engine.store().read(query).await? {
                    if is_repeated(&delivery) {
                        check_room(&delivery, "id")?;
                    }
                }
                let connected = listeners.connected.as_deref();
                let (now, pending) = (self.engine.clock().server_now(), takers.len());
                let deliveries = takers.iter().map(|taker| {
                    self.engine.delivery_to(&stored.event, *taker, now, pending, connected)
                });
                let deliveries: Vec<Delivery> = deliveries.collect();
                if self.send_again(context, stored.event.id, deliveries, &body).await? {
                    return Ok(Some(ApiResponse::committed(body)));
                }
                Ok(None)
            })
            .await
    }

    /// The event in the form that the call names.
    fn resent_body(
        &self,
        context: &Context,
        stored: &StoredEvent,
        form: EventForm,
        listeners: &Listeners,
    ) -> Result<Vec<u8>, Error> {
        match form {
            EventForm::Snapshot => Ok(self.engine.event_body(stored, listeners)),
            EventForm::Thin(id) => {
                let connected = listeners.connected.as_deref();
                self.engine.full_thin_event(context, &stored.event, id, connected)
            }
        }
    }

    /// The deliveries of an event, or those of the thin event that an id names.
    async fn rows_of_event(&self, context: &Context, id: &str) -> Result<Vec<WithAttempts>, Error> {
        let (stored, form) = self.engine.get_event_in_form(context, id, "event").await?;
        let list = ListDeliveries { merchant: context.merchant, event: stored.event.id };
        let mut rows = self.engine.store().read(list).await?;
        if let EventForm::Thin(thin) = form {
            rows.retain(|(delivery, _)| render::delivery::thin_event(delivery) == Some(thin));
        }
        Ok(rows)
    }

    /// The ids of the endpoints of deliveries.
    async fn names_in(&self, rows: &[WithAttempts]) -> Result<Names, Error> {
        let mut names = Names::new();
        for (delivery, _) in rows {
            let id = delivery.key.endpoint;
            if !names.contains_key(&id)
                && let Some(endpoint) = self.engine.endpoint_of(delivery).await?
            {
                names.insert(id, endpoint.shown_id());
            }
        }
        Ok(names)
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
            Ok(DeliveryPlace::of(stored.place(), delivery.key))
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

/// The endpoints that a call sends an event to again, each with the form that it receives.
fn resent_to<'a>(
    event: &Event,
    form: EventForm,
    to: &ResendTo,
    listeners: &'a Listeners,
) -> Result<Vec<(&'a Endpoint, EventForm)>, Error> {
    let ResendTo::Endpoint(id_text) = to else {
        let mut all = takers(&listeners.endpoints, event);
        all.retain(|(_, taken)| *taken == form);
        if all.is_empty() {
            let message = "No enabled webhook endpoint takes this event: make one that does, or \
                           name another in webhook_endpoint.";
            return Err(ApiError::invalid(message).param("webhook_endpoint").into());
        }
        return Ok(all);
    };
    let endpoint = listeners.get(id_text, "webhook_endpoint")?;
    check_enabled(endpoint, "webhook_endpoint")?;
    // An endpoint that does not subscribe to the event receives it too, in the form that it knows.
    let forms = match form {
        EventForm::Snapshot if endpoint.is_thin() => {
            thin_names(event).map(|thin| EventForm::Thin(thin.id)).collect()
        }
        EventForm::Thin(_) if !endpoint.is_thin() => Vec::new(),
        form => vec![form],
    };
    if forms.is_empty() {
        let message =
            format!("{id_text} cannot receive this event, because it takes another form.");
        return Err(ApiError::invalid(message).param("webhook_endpoint").into());
    }
    Ok(forms.into_iter().map(|form| (endpoint, form)).collect())
}

/// The part of a delivery's key that follows from an endpoint and a form.
fn form_key((endpoint, form): (&Endpoint, EventForm)) -> (EndpointId, bool) {
    (endpoint.id, matches!(form, EventForm::Thin(thin) if thin.outcome))
}

fn check_enabled(endpoint: &Endpoint, param: &str) -> Result<(), Error> {
    if endpoint.status == EndpointStatus::Enabled {
        return Ok(());
    }
    let message = format!("The webhook endpoint {} is disabled.", endpoint.shown_id().as_str());
    Err(ApiError::invalid(message).param(param).into())
}

fn check_room(delivery: &Delivery, param: &str) -> Result<(), Error> {
    if delivery.attempts < DELIVERY_ATTEMPTS_MAX {
        return Ok(());
    }
    let message = format!("A delivery is attempted at most {DELIVERY_ATTEMPTS_MAX} times.");
    Err(ApiError::invalid(message).param(param).into())
}
