//! The writer: groups, failures, the queue.

use super::{at, cause, folder, is_there, object, run, settings};
use crate::memory::Memory;
use crate::seal::Sealer;
use crate::sqlite::Batch;
use crate::sqlite::open::{open_reader, open_writer};
use crate::sqlite::writer::{Writer, WriterSettings};
use crate::store::Failure;
use crate::{
    ClaimClocks, ClaimDeliveries, ClaimRefreshes, Created, Error, Failpoints, Place, Prune, Store,
    Write,
};
use model::clock::{AccountTime, ServerTime};
use model::limits::{MERCHANTS_MAX, WRITER_QUEUE_MAX};
use std::sync::{Mutex, mpsc};

/// Holds the writer until it is let go, so that what follows gathers in one group.
struct Gate(Mutex<mpsc::Receiver<()>>);

impl Write for Gate {
    type Output = ();

    fn sqlite(&self, _: &Batch<'_>) -> Result<(), Failure> {
        let _ = self.0.lock().unwrap().recv();
        Ok(())
    }

    fn memory(&self, _: &mut Memory) -> Result<(), Failure> {
        Ok(())
    }
}

/// Runs one statement, which may fail at once or at the commit.
struct Run(&'static str);

impl Write for Run {
    type Output = ();

    fn sqlite(&self, batch: &Batch<'_>) -> Result<(), Failure> {
        batch.execute(self.0, [])?;
        Ok(())
    }

    fn memory(&self, _: &mut Memory) -> Result<(), Failure> {
        Ok(())
    }
}

/// A writer whose commits check that children have parents.
fn checking_writer(path: &std::path::Path) -> Writer {
    drop(Store::open(at(path)).unwrap());
    let connection = open_writer(path, true).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT; \
             CREATE TABLE children (parent INTEGER REFERENCES parents (id) \
             DEFERRABLE INITIALLY DEFERRED) STRICT; PRAGMA foreign_keys = ON",
        )
        .unwrap();
    let settings = settings(Place::File(path.to_owned()));
    Writer::start(
        connection,
        WriterSettings {
            path: path.to_owned(),
            durable: true,
            seal: Sealer::new([7; 32], settings.rng),
            clock: settings.clock,
            failpoints: Failpoints::default(),
        },
    )
    .unwrap()
}

const ORPHAN: &str = "INSERT INTO children (parent) VALUES (1)";
const PARENT: &str = "INSERT INTO parents (id) VALUES (2)";

/// A commit that fails fails every command of its group and writes none of them; the writer opens
/// the database again and goes on.
#[test]
fn a_failed_commit_fails_the_group() {
    let folder = folder();
    let path = folder.path().join("bank.db");
    let writer = checking_writer(&path);
    run(async {
        let (open, gate) = mpsc::channel();
        let release = async {
            tokio::task::yield_now().await;
            open.send(()).unwrap();
        };
        let (_, good, orphan, created, ()) = tokio::join!(
            writer.write(Gate(Mutex::new(gate))),
            writer.write(Run(PARENT)),
            writer.write(Run(ORPHAN)),
            writer.write(object(1)),
            release,
        );
        // The gate's group took only itself; the others gathered behind it.
        for error in [good.unwrap_err(), orphan.unwrap_err(), created.unwrap_err()] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(cause(&error), @"");
            }
        }
        let parents = "SELECT COUNT(*) FROM parents";
        let reader = open_reader(&path).unwrap();
        let count: u32 = reader.query_row(parents, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0);
        assert!(writer.is_ready());
        writer.write(Run(PARENT)).await.unwrap();
        assert_eq!(writer.write(object(1)).await.unwrap(), Created::Done);
    });
}

