//! `bankfeed backup` and `bankfeed restore`: all data of a server, as a folder.
//!
//! A backup is a set of files that fit together: the database, the seal key that opens it, and the
//! issued keys. A server may run meanwhile. The database is copied first, with the state of one moment.
//! The issued keys are copied after it. So every key that the database knows is in the copy, because a
//! key is issued before it is used, and it is never deleted.
//!
//! | the process dies | result |
//! |---|---|
//! | during a backup | A hidden folder `.bankfeed-backup-…` remains beside the folder of the backup. No other file has changed |
//! | during a restore, before the first file is replaced | The old files are as they were |
//! | during a restore, later | No server starts until the restore is repeated |

mod error;
mod manifest;
mod restore;
mod work;

pub(crate) use error::BackupError;
pub(crate) use restore::{RestoreFlags, restore};

use crate::error::CommandError;
use clap::Args;
use cli::{format, output};
use manifest::{API_KEYS, DATABASE, FORMAT, MANIFEST, Manifest, SEAL_KEY, StoredFile};
use model::clock::Clock as _;
use rustix::fs::statvfs;
use server::clock::SystemClock;
use server::rng::Streams;
use server::{SEAL_KEY_BYTES, read_seal_key};
use settings::{Database, folder_of, resolve, settings_file};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use store::{KeyFile, check_copy, copy_database, is_opened_by};
use tempfile::TempDir;
use work::Work;

/// The beginning of the name of an unfinished backup.
const UNFINISHED: &str = ".bankfeed-backup-";

/// The flags of `bankfeed backup`.
#[derive(Args)]
pub(crate) struct BackupFlags {
    /// Folder of the backup, which is created
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    files: DataFlags,
}

/// The selection of a server's files.
#[derive(Args)]
struct DataFlags {
    /// Database of the server, as for `serve`
    #[arg(long, value_name = "FILE")]
    db: Option<String>,
    /// Seal key of the database, as for `serve`
    #[arg(long, value_name = "FILE")]
    seal_key_file: Option<String>,
    /// File of the issued keys, as for `serve`
    #[arg(long, value_name = "FILE")]
    api_keys_file: Option<String>,
    /// TOML file with settings, as for `serve`
    #[arg(
        long,
        value_name = "FILE",
        help = "TOML file with settings, as for `serve` [env: BANKFEED_CONFIG]"
    )]
    config: Option<PathBuf>,
}

/// The files of a server.
struct DataFiles {
    database: PathBuf,
    seal_key: PathBuf,
    api_keys: PathBuf,
}

impl DataFlags {
    /// The files of a server with the same flags, environment and file.
    fn files(&self) -> Result<DataFiles, CommandError> {
        let sources = [
            ("db", &self.db),
            ("seal-key-file", &self.seal_key_file),
            ("api-keys-file", &self.api_keys_file),
        ];
        let flags: BTreeMap<&'static str, String> =
            sources.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect();
        let file = settings_file(self.config.as_deref());
        let resolved = resolve(&flags, |name| std::env::var(name).ok(), file.as_deref())?;
        let settings = resolved.settings()?;
        match (settings.database, settings.seal_key_file, settings.api_keys_file) {
            (Database::File(database), Some(seal_key), Some(api_keys)) => {
                let files = DataFiles { database, seal_key, api_keys };
                files.check_distinct()?;
                Ok(files)
            }
            _ => Err(BackupError::Temporary.into()),
        }
    }
}

impl DataFiles {
    /// Checks that no file would replace another one, or a file of SQLite beside the database.
    fn check_distinct(&self) -> Result<(), BackupError> {
        let beside = ["", "-wal", "-shm", "-journal"].map(|ending| {
            let mut path = self.database.clone().into_os_string();
            path.push(ending);
            place_of(Path::new(&path))
        });
        let mut places = BTreeSet::from(beside);
        match [&self.seal_key, &self.api_keys]
            .into_iter()
            .find(|path| !places.insert(place_of(path)))
        {
            Some(path) => Err(BackupError::SamePath(path.clone())),
            None => Ok(()),
        }
    }
}

