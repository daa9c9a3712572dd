//! Kills while a snapshot of a sandbox is taken. After each kill the snapshot has all rows of the sandbox
//! or does not exist, and the sandbox is as before.
//!
//! Half of the kills are at random moments of the call, and half at one of its commands. At the end the
//! leases of the killed calls expire, and the server removes the rows that these calls have left.

use super::client::Client;
use super::fingerprint::Fingerprint;
use super::large::{Kind, Tally, When};
use super::replace::{SNAPSHOTS, Sandbox};
use super::server::Server;
use crate::Failure;
use crate::process::say;
use crate::time::{POLL_AGAIN, bounded, moment, pass};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::rng::SeededRng;

/// Steps that store the rows of the sandbox. A snapshot has more of them.
const FILLS: u64 = 8;
/// The longest time until the rows of killed calls are removed.
const REMOVED_MAX: Duration = Duration::from_secs(30);
const EXPIRE: &str = "UPDATE generations SET leased_until = 0";
const COUNT_IDLE: &str = "SELECT COUNT(*) FROM generations WHERE state <> 'current'";
const LIST_TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'snapshot_%'";

/// Kills the server `kills` times while it takes a snapshot of the sandbox.
pub(super) async fn run(
    sandbox: &mut Sandbox,
    server: &mut Server,
    rng: &SeededRng,
    kills: usize,
    tally: &mut Tally,
) -> Result<(), Failure> {
    sandbox.fill().await?;
    let began = moment();
    sandbox.client.post(SNAPSHOTS, &[]).await?;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    say(&format!("crash: a snapshot takes {took_ms} ms"));
    let known = snapshots(&sandbox.client).await?;
    for failpoint in plan(rng, kills) {
        if let Some(failpoint) = &failpoint {
            server.kill().await?;
            server.start(Some(failpoint)).await?;
        }
        let call = (SNAPSHOTS, took_ms);
        let status = sandbox.call_and_kill(server, rng, call, failpoint.is_some()).await?;
        let place = failpoint.as_deref().unwrap_or("a random moment");
        let listed = snapshots(&sandbox.client).await?;
        let taken: Vec<&String> = listed.difference(&known).collect();
        if let Some(fault) = contradiction(failpoint.as_deref(), status, taken.len()) {
            tally.fault(format!("snapshot, killed at {place}: {fault}"));
        } else if let Some(difference) = changes(sandbox, &taken).await? {
            tally.fault(format!("snapshot, killed at {place}: {difference}"));
        } else {
            tally.add(Kind::Snapshot, when(failpoint.is_some(), status, !taken.is_empty()));
        }
    }
    remove_rest(server, tally).await
}

/// The failpoints of all kills. `None` is a random moment.
fn plan(rng: &SeededRng, kills: usize) -> Vec<Option<String>> {
    let failpoint = |number: usize| match number % 8 {
        1 => Some(format!("FillSnapshot:{}", rng.below(FILLS))),
        3 => Some("FinishSnapshot:0".to_owned()),
        5 => Some("CopySandbox:0".to_owned()),
        7 => Some("BeginSnapshot:0".to_owned()),
        _ => None,
    };
    (0..kills).map(failpoint).collect()
}

/// The contradiction between a kill, the response and the number of new snapshots, if there is one.
fn contradiction(failpoint: Option<&str>, status: Option<u16>, taken: usize) -> Option<String> {
    match (status, failpoint) {
        (Some(status), _) if status != 200 => Some(format!("the response is {status}")),
        (Some(_), Some(_)) => Some("a response came before the failpoint".to_owned()),
        (Some(_), None) if taken == 0 => Some("the call returned 200, but is undone".to_owned()),
        (None, Some(_)) if taken > 0 => Some("the snapshot is visible before its end".to_owned()),
        _ if taken > 1 => Some(format!("one call took {taken} snapshots")),
        _ => None,
    }
}

/// The moment of a kill without a contradiction.
fn when(is_armed: bool, status: Option<u16>, is_taken: bool) -> When {
    match (is_taken, status) {
        (true, Some(_)) => When::After,
        (true, None) => When::BeforeResponse,
        (false, _) if is_armed => When::Within,
        (false, _) => When::BeforeCommit,
    }
}

/// The lists that differ from those before the kill, in the sandbox or after a restore of a new
/// snapshot. Deletes the new snapshot.
async fn changes(sandbox: &Sandbox, taken: &[&String]) -> Result<Option<String>, Failure> {
    let found = Fingerprint::read(&sandbox.client, true).await?;
    if found != *sandbox.content() {
        return Ok(Some(format!("the sandbox: {}", found.difference(sandbox.content()))));
    }
    for snapshot in taken {
        sandbox.client.post(&format!("{SNAPSHOTS}/{snapshot}/restore"), &[]).await?;
        let found = Fingerprint::read(&sandbox.client, true).await?;
        if found != *sandbox.content() {
            return Ok(Some(format!("the snapshot: {}", found.difference(sandbox.content()))));
        }
        sandbox.client.delete(&format!("{SNAPSHOTS}/{snapshot}")).await?;
    }
    Ok(None)
}

/// The ids of all snapshots.
async fn snapshots(client: &Client) -> Result<BTreeSet<String>, Failure> {
    Ok(client.list(SNAPSHOTS, &[]).await?.into_keys().collect())
}

/// Ends the leases of killed calls and waits until their rows are removed. Rows that belong to no
/// snapshot are a fault.
async fn remove_rest(server: &mut Server, tally: &mut Tally) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| format!("the database of the sandbox: {error}");
    server.stop().await?;
    let database = rusqlite::Connection::open(server.database()).map_err(failed)?;
    database.execute(EXPIRE, []).map_err(failed)?;
    server.start(None).await?;
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(failed);
    bounded("the rows of killed calls to be removed", REMOVED_MAX, async {
        while count(COUNT_IDLE)? > 0 {
            pass(POLL_AGAIN).await;
        }
        Ok(())
    })
    .await?;
    let mut tables = database.prepare(LIST_TABLES).map_err(failed)?;
    let tables = tables.query_map([], |row| row.get(0)).map_err(failed)?;
    for table in tables.collect::<Result<Vec<String>, _>>().map_err(failed)? {
        let rest = count(&format!(
            "SELECT COUNT(*) FROM {table} AS s WHERE NOT EXISTS \
             (SELECT 1 FROM objects AS o WHERE o.kind = 'snapshot' AND o.number = s.snapshot)"
        ))?;
        if rest > 0 {
            tally.fault(format!("{rest} rows in {table} belong to no snapshot"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the kills are at failpoints.
    #[test]
    fn a_plan_has_failpoints() {
        let kills = plan(&SeededRng::new(1), 8);
        assert_eq!(kills.iter().flatten().count(), 4, "{kills:?}");
    }

    /// A snapshot is visible if and only if its call has ended.
    #[test]
    fn contradictions_are_found() {
        let armed = Some("FinishSnapshot:0");
        for (failpoint, status, taken) in
            [(None, Some(200), 1), (None, None, 1), (None, None, 0), (armed, None, 0)]
        {
            assert_eq!(contradiction(failpoint, status, taken), None);
        }
        for (failpoint, status, taken) in
            [(None, Some(500), 0), (None, Some(200), 0), (armed, None, 1), (None, None, 2)]
        {
            assert!(contradiction(failpoint, status, taken).is_some());
        }
    }
}
