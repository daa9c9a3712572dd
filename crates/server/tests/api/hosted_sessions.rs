//! Sessions that are shown on a page of this server, in preview.

use crate::browser::{Browser, read, shown};
use std::fmt::Write as _;
use testkit::{App, Client, FC, HOLDER, Response};

pub(crate) const PREVIEW: &str = "2026-03-25.preview";

/// Creates a session in a preview version.
async fn make(client: &Client, form: &str) -> Response {
    client.in_version(PREVIEW).post(&format!("{FC}/sessions"), form).await
}

async fn read_session(app: &App, session: &Response) -> Response {
    app.in_version(PREVIEW).get(&format!("{FC}/sessions/{}", session.id())).await.ok()
}

async fn hosted(app: &App) -> Response {
    let customer = app.post("/v1/customers", "name=Ada").await.ok().id();
    let form = format!("{}&{}", of(&customer), HOSTED);
    make(app, &form).await.ok()
}

fn of(customer: &str) -> String {
    format!("{HOLDER}={customer}&permissions[]=balances")
}

const HOSTED: &str = "ui_mode=hosted&hosted[return_url]=https://shop.example/back?a=1";
/// The HTML that redirects a browser without script.
const ONWARD: &str =
    "<meta http-equiv=\"refresh\" content=\"0; url=https://shop.example/back?a=1\">";

