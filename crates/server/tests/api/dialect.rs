//! The behaviour that all calls share: keys, versions, headers, bodies, addresses, pages,
//! expansion.

use crate::raw::send_raw;
use settings::KeyPolicy;
use testkit::{App, HOLDER, Options};

const CUSTOMERS: &str = "/v1/customers";

/// Every way to send a key authenticates the same merchant, and every other key another merchant.
#[tokio::test]
async fn keys() {
    let app = App::start().await;
    let id = app.customer().await;
    let path = format!("{CUSTOMERS}/{id}");
    let basic = "Basic c2tfdGVzdF8xMjM6";
    app.bare_request("GET", &path).header("Authorization", basic).send().await.ok();
    app.with_key("rk_test_123").get(&path).await.ok();
    assert_eq!(app.with_key("sk_test_other").get(&path).await.status, 404);
    assert_eq!(app.with_key("sk_test_other").count(CUSTOMERS).await, 0);

    let mut told = app.bare_request("GET", CUSTOMERS).send().await.api_error();
    for key in ["sk_live_1234567890", "pk_test_123", "nonsense"] {
        told += &app.with_key(key).get(CUSTOMERS).await.api_error();
    }
    let digest = app.bare_request("GET", CUSTOMERS).header("Authorization", "Digest x");
    told += &digest.send().await.api_error();
    let keys = KeyPolicy::Issued;
    let app = App::with(Options { keys, ..Options::default() }).await;
    told += &app.get(CUSTOMERS).await.api_error();
    insta::assert_snapshot!(told, @"
    401: No API key was given. Send it as 'Authorization: Bearer sk_…', or as the user name of HTTP
      Basic authentication.
    401: Invalid API key: sk_live_****
    403 secret_key_required: This call needs a secret API key (sk_…). A publishable key (pk_…) is
      for client flows only.
    401: Invalid API key: ****
    401: The Authorization header could not be read. Send 'Bearer sk_…', or HTTP Basic with the key
      as the user name.
    401: Invalid API key: sk_test_****
    ");
}

/// A publishable key drives a link flow by its client secret, and is rejected by all other calls.
#[tokio::test]
async fn publishable_keys_drive_link_flows_only() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "").await;
    let link = "/v1/test_helpers/financial_connections/link";
    let browser = app.with_key("pk_test_123");
    let by_id = format!("carrier={}", session.id());
    let mut told = browser.post(link, &by_id).await.api_error();
    told += &browser.post("/v1/test_helpers/test_clocks", "frozen_time=1").await.api_error();
    insta::assert_snapshot!(told, @"
    403 secret_key_required: This call needs a secret API key (sk_…). A publishable key (pk_…) is
      for client flows only.
    403 secret_key_required: This call needs a secret API key (sk_…). A publishable key (pk_…) is
      for client flows only.
    ");
    let form = format!("client_secret={}", session.text("/client_secret"));
    assert_eq!(app.with_key("pk_test_other").post(link, &form).await.status, 400);
    assert_eq!(browser.post(link, &form).await.ok().items("/accounts/data").len(), 1);
}

