//! Installation of the programs that CI needs in addition to a Rust toolchain.

use crate::Failure;
use crate::process::{self, program, root};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Installs missing programs from the machine's distribution. Each program is named with its
/// package.
pub(crate) fn programs(wanted: &[(&str, &str)]) -> Result<(), Failure> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(name, _)| !is_installed(name))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    process::run(&mut program("apt-get", &["update", "-qq"]))?;
    let mut install = program("apt-get", &["install", "-y", "-qq"]);
    process::run(install.args(missing).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// True if a program is installed.
pub(crate) fn is_installed(name: &str) -> bool {
    runs(name, &["--version"])
}

/// True if a program is installed and succeeds with these arguments. Its output is discarded.
pub(crate) fn runs(name: &str, words: &[&str]) -> bool {
    let mut command = program(name, words);
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Installs the packages of a folder's npm lock file, unless they are newer than the file.
pub(crate) fn npm_packages(folder: &Path) -> Result<(), Failure> {
    let changed = |name: &str| folder.join(name).metadata().and_then(|file| file.modified()).ok();
    // npm writes this file last.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    // Not `npm ci`, because it rejects a lock file without a package's variants for other machines,
    // and some registries do not have all of them.
    let install = ["install", "--no-save", "--no-audit", "--no-fund"];
    process::run(program("npm", &install).current_dir(folder))
}

/// Makes a virtual environment of Python, unless it exists.
pub(crate) fn virtual_environment(place: &Path) -> Result<(), Failure> {
    if place.join("bin/python").exists() {
        return Ok(());
    }
    process::run(program("python3", &["-m", "venv"]).arg(place))
}

/// Runs `pip install` with these arguments in a virtual environment.
pub(crate) fn by_pip(environment: &Path, wanted: &[&str]) -> Result<(), Failure> {
    let python = environment.join("bin/python");
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"]).args(wanted).current_dir(root());
    process::run(&mut pip)
}

/// Installs a program that a Python package contains under `target/tools`. Returns its path.
pub(crate) fn tool(package: &str, name: &str) -> Result<PathBuf, Failure> {
    let environment = root().join("target/tools");
    virtual_environment(&environment)?;
    by_pip(&environment, &[package])?;
    Ok(environment.join("bin").join(name))
}
