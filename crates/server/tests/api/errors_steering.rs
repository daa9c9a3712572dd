//! Every error of each call about events, endpoints, clocks and the test banks, except errors that
//! all calls share. There is one test per resource.

use testkit::{App, BEGIN_S, HELPERS};

const CLOCKS: &str = "/v1/test_helpers/test_clocks";

/// Errors of calls about events.
#[tokio::test]
async fn events() {
    let app = App::start().await;
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", "/v1/events?type=a&types[]=b", ""),
        ("GET", "/v1/events?types=a", ""),
        ("GET", "/v1/events?delivery_success=yes", ""),
        ("GET", "/v1/events?starting_after=evt_1", ""),
        ("GET", "/v1/events/evt_1", ""),
        ("GET", "/v1/test_helpers/events/evt_1/deliveries", ""),
    ]).await, @"
    GET /v1/events?type=a&types[]=b
        400 parameters_exclusive type: You may give only one of these parameters: type, types.
    GET /v1/events?types=a
        400 - types: Invalid array: a
    GET /v1/events?delivery_success=yes
        400 - delivery_success: Invalid boolean: yes
    GET /v1/events?starting_after=evt_1
        400 resource_missing starting_after: No such event: 'evt_1'
    GET /v1/events/evt_1
        404 resource_missing id: No such event: 'evt_1'
    GET /v1/test_helpers/events/evt_1/deliveries
        404 resource_missing event: No such event: 'evt_1'
    ");
}

/// Errors of calls about webhook endpoints.
#[tokio::test]
async fn endpoints() {
    let app = App::start().await;
    let path = "/v1/webhook_endpoints";
    let with = |more: &str| format!("url=http://127.0.0.1:9/&enabled_events[]=*&{more}");
    let made = app.post(path, &with("")).await.ok().id();
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", path, "enabled_events[]=*"),
        ("POST", path, "url=http://127.0.0.1:9/"),
        ("POST", path, "url=nowhere&enabled_events[]=*"),
        ("POST", path, "url=ftp://example.com&enabled_events[]=*"),
        ("POST", path, "url=http://127.0.0.1:9/&enabled_events[]=*&enabled_events[]=customer.*"),
        ("POST", path, &with("api_version=newest")),
        ("POST", path, &with("connect=maybe")),
        ("POST", path, &with("disabled=true")),
        ("GET", &format!("{path}/we_1"), ""),
        ("POST", &format!("{path}/we_1"), "disabled=true"),
        ("DELETE", &format!("{path}/we_1"), ""),
        ("GET", &format!("{path}?starting_after=we_1"), ""),
        ("POST", &format!("{path}/we_1/roll_secret"), ""),
        ("POST", &format!("{path}/{made}/roll_secret"), "expires_after_seconds=86401"),
    ]).await, @"
    POST /v1/webhook_endpoints enabled_events[]=*
        400 parameter_missing url: Missing required parameter: url.
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/
        400 parameter_missing enabled_events: Missing required parameter: enabled_events.
    POST /v1/webhook_endpoints url=nowhere&enabled_events[]=*
        400 url_invalid url: Invalid URL: not a valid URL.
    POST /v1/webhook_endpoints url=ftp://example.com&enabled_events[]=*
        400 url_invalid url: Invalid URL: the URL must begin with http or https.
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&enabled_events[]=*&
      enabled_events[]=customer.*
        400 - enabled_events[1]: customer.* is not the name of an event type. Did you mean
          customer.updated?
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&enabled_events[]=*&api_version=newest
        400 - api_version: Invalid Stripe API version: newest
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&enabled_events[]=*&connect=maybe
        400 - connect: Invalid boolean: maybe
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&enabled_events[]=*&disabled=true
        400 parameter_unknown disabled: Received unknown parameter: disabled
    GET /v1/webhook_endpoints/we_1
    POST /v1/webhook_endpoints/we_1 disabled=true
    DELETE /v1/webhook_endpoints/we_1
        404 resource_missing id: No such webhook endpoint: 'we_1'
    GET /v1/webhook_endpoints?starting_after=we_1
        400 resource_missing starting_after: No such webhook endpoint: 'we_1'
    POST /v1/webhook_endpoints/we_1/roll_secret
        404 resource_missing id: No such webhook endpoint: 'we_1'
    POST /v1/webhook_endpoints/we_…/roll_secret expires_after_seconds=86401
        400 parameter_invalid_integer expires_after_seconds: Invalid integer: expires_after_seconds
          must be between 0 and 86400
    ");
    for _ in 1..16 {
        app.post(path, &with("")).await.ok();
    }
    insta::assert_snapshot!(app.post(path, &with("")).await.api_error(), @"
    400: Limit reached: at most 16 webhook endpoints. Delete one first.
    ");
}