/// An error has this exact body and these headers. Every response has a request id.
#[tokio::test]
async fn envelope_and_headers() {
    let app = App::start().await;
    let reply = app.get("/v1/customers/cus_x").await;
    insta::assert_snapshot!(reply.body, @r#"
    {
      "error": {
        "code": "resource_missing",
        "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
        "message": "No such customer: 'cus_x'",
        "param": "id",
        "type": "invalid_request_error"
      }
    }
    "#);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("stripe-version"), Some("2026-08-26.dahlia"));
    let id = reply.header("request-id").unwrap().to_owned();
    assert!(id.starts_with("req_"), "{id}");
    assert_ne!(app.get(CUSTOMERS).await.header("request-id"), Some(id.as_str()));
}

/// Every published version is echoed exactly as it was sent. Other versions are rejected.
#[tokio::test]
async fn versions() {
    let app = App::start().await;
    let ask = async |version: &str| app.in_version(version).get(CUSTOMERS).await;
    let betas = "2022-08-01; financial_connections_transactions_beta=v1";
    for version in ["2026-10-28.endive", "2026-10-14.preview", "2020-08-27", betas] {
        assert_eq!(ask(version).await.ok().header("stripe-version"), Some(version));
    }
    insta::assert_snapshot!(ask("newest").await.api_error(), @"400: Invalid Stripe API version: newest");
}

/// Unsupported addresses, methods, content types and headers are rejected.
#[tokio::test]
async fn what_is_not_taken() {
    let app = App::start().await;
    let mut told = app
        .api_errors(&[
            ("GET", "/v1/topups", ""),
            ("DELETE", "/v1/customers", ""),
            ("PUT", "/v1/events/evt_1", ""),
        ])
        .await;
    let json = app.request("POST", CUSTOMERS).header("Content-Type", "application/json");
    told += &json.body("{}").send().await.api_error();
    let connected = app.request("GET", CUSTOMERS).header("Stripe-Account", "acct-1");
    told += &connected.send().await.api_error();
    let large = format!("description={}", "x".repeat(600_000));
    told += &app.post(CUSTOMERS, &large).await.api_error();
    let long = format!("{CUSTOMERS}?email={}", "x".repeat(20_000));
    told += &app.get(&long).await.api_error();
    insta::assert_snapshot!(told, @"
    GET /v1/topups
        404: Unrecognized request URL (GET: /v1/topups).
    DELETE /v1/customers
        405: /v1/customers does not accept DELETE requests.
    PUT /v1/events/evt_1
        405: /v1/events/evt_1 does not accept PUT requests.
    400: Request bodies must be application/x-www-form-urlencoded, not application/json.
    400: The account to act in must be the id of a connected account (acct_…), not 'acct-1'.
    400: The request body is too large: at most 524288 bytes.
    400: The query string is too large: at most 16384 bytes.
    ");
}

/// Bodies may have any charset, no content type, no content, or chunks. A GET may have the content
/// type of a form.
#[tokio::test]
async fn bodies() {
    let app = App::start().await;
    let form = "name=Zo%C3%AB+Q%20R";
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "Application/X-WWW-Form-URLencoded; charset=utf-8",
    ] {
        let request = app.request("POST", CUSTOMERS).header("Content-Type", content_type);
        assert_eq!(request.body(form).send().await.ok().text("/name"), "Zoë Q R");
    }
    app.request("POST", CUSTOMERS).body(form).send().await.ok();
    app.post(CUSTOMERS, "").await.ok();
    let content_type = "application/x-www-form-urlencoded";
    app.request("GET", CUSTOMERS).header("Content-Type", content_type).send().await.ok();

    // In chunks and without a length, as one client sends every body.
    let raw = "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
               Authorization: Bearer sk_test_123\r\nTransfer-Encoding: chunked\r\n\r\n\
               7\r\nname=Zo\r\n6\r\n%C3%AB\r\n0\r\n\r\n";
    let answer = send_raw(&app, raw).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"name\":\"Zoë\""), "{answer}");
}

/// Every response has its own request id. This includes calls without a key and unknown addresses
/// and methods.
#[tokio::test]
async fn request_ids() {
    let app = App::start().await;
    let mut ids = std::collections::BTreeSet::new();
    let calls = [
        ("GET", "/"),
        ("GET", "/healthz"),
        ("HEAD", "/healthz"),
        ("GET", "/readyz"),
        ("POST", "/readyz"),
        ("GET", "/nowhere"),
        ("GET", "/v1/customers/search"),
        ("OPTIONS", CUSTOMERS),
    ];
    for (method, path) in calls {
        let reply = app.bare_request(method, path).send().await;
        let id = reply.header("request-id").unwrap_or_else(|| panic!("{method} {path}"));
        assert!(id.starts_with("req_") && ids.insert(id.to_owned()), "{method} {path}: {id}");
    }
}

