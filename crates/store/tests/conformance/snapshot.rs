//! Snapshots of a sandbox: a restore brings every row back, ids are never used twice, and other
//! merchants are not affected.

use crate::agree::{Both, pick};
use crate::fixture::{
    Fixture, T0, account, customer, delivery, endpoint, event, job, merchant, next, on_both, reply,
    row, settlement, test_clock,
};
use crate::shares::claim_refreshes;
use crate::steps::Sandbox;
use model::account::Account;
use model::bank::Feature;
use model::clock::ClockStatus;
use model::connected_account::{ConnectedAccount, PlatformTie};
use model::delivery::DeliveryStatus;
use model::event::EventType;
use model::id::{MerchantId, SnapshotId};
use model::limits::SNAPSHOTS_MAX;
use model::refresh::RefreshJob;
use model::snapshot::SandboxSnapshot;
use std::collections::BTreeMap;
use store::{
    AccountChange, ApplyRefresh, ChangeAccount, ChangeObject, ChangeObjects, Claim, ClaimClocks,
    ClaimDeliveries, ClaimRefreshes, CopySandbox, CreateIdempotencyRecord, CreateObject,
    DropSnapshot, FindAccount, FindEvent, FindIdempotencyRecord, FindLinkedAccount, FindObject,
    Kind, ListDeliveries, MeasureSandbox, Object, Prune, Pruned, ResetSandbox, RestoreSnapshot,
    SandboxCopy, SettleDelivery, Snapshotted, StartAdvance, StepClock, TakeSnapshot, Written,
};

impl Both {
    /// Runs a command on a whole sandbox.
    pub(crate) async fn run_sandbox(&mut self, owner: u64, what: Sandbox) {
        let of = merchant(owner);
        match what {
            Sandbox::Copy => {
                let copies = self.copy(of).await;
                self.copies.insert(owner, copies);
            }
            Sandbox::Take { room, key } => {
                let id = SnapshotId::from_number(self.snapshots.len() as u64 + 1);
                let copies = match self.copies.remove(&owner) {
                    Some(copies) => copies,
                    None => self.copy(of).await,
                };
                let [database, model] = copies.map(|copy| {
                    let reply = self.key(owner, key);
                    TakeSnapshot { snapshots_max: room, reply, ..of_copy(of, id, copy) }
                });
                self.snapshots.push(id);
                let database = self.database.take_snapshot(database).await.ok();
                let model = self.model.take_snapshot(model).await.ok();
                assert_eq!(database, model);
            }
            Sandbox::Restore { snapshot, key } => {
                let Some(snapshot) = pick(&self.snapshots, snapshot).copied() else { return };
                let reply = self.key(owner, key);
                let restore = RestoreSnapshot { merchant: of, snapshot, reply };
                let database = self.database.restore_snapshot(restore.clone()).await.ok();
                let model = self.model.restore_snapshot(restore.clone()).await.ok();
                assert_eq!(database, model, "{restore:?}");
                self.compare_all().await;
            }
            Sandbox::Drop { snapshot } => {
                let Some(snapshot) = pick(&self.snapshots, snapshot).copied() else { return };
                self.write(DropSnapshot { merchant: of, snapshot, reply: None }).await;
            }
            Sandbox::Reset { key } => {
                let reply = self.key(owner, key);
                let reset = ResetSandbox { merchant: of, reply };
                let database = self.database.reset_sandbox(reset.clone()).await.ok();
                let model = self.model.reset_sandbox(reset.clone()).await.ok();
                assert_eq!(database, model, "{reset:?}");
            }
        }
    }

    /// A copy of a sandbox from each back end. Both have the same size.
    async fn copy(&self, merchant: MerchantId) -> [SandboxCopy; 2] {
        let database = self.database.read(CopySandbox { merchant }).await.unwrap();
        let model = self.model.read(CopySandbox { merchant }).await.unwrap();
        assert_eq!(database.size, model.size);
        [database, model]
    }
}

/// A snapshot of a copy.
fn of_copy(merchant: MerchantId, id: SnapshotId, copy: SandboxCopy) -> TakeSnapshot {
    let snapshot = SandboxSnapshot {
        id,
        merchant,
        version: 1,
        created: T0,
        name: None,
        metadata: BTreeMap::new(),
        size: copy.size.clone(),
    };
    TakeSnapshot { snapshot, copy, snapshots_max: SNAPSHOTS_MAX, reply: None }
}

