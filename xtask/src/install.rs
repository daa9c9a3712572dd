//! What the programs that CI runs need beside a Rust toolchain, installed by name where it is missing.

use crate::Failure;
use crate::process::{self, program, root};
use std::path::Path;
use std::process::{Command, Stdio};

/// Programs of the machine's own distribution, each with the package that brings it.
pub(crate) fn programs(wanted: &[(&str, &str)]) -> Result<(), Failure> {
    let missing: Vec<&str> =
        wanted.iter().filter(|(name, _)| !answers(name)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    process::run(&mut program("apt-get", &["update", "-qq"]))?;
    let mut install = program("apt-get", &["install", "-y", "-qq"]);
    process::run(install.args(missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether a program is there.
pub(crate) fn answers(name: &str) -> bool {
    runs(name, &["--version"])
}

/// Whether a program is there and runs so without a fault. What it prints is not shown.
pub(crate) fn runs(name: &str, words: &[&str]) -> bool {
    let mut asked = program(name, words);
    asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The packages that a folder's lock file of npm pins; installed anew only when it changed.
pub(crate) fn npm_packages(folder: &Path) -> Result<(), Failure> {
    let changed = |name: &str| folder.join(name).metadata().and_then(|file| file.modified()).ok();
    // npm writes this file last.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    // Not `npm ci`: it refuses a lock file that lacks a package's parts for other machines, and not
    // every registry has them all.
    let install = ["install", "--no-save", "--no-audit", "--no-fund"];
    process::run(program("npm", &install).current_dir(folder))
}

/// A virtual environment of Python, made if there is none.
pub(crate) fn virtual_environment(place: &Path) -> Result<(), Failure> {
    if place.join("bin/python").exists() {
        return Ok(());
    }
    process::run(program("python3", &["-m", "venv"]).arg(place))
}

/// Packages of Python, into a virtual environment; the words are those of `pip install`.
pub(crate) fn by_pip(environment: &Path, wanted: &[&str]) -> Result<(), Failure> {
    let python = environment.join("bin/python");
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"]).args(wanted).current_dir(root());
    process::run(&mut pip)
}
