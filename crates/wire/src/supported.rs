//! The parameters that this server supports, for calls that are read by a [`schema`](crate::schema).
//!
//! A schema contains every name that Stripe knows. A parameter that this server ignores is
//! validated, and shown if the object has a key for it. A strict server rejects it instead, so that
//! a client does not rely on a parameter without effect. The list is in `schema/supported.txt`, and
//! documents are generated from it. A test sends every parameter and compares the list with the
//! behaviour of the calls.

use crate::error::{Error, shown};
use model::extra_params::ExtraParams;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const LIST: &str = include_str!("schema/supported.txt");
/// The heading of the names that every call supports by showing them.
const EVERY_CALL: &str = "every call";

type Notes = BTreeMap<&'static str, &'static str>;

static CALLS: LazyLock<BTreeMap<&'static str, Notes>> = LazyLock::new(|| {
    let mut calls: BTreeMap<&str, Notes> = BTreeMap::new();
    let mut head = "";
    for line in LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(inside) = line.strip_prefix(' ') else {
            head = line;
            continue;
        };
        let (name, note) = inside.split_once(" | ").unwrap_or((inside, ""));
        for call in head.split(" + ") {
            calls.entry(call).or_default().insert(name, note);
        }
    }
    calls
});

/// Returns the supported parameters of a call, each with a note on its effect. A path in brackets
/// names one member of a hash, and the other members of that hash are ignored.
pub fn of_call(call: &str) -> Option<&'static BTreeMap<&'static str, &'static str>> {
    CALLS.get(call)
}

/// Returns every call with supported parameters.
pub fn calls() -> impl Iterator<Item = &'static str> {
    CALLS.keys().copied().filter(|call| *call != EVERY_CALL)
}

/// True if a parameter is supported by storing and showing it.
pub fn is_stored(name: &str) -> bool {
    CALLS.get(EVERY_CALL).is_some_and(|stored| stored.contains_key(name))
}

/// Returns the path of the first parameter that was sent and is ignored. A value of false and an
/// empty text do not count, because they request no effect.
pub fn find_dropped(call: &str, params: &ExtraParams) -> Option<String> {
    let ExtraParams::Hash(members) = params else { return None };
    let mut members = members.iter().filter(|(name, _)| !is_stored(name));
    members.find_map(|(name, value)| find_in_value(of_call(call), name.clone(), value))
}

/// The error of a strict server for a parameter that it would otherwise ignore.
pub(crate) fn ignored_error(path: &str) -> Error {
    let path = shown(path);
    let message = format!(
        "{path} is ignored by this server, and a strict server rejects it. Leave it out, or start \
         the server without --strict."
    );
    Error::invalid(message).code("parameter_not_acted_on").param(path)
}

fn find_in_value(supported: Option<&Notes>, path: String, value: &ExtraParams) -> Option<String> {
    let is_supported = |path: &str| supported.is_some_and(|supported| supported.contains_key(path));
    if is_supported(&path) || matches!(value, ExtraParams::Unset | ExtraParams::Boolean(false)) {
        return None;
    }
    match value {
        ExtraParams::Hash(members) => members
            .iter()
            .find_map(|(name, member)| find_in_value(supported, format!("{path}[{name}]"), member)),
        _ => Some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;

    const CALL: &str = "POST /v1/payment_intents";

    fn ignored_in(form: &str) -> Option<String> {
        let mut params = Params::parse("", &format!("amount=2000&currency=usd&{form}")).unwrap();
        find_dropped(CALL, &params.take_schema(crate::schema::of_call(CALL).unwrap()).unwrap())
    }

    /// An ignored parameter is reported by its own path. A supported or shown one, or one with the
    /// value false, is not reported.
    #[test]
    fn finds_ignored_parameters() {
        let bank = "payment_method_options[us_bank_account]";
        for (form, path) in [
            ("customer=cus_1&metadata[a]=b&description=x", None),
            ("application_fee_amount=1", None),
            ("radar_options[session]=x", Some("radar_options[session]")),
            ("off_session=false", None),
            ("payment_method_options[card]=", None),
            (
                "payment_method_options[klarna][preferred_locale]=de-DE",
                Some("payment_method_options[klarna][preferred_locale]"),
            ),
            (&*format!("{bank}[verification_method]=instant"), None),
            (
                &*format!("{bank}[target_date]=x"),
                Some("payment_method_options[us_bank_account][target_date]"),
            ),
            (&*format!("{bank}[financial_connections][permissions][]=payment_method"), None),
        ] {
            assert_eq!(ignored_in(form).as_deref(), path, "{form}");
        }
    }

    /// Every line belongs to a call, and a call with a schema is spelled as in the schema.
    #[test]
    fn lines_are_of_calls() {
        for call in calls() {
            let (method, path) = call.split_once(' ').unwrap();
            assert!(["GET", "POST", "DELETE"].contains(&method), "{call}");
            assert!(path.starts_with("/v1/"), "{call}");
        }
    }
}