/// A snapshot of the current state, which is not taken yet.
pub(crate) async fn copied(fixture: &Fixture, of: MerchantId, number: u64) -> TakeSnapshot {
    let copy = fixture.read(CopySandbox { merchant: of }).await;
    of_copy(of, SnapshotId::from_number(number), copy)
}

pub(crate) async fn take(fixture: &Fixture, of: MerchantId, number: u64) -> SnapshotId {
    let take = copied(fixture, of, number).await;
    assert_eq!(fixture.store.take_snapshot(take).await.unwrap(), Snapshotted::Done);
    SnapshotId::from_number(number)
}

pub(crate) async fn restore(fixture: &Fixture, snapshot: SnapshotId) -> Snapshotted {
    let restore = RestoreSnapshot { merchant: merchant(1), snapshot, reply: None };
    fixture.store.restore_snapshot(restore).await.unwrap()
}

pub(crate) async fn reset(fixture: &Fixture, merchant: MerchantId) -> Snapshotted {
    fixture.store.reset_sandbox(ResetSandbox { merchant, reply: None }).await.unwrap()
}

pub(crate) async fn find(fixture: &Fixture, number: u64) -> Account {
    let account = model::id::AccountId::from_number(number);
    fixture.read(FindAccount { merchant: merchant(1), account }).await.unwrap()
}

/// An account, and a refresh of its transactions that a worker has claimed.
pub(crate) async fn claimed(fixture: &Fixture) -> (Account, RefreshJob) {
    let mut linked = account(merchant(1), 11);
    linked.start_refresh(Feature::Transactions, T0);
    fixture.link(linked.clone(), vec![job(&linked, Feature::Transactions, 1)]).await;
    let now = fixture.time.now();
    let claim = ClaimRefreshes { leased_until: now.plus_ms(60_000), ..claim_refreshes(fixture, 9) };
    let job = fixture.write(claim).await.jobs.remove(0);
    (linked, job)
}

/// The end of a claimed refresh, with this row.
pub(crate) fn ended(linked: &Account, job: &RefreshJob, ordinal: u32) -> ApplyRefresh {
    let mut account = next(linked);
    account.end_refresh(Feature::Transactions, None, 0);
    account.rows = ordinal;
    let events = vec![event(&account, EventType::refreshed(Feature::Transactions), 0)];
    ApplyRefresh {
        claim: Claim { key: job.key, merchant: job.merchant, number: Some(job.claim) },
        rows: vec![row(account.id, 5, ordinal)],
        change: AccountChange { events, ..AccountChange::of(account) },
        ownership: None,
    }
}

/// A restore brings back the links of bank accounts, and a reset ends them.
#[test]
fn links_are_restored() {
    on_both(async |fixture| {
        let linked = account(merchant(1), 11);
        let twin = |number| Account {
            bank_account: linked.bank_account.clone(),
            ..account(merchant(1), number)
        };
        let lookup = FindLinkedAccount {
            merchant: merchant(1),
            holder: linked.holder.clone().unwrap(),
            institution: linked.institution,
            bank_account: linked.bank_account.clone(),
        };
        let found = async || fixture.read(lookup.clone()).await.map(|account| account.id);
        fixture.link(linked.clone(), vec![]).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        let mut gone = next(&linked);
        gone.disconnect();
        let change = ChangeAccount::of(AccountChange::of(gone));
        assert_eq!(fixture.write(change).await, Written::Done);
        fixture.link(twin(12), vec![]).await;
        assert_eq!(found().await, Some(twin(12).id));
        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
        assert_eq!(found().await, Some(linked.id));
        assert_eq!(reset(&fixture, merchant(1)).await, Snapshotted::Done);
        assert_eq!(found().await, None);
        fixture.link(twin(13), vec![]).await;
        assert_eq!(found().await, Some(twin(13).id));
    });
}

