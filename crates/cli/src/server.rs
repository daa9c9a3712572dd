//! The parts that all commands share: the server's address and key, calls, waits and errors.
//!
//! A command makes all of its changes through calls of the API. If it is interrupted, the changes
//! of its earlier calls remain.

use super::client::local_outbound;
use super::output::{OutputError, Progress};
use super::{Client, ClientError, CommandError, Received, output, runtime};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use model::limits::{COMMAND_POLL_MS, COMMAND_ROWS_MAX, PAGE_ROWS_MAX};
use outbound::OutboundError;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Milliseconds after which a command shows on a terminal that it still works.
const COMMAND_MOMENT_MS: u64 = 300;

/// The key of commands without a key. By default a server accepts any test key.
const DEFAULT_KEY: &str = "sk_test_123";
const KEY_VARIABLE: &str = "BANKFEED_API_KEY";
/// Letters of a key that are shown. Its kind and its end identify the key without revealing it.
const KEY_LETTERS_SHOWN: usize = 4;

/// The address of the server, the key, and the form of the output.
#[derive(Args, Clone, Debug)]
pub(super) struct ServerFlags {
    /// The API key, which selects the sandbox
    #[arg(long, value_name = "KEY", default_value = DEFAULT_KEY, env = KEY_VARIABLE)]
    pub(super) api_key: String,
    /// The address of the server
    #[arg(
        long,
        visible_alias = "url",
        value_name = "URL",
        default_value = "http://127.0.0.1:12111",
        env = "BANKFEED_API_BASE"
    )]
    pub(super) api_base: String,
    /// Print JSON as the API returns it: one document, or one line per object of a list
    #[arg(long)]
    pub(super) json: bool,
}

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
    #[error("'{base}' is no address of a server")]
    Address {
        base: String,
        #[source]
        source: OutboundError,
    },
    /// The response is not one of bankfeed.
    #[error("the server at {base} is not bankfeed")]
    Stranger { base: String },
    /// The server does not accept the key.
    #[error("the server does not take the key {key}: {message}")]
    Key { key: String, message: String },
    /// The server rejected the call.
    #[error("the server refused: {message}")]
    Refused { key: String, status: u16, code: String, param: String, message: String },
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
    #[error("could not make a file in {}", .folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The expected result did not come in time.
    #[error("{what} did not happen within {waited_s} seconds")]
    Late { what: String, waited_s: u64 },
    /// The client to check was not observed.
    #[error("nothing was seen, so nothing can be said")]
    Unseen,
    /// The work ended with a failure.
    #[error("{0}")]
    Ended(String),
}

impl ServerError {
    /// The advice for the person at the command line.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some(
                "start one with `bankfeed serve --memory`, or say where it is with --api-base or \
                 BANKFEED_API_BASE"
                    .to_owned(),
            ),
            Self::Address { .. } => Some("an address looks like http://127.0.0.1:12111".to_owned()),
            Self::Stranger { .. } => {
                Some("say where bankfeed is with --api-base or BANKFEED_API_BASE".to_owned())
            }
            Self::Key { .. } => Some(
                "name a key with --api-key or BANKFEED_API_KEY; `bankfeed key create` issues one"
                    .to_owned(),
            ),
            Self::Refused { key, code, status, param, .. } => match param.as_str() {
                "institution" => Some("`bankfeed link --list` shows the banks".to_owned()),
                account if account.starts_with("accounts[") => {
                    Some("`bankfeed link --list` shows the banks and their accounts".to_owned())
                }
                _ => help_against(*status, code, key),
            },
            Self::Usage { help, .. } => Some(help.clone()),
            Self::Late { .. } => Some("--timeout SECONDS waits longer".to_owned()),
            Self::Unseen => Some(
                "name the client's key with --api-key, and ask the server that it ran against"
                    .to_owned(),
            ),
            Self::Output(_) | Self::File { .. } | Self::Folder { .. } | Self::Ended(_) => None,
        }
    }

    /// True if the command line was wrong.
    pub(super) fn is_usage(&self) -> bool {
        matches!(self, Self::Usage { .. } | Self::Address { .. })
    }
}

fn help_against(status: u16, code: &str, key: &str) -> Option<String> {
    match (status, code) {
        (404, "resource_missing") => {
            Some(format!("each key has objects of its own; this call used {key}"))
        }
        (404, _) => Some("the server may be older than this program".to_owned()),
        (429, _) => Some("try again when it has done what it is at".to_owned()),
        (500.., _) => Some("the log of the server says why".to_owned()),
        (_, "financial_connections_no_successful_transaction_refresh") => {
            Some("`bankfeed refresh ACCOUNT --wait` makes one".to_owned())
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
    flags: &ServerFlags,
    work: impl AsyncFnOnce(&Server) -> Result<(), ServerError>,
) -> Result<(), CommandError> {
    let server = Server::of(flags)?;
    runtime()?.block_on(async { work(&server).await.map_err(CommandError::Server) })
}

impl Server {
    /// The server of these flags. This makes no call.
    pub(super) fn of(flags: &ServerFlags) -> Result<Self, ServerError> {
        let base = flags.api_base.trim_end_matches('/').to_owned();
        let address = |source| ServerError::Address { base: base.clone(), source };
        local_outbound().and_then(|outbound| outbound.check_url(&base)).map_err(address)?;
        let client = Client::build(&base, &flags.api_key)
            .map_err(|error| stranger_or_nobody(error, &base))?;
        Ok(Self { client, key: shown_key(&flags.api_key), base, json: flags.json })
    }

    /// The same server, in a connected account.
    pub(super) fn inside(&self, account: &str) -> Self {
        Self { client: self.client.in_account(account), ..self.clone() }
    }

    /// The same server, in an API version.
    pub(super) fn in_version(&self, version: &'static str) -> Self {
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
        let received = called.map_err(|error| stranger_or_nobody(error, &self.base))?;
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
        let Some(message) = body.pointer("/error/message").and_then(Value::as_str) else {
            return Err(ServerError::Stranger { base: self.base.clone() });
        };
        let (key, message) = (self.key.clone(), message.to_owned());
        let (code, param) = (text(&body["error"], "code"), text(&body["error"], "param"));
        Err(match status {
            401 => ServerError::Key { key, message },
            _ => ServerError::Refused { key, status, code, param, message },
        })
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

/// The subject and the time limit of a wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait<'a> {
    /// The subject, as the error names it.
    pub(super) what: &'a str,
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
        Err(ServerError::Late { what: self.what.to_owned(), waited_s: self.timeout_s })
    }
}

fn stranger_or_nobody(error: ClientError, base: &str) -> ServerError {
    let base = base.to_owned();
    match error {
        ClientError::Call(source) => ServerError::Unreachable { base, source },
        ClientError::ApiResponse(_) => ServerError::Stranger { base },
    }
}

/// The masked key with its source, for an error message.
fn shown_key(key: &str) -> String {
    let from_environment = std::env::var(KEY_VARIABLE).is_ok_and(|variable| variable == key);
    let mut shown = masked(key);
    // Writing to a String cannot fail.
    let _ = match key {
        _ if from_environment => write!(shown, " of {KEY_VARIABLE}"),
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
