//! Cursors that name no object of their list.

use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, RefreshId, TransactionId};
use store::{Bounds, Cursor, Failpoints, ListTransactions, Page};
use testkit::{App, FC, Options};

/// Cursors and refreshes of another account, and malformed ones, are rejected before a page is read.
/// The failpoint counts the reads of pages: it lets one pass, and the next one panics.
#[tokio::test]
async fn foreign_cursors_read_no_page() {
    let failpoints = Failpoints::parse("ListTransactions:1:panic").unwrap();
    let app = App::with(Options { failpoints, ..Options::default() }).await;
    let account = app.account().await;
    app.refresh(&account, "transactions").await.ok();
    app.run_workers_until_idle().await;
    let list = format!("{FC}/transactions?account={account}");
    app.get(&list).await.ok();

    let foreign = AccountId::from_number(7);
    let row = TransactionId { account: foreign, listed_at: AccountTime(5), ordinal: 1 };
    let refresh = RefreshId { account: foreign, sequence: 1 };
    let mut shown = String::new();
    for name in ["starting_after", "ending_before"] {
        for cursor in [row.to_string().as_str(), "fctxn_1", "nothing"] {
            shown += &app.get(&format!("{list}&{name}={cursor}")).await.api_error();
        }
    }
    for after in [refresh.to_string().as_str(), "fctxnref_1", "nothing"] {
        shown += &app.get(&format!("{list}&transaction_refresh[after]={after}")).await.api_error();
    }
    insta::assert_snapshot!(shown, @"
    400 resource_missing starting_after: No such Financial Connections transaction: 'fctxn_…'
    400 resource_missing starting_after: No such Financial Connections transaction: 'fctxn_1'
    400 resource_missing starting_after: No such Financial Connections transaction: 'nothing'
    400 resource_missing ending_before: No such Financial Connections transaction: 'fctxn_…'
    400 resource_missing ending_before: No such Financial Connections transaction: 'fctxn_1'
    400 resource_missing ending_before: No such Financial Connections transaction: 'nothing'
    404 resource_missing transaction_refresh[after]: No such transaction refresh: 'fctxnref_…'
    404 resource_missing transaction_refresh[after]: No such transaction refresh: 'fctxnref_1'
    404 resource_missing transaction_refresh[after]: No such transaction refresh: 'nothing'
    ");

    let command = ListTransactions {
        merchant: MerchantId::of_key("sk_test_123"),
        account: account.parse().unwrap(),
        transacted_at: Bounds::default(),
        after: None,
        page: Page { limit: 10, cursor: Cursor::Newest },
    };
    let store = app.engine.store().clone();
    let second = tokio::spawn(async move { store.read(command).await.map(|_| ()) });
    assert!(second.await.unwrap_err().is_panic(), "more or fewer than one page was read before");
}

/// The error about an unknown cursor names the objects of the list, in every list.
#[tokio::test]
async fn each_list_names_its_objects() {
    let (app, customer) = App::with_customer().await;
    let session = app.session(&customer, "prefetch[]=transactions").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    app.run_workers_until_idle().await;
    let invoice = app.open_invoice().await.id();
    app.gold().await;
    let subscription = app.subscription(&app.customer().await, "").await.id();
    let connected = app.post("/v1/accounts", "type=custom").await.ok().id();
    let line = format!(
        "mode=payment&line_items[0][quantity]=1&line_items[0][price]={}&success_url=https://a.example/",
        app.price(500, "").await
    );
    let checkout = app.checkout(&line).await.id();
    let helpers = "/v1/test_helpers/financial_connections";
    let mut seen = String::new();
    for list in [
        "/v1/accounts?".to_owned(),
        format!("/v1/accounts/{connected}/external_accounts?"),
        "/v1/charges?".to_owned(),
        "/v1/checkout/sessions?".to_owned(),
        format!("/v1/checkout/sessions/{checkout}/line_items?"),
        "/v1/customers?".to_owned(),
        format!("/v1/customers/{customer}/payment_methods?"),
        "/v1/disputes?".to_owned(),
        "/v1/events?".to_owned(),
        "/v1/financial_connections/accounts?".to_owned(),
        format!("/v1/financial_connections/transactions?account={account}&"),
        "/v1/invoice_payments?".to_owned(),
        "/v1/invoiceitems?".to_owned(),
        "/v1/invoices?".to_owned(),
        format!("/v1/invoices/{invoice}/lines?"),
        "/v1/payment_intents?".to_owned(),
        "/v1/payment_method_configurations?".to_owned(),
        "/v1/payment_methods?type=us_bank_account&".to_owned(),
        "/v1/plans?".to_owned(),
        "/v1/prices?".to_owned(),
        "/v1/products?".to_owned(),
        "/v1/refunds?".to_owned(),
        "/v1/setup_intents?".to_owned(),
        format!("/v1/subscription_items?subscription={subscription}&"),
        "/v1/subscriptions?".to_owned(),
        "/v1/test_helpers/deliveries?".to_owned(),
        "/v1/test_helpers/faults?".to_owned(),
        "/v1/test_helpers/snapshots?".to_owned(),
        "/v1/test_helpers/test_clocks?".to_owned(),
        "/v1/webhook_endpoints?".to_owned(),
        format!("{helpers}/scenarios?"),
    ] {
        for cursor in ["starting_after", "ending_before"] {
            let refused = app.get(&format!("{list}{cursor}=in_1")).await;
            let place = refused.text("/error/param");
            assert_eq!((refused.status, place.as_str()), (400, cursor), "{list}: {}", refused.body);
            let message = refused.text("/error/message");
            let path = list.split('?').next().unwrap();
            let line = format!("{path}: {message}\n");
            if cursor == "starting_after" {
                seen += &line;
            } else {
                assert!(seen.ends_with(&line), "{line}");
            }
        }
    }
    insta::assert_snapshot!(testkit::show::redacted(&seen), @"
    /v1/accounts: No such account: 'in_1'
    /v1/accounts/acct_…/external_accounts: No such external account: 'in_1'
    /v1/charges: No such charge: 'in_1'
    /v1/checkout/sessions: No such checkout session: 'in_1'
    /v1/checkout/sessions/cs_test_…/line_items: No such line item: 'in_1'
    /v1/customers: No such customer: 'in_1'
    /v1/customers/cus_…/payment_methods: No such PaymentMethod: 'in_1'
    /v1/disputes: No such dispute: 'in_1'
    /v1/events: No such event: 'in_1'
    /v1/financial_connections/accounts: No such Financial Connections account: 'in_1'
    /v1/financial_connections/transactions: No such Financial Connections transaction: 'in_1'
    /v1/invoice_payments: No such invoice payment: 'in_1'
    /v1/invoiceitems: No such invoiceitem: 'in_1'
    /v1/invoices: No such invoice: 'in_1'
    /v1/invoices/in_…/lines: No such line item: 'in_1'
    /v1/payment_intents: No such payment_intent: 'in_1'
    /v1/payment_method_configurations: No such payment_method_configuration: 'in_1'
    /v1/payment_methods: No such PaymentMethod: 'in_1'
    /v1/plans: No such plan: 'in_1'
    /v1/prices: No such price: 'in_1'
    /v1/products: No such product: 'in_1'
    /v1/refunds: No such refund: 'in_1'
    /v1/setup_intents: No such setup_intent: 'in_1'
    /v1/subscription_items: No such subscription item: 'in_1'
    /v1/subscriptions: No such subscription: 'in_1'
    /v1/test_helpers/deliveries: No such delivery: 'in_1'
    /v1/test_helpers/faults: No such fault: 'in_1'
    /v1/test_helpers/snapshots: No such snapshot: 'in_1'
    /v1/test_helpers/test_clocks: No such test clock: 'in_1'
    /v1/webhook_endpoints: No such webhook endpoint: 'in_1'
    /v1/test_helpers/financial_connections/scenarios: No such scenario: 'in_1'
    ");
    // The id of the intent behind a payment is no cursor of the list of payments.
    let payments = app.get("/v1/invoice_payments").await.ok();
    let intent = payments.text("/data/0/payment/payment_intent");
    let refused = app.get(&format!("/v1/invoice_payments?starting_after={intent}")).await;
    assert_eq!(refused.status, 400);
    let own = format!("/v1/invoice_payments?starting_after={}", payments.text("/data/0/id"));
    assert_eq!(app.get(&own).await.ok().items("/data").len(), 0);
}
