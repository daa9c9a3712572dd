//! A server beside others on a network: names of containers, and webhooks to private addresses.

use crate::support::command;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use testkit::process::{Call, LISTENS, Process};

fn serve(flags: &[&str]) -> (Process, String) {
    let mut serve = command(&[&["serve", "--memory"], flags].concat());
    let process = Process::start(serve.stderr(Stdio::null())).unwrap();
    let url = process.after(LISTENS).unwrap();
    (process, url)
}

/// The status and the body of a call to a server by this name.
fn call_by(url: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let request = format!(
        "GET /v1/customers HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Authorization: Bearer sk_test_123\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

/// A server on loopback accepts the name that a compose file or a CI service gives it, if the setting
/// names it. Names of public DNS need the setting too.
#[test]
fn containers_call_by_name() {
    let named = ["--listen", "127.0.0.1:0", "--allowed-hosts", "bankfeed"];
    let (_server, url) = serve(&named);
    assert_eq!(call_by(&url, "bankfeed:12111").0, "200");
    let (status, body) = call_by(&url, "bank.example:12111");
    assert_eq!(status, "403");
    assert!(body.contains("The host 'bank.example' is not allowed."), "{body}");
    let (_server, url) = serve(&[&named[..], &["--allowed-hosts", "bank.example"]].concat());
    assert_eq!(call_by(&url, "bank.example:12111").0, "200");
    let (_server, url) = serve(&["--listen", "127.0.0.1:0"]);
    assert_eq!(call_by(&url, "bankfeed:12111").0, "403");
}

/// A receiver at a private address gets webhooks from a server that denies private addresses, if the
/// setting allows its network.
#[test]
fn webhooks_reach_allowed_networks() {
    let inbox = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("url=http://{}/&enabled_events[]=*", inbox.local_addr().unwrap());
    let flags = ["--listen", "127.0.0.1:0", "--deny-private-webhooks"];
    let create = |url: &str, path, form| {
        let key = "sk_test_123";
        Call { key, version: None, method: "POST", path, form }.send(url).unwrap()
    };
    let (_server, url) = serve(&[&flags[..], &["--webhook-allow", "10.0.0.0/8"]].concat());
    let (status, refused) = create(&url, "/v1/webhook_endpoints", &target);
    assert_eq!((status, &refused["error"]["code"]), (400, &"url_invalid".into()));
    let (_server, url) = serve(&[&flags[..], &["--webhook-allow", "127.0.0.0/8"]].concat());
    assert_eq!(create(&url, "/v1/webhook_endpoints", &target).0, 200);
    assert_eq!(create(&url, "/v1/customers", "name=Ada").0, 200);
    let (mut stream, _) = inbox.accept().unwrap();
    let mut received = String::new();
    while !received.contains("customer.created") {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "{received}");
        received += &String::from_utf8_lossy(&bytes[..count]);
    }
    assert!(received.starts_with("POST / HTTP/1.1"), "{received}");
}
