//! The parts that all commands share: the server's address and key, calls, waits and errors.
//!
//! A command makes all of its changes through calls of the API. If it is interrupted, the changes
//! of its earlier calls remain.

use super::client::local_outbound;
use super::global::{DEFAULT_KEY, GlobalFlags};
use super::output::{OutputError, Progress};
use super::{Client, ClientError, CommandError, Received, output, runtime};
use clap::builder::RangedU64ValueParser;
use model::counted::counted;
use model::limits::{COMMAND_POLL_MS, COMMAND_ROWS_MAX, PAGE_ROWS_MAX};
use outbound::OutboundError;
use serde_json::Value;
use settings::API_KEY_VARIABLE;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Milliseconds after which a command shows on a terminal that it still works.
const COMMAND_MOMENT_MS: u64 = 300;

/// Letters of a key that are shown. Its kind and its end identify the key without revealing it.
const KEY_LETTERS_SHOWN: usize = 4;

/// Parses the maximum number of rows. It is at least 1, because 0 rows would look like an empty
/// list.
pub(super) fn rows() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::try_from(COMMAND_ROWS_MAX).unwrap_or(u64::MAX))
}

/// The error of a command that uses a server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The server is unreachable.
    #[error("could not reach a server at {base}")]
    Unreachable {
        base: String,
        #[source]
        source: OutboundError,
    },
    /// The address is invalid.
    #[error("invalid server address '{base}'")]
    Address {
        base: String,
        #[source]
        source: OutboundError,
    },
    /// The response is not one of bankfeed.
    #[error("the server at {base} is not bankfeed")]
    Stranger { base: String },
    /// The server does not accept the key.
    #[error("the server rejected the key {key}: {message}")]
    Key { key: String, message: String },
    /// The server rejected the call.
    #[error("the server rejected the call: {message}")]
    Rejected { key: String, status: u16, code: String, param: String, message: String },
    /// The command line has an invalid value.
    #[error("{problem}")]
    Usage { problem: String, help: String },
    /// The result could not be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file cannot be written.
    #[error("could not write {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be created in the folder.
    #[error("could not create a file in {}", .folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The terminal cannot be read.
    #[error("could not read the confirmation from the terminal")]
    Terminal(#[source] std::io::Error),
    /// The expected result did not come in time.
    #[error("{subject} did not come within {}", counted(waited_s, "second"))]
    Late { subject: String, waited_s: u64, help: &'static str },
    /// The client to check was not observed.
    #[error("no client with this key was observed")]
    Unseen,
    /// The work ended with a failure.
    #[error("{problem}")]
    Ended { problem: String, help: String },
}

/// Rejects a flag that cannot be sent as a header, such as a key with the line break of its file.
pub(super) fn check_header(flag: &str, value: &str) -> Result<(), ServerError> {
    if value.chars().any(char::is_control) {
        return Err(ServerError::Usage {
            problem: format!("the value of {flag} contains a line break or a control character"),
            help: "Remove it. In a shell, $(cat FILE) has no line break at its end".to_owned(),
        });
    }
    Ok(())
}

impl ServerError {
    /// The advice for the person at the command line.
    pub(super) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Unreachable { source, .. } => help_to_reach(source),
            Self::Address { .. } => "An address looks like http://127.0.0.1:12111",
            Self::Stranger { .. } => {
                "Name the address of bankfeed with --api-base or BANKFEED_API_BASE"
            }
            Self::Key { .. } => {
                "Name a key with --api-key or BANKFEED_API_KEY; `bankfeed key create` issues one"
            }
            Self::Rejected { key, code, status, param, .. } => match param.as_str() {
                "institution" => "`bankfeed link --list` shows the banks",
                account if account.starts_with("accounts[") => {
                    "`bankfeed link --list` shows the banks and their accounts"
                }
                _ => return help_against(*status, code, key),
            },
            Self::Late { help, .. } => help,
            Self::Unseen => {
                "Name the client's key with --api-key, and the server that it used with --api-base"
            }
            Self::File { .. } | Self::Folder { .. } => "Name another file with --output",
            Self::Terminal(_) => "Confirm with --yes",
            Self::Output(error) => return Some(error.help().to_owned()),
            Self::Usage { help, .. } | Self::Ended { help, .. } => help,
        };
        Some(help.to_owned())
    }

    /// True if the command line was wrong.
    pub(super) fn is_usage(&self) -> bool {
        matches!(self, Self::Usage { .. } | Self::Address { .. })
    }
}

