//! The children of a deleted connected account. No call acts in the account afterwards, so the tests
//! read the rows from the store.

use crate::{connections, merchant, page, refused, stored};
use model::clock::AccountTime;
use model::connected_account::PlatformTie;
use model::id::MerchantId;
use model::payments::checkout::CheckoutStatus;
use model::payments::intent::IntentStatus;
use store::{FindObject, Kind, Object};
use testkit::{
    ACCEPTED, App, BEGIN_S, Client, DAY_S, FC, INTENTS, MONTHLY, NUMBERS, ONE_ITEM, Recorder,
};

const ACCOUNTS: &str = "/v1/accounts";

/// A server with a connected account, the account's id and a client that acts in it.
async fn connected() -> (App, String, Client) {
    let app = App::start().await;
    let form = "type=custom&capabilities[transfers][requested]=true";
    let id = app.post(ACCOUNTS, form).await.ok().id();
    let inside = app.in_account(&id);
    (app, id, inside)
}

async fn delete(app: &App, id: &str) {
    app.delete(&format!("{ACCOUNTS}/{id}")).await.ok();
}

/// The account as a merchant.
fn acting(id: &str) -> MerchantId {
    MerchantId::of_connected(merchant(), id)
}

/// Sessions of the platform for the account stay as they are, and link no account. Accounts that they
/// linked before are disconnected.
#[tokio::test]
async fn the_platforms_sessions_link_no_account() {
    let (app, id, _) = connected().await;
    let form =
        format!("account_holder[type]=account&account_holder[account]={id}&permissions[]=balances");
    let sessions = format!("{FC}/sessions");
    let linked = app.link(&app.post(&sessions, &form).await.ok(), "").await;
    let waiting = app.post(&sessions, &form).await.ok().id();
    let path = format!("{sessions}/{waiting}");
    let before = app.get(&path).await.ok().body;
    delete(&app, &id).await;
    assert_eq!(app.get(&path).await.ok().body, before);
    let link = app.link_carrier(&waiting, "").await;
    assert_eq!(refused(&link), "404 resource_missing carrier");
    let account = linked.text("/accounts/data/0/id");
    assert_eq!(crate::account_status(&app, &account).await, "disconnected");
    assert!(connections(&app, merchant()).await.iter().all(store::Connection::is_erased));
}

/// Its external accounts stay in the body of its deleted row.
#[tokio::test]
async fn the_external_accounts_stay_in_the_row() {
    let (app, id, _) = connected().await;
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let external = app
        .post(&path, &format!("{NUMBERS}&external_account[account_number]=000123456789"))
        .await
        .ok()
        .id();
    delete(&app, &id).await;
    assert_eq!(refused(&app.get(&format!("{path}/{external}")).await), "403 account_invalid");
    let row = stored(&app, merchant(), Kind::ConnectedAccount, &id).await;
    let Object::ConnectedAccount(row) = row else { panic!("a connected account is stored") };
    assert!(row.deleted);
    let left: Vec<String> = row.external_accounts.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(left, [external]);
}

/// Its customers and other objects stay unchanged, but every call in the account returns 403. Its open
/// Checkout Sessions expire, and its subscriptions are canceled. A debit under way settles.
#[tokio::test]
async fn the_accounts_objects_are_unreachable() {
    let (app, id, inside) = connected().await;
    inside.gold().await;
    let customer = inside.customer().await;
    inside.pays_by(&customer, "success").await;
    let subscription = inside.subscription(&customer, MONTHLY).await.id();
    let checkout = inside.checkout(ONE_ITEM).await.id();
    let form = format!(
        "amount=500&currency=usd&customer={customer}&confirm=true&{ACCEPTED}\
         &payment_method=pm_usBankAccount_success"
    );
    let debit = inside.post(INTENTS, &form).await.ok().id();
    let of = async |kind, object: &str| stored(&app, acting(&id), kind, object).await;
    let before = of(Kind::Customer, &customer).await;
    delete(&app, &id).await;

    for path in ["/v1/customers", "/v1/invoices", "/v1/events", &format!("{FC}/accounts")] {
        assert_eq!(refused(&inside.get(path).await), "403 account_invalid", "{path}");
    }
    assert_eq!(of(Kind::Customer, &customer).await, before);
    let Object::Checkout(session) = of(Kind::Checkout, &checkout).await else {
        panic!("a Checkout Session is stored");
    };
    assert_eq!(session.status, CheckoutStatus::Expired);
    let Object::Subscription(ended) = of(Kind::Subscription, &subscription).await else {
        panic!("a subscription is stored");
    };
    assert!(ended.is_over());
    let status = async || match of(Kind::PaymentIntent, &debit).await {
        Object::PaymentIntent(intent) => intent.status,
        _ => panic!("an intent is stored"),
    };
    assert_eq!(status().await, IntentStatus::Processing);
    app.elapse_s(30 * DAY_S).await;
    assert_eq!(status().await, IntentStatus::Succeeded);
}

