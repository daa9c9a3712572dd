//! The steps of every API call: id, key, version, body, parameters, idempotency key, use case,
//! response. An error in one step is returned at once, and later steps do not see the request.
//!
//! Each write runs in a task of its own, so a client that disconnects cannot interrupt it. This
//! file and [`super::idempotency`] contain the code that all calls share. Each resource file
//! contains its parameters.

use super::app::{App, RESPONSE_LIMIT};
use super::auth::authenticate;
use super::budget::Room;
use super::caller::{Caller, act_in};
use super::cors;
use super::guard::caught;
use super::head::Head;
use super::idempotency::{find_replay, fingerprint, read_key, record};
use super::listener::Peer;
use super::record::Pattern;
use super::sent::Sent;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use engine::connect::access::Connected;
use engine::{ApiResponse, Context, Engine, Idempotency};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lab::Lab;
use model::id::RequestId;
use model::limits::{BODY_BYTES_MAX, QUERY_BYTES_MAX};
use outbound::COMMAND_LINE;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;
use wire::error::Error as ApiError;
use wire::expand::{Expand, Returns};
use wire::params::{Gaps, Params};
use wire::version::Version;

/// The common prefix of the addresses that control tests.
const TEST_HELPERS: &str = "/v1/test_helpers/";
/// The longest time that a body waits for room.
const BODY_WAIT_MAX: Duration = Duration::from_millis(model::limits::BODY_MS_MAX);
/// The name of the limit of bodies that are worked on at once.
const BODY_LIMIT: &str = "request-bytes";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// The common prefix of the calls with JSON bodies and with errors in their own form.
const SECOND_VERSION: &str = "/v2/";

/// An address of the API.
pub(super) struct Route {
    /// The pattern in the router. Logs contain it instead of the path, which may contain anything.
    pub(super) pattern: &'static str,
    /// True if a publishable key may call it.
    pub(super) publishable: bool,
    /// Turns parameters into input and calls the engine.
    pub(super) handler: Handler,
}

/// The handler that a resource file provides for an address.
pub(super) type Handler = Box<dyn Fn(Call) -> Pending + Send + Sync>;
/// A use case in progress.
pub(super) type Pending = Pin<Box<dyn Future<Output = Outcome> + Send>>;
/// The outcome of a use case.
pub(super) type Outcome = Result<ApiResponse, Fault>;

/// The cause of an API error.
pub(super) enum Fault {
    /// The parameters are invalid. No work was begun.
    Parameters(ApiError),
    /// The engine returned an error.
    Engine(engine::Error),
}

impl Fault {
    /// Returns the same error, with the items of lists named by the indexes that the client sent.
    fn with_sent_indexes(mut self, gaps: &Gaps) -> Self {
        let api_error = match &mut self {
            Self::Parameters(api_error) => api_error,
            Self::Engine(engine::Error::Rejected(api_error)) => api_error.as_mut(),
            Self::Engine(_) => return self,
        };
        if let Some(param) = &mut api_error.param {
            let sent = gaps.as_sent(param);
            api_error.message = api_error.message.replace(&*param, &sent);
            *param = sent;
        }
        self
    }
}

impl From<ApiError> for Fault {
    fn from(api_error: ApiError) -> Self {
        Self::Parameters(api_error)
    }
}

impl From<engine::Error> for Fault {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

/// A call with parameters that are still to be taken.
pub(super) struct Call {
    pub(super) params: Params,
    /// True if it came with a publishable key.
    pub(super) publishable: bool,
    ready: Ready,
}

/// A call after all its parameters were taken.
pub(super) struct Ready {
    pub(super) engine: Arc<Engine>,
    pub(super) lab: Arc<Lab>,
    pub(super) context: Context,
    path: Vec<String>,
}

impl Route {
    /// True for a call with a JSON body, and with errors in the form of `/v2`.
    fn is_second_version(&self) -> bool {
        self.pattern.starts_with(SECOND_VERSION)
    }
}

impl Call {
    /// The requested API version.
    pub(super) fn version(&self) -> &Version {
        &self.ready.context.version
    }

