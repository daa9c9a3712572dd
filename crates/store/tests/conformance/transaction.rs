//! Transactions: listed and found.

use crate::fixture::{Fixture, job, list_rows, merchant, next, on_both, row};
use model::account::{Account, ListableAccount};
use model::bank::Feature;
use model::clock::AccountTime;
use model::transaction::{StoredTransaction, Transaction, TransactionStatus};
use store::{
    AccountChange, ApplyRefresh, Bounds, Claim, Cursor, FindAccount, FindBankId, FindLeftOut,
    FindStoredTransactions, FindTransaction, ListTransactions, ListedTransactions, Page,
};

/// Stores rows by a refresh that starts and ends at once.
async fn store(fixture: &Fixture, account: &Account, rows: Vec<StoredTransaction>) {
    let sequence = u32::try_from(account.version).unwrap();
    let job = job(account, Feature::Transactions, sequence);
    let command = ApplyRefresh {
        claim: Claim { key: job.key, merchant: account.merchant, number: None },
        change: AccountChange { started: vec![job], ..AccountChange::of(next(account)) },
        rows,
        ownership: None,
    };
    fixture.done(command).await;
}

/// Seven rows in two refreshes. The second changed the fifth and the first row.
async fn seven(fixture: &Fixture) -> Vec<StoredTransaction> {
    let stored = fixture.linked(merchant(1), 11).await;
    let mut rows: Vec<StoredTransaction> =
        (1..=7).map(|ordinal| row(stored.id, i64::from(ordinal / 2), ordinal)).collect();
    store(fixture, &stored, rows.clone()).await;
    for index in [0, 4] {
        rows[index].shown = Transaction {
            status: TransactionStatus::Void,
            void_at: Some(AccountTime(77)),
            transacted_at: AccountTime(100),
            description: "Café".to_owned(),
            sequence: 2,
            ..rows[index].shown.clone()
        };
    }
    store(fixture, &next(&stored), vec![rows[0].clone(), rows[4].clone()]).await;
    let other = fixture.linked(merchant(2), 12).await;
    store(fixture, &other, vec![row(other.id, 5, 1)]).await;
    rows
}

fn list(rows: &[StoredTransaction]) -> ListTransactions {
    list_rows(merchant(1), rows[0].shown.id.account)
}

async fn ordinals(fixture: &Fixture, command: ListTransactions) -> (Vec<u32>, bool) {
    let listed = fixture.read(command).await.unwrap().page;
    (listed.items.iter().map(|row| row.id.ordinal).collect(), listed.has_more)
}

/// Rows are read in their newest form, at the position where they were first listed, together with
/// the account's list settings.
#[test]
fn rows_are_read_as_stored() {
    on_both(async |fixture| {
        let mut rows = seven(&fixture).await;
        let found = FindAccount { merchant: merchant(1), account: rows[0].shown.id.account };
        let found = fixture.read(found).await.unwrap();
        let ListedTransactions { account, page: listed } = fixture.read(list(&rows)).await.unwrap();
        assert_eq!(account, ListableAccount::from(&found));
        let find = FindTransaction { merchant: merchant(1), transaction: rows[4].shown.id };
        assert_eq!(fixture.read(find).await, Some(rows[4].shown.clone()));
        assert_eq!(fixture.read(FindTransaction { merchant: merchant(2), ..find }).await, None);
        let find = FindBankId { merchant: merchant(1), transaction: rows[4].shown.id };
        assert_eq!(fixture.read(find).await.as_deref(), Some("bank 5"));
        assert_eq!(fixture.read(FindBankId { merchant: merchant(2), ..find }).await, None);
        rows.reverse();
        let shown: Vec<Transaction> = rows.into_iter().map(|row| row.shown).collect();
        assert_eq!(listed.items, shown);
        assert!(!listed.has_more);
    });
}

/// Pages go on in both directions, also through rows with the same time.
#[test]
fn rows_page_in_both_directions() {
    on_both(async |fixture| {
        let rows = seven(&fixture).await;
        let at = |cursor, limit| ListTransactions { page: Page { limit, cursor }, ..list(&rows) };
        let id = |ordinal: usize| rows[ordinal - 1].shown.id;
        assert_eq!(ordinals(&fixture, at(Cursor::Newest, 3)).await, (vec![7, 6, 5], true));
        assert_eq!(ordinals(&fixture, at(Cursor::After(id(5)), 3)).await, (vec![4, 3, 2], true));
        assert_eq!(ordinals(&fixture, at(Cursor::After(id(2)), 3)).await, (vec![1], false));
        assert_eq!(ordinals(&fixture, at(Cursor::Before(id(3)), 3)).await, (vec![6, 5, 4], true));
        assert_eq!(ordinals(&fixture, at(Cursor::Before(id(5)), 3)).await, (vec![7, 6], false));
    });
}

