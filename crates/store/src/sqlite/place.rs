//! The places of merchants, and the removal of an unused sandbox.
//!
//! A removal is one commit, which makes an empty generation current, as a reset does. The old rows are
//! removed in steps. The first is in the same commit, so that a small sandbox is gone at once. The pruner does
//! the others. The last step deletes the merchant's row. A crash leaves rows that no command sees.

use super::generation::Generation;
use super::replace::{self, GenerationRow};
use super::snapshot::merchants_of;
use super::{Batch, Failure, Reading, column, number, object, removal};
use crate::uses::day_of;
use crate::{
    Bounds, CountPlaces, Cursor, Kind, ListObjects, Object, ObjectsOf, Page, PlacesTaken,
    RemoveGenerations, UseMerchants,
};
use model::id::MerchantId;
use model::limits::{PLACES_PASSED_MAX, SNAPSHOTS_MAX};
use rusqlite::params;

/// Changes no row of a merchant that has a place.
pub(super) const TAKE_PLACE: &str = "INSERT INTO merchants (merchant, used_day) VALUES (?1, ?2) \
     ON CONFLICT (merchant) DO UPDATE SET used_day = excluded.used_day, vacant = 0 \
     WHERE merchants.vacant = 1 AND merchants.merchant = excluded.merchant";
/// Changes the number of places that are taken, and returns it.
pub(super) const COUNT_PLACE: &str =
    "UPDATE counts SET value = value + ?1 WHERE name = 'merchants' RETURNING value";
pub(super) const FIND_PLACES: &str = "SELECT value FROM counts WHERE name = 'merchants'";
pub(super) const USE_MERCHANT: &str =
    "UPDATE merchants SET used_day = ?2 WHERE merchant = ?1 AND used_day < ?2";
/// Exempt, because it is the search among all merchants.
pub(super) const FIND_OLDEST_USED: &str = "SELECT used_day, merchant FROM merchants \
     WHERE used_day IS NOT NULL ORDER BY used_day, merchant LIMIT 1";
pub(super) const KEEP_MERCHANT: &str =
    "UPDATE merchants SET used_day = NULL WHERE merchant = ?1 AND used_day IS NOT NULL";
/// A claim of the feed from before is rejected.
pub(super) const VACATE_MERCHANT: &str = "UPDATE merchants SET owner = ?2, turn = ?3, vacant = 1, \
     used_day = NULL, dispatch_claim = dispatch_claim + 1, dispatch_leased_until = NULL \
     WHERE merchant = ?1 AND vacant = 0";
/// Deletes the row of a removed merchant after its last rows.
pub(super) const DELETE_VACANT: &str = "DELETE FROM merchants WHERE merchant = ?1 AND vacant = 1 \
     AND NOT EXISTS (SELECT 1 FROM generations AS g WHERE g.merchant = ?1 AND g.state <> 'current')";

/// Gives a merchant a place unless it has one. If all are taken, the idle sandbox that was used longest ago
/// is removed. Returns true if the merchant has a place.
pub(super) fn take(merchant: MerchantId, batch: &Batch<'_>) -> Result<bool, Failure> {
    let values = params![column(merchant.number()), day_of(batch.now)];
    if batch.execute(TAKE_PLACE, values)? == 0 {
        return Ok(true);
    }
    let most = batch.places.merchants_max;
    let mut taken = count_by(1, batch)?;
    while taken > most && remove_oldest(batch)? {
        taken = count_by(0, batch)?;
    }
    Ok(taken <= most)
}

fn count_by(added: i64, batch: &Batch<'_>) -> Result<u64, Failure> {
    let taken = batch.reading().find(COUNT_PLACE, [added], |row| number(row, 0))?;
    taken.ok_or(Failure::Unreadable("counts.value"))
}

