//! Tests of claims: a worker that was presumed dead and continues late makes no changes. Leases
//! save work. Only the claim numbers ensure that work is not stored twice.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on stops")]

use bankfeed_tests::app::{App, AppSettings, Kept};
use bankfeed_tests::judge;
use bankfeed_tests::steps::{Worker, run, run_for, run_until_idle};
use bankfeed_tests::world::block_on;
use model::account::Account;
use model::bank::Feature;
use model::clock::{Clock, DAY_S, ServerTime};
use model::delivery::{Attempt, DeliveryStatus};
use model::event::{Event, EventType};
use model::id::TransactionId;
use model::limits::LEASE_MS_DEFAULT;
use model::refresh::RefreshJob;
use model::transaction::{StoredTransaction, Transaction, TransactionStatus};
use std::pin::pin;
use store::{
    AccountChange, ApplyRefresh, Claim, ClaimDeliveries, ClaimRefreshes, SettleDelivery, Written,
};
use testkit::objects;

const STORES: [Kept; 2] = [Kept::Memory, Kept::Sqlite];
const LEASE_OVER_S: i64 = LEASE_MS_DEFAULT / 1_000 + 1;
const REFRESHED: &str = "financial_connections.account.refreshed_transactions";

/// An app with one account, linked and not refreshed.
async fn linked(kept: Kept, clock: bool) -> (App, String, Option<String>) {
    linked_at("Short History", kept, clock).await
}

async fn linked_at(bank: &str, kept: Kept, clock: bool) -> (App, String, Option<String>) {
    let app = App::new(AppSettings::on(kept));
    app.create_endpoint(&[REFRESHED]).await;
    let clock = if clock { Some(app.create_clock().await) } else { None };
    let customer = app.create_customer("claims@example.com", clock.as_deref()).await;
    let account = app.link(&customer, bank, "Success", false).await;
    (app, account.expect("the account is linked"), clock)
}

async fn ask_refresh(app: &App, account: &str) {
    let features = [Feature::Transactions];
    let asked = app.engine().refresh_account(&app.context(), account, &features).await;
    app.answered(asked).expect("the refresh is begun");
}

fn lease(app: &App) -> (ServerTime, ServerTime) {
    let now = app.clock().server_now();
    (now, now.plus_ms(LEASE_MS_DEFAULT))
}

async fn claim(app: &App) -> Vec<RefreshJob> {
    let (now, leased_until) = lease(app);
    app.store()
        .write(ClaimRefreshes { now, leased_until, limit: 10, free: 999, in_progress: vec![] })
        .await
        .unwrap()
        .jobs
}

/// The end of a refresh with one row, as a worker with this claim would store it.
fn ending(mut account: Account, job: &RefreshJob, number: u32) -> ApplyRefresh {
    let now = job.started_at;
    let shown = Transaction {
        id: TransactionId { account: account.id, listed_at: now, ordinal: 1 },
        status: TransactionStatus::Posted,
        transacted_at: now,
        posted_at: Some(now),
        sequence: job.key.sequence,
        updated: now,
        ..objects::transaction()
    };
    account.version += 1;
    account.rows = 1;
    account.end_refresh(Feature::Transactions, None, 0);
    let event = EventType::AccountRefreshedTransactions;
    let events = vec![Event::of_account(&account, event, 0, now, None)];
    ApplyRefresh {
        claim: Claim { key: job.key, merchant: job.merchant, number: Some(number) },
        change: AccountChange { events, ..AccountChange::of(account) },
        rows: vec![StoredTransaction { bank_id: "the only one".to_owned(), shown }],
        ownership: None,
    }
}

/// A lease lasts exactly its time. After that the job is claimed under a new number, and only the
/// newest number can end it, once.
#[test]
fn only_the_newest_claim_ends_a_refresh() {
    for kept in STORES {
        block_on(async {
            let (app, id, _) = linked(kept, false).await;
            ask_refresh(&app, &id).await;
            let first = claim(&app).await.pop().expect("the refresh is due");
            assert_eq!(claim(&app).await, [], "nobody else gets it while the lease holds");
            app.pass_s(LEASE_OVER_S);
            let second = claim(&app).await.pop().expect("the lease is over");
            assert_eq!((second.key, second.claim), (first.key, first.claim + 1));
            let account = app.stored(&id).await;
            let settle = async |job: &RefreshJob, number| {
                app.store().write(ending(account.clone(), job, number)).await.unwrap()
            };
            assert_eq!(settle(&first, first.claim).await, Written::VersionConflict);
            assert_eq!(settle(&second, second.claim + 1).await, Written::VersionConflict);
            assert_eq!(app.stored(&id).await, account, "a stale end leaves nothing behind");
            assert_eq!(settle(&second, second.claim).await, Written::Done);
            assert_eq!(settle(&second, second.claim).await, Written::VersionConflict);
            assert_eq!(settle(&first, first.claim).await, Written::VersionConflict);
            assert_eq!(app.list_events(REFRESHED).await.len(), 1);
            assert_eq!(judge::server_list(&app, &id).await.len(), 1);
        });
    }
}

