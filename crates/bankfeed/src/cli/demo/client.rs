//! The demo's own client of the API: form in, JSON out, each call told as it is made.

use super::Failure;
use connectors::outbound::{Outbound, OutboundSettings};
use serde_json::Value;

/// The key of the demo; any key with this prefix would do.
pub(super) const KEY: &str = "sk_test_demo";

/// A client of one server.
#[derive(Clone)]
pub(super) struct Client {
    outbound: Outbound,
    base: String,
}

impl Client {
    /// A client of the server at this address.
    pub(super) fn new(base: String) -> Result<Self, Failure> {
        let settings =
            OutboundSettings { deny_private: false, https_only: false, timeout_ms: 30_000 };
        Ok(Self { outbound: Outbound::new(settings)?, base })
    }

    /// Makes a call and tells it; an answer other than 200 is a failure.
    pub(super) async fn tell(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let shown: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        super::say(&format!("  → {method} {path} {}", shown.join(" ")));
        self.call(method, path, parameters).await
    }

    /// Makes a call; an answer other than 200 is a failure.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let (status, answer) = self.try_call(method, path, parameters).await?;
        if status == 200 {
            Ok(answer)
        } else {
            Err(format!("{method} {path} was answered with {status}: {answer}").into())
        }
    }

    /// Makes a call and answers whatever came.
    pub(super) async fn try_call(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<(u16, Value), Failure> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let form = form.finish();
        let (url, body) = if method == "GET" {
            (format!("{}{path}?{form}", self.base), Vec::new())
        } else {
            (format!("{}{path}", self.base), form.into_bytes())
        };
        let authorization = format!("Bearer {KEY}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let called = self.outbound.call(method, &url, &headers, body).await?;
        Ok((called.status, serde_json::from_slice(&called.body)?))
    }
}

/// A text of an answer.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
