//! Rules of Stripe that real programs meet first. Each test names its source.

use serde_json::{Value, json};
use testkit::{ACCEPTED, App, INTENTS, MONTHLY, NUMBERS, ONE_ITEM, path_of};

/// Paying a draft finalizes it first. The fixtures of Stripe's CLI 1.52.0 do so.
#[tokio::test]
async fn paying_a_draft_finalizes_it() {
    let app = App::start().await;
    let draft = app.draft_invoice("").await;
    app.invoice_item(&draft, "amount=1000&currency=usd").await;
    let method = app.attach(&draft.text("/customer"), "success").await.text("/payment_method");
    let paid = app.act(&draft.id(), "pay", &format!("payment_method={method}")).await.ok();
    assert_eq!(paid.at("/status"), "open");
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&draft.id()).await, "paid");
    let events = app.get("/v1/events?types[]=invoice.finalized&types[]=invoice.paid").await.ok();
    let types: Vec<Value> = events.items("/data").iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types, ["invoice.paid", "invoice.finalized"]);

    let nothing_due = app.draft_invoice("").await;
    assert_eq!(app.act(&nothing_due.id(), "pay", "").await.ok().at("/status"), "paid");

    let elsewhere = app.draft_invoice("").await;
    app.invoice_item(&elsewhere, "amount=1000&currency=usd").await;
    let settled = app.act(&elsewhere.id(), "pay", "paid_out_of_band=true").await.ok();
    assert_eq!(settled.at("/status"), "paid");
}

/// Calls that this server does not have return 404 as unknown addresses, and no word of their paths
/// is read as an id. A path that is served with other methods only returns 405. The calls are those
/// of Stripe's description that `docs/parity.md` lists as unsupported, and the two calls that
/// `invoices/create_preview` has replaced (changelog of 2025-03-31.basil).
#[tokio::test]
async fn unsupported_calls_are_unknown_addresses() {
    let app = App::start().await;
    let parity = include_str!("../../../../docs/parity.md");
    let (_, unsupported) = parity.split_once("\n## Not supported\n").unwrap();
    let mut calls: Vec<(String, String)> = Vec::new();
    for row in unsupported.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let resource = columns[1].trim_matches('`');
        for call in columns[2].split(", ") {
            let call = call.trim_matches('`');
            let (method, rest) = call.split_once(' ').unwrap_or((call, ""));
            let base =
                if rest.starts_with("/v2/") { String::new() } else { format!("/v1/{resource}") };
            calls.push((method.to_owned(), format!("{base}{rest}").replace("{id}", "x_1")));
        }
    }
    assert!(calls.len() > 200, "{} calls", calls.len());
    let words = [
        "/charges/search",
        "/credit_notes/preview",
        "/invoices/create_preview",
        "/prices/search",
        "/products/search",
    ];
    for word in words {
        assert!(calls.iter().any(|(_, path)| path.ends_with(word)), "{word}");
    }
    calls.push(("GET".to_owned(), "/v1/invoices/upcoming".to_owned()));
    calls.push(("GET".to_owned(), "/v1/invoices/upcoming/lines".to_owned()));
    let mut wrong = Vec::new();
    for (method, path) in calls {
        let response = app.request(&method, &path).send().await;
        let message = response.text("/error/message");
        let is_unknown = response.status == 404
            && (message.starts_with("Unrecognized request URL")
                || message.starts_with("This server has no call"));
        let is_other_method =
            response.status == 405 && !words.iter().any(|word| path.contains(word));
        if !is_unknown && !is_other_method {
            wrong.push(format!("{method} {path}: {} {message}", response.status));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The external accounts of the caller's own account are an empty list, and none can be created by
/// a call (stripe-php issue 1165).
#[tokio::test]
async fn external_accounts_of_ones_own_account() {
    let app = App::start().await;
    let own = app.get("/v1/account").await.ok().id();
    let path = format!("/v1/accounts/{own}/external_accounts");
    let list = app.get(&format!("{path}?limit=100")).await.ok();
    assert_eq!((list.at("/data"), list.text("/url")), (json!([]), path.clone()));
    let form = format!("{NUMBERS}&external_account[account_number]=000123456789");
    let created = app.post(&path, &form).await;
    assert_eq!(created.status, 400);
    assert!(created.text("/error/message").contains("managed in the dashboard"));
}

/// Webhook endpoints accept every event name of Stripe. Other names and thin events are rejected,
/// as Stripe's reference of `enabled_events` says.
#[tokio::test]
async fn endpoints_reject_unknown_events() {
    let app = App::start().await;
    let path = "/v1/webhook_endpoints";
    let hook = "url=http://127.0.0.1:9/&enabled_events[]=treasury.received_debit.created";
    let endpoint = app.post(path, hook).await.ok().id();
    let update = format!("{path}/{endpoint}");
    let form = |event: &str| format!("{hook}&enabled_events[]={event}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", path, &form("invoice.payd")),
        ("POST", path, &form("zzz")),
        ("POST", path, &form("v1.invoice.paid")),
        ("POST", &update, "enabled_events[]=customer.create"),
    ]).await, @"
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&
      enabled_events[]=treasury.received_debit.created&enabled_events[]=invoice.payd
        400 - enabled_events[1]: invoice.payd is not the name of an event type. Did you mean
          invoice.paid?
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&
      enabled_events[]=treasury.received_debit.created&enabled_events[]=zzz
        400 - enabled_events[1]: zzz is not the name of an event type.
    POST /v1/webhook_endpoints url=http://127.0.0.1:9/&
      enabled_events[]=treasury.received_debit.created&enabled_events[]=v1.invoice.paid
        400 - enabled_events[1]: v1.invoice.paid is the name of a thin event. Thin events go to
          event destinations with event_payload=thin. Create one with POST /v2/core/
          event_destinations.
    POST /v1/webhook_endpoints/we_… enabled_events[]=customer.create
        400 - enabled_events[0]: customer.create is not the name of an event type. Did you mean
          customer.created?
    ");
}

