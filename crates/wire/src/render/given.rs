//! Objects of payments as JSON values.
//!
//! They have dozens of keys of which few mean anything here; a table per object names every key
//! that the official types declare, with what it shows when nobody set it. Over that go the
//! parameters that were given, and over those what this server knows. They are not on the path that
//! has to be fast, so they are built as values, in the order of the alphabet.

use model::given::Given;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// A value that was given, as it is shown.
pub fn value(given: &Given) -> Value {
    match given {
        Given::Unset => Value::Null,
        Given::Boolean(value) => Value::from(*value),
        Given::Integer(value) => Value::from(*value),
        Given::Text(text) => Value::from(text.as_str()),
        Given::List(items) => items.iter().map(value).collect(),
        Given::Hash(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), value(member)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// What was expanded in an object, by the path of the field.
pub type Expanded = BTreeMap<&'static str, Value>;

/// An object if it was expanded, else its id.
pub(crate) fn id_or_object(expanded: &Expanded, path: &str, id: Option<String>) -> Value {
    expanded.get(path).cloned().unwrap_or_else(|| id.into())
}

/// An object under construction.
pub(crate) struct Shown(Map<String, Value>);

impl Shown {
    /// What every such object shows: `template` in JSON, and what was given for its keys. Given
    /// parameters that the object does not show are left out.
    pub(crate) fn of(template: &Value, given: &Given) -> Self {
        let Value::Object(mut members) = template.clone() else {
            unreachable!("the templates are objects")
        };
        if let Given::Hash(given) = given {
            for (name, member) in given {
                if let Some(shown) = members.get_mut(name) {
                    lay_over(shown, value(member));
                }
            }
        }
        Self(members)
    }

    /// Sets a key.
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The whole.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Leaves a key of a hash out.
pub(crate) fn leave_out(shown: &mut Value, name: &str) {
    if let Some(members) = shown.as_object_mut() {
        members.remove(name);
    }
}

/// Puts what a hash shows of itself under what was given of it, if it was given.
pub(crate) fn complete(given: &mut Value, defaults: Value) {
    if given.is_object() {
        let held = std::mem::replace(given, defaults);
        lay_over(given, held);
    }
}

/// Numbers that may have a fraction are kept as texts and shown as numbers.
pub(crate) fn show_number(value: &mut Value) {
    let Value::String(text) = value else { return };
    let whole = text.parse::<i64>().ok().map(Number::from);
    let number = whole.or_else(|| text.parse().ok().and_then(Number::from_f64));
    if let Some(number) = number {
        *value = Value::Number(number);
    }
}

/// Hashes are laid over each other key by key.
pub(crate) fn lay_over(shown: &mut Value, given: Value) {
    match (shown, given) {
        (Value::Object(shown), Value::Object(given)) => {
            for (name, value) in given {
                lay_over(shown.entry(name).or_insert(Value::Null), value);
            }
        }
        (shown, given) => *shown = given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A number that was given is shown as one, whole or not; what is none stays as it is.
    #[test]
    fn numbers_are_shown_as_numbers() {
        let shown = |text: &str| {
            let mut value = Value::from(text);
            show_number(&mut value);
            value
        };
        assert_eq!(shown("10"), json!(10));
        assert_eq!(shown("-2.50"), json!(-2.5));
        assert_eq!(shown("ten"), json!("ten"));
    }

    /// What was not given of a hash shows its default; a hash that was not given stays away.
    #[test]
    fn completes_what_was_given() {
        let mut given = json!({"a": {"b": 1}});
        complete(&mut given, json!({"a": {"b": 0, "c": 2}, "d": null}));
        assert_eq!(given, json!({"a": {"b": 1, "c": 2}, "d": null}));
        let mut given = Value::Null;
        complete(&mut given, json!({"a": 1}));
        assert_eq!(given, Value::Null);
    }

    /// Given parameters show where the object has their key, and inside hashes key by key.
    #[test]
    fn lays_what_was_given_over_the_template() {
        let template = json!({"a": {"b": null, "c": 1}, "d": null});
        let given: Given =
            serde_json::from_value(json!({"a": {"b": true}, "d": [1, "x"], "e": 5})).unwrap();
        let mut shown = Shown::of(&template, &given);
        shown.put("f", 1);
        let expected = json!({"a": {"b": true, "c": 1}, "d": [1, "x"], "f": 1});
        assert_eq!(shown.into_value(), expected);
    }
}
