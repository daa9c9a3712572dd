//! Connected accounts: their life, where they are paid out to, and the guide's two ways there.

use crate::browser::Browser;
use crate::support::{App, Client, FC, Receiver, Reply};
use serde_json::Value;

const ACCOUNTS: &str = "/v1/accounts";
const NUMBERS: &str = "external_account[object]=bank_account&external_account[country]=US\
    &external_account[currency]=usd&external_account[routing_number]=110000000";

/// An account of the platform; answers its id.
async fn connected(app: &App) -> String {
    let form = "type=custom&capabilities[transfers][requested]=true";
    app.post(ACCOUNTS, form).await.ok().text("/id")
}

/// Types and previous attributes of the events that a client sees, the newest first.
async fn told(client: &Client) -> String {
    let events = client.get("/v1/events?limit=100").await.ok().items("/data");
    let line = |event: &Value| {
        let previous = &event["data"]["previous_attributes"];
        let names: Vec<&String> = previous.as_object().iter().flat_map(|was| was.keys()).collect();
        format!("{} {names:?}\n", event["type"].as_str().unwrap())
    };
    events.iter().map(line).collect()
}

/// An account is made, found, listed, changed and deleted; its changes are its own events.
#[tokio::test]
async fn life_of_an_account() {
    let app = App::sqlite().await;
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
      "business_profile": {
        "annual_revenue": null,
        "estimated_worker_count": null,
        "mcc": null,
        "minority_owned_business_designation": null,
        "name": null,
        "product_description": null,
        "support_address": null,
        "support_email": null,
        "support_phone": null,
        "support_url": null,
        "url": "https://rocket.example"
      },
      "business_type": "individual",
      "capabilities": {
        "card_payments": "inactive",
        "transfers": "active"
      },
      "charges_enabled": false,
      "controller": {
        "fees": {
          "payer": "account"
        },
        "is_controller": true,
        "losses": {
          "payments": "application"
        },
        "requirement_collection": "stripe",
        "stripe_dashboard": {
          "type": "none"
        },
        "type": "application"
      },
      "country": "US",
      "created": 1767225600,
      "default_currency": "usd",
      "details_submitted": true,
      "email": "jenny@example.com",
      "external_accounts": {
        "data": [],
        "has_more": false,
        "object": "list",
        "url": "/v1/accounts/acct_0vIseXMSehlhfy4byEi67qhg/external_accounts"
      },
      "future_requirements": {
        "alternatives": [],
        "current_deadline": null,
        "currently_due": [],
        "disabled_reason": null,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": []
      },
      "id": "acct_0vIseXMSehlhfy4byEi67qhg",
      "metadata": {
        "a": "b"
      },
      "object": "account",
      "payouts_enabled": false,
      "requirements": {
        "alternatives": [],
        "current_deadline": null,
        "currently_due": [],
        "disabled_reason": null,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": []
      },
      "settings": {
        "branding": {
          "icon": null,
          "logo": null,
          "primary_color": null,
          "secondary_color": null
        },
        "card_payments": {
          "decline_on": {
            "avs_failure": false,
            "cvc_failure": false
          },
          "statement_descriptor_prefix": null,
          "statement_descriptor_prefix_kana": null,
          "statement_descriptor_prefix_kanji": null
        },
        "dashboard": {
          "display_name": null,
          "timezone": "Etc/UTC"
        },
        "payments": {
          "statement_descriptor": null,
          "statement_descriptor_kana": null,
          "statement_descriptor_kanji": null
        },
        "payouts": {
          "debit_negative_balances": true,
          "schedule": {
            "delay_days": 2,
            "interval": "manual"
          },
          "statement_descriptor": null
        }
      },
      "tos_acceptance": {
        "date": 5,
        "ip": "1.1.1.1",
        "user_agent": null
      },
      "type": "none"
    }
    "#);
    let id = made.text("/id");
    let path = format!("{ACCOUNTS}/{id}");
    assert_eq!(app.get(&path).await.ok().body, made.body);
    app.wait_s(1);
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
    // Nothing changes, so nothing is told.
    app.post(&path, "email=jenny@example.com").await.ok();
    let inside = app.in_account(&id);
    insta::assert_snapshot!(told(&inside).await, @r#"account.updated ["business_profile", "capabilities", "charges_enabled", "metadata"]"#);
    assert_eq!(inside.get("/v1/account").await.ok().body, changed.body);
    assert_eq!(told(&app).await, "");

    insta::assert_snapshot!(app.delete(&path).await.shown(), @r#"
    200
    {
      "deleted": true,
      "id": "acct_0vIseXMSehlhfy4byEi67qhg",
      "object": "account"
    }
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
    assert_eq!(app.get(ACCOUNTS).await.ok().items("/data").len(), 1);
}

/// The platform sees itself as an account that may do everything.
#[tokio::test]
async fn the_platform_itself() {
    let app = App::start().await;
    let own = app.get("/v1/account").await.ok();
    let id = own.text("/id");
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
    // Named in the header it is itself.
    let customer = app.customer().await;
    let named = app.in_account(&id).get(&format!("/v1/customers/{customer}")).await.ok();
    assert_eq!(named.header("stripe-account"), Some(id.as_str()));
}

/// In test mode an account that nobody made is empty to readers, and is there with its first write.
#[tokio::test]
async fn an_unknown_account_comes_into_being() {
    let app = App::sqlite().await;
    let inside = app.in_account("acct_1032D82eZvKYlo2C");
    let empty = inside.get("/v1/customers").await.ok();
    assert!(empty.items("/data").is_empty());
    assert_eq!(empty.header("stripe-account"), Some("acct_1032D82eZvKYlo2C"));
    assert_eq!(inside.get("/v1/account").await.ok().text("/id"), "acct_1032D82eZvKYlo2C");
    assert!(app.get(ACCOUNTS).await.ok().items("/data").is_empty());

    inside.post("/v1/customers", "name=Ada").await.ok();
    let listed = app.get(ACCOUNTS).await.ok();
    assert_eq!(listed.text("/data/0/id"), "acct_1032D82eZvKYlo2C");
    assert_eq!(listed.text("/data/0/type"), "standard");
    // The account of another platform with the same id is another account.
    let elsewhere = app.with_key("sk_test_other").in_account("acct_1032D82eZvKYlo2C");
    assert!(elsewhere.get("/v1/customers").await.ok().items("/data").is_empty());
    assert!(app.with_key("sk_test_other").get(ACCOUNTS).await.ok().items("/data").is_empty());
}

/// One idempotency key serves platform and account apart.
#[tokio::test]
async fn idempotency_keys_are_the_accounts_own() {
    let app = App::sqlite().await;
    let inside = app.in_account("acct_1");
    let make = async |client: &Client, name: &str| {
        let request = client.request("POST", "/v1/customers").header("Idempotency-Key", "k");
        request.form(&format!("name={name}")).send().await
    };
    let of_platform = make(&app, "Ada").await.ok();
    let of_account = make(&inside, "Bob").await.ok();
    assert_ne!(of_platform.text("/id"), of_account.text("/id"));
    assert_eq!(make(&inside, "Bob").await.ok().body, of_account.body);
    assert_eq!(make(&app, "Bob").await.status, 400);
}

/// The first external account is the default; another takes its place; a default that is needed
/// stays.
#[tokio::test]
async fn life_of_external_accounts() {
    let app = App::sqlite().await;
    let id = connected(&app).await;
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let form = format!(
        "{NUMBERS}&external_account[account_number]=000123456789\
         &external_account[account_holder_name]=Jenny&external_account[account_holder_type]=individual\
         &metadata[a]=b"
    );
    let first = app.post(&path, &form).await;
    insta::assert_snapshot!(first.shown(), @r#"
    200
    {
      "account": "acct_0vIseXMSehlhfy4byEi67qhg",
      "account_holder_name": "Jenny",
      "account_holder_type": "individual",
      "account_type": null,
      "available_payout_methods": [
        "standard"
      ],
      "bank_name": "STRIPE TEST BANK",
      "country": "US",
      "currency": "usd",
      "default_for_currency": true,
      "fingerprint": "6c31dbe87a43ea9b",
      "future_requirements": {
        "currently_due": [],
        "errors": [],
        "past_due": [],
        "pending_verification": []
      },
      "id": "ba_0vIseXMSgHUX1zx4In37t4x9",
      "last4": "6789",
      "metadata": {
        "a": "b"
      },
      "object": "bank_account",
      "requirements": {
        "currently_due": [],
        "errors": [],
        "past_due": [],
        "pending_verification": []
      },
      "routing_number": "110000000",
      "status": "new"
    }
    "#);
    assert_eq!(app.get(&format!("{ACCOUNTS}/{id}")).await.ok().at("/payouts_enabled"), true);
    let form = format!("{NUMBERS}&external_account[account_number]=000111111116");
    let second = app.post(&path, &form).await.ok();
    assert_eq!(second.at("/default_for_currency"), false);

    let first = format!("{path}/{}", first.text("/id"));
    let second = format!("{path}/{}", second.text("/id"));
    assert_eq!(app.delete(&first).await.status, 400);
    let form = "default_for_currency=true&account_holder_name=J&account_type=savings&metadata[c]=d";
    let changed = app.post(&second, form).await.ok();
    assert_eq!(changed.at("/default_for_currency"), true);
    assert_eq!(app.get(&first).await.ok().at("/default_for_currency"), false);
    insta::assert_snapshot!(app.delete(&first).await.shown(), @r#"
    200
    {
      "deleted": true,
      "id": "ba_0vIseXMSgHUX1zx4In37t4x9",
      "object": "bank_account"
    }
    "#);
    assert_eq!(app.get(&first).await.status, 404);
    assert_eq!(app.delete(&second).await.status, 400);

    // Given with the account, a new one takes the place of the default.
    let form = format!("{NUMBERS}&external_account[account_number]=000222222227");
    let account = app.post(&format!("{ACCOUNTS}/{id}"), &form).await.ok();
    assert_eq!(account.items("/external_accounts/data").len(), 1);
    assert_eq!(account.text("/external_accounts/data/0/last4"), "2227");
    insta::assert_snapshot!(told(&app.in_account(&id)).await, @r#"
    account.updated ["external_accounts"]
    account.external_account.created []
    account.external_account.deleted []
    account.updated ["external_accounts"]
    account.external_account.deleted []
    account.updated ["external_accounts"]
    account.external_account.updated ["account_holder_name", "account_type", "default_for_currency", "metadata"]
    account.external_account.updated ["default_for_currency"]
    account.updated ["external_accounts"]
    account.external_account.created []
    account.updated ["external_accounts", "payouts_enabled"]
    account.external_account.created []
    "#);
}

/// Lists of external accounts are read in pages both ways.
#[tokio::test]
async fn pages_of_external_accounts() {
    let app = App::start().await;
    let id = connected(&app).await;
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let mut made = Vec::new();
    for number in ["000123456789", "000111111113", "000111111116", "000222222227"] {
        let form = format!("{NUMBERS}&external_account[account_number]={number}");
        made.insert(0, app.post(&path, &form).await.ok().text("/id"));
    }
    let page = async |query: &str| {
        let reply = app.get(&format!("{path}?{query}")).await.ok();
        let ids = reply.items("/data").into_iter().map(|item| {
            let id = item["id"].as_str().unwrap().to_owned();
            made.iter().position(|made| *made == id).unwrap().to_string()
        });
        format!("{} {}", ids.collect::<String>(), reply.at("/has_more"))
    };
    let pages = [
        page("").await,
        page("limit=2").await,
        page(&format!("limit=2&starting_after={}", made[1])).await,
        page(&format!("limit=1&ending_before={}", made[2])).await,
        page(&format!("limit=2&ending_before={}", made[2])).await,
        page("object=bank_account&limit=1").await,
        page("object=card").await,
    ];
    insta::assert_snapshot!(pages.join("\n"), @"
    0123 false
    01 true
    23 false
    1 true
    01 false
    0 true
     false
    ");
}

/// Each fault of a call about accounts.
#[tokio::test]
async fn refusals() {
    let app = App::start().await;
    let id = connected(&app).await;
    let path = format!("{ACCOUNTS}/{id}");
    let external = format!("{path}/external_accounts");
    let with = |number: &str| format!("{NUMBERS}&external_account[account_number]={number}");
    let told = app
        .refusals(&[
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
        ])
        .await;
    insta::assert_snapshot!(told, @"
    POST /v1/accounts type=none
        400 invalid_request_error - type
        Invalid type: must be one of custom, express, or standard
    POST /v1/accounts type=custom&controller[losses][payments]=stripe
        400 invalid_request_error parameters_exclusive type
        You may give only one of these parameters: type, controller.
    POST /v1/accounts country=Utopia
        400 invalid_request_error - country
        A country is given as two letters, such as US.
    POST /v1/accounts capabilities[flying][requested]=true
        400 invalid_request_error parameter_unknown capabilities[flying]
        Received unknown parameter: capabilities[flying]
    POST /v1/accounts external_account=btok_1
        400 invalid_request_error resource_missing external_account
        No such token: 'btok_1'
    GET /v1/accounts?starting_after=acct_nobody
        400 invalid_request_error resource_missing starting_after
        No such account: 'acct_nobody'
    GET /v1/accounts/acct_nobody
        403 invalid_request_error account_invalid -
        The API key has no access to the account 'acct_nobody': there is no such
        account, or it is no longer connected to yours.
    POST /v1/accounts/acct_nobody email=a@b.c
        403 invalid_request_error account_invalid -
        The API key has no access to the account 'acct_nobody': there is no such
        account, or it is no longer connected to yours.
    POST /v1/accounts/acct_… type=custom
        400 invalid_request_error parameter_unknown type
        Received unknown parameter: type
    POST /v1/accounts/acct_…/external_accounts
        400 invalid_request_error parameter_missing external_account
        Missing required parameter: external_account.
    POST /v1/accounts/acct_…/external_accounts external_account=btok_1
        400 invalid_request_error resource_missing external_account
        No such token: 'btok_1'
    POST /v1/accounts/acct_…/external_accounts external_account=pm_1
        404 invalid_request_error resource_missing external_account
        No such PaymentMethod: 'pm_1'
    POST /v1/accounts/acct_…/external_accounts external_account[object]=card
        400 invalid_request_error parameter_missing external_account[account_number]
        Missing required parameter: external_account[account_number].
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=US&
    external_account[currency]=usd&external_account[routing_number]=110000000
        400 invalid_request_error parameter_missing external_account[account_number]
        Missing required parameter: external_account[account_number].
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=US&
    external_account[currency]=usd&external_account[routing_number]=110000000&
    external_account[account_number]=12
        400 invalid_request_error account_number_invalid
        external_account[account_number]
        The account number must have 4 to 17 digits.
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=US&
    external_account[currency]=usd&external_account[routing_number]=110000000&
    external_account[account_number]=12345678
        400 invalid_request_error account_number_invalid
        external_account[account_number]
        In test mode only test numbers will do, such as 000123456789 with the routing
        number 110000000.
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=US&
    external_account[currency]=usd&external_account[routing_number]=110000001&
    external_account[account_number]=000123456789
        400 invalid_request_error routing_number_invalid
        external_account[routing_number]
        The routing number must have nine digits, the last of which checks the others.
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=GB&
    external_account[currency]=usd&external_account[routing_number]=110000000&
    external_account[account_number]=000123456789
        400 invalid_request_error - external_account[country]
        This server knows banks of the United States only: country must be US.
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=US&
    external_account[currency]=eur&external_account[routing_number]=110000000&
    external_account[account_number]=000123456789
        400 invalid_request_error - external_account[currency]
        Accounts at banks of the United States are paid out to in usd.
    GET /v1/accounts/acct_…/external_accounts/ba_1
        404 invalid_request_error resource_missing id
        No such external account: 'ba_1'
    POST /v1/accounts/acct_…/external_accounts/ba_1 metadata[a]=b
        404 invalid_request_error resource_missing id
        No such external account: 'ba_1'
    DELETE /v1/accounts/acct_…/external_accounts/ba_1
        404 invalid_request_error resource_missing id
        No such external account: 'ba_1'
    GET /v1/accounts/acct_…/external_accounts?object=wallet
        400 invalid_request_error - object
        Invalid object: must be one of bank_account or card
    GET /v1/accounts/acct_…/external_accounts?starting_after=ba_1
        400 invalid_request_error resource_missing starting_after
        No such external account: 'ba_1'
    GET /v1/tokens/btok_1
        404 invalid_request_error resource_missing token
        No such token: 'btok_1'
    POST /v1/tokens
        400 invalid_request_error parameter_missing bank_account
        Missing required parameter: bank_account.
    POST /v1/tokens bank_account=ba_1
        400 invalid_request_error - bank_account
        This server makes tokens of numbers: give bank_account as a hash.
    ");
    let inside = app.in_account(&id);
    let nested = inside.refusals(&[
        ("POST", ACCOUNTS, "type=custom"),
        ("GET", "/v1/accounts/acct_2", ""),
        (
            "POST",
            "/v1/financial_connections/sessions",
            "account_holder[type]=account&account_holder[account]=acct_2&permissions[]=balances",
        ),
    ]).await;
    insta::assert_snapshot!(nested, @"
    POST /v1/accounts type=custom
        400 invalid_request_error - -
        A connected account has no connected accounts of its own; leave the
        Stripe-Account header out.
    GET /v1/accounts/acct_2
        403 invalid_request_error account_invalid -
        The API key has no access to the account 'acct_2': there is no such account, or
        it is no longer connected to yours.
    POST …/sessions account_holder[type]=account&account_holder[account]=acct_2&
    permissions[]=balances
        400 invalid_request_error resource_missing account_holder[account]
        No such account: 'acct_2'
    ");
    assert_eq!(app.get(&path).await.ok().items("/external_accounts/data").len(), 0);
}

/// Endpoints made with `connect` hear of connected accounts and of nothing else; the others hear
/// of their own merchant.
#[tokio::test]
async fn endpoints_hear_of_connected_accounts() {
    let app = App::sqlite().await;
    let (platform, connect, own) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let id = connected(&app).await;
    let endpoint =
        |receiver: &Receiver, more: &str| format!("url={}&enabled_events[]=*&{more}", receiver.url);
    let hooks = "/v1/webhook_endpoints";
    let of_platform = app.post(hooks, &endpoint(&platform, "")).await.ok();
    assert_eq!(of_platform.at("/application"), Value::Null);
    let of_connect = app.post(hooks, &endpoint(&connect, "connect=true")).await.ok();
    assert!(of_connect.text("/application").starts_with("ca_"));
    let inside = app.in_account(&id);
    inside.post(hooks, &endpoint(&own, "")).await.ok();

    app.customer().await;
    let of_account = inside.post("/v1/customers", "").await.ok();
    app.post(&format!("{ACCOUNTS}/{id}"), "email=a@b.c").await.ok();
    let pending = inside.get("/v1/events").await.ok();
    assert_eq!(
        (pending.text("/data/0/account"), pending.at("/data/0/pending_webhooks")),
        (id, 2.into())
    );
    app.run_workers_until_idle().await;
    let heard = |receiver: &Receiver| {
        let line = |post: Reply| {
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
    assert_eq!(app.get("/v1/events").await.ok().items("/data").len(), 1);
}

/// What a session of a connected account asks for: `more` comes on top.
fn payout_session(account: &str, more: &str) -> String {
    format!(
        "account_holder[type]=account&account_holder[account]={account}\
         &permissions[]=payment_method&permissions[]=balances&{more}"
    )
}

/// The guide's payouts: a session of the platform links one account that can pay, and its token
/// becomes the connected account's external account.
#[tokio::test]
async fn payouts_from_a_session() {
    let app = App::sqlite().await;
    let id = connected(&app).await;
    let form = payout_session(&id, "");
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let two = format!("carrier={}&accounts[]=Success&accounts[]=Savings", session.text("/id"));
    let two = app.post("/v1/test_helpers/financial_connections/link", &two).await;
    insta::assert_snapshot!(two.told(), @"
    400 invalid_request_error - accounts
    This session links at most 1 accounts.
    ");
    let linked = app.link(&session, "").await;
    assert_eq!(linked.items("/accounts/data").len(), 1);
    assert_eq!(linked.text("/accounts/data/0/account_holder/account"), id);
    let token = linked.text("/bank_account_token/id");
    assert_eq!(app.get(&format!("/v1/tokens/{token}")).await.ok().at("/used"), false);

    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let external = app.post(&path, &format!("external_account={token}")).await;
    insta::assert_snapshot!(external.shown(), @r#"
    200
    {
      "account": "acct_0vIseXMSehlhfy4byEi67qhg",
      "account_holder_name": null,
      "account_holder_type": "individual",
      "account_type": "checking",
      "available_payout_methods": [
        "standard"
      ],
      "bank_name": "Test (Non-OAuth)",
      "country": "US",
      "currency": "usd",
      "default_for_currency": true,
      "fingerprint": "6d85f5519118f4eb",
      "future_requirements": {
        "currently_due": [],
        "errors": [],
        "past_due": [],
        "pending_verification": []
      },
      "id": "ba_0vIseXMSjm99HJfRKHSWJ1rp",
      "last4": "8674",
      "metadata": {},
      "object": "bank_account",
      "requirements": {
        "currently_due": [],
        "errors": [],
        "past_due": [],
        "pending_verification": []
      },
      "routing_number": "110000000",
      "status": "new"
    }
    "#);
    assert_eq!(app.get(&format!("/v1/tokens/{token}")).await.ok().at("/used"), true);
    let again = app.post(&path, &format!("external_account={token}")).await;
    insta::assert_snapshot!(again.told(), @"
    400 invalid_request_error token_already_used external_account
    The token btok_… was used already; a token can be used once.
    ");

    let linked = linked.text("/accounts/data/0/id");
    let expanded = format!("{FC}/accounts/{linked}?expand[]=account_holder.account");
    let expanded = app.get(&expanded).await.ok();
    assert_eq!(expanded.text("/account_holder/account/object"), "account");
    assert_eq!(expanded.text("/account_holder/account/id"), id);

    // The linked account is found by its holder, and by no other.
    let of = async |account: &str| {
        let path = format!("{FC}/accounts?account_holder[account]={account}");
        app.get(&path).await.ok().items("/data").len()
    };
    assert_eq!((of(&id).await, of("acct_other").await), (1, 0));
    let inside = app.in_account(&id).get(&format!("{FC}/accounts")).await.ok();
    assert!(inside.items("/data").is_empty());
}

/// Typed numbers give the token as well; newer versions want it said that they may be typed.
#[tokio::test]
async fn payouts_from_typed_numbers() {
    let app = App::sqlite().await;
    let id = connected(&app).await;
    let form = payout_session(&id, "");
    let session = app.post(&format!("{FC}/sessions"), &form).await.ok();
    let browser = Browser::open(&app, &session).await;
    browser.step("manual", "").await;
    let numbers = "routing_number=110000000&account_number=000123456789\
        &account_number_again=000123456789";
    assert_eq!(browser.step("numbers", numbers).await.status, 200);
    let session = app.get(&format!("{FC}/sessions/{}", session.text("/id"))).await.ok();
    assert!(session.items("/accounts/data").is_empty());
    let token = session.text("/bank_account_token/id");
    let form = format!("external_account={token}&default_for_currency=true");
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let external = app.post(&path, &form).await.ok();
    assert_eq!(
        (external.text("/last4"), external.text("/account")),
        ("6789".to_owned(), id.clone())
    );

    let newer = app
        .request("POST", &format!("{FC}/sessions"))
        .header("Stripe-Version", "2026-09-30.endive")
        .form(&payout_session(&id, ""));
    let newer = newer.send().await.ok();
    let browser = Browser::open(&app, &newer).await;
    assert!(!browser.step("manual", "").await.body.contains("routing_number"));
    let linked = app.link(&newer, "accounts[]=Success&accounts[]=Savings").await;
    assert_eq!(linked.items("/accounts/data").len(), 2);
    assert_eq!(linked.at("/bank_account_token"), Value::Null);
}

/// The guide's other way: a Setup Intent inside the account attaches a payment method to the
/// account itself, from which the external account is made.
#[tokio::test]
async fn payouts_from_a_setup_intent() {
    let app = App::sqlite().await;
    let id = connected(&app).await;
    let inside = app.in_account(&id);
    let form = "attach_to_self=true&flow_directions[]=outbound&flow_directions[]=inbound\
        &payment_method_types[]=us_bank_account";
    let intent = inside.post("/v1/setup_intents", form).await.ok();
    assert_eq!(intent.at("/attach_to_self"), true);
    assert_eq!(intent.at("/flow_directions"), serde_json::json!(["outbound", "inbound"]));
    let page = app.with_key("pk_test_123").in_account(&id);
    let browser = Browser::open_as(&page, &intent, "").await;
    assert_eq!(browser.page().await.status, 200);
    let linked = inside.link(&intent, "").await;
    let method = linked.text("/payment_method");
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    let too_early = app.post(&path, &format!("external_account={method}")).await;
    insta::assert_snapshot!(too_early.told(), @"
    400 invalid_request_error - external_account
    Only a payment method that a Setup Intent with attach_to_self=true attached to
    the account can be paid out to.
    ");
    let confirm = format!("/v1/setup_intents/{}/confirm", intent.text("/id"));
    let mandate = "mandate_data[customer_acceptance][type]=offline";
    assert_eq!(inside.post(&confirm, mandate).await.ok().text("/status"), "succeeded");

    let external = app.post(&path, &format!("external_account={method}")).await.ok();
    assert_eq!(external.text("/account"), id);
    // It is nobody else's now.
    let customer = inside.post("/v1/customers", "").await.ok().text("/id");
    let told = inside
        .refusals(&[
            (
                "POST",
                &format!("/v1/payment_methods/{method}/attach"),
                &format!("customer={customer}"),
            ),
            (
                "POST",
                "/v1/payment_intents",
                &format!(
                    "amount=500&currency=usd&payment_method={method}\
                 &payment_method_types[]=us_bank_account"
                ),
            ),
            ("POST", "/v1/setup_intents", &format!("attach_to_self=true&customer={customer}")),
        ])
        .await;
    insta::assert_snapshot!(told, @"
    POST /v1/payment_methods/pm_…/attach customer=cus_…
        400 invalid_request_error - -
        The payment method is the account's own.
    POST /v1/payment_intents amount=500&currency=usd&payment_method=pm_…&
    payment_method_types[]=us_bank_account
        400 invalid_request_error - payment_method
        The payment method is the account's own and cannot be debited.
    POST /v1/setup_intents attach_to_self=true&customer=cus_…
        400 invalid_request_error - attach_to_self
        attach_to_self=true keeps the payment method for the account itself; leave the
        customer out.
    ");
    inside.post("/v1/setup_intents", "").await.ok();
    let count = async |filter: &str| {
        inside.get(&format!("/v1/setup_intents?{filter}")).await.ok().items("/data").len()
    };
    assert_eq!((count("attach_to_self=true").await, count("attach_to_self=false").await), (1, 1));
    assert_eq!(count("").await, 2);
}

/// A token of numbers is made by the API as well, inside the account or by its platform.
#[tokio::test]
async fn tokens_of_numbers() {
    let app = App::sqlite().await;
    let id = connected(&app).await;
    let form = "bank_account[country]=US&bank_account[currency]=usd\
        &bank_account[routing_number]=110000000&bank_account[account_number]=000123456789\
        &bank_account[account_holder_name]=Jenny&bank_account[account_holder_type]=company";
    let path = format!("{ACCOUNTS}/{id}/external_accounts");
    for client in [app.client(), app.in_account(&id)] {
        let token = client.post("/v1/tokens", form).await.ok();
        assert_eq!(token.text("/bank_account/last4"), "6789");
        let form = format!("external_account={}", token.text("/id"));
        let external = app.post(&path, &form).await.ok();
        assert_eq!(external.at("/id"), token.at("/bank_account/id"));
        assert_eq!(external.text("/account_holder_name"), "Jenny");
    }
    let held = app.get(&path).await.ok();
    assert_eq!(held.at("/data/0/fingerprint"), held.at("/data/1/fingerprint"));
}

/// With a live key an account must be there before anybody acts in it, for reading too; the
/// platform's registration serves its accounts.
#[tokio::test]
async fn live_accounts() {
    let app = App::sqlite().await;
    let live = app.live();
    let id = live.post(ACCOUNTS, "").await.ok().text("/id");
    let unknown = live.in_account("acct_1");
    let told =
        unknown.refusals(&[("GET", "/v1/customers", ""), ("POST", "/v1/customers", "")]).await;
    insta::assert_snapshot!(told, @"
    GET /v1/customers
        403 invalid_request_error account_invalid -
        The API key has no access to the account 'acct_1': there is no such account, or
        it is no longer connected to yours.
    POST /v1/customers
        403 invalid_request_error account_invalid -
        The API key has no access to the account 'acct_1': there is no such account, or
        it is no longer connected to yours.
    ");
    let inside = live.in_account(&id);
    assert_eq!(inside.post("/v1/customers", "").await.ok().at("/livemode"), true);
    assert!(live.get("/v1/customers").await.ok().items("/data").is_empty());

    let sessions = format!("{FC}/sessions");
    let external = format!("{ACCOUNTS}/{id}/external_accounts");
    let test_numbers = format!("{NUMBERS}&external_account[account_number]=000123456789");
    let told = live
        .refusals(&[
            ("POST", &sessions, &payout_session(&id, "")),
            ("POST", &external, &test_numbers),
        ])
        .await;
    insta::assert_snapshot!(told, @"
    POST …/sessions account_holder[type]=account&account_holder[account]=acct_…&
    permissions[]=payment_method&permissions[]=balances&
        400 invalid_request_error - -
        Your registration for the live data of Financial Connections is not complete
        for balances. Complete it at http://127.0.0.1:12111/settings, then repeat the
        request.
    POST /v1/accounts/acct_…/external_accounts
    external_account[object]=bank_account&external_account[country]=US&
    external_account[currency]=usd&external_account[routing_number]=110000000&
    external_account[account_number]=000123456789
        400 invalid_request_error account_number_invalid
        external_account[account_number]
        These are test numbers; in live mode they lead nowhere.
    ");
    let form = "registration[payment_method]=active&registration[balances]=active";
    live.post(&format!("{FC}/settings"), form).await.ok();
    live.post(&sessions, &payout_session(&id, "")).await.ok();
    inside.post(&sessions, &payout_session(&id, "")).await.ok();
    assert_eq!(live.post(&sessions, &payout_session("acct_1", "")).await.status, 400);
    live.delete(&format!("{ACCOUNTS}/{id}")).await.ok();
    assert_eq!(inside.get("/v1/customers").await.status, 403);
}
