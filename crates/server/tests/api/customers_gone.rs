//! The open intents, hosted pages and link flows of a deleted customer.

use crate::browser::{Browser, read, shown};
use crate::hosted::tea;
use testkit::{App, INTENTS, LINK, SETUP_INTENTS, path_of, typed_numbers};

/// The open objects of a customer stop working once the customer is deleted. Intents cannot be
/// confirmed, pages offer no action, and no account is linked.
#[tokio::test]
async fn pages_of_a_deleted_customer() {
    let (app, customer) = App::with_customer().await;
    let (session, checkout) = tea(&app, &format!("customer={customer}")).await;
    let flow = Browser::flow_of(&app, &checkout.step("link", "name=Ada").await);
    let form = format!("amount=99&currency=usd&customer={customer}");
    let intent = app.post(INTENTS, &form).await.ok().id();
    app.link_carrier(&intent, "").await.ok();
    let typed = format!("customer={customer}&{}", typed_numbers("000123456789"));
    let waits = app.post(SETUP_INTENTS, &typed).await.ok();
    let url = waits.text("/next_action/verify_with_microdeposits/hosted_verification_url");
    let deposits = Browser::at(&app, &url);
    let open = app.open_invoice().await;
    let invoice = Browser::at(&app, &open.text("/hosted_invoice_url"));
    for customer in [customer, open.text("/customer")] {
        app.delete(&path_of(&customer)).await.ok();
    }
    let left = app.retrieve(&session.id()).await;
    assert_eq!(left.text("/status"), "expired");
    let expired = app.get("/v1/events?type=checkout.session.expired").await.ok();
    assert_eq!(expired.text("/data/0/data/object/id"), left.id());
    let pages = [&checkout, &flow, &deposits, &invoice];
    let mut pages_shown = String::new();
    for page in pages {
        pages_shown += &shown(&page.page().await);
        pages_shown += "\n";
    }
    insta::assert_snapshot!(pages_shown, @"
    200
    This page no longer works
    Test merchant no longer uses this page. Your account was not debited.
    You may close this page.

    200
    This page no longer works
    Test merchant no longer uses this page. Your account was not debited.
    You may close this page.

    200
    Your account was not confirmed
    The deposits are no longer needed.
    Your account was not debited. Go back to Test merchant and connect a bank account again.
    You may close this page.

    200
    This page no longer works
    Invoice …-0001
    Status Open
    Issued 1 January 2026
    From
    Test merchant
    To
    ada@example.com
    Item $10.00
    Total $10.00
    Amount due $10.00
    -> Download PDF
    You can no longer pay Test merchant here.
    You may close this page.
    ");
    for page in [&checkout, &invoice] {
        for step in ["link", "pay"] {
            let stepped = page.step(step, "name=Ada").await;
            assert!(read(&stepped).contains("This page no longer works"));
        }
    }
    let of = |id: &str, verb: &str| path_of(&format!("{id}/{verb}"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", &of(&intent, "confirm"), ""),
        ("POST", &of(&waits.id(), "verify_microdeposits"), "amounts[]=32&amounts[]=45"),
        ("POST", &of(&open.id(), "pay"), "payment_method=pm_usBankAccount_success"),
        ("POST", LINK, &format!("carrier={}", session.id())),
        ("POST", LINK, &format!("carrier={intent}&seed=1")),
    ]).await, @"
    POST /v1/payment_intents/pi_…/confirm
    POST /v1/setup_intents/seti_…/verify_microdeposits amounts[]=32&amounts[]=45
    POST /v1/invoices/in_…/pay payment_method=pm_usBankAccount_success
        400 - customer: The customer of the intent was deleted; nothing can be debited any more.
    POST HELPERS/link carrier=cs_test_…
    POST HELPERS/link carrier=pi_…&seed=1
        404 resource_missing carrier: No such customer: 'cus_…'
    ");
}
