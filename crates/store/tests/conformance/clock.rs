//! Advances of test clocks.

use crate::fixture::{
    Fixture, T0, account, event, job, merchant, next, on_both, reply, row, session, test_clock,
};
use model::account::Account;
use model::bank::Feature;
use model::clock::{AccountTime, ClockStatus, ServerTime, TestClock};
use model::event::EventType;
use model::refresh::{RefreshJob, RunAt};
use model::session::Session;
use store::{
    AccountChange, ApplyRefresh, Claim, ClaimClocks, ClaimRefreshes, ClockClaim, ClockItem,
    FailRefresh, FindAccount, FindEvent, FindObject, FindTransaction, Kind, ListDueOnClock, Object,
    PutOffRefresh, StartAdvance, StepClock, Written,
};

fn advancing(version: u64) -> TestClock {
    TestClock {
        version,
        status: ClockStatus::Advancing,
        target: Some(T0.plus(100)),
        ..test_clock(merchant(1), 5)
    }
}

fn on_clock(number: u64, due: Option<i64>) -> Account {
    Account {
        clock: Some(test_clock(merchant(1), 5).id),
        daily_due_at: due.map(AccountTime),
        ..account(merchant(1), number)
    }
}

async fn start(fixture: &Fixture) {
    fixture.create(Object::TestClock(test_clock(merchant(1), 5))).await;
    fixture.done(StartAdvance { clock: advancing(2), events: vec![], reply: None }).await;
}

async fn claim(fixture: &Fixture) -> Vec<ClockClaim> {
    let now = fixture.time.now();
    fixture
        .write(ClaimClocks {
            now,
            leased_until: now.plus_ms(1_000),
            after: None,
            limit: 9,
            free: 999,
            in_progress: vec![],
        })
        .await
}

fn step(claim: ClockClaim, clock: TestClock, items: Vec<ClockItem>) -> StepClock {
    StepClock { claim, clock, items, events: vec![], leased_until: ServerTime(i64::MAX) }
}

/// An advance starts once, and its job is leased.
#[test]
fn an_advance_is_claimed() {
    on_both(async |fixture| {
        fixture.conflicts(StartAdvance { clock: advancing(2), events: vec![], reply: None }).await;
        assert!(claim(&fixture).await.is_empty());
        start(&fixture).await;
        let again = StartAdvance { clock: advancing(3), events: vec![], reply: None };
        fixture.conflicts(again.clone()).await;
        let key = reply(merchant(1), "key", fixture.time.now());
        fixture.done(store::CreateIdempotencyRecord { record: key.clone() }).await;
        let taken = StartAdvance { reply: Some(key), ..again };
        assert_eq!(fixture.write(taken).await, Written::KeyTaken);
        let clock = test_clock(merchant(1), 5).id;
        let first = ClockClaim { merchant: merchant(1), clock, number: 1 };
        assert_eq!(claim(&fixture).await, [first]);
        assert!(claim(&fixture).await.is_empty());
        fixture.time.pass_ms(1_000);
        assert_eq!(claim(&fixture).await, [ClockClaim { number: 2, ..first }]);
        fixture.conflicts(step(first, advancing(3), vec![])).await;
    });
}

/// Claims of one advance at a time take turns, even if an earlier advance is free again.
#[test]
fn advances_take_turns() {
    on_both(async |fixture| {
        for number in [5, 6, 7] {
            let clock = test_clock(merchant(1), number);
            fixture.create(Object::TestClock(clock.clone())).await;
            let clock = TestClock { id: clock.id, ..advancing(2) };
            fixture.done(StartAdvance { clock, events: vec![], reply: None }).await;
        }
        let (mut after, mut claimed) = (None, Vec::new());
        for _ in 0..6 {
            let now = fixture.time.now();
            // The lease ends at once, so each claim could be the first advance again.
            let claims = fixture
                .write(ClaimClocks {
                    now,
                    leased_until: now,
                    after,
                    limit: 1,
                    free: 999,
                    in_progress: vec![],
                })
                .await;
            after = claims.first().copied();
            claimed.push(claims[0].clock.number());
        }
        claimed[..3].sort_unstable();
        claimed[3..].sort_unstable();
        assert_eq!(claimed, [5, 6, 7, 5, 6, 7]);
    });
}