    /// Takes `expand`, checks it against the expandable fields of the response, and rejects unknown
    /// parameters.
    pub(super) fn ready(self, returns: Returns) -> Result<Ready, ApiError> {
        let Self { mut params, mut ready, .. } = self;
        ready.context.expand = Expand::take(&mut params, returns, &ready.context.version)?;
        params.finish()?;
        Ok(ready)
    }

    /// Rejects unknown parameters. Calls under `/v2` have no `expand`.
    pub(super) fn ready_in_second_version(self) -> Result<Ready, ApiError> {
        let Self { params, ready, .. } = self;
        params.finish()?;
        Ok(ready)
    }
}

impl Ready {
    /// The first id in the path.
    pub(super) fn id(&self) -> &str {
        self.path_part(0)
    }

    /// The text of a variable part of the path, counted from 0.
    pub(super) fn path_part(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }
}

/// Returns an API error for a request that has no use case.
pub(super) fn reject(
    app: &App,
    request: Request,
    pattern: &'static str,
    api_error: impl FnOnce(&str, &str) -> ApiError,
) -> Response {
    let (parts, body) = request.into_parts();
    let (head, _) = Head::read(app, &parts);
    let path = parts.uri.path();
    let sent = Sent::rejected(&api_error(parts.method.as_str(), path));
    // Nobody reads the body, so the connection ends. The client must know, or its next request fails.
    let sent = if body.is_end_stream() { sent } else { sent.closing() };
    let sent = if path.starts_with(SECOND_VERSION) { sent.in_second_version() } else { sent };
    head.respond(app, pattern, sent)
}

/// Handles an API call.
pub(super) async fn handle(app: Arc<App>, route: Arc<Route>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (mut head, version) = Head::read(&app, &parts);
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().cloned();
    let admitted = admit(&app, &route, &parts.headers);
    head.merchant = admitted.as_ref().ok().map(|caller| caller.merchant);
    if let Ok(caller) = &admitted {
        app.note_use(caller.merchant, caller.livemode).await;
    }
    let has_secret_key = admitted.as_ref().is_ok_and(|caller| !caller.publishable);
    let span = tracing::info_span!(
        "request",
        route = route.pattern,
        request.id = %head.id,
        merchant = head.merchant.map(display)
    );
    let work = {
        let (app, route, id) = (Arc::clone(&app), Arc::clone(&route), head.id);
        let known_version = head.version.clone();
        // In a box, because the layers around it would each copy its kilobytes.
        Box::pin(async move {
            let admitted = admitted.and_then(|caller| version.map(|()| caller));
            match admitted {
                Ok(caller) => perform(&app, &route, id, caller, known_version, parts, body)
                    .await
                    .unwrap_or_else(|api_error| Sent::rejected(&api_error)),
                Err(api_error) => Sent::rejected(&api_error),
            }
        })
    };
    let work = caught(work).instrument(span);
    let sent = if head.method == Method::GET {
        work.await
    } else {
        // Only a runtime that shuts down cancels the task.
        tokio::spawn(work).await.unwrap_or(None)
    };
    let sent = sent.unwrap_or_else(|| Sent::rejected(&ApiError::internal()));
    let sent = if route.is_second_version() { sent.in_second_version() } else { sent };
    if sent.cut
        && let Some(ConnectInfo(peer)) = peer
    {
        peer.link.cut();
    }
    let mut response = head.respond(&app, route.pattern, sent);
    if app.record.is_some() {
        response.extensions_mut().insert(Pattern(route.pattern));
    }
    if route.publishable && !has_secret_key {
        cors::open(response.headers_mut());
    }
    response
}

/// Checks that the caller may call this address.
fn admit(app: &App, route: &Route, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let caller = authenticate(&app.keys, headers)?;
    if caller.publishable && !route.publishable {
        return Err(ApiError::secret_key_required());
    }
    if caller.livemode && route.pattern.starts_with(TEST_HELPERS) {
        return Err(ApiError::test_mode_only());
    }
    Ok(caller)
}

/// Performs the steps after authentication: parameters, idempotency key and use case.
async fn perform(
    app: &App,
    route: &Route,
    id: RequestId,
    mut caller: Caller,
    version: Version,
    mut parts: Parts,
    body: Body,
) -> Result<Sent, ApiError> {
    let takes_json = route.is_second_version();
    let key = read_key(&parts.method, &parts.headers, takes_json)?;
    if parts.method != Method::GET && !app.budgets.takes_writes() {
        return Ok(Sent::full(RESPONSE_LIMIT));
    }
    let (body, _room) = match collect_body(app, &parts.headers, body).await {
        Ok((body, room)) => (check_body(&parts.headers, body, takes_json)?, room),
        // The rest of the body has no use, so the connection has none either.
        Err(api_error) => return Ok(Sent::rejected(&api_error).closing()),
    };
    let path = read_path(&mut parts).await?;
    let params = read_params(&parts, &body, takes_json)?.strict(app.strict);
    let connected = match act_in(&app.engine, &mut caller, &parts).await {
        Ok(connected) => connected,
        Err(error) => return Ok(Sent::failed(id, &error)),
    };
    let mut request_bytes = params.fingerprint();
    // The response to a secret key must not be repeated to a browser.
    request_bytes.extend_from_slice(if caller.publishable { b"publishable" } else { b"" });
    let idempotency = key.map(|key| Idempotency {
        fingerprint: fingerprint(&parts.method, parts.uri.path(), &request_bytes, &version),
        key,
    });
    let context = Context {
        merchant: caller.merchant,
        connected: connected.map(Box::new),
        livemode: caller.livemode,
        publishable: caller.publishable,
        request: id,
        version,
        expand: Expand::default(),
        idempotency: idempotency.clone(),
    };
    let fault = app.lab.fault_of_call(&context, parts.method.as_str(), parts.uri.path()).await;
    let fault = match fault {
        Ok(fault) => fault,
        Err(error) => return Ok(Sent::failed(id, &error)),
    };
    let (engine, lab) = (Arc::clone(&app.engine), Arc::clone(&app.lab));
    let acting_in = context.connected.clone();
    let ready = Ready { engine, lab, context, path };
    let gaps = params.gaps();
    let call = Call { params, publishable: caller.publishable, ready };
    if let Some(fault) = fault {
        app.lab.hold_call(fault).await;
        if let Some(sent) = Sent::in_place_of(fault) {
            return Ok(sent);
        }
    }
    let watched =
        is_watched(caller, &parts.headers).then(|| app.lab.watch_call(caller.merchant, id));
    let mut pending = (route.handler)(call);
    if !gaps.is_empty() {
        pending =
            Box::pin(async move { pending.await.map_err(|fault| fault.with_sent_indexes(&gaps)) });
    }
    if let Some(connected) = acting_in {
        pending = Box::pin(unless_deleted(Arc::clone(&app.engine), connected, pending));
    }
    let sent = run(app, caller, id, idempotency, pending).await?;
    let sent = match fault {
        Some(fault) => sent.after(fault),
        None => sent,
    };
    if let Some(watched) = watched.filter(|_| sent.decided) {
        watched.responded().await;
    }
    Ok(sent)
}

/// The outcome of a call in a connected account. If the account was deleted meanwhile, the call
/// could not commit, and its API error says so.
async fn unless_deleted(
    engine: Arc<Engine>,
    connected: Box<Connected>,
    pending: Pending,
) -> Outcome {
    match pending.await {
        Err(Fault::Engine(engine::Error::Locked)) => {
            engine.check_not_deleted(&connected).await?;
            Err(engine::Error::Locked.into())
        }
        outcome => outcome,
    }
}

/// Runs a use case. With an idempotency key it runs only once.
async fn run(
    app: &App,
    caller: Caller,
    id: RequestId,
    idempotency: Option<Idempotency>,
    pending: Pending,
) -> Result<Sent, ApiError> {
    let Some(idempotency) = idempotency else { return Ok(settle(id, pending.await)) };
    let _running = app.running.enter(caller.merchant, &idempotency.key)?;
    let sent = once(app, caller, id, &idempotency, pending).await;
    Ok(sent.unwrap_or_else(|error| Sent::failed(id, &error)))
}

/// True if a call comes from a merchant's own client in test mode. The client checker observes
/// these calls only.
fn is_watched(caller: Caller, headers: &HeaderMap) -> bool {
    !caller.livemode && !caller.publishable && !is_command_line(headers)
}

/// True if a person uses a command of bankfeed.
fn is_command_line(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes() == COMMAND_LINE.as_bytes())
}

