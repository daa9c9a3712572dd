//! Extra parameters: request parameters that an object echoes and the server otherwise ignores.
//!
//! A Stripe payment object has hundreds of parameters. The parameters that the server acts on are
//! typed fields of the object. The others are read by the schema of the call, stored in this form,
//! and shown again.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ExtraParams {
    /// An empty text in place of a value, which unsets the parameter.
    #[default]
    Unset,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text, a word or a decimal number.
    Text(String),
    /// Values in order.
    List(Vec<ExtraParams>),
    /// Values by name.
    Hash(BTreeMap<String, ExtraParams>),
}

impl ExtraParams {
    /// Creates an empty hash.
    pub fn empty() -> Self {
        Self::Hash(BTreeMap::new())
    }

    /// Returns the value at a path of names, such as `["us_bank_account", "verification_method"]`.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| match value {
            Self::Hash(members) => members.get(*name),
            _ => None,
        })
    }

    /// Removes a member from this hash and returns it.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        match self {
            Self::Hash(members) => members.remove(name),
            _ => None,
        }
    }

    /// Sets a member of a hash.
    pub fn put(&mut self, name: &str, value: Self) {
        let Self::Hash(members) = self else {
            unreachable!("callers set members of a request or of a hash in it")
        };
        members.insert(name.to_owned(), value);
    }

    /// The text at a path.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        match self.at(path) {
            Some(Self::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The integer at a path.
    pub fn integer(&self, path: &[&str]) -> Option<i64> {
        match self.at(path) {
            Some(Self::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The boolean at a path.
    pub fn boolean(&self, path: &[&str]) -> Option<bool> {
        match self.at(path) {
            Some(Self::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    /// The items of the list at a path.
    pub fn list(&self, path: &[&str]) -> Option<&[Self]> {
        match self.at(path) {
            Some(Self::List(items)) => Some(items),
            _ => None,
        }
    }

    /// The texts of the list at a path.
    pub fn texts(&self, path: &[&str]) -> Option<Vec<String>> {
        let items = self.list(path)?;
        Some(items.iter().filter_map(|item| item.text(&[]).map(str::to_owned)).collect())
    }

    /// Applies a later request. Hashes are merged member by member, and other values are replaced.
    /// Unset members are removed.
    pub fn update(&mut self, later: Self) {
        match (self, later) {
            (Self::Hash(stored), Self::Hash(later)) => {
                for (name, value) in later {
                    if value == Self::Unset {
                        stored.remove(&name);
                    } else {
                        stored.entry(name).or_insert_with(Self::empty).update(value);
                    }
                }
            }
            (stored, later) => *stored = later.without_unset(),
        }
    }

    /// Returns the value without the members that were unset.
    #[must_use]
    pub fn without_unset(self) -> Self {
        match self {
            Self::Hash(members) => Self::Hash(
                members
                    .into_iter()
                    .filter(|(_, value)| *value != Self::Unset)
                    .map(|(name, value)| (name, value.without_unset()))
                    .collect(),
            ),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(members: &[(&str, ExtraParams)]) -> ExtraParams {
        ExtraParams::Hash(
            members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        )
    }

    /// A path returns only a value of the requested type.
    #[test]
    fn reads_by_path() {
        let params = hash(&[
            ("a", hash(&[("b", ExtraParams::Integer(1))])),
            ("c", ExtraParams::Text("x".into())),
        ]);
        assert_eq!(params.integer(&["a", "b"]), Some(1));
        assert_eq!(params.text(&["a", "b"]), None);
        assert_eq!(params.text(&["c"]), Some("x"));
        assert_eq!(params.at(&["c", "b"]), None);
    }

    /// A later request changes the members that it names and removes those that it unsets.
    #[test]
    fn updates_by_member() {
        let mut stored =
            hash(&[("a", hash(&[("b", ExtraParams::Integer(1)), ("c", ExtraParams::Integer(2))]))]);
        stored.update(hash(&[
            ("a", hash(&[("b", ExtraParams::Unset), ("d", hash(&[("e", ExtraParams::Unset)]))])),
            ("f", ExtraParams::List(vec![ExtraParams::Boolean(true)])),
        ]));
        let expected = hash(&[
            ("a", hash(&[("c", ExtraParams::Integer(2)), ("d", ExtraParams::empty())])),
            ("f", ExtraParams::List(vec![ExtraParams::Boolean(true)])),
        ]);
        assert_eq!(stored, expected);
    }
}
