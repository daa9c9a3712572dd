//! The load under which the server is killed. Each writer acts like an integrator's backend. It links
//! accounts, refreshes them, changes transactions at their bank and advances test clocks. It repeats
//! a call until there is a response.

use super::HELPERS;
use super::client::{Client, text};
use crate::Failure;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::rng::SeededRng;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Writers with bank accounts.
const HOUSEHOLDS: u64 = 5;
/// Writers that only create and update customers.
const VISITORS: u64 = 2;
/// Homes that one writer links. A home has one customer and two accounts.
const HOMES_MAX: usize = 4;
/// The average number of steps before a new home is linked.
const STEPS_PER_HOME: u64 = 30;
/// Banks of the homes: one that returns snapshots, one that returns deltas, one with a short history
/// and one without a history.
const BANKS: &[(&str, &[&str])] = &[
    ("Test (Non-OAuth)", &["Success", "High Balance"]),
    ("Test (OAuth)", &["Success", "Insufficient Funds"]),
    ("Short History", &["Success", "Savings"]),
    ("No History", &["Success", "Savings"]),
];
/// The first time of test clocks.
const EPOCH_S: i64 = 1_790_000_000;
const DAY_S: i64 = 86_400;
/// The beginning of the description of every added transaction.
pub(super) const ADDED: &str = "Crash";

/// The writers.
pub(super) struct Load {
    writers: JoinSet<Result<(), Failure>>,
    stop: watch::Sender<bool>,
}

/// A customer with its accounts.
struct Home {
    clock: Option<String>,
    now_s: i64,
    accounts: Vec<Account>,
}

struct Account {
    id: String,
    subscribed: bool,
    /// The bank's ids of added transactions that are pending.
    pending: Vec<String>,
}

/// One writer.
struct Writer {
    client: Arc<Client>,
    rng: SeededRng,
    lane: u64,
    stop: watch::Receiver<bool>,
    made: Arc<AtomicU64>,
}

impl Load {
    /// Starts the writers.
    pub(super) fn start(client: &Arc<Client>, seed: u64) -> Self {
        let stop = watch::Sender::new(false);
        let made = Arc::new(AtomicU64::new(0));
        let mut writers = JoinSet::new();
        for lane in 1..=HOUSEHOLDS + VISITORS {
            let writer = Writer {
                client: Arc::clone(client),
                rng: SeededRng::of_lane(seed, lane),
                lane,
                stop: stop.subscribe(),
                made: Arc::clone(&made),
            };
            if lane <= HOUSEHOLDS {
                writers.spawn(writer.keep_house());
            } else {
                writers.spawn(writer.visit());
            }
        }
        Self { writers, stop }
    }

    /// Waits for a fault of a writer.
    pub(super) async fn fault(&mut self) -> Failure {
        while let Some(ended) = self.writers.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => return failure,
                Err(error) => return error.to_string(),
            }
        }
        "all writers have ended".to_owned()
    }

    /// Stops the writers after their current calls.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        while let Some(ended) = self.writers.join_next().await {
            ended.map_err(|error| error.to_string())??;
        }
        Ok(())
    }
}

impl Writer {
    fn goes_on(&self) -> bool {
        !*self.stop.borrow()
    }

