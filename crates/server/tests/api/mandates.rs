//! Mandates: every debit needs one, at every entry point and in every state of the mandate.

use serde_json::Value;
use testkit::{ACCEPTED, App, BEGIN_S, DAY_S, INTENTS, MONTHLY, SETUP_INTENTS, path_of};

/// A confirmation without a mandate is rejected and changes nothing, as Stripe's guide for ACH debits
/// says. The error names both ways to give one.
#[tokio::test]
async fn a_confirmation_needs_a_mandate() {
    let (app, customer) = App::with_customer().await;
    let base = format!("customer={customer}&payment_method=pm_usBankAccount_success");
    let payment = format!("amount=99&currency=usd&{base}");
    let waiting = app.post(INTENTS, &payment).await.ok().id();
    let linked = app.post(INTENTS, "amount=99&currency=usd").await.ok().id();
    app.link_carrier(&linked, "").await.ok();
    let setup = app.post(SETUP_INTENTS, &base).await.ok().id();
    let confirm = |id: &str| path_of(&format!("{id}/confirm"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &confirm(&waiting), ""),
        ("POST", &confirm(&waiting), "off_session=true"),
        ("POST", &confirm(&linked), ""),
        ("POST", &confirm(&setup), ""),
        ("POST", INTENTS, &format!("{payment}&confirm=true")),
        ("POST", SETUP_INTENTS, &format!("{base}&confirm=true")),
    ]).await, @"
    POST /v1/payment_intents/pi_…/confirm
    POST /v1/payment_intents/pi_…/confirm off_session=true
    POST /v1/payment_intents/pi_…/confirm
    POST /v1/setup_intents/seti_…/confirm
    POST /v1/payment_intents amount=99&currency=usd&customer=cus_…&
      payment_method=pm_usBankAccount_success&confirm=true
    POST /v1/setup_intents customer=cus_…&payment_method=pm_usBankAccount_success&confirm=true
        400 - mandate_data: A mandate is required to debit this bank account, and no active one was
          found for the payment method and the customer. Send mandate_data, which records the
          holder's acceptance, such as mandate_data[customer_acceptance][type]=offline, or the id of
          an active mandate as mandate.
    ");
    for intent in [&waiting, &linked, &setup] {
        assert_eq!(app.status(intent).await, "requires_confirmation");
        app.act(intent, "confirm", ACCEPTED).await.ok();
    }
}

