//! A server that speaks TLS: clients of both versions, a new certificate, and plain requests.

use crate::support::{call, command};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, generate_simple_self_signed};
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
        Self::start_with(write_pair)
    }

    fn start_with(write: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
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
    write_pair_for(&["localhost", "127.0.0.1"], folder);
}

/// Writes a new certificate for these hosts and its key.
fn write_pair_for(hosts: &[&str], folder: &Path) {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let made = generate_simple_self_signed(hosts).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

/// Writes a certificate that an authority would have, as `openssl req -x509` does by default.
fn write_pair_of_authority(folder: &Path) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    fs::write(folder.join("cert.pem"), made.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// The result of `bankfeed health` at an address, with this file of trusted certificates.
fn health(url: &str, trusted: &Path) -> String {
    let mut health = command(&["health", "--api-base", url]);
    let output = health.env("SSL_CERT_FILE", trusted).output().unwrap();
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let port = url.rsplit(':').next().unwrap();
    format!("{:?} {out}{error}", output.status.code()).replace(port, "PORT")
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

/// A command names the reason why it does not reach a server by https, and the way out.
#[test]
fn commands_name_the_fault_of_a_certificate() {
    let (server, other) = (Secure::start(), Secure::start());
    let port = server.address().rsplit(':').next().unwrap();
    let url = format!("https://localhost:{port}");
    let trusted = health(&url, &server.certificate());
    let not_trusted = health(&url, &other.certificate());
    let named = Secure::start_with(|folder| write_pair_for(&["localhost"], folder));
    let other_name = health(&named.url, &named.certificate());
    let plain = health(&format!("http://localhost:{port}"), &server.certificate());
    let authority = Secure::start_with(write_pair_of_authority);
    let port = authority.address().rsplit(':').next().unwrap();
    let of_authority = health(&format!("https://localhost:{port}"), &authority.certificate());
    let mut serve = command(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
    let without_tls = Process::start(&mut serve).unwrap();
    let url = without_tls.after(LISTENS).unwrap().replace("http://", "https://");
    let no_tls = health(&url, &server.certificate());
    let all = [trusted, not_trusted, other_name, plain, of_authority, no_tls].concat();
    insta::assert_snapshot!(all, @"
    Some(0) ready
    Some(1) error: could not reach a server at https://localhost:PORT: the certificate is not trusted, because its issuer did not sign it
      tip: Name the file of its authority with SSL_CERT_FILE
    Some(1) error: could not reach a server at https://127.0.0.1:PORT: the certificate is for another host name
      tip: Name a host of the certificate with --api-base or BANKFEED_API_BASE
    Some(1) error: the server rejected the call: This server takes https requests only. Begin the address with https://.
    Some(1) error: could not reach a server at https://localhost:PORT: the certificate is that of an authority (CA:TRUE), not of a server
      tip: Give the server a certificate with CA:FALSE. `bankfeed doctor` names the command
    Some(1) error: could not reach a server at https://127.0.0.1:PORT: the server does not speak TLS
      tip: Begin the address with http:// or https://, as the server prints it
    ");
}

/// `doctor` names a certificate that clients refuse, before the server starts with it.
#[test]
fn doctor_checks_what_clients_accept() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let doctor = || {
        let flags = ["doctor", "--memory", "--listen", "127.0.0.1:0", "--tls-cert"];
        let pair = [&file("cert.pem"), "--tls-key", &file("key.pem")].map(String::from);
        let output = command(&flags).args(pair).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.starts_with("tls")).unwrap();
        format!("{}\n", line.replace(folder.path().to_str().unwrap(), "F"))
    };
    write_pair(folder.path());
    let fit = doctor();
    write_pair_of_authority(folder.path());
    insta::assert_snapshot!(fit + &doctor(), @"
    tls         ok     F/cert.pem and its key belong together
    tls         warning  F/cert.pem: it is the certificate of an authority (CA:TRUE), which many clients refuse  make a self-signed one with `openssl req -x509 -addext basicConstraints=CA:FALSE …`
    ");
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
    let half = folder.path().join("half.pem");
    let whole = fs::read_to_string(key).unwrap();
    fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    let half = start(&["--tls-cert", certificate, "--tls-key", half.to_str().unwrap()]);
    let encrypted = folder.path().join("encrypted.pem");
    fs::write(&encrypted, whole.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")).unwrap();
    let encrypted = start(&["--tls-cert", certificate, "--tls-key", encrypted.to_str().unwrap()]);
    let all = format!("{alone}{wrong}{no_key}{half}{encrypted}");
    insta::assert_snapshot!(all, @"
    Some(2) error: the setting tls-cert (flag) is 'F/cert.pem', but tls-key must name its private key
    Some(1) error: could not use the certificate F/other.pem with the key F/key.pem: they do not belong together
      tip: Name a certificate and its key with --tls-cert and --tls-key
    Some(1) error: could not read the private key in F/cert.pem: the file has no private key in the PEM format
      tip: Name a certificate and its key with --tls-cert and --tls-key
    Some(1) error: could not read the private key in F/half.pem: a part has no END line
      tip: Name a certificate and its key with --tls-cert and --tls-key
    Some(1) error: could not read the private key in F/encrypted.pem: the key is encrypted, so write it without a passphrase (openssl pkey)
      tip: Name a certificate and its key with --tls-cert and --tls-key
    ");
}
