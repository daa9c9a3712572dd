//! `backup.json`: the files of a backup with their sizes and checksums.
//!
//! The file is written last, so a folder with it is complete.

use super::BackupError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The name of this file.
pub(super) const MANIFEST: &str = "backup.json";
/// The name of the database in a backup. The other names are those that a server finds beside it.
pub(super) const DATABASE: &str = "bankfeed.db";
/// The name of the seal key in a backup.
pub(super) const SEAL_KEY: &str = "bankfeed.db.key";
/// The name of the issued keys in a backup.
pub(super) const API_KEYS: &str = "bankfeed.db.api-keys";
/// The newest form of a backup that this program reads.
pub(super) const FORMAT: u32 = 1;

/// The content of `backup.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The form of the backup.
    pub(super) format: u32,
    /// The version of the program that wrote it.
    pub(super) bankfeed: String,
    /// The Unix time of its end.
    pub(super) created: i64,
    /// The number of migrations of the database.
    pub(super) migrations: usize,
    /// Its files.
    pub(super) files: Vec<StoredFile>,
}

/// A file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredFile {
    /// Its name in the folder.
    pub(super) name: String,
    /// Its size.
    pub(super) bytes: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub(super) sha256: String,
}

impl Manifest {
    /// Reads the manifest of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                BackupError::NoBackup(folder.to_owned())
            }
            _ => BackupError::file(&path, error),
        })?;
        let unreadable = |source| BackupError::Manifest { path: path.clone(), source };
        // The form is read first, because a newer one may have other keys.
        let value: Value = serde_json::from_str(&text).map_err(unreadable)?;
        if let Some(format) = value["format"].as_u64().filter(|format| *format != u64::from(FORMAT))
        {
            return Err(BackupError::Newer { path, format });
        }
        serde_json::from_value(value).map_err(unreadable)
    }

    /// The file with this name.
    pub(super) fn find(&self, name: &str) -> Option<&StoredFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The manifest as JSON.
    pub(super) fn to_json(&self) -> Value {
        let Self { format, bankfeed, created, migrations, files } = self;
        json!({
            "format": format,
            "bankfeed": bankfeed,
            "created": created,
            "migrations": migrations,
            "files": files,
        })
    }
}
