//! The Python wheel with the program.

use super::Packages;
use crate::Failure;
use crate::install;
use crate::process::root;
use std::path::PathBuf;

/// Writes the wheel.
pub(super) fn write(packages: &Packages) -> Result<(), Failure> {
    let stage = packages.staged("pypi")?;
    packages.put_program(&stage, "bin/bankfeed")?;
    packages.put_licences(&stage)?;
    packages.put_text("pypi/pyproject.toml", &stage, "pyproject.toml")?;
    packages.put_text("pypi/hatch_build.py", &stage, "hatch_build.py")?;
    super::copy(&root().join("README.md"), &stage.join("README.md"))?;
    build(packages, &stage.to_string_lossy())
}

/// Builds the wheel of a folder into the folder of packages.
pub(super) fn build(packages: &Packages, folder: &str) -> Result<(), Failure> {
    let environment = tools()?;
    let python = environment.join("bin/python");
    let mut wheel = crate::process::program(&python.to_string_lossy(), &["-m", "pip", "wheel"]);
    wheel.args(["--quiet", "--no-deps", "--wheel-dir"]).arg(&packages.folder).arg(folder);
    crate::process::run(&mut wheel)
}

fn tools() -> Result<PathBuf, Failure> {
    let environment = root().join("target/tools/wheel");
    install::virtual_environment(&environment)?;
    Ok(environment)
}
