//! The proxy of a run, on a loopback port.
//!
//! A program connects in one of three ways. With `CONNECT` it asks for a tunnel to a host. A request
//! with a whole `http` URL is for a host without TLS. A TLS handshake as the first bytes comes from a
//! preload, which connects a client of Stripe to this port directly.
//!
//! For Stripe's hosts the proxy ends TLS and copies the bytes to the server and back, so methods,
//! headers and bodies stay as the program wrote them. After a crash the system closes the port.

use super::hosts::{Hosts, STRIPE_PORT, Treatment, bare};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, client, server};
use hyper_util::rt::TokioIo;
use model::limits::{RUN_CONNECTIONS_MAX, RUN_REMARKS_MAX};
use rustls::ServerConfig;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// The port of `http` URLs without a port.
const HTTP_PORT: u16 = 80;
/// The header of clients that want to keep a connection to a proxy open.
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// A body that the proxy writes, or one that it passes on.
type Body = Either<Full<Bytes>, Incoming>;

/// The facts that all connections share.
pub(super) struct Rules {
    /// The hosts and their treatment.
    pub(super) hosts: Hosts,
    /// The TLS side of Stripe's hosts.
    pub(super) tls: Arc<ServerConfig>,
    /// The address of the server, such as `127.0.0.1:12111`.
    pub(super) server: String,
    /// Prints a remark for the person who runs the command.
    pub(super) remark: Box<dyn Fn(&str) + Send + Sync>,
}

/// A running proxy. It ends when it is dropped, with all of its connections.
pub(super) struct Proxy {
    /// Its address.
    pub(super) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// Starts a proxy on a free loopback port.
    pub(super) async fn start(rules: Rules) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { rules, remarks: Mutex::default() });
        Ok(Self { address, accepting: tokio::spawn(accept(listener, shared)) })
    }
}

struct Shared {
    rules: Rules,
    /// The remarks that were printed. Each is printed once in a run.
    remarks: Mutex<BTreeSet<String>>,
}

impl Shared {
    fn remark(&self, text: &str) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        if remarks.len() < RUN_REMARKS_MAX && remarks.insert(text.to_owned()) {
            (self.rules.remark)(&format!("bankfeed run: {text}"));
        }
    }

    /// Rejects a request for a host that the user did not allow. Many clients hide the response of a
    /// proxy, so the person reads the reason on standard error too.
    fn refuse(&self, host: &str) -> Response<Body> {
        let text = format!("calls of {host} are refused; allow them with `--allow {host}`");
        self.remark(&text);
        refusal(StatusCode::FORBIDDEN, &text)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // The tasks of connections end with this set.
    let mut connections = JoinSet::new();
    let slots = Arc::new(Semaphore::new(RUN_CONNECTIONS_MAX));
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        // An error is about one connection that its client has closed.
        if let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                serve(stream, shared).await;
                drop(slot);
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Serves a connection of a program to its end.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    if first[0] == TLS_HANDSHAKE {
        return intercept(stream, &shared).await;
    }
    let (tunnel, mut asked) = tokio::sync::mpsc::channel(1);
    let respond = service_fn(|request| {
        let (shared, tunnel) = (Arc::clone(&shared), tunnel.clone());
        async move { Ok::<_, Infallible>(respond(request, &shared, &tunnel).await) }
    });
    let mut builder = server::conn::http1::Builder::new();
    let connection =
        builder.preserve_header_case(true).serve_connection(TokioIo::new(stream), respond);
    // An error means that the client is gone, or that it does not speak HTTP.
    let _ = connection.with_upgrades().await;
    // Without this, a tunnel would end with the task that runs the connection.
    if let Ok((request, tunnel)) = asked.try_recv() {
        through(request, tunnel, &shared).await;
    }
}

/// The far end of a tunnel.
enum Tunnel {
    /// The server, in place of Stripe.
    Stripe,
    /// A host.
    Host(TcpStream),
}

type Asked = (Request<Incoming>, Tunnel);

