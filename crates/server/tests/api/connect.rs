//! Connected accounts: their life cycle and the recipients of their events.

use serde_json::Value;
use testkit::{App, Client, NUMBERS, Recorder, Response};

pub(crate) const ACCOUNTS: &str = "/v1/accounts";

/// Creates a connected account of the platform. Returns its id.
pub(crate) async fn connected(app: &App) -> String {
    let form = "type=custom&capabilities[transfers][requested]=true";
    app.post(ACCOUNTS, form).await.ok().id()
}

/// A server with a connected account, whose id is returned.
pub(crate) async fn with_connected() -> (App, String) {
    let app = App::start().await;
    let id = connected(&app).await;
    (app, id)
}

/// Types and previous attributes of the events that a client sees, newest first.
pub(crate) async fn told(client: &Client) -> String {
    let events = client.get("/v1/events?limit=100").await.ok().items("/data");
    let line = |event: &Value| {
        let previous = &event["data"]["previous_attributes"];
        let names: Vec<&String> = previous.as_object().iter().flat_map(|was| was.keys()).collect();
        format!("{} {names:?}\n", event["type"].as_str().unwrap())
    };
    events.iter().map(line).collect()
}

/// An account is created, retrieved, listed, updated and deleted. Its changes emit events in the
/// account itself.
#[tokio::test]
async fn life_of_an_account() {
    let app = App::start().await;
    let form = "controller[losses][payments]=application&controller[stripe_dashboard][type]=none\
        &country=US&email=jenny@example.com&business_type=individual\
        &capabilities[transfers][requested]=true&capabilities[card_payments][requested]=false\
        &business_profile[url]=https://rocket.example&metadata[a]=b\
        &individual[first_name]=Jenny&individual[ssn_last_4]=1234\
        &settings[payouts][schedule][interval]=manual&tos_acceptance[date]=5&tos_acceptance[ip]=1.1.1.1";
    let made = app.post(ACCOUNTS, form).await;
    insta::assert_snapshot!(made.shown(), @r#"
    200
    {
      business_profile: {
        url: "https://rocket.example"
        null: annual_revenue, estimated_worker_count, mcc, minority_owned_business_designation, name
        null: product_description, support_address, support_email, support_phone, support_url
      }
      business_type: "individual"
      capabilities: { card_payments: "inactive", transfers: "active" }
      charges_enabled: false
      controller: {
        fees: { payer: "account" }
        is_controller: true
        losses: { payments: "application" }
        requirement_collection: "stripe"
        stripe_dashboard: { type: "none" }
        type: "application"
      }
      country: "US"
      created: 1767225600
      default_currency: "usd"
      details_submitted: true
      email: "jenny@example.com"
      external_accounts: {
        data: []
        has_more: false
        object: "list"
        url: "/v1/accounts/acct_…/external_accounts"
      }
      future_requirements: {
        alternatives: []
        currently_due: []
        errors: []
        eventually_due: []
        past_due: []
        pending_verification: []
        null: current_deadline, disabled_reason
      }
      id: "acct_…"
      metadata: { a: "b" }
      object: "account"
      payouts_enabled: false
      requirements: {
        alternatives: []
        currently_due: []
        errors: []
        eventually_due: []
        past_due: []
        pending_verification: []
        null: current_deadline, disabled_reason
      }
      settings: {
        branding: { icon: null, logo: null, primary_color: null, secondary_color: null }
        card_payments: {
          decline_on: { avs_failure: false, cvc_failure: false }
          null: statement_descriptor_prefix, statement_descriptor_prefix_kana
          null: statement_descriptor_prefix_kanji
        }
        dashboard: { display_name: null, timezone: "Etc/UTC" }
        payments: {
          null: statement_descriptor, statement_descriptor_kana, statement_descriptor_kanji
        }
        payouts: {
          debit_negative_balances: true
          schedule: { delay_days: 2, interval: "manual" }
          null: statement_descriptor
        }
      }
      tos_acceptance: { date: 5, ip: "1.1.1.1", user_agent: null }
      type: "none"
    }
    "#);
    let id = made.id();
    let path = format!("{ACCOUNTS}/{id}");
    assert_eq!(app.get(&path).await.ok().body, made.body);
    app.pass_s(1);
    let other = connected(&app).await;
    let listed = app.get(ACCOUNTS).await.ok();
    assert_eq!((listed.text("/data/0/id"), listed.text("/data/1/id")), (other.clone(), id.clone()));
    let page = app.get(&format!("{ACCOUNTS}?limit=1&starting_after={other}")).await.ok();
    assert_eq!((page.text("/data/0/id"), page.at("/has_more")), (id.clone(), false.into()));

    let form =
        "capabilities[card_payments][requested]=true&business_profile[name]=Rocket&metadata=";
    let changed = app.post(&path, form).await.ok();
    assert_eq!(changed.at("/charges_enabled"), true);
    assert_eq!(changed.text("/business_profile/url"), "https://rocket.example");
    // An update without a change emits no event.
    app.post(&path, "email=jenny@example.com").await.ok();
    let inside = app.in_account(&id);
    insta::assert_snapshot!(told(&inside).await, @r#"account.updated ["business_profile", "capabilities", "charges_enabled", "metadata"]"#);
    assert_eq!(inside.get("/v1/account").await.ok().body, changed.body);
    assert_eq!(told(&app).await, "");

    insta::assert_snapshot!(app.delete(&path).await.shown(), @r#"
    200
    { deleted: true, id: "acct_…", object: "account" }
    "#);
    let refused = [
        app.get(&path).await,
        app.delete(&path).await,
        inside.get("/v1/customers").await,
        inside.post("/v1/customers", "").await,
    ];
    for reply in refused {
        assert_eq!((reply.status, reply.text("/error/code")), (403, "account_invalid".to_owned()));
    }
    assert_eq!(app.count(ACCOUNTS).await, 1);
}

/// The platform sees itself as an account that has every capability.
#[tokio::test]
async fn the_platform_itself() {
    let app = App::start().await;
    let own = app.get("/v1/account").await.ok();
    let id = own.id();
    assert_eq!(app.get(&format!("{ACCOUNTS}/{id}")).await.ok().body, own.body);
    let words = ["type", "charges_enabled", "payouts_enabled", "capabilities", "controller"];
    let shown = words.map(|word| format!("{word} {}", own.at(&format!("/{word}"))));
    insta::assert_snapshot!(shown.join("\n"), @r#"
    type "standard"
    charges_enabled true
    payouts_enabled true
    capabilities {"transfers":"active","us_bank_account_ach_payments":"active"}
    controller {"type":"account"}
    "#);
    // A platform that names itself in the header acts as itself.
    let customer = app.customer().await;
    let named = app.in_account(&id).get(&format!("/v1/customers/{customer}")).await.ok();
    assert_eq!(named.header("stripe-account"), Some(id.as_str()));
}

/// Every error of a call about accounts.
#[tokio::test]
async fn api_errors() {
    let (app, id) = with_connected().await;
    let path = format!("{ACCOUNTS}/{id}");
    let external = format!("{path}/external_accounts");
    let with = |number: &str| format!("{NUMBERS}&external_account[account_number]={number}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", ACCOUNTS, "type=none"),
        ("POST", ACCOUNTS, "type=custom&controller[losses][payments]=stripe"),
        ("POST", ACCOUNTS, "country=Utopia"),
        ("POST", ACCOUNTS, "capabilities[flying][requested]=true"),
        ("POST", ACCOUNTS, "external_account=btok_1"),
        ("GET", "/v1/accounts?starting_after=acct_nobody", ""),
        ("GET", "/v1/accounts/acct_nobody", ""),
        ("POST", "/v1/accounts/acct_nobody", "email=a@b.c"),
        ("POST", &path, "type=custom"),
        ("POST", &external, ""),
        ("POST", &external, "external_account=btok_1"),
        ("POST", &external, "external_account=pm_1"),
        ("POST", &external, "external_account[object]=card"),
        ("POST", &external, NUMBERS),
        ("POST", &external, &with("12")),
        ("POST", &external, &with("12345678")),
        ("POST", &external, &with("000123456789").replace("110000000", "110000001")),
        ("POST", &external, &with("000123456789").replace("=US", "=GB")),
        ("POST", &external, &with("000123456789").replace("=usd", "=eur")),
        ("GET", &format!("{external}/ba_1"), ""),
        ("POST", &format!("{external}/ba_1"), "metadata[a]=b"),
        ("DELETE", &format!("{external}/ba_1"), ""),
        ("GET", &format!("{external}?object=wallet"), ""),
        ("GET", &format!("{external}?starting_after=ba_1"), ""),
        ("GET", "/v1/tokens/btok_1", ""),
        ("POST", "/v1/tokens", ""),
        ("POST", "/v1/tokens", "bank_account=ba_1"),
    ]).await, @"
    POST /v1/accounts type=none
        400 - type: Invalid type: must be one of custom, express, or standard
    POST /v1/accounts type=custom&controller[losses][payments]=stripe
        400 parameters_exclusive type: You may give only one of these parameters: type, controller.
    POST /v1/accounts country=Utopia
        400 - country: A country is given as two letters, such as US.
    POST /v1/accounts capabilities[flying][requested]=true
        400 parameter_unknown capabilities[flying]: Received unknown parameter: capabilities[flying]
    POST /v1/accounts external_account=btok_1
        400 resource_missing external_account: No such token: 'btok_1'
    GET /v1/accounts?starting_after=acct_nobody
        400 resource_missing starting_after: No such account: 'acct_nobody'
    GET /v1/accounts/acct_nobody
    POST /v1/accounts/acct_nobody email=a@b.c
        403 account_invalid: The API key has no access to the account 'acct_nobody': there is no
          such account, or it is no longer connected to yours.
    POST /v1/accounts/acct_… type=custom
        400 parameter_unknown type: Received unknown parameter: type
    POST /v1/accounts/acct_…/external_accounts
        400 parameter_missing external_account: Missing required parameter: external_account.
    POST /v1/accounts/acct_…/external_accounts external_account=btok_1
        400 resource_missing external_account: No such token: 'btok_1'
    POST /v1/accounts/acct_…/external_accounts external_account=pm_1
        404 resource_missing external_account: No such PaymentMethod: 'pm_1'
    POST /v1/accounts/acct_…/external_accounts external_account[object]=card
    POST /v1/accounts/acct_…/external_accounts NUMBERS
        400 parameter_missing external_account[account_number]: Missing required parameter:
          external_account[account_number].
    POST /v1/accounts/acct_…/external_accounts NUMBERS&external_account[account_number]=12
        400 account_number_invalid external_account[account_number]: The account number must have 4
          to 17 digits.
    POST /v1/accounts/acct_…/external_accounts NUMBERS&external_account[account_number]=12345678
        400 account_number_invalid external_account[account_number]: In test mode only test numbers
          will do, such as 000123456789 with the routing number 110000000.
    POST /v1/accounts/acct_…/external_accounts external_account[object]=bank_account&
      external_account[country]=US&external_account[currency]=usd&
      external_account[routing_number]=110000001&external_account[account_number]=000123456789
        400 routing_number_invalid external_account[routing_number]: The routing number must have
          nine digits, the last of which checks the others.
    POST /v1/accounts/acct_…/external_accounts external_account[object]=bank_account&
      external_account[country]=GB&external_account[currency]=usd&
      external_account[routing_number]=110000000&external_account[account_number]=000123456789
        400 - external_account[country]: This server knows banks of the United States only: country
          must be US.
    POST /v1/accounts/acct_…/external_accounts external_account[object]=bank_account&
      external_account[country]=US&external_account[currency]=eur&
      external_account[routing_number]=110000000&external_account[account_number]=000123456789
        400 - external_account[currency]: Accounts at banks of the United States are paid out to in
          usd.
    GET /v1/accounts/acct_…/external_accounts/ba_1
    POST /v1/accounts/acct_…/external_accounts/ba_1 metadata[a]=b
    DELETE /v1/accounts/acct_…/external_accounts/ba_1
        404 resource_missing id: No such external account: 'ba_1'
    GET /v1/accounts/acct_…/external_accounts?object=wallet
        400 - object: Invalid object: must be one of bank_account or card
    GET /v1/accounts/acct_…/external_accounts?starting_after=ba_1
        400 resource_missing starting_after: No such external account: 'ba_1'
    GET /v1/tokens/btok_1
        404 resource_missing token: No such token: 'btok_1'
    POST /v1/tokens
        400 parameter_missing bank_account: Missing required parameter: bank_account.
    POST /v1/tokens bank_account=ba_1
        400 - bank_account: This server makes tokens of numbers: give bank_account as a hash.
    ");
    let inside = app.in_account(&id);
    insta::assert_snapshot!(inside.api_errors(&[
        ("POST", ACCOUNTS, "type=custom"),
        ("GET", "/v1/accounts/acct_2", ""),
        (
            "POST",
            "/v1/financial_connections/sessions",
            "account_holder[type]=account&account_holder[account]=acct_2&permissions[]=balances",
        ),
    ]).await, @"
    POST /v1/accounts type=custom
        400: A connected account has no connected accounts of its own; leave the Stripe-Account
          header out.
    GET /v1/accounts/acct_2
        403 account_invalid: The API key has no access to the account 'acct_2': there is no such
          account, or it is no longer connected to yours.
    POST …/sessions account_holder[type]=account&account_holder[account]=acct_2&
      permissions[]=balances
        400 resource_missing account_holder[account]: No such account: 'acct_2'
    ");
    assert_eq!(app.get(&path).await.ok().items("/external_accounts/data").len(), 0);
}

/// Endpoints created with `connect` receive only events of connected accounts. Other endpoints
/// receive events of their own merchant.
#[tokio::test]
async fn endpoints_hear_of_connected_accounts() {
    let app = App::start().await;
    let [platform, connect, own] = App::three_receivers().await;
    let id = connected(&app).await;
    let of_platform = app.endpoint(&platform.url, "*", "").await;
    assert_eq!(of_platform.at("/application"), Value::Null);
    let of_connect = app.endpoint(&connect.url, "*", "connect=true").await;
    assert!(of_connect.text("/application").starts_with("ca_"));
    let inside = app.in_account(&id);
    inside.endpoint(&own.url, "*", "").await;

    app.customer().await;
    let of_account = inside.post("/v1/customers", "").await.ok();
    app.post(&format!("{ACCOUNTS}/{id}"), "email=a@b.c").await.ok();
    let pending = inside.get("/v1/events").await.ok();
    assert_eq!(
        (pending.text("/data/0/account"), pending.at("/data/0/pending_webhooks")),
        (id, 2.into())
    );
    app.run_workers_until_idle().await;
    let heard = |receiver: &Recorder| {
        let line = |post: Response| {
            let account = post.at("/account").as_str().map_or("-", |_| "connected");
            format!("{} {account}", post.text("/type"))
        };
        let mut lines: Vec<String> = receiver.take().into_iter().map(line).collect();
        lines.sort();
        lines.join(", ")
    };
    insta::assert_snapshot!(
        [heard(&platform), heard(&connect), heard(&own)].join("\n"), @"
        customer.created -
        account.updated connected, customer.created connected
        account.updated connected, customer.created connected
        ");
    let of_events = inside.get("/v1/events").await.ok();
    assert_eq!(of_events.at("/data/0/pending_webhooks"), 0);
    assert_eq!(of_events.at("/data/1/data/object/id"), of_account.at("/id"));
    assert_eq!(app.count("/v1/events").await, 1);
}

/// The parameters of a session of a connected account, with `more` appended.
pub(crate) fn payout_session(account: &str, more: &str) -> String {
    format!(
        "account_holder[type]=account&account_holder[account]={account}\
         &permissions[]=payment_method&permissions[]=balances&{more}"
    )
}
