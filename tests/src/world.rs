//! A simulation. It performs operations and checks the invariants after each. At the end it
//! completes all work and compares the copies.
//!
//! A worker dies when its future is dropped while it waits for the store, or when it claims work
//! and never continues. Its lease expires by time only, as after a crash. The store on plain
//! collections never waits, so there a worker either finishes or only claims.

use crate::app::{Answered, App, AppSettings, Kept};
use crate::call::call;
use crate::follower::{Follower, Notice};
use crate::journal::Journal;
use crate::judge;
use crate::operation::{BANKS, Operation, Request, Sent, Setup};
use crate::steps::{Worker, run, run_for, run_until_idle};
use model::bank::Feature;
use model::clock::{Clock, DAY_S};
use model::delivery::{Delivery, DeliveryStatus};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use store::{ClaimClocks, ClaimDeliveries, ClaimRefreshes, SettleDelivery};

/// The duration of the leases of workers that died.
const LEASE_MS: i64 = model::limits::LEASE_MS_DEFAULT;
/// The maximum number of linked accounts. A relinked account counts once.
const ACCOUNTS_MAX: usize = 5;
/// A bank that lists its whole window on each refresh. A transaction vanishes by its absence from
/// the list.
const SNAPSHOT_BANK: &str = "Test (Non-OAuth)";
/// Longer than any delay of a refresh.
const DELAYS_OVER_S: i64 = 4 * DAY_S;
/// The age of a new transaction from which an account's ledger may lack it, in seconds. The ledger begins
/// 180 days before the first refresh of the account.
const OLD_S: i64 = 90 * DAY_S;

/// A customer.
#[derive(Debug)]
struct Holder {
    id: String,
    clock: Option<String>,
}

/// A linked account.
#[derive(Debug)]
struct Linked {
    id: String,
    holder: usize,
    bank: usize,
}

/// The parts of a simulation.
struct World {
    app: App,
    follower: Follower,
    journal: Journal,
    holders: [Holder; 2],
    accounts: Vec<Linked>,
    /// True if a bank's pages are so small that one refresh cannot read a long history.
    tiny_pages: bool,
    /// The notices that arrived and are not handled yet.
    inbox: Vec<Notice>,
    /// The last form of a transaction that a bank acknowledged, by account and bank id.
    acknowledged: BTreeMap<(String, String), Value>,
    /// The events that arrived at least once.
    arrived: BTreeSet<String>,
}

/// The result of a simulation.
#[derive(Debug)]
pub struct Summary {
    /// The bytes of all responses, deliveries and recorded events.
    pub transcript: Vec<u8>,
    /// The coverage counters: the number of occurrences of each case.
    pub sights: BTreeMap<&'static str, u32>,
}

/// Runs an asynchronous test on this thread alone.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime of one thread starts").block_on(future)
}

/// Performs all operations on a store, and compares at the end.
pub fn simulate(kept: Kept, setup: Setup, operations: &[Operation]) -> Summary {
    block_on(async {
        let mut world = World::begin(kept, setup).await;
        for operation in operations {
            Box::pin(world.perform(operation)).await;
            world.look().await;
        }
        world.finish().await;
        let mut sights = world.journal.sights().clone();
        sights.extend(world.follower.sights());
        Summary { transcript: world.app.transcript(), sights }
    })
}

impl World {
    /// Creates two customers with an account each, one of them on a test clock.
    async fn begin(kept: Kept, setup: Setup) -> Self {
        let Setup { seed, bank_page_rows, banks } = setup;
        let app = App::new(AppSettings { kept, seed, bank_page_rows });
        app.create_endpoint(&["*"]).await;
        let clock = app.create_clock().await;
        let plain = app.create_customer("plain@example.com", None).await;
        let on_clock = app.create_customer("clock@example.com", Some(&clock)).await;
        let holders =
            [Holder { id: plain, clock: None }, Holder { id: on_clock, clock: Some(clock) }];
        let mut world = Self {
            app,
            follower: Follower::default(),
            journal: Journal::default(),
            holders,
            accounts: Vec::new(),
            tiny_pages: bank_page_rows == 1,
            inbox: Vec::new(),
            acknowledged: BTreeMap::new(),
            arrived: BTreeSet::new(),
        };
        for (holder, bank) in banks.into_iter().enumerate() {
            world.link(holder, bank, false).await;
        }
        world.look().await;
        world
    }

