//! Refreshes: claimed, put off and ended.

use crate::fixture::{Fixture, T0, account, connection, event, job, merchant, next, on_both, row};
use model::account::Account;
use model::bank::{BankOwner, Feature};
use model::clock::{AccountTime, ServerTime};
use model::event::EventType;
use model::id::OwnershipId;
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use std::collections::BTreeMap;
use store::{
    AccountChange, ApplyRefresh, ChangeAccount, Claim, ClaimRefreshes, Connection, Cursors,
    FailRefresh, FindConnection, FindOwnership, ListDueAccounts, PutOffRefresh,
};

const LEASE_MS: i64 = 60_000;

async fn claim(fixture: &Fixture, limit: usize) -> Vec<RefreshJob> {
    let now = fixture.time.now();
    let leased_until = now.plus_ms(LEASE_MS);
    fixture
        .write(ClaimRefreshes { now, leased_until, limit, free: 999, in_progress: vec![] })
        .await
        .jobs
}

fn features(claimed: &[RefreshJob]) -> Vec<Feature> {
    claimed.iter().map(|job| job.key.feature).collect()
}

fn of(job: &RefreshJob) -> Claim {
    Claim { key: job.key, merchant: job.merchant, number: Some(job.claim) }
}

fn apply(job: &RefreshJob, account: &Account) -> ApplyRefresh {
    ApplyRefresh {
        claim: of(job),
        change: AccountChange::of(next(account)),
        rows: vec![],
        ownership: None,
    }
}

/// The longest due refresh is claimed first, and a leased one is not claimed. An expired lease
/// frees it under a new claim.
#[test]
fn claims_are_leased() {
    on_both(async |fixture| {
        let now = fixture.time.now();
        let linked = account(merchant(1), 11);
        let run_at = |ms| RunAt::Server(now.plus_ms(ms));
        let jobs = vec![
            RefreshJob { run_at: run_at(-1), ..job(&linked, Feature::Balance, 1) },
            RefreshJob { run_at: run_at(-2), ..job(&linked, Feature::Ownership, 1) },
            RefreshJob { run_at: run_at(1), ..job(&linked, Feature::Transactions, 1) },
        ];
        fixture.link(linked.clone(), jobs).await;
        let claimed = claim(&fixture, 1).await;
        assert_eq!(claimed.len(), 1);
        let first = &claimed[0];
        assert_eq!(first.key.feature, Feature::Ownership);
        assert_eq!((first.claim, first.attempts), (1, 1));
        assert_eq!(first.leased_until, Some(now.plus_ms(LEASE_MS)));
        let claimed = claim(&fixture, 9).await;
        assert_eq!(features(&claimed), [Feature::Balance]);
        assert!(claim(&fixture, 9).await.is_empty());
        fixture.time.pass_ms(LEASE_MS - 1);
        let claimed = claim(&fixture, 9).await;
        assert_eq!(features(&claimed), [Feature::Transactions]);
        fixture.time.pass_ms(1);
        let claimed = claim(&fixture, 9).await;
        assert_eq!(
            claimed.iter().map(|job| (job.key.feature, job.claim)).collect::<Vec<_>>(),
            [(Feature::Ownership, 2), (Feature::Balance, 2)]
        );
        fixture.conflicts(apply(first, &linked)).await;
        fixture.done(apply(&claimed[0], &linked)).await;
    });
}

/// A refresh that waits for a test clock is not claimed by server time.
#[test]
fn a_refresh_may_wait_for_a_clock() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        let run_at = RunAt::Clock(AccountTime(0));
        let waiting = RefreshJob { run_at, ..job(&linked, Feature::Balance, 1) };
        fixture.link(linked, vec![waiting]).await;
        assert!(claim(&fixture, 9).await.is_empty());
    });
}

