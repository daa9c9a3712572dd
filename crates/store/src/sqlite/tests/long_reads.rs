//! Long reads leave the serving threads, and merchants take turns.

use super::{object, places, run, settings};
use crate::memory::Memory;
use crate::sqlite::{Reading, Sqlite};
use crate::store::Failure;
use crate::{
    Bounds, CreateObject, Created, Cursor, Error, FindObject, Kind, ListObjects, Object, ObjectsOf,
    Page, Place, Read, StoreBounds, StoreSettings,
};
use model::clock::TestClock;
use model::id::MerchantId;
use model::limits::LONG_READS_WAITING_MAX;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use tokio::sync::OwnedSemaphorePermit;

/// Objects of each merchant. A page of them takes more than 500 steps.
const OBJECTS: u64 = 200;

fn merchant(number: u64) -> MerchantId {
    MerchantId::from_number(number)
}

fn list(number: u64) -> ListObjects {
    ListObjects {
        merchant: merchant(number),
        kind: Kind::TestClock,
        of: ObjectsOf::All,
        created: Bounds::default(),
        page: Page { limit: 100, cursor: Cursor::Newest },
    }
}

/// A list that records its end while it still holds its permits.
struct Recorded {
    list: ListObjects,
    name: (u64, usize),
    ended: Arc<Mutex<Vec<(u64, usize)>>>,
}

impl Read for Recorded {
    type Output = ();

    fn merchant(&self) -> Option<MerchantId> {
        self.list.merchant()
    }

    fn sqlite(&self, reading: &Reading<'_>) -> Result<(), Failure> {
        self.list.sqlite(reading)?;
        self.ended.lock().unwrap().push(self.name);
        Ok(())
    }

    fn memory(&self, memory: &Memory) -> Result<(), Failure> {
        self.list.memory(memory).map(drop)
    }
}

/// A database with two merchants, on which a read may take 250 steps.
async fn filled() -> Arc<Sqlite> {
    let bounds = StoreBounds { read_steps_max: 250, ..StoreBounds::default() };
    let settings = StoreSettings { bounds, ..settings(Place::Temporary) };
    let sqlite = Arc::new(Sqlite::open(settings, places()).unwrap());
    for number in 1..=OBJECTS {
        for owner in [1, 2] {
            let CreateObject { object: Object::TestClock(clock), .. } = object(number) else {
                unreachable!("the smallest object is a test clock");
            };
            let clock = TestClock { merchant: merchant(owner), ..clock };
            let create = CreateObject { object: Object::TestClock(clock), ..object(number) };
            assert_eq!(sqlite.write(create).await.unwrap(), Created::Done);
        }
    }
    sqlite
}

/// Takes all permits, so that no long read runs.
async fn hold(sqlite: &Arc<Sqlite>) -> Vec<OwnedSemaphorePermit> {
    let mut held = Vec::new();
    for _ in 0..model::limits::LONG_READS_MAX {
        held.push(Arc::clone(&sqlite.long_reads.turns.running).acquire_owned().await.unwrap());
    }
    held
}

