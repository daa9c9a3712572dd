//! The record of calls: `serve --record FILE`.

use serde_json::Value;
use testkit::{HOLDER, start_process};

/// The file contains each request and its response, one line per call, before the response arrives.
/// It never contains a key.
#[tokio::test]
async fn calls_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    let (_server, client) = start_process(&[("record", file.to_str().unwrap())]).await;
    let customer = client.post("/v1/customers?expand[]=email", "name=Ada+L").await;
    let created = client.post("/v1/customers", "name=Ada+L&metadata[a]=").await.ok();
    let id = created.id();
    client.get(&format!("/v1/customers/{id}?x=1")).await;
    client.get("/v1/nowhere").await;
    client.get("/healthz").await;

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("sk_test"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = lines.iter().map(|line| {
        let part = |name: &str| line[name].to_string().replace(&id, "ID");
        let names = ["method", "route", "path", "version", "parameters", "status"];
        names.map(part).join(" ") + "\n"
    });
    insta::assert_snapshot!(told.collect::<String>(), @r#"
    "POST" "/v1/customers" "/v1/customers" "2026-08-26.dahlia" [["expand[]","email"],["name","Ada L"]] 400
    "POST" "/v1/customers" "/v1/customers" "2026-08-26.dahlia" [["name","Ada L"],["metadata[a]",""]] 200
    "GET" "/v1/customers/{id}" "/v1/customers/ID" "2026-08-26.dahlia" [["x","1"]] 400
    "GET" null "/v1/nowhere" "2026-08-26.dahlia" [] 404
    "#);
    assert_eq!(lines[0]["answer"], customer.json());
    assert_eq!(lines[1]["answer"], created.json());
    assert_eq!(lines[1]["request"], created.header("request-id").unwrap());
}

/// Addresses that grant access are cut at every position, and so is a key in a path.
#[tokio::test]
async fn addresses_that_are_keys_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    let (_server, client) = start_process(&[("record", file.to_str().unwrap())]).await;
    let stream = "device_name=a&websocket_features[]=webhooks";
    let stream = client.post("/v1/stripecli/sessions", stream).await.ok().text("/websocket_id");
    let checkout = "mode=setup&success_url=https://shop.example/&currency=usd";
    let checkout = client.post("/v1/checkout/sessions", checkout).await.ok().text("/url");
    let customer = client.post("/v1/customers", "").await.ok().id();
    let session = format!("{HOLDER}={customer}&permissions[]=balances");
    let session = client.post("/v1/financial_connections/sessions", &session).await.ok();
    let flow = format!("client_secret={}", session.text("/client_secret"));
    let flow = client.post("/v1/link_flows", &flow).await.ok().text("/url");
    client.get("/v1/customers/sk_test_123").await;

    let text = std::fs::read_to_string(&file).unwrap();
    let token = |address: &str| address.rsplit('/').next().unwrap().to_owned();
    for secret in [stream, token(&checkout), token(&flow), "sk_test_123".to_owned()] {
        assert!(secret.len() > 10 && !text.contains(&secret), "{secret}: {text}");
    }
    assert!(text.contains("/c/pay/…") && text.contains("/link/…"), "{text}");
}
