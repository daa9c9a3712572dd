//! Errors of API keys and idempotency keys.

use super::{Error, ErrorType, shown};

impl Error {
    /// The request has no API key.
    pub fn no_key() -> Self {
        Self::invalid(
            "No API key was given. Send it as 'Authorization: Bearer sk_…', or as the user name of \
             HTTP Basic authentication.",
        )
        .status(401)
    }

    /// The `Authorization` header is neither Bearer nor Basic.
    pub fn malformed_authorization() -> Self {
        Self::invalid(
            "The Authorization header could not be read. Send 'Bearer sk_…', or HTTP Basic with \
             the key as the user name.",
        )
        .status(401)
    }

    /// The key is not valid. The message repeats only its kind and its last four characters.
    pub fn invalid_key(key: &str) -> Self {
        Self::invalid(format!("Invalid API key: {}", masked(key))).status(401)
    }

    /// The key was revoked.
    pub fn expired_key(key: &str) -> Self {
        Self::invalid(format!("Expired API key: {}", masked(key)))
            .status(401)
            .code("api_key_expired")
    }

    /// A live key was used for a call of test mode.
    pub fn test_mode_only() -> Self {
        Self::invalid("This call works in test mode only. Use a test key (sk_test_…).")
    }

    /// A publishable key was used for a call that needs a secret key.
    pub fn secret_key_required() -> Self {
        Self::invalid(
            "This call needs a secret API key (sk_…). A publishable key (pk_…) is for client \
             flows only.",
        )
        .status(403)
        .code("secret_key_required")
    }

    /// A request with the same idempotency key is still running.
    pub fn idempotency_key_in_use(key: &str) -> Self {
        Self::invalid(format!(
            "Another request with the idempotency key '{}' is still running. Try again later.",
            shown(key)
        ))
        .status(409)
        .code("idempotency_key_in_use")
    }

    /// The idempotency key was used with other parameters, or on another path or API version.
    pub fn idempotency_mismatch(key: &str) -> Self {
        Self::invalid(format!(
            "The idempotency key '{}' was first used for a different request. Use a new key for \
             each request.",
            shown(key)
        ))
        .error_type(ErrorType::IdempotencyError)
    }
}

fn masked(key: &str) -> String {
    let kinds = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"];
    let kind = kinds.into_iter().find(|kind| key.starts_with(kind)).unwrap_or("");
    // The last four characters of a short key would reveal too much of the secret.
    let tail = match key.char_indices().rev().nth(3) {
        Some((start, _)) if start >= kind.len() + 8 => &key[start..],
        _ => "",
    };
    format!("{kind}****{tail}")
}
