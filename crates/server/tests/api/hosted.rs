//! The hosted pages in a browser without script: Checkout, an invoice, two deposits.

use crate::browser::{Browser, faults, read, shown};
use testkit::{App, BEGIN_S, ONE_ITEM, Response};

/// Creates a Checkout Session and opens its page.
async fn checkout(app: &App, form: &str) -> (Response, Browser) {
    let session = app.checkout(form).await;
    let page = Browser::at(app, &session.text("/url"));
    (session, page)
}

/// Creates a Checkout Session for two teas and opens its page.
pub(crate) async fn tea(app: &App, more: &str) -> (Response, Browser) {
    checkout(app, &format!("{ONE_ITEM}&{more}")).await
}

/// Links the first account that the test bank offers in the flow that a page begins for this holder.
/// Returns the page that the flow leads back to.
async fn link(app: &App, page: &Browser, holder: &str) -> Response {
    let flow = Browser::flow_of(app, &page.step("link", holder).await);
    flow.accounts_of(app, "Test (Non-OAuth)").await;
    flow.step("accounts", "account=0").await
}

/// Types numbers in place of linking. Returns the page that the flow leads back to.
async fn type_in(app: &App, page: &Browser, holder: &str, number: &str, more: &str) -> Response {
    let flow = Browser::flow_of(app, &page.step("link", holder).await);
    flow.step("manual", "").await;
    flow.type_numbers(number, more).await
}

/// The parameters of a Checkout Session that begins a subscription.
fn one_item_a_month() -> String {
    let item = ONE_ITEM.replace("mode=payment", "mode=subscription");
    format!("{item}&line_items[0][price_data][recurring][interval]=month")
}

const ADA: &str = "email=ada@example.com&name=Ada";

