//! The children of products, prices, payment methods, drafts and invoice items.

use crate::refused;
use serde_json::Value;
use store::{Kind, Object};
use testkit::{
    ACCEPTED, App, BEGIN_S, DAY_S, FC, INTENTS, LINK, MONTHLY, SETUP_INTENTS, SUBSCRIPTIONS,
    path_of,
};

const ITEMS: &str = "/v1/invoiceitems";
const INVOICES: &str = "/v1/invoices";
const GOLD: &str = "/v1/products/gold";

/// A product with any price, active or not, cannot be deleted.
#[tokio::test]
async fn a_product_with_a_price_stays() {
    let app = App::with_gold().await;
    let price = app.price(500, "").await;
    for form in ["active=true", "active=false"] {
        app.post(&path_of(&price), form).await.ok();
        assert_eq!(refused(&app.delete(GOLD).await), "400", "{form}");
    }
    app.get(GOLD).await.ok();
}

/// An invoice item or a subscription that names a product by `price_data` makes a price of it, so the
/// product cannot be deleted.
#[tokio::test]
async fn a_product_that_an_object_names_stays() {
    let item =
        "price_data[currency]=usd&price_data[product]=gold&price_data[unit_amount]=500".to_owned();
    let unpaid = format!("{MONTHLY}&payment_behavior=default_incomplete");
    for (path, form) in [(ITEMS, item), (SUBSCRIPTIONS, unpaid)] {
        let (app, customer) = App::with_gold_and_customer().await;
        app.post(path, &format!("customer={customer}&{form}")).await.ok();
        assert_eq!(refused(&app.delete(GOLD).await), "400", "{path}");
    }
}

/// The row of a deleted product stays, and no call finds it.
#[tokio::test]
async fn the_products_row_stays() {
    let app = App::with_gold().await;
    app.delete(GOLD).await.ok();
    assert_eq!(refused(&app.get(GOLD).await), "404 resource_missing id");
    let row = crate::stored(&app, crate::merchant(), Kind::Product, "gold").await;
    let Object::Product(row) = row else { panic!("a product is stored") };
    assert!(row.deleted);
}

/// No call deletes a price. An inactive price has no new uses, and its subscriptions continue to
/// invoice it.
#[tokio::test]
async fn an_inactive_price_stays_in_its_subscriptions() {
    let (app, customer, clock) = App::on_clock().await;
    app.gold().await;
    app.pays_by(&customer, "success").await;
    let price = app.price(900, "recurring[interval]=month").await;
    let items = format!("customer={customer}&items[0][price]={price}");
    let subscription = app.post(SUBSCRIPTIONS, &items).await.ok().id();
    assert_eq!(app.delete(&path_of(&price)).await.status, 405);
    app.post(&path_of(&price), "active=false").await.ok();
    let new = app.post(SUBSCRIPTIONS, &items).await;
    assert_eq!(refused(&new), "400 - items[0][price]");
    let item = format!("customer={customer}&pricing[price]={price}");
    assert_eq!(refused(&app.post(ITEMS, &item).await), "400 - pricing[price]");
    app.advance(&clock, BEGIN_S + 32 * DAY_S).await;
    let invoices = app.get(&format!("{INVOICES}?subscription={subscription}")).await.ok();
    let totals: Vec<Value> =
        invoices.items("/data").iter().map(|one| one["total"].clone()).collect();
    assert_eq!(totals, [900, 900]);
}

/// A detached payment method is cleared as the default of the newest 100 subscriptions. An older one
/// keeps the id, and its renewal debits no payment method.
#[tokio::test]
async fn older_subscriptions_keep_a_detached_default() {
    let (app, customer, clock) = App::on_clock().await;
    app.gold().await;
    let method = app.attach(&customer, "success").await.text("/payment_method");
    let form = format!("customer={customer}&default_payment_method={method}");
    let renewed = app.post(SUBSCRIPTIONS, &format!("{form}&{MONTHLY}")).await.ok().id();
    app.advance(&clock, BEGIN_S + 5 * DAY_S).await;
    let mut newest = String::new();
    for _ in 0..100 {
        newest = app.post(SUBSCRIPTIONS, &form).await.ok().id();
    }
    app.act(&method, "detach", "").await.ok();
    let default = "/default_payment_method";
    assert_eq!(app.retrieve(&newest).await.at(default), Value::Null);
    assert_eq!(app.retrieve(&renewed).await.at(default), method.as_str());
    app.advance(&clock, BEGIN_S + 33 * DAY_S).await;
    let invoices = format!("{INVOICES}?subscription={renewed}&expand[]=data.payments");
    let invoices = app.get(&invoices).await.ok();
    let facts = ["/data/0/status", "/data/1/status", "/data/2"];
    assert_eq!(invoices.facts(&facts), "open paid null");
    let intent = invoices.text("/data/0/payments/data/0/payment/payment_intent");
    assert_eq!(app.status(&intent).await, "requires_payment_method");
}