/// Errors of calls about test clocks. While a clock advances, its objects are locked.
#[tokio::test]
async fn clocks() {
    let app = App::start().await;
    let now = BEGIN_S;
    let clock = app.post(CLOCKS, &format!("frozen_time={now}")).await.ok().id();
    let customer = app.post("/v1/customers", &format!("test_clock={clock}")).await.ok();
    let advance = format!("{CLOCKS}/{clock}/advance");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", CLOCKS, ""),
        ("POST", CLOCKS, "frozen_time=-1"),
        ("GET", &format!("{CLOCKS}/clock_1"), ""),
        ("DELETE", &format!("{CLOCKS}/clock_1"), ""),
        ("POST", &format!("{CLOCKS}/clock_1/advance"), "frozen_time=1"),
        ("GET", &format!("{CLOCKS}?starting_after=clock_1"), ""),
        ("POST", &advance, ""),
        ("POST", &advance, &format!("frozen_time={now}")),
        ("POST", &advance, &format!("frozen_time={}", now + 3 * 366 * 86_400)),
    ]).await, @"
    POST /v1/test_helpers/test_clocks
        400 parameter_missing frozen_time: Missing required parameter: frozen_time.
    POST /v1/test_helpers/test_clocks frozen_time=-1
        400 parameter_invalid_integer frozen_time: Invalid integer: frozen_time must be between 0
          and 253402300799
    GET /v1/test_helpers/test_clocks/clock_1
    DELETE /v1/test_helpers/test_clocks/clock_1
    POST /v1/test_helpers/test_clocks/clock_1/advance frozen_time=1
        404 resource_missing test_clock: No such test clock: 'clock_1'
    GET /v1/test_helpers/test_clocks?starting_after=clock_1
        400 resource_missing starting_after: No such test clock: 'clock_1'
    POST /v1/test_helpers/test_clocks/clock_…/advance
        400 parameter_missing frozen_time: Missing required parameter: frozen_time.
    POST /v1/test_helpers/test_clocks/clock_…/advance frozen_time=1767225600
    POST /v1/test_helpers/test_clocks/clock_…/advance frozen_time=1862092800
        400 - frozen_time: frozen_time must be later than 1767225600, the time this clock shows, by
          at most 63244800 seconds.
    ");

    let later = format!("frozen_time={}", now + 60);
    assert_eq!(app.post(&advance, &later).await.ok().text("/status"), "advancing");
    let update = format!("/v1/customers/{}", customer.id());
    let locked = app.api_errors(&[("POST", &update, "name=x"), ("POST", &advance, &later)]).await;
    insta::assert_snapshot!(locked, @"
    POST /v1/customers/cus_… name=x
    POST /v1/test_helpers/test_clocks/clock_…/advance frozen_time=1767225660
        429 lock_timeout: The object is being changed by another request or process. Try again.
    ");
    let locked = app.post(&update, "name=x").await;
    assert_eq!(locked.header("stripe-should-retry"), Some("true"));
    app.run_workers_until_idle().await;
    assert_eq!(app.get(&format!("{CLOCKS}/{clock}")).await.ok().text("/status"), "ready");
    app.post(&update, "name=x").await.ok();
}

