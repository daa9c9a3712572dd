//! Generations: the sets of rows of a merchant.
//!
//! The rows of a merchant are those of its current generation. Their column `merchant` has the
//! *owner* of the generation, and their buckets are turned by the generation's *turn*. So the rows of
//! two generations never have the same key, although their ids are equal. The first generation of a
//! merchant has the merchant's number as its owner, and turn 0. The owners of later ones are negative.
//!
//! A restore and a reset make another generation current (`replace.rs`). A write looks up the current
//! one in its own transaction, and a read takes it from memory. Until a generation is removed, workers
//! skip its rows.

use super::{Batch, Failure, Reading, column, number};
use crate::Read;
use model::id::{AccountId, EventId, MerchantId, bucket_of};
use model::limits::BUCKETS;
use rusqlite::Row;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Exempt, because it leads from a merchant to the owner of its rows.
pub(super) const FIND_GENERATION: &str = "SELECT owner, turn FROM merchants WHERE merchant = ?1";
pub(super) const FIND_MERCHANT: &str = "SELECT merchant FROM generations WHERE owner = ?1";
/// Leaves out those that stand for rows of snapshots, because workers do not see these rows.
pub(super) const LIST_IDLE: &str = "SELECT owner FROM generations \
     WHERE state <> 'current' AND state NOT IN ('filling', 'dropped')";

/// The rows of generations that are not current that a list of due work passes at most.
const IDLE_ROWS_MAX: usize = 5_000;
/// The maximum number of merchants whose generation is known. An entry takes about 40 bytes.
const KNOWN_MAX: usize = 10_000;

/// A generation of a merchant's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    /// The value in the column `merchant` of its rows.
    pub(crate) owner: i64,
    /// The number that is added to the buckets of its rows.
    pub(super) turn: u32,
}

impl Generation {
    /// The first generation of a merchant.
    pub(crate) fn first(merchant: MerchantId) -> Self {
        Self { owner: column(merchant.number()), turn: 0 }
    }

    /// The bucket of a shard's rows, as a column stores it.
    pub(crate) fn bucket(self, shard: u64) -> i64 {
        i64::from((bucket_of(shard) + self.turn) % BUCKETS)
    }

    /// Bucket, number and owner of an account.
    pub(crate) fn account_key(self, account: AccountId) -> [i64; 3] {
        [self.bucket(account.number()), column(account.number()), self.owner]
    }

    /// Bucket, shard, number and owner of an event.
    pub(crate) fn event_key(self, event: EventId) -> [i64; 4] {
        [self.bucket(event.shard), column(event.shard), column(event.number), self.owner]
    }
}

impl Batch<'_> {
    /// The current generation of a merchant.
    pub(crate) fn generation(&self, merchant: MerchantId) -> Result<Generation, Failure> {
        if let Some((known, generation)) = self.generation.get()
            && known == merchant
        {
            return Ok(generation);
        }
        let found = find(merchant, &self.reading())?;
        self.generation.set(Some((merchant, found)));
        Ok(found)
    }
}

impl Reading<'_> {
    /// The current generation of a merchant.
    pub(crate) fn generation(&self, merchant: MerchantId) -> Result<Generation, Failure> {
        match self.generation {
            Some((known, generation)) if known == merchant => Ok(generation),
            _ => find(merchant, self),
        }
    }

    /// The merchant of a generation.
    pub(crate) fn merchant(&self, owner: i64) -> Result<MerchantId, Failure> {
        let number = match u64::try_from(owner) {
            Ok(number) => number,
            Err(_) => self
                .find(FIND_MERCHANT, [owner], |row| number(row, 0))?
                .ok_or(Failure::Unreadable("generations.merchant"))?,
        };
        Ok(MerchantId::from_number(number))
    }

    /// Lets a read see the current generation of a merchant, in one state. The merchant's row stays
    /// open meanwhile, which costs less than a transaction.
    pub(crate) fn of_merchant<T>(
        &self,
        merchant: MerchantId,
        read: impl FnOnce(&Reading<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut statement = self.connection.prepare_cached(FIND_GENERATION)?;
        let mut rows = statement.query([column(merchant.number())])?;
        let generation = match rows.next()? {
            Some(row) => generation(merchant, row)?,
            None => Generation::first(merchant),
        };
        read(&Reading { generation: Some((merchant, generation)), ..*self })
    }
}