/// A destination must be a connected account, and a fee needs one and is at most the amount
/// (Stripe's guide to destination charges).
#[tokio::test]
async fn shares_of_a_payment_are_checked() {
    let app = App::start().await;
    let account = app.post("/v1/accounts", "type=custom&country=US").await.ok().id();
    let payment = "amount=1000&currency=usd";
    let to = format!("{payment}&transfer_data[destination]={account}");
    let nobody = "transfer_data[destination]=";
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", INTENTS, &format!("{payment}&transfer_data[destination]=acct_x")),
        ("POST", INTENTS, &format!("{payment}&application_fee_amount=5")),
        ("POST", INTENTS, &format!("{payment}&application_fee_amount=5&{nobody}")),
        ("POST", INTENTS, &format!("{to}&application_fee_amount=1001")),
        ("POST", INTENTS, &format!("{to}&transfer_data[amount]=1001")),
        ("POST", INTENTS, &format!("{to}&application_fee_amount=5&transfer_data[amount]=5")),
    ]).await, @"
    POST /v1/payment_intents amount=1000&currency=usd&transfer_data[destination]=acct_x
        400 resource_missing transfer_data[destination]: No such destination: 'acct_x'
    POST /v1/payment_intents amount=1000&currency=usd&application_fee_amount=5
        400 - application_fee_amount: An application_fee_amount needs a connected account: set
          transfer_data[destination], or send the Stripe-Account header.
    POST /v1/payment_intents amount=1000&currency=usd&application_fee_amount=5&
      transfer_data[destination]=
        400 parameter_invalid_empty transfer_data[destination]: transfer_data[destination] is an
          empty string. Send a value, or leave it out.
    POST /v1/payment_intents amount=1000&currency=usd&transfer_data[destination]=acct_…&
      application_fee_amount=1001
        400 - application_fee_amount: application_fee_amount is from 0 to the amount of the payment,
          1000.
    POST /v1/payment_intents amount=1000&currency=usd&transfer_data[destination]=acct_…&
      transfer_data[amount]=1001
        400 - transfer_data[amount]: transfer_data[amount] is from 0 to the amount of the payment,
          1000.
    POST /v1/payment_intents amount=1000&currency=usd&transfer_data[destination]=acct_…&
      application_fee_amount=5&transfer_data[amount]=5
        400 parameters_exclusive application_fee_amount: You may give only one of these parameters:
          application_fee_amount, transfer_data[amount].
    ");
    let intent = app.post(INTENTS, &format!("{to}&application_fee_amount=1000")).await.ok();
    assert_eq!(intent.at("/application_fee_amount"), 1_000);
    let smaller = app.post(&path_of(&intent.id()), "amount=999").await;
    assert_eq!(smaller.at("/error/param"), "application_fee_amount");
    let direct = format!("{payment}&application_fee_amount=5");
    app.in_account(&account).post(INTENTS, &direct).await.ok();
}

