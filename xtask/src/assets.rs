//! The font files of the pages, made from a pinned package. `cargo build` needs only the results, which
//! are in the tree.
//!
//! Latin letters, digits and signs are in one file. A second file has the further letters of European
//! languages and signs of currencies, and a browser loads it only for a page that contains one.

use crate::Failure;
use crate::install;
use crate::process::{self, root, say};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the results.
const FOLDER: &str = "crates/server/src/pages/assets/fonts";
/// The characters of the package's own file for Latin.
const LATIN: &str = "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,\
                     U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD";
/// The characters that are kept from the package's larger file.
const FURTHER: &str = "U+0100-0130,U+0132-0151,U+0154-017F,U+0192,U+0218-021B,U+1E80-1E85,U+1E9E,U+1EF2-1EF3,\
     U+20A0-20AB,U+20AD-20C0";
/// Digits of equal width, which amounts and account numbers need.
const CHECK: &str = "import sys; from fontTools.ttLib import TTFont; \
                     features = TTFont(sys.argv[1])['GSUB'].table.FeatureList.FeatureRecord; \
                     sys.exit('tnum' not in {one.FeatureTag for one in features})";

/// Makes the files again. With `--check` it only compares them with the tree.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let only_check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask assets [--check]".to_owned()),
    };
    for (name, bytes) in made()? {
        let path = root().join(FOLDER).join(name);
        if !only_check {
            fs::write(&path, bytes).map_err(at(&path))?;
        } else if fs::read(&path).ok() != Some(bytes) {
            return Err(format!("{FOLDER}/{name} differs. Run cargo xtask assets and commit it."));
        }
    }
    say(&format!("{FOLDER} is fresh"));
    Ok(())
}

/// Checks that the files in the tree are those that the package gives.
pub(crate) fn check() -> Result<(), Failure> {
    run(&["--check".to_owned()])
}

/// The names and contents of the files.
fn made() -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    let folder = root().join("xtask/assets");
    install::npm_packages(&folder)?;
    let environment = root().join("target/assets");
    install::virtual_environment(&environment)?;
    let list = folder.join("requirements.txt");
    install::by_pip(&environment, &["--requirement", &list.to_string_lossy()])?;
    let package = folder.join("node_modules/@fontsource-variable/inter");
    let latin = package.join("files/inter-latin-wght-normal.woff2");
    python(&environment, &["-c", CHECK], &latin)?;
    let further = subset(&environment, &package.join("files/inter-latin-ext-wght-normal.woff2"))?;
    let (latin, licence) = (read(&latin)?, read(&package.join("LICENSE"))?);
    let style = style(&[("inter-latin", &latin, LATIN), ("inter-latin-ext", &further, FURTHER)]);
    Ok(vec![
        ("inter-latin.woff2", latin),
        ("inter-latin-ext.woff2", further),
        ("fonts.css", style.into_bytes()),
        ("OFL.txt", licence),
    ])
}

/// The part of a font file with [`FURTHER`].
fn subset(environment: &Path, file: &Path) -> Result<Vec<u8>, Failure> {
    let output = environment.join("inter-latin-ext.woff2");
    let words = [
        "-m".to_owned(),
        "fontTools.subset".to_owned(),
        format!("--unicodes={FURTHER}"),
        "--layout-features=ccmp,kern,locl,mark,mkmk".to_owned(),
        "--flavor=woff2".to_owned(),
        format!("--output-file={}", output.display()),
    ];
    python(environment, &words.each_ref().map(String::as_str), file)?;
    read(&output)
}

fn python(environment: &Path, words: &[&str], file: &Path) -> Result<(), Failure> {
    let mut python = Command::new(environment.join("bin/python"));
    process::run(python.args(words).arg(file))
}

/// The style that names the files. Their addresses contain hashes, so browsers may keep them.
fn style(files: &[(&str, &[u8], &str)]) -> String {
    let mut style = String::from(
        "/* Inter, with the licence OFL-1.1 (OFL.txt). Made by cargo xtask assets. */\n",
    );
    for (name, bytes, characters) in files {
        let mut hash = String::new();
        for byte in Sha256::digest(bytes).iter().take(6) {
            // Writing to a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        let _ = write!(
            style,
            "\n@font-face {{\n  font-family: \"Inter\";\n  font-style: normal;\n  font-weight: 100 900;\n  \
             font-display: swap;\n  src: url(\"/assets/{name}.{hash}.woff2\") format(\"woff2\");\n  \
             unicode-range: {characters};\n}}\n"
        );
    }
    style
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(at(path))
}

fn at(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    move |error| format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::style;

    /// The address of a font file changes with its bytes.
    #[test]
    fn addresses_have_hashes() {
        let address = |bytes: &[u8]| style(&[("inter-latin", bytes, "U+0000")]);
        assert!(address(b"").contains("/assets/inter-latin.e3b0c44298fc.woff2"));
        assert_ne!(address(b"a"), address(b"b"));
    }
}
