//! An HTTP/1.1 client that opens a connection only for a request that is sent on it.
//!
//! A request takes an idle connection or opens one, and never does both. The clients of `hyper-util` and
//! `reqwest` begin to connect while they wait for a connection to become idle. If that happens first,
//! the new connection stays open without a request. Servers such as Node's wait for it when they
//! stop. For the same reason the addresses of a name are tried one after the other.
//!
//! A connection becomes idle when its response was read to the end. It is reused within a second only, and
//! then closed. Receivers close idle connections too, Node's after five seconds and some after two. A
//! request that is sent at that moment would get no response, and its attempt would fail. After a crash
//! the system closes all connections.
//!
//! The certificates of the system are read for the first `https` request, because it takes longer than
//! the rest of a start.

use crate::OutboundSettings;
use crate::resolve::Resolver;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};
use tower_service::Service;
use url::Url;

/// The time for which an idle connection may be reused, and the interval at which older ones are closed.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// The maximum number of idle connections to one host.
const IDLE_PER_HOST_MAX: usize = 32;

/// A connection without a request.
type Connection = SendRequest<Full<Bytes>>;
type SecureConnector = HttpsConnector<HttpConnector<Resolver>>;
type AnyError = Box<dyn Error + Send + Sync>;

/// The address of a request, checked and taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The scheme, the host and the port, to connect to.
    origin: Uri,
    /// The header `Host`.
    host: HeaderValue,
    /// The path and the query.
    path: Uri,
}

/// The reason why a request got no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection could not be opened.
    Connect(AnyError),
    /// The request could not be built.
    Build(AnyError),
    /// The connection ended before the end of the response.
    Broken(hyper::Error),
}

impl Failure {
    /// The first error of the chain of causes.
    pub(crate) fn error(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Connect(error) | Self::Build(error) => &**error,
            Self::Broken(error) => error,
        }
    }
}

/// A client. Clones share the idle connections.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    settings: OutboundSettings,
    /// The connector for `https`, built for the first request.
    secure: Arc<OnceLock<SecureConnector>>,
    /// The connector for `http`, which may reach other addresses.
    plain: HttpConnector<Resolver>,
    pool: Arc<Pool>,
}

/// The idle connections.
#[derive(Debug, Default)]
struct Pool(Mutex<Idle>);

#[derive(Debug, Default)]
struct Idle {
    /// By origin. Each connection has the moment at which it became idle, the latest one last.
    connections: HashMap<Uri, Vec<(Connection, Instant)>>,
    /// True while a task sweeps.
    is_swept: bool,
}

/// A response, with the connection that it came over.
pub(crate) struct Exchange {
    /// The response. Its body is still to be read.
    pub(crate) response: Response<Incoming>,
    connection: Connection,
    origin: Uri,
    pool: Arc<Pool>,
}

impl Place {
    /// The place of a URL that begins with `http` or `https`.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str()?),
            None => url.host_str()?.to_owned(),
        };
        let origin = format!("{}://{host}", url.scheme()).parse().ok()?;
        let path = url
            .query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Some(Self { origin, host: host.parse().ok()?, path: path.parse().ok()? })
    }
}

impl HttpClient {
    /// Builds a client.
    pub(crate) fn new(settings: &OutboundSettings) -> Self {
        // An error means that the process already has a provider. That one works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            settings: settings.clone(),
            secure: Arc::default(),
            plain: connector(settings, false),
            pool: Arc::default(),
        }
    }

    /// Sends a request and returns the head of its response.
    pub(crate) async fn send(
        &self,
        place: &Place,
        method: Method,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Exchange, Failure> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = place.path.clone();
        let sent = request.headers_mut();
        sent.insert(HOST, place.host.clone());
        sent.insert(ACCEPT, HeaderValue::from_static("*/*"));
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|error| Failure::Build(error.into()))?;
            let value = HeaderValue::from_str(value);
            sent.insert(name, value.map_err(|error| Failure::Build(error.into()))?);
        }
        let (response, connection) = Box::pin(self.exchange(&place.origin, request)).await?;
        let (origin, pool) = (place.origin.clone(), Arc::clone(&self.pool));
        Ok(Exchange { response, connection, origin, pool })
    }

    async fn exchange(
        &self,
        origin: &Uri,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        while let Some(mut connection) = self.pool.take(origin, moment()) {
            if connection.ready().await.is_err() {
                // The server has closed it.
                continue;
            }
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    // The server has closed it, and no byte of the request was sent.
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::Broken(error.into_error())),
                },
            }
        }
        // Most requests find an idle connection, so only opening one takes the memory for it.
        let mut connection = Box::pin(self.connect(origin)).await?;
        let response = connection.send_request(request).await.map_err(Failure::Broken)?;
        Ok((response, connection))
    }

    async fn connect(&self, origin: &Uri) -> Result<Connection, Failure> {
        // A connector is always ready.
        let stream = if origin.scheme_str() == Some("https") {
            self.secure().await?.call(origin.clone()).await.map_err(Failure::Connect)?
        } else {
            let stream = self.plain.clone().call(origin.clone()).await;
            MaybeHttpsStream::Http(stream.map_err(|error| Failure::Connect(error.into()))?)
        };
        let (connection, running) = handshake(stream).await.map_err(Failure::Broken)?;
        // The request reports an error of the connection.
        tokio::spawn(async move { running.await.ok() });
        Ok(connection)
    }

    /// The connector for `https`. The first call reads the certificates of the system.
    async fn secure(&self) -> Result<SecureConnector, Failure> {
        if let Some(secure) = self.secure.get() {
            return Ok(secure.clone());
        }
        let (secure, settings) = (Arc::clone(&self.secure), self.settings.clone());
        let built = tokio::task::spawn_blocking(move || {
            secure.get_or_init(|| secure_connector(&settings)).clone()
        });
        built.await.map_err(|error| Failure::Connect(error.into()))
    }
}

