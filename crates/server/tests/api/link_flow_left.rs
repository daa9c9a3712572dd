//! Leaving a link flow: the question, the way back, and the flow that continues where it was.

use crate::browser::{Browser, institution, read, version};
use crate::hosted::tea;
use crate::hosted_sessions::PREVIEW;
use testkit::{App, DAY_S, FC, Response};

const ORIGIN: &str = "origin=https://shop.example";
const BANK: &str = "Test (Non-OAuth)";

/// The page of a flow with one more flag in its address.
async fn with_flag(app: &App, browser: &Browser, flag: &str) -> Response {
    let joint = if browser.path.contains('?') { '&' } else { '?' };
    app.bare_request("GET", &format!("{}{joint}{flag}=1", browser.path)).send().await
}

/// The labels of the buttons and links of a page.
fn actions(page: &Response) -> Vec<String> {
    let text = read(page);
    let signs = |line: &&str| line.starts_with("> ") || line.starts_with("-> ");
    text.lines().filter(signs).map(str::to_owned).collect()
}

/// The holder is asked first. A flow that was left stays where it is, its session stays open, and
/// the next flow of the same client secret continues it.
#[tokio::test]
async fn continues_where_it_was() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "").await;
    let browser = Browser::open_for(&app, &session, ORIGIN).await;
    browser.log_in_at(&app, BANK).await;
    let before = version(&browser.page().await);
    let question = with_flag(&app, &browser, "leave").await.ok();
    assert!(question.body.contains("Leave without connecting an account?"));
    assert_eq!(actions(&question), ["-> Keep going", "> Leave", "> Cancel for good"]);
    assert!(!question.body.contains("data-status"));
    // The question alone changes no state.
    assert_eq!(version(&browser.page().await), before);

    let left = browser.step("leave", "").await.ok();
    assert!(left.body.contains("data-status=\"left\" data-at-once"), "{}", left.body);
    assert!(left.body.contains("You left"));
    let open = app.session_in_preview(&session).await;
    assert!(open.items("/accounts/data").is_empty());
    assert!(!["cancelled", "failed"].contains(&open.text("/status").as_str()));
    // A reload reports the same, and leaving again changes no state.
    assert!(with_flag(&app, &browser, "left").await.body.contains("data-status=\"left\""));
    let again = version(&browser.page().await);
    browser.step("leave", "").await.ok();
    assert_eq!(version(&browser.page().await), again);

    let details = format!("{ORIGIN}&billing_details[name]=Ada");
    let continued = Browser::open_for(&app, &session, &details).await;
    assert_eq!(continued.path, browser.path);
    let login = continued.page().await;
    assert!(read(&login).contains(&format!("Sign in at {BANK}")));
    // It is left once, so a third flow is a new one.
    let fresh = Browser::open_for(&app, &session, ORIGIN).await;
    assert_ne!(fresh.path, browser.path);
    continued.step("login", "bank_username=ada&bank_password=x").await;
    continued.step("accounts", "account=0").await.ok();
    let ended = app.session_in_preview(&session).await;
    assert_eq!(ended.at("/status"), "succeeded");
    assert_eq!(app.count(&format!("{FC}/accounts")).await, 1);
}

/// In a frame the pages keep the frame, and only the waiting page may show them.
#[tokio::test]
async fn keeps_the_frame() {
    let app = App::start().await;
    let session = app.session(&app.customer().await, "").await;
    let Browser { path, .. } = Browser::open_for(&app, &session, ORIGIN).await;
    let framed = Browser::at(&app, &format!("{path}?frame=1"));
    for page in [with_flag(&app, &framed, "leave").await, framed.step("leave", "").await] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors https://shop.example"), "{policy}");
        assert!(page.body.contains(&format!("{path}?frame=1\"")), "{}", page.body);
    }
}

/// Leaving and cancelling from an outdated page undo no step that another tab took.
#[tokio::test]
async fn undoes_no_step() {
    let app = App::start().await;
    let (session, browser) = Browser::of_session(&app, &app.customer().await, "").await;
    let first = version(&with_flag(&app, &browser, "leave").await);
    browser.accounts_of(&app, BANK).await;
    let shown = browser.step_of(first, "cancel", "").await;
    assert!(read(&shown).contains("account"), "{}", read(&shown));
    assert_ne!(app.session_in_preview(&session).await.at("/status"), "cancelled");
    let linked = read(&browser.step("accounts", "account=0").await);
    // The flow is over: the question, the farewell and the step show its end.
    assert_eq!(read(&browser.step_of(first, "leave", "").await), linked);
    assert_eq!(read(&with_flag(&app, &browser, "leave").await), linked);
    assert_eq!(read(&with_flag(&app, &browser, "left").await), linked);
    assert_eq!(app.session_in_preview(&session).await.at("/status"), "succeeded");

    // The holder may still cancel after leaving.
    let (session, browser) = Browser::of_session(&app, &app.customer().await, "").await;
    browser.step("leave", "").await.ok();
    let cancelled = browser.step("cancel", "").await.ok();
    assert!(cancelled.body.contains("data-status=\"cancelled\""));
    assert_eq!(app.session_in_preview(&session).await.at("/status"), "cancelled");
}

