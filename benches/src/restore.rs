//! The longest write of another key while a key with much data takes a snapshot, restores it and is
//! reset. The writer is one thread, so each step of these calls delays the others by its own time.

use crate::Failure;
use crate::client::{Connection, KEY, post, text};
use crate::measure::{Form, Stopwatch, wait_for};
use crate::report::{Row, thousands};
use crate::scale::{FIND_PENDING, link_many};
use crate::server::Server;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Accounts of the key with much data: long form, short form. Each has about 310 transactions, and a
/// snapshot takes 200,000 rows.
const ACCOUNTS: (u32, u32) = (600, 10);
const OTHER_KEY: &str = "sk_test_other";
const PATIENCE: Duration = Duration::from_mins(5);
const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";

/// Measures the writes beside each call.
pub(crate) async fn run(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let database = place.join("bankfeed.db");
    let server = Server::bankfeed(&database)?;
    link_many(server.address, form.pick(ACCOUNTS)).await?;
    wait_for("every account is refreshed", PATIENCE, async || {
        let reader = rusqlite::Connection::open(&database)?;
        let pending: bool = reader.query_row(FIND_PENDING, [], |row| row.get(0))?;
        Ok((!pending).then_some(()))
    })
    .await?;
    let mut own = Connection::open(server.address).await?;
    let mut other = Connection::open(server.address).await?;
    let mut rows = Vec::new();
    let (longest, taken) = beside(&mut own, &mut other, SNAPSHOTS).await?;
    let count = taken["counts"].as_object().ok_or("a snapshot has no counts")?;
    let count: u64 = count.values().filter_map(Value::as_u64).sum();
    let count = thousands(f64::from(u32::try_from(count)?));
    let row = |what: &str, [longest, median, whole]: [Duration; 3]| {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let shown =
            format!("{:.1} ms (median {:.1}) of {:.0} ms", ms(longest), ms(median), ms(whole));
        Row::plain(
            format!("longest write of another key beside {what} of {count} rows"),
            shown,
            "20 ms",
        )
    };
    rows.push(row("a snapshot", longest));
    let restore = format!("{SNAPSHOTS}/{}/restore", text(&taken, "/id")?);
    let (longest, _) = beside(&mut own, &mut other, &restore).await?;
    rows.push(row("a restore", longest));
    let (longest, _) = beside(&mut own, &mut other, "/v1/test_helpers/reset").await?;
    rows.push(row("a reset", longest));
    server.stop()?;
    Ok(rows)
}

/// Makes a call, and writes with the other key until it returns. Returns the longest of these writes,
/// their median, the time of the call, and its response.
async fn beside(
    own: &mut Connection,
    other: &mut Connection,
    path: &str,
) -> Result<([Duration; 3], Value), Failure> {
    let call = post(path, &[]);
    let write = String::from_utf8(post("/v1/customers", &[]))?.replace(KEY, OTHER_KEY);
    let whole = Stopwatch::start();
    let mut times = Vec::new();
    let call = own.call(&call);
    tokio::pin!(call);
    let response = loop {
        let watch = Stopwatch::start();
        let ended = {
            let write = other.call(write.as_bytes());
            tokio::pin!(write);
            tokio::select! {
                response = &mut call => {
                    write.await?;
                    Some(response?)
                }
                written = &mut write => {
                    written?;
                    None
                }
            }
        };
        times.push(watch.elapsed());
        if let Some(response) = ended {
            break response;
        }
    };
    let whole = whole.elapsed();
    times.sort_unstable();
    let longest = times.last().copied().ok_or("no write was made")?;
    Ok(([longest, times[times.len() / 2], whole], response))
}
