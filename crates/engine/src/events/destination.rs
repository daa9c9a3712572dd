//! Event destinations of `/v2`: endpoints with a name, a form of events and a list of sources.
//!
//! A destination is stored as an endpoint, so the workers dispatch, deliver and retry its events like
//! those of a webhook endpoint.

use crate::context::render;
use crate::events::thin::context_of;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::endpoint::{
    Destination, Endpoint, EndpointStatus, EventPayload, EventSource, number_of,
};
use model::event::{Event, Happened};
use model::id::ThinEventId;
use model::limits;
use store::ObjectsOf;
use wire::error::Error as ApiError;
use wire::event_names::check_names;
use wire::list::{Beside, PageToken, TokenPage, write_token_list};
use wire::params::{MetadataChange, Setting};
use wire::render::events::destination::{Included, write, write_deleted};

/// The path of the list.
const PATH: &str = "/v2/core/event_destinations";
/// The name in error messages.
const NAME: &str = "event destination";

/// The params of a creation that an update cannot change.
#[derive(Clone, Debug)]
pub struct NewDestination {
    /// The form of the events.
    pub payload: EventPayload,
    /// The accounts that events come from.
    pub events_from: Vec<EventSource>,
    /// The API version of snapshot events, if it names one.
    pub api_version: Option<String>,
}

/// The params of a creation or an update. A field that is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct DestinationInput {
    /// The name. Required at creation.
    pub name: Option<String>,
    /// The URL that events are posted to. Required at creation.
    pub url: Option<String>,
    /// The names of events. Required at creation.
    pub enabled_events: Option<Vec<String>>,
    /// Free text; unset by an empty text.
    pub description: Option<Setting<String>>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
}

impl Engine {
    /// Makes a destination. It receives the events that are dispatched after its creation, so events
    /// that are committed by now are dispatched first.
    pub async fn create_destination(
        &self,
        context: &Context,
        new: &NewDestination,
        input: &DestinationInput,
        included: Included,
    ) -> Result<ApiResponse, Error> {
        if new.events_from.contains(&EventSource::Own) {
            self.dispatch_committed(context.merchant).await?;
        }
        if new.events_from.contains(&EventSource::Accounts) {
            self.dispatch_connected(context.merchant).await?;
        }
        self.change("create_event_destination", async || {
            let mut endpoint = self.new_endpoint(context, new.api_version.clone());
            endpoint.destination = Some(Destination {
                name: String::new(),
                payload: new.payload,
                events_from: new.events_from.clone(),
                updated: endpoint.created,
            });
            self.apply_to_destination(&mut endpoint, input)?;
            let body = body_of(&endpoint, included);
            self.insert_endpoint(context, endpoint, body).await
        })
        .await
    }

    /// Shows a destination.
    pub async fn retrieve_destination(
        &self,
        context: &Context,
        id: &str,
        included: Included,
    ) -> Result<ApiResponse, Error> {
        let endpoint = self.get_destination(context, id).await?;
        Ok(ApiResponse::unchanged(body_of(&endpoint, included)))
    }

    /// Changes a destination.
    pub async fn update_destination(
        &self,
        context: &Context,
        id: &str,
        input: &DestinationInput,
        included: Included,
    ) -> Result<ApiResponse, Error> {
        let apply = |endpoint: &mut Endpoint| self.apply_to_destination(endpoint, input);
        self.change_destination("update_event_destination", context, id, included, apply).await
    }

    /// Enables or disables a destination.
    pub async fn set_destination_status(
        &self,
        context: &Context,
        id: &str,
        status: EndpointStatus,
        included: Included,
    ) -> Result<ApiResponse, Error> {
        let name = match status {
            EndpointStatus::Enabled => "enable_event_destination",
            EndpointStatus::Disabled => "disable_event_destination",
        };
        let apply = |endpoint: &mut Endpoint| {
            endpoint.status = status;
            Ok(())
        };
        self.change_destination(name, context, id, included, apply).await
    }

    /// Deletes a destination and its secrets. It receives no more events.
    pub async fn delete_destination(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("delete_event_destination", async || {
            let mut endpoint = self.get_destination(context, id).await?;
            endpoint.deleted = true;
            endpoint.secrets.clear();
            endpoint.version += 1;
            let body = render(|w| write_deleted(w, &endpoint));
            self.write_endpoint(context, endpoint, body).await
        })
        .await
    }

