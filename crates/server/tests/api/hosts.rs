//! The hosts by which a server may be called.

use crate::raw::send_raw;
use testkit::{App, start_process};
use tokio::net::TcpStream;

/// A request to this host, for a path.
fn request(method: &str, target: &str, host: &str) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: localhost\r\n\
         Connection: close\r\nAuthorization: Bearer sk_test_123\r\n\r\n"
    )
}

/// A server that listens on loopback refuses foreign hosts at every path. Pages and the stream of
/// events are no exceptions.
#[tokio::test]
async fn foreign_hosts_are_refused() {
    let app = App::start().await;
    for (method, target) in [
        ("GET", "/v1/customers"),
        ("POST", "/v1/customers"),
        ("DELETE", "/v1/customers/cus_1"),
        ("OPTIONS", "/v1/payment_intents/pi_1/confirm"),
        ("GET", "/v2/core/events"),
        ("GET", "/"),
        ("GET", "/settings"),
        ("GET", "/link/x"),
        ("GET", "/stripe.js"),
        ("GET", "/metrics"),
        ("GET", "/healthz"),
        ("GET", "/nowhere"),
        ("GET", "http://evil.example/v1/customers"),
    ] {
        let response = send_raw(&app, &request(method, target, "evil.example:12111")).await;
        assert!(response.starts_with("HTTP/1.1 403"), "{method} {target}: {response}");
        assert!(response.contains("--allowed-hosts evil.example,"), "{response}");
    }
    let upgrade = "GET /stripecli/subscribe HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\n\
                   Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(send_raw(&app, upgrade).await.starts_with("HTTP/1.1 403"));
    assert_eq!(app.count("/v1/customers").await, 0);
    for host in ["localhost", "LOCALHOST:1", "shop.localhost", "127.0.0.1:1", "[::1]", "10.0.0.1"] {
        let response = send_raw(&app, &request("GET", "/v1/customers", host)).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{host}: {response}");
    }
    for target in ["/healthz", "/readyz", "/metrics"] {
        let response = send_raw(&app, &request("GET", target, "10.0.0.1:9")).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{target}: {response}");
    }
}

/// The host of the public URL and those of the setting are accepted.
#[tokio::test]
async fn settings_add_hosts() {
    for (flags, accepted) in [
        (&[][..], [false, false, false]),
        (&[("public-url", "https://bank.example/x")], [false, true, false]),
        (&[("allowed-hosts", "bankfeed,.example")], [true, true, true]),
        (&[("keys", "issued"), ("allowed-hosts", "bank.example")], [false, true, false]),
    ] {
        let (started, _) = start_process(flags).await;
        let address = started.local_url.strip_prefix("http://").unwrap().to_owned();
        let mut seen = [false; 3];
        for (seen, host) in seen.iter_mut().zip(["bankfeed:12111", "bank.example", "evil.example"])
        {
            let mut raw = crate::raw::Raw::over(TcpStream::connect(&address).await.unwrap());
            raw.send(&request("GET", "/", host)).await;
            *seen = raw.read_all().await.starts_with("HTTP/1.1 200");
        }
        assert_eq!(seen, accepted, "{flags:?}");
        started.stop().await.unwrap();
    }
}
