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

/// The prefixes of API keys.
const KINDS: [&str; 6] = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "pk_test_", "pk_live_"];
/// The beginnings of values that a message must not repeat. Publishable keys are no secrets.
const SECRETS: [&str; 8] =
    ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "ek_test_", "ek_live_", "whsec_", "_secret_"];

/// Masks the secrets in a message: API keys, secrets of webhooks and client secrets. The last four
/// characters of a long secret stay.
pub(super) fn without_secrets(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((place, mark)) = first_secret(rest) {
        let start = place + mark.len();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let end =
            rest[start..].find(|letter| !is_part(letter)).map_or(rest.len(), |end| start + end);
        shown.push_str(&rest[..place]);
        if end == start {
            shown.push_str(mark);
        } else {
            shown.push_str(&masked_after(mark, &rest[place..end]));
        }
        rest = &rest[end..];
    }
    shown + rest
}

fn first_secret(text: &str) -> Option<(usize, &'static str)> {
    SECRETS.iter().filter_map(|mark| Some((text.find(mark)?, *mark))).min()
}

fn masked(key: &str) -> String {
    let kind = KINDS.into_iter().find(|kind| key.starts_with(kind)).unwrap_or("");
    masked_after(kind, key)
}

/// A secret as its beginning, asterisks and its last four characters.
fn masked_after(kind: &str, key: &str) -> String {
    // The last four characters of a short key would reveal too much of the secret.
    let tail = match key.char_indices().rev().nth(3) {
        Some((start, _)) if start >= kind.len() + 8 => &key[start..],
        _ => "",
    };
    format!("{kind}****{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secrets are masked wherever a message repeats them. Other text stays, also the documentation of
    /// keys and publishable keys.
    #[test]
    fn messages_show_no_secrets() {
        for (message, shown) in [
            ("No such customer: 'sk_live_abcdefgh1234'", "No such customer: 'sk_live_****1234'"),
            ("sk_test_1, rk_live_abcdefghijkl.", "sk_test_****, rk_live_****ijkl."),
            ("No such x: 'whsec_abcdefghijkl'", "No such x: 'whsec_****ijkl'"),
            ("'pi_1_secret_abc'", "'pi_1_secret_****'"),
        ] {
            assert_eq!(without_secrets(message), shown);
            assert_eq!(without_secrets(shown), shown, "a masked secret stays");
        }
        for same in [
            "Send 'Bearer sk_…'",
            "Use a test key (sk_test_…).",
            "pk_test_abcdefgh",
            "client_secret",
        ] {
            assert_eq!(without_secrets(same), same);
        }
    }
}
