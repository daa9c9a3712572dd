//! The engine: one function per API call, and the workers for due work.
//!
//! A use case reads, decides with the pure functions of `model`, renders the response, and commits
//! everything in one store command: the change, its events, and the idempotency record. If an
//! object that it read has changed in the meantime, the store reports a version conflict and the
//! use case begins again ([`Engine::change`]).
//!
//! The engine has no HTTP server. A [`Context`] contains the caller and the form of the response,
//! and an [`ApiResponse`] is the response's bytes.

pub mod connect;
pub mod connections;
mod context;
mod due_work;
mod error;
pub mod events;
mod expand;
pub mod hooks;
mod list;
pub mod metrics;
mod objects;
pub mod observer;
pub mod payments;
pub mod prune;
mod retry;
pub mod settings;
pub mod worker;

pub use context::{ApiResponse, Context, Idempotency, made, made_within, render, settled};
pub use error::Error;
pub use list::list_body;
pub use settings::Settings;

use connections::live::Rehearsals;
use connections::refresh::gather::REFRESH_PERMIT_BYTES;
use connections::registry::Registry;
use connectors::Connector;
use due_work::Stuck;
use events::dispatch::FeedClaims;
use events::event_stream::EventStreams;
use hooks::Hooks;
use metrics::Metrics;
use model::clock::{AccountTime, Clock, ClockStatus, Rng, TestClock};
use model::id::{ClockId, MerchantId};
use model::key::random_letters;
use model::limits::REFRESHES_BYTES_MAX;
use model::numbers::Numbers;
use observer::Observer;
use outbound::Outbound;
use std::sync::Arc;
use store::{Failpoints, Kind, ObjectKey, Precondition, Store};
use tokio::sync::Semaphore;
use wire::address::PageKey;
use worker::Wake;

/// The product behind the HTTP layer.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) connector: Connector,
    pub(crate) outbound: Outbounds,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) numbers: Numbers,
    pub(crate) settings: Settings,
    pub(crate) failpoints: Failpoints,
    pub(crate) wake: Wake,
    pub(crate) stuck: Stuck,
    pub(crate) metrics: Metrics,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) hooks: Arc<dyn Hooks>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) rehearsals: Rehearsals,
    pub(crate) event_streams: EventStreams,
    /// The room of large refreshes, in permits of [`REFRESH_PERMIT_BYTES`].
    pub(crate) refresh_room: Arc<Semaphore>,
    pub(crate) feed_claims: FeedClaims,
    /// Held by the one worker, or the call, that does due work on a server with a seed.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Makes the addresses of hosted pages.
    pub(crate) page_key: PageKey,
}

/// The clients that post webhooks. Each has connections of its own, because live mode may reach fewer
/// addresses.
#[derive(Clone, Debug)]
pub struct Outbounds {
    /// The client for test mode.
    pub test: Outbound,
    /// The client for live mode.
    pub live: Outbound,
}

impl Outbounds {
    /// The client for a mode.
    pub fn of(&self, livemode: bool) -> &Outbound {
        if livemode { &self.live } else { &self.test }
    }
}

/// The parts of an engine.
pub struct Parts {
    /// The store of all objects.
    pub store: Store,
    /// The banks.
    pub connector: Connector,
    /// The clients that post webhooks.
    pub outbound: Outbounds,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
    /// The operator's settings.
    pub settings: Settings,
    /// The points at which a crash test stops the process.
    pub failpoints: Failpoints,
    /// The receiver of observations.
    pub observer: Arc<dyn Observer>,
    /// The hooks with which a test changes the normal course.
    pub hooks: Arc<dyn Hooks>,
    /// The registrations for live data.
    pub registry: Arc<dyn Registry>,
}

/// The time of an object: its test clock's, or that of objects without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: AccountTime,
    /// True while the test clock advances.
    pub advancing: bool,
    /// The test clock that was read, with its version.
    pub clock: Option<(ObjectKey, u64)>,
}

impl Engine {
    /// Creates an engine. Workers run only when [`worker::run`] is called.
    pub fn new(parts: Parts) -> Self {
        Self {
            page_key: PageKey::new(parts.store.derived_key("hosted pages")),
            refresh_room: Arc::new(Semaphore::new(REFRESHES_BYTES_MAX / REFRESH_PERMIT_BYTES)),
            event_streams: EventStreams::new(parts.store.derived_key("event streams")),
            feed_claims: FeedClaims::default(),
            turn: tokio::sync::Mutex::default(),
            store: parts.store,
            connector: parts.connector,
            outbound: parts.outbound,
            clock: parts.clock,
            rng: parts.rng,
            numbers: Numbers::default(),
            settings: parts.settings,
            failpoints: parts.failpoints,
            wake: Wake::default(),
            stuck: Stuck::default(),
            metrics: Metrics::default(),
            observer: parts.observer,
            hooks: parts.hooks,
            registry: parts.registry,
            rehearsals: Rehearsals::default(),
        }
    }

    /// The same engine with other numbers for its new ids.
    #[must_use]
    pub fn with_numbers(self, numbers: Numbers) -> Self {
        Self { numbers, ..self }
    }

    /// The store, for callers that store idempotency records.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The connector of the server's banks.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// The signals that wake the workers.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// The operator's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number of the next id.
    pub fn next_number(&self) -> u64 {
        self.numbers.next(&*self.clock, &*self.rng)
    }

    /// A secret: a prefix and 24 or more random letters and digits.
    pub(crate) fn secret(&self, prefix: &str, letters: usize) -> String {
        prefix.to_owned() + &random_letters(&*self.rng, letters)
    }

    /// Finds a merchant's test clock that is not deleted.
    pub(crate) async fn find_clock(
        &self,
        merchant: MerchantId,
        id: ClockId,
    ) -> Result<Option<TestClock>, Error> {
        let found = self.find::<TestClock>(merchant, id.number()).await?;
        Ok(found.filter(|clock| !clock.deleted))
    }

    /// The time of objects on this clock, or on none. A deleted clock keeps its last time, because
    /// the deletion of its customers may end later.
    pub async fn moment(
        &self,
        merchant: MerchantId,
        clock: Option<ClockId>,
    ) -> Result<Moment, Error> {
        let found = match clock {
            Some(id) => self.find::<TestClock>(merchant, id.number()).await?,
            None => None,
        };
        Ok(match found {
            Some(clock) => {
                let (kind, number) = (Kind::TestClock, clock.id.number());
                Moment {
                    now: clock.frozen_time,
                    advancing: clock.status == ClockStatus::Advancing,
                    clock: Some((ObjectKey { merchant, kind, number }, clock.version)),
                }
            }
            None => Moment { now: self.clock.account_now(), advancing: false, clock: None },
        })
    }

    /// The time at which a call writes an object, and the preconditions of the write: the caller's
    /// account still exists, and the clock has not moved. [`Error::Locked`] while the clock
    /// advances.
    pub async fn moment_to_write(
        &self,
        context: &Context,
        clock: Option<ClockId>,
    ) -> Result<(AccountTime, Vec<Precondition>), Error> {
        let mut changes = self.changes_on(context, clock).await?;
        Ok((changes.now, changes.take_requires()))
    }
}
