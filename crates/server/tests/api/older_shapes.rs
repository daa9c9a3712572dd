//! Payment objects as versions before 2025-03-31.basil show them. Sources: the changelog of basil, and
//! the types of stripe-python 10.12.0 (2024-06-20).

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::{App, CHECKOUT, MONTHLY, Response, path_of};

const OLDEST: &str = "2024-06-20";
const ACACIA: &str = "2025-02-24.acacia";
const BASIL: &str = "2025-03-31.basil";
/// The keys that the types of 2024-06-20 require, by object.
const REQUIRED: &str = include_str!("older_shapes/required.txt");

/// A paid renewal of each object: the paths of an object of each kind.
async fn paths(app: &App) -> Vec<String> {
    app.gold().await;
    let customer = app.customer().await;
    let method = app.pays_by(&customer, "success").await;
    let setup = app.ids("/v1/setup_intents").await.remove(0);
    let mandate = app.retrieve(&setup).await.text("/mandate");
    let price = app.price(500, "").await;
    let subscription = app.subscription(&customer, MONTHLY).await;
    let invoice = app.open_invoice().await;
    let item = app.ids("/v1/invoiceitems").await.remove(0);
    let checkout = app
        .checkout(&format!(
            "mode=payment&success_url=https://shop.example/&line_items[0][quantity]=1\
             &line_items[0][price]={price}"
        ))
        .await;
    let disputed = app.pays_by(&customer, "dispute").await;
    let disputed = format!(
        "amount=2000&currency=usd&customer={customer}&payment_method={disputed}&confirm=true"
    );
    let disputed = app.post("/v1/payment_intents", &disputed).await.ok().id();
    app.run_workers_until_idle().await;
    app.refund("").await;
    let intent = app.ids(&format!("/v1/payment_intents?customer={customer}")).await.remove(0);
    let mut paths: Vec<String> =
        [&method, &setup, &mandate, &price, &item, &intent, &disputed, &invoice.id()]
            .iter()
            .map(|id| path_of(id))
            .collect();
    paths.push(path_of(&subscription.id()));
    paths.push(path_of(&subscription.text("/latest_invoice")));
    paths.push(path_of(&checkout.id()));
    paths.extend(
        [
            "/v1/products/gold",
            "/v1/account",
            "/v1/charges",
            "/v1/refunds",
            "/v1/disputes",
            CHECKOUT,
        ]
        .map(str::to_owned),
    );
    paths.push(format!("/v1/subscription_items?subscription={}", subscription.id()));
    paths
}

/// Calls the function for every object in a value, without the merchant's own keys.
fn each_object(value: &Value, seen: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_object(item, seen)),
        Value::Object(members) => {
            if let Some(kind) = value["object"].as_str() {
                seen(kind, value);
            }
            let others = members.iter().filter(|(name, _)| *name != "metadata");
            others.for_each(|(_, member)| each_object(member, seen));
        }
        _ => {}
    }
}

