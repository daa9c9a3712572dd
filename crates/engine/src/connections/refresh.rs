//! The refresh worker: claim → fetch (`refresh/gather.rs`) → diff → one command.
//!
//! A job is worked on under a claim. The closing command carries the claim and the account version
//! that was read. The store rejects it if either is outdated, for example after an expired lease,
//! an unsubscribe or a disconnect. The job is then read again. After a crash the lease expires and
//! the job is claimed again. The lost attempt has stored at most a credential or a state that the
//! bank replaced.

pub(crate) mod gather;
mod progress;

use crate::connections::change::{push_event_of, record_interrupted_by};
use crate::connections::row_cache::RowCache;
use crate::context::settled;
use crate::metrics::RefreshOutcome;
use crate::{Engine, Error};
use connectors::FetchError;
pub use gather::bank_cursor;
use gather::{CUT_OFF, Fetched, Gathered, WHOLE};
use model::Word;
use model::account::{Account, InactiveCause, StatusAction};
use model::bank::{Coverage, Feature};
use model::clock::AccountTime;
use model::diff::{Refreshed, diff};
use model::event::EventType;
use model::id::OwnershipId;
use model::inferred_balance::InferredFrom;
use model::limits;
use model::ownership::Ownership;
use model::refresh::{RefreshCause, RefreshJob, RefreshKey, RefreshStatus, RunAt};
use model::transaction::StoredTransaction;
pub use progress::InProgress;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use store::{
    AccountChange, ApplyRefresh, Claim, ClockItem, Connection, Cursors, FailRefresh, FindAccount,
    FindConnection, FindStoredTransactions, PutOffRefresh,
};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

/// The microseconds of a second, the unit of server time.
const MICROSECONDS: i64 = 1_000_000;

/// The result of an attempt at a refresh, to be stored.
pub(crate) enum Outcome {
    /// It succeeded.
    Apply(Box<ApplyRefresh>),
    /// It failed.
    Fail(Box<FailRefresh>),
    /// It is retried later.
    PutOff(Box<PutOffRefresh>),
    /// Something that it read has changed, so it begins again without being stored.
    Conflict,
}

/// A claimed refresh with its inputs.
pub(crate) struct Work {
    pub(crate) claim: Claim,
    /// Seconds that it has been pending, by the account's test clock or else by real time.
    pub(crate) waited_s: i64,
    pub(crate) attempts: u32,
    pub(crate) account: Account,
    pub(crate) connection: Connection,
    /// The seconds by which the cool-down is longer, because its end is rounded up to a whole second.
    pub(crate) rounding_s: i64,
    /// The job, if it is stored only together with its outcome.
    pub(crate) unstored: Option<RefreshJob>,
    /// The room of a large refresh, until its outcome is stored. `None` in a step of a test clock.
    pub(crate) room: Option<Arc<OnceLock<OwnedSemaphorePermit>>>,
    pub(crate) now: AccountTime,
}

impl Engine {
    async fn settle_refresh(&self, job: &RefreshJob) -> Result<(), Error> {
        let RefreshKey { account, feature, .. } = job.key;
        let began = self.clock.server_now();
        let span = tracing::info_span!(
            "refresh",
            account.id = %account,
            feature = feature.word(),
            job.attempt = job.attempts
        );
        let settled = pin!(self.settle_claimed(job)).instrument(span).await?;
        let Some((livemode, outcome)) = settled else { return Ok(()) };
        self.metrics.count_refresh(livemode, feature, outcome);
        tracing::info!(
            account.id = %account,
            merchant = %job.merchant,
            feature = feature.word(),
            job.attempt = job.attempts,
            duration_ms = self.clock.server_now().ms_since(began),
            "refresh {}",
            outcome.word()
        );
        Ok(())
    }

