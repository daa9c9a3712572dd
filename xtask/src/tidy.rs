//! What no compiler checks: file sizes, words that must not stand in the project, rules of
//! ARCHITECTURE.md that can be read off the text, dead links, licences of dependencies.

use crate::Failure;
use crate::process::{program, root, say};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a source file.
const FILE_LINES_MAX: usize = 560;
/// Characters of a line that formatting leaves alone (comments, macros); code is held to 100 by rustfmt.
const LINE_CHARS_MAX: usize = 120;
/// Words that mark work that is not done, or that a reader would have to ask about.
const BANNED: &[&str] = &["TODO", "FIXME", "XXX", "unimplemented!", "todo!", "#[ignore"];

/// What must not stand in files whose path begins so, and why.
const RULES: &[(&str, &[&str], &str)] = &[
    ("crates/model/src", &["f32", "f64"], "money is integer minor units"),
    (
        "crates/store/src",
        &["UPDATE transactions", "DELETE FROM transactions", "REPLACE INTO transactions"],
        "rows of transactions are upserted by one statement and never deleted",
    ),
];

/// Checks all of it and names every fault.
pub(crate) fn run() -> Result<(), Failure> {
    let files = tracked()?;
    let mut faults = Vec::new();
    for file in &files {
        let Ok(text) = fs::read_to_string(root().join(file)) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => source(file, &text, &mut faults),
            Some("md") => links(file, &text, &mut faults),
            _ => {}
        }
    }
    licences(&mut faults)?;
    for fault in &faults {
        say(fault);
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults", faults.len())) }
}

/// Files that git tracks, and new ones that it does not ignore.
fn tracked() -> Result<Vec<PathBuf>, Failure> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = program("git", &arguments).output().map_err(|error| error.to_string())?;
    let listed = String::from_utf8_lossy(&output.stdout);
    Ok(listed.lines().map(PathBuf::from).collect())
}

fn source(file: &Path, text: &str, faults: &mut Vec<String>) {
    let place = file.display();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(format!("{place}: {lines} lines, at most {FILE_LINES_MAX}"));
    }
    // This file has to name the words.
    let banned = if file.ends_with("xtask/src/tidy.rs") { &[] } else { BANNED };
    for (beginning, words, reason) in RULES.iter().filter(|rule| file.starts_with(rule.0)) {
        for word in words.iter().filter(|word| text.contains(**word)) {
            faults.push(format!("{beginning}: {place} says {word}, but {reason}"));
        }
    }
    let mut in_text = false;
    for (number, line) in (1..).zip(text.lines()) {
        for word in banned {
            if line.contains(word) {
                faults.push(format!("{place}:{number}: {word}"));
            }
        }
        // Snapshots of answers have lines as long as they are.
        in_text = if in_text {
            !line.contains("\"#") && !line.trim_start().starts_with("\")")
        } else {
            line.ends_with("@\"") || line.matches("r#\"").count() > line.matches("\"#").count()
        };
        // Tables and texts cannot be broken, and formatting leaves macros alone.
        let unbreakable = ["\"", "//! |", "://"].iter().any(|sign| line.contains(sign));
        let quoted = unbreakable || in_text;
        if line.chars().count() > LINE_CHARS_MAX && !quoted {
            faults.push(format!("{place}:{number}: over {LINE_CHARS_MAX} characters"));
        }
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        faults.push(format!("{place}: does not open with what it is for"));
    }
}

/// Links of a page to other files of the project.
fn links(file: &Path, text: &str, faults: &mut Vec<String>) {
    let folder = file.parent().unwrap_or(Path::new(""));
    for piece in text.split("](").skip(1) {
        let target = piece.split(')').next().unwrap_or_default();
        let path = target.split('#').next().unwrap_or_default();
        if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
            continue;
        }
        if !root().join(folder).join(path).exists() {
            faults.push(format!("{}: dead link to {path}", file.display()));
        }
    }
}

/// Every dependency's licence is one that `deny.toml` allows.
fn licences(faults: &mut Vec<String>) -> Result<(), Failure> {
    let allowed = allowed_licences()?;
    let output = program("cargo", &["metadata", "--format-version", "1"])
        .output()
        .map_err(|error| error.to_string())?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let licence = package["license"].as_str().unwrap_or("none");
        if !satisfied(licence, &allowed) {
            let name = package["name"].as_str().unwrap_or("?");
            faults.push(format!("{name}: licence {licence} is not among those of deny.toml"));
        }
    }
    Ok(())
}

fn allowed_licences() -> Result<BTreeSet<String>, Failure> {
    let text = fs::read_to_string(root().join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    let deny: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let allow = deny.get("licenses").and_then(|licenses| licenses.get("allow"));
    let words = allow.and_then(toml::Value::as_array).into_iter().flatten();
    Ok(words.filter_map(|word| word.as_str().map(str::to_owned)).collect())
}

/// Whether an SPDX expression of `OR`s and `AND`s is satisfied; `/` is an old way to write `OR`.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    flat.split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let plain = licence.trim().split(" WITH ").next().unwrap_or_default();
            allowed.contains(plain)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::satisfied;
    use std::collections::BTreeSet;

    /// One of several licences is enough where they are joined by OR, all are needed with AND.
    #[test]
    fn reads_licence_expressions() {
        let allowed = BTreeSet::from(["MIT".to_owned(), "Zlib".to_owned()]);
        assert!(satisfied("MIT OR Apache-2.0", &allowed));
        assert!(satisfied("GPL-3.0/MIT", &allowed));
        assert!(satisfied("(MIT OR GPL-3.0) AND Zlib", &allowed));
        assert!(!satisfied("MIT AND GPL-3.0", &allowed));
    }
}