/// Errors of linking.
#[tokio::test]
async fn linking() {
    let (app, customer) = App::with_customer().await;
    let session = app.session(&customer, "limits[accounts]=1").await;
    let path = format!("{HELPERS}/link");
    let with = |more: &str| format!("carrier={}&{more}", session.id());
    let savings = app.session(&customer, "filters[account_subcategories][]=savings").await;
    let savings = format!("carrier={}&accounts[]=Success", savings.id());
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &path, ""),
        ("POST", &path, "client_secret=fcsess_client_secret_x"),
        ("POST", &path, "carrier=fcsess_1"),
        ("POST", &path, &with("client_secret=x")),
        ("POST", &path, &with("institution=Bank+of+Nowhere")),
        ("POST", &path, &with("outcome=maybe")),
        ("POST", &path, &with("accounts[]=Nothing")),
        ("POST", &path, &with("accounts[]=Success&accounts[]=Savings")),
        ("POST", &path, &with("institution=Down+(Scheduled)")),
        ("POST", &path, &savings),
    ]).await, @"
    POST HELPERS/link
        400 parameter_missing client_secret: Missing required parameter: client_secret or carrier.
    POST HELPERS/link client_secret=fcsess_client_secret_x
        400 - client_secret: No link flow has this client secret.
    POST HELPERS/link carrier=fcsess_1
        404 resource_missing carrier: No such Financial Connections session: 'fcsess_1'
    POST HELPERS/link carrier=fcsess_…&client_secret=x
        400 parameters_exclusive client_secret: You may give only one of these parameters:
          client_secret, carrier.
    POST HELPERS/link carrier=fcsess_…&institution=Bank+of+Nowhere
        400 - institution: No such institution: 'Bank of Nowhere'.
    POST HELPERS/link carrier=fcsess_…&outcome=maybe
        400 - outcome: Invalid outcome: must be one of success, cancel, custom_manual_entry,
          institution_down, or login_failed
    POST HELPERS/link carrier=fcsess_…&accounts[]=Nothing
        400 - accounts[0]: The institution has no account 'Nothing'.
    POST HELPERS/link carrier=fcsess_…&accounts[]=Success&accounts[]=Savings
        400 - accounts: This session links at most 1 account.
    POST HELPERS/link carrier=fcsess_…&institution=Down+(Scheduled)
        400 - institution: Down (Scheduled) is down for maintenance until 1767232800.
    POST HELPERS/link carrier=fcsess_…&accounts[]=Success
        400 - accounts[0]: The session's filters[account_subcategories] leaves out 'Success'.
    ");
    app.post(&path, &with("outcome=cancel")).await.ok();
    let expired = app.session(&customer, "").await;
    app.pass_s(86_400);
    let expired = format!("carrier={}", expired.id());
    let told = app.api_errors(&[("POST", &path, &with("")), ("POST", &path, &expired)]).await;
    insta::assert_snapshot!(told, @"
    POST HELPERS/link carrier=fcsess_…&
        400: This link flow has ended; make a new session to link again.
    POST HELPERS/link carrier=fcsess_…
        400: This link flow has expired; make a new session.
    ");
}