/// A payment from the first view of the page to the return to the shop. The session, the payment
/// method and the mandate contain the typed and linked data.
#[tokio::test]
async fn checkout_is_paid_on_its_page() {
    let app = App::start().await;
    let urls = "success_url=https://shop.example/done?id={CHECKOUT_SESSION_ID}\
                &cancel_url=https://shop.example/cart";
    let (session, page) = tea(&app, urls).await;
    let first = page.page().await;
    insta::assert_snapshot!(shown(&first), @"
    200
    Pay $25.00
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Total due $25.00
    Email
    []
    Full name
    []
    Choose your bank and sign in there. You then return to this page and can check the account
       before it is debited.
    > Connect your bank account
    ");
    assert!(first.body.contains("href=\"https://shop.example/cart\""));
    // The page checks the form itself, and marks each empty field.
    assert!(first.body.contains("novalidate"));
    let empty = page.step("link", "email=&name=").await;
    assert_eq!(
        faults(&empty),
        [
            "Enter an email address, such as ada@example.com.",
            "Enter the name on your bank account."
        ]
    );
    let fault = page.step("link", "email=ada&name=Ada").await;
    insta::assert_snapshot!(shown(&fault), @"
    422
    Pay $25.00
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Total due $25.00
    Email
    [ada]
    Enter an email address, such as ada@example.com.
    Full name
    [Ada]
    Choose your bank and sign in there. You then return to this page and can check the account
       before it is debited.
    > Connect your bank account
    ");
    let fault = page.step("pay", ADA).await;
    assert!(read(&fault).starts_with("422\nPay $25.00\nConnect a bank account first."));

    assert!(read(&page.step("link", ADA).await).contains("Choose your bank"));
    insta::assert_snapshot!(shown(&link(&app, &page, ADA).await), @"
    200
    Pay $25.00
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Total due $25.00
    Email
    [ada@example.com]
    Full name
    [Ada]
    Bank account
    Test (Non-OAuth) Account ending in …
    By clicking “Pay $25.00” you allow Test merchant to debit $25.00 from this bank account, today
       or on one of the next business days. To cancel before the debit is sent, contact Test
       merchant.
    > Pay $25.00
    > Use another account
    ");
    assert_eq!(app.status(&session.id()).await, "open");

    let paid = page.step("pay", ADA).await;
    insta::assert_snapshot!(shown(&paid), @"
    200
    Thank you
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Total due $25.00
    Your payment is under way. Bank debits take a few days. Test merchant will let you know when it
       arrives.
    We are taking you back to Test merchant.
    -> Back to Test merchant
    ");
    let url = format!("https://shop.example/done?id={}", session.id());
    assert!(paid.body.contains(&format!("http-equiv=\"refresh\" content=\"0; url={url}\"")));
    // A later visitor sees that the session is over, and is not redirected.
    let again = page.page().await;
    assert!(read(&again).contains("Thank you") && !again.body.contains("refresh"));
    assert_eq!(read(&page.step("pay", ADA).await), read(&paid));

    let expand = "expand[]=payment_intent.payment_method";
    let complete = app.retrieve(&format!("{}?{expand}", session.id())).await;
    assert_eq!(complete.at("/status"), "complete");
    assert_eq!(complete.at("/url"), serde_json::Value::Null);
    for holder in ["/customer_details", "/payment_intent/payment_method/billing_details"] {
        assert_eq!(complete.at(&format!("{holder}/name")), "Ada");
        assert_eq!(complete.at(&format!("{holder}/email")), "ada@example.com");
    }
    insta::assert_snapshot!(app.event_types().await.join("\n"), @"
    product.created
    price.created
    financial_connections.account.created
    payment_intent.created
    charge.pending
    payment_intent.processing
    checkout.session.completed
    ");
}

/// Typed numbers save an account. The page leads on to the deposits, and the intent succeeds when
/// the holder enters their amounts.
#[tokio::test]
async fn an_account_is_saved_and_its_deposits_are_told() {
    let (app, customer) = App::with_customer().await;
    let form = format!("mode=setup&customer={customer}&currency=usd");
    let (session, page) = checkout(&app, &form).await;
    let back = type_in(&app, &page, ADA, "000123456789", "").await;
    insta::assert_snapshot!(shown(&back), @"
    200
    Save your bank account
    Test merchant will debit this account later for your purchases and subscriptions.
    Email ada@example.com
    Full name
    [Ada]
    Bank account
    STRIPE TEST BANK Account ending in …
    You typed these numbers, so two small deposits arrive first. Your account is debited only after
       you confirm them.
    By clicking “Save your bank account” you allow Test merchant to debit this bank account for
       your future purchases and subscriptions. To end this permission, contact Test merchant.
    > Save your bank account
    > Use another account
    ");
    let saved = page.step("pay", ADA).await;
    insta::assert_snapshot!(shown(&saved), @"
    200
    Your account is saved
    Two small deposits will arrive in your account in the next few days. Then return to this page
       and confirm them.
    -> Confirm the deposits
    You may close this page.
    ");

    let expanded = format!("{}?expand[]=setup_intent", session.id());
    let waiting = app.retrieve(&expanded).await;
    assert_eq!(waiting.at("/setup_intent/status"), "requires_action");
    let next = "/setup_intent/next_action/verify_with_microdeposits";
    let url = waiting.text(&format!("{next}/hosted_verification_url"));
    assert!(saved.body.contains(&url), "the page leads to the deposits");
    let deposits = Browser::at(&app, &url);
    insta::assert_snapshot!(shown(&deposits.page().await), @"
    200
    Confirm your bank account
    STRIPE TEST BANK Account ending in …
    Test merchant has sent two deposits of less than one dollar to this account. They arrive by 3
       January 2026 and appear on your statement.
    First deposit, in cents
    []
    Second deposit, in cents
    []
    Values for tests
    32, 45: correct
    10, 11: too many wrong tries
    40, 41: expired
    > Confirm
    ");
    let answers = ["amount=1&amount=2", "amount=32", "amount=x&amount=2", "amount=$0.45&amount=32"];
    let mut said = Vec::new();
    for answer in answers {
        let lines = read(&deposits.step("tell", answer).await);
        said.push(lines.lines().take(3).collect::<Vec<_>>().join(" | "));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    422 | Confirm your bank account | These amounts are not correct. You have 2 tries left.
    422 | Confirm your bank account | Enter both amounts in cents, from 1 to 99.
    422 | Confirm your bank account | Enter both amounts in cents, from 1 to 99.
    200 | Your account is confirmed | Thank you. You do not need to do anything else.
    ");
    assert_eq!(app.retrieve(&expanded).await.at("/setup_intent/status"), "succeeded");
}

/// Numbers of a savings account are confirmed by a code. Too many wrong codes or a late one fail
/// the deposits, and the page reports it.
#[tokio::test]
async fn deposits_can_fail() {
    let app = App::start().await;
    let mut said = Vec::new();
    for code in ["SM11A", "SM22BB", "SM33CC", "SM44DD"] {
        let (session, page) = checkout(&app, "mode=setup&currency=usd").await;
        type_in(&app, &page, ADA, "000123456789", "account_type=savings").await;
        page.step("pay", ADA).await;
        let shown = app.retrieve(&format!("{}?expand[]=setup_intent", session.id())).await;
        let next = shown.at("/setup_intent/next_action/verify_with_microdeposits");
        assert_eq!(next["microdeposit_type"], "descriptor_code");
        let deposits = Browser::at(&app, next["hosted_verification_url"].as_str().unwrap());
        let lines = read(&deposits.step("tell", &format!("code={code}")).await);
        said.push(lines.lines().take(3).collect::<Vec<_>>().join(" | "));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    422 | Confirm your bank account | The code has six letters and digits, such as SM12AB.
    422 | Confirm your bank account | This code is not correct. You have 9 tries left.
    200 | Your account was not confirmed | Too many attempts to verify the deposits were wrong.
    200 | Your account was not confirmed | The deposits were not verified in time.
    ");
}

/// The pages of an expired session, and of one without a return URL.
#[tokio::test]
async fn checkout_that_cannot_go_on() {
    let app = App::start().await;
    let (session, page) = tea(&app, "cancel_url=https://shop.example/cart").await;
    app.act(&session.id(), "expire", "").await.ok();
    insta::assert_snapshot!(shown(&page.page().await), @"
    200
    This page has expired
    It was open for too long. Your account was not debited. Go back to Test merchant and start
       again.
    -> Back to Test merchant
    ");
    assert!(read(&page.step("link", ADA).await).contains("This page has expired"));
    assert!(read(&page.step("pay", ADA).await).contains("This page has expired"));

    // The session is expired by its time alone, before a worker has processed it.
    let (_, page) = tea(&app, "").await;
    app.pass_s(86_400);
    assert!(read(&page.page().await).contains("This page has expired"));
    assert!(read(&page.step("link", ADA).await).contains("This page has expired"));

    let (_, page) = tea(&app, "").await;
    link(&app, &page, ADA).await;
    let paid = page.step("pay", ADA).await;
    assert!(read(&paid).contains("You may close this page"));
}

/// Leaving the flow leads back to the unchanged page. Another account replaces the first. A flow that
/// has ended leads to its page for every visitor.
#[tokio::test]
async fn the_flow_leads_back() {
    let app = App::start().await;
    let bea = "name=Bea";
    let (_, page) = tea(&app, "customer_email=bea@example.com").await;
    let begun = page.step("link", bea).await;
    let back = Browser::flow_of(&app, &begun).step("cancel", "").await;
    assert!(read(&back).contains("> Connect your bank account"));
    assert!(read(&back).contains("bea@example.com") && !back.body.contains("name=\"email\""));
    let typed = type_in(&app, &page, bea, "000111111113", "").await;
    assert!(read(&typed).contains("ending in 1113"));
    let begun = page.step("link", bea).await;
    let flow = Browser::flow_of(&app, &begun);
    flow.accounts_of(&app, "Test (Non-OAuth)").await;
    let back = flow.step("accounts", "account=0").await;
    assert!(read(&back).contains("Test (Non-OAuth)"));
    let ended = Browser::flow_of(&app, &begun);
    assert!(read(&ended.page().await).starts_with("200\nPay $25.00"));
    assert!(read(&page.step("pay", bea).await).contains("Thank you"));
}

/// If no deposit can be sent to the numbers, the page stays open and shows the error. A payment and
/// a subscription can then use another account.
#[tokio::test]
async fn a_bad_account_leaves_the_page_open() {
    let app = App::start().await;
    let mut failed = Vec::new();
    for form in [ONE_ITEM, &one_item_a_month()] {
        let (_, page) = checkout(&app, form).await;
        type_in(&app, &page, ADA, "000666666661", "").await;
        failed.push(shown(&page.step("pay", ADA).await));
        link(&app, &page, ADA).await;
        assert!(read(&page.step("pay", ADA).await).contains("Thank you"));
    }
    insta::assert_snapshot!(failed.join("\n"), @"
    200
    Pay $25.00
    The small deposits could not be sent. Check the routing and account numbers.
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Total due $25.00
    Email
    [ada@example.com]
    Full name
    [Ada]
    Choose your bank and sign in there. You then return to this page and can check the account
       before it is debited.
    > Connect your bank account

    422
    Subscribe for $25.00
    This account could not be used. Connect another account.
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Due today $25.00
    Email
    [ada@example.com]
    Full name
    [Ada]
    Choose your bank and sign in there. You then return to this page and can check the account
       before it is debited.
    > Connect your bank account
    ");
}

/// An open invoice is paid on its page, which shows each state. A draft has no page. Events contain
/// the address of the page, as responses do.
#[tokio::test]
async fn an_invoice_is_paid_on_its_page() {
    let app = App::start().await;
    let invoice = app.open_invoice().await;
    let url = invoice.text("/hosted_invoice_url");
    let page = Browser::at(&app, &url);
    insta::assert_snapshot!(shown(&page.page().await), @"
    200
    Pay $10.00
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
    Choose your bank and sign in there. You then return to this page and can check the account
       before it is debited.
    > Pay by bank account
    ");
    assert!(read(&page.step("pay", "").await).contains("Connect a bank account first."));
    insta::assert_snapshot!(shown(&link(&app, &page, "").await), @"
    200
    Pay $10.00
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
    Bank account
    Test (Non-OAuth) Account ending in …
    By clicking “Pay $10.00” you allow Test merchant to debit $10.00 from this bank account, today
       or on one of the next business days. To cancel before the debit is sent, contact Test
       merchant.
    > Pay $10.00
    > Use another account
    ");
    insta::assert_snapshot!(shown(&page.step("pay", "").await), @"
    200
    Your payment is under way
    Invoice …-0001
    Status Processing
    Issued 1 January 2026
    From
    Test merchant
    To
    ada@example.com
    Item $10.00
    Total $10.00
    Amount due $10.00
    -> Download PDF
    Bank debits take a few days. You do not need to do anything else. Test merchant will see when
       it arrives.
    You may close this page.
    ");
    assert!(read(&page.step("link", "").await).contains("Your payment is under way"));
    app.run_workers_until_idle().await;
    insta::assert_snapshot!(shown(&page.page().await), @"
    200
    This invoice is paid
    Invoice …-0001
    Status Paid
    Issued 1 January 2026
    From
    Test merchant
    To
    ada@example.com
    Item $10.00
    Total $10.00
    Amount paid $10.00
    -> Download PDF
    There is no amount left to pay.
    You may close this page.
    ");
    let events = app.get("/v1/events?limit=100&type=invoice.finalized").await.ok();
    assert_eq!(events.at("/data/0/data/object/hosted_invoice_url"), url.as_str());

    let draft = app.draft_invoice("").await;
    assert_eq!(draft.at("/hosted_invoice_url"), serde_json::Value::Null);
    let other = app.open_invoice().await;
    app.act(&other.id(), "void", "").await.ok();
    let page = Browser::at(&app, &other.text("/hosted_invoice_url"));
    assert!(read(&page.page().await).contains("This invoice is void"));
    assert!(read(&page.step("pay", "").await).contains("This invoice is void"));
}

/// The page shows a failed debit, and another account can be used. It also shows a due date.
#[tokio::test]
async fn an_invoice_whose_debit_failed() {
    let app = App::start().await;
    let more = format!("collection_method=send_invoice&due_date={}", BEGIN_S + 30 * 86_400);
    let draft = app.draft_invoice(&more).await;
    app.invoice_item(&draft, "amount=1000&currency=usd&description=Tea").await;
    let invoice = app.act(&draft.id(), "finalize", "").await.ok();
    let page = Browser::at(&app, &invoice.text("/hosted_invoice_url"));
    let begun = page.step("link", "").await;
    let flow = Browser::flow_of(&app, &begun);
    flow.accounts_of(&app, "Test (Non-OAuth)").await;
    flow.step("accounts", "account=5").await;
    page.step("pay", "").await;
    app.run_workers_until_idle().await;
    insta::assert_snapshot!(shown(&page.page().await), @"
    200
    Pay $10.00
    The bank account holds too little for this debit.
    Invoice …-0001
    Status Open
    Issued 1 January 2026
    Due 31 January 2026
    From
    Test merchant
    To
    ada@example.com
    Tea $10.00
    Total $10.00
    Amount due $10.00
    -> Download PDF
    Choose your bank and sign in there. You then return to this page and can check the account
       before it is debited.
    > Pay by bank account
    ");
}

/// Inexact addresses open no page: the token of another page, one changed letter, the token of a
/// draft, or no token. Unknown forms are rejected.
#[tokio::test]
async fn addresses_cannot_be_guessed() {
    let app = App::start().await;
    let (_, page) = tea(&app, "").await;
    let token = page.path.strip_prefix("/c/pay/").unwrap().to_owned();
    let last = if token.ends_with('0') { "1" } else { "0" };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let paths = [
        format!("/c/pay/{changed}"),
        format!("/c/pay/{}", token.to_uppercase()),
        format!("/i/{token}"),
        format!("/microdeposits/{token}"),
        "/c/pay/cs_test_a".to_owned(),
        "/microdeposits/%F0".to_owned(),
    ];
    for path in paths {
        let page = Browser::at(&app, &path);
        assert_eq!(
            page.page().await.status,
            if path.ends_with("%F0") { 400 } else { 404 },
            "{path}"
        );
    }
    assert_eq!(page.step("nothing", "").await.status, 400);
    assert_eq!(page.step("pay", &format!("name={}", "x".repeat(1_001))).await.status, 400);
    let policy = page.page().await.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
}

/// A subscription begins on its page. The holder consents to all future debits, and the mandate
/// records the browser in which consent was given.
#[tokio::test]
async fn checkout_begins_a_subscription() {
    let app = App::start().await;
    let (session, page) = checkout(&app, &one_item_a_month()).await;
    insta::assert_snapshot!(shown(&link(&app, &page, ADA).await), @"
    200
    Subscribe for $25.00
    Tea × 2 $12.50 each $25.00
    Subtotal $25.00
    Due today $25.00
    Email
    [ada@example.com]
    Full name
    [Ada]
    Bank account
    Test (Non-OAuth) Account ending in …
    By clicking “Subscribe for $25.00” you allow Test merchant to debit this bank account for your
       future purchases and subscriptions. To end this permission, contact Test merchant.
    > Subscribe for $25.00
    > Use another account
    ");
    let paid = page.step("pay", ADA).await;
    assert!(read(&paid).contains("Thank you"), "{}", paid.body);
    let expand = "expand[]=subscription.default_payment_method&expand[]=customer";
    let expanded = format!("{}?{expand}", session.id());
    let complete = app.retrieve(&expanded).await;
    assert_eq!(complete.at("/customer/name"), "Ada");
    let method = complete.at("/subscription/default_payment_method");
    assert_eq!(method["customer"], complete.at("/customer/id"));
    assert_eq!(method["billing_details"]["email"], "ada@example.com");
    app.run_workers_until_idle().await;
    let complete = app.retrieve(&expanded).await;
    assert_eq!(complete.at("/subscription/status"), "active");
    assert_eq!(complete.at("/payment_status"), "paid");
}