/// The advice for a server that a command could not reach.
fn help_to_reach(error: &OutboundError) -> &'static str {
    match error.to_string().as_str() {
        reason if reason.contains("not trusted") => {
            "Name the file of its authority with SSL_CERT_FILE"
        }
        reason if reason.contains("(CA:TRUE)") => {
            "Give the server a certificate with CA:FALSE. `bankfeed doctor` names the command"
        }
        reason if reason.contains("another host name") => {
            "Name a host of the certificate with --api-base or BANKFEED_API_BASE"
        }
        reason if reason.starts_with("the certificate") => "Renew the certificate of the server",
        reason if reason.contains("TLS") => {
            "Begin the address with http:// or https://, as the server prints it"
        }
        _ => {
            "Start one with `bankfeed serve --memory`, or name its address with --api-base or \
             BANKFEED_API_BASE"
        }
    }
}

fn help_against(status: u16, code: &str, key: &str) -> Option<String> {
    match (status, code) {
        (404, "resource_missing" | "not_found") => {
            Some(format!("Each key has objects of its own, and this call used {key}"))
        }
        (404, _) => Some("Check the path, and the version of the server".to_owned()),
        (429, _) => Some("Try again in a moment, because the server is busy".to_owned()),
        (500.., _) => Some("The log of the server contains the reason".to_owned()),
        (_, "financial_connections_no_successful_transaction_refresh") => {
            Some("Refresh the account with `bankfeed refresh ACCOUNT --wait`".to_owned())
        }
        _ => None,
    }
}

/// A server that a command uses.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    base: String,
    key: String,
    /// True if responses are printed as JSON.
    pub(super) json: bool,
}

/// Runs a command's work with its server.
pub(super) fn with_server(
    flags: &GlobalFlags,
    work: impl AsyncFnOnce(&Server) -> Result<(), ServerError>,
) -> Result<(), CommandError> {
    let server = Server::of(flags)?;
    runtime()?.block_on(async { work(&server).await.map_err(CommandError::Server) })
}

impl Server {
    /// The server of these flags. This makes no call.
    pub(super) fn of(flags: &GlobalFlags) -> Result<Self, ServerError> {
        let base = flags.api_base.trim_end_matches('/').to_owned();
        let address = |source| ServerError::Address { base: base.clone(), source };
        local_outbound().check_url(&base).map_err(address)?;
        if base.contains(['?', '#']) {
            // The path of every call would become a part of the query or of the fragment.
            return Err(ServerError::Usage {
                problem: format!("the server address '{base}' contains ? or #"),
                help: "An address looks like http://127.0.0.1:12111".to_owned(),
            });
        }
        check_header("--api-key", &flags.api_key)?;
        let client = Client::build(&base, &flags.api_key)
            .map_err(|error| unreachable_or_stranger(error, &base))?;
        Ok(Self { client, key: shown_key(&flags.api_key), base, json: flags.json })
    }

    /// The address of the server.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The masked key with its source.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The same server, in a connected account.
    pub(super) fn inside(&self, account: &str) -> Self {
        Self { client: self.client.in_account(account), ..self.clone() }
    }

    /// The same server, in an API version.
    pub(super) fn in_version(&self, version: &str) -> Self {
        Self { client: self.client.in_version(version), ..self.clone() }
    }

