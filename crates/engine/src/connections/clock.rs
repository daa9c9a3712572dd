//! Test clocks, and the steps of an advance.
//!
//! An advance is one leased job, which the clock worker carries to its end. Each step takes the
//! earliest due items of the clock, at most one per account or object. It works on them at their own
//! due times and commits them together with the clock's new time. After a crash the advance continues
//! from the last step. The clock never shows a time later than the earliest unfinished item. During an
//! advance ordinary workers ignore its accounts, and writes to them return 429. An advance that cannot
//! continue ends as a failure.

use crate::connections::refresh::{Outcome, Work, is_current, refresh_of};
use crate::connections::row_cache::RowCache;
use crate::connections::schedule::is_due;
use crate::context::{render, settled};
use crate::due_work::{Due, DueKind, Worked, in_order, next_due, others, required};
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::account::Account;
use model::bank::Feature;
use model::clock::{AccountTime, ClockStatus, TestClock};
use model::event::{Cause, Event, EventType};
use model::id::ClockId;
use model::limits;
use model::refresh::RefreshJob;
use std::collections::HashSet;
use store::{
    AccountChange, Bounds, Claim, ClockClaim, ClockItem, FindAccount, ListDueOnClock, Object,
    StartAdvance, StepClock, Written,
};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::render::connections::clock;

/// The result of a step of an advance.
pub(super) enum Step {
    /// Stored, and more steps follow.
    More,
    /// Not stored, because something that it read has changed.
    Conflict,
    /// The advance has ended.
    Done,
}

/// The event of a change of a clock.
pub(super) fn events_of(
    clock: &TestClock,
    event_type: EventType,
    created: AccountTime,
    cause: Option<Cause>,
) -> Vec<Event> {
    let mut changes = Changes { cause, ..Changes::of_work(created) };
    changes.emit(&Object::TestClock(clock.clone()), event_type);
    changes.events
}

/// The response of a deletion.
pub(super) fn clock_deleted(clock: &TestClock) -> Vec<u8> {
    render(|w| wire::render::deleted::write(w, &clock.id, clock::OBJECT))
}

fn clock_body(clock: &TestClock) -> Vec<u8> {
    render(|w| clock::write(w, clock))
}

impl Engine {
    /// Makes a clock that shows this time.
    pub async fn create_clock(
        &self,
        context: &Context,
        frozen_time: i64,
        name: Option<String>,
    ) -> Result<ApiResponse, Error> {
        let created = self.clock.account_now();
        let clock = TestClock {
            id: ClockId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            created,
            name,
            frozen_time: AccountTime(frozen_time),
            target: None,
            status: ClockStatus::Ready,
            deleted: false,
            deletion_due: None,
        };
        let body = clock_body(&clock);
        let (object, event_type) = (Object::TestClock(clock), EventType::TestClockCreated);
        let mut changes = Changes::of_call(context, created);
        changes.put_and_emit(object, event_type, None);
        self.commit_any(context, changes, body).await?.ok_or(Error::Locked)
    }

    /// Shows a clock.
    pub async fn retrieve_clock(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let clock = self.clock_param(context, id, "test_clock").await?;
        Ok(ApiResponse::unchanged(clock_body(&clock)))
    }

    /// Lists clocks.
    pub async fn list_clocks(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        self.list_all::<TestClock>(context, Bounds::default(), page, clock::URL, clock_body).await
    }

