//! The envelope of an error of a call under `/v2`.
//!
//! It has a code and a message always, the type, and no parameter. The message therefore begins with
//! the path of the parameter. Paths have a period between a hash and its member, as in
//! `webhook_endpoint.url`, because bodies are JSON.

use crate::json::JsonWriter;
use serde_json::Value;

/// The status of an idempotency key that was used for another request.
const IDEMPOTENCY_STATUS: u16 = 409;

/// Turns the envelope of an error of `/v1` into that of `/v2`. Returns the status and the body.
///
/// Stripe documents `not_found` for an absent object, and 409 `idempotency_error` for an idempotency
/// key of another request. Other errors keep their code. An error without one has the code of its kind.
pub fn in_second_version(status: u16, envelope: &[u8]) -> (u16, Vec<u8>) {
    let envelope: Value = serde_json::from_slice(envelope).unwrap_or_default();
    let text = |name: &str| envelope["error"][name].as_str();
    let error_type = text("type").unwrap_or("api_error");
    let is_mismatch = error_type == "idempotency_error" && status == 400;
    let code = match text("code") {
        _ if is_mismatch => "idempotency_error",
        Some("resource_missing") => "not_found",
        Some(code) => code,
        None if status == 404 => "not_found",
        None if status >= 500 => "api_error",
        None => "invalid_request",
    };
    let message = text("message").unwrap_or_default();
    let message = match text("param") {
        // The id is in the path of the call, and the message repeats it.
        Some(_) if code == "not_found" => message.to_owned(),
        Some(path) => with_path(message, path),
        None => message.to_owned(),
    };
    let mut writer = JsonWriter::with_capacity(256);
    writer.object(|w| {
        w.key("error").object(|w| {
            w.key("code").string(code);
            w.key("message").string(&message);
            w.key("type").string(error_type);
        });
    });
    (if is_mismatch { IDEMPOTENCY_STATUS } else { status }, writer.into_bytes())
}

/// The message with the path of its parameter, in the form of `/v2`.
fn with_path(message: &str, path: &str) -> String {
    let own = own_path(path);
    if message.contains(path) {
        return message.replace(path, &own);
    }
    format!("{own}: {message}")
}

/// A path with periods in place of brackets, except around the index of an item.
fn own_path(path: &str) -> String {
    let mut own = String::with_capacity(path.len());
    for part in path.split('[') {
        let inner = part.strip_suffix(']');
        match inner {
            Some(index) if index.bytes().all(|digit| digit.is_ascii_digit()) => {
                own.push('[');
                own.push_str(part);
            }
            Some(name) => {
                own.push('.');
                own.push_str(name);
            }
            None => own.push_str(part),
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn shown(error: &Error) -> String {
        let (status, body) = in_second_version(error.status, &error.to_json(None));
        format!("{status} {}", String::from_utf8(body).unwrap())
    }

    /// Code, message and type, with the path of the parameter in the message.
    #[test]
    fn writes_the_envelope() {
        let errors = [
            Error::unknown_params(&["webhook_endpoint[urls]".to_owned()], Some("url")),
            Error::bad_shape("enabled_events[1]", "string", Some("3")),
            Error::missing_param("name"),
            Error::no_such("event destination", "ed_test_1", "id"),
            Error::unknown_url("GET", "/v2/x"),
            Error::idempotency_mismatch("k"),
            Error::idempotency_key_in_use("k"),
            Error::no_key(),
            Error::internal(),
        ];
        let lines: Vec<String> = errors.iter().map(shown).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        400 {"error":{"code":"parameter_unknown","message":"Received unknown parameter: webhook_endpoint.urls. Did you mean url?","type":"invalid_request_error"}}
        400 {"error":{"code":"invalid_request","message":"enabled_events[1]: Invalid string: 3","type":"invalid_request_error"}}
        400 {"error":{"code":"parameter_missing","message":"Missing required parameter: name.","type":"invalid_request_error"}}
        404 {"error":{"code":"not_found","message":"No such event destination: 'ed_test_1'","type":"invalid_request_error"}}
        404 {"error":{"code":"not_found","message":"Unrecognized request URL (GET: /v2/x).","type":"invalid_request_error"}}
        409 {"error":{"code":"idempotency_error","message":"The idempotency key 'k' was first used for a different request. Use a new key for each request.","type":"idempotency_error"}}
        409 {"error":{"code":"idempotency_key_in_use","message":"Another request with the idempotency key 'k' is still running. Try again later.","type":"invalid_request_error"}}
        401 {"error":{"code":"invalid_request","message":"No API key was given. Send it as 'Authorization: Bearer sk_…', or as the user name of HTTP Basic authentication.","type":"invalid_request_error"}}
        500 {"error":{"code":"api_error","message":"The server failed to process this request. Its log has the details.","type":"api_error"}}
        "#);
    }
}