/// Its test clocks stay. An advance that is under way continues to its end, although the accounts on
/// the clock are disconnected.
#[tokio::test]
async fn the_accounts_clocks_stay() {
    let (app, id, inside) = connected().await;
    let (customer, clock) = inside.customer_on_clock().await;
    let session = inside.session(&customer, "prefetch[]=transactions").await;
    let account = inside.link(&session, "").await.text("/accounts/data/0/id");
    app.run_workers_until_idle().await;
    inside.subscribe(&account).await;
    let form = format!("frozen_time={}", BEGIN_S + 3 * DAY_S);
    inside.act(&clock, "advance", &form).await.ok();
    delete(&app, &id).await;
    app.run_workers_until_idle().await;
    let Object::TestClock(row) = stored(&app, acting(&id), Kind::TestClock, &clock).await else {
        panic!("a clock is stored");
    };
    assert!(!row.deleted);
    assert_eq!(row.status, model::clock::ClockStatus::Ready);
    assert_eq!(row.frozen_time, AccountTime(BEGIN_S + 3 * DAY_S));
    assert!(connections(&app, acting(&id)).await.iter().all(store::Connection::is_erased));
}

/// Its webhook endpoints stay enabled. They receive the events of the deletion and of debits under
/// way, and so do endpoints of the platform for connected accounts.
#[tokio::test]
async fn the_accounts_endpoints_stay_enabled() {
    let (app, id, inside) = connected().await;
    let (own, platform) = (Recorder::start().await.unwrap(), Recorder::start().await.unwrap());
    let endpoint = inside.endpoint(&own.url, "*", "").await.id();
    app.endpoint(&platform.url, "*", "connect=true").await;
    inside.checkout(ONE_ITEM).await;
    let form = format!(
        "amount=500&currency=usd&confirm=true&{ACCEPTED}&payment_method=pm_usBankAccount_success"
    );
    inside.post(INTENTS, &form).await.ok();
    delete(&app, &id).await;
    app.elapse_s(30 * DAY_S).await;
    for receiver in [&own, &platform] {
        let types: Vec<String> = receiver.take().iter().map(|post| post.text("/type")).collect();
        for expected in ["checkout.session.expired", "payment_intent.succeeded"] {
            assert!(types.iter().any(|one| one == expected), "{expected} is not in {types:?}");
        }
    }
    let Object::Endpoint(row) = stored(&app, acting(&id), Kind::Endpoint, &endpoint).await else {
        panic!("an endpoint is stored");
    };
    assert!(row.is_open());
}

/// The addresses of its hosted pages and link flows open no page.
#[tokio::test]
async fn the_accounts_pages_are_gone() {
    let (app, id, inside) = connected().await;
    let invoice = inside.open_invoice().await.text("/hosted_invoice_url");
    let checkout = inside.checkout(ONE_ITEM).await.text("/url");
    let session = inside.session(&inside.customer().await, "").await.id();
    let flow = inside.post("/v1/link_flows", &format!("carrier={session}")).await.ok().text("/url");
    let urls = [invoice, checkout, flow];
    for url in &urls {
        assert_eq!(page(&app, url).await.status, 200, "{url}");
    }
    delete(&app, &id).await;
    for url in &urls {
        assert_eq!(page(&app, url).await.status, 404, "{url}");
    }
}

/// Its tie to the platform stays as a deleted row. So its id is never created again, and a second
/// deletion is rejected.
#[tokio::test]
async fn the_tie_to_the_platform_stays() {
    let (app, id, inside) = connected().await;
    inside.customer().await;
    delete(&app, &id).await;
    let (kind, number) = (Kind::PlatformTie, PlatformTie::NUMBER);
    let find = FindObject { merchant: acting(&id), kind, number };
    let Some(Object::PlatformTie(tie)) = app.engine.store().read(find).await.unwrap() else {
        panic!("a tie is stored");
    };
    assert!(tie.deleted);
    let created = inside.post("/v1/customers", "").await;
    assert_eq!(refused(&created), "403 account_invalid");
    let again = app.delete(&format!("{ACCOUNTS}/{id}")).await;
    assert_eq!(refused(&again), "403 account_invalid");
    assert_eq!(app.count(ACCOUNTS).await, 0);
}
