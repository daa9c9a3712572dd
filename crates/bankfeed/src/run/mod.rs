//! `bankfeed run`: runs a command, and leads its calls of Stripe's API to a bankfeed server.
//!
//! A proxy on a loopback port takes the calls of Stripe's hosts, with a certificate of an authority that
//! exists for this run. Variables and small preloads point the command to it. The command itself is
//! unchanged. At the end, the proxy, a server of its own and the temporary folder are removed. A kill
//! leaves the folder, which contains no key.

mod authority;
mod child;
mod environment;
mod hosts;
mod proxy;
mod trust;

use crate::error::CommandError;
use authority::{Authority, AuthorityError};
use clap::Args;
use cli::process::runtime;
use cli::{Client, GlobalFlags, output};
use hosts::Hosts;
use model::calendar::day_of_second;
use model::clock::Clock as _;
use proxy::{Proxy, Rules};
use server::clock::SystemClock;
use server::{Started, start};
use settings::{API_BASE_VARIABLE, resolve};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use tokio::net::TcpStream;
use url::Url;

/// The variable of the API key in Stripe's examples, which the CLI reads too.
const STRIPE_KEY_VARIABLE: &str = "STRIPE_API_KEY";
/// The exit codes that shells use for a command that is missing, or cannot be started.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;

