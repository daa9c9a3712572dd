//! Which parameters decide something, of calls that are read by [`shape`](crate::shape).
//!
//! A table knows every name that Stripe knows; what this server does not act on is checked, and
//! shown by the object where it has a key for it. A strict server refuses it instead, so that nobody
//! takes a parameter for one that works. The list is `shape/acted.txt`, which documents say the same
//! from; a test sends every parameter and so holds the list to what calls do.

use crate::error::{Error, shown};
use model::given::Given;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const LIST: &str = include_str!("shape/acted.txt");
/// Above the names that are fulfilled by being shown, in every call.
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

/// The parameters that decide something in a call, each with a note of what. A path in brackets is a
/// part of a hash whose other parts decide nothing.
pub fn of_call(call: &str) -> Option<&'static BTreeMap<&'static str, &'static str>> {
    CALLS.get(call)
}

/// Every call of which something is said.
pub fn calls() -> impl Iterator<Item = &'static str> {
    CALLS.keys().copied().filter(|call| *call != EVERY_CALL)
}

/// Whether a parameter is fulfilled by being kept and shown.
pub fn is_kept(name: &str) -> bool {
    CALLS.get(EVERY_CALL).is_some_and(|kept| kept.contains_key(name))
}

/// The path of the first thing that was given and that nobody acts on. What says no, or unsets, asks
/// for nothing.
pub fn find_dropped(call: &str, given: &Given) -> Option<String> {
    let Given::Hash(members) = given else { return None };
    let mut members = members.iter().filter(|(name, _)| !is_kept(name));
    members.find_map(|(name, value)| dropped(of_call(call), name.clone(), value))
}

/// Why a strict server refuses what it knows and does nothing with.
pub(crate) fn refusal(path: &str) -> Error {
    let path = shown(path);
    let message = format!(
        "{path} is known and not acted on by this server, which is strict: leave it out, or start \
         the server without --strict to have it dropped."
    );
    Error::invalid(message).code("parameter_not_acted_on").param(path)
}

fn dropped(acted: Option<&Notes>, path: String, value: &Given) -> Option<String> {
    let is_acted = |path: &str| acted.is_some_and(|acted| acted.contains_key(path));
    if is_acted(&path) || matches!(value, Given::Unset | Given::Boolean(false)) {
        return None;
    }
    match value {
        Given::Hash(members) => members
            .iter()
            .find_map(|(name, member)| dropped(acted, format!("{path}[{name}]"), member)),
        _ => Some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;

    const CALL: &str = "POST /v1/payment_intents";

    fn dropped_of(form: &str) -> Option<String> {
        let mut params = Params::parse("", &format!("amount=2000&currency=usd&{form}")).unwrap();
        find_dropped(CALL, &params.shaped(crate::shape::of_call(CALL).unwrap()).unwrap())
    }

    /// What is dropped is named by its own path; what is acted on, kept, or says no is not.
    #[test]
    fn finds_what_is_dropped() {
        let bank = "payment_method_options[us_bank_account]";
        for (form, path) in [
            ("customer=cus_1&metadata[a]=b&description=x", None),
            ("application_fee_amount=1", Some("application_fee_amount")),
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
            assert_eq!(dropped_of(form).as_deref(), path, "{form}");
        }
    }

    /// Every line is of a call, and a call that has a table is spelled as the table spells it.
    #[test]
    fn lines_are_of_calls() {
        for call in calls() {
            let (method, path) = call.split_once(' ').unwrap();
            assert!(["GET", "POST", "DELETE"].contains(&method), "{call}");
            assert!(path.starts_with("/v1/"), "{call}");
        }
    }
}
