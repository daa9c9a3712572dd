//! Deletions of customers, test clocks and connected accounts: what ends with them, and what
//! happens if the call dies in the middle.

use model::connected_account::ConnectedAccount;
use model::id::{MerchantId, SubscriptionId};
use store::{Failpoints, FindObject, Kind, Object};
use testkit::{ACCEPTED, App, BEGIN_S, Client, FC, LINK, MONTHLY, Options};

const CUSTOMERS: &str = "/v1/customers";
const CLOCKS: &str = "/v1/test_helpers/test_clocks";

/// A server on which the first change of an account fails, so that a deletion dies after its first
/// commit.
async fn dying() -> App {
    let failpoints = Failpoints::parse("ChangeAccount:0:panic").unwrap();
    App::with(Options { failpoints, ..Options::default() }).await
}

async fn status(client: &Client, account: &str) -> String {
    client.get(&format!("{FC}/accounts/{account}")).await.ok().text("/status")
}

/// A customer whose deletion died is deleted for every call, and gains no account. After a minute
/// the server disconnects its account and emits the event, which names no request and shows the
/// customer as it was. Nothing personal stays in the store.
#[tokio::test]
async fn the_server_completes_a_deletion() {
    let app = dying().await;
    let account = app.account().await;
    let customer = app.get(CUSTOMERS).await.ok().text("/data/0/id");
    let waiting = app.session(&customer, "").await;
    let path = format!("{CUSTOMERS}/{customer}");
    assert_eq!(app.delete(&path).await.status, 500);
    assert_eq!(app.get(&path).await.ok().at("/deleted"), true);
    assert_eq!(app.count(CUSTOMERS).await, 0);
    let link = format!("carrier={}", waiting.id());
    insta::assert_snapshot!(app.api_errors(&[("POST", LINK, &link)]).await, @"
    POST HELPERS/link carrier=fcsess_…
        404 resource_missing carrier: No such customer: 'cus_…'
    ");
    app.elapse_s(59).await;
    assert_eq!(status(&app, &account).await, "active");
    app.elapse_s(1).await;
    assert_eq!(status(&app, &account).await, "disconnected");
    let event = app.get("/v1/events?type=customer.deleted").await.ok();
    let facts = event.facts(&[
        "/data/0/request/id",
        "/data/0/data/object/email",
        "/data/0/data/object/deleted",
        "/data/1",
    ]);
    assert_eq!(facts, "null ada@example.com null null");
    let find = FindObject {
        merchant: MerchantId::of_key("sk_test_123"),
        kind: Kind::Customer,
        number: customer.parse::<model::id::CustomerId>().unwrap().number(),
    };
    let Some(Object::Customer(stored)) = app.engine.store().read(find).await.unwrap() else {
        panic!("the row of a deleted customer stays");
    };
    assert_eq!((stored.deleted, stored.email, stored.deletion_due), (true, None, None));
    assert_eq!(app.delete(&path).await.status, 404);
}

/// A repeated call completes a deletion that died, and succeeds.
#[tokio::test]
async fn a_repeated_call_completes_a_deletion() {
    let app = dying().await;
    let account = app.account().await;
    let customer = app.get(CUSTOMERS).await.ok().text("/data/0/id");
    let path = format!("{CUSTOMERS}/{customer}");
    assert_eq!(app.delete(&path).await.status, 500);
    assert_eq!(app.delete(&path).await.ok().at("/deleted"), true);
    assert_eq!(status(&app, &account).await, "disconnected");
    assert_eq!(app.count("/v1/events?type=customer.deleted").await, 1);
    app.elapse_s(60).await;
    assert_eq!(app.count("/v1/events?type=customer.deleted").await, 1);
}

/// A test clock whose deletion died gains no customer. The server deletes its customers in real
/// time, because the clock no longer moves.
#[tokio::test]
async fn the_server_completes_the_deletion_of_a_clock() {
    let app = dying().await;
    let (customer, clock) = app.customer_on_clock().await;
    let session = app.session(&customer, "").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    let path = format!("{CLOCKS}/{clock}");
    assert_eq!(app.delete(&path).await.status, 500);
    let form = format!("test_clock={clock}");
    insta::assert_snapshot!(
        app.api_errors(&[("POST", CUSTOMERS, &form), ("GET", &path, "")]).await, @"
    POST /v1/customers test_clock=clock_…
    GET /v1/test_helpers/test_clocks/clock_…
        404 resource_missing test_clock: No such test clock: 'clock_…'
    ");
    app.elapse_s(60).await;
    assert_eq!(status(&app, &account).await, "disconnected");
    assert_eq!(app.get(&format!("{CUSTOMERS}/{customer}")).await.ok().at("/deleted"), true);
    let events = app.event_types().await;
    let deletions: Vec<_> = events.iter().filter(|name| name.ends_with(".deleted")).collect();
    assert_eq!(deletions, ["customer.deleted", "test_helpers.test_clock.deleted"]);
    assert_eq!(app.delete(&path).await.status, 404);
}

/// A deleted connected account takes along the bank accounts that the platform linked for it and
/// its own, and its subscriptions and open Checkout Sessions. A waiting Session of it links no more
/// account.
#[tokio::test]
async fn a_connected_account_takes_its_objects_along() {
    let app = App::start().await;
    let id = app
        .post("/v1/accounts", "capabilities[us_bank_account_ach_payments][requested]=true")
        .await
        .ok()
        .id();
    let form =
        format!("account_holder[type]=account&account_holder[account]={id}&permissions[]=balances");
    let sessions = format!("{FC}/sessions");
    let first = app.post(&sessions, &form).await.ok();
    let linked = app.link(&first, "").await.text("/accounts/data/0/id");
    let waiting = app.post(&sessions, &form).await.ok();
    let inside = app.in_account(&id);
    inside.gold().await;
    let own = inside.account().await;
    let customer = inside.customer().await;
    inside.pays_by(&customer, "success").await;
    let subscription = inside.subscription(&customer, MONTHLY).await.id();
    app.run_workers_until_idle().await;

    app.delete(&format!("/v1/accounts/{id}")).await.ok();
    assert_eq!(status(&app, &linked).await, "disconnected");
    let link = format!("carrier={}", waiting.id());
    insta::assert_snapshot!(app.api_errors(&[("POST", LINK, &link)]).await, @"
    POST HELPERS/link carrier=fcsess_…
        404 resource_missing carrier: No such account: 'acct_…'
    ");
    // No call acts in the account any more, so its rows are read from the store.
    let merchant = ConnectedAccount::of(
        MerchantId::of_key("sk_test_123"),
        &id,
        false,
        model::clock::AccountTime(BEGIN_S),
    )
    .acts_as();
    let number = subscription.parse::<SubscriptionId>().unwrap().number();
    let find = FindObject { merchant, kind: Kind::Subscription, number };
    let Some(Object::Subscription(stored)) = app.engine.store().read(find).await.unwrap() else {
        panic!("a canceled subscription stays");
    };
    assert!(stored.is_over());
    let account = own.parse().unwrap();
    let find = store::FindAccount { merchant, account };
    let stored = app.engine.store().read(find).await.unwrap().unwrap();
    assert_eq!(stored.status, model::account::AccountStatus::Disconnected);
    assert_eq!(inside.get(CUSTOMERS).await.status, 403);
}

/// A refund that is pending when its clock is deleted settles in real time, and so does a refund that
/// is made later.
#[tokio::test]
async fn a_refund_outlives_its_clock() {
    let (app, customer, clock) = App::on_clock().await;
    let form = format!(
        "amount=500&currency=usd&customer={customer}&confirm=true\
         &payment_method=pm_usBankAccount_success\
         &mandate_data[customer_acceptance][type]=offline"
    );
    let intent = app.post("/v1/payment_intents", &form).await.ok().id();
    app.advance(&clock, testkit::BEGIN_S + 4 * testkit::DAY_S).await;
    let form = format!("payment_intent={intent}&amount=100");
    let pending = app.post("/v1/refunds", &form).await.ok().id();
    app.delete(&format!("{CLOCKS}/{clock}")).await.ok();
    assert_eq!(app.status(&pending).await, "pending");
    let later = app.post("/v1/refunds", &form).await.ok().id();
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&later).await, "succeeded");
    app.elapse_s(30 * testkit::DAY_S).await;
    assert_eq!(app.status(&pending).await, "succeeded");
}

/// A debit under way when its clock is deleted settles in real time, because the clock never moves
/// again.
#[tokio::test]
async fn a_debit_outlives_its_clock() {
    let (app, customer, clock) = App::on_clock().await;
    let form = format!(
        "amount=500&currency=usd&customer={customer}&confirm=true&{ACCEPTED}\
         &payment_method=pm_usBankAccount_success"
    );
    let intent = app.post("/v1/payment_intents", &form).await.ok().id();
    assert_eq!(app.status(&intent).await, "processing");
    app.delete(&format!("{CLOCKS}/{clock}")).await.ok();
    assert_eq!(app.status(&intent).await, "processing");
    app.elapse_s(30 * testkit::DAY_S).await;
    assert_eq!(app.status(&intent).await, "succeeded");
}
