//! `cargo xtask dist`: the packages for Linux on `x86_64`, and their tests.
//!
//! One program is built for glibc 2.28 and newer, and each package contains it. The sources of the
//! packages are in `packaging/`. All packages are written to `target/packages`, and each is then
//! installed from its file as a user would install it ([`check`]).

mod archive;
mod binary;
mod check;
mod deb;
mod image;
mod kits;
mod licences;
mod npm;
mod wheel;

use crate::Failure;
use crate::counts::Counts;
use crate::process::{root, say};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The largest compressed archive, in bytes.
const ARCHIVE_BYTES_MAX: u64 = 7_500_000;

/// The folders and the program of one run.
pub(super) struct Packages {
    /// The folder of the packages.
    pub(super) folder: PathBuf,
    /// The folder for the contents of packages while they are made.
    pub(super) stage: PathBuf,
    /// The stripped program.
    pub(super) program: PathBuf,
    /// The version of the workspace.
    pub(super) version: &'static str,
}

/// Builds all packages and tests them. Returns the counts of the tests.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    if let Some(unknown) = arguments.first() {
        return Err(format!("unknown argument {unknown}"));
    }
    let folder = root().join("target/packages");
    let stage = root().join("target/packages-stage");
    for place in [&folder, &stage] {
        if place.exists() {
            fs::remove_dir_all(place).map_err(at(place))?;
        }
        fs::create_dir_all(place).map_err(at(place))?;
    }
    let packages =
        Packages { program: binary::build()?, folder, stage, version: env!("CARGO_PKG_VERSION") };
    licences::write(&packages)?;
    let archive = archive::write(&packages)?;
    deb::write(&packages)?;
    image::write(&packages)?;
    wheel::write(&packages)?;
    npm::write(&packages)?;
    kits::write(&packages)?;
    write_checksums(&packages.folder)?;
    let bytes = fs::metadata(&archive).map_err(at(&archive))?.len();
    say(&format!("{}: {bytes} bytes", archive.display()));
    if bytes > ARCHIVE_BYTES_MAX {
        return Err(format!("the archive has {bytes} bytes, more than {ARCHIVE_BYTES_MAX}"));
    }
    check::run(&packages)
}

impl Packages {
    /// An empty folder for the contents of a package.
    fn staged(&self, name: &str) -> Result<PathBuf, Failure> {
        let place = self.stage.join(name);
        fs::create_dir_all(&place).map_err(at(&place))?;
        Ok(place)
    }

    /// Copies the program to a path below a folder.
    fn put_program(&self, folder: &Path, path: &str) -> Result<(), Failure> {
        copy(&self.program, &folder.join(path))
    }

    /// Copies both licences and the licences of the crates into a folder.
    fn put_licences(&self, folder: &Path) -> Result<(), Failure> {
        for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
            copy(&root().join(name), &folder.join(name))?;
        }
        copy(&self.stage.join(licences::FILE), &folder.join(licences::FILE))
    }

    /// Writes a text of `packaging/` to a path below a folder, with the version in it.
    fn put_text(&self, source: &str, folder: &Path, path: &str) -> Result<(), Failure> {
        let place = root().join("packaging").join(source);
        let text = fs::read_to_string(&place).map_err(at(&place))?;
        write(&folder.join(path), &text.replace("@VERSION@", self.version))
    }
}

/// Writes the SHA-256 of each package, in the form that `sha256sum --check` reads.
fn write_checksums(folder: &Path) -> Result<(), Failure> {
    let mut names = names_in(folder)?;
    names.sort();
    let mut lines = String::new();
    for name in names {
        let _ = writeln!(lines, "{}  {name}", sha256(&folder.join(&name))?);
    }
    write(&folder.join("SHA256SUMS"), &lines)
}

/// The names of the files in a folder.
fn names_in(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(at(folder))?;
    Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// The SHA-256 of a file, in hexadecimal.
fn sha256(file: &Path) -> Result<String, Failure> {
    let bytes = fs::read(file).map_err(at(file))?;
    let digest = Sha256::digest(&bytes);
    Ok(digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Copies a file with its mode, and creates the folders of its new path.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    create_folder_of(to)?;
    fs::copy(from, to).map(drop).map_err(at(from))
}

/// Writes a text, and creates the folders of its path.
fn write(to: &Path, text: &str) -> Result<(), Failure> {
    create_folder_of(to)?;
    fs::write(to, text).map_err(at(to))
}

fn create_folder_of(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at(folder))
}

/// The failure of work with a file.
fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}