/// Intents and invoices keep the id of a detached payment method, but cannot be paid with it. A debit
/// under way settles. Its mandate stays active, and no debit can use it.
#[tokio::test]
async fn objects_keep_a_detached_payment_method() {
    let (app, customer) = App::with_customer().await;
    let saved = app.attach(&customer, "success").await;
    let (method, mandate) = (saved.text("/payment_method"), saved.text("/mandate"));
    let form = format!("amount=500&currency=usd&customer={customer}&payment_method={method}");
    let open = app.post(INTENTS, &form).await.ok().id();
    let debit = app.post(INTENTS, &format!("{form}&confirm=true")).await.ok().id();
    let invoice = format!("customer={customer}&default_payment_method={method}&auto_advance=false");
    let invoice = app.post(INVOICES, &invoice).await.ok().id();
    let item = format!("customer={customer}&invoice={invoice}&amount=500&currency=usd");
    app.post(ITEMS, &item).await.ok();
    app.act(&invoice, "finalize", "").await.ok();
    let before = app.retrieve(&open).await.body;
    app.act(&method, "detach", "").await.ok();

    assert_eq!(app.retrieve(&open).await.body, before);
    let detached = "400 - payment_method";
    assert_eq!(refused(&app.act(&open, "confirm", "").await), detached);
    assert_eq!(app.retrieve(&invoice).await.text("/default_payment_method"), method);
    let missing = "400 parameter_missing payment_method";
    assert_eq!(refused(&app.act(&invoice, "pay", "").await), missing);
    let named = format!("payment_method={method}");
    assert_eq!(refused(&app.act(&invoice, "pay", &named).await), detached);
    assert_eq!(app.status(&mandate).await, "active");
    let by_mandate = format!("{form}&mandate={mandate}&confirm=true");
    assert_eq!(refused(&app.post(INTENTS, &by_mandate).await), detached);
    app.elapse_s(30 * DAY_S).await;
    assert_eq!(app.status(&debit).await, "succeeded");
}

/// The bank account of a detached payment method stays as it is.
#[tokio::test]
async fn the_bank_account_of_a_detached_payment_method_stays() {
    let (app, customer) = App::with_customer().await;
    let form = format!("customer={customer}&payment_method_types[]=us_bank_account");
    let setup = app.post(SETUP_INTENTS, &form).await.ok().id();
    app.post(LINK, &format!("carrier={setup}")).await.ok();
    let saved =
        app.act(&setup, "confirm", &format!("{ACCEPTED}&expand[]=payment_method")).await.ok();
    app.run_workers_until_idle().await;
    let account = saved.account_of("/payment_method");
    let path = format!("{FC}/accounts/{account}");
    let before = app.get(&path).await.ok().body;
    app.act(&saved.text("/payment_method/id"), "detach", "").await.ok();
    assert_eq!(app.get(&path).await.ok().body, before);
}

/// The items of a deleted draft wait for the next invoice. An open invoice cannot be deleted. A deleted
/// item leaves its draft.
#[tokio::test]
async fn a_deleted_draft_releases_its_items() {
    let app = App::start().await;
    let draft = app.draft_invoice("auto_advance=false").await;
    let item = app.invoice_item(&draft, "amount=500&currency=usd").await.id();
    app.delete(&path_of(&draft.id())).await.ok();
    assert_eq!(refused(&app.get(&path_of(&draft.id())).await), "404 resource_missing invoice");
    assert_eq!(app.retrieve(&item).await.at("/invoice"), Value::Null);
    let form = format!(
        "customer={}&pending_invoice_items_behavior=include&auto_advance=false",
        draft.text("/customer")
    );
    let next = app.post(INVOICES, &form).await.ok();
    assert_eq!(next.at("/total"), 500);
    assert_eq!(app.retrieve(&item).await.text("/invoice"), next.id());
    app.delete(&path_of(&item)).await.ok();
    let left = app.retrieve(&next.id()).await;
    assert_eq!((left.at("/total"), left.items("/lines/data").len()), (0.into(), 0));
    let open = app.open_invoice().await.id();
    assert_eq!(refused(&app.delete(&path_of(&open)).await), "400");
}
