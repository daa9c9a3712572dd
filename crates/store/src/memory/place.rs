//! The places of merchants. The model removes all rows of a sandbox at once.

use super::snapshot::{merchants_of, split_off};
use super::{Memory, MerchantRow};
use crate::store::Failure;
use crate::uses::day_of;
use crate::{CountPlaces, PlacesTaken, UseMerchants};
use model::id::MerchantId;

/// Gives a merchant a place unless it has one. If all are taken, the idle sandbox that was used longest ago
/// is removed. Returns true if the merchant has a place.
pub(super) fn take(merchant: MerchantId, memory: &mut Memory) -> bool {
    if memory.merchants.contains_key(&merchant) {
        return true;
    }
    let used_day = Some(day_of(memory.clock.server_now()));
    memory.merchants.insert(merchant, MerchantRow { used_day, ..MerchantRow::default() });
    let is_full = |memory: &Memory| memory.merchants.len() as u64 > memory.places.merchants_max;
    while is_full(memory) && remove_oldest(memory) {}
    !is_full(memory)
}

/// Removes the idle sandbox that was used longest ago. Returns false if there is none.
fn remove_oldest(memory: &mut Memory) -> bool {
    let now = memory.clock.server_now();
    let Some(idle_before) = memory.places.idle_before(now) else { return false };
    let places = memory.places.clone();
    let idle = memory.merchants.iter().filter_map(|(merchant, row)| {
        let used = row.used_day.filter(|used| *used < idle_before)?;
        let stays = places.uses.has(*merchant) || places.kept.keeps(*merchant);
        (!stays).then_some((used, *merchant))
    });
    let Some((_, sandbox)) = idle.min() else { return false };
    let removed = merchants_of(sandbox, memory);
    split_off(&removed, &mut memory.rows);
    // Snapshots and ties stay when rows are split off.
    memory.rows.objects.retain(|(merchant, ..), _| !removed.contains(merchant));
    memory.snapshots.retain(|(owner, _), _| *owner != sandbox);
    memory.merchants.retain(|merchant, _| !removed.contains(merchant));
    true
}

/// Keeps a merchant from being removed on its own.
pub(super) fn keep(merchant: MerchantId, memory: &mut Memory) {
    if let Some(row) = memory.merchants.get_mut(&merchant) {
        row.used_day = None;
    }
}

pub(crate) fn use_merchants(command: &UseMerchants, memory: &mut Memory) -> Result<(), Failure> {
    let day = day_of(command.now);
    for (merchant, livemode) in &command.merchants {
        if let Some(row) = memory.merchants.get_mut(merchant) {
            let used = row.used_day.map(|used| used.max(day));
            row.used_day = used.filter(|_| !livemode);
        }
    }
    Ok(())
}

pub(crate) fn count(_command: &CountPlaces, memory: &Memory) -> Result<PlacesTaken, Failure> {
    let taken = memory.merchants.len() as u64;
    let oldest_used_day = memory.merchants.values().filter_map(|row| row.used_day).min();
    Ok(PlacesTaken { taken, oldest_used_day })
}
