//! Payment objects as JSON values.
//!
//! They have dozens of keys, and few of them matter here. A template per object has every key that
//! the official types declare, with its default value. Request parameters are merged into it, then
//! the values that this server knows. Payment objects are not on a hot path, so they are built as
//! values, in alphabetical order.

use model::extra_params::ExtraParams;
use serde_json::{Map, Number, Value};

/// Returns an extra parameter as it is shown.
pub fn value(params: &ExtraParams) -> Value {
    match params {
        ExtraParams::Unset => Value::Null,
        ExtraParams::Boolean(value) => Value::from(*value),
        ExtraParams::Integer(value) => Value::from(*value),
        ExtraParams::Text(text) => Value::from(text.as_str()),
        ExtraParams::List(items) => items.iter().map(value).collect(),
        ExtraParams::Hash(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), value(member)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// An object under construction.
pub(crate) struct Shown(Map<String, Value>);

impl Shown {
    /// Creates an object from `template` and the extra parameters. Parameters without a key in the
    /// template are left out.
    pub(crate) fn of(template: &Value, params: &ExtraParams) -> Self {
        let Value::Object(mut members) = template.clone() else {
            unreachable!("the templates are objects")
        };
        if let ExtraParams::Hash(params) = params {
            for (name, member) in params {
                if let Some(shown) = members.get_mut(name) {
                    merge(shown, value(member));
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

    /// Returns the object.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Removes a key of a hash.
pub(crate) fn leave_out(shown: &mut Value, name: &str) {
    if let Some(members) = shown.as_object_mut() {
        members.remove(name);
    }
}

/// Adds the defaults to a hash, if the hash was sent.
pub(crate) fn add_defaults(value: &mut Value, defaults: Value) {
    if value.is_object() {
        let stored = std::mem::replace(value, defaults);
        merge(value, stored);
    }
}

/// Numbers with a possible fraction are stored as texts and shown as numbers.
pub(crate) fn show_number(value: &mut Value) {
    let Value::String(text) = value else { return };
    let whole = text.parse::<i64>().ok().map(Number::from);
    let number = whole.or_else(|| text.parse().ok().and_then(Number::from_f64));
    if let Some(number) = number {
        *value = Value::Number(number);
    }
}

/// Merges a value into another one. Hashes are merged key by key.
pub(crate) fn merge(shown: &mut Value, members: Value) {
    match (shown, members) {
        (Value::Object(shown), Value::Object(members)) => {
            for (name, value) in members {
                merge(shown.entry(name).or_insert(Value::Null), value);
            }
        }
        (shown, members) => *shown = members,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A numeric text is shown as a number, whole or not. Any other text is unchanged.
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

    /// Missing keys of a hash get their defaults. A missing hash stays missing.
    #[test]
    fn adds_defaults_to_a_hash() {
        let mut value = json!({"a": {"b": 1}});
        add_defaults(&mut value, json!({"a": {"b": 0, "c": 2}, "d": null}));
        assert_eq!(value, json!({"a": {"b": 1, "c": 2}, "d": null}));
        let mut value = Value::Null;
        add_defaults(&mut value, json!({"a": 1}));
        assert_eq!(value, Value::Null);
    }

    /// Extra parameters are shown where the object has their key, and hashes are merged key by key.
    #[test]
    fn merges_extra_parameters_into_the_template() {
        let template = json!({"a": {"b": null, "c": 1}, "d": null});
        let params: ExtraParams =
            serde_json::from_value(json!({"a": {"b": true}, "d": [1, "x"], "e": 5})).unwrap();
        let mut shown = Shown::of(&template, &params);
        shown.put("f", 1);
        let expected = json!({"a": {"b": true, "c": 1}, "d": [1, "x"], "f": 1});
        assert_eq!(shown.into_value(), expected);
    }
}
