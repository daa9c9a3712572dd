//! Checks that no compiler makes: file sizes, banned words, rules of ARCHITECTURE.md that can be read
//! from the text, dead links, and plain English.

use crate::Failure;
use crate::process::{program, root, say};
use crate::prose;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a source file.
const FILE_LINES_MAX: usize = 560;
/// Characters of a line that rustfmt leaves alone (comments, macros). Code has at most 100.
const LINE_CHARS_MAX: usize = 120;
/// Words that mark unfinished work.
const BANNED: &[&str] = &["TODO", "FIXME", "XXX", "unimplemented!", "todo!", "#[ignore"];

const NAMES_NO_DATABASE: &str = "the interface of the store names no database";

/// Text that is forbidden in files below a path, and the reason.
const RULES: &[(&str, &[&str], &str)] = &[
    ("crates/model/src", &["f32", "f64"], "money is integer minor units"),
    (
        "crates/store/src",
        &["UPDATE transactions", "REPLACE INTO transactions"],
        "rows of transactions are upserted by one statement",
    ),
    ("crates/store/src/lib.rs", &["rusqlite"], NAMES_NO_DATABASE),
    ("crates/store/src/store.rs", &["rusqlite"], NAMES_NO_DATABASE),
    ("crates/store/src/command", &["rusqlite"], NAMES_NO_DATABASE),
    ("crates/store/src/memory", &["rusqlite"], NAMES_NO_DATABASE),
];

/// Checks all files and prints every fault.
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
    faults.extend(prose::faults(&files)?);
    for fault in &faults {
        say(fault);
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults", faults.len())) }
}

/// Files that git tracks, and new files that it does not ignore.
pub(crate) fn tracked() -> Result<Vec<PathBuf>, Failure> {
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
    // This file contains the words as a list.
    let banned = if file.ends_with("xtask/src/tidy.rs") { &[] } else { BANNED };
    for (beginning, words, reason) in RULES.iter().filter(|rule| file.starts_with(rule.0)) {
        for word in words.iter().filter(|word| text.contains(**word)) {
            faults.push(format!("{beginning}: {place} contains {word}, but {reason}"));
        }
    }
    let mut in_text = false;
    for (number, line) in (1..).zip(text.lines()) {
        for word in banned {
            if line.contains(word) {
                faults.push(format!("{place}:{number}: {word}"));
            }
        }
        // Snapshots of responses have lines of any length.
        in_text = if in_text {
            !line.contains("\"#") && !line.trim_start().starts_with("\")")
        } else {
            line.ends_with("@\"") || line.matches("r#\"").count() > line.matches("\"#").count()
        };
        // Tables and string literals cannot be broken, and rustfmt leaves macros alone.
        let unbreakable = ["\"", "//! |", "://"].iter().any(|sign| line.contains(sign));
        let quoted = unbreakable || in_text;
        if line.chars().count() > LINE_CHARS_MAX && !quoted {
            faults.push(format!("{place}:{number}: over {LINE_CHARS_MAX} characters"));
        }
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        faults.push(format!("{place}: does not begin with a module comment"));
    }
}

/// Finds links of a page to files that do not exist.
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
