//! The children of a disconnected bank account.

use crate::{connections, events, merchant, refresh_cause, refreshed_account, refused, rows};
use model::refresh::RefreshCause;
use store::{Connection, Failpoints};
use testkit::{ACCEPTED, App, FC, HELPERS, INTENTS, LINK, Options, Recorder, SETUP_INTENTS};

const DISCONNECTED: &str = "financial_connections.account.disconnected";

async fn disconnect(app: &App, account: &str) {
    app.post(&format!("{FC}/accounts/{account}/disconnect"), "").await.ok();
}

/// Pending refreshes fail, the subscription ends, and the balance is removed. Transactions and owners
/// stay in their tables, but reading them returns 400.
#[tokio::test]
async fn the_accounts_data_cannot_be_read() {
    let (app, customer) = App::with_customer().await;
    let account = refreshed_account(&app, &customer).await;
    app.refresh(&account, "balance").await;
    app.run_workers_until_idle().await;
    let path = format!("{FC}/accounts/{account}");
    let before = app.get(&path).await.ok();
    assert!(!before.at("/balance").is_null());
    let owners = format!("{path}/owners?ownership={}", before.text("/ownership"));
    app.get(&owners).await.ok();
    app.pass_s(10);
    app.subscribe(&account).await;
    app.refresh(&account, "transactions").await;
    let counts = async || [rows(&app, "transaction").await, rows(&app, "ownership").await];
    let stored = counts().await;
    disconnect(&app, &account).await;

    let shown = app.get(&path).await.ok();
    let facts = ["/status", "/transaction_refresh/status", "/balance", "/subscriptions"];
    assert_eq!(shown.facts(&facts), "disconnected failed null []");
    let refreshed = "/v1/events?type=financial_connections.account.refreshed_transactions";
    let failed = app.get(refreshed).await.ok();
    assert_eq!(failed.text("/data/0/data/object/transaction_refresh/status"), "failed");
    assert_eq!(refresh_cause(&app, &account).await, Some(RefreshCause::Interrupted));
    assert_eq!(counts().await, stored);
    let inactive = "400 financial_connections_account_inactive account";
    let list = app.get(&format!("{FC}/transactions?account={account}")).await;
    assert_eq!([refused(&list), refused(&app.get(&owners).await)], [inactive, inactive]);
}

/// The credential, the state and the cursors are erased once the access has ended at the bank. Calls
/// that need the bank's side of the account return 400.
#[tokio::test]
async fn the_accounts_credential_is_erased() {
    let (app, customer) = App::with_customer().await;
    let account = refreshed_account(&app, &customer).await;
    assert!(!connections(&app, merchant()).await[0].is_erased());
    disconnect(&app, &account).await;
    let erased = connections(&app, merchant()).await;
    assert!(erased[0].is_erased());
    let inactive = "400 financial_connections_account_inactive account";
    let helpers = format!("{HELPERS}/accounts/{account}");
    assert_eq!(refused(&app.get(&format!("{helpers}/ledger")).await), inactive);
    assert_eq!(refused(&app.get(&format!("{helpers}/scenario")).await), inactive);
    let added = app.post(&format!("{helpers}/transactions"), "amount=-100").await;
    assert_eq!(refused(&added), inactive);
    disconnect(&app, &account).await;
    assert_eq!(connections(&app, merchant()).await, erased);
    assert_eq!(events(&app, DISCONNECTED).await, 1);
}

/// A call that dies between the disconnection and the erasure leaves the credential. A repeated call
/// erases it, and so does the deletion of the customer.
#[tokio::test]
async fn a_repeated_call_erases_the_credential() {
    for repeat in ["disconnect", "delete"] {
        let failpoints = Failpoints::parse("ChangeConnection:0:panic").unwrap();
        let app = App::with(Options { failpoints, ..Options::default() }).await;
        let customer = app.customer().await;
        let session = app.session(&customer, "").await;
        let account = app.link(&session, "").await.text("/accounts/data/0/id");
        let path = format!("{FC}/accounts/{account}/disconnect");
        assert_eq!(app.post(&path, "").await.status, 500);
        assert_eq!(crate::account_status(&app, &account).await, "disconnected");
        app.elapse_s(600).await;
        assert!(!connections(&app, merchant()).await[0].is_erased());
        match repeat {
            "disconnect" => app.post(&path, "").await.ok(),
            _ => app.delete(&format!("/v1/customers/{customer}")).await.ok(),
        };
        assert!(connections(&app, merchant()).await.iter().all(Connection::is_erased), "{repeat}");
        assert_eq!(events(&app, DISCONNECTED).await, 1);
    }
}

/// A payment method made from the account stays attached and can still be debited. Its mandate stays
/// active.
#[tokio::test]
async fn the_accounts_payment_methods_can_be_debited() {
    let (app, customer) = App::with_customer().await;
    let form = format!("customer={customer}&payment_method_types[]=us_bank_account");
    let setup = app.post(SETUP_INTENTS, &form).await.ok().id();
    app.post(LINK, &format!("carrier={setup}")).await.ok();
    let saved =
        app.act(&setup, "confirm", &format!("{ACCEPTED}&expand[]=payment_method")).await.ok();
    let account = saved.account_of("/payment_method");
    let (method, mandate) = (saved.text("/payment_method/id"), saved.text("/mandate"));
    disconnect(&app, &account).await;
    assert_eq!(app.retrieve(&method).await.text("/customer"), customer);
    assert_eq!(app.status(&mandate).await, "active");
    let form =
        format!("amount=500&currency=usd&customer={customer}&payment_method={method}&confirm=true");
    let debit = app.post(INTENTS, &form).await.ok().id();
    assert_eq!(app.status(&debit).await, "processing");
    app.elapse_s(30 * testkit::DAY_S).await;
    assert_eq!(app.status(&debit).await, "succeeded");
}

/// Events of the account that are not delivered yet are delivered.
#[tokio::test]
async fn the_accounts_events_are_delivered() {
    let app = App::start().await;
    let receiver = Recorder::start().await.unwrap();
    app.endpoint(&receiver.url, "*", "").await;
    let account = app.account().await;
    disconnect(&app, &account).await;
    app.run_workers_until_idle().await;
    let types: Vec<String> = receiver.take().iter().map(|post| post.text("/type")).collect();
    for expected in ["financial_connections.account.created", DISCONNECTED] {
        assert!(types.iter().any(|one| one == expected), "{expected} is not in {types:?}");
    }
}

/// A new link of the same bank account by the same customer creates an account with a new id.
#[tokio::test]
async fn a_new_link_creates_another_account() {
    let (app, customer) = App::with_customer().await;
    let link = async || {
        let session = app.session(&customer, "").await;
        app.link(&session, "accounts[]=Success").await.text("/accounts/data/0/id")
    };
    let first = link().await;
    assert_eq!(link().await, first);
    disconnect(&app, &first).await;
    let second = link().await;
    assert_ne!(second, first);
    assert_eq!(crate::account_status(&app, &first).await, "disconnected");
    assert_eq!(crate::account_status(&app, &second).await, "active");
}