/// A worker stops after any of its waits, and continues after its lease has expired and another
/// worker has done the work. It stores nothing more, so there is one event, and each row exists
/// once.
#[test]
fn a_worker_that_comes_back_late_applies_nothing() {
    for waits in 0..8 {
        block_on(async {
            let (app, id, _) = linked(Kept::Sqlite, false).await;
            ask_refresh(&app, &id).await;
            let mut late = pin!(run(&app, Worker::Refresh));
            let ended = run_for(late.as_mut(), waits).await;
            app.pass_s(LEASE_OVER_S);
            run_until_idle(&app).await;
            if !ended {
                late.await;
            }
            run_until_idle(&app).await;
            assert_eq!(app.list_events(REFRESHED).await.len(), 1, "after {waits} waits");
            let state = app.stored(&id).await.transaction_refresh.unwrap();
            assert_eq!((state.sequence, state.is_pending()), (1, false));
        });
    }
}

/// The same for the advance of a test clock. A late worker continues an advance that another worker
/// has finished or is processing. It adds nothing, although it read the rows before. The bank lists
/// its whole window every day.
#[test]
fn a_clock_worker_that_comes_back_late_steps_nothing() {
    for waits in 0..24 {
        block_on(async {
            let (app, id, clock) = linked_at("Test (Non-OAuth)", Kept::Sqlite, true).await;
            let clock = clock.expect("a clock was asked for");
            let asked = app
                .engine()
                .subscribe_account(&app.context(), &id, &[model::bank::Feature::Transactions])
                .await;
            app.answered(asked).expect("it subscribes");
            run_until_idle(&app).await;
            app.advance(&clock, 10 * DAY_S).await.expect("the clock advances");
            let mut late = pin!(run(&app, Worker::Clock));
            let ended = run_for(late.as_mut(), waits).await;
            app.pass_s(LEASE_OVER_S);
            let mut next = pin!(run(&app, Worker::Clock));
            let next_ended = run_for(next.as_mut(), waits / 2).await;
            if !ended {
                late.await;
            }
            if !next_ended {
                next.await;
            }
            app.pass_s(LEASE_OVER_S);
            run_until_idle(&app).await;
            let shown = app.show_clock(&clock).await;
            assert_eq!(shown["status"], "ready", "after {waits} waits");
            assert_eq!(app.list_events(REFRESHED).await.len(), 11, "after {waits} waits");
            ask_refresh(&app, &id).await;
            run_until_idle(&app).await;
            let list = judge::server_list(&app, &id).await;
            assert!(!list.is_empty());
            judge::list_is_ledger(&app, &id, &list).await;
        });
    }
}

/// The same for deliveries. The first claim expired and the second one settled the delivery. The
/// late first attempt is not recorded, and a settled delivery is not claimed again.
#[test]
fn only_the_newest_claim_settles_a_delivery() {
    for kept in STORES {
        block_on(async {
            let (app, id, _) = linked(kept, false).await;
            ask_refresh(&app, &id).await;
            run_until_idle(&app).await;
            run(&app, Worker::Dispatch).await;
            let claim = async || {
                let (now, leased_until) = lease(&app);
                let (limit, free, per_endpoint, in_flight) = (9, 999, 9, Vec::new());
                let claim =
                    ClaimDeliveries { now, leased_until, limit, free, per_endpoint, in_flight };
                app.store().write(claim).await.unwrap()
            };
            let first = claim().await.pop().expect("the delivery is due");
            assert_eq!(claim().await, []);
            app.pass_s(LEASE_OVER_S);
            let second = claim().await.pop().expect("the lease is over");
            assert_eq!(second.payload, first.payload, "the payload is frozen");
            let settle = async |claim: u32, status: u16| {
                let attempt = objects::attempt(1, app.clock().server_now());
                let attempt = Attempt { status: Some(status), ..attempt };
                let settle = SettleDelivery {
                    key: first.key,
                    merchant: first.merchant,
                    claim,
                    attempt: Some(attempt),
                    status: DeliveryStatus::Succeeded,
                    due_at: first.due_at,
                };
                app.store().write(settle).await.unwrap()
            };
            assert_eq!(settle(first.claim, 201).await, Written::VersionConflict);
            assert_eq!(settle(second.claim, 202).await, Written::Done);
            assert_eq!(settle(second.claim, 203).await, Written::VersionConflict);
            assert_eq!(settle(first.claim, 204).await, Written::VersionConflict);
            app.pass_s(LEASE_OVER_S);
            assert_eq!(claim().await, []);
            let event = app.list_events(REFRESHED).await[0]["id"].as_str().unwrap().to_owned();
            let shown = app.lab().list_deliveries(&app.context(), &event).await;
            let shown = app.answered(shown).expect("deliveries are shown");
            let attempts = shown["data"][0]["attempts"].as_array().unwrap();
            assert_eq!(attempts.len(), 1);
            assert_eq!(attempts[0]["status"], 202);
        });
    }
}