/// A mandate of a Setup Intent, or of a payment with `setup_future_usage`, permits later debits of
/// the same payment method and customer. A mandate of one payment does not. (Types `Mandate.type`
/// and `Mandate.status` of Stripe's SDKs.)
#[tokio::test]
async fn mandates_for_one_use_and_for_many() {
    let (app, customer) = App::with_customer().await;
    let seen = async |intent: &str, mandate: &str| {
        app.run_workers_until_idle().await;
        let shown = app.retrieve(mandate).await.facts(&["/type", "/status"]);
        format!("{} {shown}", app.status(intent).await)
    };
    let pay = |method: &str, more: &str| {
        format!(
            "amount=99&currency=usd&customer={customer}&payment_method={method}&confirm=true{more}"
        )
    };
    let mandate_of = async |intent: &str| {
        let expand = "expand[]=latest_charge";
        let shown = app.retrieve(&format!("{intent}?{expand}")).await;
        shown.text("/latest_charge/payment_method_details/us_bank_account/mandate")
    };
    let mut lines = Vec::new();
    for more in ["", "&setup_future_usage=off_session", "&setup_future_usage=on_session"] {
        let form = pay("pm_usBankAccount_success", &format!("&{ACCEPTED}{more}"));
        let first = app.post(INTENTS, &form).await.ok();
        let (first, method) = (first.id(), first.text("/payment_method"));
        let mandate = mandate_of(&first).await;
        lines.push(format!("payment{more}: {}", seen(&first, &mandate).await));
        for more in ["", "&off_session=true"] {
            let again = app.post(INTENTS, &pay(&method, more)).await;
            lines.push(format!("    again{more}: {}", again.status));
            if again.status == 200 {
                assert_eq!(mandate_of(&again.id()).await, mandate);
            }
        }
    }
    let saved = app.attach(&customer, "success").await;
    let (mandate, method) = (saved.text("/mandate"), saved.text("/payment_method"));
    lines.push(format!("setup: {}", seen(&saved.id(), &mandate).await));
    let again = app.post(INTENTS, &pay(&method, "")).await.ok().id();
    assert_eq!(mandate_of(&again).await, mandate);
    insta::assert_snapshot!(lines.join("\n"), @"
    payment: succeeded single_use inactive
        again: 400
        again&off_session=true: 400
    payment&setup_future_usage=off_session: succeeded multi_use active
        again: 200
        again&off_session=true: 200
    payment&setup_future_usage=on_session: succeeded multi_use active
        again: 200
        again&off_session=true: 200
    setup: succeeded multi_use active
    ");
}

/// A Setup Intent with `single_use` has a mandate for one payment of that amount (parameter
/// `single_use` and field `single_use_mandate` of Stripe's Setup Intent).
#[tokio::test]
async fn a_setup_for_a_single_use() {
    let (app, customer) = App::with_customer().await;
    let base = format!("customer={customer}&payment_method=pm_usBankAccount_success");
    let once = "single_use[amount]=99&single_use[currency]=usd";
    let setup =
        app.post(SETUP_INTENTS, &format!("{base}&{once}&confirm=true&{ACCEPTED}")).await.ok();
    assert_eq!(setup.at("/mandate"), Value::Null);
    let (method, mandate) = (setup.text("/payment_method"), setup.text("/single_use_mandate"));
    let pay = |amount: i64| {
        format!(
            "amount={amount}&currency=usd&customer={customer}&payment_method={method}&confirm=true"
        )
    };
    assert_eq!(app.post(INTENTS, &pay(100)).await.status, 400);
    app.post(INTENTS, &pay(99)).await.ok();
    assert_eq!(app.retrieve(&mandate).await.facts(&["/type", "/status"]), "single_use active");
    assert_eq!(app.post(INTENTS, &pay(99)).await.status, 400);
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&mandate).await, "inactive");
}

/// A named mandate must belong to the payment method and the customer and be active. Its error codes
/// are among those of Stripe's SDKs.
#[tokio::test]
async fn named_mandates_are_checked() {
    let (app, customer) = App::with_customer().await;
    let other = app.customer().await;
    let pay = "amount=99&currency=usd&confirm=true&setup_future_usage=off_session";
    let disputed =
        format!("{pay}&{ACCEPTED}&customer={customer}&payment_method=pm_usBankAccount_dispute");
    let disputed = app.post(INTENTS, &disputed).await.ok();
    app.run_workers_until_idle().await;
    let dispute = app.get("/v1/events?type=mandate.updated").await.ok();
    let (inactive, method) =
        (dispute.text("/data/0/data/object/id"), disputed.text("/payment_method"));
    let once = "amount=99&currency=usd&confirm=true&payment_method=pm_usBankAccount_processing";
    let once = app.post(INTENTS, &format!("{once}&customer={other}&{ACCEPTED}")).await.ok();
    let charge = app.retrieve(&once.text("/latest_charge")).await;
    let used = charge.text("/payment_method_details/us_bank_account/mandate");
    let used = format!("mandate={used}&payment_method={}", once.text("/payment_method"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", INTENTS, &format!("{pay}&customer={customer}&payment_method={method}&mandate={inactive}")),
        ("POST", INTENTS, &format!("{pay}&customer={customer}&{used}")),
        ("POST", INTENTS, &format!("{pay}&customer={other}&{used}")),
        ("POST", INTENTS, &format!("{pay}&customer={customer}&payment_method=pm_usBankAccount_success&mandate={inactive}")),
    ]).await, @"
    POST /v1/payment_intents amount=99&currency=usd&confirm=true&setup_future_usage=off_session&
      customer=cus_…&payment_method=pm_…&mandate=mandate_…
        400 payment_intent_mandate_invalid mandate: The mandate is inactive and permits no debits.
          Send mandate_data for a new one.
    POST /v1/payment_intents amount=99&currency=usd&confirm=true&setup_future_usage=off_session&
      customer=cus_…&mandate=mandate_…&payment_method=pm_…
        400 payment_intent_mandate_invalid mandate: The mandate is of another customer. Send
          mandate_data instead.
    POST /v1/payment_intents amount=99&currency=usd&confirm=true&setup_future_usage=off_session&
      customer=cus_…&mandate=mandate_…&payment_method=pm_…
        400 payment_intent_mandate_invalid mandate: The mandate is for the single use of another
          payment. Send mandate_data for a new one.
    POST /v1/payment_intents amount=99&currency=usd&confirm=true&setup_future_usage=off_session&
      customer=cus_…&payment_method=pm_usBankAccount_success&mandate=mandate_…
        400 payment_intent_mandate_invalid mandate: The mandate is not of the payment method pm_….
    ");
}