/// The flags of `bankfeed run`.
#[derive(Args)]
pub(crate) struct RunFlags {
    /// Allow calls of another host; may be repeated
    #[arg(long, value_name = "HOST")]
    allow: Vec<String>,
    /// Print no line about the run on standard error
    #[arg(long)]
    quiet: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The error of a run, before or after its command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("cannot use the server address '{0}'")]
    Address(String),
    #[error("could not reach a server at {base}")]
    Unreachable {
        base: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the server rejected the key")]
    Key,
    #[error("could not make the certificates of the run")]
    Authority(#[from] AuthorityError),
    #[error("could not start the proxy")]
    Proxy(#[source] std::io::Error),
    #[error("could not write the files of the run")]
    Files(#[source] std::io::Error),
    #[error("could not run '{command}'")]
    Start {
        command: String,
        #[source]
        source: std::io::Error,
    },
    #[error("could not wait for the command")]
    Wait(#[source] std::io::Error),
}

impl RunError {
    /// The advice for the person at the command line.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Address(_) => "An address for this command looks like http://127.0.0.1:12111",
            Self::Unreachable { .. } => {
                "Start it with `bankfeed serve --memory`, or leave out --url for a server of this run"
            }
            Self::Key => "Name a key with --api-key; `bankfeed key create` issues one",
            Self::Start { .. } => "Check the name of the command, and whether it is executable",
            Self::Files(_) => "Free some space, or name another folder with TMPDIR",
            Self::Authority(_) | Self::Proxy(_) | Self::Wait(_) => {
                "Run it again, and check the limits of the system with `ulimit -a`"
            }
        }
    }

    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// The exit code, if it is a special one.
    pub(crate) fn code(&self) -> Option<u8> {
        match self {
            Self::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some(NOT_FOUND)
            }
            Self::Start { .. } => Some(NOT_STARTED),
            _ => None,
        }
    }
}

/// Runs the command of the flags. Its exit code is the error of this function, unless it is 0.
pub(crate) fn run(flags: &RunFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    let code = runtime()?.block_on(async {
        // The signals are caught before the folders exist, so that an early signal does not leave them.
        let mut signals = child::Signals::listen().map_err(RunError::Wait)?;
        let own = if global.is_base_chosen { None } else { Some(start_server().await?) };
        let base = own.as_ref().map_or(global.api_base.as_str(), |server| server.url.as_str());
        let ended = with_proxy(flags, global, base, &mut signals).await;
        let stopped = match own {
            None => Ok(()),
            Some(server) => tokio::select! {
                stopped = server.stop() => stopped,
                // A signal skips the wait for webhooks in progress, as no program waits for them.
                _ = signals.next() => Ok(()),
            },
        };
        let code = ended?;
        stopped?;
        Ok::<u8, CommandError>(code)
    })?;
    if code == 0 { Ok(()) } else { Err(CommandError::Ended(code)) }
}

/// Starts a server with a temporary database. Neither the environment nor a file changes it.
async fn start_server() -> Result<Started, CommandError> {
    let flags =
        BTreeMap::from([("listen", "127.0.0.1:0".to_owned()), ("memory", "true".to_owned())]);
    Ok(start(&resolve(&flags, |_| None, None)?.settings()?).await?)
}

/// Runs the command with a proxy in front of the server at `base`. Returns its exit code.
async fn with_proxy(
    flags: &RunFlags,
    global: &GlobalFlags,
    base: &str,
    signals: &mut child::Signals,
) -> Result<u8, RunError> {
    let server = address_of(base)?;
    reach(base, &server, global).await?;
    let today = day_of_second(SystemClock::default().server_now().seconds());
    let authority = Authority::new(today)?;
    let rules = Rules {
        hosts: Hosts::new(&flags.allow),
        tls: authority.tls.clone(),
        server,
        remark: if flags.quiet { Box::new(|_| ()) } else { Box::new(output::remark) },
    };
    let proxy = Proxy::start(rules).await.map_err(RunError::Proxy)?;
    let permissions = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(permissions).tempdir();
    let folder = folder.map_err(RunError::Files)?;
    let variables = environment::prepare(folder.path(), &authority, proxy.address, |name| {
        std::env::var_os(name)
    });
    let mut variables = variables.map_err(RunError::Files)?;
    variables.push((API_BASE_VARIABLE, base.into()));
    if global.is_key_chosen {
        variables.push((STRIPE_KEY_VARIABLE, (&global.api_key).into()));
    }
    if !flags.quiet {
        let (key, proxy) = (key_line(global), proxy.address);
        output::remark(&format!("bankfeed run: server {base}, {key}, proxy http://{proxy}"));
    }
    let child = child::spawn(&flags.command, &variables)?;
    child::wait(child, signals).await.map_err(RunError::Wait)
}

/// The words about the key in the line at the start.
fn key_line(global: &GlobalFlags) -> String {
    match (global.is_key_chosen, global.is_base_chosen) {
        (true, _) => format!("{STRIPE_KEY_VARIABLE} is set"),
        (false, true) => "a key of that server".to_owned(),
        (false, false) => format!("any test key such as {}", global.api_key),
    }
}

/// The host and the port of a server's URL. The bytes of calls are copied unchanged, so the URL has
/// neither TLS nor a path.
fn address_of(base: &str) -> Result<String, RunError> {
    let wrong = || RunError::Address(base.to_owned());
    let url = Url::parse(base).map_err(|_| wrong())?;
    let is_plain = url.scheme() == "http"
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    let port = url.port_or_known_default();
    match (url.host_str(), port) {
        (Some(host), Some(port)) if is_plain => Ok(format!("{host}:{port}")),
        _ => Err(wrong()),
    }
}

/// Checks that the server runs and accepts the chosen key.
async fn reach(base: &str, server: &str, global: &GlobalFlags) -> Result<(), RunError> {
    let unreachable = |source| RunError::Unreachable { base: base.to_owned(), source };
    TcpStream::connect(server).await.map_err(unreachable)?;
    if !global.is_key_chosen {
        return Ok(());
    }
    let client = Client::build(base, &global.api_key);
    let other = |error: cli::ClientError| unreachable(std::io::Error::other(error));
    let response = client.map_err(other)?.call("GET", "/v1/account", &[]).await.map_err(other)?;
    if response.status == 401 { Err(RunError::Key) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's address is a plain http URL.
    #[test]
    fn addresses_are_plain() {
        assert_eq!(address_of("http://127.0.0.1:12111").unwrap(), "127.0.0.1:12111");
        assert_eq!(address_of("http://[::1]:7/").unwrap(), "[::1]:7");
        assert_eq!(address_of("http://localhost").unwrap(), "localhost:80");
        for wrong in ["https://127.0.0.1", "http://127.0.0.1/v1", "127.0.0.1:7", "http://a?b"] {
            assert!(matches!(address_of(wrong), Err(RunError::Address(_))), "{wrong}");
        }
    }
}
