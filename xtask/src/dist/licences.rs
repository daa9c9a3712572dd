//! The licences of all crates in the program and of its fonts, with their texts.

use super::{Packages, at};
use crate::Failure;
use crate::process::{program, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The name of the file in each package.
pub(super) const FILE: &str = "THIRD-PARTY.md";
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The beginnings of names of files with licences, in upper case.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// The fonts that the pages and the files of invoices use, with their licences.
const FONTS: [(&str, &str); 2] = [
    ("Inter (font of the pages)", "crates/server/src/pages/assets/fonts/OFL.txt"),
    ("Noto Sans (font of PDF files)", "crates/server/src/pages/assets/pdf/OFL.txt"),
];

/// Collects the licences of the crates and the fonts that the program contains, and writes them.
pub(super) fn write(packages: &Packages) -> Result<(), Failure> {
    let metadata = metadata()?;
    let crates = crates_of_program(&metadata)?;
    let mut text = String::from(
        "# Licences of the crates in the program\n\nSQLite, which `libsqlite3-sys` contains, is in the \
         public domain.\n",
    );
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    for one in &crates {
        let (name, version) = (word(one, "name"), word(one, "version"));
        let licence = word(one, "license");
        if licence.is_empty() {
            return Err(format!("the crate {name} {version} names no licence"));
        }
        let _ = write!(text, "\n## {name} {version}\n\n{licence}");
        let manifest = Path::new(word(one, "manifest_path"));
        for found in licence_texts(manifest.parent().unwrap_or(manifest))? {
            let next = texts.len() + 1;
            let number = *texts.entry(found).or_insert(next);
            let _ = write!(text, " · [text {number}](#text-{number})");
        }
        text.push('\n');
    }
    for (name, path) in FONTS {
        let path = root().join(path);
        let licence = fs::read_to_string(&path).map_err(at(&path))?;
        let number = texts.len() + 1;
        let number = *texts.entry(licence).or_insert(number);
        let _ = write!(text, "\n## {name}\n\nOFL-1.1 · [text {number}](#text-{number})\n");
    }
    let mut numbered: Vec<(usize, String)> = texts.into_iter().map(|(text, n)| (n, text)).collect();
    numbered.sort();
    for (number, found) in numbered {
        let _ = write!(text, "\n## Text {number}\n\n```\n{}\n```\n", found.trim_end());
    }
    super::write(&packages.stage.join(FILE), &text)
}

/// The description of the workspace and its dependencies by Cargo.
fn metadata() -> Result<Value, Failure> {
    let words = ["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET];
    let output = program("cargo", &words).output().map_err(|error| format!("cargo: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The crates from registries that the program depends on, in the order of their names. Dependencies
/// of build scripts and tests are not in the program.
fn crates_of_program(metadata: &Value) -> Result<Vec<&Value>, Failure> {
    let list = |value: &'static str| metadata.pointer(value).and_then(Value::as_array);
    let (Some(all), Some(nodes)) = (list("/packages"), list("/resolve/nodes")) else {
        return Err("cargo metadata lists no packages".to_owned());
    };
    let nodes: BTreeMap<&str, &Value> = nodes.iter().map(|node| (word(node, "id"), node)).collect();
    let program = all.iter().find(|one| word(one, "name") == "bankfeed");
    let mut open: Vec<&str> = program.map(|one| word(one, "id")).into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let deps = nodes.get(id).and_then(|node| node["deps"].as_array());
        let is_normal = |dep: &&Value| {
            let kinds = dep["dep_kinds"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        };
        open.extend(deps.into_iter().flatten().filter(is_normal).map(|dep| word(dep, "pkg")));
    }
    let mut crates: Vec<&Value> = all
        .iter()
        .filter(|one| found.contains(word(one, "id")) && !one["source"].is_null())
        .collect();
    crates.sort_by_key(|one| (word(one, "name"), word(one, "version")));
    Ok(crates)
}

/// The texts of licences in the folder of a crate.
fn licence_texts(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    for name in super::names_in(folder)? {
        let upper = name.to_ascii_uppercase();
        let file = folder.join(&name);
        if file.is_file() && NAMES.iter().any(|begin| upper.starts_with(begin)) {
            let bytes = fs::read(&file).map_err(at(&file))?;
            texts.push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }
    texts.sort();
    Ok(texts)
}

fn word<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
