//! Refreshes.

use super::generation::Idle;
use super::{
    Batch, Failure, Reading, account, column, connection, from_json, number, optional_number,
    transaction, word,
};
use crate::{ApplyRefresh, Claim, FailRefresh, ListDueAccounts, PutOffRefresh, Written};
use model::Word;
use model::account::Account;
use model::clock::{AccountTime, ServerTime};
use model::id::{AccountId, ClockId, MerchantId};
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use rusqlite::{Row, named_params, params};

/// Inserts no row if the refresh exists or another of the feature is pending.
pub(super) const INSERT_REFRESH: &str = "INSERT INTO refreshes (bucket, account, feature, \
     sequence, merchant, clock, status, started_at, run_server, run_clock, claim, leased_until, \
     attempts, started_server) \
     VALUES (:bucket, :account, :feature, :sequence, :merchant, :clock, :status, :started_at, \
     :run_server, :run_clock, :claim, :leased_until, :attempts, :started_server) \
     ON CONFLICT DO NOTHING";
pub(super) const PUT_OFF_REFRESH: &str = "UPDATE refreshes SET run_server = :run_server, \
     run_clock = :run_clock, \
     attempts = :attempts, leased_until = NULL WHERE bucket = :bucket AND account = :account \
     AND feature = :feature AND sequence = :sequence \
     AND merchant = :merchant AND claim = :claim AND status = 'pending'";
pub(super) const END_REFRESH: &str = "UPDATE refreshes SET status = :status, leased_until = NULL \
     WHERE bucket = :bucket AND account = :account AND feature = :feature \
     AND sequence = :sequence AND merchant = :merchant AND claim = :claim \
     AND status = 'pending'";
pub(super) const INTERRUPT_REFRESH: &str = "UPDATE refreshes SET status = :status, leased_until = \
     NULL \
     WHERE bucket = :bucket AND account = :account AND feature = :feature \
     AND sequence = :sequence AND merchant = :merchant \
     AND status = 'pending'";
/// Exempt, because the scheduler works for all merchants. It reads the keys of all due accounts, and their
/// bodies are read apart.
pub(super) const LIST_DUE_ACCOUNTS: &str = "SELECT bucket, account, merchant FROM \
     (SELECT bucket, account, merchant, due_at, \
     ROW_NUMBER() OVER (PARTITION BY merchant ORDER BY due_at, account) AS turn FROM accounts \
     WHERE clock IS NULL AND due_at IS NOT NULL AND due_at <= ?1) AS d \
     ORDER BY turn, due_at, account LIMIT ?2";

