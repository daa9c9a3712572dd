//! Events in the API.

use crate::context::render;
use crate::events::thin::takers;
use crate::list::list_body;
use crate::observer::CallFact;
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::endpoint::{Endpoint, EventForm, EventSource};
use model::event::{Event, EventType};
use model::id::{EventId, MerchantId, ThinEventId};
use model::thin::name_of;
use store::{Bounds, Cursor, EventPlace, FindEvent, ListEvents, ObjectsOf, Page, StoredEvent};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::version::Version;

/// The filter of a list of events.
#[derive(Clone, Debug)]
pub struct EventFilter {
    /// Only events of these types. A type may end in `.*`. An empty list means all types.
    pub types: Vec<String>,
    /// Only events that happened in this range.
    pub created: Bounds,
    /// True for events with successful deliveries only, false for the others.
    pub delivery_success: Option<bool>,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Lists events, the newest first.
    pub async fn list_events(
        &self,
        context: &Context,
        filter: &EventFilter,
    ) -> Result<ApiResponse, Error> {
        let list = ListEvents {
            merchant: context.merchant,
            types: filter.types.clone(),
            created: filter.created,
            delivery_success: filter.delivery_success,
            only_thin: false,
            in_preview: context.version.is_preview(),
            page: self.event_page(context, &filter.page).await?,
        };
        let listed = self.store.read(list).await?;
        let listeners = self.listeners_of(context.merchant).await?;
        let bodies: Vec<Vec<u8>> =
            listed.items.iter().map(|stored| self.event_body(stored, &listeners)).collect();
        self.emit_call(context, None, CallFact::EventsListed);
        Ok(ApiResponse::unchanged(list_body("/v1/events", listed.has_more, &bodies)))
    }

    /// Shows an event.
    pub async fn retrieve_event(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let stored = self.get_event(context, id, "id").await?;
        let listeners = self.listeners_of(context.merchant).await?;
        Ok(ApiResponse::unchanged(self.event_body(&stored, &listeners)))
    }

    /// Renders an event in the version in which it was created, for every version of the caller. An
    /// endpoint without a version of its own receives the same bytes.
    pub fn event_body(&self, stored: &StoredEvent, listeners: &Listeners) -> Vec<u8> {
        // Deliveries that are not written yet are counted as the dispatcher will write them.
        let pending = match stored.feed {
            Some(_) => stored.pending as usize,
            None => takers(&listeners.endpoints, &stored.event).len(),
        };
        self.shown_event(&stored.event, pending, listeners)
    }

    /// Renders an event with this number of pending deliveries, for every version of the caller. The
    /// default version lacks the types in preview, so those events have the newest preview.
    pub fn shown_event(&self, event: &Event, pending: usize, listeners: &Listeners) -> Vec<u8> {
        let connected = listeners.connected.as_deref();
        let is_in_preview = event.event_type.is_in_preview();
        let version = if is_in_preview { Version::newest_preview() } else { Version::default() };
        self.render_event(event, &version, pending, connected)
    }

    /// An event in an API version; `connected` is the connected account that it happened in.
    pub fn render_event(
        &self,
        event: &Event,
        version: &Version,
        pending: usize,
        connected: Option<&str>,
    ) -> Vec<u8> {
        let view = wire::render::View::new(version, self.settings.show_refresh_errors)
            .at(&self.settings.public_url, &self.page_key);
        render(|w| wire::render::events::event::write(w, event, &view, pending, connected))
    }

