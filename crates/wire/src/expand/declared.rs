//! The expandable fields that Stripe declares, by kind of object.
//!
//! The table `schema/expansions.txt` lists them. `cargo xtask shapes` writes it from Stripe's
//! description of its API. A line without indentation is a kind: the value of `object`. The lines
//! below it are fields: a path inside the object, a mark, kinds with `|` between them or `-`, and the
//! versions that have the field. Lists and their `data` are part of a path, and arrays are not.
//!
//! The mark `id` is the id of an object, which replaces it. `included` is a field that exists only
//! when it is expanded. `object` is an object that is always complete. Paths lead through it.
//! `schema/preview_expansions.txt` has the same form and lists the fields that only previews have. Its
//! source is the types of stripe-python 16.1.0b1.
//!
//! `since 2025-03-31` and `until 2025-03-31` after the kinds restrict a field to versions from a
//! date on, or before it.

use crate::version::Version;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../schema/expansions.txt");
const PREVIEWS: &str = include_str!("../schema/preview_expansions.txt");

static KINDS: LazyLock<BTreeMap<&'static str, Kind>> = LazyLock::new(|| {
    let mut kinds = read(TABLE);
    for (name, of_previews) in read(PREVIEWS) {
        let members = Members::default();
        let kind = kinds.entry(name).or_insert(Kind { name, fields: Vec::new(), members });
        for field in of_previews.fields {
            let declared = Declared { in_preview: true, ..field };
            kind.members.add(&declared);
            kind.fields.push(declared);
        }
    }
    kinds
});

/// A kind of object with its expandable fields.
#[derive(Debug)]
pub struct Kind {
    /// The value of `object`.
    pub name: &'static str,
    /// Its declared fields, in the order of the table.
    pub fields: Vec<Declared>,
    /// The same fields by their names.
    pub(super) members: Members,
}

/// A field in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its path inside the object.
    pub path: &'static str,
    /// Its mark.
    pub mark: Mark,
    /// The kinds of the object in it.
    pub kinds: Vec<&'static str>,
    /// The date of the first version that has it.
    since: Option<&'static str>,
    /// The date of the first version without it.
    until: Option<&'static str>,
    /// True if only previews have it.
    pub in_preview: bool,
}

/// The effect of an expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// An id, which an object replaces.
    Id,
    /// A field that exists only when it is expanded.
    Included,
    /// A complete object, which cannot be expanded itself.
    Object,
}

/// The members of an object or of a hash in it, by name.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<&'static str, Member>);

/// A member that is expandable or contains expandable fields.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// The lines of exactly this path. Each has other versions.
    pub(super) declared: Vec<Declared>,
    /// The members of the hash in it.
    pub(super) inside: Members,
}

impl Declared {
    /// True if a version has the field.
    pub fn is_in(&self, version: &Version) -> bool {
        (version.is_preview() || !self.in_preview)
            && self.since.is_none_or(|since| version.at_least(since))
            && self.until.is_none_or(|until| !version.at_least(until))
    }

    /// True if it can be the last field of a path.
    pub fn is_expandable(&self) -> bool {
        self.mark != Mark::Object
    }
}

impl Members {
    /// Returns a member with its name in the table.
    pub(super) fn find(&self, name: &str) -> Option<(&'static str, &Member)> {
        self.0.get_key_value(name).map(|(name, member)| (*name, member))
    }

    fn add(&mut self, declared: &Declared) {
        let mut members = self;
        let mut names = declared.path.split('.').peekable();
        while let Some(name) = names.next() {
            let member = members.0.entry(name).or_default();
            if names.peek().is_none() {
                member.declared.push(declared.clone());
            }
            members = &mut member.inside;
        }
    }
}

/// Returns the expandable fields of a kind.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.get(name)
}

/// Reads a table.
pub(super) fn read(table: &'static str) -> BTreeMap<&'static str, Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for line in table.lines() {
        if let (Some(line), Some(kind)) = (line.strip_prefix(' '), kinds.last_mut()) {
            let declared = read_field(line);
            kind.members.add(&declared);
            kind.fields.push(declared);
        } else {
            kinds.push(Kind { name: line, fields: Vec::new(), members: Members::default() });
        }
    }
    kinds.into_iter().map(|kind| (kind.name, kind)).collect()
}

fn read_field(line: &'static str) -> Declared {
    let mut words = line.split(' ');
    let path = words.next().unwrap_or_default();
    let mark = match words.next() {
        Some("id") => Mark::Id,
        Some("included") => Mark::Included,
        Some("object") => Mark::Object,
        other => unreachable!("the table has no mark {other:?} ({line})"),
    };
    let kinds = words.next().filter(|kinds| *kinds != "-").into_iter();
    let kinds = kinds.flat_map(|kinds| kinds.split('|')).collect();
    let mut declared = Declared { path, mark, kinds, since: None, until: None, in_preview: false };
    while let (Some(word), Some(date)) = (words.next(), words.next()) {
        match word {
            "since" => declared.since = Some(date),
            "until" => declared.until = Some(date),
            _ => unreachable!("the table has no bound {word} ({line})"),
        }
    }
    declared
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table names each kind and each path once for a version, and dates are dates.
    #[test]
    fn the_table_is_in_order() {
        for kind in KINDS.values() {
            let mut places: Vec<_> =
                kind.fields.iter().map(|field| (field.path, field.since)).collect();
            let count = places.len();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), count, "{}", kind.name);
            for field in &kind.fields {
                for date in [field.since, field.until].into_iter().flatten() {
                    assert!(Version::parse(&format!("{date}.preview")).is_ok(), "{}", field.path);
                }
            }
        }
    }
}
