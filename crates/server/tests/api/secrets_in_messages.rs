//! Secrets that a caller sends in the wrong place. No message repeats one.

use std::fmt::Write as _;
use testkit::App;

/// A secret as an id, a value, a name of a parameter, a cursor, an idempotency key or a part of an
/// unknown path is masked in every message.
#[tokio::test]
async fn messages_mask_secrets() {
    let app = App::start().await;
    let customer = app.customer().await;
    let secret = "sk_live_51Habcdefghijklmnop";
    let mut seen = String::new();
    for (method, path, form) in [
        ("GET", format!("/v1/customers/{secret}"), String::new()),
        ("GET", format!("/v1/customers?starting_after={secret}"), String::new()),
        ("GET", format!("/v1/{secret}"), String::new()),
        ("POST", "/v1/customers".to_owned(), format!("{secret}=1")),
        ("POST", "/v1/customers".to_owned(), format!("expand[]={secret}")),
        ("POST", "/v1/payment_intents".to_owned(), format!("amount={secret}&currency=usd")),
        (
            "POST",
            format!("/v1/customers/{customer}"),
            "invoice_settings[default_payment_method]=whsec_abcdefghijkl".to_owned(),
        ),
        ("GET", "/v1/payment_intents/pi_1_secret_abcdefghijkl".to_owned(), String::new()),
        ("GET", "/v1/events/rk_test_abcdefghijkl".to_owned(), String::new()),
    ] {
        let reply = match method {
            "GET" => app.get(&path).await,
            _ => app.post(&path, &form).await,
        };
        assert!(reply.status >= 400, "{path} {form}: {}", reply.body);
        for part in ["51Habcdefg", "whsec_abc", "secret_abc", "test_abc"] {
            assert!(!reply.body.contains(part), "{}", reply.body);
        }
        let _ = writeln!(seen, "{}", reply.text("/error/message"));
    }
    for amount in ["name=a", "name=b"] {
        let reply = app.idempotent(secret).post("/v1/customers", amount).await;
        if reply.status != 200 {
            let _ = writeln!(seen, "{}", reply.text("/error/message"));
        }
    }
    insta::assert_snapshot!(seen, @"
    No such customer: 'sk_live_****mnop'
    No such customer: 'sk_live_****mnop'
    Unrecognized request URL (GET: /v1/sk_live_****mnop).
    Received unknown parameter: sk_live_****mnop
    The property 'sk_live_****mnop' cannot be expanded.
    Invalid integer: sk_live_****mnop
    No such PaymentMethod: 'whsec_****ijkl'
    No such payment_intent: 'pi_1_secret_****ijkl'
    No such event: 'rk_test_****ijkl'
    The idempotency key 'sk_live_****mnop' was first used for a different request. Use a new key for each request.
    ");
}
