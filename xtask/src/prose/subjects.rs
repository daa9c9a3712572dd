//! Commit subjects since the commit that added this check.

use crate::Failure;
use crate::process::{program, say};

/// Characters of a commit subject.
const SUBJECT_CHARS_MAX: usize = 72;
/// The commit that added this file is the first one to be checked.
const ADDED_WITH: &str = "xtask/src/prose.rs";

/// Names every subject that is too long. Commits before the check, and merges, are exempt.
pub(super) fn faults() -> Result<Vec<String>, Failure> {
    let added = git(&["log", "--diff-filter=A", "--format=%H", "--", ADDED_WITH]);
    let shallow = git(&["rev-parse", "--is-shallow-repository"]).is_some_and(|it| it == "true");
    let Some(first) = added.as_deref().and_then(|commits| commits.lines().last()) else {
        say("prose: no git history of this check, so commit subjects are not checked");
        return Ok(Vec::new());
    };
    let range = if git(&["rev-parse", "--verify", "--quiet", &format!("{first}^")]).is_some() {
        format!("{first}^..HEAD")
    } else if shallow {
        // The oldest commit of a shallow clone seems to add every file.
        format!("{first}..HEAD")
    } else {
        "HEAD".to_owned()
    };
    let log = git(&["log", "--no-merges", "--format=%h %s", &range]);
    let log = log.ok_or_else(|| format!("git log {range} failed"))?;
    say(&format!("prose: {} commit subjects since {first:.10}", log.lines().count()));
    Ok(log.lines().filter_map(fault).collect())
}

/// The fault of a line with an abbreviated hash and a subject, or `None`.
pub(super) fn fault(line: &str) -> Option<String> {
    let (hash, subject) = line.split_once(' ')?;
    let chars = subject.chars().count();
    (chars > SUBJECT_CHARS_MAX).then(|| {
        format!("commit {hash}: a subject of {chars} characters, at most {SUBJECT_CHARS_MAX}")
    })
}

/// The output of a git command, or `None` if it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = program("git", arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