    /// The id of an account, in the order of linking.
    fn account(&self, place: usize) -> &str {
        &self.accounts[place % self.accounts.len()].id
    }

    /// Records the committed events, and checks the invariants.
    async fn look(&mut self) {
        let accounts = self.accounts.iter().map(|account| account.id.as_str());
        self.journal.look(&self.app, accounts).await;
    }

    /// Performs one operation.
    async fn perform(&mut self, operation: &Operation) {
        match operation {
            Operation::Link { on_clock, bank, prefetch } => {
                self.link(usize::from(*on_clock), *bank, *prefetch).await;
            }
            Operation::Relink(account) => self.relink(*account).await,
            Operation::Ask(account, request) => self.ask(*account, request).await,
            Operation::Pass(time_s) => self.app.pass_s(*time_s),
            Operation::Advance(time_s) => self.advance(*time_s).await,
            Operation::Run(worker) => {
                run(&self.app, *worker).await;
            }
            Operation::RunAll => {
                self.run_all().await;
            }
            Operation::RunTwice(worker) => {
                tokio::join!(run(&self.app, *worker), run(&self.app, *worker));
            }
            Operation::Crash(worker, waits) => self.crash(*worker, *waits).await,
            Operation::Race(worker, account, request) => {
                // A dispatcher could mark an event as dispatched before the journal records it.
                if *worker != Worker::Dispatch {
                    let account = self.account(*account).to_owned();
                    let pending = call(&self.app, &account, request);
                    let (_, response) = tokio::join!(run(&self.app, *worker), pending);
                    self.acknowledge(&account, response);
                }
            }
            Operation::Deliver(sent) => self.deliver(*sent).await,
            Operation::Follow => self.follow().await,
            Operation::Handle { notice, page_rows, again } => {
                self.handle(*notice, *page_rows, *again).await;
            }
            Operation::ReadPage(account) => {
                let account = self.account(*account).to_owned();
                self.follower.read_page(&self.app, &account).await;
            }
            Operation::FollowerCrash(account) => {
                let account = self.account(*account).to_owned();
                self.inbox.extend(self.follower.crash(&account));
            }
        }
    }

    async fn link(&mut self, holder: usize, bank: usize, prefetch: bool) {
        // A vanished row goes unnoticed if one refresh never reads a bank's whole list.
        let bank = if self.tiny_pages && BANKS[bank].0 == SNAPSHOT_BANK { 0 } else { bank };
        let (institution, name) = BANKS[bank];
        let known = |account: &Linked| account.holder == holder && account.bank == bank;
        if self.accounts.len() >= ACCOUNTS_MAX && !self.accounts.iter().any(known) {
            return;
        }
        let customer = &self.holders[holder].id;
        // The link fails while the customer's clock advances.
        if let Ok(id) = self.app.link(customer, institution, name, prefetch).await
            && !self.accounts.iter().any(|account| account.id == id)
        {
            self.accounts.push(Linked { id, holder, bank });
        }
    }

    async fn ask(&mut self, account: usize, request: &Request) {
        let account = self.account(account).to_owned();
        let response = call(&self.app, &account, request).await;
        self.acknowledge(&account, response);
    }

    /// Remembers the transaction that a bank acknowledged. An API error is a valid response too,
    /// and `answered` has checked that it does not blame the server.
    fn acknowledge(&mut self, account: &str, response: Answered) {
        if let Ok(entry) = response
            && entry["object"] == "bankfeed.bank_transaction"
        {
            let bank_id = entry["id"].as_str().expect("a bank names its transactions").to_owned();
            self.acknowledged.insert((account.to_owned(), bank_id), entry);
        }
    }

    async fn relink(&mut self, account: usize) {
        let Linked { holder, bank, .. } = self.accounts[account % self.accounts.len()];
        self.link(holder, bank, true).await;
    }

    async fn advance(&self, time_s: i64) {
        let clock = self.holders[1].clock.as_deref().expect("the second customer has a clock");
        let _ = self.app.advance(clock, time_s).await;
    }

