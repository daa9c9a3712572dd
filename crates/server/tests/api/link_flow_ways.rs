//! The ways on from errors of a bank, the page about the connection to a bank, and the files of pages.

use crate::browser::{Browser, faults, institution, next, read, version};
use testkit::App;

/// A holder can try again at a bank that is down, which begins another login, or choose another bank.
#[tokio::test]
async fn bank_errors_lead_on() {
    let (app, customer) = App::with_customer().await;
    let (_, browser) = Browser::of_session(&app, &customer, "").await;
    let down = browser.log_in_at(&app, "Down (Scheduled)").await;
    assert!(down.body.contains("datetime=\"2026-01-01T02:00:00Z\""), "{}", down.body);
    app.pass_s(3_600);
    let again = browser.step("retry", "").await;
    assert!(read(&again).contains("1 January 2026, 03:00 UTC"), "{}", read(&again));
    assert!(read(&browser.step("another_bank", "").await).contains("Choose your bank"));

    browser.log_in_at(&app, "Bank (Non-OAuth)").await;
    let failed = browser.step("login", "bank_username=ada&bank_password=error").await;
    assert!(read(&failed).contains("We couldn't sign you in"));
    let form = read(&browser.step("retry", "").await);
    assert!(form.contains("Sign in at Bank (Non-OAuth)"), "{form}");
    browser.step("login", "bank_username=ada&bank_password=incorrect").await;
    assert!(read(&browser.step("another_bank", "").await).contains("Choose your bank"));

    browser.log_in_at(&app, "Bank (OAuth)").await;
    browser.bank_step("deny", "").await.ok();
    let denied = read(&browser.page().await);
    assert!(denied.contains("Try again") && denied.contains("> Choose another bank"), "{denied}");
    assert!(read(&browser.step("another_bank", "").await).contains("Choose your bank"));
    // Other panes have no bank to try again, and no other bank.
    let before = version(&browser.page().await);
    for step in ["retry", "another_bank"] {
        assert_eq!(version(&browser.step(step, "").await), before, "{step}");
    }
}

/// A rejected login shows the entries again without the password. An empty field is named, and the
/// bank does not receive it.
#[tokio::test]
async fn entries_are_kept() {
    let (app, customer) = App::with_customer().await;
    let (_, browser) = Browser::of_session(&app, &customer, "").await;
    let before = version(&browser.log_in_at(&app, "Bank (Non-OAuth)").await);
    let blank = browser.step("login", "bank_username=ada&bank_password=+").await;
    assert_eq!((blank.status, faults(&blank)), (422, vec!["Enter the password.".to_owned()]));
    assert_eq!(version(&blank), before);
    let refused = browser.step("login", "bank_username=ada&bank_password=incorrect").await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("value=\"ada\"") && !refused.body.contains("incorrect\""));
    // A reload has the message and no entries.
    let reloaded = browser.page().await.ok();
    assert!(read(&reloaded).contains("We couldn't sign you in"));
    assert!(!reloaded.body.contains("value=\"ada\""));
}

/// A step that contacts the bank leads to a page that says so. It has its own address, repeats no step
/// when it is loaded again, and leads to the pane without script.
#[tokio::test]
async fn connecting() {
    let (app, customer) = App::with_customer().await;
    let (_, browser) = Browser::of_session(&app, &customer, "").await;
    let bank = institution(&app, "Test (Non-OAuth)").await;
    let consent = browser.step("institution", &format!("institution={bank}")).await;
    let form = format!("step=consent&version={}", version(&consent));
    let page = app.bare_request("POST", &browser.path).form(&form).send().await.ok();
    assert!(read(&page).contains("Connecting to Test (Non-OAuth)…"), "{}", read(&page));
    assert_eq!(next(&page), Some(browser.path.as_str()));
    let refresh = format!("<meta http-equiv=\"refresh\" content=\"1; url={}\">", browser.path);
    assert!(page.body.contains(&refresh), "{}", page.body);
    let address = format!("{}?connecting=1", browser.path);
    let again = app.bare_request("GET", &address).send().await.ok();
    assert_eq!(read(&again), read(&page));
    let login = browser.page().await;
    assert_eq!(version(&login), version(&consent) + 1);
    // The address shows any other pane as it is.
    browser.step("back", "").await;
    let other = app.bare_request("GET", &address).send().await.ok();
    assert!(read(&other).contains("Connect your account to") && next(&other).is_none());
}

/// The style names the files of the font. Their addresses change with their bytes, so that a browser
/// may keep them, and other addresses have no file.
#[tokio::test]
async fn font_files() {
    let app = App::start().await;
    let get = async |path: &str| app.bare_request("GET", path).send().await;
    let style = get("/assets/pages.css").await.ok().body;
    let addresses: Vec<&str> =
        style.split("url(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    for address in &addresses {
        let file = get(address).await.ok();
        assert_eq!(file.header("content-type"), Some("font/woff2"));
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    }
    for unknown in ["inter-latin.woff2", "inter-latin.000000000000.woff2", "inter-latin", "x"] {
        let absent = get(&format!("/assets/{unknown}")).await;
        assert_eq!(absent.status, 404, "{unknown}");
        assert_eq!(absent.text("/error/type"), "invalid_request_error", "{unknown}");
    }
    // Browsers ask for the icon of each page, and of texts at its usual address.
    for path in ["/assets/icon.svg", "/favicon.ico"] {
        let icon = get(path).await.ok();
        assert_eq!(icon.header("content-type"), Some("image/svg+xml"), "{path}");
    }
}
