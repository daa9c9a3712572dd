//! The check of preconditions.

use super::{Memory, object};
use crate::{Object, ObjectKey, Precondition};

/// True if all preconditions hold.
pub(super) fn all_hold(requires: &[Precondition], memory: &Memory) -> bool {
    requires.iter().all(|precondition| holds(precondition, memory))
}

fn holds(precondition: &Precondition, memory: &Memory) -> bool {
    match precondition {
        Precondition::Exists(key) => find(*key, memory).is_some_and(|object| !object.deleted()),
        Precondition::NotDeleted(key) => find(*key, memory).is_none_or(|object| !object.deleted()),
        Precondition::Version(key, version) => {
            find(*key, memory).map_or(0, Object::version) == *version
        }
        Precondition::AccountVersion { merchant, account, version } => memory
            .rows
            .accounts
            .get(account)
            .is_some_and(|row| row.merchant == *merchant && row.version == *version),
        Precondition::NoneWithLookup { merchant, kind, lookup } => {
            !object::live(memory, *merchant, *kind)
                .any(|object| object.lookup().as_ref() == Some(lookup))
        }
        Precondition::NoneWithValue { merchant, kind, filter, value, except } => {
            let entry = (*filter, value.clone());
            !object::with_deleted(memory, *merchant, *kind).any(|object| {
                object.filters().contains(&entry) && !except.contains(&object.number())
            })
        }
    }
}

fn find(key: ObjectKey, memory: &Memory) -> Option<&Object> {
    let ObjectKey { merchant, kind, number } = key;
    memory.rows.objects.get(&(merchant, kind, number)).map(AsRef::as_ref)
}
