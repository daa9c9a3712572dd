//! Invoices from the draft to the payment, with their products, prices and items.

use crate::support::{App, FC, Reply};

pub(crate) const CONNECTIONS: &str =
    "payment_settings[payment_method_options][us_bank_account][financial_connections]";

/// Creates the guide's draft for a new customer.
pub(crate) async fn draft(app: &App, more: &str) -> Reply {
    let customer = app.customer().await;
    let form = format!(
        "customer={customer}&payment_settings[payment_method_types][]=us_bank_account\
         &{CONNECTIONS}[permissions][]=payment_method&{CONNECTIONS}[permissions][]=transactions\
         &{CONNECTIONS}[prefetch][]=transactions&{more}"
    );
    app.post("/v1/invoices", &form).await.ok()
}

/// Creates a finalized invoice with a total of ten dollars. Returns it with its payments.
pub(crate) async fn open(app: &App) -> Reply {
    let draft = draft(app, "").await;
    item(app, &draft, "amount=1000&currency=usd").await.ok();
    let path = format!("/v1/invoices/{}/finalize", draft.text("/id"));
    app.post(&path, "expand[]=payments").await.ok()
}

pub(crate) async fn item(app: &App, invoice: &Reply, more: &str) -> Reply {
    let (customer, invoice) = (invoice.text("/customer"), invoice.text("/id"));
    app.post("/v1/invoiceitems", &format!("customer={customer}&invoice={invoice}&{more}")).await
}

/// The types of all events, oldest first.
async fn events(app: &App) -> Vec<String> {
    let mut types: Vec<String> = app
        .get("/v1/events?limit=100")
        .await
        .items("/data")
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    types.reverse();
    types
}

/// The guide's call creates an empty draft that echoes its link requirements. It has every key that
/// the official types require.
#[tokio::test]
async fn the_printed_call_makes_a_draft() {
    let app = App::sqlite().await;
    let draft = draft(&app, "metadata[a]=b&description=June").await;
    insta::assert_snapshot!(draft.shown(), @r#"
    200
    {
      "account_country": null,
      "account_name": null,
      "account_tax_ids": null,
      "amount_due": 0,
      "amount_overpaid": 0,
      "amount_paid": 0,
      "amount_paid_off_stripe": 0,
      "amount_remaining": 0,
      "amount_shipping": 0,
      "application": null,
      "attempt_count": 0,
      "attempted": false,
      "auto_advance": false,
      "automatic_tax": {
        "disabled_reason": null,
        "enabled": false,
        "liability": null,
        "provider": null,
        "status": null
      },
      "automatically_finalizes_at": null,
      "billing_reason": "manual",
      "collection_method": "charge_automatically",
      "created": 1767225600,
      "currency": "usd",
      "custom_fields": null,
      "customer": "cus_0vIseXMSehlXpDdIXd2aZbfz",
      "customer_account": null,
      "customer_address": null,
      "customer_email": "ada@example.com",
      "customer_name": null,
      "customer_phone": null,
      "customer_shipping": null,
      "customer_tax_exempt": "none",
      "customer_tax_ids": [],
      "default_payment_method": null,
      "default_source": null,
      "default_tax_rates": [],
      "description": "June",
      "discounts": [],
      "due_date": null,
      "effective_at": null,
      "ending_balance": null,
      "footer": null,
      "from_invoice": null,
      "hosted_invoice_url": null,
      "id": "in_0vIseXMSgHUjlk5GghXvWKuL",
      "invoice_pdf": null,
      "issuer": {
        "type": "self"
      },
      "last_finalization_error": null,
      "latest_revision": null,
      "lines": {
        "data": [],
        "has_more": false,
        "object": "list",
        "url": "/v1/invoices/in_0vIseXMSgHUjlk5GghXvWKuL/lines"
      },
      "livemode": false,
      "metadata": {
        "a": "b"
      },
      "next_payment_attempt": null,
      "number": null,
      "object": "invoice",
      "on_behalf_of": null,
      "parent": null,
      "payment_settings": {
        "default_mandate": null,
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
        ]
      },
      "period_end": 1767225600,
      "period_start": 1767225600,
      "post_payment_credit_notes_amount": 0,
      "pre_payment_credit_notes_amount": 0,
      "receipt_number": null,
      "rendering": null,
      "shipping_cost": null,
      "shipping_details": null,
      "starting_balance": 0,
      "statement_descriptor": null,
      "status": "draft",
      "status_transitions": {
        "finalized_at": null,
        "marked_uncollectible_at": null,
        "paid_at": null,
        "voided_at": null
      },
      "subtotal": 0,
      "subtotal_excluding_tax": 0,
      "test_clock": null,
      "total": 0,
      "total_discount_amounts": [],
      "total_excluding_tax": 0,
      "total_pretax_credit_amounts": [],
      "total_taxes": [],
      "webhooks_delivered_at": null
    }
    "#);
}

