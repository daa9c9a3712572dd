//! A full disk, and removed files, under load.
//!
//! Writers create customers, each with an idempotency key, and repeat a call until it succeeds. The disk
//! then takes no more bytes: writes get 500, `/readyz` returns 503, and reads and `/healthz` still work.
//! Once the disk has space, the server recovers without a restart. In the last round the power fails
//! while the disk is full. At the end each acknowledged customer exists once.
//!
//! A server without its database or its log ends with an error. With the files back in place, each
//! acknowledged customer exists.

use super::client::{Client, text};
use super::options::{Options, Sabotaged};
use super::power::{Disk, Sabotage, in_rounds};
use super::server::Server;
use crate::Failure;
use crate::counts::Counts;
use crate::process::{built, say};
use crate::time::{POLL_AGAIN, bounded, pass};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use testkit::rng::SeededRng;
use tokio::sync::watch;
use tokio::task::JoinSet;

const CUSTOMERS: &str = "/v1/customers";
/// Calls at the same time.
const WRITERS: u64 = 4;
/// Bytes that the disk takes before it is full, at most, in each round.
const SPACE_MAX: [u64; 3] = [1, 64 * 1024, 1024 * 1024];
/// Acknowledged customers before each fault and after it.
const CALLS: u64 = 40;
/// The longest time of one wait. The disk fills and the server recovers within seconds.
const WAIT_MAX: Duration = Duration::from_mins(1);
const NOT_READY: u16 = 503;
/// The exit code of a server that cannot continue.
const FAILED: i32 = 1;

/// The state that the writers share.
#[derive(Default)]
struct Shared {
    /// The response of each idempotency key.
    acknowledged: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Statuses that no writer may get.
    faults: Mutex<BTreeSet<u16>>,
    /// Calls that got 500.
    rejected: AtomicU64,
    number: AtomicU64,
}

/// Writers of customers.
struct Writers {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Writers {
    fn start(client: &Arc<Client>, prefix: &'static str) -> Self {
        let (shared, stop) = (Arc::new(Shared::default()), watch::Sender::new(false));
        let mut tasks = JoinSet::new();
        for _ in 0..WRITERS {
            let (client, shared) = (Arc::clone(client), Arc::clone(&shared));
            let stopped = stop.subscribe();
            tasks.spawn(async move {
                while !*stopped.borrow() {
                    let number = shared.number.fetch_add(1, Ordering::Relaxed);
                    shared.insist(&client, &format!("{prefix}-{number}")).await;
                }
            });
        }
        Self { shared, stop, tasks }
    }

    fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Waits for this number of further acknowledged customers.
    async fn more(&self, count: u64) -> Result<(), Failure> {
        let target = self.acknowledged() + count;
        bounded("acknowledged customers", WAIT_MAX, async {
            while self.acknowledged() < target {
                pass(POLL_AGAIN).await;
            }
            Ok(())
        })
        .await
    }

    /// Ends the writers after their current calls. Returns the responses by key.
    async fn end(mut self) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        self.stop.send_replace(true);
        bounded("the end of the writers", WAIT_MAX, async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.map_err(|error| error.to_string())?;
            }
            Ok(())
        })
        .await?;
        let faults = self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !faults.is_empty() {
            return Err(format!("writers got the statuses {faults:?}"));
        }
        Ok(self.shared.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Shared {
    /// Creates a customer. Repeats the call until it succeeds.
    async fn insist(&self, client: &Client, key: &str) {
        loop {
            match client.post_once(key, CUSTOMERS, &[("name", key)]).await {
                Some((200, body)) => {
                    let mut all = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(key.to_owned(), body);
                    return;
                }
                Some((500, _)) => {
                    self.rejected.fetch_add(1, Ordering::Relaxed);
                }
                Some((409 | 429, _)) | None => {}
                Some((status, _)) => {
                    self.faults.lock().unwrap_or_else(PoisonError::into_inner).insert(status);
                    return;
                }
            }
            pass(POLL_AGAIN).await;
        }
    }
}

/// Runs the full disks and the removals.
pub(super) fn run(options: &Options) -> Result<Counts, Failure> {
    in_rounds(options, async |seed, library| {
        let mut counts = Counts::default();
        if options.sabotage != Some(Sabotaged::Removed) {
            counts += full_disk(options, seed, library).await?;
        }
        if options.sabotage != Some(Sabotaged::Space) {
            for removed in ["", "-wal"] {
                counts += removed_file(options, removed).await?;
            }
        }
        Ok(counts)
    })
}

async fn full_disk(options: &Options, seed: u64, library: &Path) -> Result<Counts, Failure> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let rng = SeededRng::of_lane(seed, u64::MAX - 30);
    let sabotage = options.sabotage.map(|_| Sabotage::Files);
    let lane = SeededRng::of_lane(seed, u64::MAX - 31);
    let disk = Disk::new(folder.path(), library, lane, sabotage)?;
    let mut server = Server::on_disk(built("bankfeed"), disk);
    let client = Arc::new(Client::new(server.up()));
    server.start(None).await?;
    let writers = Writers::start(&client, "space");
    let mut counts = Counts::default();
    for (round, space_max) in SPACE_MAX.into_iter().enumerate() {
        writers.more(CALLS).await?;
        let space = rng.below(space_max);
        server.disk()?.set_space(Some(space))?;
        until_status(&client, NOT_READY).await?;
        check_full(&client, &format!("probe-{round}")).await?;
        if round + 1 == SPACE_MAX.len() {
            server.kill().await?;
            server.start(None).await?;
        } else {
            server.disk()?.set_space(None)?;
            until_status(&client, 200).await?;
        }
        counts.passed += 1;
    }
    writers.more(CALLS).await?;
    let rejected = writers.shared.rejected.load(Ordering::Relaxed);
    let acknowledged = writers.end().await?;
    check_all(&client, &acknowledged).await?;
    server.stop().await?;
    let all = acknowledged.len();
    say(&format!(
        "crash: {} full disks, one with a power cut: {rejected} calls got 500, each of {all} acknowledged ones is stored once",
        counts.passed
    ));
    Ok(counts)
}

