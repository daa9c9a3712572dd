//! The children of a deleted test clock.

use crate::{account_status, events, merchant, refreshed_account, refused, stored};
use store::{Kind, Object};
use testkit::{ACCEPTED, App, BEGIN_S, DAY_S, INTENTS, ONE_ITEM, path_of};

/// Its accounts are disconnected, and its customers are deleted, with their events. Its own row stays
/// as deleted, and no call finds it.
#[tokio::test]
async fn the_clocks_customers_are_deleted() {
    let (app, customer, clock) = App::on_clock().await;
    let account = refreshed_account(&app, &customer).await;
    let bystander = app.customer().await;
    app.delete(&path_of(&clock)).await.ok();
    assert_eq!(account_status(&app, &account).await, "disconnected");
    assert_eq!(app.retrieve(&customer).await.at("/deleted"), true);
    assert_eq!(app.ids("/v1/customers").await, [bystander]);
    let disconnected = "financial_connections.account.disconnected";
    for event_type in [disconnected, "customer.deleted", "test_helpers.test_clock.deleted"] {
        assert_eq!(events(&app, event_type).await, 1, "{event_type}");
    }
    let Object::TestClock(row) = stored(&app, merchant(), Kind::TestClock, &clock).await else {
        panic!("a clock is stored");
    };
    assert!(row.deleted);
    let missing = "404 resource_missing test_clock";
    assert_eq!(refused(&app.get(&path_of(&clock)).await), missing);
    assert_eq!(refused(&app.delete(&path_of(&clock)).await), missing);
}

/// A clock that advances cannot be deleted.
#[tokio::test]
async fn an_advancing_clock_stays() {
    let (app, _, clock) = App::on_clock().await;
    let form = format!("frozen_time={}", BEGIN_S + DAY_S);
    app.act(&clock, "advance", &form).await.ok();
    assert_eq!(refused(&app.delete(&path_of(&clock)).await), "429 lock_timeout");
    app.run_workers_until_idle().await;
    app.delete(&path_of(&clock)).await.ok();
}

/// Objects of its customers that stay keep its id, and calls on them use its last time.
#[tokio::test]
async fn the_clocks_objects_keep_its_time() {
    let (app, customer, clock) = App::on_clock().await;
    let form = format!("customer={customer}&auto_advance=false");
    let draft = app.post("/v1/invoices", &form).await.ok();
    assert_eq!(draft.text("/test_clock"), clock);
    let form = format!("amount=500&currency=usd&customer={customer}");
    let intent = app.post(INTENTS, &form).await.ok().id();
    app.advance(&clock, BEGIN_S + 3 * DAY_S).await;
    app.pass_s(30 * DAY_S);
    app.delete(&path_of(&clock)).await.ok();
    assert_eq!(app.retrieve(&draft.id()).await.text("/test_clock"), clock);
    let canceled = app.act(&intent, "cancel", "").await.ok();
    assert_eq!(canceled.at("/canceled_at"), BEGIN_S + 3 * DAY_S);
}

/// Intents and Checkout Sessions without a customer are on no clock, so a deleted one does not affect
/// them.
#[tokio::test]
async fn objects_without_a_customer_are_on_no_clock() {
    let (app, _, clock) = App::on_clock().await;
    let form = "amount=500&currency=usd&payment_method=pm_usBankAccount_success";
    let intent = app.post(INTENTS, form).await.ok().id();
    let session = app.checkout(ONE_ITEM).await.id();
    app.delete(&path_of(&clock)).await.ok();
    app.act(&intent, "confirm", ACCEPTED).await.ok();
    assert_eq!(app.status(&intent).await, "processing");
    assert_eq!(app.status(&session).await, "open");
}