/// From the draft through an item, the link flow and the debit to a paid invoice. The account is at
/// the documented path, its transactions are available at once, and each step emits its events.
#[tokio::test]
async fn an_invoice_collects_and_is_paid() {
    let app = App::sqlite().await;
    let draft = draft(&app, "").await;
    let id = draft.text("/id");
    item(&app, &draft, "amount=1000&currency=usd&description=Rent").await.ok();
    let path = format!("/v1/invoices/{id}");
    let expand = "expand[]=payments.data.payment.payment_intent&expand[]=confirmation_secret";
    let opened = app.post(&format!("{path}/finalize"), expand).await.ok();
    let intent = opened.text("/payments/data/0/payment/payment_intent/id");
    let link = format!("carrier={id}");
    app.post("/v1/test_helpers/financial_connections/link", &link).await.ok();
    app.post(&format!("{path}/pay"), "").await.ok();
    app.run_workers_until_idle().await;
    let paid = app.get(&format!("{path}?{expand}")).await.ok();
    let shown =
        app.get(&format!("/v1/payment_intents/{intent}?expand[]=payment_method")).await.ok();
    let account = shown.text("/payment_method/us_bank_account/financial_connections_account");
    let rows = app.get(&format!("{FC}/transactions?account={account}&limit=1")).await.ok();
    assert_eq!(rows.items("/data").len(), 1);
    let of = |reply: &Reply| {
        ["/status", "/number", "/amount_due", "/amount_paid", "/amount_remaining"]
            .map(|key| reply.at(key).to_string())
            .join(" ")
            + " "
            + &["/payments/data/0/status", "/payments/data/0/payment/payment_intent/status"]
                .map(|key| reply.at(key).to_string())
                .join(" ")
    };
    assert_eq!(
        opened.text("/confirmation_secret/client_secret"),
        opened.text("/payments/data/0/payment/payment_intent/client_secret")
    );
    insta::assert_snapshot!(
        format!("{}\n{}\n{}", of(&opened), of(&paid), events(&app).await.join("\n")), @r#"
        "open" "87286000-0001" 1000 0 1000 "open" "requires_payment_method"
        "paid" "87286000-0001" 1000 1000 0 "paid" "succeeded"
        customer.created
        invoice.created
        invoiceitem.created
        invoice.updated
        customer.updated
        payment_intent.created
        invoice.finalized
        financial_connections.account.created
        payment_intent.processing
        invoice.updated
        payment_intent.succeeded
        invoice.paid
        invoice.payment_succeeded
        financial_connections.account.refreshed_transactions
        "#);
}

/// A finalized invoice without an account may be voided, which cancels its intent. A draft may be
/// deleted, and its items wait for the next invoice.
#[tokio::test]
async fn invoices_are_given_up() {
    let app = App::sqlite().await;
    let opened = open(&app).await;
    let voided = app.post(&format!("/v1/invoices/{}/void", opened.text("/id")), "").await.ok();
    let intent = opened.text("/payments/data/0/payment/payment_intent");
    let intent = app.get(&format!("/v1/payment_intents/{intent}")).await.ok();
    let draft = draft(&app, "").await;
    item(&app, &draft, "amount=700").await.ok();
    let gone = app.delete(&format!("/v1/invoices/{}", draft.text("/id"))).await.ok();
    let customer = draft.text("/customer");
    let next = app
        .post(
            "/v1/invoices",
            &format!("customer={customer}&pending_invoice_items_behavior=include"),
        )
        .await
        .ok();
    let facts = [
        voided.text("/status"),
        intent.text("/status"),
        intent.text("/cancellation_reason"),
        gone.at("/deleted").to_string(),
        next.at("/total").to_string(),
        next.at("/lines/data/0/amount").to_string(),
    ];
    insta::assert_snapshot!(facts.join(" "), @"void canceled void_invoice true 700 700");
}

/// A failed debit leaves the invoice open and is reported. An invoice that is paid out of band is
/// paid without its intent. An invoice with a total of zero is paid when it is finalized.
#[tokio::test]
async fn invoices_fail_and_are_paid_elsewhere() {
    let app = App::sqlite().await;
    let opened = open(&app).await;
    let path = format!("/v1/invoices/{}", opened.text("/id"));
    let form = "payment_method=pm_usBankAccount_insufficientFunds";
    app.post(&format!("{path}/pay"), form).await.ok();
    app.run_workers_until_idle().await;
    let failed = app.get(&path).await.ok();
    let form = "paid_out_of_band=true&payment_method=pm_nope";
    let refused = app.post(&format!("{path}/pay"), form).await;
    assert_eq!((refused.status, refused.text("/error/param").as_str()), (404, "payment_method"));
    let paid = app.post(&format!("{path}/pay"), "paid_out_of_band=true").await.ok();
    let empty = draft(&app, "").await;
    let empty = app.post(&format!("/v1/invoices/{}/finalize", empty.text("/id")), "").await.ok();
    let of = |reply: &Reply| {
        let keys = [
            "status",
            "attempt_count",
            "amount_paid",
            "amount_paid_off_stripe",
            "amount_remaining",
        ];
        keys.map(|key| reply.at(&format!("/{key}")).to_string()).join(" ")
    };
    let told = format!("{}\n{}\n{}", of(&failed), of(&paid), of(&empty));
    insta::assert_snapshot!(format!("{told}\n{}", events(&app).await.join("\n")), @r#"
    "open" 1 0 0 1000
    "paid" 1 0 1000 1000
    "paid" 0 0 0 0
    customer.created
    invoice.created
    invoiceitem.created
    invoice.updated
    customer.updated
    payment_intent.created
    invoice.finalized
    payment_intent.processing
    invoice.updated
    payment_intent.payment_failed
    invoice.payment_failed
    payment_intent.canceled
    invoice.paid
    invoice.payment_succeeded
    customer.created
    invoice.created
    customer.updated
    invoice.finalized
    invoice.paid
    invoice.payment_succeeded
    "#);
}

/// Products and prices determine the amount of an item. Each is returned with all its keys.
#[tokio::test]
async fn prices_lead_to_amounts() {
    let app = App::sqlite().await;
    let product = app.post("/v1/products", "id=gold&name=Gold&metadata[a]=b").await.ok();
    let form = "product=gold&currency=usd&unit_amount=250&nickname=small&expand[]=product";
    let price = app.post("/v1/prices", form).await.ok();
    let draft = draft(&app, "").await;
    let form = format!("pricing[price]={}&quantity=3", price.text("/id"));
    let item = item(&app, &draft, &form).await.ok();
    let path = format!("/v1/invoiceitems/{}", item.text("/id"));
    app.post(&path, "quantity=4").await.ok();
    let invoice = app.get(&format!("/v1/invoices/{}", draft.text("/id"))).await.ok();
    let lines = app.get(&invoice.text("/lines/url")).await.ok();
    assert_eq!(invoice.at("/lines/data"), lines.at("/data"));
    assert_eq!(invoice.at("/total"), 1_000);
    insta::assert_snapshot!(
        [product.shown(), price.shown(), item.shown(), lines.shown()].join("\n"), @r#"
        200
        {
          "active": true,
          "created": 1767225600,
          "default_price": null,
          "description": null,
          "id": "gold",
          "images": [],
          "livemode": false,
          "marketing_features": [],
          "metadata": {
            "a": "b"
          },
          "name": "Gold",
          "object": "product",
          "package_dimensions": null,
          "shippable": null,
          "statement_descriptor": null,
          "tax_code": null,
          "unit_label": null,
          "updated": 1767225600,
          "url": null
        }
        200
        {
          "active": true,
          "billing_scheme": "per_unit",
          "created": 1767225600,
          "currency": "usd",
          "custom_unit_amount": null,
          "id": "price_0vIseXMSehlgc5oN7e9dj8me",
          "livemode": false,
          "lookup_key": null,
          "metadata": {},
          "nickname": "small",
          "object": "price",
          "product": {
            "active": true,
            "created": 1767225600,
            "default_price": null,
            "description": null,
            "id": "gold",
            "images": [],
            "livemode": false,
            "marketing_features": [],
            "metadata": {
              "a": "b"
            },
            "name": "Gold",
            "object": "product",
            "package_dimensions": null,
            "shippable": null,
            "statement_descriptor": null,
            "tax_code": null,
            "unit_label": null,
            "updated": 1767225600,
            "url": null
          },
          "recurring": null,
          "tax_behavior": "unspecified",
          "tiers_mode": null,
          "transform_quantity": null,
          "type": "one_time",
          "unit_amount": 250,
          "unit_amount_decimal": "250"
        }
        200
        {
          "amount": 750,
          "currency": "usd",
          "customer": "cus_0vIseXMSgHU2V40q0rmwSyi1",
          "customer_account": null,
          "date": 1767225600,
          "description": null,
          "discountable": true,
          "discounts": [],
          "id": "ii_0vIseXMSht070FSohiZ206tx",
          "invoice": "in_0vIseXMSgPxVtz4J3busZvyl",
          "livemode": false,
          "metadata": {},
          "net_amount": 750,
          "object": "invoiceitem",
          "parent": null,
          "period": {
            "end": 1767225600,
            "start": 1767225600
          },
          "pricing": {
            "price_details": {
              "price": "price_0vIseXMSehlgc5oN7e9dj8me",
              "product": "gold"
            },
            "type": "price_details",
            "unit_amount_decimal": "250"
          },
          "proration": false,
          "quantity": 3,
          "quantity_decimal": "3",
          "tax_rates": [],
          "test_clock": null
        }
        200
        {
          "data": [
            {
              "amount": 1000,
              "currency": "usd",
              "description": null,
              "discount_amounts": [],
              "discountable": true,
              "discounts": [],
              "id": "il_0vIseXMSht05wo1XZlQJCTWH",
              "invoice": "in_0vIseXMSgPxVtz4J3busZvyl",
              "livemode": false,
              "metadata": {},
              "object": "line_item",
              "parent": {
                "invoice_item_details": {
                  "invoice_item": "ii_0vIseXMSht070FSohiZ206tx",
                  "proration": false,
                  "proration_details": {
                    "credited_items": null
                  },
                  "subscription": null
                },
                "subscription_item_details": null,
                "type": "invoice_item_details"
              },
              "period": {
                "end": 1767225600,
                "start": 1767225600
              },
              "pretax_credit_amounts": [],
              "pricing": {
                "price_details": {
                  "price": "price_0vIseXMSehlgc5oN7e9dj8me",
                  "product": "gold"
                },
                "type": "price_details",
                "unit_amount_decimal": "250"
              },
              "quantity": 4,
              "quantity_decimal": "4",
              "subscription": null,
              "subtotal": 1000,
              "taxes": []
            }
          ],
          "has_more": false,
          "object": "list",
          "url": "/v1/invoices/in_0vIseXMSgPxVtz4J3busZvyl/lines"
        }
        "#);
    app.delete(&path).await.ok();
    let invoice = app.get(&format!("/v1/invoices/{}", draft.text("/id"))).await.ok();
    assert_eq!(invoice.at("/total"), 0);
}

/// Lists contain the objects that match their filters, in pages.
#[tokio::test]
async fn lists_are_filtered() {
    let app = App::sqlite().await;
    for (name, active) in [("a", true), ("b", false), ("c", true), ("d", true)] {
        app.post("/v1/products", &format!("id={name}&name={name}&active={active}")).await.ok();
        app.wait_s(1);
    }
    let ids = async |query: &str| {
        let list = app.get(&format!("/v1/products?{query}")).await.ok();
        let ids: Vec<String> =
            list.items("/data").iter().map(|item| item["id"].as_str().unwrap().into()).collect();
        format!("{} {}", ids.join(","), list.at("/has_more"))
    };
    assert_eq!(ids("active=true&limit=2").await, "d,c true");
    assert_eq!(ids("active=true&limit=2&starting_after=c").await, "a false");
    assert_eq!(ids("active=true&limit=1&ending_before=a").await, "c true");
    assert_eq!(ids("ids[]=b").await, "b false");
    let opened = open(&app).await;
    let customer = opened.text("/customer");
    let count = async |path: &str| app.get(path).await.ok().items("/data").len();
    assert_eq!(count("/v1/invoices?status=open").await, 1);
    assert_eq!(count("/v1/invoices?status=draft").await, 0);
    assert_eq!(count(&format!("/v1/invoices?customer={customer}")).await, 1);
    assert_eq!(count("/v1/invoiceitems?pending=true").await, 0);
    assert_eq!(count(&format!("/v1/invoiceitems?invoice={}", opened.text("/id"))).await, 1);
    assert_eq!(count("/v1/prices?lookup_keys[]=x").await, 0);
}

/// A product with prices cannot be deleted, and one without prices can. An id can be used only
/// once.
#[tokio::test]
async fn products_with_prices_stay() {
    let app = App::sqlite().await;
    let form = "id=gold&name=Gold&default_price_data[currency]=usd\
                &default_price_data[unit_amount]=5&expand[]=default_price";
    let gold = app.post("/v1/products", form).await.ok();
    assert_eq!(gold.at("/default_price/unit_amount"), 5);
    app.post("/v1/products", "id=tin&name=Tin").await.ok();
    app.delete("/v1/products/tin").await.ok();
    let told = app
        .api_errors(&[
            ("DELETE", "/v1/products/gold", ""),
            ("GET", "/v1/products/tin", ""),
            ("POST", "/v1/products", "id=gold&name=Gold"),
        ])
        .await;
    insta::assert_snapshot!(told, @"
    DELETE /v1/products/gold
        400 invalid_request_error - -
        The product has prices and cannot be deleted; set active=false.
    GET /v1/products/tin
        404 invalid_request_error resource_missing id
        No such product: 'tin'
    POST /v1/products id=gold&name=Gold
        400 invalid_request_error resource_already_exists id
        There is a product with the id gold already.
    ");
}
