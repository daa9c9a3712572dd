//! The writer: groups, failures, panics, the queue.

use super::{at, cause, folder, is_there, object, place, places, run, settings};
use crate::memory::Memory;
use crate::seal::Sealer;
use crate::sqlite::open::{open_reader, open_writer};
use crate::sqlite::writer::{Writer, WriterSettings};
use crate::sqlite::{Batch, Reading};
use crate::store::Failure;
use crate::{
    ChangeObject, ChangeObjects, Changed, ClaimClocks, ClaimDeliveries, ClaimRefreshes,
    CreateObject, Created, Error, Failpoints, Place, Prune, Read, Store, StoreSettings, Write,
    WriterStats, Written,
};
use model::clock::ServerTime;
use model::id::MerchantId;
use model::limits::{MERCHANTS_MAX, WRITER_QUEUE_MAX};
use std::pin::{Pin, pin};
use std::sync::{Mutex, mpsc};
use tokio::sync::oneshot;

/// Blocks the writer until it is opened, so that later commands gather in one group.
struct Gate {
    reached: Mutex<Option<oneshot::Sender<()>>>,
    opened: Mutex<mpsc::Receiver<()>>,
}

/// The test's side of a gate.
struct GateHandle {
    reached: oneshot::Receiver<()>,
    open: mpsc::Sender<()>,
}

impl Gate {
    fn closed() -> (Self, GateHandle) {
        let (reach, reached) = oneshot::channel();
        let (open, opened) = mpsc::channel();
        let gate = Self { reached: Mutex::new(Some(reach)), opened: Mutex::new(opened) };
        (gate, GateHandle { reached, open })
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

/// Runs commands that are queued while the writer is blocked, so that they form one group.
async fn in_one_group<T>(store: &Store, commands: Pin<Box<impl Future<Output = T>>>) -> T {
    let (gate, handle) = Gate::closed();
    let group = async {
        handle.reached.await.unwrap();
        tokio::join!(commands, async { handle.open.send(()).unwrap() }).0
    };
    tokio::join!(store.write(gate), group).1
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

/// Writes an object and panics.
struct WriteAndPanic(CreateObject);

impl Write for WriteAndPanic {
    type Output = Created;

    fn sqlite(&self, batch: &Batch<'_>) -> Result<Created, Failure> {
        let created = self.0.sqlite(batch)?;
        panic!("a defect behind {created:?}");
    }

    fn memory(&self, memory: &mut Memory) -> Result<Created, Failure> {
        let created = self.0.memory(memory)?;
        panic!("a defect behind {created:?}");
    }
}

/// Panics while it reads.
struct ReadAndPanic;

impl Read for ReadAndPanic {
    type Output = ();

    fn merchant(&self) -> Option<MerchantId> {
        None
    }

    fn sqlite(&self, _: &Reading<'_>) -> Result<(), Failure> {
        panic!("a defect");
    }

    fn memory(&self, _: &Memory) -> Result<(), Failure> {
        panic!("a defect");
    }
}

/// A writer that checks at each commit that children have parents.
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
            places: places(),
            known: std::sync::Arc::default(),
        },
    )
    .unwrap()
}

const ORPHAN: &str = "INSERT INTO children (parent) VALUES (1)";
const PARENT: &str = "INSERT INTO parents (id) VALUES (2)";

