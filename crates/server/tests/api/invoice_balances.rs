//! The balance that an invoice carries over to the next one: amounts that are too small to debit,
//! and credits.

use crate::browser::{Browser, read};
use testkit::show::redacted;
use testkit::{App, Response, path_of};

/// Creates and finalizes an invoice with this total in cents, for this customer or a new one.
async fn finalized(app: &App, customer: Option<&str>, cents: i64) -> Response {
    let draft = match customer {
        Some(customer) => app.post("/v1/invoices", &format!("customer={customer}")).await.ok(),
        None => app.draft_invoice("").await,
    };
    app.invoice_item(&draft, &format!("amount={cents}")).await;
    app.act(&draft.id(), "finalize", "").await.ok()
}

/// The amounts of an invoice, and its customer's balance after it.
async fn sums(app: &App, invoice: &Response) -> String {
    let customer = app.retrieve(&invoice.text("/customer")).await;
    let keys = ["total", "starting_balance", "amount_due", "amount_paid", "ending_balance"];
    let sums = keys.map(|key| format!("{key} {}", invoice.at(&format!("/{key}"))));
    format!("{} {} balance {}", invoice.text("/status"), sums.join(" "), customer.at("/balance"))
}

/// An amount that is too small to debit, and a credit, wait for the customer's next invoice. A
/// voided invoice leaves them waiting. No intent is created for an amount that no intent may debit.
#[tokio::test]
async fn small_sums_and_credits_wait_for_the_next_invoice() {
    let app = App::start().await;
    let mut told = Vec::new();
    for first in [30, 49, -200, 50] {
        let small = finalized(&app, None, first).await;
        told.push(sums(&app, &small).await);
        let customer = small.text("/customer");
        let next = finalized(&app, Some(&customer), 1_000).await;
        told.push(sums(&app, &next).await);
        let path = format!("/v1/invoices/{}/void", next.id());
        told.push(sums(&app, &app.post(&path, "").await.ok()).await);
    }
    insta::assert_snapshot!(told.join("\n"), @"
    paid total 30 starting_balance 0 amount_due 0 amount_paid 0 ending_balance 30 balance 30
    open total 1000 starting_balance 30 amount_due 1030 amount_paid 0 ending_balance 0 balance 0
    void total 1000 starting_balance 30 amount_due 1030 amount_paid 0 ending_balance 0 balance 30
    paid total 49 starting_balance 0 amount_due 0 amount_paid 0 ending_balance 49 balance 49
    open total 1000 starting_balance 49 amount_due 1049 amount_paid 0 ending_balance 0 balance 0
    void total 1000 starting_balance 49 amount_due 1049 amount_paid 0 ending_balance 0 balance 49
    paid total -200 starting_balance 0 amount_due 0 amount_paid 0 ending_balance -200 balance -200
    open total 1000 starting_balance -200 amount_due 800 amount_paid 0 ending_balance 0 balance 0
    void total 1000 starting_balance -200 amount_due 800 amount_paid 0 ending_balance 0 balance -200
    open total 50 starting_balance 0 amount_due 50 amount_paid 0 ending_balance 0 balance 0
    open total 1000 starting_balance 0 amount_due 1000 amount_paid 0 ending_balance 0 balance 0
    void total 1000 starting_balance 0 amount_due 1000 amount_paid 0 ending_balance 0 balance 0
    ");
    let payments = app.get("/v1/payment_intents?limit=100").await.ok();
    let amounts: Vec<_> = payments.items("/data").iter().map(|one| one["amount"].clone()).collect();
    assert_eq!(amounts, [1_000, 50, 800, 1_049, 1_030]);
}

/// The first invoice collects an existing balance of the customer, and its page shows the balance.
/// An event reports the change of the customer.
#[tokio::test]
async fn a_balance_is_collected_with_the_next_invoice() {
    let (app, customer) = App::with_customer().await;
    app.post(&path_of(&customer), "balance=-400").await.ok();
    let invoice = finalized(&app, Some(&customer), 1_000).await;
    let events = app.get("/v1/events?type=customer.updated").await.ok();
    let told = format!(
        "{}\n{}",
        sums(&app, &invoice).await,
        events.at("/data/0/data/previous_attributes")
    );
    insta::assert_snapshot!(told, @r#"
    open total 1000 starting_balance -400 amount_due 600 amount_paid 0 ending_balance 0 balance 0
    {"balance":-400,"next_invoice_sequence":1}
    "#);
    let small = finalized(&app, None, 30).await;
    let mut pages = String::new();
    for invoice in [invoice, small] {
        let page = Browser::at(&app, &invoice.text("/hosted_invoice_url"));
        pages += &redacted(&read(&page.page().await));
        pages += "\n\n";
    }
    insta::assert_snapshot!(pages, @"
    200
    Pay $6.00
    Invoice …-0001
    Status Open
    Issued 1 January 2026
    From
    Test merchant
    To
    ada@example.com
    Item $10.00
    Total $10.00
    Balance from before -$4.00
    Amount due $6.00
    -> Download PDF
    Choose your bank and sign in there. You then return to this page and can check the account before it is debited.
    > Pay by bank account

    200
    This invoice is paid
    Invoice …-0001
    Status Paid
    Issued 1 January 2026
    From
    Test merchant
    To
    ada@example.com
    Item $0.30
    Total $0.30
    Left for the next invoice -$0.30
    Amount paid $0.00
    -> Download PDF
    There is no amount left to pay.
    You may close this page.
    ");
}
