//! Cursors of the list of transactions that name no row of the account.

use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, RefreshId, TransactionId};
use store::{Bounds, Cursor, Failpoints, ListTransactions, Page};
use testkit::{App, FC, Options};

/// Cursors and refreshes of another account, and malformed ones, are rejected before a page is read.
/// The failpoint counts the reads of pages: it lets one pass, and the next one panics.
#[tokio::test]
async fn foreign_cursors_read_no_page() {
    let failpoints = Failpoints::parse("ListTransactions:1:panic").unwrap();
    let app = App::with(Options { failpoints, ..Options::default() }).await;
    let account = app.account().await;
    app.refresh(&account, "transactions").await.ok();
    app.run_workers_until_idle().await;
    let list = format!("{FC}/transactions?account={account}");
    app.get(&list).await.ok();

    let foreign = AccountId::from_number(7);
    let row = TransactionId { account: foreign, listed_at: AccountTime(5), ordinal: 1 };
    let refresh = RefreshId { account: foreign, sequence: 1 };
    let mut shown = String::new();
    for name in ["starting_after", "ending_before"] {
        for cursor in [row.to_string().as_str(), "fctxn_1", "nothing"] {
            shown += &app.get(&format!("{list}&{name}={cursor}")).await.api_error();
        }
    }
    for after in [refresh.to_string().as_str(), "fctxnref_1", "nothing"] {
        shown += &app.get(&format!("{list}&transaction_refresh[after]={after}")).await.api_error();
    }
    insta::assert_snapshot!(shown, @"
    400 resource_missing starting_after: No such Financial Connections transaction: 'fctxn_…'
    400 resource_missing starting_after: No such Financial Connections transaction: 'fctxn_1'
    400 resource_missing starting_after: No such Financial Connections transaction: 'nothing'
    400 resource_missing ending_before: No such Financial Connections transaction: 'fctxn_…'
    400 resource_missing ending_before: No such Financial Connections transaction: 'fctxn_1'
    400 resource_missing ending_before: No such Financial Connections transaction: 'nothing'
    404 resource_missing transaction_refresh[after]: No such transaction refresh: 'fctxnref_…'
    404 resource_missing transaction_refresh[after]: No such transaction refresh: 'fctxnref_1'
    404 resource_missing transaction_refresh[after]: No such transaction refresh: 'nothing'
    ");

    let command = ListTransactions {
        merchant: MerchantId::of_key("sk_test_123"),
        account: account.parse().unwrap(),
        transacted_at: Bounds::default(),
        after: None,
        page: Page { limit: 10, cursor: Cursor::Newest },
    };
    let store = app.engine.store().clone();
    let second = tokio::spawn(async move { store.read(command).await.map(|_| ()) });
    assert!(second.await.unwrap_err().is_panic(), "more or fewer than one page was read before");
}
