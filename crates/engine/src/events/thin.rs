//! Thin events of `/v2`: their list and their full form. They are made from the stored events.

use crate::context::render;
use crate::observer::CallFact;
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::endpoint::{Endpoint, EventForm};
use model::event::Event;
use model::id::{EventId, MerchantId, ThinEventId};
use model::limits::{PAGE_ROWS_MAX, THIN_EVENTS_READ_MAX};
use model::thin::{ThinName, name_of, stored_type, thin_names};
use std::borrow::Cow;
use store::{Bounds, Cursor, EventPlace, FindEvent, ListEvents, Page, StoredEvent};
use wire::error::Error as ApiError;
use wire::list::{Beside, PageToken, TokenPage, write_token_list};
use wire::render::events::thin::{ThinEvent, related_object, write, write_notification};

/// The path of the list.
const PATH: &str = "/v2/core/events";

/// The filter of a list of thin events.
#[derive(Clone, Debug)]
pub struct ThinFilter {
    /// Only events with these names. All names if `None`.
    pub names: Option<Vec<String>>,
    /// Only events about this object.
    pub object: Option<String>,
    /// Only events that happened in this range.
    pub created: Bounds,
    /// The page of the list.
    pub page: TokenPage,
    /// The parameters of the call except the page, which the addresses of other pages repeat.
    pub query: Vec<(String, String)>,
}

/// A page in construction.
struct Found {
    /// The matches in the direction of the page, with their events.
    items: Vec<(ThinName, StoredEvent)>,
    /// The event that was read last. The search goes on after it.
    last: Option<EventId>,
    /// True if more events may match.
    has_more: bool,
}

impl Engine {
    /// Lists thin events, the newest first.
    ///
    /// A page ends after [`THIN_EVENTS_READ_MAX`] stored events, also if it is shorter than its limit.
    /// Its `next_page_url` then leads to the rest.
    pub async fn list_thin_events(
        &self,
        context: &Context,
        filter: &ThinFilter,
    ) -> Result<ApiResponse, Error> {
        let backward = matches!(filter.page.token, Some(PageToken::Before(_)));
        let Found { mut items, last, has_more } = self.find_thin(context, filter, backward).await?;
        // A page that was cut short goes on after the last event that was read.
        let cut = last.filter(|_| has_more && items.len() < filter.page.limit as usize);
        if backward {
            items.reverse();
        }
        let id_of = |item: Option<&(ThinName, StoredEvent)>| item.map(|(thin, _)| thin.id);
        let (first, end) = (id_of(items.first()), id_of(items.last()));
        // Before the second, and after the first thin event, nothing of the event itself is left.
        let cut = cut.map(|event| ThinEventId { event, outcome: backward });
        let (next, previous) = if backward {
            (end, cut.or(first).filter(|_| has_more))
        } else {
            (cut.or(end).filter(|_| has_more), first.filter(|_| filter.page.token.is_some()))
        };
        let beside = Beside {
            next: next.map(|id| PageToken::After(id.to_string())),
            previous: previous.map(|id| PageToken::Before(id.to_string())),
        };
        let account = self.account_of(context.merchant).await?;
        let mut bodies = Vec::with_capacity(items.len());
        for (thin, stored) in &items {
            let account = account.as_deref();
            bodies.push(self.full_thin_event(context, &stored.event, thin.id, account)?);
        }
        self.emit_call(context, None, CallFact::EventsListed);
        let body = render(|w| write_token_list(w, PATH, &filter.query, &beside, &bodies));
        Ok(ApiResponse::unchanged(body))
    }

    /// Shows a thin event.
    pub async fn retrieve_thin_event(
        &self,
        context: &Context,
        id_text: &str,
    ) -> Result<ApiResponse, Error> {
        let missing = || Error::from(ApiError::no_such("event", id_text, "id"));
        let id: ThinEventId = id_text.parse().map_err(|_| missing())?;
        let find = FindEvent { merchant: context.merchant, event: id.event };
        let event = self.store.read(find).await?.ok_or_else(missing)?.event;
        name_of(&event, id).ok_or_else(missing)?;
        let account = self.account_of(context.merchant).await?;
        let body = self.full_thin_event(context, &event, id, account.as_deref())?;
        Ok(ApiResponse::unchanged(body))
    }

    /// Renders a full thin event. `account` is the id of the connected account in which it happened.
    pub fn full_thin_event(
        &self,
        context: &Context,
        event: &Event,
        id: ThinEventId,
        account: Option<&str>,
    ) -> Result<Vec<u8>, Error> {
        let missing = || ApiError::no_such("event", &id.to_string(), "id");
        let name = name_of(event, id).ok_or_else(missing)?;
        let thin = ThinEvent { event, id, name: &name, context: account };
        Ok(render(|w| write(w, &thin, &context.view(self))))
    }

    /// The id of the connected account that a merchant is, if it is one.
    async fn account_of(&self, merchant: MerchantId) -> Result<Option<String>, Error> {
        Ok(self.platform_of(merchant).await?.map(|tie| tie.account))
    }

