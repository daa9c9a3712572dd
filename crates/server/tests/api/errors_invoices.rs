//! Every error of each call about invoices and their items, except errors that all calls share.

use testkit::{App, CONNECTIONS, LINK, path_of};

/// Invoices reject an invalid value in the link requirements with the path of the parameter. They
/// also reject calls that the status does not allow, and expansions that are too deep.
#[tokio::test]
async fn what_invoices_refuse() {
    let app = App::start().await;
    let customer = format!("customer={}", app.customer().await);
    let permissions = format!("{customer}&{CONNECTIONS}[permissions][]=transactions");
    let prefetch = format!(
        "{customer}&{CONNECTIONS}[permissions][]=payment_method&{CONNECTIONS}[prefetch][]=balances"
    );
    let opened = app.open_invoice().await;
    let intent = opened.text("/payments/data/0/payment/payment_intent");
    let (opened, draft) = (opened.id(), app.draft_invoice("").await.id());
    let of = |verb: &str| path_of(&format!("{opened}/{verb}"));
    let of_draft = |verb: &str| path_of(&format!("{draft}/{verb}"));
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", "/v1/invoices", ""),
        ("POST", "/v1/invoices", &permissions),
        ("POST", "/v1/invoices", &prefetch),
        ("POST", "/v1/invoices", &format!("{customer}&payment_settings[payment_method_types][]=card")),
        ("POST", "/v1/invoices", &format!("{customer}&currency=eur")),
        ("POST", "/v1/invoices", "colour=red"),
        ("GET", "/v1/invoices/in_1", ""),
        ("POST", &of("finalize"), ""),
        ("POST", &of("pay"), ""),
        ("POST", &of_draft("void"), ""),
        ("DELETE", &path_of(&opened), ""),
        ("POST", &path_of(&opened), "description=x"),
        ("GET", "/v1/invoices?expand[]=data.payments.data.payment.payment_intent", ""),
        ("POST", &path_of(&format!("{intent}/cancel")), ""),
        ("POST", LINK, &format!("carrier={draft}")),
        ("POST", "/v1/invoiceitems", &format!("{customer}&amount=1&invoice={opened}")),
        ("POST", "/v1/invoiceitems", &format!("{customer}&amount=1&pricing[price]=price_1")),
        ("POST", "/v1/invoiceitems", "amount=1"),
        ("POST", "/v1/prices", "currency=usd&unit_amount=1"),
        ("POST", "/v1/prices", "currency=usd&product=x"),
        ("POST", "/v1/prices", "currency=usd&product=x&unit_amount=1"),
        ("GET", "/v1/prices/price_1", ""),
        ("GET", "/v1/products/x", ""),
        ("POST", &of("void"), "colour=red"),
    ]).await, @"
    POST /v1/invoices
        400 parameter_missing customer: Missing required parameter: customer.
    POST /v1/invoices customer=cus_…&…[permissions][]=transactions
        400 -
          payment_settings[payment_method_options][us_bank_account][financial_connections][permissions]:
          A payment needs the permission payment_method among those it asks for.
    POST /v1/invoices customer=cus_…&…[permissions][]=payment_method&…[prefetch][]=balances
        400 -
          payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][0]:
          To prefetch balances, ask for the permission balances too.
    POST /v1/invoices customer=cus_…&payment_settings[payment_method_types][]=card
        400 - payment_settings[payment_method_types]: This server collects bank accounts:
          payment_method_types must include us_bank_account.
    POST /v1/invoices customer=cus_…&currency=eur
        400 - currency: Bank accounts of the type us_bank_account are debited in usd only.
    POST /v1/invoices colour=red
        400 parameter_unknown colour: Received unknown parameter: colour
    GET /v1/invoices/in_1
        404 resource_missing invoice: No such invoice: 'in_1'
    POST /v1/invoices/in_…/finalize
        400: This invoice is open and cannot be finalized again.
    POST /v1/invoices/in_…/pay
        400 parameter_missing payment_method: There is nothing to debit yet: link an account, or
          name a payment_method.
    POST /v1/invoices/in_…/void
        400: This invoice is draft and cannot be voided; delete it instead.
    DELETE /v1/invoices/in_…
        400: This invoice is open and cannot be deleted; only drafts can. Void it instead.
    POST /v1/invoices/in_… description=x
        400 invoice_not_editable description: This invoice is finalized; its description can no
          longer be changed.
    GET /v1/invoices?expand[]=data.payments.data.payment.payment_intent
        400 - expand: The property 'data.payments.data.payment.payment_intent' cannot be expanded
          because its path has more than 4 levels.
    POST /v1/payment_intents/pi_…/cancel
        400: The intent pays an invoice: void the invoice instead.
    POST HELPERS/link carrier=in_…
        400 - carrier: The invoice is a draft, which nothing collects yet; finalize it first.
    POST /v1/invoiceitems customer=cus_…&amount=1&invoice=in_…
        400: This invoice is open and cannot be given other items.
    POST /v1/invoiceitems customer=cus_…&amount=1&pricing[price]=price_1
        404 resource_missing pricing[price]: No such price: 'price_1'
    POST /v1/invoiceitems amount=1
        400 parameter_missing customer: Missing required parameter: customer.
    POST /v1/prices currency=usd&unit_amount=1
        400 parameter_missing product: Missing required parameter: product.
    POST /v1/prices currency=usd&product=x
        400 parameter_missing unit_amount: Missing required parameter: unit_amount.
    POST /v1/prices currency=usd&product=x&unit_amount=1
        404 resource_missing product: No such product: 'x'
    GET /v1/prices/price_1
        404 resource_missing price: No such price: 'price_1'
    GET /v1/products/x
        404 resource_missing id: No such product: 'x'
    POST /v1/invoices/in_…/void colour=red
        400 parameter_unknown colour: Received unknown parameter: colour
    ");
}
