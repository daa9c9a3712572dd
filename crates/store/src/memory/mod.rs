//! The in-memory model: the store on plain collections, for tests and the simulation. It states the
//! meaning of every command as simply as possible, seals no columns and stores no files. Tests
//! compare the database with it.
//!
//! A command works on a copy of the collections. The copy replaces them only if the command
//! succeeds.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    reason = "commands have one signature on every back end"
)]

pub(crate) mod account;
pub(crate) mod backlog;
pub(crate) mod clock;
pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod delivery_claim;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod idempotency;
mod job;
pub(crate) mod object;
pub(crate) mod object_filter;
pub(crate) mod open_work;
pub(crate) mod place;
mod precondition;
pub(crate) mod probe;
pub(crate) mod prune;
pub(crate) mod refresh;
pub(crate) mod refresh_claim;
pub(crate) mod removal;
pub(crate) mod replace;
pub(crate) mod snapshot;
pub(crate) mod transaction;

use crate::store::{Failure, Outcome};
use crate::uses::Places;
use crate::{
    Connection, Cursor, IdempotencyRecord, Kind, Listed, Object, Page, Read, Write, exact,
};
use model::account::Account;
use model::clock::{Clock, ServerTime};
use model::connected_account::PlatformTie;
use model::delivery::{Attempt, Delivery, DeliveryKey};
use model::event::Event;
use model::id::{AccountId, ClockId, EventId, MerchantId, OwnershipId, SnapshotId, TransactionId};
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey};
use model::transaction::StoredTransaction;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The collections behind a lock. Commands run one after the other.
pub(crate) struct Model {
    memory: Mutex<Memory>,
}

/// The collections. Large rows are shared, so that a copy costs little.
#[derive(Clone)]
pub struct Memory {
    clock: Arc<dyn Clock>,
    /// The time that was given to the last event.
    last_commit: ServerTime,
    places: Places,
    merchants: BTreeMap<MerchantId, MerchantRow>,
    rows: Rows,
    snapshots: BTreeMap<(MerchantId, SnapshotId), Arc<Rows>>,
}

/// The counts of a merchant, which a restore and a reset raise and never lower.
#[derive(Clone, Default)]
struct MerchantRow {
    /// The number above all counts of removed rows.
    floor: u32,
    /// The newest number of its feed.
    feed: u64,
    /// The claim of its feed.
    claim: u32,
    leased_until: Option<ServerTime>,
    /// The day of its last use. `None` if it is never removed.
    used_day: Option<i64>,
}

/// The rows of merchants: those of the store, or those in one snapshot.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    objects: BTreeMap<(MerchantId, Kind, u64), Arc<Object>>,
    accounts: BTreeMap<AccountId, Arc<Account>>,
    connections: BTreeMap<AccountId, Arc<Connection>>,
    ownerships: BTreeMap<OwnershipId, (MerchantId, Arc<Ownership>)>,
    refreshes: BTreeMap<RefreshKey, RefreshJob>,
    transactions: BTreeMap<TransactionId, (MerchantId, Arc<StoredTransaction>)>,
    events: BTreeMap<EventId, EventRow>,
    deliveries: BTreeMap<DeliveryKey, Arc<Delivery>>,
    attempts: BTreeMap<(DeliveryKey, u32), Arc<Attempt>>,
    idempotency_records: BTreeMap<(MerchantId, String), Arc<IdempotencyRecord>>,
    clock_jobs: BTreeMap<(MerchantId, ClockId), ClockJob>,
}

#[derive(Clone)]
struct EventRow {
    committed_at: ServerTime,
    feed: Option<u64>,
    event: Arc<Event>,
}

#[derive(Clone, Default)]
struct ClockJob {
    claim: u32,
    leased_until: Option<ServerTime>,
}

impl EventRow {
    /// The order in which events are dispatched and pruned.
    fn order(&self) -> (ServerTime, EventId) {
        (self.committed_at, self.event.id)
    }
}

/// Orders sorted work so that merchants take turns: the first of each, then the second of each.
fn in_turns<T>(work: Vec<T>, merchant: impl Fn(&T) -> MerchantId) -> Vec<T> {
    let mut turns: BTreeMap<MerchantId, usize> = BTreeMap::new();
    let ranked = work.into_iter().map(|one| {
        let turn = turns.entry(merchant(&one)).or_default();
        *turn += 1;
        (*turn, one)
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(turn, _)| *turn);
    ranked.into_iter().map(|(_, one)| one).collect()
}

/// The owner of the shares of a merchant: the platform of a connected account, and the merchant
/// itself otherwise.
fn owner(rows: &Rows, merchant: MerchantId) -> MerchantId {
    let key = (merchant, Kind::PlatformTie, PlatformTie::NUMBER);
    match rows.objects.get(&key).map(AsRef::as_ref) {
        Some(Object::PlatformTie(tie)) => tie.platform,
        _ => merchant,
    }
}

impl Model {
    pub(crate) fn empty(clock: Arc<dyn Clock>, places: Places) -> Self {
        let memory = Memory {
            clock,
            last_commit: ServerTime(0),
            places,
            merchants: BTreeMap::new(),
            rows: Rows::default(),
            snapshots: BTreeMap::new(),
        };
        Self { memory: Mutex::new(memory) }
    }

    pub(crate) fn write<C: Write>(&self, command: &C) -> Result<C::Output, Failure> {
        let mut memory = self.lock();
        // The command works on a copy, which is dropped if the command fails or panics.
        let mut changed = memory.clone();
        let output = command.memory(&mut changed)?;
        if output.stays() {
            *memory = changed;
        }
        Ok(output)
    }

    pub(crate) fn read<C: Read>(&self, command: &C) -> Result<C::Output, Failure> {
        command.memory(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if there is no lease, or one that has expired at `now`.
fn is_free(leased_until: Option<ServerTime>, now: ServerTime) -> bool {
    leased_until.is_none_or(|until| until <= now)
}

/// A page of rows, sorted by their positions, greatest first.
fn page<P: Ord + Copy, T>(rows: impl Iterator<Item = (P, T)>, page: Page<P>) -> Listed<T> {
    let limit: usize = exact(page.limit, "a page has at most PAGE_ROWS_MAX rows");
    let mut rows: Vec<(P, T)> = rows
        .filter(|(position, _)| match page.cursor {
            Cursor::Newest => true,
            Cursor::After(after) => *position < after,
            Cursor::Before(before) => *position > before,
        })
        .collect();
    rows.sort_by(|(one, _), (two, _)| two.cmp(one));
    let has_more = rows.len() > limit;
    if let Cursor::Before(_) = page.cursor {
        // The nearest rows are the last ones.
        rows.drain(..rows.len().saturating_sub(limit));
    }
    rows.truncate(limit);
    Listed { items: rows.into_iter().map(|(_, row)| row).collect(), has_more }
}
