//! Tests of the proxy. A server behind it returns the bytes that it received.

use super::*;
use crate::run::authority::Authority;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Write as _;
use std::sync::mpsc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

/// A call with details that a rewriting proxy would lose: odd cases, an encoded path, two headers of a
/// name.
const CALL: &str = "POST /v1/customers?a=%5B HTTP/1.1\r\nhOSt: api.stripe.com\r\nX-Two: 1\r\n\
                    X-Two: 2\r\nContent-Length: 3\r\n\r\na=b";

/// A proxy before a server that returns the bytes that it received.
struct Fixture {
    proxy: Proxy,
    authority: Authority,
    server: SocketAddr,
    remarks: mpsc::Receiver<String>,
}

impl Fixture {
    async fn start(allowed: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 4_096];
                let length = stream.read(&mut bytes).await.unwrap();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&bytes[..length]).await.unwrap();
            }
        });
        let authority = Authority::new(20_000).unwrap();
        let (told, remarks) = mpsc::channel();
        let allowed: Vec<String> = allowed.iter().map(|host| (*host).to_owned()).collect();
        let rules = Rules {
            hosts: Hosts::new(&allowed),
            tls: Arc::clone(&authority.tls),
            server: server.to_string(),
            remark: Box::new(move |text| told.send(text.to_owned()).unwrap()),
        };
        Self { proxy: Proxy::start(rules).await.unwrap(), authority, server, remarks }
    }

    /// The response to a request that the proxy itself reads.
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.proxy.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    /// A connection after a successful `CONNECT`.
    async fn tunnel(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.proxy.address).await.unwrap();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        stream
    }

    /// A TLS connection to a name, by a client that trusts an authority.
    async fn secure(
        &self,
        stream: TcpStream,
        name: &str,
        trusted: &Authority,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(trusted.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // The certificates of the fixture are valid around one day.
        let config = ClientConfig::builder_with_details(provider, Arc::new(DayOfFixture));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

/// A clock that shows the day of the fixture's certificates.
#[derive(Debug)]
struct DayOfFixture;

impl rustls::time_provider::TimeProvider for DayOfFixture {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let second = std::time::Duration::from_hours(20_000 * 24);
        Some(rustls::pki_types::UnixTime::since_unix_epoch(second))
    }
}

/// Sends the call and returns the response.
async fn call(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    stream.write_all(CALL.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"a=b") {
        response.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(response).unwrap()
}

/// A call of Stripe's host reaches the server with its bytes unchanged, through a tunnel and directly.
#[tokio::test]
async fn calls_of_stripe_reach_the_server_unchanged() {
    let fixture = Fixture::start(&[]).await;
    let tunnel = fixture.tunnel("api.stripe.com:443").await;
    let direct = TcpStream::connect(fixture.proxy.address).await.unwrap();
    for stream in [tunnel, direct] {
        let stream = fixture.secure(stream, "api.stripe.com", &fixture.authority).await.unwrap();
        let response = call(stream).await;
        assert_eq!(response.split_once("\r\n\r\n").unwrap().1, CALL);
    }
}

/// A client that names another host in its handshake gets no certificate.
#[tokio::test]
async fn other_names_get_no_certificate() {
    let fixture = Fixture::start(&["example.com"]).await;
    for name in ["example.com", "stripe.com", "js.stripe.com", "127.0.0.1"] {
        let stream = fixture.tunnel("api.stripe.com:443").await;
        let secured = fixture.secure(stream, name, &fixture.authority).await;
        assert!(secured.is_err(), "{name}");
    }
}

/// The person reads once that a program has a list of authorities of its own.
#[tokio::test]
async fn distrust_is_reported_once() {
    let fixture = Fixture::start(&[]).await;
    let other = Authority::new(20_000).unwrap();
    for _ in 0..2 {
        let stream = fixture.tunnel("api.stripe.com:443").await;
        // The client reports its distrust and closes the connection.
        fixture.secure(stream, "api.stripe.com", &other).await.unwrap_err();
    }
    let wait = std::time::Duration::from_mins(1);
    let remarks = fixture.remarks;
    let first = tokio::task::spawn_blocking(move || (remarks.recv_timeout(wait), remarks)).await;
    let (first, remarks) = first.unwrap();
    assert!(first.unwrap().contains("does not trust the certificate"));
    drop(fixture.proxy);
    assert_eq!(remarks.try_iter().count(), 0);
}

/// The proxy rejects hosts that are not allowed, other ports of Stripe, and calls without TLS.
#[tokio::test]
async fn other_hosts_are_refused() {
    let fixture = Fixture::start(&[]).await;
    let mut shown = String::new();
    for line in [
        "CONNECT example.com:443",
        "CONNECT EXAMPLE.com:443",
        "CONNECT api.stripe.com:80",
        "CONNECT [2001:db8::1]:443",
        "GET http://example.com/x",
        "GET http://api.stripe.com/v1/customers",
        "GET /v1/customers",
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let response = fixture.ask(&request).await;
        let status = response.split(' ').nth(1).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().next().unwrap().ends_with(body.trim().split_once(": ").unwrap().1));
        write!(shown, "{line}: {status} {body}").unwrap();
    }
    insta::assert_snapshot!(shown, @"
        CONNECT example.com:443: 403 bankfeed run: calls of example.com are refused; allow them with `--allow example.com`
        CONNECT EXAMPLE.com:443: 403 bankfeed run: calls of EXAMPLE.com are refused; allow them with `--allow EXAMPLE.com`
        CONNECT api.stripe.com:80: 403 bankfeed run: api.stripe.com is served on port 443 only
        CONNECT [2001:db8::1]:443: 403 bankfeed run: calls of 2001:db8::1 are refused; allow them with `--allow 2001:db8::1`
        GET http://example.com/x: 403 bankfeed run: calls of example.com are refused; allow them with `--allow example.com`
        GET http://api.stripe.com/v1/customers: 403 bankfeed run: Stripe's hosts take https calls only
        GET /v1/customers: 400 bankfeed run: this is the proxy of `bankfeed run`, and the server has another address
        ");
    assert_eq!(fixture.remarks.try_iter().count(), 3);
}

/// Calls of this machine and of allowed hosts pass through, by a tunnel and by a whole URL.
#[tokio::test]
async fn allowed_hosts_are_passed_on() {
    let fixture = Fixture::start(&[]).await;
    let (address, port) = (fixture.server, fixture.server.port());
    let response = call(fixture.tunnel(&format!("localhost:{port}")).await).await;
    assert!(response.ends_with(CALL), "{response}");
    let request = format!(
        "GET http://{address}/a?b=%5B HTTP/1.1\r\nHost: {address}\r\nX-Odd: 1\r\n\
         Proxy-Connection: close\r\nConnection: close\r\n\r\n"
    );
    let response = fixture.ask(&request).await;
    let passed = response.split_once("\r\n\r\n").unwrap().1;
    assert!(passed.starts_with("GET /a?b=%5B HTTP/1.1\r\n"), "{response}");
    assert!(passed.contains("X-Odd: 1\r\n") && !passed.contains("Proxy-"), "{response}");
}

/// A host that cannot be reached gives the error of a gateway.
#[tokio::test]
async fn unreachable_hosts_give_502() {
    let fixture = Fixture::start(&[]).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let request = format!("CONNECT {free} HTTP/1.1\r\nHost: {free}\r\nConnection: close\r\n\r\n");
    let response = fixture.ask(&request).await;
    assert!(response.starts_with("HTTP/1.1 502 "), "{response}");
}
