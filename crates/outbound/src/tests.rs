//! Tests of the client against receivers on loopback addresses.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

fn outbound(private: PrivateAddresses, https_to_public: bool) -> Outbound {
    Outbound::new(OutboundSettings { private, https_to_public, timeout_ms: 5_000 })
}

fn open() -> Outbound {
    outbound(PrivateAddresses::All, false)
}

fn strict() -> Outbound {
    outbound(PrivateAddresses::none(), false)
}

/// A URL is rejected for its scheme, its credentials, an ambiguous form, or a private address in any
/// spelling. `http` may be permitted to some private addresses only.
#[test]
fn urls_are_checked() {
    let ten: PrivateAddresses = PrivateAddresses::Within(["10.0.0.0/8".parse().unwrap()].into());
    let live = outbound(PrivateAddresses::none(), true);
    let clients = [strict(), live, outbound(ten, true), open()];
    let check = |outbound: &Outbound, url: &str| match outbound.check_url(url) {
        Ok(()) => "allowed",
        Err(OutboundError::Invalid) => "invalid",
        Err(OutboundError::Scheme { schemes }) => schemes,
        Err(OutboundError::Ambiguous) => "ambiguous",
        Err(OutboundError::Credentials) => "credentials",
        Err(OutboundError::ForbiddenAddress(ForbiddenAddress::Private)) => "private",
        Err(OutboundError::ForbiddenAddress(ForbiddenAddress::Http)) => "plain",
        Err(OutboundError::Call { .. }) => "call",
    };
    let mut checked = String::new();
    for url in [
        "https://example.com/hook?token=1",
        "HTTPS://example.com",
        "http://example.com",
        "ftp://example.com",
        "example.com",
        "https://",
        "https://user:secret@example.com",
        "https://@example.com",
        "https:///example.com",
        "https://example.com/a\u{a0}b",
        "http://127.0.0.1:4000/hook",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "http://8.8.8.8/",
        "https://10.0.0.1/",
        "http:\\\\example.com",
        "http:example.com",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        " https://example.com",
    ] {
        let results = clients.each_ref().map(|outbound| check(outbound, url)).join(" | ");
        checked.extend([&url.escape_debug().to_string(), ": ", &results, "\n"]);
    }
    insta::assert_snapshot!(checked, @r"
    https://example.com/hook?token=1: allowed | allowed | allowed | allowed
    HTTPS://example.com: allowed | allowed | allowed | allowed
    http://example.com: allowed | https | allowed | allowed
    ftp://example.com: http or https | https | http or https | http or https
    example.com: invalid | invalid | invalid | invalid
    https://: invalid | invalid | invalid | invalid
    https://user:secret@example.com: credentials | credentials | credentials | credentials
    https://@example.com: credentials | credentials | credentials | credentials
    https:///example.com: ambiguous | ambiguous | ambiguous | ambiguous
    https://example.com/a\u{a0}b: ambiguous | ambiguous | ambiguous | ambiguous
    http://127.0.0.1:4000/hook: private | https | plain | allowed
    http://0x7f.1/: private | https | plain | allowed
    http://2130706433/: private | https | plain | allowed
    http://[::ffff:10.0.0.1]/: private | https | allowed | allowed
    http://8.8.8.8/: allowed | https | plain | allowed
    https://10.0.0.1/: private | private | allowed | allowed
    http:\\\\example.com: ambiguous | https | ambiguous | ambiguous
    http:example.com: ambiguous | https | ambiguous | ambiguous
    https://example.com/a b: ambiguous | ambiguous | ambiguous | ambiguous
    https://example.com/\r\nx: y: ambiguous | ambiguous | ambiguous | ambiguous
     https://example.com: ambiguous | ambiguous | ambiguous | ambiguous
    ");
}

/// Stored text is within its bound for any bytes.
#[test]
fn stored_text_is_bounded() {
    assert_eq!(text(b"fine"), "fine");
    assert_eq!(text(&[0xff; 2_000]).len(), ATTEMPT_BODY_BYTES_MAX / 3 * 3);
}

/// Responds to one post with these bytes and returns the post.
async fn serve_once(listener: TcpListener, response: Vec<u8>) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut posted = Vec::new();
    let mut buffer = [0; 4_096];
    while !posted.ends_with(b"{}") {
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the post ended early");
        posted.extend_from_slice(&buffer[..length]);
    }
    stream.write_all(&response).await.unwrap();
    String::from_utf8(posted).unwrap()
}

