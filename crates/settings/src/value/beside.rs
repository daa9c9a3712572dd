//! The default files beside the database.
//!
//! A symbolic link to the database leads to the same files as the database itself, so a second server
//! with the other name is rejected because of the lock and not because of a missing key.

use std::fs;
use std::path::{Path, PathBuf};

/// The default file of issued keys for a database.
pub fn keys_beside(db: &Path) -> PathBuf {
    found_beside(db, ".api-keys")
}

/// The default file of the seal key for a database.
pub(super) fn seal_key_beside(db: &Path) -> PathBuf {
    found_beside(db, ".key")
}

/// The file with this ending beside the database that a link leads to. Earlier releases placed the file
/// beside the link, so an existing one there comes first.
fn found_beside(db: &Path, ending: &str) -> PathBuf {
    let of_name = beside(db, ending);
    let Ok(target) = fs::read_link(db) else { return of_name };
    if of_name.exists() {
        return of_name;
    }
    // A link may lead to a database that does not exist yet.
    let target = db.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    beside(&fs::canonicalize(db).unwrap_or(target), ending)
}

/// The file whose name is that of the database with this ending.
fn beside(db: &Path, ending: &str) -> PathBuf {
    let mut beside = db.to_owned().into_os_string();
    beside.push(ending);
    PathBuf::from(beside)
}
