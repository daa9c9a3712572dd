//! Errors of objects, addresses and the server.

use super::{Error, ErrorType, shown};
use model::limits::{OBJECT_BYTES_MAX, RESPONSE_BYTES_MAX};

/// A preview version that the server knows.
const PREVIEW: &str = "2026-09-30.preview";

impl Error {
    /// No object of this kind has the id.
    pub fn no_such(kind: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {kind}: '{}'", shown(id)))
            .status(404)
            .code("resource_missing")
            .param(param)
    }

    /// An institution does not exist. Its ids differ from Stripe's, so the message says where they are
    /// listed.
    pub fn no_such_institution(id: &str, param: &str) -> Self {
        let mut error = Self::no_such("Financial Connections institution", id, param);
        error.message.push_str(
            ". This server has institutions of its own. In a preview version, GET \
             /v1/financial_connections/institutions lists their ids.",
        );
        error
    }

    /// The path does not exist.
    pub fn unknown_url(method: &str, path: &str) -> Self {
        let path = shown(path);
        Self::invalid(format!("Unrecognized request URL ({method}: {path}).")).status(404)
    }

    /// The server of the setting `else` gave no complete response.
    pub fn other_server_silent(origin: &str, reason: &str) -> Self {
        Self::invalid(format!(
            "The server {origin} of the setting else gave no complete response: {reason}. Check that \
             it runs, or start this server without --else."
        ))
        .status(503)
        .error_type(ErrorType::ApiError)
    }

    /// The response of the server of the setting `else` cannot be passed on.
    pub fn other_server_unusable(origin: &str, reason: &str) -> Self {
        Self::invalid(format!(
            "The response of the server {origin} of the setting else cannot be used: {reason}. Check \
             that --else names a server of Stripe's API."
        ))
        .status(502)
        .error_type(ErrorType::ApiError)
    }

    /// The path exists in preview versions only.
    pub fn preview_url(method: &str, path: &str) -> Self {
        let path = shown(path);
        let message = format!(
            "Unrecognized request URL ({method}: {path}). This path exists in preview versions \
             only. Send one in the Stripe-Version header, such as {PREVIEW}."
        );
        Self::invalid(message).status(404)
    }

    /// The path exists, but not with this method.
    pub fn wrong_method(method: &str, path: &str) -> Self {
        let path = shown(path);
        Self::invalid(format!("{path} does not accept {method} requests.")).status(405)
    }

    /// The request is for a call of version 2 of the API that this server does not support.
    pub fn unsupported_v2(method: &str, path: &str) -> Self {
        let path = shown(path);
        Self::invalid(format!(
            "This server has no call {method} {path}. Under /v2 it has event destinations and events \
             of /v2/core only."
        ))
        .status(404)
    }

    /// The body is not JSON.
    pub fn body_not_json(content_type: &str) -> Self {
        Self::invalid(format!(
            "Request bodies under /v2 must be application/json, not {}.",
            shown(content_type)
        ))
    }

    /// The body is not a form.
    pub fn wrong_content_type(content_type: &str) -> Self {
        Self::invalid(format!(
            "Request bodies must be application/x-www-form-urlencoded, not {}.",
            shown(content_type)
        ))
    }

    /// A body or query has too many bytes. `part` names which of them.
    pub fn too_large(part: &str, bytes_max: usize) -> Self {
        Self::invalid(format!("The {part} is too large: at most {bytes_max} bytes."))
    }

    /// The request head breaks a rule of HTTP.
    pub fn not_http(reason: &str) -> Self {
        Self::invalid(format!("The request is not valid HTTP: {reason}."))
    }

    /// The headers of a request are too large or too many.
    pub fn head_too_large(bytes_max: usize, headers_max: usize) -> Self {
        Self::invalid(format!(
            "The request head is too large: at most {bytes_max} bytes and {headers_max} headers."
        ))
        .status(431)
    }

    /// The head of a request did not arrive in time.
    pub fn head_too_slow() -> Self {
        Self::invalid("The request head took too long to arrive.").status(408)
    }

    /// A header that may occur once occurs twice.
    pub fn repeated_header(name: &str) -> Self {
        Self::invalid(format!("The request has two {name} headers. Send one."))
    }

