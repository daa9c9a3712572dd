//! Errors that a holder has to correct in the link flow.

use crate::browser::{Browser, faults, read};
use testkit::App;

/// The holder types numbers. After each fault, the session gets a token and no account.
#[tokio::test]
async fn manual_entry() {
    let (app, customer) = App::with_customer().await;
    let (session, browser) =
        Browser::of_session(&app, &customer, "manual_entry[mode]=automatic").await;
    insta::assert_snapshot!(read(&browser.step("manual", "").await), @"
    200
    Enter your bank details
    Your bank account will be connected by its numbers, without signing in.
    Routing number
    []
    Nine digits, at the bottom left of a check
    Account number
    []
    4 to 17 digits
    Confirm account number
    []
    Account holder
    [x] Individual
    [ ] Company
    Account type
    [x] Checking
    [ ] Savings
    Numbers for tests
    Routing number 110000000
    000123456789: payments succeed
    000111111113: the account is closed
    000111111116: no such account
    000222222227: insufficient funds
    000333333335: the debit is not authorized
    000444444440: the currency is wrong
    000666666661: the microdeposits cannot be sent
    000555555559: payments are disputed later
    000000000009: payments never end
    000000005126: payments succeed, and refunds fail
    000777777771: payments exceed the weekly limit
    000000004954: payments are blocked as too risky
    000888888885: the tokenized number is deactivated
    > Continue
    ");
    // Each empty field is marked, and the first one has the focus.
    let empty = browser.step("numbers", "routing_number=110000000").await;
    assert_eq!(faults(&empty), ["Enter this number."; 2]);
    assert_eq!(empty.body.matches("autofocus").count(), 1, "{}", empty.body);
    let type_in = async |routing: &str, account: &str, again: &str| {
        let form = format!(
            "routing_number={routing}&account_number={account}&account_number_again={again}"
        );
        let page = browser.step("numbers", &form).await;
        let said = match faults(&page).pop() {
            Some(fault) => fault,
            None => read(&page).lines().nth(1).unwrap().to_owned(),
        };
        format!("{} {said}", page.status)
    };
    let told = [
        type_in("", "", "").await,
        type_in("110000001", "000123456789", "000123456789").await,
        type_in("110000000", "12", "12").await,
        type_in("110000000", "000123456789", "000123456780").await,
        type_in("021000021", "000123456789", "000123456789").await,
        type_in("110000000", "9876543210", "9876543210").await,
        type_in("110 000 000", "0001-2345-6789", "000123456789").await,
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    422 Enter this number.
    422 A routing number has nine digits. Check your bank statement.
    422 An account number has 4 to 17 digits.
    422 The two account numbers are not the same.
    422 This is a test. Use the routing and account numbers shown below.
    422 This is a test. Use the routing and account numbers shown below.
    200 Your bank details are saved
    ");
    let ended = app.session_in_preview(&session).await;
    assert_eq!(ended.at("/status"), "succeeded");
    assert!(ended.items("/accounts/data").is_empty());
    insta::assert_snapshot!(
        ended.shown_at("/bank_account_token"), @r#"
        {
          bank_account: {
            account_holder_type: "individual"
            account_type: "checking"
            bank_name: "STRIPE TEST BANK"
            country: "US"
            currency: "usd"
            fingerprint: "…"
            id: "ba_…"
            last4: "6789"
            object: "bank_account"
            routing_number: "110000000"
            status: "new"
            null: account_holder_name
          }
          created: 1767225600
          id: "btok_…"
          livemode: false
          object: "token"
          type: "bank_account"
          used: false
          null: client_ip
        }
        "#);
    // If the session does not allow it, this step does not exist.
    let (_, browser) = Browser::of_session(&app, &customer, "").await;
    assert!(!read(&browser.page().await).contains("Enter account numbers"));
    assert!(read(&browser.step("manual", "").await).contains("Choose your bank"));
}

/// Accounts that the session does not accept are shown with the reason, and rejected if they are
/// sent.
#[tokio::test]
async fn accounts_that_cannot_be_picked() {
    let (app, customer) = App::with_customer().await;
    let checking = "filters[account_subcategories][]=checking&limits[accounts]=2";
    let (_, browser) = Browser::of_session(&app, &customer, checking).await;
    let page = browser.accounts_of(&app, "Short History").await;
    insta::assert_snapshot!(read(&page), @"
    200
    Choose accounts
    Choose accounts
    [x] Success Checking ending in 9753
    [-] Savings Savings ending in 2647 This type of account is not accepted
    > Connect accounts
    ");
    let fault = async |browser: &Browser, form: &str| {
        let page = browser.step("accounts", form).await;
        format!("{} {}", page.status, faults(&page).join(" "))
    };
    let paying = "filters[require_payment_method_support]=at_least_one";
    let paying = app.session(&customer, paying).await;
    let paying = Browser::open(&app, &paying).await;
    paying.accounts_of(&app, "Test (Non-OAuth)").await;
    let told = [
        fault(&browser, "account=1").await,
        fault(&browser, "account=99").await,
        fault(&browser, "account=x").await,
        fault(&browser, "account=-1").await,
        fault(&paying, "account=11").await,
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    422 Choose another account. This type of account is not accepted.
    422 Choose at least one account.
    422 Choose at least one account.
    422 Choose at least one account.
    422 Choose at least one account that can be used for payments.
    ");
    // The picked accounts are still picked.
    let page = paying.step("accounts", "account=11&account=12").await;
    assert_eq!(page.body.matches(" checked").count(), 2);

    let (_, browser) =
        Browser::of_session(&app, &customer, "filters[require_payment_method_support]=all").await;
    let page = browser.accounts_of(&app, "Invalid Payment Accounts").await;
    insta::assert_snapshot!(read(&page), @"
    200
    Choose accounts
    You cannot use these accounts here. Choose another bank.
    Checking Without ACH Cannot be used for payments
    Savings Without ACH Cannot be used for payments
    Credit Card Cannot be used for payments
    Line of Credit Cannot be used for payments
    Mortgage Cannot be used for payments
    Investment Cannot be used for payments
    > Choose another bank
    ");
}