/// A restore undoes every change since the snapshot. This covers objects with their secrets,
/// accounts with their credentials, rows, events with their marks and deliveries, and idempotency
/// records.
#[test]
fn a_restore_brings_rows_back() {
    on_both(async |fixture| {
        let (linked, job) = claimed(&fixture).await;
        fixture.done(ended(&linked, &job, 1)).await;
        fixture.create(Object::Endpoint(endpoint(merchant(1), 3))).await;
        let emitted = fixture.undispatched(merchant(1)).await.remove(0).id;
        let now = fixture.time.now();
        let record = |key: &str| CreateIdempotencyRecord { record: reply(merchant(1), key, now) };
        fixture.done(record("before")).await;
        let before = fixture.read(MeasureSandbox { merchant: merchant(1) }).await;
        let snapshot = take(&fixture, merchant(1), 1).await;

        let deliveries = vec![delivery(merchant(1), emitted, 3, now)];
        fixture.dispatch(merchant(1), emitted, deliveries).await;
        let mut changed = endpoint(merchant(1), 3);
        (changed.version, changed.secrets[0].value) = (2, "whsec_changed".to_owned());
        fixture.done(ChangeObject::of(Object::Endpoint(changed))).await;
        fixture.done(CreateObject::of(Object::Customer(customer(merchant(1), 9)))).await;
        fixture.done(record("after")).await;

        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
        assert_eq!(
            fixture.read(MeasureSandbox { merchant: merchant(1) }).await.counts,
            before.counts
        );
        let find_object = |kind, number| FindObject { merchant: merchant(1), kind, number };
        let Some(Object::Endpoint(found)) = fixture.read(find_object(Kind::Endpoint, 3)).await
        else {
            panic!("the endpoint is back");
        };
        assert_eq!(found.secrets, endpoint(merchant(1), 3).secrets);
        assert_eq!(fixture.read(find_object(Kind::Customer, 9)).await, None);
        assert_eq!(
            fixture.connection(&linked).await.unwrap().credential,
            b"a password at the bank"
        );
        assert_eq!(fixture.rows(&linked).await, [1]);
        let stored =
            fixture.read(FindEvent { merchant: merchant(1), event: emitted }).await.unwrap();
        assert_eq!(stored.feed, None);
        assert!(
            fixture.read(ListDeliveries { merchant: merchant(1), event: emitted }).await.is_empty()
        );
        for (key, there) in [("before", true), ("after", false)] {
            let find = FindIdempotencyRecord { merchant: merchant(1), key: key.to_owned(), now };
            assert_eq!(fixture.read(find).await.is_some(), there, "{key}");
        }
        assert_eq!(fixture.write(Prune { now }).await, Pruned::default());
    });
}

/// A worker that claimed a refresh before a restore cannot end it. The refresh can be claimed at
/// once, because its lease is not restored.
#[test]
fn a_claimed_refresh_is_fenced() {
    on_both(async |fixture| {
        let (linked, job) = claimed(&fixture).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
        let restored = find(&fixture, 11).await;
        for late in [&linked, &restored] {
            fixture.conflicts(ended(late, &job, 1)).await;
        }
        let now = fixture.time.now();
        let claim =
            ClaimRefreshes { leased_until: now.plus_ms(60_000), ..claim_refreshes(&fixture, 9) };
        let again = fixture.write(claim).await.jobs.remove(0);
        assert!(again.claim > job.claim);
        fixture.done(ended(&restored, &again, restored.rows + 1)).await;
    });
}

/// Claims of deliveries and of advances from before a restore are rejected as well.
#[test]
fn claimed_deliveries_and_clocks_are_fenced() {
    on_both(async |fixture| {
        let (linked, job) = claimed(&fixture).await;
        fixture.done(ended(&linked, &job, 1)).await;
        let emitted = fixture.undispatched(merchant(1)).await.remove(0).id;
        let now = fixture.time.now();
        let deliveries = vec![delivery(merchant(1), emitted, 3, now)];
        fixture.dispatch(merchant(1), emitted, deliveries).await;
        fixture.create(Object::TestClock(test_clock(merchant(1), 4))).await;
        let mut clock = test_clock(merchant(1), 4);
        (clock.version, clock.status) = (2, ClockStatus::Advancing);
        fixture.done(StartAdvance { clock, events: vec![], reply: None }).await;
        let leased_until = now.plus_ms(60_000);
        let claim = ClaimDeliveries {
            now,
            leased_until,
            limit: 9,
            free: 999,
            per_endpoint: 9,
            in_flight: vec![],
        };
        let sent = fixture.write(claim.clone()).await.remove(0);
        let claim_clocks = ClaimClocks {
            now,
            leased_until,
            after: None,
            limit: 9,
            free: 999,
            in_progress: vec![],
        };
        let moved = fixture.write(claim_clocks.clone()).await.remove(0);
        let snapshot = take(&fixture, merchant(1), 1).await;
        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);

        let settle =
            |claim| SettleDelivery { claim, ..settlement(&sent, DeliveryStatus::Succeeded, now) };
        fixture.conflicts(settle(sent.claim)).await;
        let again = fixture.write(claim).await.remove(0);
        fixture.done(settle(again.claim)).await;
        let of_clock = FindObject { merchant: merchant(1), kind: Kind::TestClock, number: 4 };
        let Some(Object::TestClock(mut clock)) = fixture.read(of_clock).await else {
            panic!("the clock is back");
        };
        clock.version += 1;
        let step = |claim| StepClock {
            claim,
            clock: clock.clone(),
            items: vec![],
            events: vec![],
            leased_until,
        };
        fixture.conflicts(step(moved)).await;
        let again = fixture.write(claim_clocks).await.remove(0);
        fixture.done(step(again)).await;
    });
}

