//! Six fixed operations for `cargo xtask instructions`, which counts their instructions under Callgrind.
//!
//! The program prepares the same data for every operation and then runs one operation `count` times.
//! The difference between two counts is therefore the cost of the operation alone. Everything runs on
//! one thread except the store's writer. Reads go over HTTP on the loopback address, so they include
//! the router, the middleware and this program's small client. The delta refresh and the delivery
//! step their workers directly.
//!
//! Every step waits for the one before. Commands that wait together would share a commit, and their
//! number would vary from run to run.

use crate::Failure;
use crate::changes::{self, Change};
use crate::client::{Connection, get, post, text};
use crate::deliver::{create_endpoint, make_deliveries, start_receiver};
use crate::harness::{DELTA_BANK, Harness};
use crate::pages::page_path;
use model::bank::Feature;
use model::id::AccountId;
use server::http::{self, App, IssuedKeys, Keys};
use server::rng::Streams;
use settings::KeyPolicy;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Changed rows in one delta refresh.
const CHANGED: u32 = 5;
/// The most refreshes that one run makes, each of an account of its own.
const REFRESHES_MAX: u32 = 32;
/// The events of a run. At most this many are delivered.
const DELIVERIES_MAX: u32 = 256;
const SEED: u64 = 7;

/// The measuring of requests. It is on, as in the program, unless an operation compares.
#[derive(Clone, Copy)]
enum Metrics {
    On,
    Off,
}

/// Prepares the data, then runs an operation `count` times.
pub(crate) fn run(operation: &str, count: &str) -> Result<(), Failure> {
    let count = count.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(repeat(operation, count))
}

async fn repeat(operation: &str, count: u32) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("instructions-").tempdir_in(crate::beside()?)?;
    let harness = Harness::open(folder.path())?;
    match operation {
        "page-of-100" => read_page(&harness, 100, count, Metrics::On).await,
        "page-of-100-without-metrics" => read_page(&harness, 100, count, Metrics::Off).await,
        "page-of-10" => read_page(&harness, 10, count, Metrics::On).await,
        "customer" => read_customer(&harness, count).await,
        "account" => read_account(&harness, count).await,
        "delta-refresh" => refresh(&harness, count).await,
        "delivery" => deliver(&harness, count).await,
        _ => Err(format!("{operation:?} is not an operation").into()),
    }
}

async fn read_page(
    harness: &Harness,
    limit: u32,
    count: u32,
    metrics: Metrics,
) -> Result<(), Failure> {
    let account = refreshed_account(harness).await?.to_string();
    read(harness, &page_path(&account, limit, None), count, metrics).await
}

async fn read_account(harness: &Harness, count: u32) -> Result<(), Failure> {
    let account = refreshed_account(harness).await?;
    read(harness, &format!("/v1/financial_connections/accounts/{account}"), count, Metrics::On)
        .await
}

async fn read_customer(harness: &Harness, count: u32) -> Result<(), Failure> {
    let address = serve(harness, Metrics::On).await?;
    let mut connection = Connection::open(address).await?;
    let form = [("email", "ada@example.com"), ("description", "Ada")];
    let customer = connection.call(&post("/v1/customers", &form)).await?;
    let path = format!("/v1/customers/{}", text(&customer, "/id")?);
    read(harness, &path, count, Metrics::On).await
}

/// An account with 180 days of transactions.
async fn refreshed_account(harness: &Harness) -> Result<AccountId, Failure> {
    let accounts = harness.link_many(1, DELTA_BANK, None).await?;
    let account = *accounts.first().ok_or("no account was linked")?;
    refresh_one(harness, account).await?;
    Ok(account)
}

/// Reads a path over one connection.
async fn read(harness: &Harness, path: &str, count: u32, metrics: Metrics) -> Result<(), Failure> {
    let mut connection = Connection::open(serve(harness, metrics).await?).await?;
    let request = get(path);
    for _ in 0..count {
        let status = connection.exchange(&request).await?;
        if status != 200 {
            return Err(format!("{path} returned {status}").into());
        }
    }
    Ok(())
}

/// Serves the API of the harness's engine on this thread, until the program ends.
async fn serve(harness: &Harness, metrics: Metrics) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let Streams { request_ids, visits, .. } = Streams::seeded(SEED);
    let keys = Keys { policy: KeyPolicy::Any, issued: IssuedKeys::default() };
    let app = App::new(Arc::clone(&harness.lab), keys, request_ids, visits);
    let app = match metrics {
        Metrics::On => app.measuring(true),
        Metrics::Off => app,
    };
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        let served = http::serve(listener, Arc::new(app), stopping).await;
        // The server would stop if the sender were dropped earlier.
        drop(stop);
        served
    });
    Ok(address)
}

/// Refreshes accounts after their banks have added a few rows.
async fn refresh(harness: &Harness, count: u32) -> Result<(), Failure> {
    let mut accounts = Vec::new();
    for _ in 0..REFRESHES_MAX {
        accounts.push(refreshed_account(harness).await?);
    }
    harness.clock.pass(60);
    for account in &accounts {
        let account = std::slice::from_ref(account);
        changes::make_many(harness, account, Change::Add(CHANGED)).await?;
    }
    let accounts = accounts
        .get(..usize::try_from(count)?)
        .ok_or_else(|| format!("at most {REFRESHES_MAX} refreshes"))?;
    for account in accounts {
        refresh_one(harness, *account).await?;
    }
    Ok(())
}

/// Requests a refresh, and steps the worker until it has made the refresh.
async fn refresh_one(harness: &Harness, account: AccountId) -> Result<(), Failure> {
    let features = [Feature::Transactions];
    harness.engine.refresh_account(&harness.context(), &account.to_string(), &features).await?;
    match harness.engine.run_refresh_once().await? {
        1 => Ok(()),
        made => Err(format!("the worker made {made} refreshes, not 1").into()),
    }
}

/// Makes a fixed number of events, and delivers the first `count` of them.
async fn deliver(harness: &Harness, count: u32) -> Result<(), Failure> {
    let receiver = start_receiver().await?;
    create_endpoint(harness, &receiver.url).await?;
    for number in 0..DELIVERIES_MAX {
        make_deliveries(harness, 1).await?;
        if number < count {
            let made = harness.engine.run_deliver_once().await?;
            if made != 1 {
                return Err(format!("the worker made {made} deliveries, not 1").into());
            }
        }
    }
    Ok(())
}