/// A post sends headers and body, does not follow a redirect, and keeps the beginning of the
/// response.
#[tokio::test]
async fn posts_once_and_keeps_the_beginning() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let mut response =
        b"HTTP/1.1 302 Found\r\nlocation: /else\r\ncontent-length: 3000\r\n\r\n".to_vec();
    response.extend([b'x'; 3_000]);
    let server = tokio::spawn(serve_once(listener, response));
    let outbound = open();
    let posted = outbound.post(&url, &[("stripe-signature", "t=1")], b"{}".to_vec()).await;
    assert_eq!(posted.status, Ok(302));
    assert_eq!(posted.body.len(), ATTEMPT_BODY_BYTES_MAX);
    let request = server.await.unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("stripe-signature: t=1\r\n"), "{request}");
}

/// A response whose body does not end before the deadline is a failure. One whose body ends early
/// is not.
#[tokio::test]
async fn an_endless_body_is_a_failure() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthanks";
    let settings = OutboundSettings {
        private: PrivateAddresses::All,
        https_to_public: false,
        timeout_ms: 300,
    };
    let outbound = Outbound::new(settings);
    let (keep, mut kept) = tokio::sync::mpsc::channel(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        keep.send(stream).await.unwrap();
        listener
    });
    let posted = outbound.post(&url, &[], b"{}".to_vec()).await;
    assert_eq!(posted.status, Err(TOO_LATE.to_owned()));
    assert_eq!(posted.body, "thanks");
    drop(kept.recv().await);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(serve_once(listener, head.as_bytes().to_vec()));
    let posted = outbound.post(&url, &[], b"{}".to_vec()).await;
    assert_eq!(posted, Posted { status: Ok(200), body: "thanks".to_owned() });
}

/// The reason for a missing response does not contain the URL.
#[tokio::test]
async fn failures_hold_no_secrets() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let reasons = [
        open().post(&format!("http://{free}/secret"), &[], vec![]).await,
        strict().post(&format!("http://{free}/secret"), &[], vec![]).await,
        strict().post("http://localhost/secret", &[], vec![]).await,
        open().post("http://localhost/", &[("a b", "c")], vec![]).await,
    ]
    .map(|posted| posted.status.unwrap_err());
    insta::assert_snapshot!(reasons.join("\n"), @"
    the connection was refused
    the address is not public
    the address is not public
    the request could not be built
    ");
}

/// A receiver of posts, with the numbers of connections that it accepted and that had a request.
struct Receiver {
    url: String,
    accepted: Arc<AtomicUsize>,
    used: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (accepted, used) = (Arc::default(), Arc::default());
        let receiver = Self { url, accepted: Arc::clone(&accepted), used: Arc::clone(&used) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(respond(stream, Arc::clone(&used)));
            }
        });
        receiver
    }
}

/// Responds to each post on a connection. Each body is `{}`.
async fn respond(mut stream: TcpStream, used: Arc<AtomicUsize>) {
    let mut posted = Vec::new();
    let mut buffer = [0; 4_096];
    let mut requests = 0;
    loop {
        let length = stream.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        posted.extend_from_slice(&buffer[..length]);
        if !posted.ends_with(b"{}") {
            continue;
        }
        posted.clear();
        if requests == 0 {
            used.fetch_add(1, Ordering::SeqCst);
        }
        requests += 1;
        // Every seventh response ends the connection.
        let close = if requests % 7 == 0 { "connection: close\r\n" } else { "" };
        let response = format!("HTTP/1.1 200 OK\r\n{close}content-length: 2\r\n\r\nok");
        stream.write_all(response.as_bytes()).await.unwrap();
        if !close.is_empty() {
            return;
        }
    }
}

/// A request is sent on every connection that is opened, while posts race for connections that
/// become idle or are closed. Connections are reused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_stays_without_a_request() {
    const TASKS: usize = 8;
    const POSTS: usize = 300;
    let receiver = Receiver::start().await;
    let outbound = open();
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (outbound, url) = (outbound.clone(), receiver.url.clone());
        tasks.spawn(async move {
            for _ in 0..POSTS {
                let posted = outbound.post(&url, &[], b"{}".to_vec()).await;
                assert_eq!(posted, Posted { status: Ok(200), body: "ok".to_owned() });
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let accepted = receiver.accepted.load(Ordering::SeqCst);
    assert_eq!(receiver.used.load(Ordering::SeqCst), accepted);
    let needed = TASKS * POSTS / 7;
    assert!((needed..=needed + 2 * TASKS).contains(&accepted), "{accepted} for {needed}");
}

/// A post takes the connection that a post before it has left idle. If the receiver has closed it
/// meanwhile, the post opens a new one.
#[tokio::test]
async fn an_idle_connection_is_reused_or_replaced() {
    let receiver = Receiver::start().await;
    let outbound = open();
    for post in 1..=15_usize {
        let posted = outbound.post(&receiver.url, &[], b"{}".to_vec()).await;
        assert_eq!(posted.status, Ok(200));
        assert_eq!(receiver.accepted.load(Ordering::SeqCst), post.div_ceil(7));
    }
}
