//! The Debian package: program, systemd unit, configuration, and the user of the service.

use super::{Packages, at, copy};
use crate::Failure;
use crate::install;
use crate::process::{self, program, root};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The scripts of the package, which are executable.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// The name of the package's file.
pub(super) fn name(packages: &Packages) -> String {
    format!("bankfeed_{}_amd64.deb", packages.version)
}

/// Writes the package.
pub(super) fn write(packages: &Packages) -> Result<(), Failure> {
    install::programs(&[("dpkg-deb", "dpkg")])?;
    let stage = packages.staged("deb")?;
    packages.put_program(&stage, "usr/bin/bankfeed")?;
    packages.put_text("deb/bankfeed.service", &stage, "usr/lib/systemd/system/bankfeed.service")?;
    packages.put_text("deb/bankfeed.toml", &stage, "etc/bankfeed/bankfeed.toml")?;
    let documents = stage.join("usr/share/doc/bankfeed");
    packages.put_licences(&documents)?;
    packages.put_text("deb/copyright", &documents, "copyright")?;
    copy(&root().join("README.md"), &documents.join("README.md"))?;
    let control = stage.join("DEBIAN");
    for name in ["control", "conffiles"].into_iter().chain(SCRIPTS) {
        packages.put_text(&format!("deb/{name}"), &control, name)?;
    }
    let kilobytes = fs::metadata(&packages.program).map_err(at(&packages.program))?.len() / 1_024;
    replace(&control.join("control"), "@SIZE@", &kilobytes.to_string())?;
    for script in SCRIPTS {
        let script = control.join(script);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(at(&script))?;
    }
    let mut build = program("dpkg-deb", &["--root-owner-group", "-Zxz", "--build"]);
    process::run(build.arg(&stage).arg(packages.folder.join(name(packages))))
}

fn replace(file: &Path, from: &str, to: &str) -> Result<(), Failure> {
    let text = fs::read_to_string(file).map_err(at(file))?;
    fs::write(file, text.replace(from, to)).map_err(at(file))
}