/// Errors of the bank controls.
#[tokio::test]
async fn steering() {
    let app = App::start().await;
    let account = format!("{HELPERS}/accounts/{}", app.account().await);
    let of = |call: &str| format!("{account}/{call}");
    let id = app.post(&of("transactions"), "amount=-100").await.ok().id();
    let posted = of(&format!("transactions/{id}"));
    let unknown = |call: &str| format!("{HELPERS}/accounts/fca_1/{call}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &of("transactions"), ""),
        ("POST", &of("transactions"), "amount=1&currency=dollar"),
        ("POST", &of("transactions"), "amount=1&status=void"),
        ("POST", &of("transactions"), "amount=1&transacted_at=4000000000"),
        ("POST", &posted, ""),
        ("POST", &posted, "status=gone"),
        ("POST", &posted, "status=posted"),
        ("POST", &of("transactions/nothing"), "amount=1"),
        ("POST", &of("balance"), ""),
        ("POST", &of("owners"), ""),
        ("POST", &of("owners"), "owners[0][email]=ada@example.com"),
        ("POST", &of("next_refresh"), "outcome=succeeded&cause=institution_error"),
        ("POST", &of("next_refresh"), "cause=interrupted"),
        ("POST", &of("next_refresh"), "cause=weather"),
        ("POST", &of("next_refresh"), "delay_seconds=-1"),
        ("POST", &of("next_refresh"), "times=0"),
        ("POST", &of("deactivate"), "cause=weather"),
        ("POST", &of("deactivate"), "action=wait"),
        ("POST", &unknown("transactions"), "amount=1"),
        ("POST", &unknown("balance"), "current=1"),
        ("POST", &unknown("owners"), "owners="),
        ("GET", &unknown("ledger"), ""),
        ("POST", &unknown("next_refresh"), ""),
        ("GET", &unknown("next_refresh"), ""),
        ("DELETE", &unknown("next_refresh"), ""),
        ("POST", &unknown("deactivate"), ""),
        ("POST", &unknown("reactivate"), ""),
        ("GET", &format!("{HELPERS}/institutions?limit=1"), ""),
    ]).await.replace(&id, "ID"), @"
    POST HELPERS/accounts/fca_…/transactions
        400 parameter_missing amount: Missing required parameter: amount.
    POST HELPERS/accounts/fca_…/transactions amount=1&currency=dollar
        400 - currency: A currency is given as three letters, such as usd.
    POST HELPERS/accounts/fca_…/transactions amount=1&status=void
        400 - status: Invalid status: must be one of pending or posted
    POST HELPERS/accounts/fca_…/transactions amount=1&transacted_at=4000000000
        400 - transacted_at: The test bank refuses: the time must lie between 1751673600 and
          1767225600.
    POST HELPERS/accounts/fca_…/transactions/ID
        400: The test bank refuses: nothing to change.
    POST HELPERS/accounts/fca_…/transactions/ID status=gone
        400 - status: Invalid status: must be one of pending, posted, or void
    POST HELPERS/accounts/fca_…/transactions/ID status=posted
        400 - status: The test bank refuses: the transaction is posted at the bank.
    POST HELPERS/accounts/fca_…/transactions/nothing amount=1
        404 resource_missing transaction: The test bank refuses: no such transaction at the bank.
    POST HELPERS/accounts/fca_…/balance
        400 parameter_missing current: Missing required parameter: current.
    POST HELPERS/accounts/fca_…/owners
        400 parameter_missing owners: Missing required parameter: owners.
    POST HELPERS/accounts/fca_…/owners owners[0][email]=ada@example.com
        400 parameter_missing owners[0][name]: Missing required parameter: owners[0][name].
    POST HELPERS/accounts/fca_…/next_refresh outcome=succeeded&cause=institution_error
        400 - cause: A refresh that succeeds has no cause to fail.
    POST HELPERS/accounts/fca_…/next_refresh cause=interrupted
    POST HELPERS/accounts/fca_…/next_refresh cause=weather
        400 - cause: Invalid cause: must be one of institution_unavailable, institution_timeout,
          institution_error, login_required, access_denied, account_closed, account_unavailable, or
          unsupported
    POST HELPERS/accounts/fca_…/next_refresh delay_seconds=-1
        400 parameter_invalid_integer delay_seconds: Invalid integer: delay_seconds must be between
          0 and 2592000
    POST HELPERS/accounts/fca_…/next_refresh times=0
        400 parameter_invalid_integer times: Invalid integer: times must be between 1 and 1000
    POST HELPERS/accounts/fca_…/deactivate cause=weather
        400 - cause: Invalid cause: must be one of access_denied, access_expired, account_closed,
          account_unavailable, institution_requirement, or unspecified
    POST HELPERS/accounts/fca_…/deactivate action=wait
        400 - action: Invalid action: must be one of none or relink_required
    POST HELPERS/accounts/fca_1/transactions amount=1
    POST HELPERS/accounts/fca_1/balance current=1
    POST HELPERS/accounts/fca_1/owners owners=
    GET HELPERS/accounts/fca_1/ledger
    POST HELPERS/accounts/fca_1/next_refresh
    GET HELPERS/accounts/fca_1/next_refresh
    DELETE HELPERS/accounts/fca_1/next_refresh
    POST HELPERS/accounts/fca_1/deactivate
    POST HELPERS/accounts/fca_1/reactivate
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    GET HELPERS/institutions?limit=1
        400 parameter_unknown limit: Received unknown parameter: limit
    ");
}
