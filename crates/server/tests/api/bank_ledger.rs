//! The pages of a bank's own ledger.

use crate::scenarios::{SCENARIOS, form, linked};
use serde_json::Value;
use testkit::{App, HELPERS};

/// A scenario of few bytes with very many rows.
const CROWD: &str = "name='a'\n[[accounts]]\nname='a'\nhistory_days=3650\nwindow_days=3650\n\
    [[accounts.stretches]]\nevery='day'\ntimes=250\namount='1'\ndescription='a'";

async fn crowded() -> (App, String) {
    let app = App::start().await;
    app.post(SCENARIOS, &form(CROWD)).await.ok();
    let account = linked(&app, &app, "a").await.1;
    let ledger = format!("{HELPERS}/accounts/{account}/ledger");
    (app, ledger)
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

/// A scenario of 125 bytes has a ledger of 900,000 rows. A response has a page of it, and the next pages
/// follow in both directions.
#[tokio::test]
async fn a_small_scenario_has_small_responses() {
    assert!(CROWD.len() <= 140, "{}", CROWD.len());
    let (app, ledger) = crowded().await;
    let first = app.get(&ledger).await.ok();
    assert!(first.body.len() < 400_000, "{}", first.body.len());
    assert_eq!(first.at("/has_more"), true);
    let entries = first.items("/transactions");
    assert_eq!(entries.len(), 1_000);

    let third = ids(&entries)[2];
    let after = app.get(&format!("{ledger}?limit=2&starting_after={third}")).await.ok();
    assert_eq!(after.items("/transactions"), entries[3..5]);
    assert_eq!(after.at("/has_more"), true);
    let before = app.get(&format!("{ledger}?limit=5&ending_before={third}")).await.ok();
    assert_eq!(before.items("/transactions"), entries[..2]);
    assert_eq!(before.at("/has_more"), false);
    let before = app.get(&format!("{ledger}?limit=1&ending_before={third}")).await.ok();
    assert_eq!(before.items("/transactions"), entries[1..2]);
    assert_eq!(before.at("/has_more"), true);
    // The balance is that of the whole ledger.
    assert_eq!(first.at("/balance"), after.at("/balance"));
}

/// Every error of a page.
#[tokio::test]
async fn refuses_pages() {
    let (app, ledger) = crowded().await;
    let errors = async |query: &str| app.get(&format!("{ledger}?{query}")).await.api_error();
    insta::assert_snapshot!(errors("limit=1001").await, @"400 parameter_invalid_integer limit: Invalid integer: limit must be between 1 and 1000");
    insta::assert_snapshot!(errors("starting_after=nobody").await, @"400 resource_missing starting_after: No such bank transaction: 'nobody'");
    insta::assert_snapshot!(errors("ending_before=20991231-1").await, @"400 resource_missing ending_before: No such bank transaction: '20991231-1'");
    insta::assert_snapshot!(errors("starting_after=a&ending_before=b").await, @"
    400 parameters_exclusive starting_after: You may give only one of these parameters:
      starting_after, ending_before.
    ");
}