/// A clock that is no longer advancing ends its job. The job of an advancing clock stays leased.
#[test]
fn the_last_step_ends_the_job() {
    on_both(async |fixture| {
        start(&fixture).await;
        let claimed = claim(&fixture).await[0];
        fixture.conflicts(step(claimed, advancing(2), vec![])).await;
        fixture.done(step(claimed, advancing(3), vec![])).await;
        fixture.time.pass_ms(10_000);
        assert!(claim(&fixture).await.is_empty());
        let ready = TestClock { version: 4, ..test_clock(merchant(1), 5) };
        fixture.done(step(claimed, ready.clone(), vec![])).await;
        assert_eq!(
            fixture.find(merchant(1), Kind::TestClock, 5).await,
            Some(Object::TestClock(ready))
        );
        fixture.done(StartAdvance { clock: advancing(5), events: vec![], reply: None }).await;
        assert_eq!(claim(&fixture).await.len(), 1);
    });
}

/// The due work of a clock is listed: accounts by time and id, then refreshes, of which those by
/// server time come first.
#[test]
fn due_work_of_a_clock_is_listed() {
    on_both(async |fixture| {
        for account in [on_clock(11, Some(30)), on_clock(12, Some(10)), on_clock(13, None)] {
            let at = AccountTime(20 + account.id.number().cast_signed());
            let waiting =
                RefreshJob { run_at: RunAt::Clock(at), ..job(&account, Feature::Balance, 1) };
            let free = job(&account, Feature::Transactions, 1);
            fixture.link(account, vec![waiting, free]).await;
        }
        fixture.link(Account { clock: None, ..on_clock(14, Some(1)) }, vec![]).await;
        let list = ListDueOnClock {
            merchant: merchant(1),
            clock: test_clock(merchant(1), 5).id,
            until: AccountTime(32),
            limit: 9,
        };
        let due = fixture.read(list).await;
        let accounts: Vec<u64> = due.accounts.iter().map(|account| account.id.number()).collect();
        assert_eq!(accounts, [12, 11]);
        let keys = |jobs: &[RefreshJob]| {
            jobs.iter().map(|job| (job.key.account.number(), job.key.feature)).collect::<Vec<_>>()
        };
        let (balance, rows) = (Feature::Balance, Feature::Transactions);
        assert_eq!(
            keys(&due.refreshes),
            [(11, rows), (12, rows), (13, rows), (11, balance), (12, balance)]
        );
        let due = fixture.read(ListDueOnClock { limit: 1, ..list }).await;
        assert_eq!((due.accounts.len(), due.refreshes.len()), (1, 1));
        let elsewhere = ListDueOnClock { merchant: merchant(2), ..list };
        assert_eq!(fixture.read(elsewhere).await, store::DueOnClock::default());
    });
}

/// Workers do not claim the refreshes of an advancing clock.
#[test]
fn refreshes_of_an_advancing_clock_are_not_claimed() {
    on_both(async |fixture| {
        let linked = on_clock(11, None);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Balance, 1)]).await;
        start(&fixture).await;
        let now = fixture.time.now();
        let claim_refreshes =
            ClaimRefreshes { now, leased_until: now, limit: 9, free: 999, in_progress: vec![] };
        assert!(fixture.write(claim_refreshes.clone()).await.jobs.is_empty());
        let claimed = claim(&fixture).await[0];
        let ready = TestClock { version: 3, ..test_clock(merchant(1), 5) };
        fixture.done(step(claimed, ready, vec![])).await;
        assert_eq!(fixture.write(claim_refreshes).await.jobs.len(), 1);
    });
}

