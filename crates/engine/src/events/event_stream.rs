//! Event streams: a program that opens a connection and is sent events over it, as Stripe's CLI does
//! for `stripe listen`.
//!
//! A stream stands beside the webhook endpoints and is stored nowhere. The dispatch worker, which
//! finds every event by its mark, offers it to the streams of its merchant once its deliveries are
//! written; a stream keeps it until the reader acknowledged it, so that a reader who connects again
//! within [`EVENT_STREAM_AWAY_MS_MAX`] misses nothing. After a crash the streams are gone, and the
//! reader is told to open a new one; nothing is repeated to it.

use crate::context::render;
use crate::events::event::{Listeners, subscribed};
use crate::observer::DeliveryObservation;
use crate::{Answer, Context, Engine, Error};
use model::clock::ServerTime;
use model::event::Event;
use model::id::{EventId, MerchantId};
use model::key::random_letters;
use model::limits::{
    EVENT_STREAM_AWAY_MS_MAX, EVENT_STREAM_MESSAGES_MAX, EVENT_STREAMS_MAX,
    EVENT_STREAMS_PER_MERCHANT_MAX,
};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use wire::error::Error as Refusal;
use wire::render::events::event_stream::{self, Message, Received};
use wire::signature::sign;
use wire::version::Version;

/// Letters and digits of a stream's id, which lets in whoever has it.
const ID_LETTERS: usize = 32;
/// What a stream is read for.
const FEATURE: &str = "webhooks";

/// All streams of the server.
pub(crate) struct EventStreams {
    /// Makes the signing secrets: a merchant's is the same for every stream and after a restart, so
    /// that it can be asked for before and kept in a settings file.
    key: [u8; 32],
    open: Mutex<Vec<Arc<EventStream>>>,
}

/// One stream.
pub struct EventStream {
    id: String,
    merchant: MerchantId,
    made_at: ServerTime,
    /// Whether its reader passes events on, as it said when it was opened.
    forwards: bool,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// What the reader has not acknowledged yet, the oldest first.
    waiting: VecDeque<Waiting>,
    /// How many of them, from the first on, were sent over the present connection.
    sent: usize,
    /// Events that it was given, with whose they are, the oldest first; which of them were passed
    /// on, its reader says in its own time.
    given: VecDeque<(EventId, MerchantId)>,
    /// Conversations begun.
    conversations: u64,
    /// Connections begun; only the newest is read by anybody.
    readings: u64,
    /// Since when nobody reads; none while somebody does.
    away_since: Option<ServerTime>,
    /// Whether it holds more than it may, and is therefore given up.
    ended: bool,
}

struct Waiting {
    conversation: String,
    text: String,
}

impl EventStreams {
    /// None yet; `key` is secret and the same after a restart.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key, open: Mutex::default() }
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

    /// Those that somebody reads or may come back to.
    fn held(&self, now: ServerTime) -> MutexGuard<'_, Vec<Arc<EventStream>>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| stream.is_held(now));
        open
    }

    fn of(&self, now: ServerTime, listeners: &Listeners, event: &Event) -> Vec<Arc<EventStream>> {
        let platform = listeners.platform;
        let hears = |stream: &&Arc<EventStream>| {
            stream.merchant == event.merchant || Some(stream.merchant) == platform
        };
        self.held(now).iter().filter(hears).cloned().collect()
    }
}

