//! Customers: stored, unset, listed and deleted values.

use model::id::MerchantId;
use testkit::engine::context;
use testkit::{App, BEGIN_S, KEY};

const CUSTOMERS: &str = "/v1/customers";

/// All stored values of a customer are returned. An empty string unsets each value that can be
/// unset.
#[tokio::test]
async fn keeps_and_unsets() {
    let app = App::start().await;
    let form = "address[line1]=1+Main+St&address[country]=US&balance=-500\
                &business_name=B&description=d&email=ada@example.com&invoice_prefix=ADA\
                &metadata[a]=1&metadata[b]=2\
                &name=Ada&phone=555&preferred_locales[]=en&preferred_locales[]=fr\
                &shipping[name]=Ada&shipping[address][city]=Rome&tax_exempt=exempt\
                &invoice_settings[footer]=x&tax[validate_location]=deferred";
    let customer = app.post(CUSTOMERS, form).await;
    insta::assert_snapshot!(customer.shown(), @r#"
    200
    {
      address: {
        country: "US"
        line1: "1 Main St"
        null: city, line2, postal_code, state
      }
      balance: -500
      business_name: "B"
      created: 1767225600
      delinquent: false
      description: "d"
      email: "ada@example.com"
      id: "cus_…"
      invoice_prefix: "ADA"
      invoice_settings: {
        null: custom_fields, default_payment_method, footer, rendering_options
      }
      livemode: false
      metadata: { a: "1", b: "2" }
      name: "Ada"
      next_invoice_sequence: 1
      object: "customer"
      phone: "555"
      preferred_locales: ["en", "fr"]
      shipping: {
        address: {
          city: "Rome"
          null: country, line1, line2, postal_code, state
        }
        name: "Ada"
        null: phone
      }
      tax_exempt: "exempt"
      null: currency, customer_account, default_source, discount, test_clock
    }
    "#);
    let path = format!("{CUSTOMERS}/{}", customer.id());
    let form = "address=&business_name=&metadata[a]=&name=Bob&shipping=&tax_exempt=";
    let changed = app.post(&path, form).await.ok();
    insta::assert_snapshot!(changed.shown_beside(&customer), @r#"
    { address: null, metadata: { b: "2" }, name: "Bob", shipping: null, tax_exempt: "none" }
    absent: ["business_name"]
    "#);
    assert_eq!(app.post(&path, "metadata=").await.ok().at("/metadata"), serde_json::json!({}));
}

/// Lists page in both directions, filter by e-mail address and time, and return a path for the next
/// page.
#[tokio::test]
async fn lists() {
    let app = App::start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let form = format!("email=user{number}@example.com");
        ids.insert(0, app.post(CUSTOMERS, &form).await.ok().id());
        app.pass_s(1);
    }
    let list = async |query: &str| {
        let page = app.get(&format!("{CUSTOMERS}?{query}")).await.ok();
        assert_eq!(page.text("/url"), CUSTOMERS);
        (page.ids(), page.at("/has_more") == true)
    };
    assert_eq!(list("").await, (ids.clone(), false));
    assert_eq!(list("limit=2").await, (ids[..2].to_vec(), true));
    let after = format!("limit=2&starting_after={}", ids[1]);
    assert_eq!(list(&after).await, (ids[2..4].to_vec(), true));
    let before = format!("limit=2&ending_before={}", ids[3]);
    assert_eq!(list(&before).await, (ids[1..3].to_vec(), true));
    assert_eq!(list("email=user4@example.com").await, (ids[..1].to_vec(), false));
    let since = format!("created[gt]={}", BEGIN_S + 2);
    assert_eq!(list(&since).await, (ids[..2].to_vec(), false));
}

/// A deleted customer is shown as deleted, and its accounts are disconnected.
#[tokio::test]
async fn deletes() {
    let (app, account) = App::with_account().await;
    let customer = app.get(CUSTOMERS).await.ok().text("/data/0/id");
    let path = format!("{CUSTOMERS}/{customer}");
    insta::assert_snapshot!(app.delete(&path).await.shown(), @r#"
    200
    { deleted: true, id: "cus_…", object: "customer" }
    "#);
    assert_eq!(app.get(&path).await.ok().at("/deleted"), true);
    assert_eq!(app.count(CUSTOMERS).await, 0);
    let account = app.get(&format!("/v1/financial_connections/accounts/{account}")).await.ok();
    assert_eq!(account.text("/status"), "disconnected");
    insta::assert_snapshot!(app.api_errors(&[("POST", &path, "name=x")]).await, @"
    POST /v1/customers/cus_… name=x
        404 resource_missing id: No such customer: 'cus_…'
    ");
}

/// Of several deletions at once, exactly one succeeds. The others return that the customer is gone,
/// and so do later calls. Exactly one event is emitted.
#[tokio::test]
async fn deletes_once() {
    let (app, customer) = App::with_customer().await;
    // The test calls the engine directly, because the order is certain there. Each call reads
    // without a pause and pauses at its write, so both have the same version when the first write
    // begins.
    let context = context(MerchantId::of_key(KEY), 1);
    let (first, second) = tokio::join!(
        app.engine.delete_customer(&context, &customer),
        app.engine.delete_customer(&context, &customer),
    );
    // Both mark the customer, and either may complete the deletion.
    let lost = match (first, second) {
        (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost.api_error(),
        both => panic!("exactly one deletion succeeds: {both:?}"),
    };
    assert_eq!((lost.status, lost.code), (404, Some("resource_missing")));

    let customer = app.customer().await;
    let path = format!("{CUSTOMERS}/{customer}");
    let deletions = (0..8).map(|_| tokio::spawn(app.request("DELETE", &path).send()));
    let mut statuses = Vec::new();
    for deletion in deletions.collect::<Vec<_>>() {
        statuses.push(deletion.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404, 404, 404, 404, 404]);
    insta::assert_snapshot!(app.api_errors(&[("DELETE", &path, "")]).await, @"
    DELETE /v1/customers/cus_…
        404 resource_missing id: No such customer: 'cus_…'
    ");
    let events = app.get("/v1/events?type=customer.deleted").await.ok();
    assert_eq!(events.items("/data").len(), 2);
}

/// Two customers never share an invoice prefix.
#[tokio::test]
async fn invoice_prefixes_are_unique() {
    let app = App::start().await;
    let ada = app.post(CUSTOMERS, "invoice_prefix=TEA").await.ok().id();
    let other = app.post(CUSTOMERS, "invoice_prefix=SALT").await.ok().id();
    let own = app.post(&format!("{CUSTOMERS}/{ada}"), "invoice_prefix=TEA&name=Ada").await.ok();
    assert_eq!(own.text("/name"), "Ada");
    let update = format!("{CUSTOMERS}/{other}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", CUSTOMERS, "invoice_prefix=TEA"),
        ("POST", &update, "invoice_prefix=TEA&name=x"),
    ]).await, @"
    POST /v1/customers invoice_prefix=TEA
    POST /v1/customers/cus_… invoice_prefix=TEA&name=x
        400 - invoice_prefix: Another customer has this invoice prefix; numbers of invoices are
          unique.
    ");
    assert_eq!(app.get(&update).await.ok().text("/invoice_prefix"), "SALT");
}

/// The number of the next invoice leaves room for later ones.
#[tokio::test]
async fn bounds_the_invoice_sequence() {
    let (app, customer) = App::with_customer().await;
    let path = format!("/v1/customers/{customer}");
    insta::assert_snapshot!(
        app.api_errors(&[
            ("POST", "/v1/customers", "next_invoice_sequence=0"),
            ("POST", &path, "next_invoice_sequence=1000000001"),
            ("POST", &path, "next_invoice_sequence=9223372036854775807"),
        ])
        .await,
        @"
        POST /v1/customers next_invoice_sequence=0
        POST /v1/customers/cus_… next_invoice_sequence=1000000001
        POST /v1/customers/cus_… next_invoice_sequence=9223372036854775807
            400 parameter_invalid_integer next_invoice_sequence: Invalid integer: next_invoice_sequence
              must be between 1 and 1000000000
        "
    );
    let most = app.post(&path, "next_invoice_sequence=1000000000").await.ok();
    assert_eq!(most.at("/next_invoice_sequence"), 1_000_000_000);
}
