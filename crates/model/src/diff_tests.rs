//! Property tests of the diff over random banks. If a follower writes the returned rows over the
//! stored rows, it must have exactly the bank's rows. An unchanged row must not be touched.

use super::*;
use crate::money::Currency;
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOW: AccountTime = AccountTime(1_000_000);

fn record(bank_id: &str, amount: i64, at: i64, posted: bool) -> BankTransaction {
    BankTransaction {
        bank_id: bank_id.to_owned(),
        amount,
        currency: Currency::USD,
        description: format!("Payment {amount}"),
        status: if posted { BankStatus::Posted } else { BankStatus::Pending },
        transacted_at: AccountTime(at),
        posted_at: posted.then_some(AccountTime(at + 60)),
    }
}

fn refreshed(sequence: u32, rows: u32) -> Refreshed {
    let now = NOW.plus(i64::from(sequence));
    Refreshed { account: AccountId::from_number(7), sequence, now, rows }
}

/// Writes the rows of a refresh over the stored rows, by bank id.
fn put(stored: &mut BTreeMap<String, StoredTransaction>, changes: Changes) {
    for row in changes.rows {
        stored.insert(row.bank_id.clone(), row);
    }
}

fn base(stored: &BTreeMap<String, StoredTransaction>) -> Vec<StoredTransaction> {
    stored.values().cloned().collect()
}

fn records() -> impl Strategy<Value = Vec<BankTransaction>> {
    let one = (0..12_u8, -500..500_i64, 0..2_000_i64, any::<bool>())
        .prop_map(|(id, amount, at, posted)| record(&format!("b{id}"), amount, at, posted));
    prop::collection::vec(one, 0..20)
}

/// Returns the last record of each bank id.
fn shown(records: &[BankTransaction]) -> BTreeMap<String, BankTransaction> {
    records.iter().map(|record| (record.bank_id.clone(), record.clone())).collect()
}

proptest! {
    /// After a snapshot, the rows in its range that are not void equal the bank's. Rows that the
    /// bank no longer shows are void, and still stored.
    #[test]
    fn snapshots_equal_the_bank(first in records(), second in records()) {
        let all = Coverage::Snapshot { from: AccountTime(0), to: NOW };
        let mut stored = BTreeMap::new();
        put(&mut stored, diff(refreshed(1, 0), &[], &first, &[], all));
        let rows = u32::try_from(stored.len()).unwrap();
        let before = stored.clone();
        put(&mut stored, diff(refreshed(2, rows), &base(&before), &second, &[], all));
        let bank = shown(&second);
        for (id, row) in &stored {
            if let Some(record) = bank.get(id) {
                prop_assert_eq!(row.shown.amount, record.amount);
                prop_assert_eq!(row.shown.transacted_at, record.transacted_at);
                prop_assert_eq!(row.shown.posted_at, record.posted_at);
                let posted = row.shown.status == TransactionStatus::Posted;
                prop_assert_eq!(posted, record.posted_at.is_some());
                prop_assert_eq!(row.shown.void_at, None);
            } else {
                prop_assert_eq!(row.shown.status, TransactionStatus::Void);
            }
            // The position of a row never changes, and only changed rows carry the new refresh.
            if let Some(old) = before.get(id) {
                prop_assert_eq!(row.shown.id, old.shown.id);
                prop_assert_eq!(row.shown.sequence == 2, row != old);
            }
        }
        prop_assert!(bank.keys().all(|id| stored.contains_key(id)));
    }

    /// A delta changes only the rows that it names. A second run changes no row.
    #[test]
    fn deltas_change_only_named_rows(
        first in records(), second in records(), gone in prop::collection::vec(0..12_u8, 0..4),
    ) {
        let mut stored = BTreeMap::new();
        put(&mut stored, diff(refreshed(1, 0), &[], &first, &[], Coverage::Delta));
        let rows = u32::try_from(stored.len()).unwrap();
        let removals: Vec<Removal> = gone
            .iter()
            .map(|id| Removal { bank_id: format!("b{id}"), vanished_at: Some(AccountTime(5)) })
            .collect();
        let before = stored.clone();
        put(&mut stored, diff(refreshed(2, rows), &base(&before), &second, &removals, Coverage::Delta));
        let bank = shown(&second);
        for (id, row) in &stored {
            let removed = removals.iter().any(|removal| &removal.bank_id == id);
            if !bank.contains_key(id) && !removed {
                prop_assert_eq!(Some(row), before.get(id));
            }
            if !bank.contains_key(id) && removed {
                prop_assert_eq!(row.shown.status, TransactionStatus::Void);
            }
        }
        let rows = u32::try_from(stored.len()).unwrap();
        let again = diff(refreshed(3, rows), &base(&stored), &second, &removals, Coverage::Delta);
        prop_assert_eq!(again.rows, Vec::new());
    }

    /// The result does not depend on the order of the stored rows, on other rows of the account, or
    /// on the distance of a record from its row.
    #[test]
    fn the_order_of_rows_does_not_matter(
        (ids, shuffled) in Just((0..60_u16).collect::<Vec<_>>())
            .prop_flat_map(|ids| (Just(ids.clone()).prop_shuffle(), Just(ids).prop_shuffle())),
        changed in prop::collection::vec(0..70_u16, 0..40), backwards: bool,
    ) {
        let of = |id: u16, amount| record(&format!("b{id}"), amount, 500 + i64::from(id), true);
        let first: Vec<BankTransaction> = ids.iter().map(|id| of(*id, -1)).collect();
        let stored = diff(refreshed(1, 0), &[], &first, &[], Coverage::Delta).rows;
        let range = Coverage::Snapshot { from: AccountTime(520), to: NOW };
        let mut second: Vec<BankTransaction> = changed.iter().map(|id| of(*id, -2)).collect();
        second.extend(ids[..30].iter().filter(|id| !changed.contains(id)).map(|id| of(*id, -1)));
        if backwards {
            second.reverse();
        }
        let find = |row: &StoredTransaction| second.iter().any(|record| record.bank_id == row.bank_id);
        let requested: Vec<StoredTransaction> = stored
            .iter()
            .filter(|row| find(row) || row.shown.transacted_at >= AccountTime(520))
            .cloned()
            .collect();
        let mut other = stored.clone();
        other.sort_by_key(|row| shuffled[usize::try_from(row.shown.id.ordinal).unwrap() - 1]);
        let expected = diff(refreshed(2, 60), &requested, &second, &[], range);
        prop_assert_eq!(&diff(refreshed(2, 60), &stored, &second, &[], range), &expected);
        prop_assert_eq!(&diff(refreshed(2, 60), &other, &second, &[], range), &expected);
        let touched = changed.iter().collect::<std::collections::BTreeSet<_>>().len();
        let gone = stored.iter().filter(|row| !find(row) && row.shown.transacted_at >= AccountTime(520));
        prop_assert_eq!(expected.rows.len(), touched + gone.count());
    }

    /// New rows get the ordinals after the last one, each once, and come before the changed rows.
    #[test]
    fn ordinals_are_given_once(first in records(), rows in 0..1_000_u32) {
        let changes = diff(refreshed(1, rows), &[], &first, &[], Coverage::Delta);
        let ordinals: Vec<u32> = changes.rows.iter().map(|row| row.shown.id.ordinal).collect();
        let count = u32::try_from(shown(&first).len()).unwrap();
        prop_assert_eq!(ordinals, (rows + 1..=rows + count).collect::<Vec<_>>());
        prop_assert_eq!(changes.created, count as usize);
    }
}

