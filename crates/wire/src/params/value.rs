//! Values that parameters are taken as, beyond text, integers and words.

use crate::error::Error;
use model::limits::METADATA_KEYS_MAX;
use std::collections::BTreeMap;

/// What a parameter that may be unset asks for; leaving it out asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting<T> {
    /// Take this value.
    Set(T),
    /// An empty string was sent: forget the value.
    Unset,
}

impl<T> Setting<T> {
    /// The value, if one is set.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset => None,
        }
    }
}

/// A range of integers, both ends included; an end left out is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub from: Option<i64>,
    /// The most.
    pub to: Option<i64>,
}

impl Range {
    /// Whether a value lies inside.
    pub fn contains(&self, value: i64) -> bool {
        self.from.is_none_or(|from| from <= value) && self.to.is_none_or(|to| value <= to)
    }

    /// Holds nothing.
    pub(super) const NOTHING: Self = Self { from: Some(i64::MAX), to: Some(i64::MIN) };

    pub(super) fn raise(&mut self, from: i64) {
        self.from = Some(self.from.map_or(from, |held| held.max(from)));
    }

    pub(super) fn lower(&mut self, to: i64) {
        self.to = Some(self.to.map_or(to, |held| held.min(to)));
    }
}

/// What `metadata` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataChange {
    /// An empty string in place of the hash: every key goes.
    pub clear: bool,
    /// Keys with their new values; none where an empty value deletes the key.
    pub keys: BTreeMap<String, Option<String>>,
}

impl MetadataChange {
    /// Changes an object's metadata, unless it would have too many keys then.
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

/// Each item once, where it stood first.
pub fn without_repeats<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
