//! What commands share that use a running server: where it is, with which key, how answers are
//! asked for, waited for and told.
//!
//! A command changes nothing by itself: all that it does is calls of the API, so one that is ended
//! in the middle leaves whatever its calls had done.

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

/// Milliseconds after which somebody who watches wants to know what takes so long.
const COMMAND_MOMENT_MS: u64 = 300;

/// The key of commands to which nobody names one. Any test key opens a server of one's own.
const DEFAULT_KEY: &str = "sk_test_123";
const KEY_VARIABLE: &str = "BANKFEED_API_KEY";
/// Letters of a key that are shown: its kind and its end tell keys apart and open nothing.
const KEY_LETTERS_SHOWN: usize = 4;

/// Where the server is, and how its answers are shown.
#[derive(Args, Clone, Debug)]
pub(super) struct ServerFlags {
    /// The API key whose objects are meant
    #[arg(long, value_name = "KEY", default_value = DEFAULT_KEY, env = KEY_VARIABLE)]
    pub(super) api_key: String,
    /// Where the server is
    #[arg(
        long,
        visible_alias = "url",
        value_name = "URL",
        default_value = "http://127.0.0.1:12111",
        env = "BANKFEED_API_BASE"
    )]
    pub(super) api_base: String,
    /// Print JSON as the API answers it: one document, or one line for each object of a list
    #[arg(long)]
    pub(super) json: bool,
}

/// How many rows of a list are wanted: one at least, since none would be told as if there were none.
pub(super) fn rows() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::try_from(COMMAND_ROWS_MAX).unwrap_or(u64::MAX))
}

/// Why a command that uses a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Nothing answers there.
    #[error("could not reach a server at {base}")]
    Unreachable {
        base: String,
        #[source]
        source: OutboundError,
    },
    /// The address is none.
    #[error("'{base}' is no address of a server")]
    Address {
        base: String,
        #[source]
        source: OutboundError,
    },
    /// Something answers that does not speak as this server does.
    #[error("what answers at {base} is not bankfeed")]
    Stranger { base: String },
    /// The key opens nothing.
    #[error("the server does not take the key {key}: {message}")]
    Key { key: String, message: String },
    /// The server said no.
    #[error("the server refused: {message}")]
    Refused { key: String, status: u16, code: String, param: String, message: String },
    /// What was asked cannot be meant.
    #[error("{problem}")]
    Usage { problem: String, help: String },
    /// What was asked for did not arrive.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file cannot be written.
    #[error("could not write {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// No file can be made in a folder.
    #[error("could not make a file in {}", .folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// What was waited for did not come.
    #[error("{what} did not happen within {waited_s} seconds")]
    Late { what: String, waited_s: u64 },
    /// Nothing is known of the client that was to be judged.
    #[error("nothing was seen, so nothing can be said")]
    Unseen,
    /// The work was done and did not end well.
    #[error("{0}")]
    Ended(String),
}

impl ServerError {
    /// What the person at the command line can do about it.
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

    /// Whether the command was asked wrongly.
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
    /// Whether answers are for programs.
    pub(super) json: bool,
}

/// Runs what a command does with its server.
pub(super) fn with_server(
    flags: &ServerFlags,
    work: impl AsyncFnOnce(&Server) -> Result<(), ServerError>,
) -> Result<(), CommandError> {
    let server = Server::of(flags)?;
    runtime()?.block_on(async { work(&server).await.map_err(CommandError::Server) })
}

impl Server {
    /// The server of these flags; nothing is asked of it yet.
    pub(super) fn of(flags: &ServerFlags) -> Result<Self, ServerError> {
        let base = flags.api_base.trim_end_matches('/').to_owned();
        let address = |source| ServerError::Address { base: base.clone(), source };
        local_outbound().and_then(|outbound| outbound.check_url(&base)).map_err(address)?;
        let client = Client::build(&base, &flags.api_key)
            .map_err(|error| stranger_or_nobody(error, &base))?;
        Ok(Self { client, key: shown_key(&flags.api_key), base, json: flags.json })
    }

    /// The same, in a connected account.
    pub(super) fn inside(&self, account: &str) -> Self {
        Self { client: self.client.in_account(account), ..self.clone() }
    }

    /// The same server, in an API version.
    pub(super) fn in_version(&self, version: &'static str) -> Self {
        Self { client: self.client.in_version(version), ..self.clone() }
    }

    /// What a GET answers.
    pub(super) async fn get(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, ServerError> {
        self.call("GET", path, form).await
    }

    /// What a POST answers.
    pub(super) async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, ServerError> {
        self.call("POST", path, form).await
    }

    /// What a call answers; a notice of the server is passed on as a remark.
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

    /// Hands on the objects of a list, page by page, at most so many. On a terminal it shows how many
    /// there are by now, unless `take` shows themselves there.
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

    /// The objects of a list, all pages of it, at most so many.
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

    /// Asks again and again until `done` finds what it looks for in the answer.
    pub(super) async fn until<T>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        wait: Wait<'_>,
        mut done: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T, ServerError> {
        wait.until(async || Ok(done(&self.get(path, form).await?))).await
    }

    /// Shows one object: to programs as it is, to people as `show` has it.
    pub(super) fn show(
        &self,
        object: &Value,
        show: impl FnOnce(&Value) -> Result<(), OutputError>,
    ) -> Result<(), ServerError> {
        Ok(if self.json { output::say_json(object) } else { show(object) }?)
    }
}

/// Shows on a terminal that a work is still going on, once it takes longer than a moment.
pub(super) async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let moment = Duration::from_millis(COMMAND_MOMENT_MS);
    let mut ticks = tokio::time::interval(moment);
    // The first one comes at once.
    ticks.tick().await;
    let mut progress = None;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => progress.get_or_insert_with(|| Progress::waiting(what)).tick(),
        }
    }
}

/// What is waited for, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait<'a> {
    /// What, as a fault names it.
    pub(super) what: &'a str,
    /// Seconds, at most [`COMMAND_WAIT_S_MAX`](model::limits::COMMAND_WAIT_S_MAX).
    pub(super) timeout_s: u64,
}

impl Wait<'_> {
    /// Looks again and again until there is what is looked for.
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
        ClientError::Answer(_) => ServerError::Stranger { base },
    }
}

/// A key as a fault shows it, and where it came from.
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

/// The kind of a key and its end.
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

/// A text of an object, or nothing.
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

    /// What is shown of a key opens nothing.
    #[test]
    fn keys_are_masked() {
        assert_eq!(masked("sk_test_123"), "sk_test_123");
        assert_eq!(masked("sk_test_tour"), "sk_test_…");
        assert_eq!(masked("sk_live_1234567890"), "sk_live_…7890");
        assert_eq!(masked("nonsense"), "…");
    }
}