/// A delivery or an advance that is stored after a restore never has the claim of work from before it.
#[test]
fn work_from_before_a_restore_fits_no_later_row() {
    on_both(async |fixture| {
        let (linked, job) = claimed(&fixture).await;
        fixture.done(ended(&linked, &job, 1)).await;
        let emitted = fixture.undispatched(merchant(1)).await.remove(0).id;
        fixture.create(Object::TestClock(test_clock(merchant(1), 4))).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        let now = fixture.time.now();
        let leased_until = now.plus_ms(60_000);
        let begin = async || {
            let deliveries = vec![delivery(merchant(1), emitted, 3, now)];
            fixture.dispatch(merchant(1), emitted, deliveries).await;
            let of_clock = FindObject { merchant: merchant(1), kind: Kind::TestClock, number: 4 };
            let Some(Object::TestClock(mut clock)) = fixture.read(of_clock).await else {
                panic!("the clock is there");
            };
            (clock.version, clock.status) = (clock.version + 1, ClockStatus::Advancing);
            fixture.done(StartAdvance { clock, events: vec![], reply: None }).await;
            let claim = ClaimDeliveries {
                now,
                leased_until,
                limit: 9,
                free: 999,
                per_endpoint: 9,
                in_flight: vec![],
            };
            let clocks = ClaimClocks {
                now,
                leased_until,
                after: None,
                limit: 9,
                free: 999,
                in_progress: vec![],
            };
            (fixture.write(claim).await.remove(0), fixture.write(clocks).await.remove(0))
        };
        let (old, old_clock) = begin().await;
        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
        let (new, new_clock) = begin().await;
        assert!(new.claim > old.claim && new_clock.number > old_clock.number, "{new:?}");
        fixture.conflicts(settlement(&old, DeliveryStatus::Succeeded, now)).await;
        fixture.done(settlement(&new, DeliveryStatus::Succeeded, now)).await;
    });
}

/// Ids from after a snapshot are not used again after its restore. Versions and their events,
/// sequences and ordinals go on above them, also after a reset in between.
#[test]
fn ids_are_used_once() {
    on_both(async |fixture| {
        let (linked, job) = claimed(&fixture).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        fixture.done(ended(&linked, &job, 40)).await;
        let mut gone = find(&fixture, 11).await;
        let sequence = gone.start_refresh(Feature::Transactions, T0);
        gone.version += 1;
        let change = AccountChange {
            started: vec![job_of(&gone, sequence)],
            events: vec![event(&gone, EventType::AccountReactivated, 0)],
            ..AccountChange::of(gone.clone())
        };
        fixture.done(ChangeAccount::of(change)).await;
        for between in [false, true] {
            if between {
                assert_eq!(reset(&fixture, merchant(1)).await, Snapshotted::Done);
            }
            assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
            let mut back = find(&fixture, 11).await;
            assert!(back.version > gone.version && back.rows >= 40, "{back:?}");
            let listable = model::account::ListableAccount::from(&back);
            assert!(listable.has_refresh(1) && !listable.has_refresh(sequence));
            back.end_refresh(Feature::Transactions, None, 0);
            assert!(back.start_refresh(Feature::Transactions, T0) > sequence);
            let undone = model::account::ListableAccount::from(&back);
            assert!(!undone.has_refresh(sequence), "an undone refresh stays unknown");
            gone.version = back.version;
        }
    });
}

pub(crate) fn job_of(account: &Account, sequence: u32) -> RefreshJob {
    job(account, Feature::Transactions, sequence)
}

