//! A server that speaks TLS: clients of both versions, a new certificate, and plain requests.

use crate::support::{call, command};
use rcgen::generate_simple_self_signed;
use reqwest::tls::{Certificate, Version};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testkit::process::{LISTENS, Process, send_signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The connections that a test makes at most until the server has another certificate.
const ROUNDS_MAX: u32 = 100_000;

/// A running server with its certificate and its log.
struct Secure {
    folder: tempfile::TempDir,
    process: Process,
    url: String,
}

impl Secure {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_pair(folder.path());
        let file = |name| folder.path().join(name).to_str().unwrap().to_owned();
        let (certificate, key) = (file("cert.pem"), file("key.pem"));
        let tls = ["--tls-cert", &certificate, "--tls-key", &key];
        let mut serve = command(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
        let log = File::create(folder.path().join("log")).unwrap();
        let process = Process::start(serve.args(tls).stderr(log)).unwrap();
        let url = process.after(LISTENS).unwrap();
        Self { folder, process, url }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("https://").unwrap()
    }

    /// Opens a connection that trusts these certificates and offers these protocols.
    async fn connect(
        &self,
        trusted: &[CertificateDer<'static>],
        protocols: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for certificate in trusted {
            roots.add(certificate.clone()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(self.address()).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// Writes a new certificate and its key.
fn write_pair(folder: &Path) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = generate_simple_self_signed(names).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

fn certificate_in(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

/// The certificate that the server has sent.
fn sent(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// Makes a request on an open connection, and reads its response.
async fn is_healthy(stream: &mut TlsStream<TcpStream>) -> bool {
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\nok\n") {
        response.push(stream.read_u8().await.unwrap());
    }
    response.starts_with(b"HTTP/1.1 200 ")
}

/// Clients of TLS 1.2 and 1.3 make calls. URLs in responses begin with https.
#[expect(clippy::disallowed_methods, reason = "a client that is not ours is the point")]
#[tokio::test]
async fn clients_of_both_versions_make_calls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Secure::start();
    let certificate = Certificate::from_pem(&fs::read(server.certificate()).unwrap()).unwrap();
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([certificate.clone()])
            .tls_version_min(version)
            .tls_version_max(version)
            .build()
            .unwrap();
        let request = client.post(format!("{}/v1/customers", server.url));
        let response = request.basic_auth("sk_test_123", None::<&str>).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().contains("cus_"));
        let hello = client.get(format!("{}/", server.url)).send().await.unwrap();
        assert!(hello.text().await.unwrap().contains(&server.url));
    }
}

/// The server agrees on HTTP/1.1 only.
#[tokio::test]
async fn the_protocol_is_http_1_1() {
    let server = Secure::start();
    let trusted = [certificate_in(&server.certificate())];
    let both = server.connect(&trusted, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(server.connect(&trusted, &[b"h2"]).await.is_err());
}

/// After SIGHUP, new connections get the new certificate, and open ones go on. Files that do not belong
/// together change nothing, and the log says so.
#[tokio::test]
async fn a_signal_replaces_the_certificate() {
    let server = Secure::start();
    let old = certificate_in(&server.certificate());
    let mut open = server.connect(std::slice::from_ref(&old), &[]).await.unwrap();
    assert!(is_healthy(&mut open).await);
    write_pair(server.folder.path());
    let new = certificate_in(&server.certificate());
    let trusted = [old, new.clone()];
    send_signal(server.process.pid(), "HUP").unwrap();
    let mut rounds = 0;
    while sent(&server.connect(&trusted, &[]).await.unwrap()) != new {
        rounds += 1;
        assert!(rounds < ROUNDS_MAX, "the certificate was not replaced");
    }
    assert!(is_healthy(&mut open).await);

    let key = fs::read(server.folder.path().join("key.pem")).unwrap();
    write_pair(server.folder.path());
    fs::write(server.folder.path().join("key.pem"), key).unwrap();
    send_signal(server.process.pid(), "HUP").unwrap();
    let mut rounds = 0;
    while !server.log().contains("the certificate was not replaced") {
        // Each round is a connection.
        assert_eq!(sent(&server.connect(&trusted, &[]).await.unwrap()), new);
        rounds += 1;
        assert!(rounds < ROUNDS_MAX, "{}", server.log());
    }
    let mut still = server.connect(&trusted, &[]).await.unwrap();
    assert_eq!(sent(&still), new);
    assert!(is_healthy(&mut open).await && is_healthy(&mut still).await);
}

/// A plain request to a server with TLS gets the envelope of an error, which says so.
#[test]
fn a_plain_request_is_told_to_use_https() {
    let server = Secure::start();
    let url = format!("http://{}", server.address());
    let (status, body) = call(&url, "sk_test_123", "GET", "/v1/customers", "");
    assert_eq!(status, 400);
    insta::assert_snapshot!(body["error"]["message"].as_str().unwrap(), @"This server takes https requests only. Begin the address with https://.");
    assert_eq!(body["error"]["type"], "invalid_request_error");
}

/// A server does not start with a certificate alone, nor with files that do not belong together.
#[test]
fn a_wrong_pair_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let certificate = folder.path().join("cert.pem");
    let other = folder.path().join("other.pem");
    fs::copy(&certificate, &other).unwrap();
    write_pair(folder.path());
    let key = folder.path().join("key.pem");
    let start = |flags: &[&str]| {
        let output = command(&[&["serve", "--memory"], flags].concat()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        format!("{:?} {error}", output.status.code()).replace(folder.path().to_str().unwrap(), "F")
    };
    let [certificate, other, key] = [&certificate, &other, &key].map(|path| path.to_str().unwrap());
    let alone = start(&["--tls-cert", certificate]);
    let wrong = start(&["--tls-cert", other, "--tls-key", key]);
    let no_key = start(&["--tls-cert", certificate, "--tls-key", certificate]);
    insta::assert_snapshot!(format!("{alone}{wrong}{no_key}"), @"
    Some(2) error: the setting tls-cert (flag) is 'F/cert.pem', but tls-key must name its private key
    Some(1) error: could not use the certificate F/other.pem with the key F/key.pem: keys may not be consistent: KeyMismatch
      tip: Name a certificate and its key with --tls-cert and --tls-key
    Some(1) error: could not read the private key in F/cert.pem: no items found
      tip: Name a certificate and its key with --tls-cert and --tls-key
    ");
}
