//! Event streams: connections over which a program receives events, as Stripe's CLI does for
//! `stripe listen`.
//!
//! A stream exists besides the webhook endpoints and is not stored. For each feed that it receives,
//! it has a position, which is a feed number. After each dispatch it reads the events after its
//! position from the store, so it skips none and repeats none. A stream keeps an event until the
//! reader acknowledged it. So a reader that connects again within [`EVENT_STREAM_AWAY_MS_MAX`]
//! misses no event. A crash ends all streams. The reader must then open a new one, and no event is
//! repeated to it.
//!
//! The messages in memory are bounded in bytes: those of a stream, of a merchant and of the server
//! (`stream_bytes.rs`). At a bound, the stream reads no further events. It continues at its position
//! when its reader takes or acknowledges messages. A stream without messages always has room for one event, so a
//! full server delays streams and stops none.

use crate::context::render;
use crate::events::event::Listeners;
use crate::events::stream_bytes::StreamBytes;
use crate::events::thin::takers;
use crate::observer::DeliveryObservation;
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::ServerTime;
use model::event::Event;
use model::id::{EventId, MerchantId};
use model::key::random_letters;
use model::limits::{
    EVENT_STREAM_AWAY_MS_MAX, EVENT_STREAM_BYTES_MAX, EVENT_STREAM_FEEDS_MAX,
    EVENT_STREAM_MESSAGES_MAX, EVENT_STREAMS_MAX, EVENT_STREAMS_PER_MERCHANT_MAX,
};
use model::share::has_share;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::ListFeed;
use tokio::sync::Notify;
use wire::error::Error as ApiError;
use wire::render::events::event_stream::{self, Message, Received};
use wire::signature::sign;
use wire::version::Version;

/// The letters and digits of a stream's id. The id alone grants access.
const ID_LETTERS: usize = 32;
/// The only feature of a stream.
const FEATURE: &str = "webhooks";

/// All streams of the server.
pub(crate) struct EventStreams {
    /// The key of the signing secrets. A merchant's secret is the same for every stream and after a
    /// restart, so it can be requested in advance and kept in a settings file.
    key: [u8; 32],
    open: Mutex<Vec<Arc<EventStream>>>,
    /// The bytes of the messages of all streams.
    bytes: Arc<StreamBytes>,
}

/// The number of events that a stream reads from a feed at once.
const EVENTS_READ: usize = 16;

/// An event stream.
pub struct EventStream {
    id: String,
    merchant: MerchantId,
    /// The owner of its share of the streams.
    owner: MerchantId,
    /// True if its reader forwards events, as declared at opening.
    forwards: bool,
    /// The last feed number that was sent, by merchant. A dispatch adds the feeds of connected
    /// accounts.
    positions: tokio::sync::Mutex<HashMap<MerchantId, u64>>,
    state: Mutex<State>,
    changed: Notify,
    all_bytes: Arc<StreamBytes>,
}

struct State {
    /// The messages that the reader has not acknowledged yet, the oldest first.
    waiting: VecDeque<Waiting>,
    /// The number of them, from the first on, that were sent over the current connection.
    sent: usize,
    /// The events that were sent, with their merchants, the oldest first. The reader reports later
    /// which of them it forwarded.
    unreported: VecDeque<(EventId, MerchantId)>,
    /// The bytes of the messages in `waiting`.
    bytes: usize,
    /// The feeds with events that did not fit.
    behind: HashSet<MerchantId>,
    /// True if the reader has acknowledged a message. Old releases of the CLI acknowledge none.
    acknowledges: bool,
    /// The number of conversations.
    conversations: u64,
    /// The number of connections. Only the newest one has a reader.
    readings: u64,
    /// The time since which there is no reader. `None` while there is one.
    away_since: Option<ServerTime>,
}

struct Waiting {
    conversation: String,
    text: String,
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.conversation.len() + self.text.len()
    }
}

