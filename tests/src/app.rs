//! The engine on a store, called as the HTTP layer calls it: a context in, JSON out.
//!
//! No worker runs in the background. The test steps workers and moves the time. It reads webhooks
//! from the store, so it decides when and how often each one arrives.

use connectors::sandbox::Sandbox;
use engine::connections::customer::CustomerInput;
use engine::connections::link::{CarrierInput, LinkInput, LinkOutcome};
use engine::connections::session::{HolderInput, SessionInput};
use engine::connections::transaction::TransactionFilter;
use engine::events::endpoint::EndpointInput;
use engine::events::event::EventFilter;
use engine::{ApiResponse, Context, Engine, Error, Settings};
use lab::Lab;
use model::account::{Account, Permission};
use model::clock::{Clock, DAY_S};
use model::id::{AccountId, MerchantId};
use model::session::Prefetch;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Bounds, FindAccount, Place, Store};
use testkit::clock::ManualClock;
use testkit::engine::{EngineParts, context, store_settings};
use testkit::rng::SeededRng;
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::version::Version;

/// The first time of the server's clock, in seconds since 1970.
const BEGIN_S: i64 = 1_780_000_000;
/// The offset of account time from the server's, as in a server with a fixed time. Code that
/// confuses the two kinds of time is off by this.
const AHEAD_S: i64 = 40 * DAY_S + 12_345;

/// The kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In-memory collections.
    Memory,
    /// A database in a temporary file.
    Sqlite,
}

/// The settings of an app.
#[derive(Clone, Copy, Debug)]
pub struct AppSettings {
    /// The kind of store.
    pub kept: Kept,
    /// The seed of the randomness.
    pub seed: u64,
    /// The number of rows on one page of a bank, at least 1.
    pub bank_page_rows: usize,
}

impl AppSettings {
    /// An app on this kind of store, with default settings.
    pub fn on(kept: Kept) -> Self {
        Self { kept, seed: 1, bank_page_rows: 500 }
    }
}

/// A server without network.
pub struct App {
    engine: Arc<Engine>,
    lab: Arc<Lab>,
    clock: Arc<ManualClock>,
    merchant: MerchantId,
    requests: Cell<u64>,
    transcript: RefCell<Vec<u8>>,
}

/// The outcome of an API call: the object, or the API error.
pub type Answered = Result<Value, ApiError>;

