//! Every error of each call about customers and accounts, except errors that all calls share. There
//! is one test per resource.

use testkit::{App, FC, HOLDER};

/// Errors of calls about customers.
#[tokio::test]
async fn customers() {
    let app = App::start().await;
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", "/v1/customers", "email=ada"),
        ("POST", "/v1/customers", &format!("name={}", "x".repeat(257))),
        ("POST", "/v1/customers", "test_clock=clock_1"),
        ("POST", "/v1/customers", "shipping[address][city]=Rome"),
        ("GET", "/v1/customers/cus_1", ""),
        ("POST", "/v1/customers/cus_1", "name=x"),
        ("DELETE", "/v1/customers/cus_1", ""),
        ("GET", "/v1/customers?test_clock=clock_1", ""),
        ("GET", "/v1/customers?ending_before=cus_1", ""),
    ]).await, @"
    POST /v1/customers email=ada
        400 email_invalid email: Invalid email address: ada
    POST /v1/customers name=…
        400 - name: Invalid string: name may have at most 256 characters
    POST /v1/customers test_clock=clock_1
        404 resource_missing test_clock: No such test clock: 'clock_1'
    POST /v1/customers shipping[address][city]=Rome
        400 parameter_missing shipping[name]: Missing required parameter: shipping[name].
    GET /v1/customers/cus_1
    POST /v1/customers/cus_1 name=x
    DELETE /v1/customers/cus_1
        404 resource_missing id: No such customer: 'cus_1'
    GET /v1/customers?test_clock=clock_1
        404 resource_missing test_clock: No such test clock: 'clock_1'
    GET /v1/customers?ending_before=cus_1
        400 resource_missing ending_before: No such customer: 'cus_1'
    ");
    let keys: Vec<String> = (0..51).map(|number| format!("metadata[{number}]=1")).collect();
    let one_too_many = app.post("/v1/customers", &keys.join("&")).await;
    insta::assert_snapshot!(one_too_many.api_error(), @"
    400 - metadata: An object may have at most 50 metadata keys.
    ");
}