impl EventStreams {
    /// Creates an empty set of streams. `key` is secret and the same after a restart.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, open: Mutex::default(), bytes: Arc::default() }
    }

    fn secret_of(&self, merchant: MerchantId) -> String {
        let keyed = Sha256::new().chain_update(self.key);
        let digest = keyed.chain_update(merchant.number().to_le_bytes()).finalize();
        digest.iter().fold("whsec_".to_owned(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Removes ended streams and locks the others, which have a reader or may get one again.
    fn open_streams(&self, now: ServerTime) -> MutexGuard<'_, Vec<Arc<EventStream>>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| stream.is_open(now));
        open
    }

    /// The streams of a merchant and of its platform.
    fn of(&self, now: ServerTime, listeners: &Listeners) -> Vec<Arc<EventStream>> {
        let (merchant, platform) = (listeners.merchant, listeners.platform);
        let receives = |stream: &&Arc<EventStream>| {
            stream.merchant == merchant || Some(stream.merchant) == platform
        };
        self.open_streams(now).iter().filter(receives).cloned().collect()
    }

    /// Records the position of the merchant's feed in the streams that have none. It is called with
    /// the newest number before a dispatch, after the dispatcher has read the events. So a stream
    /// receives every event that is committed after its opening.
    pub(crate) async fn expect(&self, now: ServerTime, listeners: &Listeners, feed: u64) {
        for stream in self.of(now, listeners) {
            let mut positions = stream.positions.lock().await;
            if positions.len() >= EVENT_STREAM_FEEDS_MAX {
                positions.clear();
            }
            positions.entry(listeners.merchant).or_insert(feed);
        }
    }
}

impl Engine {
    /// Opens a stream for `features` and returns its address. The reader declares if it forwards
    /// events. Events that are committed by now are dispatched first, so the stream receives only
    /// later ones.
    pub async fn open_event_stream(
        &self,
        context: &Context,
        features: &[String],
        forwards: bool,
    ) -> Result<ApiResponse, Error> {
        if let Some(place) = features.iter().position(|feature| feature != FEATURE) {
            let path = format!("websocket_features[{place}]");
            return Err(ApiError::bad_choice(&path, &[FEATURE]).into());
        }
        self.dispatch_committed(context.merchant).await?;
        self.dispatch_connected(context.merchant).await?;
        let now = self.clock.server_now();
        let stream = EventStream {
            id: random_letters(&*self.rng, ID_LETTERS),
            merchant: context.merchant,
            owner: context.share_owner(),
            forwards,
            positions: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                sent: 0,
                unreported: VecDeque::new(),
                bytes: 0,
                behind: HashSet::new(),
                acknowledges: false,
                conversations: 0,
                readings: 0,
                away_since: Some(now),
            }),
            changed: Notify::new(),
            all_bytes: Arc::clone(&self.event_streams.bytes),
        };
        let url = format!("{}/stripecli/subscribe", self.settings.public_url);
        let session = event_stream::Session {
            id: &stream.id,
            url: &url.replacen("http", "ws", 1),
            secret: &self.event_streams.secret_of(context.merchant),
            feature: FEATURE,
        };
        let body = render(|w| event_stream::write_session(w, &session));
        let mut open = self.event_streams.open_streams(now);
        let own = open.iter().filter(|other| other.owner == stream.owner).count();
        let has_share = has_share(own, EVENT_STREAMS_MAX.saturating_sub(open.len()));
        if own >= EVENT_STREAMS_PER_MERCHANT_MAX || !has_share {
            let most = EVENT_STREAMS_PER_MERCHANT_MAX;
            return Err(ApiError::share_used(most, "programs that listen").into());
        }
        open.push(Arc::new(stream));
        Ok(ApiResponse::unchanged(body))
    }

    /// Finds the stream with this id, unless it has ended.
    pub fn find_event_stream(&self, id: &str) -> Option<Arc<EventStream>> {
        let open = self.event_streams.open_streams(self.clock.server_now());
        open.iter().find(|stream| stream.id == id).cloned()
    }

    /// Sends the dispatched events of a merchant to its streams and to those of its platform.
    pub(crate) async fn feed_streams(&self, listeners: &Listeners) -> Result<(), Error> {
        for stream in self.event_streams.of(self.clock.server_now(), listeners) {
            self.feed_stream(&stream, listeners).await?;
        }
        Ok(())
    }

    /// Sends events of a feed to a stream, as many as it has room for.
    async fn feed_stream(&self, stream: &EventStream, listeners: &Listeners) -> Result<(), Error> {
        let merchant = listeners.merchant;
        let mut positions = stream.positions.lock().await;
        // Without a position, the stream was opened after this dispatch.
        let Some(position) = positions.get_mut(&merchant) else { return Ok(()) };
        // Already now, because room that its reader makes from here on must lead to another call.
        stream.state().behind.insert(merchant);
        loop {
            let list = ListFeed {
                merchant,
                account: None,
                types: Vec::new(),
                after: *position,
                limit: EVENTS_READ,
            };
            let events = self.store.read(list).await?;
            for found in &events {
                // A stream carries events of /v1 in general versions.
                let event_type = found.event.event_type;
                if !event_type.is_only_thin()
                    && !event_type.is_in_preview()
                    && !self.send(stream, &found.event, listeners)
                {
                    return Ok(());
                }
                *position = found.feed;
            }
            if events.len() < EVENTS_READ {
                stream.state().behind.remove(&merchant);
                return Ok(());
            }
        }
    }

    /// Sends further events to a stream after its reader has made room.
    pub async fn continue_event_stream(&self, stream: &EventStream) -> Result<(), Error> {
        for merchant in stream.continues() {
            let listeners = self.listeners_of(merchant).await?;
            self.feed_stream(stream, &listeners).await?;
        }
        Ok(())
    }

    /// Sends one event again to the streams of its merchant and of the merchant's platform. Returns
    /// true if there is one with room.
    pub fn send_to_streams(&self, event: &Event, listeners: &Listeners) -> bool {
        let streams = self.event_streams.of(self.clock.server_now(), listeners);
        let mut sent = false;
        for stream in &streams {
            sent |= self.send(stream, event, listeners);
        }
        sent
    }

    /// Sends an event to a stream in two versions. Returns false if it has no room.
    fn send(&self, stream: &EventStream, event: &Event, listeners: &Listeners) -> bool {
        let now = self.clock.server_now();
        let own = stream.merchant == event.merchant;
        let connected = if own { None } else { listeners.connected.as_deref() };
        let endpoints = takers(&listeners.endpoints, event).len();
        let secret = self.event_streams.secret_of(stream.merchant);
        // The CLI takes one of the two: the account's version, or with `--latest` the newest.
        let versions = [(Version::default(), None), (Version::newest(), Some(()))];
        let payloads = versions
            .each_ref()
            .map(|(version, _)| self.render_event(event, version, endpoints, connected));
        let event_id = event.id.to_string();
        let messages = [0, 1].map(|index| {
            let (version, shown): &(Version, Option<()>) = &versions[index];
            stream.message(&Message {
                event: &event_id,
                payload: &String::from_utf8_lossy(&payloads[index]),
                signature: &sign(&[&secret], now.seconds(), &payloads[index]),
                version: shown.map(|()| version.as_str()),
            })
        });
        if !stream.reserve(messages.iter().map(Waiting::bytes).sum()) {
            return false;
        }
        if !event.livemode {
            // Recorded before the reader can respond.
            stream.give(event);
            if stream.forwards {
                let payload = payloads[0].as_slice();
                let forwarded = DeliveryObservation::Forwarded { event, payload, at: now };
                self.observer.on_delivery(&forwarded);
            }
        }
        stream.put(messages);
        true
    }

    /// Handles a message from a reader.
    pub fn hear_event_stream(&self, stream: &EventStream, text: &str) {
        match event_stream::read(text) {
            Some(Received::Acknowledged { conversation }) => stream.acknowledge(&conversation),
            Some(Received::Response { event, status }) => {
                tracing::info!(event.id = %event, status, "event stream forwarded an event");
                if let (Some((event, merchant)), Ok(status)) =
                    (stream.take_unreported(&event), u16::try_from(status))
                {
                    let at = self.clock.server_now();
                    let ended = DeliveryObservation::ForwardEnded { merchant, event, status, at };
                    self.observer.on_delivery(&ended);
                }
            }
            None => {}
        }
    }

    /// Records the end of a connection.
    pub fn leave_event_stream(&self, stream: &EventStream, reading: u64) {
        let mut state = stream.state();
        if state.readings == reading {
            state.away_since = Some(self.clock.server_now());
        }
    }
}

