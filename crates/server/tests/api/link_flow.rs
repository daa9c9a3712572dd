//! The link flow in a browser: every pane and each of its steps.

use crate::browser::{Browser, institution, read, shown, version};
use testkit::{App, FC};

/// The accounts of a test bank, as a page shows them before a choice.
const ACCOUNTS: &str = "\
[x] Success Checking ending in …
[ ] Failure Checking ending in …
[ ] Account closes after linking Checking ending in …
[ ] High Balance Checking ending in …
[ ] Very High Balance Checking ending in …
[ ] Insufficient Funds Checking ending in …
[ ] Success (Later Disputed) Checking ending in …
[ ] Payment Processes Indefinitely Checking ending in …
[ ] Debit Not Authorized Checking ending in …
[ ] Weekly Payment Volume Exceeded Checking ending in …
[ ] Savings Savings ending in …
[ ] Credit Card Credit card ending in …
[ ] Line of Credit Line of credit ending in …
[ ] Mortgage Mortgage ending in …
[ ] Investment Account ending in …";

/// A form bank from its list to the account: a rejected login, further questions, a fault, and the
/// result. It uses a database, so that each step reads back the sealed part of a flow.
#[tokio::test]
async fn form_bank() {
    let app = App::start().await;
    let customer = app.post("/v1/customers", "name=Ada").await.ok().id();
    let (session, browser) = Browser::of_session(&app, &customer, "prefetch[]=balances").await;
    let list = browser.page().await;
    insta::assert_snapshot!(shown(&list), @"
    200
    Choose your bank
    Search banks
    []
    > Search
    15 banks
    Link and refresh
    Test (Non-OAuth) A login form that takes anything
    Test (OAuth) The same accounts behind the bank's own page
    Bank (Non-OAuth) A login form
    Bank (OAuth) The bank's own page, on which accounts are picked too
    Owners and payments
    Ownership Accounts Accounts with different kinds of owners
    Invalid Payment Accounts Accounts that cannot pay by ACH
    Tokenized Account Number Accounts with tokens as numbers, which expire
    Outages
    Down (Scheduled) Down for maintenance, with a known end
    Down (Unscheduled) Down, without a known end
    Down (Error) Every login fails
    Relinking
    Inactive Accounts Accounts that become inactive a minute after the link, until they are linked
       again
    Immediately Requires Reauthentication Requires a new login a minute after the first link, and a
       day after every later one
    Eventually Requires Reauthentication Requires a new login thirty days after every link
    History
    Short History Thirty days of history
    No History No history
    > Use an account I connected before
    ");
    let bank = institution(&app, "Bank (Non-OAuth)").await;
    let consent = browser.step("institution", &format!("institution={bank}")).await;
    insta::assert_snapshot!(shown(&consent), @"
    200
    T
    Connect your account to Test merchant
    At Bank (Non-OAuth)
    Test merchant will be able to see:
    Account details Name, type and last four digits, to show which accounts are connected
    Balances To see the amount of money in your accounts
    Owner details Names and addresses, to confirm that the accounts belong to you
    Transactions To see the money that comes in and goes out
    You choose the accounts in a later step. Test merchant never sees your password. You can ask
       Test merchant to stop at any time.
    > Agree and continue
    ");
    insta::assert_snapshot!(shown(&browser.step("consent", "").await), @"
    200
    Sign in at Bank (Non-OAuth)
    Use the same details as on your bank's own site.
    Username
    []
    Password
    []
    Test bank: A login form. Passwords for tests: options, mfa, confirm_mfa and security_question
       lead to that question, incorrect is rejected, and error ends the sign-in. Every other
       password works.
    > Sign in
    ");
    let login = "bank_username=ada&bank_password=";
    insta::assert_snapshot!(shown(&browser.step("login", &format!("{login}incorrect")).await), @"
    422
    Sign in at Bank (Non-OAuth)
    We couldn't sign you in. Check your entries and try again.
    Use the same details as on your bank's own site.
    Username
    [ada]
    Password
    []
    Test bank: A login form. Passwords for tests: options, mfa, confirm_mfa and security_question
       lead to that question, incorrect is rejected, and error ends the sign-in. Every other
       password works.
    > Sign in
    > Choose another bank
    ");
    insta::assert_snapshot!(shown(&browser.step("login", &format!("{login}options")).await), @"
    200
    Sign in at Bank (Non-OAuth)
    Your bank asks one more thing.
    How should your bank send you a code?
    []
    For example text message or email
    Test bank: every text works except incorrect and error.
    > Continue
    ");
    let question = browser.step("login", "bank_option=security_question").await;
    insta::assert_snapshot!(shown(&question), @"
    200
    Sign in at Bank (Non-OAuth)
    Your bank asks one more thing.
    What was the name of your first pet?
    []
    Test bank: every text works except incorrect and error.
    > Continue
    ");
    let accounts = shown(&browser.step("login", "bank_answer=Rex").await);
    insta::assert_snapshot!(accounts.replace(ACCOUNTS, "(the accounts)"), @"
    200
    Choose accounts
    Choose accounts
    (the accounts)
    > Connect accounts
    ");
    let fault = browser.step("accounts", "").await;
    assert!(read(&fault).starts_with("422\nChoose accounts\nChoose at least one account."));
    let done = browser.step("accounts", "account=0&account=10").await;
    insta::assert_snapshot!(shown(&done), @"
    200
    2 accounts connected
    Test merchant can now read the data that you agreed to share.
    Savings Savings ending in …
    Success Checking ending in …
    You may close this page.
    ");

    assert_eq!(app.session_in_preview(&session).await.at("/status"), "succeeded");
    let listed = app.get(&format!("{FC}/accounts?session={}", session.id())).await.ok();
    let names: Vec<_> = listed.items("/data").iter().map(|a| a["display_name"].clone()).collect();
    assert_eq!(names, ["Savings", "Success"]);
    for last4 in listed.texts("/data", "last4") {
        assert!(read(&done).contains(&format!("ending in {last4}")));
    }
    assert_eq!(listed.at("/data/0/balance_refresh/status"), "pending");
    let events = app.get("/v1/events?type=financial_connections.account.created").await.ok();
    assert_eq!(events.items("/data").len(), 2);
}

/// A bank with its own page. The holder first denies access, then allows it and picks the accounts
/// there.
#[tokio::test]
async fn bank_page() {
    let app = App::start().await;
    let (_, browser) = Browser::of_session(&app, &app.customer().await, "limits[accounts]=1").await;
    insta::assert_snapshot!(shown(&browser.log_in_at(&app, "Bank (OAuth)").await), @"
    200
    T
    Continue to Bank (OAuth)
    You sign in on the page of Bank (OAuth), which opens in a new window. We never see your login
       details.
    -> Continue to Bank (OAuth) (in a new window)
    -> I've finished signing in
    ");
    let accounts = shown(&browser.bank_page().await);
    insta::assert_snapshot!(accounts.replace(ACCOUNTS, "(the accounts)"), @"
    200
    Share accounts with Test merchant?
    You are logged in. If you allow it, Test merchant can read the data that you agreed to share.
    Accounts to share
    (the accounts)
    > Allow
    > Do not allow
    ");
    insta::assert_snapshot!(shown(&browser.bank_step("deny", "").await), @"
    200
    You are done here
    Close this window and continue in the first one.
    -> Continue in this window
    ");
    assert!(read(&browser.page().await).contains("You did not allow access at Bank (OAuth)."));
    let none = browser.bank_step("allow", "").await;
    assert!(read(&none).contains("422\nShare accounts with Test merchant?\nChoose at least one"));
    let many = browser.bank_step("allow", "account=0&account=1").await;
    assert!(read(&many).contains("Choose one account."));
    browser.bank_step("allow", "account=3").await.ok();
    insta::assert_snapshot!(shown(&browser.page().await), @"
    200
    Account connected
    Test merchant can now read the data that you agreed to share.
    High Balance Checking ending in …
    You may close this page.
    ");
    // The window can be opened again, and offers no further step.
    assert!(read(&browser.bank_page().await).contains("You are done here"));

    // If a bank leaves the choice of accounts to this server, the list of accounts follows.
    let stranger = app.post("/v1/customers", "name=Bob").await.ok().id();
    let browser = Browser::open(&app, &app.session(&stranger, "").await).await;
    browser.log_in_at(&app, "Test (OAuth)").await;
    assert!(!read(&browser.bank_page().await).contains("Accounts to share"));
    browser.bank_step("allow", "").await.ok();
    assert!(read(&browser.page().await).starts_with("200\nChoose accounts"));
}

/// Banks that are down, and one that ends the login: the messages, the next steps, and the outcome.
#[tokio::test]
async fn banks_that_fail() {
    let (app, customer) = App::with_customer().await;
    for (bank, said) in [
        ("Down (Scheduled)", "Down (Scheduled) is not available"),
        ("Down (Unscheduled)", "Down (Unscheduled) is not available"),
        ("Down (Error)", "We couldn't sign you in"),
    ] {
        let (session, browser) =
            Browser::of_session(&app, &customer, "manual_entry[mode]=automatic").await;
        let page = browser.log_in_at(&app, bank).await;
        assert!(read(&page).contains(said), "{}", read(&page));
        if bank == "Down (Scheduled)" {
            insta::assert_snapshot!(shown(&page), @"
            200
            Down (Scheduled) is not available
            The bank is down for maintenance and should be back on 1 January 2026, 02:00 UTC. Your money is
               safe.
            > Try again
            > Choose another bank
            > Enter account numbers instead
            > Cancel
            ");
        }
        assert!(read(&browser.step("back", "").await).contains("Choose your bank"));
        browser.log_in_at(&app, bank).await;
        assert!(read(&browser.step("manual", "").await).contains("Enter your bank details"));
        browser.step("back", "").await;
        browser.log_in_at(&app, bank).await;
        assert!(read(&browser.step("cancel", "").await).contains("No account was connected"));
        assert_eq!(app.session_in_preview(&session).await.at("/status"), "failed");
    }
    // A bank that ends the login in its form.
    let (_, browser) = Browser::of_session(&app, &customer, "").await;
    browser.log_in_at(&app, "Bank (Non-OAuth)").await;
    let page = browser.step("login", "bank_username=a&bank_password=error").await;
    insta::assert_snapshot!(shown(&page), @"
    200
    We couldn't sign you in
    Bank (Non-OAuth) ended the sign-in. No account was connected.
    > Try again
    > Choose another bank
    > Cancel
    ");
}

/// Every pane has a step that leaves the flow. The session is then cancelled, without accounts.
#[tokio::test]
async fn leaves_from_everywhere() {
    let app = App::start().await;
    let customer = app.post("/v1/customers", "name=Ada").await.ok().id();
    let bank = format!("institution={}", institution(&app, "Test (Non-OAuth)").await);
    let oauth = format!("institution={}", institution(&app, "Test (OAuth)").await);
    let login = "bank_username=a&bank_password=b";
    let ways: [&[(&str, &str)]; 7] = [
        &[],
        &[("institution", &bank)],
        &[("institution", &bank), ("consent", "")],
        &[("institution", &bank), ("consent", ""), ("login", login)],
        &[("institution", &oauth), ("consent", "")],
        &[("manual", "")],
        &[("sign_in", "")],
    ];
    for way in ways {
        let (session, browser) =
            Browser::of_session(&app, &customer, "manual_entry[mode]=automatic").await;
        for (step, form) in way {
            browser.step(step, form).await.ok();
        }
        let left = browser.step("cancel", "").await.ok();
        assert!(read(&left).starts_with("200\nYou left"), "{way:?}: {}", read(&left));
        assert!(left.body.contains("data-status=\"cancelled\" data-at-once"));
        let ended = app.session_in_preview(&session).await;
        assert_eq!(ended.at("/status"), "cancelled");
        assert!(ended.items("/accounts/data").is_empty());
        // An ended flow stays ended.
        assert!(read(&browser.step_of(1, "back", "").await).starts_with("200\nYou left"));
    }
}

/// An expired flow, and one with a session that ended elsewhere, report this and accept no steps.
#[tokio::test]
async fn expired_and_closed() {
    let (app, customer) = App::with_customer().await;
    let (session, closed) = Browser::of_session(&app, &customer, "").await;
    app.link(&session, "").await;
    insta::assert_snapshot!(shown(&closed.page().await), @"
    200
    Already finished
    You finished this in another window.
    You may close this page.
    ");
    assert!(read(&closed.step_of(1, "cancel", "").await).contains("Already finished"));

    let (session, expired) = Browser::of_session(&app, &customer, "").await;
    app.pass_s(86_400);
    let page = expired.page().await;
    insta::assert_snapshot!(shown(&page), @"
    200
    This page has expired
    It was open for too long. No account was connected. Go back to the page where you started and
       try again.
    You may close this page.
    ");
    assert!(page.body.contains("data-status=\"expired\""));
    assert!(read(&expired.step_of(1, "cancel", "").await).contains("This page has expired"));
    let ended = app.get(&format!("{FC}/sessions/{}", session.id())).await.ok();
    assert!(ended.at("/status").is_null());
}

/// Two tabs, reloads and going back. A step of an outdated pane has no effect and shows the current
/// pane. Two flows of one session end once.
#[tokio::test]
async fn two_tabs() {
    let app = App::start().await;
    let (session, browser) = Browser::of_session(&app, &app.customer().await, "").await;
    let first = version(&browser.page().await);
    let bank = institution(&app, "Test (Non-OAuth)").await;
    let other = institution(&app, "Test (OAuth)").await;
    let pick = format!("institution={bank}");
    let consent = browser.step_of(first, "institution", &pick).await;
    assert!(read(&consent).contains("Test (Non-OAuth)"));
    // The other tab still shows the list.
    let late = browser.step_of(first, "institution", &format!("institution={other}")).await;
    assert_eq!(read(&late), read(&consent));
    assert_eq!(read(&browser.page().await), read(&consent));
    // A repeated step counts once.
    let login = browser.step_of(version(&consent), "consent", "").await;
    assert_eq!(read(&browser.step_of(version(&consent), "consent", "").await), read(&login));
    // A step that the pane does not have has no effect and creates no new version.
    let same = browser.step("accounts", "account=0").await;
    assert_eq!(version(&same), version(&login));
    // Back, twice.
    assert!(read(&browser.step("back", "").await).contains("Connect your account to"));
    assert!(read(&browser.step("back", "").await).contains("Choose your bank"));

    let second = Browser::open(&app, &session).await;
    browser.accounts_of(&app, "Test (Non-OAuth)").await;
    second.accounts_of(&app, "Test (Non-OAuth)").await;
    assert!(read(&browser.step("accounts", "account=0").await).contains("Account connected"));
    assert!(read(&second.step("accounts", "account=1").await).contains("Already finished"));
    assert!(read(&browser.page().await).contains("Account connected"));
    assert_eq!(app.count(&format!("{FC}/accounts")).await, 1);
}

/// The list of banks can be searched without script.
#[tokio::test]
async fn search() {
    let app = App::start().await;
    let (_, browser) = Browser::of_session(&app, &app.customer().await, "").await;
    let find = async |wanted: &str| {
        let path = format!("{}?q={wanted}", browser.path);
        read(&app.bare_request("GET", &path).send().await)
    };
    insta::assert_snapshot!(find("OAUTH").await, @"
    200
    Choose your bank
    Search banks
    [OAUTH]
    > Search
    4 banks
    Link and refresh
    Test (Non-OAuth) A login form that takes anything
    Test (OAuth) The same accounts behind the bank's own page
    Bank (Non-OAuth) A login form
    Bank (OAuth) The bank's own page, on which accounts are picked too
    > Use an account I connected before
    ");
    assert!(find("nowhere").await.contains("No bank found"));
    assert!(find("%22%3E%3Cscript%3E").await.contains("[&quot;&gt;&lt;script&gt;]"));
}