/// A card's name or numbers are rejected with the names of the ACH test methods.
#[tokio::test]
async fn cards_lead_to_bank_accounts() {
    let app = App::start().await;
    let customer = app.customer().await;
    let card = "card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2030&card[cvc]=1";
    let intent = app.post(INTENTS, "amount=1000&currency=usd").await.ok().id();
    let calls = [
        (
            "/v1/payment_methods/pm_card_visa/attach".to_owned(),
            format!("customer={customer}"),
            "payment_method",
        ),
        ("/v1/payment_methods".to_owned(), format!("type=card&{card}"), "type"),
        ("/v1/payment_methods".to_owned(), "type=card&card[token]=tok_visa".to_owned(), "type"),
        ("/v1/tokens".to_owned(), card.to_owned(), "card"),
        (
            format!("{INTENTS}/{intent}/confirm"),
            "payment_method=pm_card_visa".to_owned(),
            "payment_method",
        ),
        (format!("{INTENTS}/{intent}"), "payment_method=tok_visa".to_owned(), "payment_method"),
        (
            path_of(&customer),
            "invoice_settings[default_payment_method]=pm_card_visa".to_owned(),
            "invoice_settings[default_payment_method]",
        ),
    ];
    for (path, form, param) in calls {
        let rejected = app.post(&path, &form).await;
        assert_eq!((rejected.status, rejected.at("/error/param")), (400, json!(param)), "{path}");
        let message = rejected.text("/error/message");
        assert!(message.contains("pm_usBankAccount_insufficientFunds"), "{path}: {message}");
    }
    let attach = "/v1/payment_methods/pm_usBankAccount_success/attach";
    let attached = app.post(attach, &format!("customer={customer}")).await.ok();
    assert_eq!(attached.text("/customer"), customer);
    assert_eq!(app.retrieve(&attached.id()).await.text("/customer"), customer);
}

/// The prefix of a deleted customer stays taken (stripe-java issue 1325).
#[tokio::test]
async fn the_prefix_of_a_deleted_customer_stays_taken() {
    let app = App::start().await;
    let first = app.post("/v1/customers", "invoice_prefix=ADA").await.ok().id();
    app.delete(&path_of(&first)).await.ok();
    let second = app.post("/v1/customers", "invoice_prefix=ADA").await;
    assert_eq!((second.status, second.at("/error/param")), (400, json!("invoice_prefix")));
    app.post("/v1/customers", "invoice_prefix=BOB").await.ok();
}

/// A finalized invoice has the address of a PDF file, and a draft has none (Stripe's reference of
/// the invoice).
#[tokio::test]
async fn a_finalized_invoice_has_a_file() {
    let app = App::start().await;
    assert_eq!(app.draft_invoice("").await.at("/invoice_pdf"), Value::Null);
    let url = app.open_invoice().await.text("/invoice_pdf");
    let path = &url[url.find("/i/").unwrap()..];
    let file = app.bare_request("GET", path).send().await;
    assert_eq!((file.status, file.header("content-type")), (200, Some("application/pdf")));
    assert!(file.body.starts_with("%PDF-1.") && file.body.contains("/ToUnicode"));
    let unknown = app.bare_request("GET", &path.replace("/pdf", "0/pdf")).send().await;
    assert_eq!(unknown.status, 404);
}

/// A payment method of the platform's customer is cloned into a connected account (Stripe's guide to
/// cloning).
#[tokio::test]
async fn payment_methods_are_cloned() {
    let app = App::start().await;
    let customer = app.customer().await;
    let method = app.pays_by(&customer, "insufficientFunds").await;
    let account = app.post("/v1/accounts", "type=custom&country=US").await.ok().id();
    let inside = app.in_account(&account);
    let path = "/v1/payment_methods";
    let form = format!("customer={customer}&payment_method={method}");
    let clone = inside.post(path, &format!("{form}&metadata[a]=b")).await.ok();
    assert_ne!(clone.id(), method);
    assert_eq!((clone.at("/customer"), clone.at("/metadata/a")), (Value::Null, json!("b")));
    assert_eq!(clone.at("/us_bank_account/last4"), "2227");
    assert_eq!(app.retrieve(&method).await.text("/customer"), customer);
    let debit =
        format!("amount=500&currency=usd&confirm=true&{ACCEPTED}&payment_method={}", clone.id());
    inside.post(INTENTS, &debit).await.ok();
    let other = app.customer().await;
    for (client, form, status, param) in [
        (&*app, form.clone(), 400, "payment_method"),
        (&inside, format!("payment_method={method}"), 400, "customer"),
        (&inside, format!("customer={other}&payment_method={method}"), 404, "payment_method"),
        (&inside, format!("customer=cus_1&payment_method={method}"), 404, "customer"),
    ] {
        let rejected = client.post(path, &form).await;
        assert_eq!((rejected.status, rejected.at("/error/param")), (status, json!(param)));
    }
}

