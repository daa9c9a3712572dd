//! Fits payment objects to a version.
//!
//! Payment objects are rendered with the keys of all versions. Before they are sent, the keys that
//! the reader's version lacks are removed. `keys.txt` lists the keys that each version added and,
//! with a minus before the object, removed. `cargo xtask shapes --from-sdk` writes it from the types
//! of the official SDKs. Versions before the first one of the list are fitted to the version before
//! it.

use crate::version::Version;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const KEYS: &str = include_str!("keys.txt");
/// The beginning of the line that names a version.
const HEADING: &str = "= ";
/// The mark of an object that lost a key.
const LOST: char = '-';
/// A hash that contains the merchant's own keys.
const METADATA: &str = "metadata";

/// The keys that only previews have, by the word of their object.
const IN_PREVIEW: &[(&str, &[&str])] = &[
    ("checkout.session", PAYMENT_KEYS),
    ("invoice", SETTINGS_KEYS),
    ("payment_intent", PAYMENT_KEYS),
    ("setup_intent", PAYMENT_KEYS),
    ("subscription", SETTINGS_KEYS),
];
const PAYMENT_KEYS: &[&str] = &[
    "payment_method_options.us_bank_account.financial_connections.filters.institution",
    "payment_method_options.us_bank_account.financial_connections.manual_entry",
];
const SETTINGS_KEYS: &[&str] = &[
    "payment_settings.payment_method_options.us_bank_account.financial_connections.filters.institution",
];
/// A word that only previews have in lists, and the paths of those lists by the word of their object.
const WORD_IN_PREVIEW: &str = "inferred_balances";
const LISTS_WITH_WORD: &[(&str, &str)] = &[
    ("checkout.session", PAYMENT_PREFETCH),
    ("invoice", SETTINGS_PREFETCH),
    ("payment_intent", PAYMENT_PREFETCH),
    ("setup_intent", PAYMENT_PREFETCH),
    ("subscription", SETTINGS_PREFETCH),
];
const PAYMENT_PREFETCH: &str =
    "payment_method_options.us_bank_account.financial_connections.prefetch";
const SETTINGS_PREFETCH: &str =
    "payment_settings.payment_method_options.us_bank_account.financial_connections.prefetch";
/// A hash that responses leave out if it is empty.
const FILTERS: &str = "filters";

/// A key that some versions lack.
struct Key {
    /// The date of the version that added or removed it.
    date: &'static str,
    /// True if that version removed it.
    lost: bool,
    /// The names on the path from the object to the key.
    path: Vec<&'static str>,
}

/// The keys by the word of their object.
static OBJECTS: LazyLock<BTreeMap<&'static str, Vec<Key>>> = LazyLock::new(|| {
    let mut objects: BTreeMap<&str, Vec<Key>> = BTreeMap::new();
    let mut date = "";
    for line in KEYS.lines() {
        if let Some(version) = line.strip_prefix(HEADING) {
            date = version.split('.').next().unwrap_or(version);
        } else if let Some((object, path)) = line.split_once(' ') {
            let name = object.trim_start_matches(LOST);
            let key = Key { date, lost: name != object, path: path.split('.').collect() };
            objects.entry(name).or_default().push(key);
        }
    }
    objects
});

/// Removes the keys that a version lacks from an object and from all objects inside it.
pub fn fit(value: &mut Value, version: &Version) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| fit(item, version)),
        Value::Object(members) => {
            fit_members(members, version);
            for (name, member) in members {
                if name != METADATA {
                    fit(member, version);
                }
            }
        }
        _ => {}
    }
}

fn fit_members(members: &mut Map<String, Value>, version: &Version) {
    let Some(object) = members.get("object").and_then(Value::as_str) else { return };
    let keys = OBJECTS.get(object).map_or(&[][..], Vec::as_slice);
    let in_preview = IN_PREVIEW.iter().filter(|(of, _)| !version.is_preview() && *of == object);
    let in_preview: Vec<&str> = in_preview.flat_map(|(_, paths)| *paths).copied().collect();
    let with_word = LISTS_WITH_WORD.iter().find(|(of, _)| !version.is_preview() && *of == object);
    for path in paths_by_fate(keys, version) {
        remove(members, path);
    }
    if let Some((_, path)) = with_word {
        remove_word(members, path, WORD_IN_PREVIEW);
    }
    for path in in_preview {
        let path: Vec<&str> = path.split('.').collect();
        remove(members, &path);
    }
}

/// Removes a word from the list at a path.
fn remove_word(members: &mut Map<String, Value>, path: &str, word: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match (members.get_mut(name), rest) {
        (Some(Value::Object(inside)), Some(rest)) => remove_word(inside, rest, word),
        (Some(Value::Array(items)), None) => items.retain(|item| item != word),
        _ => {}
    }
}