    /// The event with this id. Without one, an API error names `param`. An event that exists only as
    /// a thin event is not found. An event in preview is found by callers of a preview.
    pub async fn get_event(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<StoredEvent, Error> {
        let missing = || ApiError::no_such("event", id, param).into();
        let event: EventId = id.parse().map_err(|_| missing())?;
        let find = FindEvent { merchant: context.merchant, event };
        let found = self.store.read(find).await?;
        let is_known = |event_type: EventType| {
            let hidden = event_type.is_in_preview() && !context.version.is_preview();
            !hidden && !event_type.is_only_thin()
        };
        found.filter(|stored| is_known(stored.event.event_type)).ok_or_else(missing)
    }

    /// The stored event of an event's id or of a thin event's id, with the form that the id names.
    pub async fn get_event_in_form(
        &self,
        context: &Context,
        id_text: &str,
        param: &str,
    ) -> Result<(StoredEvent, EventForm), Error> {
        let Ok(id) = id_text.parse::<ThinEventId>() else {
            let missing = || Error::from(ApiError::no_such("event", id_text, param));
            let event: EventId = id_text.parse().map_err(|_| missing())?;
            let find = FindEvent { merchant: context.merchant, event };
            // Test helpers know the events of previews in every version.
            let found = self.store.read(find).await?;
            let found = found.filter(|stored| !stored.event.event_type.is_only_thin());
            return Ok((found.ok_or_else(missing)?, EventForm::Snapshot));
        };
        let missing = || Error::from(ApiError::no_such("event", id_text, param));
        let find = FindEvent { merchant: context.merchant, event: id.event };
        let stored = self.store.read(find).await?.ok_or_else(missing)?;
        name_of(&stored.event, id).ok_or_else(missing)?;
        Ok((stored, EventForm::Thin(id)))
    }

    async fn event_page(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<Page<EventPlace>, Error> {
        let place = async |id: &str, param: &str| -> Result<EventPlace, Error> {
            let missing = || Error::from(ApiError::no_such("event", id, param).status(400));
            let event: EventId = id.parse().map_err(|_| missing())?;
            let find = FindEvent { merchant: context.merchant, event };
            let stored = self.store.read(find).await?.ok_or_else(missing)?;
            Ok(stored.place())
        };
        let cursor = match (&page.starting_after, &page.ending_before) {
            (Some(id), _) => Cursor::After(place(id, "starting_after").await?),
            (None, Some(id)) => Cursor::Before(place(id, "ending_before").await?),
            (None, None) => Cursor::Newest,
        };
        Ok(Page { limit: page.limit, cursor })
    }

    /// The listeners to events of a merchant: its own endpoints, and for a connected account those
    /// of its platform that listen to connected accounts.
    pub async fn listeners_of(&self, merchant: MerchantId) -> Result<Listeners, Error> {
        let mut endpoints = self.endpoints_of(merchant).await?;
        endpoints.retain(|endpoint| endpoint.receives_from(EventSource::Own));
        let tie = self.platform_of(merchant).await?;
        if let Some(tie) = &tie {
            let of_platform = self.endpoints_of(tie.platform).await?.into_iter();
            let receives = |endpoint: &Endpoint| endpoint.receives_from(EventSource::Accounts);
            endpoints.extend(of_platform.filter(receives));
        }
        let platform = tie.as_ref().map(|tie| tie.platform);
        Ok(Listeners { merchant, endpoints, connected: tie.map(|tie| tie.account), platform })
    }

    /// True if an endpoint receives events of a type that exists in previews only.
    pub(crate) async fn has_preview_listener(
        &self,
        merchant: MerchantId,
        event_type: EventType,
    ) -> Result<bool, Error> {
        let listeners = self.listeners_of(merchant).await?;
        let takes = |one: &Endpoint| one.is_in_preview() && one.takes(event_type.word());
        Ok(listeners.endpoints.iter().any(takes))
    }

    /// A merchant's endpoints, at most [`model::limits::ENDPOINTS_MAX`].
    async fn endpoints_of(&self, merchant: MerchantId) -> Result<Vec<Endpoint>, Error> {
        let limit = model::limits::PAGE_ROWS_MAX;
        self.newest::<Endpoint>(merchant, ObjectsOf::All, limit).await
    }
}

/// The listeners to events of a merchant.
pub struct Listeners {
    /// The merchant.
    pub merchant: MerchantId,
    /// The endpoints, enabled or not.
    pub endpoints: Vec<Endpoint>,
    /// The id of the connected account that the merchant is, if it is one.
    pub connected: Option<String>,
    /// The platform of the connected account, if it is one.
    pub platform: Option<MerchantId>,
}

impl Listeners {
    /// One of them that is not deleted.
    pub fn get(&self, id_text: &str, param: &str) -> Result<&Endpoint, Error> {
        let found = self.endpoints.iter().find(|one| one.shown_id().as_str() == id_text);
        found.ok_or_else(|| ApiError::no_such("webhook endpoint", id_text, param).into())
    }
}