    /// Attempts a claimed refresh and stores the outcome. Returns the mode of the account and the
    /// outcome, or `None` if the job was no longer this worker's.
    async fn settle_claimed(
        &self,
        job: &RefreshJob,
    ) -> Result<Option<(bool, RefreshOutcome)>, Error> {
        self.change("settle_refresh", async || {
            let Some(work) = self.claimed_work(job).await? else {
                return Ok(Some(None));
            };
            let livemode = work.account.livemode;
            let _room = work.room.clone();
            let outcome = self.attempt_refresh(work, None).await?;
            let (written, ended) = match outcome {
                Outcome::Apply(apply) => {
                    (self.store.write(*apply).await?, RefreshOutcome::Succeeded)
                }
                Outcome::Fail(fail) => {
                    let ended = RefreshOutcome::Failed(cause_of(&fail));
                    (self.store.write(*fail).await?, ended)
                }
                Outcome::PutOff(put_off) => {
                    (self.store.write(*put_off).await?, RefreshOutcome::Delayed)
                }
                Outcome::Conflict => return Ok(None),
            };
            if !settled(written)? {
                return Ok(None);
            }
            self.wake.dispatch();
            Ok(Some(Some((livemode, ended))))
        })
        .await
    }

    /// The inputs of a claimed job, or `None` if it has ended or a test clock has taken it over.
    async fn claimed_work(&self, job: &RefreshJob) -> Result<Option<Work>, Error> {
        let find = FindAccount { merchant: job.merchant, account: job.key.account };
        let Some(account) = self.store.read(find).await? else {
            return Ok(None);
        };
        let moment = self.moment(account.merchant, account.clock).await?;
        if moment.advancing || !is_current(&account, job.key) {
            return Ok(None);
        }
        let Some(connection) = self.connection_of(&account).await? else {
            return Ok(None);
        };
        // Without a test clock the account's time may be fixed, but waiting takes real time.
        let waited_s = match account.clock {
            Some(_) => moment.now.0 - job.started_at.0,
            None => self.clock.server_now().ms_since(job.started_server) / 1_000,
        };
        Ok(Some(Work {
            claim: Claim { key: job.key, merchant: job.merchant, number: Some(job.claim) },
            waited_s,
            attempts: job.attempts,
            rounding_s: rounding_s(job),
            account,
            connection,
            unstored: None,
            room: Some(Arc::default()),
            now: moment.now,
        }))
    }

    /// The known data of an account at its bank. `None` after a disconnect.
    pub async fn connection_of(&self, account: &Account) -> Result<Option<Connection>, Error> {
        let find = FindConnection { merchant: account.merchant, account: account.id };
        Ok(self.store.read(find).await?)
    }

    /// Fetches and compares. Writes only a credential or a state that the bank replaced.
    pub(crate) async fn attempt_refresh(
        &self,
        mut work: Work,
        known: Option<&mut RowCache>,
    ) -> Result<Outcome, Error> {
        let fetch_error = match self.gather(&mut work).await? {
            Fetched::Pages(gathered) => return self.success(work, gathered, known).await,
            Fetched::Conflict => return Ok(Outcome::Conflict),
            Fetched::Rejected(fetch_error) => fetch_error,
        };
        Ok(match fetch_error {
            FetchError::RetryAfter { at, cause } => self.put_off(work, at, cause),
            FetchError::NeedsLogin { cause } => {
                let inactive = (lost_by_login(cause), StatusAction::RelinkRequired);
                self.failure(work, cause, Some(inactive))
            }
            FetchError::AccountGone { cause } => {
                let inactive = match cause {
                    RefreshCause::AccountClosed => InactiveCause::AccountClosed,
                    _ => InactiveCause::AccountUnavailable,
                };
                self.failure(work, cause, Some((inactive, StatusAction::None)))
            }
            FetchError::Unsupported => self.failure(work, RefreshCause::Unsupported, None),
            FetchError::Broken { cause } => self.failure(work, cause, None),
        })
    }

