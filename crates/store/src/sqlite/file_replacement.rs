//! The replacement of a database by another file, for `restore`.
//!
//! | failure | consequence |
//! |---|---|
//! | a server runs on the database | the replacement does not begin |
//! | a server starts meanwhile | it finds the lock and ends |
//! | the process ends before the first file is replaced | the old database is as it was |
//! | the process ends later | a marker beside the database remains, and no server starts until a replacement is complete |

use super::files::{Locks, behind_links, beside, marker};
use crate::OpenError;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The files that belong to the content of a database.
const OF_CONTENT: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A database that is being replaced, with the locks of a server.
pub struct FileReplacement {
    database: PathBuf,
    _locks: Locks,
}

impl FileReplacement {
    /// Takes the locks of the database at this path, which need not exist.
    pub fn begin(database: &Path) -> Result<Self, OpenError> {
        let database = behind_links(database);
        let locks = Locks::take_to_replace(&database)?;
        Ok(Self { database, _locks: locks })
    }

    /// The path of the database behind all links.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// True if an earlier replacement did not come to its end.
    pub fn is_unfinished(&self) -> bool {
        marker(&self.database).exists()
    }

    /// Puts the new files in place, first the ones beside the database. All are on disk when this
    /// returns.
    pub fn finish(
        self,
        others: Vec<(NamedTempFile, PathBuf)>,
        database: NamedTempFile,
    ) -> Result<(), OpenError> {
        let marker = marker(&self.database);
        let failed = |path: &Path, source| OpenError::File { path: path.to_owned(), source };
        File::create(&marker)
            .and_then(|file| file.sync_all())
            .and_then(|()| sync_folder(&marker))
            .map_err(|source| failed(&marker, source))?;
        for (file, path) in others {
            put(file, &path).map_err(|source| failed(&path, source))?;
        }
        // SQLite would apply the log of the old database to the new one.
        for path in OF_CONTENT.map(|ending| beside(&self.database, ending)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path, error));
                }
                _ => {}
            }
        }
        put(database, &self.database).map_err(|source| failed(&self.database, source))?;
        fs::remove_file(&marker)
            .and_then(|()| sync_folder(&marker))
            .map_err(|source| failed(&marker, source))
    }
}

/// Renames a complete file to its path, and waits until the name is on disk.
fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Writes the names in the folder of a file to the disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::sqlite::tests::at;

    fn file_with(folder: &Path, text: &str) -> NamedTempFile {
        let file = NamedTempFile::new_in(folder).unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    /// A replacement removes the log of the old database, and needs the lock of a server.
    #[test]
    fn a_replacement_removes_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = Store::open(at(&path)).unwrap();
        assert!(matches!(FileReplacement::begin(&path), Err(OpenError::Locked(_))));
        drop(store);
        fs::write(beside(&path, "-wal"), "old").unwrap();
        let key = folder.path().join("a.db.key");
        let replacement = FileReplacement::begin(&path).unwrap();
        assert!(matches!(Store::open(at(&path)), Err(OpenError::Locked(_))));
        let others = vec![(file_with(folder.path(), "key"), key.clone())];
        replacement.finish(others, file_with(folder.path(), "new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_to_string(&key).unwrap(), "key");
        assert!(!beside(&path, "-wal").exists() && !marker(&path).exists());
    }

    /// After a replacement that did not come to its end, no server starts. Another replacement can
    /// begin.
    #[test]
    fn an_unfinished_replacement_stops_servers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        drop(Store::open(at(&path)).unwrap());
        let replacement = FileReplacement::begin(&path).unwrap();
        let lost = (file_with(folder.path(), ""), folder.path().join("missing/a.key"));
        assert!(replacement.finish(vec![lost], file_with(folder.path(), "new")).is_err());
        let started = Store::open(at(&path)).err();
        assert!(matches!(started, Some(OpenError::Unfinished(_))), "{started:?}");
        assert!(FileReplacement::begin(&path).unwrap().is_unfinished());
    }
}
