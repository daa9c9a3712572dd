//! Accounts of scenarios that get another number: a new link finds another account with the same
//! name, and the old one stays inactive.

use crate::browser::{Browser, read};
use crate::scenario_banks::Copied;
use crate::scenarios::{SCENARIOS, advanced, form};
use serde_json::json;
use testkit::{App, Client, FC, Response};

const PREVIEW: &str = "2026-10-14.preview";

const FILE: &str = r#"
name = "Bank"
[[accounts]]
name = "Checking"
last4 = "1111"
history_days = 5
timeline = [
  { day = -3, appears = "rent", amount = "-50.00", description = "RENT" },
  { day = 2, appears = "tea", amount = "-3.00", description = "TEA", pending = true },
  { day = 4, new_number = true, last4 = "2222" },
  { day = 5, posts = "tea", amount = "-3.50" },
  { day = 8, amount = "-9.00", description = "BOOK" },
]
[[accounts]]
name = "Savings"
kind = "savings"
history_days = 0
"#;

/// A customer on a clock with both accounts of the bank, on day 4. Returns the customer, the clock and
/// the checking account.
async fn replaced(app: &App) -> (String, String, String) {
    app.post(SCENARIOS, &form(FILE)).await.ok();
    let (customer, clock) = app.customer_on_clock().await;
    let session = app.session(&customer, "").await;
    let both = "institution=Bank&accounts[]=Checking&accounts[]=Savings";
    let linked = app.link(&session, both).await.items("/accounts/data");
    let checking = linked.iter().find(|account| account["display_name"] == "Checking").unwrap();
    let id = checking["id"].as_str().unwrap().to_owned();
    let mut old = Copied::of(&id);
    assert_eq!(old.follow(app).await, ["posted -5000 usd RENT on -3"]);
    advanced(app, app, &clock, 2).await;
    assert_eq!(old.follow(app).await, ["pending -300 usd TEA on 2"]);
    advanced(app, app, &clock, 4).await;
    (customer, clock, id)
}

async fn account(client: &Client, id: &str) -> Response {
    client.get(&format!("{FC}/accounts/{id}")).await.ok()
}

/// Renews the login of an account. `more` may name one account.
async fn relink(app: &App, old: &Response, more: &str) -> Response {
    let preview = app.in_version(PREVIEW);
    let authorization = old.text("/authorization");
    let form =
        format!("permissions[]=transactions&relink_options[authorization]={authorization}&{more}");
    preview.post(&format!("{FC}/sessions"), &form).await.ok()
}

/// A renewed login links the account with the new number under the old authorization. It has every
/// row once, and later reads bring later rows only. The old account stays inactive.
#[tokio::test]
async fn a_relink_finds_another_account() {
    let app = App::start().await;
    let preview = app.in_version(PREVIEW);
    let (_, clock, id) = replaced(&app).await;
    let old = account(&preview, &id).await;
    let details =
        json!({"inactive": {"action": "relink_required", "cause": "account_unavailable"}});
    assert_eq!(old.at("/status_details"), details);
    let session = relink(&app, &old, "").await;
    let ended = preview.link_carrier(&session.id(), "").await.ok();
    assert_eq!(ended.at("/status"), "succeeded");
    let linked = ended.items("/accounts/data");
    let new = linked.iter().find(|account| account["display_name"] == "Checking").unwrap();
    assert_ne!(new["id"], id.as_str());
    assert_eq!((&new["last4"], &new["status"]), (&json!("2222"), &json!("active")));
    assert_eq!(new["authorization"], old.at("/authorization"));
    assert_eq!(account(&app, &id).await.text("/status"), "inactive");
    assert_eq!(account(&app, &id).await.text("/last4"), "1111");

    let new = new["id"].as_str().unwrap();
    let mut copy = Copied::of(new);
    let mut all = copy.follow(&app).await;
    all.sort_unstable();
    assert_eq!(all, ["pending -300 usd TEA on 2", "posted -5000 usd RENT on -3"]);
    advanced(&app, &app, &clock, 5).await;
    assert_eq!(copy.follow(&app).await, ["posted -350 usd TEA on 2"]);
    advanced(&app, &app, &clock, 8).await;
    assert_eq!(copy.follow(&app).await, ["posted -900 usd BOOK on 8"]);
    // Another renewal finds the account again.
    let session = relink(&app, &account(&preview, new).await, "").await;
    let again = preview.link_carrier(&session.id(), "").await.ok();
    assert!(again.texts("/accounts/data", "id").contains(&new.to_owned()));
    assert_eq!(copy.follow(&app).await, Vec::<String>::new());
}

/// A session that must renew the old account alone ends without it, because its bank has no such
/// account any more.
#[tokio::test]
async fn the_old_account_cannot_be_renewed_alone() {
    let app = App::start().await;
    let preview = app.in_version(PREVIEW);
    let (_, _, id) = replaced(&app).await;
    let old = account(&preview, &id).await;
    let session = relink(&app, &old, &format!("relink_options[account]={id}")).await;
    let ended = preview.link_carrier(&session.id(), "").await.ok();
    assert_eq!(ended.at("/relink_result/failure_reason"), "no_account");
    assert_eq!(account(&app, &id).await.text("/status"), "inactive");
}

/// A new session of the same customer finds the account with the new number too, and its page shows
/// the new digits. Another customer begins at day 0 with the first number.
#[tokio::test]
async fn a_new_session_finds_another_account() {
    let app = App::start().await;
    let (customer, _, id) = replaced(&app).await;
    let session = app.session(&customer, "").await;
    let browser = Browser::open(&app, &session).await;
    // The customer's address is known, so the flow offers to sign in first.
    browser.step("back", "").await;
    let accounts = browser.accounts_of(&app, "Bank").await;
    assert!(read(&accounts).contains("2222"), "{}", read(&accounts));
    browser.step("accounts", "account=0").await;
    let ended = app.session_in_preview(&session).await;
    let new = ended.items("/accounts/data").remove(0);
    assert_ne!(new["id"], id.as_str());
    assert_eq!(new["last4"], "2222");

    let other = app.post("/v1/customers", "email=bo@example.com").await.ok().id();
    let session = app.session(&other, "").await;
    let first = app.link(&session, "institution=Bank").await.items("/accounts/data").remove(0);
    assert_eq!((&first["last4"], &first["status"]), (&json!("1111"), &json!("active")));
}
