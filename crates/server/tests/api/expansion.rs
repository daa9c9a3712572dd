//! Expansion: every field that Stripe declares is accepted, on every object that the server returns,
//! and has the right value.

use serde_json::Value;
use std::fmt::Write as _;
use testkit::{App, CHECKOUT, Client, INTENTS, MONTHLY, NUMBERS, path_of};
use wire::expand::{Declared, Mark, kind};
use wire::version::Version;

/// Included fields that are null or absent, because the objects of the test lack them.
const NULL: [&str; 2] = ["cash_balance", "tiers"];
/// A list of subscriptions, each with its customer and ten subscriptions of that.
const MANY: &str = "/v1/subscriptions?limit=100&expand[]=data.customer.subscriptions";

/// An object of each kind: the kind, its path, and the path of a list with it.
pub(crate) struct Places(pub(crate) Vec<(&'static str, Option<String>, Option<String>)>);

impl Places {
    /// Creates an object of each kind.
    pub(crate) async fn of(app: &App) -> Self {
        app.gold().await;
        let (customer, _clock) = app.customer_on_clock().await;
        let method = app.pays_by(&customer, "success").await;
        let setup = app.ids("/v1/setup_intents").await.remove(0);
        let mandate = app.retrieve(&setup).await.text("/mandate");
        let intent = format!("amount=2000&currency=usd&customer={customer}");
        let intent = app.post(INTENTS, &intent).await.ok().id();
        let invoice = app.open_invoice().await;
        let item = app.ids("/v1/invoiceitems").await.remove(0);
        let price = app.price(500, "").await;
        let subscription = app.subscription(&customer, MONTHLY).await;
        let checkout = "mode=payment&success_url=https://shop.example/\
             &line_items[0][quantity]=1&line_items[0][price]=";
        let checkout = app.checkout(&format!("{checkout}{price}")).await.id();
        let session = app.session(&customer, "").await;
        let account = app.link(&session, "").await.text("/accounts/data/0/id");
        let external = format!("{NUMBERS}&external_account[account_number]=000123456789");
        let connected = app.post("/v1/accounts", &external).await.ok();
        let bank = connected.text("/external_accounts/data/0/id");
        let connected = format!("/v1/accounts/{}", connected.id());
        let banks = format!("{connected}/external_accounts");
        let token = NUMBERS.replace("external_account[object]=bank_account&", "");
        let token = token.replace("external_account", "bank_account");
        let token = format!("{token}&bank_account[account_number]=000123456789");
        let token = app.post("/v1/tokens", &token).await.ok().id();
        let fc = "/v1/financial_connections";
        let payment = invoice.text("/payments/data/0/id");
        let subscription_item = subscription.text("/items/data/0/id");
        let items = format!("/v1/subscription_items?subscription={}&", subscription.id());
        let listed = |path: &str| Some(format!("{path}?"));
        let disputed =
            "amount=2000&currency=usd&confirm=true&mandate_data[customer_acceptance][type]=offline";
        let disputed = format!("{disputed}&payment_method=pm_usBankAccount_dispute");
        app.post(INTENTS, &disputed).await.ok();
        app.run_workers_until_idle().await;
        let refund = app.refund("").await.id();
        let dispute = app.ids("/v1/disputes").await.remove(0);
        let charge = app.ids("/v1/charges").await.remove(0);
        let one = |id: &str| Some(path_of(id));
        Self(vec![
            ("account", Some(connected), listed("/v1/accounts")),
            ("bank_account", Some(format!("{banks}/{bank}")), listed(&banks)),
            ("charge", one(&charge), listed("/v1/charges")),
            ("checkout.session", one(&checkout), listed(CHECKOUT)),
            ("customer", one(&customer), listed("/v1/customers")),
            ("dispute", one(&dispute), listed("/v1/disputes")),
            ("financial_connections.account", one(&account), listed(&format!("{fc}/accounts"))),
            (
                "financial_connections.session",
                Some(format!("{fc}/sessions/{}", session.id())),
                None,
            ),
            ("invoice", one(&invoice.id()), listed("/v1/invoices")),
            ("invoice_payment", one(&payment), listed("/v1/invoice_payments")),
            ("invoiceitem", one(&item), listed("/v1/invoiceitems")),
            ("item", None, listed(&format!("{}/line_items", path_of(&checkout)))),
            ("line_item", None, listed(&format!("{}/lines", path_of(&invoice.id())))),
            ("mandate", one(&mandate), None),
            ("payment_intent", one(&intent), listed(INTENTS)),
            ("payment_method", one(&method), listed("/v1/payment_methods")),
            ("price", one(&price), listed("/v1/prices")),
            ("product", Some("/v1/products/gold".to_owned()), listed("/v1/products")),
            ("refund", one(&refund), listed("/v1/refunds")),
            ("setup_intent", one(&setup), listed("/v1/setup_intents")),
            ("subscription", one(&subscription.id()), listed("/v1/subscriptions")),
            ("subscription_item", one(&subscription_item), Some(items)),
            ("token", Some(format!("/v1/tokens/{token}")), None),
        ])
    }
}

/// The fields of a kind that can be expanded in the default version.
fn fields(name: &str) -> Vec<&'static Declared> {
    let fields = kind(name).map(|kind| kind.fields.as_slice()).unwrap_or_default();
    let version = Version::default();
    fields.iter().filter(|field| field.is_expandable() && field.is_in(&version)).collect()
}

/// The JSON pointer of a path. Of a list on it, the first item is meant.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/").replace("/data/", "/data/0/"))
}

