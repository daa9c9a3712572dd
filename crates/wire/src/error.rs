//! The API error and its envelope.
//!
//! Every error that a client can see has a constructor here, so that one problem has one wording.
//! An error has a status, a type, a code, the full path of the parameter
//! (`account_holder[customer]`, `features[0]`), and a message. The message names the problem and
//! the fix, with the limit or the accepted values. The body is indented by two spaces, because
//! people read it in terminals.

mod access;
mod params;
mod request;
mod second_version;

pub use second_version::in_second_version;

use crate::json::JsonWriter;
use access::without_secrets;
use std::fmt;

/// The type in the envelope, which decides the exception class of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The server failed.
    ApiError,
    /// An idempotency key was used for another request, or is in use.
    IdempotencyError,
    /// The request is invalid.
    InvalidRequestError,
}

impl ErrorType {
    /// Returns the word in the envelope.
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiError => "api_error",
            Self::IdempotencyError => "idempotency_error",
            Self::InvalidRequestError => "invalid_request_error",
        }
    }
}

/// An API error: the content of the response to a request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The type in the envelope.
    pub error_type: ErrorType,
    /// The code for programs, if there is one.
    pub code: Option<&'static str>,
    /// The message for people.
    pub message: String,
    /// The full path of the invalid parameter, in brackets.
    pub param: Option<String>,
    /// A notice for the developer beside the envelope.
    pub notice: Option<Box<str>>,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&without_secrets(&self.message))
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Creates the error of an invalid request: 400, without a code.
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

    /// Sets the code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets the path of the invalid parameter.
    #[must_use]
    pub fn param(mut self, path: impl Into<String>) -> Self {
        self.param = Some(path.into());
        self
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sets a notice for the developer, in printable ASCII.
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

impl Error {
    /// Renders the envelope. Clients read the request's id from a header. If the id is passed here
    /// it is also in the body, for people who do not see that header.
    pub fn to_json(&self, request_id: Option<&str>) -> Vec<u8> {
        let mut members: Vec<(&str, String)> = Vec::with_capacity(6);
        if let Some(code) = self.code {
            members.push(("code", code.to_owned()));
            // The public page that explains the code.
            let anchor = code.replace('_', "-");
            members.push(("doc_url", format!("https://stripe.com/docs/error-codes/{anchor}")));
        }
        // A caller may send a secret as an id, as a value or as a name.
        members.push(("message", without_secrets(&self.message)));
        if let Some(param) = &self.param {
            members.push(("param", without_secrets(param)));
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

/// Shortens a value of the caller to a length that fits into a message.
pub fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
