//! Tests of API errors: each message reads as one sentence.

use super::*;

/// Formats errors for a snapshot: status, code and path, then the message on lines of its own.
pub(crate) fn listed(errors: &[Error]) -> String {
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

/// The envelope has code, page, message, path and type. It is indented JSON.
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
    let read: serde_json::Value = serde_json::from_slice(&hostile.to_json(Some("req_1"))).unwrap();
    assert_eq!(read["error"]["message"], "No such customer: 'cus_\"\\\n'");
    assert_eq!(read["error"]["request_id"], "req_1");
}

/// Every kind of error has a message, a status, a type and a code.
#[test]
fn errors_read_well() {
    let errors = [
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
        Error::other_server_silent("http://127.0.0.1:12112", "the connection was refused"),
        Error::other_server_unusable("http://127.0.0.1:12112", "it is not JSON"),
        Error::wrong_method("PUT", "/v1/customers"),
        Error::unsupported_v2("GET", "/v2/core/accounts"),
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
    insta::assert_snapshot!(listed(&errors), @"
    400 parameter_unknown fetaures
        Received unknown parameter: fetaures. Did you mean features?
    400 parameter_unknown a[b]
        Received unknown parameters: a[b], c
    400 parameter_invalid_integer limit
        Invalid integer: ten
    400 parameter_invalid_integer limit
        Invalid integer: limit must be between 1 and 100
    400 parameter_invalid_empty transaction_refresh[after]
        transaction_refresh[after] is an empty string. Send a value, or leave it out.
    400 - features[0]
        Invalid features[0]: must be one of balance, ownership, or transactions
    400 - name
        Invalid string: name must be a string, not a hash or a list
    400 - name
        Invalid string: name may have at most 5000 characters
    400 parameters_exclusive starting_after
        You may give only one of these parameters: starting_after, ending_before.
    404 resource_missing customer
        No such customer: 'cus_x'
    404 - -
        Unrecognized request URL (GET: /v1/custmers).
    503 - -
        The server http://127.0.0.1:12112 of the setting else gave no complete response:
        the connection was refused. Check that it runs, or start this server without
        --else.
    502 - -
        The response of the server http://127.0.0.1:12112 of the setting else cannot be
        used: it is not JSON. Check that --else names a server of Stripe's API.
    405 - -
        /v1/customers does not accept PUT requests.
    404 - -
        This server has no call GET /v2/core/accounts. Under /v2 it has event
        destinations and events of /v2/core only.
    400 - -
        Request bodies must be application/x-www-form-urlencoded, not application/json.
    400 - -
        The request body is too large: at most 1024 bytes.
    429 lock_timeout -
        The object is being changed by another request or process. Try again.
    500 - -
        The server failed to process this request. Its log has the details.
    401 - -
        No API key was given. Send it as 'Authorization: Bearer sk_…', or as the user
        name of HTTP Basic authentication.
    401 - -
        The Authorization header could not be read. Send 'Bearer sk_…', or HTTP Basic
        with the key as the user name.
    401 - -
        Invalid API key: sk_test_****mnop
    401 - -
        Invalid API key: ****
    403 secret_key_required -
        This call needs a secret API key (sk_…). A publishable key (pk_…) is for
        client flows only.
    409 idempotency_key_in_use -
        Another request with the idempotency key 'k' is still running. Try again later.
    400 - -
        The idempotency key 'k' was first used for a different request. Use a new key
        for each request.
    ");
}
