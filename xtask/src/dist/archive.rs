//! The archive of the program with its licences and manual.

use super::{Packages, copy};
use crate::Failure;
use crate::install;
use crate::process::{self, program, root};
use std::path::PathBuf;

/// Writes the archive. Returns its path.
pub(super) fn write(packages: &Packages) -> Result<PathBuf, Failure> {
    install::programs(&[("zstd", "zstd")])?;
    let name = format!("bankfeed-{}-x86_64-linux", packages.version);
    let stage = packages.staged("archive")?.join(&name);
    packages.put_program(&stage, "bin/bankfeed")?;
    packages.put_licences(&stage)?;
    for document in ["README.md", "CHANGELOG.md"] {
        copy(&root().join(document), &stage.join(document))?;
    }
    let archive = packages.folder.join(format!("{name}.tar.zst"));
    let mut tar = program("tar", REPEATABLE);
    tar.args(["--use-compress-program", "zstd --ultra -22 --no-progress", "--create", "--file"]);
    process::run(
        tar.arg(&archive).arg("--directory").arg(packages.stage.join("archive")).arg(name),
    )?;
    Ok(archive)
}

/// The options of tar that give equal files equal archives.
pub(super) const REPEATABLE: &[&str] =
    &["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0", "--format=gnu"];