/// The path of a file that may not exist yet, without links.
fn place_of(path: &Path) -> PathBuf {
    let found = fs::canonicalize(path).or_else(|_| {
        Ok::<_, io::Error>(
            fs::canonicalize(folder_of(path))?.join(path.file_name().unwrap_or_default()),
        )
    });
    found.unwrap_or_else(|_| path.to_owned())
}

/// Runs `bankfeed backup`.
pub(crate) fn backup(flags: &BackupFlags, json: bool) -> Result<(), CommandError> {
    let files = flags.files.files()?;
    let folder = flags.folder.clone();
    if !files.database.exists() {
        return Err(BackupError::NoDatabase(files.database).into());
    }
    check_empty(&folder)?;
    check_space(folder_of(&folder), &files)?;
    let manifest = work::run({
        let folder = folder.clone();
        move |work| write(&folder, &files, work)
    })?;
    if json {
        return Ok(output::say_json(&manifest.to_json())?);
    }
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    Ok(output::say(&format!(
        "backed up {} bytes in {} files to {}",
        bytes,
        manifest.files.len(),
        folder.display()
    ))?)
}

/// Checks that the folder is new or empty.
fn check_empty(folder: &Path) -> Result<(), BackupError> {
    if folder.is_symlink() {
        // The folder gets its name by a rename, which would replace the link.
        return Err(BackupError::NotEmpty(folder.to_owned()));
    }
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != ErrorKind::NotADirectory => {
            Err(BackupError::file(folder, error))
        }
        Ok(false) | Err(_) => Err(BackupError::NotEmpty(folder.to_owned())),
    }
}

