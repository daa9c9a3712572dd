//! The files of a database: their locks, their identities, and the folder of a temporary database.
//!
//! | failure | consequence |
//! |---|---|
//! | a second server opens the database, also by another name of the file | it is rejected |
//! | a file is removed or replaced while the server runs | the next commit fails, and the writer ends |
//! | a server starts, and only the log of its database is left | it does not start, because a new database would replace the log |
//! | a server with a temporary database is killed | the next server removes the folder |
//! | a server starts after a replacement that did not come to its end ([`super::file_replacement`]) | it does not start |
//!
//! The operating system releases the locks of a process that ends.

use crate::OpenError;
use crate::store::Failure;
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The mode of the files, which contain bank data.
const OWNER_ONLY: u32 = 0o600;
/// The mode of a folder with such files.
const OWNER_ONLY_FOLDER: u32 = 0o700;
/// The beginning of the name of a temporary database's folder.
const TEMPORARY: &str = "bankfeed-";
/// The locked file in the folder of a temporary database.
const TEMPORARY_LOCK: &str = "lock";
/// The ending of the file that exists while a database is replaced.
const REPLACING: &str = ".replacing";

/// The locks of a database, held as long as it is open.
pub(super) struct Locks {
    /// The lock that earlier releases take too.
    _beside: File,
    /// The lock of the database itself, which has one identity under all its names. A database that
    /// is created by a replacement has none yet.
    _database: Option<File>,
}

impl Locks {
    /// Takes the locks of a database, which is created if it does not exist.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let log = beside(database, "-wal");
        if !database.exists() && fs::metadata(&log).is_ok_and(|facts| facts.len() > 0) {
            return Err(OpenError::Lost { database: database.to_owned(), log });
        }
        // A symbolic link leads to the lock of its database.
        let real = behind_links(database);
        let lock = beside(&real, ".lock");
        let is_new = !lock.exists();
        let beside = take_lock(&lock)?;
        check_replaced(database)?;
        match take_lock(database) {
            Ok(locked) => Ok(Self { _beside: beside, _database: Some(locked) }),
            Err(error) => {
                // Another server has the database under another name, so this name has no lock.
                if is_new && let Err(error) = fs::remove_file(&lock) {
                    tracing::warn!(file = %lock.display(), %error, "a lock file could not be removed");
                }
                Err(error)
            }
        }
    }

    /// Takes the locks of a database that is replaced, and creates none. The path leads to no link.
    pub(super) fn take_to_replace(database: &Path) -> Result<Self, OpenError> {
        let beside = take_lock(&beside(database, ".lock"))?;
        let locked = if database.exists() { Some(take_lock(database)?) } else { None };
        Ok(Self { _beside: beside, _database: locked })
    }
}

/// The file that exists while a database is replaced. The path leads to no link.
pub(super) fn marker(database: &Path) -> PathBuf {
    beside(database, REPLACING)
}

/// Rejects a database whose files belong to two states, because a restore did not come to its end. The error
/// is [`OpenError::Unfinished`].
pub fn check_replaced(database: &Path) -> Result<(), OpenError> {
    if marker(&behind_links(database)).exists() {
        return Err(OpenError::Unfinished(database.to_owned()));
    }
    Ok(())
}

/// The database that a symbolic link leads to, which need not exist yet.
pub(super) fn behind_links(database: &Path) -> PathBuf {
    let of_link = || {
        let target = fs::read_link(database).ok()?;
        Some(database.parent().unwrap_or(Path::new("")).join(target))
    };
    let real = fs::canonicalize(database).ok();
    real.or_else(of_link).unwrap_or_else(|| database.to_owned())
}

/// The path of a file beside the database.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