/// Removes the idle sandbox that was used longest ago. Returns false if there is none.
fn remove_oldest(batch: &Batch<'_>) -> Result<bool, Failure> {
    let Some(idle_before) = batch.places.idle_before(batch.now) else { return Ok(false) };
    for _ in 0..PLACES_PASSED_MAX {
        let found = batch.reading().find(FIND_OLDEST_USED, [], |row| {
            Ok((row.get::<_, i64>(0)?, MerchantId::from_number(number(row, 1)?)))
        })?;
        let Some((_, merchant)) = found.filter(|(used, _)| *used < idle_before) else {
            return Ok(false);
        };
        let key = column(merchant.number());
        if batch.places.uses.has(merchant) {
            batch.execute(USE_MERCHANT, params![key, day_of(batch.now)])?;
        } else if batch.places.kept.keeps(merchant) {
            keep(merchant, batch)?;
        } else {
            remove(merchant, batch)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Keeps a merchant from being removed on its own.
pub(super) fn keep(merchant: MerchantId, batch: &Batch<'_>) -> Result<(), Failure> {
    batch.execute(KEEP_MERCHANT, [column(merchant.number())])?;
    Ok(())
}

/// Removes a sandbox: the rows of the merchant, of its connected accounts and of its snapshots.
fn remove(sandbox: MerchantId, batch: &Batch<'_>) -> Result<(), Failure> {
    drop_snapshots(sandbox, batch)?;
    for merchant in merchants_of(sandbox, &batch.reading())? {
        let (old, new) = (batch.generation(merchant)?, replace::new_generation(batch)?);
        let values = params![column(merchant.number()), new.owner, new.turn];
        if batch.execute(VACATE_MERCHANT, values)? == 1 {
            count_by(-1, batch)?;
            put(sandbox, (merchant, old), "retired", batch)?;
            put(sandbox, (merchant, new), "current", batch)?;
        }
    }
    batch.generation.set(None);
    batch.known.begin_switch();
    removal::remove(&RemoveGenerations { sandbox: Some(sandbox), given_up: None }, batch)?;
    Ok(())
}

fn put(
    sandbox: MerchantId,
    (merchant, generation): (MerchantId, Generation),
    state: &'static str,
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    let row = GenerationRow { merchant, generation, state, snapshot: None };
    replace::put(&row, sandbox, generation.owner, batch)
}

/// Lets the rows of all snapshots of a sandbox be removed.
fn drop_snapshots(sandbox: MerchantId, batch: &Batch<'_>) -> Result<(), Failure> {
    let list = ListObjects {
        merchant: sandbox,
        kind: Kind::Snapshot,
        of: ObjectsOf::All,
        created: Bounds::default(),
        page: Page {
            limit: crate::exact(SNAPSHOTS_MAX, "a merchant has few snapshots"),
            cursor: Cursor::Newest,
        },
    };
    for listed in object::list(&list, &batch.reading())?.items {
        let Object::Snapshot(snapshot) = listed else { continue };
        for merchant in snapshot.size.merchants {
            let generation = replace::new_generation(batch)?;
            let snapshot = Some(snapshot.id);
            let row = GenerationRow { merchant, generation, state: "dropped", snapshot };
            replace::put(&row, sandbox, generation.owner, batch)?;
        }
    }
    Ok(())
}

/// Deletes the row of a removed merchant, if no rows of it are left.
pub(super) fn delete_vacant(merchant: i64, batch: &Batch<'_>) -> Result<(), Failure> {
    let Ok(number) = u64::try_from(merchant) else { return Ok(()) };
    batch.generation.set(None);
    let current = batch.generation(MerchantId::from_number(number))?.owner;
    if batch.execute(DELETE_VACANT, [merchant])? == 1 {
        batch.execute(removal::DELETE_GENERATION, [current])?;
        batch.generation.set(None);
        batch.known.begin_switch();
    }
    Ok(())
}

/// Stores the uses of merchants.
pub(crate) fn use_merchants(command: &UseMerchants, batch: &Batch<'_>) -> Result<(), Failure> {
    let day = day_of(command.now);
    for (merchant, livemode) in &command.merchants {
        if *livemode {
            keep(*merchant, batch)?;
        } else {
            batch.execute(USE_MERCHANT, params![column(merchant.number()), day])?;
        }
    }
    Ok(())
}

/// Counts the places that are taken.
pub(crate) fn count(_command: &CountPlaces, reading: &Reading<'_>) -> Result<PlacesTaken, Failure> {
    let taken = reading.find(FIND_PLACES, [], |row| number(row, 0))?.unwrap_or(0);
    let oldest_used_day = reading.find(FIND_OLDEST_USED, [], |row| Ok(row.get(0)?))?;
    Ok(PlacesTaken { taken, oldest_used_day })
}
