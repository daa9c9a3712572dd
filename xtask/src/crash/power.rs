//! A simulated disk on which only synchronised bytes survive.
//!
//! A small library (`power/layer.c`) is compiled with `cc` and loaded into the server by `LD_PRELOAD`.
//! It copies the pages of a file into a second folder, the *shadow*, when the server calls `fsync`, and
//! the names of the folder when it synchronises the folder. After a kill the disk is built from the
//! shadow. So it lacks each write and each name that the server did not synchronise.
//!
//! Half of the power cuts are *strict*: all of these writes are missing. The others are *torn*: each block
//! of 512 bytes and each name is the old or the new one at random, because a disk may write its
//! cache in any order.

use super::options::Options;
use crate::Failure;
use crate::counts::Counts;
use crate::process::{self, program, root};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use testkit::rng::SeededRng;

/// The name of the database on the disk.
const DATABASE: &str = "bank.db";
/// Bytes that a disk writes at once.
const BLOCK: usize = 512;
/// A value of the second number in the control file: the disk takes all bytes.
const ALL_BYTES: i64 = -1;
/// Endings of databases, which are checked after each cut.
const DATABASES: [&str; 2] = [".db", ".api-keys"];
/// The ending of `SQLite`'s index of the log. A start builds it again.
const INDEX: &str = "-shm";

/// A defect of the disk or of the server's use of it, which must make a check fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// `fsync` has no effect.
    Files,
    /// `fsync` of the folder has no effect.
    Names,
}

impl Sabotage {
    fn flag(self) -> u64 {
        match self {
            Self::Files => 1,
            Self::Names => 2,
        }
    }
}

/// A simulated disk with one folder.
pub(crate) struct Disk {
    /// The folder with `disk`, `shadow` and the folders of a cut.
    base: PathBuf,
    library: PathBuf,
    rng: SeededRng,
    sabotage: Option<Sabotage>,
    /// The power cuts by kind.
    pub(crate) cuts: BTreeMap<&'static str, usize>,
    /// The names and blocks that differed from their synchronised state at a cut, and in a strict cut the
    /// files. The index of the log does not count.
    pub(crate) lost: usize,
}

/// Runs work once for each seed of the options, with the path of the library.
pub(crate) fn in_rounds(
    options: &Options,
    mut work: impl AsyncFnMut(u64, &Path) -> Result<Counts, Failure>,
) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    if options.cuts == 0 {
        return Ok(counts);
    }
    let library = compile()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    for round in 0..options.cuts {
        counts += runtime.block_on(work(options.seed.wrapping_add(round), &library))?;
    }
    Ok(counts)
}

/// Compiles the library. Returns its path.
fn compile() -> Result<PathBuf, Failure> {
    let source = root().join("xtask/src/crash/power/layer.c");
    let folder = root().join("target/power");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let library = folder.join("liblayer.so");
    let flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-o"];
    process::run(program("cc", &flags).arg(&library).arg(&source))?;
    Ok(library)
}

impl Disk {
    /// An empty disk below a folder.
    pub(crate) fn new(
        base: &Path,
        library: &Path,
        rng: SeededRng,
        sabotage: Option<Sabotage>,
    ) -> Result<Self, Failure> {
        let disk = Self {
            base: base.to_owned(),
            library: library.to_owned(),
            rng,
            sabotage,
            cuts: BTreeMap::new(),
            lost: 0,
        };
        create(&disk.folder())?;
        disk.remember()?;
        Ok(disk)
    }