/// Parameters of the wrong type are rejected with their full path, and the call has no effect.
#[tokio::test]
async fn parameters() {
    let app = App::start().await;
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", CUSTOMERS, "emial=ada@example.com"),
        ("POST", CUSTOMERS, "name[first]=Ada"),
        ("POST", CUSTOMERS, "balance=ten"),
        ("POST", CUSTOMERS, "address[street]=x"),
        ("POST", CUSTOMERS, "shipping[name]=Ada"),
        ("POST", CUSTOMERS, "tax_exempt=maybe"),
        ("POST", CUSTOMERS, "metadata[a][b]=c"),
        ("POST", CUSTOMERS, "preferred_locales=en"),
        ("POST", CUSTOMERS, "name=%FF"),
        ("POST", CUSTOMERS, "expand[]=email"),
        ("GET", "/v1/customers?limit=101", ""),
        ("GET", "/v1/customers?limit=ten", ""),
        ("GET", "/v1/customers?starting_after=cus_1&ending_before=cus_2", ""),
        ("GET", "/v1/customers?starting_after=cus_1", ""),
        ("GET", "/v1/customers?created[above]=1", ""),
    ]).await, @"
    POST /v1/customers emial=ada@example.com
        400 parameter_unknown emial: Received unknown parameter: emial. Did you mean email?
    POST /v1/customers name[first]=Ada
        400 - name: Invalid string: name must be a string, not a hash or a list
    POST /v1/customers balance=ten
        400 parameter_invalid_integer balance: Invalid integer: ten
    POST /v1/customers address[street]=x
        400 parameter_unknown address[street]: Received unknown parameter: address[street]. Did you
          mean state?
    POST /v1/customers shipping[name]=Ada
        400 parameter_missing shipping[address]: Missing required parameter: shipping[address].
    POST /v1/customers tax_exempt=maybe
        400 - tax_exempt: Invalid tax_exempt: must be one of exempt, none, or reverse
    POST /v1/customers metadata[a][b]=c
        400 - metadata[a]: Invalid string: metadata[a] must be a string, not a hash or a list
    POST /v1/customers preferred_locales=en
        400 - preferred_locales: Invalid array: en
    POST /v1/customers name=%FF
        400: A parameter is not valid UTF-8.
    POST /v1/customers expand[]=email
        400 - expand: The property 'email' cannot be expanded.
    GET /v1/customers?limit=101
        400 parameter_invalid_integer limit: Invalid integer: limit must be between 1 and 100
    GET /v1/customers?limit=ten
        400 parameter_invalid_integer limit: Invalid integer: ten
    GET /v1/customers?starting_after=cus_1&ending_before=cus_2
        400 parameters_exclusive starting_after: You may give only one of these parameters:
          starting_after, ending_before.
    GET /v1/customers?starting_after=cus_1
        400 resource_missing starting_after: No such customer: 'cus_1'
    GET /v1/customers?created[above]=1
        400 parameter_unknown created[above]: Received unknown parameter: created[above]
    ");
    assert_eq!(app.count(CUSTOMERS).await, 0);
}

/// The health check needs no key, and the root describes the server.
#[tokio::test]
async fn health() {
    let app = App::start().await;
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        assert_eq!(app.bare_request("GET", path).send().await.ok().body, body);
    }
    assert!(app.bare_request("GET", "/").send().await.ok().body.starts_with("bankfeed: "));
}

