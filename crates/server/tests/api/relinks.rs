//! Sessions that link again, in preview: the login of an authorization is renewed.

use crate::browser::{Browser, read, shown};
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::{App, BEGIN_S, DAY_S, FC, HELPERS, HOLDER, Options, Response};

const PREVIEW: &str = "2026-10-14.preview";

/// Creates a session in a preview version.
async fn make(app: &App, form: &str) -> Response {
    let form = format!("permissions[]=balances&{form}");
    app.in_version(PREVIEW).post(&format!("{FC}/sessions"), &form).await
}

/// Creates a session that renews the authorization of an account.
async fn relink(app: &App, account: &Response, more: &str) -> Response {
    let form = format!("relink_options[authorization]={}&{more}", account.text("/authorization"));
    make(app, &form).await.ok()
}

pub(crate) async fn account(app: &App, id: &str) -> Response {
    app.in_version(PREVIEW).get(&format!("{FC}/accounts/{id}")).await.ok()
}

async fn link(app: &App, session: &Response, more: &str) -> Response {
    app.in_version(PREVIEW).link_carrier(&session.id(), more).await
}

/// Links accounts of a new customer, and returns them by name.
async fn linked(app: &App, more: &str) -> Vec<Response> {
    let session = app.session(&app.customer().await, "").await;
    let mut accounts = Vec::new();
    for linked in app.link(&session, more).await.items("/accounts/data") {
        accounts.push(account(app, linked["id"].as_str().unwrap()).await);
    }
    accounts.sort_by_key(|account| account.text("/display_name"));
    accounts
}

/// Links two accounts at a bank that ends their access after a minute, and waits a minute.
async fn two_inactive(app: &App) -> [String; 2] {
    let more =
        "institution=Inactive Accounts&accounts[]=Inactive Checking&accounts[]=Inactive Savings";
    let accounts = linked(app, more).await;
    app.elapse_s(60).await;
    [accounts[0].id(), accounts[1].id()]
}

/// The types of all events of accounts and authorizations, oldest first.
async fn events(app: &App) -> Vec<String> {
    let types = app.event_types().await.into_iter();
    types.filter_map(|kind| Some(kind.strip_prefix("financial_connections.")?.to_owned())).collect()
}

fn names(session: &Response) -> Vec<Value> {
    session.items("/accounts/data").iter().map(|one| one["display_name"].clone()).collect()
}

/// All accounts of an authorization become active again under the same ids, and no account is
/// added. The session shows its purpose and its result. The request need not name the holder.
#[tokio::test]
async fn a_whole_authorization() {
    let app = App::start().await;
    let [checking, savings] = two_inactive(&app).await;
    let before = account(&app, &checking).await;
    assert_eq!(
        before.at("/status_details"),
        json!({"inactive": {"action": "relink_required", "cause": "access_expired"}})
    );
    let session = relink(&app, &before, "prefetch[]=balances").await;
    assert_eq!(session.at("/account_holder"), before.at("/account_holder"));
    let authorization = json!({"authorization": before.at("/authorization")});
    assert_eq!(session.at("/relink_options"), authorization);
    assert!(session.json().get("relink_result").is_none());

    let ended = link(&app, &session, "").await.ok();
    assert_eq!(ended.at("/status"), "succeeded");
    // stripe-node 23.1.0 declares the three keys of the result as always present.
    let result = json!({
        "account": null, "authorization": before.at("/authorization"), "failure_reason": null,
    });
    assert_eq!(ended.at("/relink_result"), result);
    assert_eq!(names(&ended), ["Inactive Savings", "Inactive Checking"]);
    for id in [&checking, &savings] {
        let after = account(&app, id).await;
        assert_eq!(after.at("/status"), "active");
        assert_eq!(after.at("/authorization"), before.at("/authorization"));
        assert_eq!(after.at("/balance_refresh/status"), "pending");
    }
    app.run_workers_until_idle().await;
    assert_eq!(
        events(&app).await,
        [
            "account.created",
            "account.created",
            "account.deactivated",
            "account.deactivated",
            "account.reactivated",
            "account.reactivated",
            "account.refreshed_balance",
            "account.refreshed_balance",
        ]
    );
}