    async fn success(
        &self,
        work: Work,
        gathered: Gathered,
        known: Option<&mut RowCache>,
    ) -> Result<Outcome, Error> {
        let Work { claim, mut account, mut connection, rounding_s, unstored, now, .. } = work;
        let key = claim.key;
        let mut rows = Vec::new();
        let mut ownership = None;
        match key.feature {
            Feature::Transactions => {
                rows = self.compared(&account, key, now, &gathered, known).await?;
                account.rows = rows
                    .iter()
                    .map(|row| row.shown.id.ordinal)
                    .fold(account.rows, std::cmp::Ord::max);
            }
            Feature::Balance => account.balance = gathered.balance,
            Feature::InferredBalances => {
                let from = gathered.balance;
                account.inferred_from =
                    from.map(|balance| Box::new(InferredFrom { balance, until: now }));
            }
            Feature::Ownership if !gathered.owners.is_empty() => {
                let id = OwnershipId { account: account.id, sequence: key.sequence };
                ownership = Some(Ownership { id, created: now, owners: gathered.owners });
                account.ownership = Some(id);
            }
            Feature::Ownership => {}
        }
        let cool_down_s = self.cool_down_s(&account, key.feature, rounding_s);
        account.end_refresh(key.feature, None, cool_down_s);
        account.version += 1;
        match gathered.cursor {
            Some(cursor) => {
                let mark = if gathered.cut_off { CUT_OFF } else { WHOLE };
                connection.cursors.insert(key.feature, [&[mark], &cursor[..]].concat())
            }
            None => connection.cursors.remove(&key.feature),
        };
        let mut change = AccountChange {
            started: ended_job(unstored, RefreshStatus::Succeeded),
            cursors: Some(Cursors {
                version: connection.version + 1,
                by_feature: connection.cursors,
            }),
            ..AccountChange::of(account)
        };
        push_event_of(&mut change, EventType::refreshed(key.feature), now, None);
        if gathered.cut_off {
            // A separate refresh without cool-down fetches the rest. The event above shows the
            // account before that refresh, with the id of the refresh that ended.
            let next = self.start(&mut change.account, key.feature, now);
            change.started.push(next);
        }
        Ok(Outcome::Apply(Box::new(ApplyRefresh { claim, change, rows, ownership })))
    }

    /// The changes of the stored rows by the fetched records.
    async fn compared(
        &self,
        account: &Account,
        key: RefreshKey,
        now: AccountTime,
        gathered: &Gathered,
        known: Option<&mut RowCache>,
    ) -> Result<Vec<StoredTransaction>, Error> {
        // A fetch in two parts shows its whole range in neither part, so no row counts as missing.
        let coverage = match gathered.coverage {
            Some(coverage) if !gathered.cut_off && !gathered.resumed => coverage,
            _ => Coverage::Delta,
        };
        let refreshed =
            Refreshed { account: account.id, sequence: key.sequence, now, rows: account.rows };
        let compare = |stored: &[StoredTransaction]| {
            diff(refreshed, stored, &gathered.records, &gathered.removals, coverage)
        };
        let changes = match (coverage, known) {
            _ if account.rows == 0 => compare(&[]),
            (Coverage::Snapshot { .. }, Some(known)) => {
                if let Some(stored) = known.find(account.id, account.version) {
                    compare(stored)
                } else if known.has_room_for(account.rows) {
                    let all = Some((AccountTime(i64::MIN), AccountTime(i64::MAX)));
                    let stored = self.stored_rows(account, Vec::new(), all).await?;
                    compare(known.keep(account.id, account.version, stored))
                } else {
                    compare(&self.stored_rows_of(account, gathered, coverage).await?)
                }
            }
            _ => compare(&self.stored_rows_of(account, gathered, coverage).await?),
        };
        tracing::debug!(
            account.id = %account.id,
            created = changes.created,
            posted = changes.posted,
            voided = changes.voided,
            untouched = changes.untouched,
            "compared"
        );
        Ok(changes.rows)
    }

    /// The stored rows that the records may match.
    async fn stored_rows_of(
        &self,
        account: &Account,
        gathered: &Gathered,
        coverage: Coverage,
    ) -> Result<Vec<StoredTransaction>, Error> {
        let named = gathered.records.iter().map(|record| &record.bank_id);
        let removed = gathered.removals.iter().map(|removal| &removal.bank_id);
        let range = match coverage {
            Coverage::Delta => None,
            Coverage::Snapshot { from, to } => Some((from, to)),
        };
        self.stored_rows(account, named.chain(removed).cloned().collect(), range).await
    }

    async fn stored_rows(
        &self,
        account: &Account,
        bank_ids: Vec<String>,
        range: Option<(AccountTime, AccountTime)>,
    ) -> Result<Vec<StoredTransaction>, Error> {
        let Account { merchant, id, .. } = *account;
        Ok(self
            .store
            .read(FindStoredTransactions { merchant, account: id, bank_ids, range })
            .await?)
    }