impl Engine {
    /// Opens a stream for `features`, whose reader says whether it passes events on; answers where
    /// it is read. Nothing is stored.
    pub fn open_event_stream(
        &self,
        context: &Context,
        features: &[String],
        forwards: bool,
    ) -> Result<Answer, Error> {
        if let Some(place) = features.iter().position(|feature| feature != FEATURE) {
            let path = format!("websocket_features[{place}]");
            return Err(Refusal::bad_choice(&path, &[FEATURE]).into());
        }
        let now = self.clock.server_now();
        let stream = EventStream {
            id: random_letters(&*self.rng, ID_LETTERS),
            merchant: context.merchant,
            made_at: now,
            forwards,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                sent: 0,
                given: VecDeque::new(),
                conversations: 0,
                readings: 0,
                away_since: Some(now),
                ended: false,
            }),
            changed: Notify::new(),
        };
        let url = format!("{}/stripecli/subscribe", self.settings.public_url);
        let session = event_stream::Session {
            id: &stream.id,
            url: &url.replacen("http", "ws", 1),
            secret: &self.event_streams.secret_of(context.merchant),
            feature: FEATURE,
        };
        let body = render(|w| event_stream::write_session(w, &session));
        let mut open = self.event_streams.held(now);
        let own = open.iter().filter(|held| held.merchant == context.merchant).count();
        if own >= EVENT_STREAMS_PER_MERCHANT_MAX || open.len() >= EVENT_STREAMS_MAX {
            return Err(Refusal::invalid(format!(
                "At most {EVENT_STREAMS_PER_MERCHANT_MAX} programs may listen with one account, \
                 and {EVENT_STREAMS_MAX} on this server."
            ))
            .into());
        }
        open.push(Arc::new(stream));
        Ok(Answer::unchanged(body))
    }

    /// The stream of this id, unless it is over.
    pub fn find_event_stream(&self, id: &str) -> Option<Arc<EventStream>> {
        let open = self.event_streams.held(self.clock.server_now());
        open.iter().find(|stream| stream.id == id).cloned()
    }

    /// Gives an event that was committed at `committed_at` to those who listen to its merchant, or
    /// to the platform of it. Answers whether anybody does.
    pub fn offer(&self, event: &Event, committed_at: ServerTime, listeners: &Listeners) -> bool {
        let mut heard = false;
        let now = self.clock.server_now();
        for stream in self.event_streams.of(now, listeners, event) {
            if committed_at < stream.made_at {
                continue;
            }
            heard = true;
            let own = stream.merchant == event.merchant;
            let connected = if own { None } else { listeners.connected.as_deref() };
            let endpoints = subscribed(&listeners.endpoints, event, committed_at.0).count();
            let secret = self.event_streams.secret_of(stream.merchant);
            // The CLI takes one of the two: the account's version, or with `--latest` the newest.
            for (version, shown) in [(Version::default(), None), (Version::newest(), Some(()))] {
                let payload = self.render_event(event, &version, endpoints, connected);
                let signature = sign(&[&secret], now.seconds(), &payload);
                if !event.livemode && shown.is_none() {
                    // Before it can be answered.
                    stream.give(event);
                    if stream.forwards {
                        let payload = payload.as_slice();
                        let forwarded = DeliveryObservation::Forwarded { event, payload, at: now };
                        self.observer.on_delivery(&forwarded);
                    }
                }
                stream.put(&Message {
                    event: &event.id.to_string(),
                    payload: &String::from_utf8_lossy(&payload),
                    signature: &signature,
                    version: shown.map(|()| version.as_str()),
                });
            }
        }
        heard
    }

    /// What a reader sent over its connection.
    pub fn hear_event_stream(&self, stream: &EventStream, text: &str) {
        match event_stream::read(text) {
            Some(Received::Acknowledged { conversation }) => stream.acknowledge(&conversation),
            Some(Received::Answered { event, status }) => {
                tracing::info!(event.id = %event, status, "event stream forwarded an event");
                if let (Some((event, merchant)), Ok(status)) =
                    (stream.take_given(&event), u16::try_from(status))
                {
                    let at = self.clock.server_now();
                    let ended = DeliveryObservation::ForwardEnded { merchant, event, status, at };
                    self.observer.on_delivery(&ended);
                }
            }
            None => {}
        }
    }

    /// Notes that a connection is over.
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

    fn is_held(&self, now: ServerTime) -> bool {
        let state = self.state();
        let away_ms = state.away_since.map_or(0, |since| now.ms_since(since));
        !state.ended && away_ms <= EVENT_STREAM_AWAY_MS_MAX
    }

    /// Begins a connection, which ends any other; answers its number. What was not acknowledged is
    /// sent again.
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

    /// The next message of a connection, as soon as there is one; none once it is over.
    pub async fn next(&self, reading: u64) -> Option<String> {
        loop {
            // Asked for before looking, so that what happens in between wakes it.
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.ended || state.readings != reading {
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

    fn put(&self, message: &Message<'_>) {
        let mut state = self.state();
        state.conversations += 1;
        let conversation = format!("wc_{}", state.conversations);
        let text = event_stream::message(message, &conversation);
        state.waiting.push_back(Waiting { conversation, text });
        if state.waiting.len() > EVENT_STREAM_MESSAGES_MAX {
            // What was sent has most likely arrived: old releases of the CLI acknowledge nothing.
            // One that does not even read is given up, and told so by the end of its connection.
            if state.sent > 0 {
                state.waiting.pop_front();
                state.sent -= 1;
            } else {
                state.ended = true;
                state.waiting.clear();
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Notes that an event was given, of which the reader may say what became of it.
    fn give(&self, event: &Event) {
        let mut state = self.state();
        state.given.push_back((event.id, event.merchant));
        if state.given.len() > EVENT_STREAM_MESSAGES_MAX {
            state.given.pop_front();
        }
    }

    /// The event of this id, if it was given and nothing was said of it yet.
    fn take_given(&self, event: &str) -> Option<(EventId, MerchantId)> {
        let event: EventId = event.parse().ok()?;
        let mut state = self.state();
        let place = state.given.iter().position(|(given, _)| *given == event)?;
        state.given.remove(place)
    }

    fn acknowledge(&self, conversation: &str) {
        let mut state = self.state();
        let sent = state.sent;
        let place =
            state.waiting.iter().take(sent).position(|sent| sent.conversation == conversation);
        if let Some(place) = place {
            state.waiting.remove(place);
            state.sent -= 1;
        }
    }
}
