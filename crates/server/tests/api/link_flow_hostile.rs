//! Attacks on the pages of the link flow, and the data that pages reveal.

use crate::browser::{Browser, institution, read};
use std::io::Write;
use std::sync::{Arc, Mutex};
use testkit::{App, FC};

/// Unknown tokens, unknown forms, and methods that pages do not have are rejected.
#[tokio::test]
async fn refuses_strangers() {
    let app = App::start().await;
    let (session, browser) = Browser::of_session(&app, &app.customer().await, "").await;
    let token = browser.path.strip_prefix("/link/").unwrap().to_owned();
    let get = async |path: String| app.bare_request("GET", &path).send().await;
    let other = if token.ends_with('x') { "y" } else { "x" };
    for bad in [
        "x".to_owned(),
        "0".repeat(64),
        token[..63].to_owned(),
        format!("{}{other}", &token[..63]),
        format!("{}{}", "f".repeat(16), &token[16..]),
        token.to_uppercase(),
        "%00%ff".to_owned(),
        "é".repeat(32),
        format!("{token}x"),
    ] {
        let page = get(format!("/link/{bad}")).await;
        assert!(matches!(page.status, 400 | 404), "{bad}: {}", page.status);
        assert!(!page.body.contains("Choose your bank"));
        let page = app.bare_request("POST", &format!("/link/{bad}")).form("step=cancel").send();
        assert!(matches!(page.await.status, 400 | 404), "{bad}");
    }
    let post =
        async |form: &str| app.bare_request("POST", &browser.path).form(form).send().await.status;
    assert_eq!(post("").await, 400);
    assert_eq!(post("step=unknown&version=1").await, 400);
    assert_eq!(post(&format!("step=cancel&version=1&x={}", "a".repeat(70_000))).await, 400);
    assert_eq!(post(&format!("step=cancel&version=1{}", "&a=1".repeat(600))).await, 400);
    assert_eq!(post("%ff=%fe&step=%ff").await, 400);
    // Versions that never existed have no effect.
    for version in ["", "0", "-1", "2", "99999999999999999999", "x"] {
        assert_eq!(post(&format!("step=cancel&version={version}")).await, 200);
    }
    let none = browser.step("institution", "institution=fcinst_x").await;
    assert!(read(&none).contains("Choose a bank from the list."));
    let session = app.get(&format!("{FC}/sessions/{}", session.id())).await.ok();
    assert!(session.at("/status").is_null());
    assert_eq!(app.bare_request("DELETE", &browser.path).send().await.status, 405);
    assert_eq!(
        app.bare_request("POST", &browser.path).form("step=cancel&version=1").send().await.status,
        200
    );
}