impl App {
    /// An empty server.
    pub fn new(settings: AppSettings) -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN_S).ahead_by(AHEAD_S));
        let rng = Arc::new(SeededRng::new(settings.seed));
        let store = match settings.kept {
            Kept::Memory => Store::memory_model(clock.clone()),
            Kept::Sqlite => {
                let settings = store_settings(Place::Temporary, clock.clone(), rng.clone());
                Store::open(settings).expect("a temporary database opens")
            }
        };
        let sandbox = Sandbox::new(settings.seed).with_page_rows(settings.bank_page_rows);
        let settings = Settings::default();
        let parts = EngineParts { store, sandbox, clock: clock.clone(), rng, settings };
        let (engine, lab) = parts.build();
        Self {
            engine,
            lab,
            clock,
            merchant: MerchantId::of_key("sk_test_simulation"),
            requests: Cell::new(0),
            transcript: RefCell::default(),
        }
    }

    /// The engine, for its workers.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The laboratory, for the bank's side.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The store, for data that no API call shows.
    pub fn store(&self) -> &Store {
        self.engine.store()
    }

    /// The owner of the objects of all calls.
    pub fn merchant(&self) -> MerchantId {
        self.merchant
    }

    /// Moves the time forward.
    pub fn pass_s(&self, time_s: i64) {
        self.clock.pass_ms(time_s * 1_000);
    }

    /// The server's clock.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Every recorded byte so far, including all responses, to compare two runs.
    pub fn transcript(&self) -> Vec<u8> {
        self.transcript.borrow().clone()
    }

    /// Adds to the transcript.
    pub fn take_down(&self, bytes: &[u8]) {
        let mut transcript = self.transcript.borrow_mut();
        transcript.extend_from_slice(bytes);
        transcript.push(b'\n');
    }

    /// A new call without an idempotency key.
    pub fn context(&self) -> Context {
        self.requests.set(self.requests.get() + 1);
        let version = Version::newest();
        Context { version, ..context(self.merchant, self.requests.get()) }
    }

    /// The outcome that a client receives. An API error that blames the server fails the test.
    pub fn answered(&self, result: Result<ApiResponse, Error>) -> Answered {
        match result {
            Ok(response) => {
                self.take_down(&response.body);
                Ok(serde_json::from_slice(&response.body).expect("every answer is JSON"))
            }
            Err(error) => {
                let api_error = error.api_error();
                assert!(api_error.status < 500, "the server failed: {error:?}");
                self.take_down(api_error.message.as_bytes());
                Err(api_error)
            }
        }
    }

    /// Creates a test clock that shows the time of objects.
    pub async fn create_clock(&self) -> String {
        let now = self.clock.account_now().0;
        id_of(self.answered(self.engine.create_clock(&self.context(), now, None).await))
    }

    /// Advances a test clock by this number of seconds. The clock worker does it.
    pub async fn advance(&self, clock: &str, time_s: i64) -> Answered {
        let shown = self.show_clock(clock).await;
        let from = shown["frozen_time"].as_i64().expect("a clock shows a time");
        self.answered(self.engine.advance_clock(&self.context(), clock, from + time_s).await)
    }

    /// Shows a test clock.
    pub async fn show_clock(&self, clock: &str) -> Value {
        let shown = self.engine.retrieve_clock(&self.context(), clock).await;
        self.answered(shown).expect("the clock is there")
    }

    /// Creates a customer, on a test clock if there is one.
    pub async fn create_customer(&self, email: &str, test_clock: Option<&str>) -> String {
        let input = CustomerInput {
            email: Some(email.to_owned()),
            test_clock: test_clock.map(ToOwned::to_owned),
            ..CustomerInput::default()
        };
        id_of(self.answered(self.engine.create_customer(&self.context(), &input).await))
    }

    /// Creates a webhook endpoint for these types. No event is ever posted to it.
    pub async fn create_endpoint(&self, types: &[&str]) -> String {
        let input = EndpointInput {
            url: Some("http://127.0.0.1:9/hook".to_owned()),
            enabled_events: Some(types.iter().map(|name| (*name).to_owned()).collect()),
            ..EndpointInput::default()
        };
        id_of(self.answered(self.engine.create_endpoint(&self.context(), &input).await))
    }

    /// Links one account of a customer at a bank, and returns its id.
    pub async fn link(
        &self,
        customer: &str,
        institution: &str,
        account: &str,
        prefetch: bool,
    ) -> Result<String, ApiError> {
        let input = SessionInput {
            holder: Some(HolderInput::Customer(customer.to_owned())),
            permissions: BTreeSet::from([
                Permission::Balances,
                Permission::Ownership,
                Permission::Transactions,
            ]),
            prefetch: prefetch.then(|| vec![Prefetch::Balances, Prefetch::Transactions]),
            filters: None,
            limits: None,
            manual_entry: None,
            return_url: None,
            hosted: None,
            relink: None,
        };
        let session = self.engine.create_session(&self.context(), &input).await;
        let session = self.answered(session)?;
        let secret = session["client_secret"].as_str().expect("a new session shows its secret");
        let input = LinkInput {
            carrier: CarrierInput::ClientSecret(secret.to_owned()),
            institution: Some(institution.to_owned()),
            accounts: Some(vec![account.to_owned()]),
            seed: None,
            outcome: LinkOutcome::Success,
        };
        let linked = self.answered(self.engine.link(&self.context(), &input).await)?;
        let id = linked["accounts"]["data"][0]["id"].as_str();
        Ok(id.expect("a completed session shows its accounts").to_owned())
    }

    /// Lists a page of transactions.
    pub async fn list_transactions(
        &self,
        account: &str,
        after: Option<&str>,
        limit: u32,
        starting_after: Option<&str>,
    ) -> Answered {
        let filter = TransactionFilter {
            account: account.to_owned(),
            transacted_at: Bounds::default(),
            after: after.map(ToOwned::to_owned),
            page: PageParams {
                limit,
                starting_after: starting_after.map(ToOwned::to_owned),
                ending_before: None,
            },
        };
        self.answered(self.engine.list_transactions(&self.context(), &filter).await)
    }

    /// Lists the newest events of a type, at most a hundred.
    pub async fn list_events(&self, event_type: &str) -> Vec<Value> {
        let filter = EventFilter {
            types: vec![event_type.to_owned()],
            created: Bounds::default(),
            delivery_success: None,
            page: PageParams { limit: 100, starting_after: None, ending_before: None },
        };
        let listed = self.engine.list_events(&self.context(), &filter).await;
        let listed = self.answered(listed).expect("events are listed");
        listed["data"].as_array().expect("a list has data").clone()
    }

    /// Shows the bank's own ledger of an account, read in pages.
    pub async fn show_ledger(&self, account: &str) -> Answered {
        let mut page = PageParams { limit: 400, starting_after: None, ending_before: None };
        let mut shown: Option<Value> = None;
        loop {
            let part = self.lab.show_ledger(&self.context(), account, &page).await;
            let mut part = self.answered(part)?;
            let entries = part["transactions"].as_array_mut().expect("books hold transactions");
            let entries = std::mem::take(entries);
            let last = entries.last().and_then(|entry| entry["id"].as_str());
            page.starting_after = last.map(str::to_owned);
            let goes_on = part["has_more"] == true;
            let whole = shown.get_or_insert(part);
            let read = whole["transactions"].as_array_mut().expect("books hold transactions");
            read.extend(entries);
            if !goes_on {
                return Ok(std::mem::take(whole));
            }
        }
    }

    /// An account as it is stored.
    pub async fn stored(&self, account: &str) -> Account {
        let account: AccountId = account.parse().expect("an account's id");
        let find = FindAccount { merchant: self.merchant, account };
        let found = self.store().read(find).await.expect("the store reads");
        found.expect("accounts are never deleted")
    }
}

fn id_of(answered: Answered) -> String {
    let object = answered.expect("making it is not refused");
    object["id"].as_str().expect("every object has an id").to_owned()
}
