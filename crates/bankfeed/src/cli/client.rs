//! A small client of the API, for commands that use a running server.

use reqwest::Method;
use std::time::Duration;

/// How long a call may take.
const CALL_TIME_MAX: Duration = Duration::from_secs(60);

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The client could not be built.
    #[error("could not build the HTTP client")]
    Build(#[source] reqwest::Error),
    /// The server did not answer.
    #[error("could not reach the server")]
    Call(#[source] reqwest::Error),
}

/// A client with one key.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its HTTP status.
    pub status: u16,
    /// Its body.
    pub body: serde_json::Value,
}

impl Client {
    /// A client of the server at `base`.
    pub fn build(base: &str, key: &str) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { http: http_client()?, base, key: key.to_owned() })
    }

    /// Gets a path with its query string.
    pub async fn get(&self, path: &str) -> Result<Received, ClientError> {
        self.call(Method::GET, path, &[]).await
    }

    /// Posts a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Received, ClientError> {
        self.call(Method::POST, path, form).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Result<Received, ClientError> {
        self.call(Method::DELETE, path, &[]).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Received, ClientError> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key);
        if !form.is_empty() {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(form);
            request = request
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body.finish());
        }
        let response = request.send().await.map_err(ClientError::Call)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(ClientError::Call)?;
        Ok(Received { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}

/// The HTTP client of commands. The server's own calls go through `connectors::outbound`.
#[expect(clippy::disallowed_methods, reason = "the command line is a client, not the server")]
pub(super) fn http_client() -> Result<reqwest::Client, ClientError> {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(CALL_TIME_MAX)
        .build()
        .map_err(ClientError::Build)
}