fn secure_connector(settings: &OutboundSettings) -> SecureConnector {
    let trusting = ClientConfig::builder().with_platform_verifier();
    // A machine without root certificates can still post to http, and only https fails.
    let tls = trusting
        .unwrap_or_else(|_| ClientConfig::builder().with_root_certificates(RootCertStore::empty()));
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth());
    builder.https_only().enable_http1().wrap_connector(connector(settings, true))
}

fn connector(settings: &OutboundSettings, is_secure: bool) -> HttpConnector<Resolver> {
    let mut http = HttpConnector::new_with_resolver(Resolver(settings.rule(is_secure)));
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(Duration::from_millis(settings.timeout_ms)));
    // Without a delay, no second address is tried while the first is connecting.
    http.set_happy_eyeballs_timeout(None);
    http
}

impl Exchange {
    /// Makes the connection idle, after the body was read to its end.
    pub(crate) fn release(self) {
        let Self { connection, origin, pool, .. } = self;
        if !connection.is_closed() && pool.put(origin, connection, moment()) {
            tokio::spawn(sweep_often(Arc::downgrade(&pool)));
        }
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an idle connection, unless the host has enough of them. Returns true if a task must begin
    /// to sweep.
    fn put(&self, origin: Uri, connection: Connection, now: Instant) -> bool {
        let mut idle = self.idle();
        let of_host = idle.connections.entry(origin).or_default();
        if of_host.len() < IDLE_PER_HOST_MAX {
            of_host.push((connection, now));
        }
        !std::mem::replace(&mut idle.is_swept, true)
    }

    /// Takes the connection that became idle last, if it is not too old. The others are older.
    fn take(&self, origin: &Uri, now: Instant) -> Option<Connection> {
        let mut idle = self.idle();
        let of_host = idle.connections.get_mut(origin)?;
        let (connection, since) = of_host.pop()?;
        if now.duration_since(since) < IDLE_MAX {
            return Some(connection);
        }
        of_host.clear();
        None
    }

    /// Closes the connections that are too old. Returns false if no connection is left.
    fn sweep(&self, now: Instant) -> bool {
        let mut idle = self.idle();
        for of_host in idle.connections.values_mut() {
            of_host.retain(|(connection, since)| {
                now.duration_since(*since) < IDLE_MAX && !connection.is_closed()
            });
        }
        idle.connections.retain(|_, of_host| !of_host.is_empty());
        idle.is_swept = !idle.connections.is_empty();
        idle.is_swept
    }
}

/// The present moment, for the ages of connections in this process. No object or row depends on it.
#[expect(clippy::disallowed_methods, reason = "the age of a connection is no time of the product")]
fn moment() -> Instant {
    Instant::now()
}

/// Sweeps at an interval, until no connection is idle or the client is gone.
async fn sweep_often(pool: Weak<Pool>) {
    loop {
        let never = std::future::pending::<()>();
        // This is the interval.
        let _ = tokio::time::timeout(IDLE_MAX, never).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep(moment())) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_util::rt::TokioIo;

    /// A connection whose other end stays open.
    async fn connection() -> (Connection, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1_024);
        let (connection, running) = handshake(TokioIo::new(near)).await.unwrap();
        tokio::spawn(running);
        (connection, far)
    }

    /// An idle connection is reused within a second, the newest first. Older ones are closed.
    #[tokio::test]
    async fn only_young_connections_are_reused() {
        let (pool, begin) = (Pool::default(), moment());
        let origin = Uri::from_static("http://127.0.0.1:4000");
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        let (first, _first_end) = connection().await;
        let (second, _second_end) = connection().await;
        assert!(pool.put(origin.clone(), first, at(0)));
        assert!(!pool.put(origin.clone(), second, at(600)));
        assert!(pool.take(&origin, at(1_500)).is_some());
        assert!(pool.take(&origin, at(1_500)).is_none());
        assert!(!pool.sweep(at(1_500)));

        let (third, _third_end) = connection().await;
        assert!(pool.put(origin.clone(), third, at(2_000)));
        assert!(pool.sweep(at(2_999)));
        assert!(!pool.sweep(at(3_000)));
        assert!(pool.take(&origin, at(2_001)).is_none());
    }
}
