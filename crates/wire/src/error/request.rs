//! Errors of objects, addresses and the server.

use super::{Error, ErrorType, shown};

impl Error {
    /// An id that names nothing of this kind; `what` is the kind in words.
    pub fn no_such(what: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {what}: '{}'", shown(id)))
            .status(404)
            .code("resource_missing")
            .param(param)
    }

    /// No such path.
    pub fn unknown_url(method: &str, path: &str) -> Self {
        let path = shown(path);
        Self::invalid(format!("Unrecognized request URL ({method}: {path}).")).status(404)
    }

    /// The path is there, the method is not.
    pub fn wrong_method(method: &str, path: &str) -> Self {
        let path = shown(path);
        Self::invalid(format!("{path} does not take {method} requests.")).status(405)
    }

    /// The second generation of the API, which this server does not speak.
    pub fn unsupported_v2(path: &str) -> Self {
        let path = shown(path);
        Self::invalid(format!("This server has no /v2 API ({path}); use /v1.")).status(404)
    }

    /// A body that is not a form.
    pub fn wrong_content_type(given: &str) -> Self {
        Self::invalid(format!(
            "Request bodies must be application/x-www-form-urlencoded, not {}.",
            shown(given)
        ))
    }

    /// A body or query with too many bytes; `what` names which.
    pub fn too_large(what: &str, bytes_max: usize) -> Self {
        Self::invalid(format!("The {what} has more than {bytes_max} bytes."))
    }

    /// A `Stripe-Account` header that names no account at all.
    pub fn malformed_account(given: &str) -> Self {
        Self::invalid(format!(
            "The account to act in must be the id of a connected account (acct_…), not '{}'.",
            shown(given)
        ))
    }

    /// Two headers that name different accounts.
    pub fn other_context() -> Self {
        Self::invalid(
            "The headers Stripe-Account and Stripe-Context name different accounts; send one.",
        )
    }

    /// A connected account that is not the caller's, or is no more, or never was: which of these
    /// is nobody else's affair.
    pub fn account_invalid(given: &str) -> Self {
        Self::invalid(format!(
            "The API key has no access to the account '{}': there is no such account, or it is \
             no longer connected to yours.",
            shown(given)
        ))
        .status(403)
        .code("account_invalid")
    }

    /// The object is being changed; the caller may try again.
    pub fn lock_timeout() -> Self {
        Self::invalid("The object is being changed by another request or process; try again.")
            .status(429)
            .code("lock_timeout")
    }

    /// Nothing came of a wait; `waited` says for what, and how far it came.
    pub fn waited_in_vain(waited: &str) -> Self {
        Self::invalid(waited).status(408).error_type(ErrorType::ApiError)
    }

    /// Too many requests, by the limit that this word names.
    pub fn rate_limited(reason: &'static str) -> Self {
        Self::invalid(format!("Too many requests: the limit {reason} is reached; slow down."))
            .status(429)
            .code("rate_limit")
    }

    /// The server failed; what happened stands in its log.
    pub fn internal() -> Self {
        Self::invalid("The server failed to answer this request; its log says why.")
            .status(500)
            .error_type(ErrorType::ApiError)
    }
}
