//! The program of all packages: optimised for the whole program, stripped, and for old glibc.

use crate::Failure;
use crate::install;
use crate::process::{self, program, root, say};
use std::path::{Path, PathBuf};

/// The target, and the oldest glibc on which the program runs.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const GLIBC_MAX: (u32, u32) = (2, 28);
/// The linker for old glibc, in a Python package.
const LINKER: [&str; 2] = ["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// Builds the program. Returns its path.
pub(super) fn build() -> Result<PathBuf, Failure> {
    let tools = root().join("target/tools/zig");
    install::virtual_environment(&tools)?;
    install::by_pip(&tools, &LINKER)?;
    let target = format!("{TARGET}.{}.{}", GLIBC_MAX.0, GLIBC_MAX.1);
    let words = ["zigbuild", "--locked", "--profile", "dist", "--package", "bankfeed", "--target"];
    let mut build = program(&tools.join("bin/cargo-zigbuild").to_string_lossy(), &words);
    // The linker calls the Python of its environment.
    let path = std::env::var("PATH").unwrap_or_default();
    build.arg(target).env("PATH", format!("{}:{path}", tools.join("bin").display()));
    process::run(&mut build)?;
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let result = root().join(folder).join(TARGET).join("dist/bankfeed");
    check_symbols(&result)?;
    Ok(result)
}

/// Returns an error if the program needs a newer glibc.
fn check_symbols(built: &Path) -> Result<(), Failure> {
    install::programs(&[("objdump", "binutils")])?;
    let mut list = program("objdump", &["--dynamic-syms"]);
    let output = list.arg(built).output().map_err(|error| format!("objdump: {error}"))?;
    let symbols = String::from_utf8_lossy(&output.stdout);
    let newest = symbols.split("GLIBC_").skip(1).filter_map(version).max();
    let Some((major, minor)) = newest else {
        return Err("objdump found no symbol of glibc".to_owned());
    };
    say(&format!("the program needs glibc {major}.{minor} or newer"));
    if (major, minor) > GLIBC_MAX {
        return Err(format!("the program needs glibc {major}.{minor}, newer than {GLIBC_MAX:?}"));
    }
    Ok(())
}

/// The version at the beginning of a text, such as `2.28)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let mut numbers = text[..end.unwrap_or(text.len())].split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    /// Versions are compared as numbers, not as texts.
    #[test]
    fn versions_are_numbers() {
        assert_eq!(version("2.28) memcpy"), Some((2, 28)));
        assert_eq!(version("2.2.5) memcpy"), Some((2, 2)));
        assert!(version("2.4 x") < version("2.28 x"));
        assert_eq!(version("PRIVATE"), None);
    }
}