/// Checks that there is space for a copy of the database. The log may add pages to it.
fn check_space(parent: &Path, files: &DataFiles) -> Result<(), BackupError> {
    let mut log = files.database.as_os_str().to_owned();
    log.push("-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |facts| facts.len());
    let needed = size(&files.database).saturating_add(size(Path::new(&log)));
    let facts = statvfs(parent).map_err(|error| BackupError::file(parent, error.into()))?;
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    if free < needed {
        return Err(BackupError::Space { folder: parent.to_owned(), free, needed });
    }
    Ok(())
}

/// Writes the files into a hidden folder, checks them, and gives the folder its name.
fn write(folder: &Path, files: &DataFiles, work: &Work) -> Result<Manifest, BackupError> {
    let parent = folder_of(folder);
    let mut unfinished = tempfile::Builder::new();
    let unfinished = unfinished.prefix(UNFINISHED).permissions(Permissions::from_mode(0o700));
    let unfinished =
        unfinished.tempdir_in(parent).map_err(|error| BackupError::file(parent, error))?;
    let [database, seal_key, api_keys] =
        [DATABASE, SEAL_KEY, API_KEYS].map(|name| unfinished.path().join(name));
    let key = read_key(&files.seal_key)?;
    let failed = |source| BackupError::Database { path: files.database.clone(), source };
    let rng = Streams::from_system().map_err(BackupError::Randomness)?.internals;
    // A wrong key is found before the copy, which may take minutes.
    if !is_opened_by(&files.database, key, rng).map_err(failed)? {
        return Err(BackupError::OtherSealKey(files.seal_key.clone()));
    }
    let text = fs::read(&files.seal_key).map_err(|e| BackupError::file(&files.seal_key, e))?;
    write_file(&seal_key, &text).map_err(|error| BackupError::file(&seal_key, error))?;
    copy(&files.database, &database, "copying", work)?;
    // After the database, so that each key that the database knows is in the copy.
    let has_keys = files.api_keys.exists();
    if has_keys {
        copy(&files.api_keys, &api_keys, "copying", work)?;
        check_keys(&api_keys)?;
    }
    let migrations = check_database(&database, &files.seal_key, key)?;
    let paths = [Some((DATABASE, database)), Some((SEAL_KEY, seal_key))];
    let paths = paths.into_iter().chain([has_keys.then_some((API_KEYS, api_keys))]).flatten();
    let mut stored = Vec::new();
    for (name, path) in paths {
        let file = File::open(&path).map_err(|error| BackupError::file(&path, error))?;
        let (bytes, sha256) = work.hash(&path, &file, None)?;
        file.sync_all().map_err(|error| BackupError::file(&path, error))?;
        stored.push(StoredFile { name: name.to_owned(), bytes, sha256 });
    }
    let manifest = Manifest {
        format: FORMAT,
        bankfeed: env!("CARGO_PKG_VERSION").to_owned(),
        created: SystemClock::default().server_now().seconds(),
        migrations,
        files: stored,
    };
    let path = unfinished.path().join(MANIFEST);
    write_file(&path, format!("{:#}\n", manifest.to_json()).as_bytes())
        .map_err(|error| BackupError::file(&path, error))?;
    name_folder(unfinished, folder).map_err(|error| match error.kind() {
        // Another backup to the same folder was quicker.
        ErrorKind::DirectoryNotEmpty => BackupError::NotEmpty(folder.to_owned()),
        _ => BackupError::file(folder, error),
    })?;
    Ok(manifest)
}

/// Gives a complete folder its name. An empty folder of this name is replaced.
fn name_folder(unfinished: TempDir, folder: &Path) -> io::Result<()> {
    File::open(unfinished.path())?.sync_all()?;
    fs::rename(unfinished.path(), folder)?;
    // The folder has another name, so there is nothing to remove.
    let _ = unfinished.keep();
    File::open(folder_of(folder))?.sync_all()
}

/// Writes a new file for its owner only, and waits until it is on disk.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Copies a database.
fn copy(from: &Path, to: &Path, what: &str, work: &Work) -> Result<(), BackupError> {
    let mut progress = None;
    let copied = copy_database(from, to, &mut |step| {
        let shown = progress.get_or_insert_with(|| output::Progress::new(what, step.pages));
        shown.at(step.pages_done);
        if work.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match copied {
        Ok(true) => Ok(()),
        Ok(false) => Err(BackupError::Stopped),
        Err(source) => Err(BackupError::Database { path: from.to_owned(), source }),
    }
}

/// Reads a seal key.
fn read_key(path: &Path) -> Result<[u8; SEAL_KEY_BYTES], BackupError> {
    let text = fs::read_to_string(path).map_err(|error| BackupError::file(path, error))?;
    read_seal_key(text.trim()).ok_or_else(|| BackupError::SealKey(path.to_owned()))
}

/// Checks a copy of a database, and that the seal key opens it. Returns the number of its migrations.
fn check_database(
    path: &Path,
    seal_key: &Path,
    key: [u8; SEAL_KEY_BYTES],
) -> Result<usize, BackupError> {
    let failed = |source| BackupError::Database { path: path.to_owned(), source };
    let rng = Streams::from_system().map_err(BackupError::Randomness)?.internals;
    let checkup = check_copy(path, Some((key, rng))).map_err(failed)?;
    if let Some(fault) = checkup.faults.into_iter().next() {
        return Err(BackupError::Damaged { path: path.to_owned(), fault });
    }
    if checkup.opens != Some(true) {
        return Err(BackupError::OtherSealKey(seal_key.to_owned()));
    }
    Ok(checkup.migrations_done)
}

/// Checks a copy of the issued keys.
fn check_keys(path: &Path) -> Result<(), BackupError> {
    let read = KeyFile::open(path).and_then(|file| file.list());
    read.map_err(|source| BackupError::Keys { path: path.to_owned(), source })?;
    Ok(())
}

/// The time of a backup for people.
fn moment(manifest: &Manifest) -> String {
    format::moment_of(manifest.created)
}