/// `after` returns the rows that later refreshes changed, paged like any list. Bounds of time
/// filter both lists.
#[test]
fn rows_are_narrowed() {
    on_both(async |fixture| {
        let rows = seven(&fixture).await;
        let after = |after, cursor, limit| ListTransactions {
            after: Some(after),
            page: Page { limit, cursor },
            ..list(&rows)
        };
        assert_eq!(ordinals(&fixture, after(1, Cursor::Newest, 9)).await, (vec![5, 1], false));
        assert_eq!(ordinals(&fixture, after(1, Cursor::Newest, 1)).await, (vec![5], true));
        assert_eq!(
            ordinals(&fixture, after(1, Cursor::After(rows[4].shown.id), 1)).await,
            (vec![1], false)
        );
        assert_eq!(
            ordinals(&fixture, after(0, Cursor::Before(rows[2].shown.id), 2)).await,
            (vec![5, 4], true)
        );
        assert_eq!(ordinals(&fixture, after(2, Cursor::Newest, 9)).await, (vec![], false));
        let within =
            |from, to| ListTransactions { transacted_at: Bounds { from, to }, ..list(&rows) };
        assert_eq!(ordinals(&fixture, within(Some(3), None)).await, (vec![7, 6, 5, 1], false));
        assert_eq!(ordinals(&fixture, within(Some(1), Some(2))).await, (vec![4, 3, 2], false));
        let both = ListTransactions { after: Some(0), ..within(None, Some(1)) };
        assert_eq!(ordinals(&fixture, both).await, (vec![3, 2], false));
        let elsewhere = ListTransactions { merchant: merchant(2), ..list(&rows) };
        assert_eq!(fixture.read(elsewhere).await, None);
        let elsewhere = ListTransactions { after: Some(0), ..elsewhere };
        assert_eq!(fixture.read(elsewhere).await, None);
    });
}

/// The newest refresh that changed a row outside of a filter is found.
#[test]
fn rows_outside_of_a_list_are_found() {
    on_both(async |fixture| {
        let rows = seven(&fixture).await;
        let bounds = [(None, None), (Some(3), None), (Some(1), Some(2)), (None, Some(1))];
        let filters = [None, Some(1), Some(2)]
            .into_iter()
            .flat_map(|after| bounds.map(|(from, to)| (from, to, after)));
        for (from, to, after) in filters {
            let find = FindLeftOut {
                merchant: merchant(1),
                account: rows[0].shown.id.account,
                transacted_at: Bounds { from, to },
                after,
            };
            let all = ListTransactions { after, ..list(&rows) };
            let listed = fixture.read(all).await.unwrap().page.items;
            let left_out =
                listed.iter().filter(|row| !find.transacted_at.contains(row.transacted_at.0));
            let newest = left_out.map(|row| row.sequence).max();
            assert_eq!(fixture.read(find).await, newest, "{find:?}");
            let elsewhere = FindLeftOut { merchant: merchant(2), ..find };
            assert_eq!(fixture.read(elsewhere).await, None);
        }
    });
}

/// A fetch finds the rows with its bank ids and the rows in its range, each once.
#[test]
fn stored_rows_are_found() {
    on_both(async |fixture| {
        let rows = seven(&fixture).await;
        let stored = async |bank_ids: &[&str], range: Option<(i64, i64)>| {
            let command = FindStoredTransactions {
                merchant: merchant(1),
                account: rows[0].shown.id.account,
                bank_ids: bank_ids.iter().map(|&id| id.to_owned()).collect(),
                range: range.map(|(from, to)| (AccountTime(from), AccountTime(to))),
            };
            let other = FindStoredTransactions { merchant: merchant(2), ..command.clone() };
            assert!(fixture.read(other).await.is_empty());
            let mut ordinals: Vec<u32> =
                fixture.read(command).await.iter().map(|row| row.shown.id.ordinal).collect();
            ordinals.sort_unstable();
            ordinals
        };
        assert_eq!(stored(&[], None).await, [0; 0]);
        assert_eq!(stored(&["bank 3", "bank 3", "bank 1", "none"], None).await, [1, 3]);
        assert_eq!(stored(&[], Some((2, 99))).await, [4, 6, 7]);
        assert_eq!(stored(&["bank 4", "bank 5"], Some((2, 2))).await, [4, 5]);
    });
}
