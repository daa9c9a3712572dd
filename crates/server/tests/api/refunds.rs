//! Refunds of debits: their states, their effects on the charge, lists, and disputes.

use crate::days::Days;
use serde_json::json;
use testkit::{App, BEGIN_S, DAY_S, INTENTS, Response, path_of};

const REFUNDS: &str = "/v1/refunds";

impl Days {
    /// A debit of 2000 by a test method. Further parameters may follow its name. Returns the payment
    /// and the charge.
    async fn debit(&self, name: &str) -> (String, String) {
        let form = format!(
            "amount=2000&currency=usd&confirm=true&customer={}\
             &payment_method=pm_usBankAccount_{name}\
             &mandate_data[customer_acceptance][type]=offline",
            self.customer
        );
        let intent = self.app.post(INTENTS, &form).await.ok();
        (intent.id(), intent.text("/latest_charge"))
    }

    async fn refund(&self, form: &str) -> Response {
        self.app.post(REFUNDS, form).await
    }

    async fn facts(&self, charge: &str) -> String {
        let facts = ["/amount_refunded", "/refunded", "/disputed"];
        self.app.retrieve(charge).await.facts(&facts)
    }

    /// The types of all events of refunds and of refunded charges, the oldest first.
    async fn events(&self) -> Vec<String> {
        let types = self.app.event_types().await.into_iter();
        types.filter(|event_type| event_type.contains("refund")).collect()
    }
}