    /// Returns the response of a GET.
    pub(super) async fn get(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, ServerError> {
        self.call("GET", path, form).await
    }

    /// Returns a page of a list of `/v2`, which has no `object`.
    pub(super) async fn get_page(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, ServerError> {
        let called = self.client.call("GET", path, form).await;
        let received = called.map_err(|error| unreachable_or_stranger(error, &self.base))?;
        if received.status == 200 && received.body["data"].is_array() {
            return Ok(received.body);
        }
        Err(self.rejection(received.status, &received.body))
    }

    /// Returns the response of a POST.
    pub(super) async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, ServerError> {
        self.call("POST", path, form).await
    }

    /// Returns the response of a call. Prints a notice of the server as a remark.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, ServerError> {
        let called = self.client.call(method, path, form).await;
        let received = called.map_err(|error| unreachable_or_stranger(error, &self.base))?;
        if let Some(notice) = &received.notice {
            output::remark(notice);
        }
        self.accepted(received)
    }

    fn accepted(&self, received: Received) -> Result<Value, ServerError> {
        let Received { status, body, .. } = received;
        if status == 200 && body["object"].is_string() {
            return Ok(body);
        }
        Err(self.rejection(status, &body))
    }

    /// The error for a response that is not a success.
    fn rejection(&self, status: u16, body: &Value) -> ServerError {
        let Some(message) = body.pointer("/error/message").and_then(Value::as_str) else {
            return ServerError::Stranger { base: self.base.clone() };
        };
        let (key, message) = (self.key.clone(), message.to_owned());
        let (code, param) = (text(&body["error"], "code"), text(&body["error"], "param"));
        match status {
            401 => ServerError::Key { key, message },
            _ => ServerError::Rejected { key, status, code, param, message },
        }
    }

    /// Returns an error unless the server says that it is ready.
    pub(super) async fn check_ready(&self) -> Result<(), ServerError> {
        let called = self.client.send("GET", "/readyz", &[], None).await;
        let called = called.map_err(|error| unreachable_or_stranger(error, &self.base))?;
        let text = String::from_utf8_lossy(&called.body);
        match called.status {
            200 if text.starts_with("ready") => Ok(()),
            503 => Err(ServerError::Ended {
                problem: format!("the server at {} says: {}", self.base, text.trim_end()),
                help: SEE_LOG.to_owned(),
            }),
            // A server that takes only https says so.
            status => match serde_json::from_slice(&called.body) {
                Ok(body) => Err(self.rejection(status, &body)),
                Err(_) => Err(ServerError::Stranger { base: self.base.clone() }),
            },
        }
    }

    /// Makes a call, and returns the bytes of its response and the API error in it, if any. Prints
    /// a notice of the server as a remark.
    pub(super) async fn raw_call(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
        idempotency_key: Option<&str>,
    ) -> Result<(Vec<u8>, Option<ServerError>), ServerError> {
        let called = self.client.send(method, path, form, idempotency_key).await;
        let called = called.map_err(|error| unreachable_or_stranger(error, &self.base))?;
        let Ok(body) = serde_json::from_slice(&called.body) else {
            return Err(ServerError::Stranger { base: self.base.clone() });
        };
        if let Some(notice) = &called.notice {
            output::remark(notice);
        }
        let error = (called.status != 200).then(|| self.rejection(called.status, &body));
        Ok((called.body, error))
    }

    /// Passes the objects of a list to `take`, page by page, up to the maximum. On a terminal it
    /// shows how many were read, unless `take` prints them there.
    pub(super) async fn each(
        &self,
        path: &str,
        form: &[(&str, &str)],
        rows_max: Option<usize>,
        is_shown: bool,
        mut take: impl FnMut(Value) -> Result<(), ServerError>,
    ) -> Result<(), ServerError> {
        let mut left = rows_max.unwrap_or(COMMAND_ROWS_MAX).min(COMMAND_ROWS_MAX);
        let mut after = String::new();
        let mut progress = None;
        let most = left;
        while left > 0 {
            let limit = left.min(usize::try_from(PAGE_ROWS_MAX).unwrap_or(1)).to_string();
            let mut form = [form, &[("limit", limit.as_str())]].concat();
            if !after.is_empty() {
                form.push(("starting_after", &after));
            }
            let mut page = self.get(path, &form).await?;
            let Value::Array(rows) = page["data"].take() else {
                return Err(ServerError::Stranger { base: self.base.clone() });
            };
            let more = page["has_more"] == true && !rows.is_empty();
            left = left.saturating_sub(rows.len());
            after = rows.last().map(|row| text(row, "id")).unwrap_or_default();
            rows.into_iter().try_for_each(&mut take)?;
            if !more {
                return Ok(());
            }
            if !is_shown {
                progress.get_or_insert_with(|| Progress::open_ended("rows")).at(most - left);
            }
        }
        Ok(())
    }

    /// The objects of a list from all of its pages, up to the maximum.
    pub(super) async fn list(
        &self,
        path: &str,
        form: &[(&str, &str)],
        rows_max: Option<usize>,
    ) -> Result<Vec<Value>, ServerError> {
        let mut rows = Vec::new();
        let take = |row| {
            rows.push(row);
            Ok(())
        };
        self.each(path, form, rows_max, false, take).await?;
        Ok(rows)
    }

    /// Repeats a GET until `done` returns a value for the response.
    pub(super) async fn until<T>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        wait: Wait<'_>,
        mut done: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T, ServerError> {
        wait.until(async || Ok(done(&self.get(path, form).await?))).await
    }

    /// Shows one object: as JSON to programs, and through `show` to people.
    pub(super) fn show(
        &self,
        object: &Value,
        show: impl FnOnce(&Value) -> Result<(), OutputError>,
    ) -> Result<(), ServerError> {
        Ok(if self.json { output::say_json(object) } else { show(object) }?)
    }
}

/// Shows on a terminal that work continues, once it takes longer than a moment.
pub(super) async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let moment = Duration::from_millis(COMMAND_MOMENT_MS);
    let mut ticks = tokio::time::interval(moment);
    // The first tick comes at once.
    ticks.tick().await;
    let mut progress = None;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => progress.get_or_insert_with(|| Progress::waiting(what)).tick(),
        }
    }
}

