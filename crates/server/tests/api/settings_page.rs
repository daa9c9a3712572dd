//! The settings page in a browser without script.

use model::account::Permission;
use model::connections_settings::Registration;
use testkit::{App, Client, FC, HOLDER, Response};

/// Posts a form of the page, with or without a visit.
async fn post(client: &Client, form: &str) -> Response {
    client.bare_request("POST", "/settings").form(form).send().await
}

/// The token of the visit in the forms of the page.
fn visit(page: &Response) -> String {
    let (_, rest) = page.body.split_once("name=\"visit\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// The states of the registration, in the order of the page.
fn states(page: &Response) -> Vec<String> {
    let rows = page.body.split("<li><span>").skip(1);
    let text = |row: &str| {
        let row = row.split_once("</li>").unwrap().0;
        row.replace("</span>", ": ")
            .replace("<strong class=\"good\">", "")
            .replace("</strong>", "")
            .replace("<span class=\"soft\">", "")
            .trim_end_matches(": ")
            .to_owned()
    };
    rows.map(text).collect()
}

/// The boxes that are ticked.
fn ticked(page: &Response) -> Vec<String> {
    let boxes = page.body.split("<input type=\"checkbox\" id=\"").skip(1);
    let ticked = boxes.filter(|rest| rest.split_once('>').unwrap().0.ends_with(" checked"));
    ticked.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
}

/// With a live key the page shows the registration, which only the operator changes.
#[tokio::test]
async fn shows_the_registration() {
    let app = App::start().await;
    let key = app.keys().issue(1, true);
    let asks = app.bare_request("GET", "/settings").send().await.ok();
    assert!(asks.body.contains("name=\"key\""), "{}", asks.body);
    app.keys().register(1, Permission::Ownership, Registration::Pending);
    app.keys().register(1, Permission::Transactions, Registration::Active);
    let page = post(&app, &format!("key={}", key.secret)).await.ok();
    insta::assert_debug_snapshot!(states(&page), @r#"
    [
        "Balances: Unrequested",
        "Owners: Pending",
        "Account numbers for payments: Unrequested",
        "Transactions: Active",
    ]
    "#);
    assert!(!page.body.contains(&key.secret), "the key does not come back");
    assert!(page.body.contains("Live mode"), "{}", page.body);
    assert!(page.body.contains("bankfeed registration set"), "{}", page.body);
    assert!(!page.body.contains("<select"), "{}", page.body);

    let visit = visit(&page);
    let own =
        post(&app, &format!("visit={visit}&step=rehearse&registration-balances=active")).await;
    assert_eq!(own.status, 403);
    assert_eq!(states(&own), states(&page));
}

/// With a test key the page rehearses a registration. Then a call is rejected as in live mode.
#[tokio::test]
async fn rehearses_the_registration() {
    let app = App::start().await;
    let page = post(&app, "key=sk_test_123").await.ok();
    let visit = visit(&page);
    let nothing = post(&app, &format!("visit={visit}&step=rehearse&registration-balances=x")).await;
    assert_eq!(nothing.status, 422);
    let form = format!("visit={visit}&step=rehearse&registration-balances=rejected");
    let page = post(&app, &form).await.ok();
    assert_eq!(states(&page)[0], "Balances: Rejected");
    let session = format!("{HOLDER}={}&permissions[]=balances", app.customer().await);
    assert_eq!(app.post(&format!("{FC}/sessions"), &session).await.status, 400);
}

/// The page changes the default link requirements of payments, and gives the reason why a change is
/// rejected.
#[tokio::test]
async fn changes_what_payments_ask_for() {
    let app = App::start().await;
    let page = post(&app, "key=sk_test_123").await.ok();
    assert_eq!(states(&page)[0], "Balances: Active", "test data is always there");
    assert_eq!(ticked(&page), [""; 0]);
    let visit = visit(&page);
    let form = format!("visit={visit}&step=defaults&permission=transactions");
    let page = post(&app, &format!("{form}&prefetch=transactions")).await.ok();
    assert_eq!(ticked(&page), ["permission-transactions", "prefetch-transactions"]);
    let settings = app.get(&format!("{FC}/settings")).await.ok();
    insta::assert_snapshot!(settings.at("/permissions"), @r#"["payment_method","transactions"]"#);
    insta::assert_snapshot!(settings.at("/prefetch"), @r#"["transactions"]"#);

    let refused = post(&app, &format!("{form}&prefetch=balances")).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    assert_eq!(app.get(&format!("{FC}/settings")).await.ok().body, settings.body);
    let bogus =
        [format!("visit={visit}&step=defaults&permission=bogus"), format!("{form}&prefetch=x")];
    for form in bogus {
        let refused = post(&app, &form).await;
        assert_eq!(refused.status, 422, "{form}");
        assert_eq!(app.get(&format!("{FC}/settings")).await.ok().body, settings.body, "{form}");
    }
    let cleared = post(&app, &format!("visit={visit}&step=defaults")).await.ok();
    assert_eq!(ticked(&cleared), [""; 0]);
}

/// An unknown key, a publishable key and a missing key are rejected with a message. No settings are
/// shown.
#[tokio::test]
async fn asks_for_a_secret_key() {
    let app = App::start().await;
    let revoked = app.keys().issue(1, true);
    app.keys().revoke(&revoked);
    let mut told = Vec::new();
    let keys = ["", "sk_live_1", "pk_test_123", revoked.secret.as_str(), "%00"];
    for key in keys {
        let page = post(&app, &format!("key={key}")).await;
        let alert = page.body.split_once("role=\"alert\"").unwrap().1;
        let alert = alert.split_once("<span>").unwrap().1;
        told.push(format!("{} {}", page.status, alert.split_once('<').unwrap().0));
        assert!(!page.body.contains("Live data"), "{}", page.body);
    }
    insta::assert_snapshot!(told.join("\n"), @"
    401 Enter a secret key.
    401 Invalid API key: sk_live_****
    403 This call needs a secret API key (sk_…). A publishable key (pk_…) is for client flows only.
    401 Expired API key: sk_live_****0001
    401 Invalid API key: ****
    ");
}

/// A visit ends after half an hour, or when its key is revoked. An unknown token is rejected. In
/// each case no setting changes.
#[tokio::test]
async fn visits_end() {
    let app = App::start().await;
    let (one, two) = (app.keys().issue(1, true), app.keys().issue(1, true));
    let first = visit(&post(&app, &format!("key={}", one.secret)).await.ok());
    let second = visit(&post(&app, &format!("key={}", two.secret)).await.ok());
    assert_ne!(first, second);
    let save = |visit: &str| format!("visit={visit}&step=defaults&permission=balances");
    app.keys().revoke(&one);
    assert_eq!(post(&app, &save(&first)).await.status, 401);
    assert_eq!(post(&app, &save("nothing")).await.status, 401);
    app.pass_s(30 * 60 - 1);
    post(&app, &format!("visit={second}")).await.ok();
    app.pass_s(1);
    assert_eq!(post(&app, &save(&second)).await.status, 401);
    let shown = app.with_key(&two.secret).get(&format!("{FC}/settings")).await.ok();
    insta::assert_snapshot!(shown.at("/permissions"), @r#"["payment_method"]"#);
}

/// The page is isolated. It loads no foreign resources, cannot be framed or cached, and sets no
/// cookie.
#[tokio::test]
async fn is_kept_to_itself() {
    let app = App::start().await;
    for page in [
        app.bare_request("GET", "/settings").send().await.ok(),
        post(&app, "key=sk_test_123").await.ok(),
    ] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("set-cookie"), None);
        assert_eq!(page.header("access-control-allow-origin"), None);
    }
}
