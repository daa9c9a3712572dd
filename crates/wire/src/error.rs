//! The one error of the API and its envelope.
//!
//! Everything that a caller can be told has a constructor here, so that the same fault reads the
//! same wherever it is found: status, type, code, the parameter's full path
//! (`account_holder[customer]`, `features[0]`), and one sentence that names the fault. The body is
//! indented by two spaces, as people meet it in terminals.

use crate::json::JsonWriter;
use model::limits::METADATA_KEYS_MAX;
use std::fmt;

/// The type in the envelope, by which clients choose an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The server failed.
    ApiError,
    /// An idempotency key was used for something else, or is in use.
    IdempotencyError,
    /// The request is at fault.
    InvalidRequestError,
}

impl ErrorType {
    /// The word in the envelope.
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiError => "api_error",
            Self::IdempotencyError => "idempotency_error",
            Self::InvalidRequestError => "invalid_request_error",
        }
    }
}

/// What a caller is told about a request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The type in the envelope.
    pub error_type: ErrorType,
    /// A word for programs, where there is one.
    pub code: Option<&'static str>,
    /// A sentence for people.
    pub message: String,
    /// The full path of the parameter at fault, in brackets.
    pub param: Option<String>,
    /// A remark for the developer beside the envelope.
    pub notice: Option<Box<str>>,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Building blocks.
impl Error {
    /// A request at fault: 400, without a code.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            error_type: ErrorType::InvalidRequestError,
            code: None,
            message: message.into(),
            param: None,
            notice: None,
        }
    }

    /// The same with a code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same with the path of the parameter at fault.
    #[must_use]
    pub fn param(mut self, path: impl Into<String>) -> Self {
        self.param = Some(path.into());
        self
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with a remark for the developer, in printable ASCII.
    #[must_use]
    pub fn notice(mut self, notice: String) -> Self {
        self.notice = Some(notice.into_boxed_str());
        self
    }

    fn error_type(mut self, error_type: ErrorType) -> Self {
        self.error_type = error_type;
        self
    }
}

/// Parameters.
impl Error {
    /// A parameter that must be there is not.
    pub fn missing_param(path: &str) -> Self {
        Self::invalid(format!("Missing required parameter: {path}."))
            .code("parameter_missing")
            .param(path)
    }

    /// Parameters that nobody asked for, by their full paths, with the known name nearest to the
    /// first.
    pub fn unknown_params(paths: &[String], nearest: Option<&str>) -> Self {
        let mut message = match paths {
            [one] => format!("Received unknown parameter: {}", shown(one)),
            many => format!("Received unknown parameters: {}", shown(&many.join(", "))),
        };
        if let Some(nearest) = nearest {
            message.push_str(". Did you mean ");
            message.push_str(nearest);
            message.push('?');
        }
        let error = Self::invalid(message).code("parameter_unknown");
        match paths.first() {
            Some(first) => error.param(shown(first)),
            None => error,
        }
    }

    /// Not an integer.
    pub fn bad_integer(path: &str, given: &str) -> Self {
        Self::invalid(format!("Invalid integer: {}", shown(given)))
            .code("parameter_invalid_integer")
            .param(path)
    }

    /// An integer outside its bounds, both of which are allowed.
    pub fn integer_out_of_range(path: &str, least: i64, most: i64) -> Self {
        Self::invalid(format!("Invalid integer: {path} must be between {least} and {most}"))
            .code("parameter_invalid_integer")
            .param(path)
    }

    /// An empty string where it unsets nothing.
    pub fn empty(path: &str) -> Self {
        Self::invalid(format!("{path} is an empty string; give a value or leave it out."))
            .code("parameter_invalid_empty")
            .param(path)
    }

    /// A word that is none of those allowed.
    pub fn bad_choice(path: &str, words: &[&str]) -> Self {
        Self::invalid(format!("Invalid {path}: must be {}", one_of(words))).param(path)
    }

    /// A value of the wrong shape: `wanted` is `string`, `array`, `object` or `boolean`.
    pub fn bad_shape(path: &str, wanted: &str, given: Option<&str>) -> Self {
        let message = match given {
            Some(given) => format!("Invalid {wanted}: {}", shown(given)),
            None => format!("Invalid {wanted}: {path} has another shape"),
        };
        Self::invalid(message).param(path)
    }

    /// A text with too many characters.
    pub fn too_long(path: &str, chars_max: usize) -> Self {
        Self::invalid(format!("Invalid string: {path} has more than {chars_max} characters"))
            .param(path)
    }

    /// More keys of the merchant's own than an object may have.
    pub fn too_many_metadata_keys(path: &str) -> Self {
        let message = format!("An object may have at most {METADATA_KEYS_MAX} metadata keys.");
        Self::invalid(message).param(path)
    }

