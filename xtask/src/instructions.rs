//! `cargo xtask instructions`: the instructions of six fixed operations, compared with recorded
//! figures.
//!
//! Callgrind runs the operations of `benches/src/instructions.rs`. Each operation runs twice, N times
//! and 2 N times. The difference divided by N is the operation's figure, because start-up and
//! preparation cancel out. A figure must not grow by more than [`GROWTH_PERCENT_MAX`]. Growth with a
//! reason is accepted: `docs/performance.md` then has a table row of the operation's name, the new
//! figure and the reason.
//!
//! `--record` writes the figures of this run, if they pass the same check. Figures depend on the
//! compiler, so another version of it passes with a note and asks for a new record.

use crate::Failure;
use crate::counts::Counts;
use crate::install;
use crate::process::{self, built_release, program, root, say};
use std::fmt::Write as _;
use std::path::Path;

/// Growth of a figure that is not noise.
const GROWTH_PERCENT_MAX: u64 = 5;
/// Measurements for a record, and of a figure above its bound. The lowest counts.
const MEASUREMENTS: usize = 3;
const RECORD: &str = "benches/instructions.toml";
const REASONS: &str = "docs/performance.md";

/// An operation: its argument, its name, and N.
struct Operation {
    argument: &'static str,
    name: &'static str,
    count: u32,
}

const OPERATIONS: [Operation; 6] = [
    Operation { argument: "page-of-100", name: "page of 100", count: 128 },
    Operation { argument: "page-of-10", name: "page of 10", count: 512 },
    Operation { argument: "customer", name: "customer by id", count: 1_024 },
    Operation { argument: "account", name: "account by id", count: 1_024 },
    Operation { argument: "delta-refresh", name: "delta refresh", count: 16 },
    Operation { argument: "delivery", name: "webhook delivery", count: 128 },
];

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Within,
    /// Above the bound, with a reason in the document.
    Accepted,
    TooMany,
    NotRecorded,
}

/// Counts all operations and compares the figures with the recorded ones.
pub(crate) fn run(arguments: &[String]) -> Result<Counts, Failure> {
    let records = match arguments {
        [] => false,
        [flag] if flag == "--record" => true,
        _ => return Err("the only option is --record".to_owned()),
    };
    install::programs(&[("valgrind", "valgrind")])?;
    process::build_release()?;
    let compiler = compiler()?;
    let text = std::fs::read_to_string(root().join(RECORD)).unwrap_or_default();
    let record: toml::Table = text.parse().map_err(|error| format!("{RECORD}: {error}"))?;
    let same_compiler = record.get("rustc").and_then(toml::Value::as_str) == Some(&compiler);
    let reasons = std::fs::read_to_string(root().join(REASONS)).unwrap_or_default();
    let (mut counts, mut figures) = (Counts::default(), Vec::new());
    for Operation { argument, name, count } in OPERATIONS {
        let recorded = record.get(argument).and_then(toml::Value::as_integer);
        let recorded = recorded.and_then(|recorded| u64::try_from(recorded).ok());
        let compare = |figure| verdict(figure, recorded, accepted(&reasons, name));
        let mut figure = measure(argument, count)?;
        // The layout of memory adds a few percent to some runs, so the lowest of several counts.
        for _ in 1..MEASUREMENTS {
            if records || compare(figure) == Verdict::TooMany {
                figure = figure.min(measure(argument, count)?);
            }
        }
        let verdict = compare(figure);
        let recorded = recorded.map_or("nothing".to_owned(), |recorded| recorded.to_string());
        say(&format!("instructions: {name}: {figure}, recorded {recorded}: {verdict:?}"));
        figures.push((argument, figure));
        let fails = match verdict {
            Verdict::Within | Verdict::Accepted => false,
            Verdict::TooMany => same_compiler,
            Verdict::NotRecorded => same_compiler && !records,
        };
        *(if fails { &mut counts.failed } else { &mut counts.passed }) += 1;
    }
    if !same_compiler && !records {
        say(&format!(
            "instructions: the record is of another compiler than {compiler}, so growth is not \
             checked; run cargo xtask instructions --record"
        ));
    }
    if counts.failed > 0 {
        return Err(format!(
            "{counts}: instructions grew by more than {GROWTH_PERCENT_MAX} %; make the operation \
             cheaper, or add a row of operation, figure and reason to {REASONS}"
        ));
    }
    if records {
        write(&compiler, &figures)?;
    }
    Ok(counts)
}

