//! The children of a deleted customer.

use crate::{
    connections, events, merchant, page, refresh_cause, refreshed_account, refused, rows, stored,
};
use model::refresh::RefreshCause;
use serde_json::Value;
use store::{Kind, Object};
use testkit::{
    ACCEPTED, App, CHECKOUT, Client, DAY_S, FC, INTENTS, LINK, MONTHLY, ONE_ITEM, SETUP_INTENTS,
    path_of,
};

const ITEMS: &str = "/v1/invoiceitems";

async fn delete(client: &Client, customer: &str) {
    client.delete(&path_of(customer)).await.ok();
}

/// Its accounts are disconnected, and a pending refresh fails. Both emit their events. Transactions
/// and owners stay in their tables, but no call returns them. The credentials are erased.
#[tokio::test]
async fn the_customers_accounts_are_disconnected() {
    let (app, customer) = App::with_customer().await;
    let account = refreshed_account(&app, &customer).await;
    app.pass_s(10);
    app.refresh(&account, "transactions").await;
    let before = [rows(&app, "transaction").await, rows(&app, "ownership").await];
    assert!(before.iter().all(|count| *count > 0), "{before:?}");
    delete(&app, &customer).await;

    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    let facts = ["/status", "/transaction_refresh/status", "/balance", "/ownership"];
    assert_eq!(shown.facts(&facts), "disconnected failed null null");
    assert_eq!(events(&app, "financial_connections.account.disconnected").await, 1);
    let refreshed = "/v1/events?type=financial_connections.account.refreshed_transactions";
    let failed = app.get(refreshed).await.ok();
    let facts = ["/data/0/data/object/transaction_refresh/status", "/data/1/id"];
    assert!(failed.facts(&facts).starts_with("failed evt_"));
    assert_eq!(refresh_cause(&app, &account).await, Some(RefreshCause::Interrupted));
    assert_eq!([rows(&app, "transaction").await, rows(&app, "ownership").await], before);
    let list = app.get(&format!("{FC}/transactions?account={account}")).await;
    assert_eq!(refused(&list), "400 financial_connections_account_inactive account");
    assert!(connections(&app, merchant()).await.iter().all(store::Connection::is_erased));
}

/// Its subscriptions are canceled. A first invoice that waits for payment is voided, and a pending
/// Setup Intent is canceled.
#[tokio::test]
async fn the_customers_subscriptions_are_canceled() {
    let (app, customer) = App::with_gold_and_customer().await;
    let unpaid = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let unpaid = app.subscription(&customer, &unpaid).await;
    let trial = app.subscription(&customer, &format!("{MONTHLY}&trial_period_days=7")).await;
    assert_eq!([unpaid.text("/status"), trial.text("/status")], ["incomplete", "trialing"]);
    delete(&app, &customer).await;
    for subscription in [&unpaid, &trial] {
        let status = app.status(&subscription.id()).await;
        assert!(["canceled", "incomplete_expired"].contains(&status.as_str()), "{status}");
    }
    assert_eq!(app.status(&trial.id()).await, "canceled");
    assert_eq!(app.status(&unpaid.text("/latest_invoice")).await, "void");
    assert_eq!(app.status(&trial.text("/pending_setup_intent")).await, "canceled");
    assert!(events(&app, "customer.subscription.deleted").await > 0);
}

/// Its open Checkout Sessions expire with an event. One that was completed stays complete.
#[tokio::test]
async fn the_customers_checkout_sessions_expire() {
    let (app, customer) = App::with_customer().await;
    let open = app.checkout(&format!("{ONE_ITEM}&customer={customer}")).await.id();
    let setup = format!("mode=setup&currency=usd&customer={customer}");
    let complete = app.post(CHECKOUT, &setup).await.ok().id();
    app.link_carrier(&complete, "").await.ok();
    delete(&app, &customer).await;
    assert_eq!([app.status(&open).await, app.status(&complete).await], ["expired", "complete"]);
    assert_eq!(events(&app, "checkout.session.expired").await, 1);
}

/// Its Sessions and link flows are unchanged, but they link no account. A link returns 404, and the
/// page of a flow says that it no longer works.
#[tokio::test]
async fn the_customers_sessions_link_no_account() {
    let (app, customer) = App::with_customer().await;
    let session = app.session(&customer, "").await;
    let path = format!("{FC}/sessions/{}", session.id());
    let before = app.get(&path).await.ok().body;
    let carrier = format!("carrier={}", session.id());
    let flow = app.post("/v1/link_flows", &carrier).await.ok().text("/url");
    delete(&app, &customer).await;
    assert_eq!(app.get(&path).await.ok().body, before);
    assert_eq!(refused(&app.post(LINK, &carrier).await), "404 resource_missing carrier");
    let shown = page(&app, &flow).await;
    assert!(shown.body.contains("This page no longer works"), "{}", shown.body);
    assert_eq!(app.count(&format!("{FC}/accounts")).await, 0);
}

