//! Tests of the indentation of responses for people.

use testkit::{App, Response};

/// A customer's response to a program with this `User-Agent`.
async fn customer(app: &App, agent: &str) -> Response {
    let request = app.request("POST", "/v1/customers").header("User-Agent", agent);
    let request = request.header("Idempotency-Key", "one");
    request.form("email=ada@example.com&metadata[note]=%7B%22a%22:%5B1,2%5D%7D").send().await
}

/// The length of the body as its header announces it.
fn announced(reply: &Response) -> usize {
    reply.header("content-length").unwrap().parse().unwrap()
}

/// Programs that show a response to a person get indented JSON, and all others compact JSON. Both
/// read the same stored response of an idempotency key.
#[tokio::test]
async fn people_get_indented_json() {
    let app = App::start().await;
    let compact = customer(&app, "Stripe/v1 PythonBindings/13.0.1").await;
    assert!(!compact.body.contains('\n'), "{}", compact.body);
    assert_eq!(announced(&compact), compact.body.len());
    for agent in ["curl/8.5.0", "Mozilla/5.0 (X11)", "Wget/1.21.4", "HTTPie/3.2.2"] {
        let indented = customer(&app, agent).await;
        assert_eq!(indented.header("idempotent-replayed"), Some("true"));
        assert!(indented.body.starts_with("{\n  \"id\": \"cus_"), "{}", indented.body);
        assert!(indented.body.ends_with("\n}\n"), "{}", indented.body);
        assert_eq!(announced(&indented), indented.body.len());
        assert_eq!(compact.json(), indented.json());
    }
    for agent in ["Stripe/v1 curl/8.5.0", "python-requests/2.32", "bankfeed/1.0 (command line)"] {
        assert_eq!(customer(&app, agent).await.body, compact.body);
    }
}

/// Errors and long lists are indented too. An SDK in a browser names itself in another header, and
/// gets compact JSON. A page that is not JSON stays as it is.
#[tokio::test]
async fn every_response_is_indented() {
    let app = App::start().await;
    for _ in 0..100 {
        app.post("/v1/customers", "").await.ok();
    }
    let curl =
        |method: &str, path: &str| app.request(method, path).header("User-Agent", "curl/8.5.0");
    let list = curl("GET", "/v1/customers?limit=100").send().await;
    assert_eq!(announced(&list), list.body.len());
    let rows = list.json()["data"].as_array().unwrap().len();
    assert_eq!((rows, list.body.matches("\n    {\n").count()), (100, 100));

    for path in ["/v1/customers/cus_1", "/v1/unknown", "/v2/unknown"] {
        let error = curl("GET", path).send().await;
        assert_eq!(error.status, 404);
        assert!(error.body.starts_with("{\n  \"error\": {\n    \""), "{}", error.body);
    }
    let unauthorized = app.bare_request("GET", "/v1/customers").header("User-Agent", "curl/8.5.0");
    assert!(unauthorized.send().await.body.starts_with("{\n"));

    let browser = app.request("GET", "/v1/customers").header("User-Agent", "Mozilla/5.0");
    let sdk = browser.header("X-Stripe-Client-User-Agent", "{\"lang\":\"js\"}").send().await;
    assert!(!sdk.body.contains('\n'), "{}", sdk.body);
    assert!(curl("GET", "/").send().await.body.starts_with("bankfeed: "));
    assert_eq!(curl("GET", "/healthz").send().await.body, "ok\n");
}
