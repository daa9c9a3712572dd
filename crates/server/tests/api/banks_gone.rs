//! Flows at one bank of a scenario that was deleted meanwhile.

use crate::browser::{Browser, institution, shown};
use crate::scenarios::{SCENARIOS, form};
use testkit::{App, FC, HELPERS, HOLDER};

const PREVIEW: &str = "2026-09-30.preview";
const SCENARIO: &str = "name = \"Gone\"\n[[accounts]]\nname = \"Checking\"";

/// The page says that the bank is no longer available. The holder leaves, or types numbers if the carrier
/// permits it. The headless call names the parameter that it got.
#[tokio::test]
async fn a_deleted_bank_ends_its_flows() {
    let (app, customer) = App::with_customer().await;
    let scenario = app.post(SCENARIOS, &form(SCENARIO)).await.ok().id();
    let bank = institution(&app, "Gone").await;
    let more = format!("{HOLDER}={customer}&permissions[]=balances&filters[institution]={bank}");
    let sessions = format!("{FC}/sessions");
    let preview = app.in_version(PREVIEW);
    let session = preview.post(&sessions, &more).await.ok();
    let typed = format!("{more}&manual_entry[mode]=automatic&permissions[]=payment_method");
    let typed = preview.post(&sessions, &typed).await.ok();
    let (browser, other) = (Browser::open(&app, &session).await, Browser::open(&app, &typed).await);
    other.step("consent", "").await;
    app.delete(&format!("{SCENARIOS}/{scenario}")).await.ok();

    let mut seen = shown(&browser.page().await);
    seen += &shown(&browser.step("consent", "").await);
    seen += &shown(&other.page().await);
    seen += &shown(&browser.step("cancel", "").await);
    // The form is that of all carriers, so its title is enough.
    let form = shown(&other.step("manual", "").await);
    seen += &form.lines().take(3).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(seen, @"
    200
    This bank is no longer available
    Test merchant asks for an account at one bank, which cannot be connected any more. No account
       was connected. Go back to the page where you started.
    > Cancel
    200
    This bank is no longer available
    Test merchant asks for an account at one bank, which cannot be connected any more. No account
       was connected. Go back to the page where you started.
    > Cancel
    200
    This bank is no longer available
    Test merchant asks for an account at one bank, which cannot be connected any more. No account
       was connected. Go back to the page where you started.
    > Enter account numbers instead
    > Cancel
    200
    No account was connected
    You can try again later from the page where you started.
    You may close this page.
    200
    Enter your bank details
    Your bank account will be connected by its numbers, without signing in.
    ");
    let ended = app.session_in_preview(&session).await;
    assert_eq!(ended.at("/status"), "failed");

    let last = preview.post(&sessions, &more.replace(&bank, "fcinst_x")).await.api_error();
    let secret = typed.text("/client_secret");
    let link = format!("{HELPERS}/link");
    let by_secret = app.post(&link, &format!("client_secret={secret}")).await.api_error();
    let by_id = app.post(&link, &format!("carrier={}", typed.id())).await.api_error();
    insta::assert_snapshot!([last, by_secret, by_id].join("\n"), @"
    404 resource_missing filters[institution]: No such Financial Connections institution:
      'fcinst_x'. This server has institutions of its own. In a preview version, GET /v1/
      financial_connections/institutions lists their ids.

    400 - client_secret: The institution fcinst_… in filters[institution] of the carrier does not
      exist any more. Create its scenario again, or send outcome=cancel and make a new carrier.

    400 - carrier: The institution fcinst_… in filters[institution] of the carrier does not exist
      any more. Create its scenario again, or send outcome=cancel and make a new carrier.
    ");
    app.post(&link, &format!("carrier={}&outcome=cancel", typed.id())).await.ok();
}