/// A reset removes everything except snapshots, and does not affect another merchant.
#[test]
fn a_reset_removes_all_rows() {
    on_both(async |fixture| {
        let (linked, job) = claimed(&fixture).await;
        fixture.done(ended(&linked, &job, 1)).await;
        fixture.link(account(merchant(2), 12), vec![]).await;
        let other = fixture.read(MeasureSandbox { merchant: merchant(2) }).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        let last = reply(merchant(1), "reset", fixture.time.now());
        let command = ResetSandbox { merchant: merchant(1), reply: Some(last.clone()) };
        fixture.is_reset(command.clone()).await;
        let left = fixture.read(MeasureSandbox { merchant: merchant(1) }).await;
        assert_eq!((left.rows(), left.bytes), (0, 0));
        assert!(fixture.rows(&linked).await.is_empty());
        assert!(fixture.undispatched(merchant(1)).await.is_empty());
        assert_eq!(fixture.read(MeasureSandbox { merchant: merchant(2) }).await, other);
        // The repeated command finds the idempotency record.
        let repeated = fixture.store.reset_sandbox(command).await.unwrap();
        assert_eq!(repeated, Snapshotted::KeyTaken);
        fixture.conflicts(ended(&linked, &job, 1)).await;
        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
        assert_eq!(fixture.rows(&linked).await, [1]);
    });
}

/// Rejected commands change no rows: a taken key, too many snapshots, a missing snapshot, another
/// merchant's.
#[test]
fn refused_snapshot_commands_change_no_rows() {
    on_both(async |fixture| {
        fixture.create(Object::Customer(customer(merchant(1), 1))).await;
        let id = SnapshotId::from_number(1);
        let record = reply(merchant(1), "key", fixture.time.now());
        fixture.done(CreateIdempotencyRecord { record: record.clone() }).await;
        let rejected = async |take| fixture.store.take_snapshot(take).await.unwrap();
        let repeated =
            TakeSnapshot { reply: Some(record), ..copied(&fixture, merchant(1), 1).await };
        assert_eq!(rejected(repeated).await, Snapshotted::KeyTaken);
        assert_eq!(restore(&fixture, id).await, Snapshotted::Missing);
        take(&fixture, merchant(1), 1).await;
        let full = TakeSnapshot { snapshots_max: 1, ..copied(&fixture, merchant(1), 2).await };
        assert_eq!(rejected(full).await, Snapshotted::Full);
        let of_other = |reply| DropSnapshot { merchant: merchant(2), snapshot: id, reply };
        assert_eq!(fixture.write(of_other(None)).await, Snapshotted::Missing);
        let drop = DropSnapshot { merchant: merchant(1), ..of_other(None) };
        fixture.done(drop.clone()).await;
        assert_eq!(fixture.write(drop).await, Snapshotted::Missing);
        assert_eq!(restore(&fixture, id).await, Snapshotted::Missing);
    });
}

/// Connected accounts are copied, restored and removed with their platform. A reset of a connected
/// account's own sandbox leaves its tie to the platform.
#[test]
fn connected_accounts_belong_to_their_platform() {
    on_both(async |fixture| {
        let connected = ConnectedAccount::of(merchant(1), "acct_x", false, T0);
        let own = connected.acts_as();
        let tie = PlatformTie {
            merchant: own,
            version: 1,
            created: T0,
            platform: merchant(1),
            account: "acct_x".to_owned(),
            deleted: false,
        };
        let open =
            ChangeObjects::of(vec![Object::ConnectedAccount(connected), Object::PlatformTie(tie)]);
        fixture.done(open.clone()).await;
        fixture.create(Object::Customer(customer(own, 5))).await;
        let find = |kind, number| FindObject { merchant: own, kind, number };
        let there = async |kind, number| fixture.read(find(kind, number)).await.is_some();

        assert_eq!(reset(&fixture, own).await, Snapshotted::Done);
        assert!(!there(Kind::Customer, 5).await);
        assert!(there(Kind::PlatformTie, PlatformTie::NUMBER).await);
        fixture.create(Object::Customer(customer(own, 6))).await;
        let snapshot = take(&fixture, merchant(1), 1).await;
        let size = fixture.read(MeasureSandbox { merchant: merchant(1) }).await;
        assert_eq!(size.merchants, [merchant(1), own]);
        assert_eq!(size.rows(), 3);

        assert_eq!(reset(&fixture, merchant(1)).await, Snapshotted::Done);
        assert!(!there(Kind::Customer, 6).await);
        assert!(!there(Kind::PlatformTie, PlatformTie::NUMBER).await);
        fixture.done(open).await;
        assert_eq!(restore(&fixture, snapshot).await, Snapshotted::Done);
        assert!(there(Kind::Customer, 6).await);
        assert!(there(Kind::PlatformTie, PlatformTie::NUMBER).await);
    });
}
