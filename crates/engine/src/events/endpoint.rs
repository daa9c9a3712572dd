//! Webhook endpoints: the URLs that events are posted to.

use crate::context::{made_within, render};
use crate::list::list_body;
use crate::objects::missing;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::endpoint::{Endpoint, EndpointSecret, EndpointStatus, number_of};
use model::id::EndpointId;
use model::limits;
use std::collections::BTreeMap;
use store::{Bounds, CreateObject, Object, ObjectsOf, ReleaseEndpoint};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::{MetadataChange, Setting};

/// The params of a create or an update. A field that is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointInput {
    /// The URL that events are posted to. Required at creation.
    pub url: Option<String>,
    /// True if it receives events of connected accounts. Only at creation.
    pub connect: bool,
    /// The event types. Required at creation.
    pub enabled_events: Option<Vec<String>>,
    /// The API version that its events are rendered in; only at creation.
    pub api_version: Option<String>,
    /// Free text; unset by an empty text.
    pub description: Option<Setting<String>>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// True if no events are posted. Only in updates.
    pub disabled: Option<bool>,
}

impl Engine {
    /// Makes an endpoint. Only this response, and that of a roll, shows the secret.
    ///
    /// An endpoint receives the events that are dispatched after its creation. Events that are
    /// committed by now are therefore dispatched first.
    pub async fn create_endpoint(
        &self,
        context: &Context,
        input: &EndpointInput,
    ) -> Result<ApiResponse, Error> {
        if input.connect {
            self.dispatch_connected(context.merchant).await?;
        } else {
            self.dispatch_committed(context.merchant).await?;
        }
        self.change("create_endpoint", async || {
            let mut endpoint = self.new_endpoint(context, input.api_version.clone());
            endpoint.connect = input.connect;
            self.apply_to_endpoint(&mut endpoint, input)?;
            let body = endpoint_body(&endpoint, true);
            self.insert_endpoint(context, endpoint, body).await
        })
        .await
    }

    /// An endpoint with a new id and a new secret, and without a URL and event types.
    pub(super) fn new_endpoint(&self, context: &Context, api_version: Option<String>) -> Endpoint {
        Endpoint {
            id: EndpointId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: self.clock.account_now(),
            deleted: false,
            url: String::new(),
            connect: false,
            enabled_events: Vec::new(),
            api_version,
            description: None,
            metadata: BTreeMap::new(),
            status: EndpointStatus::Enabled,
            destination: None,
            secrets: vec![new_secret(self)],
        }
    }

    /// Commits a new endpoint with its response. Returns `None` after a version conflict.
    pub(super) async fn insert_endpoint(
        &self,
        context: &Context,
        endpoint: Endpoint,
        body: Vec<u8>,
    ) -> Result<Option<ApiResponse>, Error> {
        let create = CreateObject {
            requires: Changes::of_call(context, endpoint.created).take_requires(),
            object: Object::Endpoint(endpoint),
            kind_max: Some(limits::ENDPOINTS_MAX),
            events: Vec::new(),
            reply: context.reply(self, &body),
        };
        let created = self.store.write(create).await?;
        let committed = made_within(created, limits::ENDPOINTS_MAX, "webhook endpoints")?;
        Ok(committed.then(|| ApiResponse::committed(body)))
    }

    /// Shows an endpoint.
    pub async fn retrieve_endpoint(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let endpoint = self.get_endpoint(context, id).await?;
        Ok(ApiResponse::unchanged(endpoint_body(&endpoint, false)))
    }

    /// Changes an endpoint.
    pub async fn update_endpoint(
        &self,
        context: &Context,
        id: &str,
        input: &EndpointInput,
    ) -> Result<ApiResponse, Error> {
        let apply = |endpoint: &mut Endpoint| self.apply_to_endpoint(endpoint, input);
        self.change_endpoint("update_endpoint", context, id, false, apply).await
    }

    /// Replaces the secret of an endpoint. The previous secret also signs for a while.
    pub async fn roll_endpoint(
        &self,
        context: &Context,
        id: &str,
        expires_after_s: Option<i64>,
    ) -> Result<ApiResponse, Error> {
        let keep_ms = expires_after_s.map_or(limits::SECRET_ROLL_MS_MAX, |seconds| seconds * 1_000);
        let expires_at = Some(self.clock.server_now().plus_ms(keep_ms));
        self.change_endpoint("roll_endpoint", context, id, true, |endpoint| {
            endpoint.secrets.truncate(limits::ENDPOINT_SECRETS_MAX - 1);
            for secret in &mut endpoint.secrets {
                secret.expires_at = expires_at;
            }
            endpoint.secrets.insert(0, new_secret(self));
            Ok(())
        })
        .await
    }