/// Lets the other tasks run until so many long reads have begun.
async fn begun(sqlite: &Sqlite, count: u64) {
    for _ in 0..1_000 {
        if sqlite.long_reads() == count {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} long reads instead of {count}", sqlite.long_reads());
}

/// A long list waits for the pool, and returns what it would return at once. Reads of single rows
/// do not wait for it, and are no long reads.
#[test]
fn single_rows_never_wait_for_a_long_list() {
    run(async {
        let sqlite = filled().await;
        let held = hold(&sqlite).await;
        let long = tokio::spawn({
            let sqlite = Arc::clone(&sqlite);
            async move { sqlite.read(list(1)).await.unwrap() }
        });
        begun(&sqlite, 1).await;
        for number in 1..=OBJECTS {
            let find = FindObject { merchant: merchant(1), kind: Kind::TestClock, number };
            assert!(sqlite.read(find).await.unwrap().is_some());
        }
        assert!(!long.is_finished());
        assert_eq!(sqlite.long_reads(), 1);
        drop(held);
        let listed = long.await.unwrap();
        let numbers: Vec<u64> = listed.items.iter().map(Object::number).collect();
        assert_eq!(numbers, (OBJECTS - 99..=OBJECTS).rev().collect::<Vec<_>>());
        assert!(listed.has_more);
    });
}

/// A merchant runs one long read at a time. The next one of another merchant runs before its second.
#[test]
fn merchants_take_turns() {
    run(async {
        let sqlite = filled().await;
        let mut held = hold(&sqlite).await;
        let ended = Arc::new(Mutex::new(Vec::new()));
        let mut reads = Vec::new();
        for (index, owner) in [1, 1, 2].into_iter().enumerate() {
            let ended = Arc::clone(&ended);
            let read = Recorded { list: list(owner), name: (owner, index), ended };
            let reading = {
                let sqlite = Arc::clone(&sqlite);
                async move { sqlite.read(read).await.unwrap() }
            };
            reads.push(tokio::spawn(reading));
            // The next read begins once this one waits.
            begun(&sqlite, index as u64 + 1).await;
        }
        // One place is enough to see the order.
        held.pop();
        for read in reads {
            read.await.unwrap();
        }
        assert_eq!(*ended.lock().unwrap(), [(1, 0), (2, 2), (1, 1)]);
    });
}

/// A read of a whole sandbox, which ends when a test lets it.
struct Copy {
    owner: u64,
    began: Arc<AtomicBool>,
    end: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Read for Copy {
    type Output = ();

    fn merchant(&self) -> Option<MerchantId> {
        Some(merchant(self.owner))
    }

    fn is_copy(&self) -> bool {
        true
    }

    fn sqlite(&self, _: &Reading<'_>) -> Result<(), Failure> {
        self.began.store(true, Ordering::Release);
        // The test drops the sender.
        let _ = self.end.lock().unwrap().recv();
        Ok(())
    }

    fn memory(&self, _: &Memory) -> Result<(), Failure> {
        Ok(())
    }
}

/// While the sandbox of one merchant is copied and the copy of another waits, a long list of a third
/// merchant runs.
#[test]
fn a_list_never_waits_for_copies() {
    run(async {
        let sqlite = filled().await;
        let (held, end) = mpsc::channel();
        let end = Arc::new(Mutex::new(end));
        let mut copies = Vec::new();
        for (owner, count) in [(3, 1), (4, 2)] {
            let copy = Copy { owner, began: Arc::default(), end: Arc::clone(&end) };
            let began = Arc::clone(&copy.began);
            let copying = {
                let sqlite = Arc::clone(&sqlite);
                async move { sqlite.read_long(copy).await.unwrap() }
            };
            copies.push((tokio::spawn(copying), began));
            begun(&sqlite, count).await;
        }
        let free = sqlite.long_reads.turns.running.available_permits();
        assert_eq!(free, 1, "the second copy waits outside of the pool");
        assert_eq!(sqlite.read(list(1)).await.unwrap().items.len(), 100);
        assert!(!copies[1].1.load(Ordering::Acquire));
        drop(held);
        for (copying, began) in copies {
            copying.await.unwrap();
            assert!(began.load(Ordering::Acquire));
        }
    });
}

/// A merchant may have as many long reads as are free. So the long read of another merchant is accepted,
/// however many a merchant asks for.
#[test]
fn a_merchant_leaves_room_for_long_reads_of_others() {
    run(async {
        let sqlite = filled().await;
        let held = hold(&sqlite).await;
        let mut waiting = Vec::new();
        for count in 1..=LONG_READS_WAITING_MAX as u64 {
            let sqlite_of_read = Arc::clone(&sqlite);
            waiting.push(tokio::spawn(async move { sqlite_of_read.read(list(1)).await }));
            begun(&sqlite, count).await;
        }
        let sqlite_of_read = Arc::clone(&sqlite);
        let other = tokio::spawn(async move { sqlite_of_read.read(list(2)).await });
        begun(&sqlite, LONG_READS_WAITING_MAX as u64 + 1).await;
        drop(held);
        assert_eq!(other.await.unwrap().unwrap().items.len(), 100);
        let mut refused = 0;
        for read in waiting {
            match read.await.unwrap() {
                Ok(listed) => assert_eq!(listed.items.len(), 100),
                Err(error) => {
                    assert!(matches!(error, Error::ShareUsed { .. }), "{error}");
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, LONG_READS_WAITING_MAX / 2);
    });
}