/// A dispute makes the mandate inactive, with `mandate.updated`. The payment method cannot be debited
/// until the customer gives a new mandate (Stripe's guide for ACH debits, "Disputed payments").
#[tokio::test]
async fn a_dispute_ends_the_mandate() {
    let (app, customer, clock) = App::on_clock().await;
    let saved = app.attach(&customer, "dispute").await;
    let (mandate, method) = (saved.text("/mandate"), saved.text("/payment_method"));
    let debit =
        format!("amount=99&currency=usd&customer={customer}&payment_method={method}&confirm=true");
    app.post(INTENTS, &debit).await.ok();
    app.advance(&clock, BEGIN_S + 8 * DAY_S).await;
    let event = app.get("/v1/events?type=mandate.updated").await.ok();
    assert_eq!(event.items("/data").len(), 1);
    let facts = ["/object/id", "/object/status", "/previous_attributes/status"];
    let facts = facts.map(|fact| event.text(&format!("/data/0/data{fact}")));
    assert_eq!(facts, [mandate.as_str(), "inactive", "active"]);
    let refused = app.post(INTENTS, &debit).await;
    assert_eq!((refused.status, refused.text("/error/param").as_str()), (400, "mandate_data"));
    app.post(INTENTS, &format!("{debit}&{ACCEPTED}&setup_future_usage=off_session")).await.ok();
    app.post(INTENTS, &debit).await.ok();
}

/// The mandate of numbers that were typed is pending until the deposits are verified, and inactive
/// if they are not (our decision: Stripe's type has the word `pending`).
#[tokio::test]
async fn a_mandate_waits_for_its_deposits() {
    let app = App::start().await;
    let mut seen = Vec::new();
    for code in ["SM11AA", "SM33CC", ""] {
        let waits = app.post(SETUP_INTENTS, &testkit::typed_numbers("000123456789")).await.ok();
        let (id, mandate) = (waits.id(), waits.text("/mandate"));
        let before = app.status(&mandate).await;
        match code {
            "" => app.act(&id, "cancel", "").await,
            code => app.act(&id, "verify_microdeposits", &format!("descriptor_code={code}")).await,
        };
        let (intent, after) = (app.status(&id).await, app.status(&mandate).await);
        seen.push(format!("{code}: {before} {after}, {intent}"));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    SM11AA: pending active, succeeded
    SM33CC: pending inactive, requires_payment_method
    : pending inactive, canceled
    ");
}

/// An invoice is paid by a named or an active mandate only. Without one, nothing changes.
#[tokio::test]
async fn invoices_need_a_mandate() {
    let app = App::start().await;
    let open = app.open_invoice().await;
    app.link_carrier(&open.id(), "").await.ok();
    let saved = app.attach(&open.text("/customer"), "success").await;
    let (mandate, method) = (saved.text("/mandate"), saved.text("/payment_method"));
    let before = app.retrieve(&open.id()).await.body;
    let pay = path_of(&format!("{}/pay", open.id()));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &pay, ""),
        ("POST", &pay, "off_session=true&payment_method=pm_usBankAccount_success"),
    ]).await, @"
    POST /v1/invoices/in_…/pay
    POST /v1/invoices/in_…/pay off_session=true&payment_method=pm_usBankAccount_success
        400 - mandate: A mandate is required to debit this bank account, and no active one was found
          for the payment method and the customer. Send the id of an active mandate as mandate, or
          confirm the Payment Intent of the invoice with mandate_data, which records the holder's
          acceptance.
    ");
    assert_eq!(app.retrieve(&open.id()).await.body, before);
    let form = format!("payment_method={method}&mandate={mandate}");
    app.act(&open.id(), "pay", &form).await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&open.id()).await, "paid");
}