    /// Deletes an endpoint and its secrets. It receives no more events. An attempt under way has read
    /// the secrets before.
    pub async fn delete_endpoint(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.change("delete_endpoint", async || {
            let mut endpoint = self.get_endpoint(context, id).await?;
            endpoint.deleted = true;
            endpoint.secrets.clear();
            endpoint.version += 1;
            let body =
                render(|w| wire::render::deleted::write(w, &endpoint.id, "webhook_endpoint"));
            self.write_endpoint(context, endpoint, body).await
        })
        .await
    }

    /// Lists endpoints.
    pub async fn list_endpoints(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let (url, created) = ("/v1/webhook_endpoints", Bounds::default());
        let body = |endpoint: &Endpoint| endpoint_body(endpoint, false);
        // Destinations belong to /v2.
        let is_shown = |endpoint: &Endpoint| endpoint.destination.is_none();
        let all = vec![ObjectsOf::All];
        let listed = self.list_where::<Endpoint>(context, all, created, page, is_shown).await?;
        let bodies: Vec<Vec<u8>> = listed.items.iter().map(body).collect();
        Ok(ApiResponse::unchanged(list_body(url, listed.has_more, &bodies)))
    }

    /// The webhook endpoint with this id. A destination is not one.
    async fn get_endpoint(&self, context: &Context, id: &str) -> Result<Endpoint, Error> {
        let endpoint = self.get::<Endpoint>(context, id, "id").await?;
        if endpoint.destination.is_some() {
            return Err(missing::<Endpoint>(id, "id").into());
        }
        Ok(endpoint)
    }

    /// The webhook endpoint or event destination with this id.
    pub async fn get_endpoint_of_any_kind(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<Endpoint, Error> {
        let found = match number_of(id) {
            Some(number) => self.find::<Endpoint>(context.merchant, number).await?,
            None => None,
        };
        let is_named = |one: &Endpoint| !one.deleted && one.shown_id().as_str() == id;
        found.filter(is_named).ok_or_else(|| missing::<Endpoint>(id, param).into())
    }

    fn apply_to_endpoint(
        &self,
        endpoint: &mut Endpoint,
        input: &EndpointInput,
    ) -> Result<(), Error> {
        if let Some(url) = &input.url {
            self.outbound.of(endpoint.livemode).check_url(url).map_err(|error| {
                ApiError::invalid(format!("Invalid URL: {error}.")).code("url_invalid").param("url")
            })?;
            endpoint.url.clone_from(url);
        }
        if let Some(types) = &input.enabled_events {
            endpoint.enabled_events.clone_from(types);
        }
        match &input.description {
            Some(Setting::Set(description)) => endpoint.description = Some(description.clone()),
            Some(Setting::Unset) => endpoint.description = None,
            None => {}
        }
        if let Some(change) = &input.metadata {
            change.apply(&mut endpoint.metadata)?;
        }
        if let Some(disabled) = input.disabled {
            endpoint.status =
                if disabled { EndpointStatus::Disabled } else { EndpointStatus::Enabled };
        }
        Ok(())
    }

    async fn change_endpoint(
        &self,
        name: &'static str,
        context: &Context,
        id: &str,
        show_secret: bool,
        change: impl Fn(&mut Endpoint) -> Result<(), Error>,
    ) -> Result<ApiResponse, Error> {
        self.change(name, async || {
            let before = self.get_endpoint(context, id).await?;
            let mut endpoint = before.clone();
            change(&mut endpoint)?;
            let body = endpoint_body(&endpoint, show_secret);
            if endpoint == before {
                return Ok(Some(ApiResponse::unchanged(body)));
            }
            endpoint.version += 1;
            self.write_endpoint(context, endpoint, body).await
        })
        .await
    }

    pub(crate) async fn write_endpoint(
        &self,
        context: &Context,
        endpoint: Endpoint,
        body: Vec<u8>,
    ) -> Result<Option<ApiResponse>, Error> {
        let (id, is_closed) = (endpoint.id, !endpoint.is_open());
        let mut changes = Changes::of_call(context, self.clock.account_now());
        changes.put(Object::Endpoint(endpoint));
        let response = self.commit_any(context, changes, body).await?;
        if response.is_some() && is_closed {
            // The worker cancels the deliveries of a closed endpoint. After a crash in between it
            // does so when the next attempt would have been due.
            let release = ReleaseEndpoint { endpoint: id, now: self.clock.server_now() };
            while self.store.write(release).await? == limits::RELEASE_ROWS_MAX {}
            self.wake.deliver();
        }
        Ok(response)
    }
}

/// A signing secret that does not expire.
pub(crate) fn new_secret(engine: &Engine) -> EndpointSecret {
    EndpointSecret { value: engine.secret("whsec_", 32), expires_at: None }
}

fn endpoint_body(endpoint: &Endpoint, show_secret: bool) -> Vec<u8> {
    render(|w| wire::render::events::endpoint::write(w, endpoint, show_secret))
}