/// A step stores all its items in order, and an account once for each version. A step with one item
/// that conflicts writes no rows.
#[test]
fn a_step_is_atomic() {
    on_both(async |fixture| {
        let linked = on_clock(11, Some(10));
        let waiting = job(&linked, Feature::Balance, 1);
        fixture.link(linked.clone(), vec![waiting.clone()]).await;
        start(&fixture).await;
        let claimed = claim(&fixture).await[0];
        let (two, three, four) = (next(&linked), next(&next(&linked)), next(&next(&next(&linked))));
        let rows_job = job(&linked, Feature::Transactions, 1);
        let owners_job = job(&linked, Feature::Ownership, 1);
        let of = |job: &RefreshJob, number| Claim { key: job.key, merchant: merchant(1), number };
        let change = AccountChange { started: vec![rows_job.clone()], ..AccountChange::of(two) };
        let apply = ApplyRefresh {
            claim: of(&rows_job, Some(0)),
            change: AccountChange::of(three),
            rows: vec![row(linked.id, 10, 1)],
            ownership: None,
        };
        let fail = FailRefresh {
            claim: of(&owners_job, None),
            change: AccountChange { started: vec![owners_job], ..AccountChange::of(four.clone()) },
        };
        let put_off = PutOffRefresh {
            claim: of(&waiting, Some(0)),
            run_at: RunAt::Clock(AccountTime(50)),
            attempts: 7,
            connection: None,
        };
        let emitted = event(&linked, EventType::AccountCreated, 0);
        let items = vec![
            ClockItem::Change(Box::new(change)),
            ClockItem::Apply(Box::new(apply)),
            ClockItem::Fail(Box::new(fail)),
            ClockItem::PutOff(Box::new(put_off.clone())),
            ClockItem::Objects {
                objects: vec![Object::Session(session(merchant(1), 7))],
                events: vec![emitted.clone()],
                requires: Vec::new(),
            },
        ];
        let mut bad = items.clone();
        let conflicting = PutOffRefresh { claim: of(&waiting, Some(9)), ..put_off };
        bad.push(ClockItem::PutOff(Box::new(conflicting)));
        fixture.conflicts(step(claimed, advancing(3), bad)).await;
        let mut bad = items.clone();
        let missing = Object::Session(Session { version: 2, ..session(merchant(1), 8) });
        bad.push(ClockItem::Objects {
            objects: vec![missing],
            events: vec![],
            requires: Vec::new(),
        });
        fixture.conflicts(step(claimed, advancing(3), bad)).await;
        let made = FindObject { merchant: merchant(1), kind: Kind::Session, number: 7 };
        assert_eq!(fixture.read(made).await, None);
        let find = FindAccount { merchant: merchant(1), account: linked.id };
        assert_eq!(fixture.read(find).await, Some(linked.clone()));
        fixture.done(step(claimed, advancing(3), items)).await;
        assert_eq!(fixture.read(find).await, Some(four));
        let list = ListDueOnClock {
            merchant: merchant(1),
            clock: claimed.clock,
            until: AccountTime(50),
            limit: 9,
        };
        let pending = fixture.read(list).await.refreshes;
        let put_off = pending.iter().find(|job| job.key == waiting.key);
        assert_eq!(put_off.map(|job| job.attempts), Some(7));
        let transaction = row(linked.id, 10, 1).shown.id;
        let find = FindTransaction { merchant: merchant(1), transaction };
        assert!(fixture.read(find).await.is_some());
        assert_eq!(fixture.read(made).await, Some(Object::Session(session(merchant(1), 7))));
        assert_eq!(fixture.event(merchant(1), emitted.id).await, Some(emitted));
    });
}

/// The events of a rejected command take no time of a commit, so later events have the same times on
/// every back end.
#[test]
fn a_rejected_command_takes_no_commit_time() {
    on_both(async |fixture| {
        let linked = on_clock(11, None);
        fixture.link(linked.clone(), vec![]).await;
        start(&fixture).await;
        let claimed = claim(&fixture).await[0];
        let emitted = |number| event(&account(merchant(1), number), EventType::AccountCreated, 0);
        let objects = |number, version| ClockItem::Objects {
            objects: vec![Object::Session(Session { version, ..session(merchant(1), number) })],
            events: vec![emitted(number)],
            requires: Vec::new(),
        };
        let bad = step(claimed, advancing(3), vec![objects(7, 1), objects(8, 2)]);
        assert_eq!(fixture.write(bad).await, Written::VersionConflict);
        let good = step(claimed, advancing(3), vec![objects(9, 1)]);
        assert_eq!(fixture.write(good).await, Written::Done);
        let find = FindEvent { merchant: merchant(1), event: emitted(9).id };
        let committed_at = fixture.read(find).await.unwrap().committed_at;
        assert_eq!(committed_at, fixture.time.now());
    });
}