    /// Begins an advance. The clock worker continues it.
    pub async fn advance_clock(
        &self,
        context: &Context,
        id: &str,
        frozen_time: i64,
    ) -> Result<ApiResponse, Error> {
        self.change("advance_clock", async || {
            let mut clock = self.clock_param(context, id, "test_clock").await?;
            if clock.status == ClockStatus::Advancing {
                return Err(Error::Locked);
            }
            let from = clock.frozen_time.0;
            if frozen_time <= from || frozen_time - from > limits::CLOCK_ADVANCE_S_MAX {
                let message = format!(
                    "frozen_time must be later than {from}, the time this clock shows, by at most \
                     {} seconds.",
                    limits::CLOCK_ADVANCE_S_MAX
                );
                return Err(ApiError::invalid(message).param("frozen_time").into());
            }
            clock.status = ClockStatus::Advancing;
            clock.target = Some(AccountTime(frozen_time));
            clock.version += 1;
            let body = clock_body(&clock);
            let (created, cause) = (clock.frozen_time, context.cause());
            let advancing = EventType::TestClockAdvancing;
            let start = StartAdvance {
                events: events_of(&clock, advancing, created, cause),
                clock,
                reply: context.reply(self, &body),
            };
            if !settled(self.store.write(start).await?)? {
                return Ok(None);
            }
            self.wake.clock();
            self.wake.dispatch();
            Ok(Some(ApiResponse::committed(body)))
        })
        .await
    }

    /// Makes one step of an advance. The last step before the server stops ends the lease.
    pub(super) async fn step_clock(
        &self,
        claim: ClockClaim,
        known: &mut RowCache,
        is_last: bool,
    ) -> Result<Step, Error> {
        let Some(mut clock) = self.find_clock(claim.merchant, claim.clock).await? else {
            return Ok(Step::Done);
        };
        let Some(target) = clock.target.filter(|_| clock.status == ClockStatus::Advancing) else {
            return Ok(Step::Done);
        };
        let due = self
            .store
            .read(ListDueOnClock {
                merchant: claim.merchant,
                clock: claim.clock,
                until: target,
                limit: limits::CLOCK_STEP_ITEMS_MAX,
            })
            .await?;
        let (queue, mut left) = in_order(due, clock.frozen_time, limits::CLOCK_STEP_ITEMS_MAX);
        let (mut busy, mut items, mut rows) = (HashSet::new(), Vec::new(), 0);
        for due in queue {
            let (at, subject) = (due.at, due.subject);
            let is_full =
                items.len() >= limits::CLOCK_STEP_ITEMS_MAX || rows >= limits::CLOCK_STEP_ROWS_MAX;
            if is_full || !busy.insert(subject) {
                left = earliest(left, Some(at));
                continue;
            }
            let (item, next) = self.work_due(due, target, known).await?;
            let others = others(item.as_ref(), subject);
            let required = required(item.as_ref(), subject);
            if others.iter().chain(&required).any(|other| busy.contains(other)) {
                // An earlier item of this step changes the same object, so this item read a version
                // that will be outdated.
                left = earliest(left, Some(at));
                continue;
            }
            busy.extend(others);
            if let Some(ClockItem::Apply(apply)) = &item {
                rows += apply.rows.len();
                let account = &apply.change.account;
                known.apply(account.id, account.version, &apply.rows);
            }
            items.extend(item);
            left = earliest(left, next);
        }
        clock.version += 1;
        let mut events = Vec::new();
        let done = items.is_empty() && left.is_none();
        if done {
            clock.frozen_time = target;
            clock.target = None;
            clock.status = ClockStatus::Ready;
            events = events_of(&clock, EventType::TestClockReady, target, None);
        } else if let Some(left) = left {
            clock.frozen_time = clock.frozen_time.max(left.min(target));
        }
        let lease_ms = if is_last { 0 } else { self.settings.lease_ms };
        let leased_until = self.clock.server_now().plus_ms(lease_ms);
        // Test clocks exist in test mode only.
        let livemode = false;
        let refreshes: Vec<_> = items.iter().filter_map(refresh_of).collect();
        let step = StepClock { claim, clock, items, events, leased_until };
        let written = self.store.write(step).await?;
        self.wake.dispatch();
        if written == Written::Done {
            for (feature, outcome) in refreshes {
                self.metrics.count_refresh(livemode, feature, outcome);
            }
        }
        Ok(match written {
            Written::Done if done => Step::Done,
            Written::Done => Step::More,
            Written::VersionConflict | Written::KeyTaken => Step::Conflict,
        })
    }