/// Stores started refreshes. Returns false if one conflicts with a stored job. `ended_now` names a
/// refresh that ends in the same command, which is stored as ended.
pub(super) fn insert_many(
    jobs: &[RefreshJob],
    ended_now: Option<(RefreshKey, RefreshStatus)>,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    for job in jobs {
        let status = match ended_now {
            Some((key, status)) if key == job.key => status,
            _ => job.status,
        };
        let (run_server, run_clock) = run_columns(job.run_at);
        let generation = batch.generation(job.merchant)?;
        let inserted = batch.execute_named(
            INSERT_REFRESH,
            &[named_params! {
                            ":bucket": generation.bucket(job.key.account.number()),
                            ":account": column(job.key.account.number()),
                            ":feature": job.key.feature.word(),
                            ":sequence": job.key.sequence,
                            ":merchant": generation.owner,
                            ":clock": job.clock.map(|clock| column(clock.number())),
                            ":status": status.word(),
                            ":started_at": job.started_at.0,
                            ":run_server": run_server,
                            ":run_clock": run_clock,
                            ":claim": job.claim,
                            ":leased_until": job.leased_until.map(|until| until.0),
                            ":attempts": job.attempts,
                            ":started_server": job.started_server.0,
            }],
        )?;
        if inserted == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn run_columns(run_at: RunAt) -> (Option<i64>, Option<i64>) {
    match run_at {
        RunAt::Server(at) => (Some(at.0), None),
        RunAt::Clock(at) => (None, Some(at.0)),
    }
}

/// A job from its row.
pub(super) fn read(merchant: MerchantId, row: &Row<'_>) -> Result<RefreshJob, Failure> {
    let run_at = match (row.get::<_, Option<i64>>(7)?, row.get::<_, Option<i64>>(8)?) {
        (Some(at), None) => RunAt::Server(ServerTime(at)),
        (None, Some(at)) => RunAt::Clock(AccountTime(at)),
        _ => return Err(Failure::Unreadable("refreshes.run_server")),
    };
    Ok(RefreshJob {
        key: RefreshKey {
            account: AccountId::from_number(number(row, 0)?),
            feature: word(row, 1, "refreshes.feature")?,
            sequence: row.get(2)?,
        },
        merchant,
        clock: optional_number(row, 4)?.map(ClockId::from_number),
        status: word(row, 5, "refreshes.status")?,
        started_at: AccountTime(row.get(6)?),
        started_server: ServerTime(row.get(12)?),
        run_at,
        claim: row.get(9)?,
        leased_until: row.get::<_, Option<i64>>(10)?.map(ServerTime),
        attempts: row.get(11)?,
    })
}

/// Puts a pending refresh off.
pub(crate) fn put_off(command: &PutOffRefresh, batch: &Batch<'_>) -> Result<Written, Failure> {
    let PutOffRefresh { claim, run_at, attempts, connection } = command;
    let (run_server, run_clock) = run_columns(*run_at);
    let key = claim.key;
    let generation = batch.generation(claim.merchant)?;
    let put_off = batch.execute(
        PUT_OFF_REFRESH,
        named_params! {
            ":bucket": generation.bucket(key.account.number()),
            ":account": column(key.account.number()),
            ":feature": key.feature.word(),
            ":sequence": key.sequence,
            ":merchant": generation.owner,
            ":claim": claim.number,
            ":run_server": run_server,
            ":run_clock": run_clock,
            ":attempts": attempts,
        },
    )?;
    if put_off == 0 {
        return Ok(Written::VersionConflict);
    }
    if let Some(connection) = connection
        && !connection::replace(connection, batch)?
    {
        return Ok(Written::VersionConflict);
    }
    Ok(Written::Done)
}

/// Ends a refresh with the bank's data.
pub(crate) fn apply(command: &ApplyRefresh, batch: &Batch<'_>) -> Result<Written, Failure> {
    let ApplyRefresh { claim, change, rows, ownership } = command;
    if !end(claim, RefreshStatus::Succeeded, &change.started, batch)? {
        return Ok(Written::VersionConflict);
    }
    let ended_now = Some((claim.key, RefreshStatus::Succeeded));
    if !account::apply_change(change, ended_now, batch)? {
        return Ok(Written::VersionConflict);
    }
    if let Some(ownership) = ownership {
        account::upsert_ownership(claim.merchant, ownership, batch)?;
    }
    transaction::upsert_many(claim.merchant, rows, batch)?;
    Ok(Written::Done)
}

/// Ends a refresh without data.
pub(crate) fn fail(command: &FailRefresh, batch: &Batch<'_>) -> Result<Written, Failure> {
    let FailRefresh { claim, change } = command;
    let ended_now = Some((claim.key, RefreshStatus::Failed));
    let fits = end(claim, RefreshStatus::Failed, &change.started, batch)?
        && account::apply_change(change, ended_now, batch)?;
    Ok(if fits { Written::Done } else { Written::VersionConflict })
}

/// Ends the claimed job. Returns true if the claim is valid. Without a claim, the job must be among
/// those that the same command starts.
fn end(
    claim: &Claim,
    status: RefreshStatus,
    started: &[RefreshJob],
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let key = claim.key;
    let Some(number) = claim.number else {
        return Ok(started.iter().any(|job| job.key == key));
    };
    let generation = batch.generation(claim.merchant)?;
    let ended = batch.execute_named(
        END_REFRESH,
        &[named_params! {
                    ":status": status.word(),
                    ":bucket": generation.bucket(key.account.number()),
                    ":account": column(key.account.number()),
                    ":feature": key.feature.word(),
                    ":sequence": key.sequence,
                    ":merchant": generation.owner,
                    ":claim": number,
        }],
    )?;
    Ok(ended == 1)
}

/// Ends a pending refresh, claimed or not. Returns true if it was pending.
pub(super) fn interrupt(
    key: RefreshKey,
    merchant: MerchantId,
    status: RefreshStatus,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let generation = batch.generation(merchant)?;
    let ended = batch.execute(
        INTERRUPT_REFRESH,
        named_params! {
            ":bucket": generation.bucket(key.account.number()),
            ":account": column(key.account.number()),
            ":feature": key.feature.word(),
            ":sequence": key.sequence,
            ":merchant": generation.owner,
            ":status": status.word(),
        },
    )?;
    Ok(ended == 1)
}

/// Lists accounts with due work.
pub(crate) fn list_due(
    command: &ListDueAccounts,
    reading: &Reading<'_>,
) -> Result<Vec<Account>, Failure> {
    reading.in_transaction(|| {
        let idle = Idle::list(reading)?;
        let due = params![command.now.0, idle.limit(command.limit)];
        let keys = reading.list(LIST_DUE_ACCOUNTS, due, |row| {
            Ok([row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?])
        })?;
        let current = keys.into_iter().filter(|[.., owner]| !idle.has(*owner)).take(command.limit);
        let mut accounts = Vec::new();
        for key in current {
            accounts.extend(reading.find(account::FIND_ACCOUNT, key, |row| from_json(row, 0))?);
        }
        Ok(accounts)
    })
}
