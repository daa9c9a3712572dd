//! Every error of each call about intents and payment methods, except errors that all calls share.

use testkit::{
    ACCEPTED, App, INTENTS, LINK, OPTIONS, SETUP_INTENTS, SUBSCRIPTIONS, path_of, typed_numbers,
};

/// Every error of the calls about intents and payment methods.
#[tokio::test]
async fn api_errors() {
    let app = App::start().await;
    let without = app.account().await;
    let canceled = app.post(INTENTS, "amount=99&currency=usd").await.ok().id();
    let path = path_of(&canceled);
    let ended = app.act(&canceled, "cancel", "cancellation_reason=duplicate").await.ok();
    assert_eq!(ended.at("/status"), "canceled");
    assert_eq!(ended.at("/cancellation_reason"), "duplicate");
    let (intents, methods) = (INTENTS, "/v1/payment_methods");
    let of_account = format!(
        "type=us_bank_account&billing_details[name]=A\
         &us_bank_account[financial_connections_account]={without}"
    );
    let numbers = "type=us_bank_account&billing_details[name]=A\
                   &us_bank_account[account_holder_type]=company";
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", intents, "amount=10&currency=usd"),
        ("POST", intents, "amount=100000000&currency=usd"),
        ("POST", intents, "amount=100&currency=eur"),
        ("POST", intents, "amount=100&currency=usd&capture_method=manual"),
        ("POST", intents, "amount=100&currency=usd&payment_method_types[]=card"),
        ("POST", intents, "amount=100&currency=usd&customer=cus_1"),
        ("POST", intents, "amount=100&currency=usd&confirm=true"),
        ("POST", intents, "amount=100&currency=usd&mandate_data[customer_acceptance][type]=offline"),
        ("POST", intents, "amount=100&currency=usd&payment_method=pm_1"),
        ("POST", intents, "amount=100&currency=usd&payment_method=pm_1&payment_method_data[type]=us_bank_account"),
        ("POST", intents, &format!("amount=100&currency=usd&{OPTIONS}[permissions][]=transactions")),
        ("POST", intents, &format!("amount=100&currency=usd&{OPTIONS}[prefetch][]=transactions")),
        ("POST", &path, "amount=200"),
        ("POST", &format!("{path}/confirm"), ""),
        ("POST", &format!("{path}/cancel"), ""),
        ("POST", &format!("{path}/capture"), ""),
        ("POST", &format!("{path}/verify_microdeposits"), "amounts[]=32&amounts[]=45"),
        ("POST", LINK, &format!("carrier={canceled}")),
        ("GET", "/v1/payment_intents/pi_1", ""),
        ("GET", "/v1/setup_intents/seti_1", ""),
        ("GET", &format!("{path}?expand[]=payment_method.customer.test_clock.x.y"), ""),
        ("GET", &format!("{path}?client_secret=pi_x"), ""),
        ("POST", methods, "type=card"),
        ("POST", methods, "type=us_bank_account"),
        ("POST", methods, "type=us_bank_account&us_bank_account[account_number]=1"),
        ("POST", methods, &of_account),
        ("POST", methods, &format!("{numbers}&us_bank_account[account_number]=000123456789&us_bank_account[routing_number]=110000001")),
        ("POST", methods, &format!("{numbers}&us_bank_account[account_number]=12&us_bank_account[routing_number]=110000000")),
        ("GET", &format!("{methods}/pm_1"), ""),
        ("GET", "/v1/mandates/mandate_1", ""),
    ]).await, @"
    POST /v1/payment_intents amount=10&currency=usd
        400 amount_too_small amount: The amount must be at least 50 cents.
    POST /v1/payment_intents amount=100000000&currency=usd
        400 amount_too_large amount: The amount must be at most 99999999 cents.
    POST /v1/payment_intents amount=100&currency=eur
        400 - currency: Bank accounts of the type us_bank_account are debited in usd only.
    POST /v1/payment_intents amount=100&currency=usd&capture_method=manual
        400 - capture_method: A us_bank_account is debited at once; capture_method=manual is for
          other types of payment method.
    POST /v1/payment_intents amount=100&currency=usd&payment_method_types[]=card
        400 - payment_method_types: This server collects bank accounts: payment_method_types must
          include us_bank_account.
    POST /v1/payment_intents amount=100&currency=usd&customer=cus_1
        404 resource_missing customer: No such customer: 'cus_1'
    POST /v1/payment_intents amount=100&currency=usd&confirm=true
        400 parameter_missing payment_method: There is nothing to debit yet: link an account, or
          give payment_method or payment_method_data.
    POST /v1/payment_intents amount=100&currency=usd&mandate_data[customer_acceptance][type]=offline
        400 - mandate_data: mandate_data may be given only together with confirm=true.
    POST /v1/payment_intents amount=100&currency=usd&payment_method=pm_1
        404 resource_missing payment_method: No such PaymentMethod: 'pm_1'
    POST /v1/payment_intents amount=100&currency=usd&payment_method=pm_1&
      payment_method_data[type]=us_bank_account
        400 parameters_exclusive payment_method: You may give only one of these parameters:
          payment_method, payment_method_data.
    POST /v1/payment_intents amount=100&currency=usd&…[permissions][]=transactions
        400 - payment_method_options[us_bank_account][financial_connections][permissions]: A payment
          needs the permission payment_method among those it asks for.
    POST /v1/payment_intents amount=100&currency=usd&…[prefetch][]=transactions
        400 - payment_method_options[us_bank_account][financial_connections][prefetch][0]: To
          prefetch transactions, ask for the permission transactions too.
    POST /v1/payment_intents/pi_… amount=200
        400 payment_intent_unexpected_state: This payment_intent has the status canceled and cannot
          be updated.
    POST /v1/payment_intents/pi_…/confirm
        400 payment_intent_unexpected_state: This payment_intent has the status canceled and cannot
          be confirmed.
    POST /v1/payment_intents/pi_…/cancel
        400 payment_intent_unexpected_state: This payment_intent has the status canceled and cannot
          be canceled.
    POST /v1/payment_intents/pi_…/capture
        400 payment_intent_unexpected_state: This payment_intent has the status canceled and cannot
          be captured.
    POST /v1/payment_intents/pi_…/verify_microdeposits amounts[]=32&amounts[]=45
        400 payment_intent_unexpected_state: This payment_intent has the status canceled and cannot
          be verified.
    POST HELPERS/link carrier=pi_…
        400: This link flow has ended; make a new session to link again.
    GET /v1/payment_intents/pi_1
        404 resource_missing intent: No such payment_intent: 'pi_1'
    GET /v1/setup_intents/seti_1
        404 resource_missing intent: No such setup_intent: 'seti_1'
    GET /v1/payment_intents/pi_…?expand[]=payment_method.customer.test_clock.x.y
        400 - expand: The property 'payment_method.customer.test_clock.x.y' cannot be expanded
          because its path has more than 4 levels.
    GET /v1/payment_intents/pi_…?client_secret=pi_x
        400 payment_intent_invalid_parameter client_secret: The client_secret given does not belong
          to this payment_intent.
    POST /v1/payment_methods type=card
        400 - type: This server has payment methods of the type us_bank_account only. In test mode
          use a bank account: pm_usBankAccount_success, pm_usBankAccount_accountClosed,
          pm_usBankAccount_noAccount, pm_usBankAccount_insufficientFunds,
          pm_usBankAccount_debitNotAuthorized, pm_usBankAccount_invalidCurrency,
          pm_usBankAccount_failMicrodeposits, pm_usBankAccount_dispute, pm_usBankAccount_processing,
          pm_usBankAccount_refundFail, pm_usBankAccount_weeklyLimitExceeded,
          pm_usBankAccount_riskLevelHighest.
    POST /v1/payment_methods type=us_bank_account
        400 parameter_missing us_bank_account: Missing required parameter: us_bank_account.
    POST /v1/payment_methods type=us_bank_account&us_bank_account[account_number]=1
        400 parameter_missing billing_details[name]: Missing required parameter:
          billing_details[name].
    POST /v1/payment_methods type=us_bank_account&billing_details[name]=A&
      us_bank_account[financial_connections_account]=fca_…
        400 - us_bank_account[financial_connections_account]: The account was linked without the
          permission payment_method.
    POST /v1/payment_methods type=us_bank_account&billing_details[name]=A&
      us_bank_account[account_holder_type]=company&us_bank_account[account_number]=000123456789&
      us_bank_account[routing_number]=110000001
        400 routing_number_invalid us_bank_account[routing_number]: The routing number must have
          nine digits, the last of which checks the others.
    POST /v1/payment_methods type=us_bank_account&billing_details[name]=A&
      us_bank_account[account_holder_type]=company&us_bank_account[account_number]=12&
      us_bank_account[routing_number]=110000000
        400 account_number_invalid us_bank_account[account_number]: The account number must have 4
          to 17 digits.
    GET /v1/payment_methods/pm_1
        404 resource_missing payment_method: No such PaymentMethod: 'pm_1'
    GET /v1/mandates/mandate_1
        404 resource_missing mandate: No such mandate: 'mandate_1'
    ");
}

