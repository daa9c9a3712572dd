//! The uses of sandboxes, and the sandboxes that are never removed.
//!
//! A call notes its merchant in memory, because a read must not wait for a commit. The pruner stores the
//! notes each minute. Until then the writer looks into them before it removes a sandbox. A crash loses the
//! notes of a minute at most, and idle times are counted in days.

use crate::{CountPlaces, Error, PlacesTaken, Store, StoreBounds, UseMerchants};
use model::clock::ServerTime;
use model::id::MerchantId;
use model::limits::USES_NOTED_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const DAY_S: i64 = 86_400;

/// Names the merchants that are never removed.
pub trait KeptMerchants: Send + Sync {
    /// True if the merchant is never removed, because an operator issued a key for it.
    fn keeps(&self, merchant: MerchantId) -> bool;

    /// Lists these merchants.
    fn list(&self) -> Vec<MerchantId>;
}

/// Keeps no merchant.
impl KeptMerchants for () {
    fn keeps(&self, _merchant: MerchantId) -> bool {
        false
    }

    fn list(&self) -> Vec<MerchantId> {
        Vec::new()
    }
}

/// The noted uses, with true for merchants of live mode. Clones share the notes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses(Arc<Mutex<BTreeMap<MerchantId, bool>>>);

impl Uses {
    fn noted(&self) -> MutexGuard<'_, BTreeMap<MerchantId, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the use of a merchant. Returns true if so many are noted that they must be stored now.
    pub(crate) fn note(&self, merchant: MerchantId, livemode: bool) -> bool {
        let mut noted = self.noted();
        noted.insert(merchant, livemode);
        noted.len() >= USES_NOTED_MAX
    }

    /// Returns the notes. They stay until they are stored.
    pub(crate) fn list(&self) -> Vec<(MerchantId, bool)> {
        self.noted().iter().map(|(merchant, livemode)| (*merchant, *livemode)).collect()
    }

    /// Removes notes that are stored.
    pub(crate) fn forget(&self, stored: &[(MerchantId, bool)]) {
        let mut noted = self.noted();
        for (merchant, _) in stored {
            noted.remove(merchant);
        }
    }

    /// True if a use is noted that is not stored.
    pub(crate) fn has(&self, merchant: MerchantId) -> bool {
        self.noted().contains_key(&merchant)
    }
}

/// The bounds of the places, as commands see them.
#[derive(Clone)]
pub(crate) struct Places {
    /// The maximum number of merchants.
    pub(crate) merchants_max: u64,
    /// The days without a use after which a sandbox may be removed. 0 for never.
    pub(crate) idle_days: u32,
    pub(crate) uses: Uses,
    pub(crate) kept: Arc<dyn KeptMerchants>,
    /// The kept merchants that are stored as such.
    pub(crate) marked: Arc<Mutex<BTreeSet<MerchantId>>>,
}

impl Places {
    /// The noted uses, and the kept merchants that are not stored as such, with true for each that is never
    /// removed.
    pub(crate) fn to_store(&self) -> Vec<(MerchantId, bool)> {
        let mut noted = self.uses.list();
        let marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.kept.list().into_iter().filter(|merchant| !marked.contains(merchant));
        noted.extend(kept.map(|merchant| (merchant, true)));
        noted
    }

    /// Removes notes that are stored.
    pub(crate) fn stored(&self, stored: &[(MerchantId, bool)]) {
        self.uses.forget(stored);
        let kept = stored.iter().filter(|(_, is_kept)| *is_kept).map(|(merchant, _)| *merchant);
        self.marked.lock().unwrap_or_else(PoisonError::into_inner).extend(kept);
    }

    /// The bounds of a database, without noted uses.
    pub(crate) fn of(bounds: &StoreBounds, kept: Arc<dyn KeptMerchants>) -> Self {
        let StoreBounds { merchants_max, sandbox_idle_days, .. } = *bounds;
        Self {
            merchants_max,
            idle_days: sandbox_idle_days,
            uses: Uses::default(),
            kept,
            marked: Arc::default(),
        }
    }

    /// The first day on which a sandbox may have been used for the last time and still stays. `None` if
    /// no sandbox is ever removed.
    pub(crate) fn idle_before(&self, now: ServerTime) -> Option<i64> {
        (self.idle_days > 0).then(|| day_of(now) - i64::from(self.idle_days))
    }
}

impl Store {
    /// Notes a call of a merchant. Returns true if [`Store::store_uses`] must run now, because many are
    /// noted.
    #[must_use]
    pub fn note_use(&self, merchant: MerchantId, livemode: bool) -> bool {
        self.places.uses.note(merchant, livemode)
    }

    /// Stores the noted calls of merchants. No gate holds it back, because no caller waits for it.
    pub async fn store_uses(&self, now: ServerTime) -> Result<(), Error> {
        let noted = self.places.to_store();
        if noted.is_empty() {
            return Ok(());
        }
        let command = UseMerchants { merchants: noted.clone(), now };
        self.write_at_once(command).await?;
        self.places.stored(&noted);
        Ok(())
    }

    /// True if every place is taken, and no sandbox was idle for so long that it may be removed.
    pub async fn is_full(&self, now: ServerTime) -> Result<bool, Error> {
        let PlacesTaken { taken, oldest_used_day } = self.read(CountPlaces).await?;
        let idle_before = self.places.idle_before(now);
        let is_idle = oldest_used_day.zip(idle_before).is_some_and(|(used, before)| used < before);
        Ok(taken >= self.places.merchants_max && !is_idle)
    }

    /// The maximum number of merchants.
    pub fn merchants_max(&self) -> u64 {
        self.places.merchants_max
    }

    /// The days without a call after which a sandbox may be removed. 0 for never.
    pub fn sandbox_idle_days(&self) -> u32 {
        self.places.idle_days
    }
}

/// The day of a time, in days since 1970.
pub(crate) fn day_of(now: ServerTime) -> i64 {
    now.seconds().div_euclid(DAY_S)
}