/// A failed commit fails every command of its group, and writes no rows. The writer opens the
/// database again and continues.
#[test]
fn a_failed_commit_fails_the_group() {
    let (_folder, path) = place();
    let writer = checking_writer(&path);
    run(async {
        let (gate, handle) = Gate::closed();
        let group = async {
            handle.reached.await.unwrap();
            tokio::join!(
                writer.write(Run(PARENT)),
                writer.write(Run(ORPHAN)),
                writer.write(object(1)),
                async { handle.open.send(()).unwrap() },
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
        assert!(!writer.is_ready(), "the next commit may fail too");
        writer.write(Run("DELETE FROM parents WHERE FALSE")).await.unwrap();
        assert!(!writer.is_ready(), "a group without writes commits nothing");
        writer.write(Run(PARENT)).await.unwrap();
        assert!(writer.is_ready());
        assert_eq!(writer.write(object(1)).await.unwrap(), Created::Done);
    });
}

/// Commands that fail after they wrote are undone alone, without the other commands of their group.
#[test]
fn failing_commands_are_undone_alone() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    run(async {
        let group = Box::pin(async {
            tokio::join!(
                store.write(object(1)),
                store.write(object(1)),
                store.write(crate::CreateObject { kind_max: Some(1), ..object(2) }),
                store.write(object(3)),
                store.write(WriteAndPanic(object(4))),
                store.write(crate::CreateObject { kind_max: Some(2), ..object(5) }),
                store.write(object(6)),
            )
        });
        let (one, again, full, three, panicked, also_full, six) = in_one_group(&store, group).await;
        insta::assert_snapshot!(cause(&again.unwrap_err()), @"the row exists already");
        insta::assert_snapshot!(cause(&panicked.unwrap_err()), @"the command WriteAndPanic panicked");
        for full in [full, also_full] {
            assert_eq!(full.unwrap(), Created::KindFull);
        }
        for done in [one, three, six] {
            assert_eq!(done.unwrap(), Created::Done);
        }
        for (number, there) in [(1, true), (2, false), (3, true), (4, false), (5, false), (6, true)]
        {
            assert_eq!(is_there(&store, number).await, there, "{number}");
        }
        let stats = store.writer_stats();
        assert_eq!((stats.commands, stats.commands_failed, stats.commands_panicked), (8, 1, 1));
    });
}

/// A command that panics after it wrote fails alone. Its writes are rolled back, the panic is
/// counted, and the other commands of its group commit.
#[test]
fn a_panicking_command_is_undone_alone() {
    let folder = folder();
    let store = Store::open(at(&folder.path().join("bank.db"))).unwrap();
    run(async {
        let group = Box::pin(async {
            tokio::join!(
                store.write(object(1)),
                store.write(WriteAndPanic(object(2))),
                store.write(object(3)),
            )
        });
        let (one, panicked, three) = in_one_group(&store, group).await;
        assert_eq!(one.unwrap(), Created::Done);
        insta::assert_snapshot!(cause(&panicked.unwrap_err()), @"the command WriteAndPanic panicked");
        assert_eq!(three.unwrap(), Created::Done);
        for (number, there) in [(1, true), (2, false), (3, true)] {
            assert_eq!(is_there(&store, number).await, there, "{number}");
        }
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
        let stats = store.writer_stats();
        assert_eq!((stats.commands_panicked, stats.commands_failed), (1, 0));
        assert!(store.is_ready() && store.is_writer_alive());
    });
}

/// A failpoint with the name of a command makes it panic once: a write after its statements, which
/// are rolled back, and a read before its statements.
#[test]
fn a_command_is_a_failpoint() {
    let store = |failpoint| {
        let failpoints = Failpoints::parse(failpoint).unwrap();
        Store::open(StoreSettings { failpoints, ..settings(Place::Temporary) }).unwrap()
    };
    run(async {
        let writes = store("CreateObject:1:panic");
        assert_eq!(writes.write(object(1)).await.unwrap(), Created::Done);
        let panicked = writes.write(object(2)).await.unwrap_err();
        insta::assert_snapshot!(cause(&panicked), @"the command CreateObject panicked");
        assert!(!is_there(&writes, 2).await);
        assert_eq!(writes.write(object(2)).await.unwrap(), Created::Done);

        let reads = store("FindObject:1:panic");
        assert!(!is_there(&reads, 1).await);
        let reading = reads.clone();
        let task = tokio::spawn(async move { is_there(&reading, 1).await });
        assert!(task.await.unwrap_err().is_panic());
        assert!(!is_there(&reads, 1).await);
    });
}

/// A command that panics leaves the in-memory model unchanged.
#[test]
fn a_panicking_command_leaves_the_model_unchanged() {
    let store = Store::memory_model(settings(Place::Temporary).clock);
    run(async {
        let panicking = store.clone();
        let task = tokio::spawn(async move { panicking.write(WriteAndPanic(object(1))).await });
        assert!(task.await.unwrap_err().is_panic());
        assert!(!is_there(&store, 1).await);
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
    });
}

/// Reads that panic return their connections: after more of them than there are connections, the
/// store can still be read.
#[test]
fn a_panicking_read_returns_its_connection() {
    let settings = settings(Place::Temporary);
    let reads = settings.readers + 1;
    let store = Store::open(settings).unwrap();
    run(async {
        for _ in 0..reads {
            let panicking = store.clone();
            let task = tokio::spawn(async move { panicking.read(ReadAndPanic).await });
            assert!(task.await.unwrap_err().is_panic());
        }
        assert!(!is_there(&store, 1).await);
    });
}

/// A panic outside of a command ends the writer thread. Callers get an error, the store reports that
/// its writer is dead, and committed data stays readable.
#[test]
fn a_dead_writer_is_reported() {
    let folder = folder();
    let failpoints = Failpoints::parse("before_commit:1:panic").unwrap();
    let path = folder.path().join("bank.db");
    let store = Store::open(StoreSettings { failpoints, ..at(&path) }).unwrap();
    run(async {
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
        assert!(store.is_ready() && store.is_writer_alive());
        for number in [2, 3] {
            let error = store.write(object(number)).await.unwrap_err();
            insta::allow_duplicates! {
                insta::assert_snapshot!(cause(&error), @"the writer thread died; restart the server");
            }
        }
        assert!(!store.is_ready() && !store.is_writer_alive());
        assert!(is_there(&store, 1).await);
        assert!(!is_there(&store, 2).await);
        store.close().await;
        assert!(!store.is_writer_alive());
    });
    drop(store);
    let store = Store::open(at(&path)).unwrap();
    run(async { assert_eq!(store.write(object(2)).await.unwrap(), Created::Done) });
}

/// The counters of the writer follow a script of commands.
#[test]
fn the_writer_counts() {
    let folder = folder();
    let store = Store::open(at(&folder.path().join("bank.db"))).unwrap();
    run(async {
        let before = store.writer_stats();
        assert_eq!((before.groups, before.commands, before.last_group_commands), (0, 0, 0));
        let group = Box::pin(async {
            tokio::join!(
                store.write(object(1)),
                store.write(object(1)),
                store.write(ChangeObject::of(object(1).object)),
                async { assert_eq!(store.writer_stats().queue_length, 3) },
            )
        });
        let (created, again, changed, ()) = in_one_group(&store, group).await;
        assert_eq!(created.unwrap(), Created::Done);
        assert!(again.is_err());
        assert_eq!(changed.unwrap(), Written::VersionConflict);
        let stats = store.writer_stats();
        let sizes = (stats.database_bytes, stats.wal_bytes);
        assert!(sizes.0.unwrap() > 0 && sizes.1.unwrap() > 0, "{sizes:?}");
        let expected = WriterStats {
            queue_length: 0,
            groups: 2,
            last_group_commands: 3,
            commands: 4,
            commands_failed: 1,
            commands_panicked: 0,
            version_conflicts: 1,
            commits_failed: 0,
            ..stats
        };
        assert_eq!(stats, expected);
    });
}

/// A full queue rejects a command at once. The queued commands run, also those of callers that were
/// dropped.
#[test]
fn a_full_queue_rejects_commands() {
    let store = Store::open(settings(Place::Temporary)).unwrap();
    run(async {
        let (gate, handle) = Gate::closed();
        let waiting = store.clone();
        let task = tokio::spawn(async move { waiting.write(gate).await });
        handle.reached.await.unwrap();
        // The gate is a group of its own, so the whole queue is free.
        let room = WRITER_QUEUE_MAX as u64;
        for number in 1..room {
            assert!(poll_once(pin!(store.write(object(number)))).await.is_none());
        }
        let mut last = pin!(store.write(object(room)));
        assert!(poll_once(last.as_mut()).await.is_none());
        let rejected = poll_once(pin!(store.write(object(room + 1)))).await;
        assert!(matches!(rejected, Some(Err(Error::Busy))));
        handle.open.send(()).unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(last.await.unwrap(), Created::Done);
        assert!(is_there(&store, 1).await);
        assert!(!is_there(&store, room + 1).await);
    });
}

/// Polls a write once, and drops it if it waits.
async fn poll_once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// A command is committed even if its caller was dropped before it ran.
#[test]
fn a_command_outlives_its_caller() {
    let store = Store::open(settings(Place::Temporary)).unwrap();
    run(async {
        let (gate, handle) = Gate::closed();
        let waiting = store.clone();
        let task = tokio::spawn(async move { waiting.write(gate).await });
        handle.reached.await.unwrap();
        assert!(poll_once(pin!(store.write(object(1)))).await.is_none());
        handle.open.send(()).unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
        assert!(is_there(&store, 1).await);
    });
}

/// Workers without due work write no rows: no other connection sees a commit.
#[test]
fn idle_claims_write_no_rows() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    let reader = open_reader(&path).unwrap();
    let version =
        || -> i64 { reader.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap() };
    run(async {
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
        let before = version();
        let (now, leased_until, limit) = (ServerTime(5), ServerTime(6), 9);
        store
            .write(ClaimRefreshes { now, leased_until, limit, free: 999, in_progress: vec![] })
            .await
            .unwrap();
        store
            .write(ClaimClocks {
                now,
                leased_until,
                after: None,
                limit,
                free: 999,
                in_progress: vec![],
            })
            .await
            .unwrap();
        let (free, per_endpoint, in_flight) = (999, 9, vec![]);
        let claim = ClaimDeliveries { now, leased_until, limit, free, per_endpoint, in_flight };
        store.write(claim).await.unwrap();
        store.write(Prune { now }).await.unwrap();
        assert_eq!(version(), before);
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
        assert_ne!(version(), before);
    });
}

/// The server accepts the maximum number of merchants and rejects one more. Existing merchants go
/// on.
#[test]
fn merchants_are_bounded() {
    let store = Store::open(settings(Place::Temporary)).unwrap();
    run(async {
        let crowd = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers \
            WHERE n < 100000) INSERT INTO merchants (merchant) SELECT 10 + n FROM numbers";
        assert_eq!(MERCHANTS_MAX, 100_000);
        store.write(Run(crowd)).await.unwrap();
        store.write(Run("UPDATE counts SET value = 100000")).await.unwrap();
        assert_eq!(store.write(object(1)).await.unwrap(), Created::MerchantsFull);
        let many = ChangeObjects::of(vec![object(1).object]);
        assert_eq!(store.write(many.clone()).await.unwrap(), Changed::MerchantsFull);
        assert!(!is_there(&store, 1).await);
        store.write(Run("UPDATE counts SET value = value - 1")).await.unwrap();
        assert_eq!(store.write(many).await.unwrap(), Changed::Done);
        assert_eq!(store.write(object(2)).await.unwrap(), Created::Done);
    });
}