    /// A number that is unique among all calls.
    fn next_number(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    /// Creates and updates customers.
    async fn visit(self) -> Result<(), Failure> {
        let mut customers: Vec<String> = Vec::new();
        while self.goes_on() {
            let number = self.next_number().to_string();
            if customers.is_empty() || self.rng.one_in(3) {
                let form = [("name", "A visitor"), ("metadata[last]", number.as_str())];
                let customer = self.client.post("/v1/customers", &form).await?;
                customers.push(text(&customer, "id").to_owned());
                continue;
            }
            let path = format!("/v1/customers/{}", customers[self.rng.index(&customers)]);
            if self.rng.one_in(3) {
                self.client.get(&path, &[]).await?;
            } else {
                self.client.post(&path, &[("metadata[last]", number.as_str())]).await?;
            }
        }
        Ok(())
    }

    /// Links homes and acts in them.
    async fn keep_house(mut self) -> Result<(), Failure> {
        let mut homes: Vec<Home> = Vec::new();
        while self.goes_on() {
            let moves =
                homes.len() < HOMES_MAX && (homes.is_empty() || self.rng.one_in(STEPS_PER_HOME));
            if moves {
                homes.push(self.link(homes.len()).await?);
            } else {
                let index = self.rng.index(&homes);
                self.step(&mut homes[index]).await?;
            }
        }
        Ok(())
    }

    /// Links a home. Homes are alternately on a test clock and in real time, beginning with a test
    /// clock for odd writers.
    async fn link(&mut self, index: usize) -> Result<Home, Failure> {
        let epoch = EPOCH_S.to_string();
        let clock = if (self.lane + index as u64) % 2 == 1 {
            let path = "/v1/test_helpers/test_clocks";
            let clock = self.client.post(path, &[("frozen_time", &epoch)]).await?;
            Some(text(&clock, "id").to_owned())
        } else {
            None
        };
        let email = format!("home-{}-{index}@example.com", self.lane);
        let mut form = vec![("email", email.as_str())];
        form.extend(clock.as_deref().map(|clock| ("test_clock", clock)));
        let customer = self.client.post("/v1/customers", &form).await?;
        let mut form = vec![
            ("account_holder[type]", "customer"),
            ("account_holder[customer]", text(&customer, "id")),
            ("permissions[]", "transactions"),
            ("permissions[]", "balances"),
        ];
        if self.rng.one_in(2) {
            form.push(("prefetch[]", "transactions"));
        }
        let path = "/v1/financial_connections/sessions";
        let session = self.client.post(path, &form).await?;
        let (institution, names) = BANKS[self.rng.index(BANKS)];
        let secret = text(&session, "client_secret");
        let mut form = vec![("client_secret", secret), ("institution", institution)];
        form.extend(names.iter().map(|name| ("accounts[]", *name)));
        let mut linked = self.client.post(&format!("{HELPERS}/link"), &form).await?;
        let mut accounts = Vec::new();
        for account in linked["accounts"]["data"].take().as_array().into_iter().flatten() {
            let id = text(account, "id").to_owned();
            self.subscribe(&id, true).await?;
            accounts.push(Account { id, subscribed: true, pending: Vec::new() });
        }
        if accounts.len() != names.len() {
            return Err(format!("a link gave {} accounts, not {}", accounts.len(), names.len()));
        }
        Ok(Home { clock, now_s: EPOCH_S, accounts })
    }

    async fn step(&mut self, home: &mut Home) -> Result<(), Failure> {
        let index = self.rng.index(&home.accounts);
        let account = &mut home.accounts[index];
        match self.rng.below(100) {
            0..28 => self.add(account).await,
            28..45 => self.change(account).await,
            45..75 => self.refresh(account).await,
            75..80 => self.script(account).await,
            80..85 => {
                account.subscribed = !account.subscribed;
                self.subscribe(&account.id, account.subscribed).await
            }
            85..93 => self.let_days_pass(home).await,
            _ => {
                let path = format!("/v1/financial_connections/accounts/{}", account.id);
                self.client.get(&path, &[]).await.map(drop)
            }
        }
    }

    async fn subscribe(&self, account: &str, on: bool) -> Result<(), Failure> {
        let call = if on { "subscribe" } else { "unsubscribe" };
        let path = format!("/v1/financial_connections/accounts/{account}/{call}");
        self.client.post(&path, &[("features[]", "transactions")]).await.map(drop)
    }

    async fn refresh(&mut self, account: &Account) -> Result<(), Failure> {
        let path = format!("/v1/financial_connections/accounts/{}/refresh", account.id);
        let mut form = vec![("features[]", "transactions")];
        if self.rng.one_in(4) {
            form.push(("features[]", "balance"));
        }
        self.client.post(&path, &form).await.map(drop)
    }

    /// Adds a transaction on the bank's side.
    async fn add(&mut self, account: &mut Account) -> Result<(), Failure> {
        let amount = format!("-{}", 100 + self.rng.below(10_000));
        let description = format!("{ADDED} {}", self.next_number());
        let status = if self.rng.one_in(3) { "posted" } else { "pending" };
        let path = format!("{HELPERS}/accounts/{}/transactions", account.id);
        let form = [("amount", amount.as_str()), ("description", &description), ("status", status)];
        let entry = self.client.post(&path, &form).await?;
        if status == "pending" {
            account.pending.push(text(&entry, "id").to_owned());
        }
        Ok(())
    }

    /// Posts, voids or edits a transaction that was added before.
    async fn change(&mut self, account: &mut Account) -> Result<(), Failure> {
        if account.pending.is_empty() {
            return self.add(account).await;
        }
        let index = self.rng.index(&account.pending);
        let path = format!("{HELPERS}/accounts/{}/transactions", account.id);
        let path = format!("{path}/{}", account.pending[index]);
        let edited = format!("{ADDED} {} edited", self.next_number());
        let form = match self.rng.below(3) {
            0 => [("status", "posted")],
            1 => [("status", "void")],
            _ => [("description", edited.as_str())],
        };
        if form[0].0 == "status" {
            account.pending.swap_remove(index);
        }
        self.client.post(&path, &form).await.map(drop)
    }

    /// Scripts the next refresh to fail, or to take a second.
    async fn script(&mut self, account: &Account) -> Result<(), Failure> {
        let path = format!("{HELPERS}/accounts/{}/next_refresh", account.id);
        let form: &[(&str, &str)] = if self.rng.one_in(2) {
            &[("outcome", "failed"), ("cause", "institution_timeout")]
        } else {
            &[("outcome", "succeeded"), ("delay_seconds", "1")]
        };
        self.client.post(&path, form).await.map(drop)
    }

    /// Advances the clock of a home. A home without a clock is in real time.
    async fn let_days_pass(&mut self, home: &mut Home) -> Result<(), Failure> {
        let Some(clock) = &home.clock else {
            return Ok(());
        };
        home.now_s += DAY_S * if self.rng.one_in(3) { 2 } else { 1 };
        let until = home.now_s.to_string();
        let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
        // A second advance is repeated until the first has ended, because the clock is locked.
        let clock: Value = self.client.post(&path, &[("frozen_time", &until)]).await?;
        if text(&clock, "id").is_empty() {
            Err("an advance returned no clock".to_owned())
        } else {
            Ok(())
        }
    }
}