/// A confirmation can replace the link requirements, under the rules of an update. A browser cannot
/// change them.
#[tokio::test]
async fn confirming_with_other_wishes() {
    let app = App::start().await;
    let intent = app.post(INTENTS, "amount=99&currency=usd").await.ok().id();
    app.link_carrier(&intent, "").await.ok();
    let confirm = path_of(&format!("{intent}/confirm"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &confirm, &format!("{OPTIONS}[permissions][]=balances")),
        ("POST", &confirm, &format!("{OPTIONS}[prefetch][]=balances")),
    ]).await, @"
    POST /v1/payment_intents/pi_…/confirm …[permissions][]=balances
        400 - payment_method_options[us_bank_account][financial_connections][permissions]: A payment
          needs the permission payment_method among those it asks for.
    POST /v1/payment_intents/pi_…/confirm …[prefetch][]=balances
        400 - payment_method_options[us_bank_account][financial_connections][prefetch][0]: To
          prefetch balances, ask for the permission balances too.
    ");
    let asked = format!(
        "{OPTIONS}[permissions][]=payment_method&{OPTIONS}[permissions][]=balances\
         &{OPTIONS}[prefetch][]=balances"
    );
    let asked = format!("{asked}&{ACCEPTED}");
    let confirmed = app.post(&confirm, &asked).await.ok();
    insta::assert_snapshot!(confirmed.at("/payment_method_options"), @r#"{"us_bank_account":{"financial_connections":{"permissions":["balances","payment_method"],"prefetch":["balances"]},"verification_method":"automatic"}}"#);

    let intent = app.post(SETUP_INTENTS, "").await.ok();
    app.link_carrier(&intent.id(), "").await.ok();
    let path = path_of(&intent.id());
    let before = app.get(&path).await.at("/payment_method_options");
    let browser = app.client().with_key("pk_test_123");
    let form = format!("client_secret={}&{asked}", intent.text("/client_secret"));
    browser.post(&format!("{path}/confirm"), &form).await.ok();
    assert_eq!(app.get(&path).await.at("/payment_method_options"), before);
}