    /// Parameters of which only one may be given.
    pub fn exclusive(paths: &[impl AsRef<str>]) -> Self {
        let names: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        let error = Self::invalid(format!(
            "You may give only one of these parameters: {}.",
            names.join(", ")
        ))
        .code("parameters_exclusive");
        match names.first() {
            Some(first) => error.param(*first),
            None => error,
        }
    }
}

/// Objects, addresses, server.
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

/// Keys and idempotency.
impl Error {
    /// No API key.
    pub fn no_key() -> Self {
        Self::invalid(
            "No API key was given. Send it as 'Authorization: Bearer sk_…', or as the user name of \
             HTTP Basic authentication.",
        )
        .status(401)
    }

    /// An `Authorization` header that is neither Bearer nor Basic.
    pub fn malformed_authorization() -> Self {
        Self::invalid(
            "The Authorization header could not be read: it must be 'Bearer sk_…', or HTTP Basic \
             with the key as user name.",
        )
        .status(401)
    }

    /// A key that opens nothing. Only its kind and its last four characters are repeated.
    pub fn invalid_key(given: &str) -> Self {
        Self::invalid(format!("Invalid API key: {}", masked(given))).status(401)
    }

    /// A key that was revoked.
    pub fn expired_key(given: &str) -> Self {
        Self::invalid(format!("Expired API key: {}", masked(given)))
            .status(401)
            .code("api_key_expired")
    }

    /// A live key where only test mode goes.
    pub fn test_mode_only() -> Self {
        Self::invalid("This call works in test mode only; use a test key (sk_test_…).")
    }

    /// A publishable key where a secret one is needed.
    pub fn secret_key_required() -> Self {
        Self::invalid(
            "This call needs a secret API key (sk_…); a publishable key (pk_…) may only drive a \
             client flow.",
        )
        .status(403)
        .code("secret_key_required")
    }

    /// A request with the same idempotency key has not ended.
    pub fn idempotency_key_in_use(key: &str) -> Self {
        Self::invalid(format!(
            "Another request with the idempotency key '{}' is still running; try again later.",
            shown(key)
        ))
        .status(409)
        .error_type(ErrorType::IdempotencyError)
        .code("idempotency_key_in_use")
    }

    /// The idempotency key was used with other parameters, on another path or API version.
    pub fn idempotency_mismatch(key: &str) -> Self {
        Self::invalid(format!(
            "The idempotency key '{}' was first used for a different request; use a new key for \
             each request.",
            shown(key)
        ))
        .error_type(ErrorType::IdempotencyError)
    }
}

impl Error {
    /// The envelope. Clients take the request's id from a header; people without that header at
    /// hand get it in the body too when it is given here.
    pub fn to_json(&self, request_id: Option<&str>) -> Vec<u8> {
        let mut members: Vec<(&str, String)> = Vec::with_capacity(6);
        if let Some(code) = self.code {
            members.push(("code", code.to_owned()));
            // The public page that explains the code.
            let anchor = code.replace('_', "-");
            members.push(("doc_url", format!("https://stripe.com/docs/error-codes/{anchor}")));
        }
        members.push(("message", self.message.clone()));
        if let Some(param) = &self.param {
            members.push(("param", param.clone()));
        }
        if let Some(request_id) = request_id {
            members.push(("request_id", request_id.to_owned()));
        }
        members.push(("type", self.error_type.word().to_owned()));

        let mut writer = JsonWriter::with_capacity(256);
        writer.fragment(b"{\n  \"error\": {\n");
        for (place, (name, value)) in members.iter().enumerate() {
            writer.fragment(if place == 0 { b"    \"" } else { b",\n    \"" });
            writer.fragment(name.as_bytes()).fragment(b"\": \"").string_body(value).fragment(b"\"");
        }
        writer.fragment(b"\n  }\n}\n");
        writer.into_bytes()
    }
}

/// What a caller sent, cut to a length that a message can hold.
pub(crate) fn shown(given: &str) -> String {
    const CHARS_MAX: usize = 200;
    match given.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &given[..end]),
        None => given.to_owned(),
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "left out".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("one of {one} or {two}"),
        [first @ .., last] => format!("one of {}, or {last}", first.join(", ")),
    }
}

