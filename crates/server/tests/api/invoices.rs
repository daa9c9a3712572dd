//! Invoices from the draft to the payment, with their products, prices and items.

use testkit::{App, Response, path_of};

/// The guide's call creates an empty draft that echoes its link requirements. It has every key that
/// the official types require.
#[tokio::test]
async fn the_printed_call_makes_a_draft() {
    let app = App::start().await;
    let draft = app.draft_invoice("metadata[a]=b&description=June").await;
    insta::assert_snapshot!(draft.shown(), @r#"
    200
    {
      amount_due: 0
      amount_overpaid: 0
      amount_paid: 0
      amount_paid_off_stripe: 0
      amount_remaining: 0
      amount_shipping: 0
      attempt_count: 0
      attempted: false
      auto_advance: false
      automatic_tax: {
        enabled: false
        null: disabled_reason, liability, provider, status
      }
      billing_reason: "manual"
      collection_method: "charge_automatically"
      created: 1767225600
      currency: "usd"
      customer: "cus_…"
      customer_email: "ada@example.com"
      customer_tax_exempt: "none"
      customer_tax_ids: []
      default_tax_rates: []
      description: "June"
      discounts: []
      id: "in_…"
      issuer: { type: "self" }
      lines: {
        data: []
        has_more: false
        object: "list"
        url: "/v1/invoices/in_…/lines"
      }
      livemode: false
      metadata: { a: "b" }
      object: "invoice"
      payment_settings: {
        payment_method_options: {
          us_bank_account: {
            financial_connections: {
              permissions: ["payment_method", "transactions"]
              prefetch: ["transactions"]
            }
            verification_method: "automatic"
          }
        }
        payment_method_types: ["us_bank_account"]
        null: default_mandate
      }
      period_end: 1767225600
      period_start: 1767225600
      post_payment_credit_notes_amount: 0
      pre_payment_credit_notes_amount: 0
      starting_balance: 0
      status: "draft"
      status_transitions: {
        null: finalized_at, marked_uncollectible_at, paid_at, voided_at
      }
      subtotal: 0
      subtotal_excluding_tax: 0
      total: 0
      total_discount_amounts: []
      total_excluding_tax: 0
      total_pretax_credit_amounts: []
      total_taxes: []
      null: account_country, account_name, account_tax_ids, application, automatically_finalizes_at
      null: custom_fields, customer_account, customer_address, customer_name, customer_phone
      null: customer_shipping, default_payment_method, default_source, due_date, effective_at
      null: ending_balance, footer, from_invoice, hosted_invoice_url, invoice_pdf
      null: last_finalization_error, latest_revision, next_payment_attempt, number, on_behalf_of
      null: parent, receipt_number, rendering, shipping_cost, shipping_details, statement_descriptor
      null: test_clock, webhooks_delivered_at
    }
    "#);
}

/// From the draft through an item, the link flow and the debit to a paid invoice. The account is at
/// the documented path, its transactions are available at once, and each step emits its events.
#[tokio::test]
async fn an_invoice_collects_and_is_paid() {
    let app = App::start().await;
    let draft = app.draft_invoice("").await;
    let id = draft.id();
    app.invoice_item(&draft, "amount=1000&currency=usd&description=Rent").await;
    let expand = "expand[]=payments.data.payment.payment_intent&expand[]=confirmation_secret";
    let opened = app.act(&id, "finalize", expand).await.ok();
    let intent = opened.text("/payments/data/0/payment/payment_intent/id");
    app.link_carrier(&id, "").await.ok();
    app.pay_open(&id, "").await.ok();
    app.run_workers_until_idle().await;
    let paid = app.retrieve(&format!("{id}?{expand}")).await;
    let shown = app.retrieve(&format!("{intent}?expand[]=payment_method")).await;
    let account = shown.account_of("/payment_method");
    assert_ne!(app.count_transactions(&account).await, 0);
    let of = |reply: &Response| {
        let sums = ["/status", "/number", "/amount_due", "/amount_paid", "/amount_remaining"];
        let payment = ["/payments/data/0/status", "/payments/data/0/payment/payment_intent/status"];
        format!("{} {}", reply.facts(&sums), reply.facts(&payment))
    };
    assert_eq!(
        opened.text("/confirmation_secret/client_secret"),
        opened.text("/payments/data/0/payment/payment_intent/client_secret")
    );
    insta::assert_snapshot!(
        format!("{}\n{}\n{}", of(&opened), of(&paid), app.event_types().await.join("\n")), @"
    open …-0001 1000 0 1000 open requires_payment_method
    paid …-0001 1000 1000 0 paid succeeded
    customer.created
    invoice.created
    invoiceitem.created
    invoice.updated
    customer.updated
    payment_intent.created
    invoice.finalized
    financial_connections.account.created
    charge.pending
    payment_intent.processing
    invoice.updated
    charge.succeeded
    mandate.updated
    payment_intent.succeeded
    invoice.paid
    invoice.payment_succeeded
    financial_connections.account.refreshed_transactions
    ");
}

/// A finalized invoice without an account may be voided, which cancels its intent. A draft may be
/// deleted, and its items wait for the next invoice.
#[tokio::test]
async fn invoices_are_given_up() {
    let app = App::start().await;
    let opened = app.open_invoice().await;
    let voided = app.act(&opened.id(), "void", "").await.ok();
    let intent = opened.text("/payments/data/0/payment/payment_intent");
    let intent = app.retrieve(&intent).await;
    let draft = app.draft_invoice("").await;
    app.invoice_item(&draft, "amount=700").await;
    let gone = app.delete(&path_of(&draft.id())).await.ok();
    let customer = draft.text("/customer");
    let form = format!("customer={customer}&pending_invoice_items_behavior=include");
    let next = app.post("/v1/invoices", &form).await.ok();
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
    let app = App::start().await;
    let opened = app.open_invoice().await.id();
    let form = "payment_method=pm_usBankAccount_insufficientFunds";
    app.pay_open(&opened, form).await.ok();
    app.run_workers_until_idle().await;
    let failed = app.retrieve(&opened).await;
    let form = "paid_out_of_band=true&payment_method=pm_nope";
    let refused = app.act(&opened, "pay", form).await;
    assert_eq!((refused.status, refused.text("/error/param").as_str()), (404, "payment_method"));
    let paid = app.act(&opened, "pay", "paid_out_of_band=true").await.ok();
    let empty = app.draft_invoice("").await;
    let empty = app.act(&empty.id(), "finalize", "").await.ok();
    let amounts = ["/amount_paid", "/amount_paid_off_stripe", "/amount_remaining"];
    let of = |reply: &Response| {
        reply.facts(&["/status", "/attempt_count"]) + " " + &reply.facts(&amounts)
    };
    let told = format!("{}\n{}\n{}", of(&failed), of(&paid), of(&empty));
    insta::assert_snapshot!(format!("{told}\n{}", app.event_types().await.join("\n")), @"
    open 1 0 0 1000
    paid 1 0 1000 1000
    paid 0 0 0 0
    customer.created
    invoice.created
    invoiceitem.created
    invoice.updated
    customer.updated
    payment_intent.created
    invoice.finalized
    charge.pending
    payment_intent.processing
    invoice.updated
    charge.failed
    mandate.updated
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
    ");
}

/// Products and prices determine the amount of an item. Each is returned with all its keys.
#[tokio::test]
async fn prices_lead_to_amounts() {
    let app = App::start().await;
    let product = app.post("/v1/products", "id=gold&name=Gold&metadata[a]=b").await.ok();
    let form = "product=gold&currency=usd&unit_amount=250&nickname=small&expand[]=product";
    let expanded = app.post("/v1/prices", form).await.ok();
    assert_eq!(expanded.at("/product"), product.json());
    let price = app.retrieve(&expanded.id()).await;
    let mut plain = expanded.json();
    plain["product"] = price.at("/product");
    assert_eq!(plain, price.json());
    let draft = app.draft_invoice("").await;
    let form = format!("pricing[price]={}&quantity=3", price.id());
    let item = app.invoice_item(&draft, &form).await;
    let path = path_of(&item.id());
    app.post(&path, "quantity=4").await.ok();
    let invoice = app.retrieve(&draft.id()).await;
    let lines = app.get(&invoice.text("/lines/url")).await.ok();
    assert_eq!(invoice.at("/lines/data"), lines.at("/data"));
    assert_eq!(invoice.at("/total"), 1_000);
    insta::assert_snapshot!(
        [product.shown(), price.shown(), item.shown(), lines.shown()].join("\n"), @r#"
        200
        {
          active: true
          created: 1767225600
          id: "gold"
          images: []
          livemode: false
          marketing_features: []
          metadata: { a: "b" }
          name: "Gold"
          object: "product"
          type: "service"
          updated: 1767225600
          null: default_price, description, package_dimensions, shippable, statement_descriptor
          null: tax_code, unit_label, url
        }
        200
        {
          active: true
          billing_scheme: "per_unit"
          created: 1767225600
          currency: "usd"
          id: "price_…"
          livemode: false
          metadata: {}
          nickname: "small"
          object: "price"
          product: "gold"
          tax_behavior: "unspecified"
          type: "one_time"
          unit_amount: 250
          unit_amount_decimal: "250"
          null: custom_unit_amount, lookup_key, recurring, tiers_mode, transform_quantity
        }
        200
        {
          amount: 750
          currency: "usd"
          customer: "cus_…"
          date: 1767225600
          discountable: true
          discounts: []
          id: "ii_…"
          invoice: "in_…"
          livemode: false
          metadata: {}
          net_amount: 750
          object: "invoiceitem"
          period: { end: 1767225600, start: 1767225600 }
          pricing: {
            price_details: { price: "price_…", product: "gold" }
            type: "price_details"
            unit_amount_decimal: "250"
          }
          proration: false
          quantity: 3
          quantity_decimal: "3"
          tax_rates: []
          null: customer_account, description, parent, test_clock
        }
        200
        {
          data: [
            {
              amount: 1000
              currency: "usd"
              discount_amounts: []
              discountable: true
              discounts: []
              id: "il_…"
              invoice: "in_…"
              livemode: false
              metadata: {}
              object: "line_item"
              parent: {
                invoice_item_details: {
                  invoice_item: "ii_…"
                  proration: false
                  proration_details: { credited_items: null }
                  null: subscription
                }
                type: "invoice_item_details"
                null: subscription_item_details
              }
              period: { end: 1767225600, start: 1767225600 }
              pretax_credit_amounts: []
              pricing: {
                price_details: { price: "price_…", product: "gold" }
                type: "price_details"
                unit_amount_decimal: "250"
              }
              quantity: 4
              quantity_decimal: "4"
              subtotal: 1000
              taxes: []
              null: description, subscription
            }
          ]
          has_more: false
          object: "list"
          url: "/v1/invoices/in_…/lines"
        }
        "#);
    app.delete(&path).await.ok();
    let invoice = app.retrieve(&draft.id()).await;
    assert_eq!(invoice.at("/total"), 0);
}

/// Lists contain the objects that match their filters, in pages.
#[tokio::test]
async fn lists_are_filtered() {
    let app = App::start().await;
    for (name, active) in [("a", true), ("b", false), ("c", true), ("d", true)] {
        app.post("/v1/products", &format!("id={name}&name={name}&active={active}")).await.ok();
        app.pass_s(1);
    }
    let ids = ["a", "b", "c", "d"].map(str::to_owned);
    for (query, places) in [
        ("active=true&limit=2", "3 2 …"),
        ("active=true&limit=2&starting_after=c", "0"),
        ("active=true&limit=1&ending_before=a", "2 …"),
        ("ids[]=b", "1"),
    ] {
        assert_eq!(app.places("/v1/products", &ids, query).await, places, "{query}");
    }
    let opened = app.open_invoice().await;
    for (path, count) in [
        ("/v1/invoices?status=open", 1),
        ("/v1/invoices?status=draft", 0),
        (&format!("/v1/invoices?customer={}", opened.text("/customer")), 1),
        ("/v1/invoiceitems?pending=true", 0),
        (&format!("/v1/invoiceitems?invoice={}", opened.id()), 1),
        ("/v1/prices?lookup_keys[]=x", 0),
    ] {
        assert_eq!(app.count(path).await, count, "{path}");
    }
}

/// A product with prices cannot be deleted, and one without prices can. An id can be used only
/// once.
#[tokio::test]
async fn products_with_prices_stay() {
    let app = App::start().await;
    let form = "id=gold&name=Gold&default_price_data[currency]=usd\
                &default_price_data[unit_amount]=5&expand[]=default_price";
    let gold = app.post("/v1/products", form).await.ok();
    assert_eq!(gold.at("/default_price/unit_amount"), 5);
    app.post("/v1/products", "id=tin&name=Tin").await.ok();
    app.delete("/v1/products/tin").await.ok();
    insta::assert_snapshot!(app.api_errors(&[
        ("DELETE", "/v1/products/gold", ""),
        ("GET", "/v1/products/tin", ""),
        ("POST", "/v1/products", "id=gold&name=Gold"),
    ]).await, @"
    DELETE /v1/products/gold
        400: The product has prices and cannot be deleted; set active=false.
    GET /v1/products/tin
        404 resource_missing id: No such product: 'tin'
    POST /v1/products id=gold&name=Gold
        400 resource_already_exists id: There is a product with the id gold already.
    ");
}