/// A refund is pending for three days and then succeeds, by Stripe's page "Refunds for ACH Direct
/// Debit payments". Its amount counts as refunded from its creation, and the second refund takes
/// all that is left. The shape is `Refund` of stripe-python.
#[tokio::test]
async fn a_debit_is_refunded_in_parts() {
    let mut days = Days::begin().await;
    let (intent, charge) = days.debit("success").await;
    days.pass(4).await;
    let form = format!(
        "charge={charge}&amount=500&reason=duplicate&metadata[order]=6735\
         &instructions_email=ada@example.com"
    );
    let first = days.refund(&form).await.ok();
    insta::assert_snapshot!(first.shown(), @r#"
    200
    {
      amount: 500
      charge: "py_…"
      created: 1767571200
      currency: "usd"
      destination_details: {
        type: "us_bank_transfer"
        us_bank_transfer: { reference: null, reference_status: "pending" }
      }
      id: "pyr_…"
      instructions_email: "ada@example.com"
      metadata: { order: "6735" }
      object: "refund"
      payment_intent: "pi_…"
      pending_reason: "processing"
      reason: "duplicate"
      status: "pending"
      null: balance_transaction, receipt_number, source_transfer_reversal, transfer_reversal
    }
    "#);
    assert_eq!(days.facts(&charge).await, "500 false false");
    let refunded = days.app.get("/v1/events?type=charge.refunded").await.ok();
    assert_eq!(refunded.at("/data/0/data/previous_attributes"), json!({"amount_refunded": 0}));
    days.pass(2).await;
    assert_eq!(days.app.status(&first.id()).await, "pending");
    days.pass(1).await;
    let shown = days.app.retrieve(&first.id()).await;
    let facts = ["/status", "/destination_details/us_bank_transfer/reference_status"];
    assert_eq!(shown.facts(&facts), "succeeded unavailable");
    assert_eq!(shown.json().get("pending_reason"), None);
    let second = days.refund(&format!("payment_intent={intent}")).await.ok();
    assert_eq!(second.facts(&["/amount", "/reason", "/status"]), "1500 null pending");
    assert_eq!(second.text("/charge"), charge);
    assert_eq!(days.facts(&charge).await, "2000 true false");
    days.pass(3).await;
    assert_eq!(days.app.status(&second.id()).await, "succeeded");
    assert_eq!(days.app.status(&intent).await, "succeeded");
    insta::assert_snapshot!(days.events().await.join("\n"), @"
    refund.created
    charge.refunded
    refund.updated
    charge.refund.updated
    refund.created
    charge.refunded
    refund.updated
    charge.refund.updated
    ");
    let updated = days.app.get("/v1/events?type=charge.refund.updated").await.ok();
    assert_eq!(updated.text("/data/0/data/object/object"), "refund");
    assert_eq!(updated.at("/data/0/data/previous_attributes/status"), "pending");
}

/// A refund from the test number for it fails. Its amount can then be refunded again, and no event
/// is emitted of the charge.
#[tokio::test]
async fn a_refund_fails() {
    let mut days = Days::begin().await;
    let (_, charge) = days.debit("refundFail").await;
    days.pass(4).await;
    let refund = days.refund(&format!("charge={charge}")).await.ok().id();
    assert_eq!(days.facts(&charge).await, "2000 true false");
    days.pass(3).await;
    let shown = days.app.retrieve(&refund).await;
    assert_eq!(shown.facts(&["/status", "/failure_reason"]), "failed declined");
    assert_eq!(days.facts(&charge).await, "0 false false");
    insta::assert_snapshot!(days.events().await.join("\n"), @"
    refund.created
    charge.refunded
    refund.failed
    refund.updated
    charge.refund.updated
    ");
    days.refund(&format!("charge={charge}&amount=2000")).await.ok();
}

/// Without a test clock, a refund settles as soon as a worker looks.
#[tokio::test]
async fn without_a_clock_a_refund_settles_at_once() {
    let app = App::start().await;
    let refund = app.refund("").await;
    assert_eq!(refund.text("/status"), "pending");
    app.run_workers_until_idle().await;
    assert_eq!(app.status(&refund.id()).await, "succeeded");
}

/// A dispute fails a pending refund with Stripe's reason `charge_for_pending_refund_disputed` and
/// takes the whole amount. It takes what is left after a refund that succeeded, and a charge that was
/// refunded wholly is not disputed. A disputed charge cannot be refunded.
#[tokio::test]
async fn refunds_and_disputes_exclude_each_other() {
    let mut days = Days::begin().await;
    let (_, pending) = days.debit("dispute").await;
    days.pass(4).await;
    days.pass(1).await;
    let refund = days.refund(&format!("charge={pending}&amount=500")).await.ok().id();
    days.pass(2).await;
    let shown = days.app.retrieve(&refund).await;
    let facts = "failed charge_for_pending_refund_disputed";
    assert_eq!(shown.facts(&["/status", "/failure_reason"]), facts);
    assert_eq!(days.facts(&pending).await, "0 false true");
    let disputes = days.app.get(&format!("/v1/disputes?charge={pending}")).await.ok();
    assert_eq!(disputes.at("/data/0/amount"), 2000);
    let again = days.refund(&format!("charge={pending}&amount=500")).await;
    assert_eq!(
        again.facts(&["/error/code", "/error/type"]),
        "charge_disputed invalid_request_error"
    );
}

/// A dispute that comes after refunds takes only what is left. Without a dispute, the mandate stays
/// active.
#[tokio::test]
async fn a_dispute_takes_what_is_left() {
    let mut days = Days::begin().await;
    let mut charges = Vec::new();
    for (amount, left) in [(500, Some(1500)), (2000, None)] {
        let (_, charge) = days.debit("dispute&setup_future_usage=off_session").await;
        charges.push((charge, amount, left));
    }
    // The refund of the fourth day settles on the seventh, before the dispute of the same time.
    days.pass(4).await;
    for (charge, amount, _) in &charges {
        days.refund(&format!("charge={charge}&amount={amount}")).await.ok();
    }
    days.pass(3).await;
    for (charge, amount, left) in &charges {
        let disputes = days.app.get(&format!("/v1/disputes?charge={charge}")).await.ok();
        assert_eq!(disputes.at("/data/0/amount").as_i64(), *left, "{}", disputes.body);
        let shown = days.app.retrieve(charge).await;
        let facts = shown.facts(&["/amount_refunded", "/disputed"]);
        assert_eq!(facts, format!("{amount} {}", left.is_some()));
        let mandate = shown.text("/payment_method_details/us_bank_account/mandate");
        let status = if left.is_some() { "inactive" } else { "active" };
        assert_eq!(days.app.status(&mandate).await, status);
    }
}

/// Refunds that Stripe rejects, with its codes and params. A debit that is pending or that failed
/// has no money to return.
#[tokio::test]
async fn rejected_refunds() {
    let mut days = Days::begin().await;
    let (intent, charge) = days.debit("success").await;
    let (failed_intent, failed) = days.debit("noAccount").await;
    let form = format!("amount=2000&currency=usd&customer={}", days.customer);
    let open = days.app.post(INTENTS, &form).await.ok().id();
    let (by_charge, by_intent) = (format!("charge={charge}"), format!("payment_intent={intent}"));
    let unsettled =
        days.app.api_errors(&[("POST", REFUNDS, &by_charge), ("POST", REFUNDS, &by_intent)]).await;
    insta::assert_snapshot!(unsettled, @"
    POST /v1/refunds charge=py_…
        400 - charge: This PaymentIntent (pi_…) does not have a successful charge to refund.
    POST /v1/refunds payment_intent=pi_…
        400 - payment_intent: This PaymentIntent (pi_…) does not have a successful charge to refund.
    ");
    days.pass(4).await;
    let refund = days.refund(&format!("{by_charge}&amount=500")).await.ok().id();
    let path = path_of(&refund);
    insta::assert_snapshot!(
        days.app.api_errors(&[
            ("POST", REFUNDS, ""),
            ("POST", REFUNDS, "charge=py_1"),
            ("POST", REFUNDS, "payment_intent=pi_1"),
            ("POST", REFUNDS, &format!("charge={failed}")),
            ("POST", REFUNDS, &format!("payment_intent={failed_intent}")),
            ("POST", REFUNDS, &format!("payment_intent={open}")),
            ("POST", REFUNDS, &format!("charge={charge}&payment_intent={open}")),
            ("POST", REFUNDS, &format!("{by_charge}&amount=1501")),
            ("POST", REFUNDS, &format!("{by_charge}&amount=0")),
            ("POST", REFUNDS, &format!("{by_charge}&amount=1&currency=eur")),
            ("POST", REFUNDS, &format!("{by_charge}&reason=expired_uncaptured_charge")),
            ("POST", REFUNDS, &format!("{by_charge}&instructions_email=ada")),
            ("POST", REFUNDS, "origin=customer_balance&customer=cus_1&currency=usd&amount=1"),
            ("POST", &path, "amount=1"),
            ("POST", &format!("{path}/cancel"), ""),
            ("POST", "/v1/refunds/pyr_1", "metadata[a]=b"),
            ("POST", "/v1/refunds/pyr_1/cancel", ""),
            ("GET", "/v1/refunds/re_1", ""),
            ("GET", "/v1/refunds?charge=py_1", ""),
            ("GET", "/v1/refunds?payment_intent=pi_1", ""),
            ("GET", "/v1/refunds?starting_after=pyr_1", ""),
            ("GET", "/v1/refunds?status=failed", ""),
            ("GET", "/v1/charges/py_1/refunds", ""),
            ("GET", &format!("/v1/charges/{failed}/refunds/{refund}"), ""),
            ("GET", &format!("/v1/charges/{charge}/refunds/pyr_1"), ""),
        ]).await,
        @"
        POST /v1/refunds
            400 parameter_missing: One of the following params should be provided for this request:
              payment_intent or charge.
        POST /v1/refunds charge=py_1
            404 resource_missing charge: No such charge: 'py_1'
        POST /v1/refunds payment_intent=pi_1
            404 resource_missing payment_intent: No such payment_intent: 'pi_1'
        POST /v1/refunds charge=py_…
            400 - charge: This PaymentIntent (pi_…) does not have a successful charge to refund.
        POST /v1/refunds payment_intent=pi_…
        POST /v1/refunds payment_intent=pi_…
            400 - payment_intent: This PaymentIntent (pi_…) does not have a successful charge to refund.
        POST /v1/refunds charge=py_…&payment_intent=pi_…
            400 - charge: The charge py_… is not of the payment pi_….
        POST /v1/refunds charge=py_…&amount=1501
            400 - amount: Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)
        POST /v1/refunds charge=py_…&amount=0
            400 parameter_invalid_integer amount: Invalid integer: amount must be between 1 and 1500
        POST /v1/refunds charge=py_…&amount=1&currency=eur
            400 - currency: The currency of the charge is usd.
        POST /v1/refunds charge=py_…&reason=expired_uncaptured_charge
            400 - reason: Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer
        POST /v1/refunds charge=py_…&instructions_email=ada
            400 email_invalid instructions_email: Invalid email address: ada
        POST /v1/refunds origin=customer_balance&customer=cus_1&currency=usd&amount=1
            400 - origin: This server has no customer balances to refund from. Name a charge or a
              payment_intent.
        POST /v1/refunds/pyr_… amount=1
            400 parameter_unknown amount: Received unknown parameter: amount
        POST /v1/refunds/pyr_…/cancel
            400: The refund is pending. Only a refund with the status requires_action can be canceled.
        POST /v1/refunds/pyr_1 metadata[a]=b
        POST /v1/refunds/pyr_1/cancel
            404 resource_missing refund: No such refund: 'pyr_1'
        GET /v1/refunds/re_1
            404 resource_missing refund: No such refund: 're_1'
        GET /v1/refunds?charge=py_1
            404 resource_missing charge: No such charge: 'py_1'
        GET /v1/refunds?payment_intent=pi_1
            404 resource_missing payment_intent: No such payment_intent: 'pi_1'
        GET /v1/refunds?starting_after=pyr_1
            400 resource_missing starting_after: No such refund: 'pyr_1'
        GET /v1/refunds?status=failed
            400 parameter_unknown status: Received unknown parameter: status
        GET /v1/charges/py_1/refunds
            404 resource_missing charge: No such charge: 'py_1'
        GET /v1/charges/py_…/refunds/pyr_…
            404 resource_missing refund: No such refund: 'pyr_…'
        GET /v1/charges/py_…/refunds/pyr_1
            404 resource_missing refund: No such refund: 'pyr_1'
        "
    );
    days.refund(&by_charge).await.ok();
    let again = days.app.api_errors(&[("POST", REFUNDS, &by_charge)]).await;
    insta::assert_snapshot!(again, @"
    POST /v1/refunds charge=py_…
        400 charge_already_refunded: Charge py_… has already been refunded.
    ");
    let (_, old) = days.debit("success").await;
    days.pass(181).await;
    let late = days.app.api_errors(&[("POST", REFUNDS, &format!("charge={old}"))]).await;
    insta::assert_snapshot!(late, @"
    POST /v1/refunds charge=py_…
        400 charge_not_refundable: Charge py_… is older than 180 days and can no longer be refunded.
    ");
    let other_key = days.app.with_key("sk_test_other");
    assert_eq!(other_key.get(&path).await.status, 404);
    assert_eq!(other_key.count(REFUNDS).await, 0);
}

/// A first refund of more than the charge has Stripe's other message.
#[tokio::test]
async fn a_refund_is_at_most_the_charge() {
    let mut days = Days::begin().await;
    let (_, charge) = days.debit("success").await;
    days.pass(4).await;
    let form = format!("charge={charge}&amount=2001");
    insta::assert_snapshot!(days.app.api_errors(&[("POST", REFUNDS, &form)]).await, @"
    POST /v1/refunds charge=py_…&amount=2001
        400 - amount: Refund amount ($20.01) is greater than charge amount ($20.00)
    ");
}

/// Metadata is changed with the events of an update, and only if it differs.
#[tokio::test]
async fn a_refund_takes_metadata() {
    let app = App::start().await;
    let refund = app.refund("&metadata[a]=b").await.id();
    for _ in 0..2 {
        let changed = app.post(&path_of(&refund), "metadata[c]=d").await.ok();
        assert_eq!(changed.at("/metadata"), json!({"a": "b", "c": "d"}));
    }
    for event_type in ["refund.updated", "charge.refund.updated"] {
        let events = app.get(&format!("/v1/events?type={event_type}")).await.ok();
        assert_eq!(events.items("/data").len(), 1, "{event_type}");
        let previous = events.at("/data/0/data/previous_attributes");
        assert_eq!(previous, json!({"metadata": {"c": null}}), "{event_type}");
    }
}

/// Refunds are listed by charge, payment and time, and below their charge. A charge shows them only
/// when they are expanded, since 2022-11-15 by Stripe's changelog, and a response that creates a
/// refund shows it too. Balance transactions stay null.
#[tokio::test]
async fn refunds_are_listed() {
    let mut days = Days::begin().await;
    let (intent, charge) = days.debit("success").await;
    let (other_intent, other_charge) = days.debit("success").await;
    days.pass(4).await;
    let mut refunds = Vec::new();
    for (charge, amount) in [(&charge, 500), (&charge, 600), (&other_charge, 700)] {
        let form = format!("charge={charge}&amount={amount}&expand[]=charge.refunds");
        let refund = days.refund(&form).await.ok();
        assert_eq!(refund.at("/charge/refunds/data/0/id"), refund.id());
        assert_eq!(refund.at("/charge/refunds/data/0/status"), "pending");
        refunds.insert(0, refund.id());
        days.pass(1).await;
    }
    let of_charge = refunds[1..].to_vec();
    let later = BEGIN_S + 5 * DAY_S;
    for (list, expected) in [
        (REFUNDS.to_owned(), &refunds[..]),
        (format!("{REFUNDS}?charge={charge}"), &of_charge[..]),
        (format!("{REFUNDS}?payment_intent={intent}"), &of_charge[..]),
        (format!("{REFUNDS}?payment_intent={other_intent}"), &refunds[..1]),
        (format!("{REFUNDS}?payment_intent={other_intent}&charge={charge}"), &[]),
        (format!("{REFUNDS}?created[gte]={later}"), &refunds[..2]),
        (format!("{REFUNDS}?charge={charge}&created[gte]={later}"), &refunds[1..2]),
        (format!("{REFUNDS}?limit=1"), &refunds[..1]),
        (format!("{REFUNDS}?starting_after={}", refunds[0]), &of_charge[..]),
        (format!("/v1/charges/{charge}/refunds"), &of_charge[..]),
        (format!("/v1/charges/{charge}/refunds?limit=1"), &of_charge[..1]),
    ] {
        assert_eq!(days.app.ids(&list).await, expected, "{list}");
    }
    let path = format!("/v1/charges/{charge}/refunds/{}", of_charge[0]);
    let shown = days.app.get(&path).await.ok();
    assert_eq!(shown.json(), days.app.retrieve(&of_charge[0]).await.json());
    let plain = days.app.retrieve(&charge).await;
    assert_eq!(plain.json().get("refunds"), None);
    let path =
        format!("{}?expand[]=refunds&expand[]=refunds.data.payment_intent", path_of(&charge));
    let expanded = days.app.get(&path).await.ok();
    assert_eq!(expanded.texts("/refunds/data", "id"), of_charge);
    assert_eq!(expanded.at("/refunds/has_more"), false);
    assert_eq!(expanded.text("/refunds/data/0/payment_intent/id"), intent);
    let path = format!(
        "{}?expand[]=balance_transaction&expand[]=failure_balance_transaction&expand[]=charge\
         &expand[]=payment_intent&expand[]=source_transfer_reversal&expand[]=transfer_reversal",
        path_of(&refunds[0])
    );
    let shown = days.app.get(&path).await.ok();
    assert_eq!(shown.text("/charge/id"), other_charge);
    assert_eq!(shown.text("/payment_intent/id"), other_intent);
    assert_eq!(shown.at("/balance_transaction"), json!(null));
}
