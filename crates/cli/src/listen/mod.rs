//! `bankfeed listen`: a webhook endpoint on this machine while the command runs.
//!
//! The command starts a receiver on a free local port and registers it as a webhook endpoint. It
//! prints each event, and forwards it with its body and signature unchanged. It returns the
//! target's status to the server, so that the server retries a rejected delivery.
//!
//! With `--thin` it registers an event destination instead, which receives thin events.
//!
//! If the server is lost, the command waits for it and goes on ([`connection`]).
//!
//! The endpoint is deleted at the end. After a kill, the endpoint remains and `GET
//! /v1/webhook_endpoints` or `GET /v2/core/event_destinations` lists it.

mod connection;

use super::client::local_outbound;
use super::events::{object_of, warn_of_unknown_types};
use super::format::moment;
use super::global::GlobalFlags;
use super::output::OutputError;
use super::server::{Server, ServerError, text};
use super::{CommandError, EndSignals, output, runtime};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Args;
use connection::Connection;
use model::endpoint::ONLY_PRINTS;
use model::limits::LISTEN_EVENTS_MAX;
use outbound::{Outbound, OutboundError};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The headers that the target needs to verify an event.
const FORWARDED_HEADERS: [&str; 3] = ["content-type", "stripe-signature", "user-agent"];

/// The flags of `bankfeed listen`.
#[derive(Args)]
pub struct ListenFlags {
    /// URL to forward events to
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Event types, separated by commas
    #[arg(long, value_name = "TYPES", default_value = "*", value_delimiter = ',')]
    events: Vec<String>,
    /// Receive thin events, through an event destination
    #[arg(long)]
    thin: bool,
}

/// The error of `bankfeed listen`.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("could not listen on this machine")]
    Receiver(#[source] std::io::Error),
    #[error("could not prepare to post to the target")]
    Outbound(#[from] OutboundError),
}

struct Receiver {
    outbound: Outbound,
    forward_to: Option<String>,
    /// True if events are printed as JSON.
    json: bool,
    /// Receives an error when an event could not be printed.
    lost: mpsc::Sender<OutputError>,
    /// The ids of the events that the target accepted, oldest first, at most [`LISTEN_EVENTS_MAX`].
    forwarded: Mutex<VecDeque<String>>,
}

pub(super) fn run(flags: &ListenFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    runtime()?.block_on(async {
        let mut signals = EndSignals::listen_with_hangup()?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(ListenError::Receiver)?;
        let address = listener.local_addr().map_err(ListenError::Receiver)?;
        let server = Server::of(global)?;
        let outbound = local_outbound();
        if let Some(target) = &flags.forward_to {
            outbound.check_url(target).map_err(|error| ServerError::Usage {
                problem: format!("invalid target address '{target}': {error}"),
                help: "An address looks like http://127.0.0.1:4242/webhook".to_owned(),
            })?;
        }
        let forward_to = flags.forward_to.clone();
        let (lost, mut losing) = mpsc::channel(1);
        let forwarded = Mutex::default();
        let receiver = Receiver { outbound, forward_to, json: server.json, lost, forwarded };
        let receiver = Arc::new(receiver);
        let service = Router::new().route("/", post(receive)).with_state(Arc::clone(&receiver));
        let serving = tokio::spawn(async move { axum::serve(listener, service).await });

        let url = format!("http://{address}/");
        let mut connection = Connection::open(&server, flags, global, &receiver, url).await?;
        // The server has rejected names that it does not know, with an error of its own.
        warn_of_unknown_types(&flags.events);
        let ended = match greet(&connection.endpoint, flags, global) {
            Ok(()) => tokio::select! {
                _ = signals.next() => Ok(()),
                Some(lost) = losing.recv() => Err(lost.into()),
                error = connection.keep() => Err(error),
            },
            Err(lost) => Err(lost.into()),
        };
        let closed = connection.close().await;
        serving.abort();
        Ok(ended.and(closed)?)
    })
}

/// The path of the calls for the endpoint or the destination.
fn path_of(flags: &ListenFlags) -> &'static str {
    if flags.thin { "/v2/core/event_destinations" } else { "/v1/webhook_endpoints" }
}

async fn create_endpoint(
    server: &Server,
    url: &str,
    flags: &ListenFlags,
) -> Result<Value, ServerError> {
    let mut form = if flags.thin {
        vec![
            ("name", "bankfeed listen"),
            ("type", "webhook_endpoint"),
            ("event_payload", "thin"),
            ("webhook_endpoint[url]", url),
            ("include[]", "webhook_endpoint.signing_secret"),
        ]
    } else {
        vec![("url", url), ("description", "bankfeed listen")]
    };
    let printing = format!("metadata[{}]", ONLY_PRINTS.0);
    if flags.forward_to.is_none() {
        // The client checker ignores an endpoint that only prints.
        form.push((&printing, ONLY_PRINTS.1));
    }
    form.extend(flags.events.iter().map(|event| ("enabled_events[]", event.as_str())));
    server.post(path_of(flags), &form).await
}

/// Prints the target of the events, and the signing secret.
fn greet(endpoint: &Value, flags: &ListenFlags, global: &GlobalFlags) -> Result<(), OutputError> {
    if global.json {
        return output::say_json_line(endpoint);
    }
    let work = match &flags.forward_to {
        Some(target) => format!("forwarding to {target}"),
        None => "printing only".to_owned(),
    };
    let secret = if flags.thin {
        text(&endpoint["webhook_endpoint"], "signing_secret")
    } else {
        text(endpoint, "secret")
    };
    output::say(&format!("{work}; the signing secret is {secret}"))
}

/// Prints and forwards one event.
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, shown) = match &receiver.forward_to {
        None => (StatusCode::OK, String::new()),
        Some(target) => receiver.forward(target, &headers, body).await,
    };
    let printed = if receiver.json {
        output::say_json_line(&event)
    } else {
        output::say(&format!(
            "{}  {}  {}  {}  {shown}",
            moment(&event["created"]),
            text(&event, "type"),
            text(&event, "id"),
            object_of(&event),
        ))
    };
    if let Err(lost) = printed {
        // An event that could not be printed ends the command, so later ones have no effect.
        let _ = receiver.lost.try_send(lost);
    } else if status.is_success() {
        receiver.note_forwarded(text(&event, "id"));
    }
    status
}

impl Receiver {
    fn note_forwarded(&self, id: String) {
        let mut forwarded = self.forwarded.lock().unwrap_or_else(PoisonError::into_inner);
        if forwarded.len() == LISTEN_EVENTS_MAX {
            forwarded.pop_front();
        }
        forwarded.push_back(id);
    }

    /// True if the target has accepted the event.
    fn has_forwarded(&self, id: &str) -> bool {
        let forwarded = self.forwarded.lock().unwrap_or_else(PoisonError::into_inner);
        forwarded.iter().any(|other| other == id)
    }

    async fn forward(
        &self,
        target: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> (StatusCode, String) {
        let forwarded: Vec<(&str, &str)> = FORWARDED_HEADERS
            .iter()
            .filter_map(|name| Some((*name, headers.get(*name)?.to_str().ok()?)))
            .collect();
        let posted = self.outbound.post(target, &forwarded, body.to_vec()).await;
        match posted.status {
            Ok(status) => (
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
                format!("-> {status}"),
            ),
            Err(reason) => (StatusCode::BAD_GATEWAY, format!("-> not reached: {reason}")),
        }
    }
}