/// The test clock can be expanded wherever a customer is expanded, down to the deepest level.
#[tokio::test]
async fn expands_the_clock_of_a_customer() {
    let app = App::start().await;
    let clocks = "/v1/test_helpers/test_clocks";
    let clock = app.post(clocks, "frozen_time=1767225600").await.ok();
    let form = format!("email=ada@example.com&test_clock={}", clock.id());
    let customer = app.post(CUSTOMERS, &form).await.ok().id();
    let session = app.session(&customer, "expand[]=account_holder.customer.test_clock").await;
    let linked = app.link(&session, "expand[]=account_holder.customer.test_clock").await;
    let account = linked.text("/accounts/data/0/id");
    let fc = "/v1/financial_connections";
    let of_account = format!("{fc}/accounts/{account}?expand[]=account_holder.customer");
    let inside = "expand[]=data.account_holder.customer.test_clock";
    let list = format!("{fc}/accounts?account_holder[customer]={customer}&{inside}");
    let customers = format!("{CUSTOMERS}?expand[]=data.test_clock&test_clock={}", clock.id());
    let answers = [
        (session, "/account_holder/customer/test_clock"),
        (linked, "/account_holder/customer/test_clock"),
        (app.get(&format!("{of_account}.test_clock")).await, "/account_holder/customer/test_clock"),
        (app.get(&list).await, "/data/0/account_holder/customer/test_clock"),
        (app.get(&customers).await, "/data/0/test_clock"),
    ];
    for (answer, pointer) in answers {
        assert_eq!(answer.ok().at(pointer), clock.json(), "{pointer}");
    }
    // If only the customer is expanded, its clock stays an id. A customer without a clock works
    // too.
    let answer = app.get(&of_account).await.ok();
    assert_eq!(answer.text("/account_holder/customer/test_clock"), clock.id());
    let other = app.account().await;
    let plain = format!("{fc}/accounts/{other}?expand[]=account_holder.customer.test_clock");
    let answer = app.get(&plain).await.ok();
    assert_eq!(answer.text("/account_holder/customer/object"), "customer");
    assert!(answer.at("/account_holder/customer/test_clock").is_null());
}

/// Both spellings of expand reach four levels, in lists and in single objects.
#[tokio::test]
async fn expansion() {
    let (app, account) = App::with_account().await;
    let accounts = "/v1/financial_connections/accounts";
    let one = app.get(&format!("{accounts}/{account}?expand[]=account_holder.customer")).await.ok();
    assert_eq!(one.text("/account_holder/customer/object"), "customer");
    let list =
        app.get(&format!("{accounts}?expand%5B0%5D=data.account_holder.customer")).await.ok();
    assert_eq!(list.text("/data/0/account_holder/customer/email"), "ada@example.com");
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", &format!("{accounts}/{account}?expand[]=balance"), ""),
        ("GET", &format!("{accounts}?expand[]=ownership"), ""),
        ("GET", &format!("{accounts}?expand[]=data.a.b.c.d"), ""),
    ]).await, @"
    GET …/accounts/fca_…?expand[]=balance
        400 - expand: The property 'balance' cannot be expanded.
    GET …/accounts?expand[]=ownership
        400 - expand: The property 'ownership' cannot be expanded.
    GET …/accounts?expand[]=data.a.b.c.d
        400 - expand: The property 'data.a.b.c.d' cannot be expanded because its path has more than
          4 levels.
    ");
}

/// Errors name the item of a list by the index that the client sent. This holds for the parameter
/// reader and for the handler.
#[tokio::test]
async fn items_are_named_by_the_index_that_was_sent() {
    let (app, customer) = App::with_customer().await;
    let base = format!("{HOLDER}={customer}&permissions[4]=balances&permissions[9]=transactions");
    let sessions = "/v1/financial_connections/sessions";
    let intents = "/v1/payment_intents";
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", sessions, &format!("{base}&prefetch[7]=ownership&prefetch[2]=balances")),
        ("POST", sessions, &format!("{base}&prefetch[7]=nothing")),
        ("POST", intents, "amount=100&currency=usd&payment_method_types[3]=card"),
    ]).await, @"
    POST …/sessions HOLDER=cus_…&permissions[4]=balances&permissions[9]=transactions&
      prefetch[7]=ownership&prefetch[2]=balances
        400 - prefetch[7]: To prefetch ownership, ask for the permission ownership too.
    POST …/sessions HOLDER=cus_…&permissions[4]=balances&permissions[9]=transactions&
      prefetch[7]=nothing
        400 - prefetch[7]: Invalid prefetch[7]: must be one of balances, ownership, or transactions
    POST /v1/payment_intents amount=100&currency=usd&payment_method_types[3]=card
        400 - payment_method_types: This server collects bank accounts: payment_method_types must
          include us_bank_account.
    ");
}