/// A refresh that was put off is pending, unleased and due later. An old claim cannot put it off.
#[test]
fn a_refresh_is_put_off() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Balance, 1)]).await;
        let job = claim(&fixture, 9).await.remove(0);
        let later = fixture.time.now().plus_ms(500);
        let (run_at, attempts) = (RunAt::Server(later), job.attempts);
        let put_off = PutOffRefresh { claim: of(&job), run_at, attempts, connection: None };
        let old = Claim { number: Some(0), ..of(&job) };
        fixture.conflicts(PutOffRefresh { claim: old, ..put_off.clone() }).await;
        let stolen = Claim { merchant: merchant(2), ..of(&job) };
        fixture.conflicts(PutOffRefresh { claim: stolen, ..put_off.clone() }).await;
        let unclaimed = Claim { number: None, ..of(&job) };
        fixture.conflicts(PutOffRefresh { claim: unclaimed, ..put_off.clone() }).await;
        let same = PutOffRefresh { connection: Some(connection(&linked)), ..put_off.clone() };
        fixture.conflicts(same).await;
        let newer = Connection { version: 2, ..connection(&linked) };
        fixture.done(PutOffRefresh { connection: Some(newer.clone()), ..put_off }).await;
        assert_eq!(fixture.connection(&linked).await, Some(newer));
        assert!(claim(&fixture, 9).await.is_empty());
        fixture.time.pass_ms(500);
        let again = claim(&fixture, 9).await.remove(0);
        assert_eq!((again.claim, again.attempts), (2, 2));
    });
}

/// A successful refresh writes rows, owners, account, connection and event together. Ending it a
/// second time is a version conflict and writes no rows.
#[test]
fn a_refresh_is_applied_atomically() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Ownership, 1)]).await;
        let job = claim(&fixture, 9).await.remove(0);
        let changed = next(&linked);
        let owner =
            BankOwner { name: "Jane".to_owned(), email: None, phone: None, raw_address: None };
        let id = OwnershipId { account: linked.id, sequence: 1 };
        let ownership = Ownership { id, created: T0, owners: vec![owner] };
        let command = ApplyRefresh {
            claim: of(&job),
            change: AccountChange {
                connection: Some(Connection { version: 2, ..connection(&linked) }),
                events: vec![event(&changed, EventType::AccountRefreshedOwnership, 0)],
                ..AccountChange::of(changed.clone())
            },
            rows: vec![row(linked.id, 10, 1), row(linked.id, 20, 2)],
            ownership: Some(ownership.clone()),
        };
        let mut bad = command.clone();
        bad.change.connection = Some(connection(&linked));
        fixture.conflicts(bad).await;
        assert!(fixture.rows(&linked).await.is_empty());
        fixture.done(command.clone()).await;
        assert_eq!(fixture.rows(&linked).await, [2, 1]);
        let find = FindOwnership { merchant: merchant(1), ownership: id };
        assert_eq!(fixture.read(find).await, Some(ownership));
        assert_eq!(fixture.read(FindOwnership { merchant: merchant(2), ..find }).await, None);
        let mut again = command;
        again.change.account.version = 3;
        again.rows = vec![row(linked.id, 30, 3)];
        fixture.conflicts(again).await;
        assert_eq!(fixture.rows(&linked).await, [2, 1]);
    });
}

/// New cursors leave the rest of the connection as it is, under its next version.
#[test]
fn cursors_change_alone() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Transactions, 1)]).await;
        let job = claim(&fixture, 9).await.remove(0);
        let by_feature = BTreeMap::from([(Feature::Transactions, vec![1, 2])]);
        let cursors = Cursors { version: 2, by_feature };
        let mut command = apply(&job, &linked);
        command.change.cursors = Some(Cursors { version: 3, ..cursors.clone() });
        fixture.conflicts(command.clone()).await;
        command.change.cursors = Some(cursors.clone());
        fixture.done(command).await;
        let find = FindConnection { merchant: merchant(1), account: linked.id };
        let expected =
            Connection { version: 2, cursors: cursors.by_feature, ..connection(&linked) };
        assert_eq!(fixture.read(find).await, Some(expected));
    });
}

