//! A small client of the API, for commands that use a running server.

use outbound::{COMMAND_LINE, Called, Outbound, OutboundError, OutboundSettings, PrivateAddresses};

/// The time limit of a call.
const CALL_TIME_MS_MAX: u64 = 60_000;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The error of a call.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server was unreachable, or the client could not be built.
    #[error("could not reach the server")]
    Call(#[from] OutboundError),
    /// The response is not JSON, so the server is not bankfeed.
    #[error("the response is not JSON")]
    ApiResponse(#[from] serde_json::Error),
}

/// A client with one key.
#[derive(Clone, Debug)]
pub struct Client {
    outbound: Outbound,
    base: String,
    key: String,
    /// The connected account of the calls, if any.
    account: Option<String>,
    /// The API version of the calls. Without one, the server uses its default.
    version: Option<String>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// A notice for the caller.
    pub notice: Option<String>,
    /// The body.
    pub body: serde_json::Value,
}

impl Client {
    /// Builds a client of the server at `base`.
    pub fn build(base: &str, key: &str) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let (outbound, key) = (local_outbound(), key.to_owned());
        Ok(Self { outbound, base, key, account: None, version: None })
    }

    /// The same client, in a connected account.
    #[must_use]
    pub fn in_account(&self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self.clone() }
    }

    /// The same client, in an API version.
    #[must_use]
    pub fn in_version(&self, version: &str) -> Self {
        Self { version: Some(version.to_owned()), ..self.clone() }
    }

    /// Makes a call, and reads its response as JSON.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Received, ClientError> {
        let called = self.send(method, path, parameters, None).await?;
        let body = serde_json::from_slice(&called.body)?;
        Ok(Received { status: called.status, notice: called.notice, body })
    }

    /// Makes a call. Parameters go into the query of a GET, and otherwise into a form body. Under `/v2`
    /// they go into a JSON body.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
        idempotency_key: Option<&str>,
    ) -> Result<Called, ClientError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let form = form.finish();
        let joint = if path.contains('?') { '&' } else { '?' };
        let takes_json = path.starts_with("/v2/") && method != "GET";
        let (url, body) = match method {
            _ if takes_json && !parameters.is_empty() => {
                let body = wire::nested::json_of(parameters).to_string();
                (format!("{}{path}", self.base), body.into_bytes())
            }
            "GET" if !form.is_empty() => (format!("{}{path}{joint}{form}", self.base), Vec::new()),
            _ => (format!("{}{path}", self.base), form.into_bytes()),
        };
        let authorization = format!("Bearer {}", self.key);
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Content-Type", if takes_json { JSON } else { FORM }),
            ("User-Agent", COMMAND_LINE),
        ];
        headers.extend(self.account.as_deref().map(|account| ("Stripe-Account", account)));
        headers.extend(self.version.as_deref().map(|version| ("Stripe-Version", version)));
        headers.extend(idempotency_key.map(|key| ("Idempotency-Key", key)));
        Ok(self.outbound.call(method, &url, &headers, body).await?)
    }
}

/// An HTTP client that can call any address, because the user chose it on the command line.
pub(super) fn local_outbound() -> Outbound {
    outbound_within(CALL_TIME_MS_MAX)
}

/// The same HTTP client with a time limit of its own.
pub fn outbound_within(timeout_ms: u64) -> Outbound {
    Outbound::new(OutboundSettings {
        private: PrivateAddresses::All,
        https_to_public: false,
        timeout_ms,
    })
}