/// Retrieves an object with each of its fields expanded, and writes to it with all of them. Returns the
/// number of ids that became objects.
async fn expand_one(app: &App, path: &str, kind: &str) -> usize {
    let (plain, fields) = (app.get(path).await.ok(), fields(kind));
    assert_eq!(plain.at("/object"), kind);
    let mut replaced = 0;
    for field in &fields {
        let seen = app.get(&format!("{path}?expand[]={}", field.path)).await.ok();
        assert_eq!(seen.id(), plain.id(), "{kind} {}", field.path);
        let (before, after) = (plain.at(&pointer(field.path)), seen.at(&pointer(field.path)));
        match field.mark {
            Mark::Included => assert_eq!(after.is_null(), NULL.contains(&field.path), "{after}"),
            _ if before.is_string() => {
                assert_eq!(after["id"], before, "{kind} {}", field.path);
                replaced += 1;
            }
            _ => assert_eq!(before, after, "{kind} {}", field.path),
        }
    }
    // The response of a write is expanded before the commit.
    let all: Vec<String> = fields.iter().map(|field| format!("expand[]={}", field.path)).collect();
    assert_ne!(app.post(path, &all.join("&")).await.at("/error/param"), "expand", "{kind}");
    let unknown = app.get(&format!("{path}?expand[]=livemode")).await;
    assert_eq!((unknown.status, unknown.at("/error/param")), (400, "expand".into()));
    replaced
}

/// Lists objects with each of their fields expanded. Of deep fields the path in a list is too long.
async fn expand_list(app: &App, path: &str, kind: &str) {
    for field in fields(kind).iter().filter(|field| field.path.split('.').count() < 4) {
        app.get(&format!("{path}expand[]=data.{}", field.path)).await.ok();
    }
    for unknown in ["data.livemode", "data", "customer"] {
        let seen = app.get(&format!("{path}expand[]={unknown}")).await;
        assert_eq!((seen.status, seen.at("/error/param")), (400, "expand".into()));
    }
}

/// Every declared field is accepted on every object that the server returns, singly and in a list. Ids
/// become objects, and included fields exist. Another name is rejected.
#[tokio::test]
async fn every_declared_field_can_be_expanded() {
    let app = App::start().await;
    let mut table = "| kind | ids | included fields |\n|---|---|---|\n".to_owned();
    let mut replaced = 0;
    for (kind, one, list) in Places::of(&app).await.0 {
        let fields = fields(kind);
        let count = |mark| fields.iter().filter(|field| field.mark == mark).count();
        let _ = writeln!(table, "| `{kind}` | {} | {} |", count(Mark::Id), count(Mark::Included));
        if let Some(path) = &one {
            replaced += expand_one(&app, path, kind).await;
        }
        if let Some(path) = &list {
            expand_list(&app, path, kind).await;
        }
    }
    assert_eq!(replaced, 26, "the objects of the test have this many ids in expandable fields");
    println!("{table}");
    let document = std::fs::read_to_string("../../docs/api.md").unwrap();
    assert!(document.contains(&table), "docs/api.md#expansion has this table:\n{table}");
}

