//! Ten thousand accounts with 180 days each in one database, linked and refreshed through the running
//! server. The workload then measures the cost of a page, the server's memory and a restart.

use crate::Failure;
use crate::client::{Connection, get};
use crate::deep::list_ids;
use crate::measure::{Form, Stopwatch, wait_for};
use crate::pages::{Side, costs, create_customer, link, page_path};
use crate::proc;
use crate::report::{Row, say, thousands};
use crate::server::Server;
use crate::start::first_response;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Connections that link accounts.
const LINKING: u32 = 16;
/// Accounts of which pages are read, spread over all accounts.
const READ_ACCOUNTS: usize = 500;
const PAGE_ROWS: u32 = 100;
/// The longest time of the last refreshes after all accounts are linked.
const PATIENCE: Duration = Duration::from_mins(30);

pub(crate) const FIND_PENDING: &str =
    "SELECT EXISTS (SELECT 1 FROM refreshes WHERE status = 'pending')";
const COUNT_ROWS: &str = "SELECT COUNT(*) FROM transactions";

/// Loads the accounts, then measures.
pub(crate) async fn run(place: &Path, accounts: u32, form: Form) -> Result<Vec<Row>, Failure> {
    let database = place.join("bankfeed.db");
    let server = Server::bankfeed(&database)?;
    let watch = Stopwatch::start();
    let ids = link_many(server.address, accounts).await?;
    wait_for("every account is refreshed", PATIENCE, async || {
        let reader = rusqlite::Connection::open(&database)?;
        let pending: bool = reader.query_row(FIND_PENDING, [], |row| row.get(0))?;
        Ok((!pending).then_some(()))
    })
    .await?;
    let took = watch.elapsed();
    let rows: u32 = {
        let reader = rusqlite::Connection::open(&database)?;
        reader.query_row(COUNT_ROWS, [], |row| row.get(0))?
    };
    let loaded_mb = proc::memory_mb(server.pid())?;
    let rate = thousands(f64::from(rows) / took.as_secs_f64());
    let minutes = took.as_secs_f64() / 60.0;
    let (last, first) = page_costs(&server, &ids, form).await?;
    let read_mb = proc::memory_mb(server.pid())?;
    let stopping = Stopwatch::start();
    server.stop()?;
    say(&format!("  the stop took {:.2} s", stopping.elapsed().as_secs_f64()))?;
    let server = Server::bankfeed(&database)?;
    let restart = first_response(&server).await?;
    server.stop()?;
    let size = std::fs::metadata(&database)?.len() / u64::from(rows.max(1));
    let count = thousands(f64::from(rows));
    let memory = |megabytes: f64| format!("{megabytes:.0} MB");
    Ok(vec![
        Row::plain(
            format!("{accounts} accounts linked and refreshed: {count} rows, {size} bytes each"),
            format!("{minutes:.1} min, {rate} rows/s"),
            "–",
        ),
        Row::of_costs(format!("last page at {count} rows, against the first"), last, first, "0.9"),
        Row::plain("memory (RssAnon) after loading", memory(loaded_mb), "200 MB"),
        Row::plain("memory (RssAnon) after reading", memory(read_mb), "200 MB"),
        Row::plain("restart, first response", format!("{:.2} s", restart.as_secs_f64()), "1 s"),
    ])
}

/// Links accounts of different customers. Returns their ids.
pub(crate) async fn link_many(address: SocketAddr, accounts: u32) -> Result<Vec<String>, Failure> {
    let mut linking = JoinSet::new();
    for first in 0..LINKING {
        linking.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut ids = Vec::new();
            for number in (first..accounts).step_by(usize::try_from(LINKING)?) {
                let email = format!("holder{number}@example.com");
                let customer = create_customer(&mut connection, &[("email", &email)]).await?;
                ids.push(link(&mut connection, &customer, "Test (OAuth)").await?);
            }
            Ok::<_, Failure>(ids)
        });
    }
    let mut ids = Vec::new();
    while let Some(linked) = linking.join_next().await {
        ids.extend(linked??);
    }
    Ok(ids)
}

/// The costs of the last pages and of the first pages of many accounts.
async fn page_costs(server: &Server, ids: &[String], form: Form) -> Result<(f64, f64), Failure> {
    let mut connection = Connection::open(server.address).await?;
    let (mut last, mut first) = (Vec::new(), Vec::new());
    for account in ids.iter().step_by((ids.len() / READ_ACCOUNTS).max(1)) {
        let rows = list_ids(&mut connection, account).await?;
        // The last whole page, so that both pages have the same length.
        let before_last = rows.len().checked_sub(usize::try_from(PAGE_ROWS)? + 1);
        let before_last = before_last.ok_or("an account has fewer than two pages")?;
        last.push(get(&page_path(account, PAGE_ROWS, Some(&rows[before_last]))));
        first.push(get(&page_path(account, PAGE_ROWS, None)));
    }
    let side = |requests| Side { server, requests: Arc::new(requests) };
    costs(&side(last), &side(first), form).await
}