    /// Works on one due item at its own time. Returns the item to store, and the next due time of
    /// its subject if that is not after the target.
    async fn work_due(
        &self,
        due: Due,
        target: AccountTime,
        known: &mut RowCache,
    ) -> Result<(Option<ClockItem>, Option<AccountTime>), Error> {
        let worked = match due.what {
            DueKind::Account(account) => self.work_account(*account, due.at, known).await?,
            DueKind::Refresh(job) => self.work_refresh(&job, due.at, known).await?,
            DueKind::Object(object) => self.work_object(*object, due.at).await?,
        };
        Ok(match worked {
            Worked::Item(item) => {
                let next = next_due(&item).filter(|at| *at <= target);
                (Some(item), next)
            }
            Worked::Conflict => (None, Some(due.at)),
            Worked::Nothing => (None, None),
        })
    }

    async fn work_account(
        &self,
        account: Account,
        now: AccountTime,
        known: &mut RowCache,
    ) -> Result<Worked, Error> {
        let Some(connection) = self.connection_of(&account).await? else {
            return Ok(Worked::Nothing);
        };
        let mut change = self.due_change(account, &connection, now);
        if !is_due(change.account.daily_due_at, now) {
            return Ok(Worked::Item(ClockItem::Change(Box::new(change))));
        }
        change.account.daily_due_at = Some(change.account.next_daily(now));
        let alone =
            change.events.is_empty() && change.account.subscriptions() == [Feature::Transactions];
        if !alone || change.account.is_pending(Feature::Transactions) {
            self.start_daily(&mut change, now);
            return Ok(Worked::Item(ClockItem::Change(Box::new(change))));
        }
        // The account has no other change, so the refresh starts and ends in one command.
        let mut account = change.account;
        account.version -= 1;
        let job =
            RefreshJob { attempts: 1, ..self.start(&mut account, Feature::Transactions, now) };
        let work = Work {
            room: None,
            claim: Claim { key: job.key, merchant: job.merchant, number: None },
            waited_s: 0,
            attempts: 1,
            rounding_s: 0,
            account: account.clone(),
            connection,
            unstored: Some(job.clone()),
            now,
        };
        Ok(Worked::Item(match self.attempt_refresh(work, Some(known)).await? {
            Outcome::Apply(apply) => ClockItem::Apply(apply),
            Outcome::Fail(fail) => ClockItem::Fail(fail),
            Outcome::PutOff(put_off) => {
                account.version += 1;
                let job = RefreshJob { run_at: put_off.run_at, ..job };
                let change = AccountChange { started: vec![job], ..AccountChange::of(account) };
                ClockItem::Change(Box::new(change))
            }
            Outcome::Conflict => return Ok(Worked::Conflict),
        }))
    }

    async fn work_refresh(
        &self,
        job: &RefreshJob,
        now: AccountTime,
        known: &mut RowCache,
    ) -> Result<Worked, Error> {
        let find = FindAccount { merchant: job.merchant, account: job.key.account };
        let Some(account) = self.store.read(find).await? else {
            return Ok(Worked::Nothing);
        };
        let Some(connection) = self.connection_of(&account).await? else {
            return Ok(Worked::Nothing);
        };
        if !is_current(&account, job.key) {
            return Ok(Worked::Nothing);
        }
        let work = Work {
            room: None,
            claim: Claim { key: job.key, merchant: job.merchant, number: Some(job.claim) },
            waited_s: now.0 - job.started_at.0,
            attempts: job.attempts + 1,
            rounding_s: 0,
            account,
            connection,
            unstored: None,
            now,
        };
        Ok(Worked::Item(match self.attempt_refresh(work, Some(known)).await? {
            Outcome::Apply(apply) => ClockItem::Apply(apply),
            Outcome::Fail(fail) => ClockItem::Fail(fail),
            Outcome::PutOff(put_off) => ClockItem::PutOff(put_off),
            Outcome::Conflict => return Ok(Worked::Conflict),
        }))
    }
}

fn earliest(one: Option<AccountTime>, other: Option<AccountTime>) -> Option<AccountTime> {
    [one, other].into_iter().flatten().min()
}