    /// Runs a round of every worker. Records the events of the others before they are dispatched.
    async fn run_all(&mut self) {
        for worker in [Worker::Schedule, Worker::Clock, Worker::Refresh] {
            run(&self.app, worker).await;
        }
        self.look().await;
        run(&self.app, Worker::Dispatch).await;
    }

    async fn crash(&self, worker: Worker, waits: u8) {
        let now = self.app.clock().server_now();
        let leased_until = now.plus_ms(LEASE_MS);
        if waits == 0 {
            let limit = 16;
            if worker == Worker::Refresh {
                let claim =
                    ClaimRefreshes { now, leased_until, limit, free: 999, in_progress: vec![] };
                self.app.store().write(claim).await.expect("the store writes");
            } else if worker == Worker::Clock {
                let claim = ClaimClocks {
                    now,
                    leased_until,
                    after: None,
                    limit,
                    free: 999,
                    in_progress: vec![],
                };
                self.app.store().write(claim).await.expect("the store writes");
            }
            return;
        }
        run_for(pin!(run(&self.app, worker)), waits).await;
        // Commands that the worker sent to the writer are still committed, and this waits for them.
        let nothing =
            ClaimRefreshes { now, leased_until, limit: 0, free: 999, in_progress: vec![] };
        self.app.store().write(nothing).await.expect("the store writes");
    }

    async fn deliver(&mut self, sent: Sent) {
        let now = self.app.clock().server_now();
        let leased_until = now.plus_ms(LEASE_MS);
        let claim = ClaimDeliveries {
            now,
            leased_until,
            limit: 256,
            free: 9_999,
            per_endpoint: 256,
            in_flight: Vec::new(),
        };
        let claimed = self.app.store().write(claim).await.expect("the store writes");
        for delivery in &claimed {
            if sent != Sent::Unsent {
                self.app.take_down(&delivery.payload);
                if let Some(notice) = Notice::read(&delivery.payload) {
                    self.arrived.insert(notice.event.clone());
                    self.inbox.push(notice);
                }
            }
            let (status, due_at) = match sent {
                Sent::Accepted => (DeliveryStatus::Succeeded, delivery.due_at),
                Sent::Rejected => (DeliveryStatus::Pending, now.plus_ms(5_000)),
                Sent::Lost | Sent::Unsent => continue,
            };
            let settled = self.app.store().write(settle(delivery, status, due_at)).await;
            assert_eq!(settled.expect("the store writes"), store::Written::Done);
        }
    }

    async fn follow(&mut self) {
        let request = Request::Refresh(vec![Feature::Transactions]);
        for account in 0..self.accounts.len() {
            self.ask(account, &request).await;
        }
        self.run_all().await;
        self.deliver(Sent::Accepted).await;
        self.handle_all().await;
    }

    async fn handle(&mut self, notice: usize, page_rows: u32, again: bool) {
        if self.inbox.is_empty() {
            return;
        }
        let place = notice % self.inbox.len();
        let account = self.inbox[place].account.clone();
        if self.follower.is_busy(&account) {
            return;
        }
        let notice = self.inbox.swap_remove(place);
        if again {
            self.inbox.push(notice.clone());
        }
        self.follower.begin(notice, page_rows);
        self.follower.read_page(&self.app, &account).await;
    }

    /// Handles all notices that have arrived, to the last page.
    async fn handle_all(&mut self) {
        for account in &self.accounts {
            while self.follower.is_busy(&account.id) {
                self.follower.read_page(&self.app, &account.id).await;
            }
        }
        while let Some(notice) = self.inbox.pop() {
            let account = notice.account.clone();
            self.follower.begin(notice, 100);
            while self.follower.is_busy(&account) {
                self.follower.read_page(&self.app, &account).await;
            }
        }
    }

    /// Moves both kinds of time for the accounts of both customers, and completes all work.
    async fn pass_for_all(&mut self, time_s: i64) {
        self.app.pass_s(time_s);
        self.advance(time_s).await;
        run_until_idle(&self.app).await;
        self.look().await;
    }

