//! Changes of the API since the version that the parameter tables of [`shape`](crate::shape) are
//! of, one module each.
//!
//! A request is read by the table and by every change that its version has; an answer is rendered
//! as the newest version shows it, and what is newer than its reader is left out. Objects that are
//! written without a value in between ([`render::account`](crate::render::account),
//! [`render::session`](crate::render::session)) ask the version themselves.
//!
//! To add one: a module with its `CHANGE`, and its name in [`CHANGES`], newest first.

mod allowed_types;
mod named_types;

use crate::error::Error;
use crate::params::Params;
use crate::shape::{Member, Shape, of_call, read_table};
use crate::version::Version;
use model::given::Given;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What one version changed.
struct Change {
    /// The date of the first version that has it.
    since: &'static str,
    /// The date since which previews have it.
    since_preview: &'static str,
    /// Parameters that came, as a table of [`shape`](crate::shape).
    came: &'static str,
    /// Parameters that went: the call, the name, and the code of its refusal; without a code it is
    /// refused as any name that Stripe does not know.
    went: &'static [(&'static str, &'static str, Option<&'static str>)],
    /// Keys that objects show since then: the object's word and the key.
    keys: &'static [(&'static str, &'static str)],
}

/// The newest first.
const CHANGES: [&Change; 2] = [&named_types::CHANGE, &allowed_types::CHANGE];

/// What came with each change, by call.
static CAME: LazyLock<Vec<BTreeMap<&'static str, Shape>>> =
    LazyLock::new(|| CHANGES.iter().map(|change| read_table(change.came)).collect());

impl Change {
    fn is_in(&self, version: &Version) -> bool {
        version.at_least(self.since) || version.is_preview() && version.at_least(self.since_preview)
    }
}

/// Reads all parameters of a call as they are in a version; nothing when no table has the call.
pub fn read(params: &mut Params, call: &str, version: &Version) -> Result<Option<Given>, Error> {
    let Some(shape) = of_call(call) else { return Ok(None) };
    let known = CHANGES.iter().filter(|change| change.is_in(version));
    let mut went = known.flat_map(|change| change.went).filter(|(of, ..)| *of == call);
    if let Some((_, name, code)) = went.find(|(_, name, _)| params.has(name)) {
        return Err(refusal(name, *code, version));
    }
    let mut given = params.shaped(shape)?;
    let came = CHANGES.iter().zip(&*CAME).filter(|(change, _)| change.is_in(version));
    for shape in came.filter_map(|(_, came)| came.get(call)) {
        if let Given::Hash(members) = params.shaped(shape)? {
            for (name, value) in members {
                given.put(&name, value);
            }
        }
    }
    params.note_dropped(call, &given);
    Ok(Some(given))
}

/// A parameter of a call, in whatever version it came.
pub fn member(call: &str, name: &str) -> Option<&'static Member> {
    let mut tables = of_call(call).into_iter().chain(CAME.iter().filter_map(|came| came.get(call)));
    tables.find_map(|shape| match shape {
        Shape::Hash(members) => members.iter().find(|member| member.name == name),
        _ => None,
    })
}

/// Why a parameter that went is refused.
fn refusal(name: &str, code: Option<&'static str>, version: &Version) -> Error {
    let Some(code) = code else { return Error::unknown_params(&[name.to_owned()], None) };
    let message = format!("{name} can no longer be given in API version {}.", version.as_str());
    Error::invalid(message).code(code).param(name)
}

/// Leaves out of an object what is newer than its reader's version.
pub(crate) fn leave_out_newer(value: &mut Value, version: &Version) {
    let Some(members) = value.as_object_mut() else { return };
    for change in CHANGES.iter().filter(|change| !change.is_in(version)) {
        for (object, key) in change.keys {
            if members.get("object").and_then(Value::as_str) == Some(object) {
                members.remove(*key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    /// Changes stand newest first, and name calls that have a table.
    #[test]
    fn changes_are_in_order() {
        assert!(CHANGES.is_sorted_by(|newer, older| newer.since > older.since));
        for change in CHANGES {
            let came = change.came.lines().filter(|line| !line.starts_with(' '));
            for call in came.chain(change.went.iter().map(|(call, ..)| *call)) {
                assert!(of_call(call).is_some(), "{call}");
            }
        }
    }

    /// A key is left out of its own object only, and only before its time.
    #[test]
    fn keys_show_since_their_version() {
        let shown = |object: &str, text: &str| {
            let mut value = json!({"object": object, "allowed_payment_method_types": null});
            leave_out_newer(&mut value, &version(text));
            value.get("allowed_payment_method_types").is_some()
        };
        assert!(!shown("payment_intent", "2026-06-24.dahlia"));
        assert!(shown("payment_intent", "2026-07-29.dahlia"));
        assert!(shown("setup_intent", "2026-08-26.dahlia"));
        assert!(!shown("checkout.session", "2026-08-26.dahlia"));
        assert!(shown("checkout.session", "2026-08-26.preview"));
        assert!(shown("checkout.session", "2026-09-30.endive"));
        assert!(shown("product", "2020-08-27"));
    }
}
