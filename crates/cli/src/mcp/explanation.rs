//! The explanation of a delivery: its state in one sentence, and hints about a failure.
//!
//! The hints are a pure function of the ledger, so equal deliveries have equal hints. They name likely
//! causes, because the server sees only the response.

use crate::format;
use crate::server::text;
use model::limits::DELIVERY_TIMEOUT_MS;
use serde_json::Value;

/// The fault that signs an attempt with another secret.
const WRONGLY_SIGNED: &str = "webhook_wrongly_signed";

/// An explanation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// The state of the delivery.
    pub(super) summary: String,
    /// The likely causes of a failure, and what to do.
    pub(super) hints: Vec<String>,
}

/// Explains a delivery to an endpoint, which may have been deleted.
pub(super) fn explanation(delivery: &Value, endpoint: Option<&Value>) -> Explanation {
    let attempts = delivery["attempts"].as_array().map_or(&[][..], Vec::as_slice);
    let last = attempts.last();
    let mut hints = Vec::new();
    let status = text(delivery, "status");
    if let Some(fault) = text(&delivery["fault"], "kind").strip_prefix("webhook_") {
        hints.push(format!("A fault of this test hit the delivery: webhook_{fault}."));
    }
    if status != "succeeded"
        && let Some(attempt) = last
    {
        hints.extend(hints_of(attempt, endpoint));
    }
    Explanation { summary: summary(&status, delivery, attempts), hints }
}

/// The state of a delivery in words.
fn summary(status: &str, delivery: &Value, attempts: &[Value]) -> String {
    let outcome = attempts.last().map(|attempt| {
        format!("Attempt {} at {} {}.", text(attempt, "number"), at(attempt), outcome(attempt))
    });
    let outcome = outcome.unwrap_or_else(|| "No attempt was made yet.".to_owned());
    let next = format::moment(&delivery["next_attempt_at"]);
    match status {
        "succeeded" => format!("The delivery succeeded. {outcome}"),
        "pending" if next.is_empty() => format!("The delivery is pending. {outcome}"),
        "pending" => {
            format!("The delivery is pending. {outcome} The next attempt is due at {next} UTC.")
        }
        "failed" => {
            let end = "No attempt follows, because the schedule of retries is over.";
            format!("The delivery failed after {} attempts. {outcome} {end}", attempts.len())
        }
        "canceled" => "The endpoint was deleted or disabled, which ended the delivery.".to_owned(),
        "lost" => "A fault of this test prevented the delivery. No attempt was made.".to_owned(),
        other => format!("The delivery is {other}. {outcome}"),
    }
}

fn at(attempt: &Value) -> String {
    format!("{} UTC", format::moment(&attempt["at"]))
}

/// The outcome of an attempt as a verb.
fn outcome(attempt: &Value) -> String {
    match attempt["status"].as_i64() {
        Some(status) => format!("received status {status}"),
        None => format!("received no response ({})", text(attempt, "error")),
    }
}

/// The likely causes of a failed attempt.
fn hints_of(attempt: &Value, endpoint: Option<&Value>) -> Vec<String> {
    let mut hints = Vec::new();
    let url = endpoint.map(|endpoint| text(endpoint, "url")).unwrap_or_default();
    let url = if url.is_empty() { "the URL of the endpoint".to_owned() } else { url };
    let response = text(attempt, "response").to_lowercase();
    let is_wrongly_signed = text(attempt, "fault") == WRONGLY_SIGNED
        || text(&attempt["fault"], "kind") == WRONGLY_SIGNED;
    if is_wrongly_signed {
        hints.push("A fault of this test signed this attempt with another secret, so a receiver must reject it.".to_owned());
        return hints;
    }
    match attempt["status"].as_i64() {
        None => hints.extend(hint_without_response(&text(attempt, "error"), &url)),
        Some(400 | 401 | 403) => hints.push(signature_hint(&text(attempt, "signature"))),
        Some(404) => hints.push(format!("The receiver has no route for {url}. Compare the path with its routes.")),
        Some(405) => hints.push(format!("{url} does not take POST. Webhooks are sent by POST.")),
        Some(413) => hints.push("The receiver limits the size of bodies. Raise its limit.".to_owned()),
        Some(300..=399) => hints.push("Redirects are not followed. Register the final URL.".to_owned()),
        Some(500..) => hints.push(
            "The handler failed. Read the log of the receiver, and the beginning of its response in `response`."
                .to_owned(),
        ),
        Some(_) => hints.push("Only a status from 200 to 299 is a success.".to_owned()),
    }
    if response.contains("signature") && !hints.iter().any(|hint| hint.contains("Stripe-Signature"))
    {
        hints.push(signature_hint(&text(attempt, "signature")));
    }
    hints
}