/// Ending a refresh is a version conflict if the account changed since it was read. The refresh
/// stays pending under its claim.
#[test]
fn an_end_depends_on_the_account_version() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Transactions, 1)]).await;
        let job = claim(&fixture, 9).await.remove(0);
        fixture.done(ChangeAccount::of(AccountChange::of(next(&linked)))).await;
        fixture.conflicts(apply(&job, &linked)).await;
        let fail = FailRefresh { claim: of(&job), change: AccountChange::of(next(&linked)) };
        fixture.conflicts(fail.clone()).await;
        let change = AccountChange::of(next(&next(&linked)));
        fixture.done(FailRefresh { change, ..fail }).await;
        fixture.time.pass_ms(LEASE_MS);
        assert!(claim(&fixture, 9).await.is_empty());
    });
}

/// A refresh may start and end in one command. It is then stored as ended, and another may start in
/// the same command.
#[test]
fn a_refresh_may_start_and_end_at_once() {
    on_both(async |fixture| {
        let linked = fixture.linked(merchant(1), 11).await;
        let ended = job(&linked, Feature::Transactions, 1);
        let following = job(&linked, Feature::Transactions, 2);
        let claim_of = Claim { key: ended.key, merchant: merchant(1), number: None };
        let command = ApplyRefresh {
            claim: claim_of,
            change: AccountChange {
                started: vec![ended.clone(), following],
                ..AccountChange::of(next(&linked))
            },
            rows: vec![row(linked.id, 10, 1)],
            ownership: None,
        };
        let mut unknown = command.clone();
        unknown.change.started.remove(0);
        fixture.conflicts(unknown).await;
        fixture.done(command).await;
        let claimed = claim(&fixture, 9).await;
        assert_eq!(claimed.iter().map(|job| job.key.sequence).collect::<Vec<_>>(), [2]);
        let key = RefreshKey { sequence: 3, ..ended.key };
        let command = FailRefresh {
            claim: Claim { key, ..claim_of },
            change: AccountChange {
                started: vec![RefreshJob { key, ..ended }],
                ended: vec![(claimed[0].key, RefreshStatus::Failed)],
                ..AccountChange::of(next(&next(&linked)))
            },
        };
        fixture.done(command).await;
        fixture.time.pass_ms(LEASE_MS);
        assert!(claim(&fixture, 9).await.is_empty());
    });
}

/// Accounts without a clock are listed when they have due work, the longest due first.
#[test]
fn due_accounts_are_listed() {
    on_both(async |fixture| {
        let due = |number, daily: Option<i64>, bank: Option<i64>| Account {
            daily_due_at: daily.map(AccountTime),
            bank_due_at: bank.map(AccountTime),
            ..account(merchant(1), number)
        };
        let mut on_clock = due(15, Some(1), None);
        on_clock.clock = Some(model::id::ClockId::from_number(1));
        for account in [
            due(11, Some(30), Some(20)),
            due(12, Some(10), None),
            due(13, None, Some(31)),
            due(14, None, None),
            on_clock,
            due(16, None, Some(10)),
        ] {
            fixture.link(account, vec![]).await;
        }
        let list = async |now, limit| {
            let due = fixture.read(ListDueAccounts { now: AccountTime(now), limit }).await;
            due.iter().map(|account| account.id.number()).collect::<Vec<_>>()
        };
        assert_eq!(list(9, 9).await, [0; 0]);
        assert_eq!(list(30, 9).await, [12, 16, 11]);
        assert_eq!(list(31, 2).await, [12, 16]);
        let moved = Account { version: 2, ..due(12, Some(40), None) };
        fixture.done(ChangeAccount::of(AccountChange::of(moved))).await;
        assert_eq!(list(31, 9).await, [16, 11, 13]);
        assert_eq!(fixture.time.now(), ServerTime(1_700_000_000_000_000));
    });
}