    /// Completes all work and compares.
    async fn finish(&mut self) {
        // The leases of dead workers expire, so the advance in progress can end.
        self.app.pass_s(LEASE_MS / 1_000 + 1);
        run_until_idle(&self.app).await;
        self.look().await;
        for account in &self.accounts {
            // The scripts of a disconnected account are erased.
            if self.app.stored(&account.id).await.status.word() == "disconnected" {
                continue;
            }
            let cleared =
                self.app.lab().clear_scripted_refreshes(&self.app.context(), &account.id).await;
            self.app.answered(cleared).expect("scripts are cleared");
        }
        self.pass_for_all(DELAYS_OVER_S).await;
        for account in &self.accounts {
            let stored = self.app.stored(&account.id).await;
            for feature in [Feature::Balance, Feature::Ownership, Feature::Transactions] {
                assert!(!stored.is_pending(feature), "{feature:?} of {} is lost", account.id);
            }
        }
        self.refresh_all().await;
        run(&self.app, Worker::Dispatch).await;
        self.deliver(Sent::Accepted).await;
        assert_eq!(&self.arrived, self.journal.notices(), "every event arrives, and no other");
        self.handle_all().await;
        self.compare().await;
    }

    /// Relinks inactive accounts, and refreshes every account at the current time.
    async fn refresh_all(&mut self) {
        for place in 0..self.accounts.len() {
            let account = self.account(place).to_owned();
            let stored = self.app.stored(&account).await;
            if stored.status.word() == "inactive" {
                let Linked { holder, bank, .. } = self.accounts[place];
                let (institution, name) = BANKS[bank];
                let customer = &self.holders[holder].id;
                let linked = self.app.link(customer, institution, name, true).await;
                assert_eq!(
                    linked,
                    Ok(account.clone()),
                    "the same bank account is the same account"
                );
                // A relink does not help every inactive account. Only the bank can reactivate the
                // others.
                let lab = self.app.lab();
                let back = lab.reactivate_account(&self.app.context(), &account).await;
                self.app.answered(back).expect("a bank may bring an account back");
            }
        }
        self.pass_for_all(5).await;
        for place in 0..self.accounts.len() {
            let request = Request::Refresh(vec![Feature::Balance, Feature::Transactions]);
            self.ask(place, &request).await;
        }
        run_until_idle(&self.app).await;
        self.look().await;
    }

    /// Checks that every change that a bank acknowledged is in its ledger. A disconnected account
    /// shows none.
    async fn check_acknowledged_changes(&self) {
        for ((account, bank_id), said) in &self.acknowledged {
            let time = |name: &str| said[name].as_i64().unwrap_or_default();
            let is_old = time("transacted_at") < time("visible_from") - OLD_S;
            if is_old || self.app.stored(account).await.status.word() == "disconnected" {
                continue;
            }
            let ledger = self.app.show_ledger(account).await.expect("a test bank shows its books");
            let entries = ledger["transactions"].as_array().expect("books hold transactions");
            let entry = entries.iter().find(|entry| entry["id"] == bank_id.as_str());
            let text = entry.map(|entry| &entry["description"]);
            assert_eq!(text, Some(&said["description"]), "{account} said {said}, shows {entry:?}");
        }
    }

    async fn compare(&self) {
        self.check_acknowledged_changes().await;
        for Linked { id, bank, .. } in &self.accounts {
            let stored = self.app.stored(id).await;
            if stored.status.word() == "disconnected" {
                continue;
            }
            assert!(stored.is_active(), "{id} at {:?} is {:?}", BANKS[*bank], stored.status);
            let list = judge::server_list(&self.app, id).await;
            judge::copy_is_list(id, &self.follower.rows(id), &list);
            judge::list_is_ledger(&self.app, id, &list).await;
            judge::balance_is_ledger(&self.app, id).await;
        }
    }
}

/// The command that settles a delivery.
fn settle(
    delivery: &Delivery,
    status: DeliveryStatus,
    due_at: model::clock::ServerTime,
) -> SettleDelivery {
    SettleDelivery {
        key: delivery.key,
        merchant: delivery.merchant,
        claim: delivery.claim,
        attempt: None,
        status,
        due_at,
    }
}