fn masked(key: &str) -> String {
    let kinds = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"];
    let kind = kinds.into_iter().find(|kind| key.starts_with(kind)).unwrap_or("");
    // Of a short key the last four characters would be too much of the secret.
    let tail = match key.char_indices().rev().nth(3) {
        Some((start, _)) if start >= kind.len() + 8 => &key[start..],
        _ => "",
    };
    format!("{kind}****{tail}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Errors for a snapshot: status, code and path, and the message on lines of its own.
    pub(crate) fn told(errors: &[Error]) -> String {
        let mut lines = Vec::new();
        for error in errors {
            let (code, param) = (error.code.unwrap_or("-"), error.param.as_deref());
            lines.push(format!("{} {code} {}", error.status, param.unwrap_or("-")));
            let mut line = String::new();
            for word in error.message.split(' ') {
                if line.len() + word.len() > 80 {
                    lines.push(format!("   {}", std::mem::take(&mut line)));
                }
                line.push(' ');
                line.push_str(word);
            }
            lines.push(format!("   {line}"));
        }
        lines.join("\n")
    }

    fn envelope(error: &Error) -> String {
        String::from_utf8(error.to_json(None)).unwrap()
    }

    /// The envelope holds code, page, message, path and type, indented, and is JSON.
    #[test]
    fn envelope_is_indented_json() {
        let error = Error::missing_param("account_holder[type]");
        insta::assert_snapshot!(envelope(&error), @r#"
        {
          "error": {
            "code": "parameter_missing",
            "doc_url": "https://stripe.com/docs/error-codes/parameter-missing",
            "message": "Missing required parameter: account_holder[type].",
            "param": "account_holder[type]",
            "type": "invalid_request_error"
          }
        }
        "#);
        let hostile = Error::no_such("customer", "cus_\"\\\n", "customer");
        let read: serde_json::Value =
            serde_json::from_slice(&hostile.to_json(Some("req_1"))).unwrap();
        assert_eq!(read["error"]["message"], "No such customer: 'cus_\"\\\n'");
        assert_eq!(read["error"]["request_id"], "req_1");
    }

    /// Every kind of fault reads as one sentence and carries its status, type and code.
    #[test]
    fn faults_read_well() {
        let faults = [
            Error::unknown_params(&["fetaures".into()], Some("features")),
            Error::unknown_params(&["a[b]".into(), "c".into()], None),
            Error::bad_integer("limit", "ten"),
            Error::integer_out_of_range("limit", 1, 100),
            Error::empty("transaction_refresh[after]"),
            Error::bad_choice("features[0]", &["balance", "ownership", "transactions"]),
            Error::bad_shape("name", "string", None),
            Error::too_long("name", 5_000),
            Error::exclusive(&["starting_after", "ending_before"]),
            Error::no_such("customer", "cus_x", "customer"),
            Error::unknown_url("GET", "/v1/custmers"),
            Error::wrong_method("PUT", "/v1/customers"),
            Error::unsupported_v2("/v2/core/events"),
            Error::wrong_content_type("application/json"),
            Error::too_large("request body", 1_024),
            Error::lock_timeout(),
            Error::internal(),
            Error::no_key(),
            Error::malformed_authorization(),
            Error::invalid_key("sk_test_abcdefghijklmnop"),
            Error::invalid_key("short"),
            Error::secret_key_required(),
            Error::idempotency_key_in_use("k"),
            Error::idempotency_mismatch("k"),
        ];
        insta::assert_snapshot!(told(&faults), @"
        400 parameter_unknown fetaures
            Received unknown parameter: fetaures. Did you mean features?
        400 parameter_unknown a[b]
            Received unknown parameters: a[b], c
        400 parameter_invalid_integer limit
            Invalid integer: ten
        400 parameter_invalid_integer limit
            Invalid integer: limit must be between 1 and 100
        400 parameter_invalid_empty transaction_refresh[after]
            transaction_refresh[after] is an empty string; give a value or leave it out.
        400 - features[0]
            Invalid features[0]: must be one of balance, ownership, or transactions
        400 - name
            Invalid string: name has another shape
        400 - name
            Invalid string: name has more than 5000 characters
        400 parameters_exclusive starting_after
            You may give only one of these parameters: starting_after, ending_before.
        404 resource_missing customer
            No such customer: 'cus_x'
        404 - -
            Unrecognized request URL (GET: /v1/custmers).
        405 - -
            /v1/customers does not take PUT requests.
        404 - -
            This server has no /v2 API (/v2/core/events); use /v1.
        400 - -
            Request bodies must be application/x-www-form-urlencoded, not application/json.
        400 - -
            The request body has more than 1024 bytes.
        429 lock_timeout -
            The object is being changed by another request or process; try again.
        500 - -
            The server failed to answer this request; its log says why.
        401 - -
            No API key was given. Send it as 'Authorization: Bearer sk_…', or as the user
            name of HTTP Basic authentication.
        401 - -
            The Authorization header could not be read: it must be 'Bearer sk_…', or HTTP
            Basic with the key as user name.
        401 - -
            Invalid API key: sk_test_****mnop
        401 - -
            Invalid API key: ****
        403 secret_key_required -
            This call needs a secret API key (sk_…); a publishable key (pk_…) may only
            drive a client flow.
        409 idempotency_key_in_use -
            Another request with the idempotency key 'k' is still running; try again later.
        400 - -
            The idempotency key 'k' was first used for a different request; use a new key
            for each request.
        ");
    }
}