/// Creates the response for the outcome of a call that has no idempotency key.
fn settle(id: RequestId, outcome: Outcome) -> Sent {
    match outcome {
        Ok(response) => Sent::succeeded(response),
        Err(Fault::Parameters(api_error)) => Sent::rejected(&api_error),
        Err(Fault::Engine(error)) => Sent::failed(id, &error),
    }
}

/// Runs a use case unless its idempotency key already has a response, and makes sure that the key
/// has one afterwards.
async fn once(
    app: &App,
    caller: Caller,
    id: RequestId,
    idempotency: &Idempotency,
    pending: Pending,
) -> Result<Sent, engine::Error> {
    if let Some(sent) = find_replay(&app.engine, caller.merchant, idempotency).await? {
        return Ok(sent);
    }
    match pending.await {
        Ok(response) if response.recorded => Ok(Sent::succeeded(response)),
        Ok(response) => {
            record(&app.engine, caller.merchant, id, idempotency, Sent::succeeded(response)).await
        }
        Err(Fault::Parameters(api_error)) => Ok(Sent::rejected(&api_error)),
        Err(Fault::Engine(engine::Error::KeyTaken)) => {
            find_replay(&app.engine, caller.merchant, idempotency)
                .await?
                .ok_or(engine::Error::KeyTaken)
        }
        Err(Fault::Engine(error)) if error.is_outcome() => {
            record(&app.engine, caller.merchant, id, idempotency, Sent::failed(id, &error)).await
        }
        Err(Fault::Engine(error)) => Err(error),
    }
}

