//! The writer: groups, failures, the queue.

use super::{at, cause, folder, is_there, object, run, settings};
use crate::memory::Memory;
use crate::seal::Sealer;
use crate::sqlite::Batch;
use crate::sqlite::open::{open_reader, open_writer};
use crate::sqlite::writer::{Writer, WriterSettings};
use crate::store::Failure;
use crate::{
    ChangeObjects, Changed, ClaimClocks, ClaimDeliveries, ClaimRefreshes, Created, Error,
    Failpoints, Place, Prune, Store, Write,
};
use model::clock::ServerTime;
use model::limits::{MERCHANTS_MAX, WRITER_QUEUE_MAX};
use std::sync::{Mutex, mpsc};
use tokio::sync::oneshot;

/// Holds the writer until it is let go, so that what is sent meanwhile gathers in one group.
struct Gate {
    reached: Mutex<Option<oneshot::Sender<()>>>,
    opened: Mutex<mpsc::Receiver<()>>,
}

/// The outside of a gate.
struct Held {
    reached: oneshot::Receiver<()>,
    open: mpsc::Sender<()>,
}

impl Gate {
    fn closed() -> (Self, Held) {
        let (reach, reached) = oneshot::channel();
        let (open, opened) = mpsc::channel();
        let gate = Self { reached: Mutex::new(Some(reach)), opened: Mutex::new(opened) };
        (gate, Held { reached, open })
    }
}

impl Write for Gate {
    type Output = ();

    fn sqlite(&self, _: &Batch<'_>) -> Result<(), Failure> {
        self.reached.lock().unwrap().take().unwrap().send(()).unwrap();
        self.opened.lock().unwrap().recv().unwrap();
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
            bounds: settings.bounds,
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
        let (gate, held) = Gate::closed();
        let group = async {
            held.reached.await.unwrap();
            tokio::join!(
                writer.write(Run(PARENT)),
                writer.write(Run(ORPHAN)),
                writer.write(object(1)),
                async { held.open.send(()).unwrap() },
            )
        };
        let (gate, (good, orphan, created, ())) = tokio::join!(writer.write(gate), group);
        gate.unwrap();
        for error in [good.unwrap_err(), orphan.unwrap_err(), created.unwrap_err()] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(cause(&error), @"the commit failed");
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
        let (gate, held) = Gate::closed();
        let group = async {
            held.reached.await.unwrap();
            tokio::join!(
                store.write(object(1)),
                store.write(object(1)),
                store.write(crate::CreateObject { kind_max: Some(1), ..object(2) }),
                store.write(object(3)),
                async { held.open.send(()).unwrap() },
            )
        };
        let (_, (one, again, full, two, ())) = tokio::join!(store.write(gate), group);
        assert_eq!(one.unwrap(), Created::Done);
        insta::assert_snapshot!(cause(&again.unwrap_err()), @"the row exists already");
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
        let (gate, held) = Gate::closed();
        let waiting = store.clone();
        let task = tokio::spawn(async move { waiting.write(gate).await });
        held.reached.await.unwrap();
        // The gate is a group of its own, so the whole queue is free.
        let room = WRITER_QUEUE_MAX as u64;
        for number in 1..room {
            assert!(poll_once(std::pin::pin!(store.write(object(number)))).await.is_none());
        }
        let mut last = std::pin::pin!(store.write(object(room)));
        assert!(poll_once(last.as_mut()).await.is_none());
        let refused = poll_once(std::pin::pin!(store.write(object(room + 1)))).await;
        assert!(matches!(refused, Some(Err(Error::Busy))));
        held.open.send(()).unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(last.await.unwrap(), Created::Done);
        assert!(is_there(&store, 1).await);
        assert!(!is_there(&store, room + 1).await);
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
        let (gate, held) = Gate::closed();
        let waiting = store.clone();
        let task = tokio::spawn(async move { waiting.write(gate).await });
        held.reached.await.unwrap();
        assert!(poll_once(std::pin::pin!(store.write(object(1)))).await.is_none());
        held.open.send(()).unwrap();
        task.await.unwrap().unwrap();
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
        store.write(Prune { now }).await.unwrap();
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
        let many = ChangeObjects { objects: vec![object(1).object], events: vec![], reply: None };
        assert_eq!(store.write(many.clone()).await.unwrap(), Changed::MerchantsFull);
        assert!(!is_there(&store, 1).await);
        store.write(Run("DELETE FROM merchants WHERE merchant = 11")).await.unwrap();
        assert_eq!(store.write(many).await.unwrap(), Changed::Done);
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
    });
}
