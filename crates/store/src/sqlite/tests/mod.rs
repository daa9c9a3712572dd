//! Tests of the database alone: its statements, its file, its writer.

mod buckets;
mod database;
mod earlier_charges;
mod event_costs;
mod event_filters;
mod file;
mod filters;
mod generations;
mod levels;
mod list_costs;
mod long_reads;
mod merchant;
mod migrated;
mod migrations;
mod new_database;
mod rows;
#[path = "../../../tests/conformance/sample.rs"]
mod samples;
mod shrink;
mod snapshots;
mod statements;
mod writer;

use crate::store::Failure;
use crate::uses::Places;
use crate::{CreateObject, Failpoints, Object, Place, Store, StoreBounds, StoreSettings};
use model::clock::TestClock;
use model::id::{ClockId, MerchantId};
use std::path::Path;
use std::sync::Arc;
use testkit::clock::ManualClock;
use testkit::objects;
use testkit::rng::RepeatedByte;

pub(crate) fn settings(place: Place) -> StoreSettings {
    StoreSettings {
        place,
        seal_key: [7; 32],
        failpoints: Failpoints::default(),
        rng: Arc::new(RepeatedByte(1)),
        clock: Arc::new(ManualClock::at(1_700_000_000)),
        readers: 2,
        bounds: StoreBounds::default(),
        kept: Arc::new(()),
    }
}

/// The places of a database with the usual bounds.
pub(crate) fn places() -> Places {
    Places::of(&StoreBounds::default(), Arc::new(()))
}

pub(crate) fn at(path: &Path) -> StoreSettings {
    settings(Place::File(path.to_owned()))
}

/// The smallest object.
fn object(number: u64) -> CreateObject {
    let clock = TestClock { id: ClockId::from_number(number), ..objects::test_clock() };
    CreateObject::of(Object::TestClock(clock))
}

pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
}

/// A folder for a database, which is removed with the test.
fn folder() -> tempfile::TempDir {
    tempfile::TempDir::new().unwrap()
}

/// The path of a database in a new folder, which is removed with the test.
fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = folder();
    let path = folder.path().join("bank.db");
    (folder, path)
}

/// True if an object exists.
async fn is_there(store: &Store, number: u64) -> bool {
    let merchant = MerchantId::from_number(1);
    let find = crate::FindObject { merchant, kind: crate::Kind::TestClock, number };
    store.read(find).await.unwrap().is_some()
}

/// The text of a failed command's cause.
fn cause(error: &crate::Error) -> String {
    match error {
        crate::Error::Busy | crate::Error::ShareUsed { .. } | crate::Error::ObjectTooLarge => {
            error.to_string()
        }
        crate::Error::Internal(source) => match source.downcast_ref::<Failure>() {
            Some(failure) => failure.to_string(),
            None => source.to_string(),
        },
    }
}