/// Checks the calls of a server on a full disk.
async fn check_full(client: &Client, key: &str) -> Result<(), Failure> {
    let write = client.post_once(key, CUSTOMERS, &[]).await.map(|(status, _)| status);
    let read = client.status(CUSTOMERS).await;
    let health = client.status("/healthz").await;
    if (write, read, health) == (Some(500), Some(200), Some(200)) {
        return Ok(());
    }
    Err(format!("on a full disk a write got {write:?}, a read {read:?}, /healthz {health:?}"))
}

/// Waits until `/readyz` returns a status.
async fn until_status(client: &Client, wanted: u16) -> Result<(), Failure> {
    bounded(&format!("/readyz to return {wanted}"), WAIT_MAX, async {
        while client.status("/readyz").await != Some(wanted) {
            pass(POLL_AGAIN).await;
        }
        Ok(())
    })
    .await
}

/// Checks that each acknowledged customer exists once, and that a repeat returns the same bytes.
async fn check_all(
    client: &Client,
    acknowledged: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Failure> {
    let listed = client.list(CUSTOMERS, &[]).await?;
    let mut ids = BTreeSet::new();
    for (key, body) in acknowledged {
        let created: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = text(&created, "id").to_owned();
        if !listed.contains_key(&id) {
            return Err(format!("the acknowledged customer {id} of {key} is lost"));
        }
        ids.insert(id);
        let repeated = client.post_once(key, CUSTOMERS, &[("name", key)]).await;
        if repeated.as_ref() != Some(&(200, body.clone())) {
            return Err(format!("a repeat of {key} differs"));
        }
    }
    match listed.keys().find(|id| !ids.contains(*id)) {
        Some(id) => Err(format!("the customer {id} exists, but no call acknowledged it")),
        None => Ok(()),
    }
}

/// Removes the database (`""`) or its log under load, and puts the files back after the server has ended.
async fn removed_file(options: &Options, removed: &str) -> Result<Counts, Failure> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("removal of a file: {error}");
    let database = folder.path().join("bank.db");
    let with_end = |end: &str| {
        let mut path = database.clone().into_os_string();
        path.push(end);
        path
    };
    let mut server = Server::new(built("bankfeed"), database.clone());
    let client = Arc::new(Client::new(server.up()));
    server.start(None).await?;
    let writers = Writers::start(&client, "removed");
    writers.more(CALLS).await?;
    // A second name keeps the content of the file. The planted fault keeps an old copy instead.
    let (file, kept) = (with_end(removed), folder.path().join("kept"));
    if options.sabotage == Some(Sabotaged::Removed) {
        fs::copy(&file, &kept).map_err(failed)?;
        writers.more(CALLS).await?;
    } else {
        fs::hard_link(&file, &kept).map_err(failed)?;
    }
    fs::remove_file(&file).map_err(failed)?;
    let code = server.end().await?;
    if code != Some(FAILED) {
        return Err(format!("without its file {removed:?} the server ended with {code:?}"));
    }
    fs::rename(&kept, &file).map_err(failed)?;
    server.start(None).await?;
    writers.more(CALLS).await?;
    let acknowledged = writers.end().await?;
    check_all(&client, &acknowledged).await?;
    server.stop().await?;
    let name = if removed.is_empty() { "database" } else { "log" };
    let all = acknowledged.len();
    say(&format!(
        "crash: a removed {name} ended the server, and all {all} acknowledged calls are stored"
    ));
    Ok(Counts { passed: 1, failed: 0 })
}
