//! Live mode without a connector to a real bank, and the registration that it requires.

use model::account::Permission;
use model::connections_settings::Registration;
use testkit::{App, Client, FC, HOLDER, Recorder};

/// Completes the registration, and creates a live mode customer with a session. Returns the
/// session.
async fn session(app: &App, live: &Client) -> testkit::Response {
    app.keys().register_all(1);
    live.session(&live.customer().await, "").await
}

/// Every test helper rejects a live key.
#[tokio::test]
async fn test_helpers_refuse_live_keys() {
    let app = App::start().await;
    let told = app
        .live()
        .api_errors(&[
            ("POST", "/v1/test_helpers/test_clocks", "frozen_time=1767225600"),
            ("GET", "/v1/test_helpers/test_clocks", ""),
            ("POST", "/v1/test_helpers/financial_connections/link", "client_secret=x"),
            ("GET", "/v1/test_helpers/financial_connections/institutions", ""),
            ("POST", "/v1/customers", "test_clock=clock_1"),
            ("GET", "/v1/customers?test_clock=clock_1", ""),
        ])
        .await;
    insta::assert_snapshot!(told, @"
    POST /v1/test_helpers/test_clocks frozen_time=1767225600
    GET /v1/test_helpers/test_clocks
    POST HELPERS/link client_secret=x
    GET HELPERS/institutions
        400: This call works in test mode only. Use a test key (sk_test_…).
    POST /v1/customers test_clock=clock_1
    GET /v1/customers?test_clock=clock_1
        400 - test_clock: Test clocks exist in test mode only.
    ");
}

/// Test payment methods and the test bank's numbers have no special meaning in live mode. Other
/// numbers are stored, and no account is debited.
#[tokio::test]
async fn nothing_for_tests_is_taken() {
    let app = App::start().await;
    let live = app.live();
    let method = "type=us_bank_account&billing_details[name]=Ada\
                  &us_bank_account[account_holder_type]=individual";
    let numbers = |routing: &str, account: &str| {
        format!(
            "{method}&us_bank_account[routing_number]={routing}\
             &us_bank_account[account_number]={account}"
        )
    };
    let customer = format!("customer={}", live.customer().await);
    let test_bank = numbers("110000000", "000123456789");
    insta::assert_snapshot!(live.api_errors(&[
        ("POST", "/v1/payment_methods", &test_bank),
        ("POST", "/v1/payment_methods/pm_usBankAccount_success/attach", &customer),
        (
            "POST",
            "/v1/payment_intents",
            "amount=100&currency=usd&payment_method_types[]=us_bank_account\
             &payment_method=pm_usBankAccount_success",
        ),
    ]).await, @"
    POST /v1/payment_methods type=us_bank_account&billing_details[name]=Ada&
      us_bank_account[account_holder_type]=individual&us_bank_account[routing_number]=110000000&
      us_bank_account[account_number]=000123456789
        400 routing_number_invalid us_bank_account[routing_number]: This is the routing number of
          the test bank, which only test mode knows.
    POST /v1/payment_methods/pm_usBankAccount_success/attach customer=cus_…
    POST /v1/payment_intents amount=100&currency=usd&payment_method_types[]=us_bank_account&
      payment_method=pm_usBankAccount_success
        404 resource_missing payment_method: No such PaymentMethod: 'pm_usBankAccount_success'
    ");

    let real = numbers("021000021", "000123456789");
    let method = live.post("/v1/payment_methods", &real).await.ok();
    assert_eq!(method.at("/livemode"), true);
    let form = format!(
        "amount=100&currency=usd&payment_method_types[]=us_bank_account&confirm=true\
         &payment_method={}",
        method.id()
    );
    insta::assert_snapshot!(live.post("/v1/payment_intents", &form).await.api_error(), @"
    400: This server cannot debit bank accounts in live mode: it has no connector that moves money.
      Nothing was changed.
    ");
    assert_eq!(live.count("/v1/payment_intents").await, 0);
}

/// The link flow opens in live mode, and reports that its list of banks is empty.
#[tokio::test]
async fn the_list_of_banks_is_empty_and_says_so() {
    let app = App::start().await;
    let live = app.live();
    let session = session(&app, &live).await;
    let form = format!("client_secret={}", session.text("/client_secret"));
    let flow = live.post("/v1/link_flows", &form).await.ok();
    let url = flow.text("/url");
    let path = url.split_once("/link/").unwrap().1;
    let page = live.bare_request("GET", &format!("/link/{path}")).send().await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("No banks are available yet"), "{}", page.body);
    assert!(page.body.contains("is not connected to real banks yet"), "{}", page.body);
    assert!(!page.body.contains("Test mode"), "{}", page.body);
    assert!(!page.body.contains("<button class=\"bank\""), "{}", page.body);
}

/// Without the registration, sessions, refreshes, subscriptions and lists of transactions are
/// rejected for every object. So is the link flow of a payment. The error has a code, and it
/// contains the address of the page with the registration. Test keys of the same merchant are not
/// affected.
#[tokio::test]
async fn live_data_needs_the_registration() {
    let app = App::start().await;
    let live = app.live();
    let customer = live.customer().await;
    let account = "fca_1";
    let session = format!("{HOLDER}={customer}&permissions[]=balances");
    insta::assert_snapshot!(live.api_errors(&[
        ("POST", &format!("{FC}/sessions"), &session),
        ("POST", &format!("{FC}/accounts/{account}/refresh"), "features[]=transactions"),
        ("POST", &format!("{FC}/accounts/{account}/subscribe"), "features[]=transactions"),
        ("GET", &format!("{FC}/transactions?account={account}"), ""),
    ]).await, @"
    POST …/sessions HOLDER=cus_…&permissions[]=balances
        400 financial_connections_registration_required: Your registration for the live data of
          Financial Connections was not requested for balances. The operator of this server changes
          it with `bankfeed registration set`. http://127.0.0.1:12111/settings shows it.
    POST …/accounts/fca_1/refresh features[]=transactions
    POST …/accounts/fca_1/subscribe features[]=transactions
    GET …/transactions?account=fca_1
        400 financial_connections_registration_required: Your registration for the live data of
          Financial Connections was not requested for transactions. The operator of this server
          changes it with `bankfeed registration set`. http://127.0.0.1:12111/settings shows it.
    ");

    let test = app.with_key(&app.keys().issue(1, false).secret);
    let account = test.account().await;
    app.run_workers_until_idle().await;
    test.subscribe(&account).await;
    app.run_workers_until_idle().await;
    test.get(&format!("{FC}/transactions?account={account}")).await.ok();
    app.pass_s(10);
    test.refresh(&account, "transactions").await;
}

/// Once the registration of a kind of data is complete, the same calls proceed. Other kinds are
/// still rejected. The merchant's own key cannot change it.
#[tokio::test]
async fn the_registration_is_completed_by_kind() {
    let app = App::start().await;
    let live = app.live();
    let settings = format!("{FC}/settings");
    insta::assert_snapshot!(live.get(&settings).await.shown(), @r#"
    200
    {
      livemode: true
      object: "financial_connections.settings"
      permissions: ["payment_method"]
      prefetch: []
      registration: {
        balances: "unrequested"
        ownership: "unrequested"
        payment_method: "unrequested"
        transactions: "unrequested"
      }
      url: "http://127.0.0.1:12111/settings"
    }
    "#);
    app.keys().register(1, Permission::Transactions, Registration::Active);
    let completed = live.get(&settings).await.ok();
    insta::assert_snapshot!(completed.at("/registration"), @r#"{"balances":"unrequested","ownership":"unrequested","payment_method":"unrequested","transactions":"active"}"#);

    let customer = live.customer().await;
    let session = |permission: &str| format!("{HOLDER}={customer}&permissions[]={permission}");
    let sessions = format!("{FC}/sessions");
    let made = live.post(&sessions, &session("transactions")).await.ok();
    assert_eq!(made.at("/livemode"), true);
    insta::assert_snapshot!(live.api_errors(&[
        ("POST", &sessions, &session("balances")),
        ("POST", &format!("{FC}/accounts/fca_1/refresh"), "features[]=transactions"),
        ("POST", &format!("{FC}/accounts/fca_1/subscribe"), "features[]=transactions"),
        ("GET", &format!("{FC}/transactions?account=fca_1"), ""),
        ("POST", &settings, "registration[transactions]=active"),
        ("POST", &settings, "registration[transactions]=done"),
        ("POST", &settings, "registration[names]=active"),
    ]).await, @"
    POST …/sessions HOLDER=cus_…&permissions[]=balances
        400 financial_connections_registration_required: Your registration for the live data of
          Financial Connections was not requested for balances. The operator of this server changes
          it with `bankfeed registration set`. http://127.0.0.1:12111/settings shows it.
    POST …/accounts/fca_1/refresh features[]=transactions
    POST …/accounts/fca_1/subscribe features[]=transactions
    GET …/transactions?account=fca_1
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    POST …/settings registration[transactions]=active
        403 - registration: In live mode only the operator of this server changes a registration:
          bankfeed registration set.
    POST …/settings registration[transactions]=done
        400 - registration[transactions]: Invalid registration[transactions]: must be one of
          unrequested, pending, rejected, active, or revoked
    POST …/settings registration[names]=active
        400 parameter_unknown registration[names]: Received unknown parameter: registration[names]
    ");
    // The settings of test mode are separate, and need no registration.
    let test = app.with_key(&app.keys().issue(1, false).secret);
    let shown = test.get(&settings).await.ok().at("/registration");
    insta::assert_snapshot!(shown, @r#"{"balances":"active","ownership":"active","payment_method":"active","transactions":"active"}"#);
}

/// The registration of a platform covers its connected accounts. In live mode an account that the
/// platform did not create is unknown.
#[tokio::test]
async fn a_platform_is_registered_for_its_accounts() {
    let app = App::start().await;
    let live = app.live();
    let account = live.post("/v1/accounts", "type=custom&country=US").await.ok().id();
    let call = |path: &str, form: &str| {
        live.request("POST", path).header("Stripe-Account", &account).form(form).send()
    };
    let customer = call("/v1/customers", "name=Ada").await.ok();
    assert_eq!(customer.at("/livemode"), true);
    let form = format!("{HOLDER}={}&permissions[]=transactions", customer.id());
    let sessions = format!("{FC}/sessions");
    assert_eq!(call(&sessions, &form).await.status, 400);
    app.keys().register(1, Permission::Transactions, Registration::Active);
    call(&sessions, &form).await.ok();

    let unknown = "acct_0000000000000000000000Zz";
    let refused = live.request("GET", "/v1/customers").header("Stripe-Account", unknown);
    insta::assert_snapshot!(refused.send().await.api_error(), @"
    403 account_invalid: The API key has no access to the account 'acct_…': there is no such
      account, or it is no longer connected to yours.
    ");
}

/// A live endpoint is https to a public address, or either scheme to a network that the operator
/// allows. The servers of tests allow loopback addresses.
#[tokio::test]
async fn live_webhooks_stay_out_of_private_networks() {
    let app = App::start().await;
    let live = app.live();
    let endpoint = |url: &str| format!("enabled_events[]=*&url={url}");
    let allowed = ["https://example.com/hook", "https://127.0.0.1:9/", "http://127.0.0.1:9/"];
    for url in allowed {
        live.post("/v1/webhook_endpoints", &endpoint(url)).await.ok();
    }
    let forbidden = ["https://10.0.0.1/", "http://10.0.0.1/", "http://8.8.8.8/"].map(endpoint);
    let calls = forbidden.each_ref().map(|form| ("POST", "/v1/webhook_endpoints", form.as_str()));
    insta::assert_snapshot!(live.api_errors(&calls).await, @"
    POST /v1/webhook_endpoints enabled_events[]=*&url=https://10.0.0.1/
        400 url_invalid url: Invalid URL: the address is not public.
    POST /v1/webhook_endpoints enabled_events[]=*&url=http://10.0.0.1/
    POST /v1/webhook_endpoints enabled_events[]=*&url=http://8.8.8.8/
        400 url_invalid url: Invalid URL: http is for the allowed private addresses only.
    ");
    for url in ["http://10.0.0.1/", "http://8.8.8.8/"] {
        app.post("/v1/webhook_endpoints", &endpoint(url)).await.ok();
    }
}

/// A webhook of live mode reaches a receiver in a network that is allowed.
#[tokio::test]
async fn live_webhooks_reach_allowed_receivers() {
    let (app, receiver) = (App::start().await, Recorder::start().await.unwrap());
    let live = app.live();
    live.endpoint(&receiver.url, "customer.created", "").await.ok();
    live.post("/v1/customers", "").await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(receiver.take().len(), 1);
}

/// In test mode a test sets the states of the registration. Each state other than `active` rejects
/// the calls that live mode would reject, and a reset of the sandbox removes it.
#[tokio::test]
async fn test_mode_rehearses_the_registration() {
    let (app, account) = App::with_account().await;
    app.subscribe(&account).await;
    app.run_workers_until_idle().await;
    let settings = format!("{FC}/settings");
    let list = format!("{FC}/transactions?account={account}");
    let row = app.get(&list).await.ok().text("/data/0/id");
    let unlinked = app.session(&app.customer().await, "").await;
    let mut errors = Vec::new();
    for state in ["unrequested", "pending", "rejected", "revoked"] {
        app.post(&settings, &format!("registration[transactions]={state}")).await.ok();
        let rejected = app.get(&list).await;
        assert_eq!(rejected.text("/error/code"), "financial_connections_registration_required");
        let message = rejected.text("/error/message");
        errors.push(message.split_once(" for transactions").unwrap().0.to_owned());
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    Your registration for the live data of Financial Connections was not requested
    Your registration for the live data of Financial Connections is pending
    Your registration for the live data of Financial Connections was rejected
    Your registration for the live data of Financial Connections was revoked
    ");
    let row = app.get(&format!("{FC}/transactions/{row}")).await;
    assert_eq!(row.text("/error/code"), "financial_connections_registration_required");
    let linked = app.link_carrier(&unlinked.id(), "").await;
    assert_eq!(linked.text("/error/code"), "financial_connections_registration_required");
    app.pass_s(60);
    let refresh = format!("{FC}/accounts/{account}/refresh");
    assert_eq!(app.post(&refresh, "features[]=transactions").await.status, 400);
    app.post(&refresh, "features[]=balance").await.ok();
    app.post(&settings, "registration[transactions]=active").await.ok();
    app.get(&list).await.ok();
    app.post(&settings, "registration[balances]=pending").await.ok();
    app.post("/v1/test_helpers/reset", "").await.ok();
    let shown = app.get(&settings).await.ok().at("/registration/balances");
    assert_eq!(shown, "active");
}