/// Errors of calls about sessions.
#[tokio::test]
async fn sessions() {
    let (app, customer) = App::with_customer().await;
    let path = format!("{FC}/sessions");
    let holder = format!("{HOLDER}={customer}");
    let with = |more: &str| format!("{holder}&permissions[]=transactions&{more}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &path, ""),
        ("POST", &path, "account_holder[type]=person&permissions[]=balances"),
        ("POST", &path, "account_holder[type]=customer&permissions[]=balances"),
        ("POST", &path, "account_holder[type]=account&permissions[]=balances"),
        ("POST", &path, "account_holder[customer]=cus_1&permissions[]=balances"),
        (
            "POST",
            &path,
            "account_holder[type]=customer&account_holder[customer_account]=cuss_1&permissions[]=balances",
        ),
        ("POST", &path, &with("account_holder[account]=acct_1")),
        (
            "POST",
            &path,
            "account_holder[type]=customer&account_holder[customer]=cus_1&permissions[]=balances",
        ),
        ("POST", &path, &holder),
        ("POST", &path, &format!("{holder}&permissions[]=balance")),
        ("POST", &path, &with("prefetch[]=balance")),
        ("POST", &path, &with("prefetch[]=transactions&prefetch[]=ownership")),
        ("POST", &path, &with("filters[account_subcategories][]=other")),
        ("POST", &path, &with("filters[country]=USA")),
        ("POST", &path, &with("filters[countries][]=U1")),
        ("POST", &path, &with("filters[require_payment_method_support]=some")),
        ("POST", &path, &with("limits[x]=1")),
        ("POST", &path, &with("limits[accounts]=0")),
        ("POST", &path, &with("manual_entry[mode]=custom")),
        ("POST", &path, &with("return_url=")),
        ("GET", &format!("{path}/fcsess_1"), ""),
    ]).await, @"
    POST …/sessions
        400 parameter_missing account_holder: Missing required parameter: account_holder.
    POST …/sessions account_holder[type]=person&permissions[]=balances
        400 - account_holder[type]: Invalid account_holder[type]: must be one of account or customer
    POST …/sessions account_holder[type]=customer&permissions[]=balances
        400 parameter_missing account_holder[customer]: Missing required parameter:
          account_holder[customer].
    POST …/sessions account_holder[type]=account&permissions[]=balances
        400 parameter_missing account_holder[account]: Missing required parameter:
          account_holder[account].
    POST …/sessions account_holder[customer]=cus_1&permissions[]=balances
        400 parameter_missing account_holder[type]: Missing required parameter:
          account_holder[type].
    POST …/sessions account_holder[type]=customer&account_holder[customer_account]=cuss_1&
      permissions[]=balances
        400 - account_holder[customer_account]: This server has no v2 customer accounts; name a
          customer (cus_…) instead.
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&account_holder[account]=acct_1
        400 - account_holder[account]: account_holder[account] does not go with an account holder of
          type customer.
    POST …/sessions HOLDER=cus_1&permissions[]=balances
        404 resource_missing account_holder[customer]: No such customer: 'cus_1'
    POST …/sessions HOLDER=cus_…
        400 parameter_missing permissions: Missing required parameter: permissions.
    POST …/sessions HOLDER=cus_…&permissions[]=balance
        400 - permissions[0]: Invalid permissions[0]: must be one of balances, ownership,
          payment_method, or transactions
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&prefetch[]=balance
        400 - prefetch[0]: Invalid prefetch[0]: must be one of balances, ownership, or transactions
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&prefetch[]=transactions&
      prefetch[]=ownership
        400 - prefetch[1]: To prefetch ownership, ask for the permission ownership too.
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&filters[account_subcategories][]=other
        400 - filters[account_subcategories][0]: Invalid filters[account_subcategories][0]: must be
          one of checking, credit_card, line_of_credit, mortgage, or savings
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&filters[country]=USA
        400 parameter_unknown filters[country]: Received unknown parameter: filters[country]. Did
          you mean countries?
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&filters[countries][]=U1
        400 - filters[countries][0]: A country is given as two letters, such as US.
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&
      filters[require_payment_method_support]=some
        400 - filters[require_payment_method_support]: Invalid
          filters[require_payment_method_support]: must be one of all, at_least_one, or none
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&limits[x]=1
        400 parameter_missing limits[accounts]: Missing required parameter: limits[accounts].
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&limits[accounts]=0
        400 parameter_invalid_integer limits[accounts]: Invalid integer: limits[accounts] must be
          between 1 and 4294967295
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&manual_entry[mode]=custom
        400 - manual_entry[mode]: Invalid manual_entry[mode]: must be one of automatic or disabled
    POST …/sessions HOLDER=cus_…&permissions[]=transactions&return_url=
        400 parameter_invalid_empty return_url: return_url is an empty string. Send a value, or
          leave it out.
    GET …/sessions/fcsess_1
        404 resource_missing session: No such Financial Connections session: 'fcsess_1'
    ");
    // From this version on the array is unknown, because a single country replaces it.
    let endive = app.in_version("2026-09-30.endive");
    let refused = endive.post(&path, &with("filters[countries][]=US")).await;
    insta::assert_snapshot!(refused.api_error(), @"
    400 parameter_unknown filters[countries]: Received unknown parameter: filters[countries]. Did
      you mean country?
    ");
}