/// Its open intents stay open until a call cancels them, and none can be confirmed. A debit under way
/// settles, and a dispute comes.
#[tokio::test]
async fn the_customers_intents_stay() {
    let (app, customer) = App::with_customer().await;
    let method = app.pays_by(&customer, "success").await;
    let form = format!("amount=500&currency=usd&customer={customer}&payment_method={method}");
    let open = app.post(INTENTS, &form).await.ok().id();
    let form = format!("customer={customer}&payment_method={method}");
    let setup = app.post(SETUP_INTENTS, &form).await.ok().id();
    let form = format!(
        "amount=500&currency=usd&customer={customer}&confirm=true&{ACCEPTED}\
         &payment_method=pm_usBankAccount_dispute"
    );
    let debit = app.post(INTENTS, &form).await.ok().id();
    let form = format!(
        "amount=500&currency=usd&customer={customer}&confirm=true\
         &payment_method=pm_usBankAccount_success\
         &mandate_data[customer_acceptance][type]=offline"
    );
    let charge = app.post(INTENTS, &form).await.ok().text("/latest_charge");
    let before = [app.retrieve(&open).await.body, app.retrieve(&setup).await.body];
    delete(&app, &customer).await;
    assert_eq!([app.retrieve(&open).await.body, app.retrieve(&setup).await.body], before);
    for intent in [&open, &setup] {
        assert_eq!(refused(&app.act(intent, "confirm", "").await), "400 - customer");
    }
    assert_eq!(app.status(&debit).await, "processing");
    app.elapse_s(60 * DAY_S).await;
    assert_eq!(app.status(&debit).await, "succeeded");
    let charges = app.get(&format!("/v1/charges?customer={customer}")).await.ok();
    assert_eq!(charges.facts(&["/data/1/status", "/data/1/disputed"]), "succeeded true");
    let refund = app.post("/v1/refunds", &format!("charge={charge}")).await.ok().id();
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&refund).await, "succeeded");
    assert_eq!(app.count(&format!("/v1/disputes?payment_intent={debit}")).await, 1);
    assert_eq!(app.status(&open).await, "requires_confirmation");
    for intent in [&open, &setup] {
        app.act(intent, "cancel", "").await.ok();
        assert_eq!(app.status(intent).await, "canceled");
    }
}

/// Its payment methods stay attached to it. Their ids are found, but lists, intents and other
/// customers cannot use them. Their mandates stay active.
#[tokio::test]
async fn the_customers_payment_methods_stay_attached() {
    let (app, customer) = App::with_customer().await;
    let saved = app.attach(&customer, "success").await;
    let (method, mandate) = (saved.text("/payment_method"), saved.text("/mandate"));
    let other = app.customer().await;
    delete(&app, &customer).await;
    assert_eq!(app.retrieve(&method).await.text("/customer"), customer);
    let attach = app.act(&method, "attach", &format!("customer={other}")).await;
    assert_eq!(refused(&attach), "400");
    let form = format!("amount=500&currency=usd&payment_method={method}");
    let used = app.post(INTENTS, &form).await;
    assert_eq!(refused(&used), "400 - payment_method");
    let form = format!("{form}&customer={customer}");
    assert_eq!(refused(&app.post(INTENTS, &form).await), "404 resource_missing customer");
    let list = app.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert_eq!(refused(&list), "404 resource_missing customer");
    let list = app.get(&format!("/v1/payment_methods?customer={customer}")).await;
    assert_eq!(refused(&list), "404 resource_missing customer");
    assert_eq!(app.status(&mandate).await, "active");
}

/// Its drafts and open invoices stay until a call deletes or voids them. A draft cannot be finalized,
/// and the page of an open one offers no payment. No invoice takes its waiting items.
#[tokio::test]
async fn the_customers_invoices_stay() {
    let app = App::start().await;
    let open = app.open_invoice().await;
    let customer = open.text("/customer");
    let amount = format!("customer={customer}&amount=500&currency=usd");
    let waiting = app.post(ITEMS, &amount).await.ok().id();
    let draft = format!("customer={customer}&auto_advance=false");
    let draft = app.post("/v1/invoices", &draft).await.ok().id();
    delete(&app, &customer).await;

    assert_eq!([app.status(&draft).await, app.status(&open.id()).await], ["draft", "open"]);
    assert_eq!(refused(&app.act(&draft, "finalize", "").await), "400");
    let shown = page(&app, &open.text("/hosted_invoice_url")).await;
    assert!(shown.body.contains("You can no longer pay"), "{}", shown.body);
    assert_eq!(app.retrieve(&waiting).await.at("/invoice"), Value::Null);
    let next = format!("customer={customer}&pending_invoice_items_behavior=include");
    for (path, form) in [("/v1/invoices", &next), (ITEMS, &amount)] {
        assert_eq!(refused(&app.post(path, form).await), "404 resource_missing customer");
    }
    app.delete(&path_of(&draft)).await.ok();
    assert_eq!(app.get(&path_of(&draft)).await.status, 404);
    app.act(&open.id(), "void", "").await.ok();
    assert_eq!(app.status(&open.id()).await, "void");
}

/// The customer's own row stays as deleted, without personal data. Calls show a stub of it.
#[tokio::test]
async fn the_customers_row_has_no_personal_data() {
    let app = App::start().await;
    let form = "address[line1]=1+Main+St&description=d&email=ada@example.com&name=Ada&phone=555\
                &metadata[a]=b&shipping[name]=Ada&shipping[address][city]=Rome&business_name=B\
                &balance=-500";
    let customer = app.post("/v1/customers", form).await.ok().id();
    delete(&app, &customer).await;
    assert_eq!(app.retrieve(&customer).await.at("/deleted"), true);
    let Object::Customer(row) = stored(&app, merchant(), Kind::Customer, &customer).await else {
        panic!("a customer is stored");
    };
    assert!(row.deleted);
    assert_eq!((row.address, row.email, row.name, row.phone), (None, None, None, None));
    assert_eq!((row.description, row.business_name), (None, None));
    assert!(row.shipping.is_none() && row.metadata.is_empty());
    assert_eq!(row.balance, -500);
}
