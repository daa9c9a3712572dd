//! The calls, responses and data that a page on another origin can access.

use serde_json::Value;
use testkit::{App, Client, FC, Response};

const ORIGIN: &str = "https://shop.example";

/// The headers that control the access of a page on another origin.
fn shared(reply: &Response) -> String {
    let lines = reply.headers.iter().filter(|(name, _)| name.starts_with("access-control-"));
    lines.fold(format!("{}\n", reply.status), |told, (name, value)| {
        told + name + ": " + value + "\n"
    })
}

/// Calls with publishable keys are open to every origin, without cookies. A preflight response
/// names the headers and methods that may be sent.
#[tokio::test]
async fn client_routes_are_open_to_other_origins() {
    let app = App::start().await;
    let wanted = "authorization,x-stripe-livemode,x-mine,content-type";
    let asked = app
        .bare_request("OPTIONS", "/v1/link_flows")
        .header("Origin", ORIGIN)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", wanted)
        .send()
        .await;
    // One header per line.
    insta::assert_snapshot!(shared(&asked).replace(", ", ",\n  "), @"
    204
    access-control-allow-headers: authorization,
      content-type,
      stripe-version,
      stripe-account,
      idempotency-key,
      x-stripe-livemode
    access-control-allow-methods: GET,
      POST
    access-control-allow-origin: *
    access-control-expose-headers: Request-Id
    access-control-max-age: 600
    ");
    // An API error can be read as well, because its message is for the page's developer.
    let browser = app.with_key("pk_test_123");
    let refused = browser.request("POST", "/v1/link_flows").header("Origin", ORIGIN).send().await;
    insta::assert_snapshot!(shared(&refused), @"
    400
    access-control-allow-origin: *
    access-control-expose-headers: Request-Id
    ");
}

/// A page on another origin cannot read the response to a call that it makes with a secret key, also if
/// a publishable key could make the call.
#[tokio::test]
async fn secret_keys_are_closed_to_other_origins() {
    let (app, customer) = App::with_customer().await;
    let session = app.session(&customer, "").await;
    let flow = format!("client_secret={}", session.text("/client_secret"));
    let intent = app.post("/v1/payment_intents", "amount=1000&currency=usd").await.ok();
    let intent_path = format!("/v1/payment_intents/{}", intent.id());
    let read = format!("{intent_path}?client_secret={}", intent.text("/client_secret"));
    for (method, path, form) in [("POST", "/v1/link_flows", &*flow), ("GET", &read, "")] {
        for (key, headers) in [("sk_test_123", 0), ("pk_test_123", 2)] {
            let client = app.with_key(key);
            let request = client.request(method, path).header("Origin", ORIGIN);
            let response = request.form(form).send().await.ok();
            assert_eq!(shared(&response).lines().count(), 1 + headers, "{method} {path} {key}");
        }
    }
}

/// Calls that need a secret key send no such headers, for every request.
#[tokio::test]
async fn secret_routes_are_closed_to_other_origins() {
    let app = App::start().await;
    for path in ["/v1/customers", "/v1/payment_intents", "/v1/financial_connections/accounts"] {
        let asked = app
            .bare_request("OPTIONS", path)
            .header("Origin", ORIGIN)
            .header("Access-Control-Request-Method", "GET")
            .send()
            .await;
        assert_eq!(shared(&asked), "405\n", "{path}");
        let read = app.request("GET", path).header("Origin", ORIGIN).send().await;
        assert_eq!(shared(&read), "200\n", "{path}");
    }
}

/// A browser with the client secret reads the session that it came from. It sees the linked
/// accounts, but no data from the bank.
#[tokio::test]
async fn a_browser_reads_no_bank_data() {
    let (app, customer) = App::with_customer().await;
    let more = "prefetch[]=balances&prefetch[]=ownership&prefetch[]=transactions";
    let session = app.session(&customer, more).await;
    let linked = app.link(&session, "").await;
    app.run_workers_until_idle().await;
    let path = format!("{FC}/sessions/{}", session.id());
    let secret = session.text("/client_secret");
    let shown = |reply: &Response| -> Vec<(String, bool)> {
        let named = [
            "balance",
            "balance_refresh",
            "ownership",
            "ownership_refresh",
            "transaction_refresh",
            "metadata",
        ];
        let account = reply.at("/accounts/data/0");
        named.iter().map(|name| ((*name).to_owned(), account[name] != Value::Null)).collect()
    };
    let known = app.get(&path).await.ok();
    assert_eq!(shown(&known).iter().filter(|(_, there)| *there).count(), 5);

    let browser = app.with_key("pk_test_123");
    let seen = browser.get(&format!("{path}?client_secret={secret}")).await.ok();
    assert_eq!(seen.at("/accounts/data/0/id"), linked.at("/accounts/data/0/id"));
    assert_eq!(seen.at("/accounts/data/0/last4"), known.at("/accounts/data/0/last4"));
    assert!(shown(&seen).iter().all(|(_, there)| !there), "{}", seen.body);

    let owners = format!("{path}?client_secret={secret}&expand[]=accounts.data.ownership");
    assert_eq!(browser.get(&owners).await.status, 400);
    let holder = format!("{path}?client_secret={secret}&expand[]=account_holder.customer");
    assert_eq!(browser.get(&holder).await.status, 400);
    // Another merchant's key finds no object, with or without the secret.
    let stranger = app.with_key("pk_test_other");
    assert_eq!(stranger.get(&format!("{path}?client_secret={secret}")).await.status, 404);
    let told = browser.api_errors(&[("GET", &path, "")]).await;
    insta::assert_snapshot!(told, @"
    GET …/sessions/fcsess_…
        400 parameter_missing client_secret: Missing required parameter: client_secret.
    ");
    let wrong = browser.get(&format!("{path}?client_secret=fcsess_client_secret_x")).await;
    insta::assert_snapshot!(wrong.api_error(), @"
    400 - client_secret: The client_secret given does not belong to this session.
    ");
}

/// A browser may see the payment method that it created, but neither its metadata nor its customer.
#[tokio::test]
async fn a_browser_expands_its_payment_method_only() {
    let (app, customer) = App::with_customer().await;
    let form = format!(
        "amount=500&currency=usd&customer={customer}&metadata[inner]=x\
         &payment_method_data[type]=us_bank_account&payment_method_data[metadata][inner]=y\
         &payment_method_data[us_bank_account][routing_number]=110000000\
         &payment_method_data[us_bank_account][account_number]=000123456789\
         &payment_method_data[us_bank_account][account_holder_type]=individual\
         &payment_method_data[billing_details][name]=Ada"
    );
    let intent = app.post("/v1/payment_intents", &form).await.ok();
    let browser = app.with_key("pk_test_123");
    let path = format!(
        "/v1/payment_intents/{}?client_secret={}",
        intent.id(),
        intent.text("/client_secret")
    );
    let seen = browser.get(&format!("{path}&expand[]=payment_method")).await.ok();
    assert_eq!(seen.at("/payment_method/us_bank_account/last4"), "6789");
    assert!(!seen.body.contains("metadata"), "{}", seen.body);
    assert_eq!(browser.get(&format!("{path}&expand[]=customer")).await.status, 400);
}

/// A browser never receives the response that a secret key got under the same idempotency key.
#[tokio::test]
async fn answers_to_secret_keys_are_not_repeated_to_browsers() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "prefetch[]=balances").await;
    let form = format!("client_secret={}", session.text("/client_secret"));
    let path = "/v1/test_helpers/financial_connections/link";
    let ask =
        |client: &Client| client.request("POST", path).header("Idempotency-Key", "one").form(&form);
    let known = ask(&app).send().await.ok();
    assert_ne!(known.at("/accounts/data/0/balance_refresh"), Value::Null);
    let told = ask(&app.with_key("pk_test_123")).send().await;
    assert_eq!(told.status, 400);
    assert_eq!(told.at("/error/type"), "idempotency_error");
}

/// The replacement for Stripe.js is served to every page, under the path of the original too.
#[tokio::test]
async fn serves_the_browser_script() {
    let app = App::start().await;
    let script = app.bare_request("GET", "/stripe.js").send().await.ok();
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(script.body.contains("window.Stripe ="));
    for path in ["/v3", "/v3/"] {
        assert_eq!(app.bare_request("GET", path).send().await.ok().body, script.body);
    }
}
