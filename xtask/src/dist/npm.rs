//! The npm packages: a launcher, and the program as its optional dependency.

use super::Packages;
use crate::Failure;
use crate::install;
use crate::process::{self, program, root};
use std::path::Path;

/// Writes both packages.
pub(super) fn write(packages: &Packages) -> Result<(), Failure> {
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    let machine = packages.staged("npm-linux-x64")?;
    packages.put_text("npm/linux-x64/package.json", &machine, "package.json")?;
    packages.put_program(&machine, "bankfeed")?;
    packages.put_licences(&machine)?;
    pack(packages, &machine)?;
    let launcher = packages.staged("npm-bankfeed")?;
    packages.put_text("npm/bankfeed/package.json", &launcher, "package.json")?;
    packages.put_text("npm/bankfeed/bankfeed.js", &launcher, "bankfeed.js")?;
    packages.put_licences(&launcher)?;
    super::copy(&root().join("README.md"), &launcher.join("README.md"))?;
    pack(packages, &launcher)
}

/// Packs a folder into the folder of packages.
pub(super) fn pack(packages: &Packages, folder: &Path) -> Result<(), Failure> {
    let mut pack = program("npm", &["pack", "--silent", "--pack-destination"]);
    process::run(pack.arg(&packages.folder).current_dir(folder))
}
