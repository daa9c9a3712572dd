//! Tests of connections, with a beat that only the test moves.

use super::*;
use crate::http::connection_bounds::ConnectionBounds;
use crate::http::places::Places;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;
use tokio::io::DuplexStream;

const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const REFUSED: &str = "GET /.refused HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: localhost\r\n";

impl Transport for DuplexStream {}

/// A connection and its client.
struct Fixture {
    connection: Connection<DuplexStream>,
    client: DuplexStream,
    beats: Arc<AtomicU32>,
}

impl Fixture {
    fn new() -> Self {
        Self::with_space(64 * 1024)
    }

    /// A connection that stores this number of bytes for a client that does not read.
    fn with_space(bytes: usize) -> Self {
        let places = Arc::new(Places::new(
            ConnectionBounds::default(),
            Vec::new(),
            crate::http::places::ConnectionCounts::default(),
        ));
        let Poll::Ready(place) = poll_once(places.take(IpAddr::from([127, 0, 0, 1]))) else {
            panic!("there is a place")
        };
        let (client, stream) = tokio::io::duplex(bytes);
        let beats = Arc::new(AtomicU32::new(0));
        let beat = Beat::Manual(Arc::clone(&beats));
        let connection = Connection::new(stream, place, Arc::new(Hosts::of_loopback()), beat);
        Self { connection, client, beats }
    }

    fn send(&mut self, text: &str) {
        let sent = Pin::new(&mut self.client).poll_write(&mut context(), text.as_bytes());
        assert_eq!(sent.map(Result::unwrap), Poll::Ready(text.len()));
    }

    fn beat(&self, count: u32) {
        self.beats.fetch_add(count, Ordering::Relaxed);
    }

    /// The bytes that the HTTP library reads next.
    fn read(&mut self) -> Poll<Result<String, io::ErrorKind>> {
        let mut memory = vec![0; 64 * 1024];
        let mut out = ReadBuf::new(&mut memory);
        let read = Pin::new(&mut self.connection).poll_read(&mut context(), &mut out);
        read.map_ok(|()| String::from_utf8(out.filled().to_vec()).unwrap())
            .map_err(|error| error.kind())
    }

    fn reads(&mut self, text: &str) {
        assert_eq!(self.read(), Poll::Ready(Ok(text.to_owned())));
    }

    fn write(&mut self, text: &str) -> Poll<Result<usize, io::ErrorKind>> {
        let written = Pin::new(&mut self.connection).poll_write(&mut context(), text.as_bytes());
        written.map_err(|error| error.kind())
    }

    /// Writes a whole response, as the HTTP library does.
    fn respond(&mut self) {
        assert!(self.write("HTTP/1.1 200 OK\r\n\r\n").is_ready());
        assert!(Pin::new(&mut self.connection).poll_flush(&mut context()).is_ready());
    }

    fn shuts_down(&mut self) -> bool {
        Pin::new(&mut self.connection).poll_shutdown(&mut context()).is_ready()
    }