/// A pending row that posts with another amount is the same row, counted as posted.
#[test]
fn a_tip_is_a_change_of_the_same_row() {
    let pending = record("b1", -1_200, 100, false);
    let first = diff(refreshed(1, 0), &[], &[pending], &[], Coverage::Delta);
    let posted = record("b1", -1_440, 100, true);
    let second = diff(refreshed(2, 1), &first.rows, &[posted], &[], Coverage::Delta);
    assert_eq!((second.created, second.posted, second.rows.len()), (0, 1, 1));
    assert_eq!(second.rows[0].shown.id, first.rows[0].shown.id);
    assert_eq!((second.rows[0].shown.amount, second.rows[0].shown.sequence), (-1_440, 2));
}

/// A row older than a snapshot's range is not missing from it.
#[test]
fn a_snapshot_covers_its_range_only() {
    let old = record("b1", -5, 100, true);
    let first = diff(refreshed(1, 0), &[], &[old], &[], Coverage::Delta);
    let later = Coverage::Snapshot { from: AccountTime(101), to: NOW };
    let second = diff(refreshed(2, 1), &first.rows, &[], &[], later);
    assert_eq!(second, Changes::default());
}

/// A removed row that the bank shows again is restored.
#[test]
fn a_removed_row_may_return() {
    let shown = record("b1", -5, 100, false);
    let all = Coverage::Snapshot { from: AccountTime(0), to: NOW };
    let first = diff(refreshed(1, 0), &[], std::slice::from_ref(&shown), &[], all);
    let second = diff(refreshed(2, 1), &first.rows, &[], &[], all);
    assert_eq!((second.voided, second.rows[0].shown.void_at), (1, Some(NOW.plus(2))));
    let third = diff(refreshed(3, 1), &second.rows, &[shown], &[], all);
    assert_eq!(third.rows[0].shown.status, TransactionStatus::Pending);
    assert_eq!(third.rows[0].shown.void_at, None);
}