/// For one account of an authorization, only that account can be picked, and the other is
/// unchanged. Permissions are added.
#[tokio::test]
async fn one_account_of_several() {
    let app = App::start().await;
    let [checking, savings] = two_inactive(&app).await;
    let before = account(&app, &savings).await;
    let form = format!("relink_options[account]={savings}&permissions[]=payment_method");
    let session = relink(&app, &before, &form).await;
    let both = json!({"account": savings, "authorization": before.at("/authorization")});
    assert_eq!(session.at("/relink_options"), both);
    let other = link(&app, &session, "accounts[]=Inactive Checking").await;
    insta::assert_snapshot!(other.api_error(), @"
    400 - accounts[0]: The session's relink_options[account] is another account than 'Inactive
      Checking'.
    ");

    let ended = link(&app, &session, "").await.ok();
    let result = json!({
        "account": savings, "authorization": before.at("/authorization"), "failure_reason": null,
    });
    assert_eq!(ended.at("/relink_result"), result);
    assert_eq!(names(&ended), ["Inactive Savings"]);
    assert_eq!(account(&app, &checking).await.at("/status"), "inactive");
    assert_eq!(
        account(&app, &savings).await.at("/permissions"),
        json!(["balances", "ownership", "payment_method", "transactions"])
    );
}

/// The pages of a hosted session that links again begin with the consent, offer one bank, and lead
/// back. No e-mail is sent.
#[tokio::test]
async fn on_its_own_page() {
    let app = App::start().await;
    let [checking, _] = two_inactive(&app).await;
    let before = account(&app, &checking).await;
    let hosted = "ui_mode=hosted&hosted[return_url]=https://shop.example/back\
                  &hosted[delivery_method]=email";
    let session = relink(&app, &before, hosted).await;
    assert_eq!(session.at("/hosted/delivery_method"), "email");
    let browser = Browser::at(&app, &session.text("/url"));
    insta::assert_snapshot!(shown(&browser.page().await), @"
    200
    T
    Reconnect your account to Test merchant
    At Inactive Accounts
    Test merchant will be able to see:
    Account details Name, type and last four digits, to show which accounts are connected
    Balances To see the amount of money in your accounts
    You choose the accounts in a later step. Test merchant never sees your password. You can ask
       Test merchant to stop at any time.
    > Agree and continue
    ");
    // There is no earlier pane and no other bank.
    assert!(read(&browser.step("back", "").await).contains("Reconnect your account to"));
    browser.step("consent", "").await;
    let ended = browser.step("login", "bank_username=ada&bank_password=error").await;
    assert!(!read(&ended).contains("another bank"), "{}", read(&ended));
    browser.step("back", "").await;
    browser.step("consent", "").await;
    let accounts = browser.step("login", "bank_username=ada&bank_password=secret").await;
    insta::assert_snapshot!(shown(&accounts), @"
    200
    Choose accounts
    Choose accounts
    [x] Inactive Checking Checking ending in …
    [x] Inactive Savings Savings ending in …
    > Connect accounts
    ");
    let done = browser.step("accounts", "account=0").await.ok();
    assert!(done.body.contains("content=\"0; url=https://shop.example/back\""), "{}", done.body);
    assert_eq!(account(&app, &checking).await.at("/status"), "active");
    let ended = app.session_in_preview(&session).await;
    assert_eq!(ended.at("/relink_result/authorization"), before.at("/authorization"));

    let strict = App::with(Options { strict: true, ..Options::default() }).await;
    let [checking, _] = two_inactive(&strict).await;
    let before = account(&strict, &checking).await;
    let form = format!("relink_options[authorization]={}&{hosted}", before.text("/authorization"));
    insta::assert_snapshot!(make(&strict, &form).await.api_error(), @"
    400 parameter_not_acted_on hosted[delivery_method]: hosted[delivery_method] is ignored by this
      server, and a strict server rejects it. Leave it out, or start the server without --strict.
    ");
}

/// If accounts are picked on the bank's page, the choice may change. New accounts belong to the
/// same authorization, and accounts that are no longer shared become inactive.
#[tokio::test]
async fn another_choice_at_the_bank() {
    let app = App::start().await;
    let accounts =
        linked(&app, "institution=Bank (OAuth)&accounts[]=Success&accounts[]=Savings").await;
    let (savings, success) = (&accounts[0], &accounts[1]);
    let session = relink(&app, success, "").await;
    let browser = Browser::open(&app, &session).await;
    browser.step("consent", "").await;
    let bank = browser.bank_page().await;
    let picked: Vec<&str> =
        bank.body.split("<input").filter(|input| input.contains(" checked")).collect();
    assert_eq!(picked.len(), 2, "{}", bank.body);
    browser.bank_step("allow", "account=0&account=3").await.ok();
    let ended = app.session_in_preview(&session).await;
    assert_eq!(ended.at("/status"), "succeeded");
    assert_eq!(names(&ended), ["High Balance", "Success"]);
    for shared in ended.items("/accounts/data") {
        assert_eq!(shared["authorization"], success.at("/authorization"));
    }
    assert_eq!(ended.at("/accounts/data/1/id"), success.at("/id"));
    let left_out = account(&app, &savings.id()).await;
    assert_eq!(
        left_out.at("/status_details"),
        json!({"inactive": {"action": "relink_required", "cause": "access_denied"}})
    );
    let created = "account.created";
    assert_eq!(events(&app).await, [created, created, created, "account.deactivated"]);
}

/// Each failure of a renewal has its reason and changes no data.
#[tokio::test]
async fn failures() {
    let app = App::start().await;
    let accounts =
        linked(&app, "institution=Bank (OAuth)&accounts[]=Success&accounts[]=Savings").await;
    let success = &accounts[1];
    let of_account = format!("relink_options[account]={}", success.id());
    let mut told = String::new();
    let mut tell = |how: &str, session: &Response| {
        let (status, result) = (session.text("/status"), session.at("/relink_result"));
        let _ = writeln!(told, "{how}: {status} {result}");
        assert!(session.items("/accounts/data").is_empty());
    };
    for outcome in ["cancel", "institution_down", "login_failed"] {
        let session = relink(&app, success, "").await;
        let ended = link(&app, &session, &format!("outcome={outcome}")).await.ok();
        tell(outcome, &ended);
    }
    let session = relink(&app, success, &of_account).await;
    tell("another account", &link(&app, &session, "accounts[]=Savings").await.ok());

    let session = relink(&app, success, &of_account).await;
    let browser = Browser::open(&app, &session).await;
    browser.step("consent", "").await;
    browser.bank_step("allow", "account=10").await.ok();
    assert!(read(&browser.page().await).contains("No account was connected"));
    tell("another account at the bank", &app.session_in_preview(&session).await);

    let inactive = account(&app, &two_inactive(&app).await[0]).await;
    for (how, more) in [
        ("left with the accounts in sight", String::new()),
        ("the same for one", format!("relink_options[account]={}", inactive.id())),
    ] {
        let session = relink(&app, &inactive, &more).await;
        let browser = Browser::open(&app, &session).await;
        browser.step("consent", "").await;
        browser.step("login", "bank_username=a&bank_password=b").await;
        browser.step("cancel", "").await.ok();
        tell(how, &app.session_in_preview(&session).await);
    }
    insta::assert_snapshot!(told, @r#"
    cancel: cancelled {"account":null,"authorization":null,"failure_reason":"no_authorization"}
    institution_down: failed {"account":null,"authorization":null,"failure_reason":"no_authorization"}
    login_failed: failed {"account":null,"authorization":null,"failure_reason":"no_authorization"}
    another account: failed {"account":null,"authorization":null,"failure_reason":"no_account"}
    another account at the bank: failed {"account":null,"authorization":null,"failure_reason":"no_account"}
    left with the accounts in sight: cancelled {"account":null,"authorization":null,"failure_reason":"other"}
    the same for one: cancelled {"account":null,"authorization":null,"failure_reason":"other"}
    "#);
    assert!(!events(&app).await.contains(&"account.reactivated".to_owned()));
}

/// An authorization that cannot be renewed is rejected with its parameter, and so are conflicting
/// parameters.
#[tokio::test]
async fn api_errors() {
    let app = App::start().await;
    let lasting = &linked(&app, "").await[0];
    let closed = &linked(&app, "accounts[]=Account closes after linking").await[0];
    let gone = &linked(&app, "").await[0];
    app.post(&format!("{FC}/accounts/{}/disconnect", gone.id()), "").await.ok();
    let of = |account: &Response| {
        format!("relink_options[authorization]={}", account.text("/authorization"))
    };
    let one = |account: &Response| format!("&relink_options[account]={}", account.id());
    let stranger = format!("&{HOLDER}={}", app.customer().await);
    let hosted = "&ui_mode=hosted&hosted[return_url]=https://a.example";
    let refused = [
        ("nobody and nothing", String::new()),
        ("no authorization", one(lasting)),
        ("an unknown one", "relink_options[authorization]=fcauth_x".to_owned()),
        ("an empty one", "relink_options[authorization]=".to_owned()),
        ("an unknown name", format!("{}&relink_options[x]=1", of(lasting))),
        ("an unknown account", format!("{}&relink_options[account]=fca_x", of(lasting))),
        ("the account of another", of(lasting) + &one(closed)),
        ("a closed one", of(closed)),
        ("the same by its account", of(closed) + &one(closed)),
        ("a disconnected one", of(gone)),
        ("that of another holder", of(lasting) + &stranger),
        ("hosted without need", of(lasting) + hosted),
        ("a delivery of nothing", format!("{stranger}{hosted}&hosted[delivery_method]=url")),
    ];
    let mut told = String::new();
    for (what, form) in refused {
        let _ = write!(told, "{what}\n{}", make(&app, &form).await.api_error());
    }
    insta::assert_snapshot!(told, @"
    nobody and nothing
    400 parameter_missing account_holder: Missing required parameter: account_holder.
    no authorization
    400 parameter_missing relink_options[authorization]: Missing required parameter:
      relink_options[authorization].
    an unknown one
    404 resource_missing relink_options[authorization]: No such Financial Connections authorization:
      'fcauth_x'
    an empty one
    400 parameter_invalid_empty relink_options[authorization]: relink_options[authorization] is an
      empty string. Send a value, or leave it out.
    an unknown name
    400 parameter_unknown relink_options[x]: Received unknown parameter: relink_options[x]
    an unknown account
    404 resource_missing relink_options[account]: No such Financial Connections account: 'fca_x'
    the account of another
    400 - relink_options[account]: This account does not belong to the authorization given.
    a closed one
    400 - relink_options[authorization]: Linking again does not help: nothing here is active or says
      relink_required.
    the same by its account
    400 - relink_options[account]: Linking again does not help: nothing here is active or says
      relink_required.
    a disconnected one
    400 - relink_options[authorization]: Linking again does not help: nothing here is active or says
      relink_required.
    that of another holder
    400 - account_holder[customer]: This is not the holder of the accounts to be linked again.
    hosted without need
    400 - relink_options[authorization]: A hosted session relinks only accounts that are inactive or
      have a tokenized account number that expires within 30 days.
    a delivery of nothing
    400 - hosted[delivery_method]: A delivery method goes with relink_options only.
    ");

    let session = relink(&app, lasting, "").await;
    let mut told = String::new();
    for more in ["institution=Bank (OAuth)", "institution=x", "seed=x", "accounts[]=x"] {
        let _ = write!(told, "{more}\n{}", link(&app, &session, more).await.api_error());
    }
    insta::assert_snapshot!(told, @"
    institution=Bank (OAuth)
    400 - institution: The session renews a login at Test (Non-OAuth).
    institution=x
    400 - institution: The session renews a login at Test (Non-OAuth).
    seed=x
    400 - seed: A link that renews a login logs in as the link before: leave the seed out.
    accounts[]=x
    400 - accounts[0]: The institution has no account 'x'.
    ");
    link(&app, &session, "institution=Test (Non-OAuth)").await.ok();
}

/// On a test clock, a bank that requires a new login every day: the loss is foreseen, access is
/// lost, and it is renewed repeatedly.
#[tokio::test]
async fn day_by_day_on_a_clock() {
    let (app, customer, clock) = App::on_clock().await;
    let session = app.session(&customer, "").await;
    let ended = app.link(&session, "institution=Immediately Requires Reauthentication").await;
    let id = ended.text("/accounts/data/0/id");
    app.advance(&clock, BEGIN_S + 60).await;
    for day in 0..2 {
        let now = BEGIN_S + 60 + day * DAY_S;
        let lost = account(&app, &id).await;
        assert_eq!(lost.at("/status_details/inactive/action"), "relink_required");
        let session = relink(&app, &lost, "").await;
        link(&app, &session, "").await.ok();
        let again = account(&app, &id).await;
        assert_eq!(again.at("/status"), "active");
        let expected = again.at("/status_details/active/expected_deactivation_date");
        assert_eq!(expected, now + DAY_S);
        app.advance(&clock, now + DAY_S).await;
    }
    assert_eq!(account(&app, &id).await.at("/status"), "inactive");
}

/// An expired number is renewed although its account was active all the time. That is sufficient
/// reason for a hosted session.
#[tokio::test]
async fn numbers_are_renewed() {
    let app = App::start().await;
    let more = "institution=Tokenized Account Number&accounts[]=Expired Tokenized Account Number";
    let expired = &linked(&app, more).await[0];
    assert_eq!(expired.at("/status"), "active");
    assert_eq!(expired.at("/account_numbers/0/status"), "deactivated");
    let hosted = "ui_mode=hosted&hosted[return_url]=https://a.example&hosted[delivery_method]=url";
    let session = relink(&app, expired, hosted).await;
    link(&app, &session, "").await.ok();
    let renewed = account(&app, &expired.id()).await;
    assert_eq!(renewed.at("/account_numbers/0/status"), "transactable");
    let told = events(&app).await;
    let renewal =
        ["account.account_numbers_updated", "account.supported_payment_method_types_updated"];
    assert!(told.ends_with(&renewal.map(str::to_owned)), "{told:?}");
    assert!(!told.contains(&"account.reactivated".to_owned()));
}

/// A hosted session asks a holder with an e-mail address only, and once in 48 hours unless the holder
/// has linked again (Stripe's guide of hosted relinks).
#[tokio::test]
async fn a_holder_is_asked_rarely_and_by_mail() {
    const LATER_S: i64 = 48 * 3_600;
    let app = App::start().await;
    let hosted = "ui_mode=hosted&return_url=https://a.example&hosted[delivery_method]=url";
    let customer = app.post("/v1/customers", "name=Ada").await.ok().id();
    let session = app.session(&customer, "").await;
    let ended = app.link(&session, "institution=Inactive Accounts").await;
    let unreachable = account(&app, &ended.text("/accounts/data/0/id")).await;
    let [checking, _] = two_inactive(&app).await;
    let lost = account(&app, &checking).await;

    let of = |account: &Response| {
        format!("relink_options[authorization]={}&{hosted}", account.text("/authorization"))
    };
    let one = format!("&relink_options[account]={checking}");
    let mut told = make(&app, &of(&unreachable)).await.api_error();
    make(&app, &of(&lost)).await.ok();
    for more in ["", &one] {
        let _ = write!(told, "\n{}", make(&app, &(of(&lost) + more)).await.api_error());
    }
    app.elapse_s(LATER_S - 1).await;
    let _ = write!(told, "\n{}", make(&app, &of(&lost)).await.api_error());
    insta::assert_snapshot!(told, @"
    400 - relink_options[authorization]: A hosted session relinks only accounts of a holder with an
      e-mail address. Set the email of the customer or of the connected account.

    400 - relink_options[authorization]: The holder got a hosted session for these accounts within
      the last 48 hours. Wait until it has succeeded, or until the 48 hours have passed.

    400 - relink_options[account]: The holder got a hosted session for these accounts within the
      last 48 hours. Wait until it has succeeded, or until the 48 hours have passed.

    400 - relink_options[authorization]: The holder got a hosted session for these accounts within
      the last 48 hours. Wait until it has succeeded, or until the 48 hours have passed.
    ");
    // A session on the merchant's page is no hosted request.
    relink(&app, &lost, "").await;

    app.elapse_s(1).await;
    let second = make(&app, &of(&lost)).await.ok();
    let left = link(&app, &second, "outcome=cancel").await.ok();
    assert_eq!(left.at("/relink_result/failure_reason"), "no_authorization");
    assert_eq!(make(&app, &of(&lost)).await.status, 400);
    app.elapse_s(LATER_S).await;
    let third = make(&app, &of(&lost)).await.ok();
    link(&app, &third, "").await.ok();
    app.post(&format!("{HELPERS}/accounts/{checking}/deactivate"), "cause=access_denied")
        .await
        .ok();
    make(&app, &of(&lost)).await.ok();
}

/// Accounts are found by their authorization for every kind of holder: a connected account, no
/// holder, or a customer with a changed seed.
#[tokio::test]
async fn the_same_accounts_whoever_holds_them() {
    let app = App::start().await;
    let made = app.post("/v1/accounts", "type=custom").await.ok().id();
    let form = format!(
        "account_holder[type]=account&account_holder[account]={made}&permissions[]=balances"
    );
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let connected = app.link(&session, "").await.text("/accounts/data/0/id");

    let customer = app.customer().await;
    let session = app.session(&customer, "").await;
    let seeded = app.link(&session, "seed=another").await.text("/accounts/data/0/id");
    app.post(&format!("/v1/customers/{customer}"), "email=new@example.com").await.ok();

    let form = "amount=100&currency=usd&payment_method_types[]=us_bank_account";
    let intent = app.post("/v1/payment_intents", form).await.ok().id();
    app.link_carrier(&intent, "").await.ok();
    let newest = app.get(&format!("{FC}/accounts?limit=1")).await.ok();
    assert!(newest.at("/data/0/account_holder").is_null(), "{}", newest.body);
    let nobodys = newest.text("/data/0/id");

    for id in [connected, seeded, nobodys] {
        let deactivate = format!("{HELPERS}/accounts/{id}/deactivate");
        app.post(&deactivate, "cause=access_denied").await.ok();
        let lost = account(&app, &id).await;
        let session = relink(&app, &lost, &format!("relink_options[account]={id}")).await;
        assert_eq!(session.at("/account_holder"), lost.at("/account_holder"));
        let ended = link(&app, &session, "").await.ok();
        assert_eq!(ended.at("/accounts/data/0/id"), id, "{}", ended.body);
        assert_eq!(account(&app, &id).await.at("/status"), "active");
    }
}