/// Returns the paths that a version lacks. A key can be removed and added again later, so its last
/// change up to the version decides.
fn paths_by_fate<'a>(keys: &'a [Key], version: &Version) -> Vec<&'a [&'static str]> {
    let mut lacked: BTreeMap<&[&str], bool> = BTreeMap::new();
    for key in keys {
        let path = key.path.as_slice();
        if version.at_least(key.date) {
            lacked.insert(path, key.lost);
        } else {
            // Before its first change, a key that a version added is missing.
            lacked.entry(path).or_insert(!key.lost);
        }
    }
    lacked.into_iter().filter(|(_, lacks)| *lacks).map(|(path, _)| path).collect()
}

fn remove(members: &mut Map<String, Value>, path: &[&str]) {
    let Some((name, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        members.remove(*name);
        return;
    }
    match members.get_mut(*name) {
        Some(Value::Object(inside)) => {
            remove(inside, rest);
            if *name == FILTERS && inside.is_empty() {
                members.remove(FILTERS);
            }
        }
        Some(Value::Array(items)) => {
            items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| remove(item, rest));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fitted(mut value: Value, version: &str) -> Value {
        fit(&mut value, &Version::parse(version).unwrap());
        value
    }

    /// A key is shown from the version that added it to the one that removed it.
    #[test]
    fn keys_are_shown_in_their_versions() {
        for (object, key, versions, others) in [
            (
                "payment_intent",
                "allowed_payment_method_types",
                ["2026-07-29.dahlia", "2026-08-26.preview"],
                ["2026-06-24.dahlia", "2024-06-20"],
            ),
            (
                "checkout.session",
                "allowed_payment_method_types",
                ["2026-09-30.endive", "2026-11-18.endive"],
                ["2026-08-26.dahlia", "2026-08-26.preview"],
            ),
            (
                "invoice",
                "paid",
                ["2025-02-24.acacia", "2020-08-27"],
                ["2025-03-31.basil", "2026-11-18.endive"],
            ),
            (
                "invoice",
                "parent",
                ["2025-03-31.basil", "2026-11-18.endive"],
                ["2025-02-24.acacia", "2020-08-27"],
            ),
            // It was removed in basil and came back.
            (
                "subscription",
                "billing_thresholds",
                ["2024-06-20", "2025-08-27.basil"],
                ["2025-03-31.basil", "2025-04-30.basil"],
            ),
        ] {
            for (shown, versions) in [(true, versions), (false, others)] {
                for version in versions {
                    let value = fitted(json!({"object": object, key: null}), version);
                    assert_eq!(value.get(key).is_some(), shown, "{object} {key} in {version}");
                }
            }
        }
    }

    /// Keys of previews are shown in them only. A filter that only previews have leaves no hash behind.
    #[test]
    fn keys_of_previews_are_shown_in_previews() {
        let connections = json!({"filters": {"institution": "fcinst_1"}, "manual_entry": {}});
        let value = json!({
            "object": "payment_intent",
            "payment_method_options": {"us_bank_account": {"financial_connections": connections}},
        });
        let shown = |version| {
            let value = fitted(value.clone(), version);
            value["payment_method_options"]["us_bank_account"]["financial_connections"].clone()
        };
        assert_eq!(shown("2026-11-18.preview"), connections);
        assert_eq!(shown("2026-11-18.endive"), json!({}));
    }

    /// A word of previews is removed from a list in other versions, and the list stays.
    #[test]
    fn words_of_previews_are_shown_in_previews() {
        for (object, path) in LISTS_WITH_WORD {
            let list = json!(["balances", "inferred_balances"]);
            let nested = path.rsplit('.').fold(list, |inner, name| json!({name: inner}));
            let mut value = nested;
            value["object"] = (*object).into();
            let pointer = format!("/{}", path.replace('.', "/"));
            let shown = |version| fitted(value.clone(), version).pointer(&pointer).cloned();
            assert_eq!(shown("2026-11-18.preview"), Some(json!(["balances", "inferred_balances"])));
            assert_eq!(shown("2026-11-18.endive"), Some(json!(["balances"])), "{object}");
        }
    }

    /// Objects inside an object are fitted too, and nested keys are removed. Metadata is not
    /// changed, and neither are other objects.
    #[test]
    fn nested_objects_are_fitted() {
        let invoice = json!({"object": "invoice", "paid": true});
        let value = json!({
            "object": "list",
            "data": [{
                "object": "subscription",
                "latest_invoice": invoice,
                "invoice_settings": {"footer": null, "issuer": {"type": "self"}},
                "metadata": invoice,
            }],
        });
        let expected = json!({
            "object": "list",
            "data": [{
                "object": "subscription",
                "latest_invoice": {"object": "invoice"},
                "invoice_settings": {"issuer": {"type": "self"}},
                "metadata": invoice,
            }],
        });
        assert_eq!(fitted(value, "2026-05-27.dahlia"), expected);
        let customer = json!({"object": "customer", "paid": true});
        assert_eq!(fitted(customer.clone(), "2026-05-27.dahlia"), customer);
    }
}