    /// The folder of the server's files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.base.join("disk")
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder().join(DATABASE)
    }

    fn shadow(&self) -> PathBuf {
        self.base.join("shadow")
    }

    /// The variables of a process with its files on the disk.
    pub(crate) fn environment(&self) -> [(&'static str, OsString); 3] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("POWER_FOLDER", self.folder().into()),
            ("POWER_SHADOW", self.shadow().into()),
        ]
    }

    /// Sets the bytes that the disk still takes. `None` means all.
    pub(crate) fn set_space(&self, bytes: Option<u64>) -> Result<(), Failure> {
        let bytes = bytes.map_or(ALL_BYTES, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let control = self.shadow().join("control");
        let file = fs::OpenOptions::new().write(true).open(&control);
        let written = file.and_then(|file| file.write_all_at(&bytes.to_le_bytes(), 8));
        written.map_err(|error| format!("{}: {error}", control.display()))
    }

    /// Cuts the power: the folder keeps what was synchronised, and with a torn cut a part of the rest.
    pub(crate) fn cut(&mut self) -> Result<(), Failure> {
        let is_torn = self.rng.one_in(2);
        let (names, real) = (self.durable_names()?, names_of(&self.folder())?);
        let next = self.base.join("next");
        create(&next)?;
        let all: BTreeSet<&String> = names.keys().chain(real.keys()).collect();
        for name in all {
            let (old, new) = (names.get(name).copied(), real.get(name).copied());
            let keeps_new = is_torn && self.rng.one_in(2);
            let is_index = name.ends_with(INDEX);
            let lost_before = self.lost;
            self.lost += usize::from(old != new);
            let Some(inode) = (if keeps_new { new } else { old }) else { continue };
            let durable = read_or_empty(&self.shadow().join("inode").join(inode.to_string()))?;
            let written = self.written(name, inode, &real)?;
            let content = if is_torn {
                self.torn(&durable, &written)
            } else {
                self.lost += usize::from(durable != written);
                durable
            };
            if is_index {
                // Its changes are lost at each cut.
                self.lost = lost_before;
            }
            if is_torn || !is_index {
                write(&next.join(name), &content)?;
            }
        }
        remove(&self.folder())?;
        fs::rename(&next, self.folder()).map_err(|error| error.to_string())?;
        self.remember()?;
        self.check()?;
        *self.cuts.entry(if is_torn { "torn" } else { "strict" }).or_default() += 1;
        Ok(())
    }

    /// The content of a file with all writes, whether its name is still in the folder or not.
    fn written(
        &self,
        name: &str,
        inode: u64,
        real: &BTreeMap<String, u64>,
    ) -> Result<Vec<u8>, Failure> {
        if real.get(name) == Some(&inode) {
            return read_or_empty(&self.folder().join(name));
        }
        let by_other_name = real.iter().find(|(_, number)| **number == inode);
        match by_other_name {
            Some((name, _)) => read_or_empty(&self.folder().join(name)),
            None => read_or_empty(&self.shadow().join("dead").join(inode.to_string())),
        }
    }

    /// A mix of synchronised and written blocks.
    fn torn(&mut self, durable: &[u8], written: &[u8]) -> Vec<u8> {
        let length = if self.rng.one_in(2) { durable.len() } else { written.len() };
        let mut mixed = vec![0; length];
        let part = |from: &[u8], index: usize, length: usize| {
            let begin = from.len().min(index * BLOCK);
            begin..from.len().min(begin + length)
        };
        for (index, block) in mixed.chunks_mut(BLOCK).enumerate() {
            let old = &durable[part(durable, index, block.len())];
            let new = &written[part(written, index, block.len())];
            if old != new {
                self.lost += 1;
            }
            let chosen = if self.rng.one_in(2) { old } else { new };
            block[..chosen.len()].copy_from_slice(chosen);
        }
        mixed
    }

    /// Makes the current content of the folder the synchronised state.
    pub(crate) fn remember(&self) -> Result<(), Failure> {
        let shadow = self.shadow();
        remove(&shadow)?;
        for folder in [shadow.clone(), shadow.join("inode"), shadow.join("dead")] {
            create(&folder)?;
        }
        let flags = self.sabotage.map_or(0, Sabotage::flag);
        let control = [flags.to_le_bytes(), ALL_BYTES.to_le_bytes()].concat();
        write(&shadow.join("control"), &control)?;
        let mut names = String::new();
        for (name, inode) in names_of(&self.folder())? {
            let copy = shadow.join("inode").join(inode.to_string());
            let from = self.folder().join(&name);
            fs::copy(&from, copy).map_err(|error| format!("{}: {error}", from.display()))?;
            // Writing to a String cannot fail.
            let _ = writeln!(names, "{inode} {name}");
        }
        write(&shadow.join("names"), names.as_bytes())
    }

    fn durable_names(&self) -> Result<BTreeMap<String, u64>, Failure> {
        let text =
            String::from_utf8_lossy(&read_or_empty(&self.shadow().join("names"))?).into_owned();
        let line = |line: &str| {
            let (inode, name) = line.split_once(' ')?;
            Some((name.to_owned(), inode.parse().ok()?))
        };
        text.lines()
            .map(|text| line(text).ok_or_else(|| format!("the line {text:?} of the names")))
            .collect()
    }

    /// Checks the integrity of the databases, on a copy, because a look would repair them.
    fn check(&self) -> Result<(), Failure> {
        let copy = self.base.join("check");
        remove(&copy)?;
        create(&copy)?;
        let names = names_of(&self.folder())?;
        for name in names.keys() {
            let copied = fs::copy(self.folder().join(name), copy.join(name));
            copied.map_err(|error| format!("{name}: {error}"))?;
        }
        for name in names.keys().filter(|name| DATABASES.iter().any(|end| name.ends_with(end))) {
            let failed = |error: rusqlite::Error| format!("{name} after a power cut: {error}");
            let database = rusqlite::Connection::open(copy.join(name)).map_err(failed)?;
            let check = "PRAGMA integrity_check";
            let found: String = database.query_row(check, [], |row| row.get(0)).map_err(failed)?;
            if found != "ok" {
                return Err(format!("{name} after a power cut: {found}"));
            }
        }
        remove(&copy)
    }
}