/// Every key that the types of 2024-06-20 require is in every object, in that version and in older
/// ones. An older version is answered with a notice.
#[tokio::test]
async fn older_versions_have_the_required_keys() {
    let app = App::start().await;
    let mut required: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in REQUIRED.lines().filter(|line| !line.starts_with('=')) {
        let (object, path) = line.split_once(' ').unwrap();
        required.entry(object).or_default().push(format!("/{}", path.replace('.', "/")));
    }
    let mut kinds = BTreeSet::new();
    for path in paths(&app).await {
        for version in [OLDEST, "2022-11-15", "2020-08-27"] {
            let shown = app.in_version(version).get(&path).await.ok();
            let notice = shown.header("stripe-notice");
            assert_eq!(notice.is_some(), version != OLDEST, "{path} in {version}");
            each_object(&shown.json(), &mut |kind, object| {
                kinds.insert(kind.to_owned());
                for pointer in required.get(kind).into_iter().flatten() {
                    assert!(
                        object.pointer(pointer).is_some(),
                        "{kind} has no {pointer} in {version}"
                    );
                }
            });
        }
    }
    let unseen: Vec<&&str> = required.keys().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

fn keys(shown: &Response, pointer: &str, names: &[&str]) -> Value {
    let object = shown.at(pointer);
    names.iter().map(|name| (*name, object.get(name).cloned().unwrap_or("-".into()))).collect()
}

/// An invoice, its lines and its intent name each other, and the subscription has a period. From
/// basil on these keys are elsewhere.
#[tokio::test]
async fn basil_moved_keys() {
    let app = App::start().await;
    app.gold().await;
    let customer = app.customer().await;
    app.pays_by(&customer, "success").await;
    let made = app.subscription(&customer, MONTHLY).await;
    let (subscription, invoice) = (made.id(), made.text("/latest_invoice"));
    let older = app.in_version(ACACIA).get(&path_of(&invoice)).await.ok();
    let newer = app.in_version(BASIL).get(&path_of(&invoice)).await.ok();
    let intent = older.text("/payment_intent");
    let charge = app.retrieve(&intent).await.text("/latest_charge");
    let names = ["charge", "paid", "paid_out_of_band", "subscription", "tax", "total_tax_amounts"];
    assert_eq!(
        keys(&older, "", &names),
        json!({
            "charge": charge,
            // A debit takes days.
            "paid": false,
            "paid_out_of_band": false,
            "subscription": subscription,
            "tax": null,
            "total_tax_amounts": [],
        })
    );
    assert!(names.iter().all(|name| newer.json().get(name).is_none()));
    let open = app.open_invoice().await.id();
    app.act(&open, "pay", "paid_out_of_band=true").await.ok();
    let paid = app.in_version(ACACIA).get(&path_of(&open)).await.ok();
    assert_eq!((paid.at("/paid"), paid.at("/paid_out_of_band")), (json!(true), json!(true)));
    assert_eq!(newer.text("/parent/subscription_details/subscription"), subscription);
    assert!(older.json().get("parent").is_none());
    let line = "/lines/data/0";
    let price = made.text("/items/data/0/price/id");
    assert_eq!(older.text(&format!("{line}/price/id")), price);
    assert_eq!(older.text(&format!("{line}/price/recurring/interval")), "month");
    assert_eq!(older.text(&format!("{line}/type")), "subscription");
    let item = older.text(&format!("{line}/subscription_item"));
    assert_eq!(item, made.text("/items/data/0/id"));
    assert_eq!(newer.text(&format!("{line}/pricing/price_details/price")), price);
    assert!(newer.at(line).get("price").is_none());
    let path = path_of(&intent);
    assert_eq!(app.in_version(ACACIA).get(&path).await.ok().text("/invoice"), invoice);
    assert!(app.in_version(BASIL).get(&path).await.ok().json().get("invoice").is_none());
    let path = path_of(&charge);
    assert_eq!(app.in_version(ACACIA).get(&path).await.ok().text("/invoice"), invoice);
    assert!(app.in_version(BASIL).get(&path).await.ok().json().get("invoice").is_none());
    let names = ["current_period_end", "current_period_start", "discount"];
    let path = path_of(&subscription);
    let older = app.in_version(ACACIA).get(&path).await.ok();
    let newer = app.in_version(BASIL).get(&path).await.ok();
    let item = |name: &str| newer.at(&format!("/items/data/0/{name}"));
    assert_eq!(
        keys(&older, "", &names),
        json!({
            "current_period_end": item("current_period_end"),
            "current_period_start": item("current_period_start"),
            "discount": null,
        })
    );
    assert!(names.iter().all(|name| newer.json().get(name).is_none()));
}

/// The intent of the latest invoice is expanded by its older path, and from basil on by its newer
/// one only.
#[tokio::test]
async fn older_paths_expand() {
    let app = App::start().await;
    app.gold().await;
    let customer = app.customer().await;
    app.pays_by(&customer, "success").await;
    let path = path_of(&app.subscription(&customer, MONTHLY).await.id());
    let older = format!("{path}?expand[]=latest_invoice.payment_intent.invoice");
    let shown = app.in_version(ACACIA).get(&older).await.ok();
    assert_eq!(shown.at("/latest_invoice/payment_intent/object"), "payment_intent");
    let invoice = shown.at("/latest_invoice/id");
    assert_eq!(shown.at("/latest_invoice/payment_intent/invoice/id"), invoice);
    let refused = app.in_version(BASIL).get(&older).await;
    assert_eq!((refused.status, refused.at("/error/param")), (400, json!("expand")));
    let newer = format!("{path}?expand[]=latest_invoice.payments");
    let shown = app.in_version(BASIL).get(&newer).await.ok();
    assert!(shown.at("/latest_invoice/payments/data/0/payment/payment_intent").is_string());
}

/// Older releases of stripe-python write booleans as Python does. Source: stripe-python 10.12.0 on
/// the wire. Other spellings are rejected.
#[tokio::test]
async fn older_clients_write_booleans_as_python_does() {
    let app = App::start().await;
    let app = app.in_version(OLDEST);
    let made = app.post("/v1/products", "id=gold&name=Gold&active=False&shippable=True").await.ok();
    assert_eq!((made.at("/active"), made.at("/shippable")), (json!(false), json!(true)));
    app.post("/v1/products/gold", "active=True").await.ok();
    let listed = app.get("/v1/products?active=True").await.ok();
    assert_eq!(listed.ids(), ["gold"]);
    let refused = app.post("/v1/products/gold", "active=TRUE").await;
    assert_eq!((refused.status, refused.at("/error/param")), (400, json!("active")));
}

/// A webhook has the shape of its endpoint's version.
#[tokio::test]
async fn webhooks_have_the_older_shape() {
    let app = App::start().await;
    let receivers = App::three_receivers().await;
    for (receiver, version) in receivers.iter().zip([OLDEST, ACACIA, BASIL]) {
        let url = &receiver.url;
        let form = format!("url={url}&enabled_events[]=invoice.created&api_version={version}");
        app.post("/v1/webhook_endpoints", &form).await.ok();
    }
    app.draft_invoice("").await;
    app.run_workers_until_idle().await;
    let paid = receivers
        .map(|receiver| receiver.take().remove(0).json()["data"]["object"]["paid"].clone());
    assert_eq!(paid, [json!(false), json!(false), Value::Null]);
}