/// A payment method that was debited without a customer cannot be used again or attached
/// (liberapay issue 2686).
#[tokio::test]
async fn a_method_without_customer_is_used_once() {
    let app = App::start().await;
    let debit = "amount=500&currency=usd&confirm=true&payment_method=";
    let once = format!("{debit}pm_usBankAccount_success&{ACCEPTED}");
    let first = app.post(INTENTS, &once).await.ok();
    let method = first.text("/payment_method");
    let customer = format!("customer={}", app.customer().await);
    let attach = path_of(&format!("{method}/attach"));
    let again = format!("{debit}{method}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", INTENTS, &again),
        ("POST", INTENTS, &format!("{again}&{customer}")),
        ("POST", &attach, &customer),
    ]).await, @"
    POST /v1/payment_intents amount=500&currency=usd&confirm=true&payment_method=pm_…
    POST /v1/payment_intents amount=500&currency=usd&confirm=true&payment_method=pm_…&customer=cus_…
    POST /v1/payment_methods/pm_…/attach customer=cus_…
        400 - payment_method: The payment method was debited without a customer and cannot be used
          or attached again. Attach the next one to a customer before its first debit.
    ");
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&first.id()).await, "succeeded");
}

/// The rules of the share of a payment apply to invoices, subscriptions and Checkout Sessions too
/// (Stripe's guide for destination charges). The error names the parameter of the call.
#[tokio::test]
async fn shares_are_checked_everywhere() {
    let app = App::with_gold().await;
    let customer = app.customer().await;
    let account = app.post("/v1/accounts", "type=custom").await.ok().id();
    let to = format!("transfer_data[destination]={account}");
    let invoice = format!("customer={customer}");
    let subscription = format!("customer={customer}&{MONTHLY}&payment_behavior=default_incomplete");
    let checkout =
        |name: &str, value: &str| format!("{ONE_ITEM}&payment_intent_data{name}={value}");
    let monthly = "mode=subscription&success_url=https://shop.example/done\
         &line_items[0][quantity]=1&line_items[0][price_data][currency]=usd\
         &line_items[0][price_data][unit_amount]=500&line_items[0][price_data][product]=gold\
         &line_items[0][price_data][recurring][interval]=month";
    let draft =
        app.post("/v1/invoices", &format!("{invoice}&{to}&application_fee_amount=501")).await.ok();
    app.invoice_item(&draft, "amount=500&currency=usd").await;
    let sessions = "/v1/checkout/sessions";
    let mut seen = Vec::new();
    for (path, form) in [
        ("/v1/invoices".to_owned(), format!("{invoice}&transfer_data[destination]=acct_x")),
        ("/v1/invoices".to_owned(), format!("{invoice}&application_fee_amount=5")),
        (path_of(&format!("{}/finalize", draft.id())), String::new()),
        (path_of(&draft.id()), format!("{to}&application_fee_amount=502")),
        (
            "/v1/subscriptions".to_owned(),
            format!("{subscription}&transfer_data[destination]=acct_x"),
        ),
        ("/v1/subscriptions".to_owned(), format!("{subscription}&application_fee_percent=5")),
        (
            "/v1/subscriptions".to_owned(),
            format!("{subscription}&{to}&transfer_data[amount_percent]=101"),
        ),
        (sessions.to_owned(), checkout("[transfer_data][destination]", "acct_x")),
        (sessions.to_owned(), checkout("[application_fee_amount]", "5")),
        (
            sessions.to_owned(),
            format!(
                "{}&payment_intent_data[application_fee_amount]=99999999",
                checkout("[transfer_data][destination]", &account)
            ),
        ),
        (sessions.to_owned(), format!("{monthly}&subscription_data[application_fee_percent]=5")),
        (
            sessions.to_owned(),
            format!("{monthly}&subscription_data[transfer_data][destination]=acct_x"),
        ),
    ] {
        let refused = app.post(&path, &form).await;
        seen.push(
            refused.facts(&["/error/param", "/error/code"]).replace("null", "-")
                + &format!(" {}", refused.status),
        );
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    transfer_data[destination] resource_missing 400
    application_fee_amount - 400
    application_fee_amount - 400
    application_fee_amount - 400
    transfer_data[destination] resource_missing 400
    application_fee_percent - 400
    transfer_data[amount_percent] - 400
    payment_intent_data[transfer_data][destination] resource_missing 400
    payment_intent_data[application_fee_amount] - 400
    payment_intent_data[application_fee_amount] - 400
    subscription_data[application_fee_percent] - 400
    subscription_data[transfer_data][destination] resource_missing 400
    ");
    let expand = "expand[]=latest_invoice.payments";
    let form = format!("{subscription}&{to}&application_fee_percent=2.5&{expand}");
    let made = app.post("/v1/subscriptions", &form).await.ok();
    // Versions since basil show the fee on the payment only.
    let older = app.in_version("2024-06-20").retrieve(&made.text("/latest_invoice/id")).await;
    assert_eq!(older.at("/application_fee_amount"), 25);
    let share = ["/application_fee_amount", "/transfer_data/destination"];
    let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
    let shown = app.retrieve(&intent).await;
    let shares = share.map(|path| shown.at(path).to_string());
    assert_eq!(shares, ["25".to_owned(), format!("\"{account}\"")]);
}