fn find(merchant: MerchantId, reading: &Reading<'_>) -> Result<Generation, Failure> {
    let key = [column(merchant.number())];
    let found = reading.find(FIND_GENERATION, key, |row| generation(merchant, row))?;
    Ok(found.unwrap_or_else(|| Generation::first(merchant)))
}

/// A generation from its row: owner, turn.
fn generation(merchant: MerchantId, row: &Row<'_>) -> Result<Generation, Failure> {
    let first = Generation::first(merchant).owner;
    Ok(Generation { owner: row.get::<_, Option<i64>>(0)?.unwrap_or(first), turn: row.get(1)? })
}

/// The current generations of merchants that were read, so that a read need not look one up. A switch
/// makes all of them unknown.
///
/// The number of switches is raised before the commit of a switch and after it, and no generation is
/// known in between. A read takes a generation that is known for the current number. Its output is
/// valid if the number is the same afterwards, because then no switch was committed meanwhile.
#[derive(Default)]
pub(crate) struct Known {
    switches: AtomicU64,
    /// True between the two.
    is_switching: AtomicBool,
    generations: RwLock<HashMap<MerchantId, (u64, Generation)>>,
}

impl Known {
    /// Makes all generations unknown, because a switch runs.
    pub(super) fn begin_switch(&self) {
        self.is_switching.store(true, Ordering::Release);
        self.switches.fetch_add(1, Ordering::AcqRel);
    }

    /// Makes all generations unknown once more, after the commit of a switch.
    pub(super) fn end_switch(&self) {
        if self.is_switching.load(Ordering::Acquire) {
            // In this order, so that a read which finds the end of the switch finds the new number.
            self.switches.fetch_add(1, Ordering::AcqRel);
            self.is_switching.store(false, Ordering::Release);
        }
    }

    /// The number of switches, or `None` while one is being committed.
    pub(super) fn switches(&self) -> Option<u64> {
        let is_switching = self.is_switching.load(Ordering::Acquire);
        (!is_switching).then(|| self.switches.load(Ordering::Acquire))
    }

    pub(super) fn find(&self, merchant: MerchantId, switches: u64) -> Option<Generation> {
        let known = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let (at, generation) = *known.get(&merchant)?;
        (at == switches).then_some(generation)
    }

    fn put(&self, merchant: MerchantId, switches: u64, generation: Generation) {
        let mut known = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(merchant, (switches, generation));
    }
}

impl Reading<'_> {
    /// Runs a command on one state, in the current generation of its merchant.
    pub(super) fn run<C: Read>(self, command: &C, known: &Known) -> Result<C::Output, Failure> {
        let Some(merchant) = command.merchant() else { return command.sqlite(&self) };
        if let Some(switches) = known.switches()
            && let Some(generation) = known.find(merchant, switches)
        {
            let of_merchant = Reading { generation: Some((merchant, generation)), ..self };
            let output = command.sqlite(&of_merchant);
            if known.switches() == Some(switches) {
                return output;
            }
        }
        let switches = known.switches();
        self.of_merchant(merchant, |reading| {
            if let Some(switches) = switches {
                known.put(merchant, switches, reading.generation(merchant)?);
            }
            command.sqlite(reading)
        })
    }
}

/// The owners of the generations that are not current. Usually there are none.
pub(super) struct Idle(BTreeSet<i64>);

impl Idle {
    pub(super) fn list(reading: &Reading<'_>) -> Result<Self, Failure> {
        let owners = reading.list(LIST_IDLE, [], |row| Ok(row.get(0)?))?;
        Ok(Self(owners.into_iter().collect()))
    }

    /// True if the owner's generation is not current.
    pub(super) fn has(&self, owner: i64) -> bool {
        self.0.contains(&owner)
    }

    /// The number of rows to read in order to find this number of current ones.
    pub(super) fn limit(&self, rows: usize) -> i64 {
        let passed = if self.0.is_empty() { 0 } else { IDLE_ROWS_MAX };
        super::limit(rows.saturating_add(passed))
    }

    /// Reads a row of a current generation, and skips any other.
    pub(super) fn pass<T>(
        &self,
        owner: i64,
        reading: &Reading<'_>,
        read: impl FnOnce(MerchantId) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        if self.has(owner) { Ok(None) } else { read(reading.merchant(owner)?).map(Some) }
    }
}
