//! Bank controls in concurrent calls, and delays under a fixed time.

use engine::Context;
use model::clock::AccountTime;
use model::id::{MerchantId, RequestId};
use testkit::{App, BEGIN_S, FC, HELPERS, HOLDER, Options};
use wire::expand::Expand;
use wire::version::Version;

/// A scripted delay on a server with a fixed account time counts in real time. It ends exactly when
/// it is over.
#[tokio::test]
async fn a_delay_ends_at_a_fixed_time() {
    let account_time = Some(AccountTime(BEGIN_S));
    let app = App::with(Options { account_time, ..Options::default() }).await;
    let account = app.account().await;
    app.run_workers_until_idle().await;
    let script = format!("{HELPERS}/accounts/{account}/next_refresh");
    app.post(&script, "feature=balance&delay_seconds=60").await.ok();
    app.refresh(&account, "balance").await;
    let path = format!("{FC}/accounts/{account}");
    let mut statuses = Vec::new();
    for wait_s in [0, 59, 1] {
        app.elapse_s(wait_s).await;
        statuses.push(app.get(&path).await.ok().text("/balance_refresh/status"));
    }
    assert_eq!(statuses, ["pending", "pending", "succeeded"]);
}

/// If a bank changes while an account is being reactivated, the bank is read again. Both calls
/// succeed and both changes take effect.
#[tokio::test]
async fn reactivates_while_the_bank_changes() {
    let (app, account) = App::with_account().await;
    app.run_workers_until_idle().await;
    app.post(&format!("{HELPERS}/accounts/{account}/deactivate"), "").await.ok();
    // The test calls the engine directly, because the order is certain there. Each call reads
    // without a pause and pauses at its write, so the second has read the data that the first is
    // about to change.
    let context = Context {
        merchant: MerchantId::of_key("sk_test_123"),
        connected: None,
        livemode: false,
        publishable: false,
        request: RequestId::from_number(1),
        version: Version::default(),
        expand: Expand::default(),
        idempotency: None,
    };
    let (changed, reactivated) = tokio::join!(
        app.lab.set_bank_balance(&context, &account, 4_200, None),
        app.lab.reactivate_account(&context, &account),
    );
    changed.unwrap();
    reactivated.unwrap();
    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(shown.text("/status"), "active");
    let ledger = app.get(&format!("{HELPERS}/accounts/{account}/ledger")).await.ok();
    assert!(ledger.body.contains("4200"), "{}", ledger.body);
}

/// The expiry of a tokenized number emits one event. The number that a later link creates in its
/// place emits another.
#[tokio::test]
async fn announces_the_expiry_of_each_number() {
    let (app, customer) = App::with_customer().await;
    let events =
        "/v1/events?type=financial_connections.account.upcoming_account_number_expiry&limit=10";
    let mut told = Vec::new();
    for wait_s in [0, 86_400, 0] {
        app.pass_s(wait_s);
        let session = app.session(&customer, "").await;
        let picked = "institution=Tokenized+Account+Number\
                      &accounts[]=Eventually+Expiring+Tokenized+Account+Number";
        app.link(&session, picked).await;
        app.run_workers_until_idle().await;
        told.push(app.count(events).await);
    }
    assert_eq!(told, [1, 2, 2]);
}

/// When its tokenized number expires, an account does not support `us_bank_account` any more. A new
/// link brings it back. Each change emits one event and its thin counterpart (Stripe's API
/// reference: it occurs when the supported payment method types are updated).
#[tokio::test]
async fn payment_method_types_follow_the_number() {
    let (app, customer) = App::with_customer().await;
    let name = "financial_connections.account.supported_payment_method_types_updated";
    let picked = "institution=Tokenized+Account+Number\
                  &accounts[]=Immediately+Expiring+Tokenized+Account+Number";
    let mut seen = Vec::new();
    let mut account = String::new();
    for step in ["link", "expire", "link", "expire"] {
        if step == "link" {
            let session = app.session(&customer, "").await;
            account = app.link(&session, picked).await.text("/accounts/data/0/id");
            app.run_workers_until_idle().await;
        } else {
            app.elapse_s(60).await;
        }
        let types = app.retrieve(&account).await.at("/supported_payment_method_types");
        let events = app.count(&format!("/v1/events?type={name}")).await;
        let thin = app.get(&format!("/v2/core/events?types[]=v1.{name}")).await.ok();
        seen.push(format!("{step}: {types} {events} {}", thin.items("/data").len()));
    }
    insta::assert_snapshot!(seen.join("\n"), @r#"
    link: ["us_bank_account"] 0 0
    expire: [] 1 1
    link: ["us_bank_account"] 2 2
    expire: [] 3 3
    "#);
    let event = app.get(&format!("/v1/events?type={name}&limit=1")).await.ok();
    assert_eq!(event.at("/data/0/data/object/id"), account);
}

/// Each authorization at a bank with tokenized numbers gives a new account number and a new routing
/// number, so a later payment method has other digits and another fingerprint (Stripe's guide to
/// tokenized account numbers). The earlier payment method does not change.
#[tokio::test]
async fn each_link_gives_a_new_tokenized_number() {
    let (app, customer) = App::with_customer().await;
    let method = async |picked: &str| {
        let form = format!("{HOLDER}={customer}&permissions[]=payment_method");
        let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
        let account = app.link(&session, picked).await.text("/accounts/data/0/id");
        let form = format!(
            "type=us_bank_account&billing_details[name]=Ada\
             &us_bank_account[financial_connections_account]={account}"
        );
        let made = app.post("/v1/payment_methods", &form).await.ok();
        (account, made.at("/us_bank_account"), made.id())
    };
    let picked = "institution=Tokenized+Account+Number\
                  &accounts[]=Eventually+Expiring+Tokenized+Account+Number";
    let (account, first, id) = method(picked).await;
    let (same, second, _) = method(picked).await;
    assert_eq!(account, same, "the account is linked again");
    for name in ["last4", "fingerprint", "routing_number"] {
        assert_ne!(first[name], second[name], "{name}");
    }
    let kept = app.get(&format!("/v1/payment_methods/{id}")).await.ok();
    assert_eq!(kept.at("/us_bank_account"), first);
    let (_, permanent, _) = method("institution=Test+(OAuth)").await;
    let (_, again, _) = method("institution=Test+(OAuth)").await;
    assert_eq!(permanent, again, "a permanent number stays");
}