/// A subscription's own debit without a mandate fails. The invoice stays open, the Payment Intent
/// waits for a confirmation with one, and `error_if_incomplete` creates nothing.
#[tokio::test]
async fn a_subscription_needs_a_mandate() {
    let (app, customer) = App::with_gold_and_customer().await;
    let attach = "/v1/payment_methods/pm_usBankAccount_success/attach";
    let method = app.post(attach, &format!("customer={customer}")).await.ok().id();
    let more = format!("{MONTHLY}&default_payment_method={method}");
    let made =
        app.subscription(&customer, &format!("{more}&expand[]=latest_invoice.payments")).await;
    let invoice = ["/latest_invoice/status", "/latest_invoice/attempt_count"];
    assert_eq!(made.facts(&["/status"]), "incomplete");
    assert_eq!(made.facts(&invoice), "open 1");
    let intent = made.text("/latest_invoice/payments/data/0/payment/payment_intent");
    assert_eq!(app.status(&intent).await, "requires_confirmation");
    assert_eq!(app.count("/v1/events?type=invoice.payment_failed").await, 1);
    let form = format!("customer={customer}&{more}&payment_behavior=error_if_incomplete");
    let refused = app.post("/v1/subscriptions", &form).await;
    assert_eq!((refused.status, refused.text("/error/param").as_str()), (400, "mandate_data"));
    assert_eq!(app.count("/v1/subscriptions").await, 1);
    app.act(&intent, "confirm", ACCEPTED).await.ok();
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&made.id()).await, "active");
}

/// A renewal without a mandate leaves its invoice open and the subscription past due.
#[tokio::test]
async fn a_renewal_needs_a_mandate() {
    let app = App::with_gold().await;
    let (customer, clock) = app.customer_on_clock().await;
    app.pays_by(&customer, "dispute").await;
    let id = app.subscription(&customer, MONTHLY).await.id();
    app.advance(&clock, BEGIN_S + 32 * DAY_S).await;
    let shown = app.retrieve(&format!("{id}?expand[]=latest_invoice")).await;
    assert_eq!(shown.facts(&["/status", "/latest_invoice/status"]), "past_due open");
    assert_eq!(app.count("/v1/events?type=invoice.payment_failed").await, 1);
}

/// A browser that confirms with a client secret records the holder's acceptance as the served script
/// does, without its own address, which it cannot know.
#[tokio::test]
async fn a_browser_gives_a_mandate() {
    let app = App::start().await;
    let intent = app.post(INTENTS, "amount=99&currency=usd").await.ok();
    app.link_carrier(&intent.id(), "").await.ok();
    let browser = app.client().with_key("pk_test_123");
    let confirm = path_of(&format!("{}/confirm", intent.id()));
    let secret = format!("client_secret={}", intent.text("/client_secret"));
    let refused = browser.post(&confirm, &secret).await;
    assert_eq!((refused.status, refused.text("/error/param").as_str()), (400, "mandate_data"));
    let online = "mandate_data[customer_acceptance][type]=online\
         &mandate_data[customer_acceptance][online][user_agent]=Firefox";
    let confirmed = browser.post(&confirm, &format!("{secret}&{online}")).await.ok();
    assert_eq!(confirmed.text("/status"), "processing");
}

/// Completing a Checkout Session gives a mandate, on its page and by a call.
#[tokio::test]
async fn checkout_collects_a_mandate() {
    let (app, customer) = App::with_customer().await;
    let form = format!("customer={customer}&mode=setup&currency=usd");
    let session = app.checkout(&form).await.id();
    let expand = "expand[]=setup_intent.mandate";
    let linked = app.link_carrier(&session, expand).await.ok();
    assert_eq!(linked.text("/setup_intent/mandate/status"), "active");
    let method = linked.text("/setup_intent/payment_method");
    let debit =
        format!("amount=99&currency=usd&customer={customer}&payment_method={method}&confirm=true");
    app.post(INTENTS, &debit).await.ok();
}
