//! Lists with filters: alone, in pairs, and in pages.
//!
//! Each list is compared with the objects that its filters fit among all objects of the list.

use serde_json::{Value, json};
use testkit::{ACCEPTED, App, CHECKOUT, ONE_ITEM, SUBSCRIPTIONS};

/// A filter: its params, and the objects that it fits.
type Filter<'a> = (String, Box<dyn Fn(&Value) -> bool + 'a>);

fn filter<'a>(params: &str, fits: impl Fn(&Value) -> bool + 'a) -> Filter<'a> {
    (params.to_owned(), Box::new(fits))
}

/// A filter on a field with this value.
fn field<'a>(params: &str, pointer: &'a str, value: Value) -> Filter<'a> {
    filter(params, move |object| object.pointer(pointer) == Some(&value))
}

/// The names of the params, to leave out pairs that name one twice.
fn names(params: &str) -> Vec<&str> {
    params.split('&').filter_map(|param| param.split(['=', '[']).next()).collect()
}

fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

/// Compares the list with its filters, each alone and in pairs. `path` ends in `?`, or in further
/// params.
async fn check(app: &App, path: &str, filters: &[Filter<'_>]) {
    let all = app.get(&format!("{path}&limit=100")).await.ok().items("/data");
    let mut combined: Vec<(String, Vec<&Filter<'_>>)> = Vec::new();
    for (index, one) in filters.iter().enumerate() {
        let alone = all.iter().filter(|object| (one.1)(object)).count();
        assert!(alone > 0 && alone < all.len(), "{path} {}: {alone} of {}", one.0, all.len());
        combined.push((one.0.clone(), vec![one]));
        for other in &filters[..index] {
            if names(&one.0).iter().all(|name| !names(&other.0).contains(name)) {
                combined.push((format!("{}&{}", other.0, one.0), vec![one, other]));
            }
        }
    }
    for (params, filters) in combined {
        let fitting = all.iter().filter(|object| filters.iter().all(|filter| (filter.1)(object)));
        let expected: Vec<String> = fitting.map(id_of).collect();
        let path = format!("{path}&{params}");
        assert_eq!(app.ids(&format!("{path}&limit=100")).await, expected, "{path}");
        assert_eq!(walk(app, &path, "starting_after").await, expected, "{path}");
        if let Some(last) = expected.last() {
            let mut newer = walk(app, &format!("{path}&ending_before={last}"), "").await;
            newer.push(last.clone());
            assert!(expected.ends_with(&newer), "{path}");
        }
    }
}

/// The ids of a list that is read in pages of two, from the newest. Without a cursor's name it is
/// one page.
async fn walk(app: &App, path: &str, cursor: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = match ids.last() {
            Some(last) => format!("&{cursor}={last}"),
            None => String::new(),
        };
        let page = app.get(&format!("{path}&limit=2{after}")).await.ok();
        ids.extend(page.ids());
        if page.at("/has_more") == false || cursor.is_empty() {
            return ids;
        }
        assert!(ids.len() <= 100, "{path} does not end");
    }
}

/// Prices and products are listed by each filter.
#[tokio::test]
async fn prices_and_products() {
    let app = App::start().await;
    for (id, more) in [
        ("a", "shippable=true&url=https://a.example"),
        ("b", "shippable=false&url=https://b.example"),
        ("c", "active=false&url=https://b.example"),
        ("d", "shippable=true&active=false"),
    ] {
        app.post("/v1/products", &format!("id={id}&name={id}&{more}")).await.ok();
    }
    let filters = [
        field("active=true", "/active", json!(true)),
        field("active=false", "/active", json!(false)),
        field("shippable=true", "/shippable", json!(true)),
        field("shippable=false", "/shippable", json!(false)),
        field("url=https://b.example", "/url", json!("https://b.example")),
        filter("ids[]=a&ids[]=c&ids[]=none", |product| {
            ["a", "c"].map(Value::from).contains(&product["id"])
        }),
    ];
    check(&app, "/v1/products?", &filters).await;

    let monthly = "recurring[interval]=month&recurring[usage_type]=metered&recurring[meter]=mtr_1";
    for (product, currency, more) in [
        ("a", "usd", ""),
        ("a", "eur", "recurring[interval]=month&lookup_key=one"),
        ("a", "usd", "recurring[interval]=year&lookup_key=two"),
        ("b", "usd", monthly),
        ("b", "eur", "lookup_key=three&active=false"),
        ("b", "usd", "recurring[interval]=year&active=false"),
    ] {
        let form = format!("product={product}&currency={currency}&unit_amount=5&{more}");
        app.post("/v1/prices", &form).await.ok();
    }
    let filters = [
        field("active=true", "/active", json!(true)),
        field("active=false", "/active", json!(false)),
        field("currency=usd", "/currency", json!("usd")),
        field("currency=EUR", "/currency", json!("eur")),
        field("product=a", "/product", json!("a")),
        field("type=recurring", "/type", json!("recurring")),
        field("type=one_time", "/type", json!("one_time")),
        field("recurring[interval]=month", "/recurring/interval", json!("month")),
        field("recurring[usage_type]=licensed", "/recurring/usage_type", json!("licensed")),
        field("recurring[meter]=mtr_1", "/recurring/meter", json!("mtr_1")),
        filter("recurring[interval]=year&recurring[usage_type]=licensed", |price| {
            price["recurring"]["interval"] == "year"
                && price["recurring"]["usage_type"] == "licensed"
        }),
        filter("lookup_keys[]=one&lookup_keys[]=three&lookup_keys[]=none", |price| {
            price["lookup_key"] == "one" || price["lookup_key"] == "three"
        }),
    ];
    check(&app, "/v1/prices?", &filters).await;
}

/// Invoices, their items and their payments are listed by each filter.
#[tokio::test]
async fn invoices_items_and_payments() {
    let app = App::start().await;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let mut invoices = Vec::new();
    for (customer, more) in [
        (&ada, ""),
        (&ada, "&collection_method=send_invoice&days_until_due=5"),
        (&bob, "&collection_method=send_invoice&due_date=1900000000"),
        (&bob, ""),
    ] {
        let form = format!("customer={customer}&pending_invoice_items_behavior=exclude{more}");
        let invoice = app.post("/v1/invoices", &form).await.ok().id();
        let item = format!("customer={customer}&invoice={invoice}&amount=500&currency=usd");
        app.post("/v1/invoiceitems", &item).await.ok();
        let item = format!("customer={customer}&amount=500&currency=usd");
        app.post("/v1/invoiceitems", &item).await.ok();
        app.pass_s(1);
        invoices.push(invoice);
    }
    for invoice in &invoices[1..] {
        app.post(&format!("/v1/invoices/{invoice}/finalize"), "").await.ok();
    }
    app.post(&format!("/v1/invoices/{}/void", invoices[3]), "").await.ok();
    let of_ada = format!("customer={ada}");
    let of_ada = || field(&of_ada, "/customer", json!(ada));
    let filters = [
        field("status=draft", "/status", json!("draft")),
        field("status=open", "/status", json!("open")),
        field("status=void", "/status", json!("void")),
        field("collection_method=send_invoice", "/collection_method", json!("send_invoice")),
        of_ada(),
        filter("due_date[gte]=1900000000", |invoice| {
            invoice["due_date"].as_i64().is_some_and(|due| due >= 1_900_000_000)
        }),
    ];
    check(&app, "/v1/invoices?", &filters).await;
    let filters = [
        field("pending=true", "/invoice", Value::Null),
        filter("pending=false", |item| !item["invoice"].is_null()),
        field(&format!("invoice={}", invoices[0]), "/invoice", json!(invoices[0])),
        of_ada(),
    ];
    check(&app, "/v1/invoiceitems?", &filters).await;
    let filters = [
        field("status=open", "/status", json!("open")),
        field("status=canceled", "/status", json!("canceled")),
        field(&format!("invoice={}", invoices[1]), "/invoice", json!(invoices[1])),
    ];
    check(&app, "/v1/invoice_payments?", &filters).await;
}

/// Subscriptions, and the invoices of one, are listed by each filter.
#[tokio::test]
async fn subscriptions() {
    let app = App::start().await;
    app.post("/v1/products", "id=gold&name=Gold").await.ok();
    let mut prices = Vec::new();
    for interval in ["month", "year"] {
        let form =
            format!("product=gold&currency=usd&unit_amount=500&recurring[interval]={interval}");
        prices.push(app.post("/v1/prices", &form).await.ok().id());
    }
    let (ada, bob) = (app.customer().await, app.customer().await);
    let (on_clock, clock) = app.customer_on_clock().await;
    let mut made = Vec::new();
    for (customer, price, more) in [
        (&ada, 0, "collection_method=send_invoice&days_until_due=5"),
        (&ada, 1, "trial_period_days=30"),
        (&bob, 0, "trial_period_days=3"),
        (&bob, 1, "collection_method=send_invoice&days_until_due=5"),
        (&on_clock, 1, "trial_period_days=3"),
        (&on_clock, 0, "trial_period_days=3"),
    ] {
        let form = format!("customer={customer}&items[0][price]={}&{more}", prices[price]);
        made.push(app.post(SUBSCRIPTIONS, &form).await.ok());
        app.pass_s(1);
    }
    app.delete(&format!("{SUBSCRIPTIONS}/{}", made[2].id())).await.ok();
    app.delete(&format!("{SUBSCRIPTIONS}/{}", made[4].id())).await.ok();
    let price = |id: &str| {
        let id = json!(id);
        filter(&format!("price={}", id.as_str().unwrap()), move |subscription| {
            subscription["items"]["data"][0]["price"]["id"] == id
        })
    };
    let (starts, ends) = (made[1].at("/items/data/0/current_period_start"), 1_770_000_000);
    let filters = [
        price(&prices[0]),
        price(&prices[1]),
        field("collection_method=send_invoice", "/collection_method", json!("send_invoice")),
        field(&format!("customer={ada}"), "/customer", json!(ada)),
        filter(&format!("current_period_start[lte]={starts}"), |subscription| {
            subscription["items"]["data"][0]["current_period_start"].as_i64() <= starts.as_i64()
        }),
        filter(&format!("current_period_end[gt]={ends}"), |subscription| {
            subscription["items"]["data"][0]["current_period_end"].as_i64() > Some(ends)
        }),
    ];
    check(&app, &format!("{SUBSCRIPTIONS}?status=all"), &filters).await;
    let mut shown = Vec::new();
    for query in [
        "status=all".to_owned(),
        "status=canceled".to_owned(),
        "status=ended".to_owned(),
        "status=trialing".to_owned(),
        String::new(),
        format!("test_clock={clock}"),
        format!("test_clock={clock}&status=all"),
        format!("test_clock={clock}&status=ended"),
        format!("customer={on_clock}"),
        format!("customer={on_clock}&status=all"),
    ] {
        let list = app.get(&format!("{SUBSCRIPTIONS}?{query}")).await.ok();
        let query = query.replace(&clock, "clock").replace(&on_clock, "on_clock");
        shown.push(format!("{query}: {}", list.texts("/data", "status").join(" ")));
    }
    insta::assert_snapshot!(shown.join("\n"), @"
    status=all: active canceled trialing active
    status=canceled: canceled
    status=ended: canceled
    status=trialing: trialing
    : active trialing active
    test_clock=clock: trialing
    test_clock=clock&status=all: trialing canceled
    test_clock=clock&status=ended: canceled
    customer=on_clock: trialing
    customer=on_clock&status=all: trialing canceled
    ");
    let of = |id: &str| {
        field(&format!("subscription={id}"), "/parent/subscription_details/subscription", json!(id))
    };
    let filters = [
        of(&made[0].id()),
        field("collection_method=send_invoice", "/collection_method", json!("send_invoice")),
    ];
    check(&app, "/v1/invoices?", &filters).await;
    let item = made[3].text("/items/data/0/id");
    let shown = app.get(&format!("/v1/subscription_items/{item}")).await.ok();
    assert_eq!(shown.at("/subscription"), made[3].at("/id"));
}

/// Checkout Sessions, Setup Intents and customers are listed by each filter.
#[tokio::test]
async fn sessions_intents_and_customers() {
    let app = App::start().await;
    let (ada, bob) = (app.customer().await, app.customer().await);
    for more in [
        format!("customer={ada}"),
        format!("customer={bob}"),
        "customer_email=eve@example.com".to_owned(),
        format!("customer={bob}"),
    ] {
        app.checkout(&format!("{ONE_ITEM}&{more}")).await;
        app.pass_s(1);
    }
    let sessions = app.ids(CHECKOUT).await;
    app.post(&format!("{CHECKOUT}/{}/expire", sessions[0]), "").await.ok();
    let done = app.link_carrier(&sessions[1], "").await.ok();
    let intent = done.text("/payment_intent");
    let filters = [
        field("status=open", "/status", json!("open")),
        field("status=complete", "/status", json!("complete")),
        field("status=expired", "/status", json!("expired")),
        field(&format!("customer={bob}"), "/customer", json!(bob)),
        field(
            "customer_details[email]=eve@example.com",
            "/customer_email",
            json!("eve@example.com"),
        ),
        field(&format!("payment_intent={intent}"), "/payment_intent", json!(intent)),
    ];
    check(&app, &format!("{CHECKOUT}?"), &filters).await;
    assert_eq!(app.count(&format!("{CHECKOUT}?payment_link=plink_1")).await, 0);

    for more in ["attach_to_self=true", &format!("customer={ada}"), "attach_to_self=false"] {
        app.post("/v1/setup_intents", more).await.ok();
    }
    let ready = "payment_method=pm_usBankAccount_success";
    let method = app.post("/v1/setup_intents", ready).await.ok().text("/payment_method");
    let again = format!("payment_method={method}");
    app.post("/v1/setup_intents", &again).await.ok();
    let filters = [
        field(&again, "/payment_method", json!(method)),
        field("attach_to_self=true", "/attach_to_self", json!(true)),
        filter("attach_to_self=false", |intent| intent["attach_to_self"] != true),
        field(&format!("customer={ada}"), "/customer", json!(ada)),
    ];
    check(&app, "/v1/setup_intents?", &filters).await;

    for email in ["x@example.com", "y@example.com"] {
        app.post("/v1/customers", &format!("email={email}")).await.ok();
    }
    let (_, clock) = app.customer_on_clock().await;
    let on_clock = format!("email=x@example.com&test_clock={clock}");
    app.post("/v1/customers", &on_clock).await.ok();
    let filters = [field("email=x@example.com", "/email", json!("x@example.com"))];
    check(&app, "/v1/customers?", &filters).await;
    check(&app, &format!("/v1/customers?test_clock={clock}"), &filters).await;
}

/// Charges are listed by each filter.
#[tokio::test]
async fn charges() {
    let app = App::start().await;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let mut first = String::new();
    for (customer, more) in [
        (&ada, "&transfer_group=crew"),
        (&bob, "&transfer_group=crew"),
        (&ada, "&transfer_group=cargo"),
        (&bob, ""),
    ] {
        let form = format!(
            "amount=2000&currency=usd&confirm=true&{ACCEPTED}&customer={customer}\
             &payment_method=pm_usBankAccount_noAccount{more}"
        );
        first = app.post("/v1/payment_intents", &form).await.ok().id();
        app.run_workers_until_idle().await;
        app.pass_s(10);
    }
    let again =
        "payment_method=pm_usBankAccount_success&mandate_data[customer_acceptance][type]=offline";
    app.act(&first, "confirm", again).await.ok();
    let filters = [
        field(&format!("customer={ada}"), "/customer", json!(ada)),
        field(&format!("payment_intent={first}"), "/payment_intent", json!(first)),
        field("transfer_group=crew", "/transfer_group", json!("crew")),
        filter("created[gt]=1767225610", |charge| charge["created"].as_i64() > Some(1_767_225_610)),
    ];
    check(&app, "/v1/charges?", &filters).await;
}

/// A page of a list with several filters ends after 1,000 objects if it is not empty, and the next
/// page continues there. An empty page reads on until the first match, in the pool of long reads. If
/// few objects have one of the values, the page is whole.
#[tokio::test]
async fn pages_of_rare_matches_end_early() {
    let app = App::start().await;
    let create = async |id: &str, active: bool| {
        let url = if id.starts_with('q') { "https://y.example" } else { "https://x.example" };
        let form = format!("id={id}&name=x&url={url}&active={active}");
        app.post("/v1/products", &form).await.ok();
    };
    create("oldest", true).await;
    app.pass_s(1);
    for number in 0..1_100 {
        create(&format!("p{number}"), false).await;
        create(&format!("q{number}"), true).await;
    }
    let path = "/v1/products?url=https://x.example&active=true";
    assert_eq!(app.engine.store().long_reads(), 0);
    let page = app.get(path).await.ok();
    assert_eq!((page.ids(), page.at("/has_more")), (vec!["oldest".to_owned()], json!(false)));
    assert!(app.engine.store().long_reads() > 0);
    app.pass_s(1);
    create("newest", true).await;
    let page = app.get(path).await.ok();
    assert_eq!((page.ids(), page.at("/has_more")), (vec!["newest".to_owned()], json!(true)));
    let page = app.get(&format!("{path}&starting_after=newest")).await.ok();
    assert_eq!((page.ids(), page.at("/has_more")), (vec!["oldest".to_owned()], json!(false)));
    let page = app.get(&format!("{path}&ending_before=oldest")).await.ok();
    assert_eq!((page.ids(), page.at("/has_more")), (vec!["newest".to_owned()], json!(false)));

    app.post("/v1/products", "id=z&name=x&url=https://z.example&active=true").await.ok();
    let page = app.get("/v1/products?active=true&url=https://z.example").await.ok();
    assert_eq!((page.ids(), page.at("/has_more")), (vec!["z".to_owned()], json!(false)));
}