    /// The beats after which a time is over.
    fn beats(&self, time: fn(&ConnectionBounds) -> std::time::Duration) -> u32 {
        let bounds = self.connection.place.places().bounds();
        bounds.beats(time(bounds))
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    Box::pin(future).as_mut().poll(&mut context())
}

/// A head has a time as a whole. A client that sends a byte now and then does not extend it.
#[test]
fn a_slow_head_is_refused() {
    let mut fixture = Fixture::new();
    fixture.send("GET / HTTP/1.1\r\nA: ");
    for _ in 0..fixture.beats(|bounds| bounds.head) {
        fixture.send("a");
        fixture.beat(1);
        assert!(fixture.read().is_pending());
    }
    fixture.send("a");
    fixture.beat(1);
    fixture.reads(REFUSED);
    assert_eq!(fixture.connection.place.link.refusal(), Some(&Refusal::TooSlow));
}

/// A connection without a request is closed, at first after the time for a head, and later after the
/// time between two requests.
#[test]
fn idle_connections_are_closed() {
    let mut fixture = Fixture::new();
    fixture.beat(fixture.beats(|bounds| bounds.head));
    assert!(fixture.read().is_pending());
    fixture.beat(1);
    fixture.reads("");

    let mut fixture = Fixture::new();
    fixture.send(HEAD);
    fixture.reads(HEAD);
    fixture.respond();
    fixture.beat(fixture.beats(|bounds| bounds.idle));
    assert!(fixture.read().is_pending());
    // The time of a head begins with its first byte.
    fixture.send("GET");
    assert!(fixture.read().is_pending());
    fixture.beat(fixture.beats(|bounds| bounds.head));
    assert!(fixture.read().is_pending());
    fixture.send(&HEAD[3..]);
    fixture.reads(HEAD);
    fixture.respond();
    // Ends of lines are no head, so they do not extend the wait again and again.
    for _ in 0..=fixture.beats(|bounds| bounds.head) {
        fixture.send("\r\n");
        assert!(fixture.read().is_pending());
        fixture.beat(1);
    }
    fixture.reads("");
}

/// A body has a time as a whole. The rest of a late one is dropped.
#[test]
fn a_slow_body_ends() {
    let mut fixture = Fixture::new();
    let head = format!("{POST}Content-Length: 1000\r\n\r\n");
    fixture.send(&head);
    fixture.reads(&head);
    for _ in 0..fixture.beats(|bounds| bounds.body) {
        fixture.send("a");
        fixture.beat(1);
        fixture.reads("a");
        assert!(fixture.read().is_pending());
    }
    fixture.beat(1);
    assert_eq!(fixture.read(), Poll::Ready(Err(io::ErrorKind::TimedOut)));
    fixture.send("a");
    assert!(!fixture.shuts_down());
    drop(fixture.client);
    let mut connection = Pin::new(&mut fixture.connection);
    assert!(connection.as_mut().poll_shutdown(&mut context()).is_ready());
}

/// A running request has no time here. Its client may disconnect, and its requests that follow wait.
#[test]
fn a_running_request_has_no_time() {
    let mut fixture = Fixture::new();
    fixture.send(HEAD);
    fixture.reads(HEAD);
    fixture.beat(1_000_000);
    assert!(fixture.read().is_pending());
    fixture.send(&HEAD.repeat(2));
    assert!(fixture.read().is_pending());
    fixture.respond();
    fixture.reads(HEAD);
    assert!(fixture.read().is_pending());
    let Fixture { client, .. } = fixture;
    drop(client);
}

/// A client has a time to read a response as a whole. Reading a byte now and then does not extend it.
#[test]
fn a_slow_reader_ends() {
    let mut fixture = Fixture::with_space(128);
    fixture.send(HEAD);
    fixture.reads(HEAD);
    let rest = "a".repeat(128);
    assert_eq!(fixture.write(&rest), Poll::Ready(Ok(128)));
    for _ in 0..fixture.beats(|bounds| bounds.response) {
        assert!(fixture.write(&rest).is_pending());
        let mut memory = [0; 1];
        let mut byte = ReadBuf::new(&mut memory);
        assert!(Pin::new(&mut fixture.client).poll_read(&mut context(), &mut byte).is_ready());
        assert_eq!(fixture.write(&rest), Poll::Ready(Ok(1)));
        fixture.beat(1);
    }
    assert!(fixture.write(&rest).is_pending());
    fixture.beat(1);
    assert_eq!(fixture.write(&rest), Poll::Ready(Err(io::ErrorKind::TimedOut)));
}

/// Requests that arrive together are passed on one at a time. The first invalid one is the last, and
/// is refused after the responses to the earlier ones.
#[test]
fn requests_pass_one_at_a_time() {
    let mut fixture = Fixture::new();
    let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
    let body = "3\r\nabc\r\n0\r\n\r\n";
    fixture
        .send(&format!("{chunked}{body}{HEAD}GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n{HEAD}"));
    fixture.reads(&chunked);
    fixture.reads(body);
    assert!(fixture.read().is_pending());
    assert!(fixture.write("HTTP/1.1 100 Continue\r\n\r\n").is_ready());
    assert!(Pin::new(&mut fixture.connection).poll_flush(&mut context()).is_ready());
    assert!(fixture.read().is_pending());
    fixture.respond();
    fixture.reads(HEAD);
    assert!(fixture.read().is_pending());
    assert_eq!(fixture.connection.place.link.refusal(), None);
    fixture.respond();
    fixture.reads(REFUSED);
    let refusal = Refusal::Host("evil.example".to_owned());
    assert_eq!(fixture.connection.place.link.refusal(), Some(&refusal));
    fixture.respond();
    assert!(fixture.read().is_pending());
}

/// A body that breaks the rules of chunks is passed on to the fault, and the connection then ends.
#[test]
fn broken_chunks_end_the_connection() {
    let mut fixture = Fixture::new();
    let head = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
    fixture.send(&format!("{head}1\r\naX{HEAD}"));
    fixture.reads(&head);
    fixture.reads("1\r\na");
    assert_eq!(fixture.read(), Poll::Ready(Err(io::ErrorKind::InvalidData)));
    fixture.reads("");
}

/// After the response that changes the protocol, all bytes pass. A silent websocket is closed.
#[test]
fn websockets_pass() {
    let mut fixture = Fixture::new();
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n";
    for begin in ["HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 101 Switching Protocols\r\n"] {
        fixture.send(head);
        fixture.reads(head);
        assert!(fixture.write(begin).is_ready());
        assert!(Pin::new(&mut fixture.connection).poll_flush(&mut context()).is_ready());
    }
    let silence = fixture.beats(|bounds| bounds.idle);
    for _ in 0..2 {
        fixture.beat(silence);
        assert!(fixture.read().is_pending());
        fixture.send("\r\n\r\n");
        fixture.reads("\r\n\r\n");
    }
    assert!(fixture.read().is_pending());
    fixture.beat(silence + 1);
    fixture.reads("");
}

/// The rest of a request that was not read is dropped within a time.
#[test]
fn the_rest_is_dropped() {
    let mut fixture = Fixture::new();
    fixture.send(&format!("nonsense\r\n\r\n{}", "a".repeat(60_000)));
    fixture.reads(REFUSED);
    fixture.respond();
    assert!(!fixture.shuts_down());
    fixture.beat(fixture.beats(|bounds| bounds.dropped));
    fixture.send(&"a".repeat(60_000));
    assert!(!fixture.shuts_down());
    fixture.beat(1);
    assert!(fixture.shuts_down());

    // A connection between two requests has no rest.
    let mut fixture = Fixture::new();
    fixture.send(HEAD);
    fixture.reads(HEAD);
    fixture.respond();
    assert!(fixture.shuts_down());
}

/// A connection that was evicted ends, even if its next request has just arrived.
#[test]
fn evicted_connections_end() {
    let places = |fixture: &Fixture| fixture.connection.place.link.evict_for_test();
    let mut fixture = Fixture::new();
    assert!(places(&fixture));
    fixture.reads("");
    assert!(fixture.shuts_down());
    let mut fixture = Fixture::new();
    fixture.send(HEAD);
    assert!(places(&fixture));
    fixture.reads("");
    assert!(fixture.shuts_down());
    // A running request cannot be evicted.
    let mut fixture = Fixture::new();
    fixture.send(HEAD);
    fixture.reads(HEAD);
    assert!(!places(&fixture));
}