    fn failure(
        &self,
        work: Work,
        cause: RefreshCause,
        inactive: Option<(InactiveCause, StatusAction)>,
    ) -> Outcome {
        let Work { claim, mut account, rounding_s, unstored, now, .. } = work;
        let feature = claim.key.feature;
        let cool_down_s = self.cool_down_s(&account, feature, rounding_s);
        account.end_refresh(feature, Some(cause), cool_down_s);
        account.version += 1;
        let mut change = AccountChange {
            started: ended_job(unstored, RefreshStatus::Failed),
            ..AccountChange::of(account)
        };
        let interrupted =
            inactive.and_then(|(cause, action)| change.account.deactivate(cause, action));
        push_event_of(&mut change, EventType::refreshed(feature), now, None);
        if let Some(interrupted) = interrupted {
            record_interrupted_by(&mut change, &interrupted, now, None);
            push_event_of(&mut change, EventType::AccountDeactivated, now, None);
        }
        Outcome::Fail(Box::new(FailRefresh { claim, change }))
    }

    /// Delays a refresh, or fails it after too many attempts or too much time.
    fn put_off(&self, work: Work, at: AccountTime, cause: RefreshCause) -> Outcome {
        let too_often = work.attempts >= limits::REFRESH_ATTEMPTS_MAX;
        let too_old = work.waited_s >= limits::REFRESH_AGE_S_MAX;
        if too_often || too_old {
            return self.failure(work, cause, None);
        }
        let run_at = if work.account.clock.is_some() {
            RunAt::Clock(at)
        } else {
            let wait_ms = (at.0 - work.now.0).max(0).saturating_mul(1_000);
            RunAt::Server(self.clock.server_now().plus_ms(wait_ms))
        };
        let Work { claim, attempts, .. } = work;
        Outcome::PutOff(Box::new(PutOffRefresh { claim, run_at, attempts, connection: None }))
    }

    /// The seconds from the time of the start that the account shows to the end of the cool-down.
    fn cool_down_s(&self, account: &Account, feature: Feature, rounding_s: i64) -> i64 {
        let cool_down = match (account.livemode, account.clock) {
            (true, _) => &self.settings.cool_down_live,
            (false, Some(_)) => &self.settings.cool_down_clock,
            (false, None) => &self.settings.cool_down_test,
        };
        match cool_down.seconds(feature) {
            0 => 0,
            seconds => seconds + rounding_s,
        }
    }
}

/// The seconds by which rounding up to a whole second lengthens the cool-down after a refresh. The
/// account shows the second in which the refresh started. Without rounding, the cool-down would end
/// up to a second early. A test clock and a fixed time have whole seconds only.
fn rounding_s(job: &RefreshJob) -> i64 {
    let whole_s = job.started_server.seconds() - job.started_at.0;
    // The call read the two times one after the other, so a second may have begun in between.
    let is_real = job.clock.is_none() && (0..=1).contains(&whole_s);
    let has_fraction = job.started_server.0.rem_euclid(MICROSECONDS) > 0;
    if is_real { whole_s + i64::from(has_fraction) } else { 0 }
}

/// The refresh that an item of a clock's step ends or delays, with its outcome.
pub(crate) fn refresh_of(item: &ClockItem) -> Option<(Feature, RefreshOutcome)> {
    match item {
        ClockItem::Apply(apply) => Some((apply.claim.key.feature, RefreshOutcome::Succeeded)),
        ClockItem::Fail(fail) => {
            Some((fail.claim.key.feature, RefreshOutcome::Failed(cause_of(fail))))
        }
        ClockItem::PutOff(put_off) => Some((put_off.claim.key.feature, RefreshOutcome::Delayed)),
        ClockItem::Change(_) | ClockItem::Objects { .. } => None,
    }
}

fn cause_of(fail: &FailRefresh) -> RefreshCause {
    let ended = fail.change.account.refresh(fail.claim.key.feature);
    let Some(cause) = ended.and_then(|state| state.cause) else {
        unreachable!("a refresh fails with a cause")
    };
    cause
}

/// True if a job is the pending refresh of its feature.
pub(crate) fn is_current(account: &Account, key: RefreshKey) -> bool {
    account
        .refresh(key.feature)
        .is_some_and(|state| state.is_pending() && state.sequence == key.sequence)
}

/// A job that is stored together with its outcome.
fn ended_job(unstored: Option<RefreshJob>, status: RefreshStatus) -> Vec<RefreshJob> {
    unstored.into_iter().map(|job| RefreshJob { status, ..job }).collect()
}

fn lost_by_login(cause: RefreshCause) -> InactiveCause {
    match cause {
        RefreshCause::AccessDenied => InactiveCause::AccessDenied,
        _ => InactiveCause::InstitutionRequirement,
    }
}
