//! Secrets that the API returns, and the bytes of the database. Only the seal key opens them.

use crate::browser::Browser;
use std::collections::BTreeSet;
use testkit::{ACCEPTED, App, Backend, CHECKOUT, FC, HOLDER, INTENTS, Options, SETUP_INTENTS};
use testkit::{Response, typed_numbers};

const ADA: &str = "email=ada@example.com&name=Ada";

/// Adds the tokens of pages and the client secrets of a response.
fn collect(response: &Response, secrets: &mut BTreeSet<String>) {
    for text in response.body.split('"') {
        let marks = ["/c/pay/", "/i/", "/microdeposits/", "/link/"];
        if let Some(rest) = marks.iter().find_map(|mark| Some(text.split_once(mark)?.1)) {
            let token: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            // The first half names the merchant and the object, and the second half is secret.
            assert!(token.len() > 32, "{text}");
            secrets.insert(token[32..].to_owned());
        }
        if let Some((_, secret)) = text.split_once("_secret_") {
            secrets.insert(secret.to_owned());
        }
    }
}

/// Neither the token of a page nor a client secret is in a file of the database: not in objects, events,
/// webhooks, idempotency records, link flows or snapshots. Webhooks contain the addresses of pages all the
/// same.
#[tokio::test]
async fn the_database_contains_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::File(folder.path().join("bank.db"));
    let app = App::with(Options { backend, ..Options::default() }).await;
    let [receiver, ..] = App::three_receivers().await;
    app.endpoint(&receiver.url, "*", "").await;
    let customer = app.customer().await;
    let mut secrets = BTreeSet::new();
    let invoice = app.open_invoice().await;
    let checkout =
        format!("mode=setup&currency=usd&customer={customer}&success_url=https://a.example/");
    let checkout = app.idempotent("key").post(CHECKOUT, &checkout).await.ok();
    let typed = typed_numbers("000123456789");
    let payment = app.post(INTENTS, &format!("amount=99&currency=usd&{typed}")).await.ok();
    let setup = app.idempotent("other").post(SETUP_INTENTS, &typed).await.ok();
    let hosted = format!(
        "{HOLDER}={customer}&permissions[]=balances&ui_mode=hosted\
         &hosted[return_url]=https://a.example/"
    );
    let preview = app.in_version("2026-09-30.preview");
    let session = preview.post(&format!("{FC}/sessions"), &hosted).await.ok();
    for response in [&invoice, &checkout, &payment, &setup, &session] {
        collect(response, &mut secrets);
    }
    // Both pages begin a link flow, which leads back to them.
    for url in [invoice.text("/hosted_invoice_url"), checkout.text("/url")] {
        let page = Browser::at(&app, &url);
        let begun = page.step("link", ADA).await;
        collect(&begun, &mut secrets);
        let flow = Browser::flow_of(&app, &begun);
        let back = flow.step("cancel", "").await;
        let title = |page: &Response| page.body.split_once("<title>").unwrap().1[..10].to_owned();
        assert_eq!(title(&back), title(&page.page().await), "the flow leads back to its page");
    }
    let intent = format!("{INTENTS}/{}", payment.id());
    app.post(&format!("{intent}/cancel"), "").await.ok();
    app.post("/v1/test_helpers/snapshots", "name=all").await.ok();
    let debit = "amount=99&currency=usd&confirm=true&payment_method=pm_usBankAccount_success";
    let debit = format!("{debit}&{ACCEPTED}");
    collect(&app.post(INTENTS, &debit).await.ok(), &mut secrets);
    app.run_workers_until_idle().await;

    assert!(secrets.len() >= 7, "{secrets:?}");
    let posts: String = receiver.take().iter().map(|post| post.body.clone()).collect();
    for url in ["/hosted_invoice_url", "/invoice_pdf"] {
        assert!(posts.contains(&invoice.text(url)), "{url}");
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in &secrets {
            let is_there = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!is_there, "{secret} is in {}", path.display());
        }
    }
}
