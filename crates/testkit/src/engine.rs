//! An engine with a test bank and the laboratory, without HTTP. Its workers run only when a test
//! steps them.

use connectors::Connector;
use connectors::sandbox::Sandbox;
use engine::connections::registry::{NoRegistry, Registry};
use engine::hooks::NoHooks;
use engine::observer::IgnoreAll;
use engine::{Context, Engine, Outbounds, Parts, Settings};
use lab::{Instruments, Lab};
use model::clock::{Clock, Rng};
use model::id::{MerchantId, RequestId};
use model::numbers::Numbers;
use outbound::{Outbound, OutboundSettings, PrivateAddresses};
use std::sync::Arc;
use store::{Failpoints, Place, Store, StoreBounds, StoreSettings};
use wire::expand::Expand;
use wire::version::Version;

/// The parts of an engine that tests choose.
pub struct EngineParts {
    /// The store.
    pub store: Store,
    /// The test banks.
    pub sandbox: Sandbox,
    /// The clock of the server.
    pub clock: Arc<dyn Clock>,
    /// The source of ids and secrets.
    pub rng: Arc<dyn Rng>,
    /// The settings of the engine.
    pub settings: Settings,
}

impl EngineParts {
    /// Builds the engine and its laboratory.
    pub fn build(self) -> (Arc<Engine>, Arc<Lab>) {
        self.build_with(Numbers::default())
    }

    /// Builds the engine and its laboratory, with these numbers for new ids.
    pub fn build_with(self, numbers: Numbers) -> (Arc<Engine>, Arc<Lab>) {
        self.build_registered(numbers, Arc::new(NoRegistry))
    }

    /// Builds the engine and its laboratory, with this record of registrations.
    pub fn build_registered(
        self,
        numbers: Numbers,
        registry: Arc<dyn Registry>,
    ) -> (Arc<Engine>, Arc<Lab>) {
        let Self { store, sandbox, clock, rng, settings } = self;
        let mut parts = Parts {
            store,
            connector: Connector::Sandbox(sandbox),
            outbound: outbounds(),
            clock,
            rng,
            settings,
            failpoints: Failpoints::default(),
            observer: Arc::new(IgnoreAll),
            hooks: Arc::new(NoHooks),
            registry,
        };
        let instruments = Instruments::install(&mut parts, lab::Settings::default());
        let engine = Arc::new(Engine::new(parts).with_numbers(numbers));
        let lab = Arc::new(Lab::new(Arc::clone(&engine), instruments));
        (engine, lab)
    }
}

/// The client for webhooks, which may call local addresses.
pub fn outbound() -> Outbound {
    let timeout_ms = model::limits::DELIVERY_TIMEOUT_MS;
    Outbound::new(OutboundSettings {
        private: PrivateAddresses::All,
        https_to_public: false,
        timeout_ms,
    })
}

/// The clients for webhooks. In live mode too, receivers of tests are on loopback addresses.
fn outbounds() -> Outbounds {
    let loopback = ["127.0.0.0/8".parse(), "::1/128".parse()].map(Result::unwrap);
    let private = PrivateAddresses::Within(loopback.into());
    let timeout_ms = model::limits::DELIVERY_TIMEOUT_MS;
    let live = OutboundSettings { private, https_to_public: true, timeout_ms };
    Outbounds { test: outbound(), live: Outbound::new(live) }
}

/// The settings of a database.
pub fn store_settings(place: Place, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> StoreSettings {
    StoreSettings {
        place,
        seal_key: [7; 32],
        failpoints: Failpoints::default(),
        rng,
        clock,
        readers: 2,
        bounds: StoreBounds::default(),
        kept: Arc::new(()),
    }
}

/// The context of a call in the default version, without an idempotency key.
pub fn context(merchant: MerchantId, request: u64) -> Context {
    Context {
        merchant,
        connected: None,
        livemode: false,
        publishable: false,
        request: RequestId::from_number(request),
        version: Version::default(),
        expand: Expand::default(),
        idempotency: None,
    }
}