/// A hosted session shows its page while it is live. The page is one flow in every browser, and
/// redirects back at the end.
#[tokio::test]
async fn a_page_from_its_address_to_the_way_back() {
    let app = App::start().await;
    let session = hosted(&app).await;
    assert_eq!(session.at("/ui_mode"), "hosted");
    assert_eq!(
        session.at("/hosted"),
        serde_json::json!({"return_url": "https://shop.example/back?a=1"})
    );
    let url = session.text("/url");
    assert!(url.starts_with("http://127.0.0.1:12111/link/"), "{url}");
    assert_eq!(read_session(&app, &session).await.text("/url"), url);

    let browser = Browser::at(&app, &url);
    assert!(!browser.page().await.ok().body.contains("http-equiv"));
    browser.accounts_of(&app, "Test (Non-OAuth)").await.ok();
    // Another browser continues at the current step of the first one.
    let ended = Browser::at(&app, &url).step("accounts", "account=0").await.ok();
    insta::assert_snapshot!(shown(&ended), @"
    200
    Account connected
    Test merchant can now read the data that you agreed to share.
    Success Checking ending in …
    -> Done
    ");
    assert!(ended.body.contains(ONWARD), "{}", ended.body);

    let read = read_session(&app, &session).await;
    assert_eq!((read.at("/status"), read.at("/ui_mode")), ("succeeded".into(), "hosted".into()));
    assert!(read.json().get("url").is_none());
    assert_eq!(read.items("/accounts/data").len(), 1);
}

/// A holder who leaves is redirected back as well. A page that was open too long, or with a session
/// that ended elsewhere, shows the link back without a redirect.
#[tokio::test]
async fn every_other_end() {
    let app = App::start().await;
    let left = hosted(&app).await;
    let page = Browser::at(&app, &left.text("/url")).step("cancel", "").await.ok();
    assert!(read(&page).starts_with("200\nYou left") && page.body.contains(ONWARD));
    assert_eq!(read_session(&app, &left).await.at("/status"), "cancelled");

    let elsewhere = hosted(&app).await;
    app.link(&elsewhere, "").await;
    let page = Browser::at(&app, &elsewhere.text("/url")).page().await.ok();
    insta::assert_snapshot!(read(&page), @"
    200
    Already finished
    You finished this in another window.
    -> Done
    ");
    assert!(!page.body.contains("http-equiv"));

    let late = hosted(&app).await;
    app.pass_s(86_400);
    let page = Browser::at(&app, &late.text("/url")).page().await.ok();
    assert!(read(&page).contains("This page has expired") && !page.body.contains("http-equiv"));
    assert!(read_session(&app, &late).await.json().get("url").is_none());
}

/// The address to return to has two places: the request itself, as in the types of stripe-python
/// 16.1.0b1, and `hosted`, as in Stripe's guide. The session shows it in `hosted` only.
#[tokio::test]
async fn the_way_back_has_two_places() {
    let (app, customer) = App::with_customer().await;
    for more in [
        "return_url=https://a.example",
        "hosted[return_url]=https://a.example",
        "return_url=https://a.example&hosted[return_url]=https://a.example",
    ] {
        let session = make(&app, &format!("{}&ui_mode=hosted&{more}", of(&customer))).await.ok();
        let shown = serde_json::json!({"return_url": "https://a.example"});
        assert_eq!(session.at("/hosted"), shown, "{more}");
        assert!(session.json().get("return_url").is_none(), "{more}");
    }
    let general = format!("{}&ui_mode=hosted&return_url=https://a.example", of(&customer));
    insta::assert_snapshot!(app.post(&format!("{FC}/sessions"), &general).await.api_error(), @"400 parameter_unknown ui_mode: Received unknown parameter: ui_mode");
}

/// Invalid settings of a hosted session are rejected with their parameter. Without them the session
/// is not hosted.
#[tokio::test]
async fn api_errors() {
    let (app, customer) = App::with_customer().await;
    let mut told = String::new();
    for more in [
        "ui_mode=embedded",
        "ui_mode=hosted",
        "ui_mode=hosted&hosted[delivery_method]=url",
        "ui_mode=hosted&hosted[return_url]=shop.example",
        "ui_mode=hosted&hosted[return_url]=myapp://back",
        "ui_mode=hosted&hosted[return_url]=https://a.example&hosted[x]=1",
        "ui_mode=hosted&return_url=shop.example",
        "ui_mode=hosted&return_url=https://a.example&hosted[return_url]=https://b.example",
        "hosted[return_url]=https://a.example",
        "ui_mode=modal&hosted[return_url]=https://a.example",
    ] {
        let reply = make(&app, &format!("{}&{more}", of(&customer))).await;
        let _ = write!(told, "{more}\n{}", reply.api_error());
    }
    insta::assert_snapshot!(told, @"
    ui_mode=embedded
    400 - ui_mode: Invalid ui_mode: must be one of hosted or modal
    ui_mode=hosted
    400 parameter_missing return_url: Missing required parameter: return_url.
    ui_mode=hosted&hosted[delivery_method]=url
    400 - hosted[delivery_method]: A delivery method goes with relink_options only.
    ui_mode=hosted&hosted[return_url]=shop.example
    400 url_invalid hosted[return_url]: Not a valid URL: give the whole address, beginning with
      https://.
    ui_mode=hosted&hosted[return_url]=myapp://back
    400 url_invalid hosted[return_url]: Not a valid URL: give the whole address, beginning with
      https://.
    ui_mode=hosted&hosted[return_url]=https://a.example&hosted[x]=1
    400 parameter_unknown hosted[x]: Received unknown parameter: hosted[x]
    ui_mode=hosted&return_url=shop.example
    400 url_invalid return_url: Not a valid URL: give the whole address, beginning with https://.
    ui_mode=hosted&return_url=https://a.example&hosted[return_url]=https://b.example
    400 - return_url: return_url and hosted[return_url] are the same setting and have different
      values. Send return_url alone.
    hosted[return_url]=https://a.example
    400 - hosted: hosted goes with ui_mode=hosted only.
    ui_mode=modal&hosted[return_url]=https://a.example
    400 - hosted: hosted goes with ui_mode=hosted only.
    ");
    let modal = make(&app, &of(&customer)).await.ok();
    assert_eq!(modal.at("/ui_mode"), "modal");
    assert!(modal.json().get("hosted").is_none() && modal.json().get("url").is_none());
}
