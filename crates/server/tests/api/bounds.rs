//! Numbers, texts and addresses outside their bounds. Each is rejected with the path of its
//! parameter, and none causes an internal error.

use std::fmt::Write as _;
use testkit::{App, CHECKOUT, FC, HOLDER, ONE_ITEM, Response};

const LEAST: &str = "-9223372036854775808";
const MOST: &str = "9223372036854775807";

/// The status, code and parameter of each response to these forms.
async fn told(app: &App, calls: &[(&str, String)]) -> String {
    let mut told = String::new();
    for (path, form) in calls {
        let reply = app.post(path, form).await;
        let [code, param] = ["/error/code", "/error/param"]
            .map(|at| reply.json().pointer(at).and_then(|text| text.as_str().map(str::to_owned)));
        let [code, param] = [code, param].map(|text| text.unwrap_or_else(|| "-".to_owned()));
        writeln!(told, "{} {code} {param}", reply.status).unwrap();
    }
    told
}

/// An amount, a unit amount and a period outside their bounds are rejected, however far outside
/// they are.
#[tokio::test]
async fn amounts_and_periods() {
    let (app, customer) = App::with_customer().await;
    let item = |more: &str| ("/v1/invoiceitems", format!("customer={customer}&{more}"));
    let held = app.post("/v1/invoiceitems", &item("amount=1").1).await.ok();
    let update = format!("/v1/invoiceitems/{}", held.id());
    let price = |more: &str| ("/v1/prices", format!("currency=usd&product_data[name]=Tea&{more}"));
    let every = |count: &str| {
        price(&format!("unit_amount=1&recurring[interval]=day&recurring[interval_count]={count}"))
    };
    let mut calls = vec![
        item(&format!("amount={LEAST}")),
        item(&format!("amount={MOST}")),
        item("amount=-100000000"),
        item(&format!("unit_amount_decimal={LEAST}")),
        item(&format!("unit_amount_decimal=99999999&quantity={MOST}")),
        (update.as_str(), format!("amount={LEAST}")),
        price("unit_amount=100000000"),
        price(&format!("unit_amount={LEAST}")),
        price(&format!("unit_amount_decimal={MOST}")),
    ];
    calls.extend(["0", "-1", "1096", MOST].map(every));
    insta::assert_snapshot!(told(&app, &calls).await, @"
    400 amount_too_large amount
    400 amount_too_large amount
    400 amount_too_large amount
    400 amount_too_large amount
    400 amount_too_large amount
    400 amount_too_large amount
    400 - unit_amount
    400 - unit_amount
    400 - unit_amount_decimal
    400 - recurring[interval_count]
    400 - recurring[interval_count]
    400 - recurring[interval_count]
    400 - recurring[interval_count]
    ");
    app.post("/v1/prices", &every("1095").1).await.ok();
    let least = app.post("/v1/invoiceitems", &item("amount=-99999999").1).await.ok();
    assert_eq!(least.at("/amount"), -99_999_999);
}

/// Metadata has the same bounds in every call and at every position.
#[tokio::test]
async fn metadata() {
    let app = App::start().await;
    let invoice = format!("/v1/invoices/{}", app.draft_invoice("").await.id());
    let long = "v".repeat(501);
    let fields = |path: &str| {
        let key = format!("{path}[{}]=1", "k".repeat(41));
        let many: Vec<String> = (0..51).map(|at| format!("{path}[k{at}]=1")).collect();
        [key, format!("{path}[a]={long}"), many.join("&")]
    };
    let checkout = |path: &str| fields(path).map(|more| (CHECKOUT, format!("{ONE_ITEM}&{more}")));
    let mut calls: Vec<(&str, String)> = Vec::new();
    calls.extend(fields("metadata").map(|more| ("/v1/products", format!("name=Tea&{more}"))));
    calls.extend(fields("metadata").map(|more| (invoice.as_str(), more)));
    calls.extend(checkout("metadata"));
    calls.extend(checkout("payment_intent_data[metadata]"));
    insta::assert_snapshot!(told(&app, &calls).await, @"
    400 - metadata[kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
    400 - metadata[a]
    400 - metadata
    400 - metadata[kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
    400 - metadata[a]
    400 - metadata
    400 - metadata[kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
    400 - metadata[a]
    400 - metadata
    400 - payment_intent_data[metadata][kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
    400 - payment_intent_data[metadata][a]
    400 - payment_intent_data[metadata]
    ");
    let most = format!("metadata[{}]={}", "k".repeat(40), "v".repeat(500));
    app.post(&invoice, &most).await.ok();
    app.post(&invoice, "metadata[a]=").await.ok();
}

/// A finalized invoice shows its due date. Days and dates outside their bounds are rejected, and so
/// are due dates of an invoice that is not sent. An invoice that is sent without either is rejected
/// too.
#[tokio::test]
async fn due_dates() {
    let app = App::start().await;
    let sent = "collection_method=send_invoice";
    let customer = app.customer().await;
    let create = |more: &str| ("/v1/invoices", format!("customer={customer}&{more}"));
    let days = |days: &str| create(&format!("{sent}&days_until_due={days}"));
    let date = |date: &str| create(&format!("{sent}&due_date={date}"));
    let calls = [
        days("-1"),
        days("1826"),
        days(MOST),
        date("1"),
        date("-1"),
        date(MOST),
        create("days_until_due=30"),
        create("collection_method=charge_automatically&due_date=1767312001"),
        create(&format!("{sent}&days_until_due=1&due_date=1767312001")),
        create(sent),
    ];
    insta::assert_snapshot!(told(&app, &calls).await, @"
    400 - days_until_due
    400 - days_until_due
    400 - days_until_due
    400 - due_date
    400 - due_date
    400 - due_date
    400 - days_until_due
    400 - due_date
    400 parameters_exclusive days_until_due
    400 parameter_missing days_until_due
    ");
    let due = |invoice: &Response| {
        let from = invoice.at("/status_transitions/finalized_at").as_i64().unwrap();
        invoice.at("/due_date").as_i64().unwrap() - from
    };
    let one_day = 86_400;
    let invoice = app.draft_invoice("").await;
    app.invoice_item(&invoice, "amount=100").await;
    let path = format!("/v1/invoices/{}", invoice.id());
    let held = app.post(&path, &format!("{sent}&days_until_due=30")).await.ok();
    assert_eq!(held.at("/due_date"), serde_json::Value::Null, "nothing is due of a draft");
    let open = app.post(&format!("{path}/finalize"), "").await.ok();
    assert_eq!(due(&open), 30 * one_day);
    let later = app.post(&path, "days_until_due=40").await.ok();
    assert_eq!(due(&later), 40 * one_day);
    let listed = app.get("/v1/invoices?due_date[gte]=1").await.ok();
    assert_eq!(listed.items("/data").len(), 1);
}

/// Only complete URLs of pages are accepted. A return URL may also open an app. Scripts are always
/// rejected.
#[tokio::test]
async fn addresses() {
    let (app, customer) = App::with_customer().await;
    let session = format!("{HOLDER}={customer}&permissions[]=transactions&return_url=");
    let connections = "payment_method_options[us_bank_account][financial_connections][return_url]=";
    let intent = "amount=100&currency=usd&payment_method_types[]=us_bank_account";
    let sessions = format!("{FC}/sessions");
    let intents = "/v1/payment_intents";
    let made = app.post(intents, intent).await.ok();
    let confirm = format!("{intents}/{}/confirm", made.id());
    let places: [(&str, String); 5] = [
        (CHECKOUT, "mode=setup&success_url=".to_owned()),
        (CHECKOUT, "mode=setup&cancel_url=".to_owned()),
        (&sessions, session),
        (intents, format!("{intent}&{connections}")),
        (&confirm, "return_url=".to_owned()),
    ];
    let wrong = [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc",
        "/done",
        "https://a%0d%0a.test/",
        "https://user:password@a.test/",
        "https://user@a.test/",
    ];
    let calls: Vec<(&str, String)> = places
        .iter()
        .flat_map(|(path, form)| wrong.map(|url| (*path, format!("{form}{url}"))))
        .collect();
    let refused = told(&app, &calls).await;
    let mut lines: Vec<&str> = refused.lines().collect();
    assert_eq!(lines.len(), places.len() * wrong.len());
    lines.dedup();
    insta::assert_snapshot!(lines.join("\n"), @"
    400 url_invalid success_url
    400 url_invalid cancel_url
    400 url_invalid return_url
    400 url_invalid payment_method_options[us_bank_account][financial_connections][return_url]
    400 url_invalid return_url
    ");
    for (path, form) in &places[..4] {
        app.post(path, &format!("{form}https://a.test/?id={{CHECKOUT_SESSION_ID}}")).await.ok();
    }
    for (path, form) in &places[2..4] {
        app.post(path, &format!("{form}myapp://done")).await.ok();
    }
}

/// Invalid e-mail addresses, invoice prefixes, percentages and subscription end dates are rejected.
#[tokio::test]
async fn other_texts() {
    let app = App::start().await;
    let method = "type=us_bank_account&us_bank_account[account_number]=000123456789\
                  &us_bank_account[routing_number]=110000000\
                  &us_bank_account[account_holder_type]=individual&billing_details[name]=Ada";
    let data = method
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            let (first, rest) =
                name.split_once('[').map_or((name, String::new()), |(a, b)| (a, format!("[{b}")));
            format!("payment_method_data[{first}]{rest}={value}")
        })
        .collect::<Vec<String>>()
        .join("&");
    let email = format!("{method}&billing_details[email]=a@b.test");
    let held = app.post("/v1/payment_methods", &email).await.ok().id();
    let held = format!("/v1/payment_methods/{held}");
    let setup = "/v1/setup_intents";
    let prefix = |prefix: &str| ("/v1/customers", format!("invoice_prefix={prefix}"));
    let mut calls = vec![
        (CHECKOUT, "mode=setup&customer_email=nobody".to_owned()),
        ("/v1/payment_methods", format!("{method}&billing_details[email]=nobody")),
        (held.as_str(), "billing_details[email]=no body@a.test".to_owned()),
        (setup, format!("{data}&payment_method_data[billing_details][email]=@")),
        ("/v1/payment_intents", "amount=100&currency=usd&receipt_email=nobody".to_owned()),
    ];
    calls.extend(["AB", "ABCDEFGHIJKLM", "abc", "A-B", "%C3%84BC"].map(prefix));
    let customer = app.customer().await;
    let subscription = |more: &str| ("/v1/subscriptions", format!("customer={customer}&{more}"));
    calls
        .extend(["application_fee_percent=100.01", "application_fee_percent=-1"].map(subscription));
    let price = app
        .post(
            "/v1/prices",
            "currency=usd&unit_amount=100&product_data[name]=Tea&recurring[interval]=month",
        )
        .await
        .ok()
        .id();
    let trial = format!("items[0][price]={price}&trial_period_days=1");
    calls.extend(["1", MOST].map(|at| subscription(&format!("{trial}&cancel_at={at}"))));
    let fee = "subscription_data[application_fee_percent]=101";
    let sold = format!("mode=subscription&line_items[0][price]={price}&line_items[0][quantity]=1");
    calls.push((CHECKOUT, format!("{sold}&{fee}")));
    // Amounts that a trial postpones count too.
    let many = sold.replace("quantity]=1", "quantity]=1000000");
    calls.push((CHECKOUT, format!("{many}&subscription_data[trial_period_days]=7")));
    insta::assert_snapshot!(told(&app, &calls).await, @"
    400 email_invalid customer_email
    400 email_invalid billing_details[email]
    400 email_invalid billing_details[email]
    400 email_invalid payment_method_data[billing_details][email]
    400 email_invalid receipt_email
    400 - invoice_prefix
    400 - invoice_prefix
    400 - invoice_prefix
    400 - invoice_prefix
    400 - invoice_prefix
    400 - application_fee_percent
    400 - application_fee_percent
    400 - cancel_at
    400 - cancel_at
    400 - subscription_data[application_fee_percent]
    400 amount_too_large line_items
    ");
    app.post("/v1/customers", "invoice_prefix=A1B").await.ok();
}

/// Both calls reject a balance with which the totals of invoices could overflow.
#[tokio::test]
async fn balances() {
    let app = App::start().await;
    let update = format!("/v1/customers/{}", app.customer().await);
    let calls = [
        ("/v1/customers", format!("balance={MOST}")),
        (update.as_str(), format!("balance={LEAST}")),
        (update.as_str(), "balance=1000000000001".to_owned()),
    ];
    insta::assert_snapshot!(told(&app, &calls).await, @"
    400 parameter_invalid_integer balance
    400 parameter_invalid_integer balance
    400 parameter_invalid_integer balance
    ");
}

/// No URL has a user name or a password, wherever a call takes one. Metadata may contain any text.
#[tokio::test]
async fn urls_have_no_credentials() {
    let app = App::start().await;
    let url = "https://user:password@a.test/";
    let setup = "confirm=true&payment_method=pm_usBankAccount_success";
    let price = "currency=usd&unit_amount=100&product_data[name]=Tea";
    let refused = told(
        &app,
        &[
            (
                CHECKOUT,
                format!("{ONE_ITEM}&line_items[0][price_data][product_data][images][]={url}"),
            ),
            ("/v1/products", format!("name=Tea&url={url}")),
            ("/v1/products", format!("name=Tea&images[]=https://a.test/&images[]={url}")),
            ("/v1/setup_intents", format!("{setup}&return_url={url}")),
            ("/v1/prices", format!("{price}&metadata[url]={url}")),
            ("/v1/accounts", format!("type=custom&country=US&business_profile[url]={url}")),
            ("/v1/accounts", format!("type=custom&country=US&business_profile[support_url]={url}")),
            ("/v1/webhook_endpoints", format!("url={url}&enabled_events[]=*")),
            ("/v1/test_helpers/confirmation_tokens", format!("return_url={url}")),
        ],
    )
    .await;
    insta::assert_snapshot!(refused, @"
    400 url_invalid line_items[0][price_data][product_data][images][0]
    400 url_invalid url
    400 url_invalid images[1]
    400 url_invalid return_url
    200 - -
    400 url_invalid business_profile[url]
    400 url_invalid business_profile[support_url]
    400 url_invalid url
    400 url_invalid return_url
    ");
}