/// In one group a command that fails after it wrote is undone alone.
#[test]
fn a_failing_command_is_undone_alone() {
    let folder = folder();
    let path = folder.path().join("bank.db");
    let store = Store::open(at(&path)).unwrap();
    run(async {
        let (open, gate) = mpsc::channel();
        let release = async {
            tokio::task::yield_now().await;
            open.send(()).unwrap();
        };
        let (_, one, again, full, two, ()) = tokio::join!(
            store.write(Gate(Mutex::new(gate))),
            store.write(object(1)),
            store.write(object(1)),
            store.write(crate::CreateObject { kind_max: Some(1), ..object(2) }),
            store.write(object(3)),
            release,
        );
        assert_eq!(one.unwrap(), Created::Done);
        insta::assert_snapshot!(cause(&again.unwrap_err()), @"");
        assert_eq!(full.unwrap(), Created::KindFull);
        assert_eq!(two.unwrap(), Created::Done);
        assert!(is_there(&store, 1).await);
        assert!(!is_there(&store, 2).await);
        assert!(is_there(&store, 3).await);
    });
}

/// When the queue is full a command is refused at once; those in the queue run, also those whose
/// callers have left.
#[test]
fn a_full_queue_refuses() {
    let store = Store::open(settings(Place::Temporary)).unwrap();
    run(async {
        let (open, gate) = mpsc::channel();
        let held = tokio::spawn({
            let store = store.clone();
            async move { store.write(Gate(Mutex::new(gate))).await }
        });
        tokio::task::yield_now().await;
        let mut refused = None;
        // The writer may have taken the gate already, or some commands behind it.
        for number in 1..=3 * WRITER_QUEUE_MAX as u64 {
            let waiting = std::pin::pin!(store.write(object(number)));
            let polled = poll_once(waiting).await;
            if let Some(answer) = polled {
                assert!(matches!(answer, Err(Error::Busy)));
                refused = Some(number);
                break;
            }
        }
        let refused = refused.unwrap();
        open.send(()).unwrap();
        held.await.unwrap().unwrap();
        store.close().await;
        assert!(refused > 256);
    });
}

/// Polls a write once, and leaves it if it waits.
async fn poll_once<T>(mut future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => Some(answer),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// A command whose caller left before it ran is committed all the same.
#[test]
fn a_command_outlives_its_caller() {
    let store = Store::open(settings(Place::Temporary)).unwrap();
    run(async {
        let (open, gate) = mpsc::channel();
        let held = tokio::spawn({
            let store = store.clone();
            async move { store.write(Gate(Mutex::new(gate))).await }
        });
        tokio::task::yield_now().await;
        assert!(poll_once(std::pin::pin!(store.write(object(1)))).await.is_none());
        open.send(()).unwrap();
        held.await.unwrap().unwrap();
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
        assert!(is_there(&store, 1).await);
    });
}

/// Workers that find nothing to do write nothing: no other connection sees a commit.
#[test]
fn idle_claims_write_nothing() {
    let folder = folder();
    let path = folder.path().join("bank.db");
    let store = Store::open(at(&path)).unwrap();
    let reader = open_reader(&path).unwrap();
    let version =
        || -> i64 { reader.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap() };
    run(async {
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
        let before = version();
        let (now, leased_until, limit) = (ServerTime(5), ServerTime(6), 9);
        store.write(ClaimRefreshes { now, leased_until, limit }).await.unwrap();
        store.write(ClaimClocks { now, leased_until, limit }).await.unwrap();
        let in_flight = vec![];
        let claim = ClaimDeliveries { now, leased_until, limit, per_endpoint: 9, in_flight };
        store.write(claim).await.unwrap();
        store.write(Prune { now, account_now: AccountTime(0) }).await.unwrap();
        assert_eq!(version(), before);
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
        assert_ne!(version(), before);
    });
}

/// The server takes so many merchants and not one more; those it has go on.
#[test]
fn merchants_are_bounded() {
    let store = Store::open(settings(Place::Temporary)).unwrap();
    run(async {
        let crowd = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers \
            WHERE n < 100000) INSERT INTO merchants (merchant) SELECT 10 + n FROM numbers";
        assert_eq!(MERCHANTS_MAX, 100_000);
        store.write(Run(crowd)).await.unwrap();
        assert_eq!(store.write(object(1)).await.unwrap(), Created::MerchantsFull);
        store.write(Run("DELETE FROM merchants WHERE merchant = 11")).await.unwrap();
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
    });
}