/// An intent with instant verification rejects typed numbers, because only deposits could verify
/// them.
#[tokio::test]
async fn instant_takes_no_typed_numbers() {
    let app = App::start().await;
    let instant = "payment_method_options[us_bank_account][verification_method]=instant";
    let form = format!("{instant}&{}", typed_numbers("000123456789"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", SETUP_INTENTS, &form),
        ("POST", INTENTS, &format!("amount=99&currency=usd&{form}")),
    ]).await, @"
    POST /v1/setup_intents payment_method_options[us_bank_account][verification_method]=instant&
      confirm=true&mandate_data[customer_acceptance][type]=offline&
      payment_method_data[type]=us_bank_account&payment_method_data[billing_details][name]=Ada&
      …[account_holder_type]=individual&…[routing_number]=110000000&…[account_number]=000123456789
    POST /v1/payment_intents amount=99&currency=usd&
      payment_method_options[us_bank_account][verification_method]=instant&confirm=true&
      mandate_data[customer_acceptance][type]=offline&payment_method_data[type]=us_bank_account&
      payment_method_data[billing_details][name]=Ada&…[account_holder_type]=individual&
      …[routing_number]=110000000&…[account_number]=000123456789
        400 payment_method_invalid_parameter
          payment_method_options[us_bank_account][verification_method]: Numbers that were typed in
          can only be verified by deposits, which verification_method=instant leaves out; link an
          account instead.
    ");
    app.post(SETUP_INTENTS, &form.replace("instant", "automatic")).await.ok();
}