/// The advice for a wait with a time limit that a flag sets.
pub(super) const WAIT_LONGER: &str = "Wait longer with --timeout SECONDS";
/// The advice for a wait with a fixed time limit.
pub(super) const SEE_LOG: &str = "Check with `bankfeed events`, and in the log of the server";

/// The subject and the time limit of a wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait<'a> {
    /// The subject, as the error names it.
    pub(super) subject: &'a str,
    /// The advice of the error.
    pub(super) help: &'static str,
    /// The time limit in seconds, at most
    /// [`COMMAND_WAIT_S_MAX`](model::limits::COMMAND_WAIT_S_MAX).
    pub(super) timeout_s: u64,
}

impl Wait<'_> {
    /// Repeats `look` until it returns a value.
    pub(super) async fn until<T>(
        self,
        mut look: impl AsyncFnMut() -> Result<Option<T>, ServerError>,
    ) -> Result<T, ServerError> {
        let mut ticks = tokio::time::interval(Duration::from_millis(COMMAND_POLL_MS));
        for _ in 0..=self.timeout_s.saturating_mul(1_000) / COMMAND_POLL_MS {
            ticks.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
        let (subject, help) = (self.subject.to_owned(), self.help);
        Err(ServerError::Late { subject, waited_s: self.timeout_s, help })
    }
}

fn unreachable_or_stranger(error: ClientError, base: &str) -> ServerError {
    let base = base.to_owned();
    match error {
        ClientError::Call(source) => ServerError::Unreachable { base, source },
        ClientError::ApiResponse(_) => ServerError::Stranger { base },
    }
}

/// The masked key with its source, for an error message.
fn shown_key(key: &str) -> String {
    let from_environment = std::env::var(API_KEY_VARIABLE).is_ok_and(|variable| variable == key);
    let mut shown = masked(key);
    // Writing to a String cannot fail.
    let _ = match key {
        _ if from_environment => write!(shown, " of {API_KEY_VARIABLE}"),
        DEFAULT_KEY => write!(shown, ", the default"),
        _ => Ok(()),
    };
    shown
}

/// The kind and the end of a key.
fn masked(key: &str) -> String {
    if key == DEFAULT_KEY {
        return key.to_owned();
    }
    let kind = key.match_indices('_').nth(1).map_or("", |(end, _)| &key[..=end]);
    let rest: Vec<char> = key[kind.len()..].chars().collect();
    let end = if rest.len() > 2 * KEY_LETTERS_SHOWN { KEY_LETTERS_SHOWN } else { 0 };
    let end: String = rest[rest.len() - end..].iter().collect();
    format!("{kind}…{end}")
}

/// A text field of an object, or an empty text.
pub(super) fn text(object: &Value, name: &str) -> String {
    match &object[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shown part of a key does not reveal it.
    #[test]
    fn keys_are_masked() {
        assert_eq!(masked("sk_test_123"), "sk_test_123");
        assert_eq!(masked("sk_test_tour"), "sk_test_…");
        assert_eq!(masked("sk_live_1234567890"), "sk_live_…7890");
        assert_eq!(masked("nonsense"), "…");
    }
}