async fn respond(
    request: Request<Incoming>,
    shared: &Shared,
    tunnel: &tokio::sync::mpsc::Sender<Asked>,
) -> Response<Body> {
    let target = request.uri().clone();
    let Some(host) = target.host().map(bare) else {
        let text = "this is the proxy of `bankfeed run`, and the server has another address";
        return refusal(StatusCode::BAD_REQUEST, text);
    };
    let treatment = shared.rules.hosts.treatment(host);
    if request.method() != Method::CONNECT {
        return match treatment {
            Treatment::Pass => pass(request, host).await,
            Treatment::Serve => {
                refusal(StatusCode::FORBIDDEN, "Stripe's hosts take https calls only")
            }
            Treatment::Refuse => shared.refuse(host),
        };
    }
    let Some(port) = target.port_u16() else {
        return refusal(StatusCode::BAD_REQUEST, "CONNECT needs a host and a port");
    };
    let end = match treatment {
        Treatment::Serve if port == STRIPE_PORT => Tunnel::Stripe,
        Treatment::Serve => {
            let text = format!("{host} is served on port {STRIPE_PORT} only");
            return refusal(StatusCode::FORBIDDEN, &text);
        }
        Treatment::Pass => match TcpStream::connect((host, port)).await {
            Ok(stream) => Tunnel::Host(stream),
            Err(error) => return unreachable_host(host, &error),
        },
        Treatment::Refuse => return shared.refuse(host),
    };
    // The channel has space, because a connection ends with its first tunnel.
    let _ = tunnel.try_send((request, end));
    Response::new(Either::Left(Full::default()))
}

/// Copies bytes through a tunnel until both ends are closed.
async fn through(request: Request<Incoming>, tunnel: Tunnel, shared: &Shared) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let mut near = TokioIo::new(upgraded);
    match tunnel {
        Tunnel::Stripe => intercept(near, shared).await,
        // An error means that one end closed early.
        Tunnel::Host(mut far) => drop(copy_bidirectional(&mut near, &mut far).await),
    }
}

/// Ends the TLS of a client of Stripe, and copies its bytes to the server and back.
async fn intercept(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.rules.tls));
    let mut near = match acceptor.accept(stream).await {
        Ok(near) => near,
        Err(error) => {
            if is_distrust(&error) {
                shared.remark(
                    "the program does not trust the certificate of this run, because it has a list \
                     of authorities of its own",
                );
            }
            return;
        }
    };
    // Without the server, the client reads an end of the connection.
    if let Ok(mut far) = TcpStream::connect(&shared.rules.server).await {
        // Nagle's algorithm would delay the end of a request by the time of an acknowledgement.
        let _ = far.set_nodelay(true);
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}

/// True if a client ended the handshake because it does not know the authority.
fn is_distrust(error: &std::io::Error) -> bool {
    // The last one is for an authority of the same name, such as that of another run.
    use rustls::AlertDescription::{BadCertificate, CertificateUnknown, DecryptError, UnknownCA};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        tls,
        Some(rustls::Error::AlertReceived(
            BadCertificate | CertificateUnknown | DecryptError | UnknownCA
        ))
    )
}

/// Passes a request without TLS on to its host.
async fn pass(mut request: Request<Incoming>, host: &str) -> Response<Body> {
    let port = request.uri().port_u16().unwrap_or(HTTP_PORT);
    let stream = match TcpStream::connect((host, port)).await {
        Ok(stream) => stream,
        Err(error) => return unreachable_host(host, &error),
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(path) = path.parse::<Uri>() else {
        return refusal(StatusCode::BAD_REQUEST, "the URL has an invalid path");
    };
    *request.uri_mut() = path;
    request.headers_mut().remove(PROXY_CONNECTION);
    let mut builder = client::conn::http1::Builder::new();
    match builder.preserve_header_case(true).handshake(TokioIo::new(stream)).await {
        Ok((mut sender, connection)) => {
            // The response reports an error of the connection.
            tokio::spawn(async move { connection.await.ok() });
            match sender.send_request(request).await {
                Ok(response) => response.map(Either::Right),
                Err(error) => unreachable_host(host, &error),
            }
        }
        Err(error) => unreachable_host(host, &error),
    }
}

fn unreachable_host(host: &str, error: &dyn std::error::Error) -> Response<Body> {
    refusal(StatusCode::BAD_GATEWAY, &format!("could not connect to {host}: {error}"))
}

fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::from(format!("bankfeed run: {text}\n"));
    let mut response = Response::new(Either::Left(body));
    *response.status_mut() = status;
    // Some clients show the reason phrase of a proxy, and not its body.
    if let Ok(reason) = ReasonPhrase::try_from(text.as_bytes()) {
        response.extensions_mut().insert(reason);
    }
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
