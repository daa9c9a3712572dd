//! Due work of objects, on both back ends. The tests use a kind of their own, so that they test the
//! rule and not the behaviour of one product object.

use crate::sqlite::tests::settings;
use crate::{
    ChangeObjects, Changed, CreateObject, Created, DueOnClock, ListDueObjects, ListDueOnClock,
    Object, Place, Store,
};
use model::clock::AccountTime;
use model::id::{ClockId, MerchantId};
use model::stored::{Stored, StoredKind};
use serde::{Deserialize, Serialize};

/// An object with only the fields that the store needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    merchant: u64,
    number: u64,
    version: u64,
    clock: Option<u64>,
    deleted: bool,
    due_at: Option<i64>,
    #[serde(skip)]
    secret: Option<Vec<u8>>,
}

impl Stored for Alarm {
    fn merchant(&self) -> MerchantId {
        MerchantId::from_number(self.merchant)
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }

    fn created(&self) -> AccountTime {
        AccountTime(0)
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock.map(ClockId::from_number)
    }

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.due_at.map(AccountTime)
    }

    fn secret(&self) -> Option<Vec<u8>> {
        self.secret.clone()
    }

    fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        self.secret = Some(secret);
        true
    }
}

impl StoredKind for Alarm {
    type Object = Self;
    const NAME: &'static str = "alarm";

    fn parse_number(_text: &str) -> Option<u64> {
        None
    }
}

fn alarm(number: u64, due_at: i64) -> Alarm {
    let due_at = Some(due_at);
    Alarm { merchant: 1, number, version: 1, clock: None, deleted: false, due_at, secret: None }
}

fn on_both(test: impl AsyncFn(Store)) {
    super::sqlite::tests::run(async {
        test(Store::memory_model(settings(Place::Temporary).clock)).await;
        test(Store::open(settings(Place::Temporary)).unwrap()).await;
    });
}

async fn create(store: &Store, alarm: Alarm) {
    let create = CreateObject::of(Object::Alarm(alarm));
    assert_eq!(store.write(create).await.unwrap(), Created::Done);
}

async fn change(store: &Store, alarm: Alarm) {
    let change =
        ChangeObjects::of(vec![Object::Alarm(Alarm { version: alarm.version + 1, ..alarm })]);
    assert_eq!(store.write(change).await.unwrap(), Changed::Done);
}

async fn due(store: &Store, now: i64, limit: usize) -> Vec<Object> {
    store.read(ListDueObjects { now: AccountTime(now), limit }).await.unwrap()
}

fn numbers(objects: &[Object]) -> Vec<(u64, u64)> {
    objects.iter().map(|object| (object.merchant().number(), object.number())).collect()
}

/// Objects that are due up to and including now are listed, of all merchants, with their secrets.
/// Merchants take turns, and within a merchant the longest due comes first, then the oldest.
#[test]
fn due_objects_are_listed() {
    on_both(async |store| {
        for (merchant, number, at) in [(1, 1, 30), (2, 2, 10), (1, 4, 20), (2, 3, 20), (1, 5, 31)] {
            create(&store, Alarm { merchant, ..alarm(number, at) }).await;
        }
        create(&store, Alarm { due_at: None, ..alarm(6, 0) }).await;
        assert_eq!(numbers(&due(&store, 30, 9).await), [(2, 2), (1, 4), (2, 3), (1, 1)]);
        assert_eq!(numbers(&due(&store, 30, 2).await), [(2, 2), (1, 4)]);
        assert_eq!(due(&store, 9, 9).await, []);
        let secret = Alarm { secret: Some(b"secret".to_vec()), ..alarm(7, 1) };
        create(&store, secret.clone()).await;
        assert_eq!(due(&store, 9, 9).await, [Object::Alarm(secret)]);
    });
}

/// A change of an object moves the time of its work. A deleted object may have due work too, the
/// rest of its deletion.
#[test]
fn a_change_moves_the_due_work() {
    on_both(async |store| {
        create(&store, alarm(1, 10)).await;
        create(&store, alarm(2, 10)).await;
        assert_eq!(numbers(&due(&store, 10, 9).await), [(1, 1), (1, 2)]);
        change(&store, Alarm { deleted: true, ..alarm(1, 10) }).await;
        change(&store, alarm(2, 20)).await;
        assert_eq!(numbers(&due(&store, 19, 9).await), [(1, 1)]);
        assert_eq!(numbers(&due(&store, 20, 9).await), [(1, 1), (1, 2)]);
        change(&store, Alarm { deleted: true, due_at: None, version: 2, ..alarm(1, 0) }).await;
        change(&store, Alarm { due_at: None, version: 2, ..alarm(2, 0) }).await;
        assert_eq!(due(&store, 99, 9).await, []);
    });
}

/// The due objects of a clock are listed for this clock and merchant only. Objects without a clock
/// are never among them.
#[test]
fn objects_on_a_clock_are_due_by_the_clock() {
    on_both(async |store| {
        for (merchant, number, clock, at) in [
            (1, 1, Some(5), 20),
            (1, 2, Some(5), 10),
            (1, 3, Some(6), 10),
            (2, 4, Some(5), 10),
            (1, 5, None, 10),
            (1, 6, Some(5), 21),
        ] {
            create(&store, Alarm { merchant, clock, ..alarm(number, at) }).await;
        }
        assert_eq!(numbers(&due(&store, 99, 9).await), [(1, 5)]);
        let list = ListDueOnClock {
            merchant: MerchantId::from_number(1),
            clock: ClockId::from_number(5),
            until: AccountTime(20),
            limit: 9,
        };
        let DueOnClock { accounts, refreshes, objects } = store.read(list).await.unwrap();
        assert_eq!((accounts.len(), refreshes.len()), (0, 0));
        assert_eq!(numbers(&objects), [(1, 2), (1, 1)]);
        let one = store.read(ListDueOnClock { limit: 1, ..list }).await.unwrap();
        assert_eq!(numbers(&one.objects), [(1, 2)]);
    });
}
