//! `bankfeed listen`: a webhook endpoint on this machine while the command runs.
//!
//! It starts a receiver on a free local port, has the server post events there, prints each and
//! forwards it with its body and signature unchanged, and answers the server with what the target
//! answered, so that a delivery that the target refused is tried again. The endpoint is deleted at
//! the end; one that is left behind after a kill is seen in `GET /v1/webhook_endpoints`.

use super::client::local_outbound;
use super::{Client, ClientError, CommandError, EndSignals, Received, output, runtime};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Args;
use connectors::outbound::Outbound;
use serde_json::Value;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Headers that the target needs to verify an event.
const FORWARDED_HEADERS: [&str; 3] = ["content-type", "stripe-signature", "user-agent"];

/// What may be said on the command line.
#[derive(Args)]
pub(super) struct ListenFlags {
    /// Where events are posted to as well
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Which event types, with commas between
    #[arg(long, value_name = "TYPES", default_value = "*", value_delimiter = ',')]
    events: Vec<String>,
    /// The API key whose events are meant
    #[arg(long, value_name = "KEY", default_value = "sk_test_123", env = "BANKFEED_API_KEY")]
    api_key: String,
    /// Where the server is
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:12111",
        env = "BANKFEED_API_BASE"
    )]
    api_base: String,
}

/// Why events cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListenError {
    #[error("could not listen on this machine")]
    Receiver(#[source] std::io::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the server refused the webhook endpoint: {0}")]
    Refused(String),
}

struct Receiver {
    outbound: Outbound,
    forward_to: Option<String>,
}

pub(super) fn run(flags: &ListenFlags) -> Result<(), CommandError> {
    runtime()?.block_on(async {
        let mut signals = EndSignals::listen()?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(ListenError::Receiver)?;
        let address = listener.local_addr().map_err(ListenError::Receiver)?;
        let client = Client::build(&flags.api_base, &flags.api_key).map_err(ListenError::from)?;
        let outbound = local_outbound().map_err(ClientError::from).map_err(ListenError::from)?;
        if let Some(target) = &flags.forward_to {
            outbound.check_url(target).map_err(ClientError::from).map_err(ListenError::from)?;
        }
        let receiver = Receiver { outbound, forward_to: flags.forward_to.clone() };
        let service = Router::new().route("/", post(receive)).with_state(Arc::new(receiver));
        let serving = tokio::spawn(async move { axum::serve(listener, service).await });

        let endpoint = create_endpoint(&client, &format!("http://{address}/"), flags).await?;
        let target = flags.forward_to.as_deref().unwrap_or("nowhere, printing only");
        output::say(&format!("forwarding to {target}; the signing secret is {}", endpoint.secret));
        signals.next().await;
        delete_endpoint(&client, &endpoint.id).await?;
        serving.abort();
        Ok(())
    })
}

struct Endpoint {
    id: String,
    secret: String,
}

async fn create_endpoint(
    client: &Client,
    url: &str,
    flags: &ListenFlags,
) -> Result<Endpoint, ListenError> {
    let mut form = vec![("url", url), ("description", "bankfeed listen")];
    form.extend(flags.events.iter().map(|event| ("enabled_events[]", event.as_str())));
    let created = accepted(client.call("POST", "/v1/webhook_endpoints", &form).await?)?;
    Ok(Endpoint { id: text(&created, "/id"), secret: text(&created, "/secret") })
}

async fn delete_endpoint(client: &Client, id: &str) -> Result<(), ListenError> {
    accepted(client.call("DELETE", &format!("/v1/webhook_endpoints/{id}"), &[]).await?).map(drop)
}

fn accepted(received: Received) -> Result<Value, ListenError> {
    if received.status == 200 {
        return Ok(received.body);
    }
    Err(ListenError::Refused(text(&received.body, "/error/message")))
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
    output::say(&format!(
        "{}  {}  {}  {}  {shown}",
        time_of_day(event["created"].as_i64().unwrap_or_default()),
        text(&event, "/type"),
        text(&event, "/id"),
        text(&event, "/data/object/id"),
    ));
    status
}

impl Receiver {
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

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned()
}

/// Hours, minutes and seconds of a Unix time, in UTC.
fn time_of_day(seconds: i64) -> String {
    let second = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of day are those of UTC.
    #[test]
    fn tells_the_time_of_day() {
        assert_eq!(time_of_day(0), "00:00:00");
        assert_eq!(time_of_day(1_767_225_599), "23:59:59");
    }
}