/// Only permitted callers may begin a flow, and only for a permitted page.
#[tokio::test]
async fn begins() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "").await;
    let secret = format!("client_secret={}", session.text("/client_secret"));
    let carrier = format!("carrier={}", session.id());
    let path = "/v1/link_flows";
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", path, ""),
        ("POST", path, "client_secret=fcsess_client_secret_x"),
        ("POST", path, &format!("{secret}&{carrier}")),
        ("POST", path, &format!("{carrier}&origin=https://shop.example/x")),
        ("POST", path, &format!("{carrier}&origin=null")),
        ("POST", path, &format!("{carrier}&origin=https://a;script-src%20*")),
    ]).await, @"
    POST /v1/link_flows
        400 parameter_missing client_secret: Missing required parameter: client_secret or carrier.
    POST /v1/link_flows client_secret=fcsess_client_secret_x
        400 - client_secret: No link flow has this client secret.
    POST /v1/link_flows client_secret=fcsess_client_secret_…&carrier=fcsess_…
        400 parameters_exclusive client_secret: You may give only one of these parameters:
          client_secret, carrier.
    POST /v1/link_flows carrier=fcsess_…&origin=https://shop.example/x
    POST /v1/link_flows carrier=fcsess_…&origin=null
    POST /v1/link_flows carrier=fcsess_…&origin=https://a;script-src%20*
        400 - origin: An origin is a scheme and a host, and a port where it needs one, such as
          https://shop.example.
    ");
    let page = app.with_key("pk_test_123");
    insta::assert_snapshot!(page.api_errors(&[("POST", path, &carrier)]).await, @"
    POST /v1/link_flows carrier=fcsess_…
        403 secret_key_required: This call needs a secret API key (sk_…). A publishable key (pk_…)
          is for client flows only.
    ");
    let stranger = app.with_key("pk_test_other");
    insta::assert_snapshot!(stranger.api_errors(&[("POST", path, &secret)]).await, @"
    POST /v1/link_flows client_secret=fcsess_client_secret_…
        400 - client_secret: No link flow has this client secret.
    ");
    app.post(path, &carrier).await.ok();

    let key = async || app.idempotent("one").post(path, &secret).await.ok().body;
    assert_eq!(key().await, key().await);
    app.link(&session, "outcome=cancel").await;
    insta::assert_snapshot!(app.api_errors(&[("POST", path, &secret)]).await, @"
    POST /v1/link_flows client_secret=fcsess_client_secret_…
        400: This link flow has ended; make a new session to link again.
    ");
}

/// Every page is isolated, and only the page that opened it may frame it.
#[tokio::test]
async fn headers() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "return_url=https://shop.example/back").await;
    let browser = Browser::open_for(&app, &session, "origin=https://shop.example").await;
    let page = browser.page().await.ok();
    insta::assert_snapshot!(page.header("content-security-policy").unwrap(), @"default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let path = format!("{}?frame=1", browser.path);
    let framed = app.bare_request("GET", &path).send().await.ok();
    let policy = framed.header("content-security-policy").unwrap();
    assert!(policy.ends_with("frame-ancestors https://shop.example"), "{policy}");
    assert!(framed.body.contains(&format!("action=\"{path}\"")));
    // The two files are the only script and style of a page.
    assert!(!page.body.contains("<style") && !page.body.contains(" style="));
    assert_eq!(page.body.matches("<script").count(), 1);
    for (file, kind) in [("pages.css", "text/css"), ("pages.js", "text/javascript")] {
        let file = app.bare_request("GET", &format!("/assets/{file}")).send().await.ok();
        assert!(file.header("content-type").unwrap().starts_with(kind));
    }
    // The final page contains the origin to notify, and redirects back.
    let left = browser.step("cancel", "").await.ok();
    assert!(left.body.contains("data-origin=\"https://shop.example\" data-status=\"cancelled\""));
    assert!(left.body.contains("href=\"https://shop.example/back\""));
}

/// Text from a stranger appears on a page as escaped text.
#[tokio::test]
async fn escapes() {
    let app = App::start().await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E@x.example";
    let customer = app.post("/v1/customers", &format!("email={evil}")).await.ok().id();
    let browser = Browser::open(&app, &app.session(&customer, "").await).await;
    let pages = [
        browser.step("sign_in", "").await,
        browser.step("sign_in", &format!("email={evil}")).await,
        browser.step("sign_in", "email=%3Cscript%3E").await,
        app.bare_request("GET", &format!("{}?q={evil}&frame={evil}", browser.path)).send().await,
    ];
    for page in pages {
        assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
        assert_eq!(page.body.matches("<script").count(), 1);
    }
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Tokens, passwords, codes and account numbers appear neither in the log nor on a page that does
/// not need them.
#[tokio::test]
async fn keeps_secrets() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    // The subscriber is set for the whole process, because a thread's subscriber can miss events of
    // call sites that another thread reached first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let app = App::start().await;
    let (_, browser) =
        Browser::of_session(&app, &app.customer().await, "manual_entry[mode]=automatic").await;
    let bank = institution(&app, "Bank (Non-OAuth)").await;
    browser.step("institution", &format!("institution={bank}")).await;
    browser.step("consent", "").await;
    let asked = browser.step("login", "bank_username=ada-name&bank_password=mfa").await;
    assert!(!asked.body.contains("ada-name"));
    browser.step("login", "bank_code=987654").await;
    browser.step("back", "").await;
    browser.step("manual", "").await;
    let wrong = "routing_number=110000000&account_number=000111111113&account_number_again=1";
    // The form is shown again as it was typed, and a browser stores no such page.
    let shown_again = browser.step("numbers", wrong).await;
    assert!(shown_again.body.contains("value=\"000111111113\""));
    assert_eq!(shown_again.header("cache-control"), Some("no-store"));
    assert!(!browser.page().await.body.contains("value=\"000111111113"));
    let right = "routing_number=110000000&account_number=000111111113\
                 &account_number_again=000111111113";
    assert!(!browser.step("numbers", right).await.body.contains("000111111113"));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("POST /link/{token}"), "{log}");
    let token = browser.path.strip_prefix("/link/").unwrap();
    // Libraries may log sent data at this level. The log lines of this project never contain it.
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("bankfeed")).collect();
    for secret in [&token[32..], "ada-name", "987654", "000111111113"] {
        let told = ours.iter().find(|line| line.contains(secret));
        assert!(told.is_none(), "{told:?}");
    }
}
