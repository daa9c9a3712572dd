//! The errors of `bankfeed backup` and `bankfeed restore`.

use std::io;
use std::path::{Path, PathBuf};
use store::{KeyFileError, OpenError};

/// The error of a backup or a restore.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("a temporary database (--memory) has no backup")]
    Temporary,
    #[error("the database {} does not exist", .0.display())]
    NoDatabase(PathBuf),
    #[error("{} is not a backup, because it has no backup.json", .0.display())]
    NoBackup(PathBuf),
    #[error("the folder {} does not exist", .0.display())]
    NoFolder(PathBuf),
    #[error("{} exists and is not an empty folder", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} exists", .0.display())]
    Exists(PathBuf),
    #[error("{} has {free} free bytes, but the backup needs {needed}", .folder.display())]
    Space { folder: PathBuf, free: u64, needed: u64 },
    #[error("could not use {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not write the files of the backup")]
    Write(#[source] io::Error),
    #[error("could not use the database {}", .path.display())]
    Database {
        path: PathBuf,
        #[source]
        source: OpenError,
    },
    #[error("the database {} is damaged: {fault}", .path.display())]
    Damaged { path: PathBuf, fault: String },
    #[error("{} is not a seal key", .0.display())]
    SealKey(PathBuf),
    #[error("the seal key {} does not open the database", .0.display())]
    OtherSealKey(PathBuf),
    #[error("the seal key {} does not open the database of the backup", .0.display())]
    OtherBackup(PathBuf),
    #[error("two files have the path {}", .0.display())]
    SamePath(PathBuf),
    #[error("could not use the issued keys in {}", .path.display())]
    Keys {
        path: PathBuf,
        #[source]
        source: KeyFileError,
    },
    #[error("could not read {}", .path.display())]
    Manifest {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{} has the form {format}, which this bankfeed does not know", .path.display())]
    Newer { path: PathBuf, format: u64 },
    #[error("the backup has no {0}")]
    Incomplete(&'static str),
    #[error("{} differs from its checksum in backup.json", .0.display())]
    Checksum(PathBuf),
    #[error("could not replace the database")]
    Replace(#[source] OpenError),
    #[error("could not get randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
    #[error("the work ended early")]
    Ended(#[source] io::Error),
    /// A signal stopped the work.
    #[error("stopped")]
    Stopped,
}

impl BackupError {
    /// The error of a file operation.
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// The advice for the person at the command line.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Temporary => {
                "Name a database file with --db. `bankfeed snapshot create` saves the data of a key"
            }
            Self::NoDatabase(_) => {
                "Name the database of the server with --db. A server with --memory has no backup"
            }
            Self::NoFolder(_) => "Create the folder, or name another file",
            Self::NotEmpty(_) => "Name a folder that does not exist, such as backup-2026-11-30",
            Self::Exists(_) => "Name another database with --db, or replace the files with --force",
            Self::Space { .. } | Self::Write(_) => "Free some space, or name another disk",
            Self::File { .. } | Self::Replace(OpenError::File { .. }) => {
                "Check the path and the rights of its folder"
            }
            Self::Database { .. } | Self::Damaged { .. } => {
                "Check the files with `bankfeed doctor` and the same settings"
            }
            Self::SealKey(_) | Self::OtherSealKey(_) => {
                "Name the key file of this database with --seal-key-file"
            }
            Self::Keys { .. } => "Name the file of the issued keys with --api-keys-file",
            Self::Manifest { .. } | Self::NoBackup(_) => {
                "Name a folder that `bankfeed backup` has written"
            }
            Self::Newer { .. } => "Use the bankfeed that wrote the backup, or a newer one",
            Self::SamePath(_) => {
                "Give the database, its log, the seal key and the issued keys different paths"
            }
            Self::Incomplete(_) | Self::Checksum(_) | Self::OtherBackup(_) => {
                "Use another backup, because this one is incomplete or damaged"
            }
            Self::Replace(OpenError::Locked(_)) => {
                "Stop the server that uses the database, and run `bankfeed restore` again"
            }
            Self::Replace(_) => "Check the database with `bankfeed doctor` and the same settings",
            Self::Randomness(_) | Self::Ended(_) | Self::Stopped => "Run the command again",
        }
    }

    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Temporary
                | Self::NoDatabase(_)
                | Self::NoBackup(_)
                | Self::NoFolder(_)
                | Self::NotEmpty(_)
                | Self::Exists(_)
                | Self::SamePath(_)
        )
    }
}
