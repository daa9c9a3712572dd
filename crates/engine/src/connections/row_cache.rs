//! A cache of the rows that an advance of a test clock has read.
//!
//! A bank that lists its whole window has every row compared at every refresh. An advance refreshes
//! the same accounts day after day, so the rows of one day are the input of the next. Rows are
//! valid only for the account version that they were read or written with, because each command
//! that writes rows raises the version. The cache lives as long as the claim of an advance. A step
//! that was not stored empties it, so a crash loses no data.

use model::id::AccountId;
use model::limits;
use model::transaction::StoredTransaction;
use std::collections::HashMap;

/// The bytes of a text that count as another row.
const TEXT_BYTES: usize = 256;

/// All rows of some accounts.
#[derive(Default)]
pub(crate) struct RowCache {
    accounts: HashMap<AccountId, CachedRows>,
    /// Rows of all accounts together, as they count, at most [`limits::CLOCK_CACHED_ROWS_MAX`] when an account is
    /// added.
    rows: usize,
}

struct CachedRows {
    version: u64,
    /// The rows as they count.
    counted: usize,
    /// In the order of ids.
    rows: Vec<StoredTransaction>,
}

impl RowCache {
    /// All rows of an account at this version, if they are cached.
    pub(crate) fn find(&self, account: AccountId, version: u64) -> Option<&[StoredTransaction]> {
        let cached = self.accounts.get(&account).filter(|cached| cached.version == version)?;
        Some(&cached.rows)
    }

    /// True if this number of rows of one more account fits.
    pub(crate) fn has_room_for(&self, rows: u32) -> bool {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        self.rows.saturating_add(rows) <= limits::CLOCK_CACHED_ROWS_MAX
    }

    /// Caches all rows of an account at this version, and returns them.
    pub(crate) fn keep(
        &mut self,
        account: AccountId,
        version: u64,
        mut rows: Vec<StoredTransaction>,
    ) -> &[StoredTransaction] {
        self.forget(account);
        rows.sort_unstable_by_key(|row| row.shown.id);
        let counted = rows.iter().map(count_of).sum();
        self.rows += counted;
        let cached = CachedRows { version, counted, rows };
        &self.accounts.entry(account).insert_entry(cached).into_mut().rows
    }

    /// Applies the rows that raise an account to this version.
    pub(crate) fn apply(&mut self, account: AccountId, version: u64, rows: &[StoredTransaction]) {
        let Some(cached) = self.accounts.get_mut(&account) else { return };
        if cached.version + 1 != version {
            self.forget(account);
            return;
        }
        cached.version = version;
        for row in rows {
            match cached.rows.binary_search_by_key(&row.shown.id, |cached| cached.shown.id) {
                Ok(place) => cached.rows[place].clone_from(row),
                Err(place) => {
                    cached.rows.insert(place, row.clone());
                    cached.counted += count_of(row);
                    self.rows += count_of(row);
                }
            }
        }
    }

    fn forget(&mut self, account: AccountId) {
        let forgotten = self.accounts.remove(&account);
        self.rows -= forgotten.map_or(0, |cached| cached.counted);
    }
}

/// The number of rows that a row counts as. A long text takes the memory of several.
fn count_of(row: &StoredTransaction) -> usize {
    1 + row.shown.description.len() / TEXT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::AccountTime;
    use model::id::TransactionId;
    use model::money::Currency;
    use model::transaction::{Transaction, TransactionStatus};

    fn account() -> AccountId {
        AccountId::from_number(7)
    }

    fn row(listed_at: i64, ordinal: u32, amount: i64) -> StoredTransaction {
        let shown = Transaction {
            id: TransactionId { account: account(), listed_at: AccountTime(listed_at), ordinal },
            amount,
            currency: Currency::USD,
            description: String::new(),
            status: TransactionStatus::Posted,
            transacted_at: AccountTime(listed_at),
            posted_at: None,
            void_at: None,
            sequence: 1,
            updated: AccountTime(0),
        };
        StoredTransaction { bank_id: ordinal.to_string(), shown }
    }

    /// New and changed rows of the next version are inserted in order. Rows of any other version
    /// are unknown.
    #[test]
    fn rows_are_good_for_one_version() {
        let mut known = RowCache::default();
        known.keep(account(), 4, vec![row(20, 1, -1), row(10, 2, -2)]);
        known.apply(account(), 5, &[row(15, 3, -3), row(10, 2, -9)]);
        assert_eq!(known.find(account(), 4), None);
        let expected = [row(10, 2, -9), row(15, 3, -3), row(20, 1, -1)];
        assert_eq!(known.find(account(), 5), Some(expected.as_slice()));
        known.apply(account(), 7, &[]);
        assert_eq!(known.find(account(), 7), None);
        assert_eq!(known.find(account(), 5), None);
    }

    /// Rows are counted until they are dropped, and an account beyond the bound is rejected.
    #[test]
    fn rows_are_bounded() {
        let bound = u32::try_from(limits::CLOCK_CACHED_ROWS_MAX).unwrap();
        let mut known = RowCache::default();
        known.keep(account(), 1, vec![row(1, 1, 1), row(1, 2, 1)]);
        known.apply(account(), 2, &[row(1, 3, 1), row(1, 2, 2)]);
        assert!(known.has_room_for(bound - 3));
        assert!(!known.has_room_for(bound - 2));
        known.keep(account(), 9, vec![row(1, 1, 1)]);
        assert!(known.has_room_for(bound - 1));
        assert!(!known.has_room_for(u32::MAX));
    }
}
