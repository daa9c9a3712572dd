//! Tests of the handshake of TLS, with a beat that only the test moves.

use super::*;
use crate::http::connection_bounds::ConnectionBounds;
use crate::http::places::{ConnectionCounts, Places};
use crate::tls::Certificate;
use settings::TlsFiles;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The head of a record with a handshake, whose content never comes.
const UNFINISHED: &[u8] = b"\x16\x03\x01\x02\x00\x01";

fn acceptor() -> TlsAcceptor {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    Arc::new(Certificate::read(files).unwrap()).config().unwrap().into()
}

/// A connection, the beats that it counts, and its client, which has sent these bytes.
async fn connection(sent: &[u8]) -> (Connection, Arc<AtomicU32>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.write_all(sent).await.unwrap();
    let (stream, address) = listener.accept().await.unwrap();
    if !sent.is_empty() {
        stream.readable().await.unwrap();
    }
    let bounds = ConnectionBounds::default();
    let places = Arc::new(Places::new(bounds, Vec::new(), ConnectionCounts::default()));
    let place = places.take(address.ip()).await;
    let beats = Arc::new(AtomicU32::new(0));
    let socket = Socket::new(stream, Some(&acceptor()));
    let hosts = Arc::new(Hosts::of_loopback());
    (Connection::new(socket, place, hosts, Beat::Manual(Arc::clone(&beats))), beats, client)
}

/// The number of bytes that the HTTP library reads next.
fn read(connection: &mut Connection) -> Poll<usize> {
    let mut memory = [0; 1_024];
    let mut out = ReadBuf::new(&mut memory);
    let mut context = Context::from_waker(Waker::noop());
    let read = Pin::new(connection).poll_read(&mut context, &mut out);
    read.map(|read| {
        read.unwrap();
        out.filled().len()
    })
}

/// A client that does not finish the handshake is closed after the time of a head, whether it has sent
/// nothing or a part of it.
#[tokio::test]
async fn an_unfinished_handshake_is_closed() {
    for sent in [b"", UNFINISHED] {
        let (mut connection, beats, mut client) = connection(sent).await;
        let bounds = *connection.place.places().bounds();
        beats.fetch_add(bounds.beats(bounds.head), Ordering::Relaxed);
        assert_eq!(read(&mut connection), Poll::Pending);
        beats.fetch_add(1, Ordering::Relaxed);
        assert_eq!(read(&mut connection), Poll::Ready(0));
        connection.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    }
}

/// A connection in its handshake gives its place away to a new one.
#[tokio::test]
async fn a_handshake_can_be_displaced() {
    let (mut connection, _, _client) = connection(UNFINISHED).await;
    assert_eq!(read(&mut connection), Poll::Pending);
    assert!(connection.place.link.evict_for_test());
    assert_eq!(read(&mut connection), Poll::Ready(0));
}

/// A plain request is refused, and its head is never passed on.
#[tokio::test]
async fn a_plain_request_is_refused() {
    let (mut connection, _, _client) =
        connection(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut head = [0; 256];
    let count = connection.read(&mut head).await.unwrap();
    assert!(head[..count].starts_with(b"GET /.refused "));
    assert_eq!(connection.place.link.refusal(), Some(&Refusal::WithoutTls));
}
