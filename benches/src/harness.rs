//! An engine on a database file of its own, in this process: the server without HTTP.
//!
//! No worker runs in the background. A workload steps the worker that it measures.

use crate::Failure;
use crate::measure::{BenchClock, Meter, Spent};
use connectors::sandbox::{Sandbox, SandboxControl};
use engine::connections::customer::CustomerInput;
use engine::connections::link::{CarrierInput, LinkInput, LinkOutcome};
use engine::connections::session::{HolderInput, SessionInput};
use engine::settings::CoolDown;
use engine::{Context, Engine, Settings};
use lab::Lab;
use model::account::Permission;
use model::bank::Feature;
use model::id::{AccountId, MerchantId};
use outbound::Outbound;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Place, Store, StoreSettings};
use testkit::engine::{EngineParts, context, outbound, store_settings};
use testkit::rng::SeededRng;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A bank that returns only changed rows.
pub(crate) const DELTA_BANK: &str = "Test (OAuth)";
/// A bank that lists all rows of the last 180 days.
pub(crate) const SNAPSHOT_BANK: &str = "Test (Non-OAuth)";

/// Read connections, as many as a small server has.
const READERS: usize = 4;
/// The longest time that a worker waits for a request before the bench fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// An engine with its database.
pub(crate) struct Harness {
    pub(crate) engine: Arc<Engine>,
    pub(crate) lab: Arc<Lab>,
    pub(crate) clock: Arc<BenchClock>,
    pub(crate) control: SandboxControl,
    pub(crate) outbound: Outbound,
    pub(crate) merchant: MerchantId,
    /// The file of the database.
    pub(crate) database: PathBuf,
}

impl Harness {
    /// Opens an engine with a new database in this folder.
    pub(crate) fn open(place: &Path) -> Result<Self, Failure> {
        let database = place.join("ours.db");
        let clock = Arc::new(BenchClock::new());
        let sandbox = Sandbox::new(7);
        let parts = EngineParts {
            store: open_store(&database)?,
            sandbox: sandbox.clone(),
            clock: clock.clone(),
            rng: Arc::new(SeededRng::new(1)),
            settings: Settings { cool_down_test: CoolDown::of(0), ..Settings::default() },
        };
        let (engine, lab) = parts.build();
        let merchant = MerchantId::of_key(crate::client::KEY);
        let control = SandboxControl::new(sandbox);
        Ok(Self { engine, lab, clock, control, outbound: outbound(), merchant, database })
    }

    /// The context of a plain call.
    pub(crate) fn context(&self) -> Context {
        context(self.merchant, 1)
    }

    /// Creates customers and links one account for each, with or without a test clock. Fetches no
    /// transactions.
    pub(crate) async fn link_many(
        &self,
        count: u32,
        bank: &'static str,
        clock: Option<&str>,
    ) -> Result<Vec<AccountId>, Failure> {
        let mut linking = JoinSet::new();
        for number in 0..count {
            let engine = Arc::clone(&self.engine);
            let context = self.context();
            let clock = clock.map(str::to_owned);
            linking.spawn(async move {
                let seed = format!("holder {number}");
                link(&engine, &context, bank, clock, seed).await
            });
        }
        let mut accounts = Vec::new();
        while let Some(linked) = linking.join_next().await {
            accounts.push(linked??);
        }
        accounts.sort_unstable();
        Ok(accounts)
    }

    /// Requests a transaction refresh of all these accounts at once, and runs the refresh worker
    /// until the last one is stored. Returns the time that this took.
    pub(crate) async fn refresh_many(&self, accounts: &[AccountId]) -> Result<Spent, Failure> {
        let requested = Arc::new(Notify::new());
        let meter = Meter::start()?;
        let mut requesting = JoinSet::new();
        for account in accounts {
            let engine = Arc::clone(&self.engine);
            let context = self.context();
            let requested = Arc::clone(&requested);
            let id = account.to_string();
            requesting.spawn(async move {
                let started = engine.refresh_account(&context, &id, &[Feature::Transactions]).await;
                requested.notify_one();
                started.map(drop)
            });
        }
        let mut worked = 0;
        while worked < accounts.len() {
            let claimed = self.engine.run_refresh_once().await?;
            worked += claimed;
            // Like the worker: wait only if no refresh was due, until a request wakes it.
            if claimed == 0 {
                tokio::time::timeout(PATIENCE, requested.notified()).await?;
            }
        }
        let took = meter.spent()?;
        while let Some(ended) = requesting.join_next().await {
            ended??;
        }
        Ok(took)
    }

    /// Runs the refresh worker until no refresh is due.
    pub(crate) async fn settle_refreshes(&self) -> Result<(), Failure> {
        while self.engine.run_refresh_once().await? > 0 {}
        Ok(())
    }
}

/// Makes an empty database with the same tables.
pub(crate) async fn make_empty(database: &Path) -> Result<(), Failure> {
    open_store(database)?.close().await;
    Ok(())
}

fn open_store(database: &Path) -> Result<Store, Failure> {
    let place = Place::File(database.to_path_buf());
    let (clock, rng) = (Arc::new(BenchClock::new()), Arc::new(SeededRng::new(1)));
    Ok(Store::open(StoreSettings { readers: READERS, ..store_settings(place, clock, rng) })?)
}

async fn link(
    engine: &Engine,
    context: &Context,
    bank: &str,
    test_clock: Option<String>,
    seed: String,
) -> Result<AccountId, Failure> {
    let input = CustomerInput { test_clock, ..CustomerInput::default() };
    let customer = engine.create_customer(context, &input).await?;
    let session = SessionInput {
        holder: Some(HolderInput::Customer(id_of(&customer.body, "/id")?)),
        permissions: BTreeSet::from([Permission::Transactions]),
        prefetch: None,
        filters: None,
        limits: None,
        manual_entry: None,
        return_url: None,
        hosted: None,
        relink: None,
    };
    let session = engine.create_session(context, &session).await?;
    let link = LinkInput {
        carrier: CarrierInput::Id(id_of(&session.body, "/id")?),
        institution: Some(bank.to_owned()),
        accounts: None,
        seed: Some(seed),
        outcome: LinkOutcome::Success,
    };
    let linked = engine.link(context, &link).await?;
    let id = id_of(&linked.body, "/accounts/data/0/id")?;
    id.parse().map_err(|_| Failure::from(format!("{id} is not the id of an account")))
}

/// An id in a response.
pub(crate) fn id_of(body: &[u8], pointer: &str) -> Result<String, Failure> {
    let response: Value = serde_json::from_slice(body)?;
    crate::client::text(&response, pointer)
}