/// The inodes of the files of a folder, by name.
fn names_of(folder: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let facts = entry.metadata().map_err(failed)?;
        names.insert(entry.file_name().to_string_lossy().into_owned(), facts.ino());
    }
    Ok(names)
}

fn read_or_empty(path: &Path) -> Result<Vec<u8>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn create(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A strict cut keeps the synchronised bytes and names, and no others.
    #[test]
    fn a_strict_cut_keeps_synchronised_bytes() {
        let is_strict = |seed| {
            let base = tempfile::tempdir().unwrap();
            let rng = SeededRng::new(seed);
            let mut disk = Disk::new(base.path(), Path::new("unused"), rng, None).unwrap();
            fs::write(disk.folder().join("old"), "synchronised").unwrap();
            disk.remember().unwrap();
            fs::write(disk.folder().join("old"), "written only").unwrap();
            fs::write(disk.folder().join("new"), "without a durable name").unwrap();
            disk.cut().unwrap();
            if disk.cuts.contains_key("torn") {
                return false;
            }
            assert_eq!(fs::read(disk.folder().join("old")).unwrap(), b"synchronised");
            assert!(!disk.folder().join("new").exists());
            assert!(disk.lost > 0);
            true
        };
        assert!((0..64).any(is_strict));
    }

    /// A torn cut keeps each block of the old or of the new content.
    #[test]
    fn a_torn_cut_mixes_blocks() {
        let base = tempfile::tempdir().unwrap();
        let mut disk =
            Disk::new(base.path(), Path::new("unused"), SeededRng::new(1), None).unwrap();
        let (old, new) = (vec![1; 64 * BLOCK], vec![2; 64 * BLOCK]);
        let mixed = disk.torn(&old, &new);
        for block in mixed.chunks(BLOCK) {
            assert!(block == &old[..BLOCK] || block == &new[..BLOCK]);
        }
        assert!(mixed.contains(&1) && mixed.contains(&2));
    }
}
