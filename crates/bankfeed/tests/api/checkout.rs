//! Checkout Sessions as carriers of a link flow, and their own life.

use crate::support::{App, Client, Reply};
use serde_json::{Value, json};

const CHECKOUT: &str = "/v1/checkout/sessions";
const DAY_S: i64 = 86_400;
const OPTIONS: &str = "payment_method_options[us_bank_account][financial_connections]";
const ONE_ITEM: &str = "mode=payment&line_items[0][quantity]=2\
                        &line_items[0][price_data][currency]=usd\
                        &line_items[0][price_data][unit_amount]=1250\
                        &line_items[0][price_data][product_data][name]=Tea";

async fn create(client: &Client, form: &str) -> Reply {
    client.post(CHECKOUT, form).await.ok()
}

/// Goes through the link flow of a session; answers what it was answered with.
async fn link(client: &Client, session: &str, more: &str) -> Reply {
    let form = format!("carrier={session}&{more}");
    client.post("/v1/test_helpers/financial_connections/link", &form).await
}

/// The types of all events, the oldest first.
async fn told(client: &Client) -> Vec<String> {
    let events = client.get("/v1/events?limit=100").await.ok();
    let word = |event: &Value| event["type"].as_str().unwrap().to_owned();
    events.items("/data").iter().rev().map(word).collect()
}