/// A payment method that was detached from its customer cannot be used, even by an intent that
/// already has it. Objects that named it as their default drop it.
#[tokio::test]
async fn detached_methods_are_of_no_use() {
    let (app, customer) = App::with_customer().await;
    let method = app.pays_by(&customer, "success").await;
    let form = format!("customer={customer}&default_payment_method={method}");
    let subscription = app.post(SUBSCRIPTIONS, &form).await.ok().id();
    let waits = format!("amount=99&currency=usd&customer={customer}&payment_method={method}");
    let waits = app.post(INTENTS, &waits).await.ok().id();
    app.act(&method, "detach", "").await.ok();

    for (id, default) in [
        (&customer, "/invoice_settings/default_payment_method"),
        (&subscription, "/default_payment_method"),
    ] {
        assert_eq!(app.retrieve(id).await.at(default), serde_json::Value::Null);
    }
    let events = app.get("/v1/events?limit=3").await.ok();
    let types = [0, 1, 2].map(|place| events.text(&format!("/data/{place}/type")));
    insta::assert_snapshot!(types.join("\n"), @"
    customer.subscription.updated
    customer.updated
    payment_method.detached
    ");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &path_of(&format!("{method}/attach")), &format!("customer={customer}")),
        ("POST", INTENTS, &format!("amount=99&currency=usd&payment_method={method}")),
        ("POST", &path_of(&format!("{waits}/confirm")), ""),
        ("POST", &path_of(&format!("{method}/detach")), ""),
    ]).await, @"
    POST /v1/payment_methods/pm_…/attach customer=cus_…
    POST /v1/payment_intents amount=99&currency=usd&payment_method=pm_…
    POST /v1/payment_intents/pi_…/confirm
        400 - payment_method: The payment method was detached from its customer and cannot be used
          or attached again. Link the account again.
    POST /v1/payment_methods/pm_…/detach
        400: The payment method is not attached to a customer.
    ");
}

/// An existing mandate is accepted instead of a new one if it belongs to the payment method that is
/// debited.
#[tokio::test]
async fn mandates_are_of_the_method() {
    let (app, customer) = App::with_customer().await;
    let linked = app.attach(&customer, "success").await;
    let (mandate, method) = (linked.text("/mandate"), linked.text("/payment_method"));
    let other = app.attach(&customer, "success").await.text("/payment_method");
    let base = format!("amount=99&currency=usd&customer={customer}");
    let waits = app.post(INTENTS, &base).await.ok().id();
    let confirm = path_of(&format!("{waits}/confirm"));
    let both = "mandate_data[customer_acceptance][type]=offline";
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", INTENTS, &format!("{base}&payment_method={method}&mandate={mandate}")),
        ("POST", &confirm, &format!("payment_method={other}&mandate={mandate}")),
        ("POST", &confirm, &format!("payment_method={method}&mandate=mandate_1")),
        ("POST", &confirm, &format!("payment_method={method}&mandate={mandate}&{both}")),
    ]).await, @"
    POST /v1/payment_intents amount=99&currency=usd&customer=cus_…&payment_method=pm_…&
      mandate=mandate_…
        400 - mandate: mandate may be given only together with confirm=true.
    POST /v1/payment_intents/pi_…/confirm payment_method=pm_…&mandate=mandate_…
        400 payment_intent_mandate_invalid mandate: The mandate is not of the payment method pm_….
    POST /v1/payment_intents/pi_…/confirm payment_method=pm_…&mandate=mandate_1
        404 resource_missing mandate: No such mandate: 'mandate_1'
    POST /v1/payment_intents/pi_…/confirm payment_method=pm_…&mandate=mandate_…&
      mandate_data[customer_acceptance][type]=offline
        400 parameters_exclusive mandate: You may give only one of these parameters: mandate,
          mandate_data.
    ");
    let right = format!("payment_method={method}&mandate={mandate}");
    assert_eq!(app.post(&confirm, &right).await.ok().text("/status"), "processing");
}