/// The values of these paths of an object that is retrieved with them expanded: the kind of an object,
/// the length of a list, or the JSON. Of a list on a path, the first item is shown.
async fn expanded(app: &App, path: &str, paths: &[&str]) -> String {
    let query: Vec<String> = paths.iter().map(|path| format!("expand[]={path}")).collect();
    let seen = app.get(&format!("{path}?{}", query.join("&"))).await.ok();
    let mut facts = String::new();
    for path in paths {
        let value = seen.at(&pointer(path));
        let shown = match value.get("object").and_then(Value::as_str) {
            Some("list") => format!("list of {}", value["data"].as_array().unwrap().len()),
            Some(kind) => kind.to_owned(),
            None => value.to_string(),
        };
        let _ = writeln!(facts, "{path} {shown}");
    }
    facts
}

/// A customer shows its default payment method, its clock, its subscriptions and the empty lists of
/// objects that this server does not have.
#[tokio::test]
async fn of_a_customer() {
    let (app, customer, clock) = App::on_clock().await;
    app.gold().await;
    app.pays_by(&customer, "success").await;
    let first = app.subscription(&customer, MONTHLY).await;
    let ended = app.subscription(&customer, MONTHLY).await.id();
    app.delete(&path_of(&ended)).await.ok();
    let paths = [
        "cash_balance",
        "default_source",
        "invoice_settings.default_payment_method",
        "sources",
        "subscriptions",
        "tax",
        "tax_ids",
        "test_clock",
    ];
    insta::assert_snapshot!(expanded(&app, &path_of(&customer), &paths).await, @r#"
    cash_balance null
    default_source null
    invoice_settings.default_payment_method payment_method
    sources list of 0
    subscriptions list of 1
    tax {"automatic_tax":"unrecognized_location","ip_address":null,"location":null,"provider":"stripe"}
    tax_ids list of 0
    test_clock test_helpers.test_clock
    "#);
    let path = format!("{}?expand[]=subscriptions.data.latest_invoice", path_of(&customer));
    let seen = app.get(&path).await.ok();
    assert_eq!(seen.text("/subscriptions/data/0/latest_invoice/object"), "invoice");
    assert_eq!(seen.at("/subscriptions/data/0/id"), first.at("/id"));
    assert_eq!(seen.text("/test_clock"), clock);
    // The lists are absent unless they are expanded, and from the stub of a deleted customer.
    assert!(app.retrieve(&customer).await.at("/sources").is_null());
    app.delete(&path_of(&customer)).await.ok();
    let stub = app.get(&format!("{}?expand[]=sources", path_of(&customer))).await.ok();
    assert_eq!((stub.at("/deleted"), stub.at("/sources")), (true.into(), Value::Null));
}

/// A subscription and its invoice show each other, the payments of the invoice and the customer.
#[tokio::test]
async fn of_a_subscription() {
    let (app, customer) = App::with_gold_and_customer().await;
    let expand = "expand[]=customer.subscriptions&expand[]=latest_invoice.payments";
    let more = format!("{MONTHLY}&payment_behavior=default_incomplete&{expand}");
    let once = app.idempotent("once");
    let made = once.subscription(&customer, &more).await;
    assert_eq!(once.subscription(&customer, &more).await.json(), made.json());
    assert_eq!(made.at("/customer/subscriptions/data/0/id"), made.at("/id"));
    assert_eq!(made.items("/latest_invoice/payments/data").len(), 1);
    let paths = [
        "application",
        "default_payment_method",
        "default_source",
        "discounts",
        "latest_invoice.customer",
        "latest_invoice.lines.data.discounts",
        "latest_invoice.payments",
        "on_behalf_of",
        "pending_setup_intent",
        "schedule",
        "test_clock",
    ];
    insta::assert_snapshot!(expanded(&app, &path_of(&made.id()), &paths).await, @"
    application null
    default_payment_method null
    default_source null
    discounts []
    latest_invoice.customer customer
    latest_invoice.lines.data.discounts []
    latest_invoice.payments list of 1
    on_behalf_of null
    pending_setup_intent null
    schedule null
    test_clock null
    ");
    let invoice = made.text("/latest_invoice/id");
    let secret = app.retrieve(&format!("{invoice}?expand[]=confirmation_secret")).await;
    assert_eq!(secret.text("/confirmation_secret/type"), "payment_intent");
    let paths = ["parent.subscription_details.subscription", "discounts", "account_tax_ids"];
    insta::assert_snapshot!(expanded(&app, &path_of(&invoice), &paths).await, @"
    parent.subscription_details.subscription subscription
    discounts []
    account_tax_ids null
    ");
    let list = "expand[]=data.latest_invoice.payments&expand[]=data.items.data.price";
    assert_eq!(app.get(&format!("/v1/subscriptions?{list}")).await.status, 400);
    let list = "expand[]=data.latest_invoice.payments&expand[]=data.schedule";
    let list = app.get(&format!("/v1/subscriptions?{list}")).await.ok();
    assert_eq!(list.at("/data/0/latest_invoice/payments"), made.at("/latest_invoice/payments"));
    let items = format!("/v1/subscription_items?subscription={}", made.id());
    let items = app.get(&format!("{items}&expand[]=data.price.product")).await.ok();
    assert_eq!(items.text("/data/0/price/product/name"), "Gold");
}

/// An intent shows its objects. Objects that this server does not have are null, or stay ids.
#[tokio::test]
async fn of_an_intent() {
    let (app, customer) = App::with_customer().await;
    let setup = app.attach(&customer, "success").await.id();
    let paths = [
        "application",
        "customer",
        "latest_attempt",
        "mandate.payment_method.customer",
        "on_behalf_of",
        "payment_method",
        "single_use_mandate",
    ];
    insta::assert_snapshot!(expanded(&app, &path_of(&setup), &paths).await, @"
    application null
    customer customer
    latest_attempt null
    mandate.payment_method.customer customer
    on_behalf_of null
    payment_method payment_method
    single_use_mandate null
    ");
    let form = format!("amount=2000&currency=usd&customer={customer}&on_behalf_of=acct_unknown");
    let intent = app.post(INTENTS, &form).await.ok().id();
    let paths = [
        "customer",
        "last_payment_error.payment_method.customer",
        "latest_charge",
        "latest_charge.balance_transaction",
        "on_behalf_of",
        "payment_method",
        "review",
        "transfer_data.destination",
    ];
    insta::assert_snapshot!(expanded(&app, &path_of(&intent), &paths).await, @r#"
    customer customer
    last_payment_error.payment_method.customer null
    latest_charge null
    latest_charge.balance_transaction null
    on_behalf_of "acct_unknown"
    payment_method null
    review null
    transfer_data.destination null
    "#);
}

/// A Checkout Session shows its line items and the parts of its total, and a price its currencies and
/// its tiers.
#[tokio::test]
async fn of_a_checkout_session_and_a_price() {
    let app = App::with_gold().await;
    let tiers = "product=gold&currency=usd&billing_scheme=tiered&tiers_mode=volume\
         &tiers[0][up_to]=5&tiers[0][unit_amount]=100&tiers[1][up_to]=inf\
         &tiers[1][flat_amount_decimal]=50&currency_options[eur][unit_amount]=90";
    let expand = "expand[]=tiers&expand[]=currency_options&expand[]=product";
    let tiered = app.post("/v1/prices", &format!("{tiers}&{expand}")).await;
    insta::assert_snapshot!(tiered.shown_at("/tiers"), @r#"
    [
      {
        unit_amount: 100
        unit_amount_decimal: "100"
        up_to: 5
        null: flat_amount, flat_amount_decimal
      }
      {
        flat_amount: 50
        flat_amount_decimal: "50"
        null: unit_amount, unit_amount_decimal, up_to
      }
    ]
    "#);
    assert_eq!(tiered.at("/currency_options/eur/unit_amount"), 90);
    assert_eq!(tiered.at("/currency_options/usd/tiers"), tiered.at("/tiers"));
    let plain = app.price(500, expand).await;
    let plain = app.get(&format!("{}?{expand}", path_of(&plain))).await.ok();
    assert_eq!(plain.json().get("tiers"), None);
    insta::assert_snapshot!(plain.shown_at("/currency_options"), @r#"
    {
      usd: {
        tax_behavior: "unspecified"
        unit_amount: 500
        unit_amount_decimal: "500"
        null: custom_unit_amount
      }
    }
    "#);
    let checkout = format!(
        "mode=payment&success_url=https://shop.example/&line_items[0][quantity]=1\
         &line_items[0][price]={}&expand[]=line_items.data.discounts&expand[]=line_items.data.taxes\
         &expand[]=total_details.breakdown&expand[]=payment_link",
        plain.id()
    );
    let checkout = app.checkout(&checkout).await;
    insta::assert_snapshot!(checkout.shown_at("/total_details"), @"
    {
      amount_discount: 0
      amount_shipping: 0
      amount_tax: 0
      breakdown: { discounts: [], taxes: [] }
    }
    ");
    assert_eq!(checkout.at("/line_items/data/0/discounts"), Value::Array(Vec::new()));
    let url = format!("/v1/checkout/sessions/{}/line_items", checkout.id());
    assert_eq!(checkout.text("/line_items/url"), url);
    let list = "expand[]=data.line_items&expand[]=data.total_details.breakdown";
    let list = app.get(&format!("{CHECKOUT}?{list}")).await.ok();
    assert_eq!(list.at("/data/0/total_details"), checkout.at("/total_details"));
    let shown = list.at("/data/0/line_items/data/0/id");
    assert_eq!(shown, checkout.at("/line_items/data/0/id"));
}

/// A response with too many expanded objects is rejected with the limit.
#[tokio::test]
async fn the_number_of_expanded_objects_is_limited() {
    let (app, customer) = App::with_gold_and_customer().await;
    let form = format!("{MONTHLY}&payment_behavior=default_incomplete");
    for _ in 0..100 {
        app.subscription(&customer, &form).await;
    }
    let within = app.get(MANY).await.ok();
    assert_eq!(within.at("/data/99/customer/subscriptions/has_more"), true);
    let beyond = format!("{MANY}&expand[]=data.latest_invoice.customer.subscriptions");
    insta::assert_snapshot!(app.api_errors(&[("GET", &beyond, "")]).await, @"
    GET /v1/subscriptions?limit=100&expand[]=data.customer.subscriptions&
      expand[]=data.latest_invoice.customer.subscriptions
        400 - expand: Limit reached: at most 2000 expanded objects in a response. Request a smaller
          page or fewer expansions.
    ");
}

/// An expanded object has the keys of the version of the request.
#[tokio::test]
async fn expanded_objects_have_the_version_of_the_request() {
    let app = App::start().await;
    let payment = app.open_invoice().await.text("/payments/data/0/id");
    let path = format!("{}?expand[]=payment.payment_intent", path_of(&payment));
    for (version, shown) in [("2026-06-24.dahlia", false), ("2026-07-29.dahlia", true)] {
        let seen = app.in_version(version).get(&path).await.ok().json();
        let newer = "/payment/payment_intent/allowed_payment_method_types";
        assert_eq!(seen["payment"]["payment_intent"]["object"], "payment_intent");
        assert_eq!(seen.pointer(newer).is_some(), shown, "{version}");
    }
}

/// An account id becomes an account of the platform. A connected account sees only itself, and other
/// ids stay.
#[tokio::test]
async fn of_a_connected_account() {
    let app = App::start().await;
    let first = app.post("/v1/accounts", "").await.ok().id();
    let second = app.post("/v1/accounts", "").await.ok().id();
    let seen_by = async |client: &Client, account: &str| {
        let form = format!("amount=2000&currency=usd&on_behalf_of={account}");
        let made = client.post(INTENTS, &format!("{form}&expand[]=on_behalf_of")).await.ok();
        made.at("/on_behalf_of")
    };
    let inside = app.in_account(&first);
    assert_eq!(seen_by(&app.client(), &first).await["object"], "account");
    assert_eq!(seen_by(&inside, &first).await["id"], first.as_str());
    assert_eq!(seen_by(&inside, &second).await, second.as_str());
}