async fn read_path(parts: &mut Parts) -> Result<Vec<String>, ApiError> {
    let unknown = |parts: &Parts| ApiError::unknown_url(parts.method.as_str(), parts.uri.path());
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(open) => Ok(open.iter().map(|(_, value)| value.to_owned()).collect()),
        // A part of the path that is not UTF-8 matches no object.
        Err(_) => Err(unknown(parts)),
    }
}

fn read_params(parts: &Parts, body: &str, is_json: bool) -> Result<Params, ApiError> {
    let query = parts.uri.query().unwrap_or("");
    if query.len() > QUERY_BYTES_MAX {
        return Err(ApiError::too_large("query string", QUERY_BYTES_MAX));
    }
    if is_json { Params::parse_json(query, body) } else { Params::parse(query, body) }
}

/// Reads a body, sent whole or in chunks. Returns it with the room that it takes. A large body is not
/// read before there is room.
pub(super) async fn collect_body(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Option<Room>), ApiError> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), None));
    }
    let too_large = || ApiError::too_large("request body", BODY_BYTES_MAX);
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced: Option<usize> = announced.and_then(|length| length.parse().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let bytes = announced.unwrap_or(BODY_BYTES_MAX);
    let Ok(room) = tokio::time::timeout(BODY_WAIT_MAX, app.budgets.body_room(bytes)).await else {
        return Err(ApiError::rate_limited(BODY_LIMIT));
    };
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok((collected.to_bytes(), room)),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) if is_late(&*error) => {
            Err(ApiError::invalid("The request body took too long to arrive."))
        }
        Err(_) => Err(ApiError::invalid("The request body broke off.")),
    }
}

/// True if the connection ended a body because its time was over.
fn is_late(error: &(dyn Error + 'static)) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        || error.source().is_some_and(is_late)
}

/// Checks the type and the text of a form or JSON body.
fn check_body(headers: &HeaderMap, bytes: Bytes, takes_json: bool) -> Result<String, ApiError> {
    if bytes.is_empty() {
        return Ok(String::new());
    }
    if let Some(content_type) = headers.get(CONTENT_TYPE) {
        let content_type = String::from_utf8_lossy(content_type.as_bytes());
        let media_type = content_type.split(';').next().unwrap_or("").trim();
        if takes_json && !media_type.eq_ignore_ascii_case(JSON) {
            return Err(ApiError::body_not_json(media_type));
        }
        if !takes_json && !media_type.eq_ignore_ascii_case(FORM) {
            return Err(ApiError::wrong_content_type(media_type));
        }
    }
    let body = String::from_utf8(bytes.into());
    let body = body.map_err(|_| ApiError::invalid("The request body is not UTF-8 text."))?;
    Ok(body)
}
