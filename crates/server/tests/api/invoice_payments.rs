//! Payments of invoices as separate objects.

use testkit::App;

/// The payment of an invoice is retrieved and listed separately, and refers to its intent and
/// invoice.
#[tokio::test]
async fn payments_of_invoices() {
    let app = App::start().await;
    let (first, second) = (app.open_invoice().await, app.open_invoice().await);
    let payment = first.text("/payments/data/0/id");
    let intent = first.text("/payments/data/0/payment/payment_intent");
    let expand = "expand[]=payment.payment_intent&expand[]=invoice";
    let shown = app.retrieve(&format!("{payment}?{expand}")).await;
    assert_eq!(shown.at("/payment/payment_intent/id"), intent.as_str());
    assert_eq!(shown.at("/invoice/id"), first.at("/id"));
    app.act(&second.id(), "void", "").await.ok();
    let ids = async |query: &str| app.ids(&format!("/v1/invoice_payments?{query}")).await;
    let all = ids("").await;
    assert_eq!(all.len(), 2);
    let by_intent = format!("payment[type]=payment_intent&payment[payment_intent]={intent}");
    for query in [format!("invoice={}", first.id()), "status=open".to_owned(), by_intent] {
        assert_eq!(ids(&query).await, [payment.as_str()], "{query}");
    }
    assert_eq!(ids(&format!("starting_after={}", all[0])).await, all[1..]);
    let plain = app.retrieve(&payment).await;
    assert_eq!(plain.at(""), first.at("/payments/data/0"));
}