fn take_lock(path: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    let mut options = File::options();
    options.create(true).truncate(false).write(true).mode(OWNER_ONLY);
    let file = options.open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The folder of a temporary database. It is removed when it is dropped.
pub(super) struct TemporaryFolder {
    folder: TempDir,
    #[cfg_attr(not(test), expect(dead_code, reason = "it is locked until it is dropped"))]
    lock: File,
}

impl TemporaryFolder {
    /// Creates a folder, and removes those of servers that were killed.
    pub(super) fn create(parent: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File { path: parent.to_owned(), source };
        let permissions = Permissions::from_mode(OWNER_ONLY_FOLDER);
        let mut builder = tempfile::Builder::new();
        let folder = builder.prefix(TEMPORARY).permissions(permissions).tempdir_in(parent);
        let folder = folder.map_err(failed)?;
        // The file gets its name once it is locked, so that another server does not remove the
        // folder in between.
        let (unlocked, locked) =
            (folder.path().join("unlocked"), folder.path().join(TEMPORARY_LOCK));
        let lock = take_lock(&unlocked)?;
        fs::rename(unlocked, locked).map_err(failed)?;
        let owner = fs::metadata(folder.path()).map_err(failed)?.uid();
        if let Err(error) = remove_leftovers(parent, owner) {
            let folder = parent.display();
            tracing::warn!(%folder, %error, "old temporary databases could not be removed");
        }
        Ok(Self { folder, lock })
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("bankfeed.db")
    }
}

/// Removes the folders of this user that have a lock file, and no process that locked it.
fn remove_leftovers(parent: &Path, owner: u32) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        // A folder may disappear meanwhile, because its server ends.
        let Ok(facts) = entry.metadata() else { continue };
        if !facts.is_dir() || facts.uid() != owner {
            continue;
        }
        let Ok(lock) = File::open(entry.path().join(TEMPORARY_LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            fs::remove_dir_all(entry.path())?;
            tracing::info!(folder = %entry.path().display(), "removed the database of a killed server");
        }
    }
    Ok(())
}

/// A device and the number of a file on it.
type FileId = (u64, u64);

/// The identities of the database and its write-ahead log.
#[derive(Clone)]
pub(super) struct FileIds {
    database: (PathBuf, FileId),
    log: (PathBuf, FileId),
}

impl FileIds {
    /// Reads the identities after the database was opened and read. The log is beside the file that a
    /// symbolic link leads to.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let log = beside(&fs::canonicalize(database)?, "-wal");
        let (database_id, log_id) = (file_id(database)?, file_id(&log)?);
        Ok(Self { database: (database.to_owned(), database_id), log: (log, log_id) })
    }

    /// Fails if a path leads to another file than before, or to none. A commit to a file without a
    /// name is lost when the server ends.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (path, id) in [&self.database, &self.log] {
            if file_id(path).ok() != Some(*id) {
                return Err(Failure::FileLost(path.clone()));
            }
        }
        Ok(())
    }

    /// True if the database is still at its path.
    pub(super) fn has_database(&self) -> bool {
        let (path, id) = &self.database;
        file_id(path).ok() == Some(*id)
    }
}

fn file_id(path: &Path) -> io::Result<FileId> {
    let facts = fs::metadata(path)?;
    Ok((facts.dev(), facts.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folder of a killed server is removed at the next start. Folders of running servers, of
    /// other programs and of other uses of the name stay.
    #[test]
    fn leftovers_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let running = TemporaryFolder::create(parent.path()).unwrap();
        let TemporaryFolder { folder, lock } = TemporaryFolder::create(parent.path()).unwrap();
        let killed = folder.keep();
        fs::write(killed.join("bankfeed.db"), "rows").unwrap();
        drop(lock);
        let others = ["bankfeed-other", "another"].map(|name| parent.path().join(name));
        for other in &others {
            fs::create_dir(other).unwrap();
        }
        let next = TemporaryFolder::create(parent.path()).unwrap();
        assert!(!killed.exists());
        for folder in [running.folder.path(), next.folder.path(), &others[0], &others[1]] {
            assert!(folder.exists(), "{}", folder.display());
        }
        let ended = next.folder.path().to_owned();
        drop(next);
        assert!(!ended.exists());
    }
}
