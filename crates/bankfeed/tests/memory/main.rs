//! The memory of the server while one of its buffers is full. Each test drives one buffer of its own
//! server to its bound. It compares the greatest memory of the process with the documented one.
//!
//! Every wait is for a named condition, such as the first byte of a response. No test measures time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;

use client::{Server, body, peek, read_status, request, send_some};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;

const CUSTOMERS: &str = "/v1/customers";
/// The bytes that `docs/operations.md` allows the server.
const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Fails if the memory of a server was ever larger than documented.
fn check(server: &Server, buffer: &str) {
    let bytes = server.peak_bytes();
    assert!(bytes < MEMORY_BYTES_MAX, "{buffer} take {} MiB", bytes >> 20);
}

/// A form of a customer of about 110 KB.
fn large_customer() -> String {
    let text = "%F0%9F%90%9F".repeat(500);
    let pairs = (0..50).map(|key| format!("metadata[key{key}]={text}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// A small scenario has a ledger of 900,000 rows. The response to the call is one page of it.
#[test]
fn a_ledger_of_many_rows() {
    let server = Server::start(&[]);
    let scenario = "name='a'\n[[accounts]]\nname='a'\nhistory_days=3650\nwindow_days=3650\n\
        [[accounts.stretches]]\nevery='day'\ntimes=250\namount='1'\ndescription='a'";
    let scenario: String = url::form_urlencoded::byte_serialize(scenario.as_bytes()).collect();
    let helpers = "/v1/test_helpers/financial_connections";
    server.call("POST", &format!("{helpers}/scenarios"), &format!("scenario={scenario}"));
    let customer = server.call("POST", CUSTOMERS, "email=ada@example.com");
    let customer = customer["id"].as_str().unwrap();
    let form = format!(
        "account_holder[type]=customer&account_holder[customer]={customer}&permissions[]=balances"
    );
    let session = server.call("POST", "/v1/financial_connections/sessions", &form);
    let form = format!("carrier={}&institution=a", session["id"].as_str().unwrap());
    let linked = server.call("POST", &format!("{helpers}/link"), &form);
    let account = linked["accounts"]["data"][0]["id"].as_str().unwrap();
    let ledger = server.call("GET", &format!("{helpers}/accounts/{account}/ledger"), "");
    assert_eq!(ledger["has_more"], true);
    assert_eq!(ledger["transactions"].as_array().unwrap().len(), 1_000);
    check(&server, "the rows of a ledger");
}

/// The readers of 64 event streams take no messages.
#[test]
fn event_streams_that_are_not_read() {
    let server = Server::start(&[]);
    let keys: Vec<String> = (0..4).map(|number| format!("sk_test_stream{number}")).collect();
    let mut sockets = Vec::new();
    for key in &keys {
        for _ in 0..16 {
            let session = "websocket_features[]=webhooks&device_name=test";
            let session = server.call_as(key, "POST", "/v1/stripecli/sessions", session);
            let mut socket = TcpStream::connect(&server.address).unwrap();
            let id = session["websocket_id"].as_str().unwrap();
            let upgrade = format!(
                "GET /stripecli/subscribe HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\n\
                 connection: upgrade\r\nsec-websocket-version: 13\r\nwebsocket-id: {id}\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 sec-websocket-protocol: stripecli-devproxy-v1\r\n\r\n",
                server.address
            );
            socket.write_all(upgrade.as_bytes()).unwrap();
            peek(&socket);
            sockets.push(socket);
        }
    }
    // An event has two messages of 110 KB, so 64 streams could take 280 MB.
    let form = large_customer();
    for _ in 0..20 {
        for key in &keys {
            server.call_as(key, "POST", CUSTOMERS, &form);
        }
    }
    for key in &keys {
        server.call_as(key, "GET", "/v1/test_helpers/settled", "");
    }
    check(&server, "event streams");
    drop(sockets);
}

/// 640 clients send bodies of 500 KB at once.
#[test]
fn bodies_that_arrive_at_once() {
    let server = Server::start(&[]);
    let body = format!("email=ada@example.com&{}", "a=1&".repeat(125_000));
    let request = request("POST", CUSTOMERS, "sk_test_123", &server.address, &body);
    let mut clients = Vec::new();
    for _ in 0..640 {
        let socket = TcpStream::connect(&server.address).unwrap();
        let sent = send_some(&socket, &request[..request.len() - 1]);
        clients.push((socket, sent));
    }
    let (ended, statuses) = channel();
    for (mut socket, sent) in clients {
        let (rest, ended) = (request[sent..].to_vec(), ended.clone());
        std::thread::spawn(move || {
            // The server may reject the body before it has read all of it.
            let _ = socket.write_all(&rest);
            ended.send(read_status(&mut socket)).unwrap();
        });
    }
    drop(ended);
    let statuses: Vec<u16> = statuses.iter().collect();
    assert_eq!(statuses.len(), 640);
    check(&server, "request bodies");
}

/// 60 clients request pages of 6 MB and do not read them.
#[test]
fn responses_that_are_not_read() {
    let server = Server::start(&[]);
    let form = large_customer();
    for _ in 0..60 {
        server.call("POST", CUSTOMERS, &form);
    }
    let path = format!("{CUSTOMERS}?limit=60");
    let list = request("GET", &path, "sk_test_123", &server.address, "");
    let mut clients = Vec::new();
    for _ in 0..60 {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        socket.write_all(&list).unwrap();
        peek(&socket);
        clients.push(socket);
    }
    check(&server, "responses");
    // Small calls go on, and large ones do as soon as the responses were read or dropped.
    server.call("GET", "/v1/account", "");
    let statuses: Vec<u16> = clients.iter_mut().map(read_status).collect();
    let complete = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(complete + refused, 60, "{statuses:?}");
    assert!((8..20).contains(&complete), "{complete} of 60 are complete");
}

/// A page that would be larger than a response may be is rejected, and a smaller one is not.
#[test]
fn pages_beyond_the_bound() {
    let server = Server::start(&[]);
    let form = large_customer();
    for _ in 0..90 {
        server.call("POST", CUSTOMERS, &form);
    }
    let (status, error) = server.send("sk_test_123", "GET", "/v1/customers?limit=100", "");
    let message = "The response would be larger than 8388608 bytes. Request a smaller page or fewer \
                   expansions.";
    assert_eq!((status, &error["error"]["message"]), (400, &json!(message)));
    let page = server.call("GET", "/v1/customers?limit=50", "");
    assert_eq!(page["data"].as_array().unwrap().len(), 50);
    check(&server, "one page");
}

/// 256 webhooks are under way at once, and their receiver does not respond.
#[test]
fn deliveries_in_flight() {
    let server = Server::start(&[]);
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = receiver.local_addr().unwrap();
    for number in 0..8 {
        let form = format!("url=http://{address}/{number}&enabled_events[]=*");
        server.call("POST", "/v1/webhook_endpoints", &form);
    }
    let form = large_customer();
    for _ in 0..32 {
        server.call("POST", CUSTOMERS, &form);
    }
    let mut open = Vec::new();
    for _ in 0..256 {
        let (mut webhook, _) = receiver.accept().unwrap();
        // Its first byte shows that the server has begun to send it.
        webhook.read_exact(&mut [0]).unwrap();
        open.push(webhook);
    }
    check(&server, "deliveries in flight");
}

/// Commands of 400 KB wait for a writer that stands still in the first of them. Those beyond the bound are
/// rejected. Their requests are small, because the budget of bodies would hold back large ones.
#[test]
fn commands_that_wait_for_the_writer() {
    let server = Server::start(&["--failpoint", "ChangeObjects:1"]);
    let customer = server.call("POST", CUSTOMERS, &large_customer());
    let path = format!("{CUSTOMERS}/{}", customer["id"].as_str().unwrap());
    let change = request("POST", &path, "sk_test_123", &server.address, "name=Ada");
    let (ended, statuses) = channel();
    for _ in 0..400 {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        let (change, ended) = (change.clone(), ended.clone());
        std::thread::spawn(move || {
            socket.write_all(&change).unwrap();
            // The responses of the commands that wait never come, so their threads end with the server.
            let status = read_status(&mut socket);
            let _ = ended.send((status, body(&mut socket)));
        });
    }
    // A hundred rejected commands show that the queue is full.
    for _ in 0..100 {
        let (status, body) = statuses.recv().unwrap();
        assert!(status == 429 && body.contains("lock_timeout"), "{status} {body}");
    }
    check(&server, "the writer's queue");
}
