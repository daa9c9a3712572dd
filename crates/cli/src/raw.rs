//! `bankfeed get`, `post` and `delete`: raw calls of the API.
//!
//! The response is printed as the server returns it, indented and with its keys in order. An API
//! error is printed too, because a script may read its code, and ends the command with 1.

use super::CommandError;
use super::global::GlobalFlags;
use super::output::{self, OutputError};
use super::server::{check_header, with_server};
use clap::Args;
use wire::indent::indented;

/// The beginnings of paths that name the version of the API.
const VERSIONS: [&str; 2] = ["v1/", "v2/"];

/// A raw call.
#[derive(Args)]
pub struct RawFlags {
    /// Path of the call, with or without /v1
    #[arg(value_name = "PATH", value_parser = full_path)]
    path: String,
    /// Parameter in Stripe's bracket style; may be repeated
    #[arg(long, short, value_name = "KEY=VALUE", value_parser = parameter)]
    data: Vec<(String, String)>,
    /// API version of the call
    #[arg(long, alias = "stripe-version", value_name = "VERSION")]
    api_version: Option<String>,
    /// Connected account in which the call acts
    #[arg(long, alias = "stripe-account", value_name = "ACCOUNT")]
    account: Option<String>,
    /// Idempotency key of the call
    #[arg(long, alias = "idempotency", value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Makes a call with this method, and prints its response.
pub(super) fn run(
    method: &str,
    flags: &RawFlags,
    global: &GlobalFlags,
) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let mut server = server.clone();
        if let Some(account) = &flags.account {
            check_header("--account", account)?;
            server = server.inside(account);
        }
        if let Some(version) = &flags.api_version {
            server = server.in_version(version);
        }
        let form: Vec<(&str, &str)> =
            flags.data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let key = flags.idempotency_key.as_deref();
        if let Some(key) = key {
            check_header("--idempotency-key", key)?;
        }
        let (body, error) = server.raw_call(method, &flags.path, &form, key).await?;
        print(body)?;
        error.map_or(Ok(()), Err)
    })
}

fn print(body: Vec<u8>) -> Result<(), OutputError> {
    let text = indented(&body).unwrap_or(body);
    output::say(String::from_utf8_lossy(&text).trim_end())
}

/// Completes a path: `customers` means `/v1/customers`. Rejects a path that a URL would change or
/// cut, because the call would then reach another path.
fn full_path(typed: &str) -> Result<String, &'static str> {
    let path = typed.trim_start_matches('/');
    if path.contains("://") {
        return Err("a path looks like /v1/customers; name the server with --api-base");
    }
    if path.is_empty() {
        return Err("a path looks like /v1/customers");
    }
    if path.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err("a path has no spaces; write %20 for a space");
    }
    if path.contains('#') {
        return Err("a URL ends at #; write %23 for it");
    }
    let (steps, _) = path.split_once('?').unwrap_or((path, ""));
    if steps.contains('\\') {
        return Err("a path has no backslashes; write %5C for one");
    }
    if steps.split('/').any(is_dots) {
        return Err("a path has no parts . and ..");
    }
    let is_full = VERSIONS.iter().any(|version| path.starts_with(version));
    Ok(if is_full { format!("/{path}") } else { format!("/v1/{path}") })
}

/// True if a URL removes this part of a path: `.` or `..`, also in percent-encoding.
fn is_dots(part: &str) -> bool {
    matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Splits a parameter at its first equals sign.
fn parameter(typed: &str) -> Result<(String, String), &'static str> {
    match typed.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a parameter looks like email=ada@example.com or metadata[order]=7"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The version and the first slash of a path may be left out.
    #[test]
    fn paths_are_completed() {
        for (typed, path) in [
            ("customers", "/v1/customers"),
            ("/customers/cus_1?limit=1", "/v1/customers/cus_1?limit=1"),
            ("v1/customers", "/v1/customers"),
            ("/v1/customers", "/v1/customers"),
            ("/v2/core/events", "/v2/core/events"),
            ("customers?email=..%23", "/v1/customers?email=..%23"),
        ] {
            assert_eq!(full_path(typed).unwrap(), path);
        }
        for (wrong, part) in [
            ("", "looks like"),
            ("/", "looks like"),
            ("http://127.0.0.1:12111/v1/customers", "--api-base"),
            ("a b", "%20"),
            ("a\tb", "%20"),
            ("a\u{7}b", "%20"),
            ("customers/cus_1#x", "%23"),
            ("customers?email=a#b", "%23"),
            ("customers\\cus_1", "%5C"),
            ("customers/../charges", ".."),
            ("customers/%2E%2e/charges", ".."),
            ("./customers", ".."),
        ] {
            let error = full_path(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    /// A value may contain more equals signs, or be empty.
    #[test]
    fn parameters_are_split() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(parameter("a[b]=c=d").unwrap(), pair("a[b]", "c=d"));
        assert_eq!(parameter("metadata=").unwrap(), pair("metadata", ""));
        assert!(parameter("email").is_err());
        assert!(parameter("=x").is_err());
    }
}
