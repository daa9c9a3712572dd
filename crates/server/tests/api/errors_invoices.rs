//! Every error of each call about invoices and their items, except errors that all calls share.

use crate::invoices::{draft, open};
use testkit::{App, CONNECTIONS, FC};

/// Invoices reject an invalid value in the link requirements with the path of the parameter. They
/// also reject calls that the status does not allow, and expansions that are too deep.
#[tokio::test]
async fn what_invoices_refuse() {
    let app = App::start().await;
    let customer = format!("customer={}", app.customer().await);
    let with = |more: &str| format!("{customer}&{more}");
    let permissions = with(&format!("{CONNECTIONS}[permissions][]=transactions"));
    let prefetch = with(&format!(
        "{CONNECTIONS}[permissions][]=payment_method&{CONNECTIONS}[prefetch][]=balances"
    ));
    let types = with("payment_settings[payment_method_types][]=card");
    let euro = with("currency=eur");
    let opened = open(&app).await;
    let path = format!("/v1/invoices/{}", opened.id());
    let draft = draft(&app, "").await.id();
    let draft_path = format!("/v1/invoices/{draft}");
    let [pay, void, finalize] = ["pay", "void", "finalize"].map(|verb| format!("{path}/{verb}"));
    let [pay_draft, void_draft] = ["pay", "void"].map(|verb| format!("{draft_path}/{verb}"));
    let deep = "/v1/invoices?expand[]=data.payments.data.payment.payment_intent";
    let intent = opened.text("/payments/data/0/payment/payment_intent");
    let cancel = format!("/v1/payment_intents/{intent}/cancel");
    let late = format!("{customer}&amount=1&invoice={}", opened.id());
    let both = with("amount=1&pricing[price]=price_1");
    let link = format!("{}/link", FC.replace("/v1/", "/v1/test_helpers/"));
    let carrier = format!("carrier={draft}");
    let told = app
        .api_errors(&[
            ("POST", "/v1/invoices", ""),
            ("POST", "/v1/invoices", &permissions),
            ("POST", "/v1/invoices", &prefetch),
            ("POST", "/v1/invoices", &types),
            ("POST", "/v1/invoices", &euro),
            ("POST", "/v1/invoices", "colour=red"),
            ("GET", "/v1/invoices/in_1", ""),
            ("POST", &finalize, ""),
            ("POST", &pay, ""),
            ("POST", &pay_draft, ""),
            ("POST", &void_draft, ""),
            ("DELETE", &path, ""),
            ("POST", &path, "description=x"),
            ("GET", deep, ""),
            ("POST", &cancel, ""),
            ("POST", &link, &carrier),
            ("POST", "/v1/invoiceitems", &late),
            ("POST", "/v1/invoiceitems", &both),
            ("POST", "/v1/invoiceitems", "amount=1"),
            ("POST", "/v1/prices", "currency=usd&unit_amount=1"),
            ("POST", "/v1/prices", "currency=usd&product=x"),
            ("POST", "/v1/prices", "currency=usd&product=x&unit_amount=1"),
            ("GET", "/v1/prices/price_1", ""),
            ("GET", "/v1/products/x", ""),
            ("POST", &void, "colour=red"),
        ])
        .await;
    let hide = |told: String, id: &str, name: &str| told.replace(id, name);
    let told = hide(hide(told, &draft, "in_draft"), &opened.id(), "in_open");
    insta::assert_snapshot!(told, @"
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
    POST /v1/invoices/in_…/pay
        400: This invoice is draft and cannot be paid; finalize it first.
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
    POST /v1/test_helpers/financial_connections/link carrier=in_…
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
