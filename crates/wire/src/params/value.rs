//! Types of parameters other than texts, integers and words.

use crate::error::Error;
use model::limits::METADATA_KEYS_MAX;
use std::collections::BTreeMap;

/// The change that a parameter that may be unset requests. Leaving it out requests no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting<T> {
    /// Set this value.
    Set(T),
    /// Unset the value. An empty string was sent.
    Unset,
}

impl<T> Setting<T> {
    /// Returns the value, if one is set.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset => None,
        }
    }
}

/// A range of integers, both ends included. A missing end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The smallest integer.
    pub from: Option<i64>,
    /// The largest integer.
    pub to: Option<i64>,
}

impl Range {
    /// True if a value is in the range.
    pub fn contains(&self, value: i64) -> bool {
        self.from.is_none_or(|from| from <= value) && self.to.is_none_or(|to| value <= to)
    }

    /// The empty range.
    pub(super) const NOTHING: Self = Self { from: Some(i64::MAX), to: Some(i64::MIN) };

    pub(super) fn raise(&mut self, from: i64) {
        self.from = Some(self.from.map_or(from, |current| current.max(from)));
    }

    pub(super) fn lower(&mut self, to: i64) {
        self.to = Some(self.to.map_or(to, |current| current.min(to)));
    }
}

/// The change that `metadata` requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataChange {
    /// True if an empty string was sent in place of the hash. Every key is deleted.
    pub clear: bool,
    /// Keys with their new values. The value is `None` if an empty text deletes the key.
    pub keys: BTreeMap<String, Option<String>>,
}

impl MetadataChange {
    /// Changes an object's metadata, unless it would then have too many keys.
    pub fn apply(&self, current: &mut BTreeMap<String, String>) -> Result<(), Error> {
        let mut changed = if self.clear { BTreeMap::new() } else { current.clone() };
        for (key, value) in &self.keys {
            match value {
                Some(value) => changed.insert(key.clone(), value.clone()),
                None => changed.remove(key),
            };
        }
        if changed.len() > METADATA_KEYS_MAX {
            return Err(Error::too_many_metadata_keys("metadata"));
        }
        *current = changed;
        Ok(())
    }
}

/// Returns each item once, at its first position.
pub fn without_repeats<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut unique = Vec::with_capacity(items.len());
    for item in items {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}
