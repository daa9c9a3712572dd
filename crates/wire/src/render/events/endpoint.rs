//! A webhook endpoint. Its secret is shown only in the response that creates it.

use crate::json::JsonWriter;
use model::Word;
use model::endpoint::Endpoint;
use model::id::MerchantId;

/// The value of `object`.
pub const OBJECT: &str = "webhook_endpoint";

/// Writes an endpoint. Its newest secret is included only if `secret_shown` is true.
pub fn write(writer: &mut JsonWriter, endpoint: &Endpoint, secret_shown: bool) {
    writer.object(|w| {
        w.key("id").plain(endpoint.id.text());
        w.key("object").plain(OBJECT);
        w.key("api_version").optional_string(endpoint.api_version.as_deref());
        w.key("application");
        if endpoint.connect {
            w.string(&application_of(endpoint.merchant));
        } else {
            w.null();
        }
        w.key("created").integer(endpoint.created.0);
        w.key("description").optional_string(endpoint.description.as_deref());
        w.key("enabled_events").strings(endpoint.enabled_events.iter().map(String::as_str));
        w.key("livemode").boolean(endpoint.livemode);
        w.key("metadata").string_map(&endpoint.metadata);
        if secret_shown && let Some(secret) = endpoint.secrets.first() {
            w.key("secret").string(&secret.value);
        }
        w.key("status").plain(endpoint.status.word());
        w.key("url").string(&endpoint.url);
    });
}

/// Returns the application id of a platform, which marks its endpoints for connected accounts.
fn application_of(platform: MerchantId) -> String {
    platform.to_string().replacen(MerchantId::PREFIX, "ca_", 1)
}

#[cfg(test)]
mod tests {
    use crate::render::samples::{endpoint, indented, written};

    /// The secret is shown only if requested.
    #[test]
    fn writes_an_endpoint() {
        let endpoint = endpoint();
        insta::assert_snapshot!(indented(|w| super::write(w, &endpoint, true)), @r#"
        {
          "id": "we_00000000001XE5Qmr0hrfqcT",
          "object": "webhook_endpoint",
          "api_version": null,
          "application": null,
          "created": 1700000000,
          "description": null,
          "enabled_events": [
            "*"
          ],
          "livemode": false,
          "metadata": {},
          "secret": "whsec_new",
          "status": "enabled",
          "url": "https://example.com/hook"
        }
        "#);
        let later = written(|w| super::write(w, &endpoint, false));
        assert!(!later.contains("secret") && !later.contains("whsec_"));
    }
}