    /// The server speaks TLS, and the request came without it.
    pub fn without_tls() -> Self {
        Self::invalid("This server takes https requests only. Begin the address with https://.")
    }

    /// The server may not be called by this host name.
    pub fn other_host(host: &str) -> Self {
        let host = shown(host);
        Self::invalid(format!(
            "The host '{host}' is not allowed. If it is a name of this server, start the server with \
             --allowed-hosts {host}, or call the server by its address."
        ))
        .status(403)
    }

    /// The server has too many connections.
    pub fn no_connection(connections_max: usize) -> Self {
        Self::invalid(format!(
            "Limit reached: at most {connections_max} connections to this server. Try again later."
        ))
        .status(503)
        .error_type(ErrorType::ApiError)
    }

    /// The client's address has too many connections.
    pub fn no_connection_of_address(connections_max: usize) -> Self {
        Self::invalid(format!(
            "Limit reached: at most {connections_max} connections from one address. Close some first."
        ))
        .status(503)
        .error_type(ErrorType::ApiError)
    }

    /// The `Stripe-Account` header is not the id of a connected account.
    pub fn malformed_account(id: &str) -> Self {
        Self::invalid(format!(
            "The account to act in must be the id of a connected account (acct_…), not '{}'.",
            shown(id)
        ))
    }

    /// Two headers name different accounts.
    pub fn other_context() -> Self {
        Self::invalid(
            "The headers Stripe-Account and Stripe-Context name different accounts. Send only one.",
        )
    }

    /// The connected account is not the caller's, was removed, or never existed. The message does
    /// not say which, because that would reveal other merchants' accounts.
    pub fn account_invalid(id: &str) -> Self {
        Self::invalid(format!(
            "The API key has no access to the account '{}': there is no such account, or it is \
             no longer connected to yours.",
            shown(id)
        ))
        .status(403)
        .code("account_invalid")
    }

    /// The object is being changed. The caller may try again.
    pub fn lock_timeout() -> Self {
        Self::invalid("The object is being changed by another request or process. Try again.")
            .status(429)
            .code("lock_timeout")
    }

    /// The call would make an object larger than objects may be.
    pub fn object_too_large() -> Self {
        Self::invalid(format!(
            "The call would make an object larger than {OBJECT_BYTES_MAX} bytes. Send fewer or shorter \
             values."
        ))
    }

    /// The response to a read would be too large.
    pub fn response_too_large() -> Self {
        Self::invalid(format!(
            "The response would be larger than {RESPONSE_BYTES_MAX} bytes. Request a smaller page or \
             fewer expansions."
        ))
    }

    /// Every place for a test key is taken. A retry has the same result.
    pub fn places_taken() -> Self {
        let message = "Every place for a test key with objects is taken on this server, and no sandbox was \
                       unused for long enough to be removed. Use a key that has objects already, or let \
                       the operator of the server set a lower sandbox-idle-days.";
        Self::invalid(message).status(429).code("places_taken")
    }

    /// A wait ended without the event. `waited` names the event and the progress.
    pub fn waited_in_vain(waited: &str) -> Self {
        Self::invalid(waited).status(408).error_type(ErrorType::ApiError)
    }

    /// Too many requests. `reason` is the word of the limit.
    pub fn rate_limited(reason: &'static str) -> Self {
        Self::invalid(format!("Too many requests: the limit {reason} is reached. Slow down."))
            .status(429)
            .code("rate_limit")
    }

    /// A merchant uses its whole share of a bound of the server. `most` is the most that it may have, and
    /// `what` names the things that are counted, as a plural.
    pub fn share_used(most: usize, what: &str) -> Self {
        Self::invalid(format!(
            "Too many requests: an API key may have at most {most} {what} at once, and at most as many as \
             are free on this server. End one first."
        ))
        .status(429)
        .code("rate_limit")
    }

    /// The server failed. Its log has the details.
    pub fn internal() -> Self {
        Self::invalid("The server failed to process this request. Its log has the details.")
            .status(500)
            .error_type(ErrorType::ApiError)
    }
}
