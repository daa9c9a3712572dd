//! `bankfeed restore`: puts the files of a backup in place of a server's.
//!
//! All files are copied beside their places and checked there. Only then they replace the old ones, the
//! database last ([`store::FileReplacement`]).

use super::manifest::{API_KEYS, DATABASE, Manifest, SEAL_KEY, StoredFile};
use super::work::{self, Work};
use super::{BackupError, DataFiles, DataFlags, check_database, check_keys, moment, read_key};
use crate::error::CommandError;
use clap::Args;
use cli::output;
use serde_json::json;
use settings::folder_of;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use store::FileReplacement;
use tempfile::NamedTempFile;

/// The flags of `bankfeed restore`.
#[derive(Args)]
pub(crate) struct RestoreFlags {
    /// Folder that `bankfeed backup` has written
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Replace existing files
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    files: DataFlags,
}

/// Runs `bankfeed restore`.
pub(crate) fn restore(flags: &RestoreFlags, json: bool) -> Result<(), CommandError> {
    let files = flags.files.files()?;
    let (folder, force) = (flags.folder.clone(), flags.force);
    let (database, manifest) = work::run(move |work| {
        let manifest = Manifest::read(&folder)?;
        let database = replace(&folder, &manifest, &files, force, work)?;
        Ok((database, manifest))
    })?;
    if json {
        let shown = json!({"database": database.to_string_lossy(), "backup": manifest.to_json()});
        return Ok(output::say_json(&shown)?);
    }
    let (database, moment) = (database.display(), moment(&manifest));
    Ok(output::say(&format!("restored {database} from the backup of {moment}"))?)
}

/// Checks a backup and puts its files in place. Returns the path of the database.
fn replace(
    folder: &Path,
    manifest: &Manifest,
    files: &DataFiles,
    force: bool,
    work: &Work,
) -> Result<PathBuf, BackupError> {
    for path in [&files.database, &files.seal_key, &files.api_keys] {
        if !folder_of(path).is_dir() {
            return Err(BackupError::NoFolder(folder_of(path).to_owned()));
        }
    }
    let replacement = FileReplacement::begin(&files.database).map_err(BackupError::Replace)?;
    let place = replacement.database().to_owned();
    if !force && !replacement.is_unfinished() {
        let mut places = [&place, &files.seal_key, &files.api_keys].into_iter();
        if let Some(existing) = places.find(|path| path.exists()) {
            return Err(BackupError::Exists(existing.clone()));
        }
    }
    for path in [&place, &files.seal_key, &files.api_keys] {
        remove_staged(path)?;
    }
    let needed = |name| manifest.find(name).ok_or(BackupError::Incomplete(name));
    let seal_key = stage(folder, needed(SEAL_KEY)?, &files.seal_key, work)?;
    let key = read_key(seal_key.path())?;
    let database = stage(folder, needed(DATABASE)?, &place, work)?;
    check_database(database.path(), &folder.join(SEAL_KEY), key).map_err(|error| match error {
        BackupError::OtherSealKey(path) => BackupError::OtherBackup(path),
        error => error,
    })?;
    let mut others = vec![(seal_key, files.seal_key.clone())];
    if let Some(stored) = manifest.find(API_KEYS) {
        let api_keys = stage(folder, stored, &files.api_keys, work)?;
        check_keys(api_keys.path())?;
        others.push((api_keys, files.api_keys.clone()));
    }
    replacement.finish(others, database).map_err(BackupError::Replace)?;
    Ok(place)
}

/// The beginning of the names of files that wait to replace this one.
fn staged_name(place: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(".restore-");
    name
}

/// Removes the files that a restore has left behind because it was killed. The lock of the database
/// shows that no other restore uses them.
fn remove_staged(place: &Path) -> Result<(), BackupError> {
    let (parent, name) = (folder_of(place), staged_name(place));
    let failed = |error| BackupError::file(parent, error);
    for entry in fs::read_dir(parent).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes()) {
            fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Copies a file of a backup beside its place, and compares it with its checksum.
fn stage(
    folder: &Path,
    stored: &StoredFile,
    place: &Path,
    work: &Work,
) -> Result<NamedTempFile, BackupError> {
    let path = folder.join(&stored.name);
    let file = File::open(&path).map_err(|error| BackupError::file(&path, error))?;
    let parent = folder_of(place);
    // Temporary files are readable by their owner only.
    let staged = tempfile::Builder::new().prefix(&staged_name(place)).tempfile_in(parent);
    let mut staged = staged.map_err(|error| BackupError::file(parent, error))?;
    let (bytes, sha256) = work.hash(&path, &file, Some(staged.as_file_mut()))?;
    if (bytes, sha256.as_str()) != (stored.bytes, stored.sha256.as_str()) {
        return Err(BackupError::Checksum(path));
    }
    Ok(staged)
}