/// Errors of calls about accounts. The tests of the guide cover inactive accounts.
#[tokio::test]
async fn accounts() {
    let app = App::start().await;
    let account = format!("{FC}/accounts/{}", app.account().await);
    let of = |call: &str| format!("{account}/{call}");
    let both = format!("{FC}/accounts?account_holder[customer]=cus_1&session=fcsess_1");
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", &both, ""),
        ("GET", &format!("{FC}/accounts?account_holder[customer_account]=cuss_1"), ""),
        ("GET", &format!("{FC}/accounts?account_holder[customer]=cus_1"), ""),
        ("GET", &format!("{FC}/accounts?session=fcsess_1"), ""),
        ("GET", &format!("{FC}/accounts?starting_after=fca_1"), ""),
        ("GET", &format!("{FC}/accounts/fca_1"), ""),
        ("POST", &of("refresh"), ""),
        ("POST", &of("refresh"), "features=transactions"),
        ("POST", &of("refresh"), "features[]=balances"),
        ("POST", &of("subscribe"), "features[]=balance"),
        ("POST", &of("unsubscribe"), "features[0]=ownership"),
        ("POST", &of("disconnect"), "now=true"),
        ("POST", &format!("{FC}/accounts/fca_1/refresh"), "features[]=balance"),
        ("POST", &format!("{FC}/accounts/fca_1/subscribe"), "features[]=transactions"),
        ("POST", &format!("{FC}/accounts/fca_1/unsubscribe"), "features[]=transactions"),
        ("POST", &format!("{FC}/accounts/fca_1/disconnect"), ""),
        ("GET", &of("owners"), ""),
        ("GET", &of("owners?ownership=fcaowns_1"), ""),
        ("GET", &format!("{FC}/accounts/fca_1/owners?ownership=fcaowns_1"), ""),
    ]).await, @"
    GET …/accounts?account_holder[customer]=cus_1&session=fcsess_1
        400 parameters_exclusive account_holder[customer]: You may give only one of these
          parameters: account_holder[customer], session.
    GET …/accounts?account_holder[customer_account]=cuss_1
        400 - account_holder[customer_account]: This server has no v2 customer accounts; name a
          customer (cus_…) instead.
    GET …/accounts?account_holder[customer]=cus_1
        404 resource_missing account_holder[customer]: No such customer: 'cus_1'
    GET …/accounts?session=fcsess_1
        404 resource_missing session: No such Financial Connections session: 'fcsess_1'
    GET …/accounts?starting_after=fca_1
        400 resource_missing starting_after: No such Financial Connections account: 'fca_1'
    GET …/accounts/fca_1
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    POST …/accounts/fca_…/refresh
        400 parameter_missing features: Missing required parameter: features.
    POST …/accounts/fca_…/refresh features=transactions
        400 - features: Invalid array: transactions
    POST …/accounts/fca_…/refresh features[]=balances
        400 - features[0]: Invalid features[0]: must be one of balance, ownership, or transactions
    POST …/accounts/fca_…/subscribe features[]=balance
    POST …/accounts/fca_…/unsubscribe features[0]=ownership
        400 - features[0]: Invalid features[0]: must be transactions
    POST …/accounts/fca_…/disconnect now=true
        400 parameter_unknown now: Received unknown parameter: now
    POST …/accounts/fca_1/refresh features[]=balance
    POST …/accounts/fca_1/subscribe features[]=transactions
    POST …/accounts/fca_1/unsubscribe features[]=transactions
    POST …/accounts/fca_1/disconnect
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    GET …/accounts/fca_…/owners
        400 parameter_missing ownership: Missing required parameter: ownership.
    GET …/accounts/fca_…/owners?ownership=fcaowns_1
        404 resource_missing ownership: No such ownership: 'fcaowns_1'
    GET …/accounts/fca_1/owners?ownership=fcaowns_1
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    ");
}

/// Data without the holder's permission can be neither refreshed nor read.
#[tokio::test]
async fn permissions() {
    let (app, customer) = App::with_customer().await;
    let form = format!("{HOLDER}={customer}&permissions[]=payment_method");
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    let of = |call: &str| format!("{FC}/accounts/{account}/{call}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &of("refresh"), "features[]=balance"),
        ("POST", &of("refresh"), "features[]=balance&features[]=ownership"),
        ("POST", &of("subscribe"), "features[]=transactions"),
        ("GET", &of("owners?ownership=fcaowns_1"), ""),
        ("GET", &format!("{FC}/transactions?account={account}"), ""),
    ]).await, @"
    POST …/accounts/fca_…/refresh features[]=balance
    POST …/accounts/fca_…/refresh features[]=balance&features[]=ownership
        400 - features[0]: The holder of this account did not grant the permission balances; link it
          again with a session that asks for it.
    POST …/accounts/fca_…/subscribe features[]=transactions
        400 - features[0]: The holder of this account did not grant the permission transactions;
          link it again with a session that asks for it.
    GET …/accounts/fca_…/owners?ownership=fcaowns_1
        400 - account: The holder of this account did not grant the permission ownership; link it
          again with a session that asks for it.
    GET …/transactions?account=fca_…
        400 - account: The holder of this account did not grant the permission transactions; link it
          again with a session that asks for it.
    ");
}