/// The check of a signature, which receivers often fail with status 400.
fn signature_hint(signature: &str) -> String {
    let sent = signature.split(',').next().unwrap_or_default();
    format!(
        "A receiver often responds so when its check of Stripe-Signature fails. Check that it uses \
         the secret of this endpoint, verifies the raw bytes of the body, and accepts the time of \
         the header ({sent})."
    )
}

fn hint_without_response(error: &str, url: &str) -> Option<String> {
    let hint = match error {
        "the connection was refused" => format!("No program listens at {url}. Start the receiver."),
        "the name does not resolve" => format!("The host of {url} is unknown on the server's machine."),
        "no response in time" => format!(
            "The receiver has {} seconds for the complete response. Store the event, respond, and work afterwards.",
            DELIVERY_TIMEOUT_MS / 1_000
        ),
        "the TLS handshake failed" | "the server does not speak TLS" => {
            format!("The TLS connection to {url} failed. Check that {url} speaks TLS 1.2 or 1.3.")
        }
        reason if reason.starts_with("the certificate") => {
            format!("The server does not accept the certificate of {url}. A receiver on this machine can use http.")
        }
        "the address is not public" | "http is for the allowed private addresses only" => {
            "The server does not post to this address. See the settings deny-private-webhooks and webhook-allow."
                .to_owned()
        }
        "the connection was reset" | "the connection broke before a response" | "no connection" => {
            "The receiver ended the connection. Read its log.".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attempt(status: Option<u16>, error: &str, response: &str) -> Value {
        json!({
            "at": 1_767_225_600, "duration_ms": 3, "error": error, "fault": null, "number": 1,
            "resent": false, "response": response, "signature": "t=1767225600,v1=ab", "status": status,
        })
    }

    fn explained(status: &str, attempt: &Value) -> Explanation {
        let delivery = json!({
            "attempts": [attempt], "fault": null, "next_attempt_at": 1_767_225_605, "status": status,
        });
        explanation(&delivery, Some(&json!({"url": "http://127.0.0.1:4242/webhook"})))
    }

    /// Each kind of failure has the hint that names its usual cause.
    #[test]
    fn failures_have_hints() {
        for (status, error, response, hint) in [
            (None, "the connection was refused", "", "No program listens at http://127.0.0.1:4242"),
            (None, "no response in time", "", "20 seconds"),
            (None, "the name does not resolve", "", "unknown"),
            (None, "the TLS handshake failed", "", "TLS 1.2"),
            (None, "the certificate has expired", "", "accept the certificate"),
            (None, "the address is not public", "", "webhook-allow"),
            (None, "the connection was reset", "", "log"),
            (Some(301), "", "", "Redirects"),
            (Some(400), "", "", "the secret of this endpoint"),
            (Some(404), "", "", "no route for http://127.0.0.1:4242/webhook"),
            (Some(405), "", "", "POST"),
            (Some(413), "", "", "size"),
            (Some(418), "", "", "200 to 299"),
            (Some(500), "", "no database", "log of the receiver"),
        ] {
            let explained = explained("pending", &attempt(status, error, response));
            assert_eq!(explained.hints.len(), 1, "{status:?} {error}: {explained:?}");
            assert!(explained.hints[0].contains(hint), "{status:?} {error}: {explained:?}");
        }
        let rejected = explained("failed", &attempt(Some(500), "", "Invalid signature"));
        assert_eq!(rejected.hints.len(), 2, "{rejected:?}");
    }

    /// A success has no hints, and a pending delivery names the time of its next attempt.
    #[test]
    fn summaries_name_the_state() {
        let succeeded = explained("succeeded", &attempt(Some(200), "", "ok"));
        assert!(succeeded.hints.is_empty(), "{succeeded:?}");
        let pending = explained("pending", &attempt(Some(500), "", ""));
        assert_eq!(
            pending.summary,
            "The delivery is pending. Attempt 1 at 2026-01-01 00:00:00 UTC received status 500. \
             The next attempt is due at 2026-01-01 00:00:05 UTC."
        );
        let failed = explained("failed", &attempt(None, "no connection", ""));
        assert!(failed.summary.contains("after 1 attempts"), "{failed:?}");
        let lost = explanation(
            &json!({"attempts": [], "fault": {"kind": "webhook_lost"}, "status": "lost"}),
            None,
        );
        assert_eq!(lost.hints, ["A fault of this test hit the delivery: webhook_lost."]);
    }

    /// An attempt that a fault signed wrongly is not the receiver's failure.
    #[test]
    fn a_wrong_signature_by_a_fault_is_named() {
        let mut attempt = attempt(Some(400), "", "");
        attempt["fault"] = json!(WRONGLY_SIGNED);
        let explained = explained("pending", &attempt);
        assert_eq!(explained.hints.len(), 1);
        assert!(explained.hints[0].contains("another secret"), "{explained:?}");
    }
}