    /// Reads the stored events of a page, in slices.
    async fn find_thin(
        &self,
        context: &Context,
        filter: &ThinFilter,
        backward: bool,
    ) -> Result<Found, Error> {
        let mut found = Found { items: Vec::new(), last: None, has_more: false };
        let types: Option<Vec<String>> = filter.names.as_ref().map(|names| {
            let types = names.iter().filter_map(|name| stored_type(name));
            types.map(|event_type| event_type.word().to_owned()).collect()
        });
        if types.as_ref().is_some_and(Vec::is_empty) {
            return Ok(found);
        }
        let limit = filter.page.limit as usize;
        let mut cursor = Cursor::Newest;
        if let Some(token) = &filter.page.token {
            let (stored, id) = self.find_token(context, token).await?;
            cursor = at(stored.place(), backward);
            // The thin events of the same event on the other side of the token.
            let beside = |thin: &ThinName| if backward { thin.id > id } else { thin.id < id };
            found.add(&stored, filter, backward, beside);
        }
        let mut list = ListEvents {
            merchant: context.merchant,
            types: types.unwrap_or_default(),
            created: filter.created,
            delivery_success: None,
            only_thin: true,
            in_preview: true,
            page: Page { limit: PAGE_ROWS_MAX.min(filter.page.limit + 1), cursor },
        };
        let mut rows_read = 0;
        while found.items.len() <= limit {
            if rows_read >= THIN_EVENTS_READ_MAX {
                found.has_more = true;
                return Ok(found);
            }
            let mut read = self.store.read(list.clone()).await?;
            rows_read += list.page.limit;
            list.page.limit = PAGE_ROWS_MAX;
            if backward {
                read.items.reverse();
            }
            let end = read.items.last().map(StoredEvent::place);
            for stored in read.items {
                found.last = Some(stored.event.id);
                found.add(&stored, filter, backward, |_| true);
            }
            match end.filter(|_| read.has_more) {
                Some(place) => list.page.cursor = at(place, backward),
                None => break,
            }
        }
        found.has_more = found.items.len() > limit;
        found.items.truncate(limit);
        Ok(found)
    }

    /// The event of a token, and its thin event.
    async fn find_token(
        &self,
        context: &Context,
        token: &PageToken,
    ) -> Result<(StoredEvent, ThinEventId), Error> {
        let (PageToken::After(text) | PageToken::Before(text)) = token;
        let unknown = || Error::from(PageToken::unknown(&token.text()));
        let id: ThinEventId = text.parse().map_err(|_| unknown())?;
        let find = FindEvent { merchant: context.merchant, event: id.event };
        let stored = self.store.read(find).await?.ok_or_else(unknown)?;
        Ok((stored, id))
    }
}

impl Found {
    /// Adds the thin events of an event that match. The list has the second one first.
    fn add(
        &mut self,
        stored: &StoredEvent,
        filter: &ThinFilter,
        backward: bool,
        keep: impl Fn(&ThinName) -> bool,
    ) {
        let is_wanted = |thin: &ThinName| {
            filter.names.as_ref().is_none_or(|names| names.contains(&thin.name)) && keep(thin)
        };
        let mut thin: Vec<ThinName> = thin_names(&stored.event).filter(is_wanted).collect();
        if thin.is_empty() {
            return;
        }
        if let Some(object) = &filter.object
            && related_object(&stored.event).is_none_or(|related| related.id != *object)
        {
            return;
        }
        if !backward {
            thin.reverse();
        }
        self.items.extend(thin.into_iter().map(|thin| (thin, stored.clone())));
    }
}

/// The position from which a list goes on after an event.
fn at(place: EventPlace, backward: bool) -> Cursor<EventPlace> {
    if backward { Cursor::Before(place) } else { Cursor::After(place) }
}

/// The id of the connected account that a call acts in, if any.
pub(crate) fn context_of(context: &Context) -> Option<&str> {
    context.connected.as_ref().map(|connected| connected.account.as_str())
}

/// Renders the notification of a thin event. `connected` is the connected account in which it happened.
pub(crate) fn notification(event: &Event, id: ThinEventId, connected: Option<&str>) -> Vec<u8> {
    let name = name_in(event, EventForm::Thin(id));
    let thin = ThinEvent { event, id, name: &name, context: connected };
    render(|w| write_notification(w, &thin))
}

/// Returns the name that an event has in a form.
pub fn name_in(event: &Event, form: EventForm) -> Cow<'static, str> {
    let thin = match form {
        EventForm::Snapshot => None,
        EventForm::Thin(id) => name_of(event, id),
    };
    thin.map_or(Cow::Borrowed(event.event_type.word()), Cow::Owned)
}

/// Returns the endpoints that receive an event that is dispatched now, each with a form of it. An
/// endpoint may receive two thin events.
pub fn takers<'a>(endpoints: &'a [Endpoint], event: &Event) -> Vec<(&'a Endpoint, EventForm)> {
    let forms = |endpoint: &'a Endpoint| {
        let forms = endpoint.forms_of(event).into_iter();
        forms.map(move |form| (endpoint, form))
    };
    endpoints.iter().flat_map(forms).collect()
}