/// Errors of calls about transactions.
#[tokio::test]
async fn transactions() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "").await;
    let linked = app.link(&session, "accounts[]=Success&accounts[]=Savings").await;
    let list = |index: usize| {
        let account = linked.text(&format!("/accounts/data/{index}/id"));
        format!("{FC}/transactions?account={account}")
    };
    let other = linked.text("/accounts/data/1/id");
    let refresh = format!("{FC}/accounts/{other}/refresh");
    let refreshed = app.refresh(&other, "transactions").await;
    app.run_workers_until_idle().await;
    let theirs = app.get(&list(1)).await.ok().text("/data/0/id");
    let their_refresh = refreshed.text("/transaction_refresh/id");
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", &format!("{FC}/transactions"), ""),
        ("GET", &format!("{FC}/transactions?account=fca_1"), ""),
        ("GET", &list(0), ""),
        ("GET", &format!("{}&transaction_refresh[after]=", list(0)), ""),
        ("GET", &format!("{}&transaction_refresh[since]=x", list(0)), ""),
        ("GET", &format!("{}&transaction_refresh[after]=fctxnref_1", list(0)), ""),
        ("GET", &format!("{}&transaction_refresh[after]={their_refresh}", list(0)), ""),
        ("GET", &format!("{}&transacted_at[gte]=x", list(0)), ""),
        ("GET", &format!("{}&starting_after=fctxn_1", list(1)), ""),
        ("GET", &format!("{FC}/transactions/fctxn_1"), ""),
    ]).await, @"
    GET …/transactions
        400 parameter_missing account: Missing required parameter: account.
    GET …/transactions?account=fca_1
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    GET …/transactions?account=fca_…
        400 financial_connections_no_successful_transaction_refresh: No refresh of this account's
          transactions has succeeded yet.
    GET …/transactions?account=fca_…&transaction_refresh[after]=
        400 parameter_invalid_empty transaction_refresh[after]: transaction_refresh[after] is an
          empty string. Send a value, or leave it out.
    GET …/transactions?account=fca_…&transaction_refresh[since]=x
        400 parameter_missing transaction_refresh[after]: Missing required parameter:
          transaction_refresh[after].
    GET …/transactions?account=fca_…&transaction_refresh[after]=fctxnref_1
        404 resource_missing transaction_refresh[after]: No such transaction refresh: 'fctxnref_1'
    GET …/transactions?account=fca_…&transaction_refresh[after]=fctxnref_…
        404 resource_missing transaction_refresh[after]: No such transaction refresh: 'fctxnref_…'
    GET …/transactions?account=fca_…&transacted_at[gte]=x
        400 parameter_invalid_integer transacted_at[gte]: Invalid integer: x
    GET …/transactions?account=fca_…&starting_after=fctxn_1
        400 resource_missing starting_after: No such Financial Connections transaction: 'fctxn_1'
    GET …/transactions/fctxn_1
        404 resource_missing transaction: No such Financial Connections transaction: 'fctxn_1'
    ");

    app.post(&format!("{FC}/accounts/{other}/disconnect"), "").await.ok();
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", &list(1), ""),
        ("GET", &format!("{FC}/transactions/{theirs}"), ""),
        ("POST", &refresh, "features[]=transactions"),
    ]).await, @"
    GET …/transactions?account=fca_…
        400 financial_connections_account_inactive account: The account was disconnected, so its
          data can no longer be read.
    GET …/transactions/fctxn_…
        400 financial_connections_account_inactive transaction: The account was disconnected, so its
          data can no longer be read.
    POST …/accounts/fca_…/refresh features[]=transactions
        400 financial_connections_account_inactive: Data cannot be refreshed on inactive accounts.
    ");
}