    /// Lists destinations, the newest first.
    pub async fn list_destinations(
        &self,
        context: &Context,
        page: &TokenPage,
        included: Included,
    ) -> Result<ApiResponse, Error> {
        let all = limits::PAGE_ROWS_MAX;
        let mut listed = self.newest::<Endpoint>(context.merchant, ObjectsOf::All, all).await?;
        listed.retain(|endpoint| endpoint.destination.is_some());
        let limit = page.limit as usize;
        let place = |id: &str, token: &PageToken| {
            let found = listed.iter().position(|one| one.shown_id().as_str() == id);
            found.ok_or_else(|| Error::from(PageToken::unknown(&token.text())))
        };
        let (from, to) = match &page.token {
            None => (0, limit),
            Some(token @ PageToken::After(id)) => {
                let from = place(id, token)? + 1;
                (from, from + limit)
            }
            Some(token @ PageToken::Before(id)) => {
                let to = place(id, token)?;
                (to.saturating_sub(limit), to)
            }
        };
        let shown = &listed[from..to.min(listed.len())];
        let id_of = |endpoint: &Endpoint| endpoint.shown_id().as_str().to_owned();
        let last = shown.last().filter(|_| to < listed.len());
        let first = shown.first().filter(|_| from > 0);
        let beside = Beside {
            next: last.map(|last| PageToken::After(id_of(last))),
            previous: first.map(|first| PageToken::Before(id_of(first))),
        };
        let mut query = vec![("limit".to_owned(), page.limit.to_string())];
        if included.url {
            query.push(("include[0]".to_owned(), "webhook_endpoint.url".to_owned()));
        }
        let bodies: Vec<Vec<u8>> = shown.iter().map(|one| body_of(one, included)).collect();
        let body = render(|w| write_token_list(w, PATH, &query, &beside, &bodies));
        Ok(ApiResponse::unchanged(body))
    }

    /// Sends a ping to a destination and returns its event. The destination receives it as a thin
    /// event, whatever it subscribes to.
    pub async fn ping_destination(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("ping_event_destination", async || {
            let endpoint = self.get_destination(context, id).await?;
            if !endpoint.is_open() {
                let message = format!("The event destination {id} is disabled. Enable it first.");
                return Err(ApiError::invalid(message).into());
            }
            let now = self.clock.account_now();
            let mut changes = Changes::of_call(context, now);
            changes.require_unchanged::<Endpoint>(&endpoint);
            let cause = context.cause();
            let happened = Happened { at: now, livemode: context.livemode, cause: cause.as_ref() };
            let event = Event::of_ping(&endpoint, context.request.number(), happened);
            let thin = ThinEventId { event: event.id, outcome: false };
            let body = self.full_thin_event(context, &event, thin, context_of(context))?;
            changes.events.push(event);
            let done = self.commit(context, changes, &body).await?;
            Ok(done.then(|| ApiResponse::committed(body)))
        })
        .await
    }

    /// The destination with this id.
    async fn get_destination(&self, context: &Context, id: &str) -> Result<Endpoint, Error> {
        let found = match number_of(id) {
            Some(number) => self.find::<Endpoint>(context.merchant, number).await?,
            None => None,
        };
        let found = found.filter(|endpoint| {
            let is_named = endpoint.shown_id().as_str() == id;
            !endpoint.deleted && endpoint.destination.is_some() && is_named
        });
        found.ok_or_else(|| ApiError::no_such(NAME, id, "id").into())
    }

    fn apply_to_destination(
        &self,
        endpoint: &mut Endpoint,
        input: &DestinationInput,
    ) -> Result<(), Error> {
        self.apply_common(endpoint, input)?;
        let Some(destination) = &mut endpoint.destination else {
            unreachable!("the endpoint was found as a destination")
        };
        if let Some(name) = &input.name {
            destination.name.clone_from(name);
        }
        if let Some(names) = &input.enabled_events {
            check_names(names, destination.payload, "enabled_events")?;
            endpoint.enabled_events.clone_from(names);
        }
        Ok(())
    }

    fn apply_common(&self, endpoint: &mut Endpoint, input: &DestinationInput) -> Result<(), Error> {
        if let Some(url) = &input.url {
            self.outbound.of(endpoint.livemode).check_url(url).map_err(|error| {
                ApiError::invalid(format!("Invalid URL: {error}."))
                    .code("url_invalid")
                    .param("webhook_endpoint[url]")
            })?;
            endpoint.url.clone_from(url);
        }
        match &input.description {
            Some(Setting::Set(description)) => endpoint.description = Some(description.clone()),
            Some(Setting::Unset) => endpoint.description = None,
            None => {}
        }
        if let Some(change) = &input.metadata {
            change.apply(&mut endpoint.metadata)?;
        }
        Ok(())
    }

    async fn change_destination(
        &self,
        name: &'static str,
        context: &Context,
        id: &str,
        included: Included,
        change: impl Fn(&mut Endpoint) -> Result<(), Error>,
    ) -> Result<ApiResponse, Error> {
        self.change(name, async || {
            let before = self.get_destination(context, id).await?;
            let mut endpoint = before.clone();
            change(&mut endpoint)?;
            if endpoint == before {
                return Ok(Some(ApiResponse::unchanged(body_of(&endpoint, included))));
            }
            endpoint.version += 1;
            if let Some(destination) = &mut endpoint.destination {
                destination.updated = self.clock.account_now();
            }
            let body = body_of(&endpoint, included);
            self.write_endpoint(context, endpoint, body).await
        })
        .await
    }
}

fn body_of(endpoint: &Endpoint, included: Included) -> Vec<u8> {
    let Some(destination) = &endpoint.destination else {
        unreachable!("the endpoint was found as a destination")
    };
    render(|w| write(w, endpoint, destination, included))
}
