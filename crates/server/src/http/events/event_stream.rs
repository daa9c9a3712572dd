//! `/v1/stripecli/sessions` and its WebSocket connection, both of which `stripe listen` uses.

use crate::http::app::App;
use crate::http::call::{Call, Outcome};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::Engine;
use engine::events::event_stream::EventStream;
use model::limits::{EVENT_STREAM_RECEIVED_BYTES_MAX, EVENT_STREAM_SEND_MS_MAX, TEXT_CHARS_MAX};
use std::sync::Arc;
use std::time::Duration;
use wire::error::Error as ApiError;
use wire::expand::Returns;
use wire::params::Setting;

/// The name of the CLI's subprotocol.
const PROTOCOL: &str = "stripecli-devproxy-v1";
const ID: &str = "Websocket-Id";

pub(in crate::http) async fn open(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.ignore("device_name");
    // The target that the CLI forwards events to. The CLI does the forwarding.
    let mut forwards = false;
    for name in ["forward_to_url", "forward_connect_to_url"] {
        let target = params.unsettable_text(name, TEXT_CHARS_MAX)?;
        forwards |= matches!(target, Some(Setting::Set(_)));
    }
    for name in ["forward_thin_to_url", "forward_thin_connect_to_url"] {
        params.ignore(name);
    }
    let features = params.need("websocket_features", wire::params::Params::texts)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.open_event_stream(&call.context, &features, forwards).await?)
}

/// Upgrades a request to the WebSocket connection of an event stream.
pub(in crate::http) async fn subscribe(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let id = headers.get(ID).and_then(|id| id.to_str().ok()).unwrap_or("");
    let Some(stream) = app.engine.find_event_stream(id) else {
        // This message makes the CLI open another session.
        return rejection_response("Unknown WebSocket ID.");
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection_response(&rejection.body_text()),
    };
    app.note_use(stream.merchant(), false).await;
    let engine = Arc::clone(&app.engine);
    upgrade.protocols([PROTOCOL]).max_message_size(EVENT_STREAM_RECEIVED_BYTES_MAX).on_upgrade(
        async move |socket| {
            let reading = stream.begin_reading();
            talk(&engine, &stream, reading, socket).await;
            engine.leave_event_stream(&stream, reading);
        },
    )
}

fn rejection_response(message: &str) -> Response {
    let body = ApiError::invalid(message).to_json(None);
    (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Sends pending events and reads the client's messages until either side closes the connection.
async fn talk(engine: &Engine, stream: &EventStream, reading: u64, mut socket: WebSocket) {
    loop {
        let sending = tokio::select! {
            next = stream.next(reading) => next,
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => {
                    engine.hear_event_stream(stream, text.as_str());
                    refill(engine, stream).await;
                    continue;
                }
                // The library responds to pings.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        };
        let over = sending.is_none();
        let message = match sending {
            Some(text) => Message::Text(text.into()),
            None => Message::Close(Some(CloseFrame {
                code: close_code::NORMAL,
                reason: "another connection reads".into(),
            })),
        };
        let time_max = Duration::from_millis(EVENT_STREAM_SEND_MS_MAX);
        let sent = tokio::time::timeout(time_max, socket.send(message)).await;
        if over || !matches!(sent, Ok(Ok(()))) {
            return;
        }
        refill(engine, stream).await;
    }
}

/// Reads further events for a stream after its reader has made room. After an error the stream continues at
/// the next message or dispatch.
async fn refill(engine: &Engine, stream: &EventStream) {
    if let Err(error) = engine.continue_event_stream(stream).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "the events of a stream could not be read");
    }
}
