//! The check of preconditions.

use super::{Batch, Failure, column};
use crate::{ObjectKey, Precondition};
use model::Word;
use rusqlite::{Params, named_params, params};

pub(super) const FIND_OBJECT_STATE: &str =
    "SELECT version, deleted FROM objects WHERE merchant = ?1 AND kind = ?2 AND number = ?3";
pub(super) const FIND_ACCOUNT_VERSION: &str =
    "SELECT version FROM accounts WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";
pub(super) const FIND_LOOKUP: &str = "SELECT 1 FROM objects \
     WHERE merchant = ?1 AND kind = ?2 AND lookup = ?3 AND deleted = 0 LIMIT 1";

pub(super) const LIST_NUMBERS: &str = "SELECT number FROM object_filters \
     WHERE merchant = :merchant AND kind = :kind AND filter = :filter AND value = :value \
     ORDER BY created DESC, number DESC LIMIT :limit";

/// True if all preconditions hold.
pub(super) fn all_hold(requires: &[Precondition], batch: &Batch<'_>) -> Result<bool, Failure> {
    for precondition in requires {
        if !holds(precondition, batch)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(precondition: &Precondition, batch: &Batch<'_>) -> Result<bool, Failure> {
    Ok(match precondition {
        Precondition::Exists(key) => state(*key, batch)?.is_some_and(|(_, deleted)| !deleted),
        Precondition::NotDeleted(key) => state(*key, batch)?.is_none_or(|(_, deleted)| !deleted),
        Precondition::Version(key, version) => {
            state(*key, batch)?.map_or(0, |(stored, _)| stored) == *version
        }
        Precondition::AccountVersion { merchant, account, version } => {
            let key = batch.generation(*merchant)?.account_key(*account);
            let stored =
                batch.reading().find(FIND_ACCOUNT_VERSION, key, |row| super::number(row, 0))?;
            stored == Some(*version)
        }
        Precondition::NoneWithLookup { merchant, kind, lookup } => {
            let key = params![batch.generation(*merchant)?.owner, kind.word(), lookup];
            !exists(FIND_LOOKUP, key, batch)?
        }
        Precondition::NoneWithValue { merchant, kind, filter, value, except } => {
            let owner = batch.generation(*merchant)?.owner;
            let limit = super::limit(except.len() + 1);
            let key = named_params! {
                ":merchant": owner,
                ":kind": kind.word(),
                ":filter": filter.word(),
                ":value": value,
                ":limit": limit,
            };
            let found = batch.reading().list(LIST_NUMBERS, key, |row| super::number(row, 0))?;
            found.iter().all(|number| except.contains(number))
        }
    })
}

/// The version of an object, and true if it is deleted.
fn state(key: ObjectKey, batch: &Batch<'_>) -> Result<Option<(u64, bool)>, Failure> {
    let ObjectKey { merchant, kind, number } = key;
    let key = params![batch.generation(merchant)?.owner, kind.word(), column(number)];
    batch.reading().find(FIND_OBJECT_STATE, key, |row| Ok((super::number(row, 0)?, row.get(1)?)))
}

fn exists(sql: &'static str, key: impl Params, batch: &Batch<'_>) -> Result<bool, Failure> {
    Ok(batch.reading().find(sql, key, |_| Ok(()))?.is_some())
}