/// The guide's call as it is printed: without a mode it sets a bank account up for later payments.
/// What its link gives is found by expanding, transactions included.
#[tokio::test]
async fn as_the_guide_prints_it() {
    let app = App::start().await;
    let customer = app.customer().await;
    let form = format!(
        "customer={customer}&payment_method_types[]=us_bank_account\
         &{OPTIONS}[permissions][]=payment_method&{OPTIONS}[permissions][]=transactions\
         &{OPTIONS}[prefetch][]=transactions"
    );
    let session = create(&app, &form).await;
    insta::assert_snapshot!(session.shown(), @r#"
    200
    {
      "adaptive_pricing": null,
      "after_expiration": null,
      "allow_promotion_codes": null,
      "amount_subtotal": null,
      "amount_total": null,
      "automatic_tax": {
        "enabled": false,
        "liability": null,
        "provider": null,
        "status": null
      },
      "billing_address_collection": null,
      "cancel_url": null,
      "client_reference_id": null,
      "client_secret": null,
      "collected_information": null,
      "consent": null,
      "consent_collection": null,
      "created": 1767225600,
      "currency": null,
      "currency_conversion": null,
      "custom_fields": [],
      "custom_text": {
        "after_submit": null,
        "shipping_address": null,
        "submit": null,
        "terms_of_service_acceptance": null
      },
      "customer": "cus_0vIseXMSehlXpDdIXd2aZbfz",
      "customer_account": null,
      "customer_creation": null,
      "customer_details": {
        "address": null,
        "business_name": null,
        "email": "ada@example.com",
        "individual_name": null,
        "name": null,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": []
      },
      "customer_email": null,
      "discounts": [],
      "expires_at": 1767312000,
      "id": "cs_test_0vIseXMSgHUdhambrCkCGFbO",
      "integration_identifier": null,
      "invoice": null,
      "invoice_creation": null,
      "livemode": false,
      "locale": null,
      "managed_payments": null,
      "metadata": {},
      "mode": "setup",
      "object": "checkout.session",
      "optional_items": null,
      "origin_context": null,
      "payment_intent": null,
      "payment_link": null,
      "payment_method_collection": "if_required",
      "payment_method_configuration_details": null,
      "payment_method_options": {
        "us_bank_account": {
          "financial_connections": {
            "permissions": [
              "payment_method",
              "transactions"
            ],
            "prefetch": [
              "transactions"
            ]
          },
          "verification_method": "automatic"
        }
      },
      "payment_method_types": [
        "us_bank_account"
      ],
      "payment_status": "no_payment_required",
      "permissions": null,
      "phone_number_collection": {
        "enabled": false
      },
      "recovered_from": null,
      "saved_payment_method_options": null,
      "setup_intent": null,
      "shipping_address_collection": null,
      "shipping_cost": null,
      "shipping_options": [],
      "status": "open",
      "submit_type": null,
      "subscription": null,
      "success_url": null,
      "total_details": null,
      "ui_mode": "hosted_page",
      "url": "http://127.0.0.1:12111/c/pay/cs_test_0vIseXMSgHUdhambrCkCGFbO",
      "wallet_options": null
    }
    "#);

    let id = session.text("/id");
    let linked = link(&app, &id, "expand[]=setup_intent.payment_method").await.ok();
    assert_eq!(linked.at("/status"), "complete");
    assert_eq!(linked.at("/payment_status"), "no_payment_required");
    assert_eq!(linked.at("/url"), Value::Null);
    assert_eq!(linked.at("/setup_intent/status"), "succeeded");
    assert_eq!(linked.at("/setup_intent/customer"), customer.as_str());
    app.run_workers_until_idle().await;

    let path = format!("{CHECKOUT}/{id}?expand[]=setup_intent.payment_method");
    let shown = app.get(&path).await.ok();
    let method = shown.at("/setup_intent/payment_method");
    assert_eq!(method["customer"], customer.as_str());
    let account = method["us_bank_account"]["financial_connections_account"].as_str().unwrap();
    let list = format!("/v1/financial_connections/transactions?account={account}");
    assert!(!app.get(&list).await.ok().items("/data").is_empty());
    insta::assert_snapshot!(told(&app).await.join("\n"), @"
    customer.created
    financial_connections.account.created
    setup_intent.created
    setup_intent.succeeded
    payment_method.attached
    checkout.session.completed
    financial_connections.account.refreshed_transactions
    ");
}

/// A payment is complete before it is paid; both are told, and the method stays the customer's.
#[tokio::test]
async fn a_payment_is_paid_when_its_debit_ends() {
    let app = App::start().await;
    let customer = app.customer().await;
    let form = format!(
        "{ONE_ITEM}&customer={customer}&metadata[order]=7&success_url=https://shop.example/thanks\
         &payment_intent_data[description]=Tea&payment_intent_data[metadata][order]=7"
    );
    let session = create(&app, &form).await;
    insta::assert_snapshot!(session.shown(), @r#"
    200
    {
      "adaptive_pricing": null,
      "after_expiration": null,
      "allow_promotion_codes": null,
      "amount_subtotal": 2500,
      "amount_total": 2500,
      "automatic_tax": {
        "enabled": false,
        "liability": null,
        "provider": null,
        "status": null
      },
      "billing_address_collection": null,
      "cancel_url": null,
      "client_reference_id": null,
      "client_secret": null,
      "collected_information": null,
      "consent": null,
      "consent_collection": null,
      "created": 1767225600,
      "currency": "usd",
      "currency_conversion": null,
      "custom_fields": [],
      "custom_text": {
        "after_submit": null,
        "shipping_address": null,
        "submit": null,
        "terms_of_service_acceptance": null
      },
      "customer": "cus_0vIseXMSehlXpDdIXd2aZbfz",
      "customer_account": null,
      "customer_creation": null,
      "customer_details": {
        "address": null,
        "business_name": null,
        "email": "ada@example.com",
        "individual_name": null,
        "name": null,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": []
      },
      "customer_email": null,
      "discounts": [],
      "expires_at": 1767312000,
      "id": "cs_test_0vIseXMSgHUdhambrCkCGFbO",
      "integration_identifier": null,
      "invoice": null,
      "invoice_creation": null,
      "livemode": false,
      "locale": null,
      "managed_payments": null,
      "metadata": {
        "order": "7"
      },
      "mode": "payment",
      "object": "checkout.session",
      "optional_items": null,
      "origin_context": null,
      "payment_intent": null,
      "payment_link": null,
      "payment_method_collection": "if_required",
      "payment_method_configuration_details": null,
      "payment_method_options": {
        "us_bank_account": {
          "financial_connections": {
            "prefetch": null
          },
          "verification_method": "automatic"
        }
      },
      "payment_method_types": [
        "us_bank_account"
      ],
      "payment_status": "unpaid",
      "permissions": null,
      "phone_number_collection": {
        "enabled": false
      },
      "recovered_from": null,
      "saved_payment_method_options": null,
      "setup_intent": null,
      "shipping_address_collection": null,
      "shipping_cost": null,
      "shipping_options": [],
      "status": "open",
      "submit_type": null,
      "subscription": null,
      "success_url": "https://shop.example/thanks",
      "total_details": {
        "amount_discount": 0,
        "amount_shipping": 0,
        "amount_tax": 0
      },
      "ui_mode": "hosted_page",
      "url": "http://127.0.0.1:12111/c/pay/cs_test_0vIseXMSgHUdhambrCkCGFbO",
      "wallet_options": null
    }
    "#);

    let id = session.text("/id");
    let linked = link(&app, &id, "expand[]=payment_intent.payment_method").await.ok();
    assert_eq!(
        (linked.at("/status"), linked.at("/payment_status")),
        (json!("complete"), json!("unpaid"))
    );
    let intent = linked.at("/payment_intent");
    assert_eq!(intent["status"], "processing");
    assert_eq!((&intent["amount"], &intent["description"]), (&json!(2_500), &json!("Tea")));
    assert_eq!(intent["metadata"], json!({"order": "7"}));
    assert_eq!(intent["payment_method"]["customer"], customer.as_str());
    assert!(
        intent["payment_method"]["us_bank_account"]["financial_connections_account"].is_string()
    );

    app.run_workers_until_idle().await;
    assert_eq!(app.get(&format!("{CHECKOUT}/{id}")).await.at("/payment_status"), "paid");
    insta::assert_snapshot!(told(&app).await.join("\n"), @"
    customer.created
    financial_connections.account.created
    payment_intent.created
    payment_intent.processing
    payment_method.attached
    checkout.session.completed
    payment_intent.succeeded
    checkout.session.async_payment_succeeded
    ");
}

/// On a test clock the debit takes days; when it fails the session stays complete and unpaid.
#[tokio::test]
async fn a_failed_debit_is_told() {
    let app = App::start().await;
    let clock = app.post("/v1/test_helpers/test_clocks", "frozen_time=1767225600").await.ok();
    let clock = clock.text("/id");
    let customer = app.post("/v1/customers", &format!("test_clock={clock}")).await.ok();
    let form = format!("{ONE_ITEM}&customer={}", customer.text("/id"));
    let id = create(&app, &form).await.text("/id");
    let linked = link(&app, &id, "accounts[]=Insufficient+Funds").await.ok();
    assert_eq!(linked.at("/payment_status"), "unpaid");
    app.run_workers_until_idle().await;
    let told_before = told(&app).await;
    assert!(!told_before.contains(&"checkout.session.async_payment_failed".to_owned()));

    let advance = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    app.post(&advance, &format!("frozen_time={}", 1_767_225_600 + 5 * DAY_S)).await.ok();
    app.run_workers_until_idle().await;
    let told_after = told(&app).await.split_off(told_before.len());
    let of_the_debit = |word: &&String| !word.contains("test_clock");
    let of_the_debit: Vec<&String> = told_after.iter().filter(of_the_debit).collect();
    assert_eq!(
        of_the_debit,
        ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    );
    let shown = app.get(&format!("{CHECKOUT}/{id}?expand[]=payment_intent")).await.ok();
    assert_eq!(
        (shown.at("/status"), shown.at("/payment_status")),
        (json!("complete"), json!("unpaid"))
    );
    assert_eq!(shown.at("/payment_intent/status"), "requires_payment_method");
}

/// Leaving the flow keeps a session open; without a customer the account is nobody's.
#[tokio::test]
async fn leaving_keeps_it_open() {
    let app = App::start().await;
    let id = create(&app, "mode=setup&customer_email=ada@example.com").await.text("/id");
    let left = link(&app, &id, "outcome=cancel").await.ok();
    assert_eq!(left.at("/status"), "open");
    assert_eq!(left.at("/customer_details/email"), "ada@example.com");
    let linked = link(&app, &id, "expand[]=setup_intent.payment_method").await.ok();
    assert_eq!(linked.at("/status"), "complete");
    let bank = linked.at("/setup_intent/payment_method/us_bank_account");
    let account = bank["financial_connections_account"].as_str().unwrap().to_owned();
    let shown = app.get(&format!("/v1/financial_connections/accounts/{account}")).await.ok();
    assert_eq!(shown.at("/account_holder"), Value::Null);
    assert_eq!(shown.at("/permissions"), json!(["payment_method"]));
    let again = link(&app, &id, "").await;
    insta::assert_snapshot!(again.told(), @"
    400 invalid_request_error - -
    This link flow has ended; make a new session to link again.
    ");
}

/// A session expires after a day by itself, or before by a call; then nothing opens it.
#[tokio::test]
async fn expires() {
    let app = App::start().await;
    let left = create(&app, "mode=setup").await.text("/id");
    let early = create(&app, "mode=setup&expires_at=1767227400").await.text("/id");
    let ended = create(&app, "mode=setup").await.text("/id");
    let expired = app.post(&format!("{CHECKOUT}/{ended}/expire"), "").await.ok();
    assert_eq!((expired.at("/status"), expired.at("/url")), (json!("expired"), Value::Null));
    insta::assert_snapshot!(
        app.post(&format!("{CHECKOUT}/{ended}/expire"), "").await.told(), @"
        400 invalid_request_error - -
        Only a Checkout Session that is open can be expired; this one is expired.
        ");

    let status = async |id: &str| app.get(&format!("{CHECKOUT}/{id}")).await.text("/status");
    app.wait_s(30 * 60);
    app.run_workers_until_idle().await;
    assert_eq!(status(&early).await, "expired");
    app.wait_s(DAY_S - 30 * 60 - 1);
    app.run_workers_until_idle().await;
    assert_eq!(status(&left).await, "open");
    app.wait_s(1);
    insta::assert_snapshot!(link(&app, &left, "").await.told(), @"
    400 invalid_request_error - -
    This link flow has expired; make a new session.
    ");
    app.run_workers_until_idle().await;
    assert_eq!(status(&left).await, "expired");
    insta::assert_snapshot!(link(&app, &left, "").await.told(), @"
    400 invalid_request_error - -
    This link flow has ended; make a new session to link again.
    ");
    let events = app.get("/v1/events?type=checkout.session.expired").await.ok();
    let ids: Vec<Value> =
        events.items("/data").iter().map(|event| event["data"]["object"]["id"].clone()).collect();
    assert_eq!(ids, [left, early, ended].map(Value::from));
    let by_itself = |event: &Value| event["request"]["id"].is_null();
    let alone: Vec<bool> = events.items("/data").iter().map(by_itself).collect();
    assert_eq!(alone, [true, true, false]);
}

/// A session of a customer on a test clock expires by that clock.
#[tokio::test]
async fn expires_on_its_clock() {
    let app = App::start().await;
    let clock = app.post("/v1/test_helpers/test_clocks", "frozen_time=1767225600").await.ok();
    let clock = clock.text("/id");
    let customer = app.post("/v1/customers", &format!("test_clock={clock}")).await.ok();
    let id = create(&app, &format!("customer={}", customer.text("/id"))).await.text("/id");
    let status = async || app.get(&format!("{CHECKOUT}/{id}")).await.text("/status");
    app.wait_s(2 * DAY_S);
    app.run_workers_until_idle().await;
    assert_eq!(status().await, "open");
    let advance = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    app.post(&advance, &format!("frozen_time={}", 1_767_225_600 + DAY_S)).await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(status().await, "expired");
}

/// Lists choose by customer, address, status, time and Payment Intent, in pages both ways.
#[tokio::test]
async fn lists() {
    let app = App::sqlite().await;
    let customer = app.customer().await;
    let mut ids = Vec::new();
    for form in ["mode=setup", &format!("customer={customer}"), ONE_ITEM, "mode=setup"] {
        ids.push(create(&app, form).await.text("/id"));
        app.wait_s(1);
    }
    app.post(&format!("{CHECKOUT}/{}/expire", ids[3]), "").await.ok();
    let linked = link(&app, &ids[2], "").await.ok();
    let intent = linked.text("/payment_intent");
    // Places in the order in which they were made, and whether there is more.
    let places = async |query: &str| {
        let list = app.get(&format!("{CHECKOUT}?{query}")).await.ok();
        let place = |item: &Value| ids.iter().position(|id| item["id"] == **id).unwrap();
        let places: Vec<usize> = list.items("/data").iter().map(place).collect();
        (places, list.at("/has_more") == true)
    };
    assert_eq!(places("").await, (vec![3, 2, 1, 0], false));
    assert_eq!(places(&format!("customer={customer}")).await, (vec![1], false));
    assert_eq!(places("customer_details[email]=ada@example.com").await, (vec![1], false));
    assert_eq!(places(&format!("payment_intent={intent}")).await, (vec![2], false));
    assert_eq!(
        places(&format!("payment_intent={intent}&customer={customer}")).await,
        (vec![], false)
    );
    assert_eq!(places("status=open").await, (vec![1, 0], false));
    assert_eq!(places("status=open&limit=1").await, (vec![1], true));
    assert_eq!(
        places(&format!("status=open&limit=1&starting_after={}", ids[1])).await,
        (vec![0], false)
    );
    assert_eq!(places(&format!("limit=1&ending_before={}", ids[0])).await, (vec![1], true));
    assert_eq!(
        places(&format!("status=expired&limit=1&ending_before={}", ids[0])).await,
        (vec![3], false)
    );
    assert_eq!(places("payment_link=plink_1").await, (vec![], false));
    assert_eq!(places("created[gt]=1767225601").await, (vec![3, 2], false));
    let expanded = app.get(&format!("{CHECKOUT}?expand[]=data.payment_intent")).await.ok();
    assert_eq!(expanded.at("/data/1/payment_intent/id"), intent.as_str());
}

/// Line items are listed in the order of the request, each with the price made for it; parts of a
/// cent are added up before they are rounded.
#[tokio::test]
async fn line_items() {
    let app = App::start().await;
    let form = format!(
        "{ONE_ITEM}&line_items[1][quantity]=1000&line_items[1][price_data][currency]=usd\
         &line_items[1][price_data][unit_amount_decimal]=0.25\
         &line_items[1][price_data][product_data][name]=Leaf&expand[]=line_items"
    );
    let session = create(&app, &form).await;
    assert_eq!(session.at("/amount_total"), 2_750);
    assert_eq!(session.at("/line_items/data/1/amount_total"), 250);
    assert_eq!(session.at("/line_items/data/1/price/unit_amount"), Value::Null);
    let path = format!("{CHECKOUT}/{}/line_items", session.text("/id"));
    let first = app.get(&format!("{path}?limit=1")).await.ok();
    insta::assert_snapshot!(first.shown(), @r#"
    200
    {
      "data": [
        {
          "adjustable_quantity": null,
          "amount_discount": 0,
          "amount_subtotal": 2500,
          "amount_tax": 0,
          "amount_total": 2500,
          "currency": "usd",
          "description": "Tea",
          "id": "li_0vIseXMSgHUFceoqFcWHGa9N",
          "metadata": {},
          "object": "item",
          "price": {
            "active": false,
            "billing_scheme": "per_unit",
            "created": 1767225600,
            "currency": "usd",
            "custom_unit_amount": null,
            "id": "price_0vIseXMSgPx2As8fRn2d0qKz",
            "livemode": false,
            "lookup_key": null,
            "metadata": {},
            "nickname": null,
            "object": "price",
            "product": "prod_0vIseXMSht0kJP18PkzqkMNP",
            "recurring": null,
            "tax_behavior": "unspecified",
            "tiers_mode": null,
            "transform_quantity": null,
            "type": "one_time",
            "unit_amount": 1250,
            "unit_amount_decimal": "1250"
          },
          "quantity": 2
        }
      ],
      "has_more": true,
      "object": "list",
      "url": "/v1/checkout/sessions/cs_test_0vIseXMSehlHvgyUlSkOg1vP/line_items"
    }
    "#);
    let item = first.text("/data/0/id");
    let rest = app.get(&format!("{path}?starting_after={item}")).await.ok();
    assert_eq!(rest.at("/data/0/description"), "Leaf");
    assert_eq!(rest.at("/has_more"), false);
    let back = format!("{path}?ending_before={}", rest.text("/data/0/id"));
    assert_eq!(app.get(&back).await.ok().at("/data/0/id"), item.as_str());
    insta::assert_snapshot!(
        app.get(&format!("{path}?starting_after=li_1")).await.told(), @"
        400 invalid_request_error resource_missing starting_after
        No such line item: 'li_1'
        ");
}

/// What Stripe knows and this server does not act on is shown where the object shows it.
#[tokio::test]
async fn echoes() {
    let app = App::start().await;
    let session = create(
        &app,
        "mode=setup&locale=de&client_reference_id=7&submit_type=auto&cancel_url=https://a.example\
         &custom_text[submit][message]=Soon&custom_fields[0][key]=size\
         &custom_fields[0][label][type]=custom&custom_fields[0][label][custom]=Size\
         &custom_fields[0][type]=text&branding_settings[display_name]=Tea\
         &payment_method_options[us_bank_account][verification_method]=instant",
    )
    .await;
    let json = session.json();
    let shown: Vec<String> = [
        "branding_settings",
        "cancel_url",
        "client_reference_id",
        "custom_fields",
        "custom_text",
        "locale",
        "payment_method_options",
        "submit_type",
    ]
    .iter()
    .map(|name| format!("{name}: {}", json[name]))
    .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    branding_settings: {"display_name":"Tea"}
    cancel_url: "https://a.example"
    client_reference_id: "7"
    custom_fields: [{"key":"size","label":{"custom":"Size","type":"custom"},"optional":false,"type":"text"}]
    custom_text: {"after_submit":null,"shipping_address":null,"submit":{"message":"Soon"},"terms_of_service_acceptance":null}
    locale: "de"
    payment_method_options: {"us_bank_account":{"financial_connections":{"prefetch":null},"verification_method":"instant"}}
    submit_type: "auto"
    "#);
}

/// Every fault of these calls, with its code and parameter.
#[tokio::test]
async fn refusals() {
    let app = App::start().await;
    let bank = |more: &str| format!("{OPTIONS}{more}");
    let no_payment = bank("[permissions][]=transactions");
    let prefetch =
        format!("{}&{}", bank("[permissions][]=payment_method"), bank("[prefetch][]=balances"));
    let alone = bank("[prefetch][]=transactions");
    let filters = bank("[filters][account_subcategories][]=checking");
    let item = |more: &str| format!("mode=payment&line_items[0][quantity]=1&line_items[0]{more}");
    let data =
        |more: &str| item(&format!("[price_data][currency]=usd&line_items[0][price_data]{more}"));
    let priced =
        |more: &str| data(&format!("[product_data][name]=Tea&line_items[0][price_data]{more}"));
    let forms = [
        no_payment,
        prefetch,
        alone,
        filters,
        "payment_method_options[us_bank_account][verification_method]=microdeposits".to_owned(),
        "mode=subscription".to_owned(),
        "mode=payment".to_owned(),
        ONE_ITEM.replace("mode=payment&", ""),
        ONE_ITEM.replace("mode=payment", "mode=setup"),
        item("[price]=price_1"),
        item("[metadata][a]=b"),
        data("[product]=prod_1"),
        data("[unit_amount]=100"),
        priced("[recurring][interval]=month"),
        priced("[tax_behavior]=exclusive"),
        priced("[unit_amount]=1&line_items[0][price_data][unit_amount_decimal]=1"),
        priced("[unit_amount]=49"),
        priced("[unit_amount]=100000000"),
        priced("[unit_amount]=-1"),
        ONE_ITEM.replace("=usd", "=eur"),
        ONE_ITEM.replace("line_items[0][quantity]=2&", ""),
        "mode=setup&currency=eur".to_owned(),
        "mode=setup&ui_mode=elements".to_owned(),
        "mode=setup&optional_items[0][price]=price_1&optional_items[0][quantity]=1".to_owned(),
        "mode=setup&payment_intent_data[description]=a".to_owned(),
        format!("{ONE_ITEM}&setup_intent_data[description]=a"),
        format!("{ONE_ITEM}&payment_intent_data[capture_method]=manual"),
        "mode=setup&payment_method_types[]=card".to_owned(),
        "mode=setup&expires_at=1767227399".to_owned(),
        "mode=setup&expires_at=1767312001".to_owned(),
        "mode=setup&customer=cus_1&customer_email=a@example.com".to_owned(),
        "mode=setup&customer=cus_1".to_owned(),
        "mode=setup&expand[]=subscription".to_owned(),
        "mode=setup&color=red".to_owned(),
    ];
    let calls: Vec<(&str, &str, &str)> =
        forms.iter().map(|form| ("POST", CHECKOUT, form.as_str())).collect();
    insta::assert_snapshot!(app.refusals(&calls).await, @"
    POST /v1/checkout/sessions
    payment_method_options[us_bank_account][financial_connections][permissions][]=transactions
        400 invalid_request_error -
        payment_method_options[us_bank_account][financial_connections][permissions]
        A payment needs the permission payment_method among those it asks for.
    POST /v1/checkout/sessions
    payment_method_options[us_bank_account][financial_connections][permissions][]=payment_method&
    payment_method_options[us_bank_account][financial_connections][prefetch][]=balances
        400 invalid_request_error -
        payment_method_options[us_bank_account][financial_connections][prefetch][0]
        To prefetch balances, ask for the permission balances too.
    POST /v1/checkout/sessions
    payment_method_options[us_bank_account][financial_connections][prefetch][]=transactions
        400 invalid_request_error -
        payment_method_options[us_bank_account][financial_connections][prefetch][0]
        To prefetch transactions, ask for the permission transactions too.
    POST /v1/checkout/sessions
    payment_method_options[us_bank_account][financial_connections][filters][account_subcategories][]=checking
        400 invalid_request_error parameter_unknown
        payment_method_options[us_bank_account][financial_connections][filters]
        Received unknown parameter:
        payment_method_options[us_bank_account][financial_connections][filters]
    POST /v1/checkout/sessions
    payment_method_options[us_bank_account][verification_method]=microdeposits
        400 invalid_request_error -
        payment_method_options[us_bank_account][verification_method]
        Invalid payment_method_options[us_bank_account][verification_method]: must be
        one of automatic or instant
    POST /v1/checkout/sessions mode=subscription
        400 invalid_request_error - mode
        This server has no subscriptions yet: mode can be payment or setup.
    POST /v1/checkout/sessions mode=payment
        400 invalid_request_error parameter_missing line_items
        Missing required parameter: line_items.
    POST /v1/checkout/sessions line_items[0][quantity]=2&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][unit_amount]=1250&
    line_items[0][price_data][product_data][name]=Tea
        400 invalid_request_error parameter_missing mode
        Missing required parameter: mode.
    POST /v1/checkout/sessions mode=setup&line_items[0][quantity]=2&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][unit_amount]=1250&
    line_items[0][price_data][product_data][name]=Tea
        400 invalid_request_error - line_items
        Nothing is paid in mode=setup, so there are no line items.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price]=price_1
        400 invalid_request_error - line_items[0][price]
        This server has no prices yet: say what is paid for in price_data.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][metadata][a]=b
        400 invalid_request_error parameter_missing line_items[0][price_data]
        Missing required parameter: line_items[0][price_data].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product]=prod_1
        400 invalid_request_error - line_items[0][price_data][product]
        This server has no products yet: name the product in product_data.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][unit_amount]=100
        400 invalid_request_error parameter_missing
        line_items[0][price_data][product_data]
        Missing required parameter: line_items[0][price_data][product_data].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product_data][name]=Tea&
    line_items[0][price_data][recurring][interval]=month
        400 invalid_request_error - line_items[0][price_data][recurring]
        What recurs is a subscription; this session is for one payment.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product_data][name]=Tea&
    line_items[0][price_data][tax_behavior]=exclusive
        400 invalid_request_error parameter_missing
        line_items[0][price_data][unit_amount]
        Missing required parameter: line_items[0][price_data][unit_amount].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product_data][name]=Tea&
    line_items[0][price_data][unit_amount]=1&
    line_items[0][price_data][unit_amount_decimal]=1
        400 invalid_request_error parameters_exclusive
        line_items[0][price_data][unit_amount]
        You may give only one of these parameters:
        line_items[0][price_data][unit_amount],
        line_items[0][price_data][unit_amount_decimal].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product_data][name]=Tea&
    line_items[0][price_data][unit_amount]=49
        400 invalid_request_error amount_too_small line_items
        The line items must come to at least 50 cents.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product_data][name]=Tea&
    line_items[0][price_data][unit_amount]=100000000
        400 invalid_request_error amount_too_large line_items
        The line items may come to at most 99999999 cents.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][product_data][name]=Tea&
    line_items[0][price_data][unit_amount]=-1
        400 invalid_request_error - line_items[0]
        Quantity and unit amount are zero or more; the amount has at most 12 decimals.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=2&
    line_items[0][price_data][currency]=eur&
    line_items[0][price_data][unit_amount]=1250&
    line_items[0][price_data][product_data][name]=Tea
        400 invalid_request_error - line_items[0][price_data][currency]
        Bank accounts of the type us_bank_account are debited in usd only.
    POST /v1/checkout/sessions mode=payment&line_items[0][price_data][currency]=usd&
    line_items[0][price_data][unit_amount]=1250&
    line_items[0][price_data][product_data][name]=Tea
        400 invalid_request_error parameter_missing line_items[0][quantity]
        Missing required parameter: line_items[0][quantity].
    POST /v1/checkout/sessions mode=setup&currency=eur
        400 invalid_request_error - currency
        Bank accounts of the type us_bank_account are debited in usd only.
    POST /v1/checkout/sessions mode=setup&ui_mode=elements
        400 invalid_request_error - ui_mode
        This server shows Checkout on its own page only: ui_mode is hosted_page.
    POST /v1/checkout/sessions mode=setup&optional_items[0][price]=price_1&
    optional_items[0][quantity]=1
        400 invalid_request_error - optional_items
        Optional items name prices, which this server does not have yet.
    POST /v1/checkout/sessions mode=setup&payment_intent_data[description]=a
        400 invalid_request_error - payment_intent_data
        payment_intent_data does not go with mode=setup.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=2&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][unit_amount]=1250&
    line_items[0][price_data][product_data][name]=Tea&
    setup_intent_data[description]=a
        400 invalid_request_error - setup_intent_data
        setup_intent_data does not go with mode=payment.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=2&
    line_items[0][price_data][currency]=usd&
    line_items[0][price_data][unit_amount]=1250&
    line_items[0][price_data][product_data][name]=Tea&
    payment_intent_data[capture_method]=manual
        400 invalid_request_error - payment_intent_data[capture_method]
        A us_bank_account is debited at once; capture_method=manual is for other types
        of payment method.
    POST /v1/checkout/sessions mode=setup&payment_method_types[]=card
        400 invalid_request_error - payment_method_types
        This server collects bank accounts: payment_method_types must include
        us_bank_account.
    POST /v1/checkout/sessions mode=setup&expires_at=1767227399
        400 invalid_request_error - expires_at
        A Checkout Session expires from 30 minutes to 24 hours after it was made.
    POST /v1/checkout/sessions mode=setup&expires_at=1767312001
        400 invalid_request_error - expires_at
        A Checkout Session expires from 30 minutes to 24 hours after it was made.
    POST /v1/checkout/sessions mode=setup&customer=cus_1&
    customer_email=a@example.com
        400 invalid_request_error parameters_exclusive customer
        You may give only one of these parameters: customer, customer_email.
    POST /v1/checkout/sessions mode=setup&customer=cus_1
        404 invalid_request_error resource_missing customer
        No such customer: 'cus_1'
    POST /v1/checkout/sessions mode=setup&expand[]=subscription
        400 invalid_request_error - expand
        The property 'subscription' cannot be expanded.
    POST /v1/checkout/sessions mode=setup&color=red
        400 invalid_request_error parameter_unknown color
        Received unknown parameter: color
    ");

    let id = create(&app, "mode=setup").await.text("/id");
    let other = app.with_key("sk_test_other");
    assert_eq!(other.get(&format!("{CHECKOUT}/{id}")).await.status, 404);
    let live = format!("{CHECKOUT}/{}", id.replace("test", "live"));
    let calls = [
        ("GET", "/v1/checkout/sessions/cs_test_1", ""),
        ("GET", &*live, ""),
        ("POST", "/v1/checkout/sessions/cs_test_1/expire", ""),
        ("GET", "/v1/checkout/sessions/cs_test_1/line_items", ""),
        ("GET", "/v1/checkout/sessions?status=paid", ""),
        ("GET", "/v1/checkout/sessions?customer=cus_1", ""),
        ("GET", "/v1/checkout/sessions?payment_intent=pi_1", ""),
        ("GET", "/v1/checkout/sessions?starting_after=cs_test_1", ""),
        ("POST", "/v1/test_helpers/financial_connections/link", "carrier=cs_test_1"),
    ];
    insta::assert_snapshot!(app.refusals(&calls).await, @"
    GET /v1/checkout/sessions/cs_test_1
        404 invalid_request_error resource_missing session
        No such checkout session: 'cs_test_1'
    GET /v1/checkout/sessions/cs_live_…
        404 invalid_request_error resource_missing session
        No such checkout session: 'cs_live_…'
    POST /v1/checkout/sessions/cs_test_1/expire
        404 invalid_request_error resource_missing session
        No such checkout session: 'cs_test_1'
    GET /v1/checkout/sessions/cs_test_1/line_items
        404 invalid_request_error resource_missing session
        No such checkout session: 'cs_test_1'
    GET /v1/checkout/sessions?status=paid
        400 invalid_request_error - status
        Invalid status: must be one of complete, expired, or open
    GET /v1/checkout/sessions?customer=cus_1
        404 invalid_request_error resource_missing customer
        No such customer: 'cus_1'
    GET /v1/checkout/sessions?payment_intent=pi_1
        404 invalid_request_error resource_missing payment_intent
        No such payment_intent: 'pi_1'
    GET /v1/checkout/sessions?starting_after=cs_test_1
        400 invalid_request_error resource_missing starting_after
        No such checkout session: 'cs_test_1'
    POST /v1/test_helpers/financial_connections/link carrier=cs_test_1
        404 invalid_request_error resource_missing carrier
        No such checkout session: 'cs_test_1'
    ");
}