impl EventStream {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self, now: ServerTime) -> bool {
        let state = self.state();
        let away_ms = state.away_since.map_or(0, |since| now.ms_since(since));
        away_ms <= EVENT_STREAM_AWAY_MS_MAX
    }

    /// The merchant that opened it.
    pub fn merchant(&self) -> MerchantId {
        self.merchant
    }

    /// Begins a connection, which ends any other, and returns its number. Messages that were not
    /// acknowledged are sent again.
    pub fn begin_reading(&self) -> u64 {
        let mut state = self.state();
        state.readings += 1;
        state.sent = 0;
        state.away_since = None;
        let reading = state.readings;
        drop(state);
        self.changed.notify_waiters();
        reading
    }

    /// Waits for the next message of a connection. Returns `None` after its end.
    pub async fn next(&self, reading: u64) -> Option<String> {
        loop {
            // Subscribe before the check, so that a change between the two wakes this task.
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.readings != reading {
                    return None;
                }
                let place = state.sent;
                if let Some(text) = state.waiting.get(place).map(|waiting| waiting.text.clone()) {
                    state.sent += 1;
                    return Some(text);
                }
            }
            changed.await;
        }
    }

    /// Returns a message of a conversation of its own.
    fn message(&self, message: &Message<'_>) -> Waiting {
        let mut state = self.state();
        state.conversations += 1;
        let conversation = format!("wc_{}", state.conversations);
        drop(state);
        let text = event_stream::message(message, &conversation);
        Waiting { conversation, text }
    }

    /// Reserves room for bytes. Returns false if there is none.
    fn reserve(&self, bytes: usize) -> bool {
        let mut state = self.state();
        while state.bytes + bytes > EVENT_STREAM_BYTES_MAX && !state.acknowledges && state.sent > 0
        {
            // Most likely it has arrived, because its reader acknowledges no message.
            self.remove(&mut state, 0);
        }
        // An event may be larger than the bound.
        let is_first = state.waiting.is_empty();
        let fits = is_first || state.bytes + bytes <= EVENT_STREAM_BYTES_MAX;
        let reserved = fits && self.all_bytes.reserve(self.merchant, bytes, is_first);
        state.bytes += if reserved { bytes } else { 0 };
        reserved
    }

    /// Adds messages. Their bytes are reserved.
    fn put(&self, messages: [Waiting; 2]) {
        self.state().waiting.extend(messages);
        self.changed.notify_waiters();
    }

    /// Removes the message at a place among those that were sent.
    fn remove(&self, state: &mut State, place: usize) {
        let Some(removed) = state.waiting.remove(place) else { return };
        state.sent -= 1;
        state.bytes -= removed.bytes();
        self.all_bytes.release(self.merchant, removed.bytes());
    }

    /// The feeds to continue with, once at least half of the stream's bytes are free.
    fn continues(&self) -> Vec<MerchantId> {
        let state = self.state();
        if state.behind.is_empty() {
            return Vec::new();
        }
        let sent = state.waiting.iter().take(state.sent).map(Waiting::bytes);
        // Sent messages of a reader that acknowledges none make room for others.
        let free = if state.acknowledges { 0 } else { sent.sum() };
        let is_due = state.bytes - free <= EVENT_STREAM_BYTES_MAX / 2;
        if is_due { state.behind.iter().copied().collect() } else { Vec::new() }
    }

    /// Records a sent event, because the reader may report its outcome.
    fn give(&self, event: &Event) {
        let mut state = self.state();
        state.unreported.push_back((event.id, event.merchant));
        if state.unreported.len() > EVENT_STREAM_MESSAGES_MAX {
            state.unreported.pop_front();
        }
    }

    /// Removes the event with this id, if it was sent and its outcome was not reported yet.
    fn take_unreported(&self, event: &str) -> Option<(EventId, MerchantId)> {
        let event: EventId = event.parse().ok()?;
        let mut state = self.state();
        let place = state.unreported.iter().position(|(id, _)| *id == event)?;
        state.unreported.remove(place)
    }

    fn acknowledge(&self, conversation: &str) {
        let mut state = self.state();
        let sent = state.sent;
        let place =
            state.waiting.iter().take(sent).position(|sent| sent.conversation == conversation);
        if let Some(place) = place {
            state.acknowledges = true;
            self.remove(&mut state, place);
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let bytes = self.state().bytes;
        self.all_bytes.release(self.merchant, bytes);
    }
}