/// A hosted session leads back to its return URL and stays open. Its address continues the flow.
#[tokio::test]
async fn hosted() {
    let (app, customer) = App::with_customer().await;
    let form = format!(
        "account_holder[type]=customer&account_holder[customer]={customer}\
         &permissions[]=payment_method&ui_mode=hosted&hosted[return_url]=https://shop.example/back"
    );
    let session = app.in_version(PREVIEW).post(&format!("{FC}/sessions"), &form).await.ok();
    let browser = Browser::at(&app, &session.text("/url"));
    browser.log_in_at(&app, BANK).await;
    let question = with_flag(&app, &browser, "leave").await;
    assert!(!question.body.contains("http-equiv"));
    let left = browser.step("leave", "").await.ok();
    assert!(left.body.contains("content=\"0; url=https://shop.example/back\""), "{}", left.body);
    assert!(read(&browser.page().await).contains(&format!("Sign in at {BANK}")));
}

/// Carriers of payments keep their state, and their flow continues. A payment has no end to choose.
#[tokio::test]
async fn payments() {
    let app = App::start().await;
    let form = "amount=2000&currency=usd&payment_method_types[]=us_bank_account";
    let intent = app.post("/v1/payment_intents", form).await.ok();
    let browser = Browser::open_for(&app, &intent, ORIGIN).await;
    browser.log_in_at(&app, BANK).await;
    let question = with_flag(&app, &browser, "leave").await;
    assert_eq!(actions(&question), ["-> Keep going", "> Leave"]);
    browser.step("leave", "").await.ok();
    assert_eq!(app.retrieve(&intent.id()).await.at("/status"), "requires_payment_method");
    // Another intent gets a flow of its own.
    let other = app.post("/v1/payment_intents", form).await.ok();
    assert_ne!(Browser::open_for(&app, &other, ORIGIN).await.path, browser.path);
    let details = "billing_details[name]=Ada";
    let continued = Browser::open_for(&app, &intent, &format!("{ORIGIN}&{details}")).await;
    assert_eq!(continued.path, browser.path);
    continued.step("login", "bank_username=ada&bank_password=x").await;
    continued.step("accounts", "account=0").await.ok();
    let paid = app.retrieve(&format!("{}?expand[]=payment_method", intent.id())).await;
    assert_eq!(paid.at("/payment_method/billing_details/name"), "Ada");
    assert_eq!(paid.at("/status"), "requires_confirmation");
}

/// A flow that a hosted page began leads back to that page, and the page continues it. A flow from
/// elsewhere does not.
#[tokio::test]
async fn hosted_pages() {
    let app = App::start().await;
    let (session, page) = tea(&app, "").await;
    let begin = async || page.step("link", "email=ada@example.com&name=Ada").await;
    let flow = Browser::flow_of(&app, &begin().await);
    flow.log_in_at(&app, BANK).await;
    let back = flow.step("leave", "").await.ok();
    assert!(read(&back).contains("Pay $25.00"), "{}", read(&back));
    let elsewhere = Browser::open_of_id(&app, &session.id()).await;
    assert_ne!(elsewhere.path, flow.path);
    let login = begin().await;
    assert!(read(&login).contains(&format!("Sign in at {BANK}")), "{}", read(&login));
    flow.step("login", "bank_username=ada&bank_password=x").await;
    let bill = read(&flow.step("accounts", "account=0").await);
    assert!(bill.contains(BANK), "{bill}");
}

/// A flow that was left too long ago is not continued.
#[tokio::test]
async fn is_forgotten_after_a_day() {
    let app = App::start().await;
    let form = "amount=2000&currency=usd&payment_method_types[]=us_bank_account";
    let intent = app.post("/v1/payment_intents", form).await.ok();
    let browser = Browser::open_for(&app, &intent, ORIGIN).await;
    let bank = institution(&app, BANK).await;
    browser.step("institution", &format!("institution={bank}")).await;
    browser.step("leave", "").await.ok();
    app.pass_s(DAY_S);
    let fresh = Browser::open_for(&app, &intent, ORIGIN).await;
    assert_ne!(fresh.path, browser.path);
    assert!(read(&fresh.page().await).contains("Choose your bank"));
    // The old one reports that it has expired, and leaving it changes no state.
    let old = browser.step_of(1, "leave", "").await;
    assert!(old.body.contains("data-status=\"expired\""));
}