/// The instructions of one operation.
fn measure(argument: &str, count: u32) -> Result<u64, Failure> {
    let (once, twice) = (count_run(argument, count)?, count_run(argument, 2 * count)?);
    Ok(twice.saturating_sub(once) / u64::from(count))
}

/// The instructions of one run of the program, in all its threads.
fn count_run(argument: &str, count: u32) -> Result<u64, Failure> {
    let folder = root().join("target/instructions");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let written = folder.join(argument);
    let benches = built_release("bankfeed-benches");
    let mut valgrind = program("valgrind", &["--quiet", "--tool=callgrind"]);
    valgrind.arg(format!("--callgrind-out-file={}", written.display()));
    valgrind.arg(benches).args(["instructions", argument, &count.to_string()]);
    let output = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{argument} × {count}: {}: {printed}", output.status));
    }
    total(&written)
}

/// The sum that Callgrind writes at the end of its file.
fn total(file: &Path) -> Result<u64, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    let total = line.and_then(|total| total.trim().parse().ok());
    total.ok_or_else(|| format!("{} has no total", file.display()))
}

/// Compares a figure with the recorded one, and with the one that the document accepts.
fn verdict(figure: u64, recorded: Option<u64>, accepted: Option<u64>) -> Verdict {
    let within = |limit: u64| figure * 100 <= limit * (100 + GROWTH_PERCENT_MAX);
    match recorded {
        None => Verdict::NotRecorded,
        Some(recorded) if within(recorded) => Verdict::Within,
        Some(_) if accepted.is_some_and(within) => Verdict::Accepted,
        Some(_) => Verdict::TooMany,
    }
}

/// The figure in the document's newest row of an operation. A row without a reason does not count.
fn accepted(document: &str, name: &str) -> Option<u64> {
    let rows = document.lines().filter_map(|line| line.trim().strip_prefix('|'));
    let mut figures = rows.filter_map(|row| {
        let mut cells = row.split('|').map(str::trim);
        let is_named = cells.next()? == name;
        let figure = cells.next()?.replace(',', "").parse().ok()?;
        let has_reason = !cells.next()?.is_empty();
        (is_named && has_reason).then_some(figure)
    });
    figures.next_back()
}

fn compiler() -> Result<String, Failure> {
    let output = program("rustc", &["--version"]).output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn write(compiler: &str, figures: &[(&str, u64)]) -> Result<(), Failure> {
    let mut text = String::from(
        "# Instructions of one operation, written by `cargo xtask instructions --record`.\n",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(text, "rustc = {compiler:?}");
    for (argument, figure) in figures {
        let _ = writeln!(text, "{argument} = {figure}");
    }
    std::fs::write(root().join(RECORD), text).map_err(|error| format!("{RECORD}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{Verdict, accepted, verdict};

    /// Five percent of growth pass, and more only with an accepted figure.
    #[test]
    fn growth_is_bounded() {
        assert_eq!(verdict(1_050, Some(1_000), None), Verdict::Within);
        assert_eq!(verdict(500, Some(1_000), None), Verdict::Within);
        assert_eq!(verdict(1_051, Some(1_000), None), Verdict::TooMany);
        assert_eq!(verdict(1_200, Some(1_000), Some(1_190)), Verdict::Accepted);
        assert_eq!(verdict(1_300, Some(1_000), Some(1_190)), Verdict::TooMany);
        assert_eq!(verdict(1_000, None, None), Verdict::NotRecorded);
    }

    /// The document accepts a figure with a reason. The last row of an operation counts.
    #[test]
    fn reasons_are_read() {
        let document = "\
| operation | figure | reason |
|---|---|---|
| page of 10 | 90,000 | a label |
| page of 100 | 1,000,000 | labels |
| page of 100 | 1,200,000 | spans |
| customer by id | 5,000 | |
";
        assert_eq!(accepted(document, "page of 100"), Some(1_200_000));
        assert_eq!(accepted(document, "page of 10"), Some(90_000));
        assert_eq!(accepted(document, "customer by id"), None);
        assert_eq!(accepted(document, "account by id"), None);
    }
}
