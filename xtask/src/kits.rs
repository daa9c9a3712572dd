//! The test kits in `kits/`, each by the runner of its language, against the real binary.
//!
//! Each kit is installed as its users install it. Its own tests contain the example of its page.

use crate::Failure;
use crate::clients::find_go;
use crate::counts::Counts;
use crate::install;
use crate::process::{self, built, program, root, run_lines, say};
use crate::time::moment;
use std::process::Command;

/// The variable that names the server's program to each kit.
const BINARY: &str = "BANKFEED_BINARY";

/// A kit, the function that installs it and returns its tests, and the counts in a line of their output.
type Kit = (&'static str, fn() -> Result<Command, Failure>, fn(&str) -> Counts);

const KITS: &[Kit] = &[
    ("pytest", pytest, pytest_counts),
    ("apps", apps, pytest_counts),
    ("node", node, node_counts),
    ("go", go, go_counts),
    ("junit", junit, junit_counts),
];

/// Runs the named kits, or all of them.
pub(crate) fn run(names: &[String]) -> Result<Counts, Failure> {
    if let Some(unknown) = names.iter().find(|name| KITS.iter().all(|kit| kit.0 != **name)) {
        let known: Vec<&str> = KITS.iter().map(|kit| kit.0).collect();
        return Err(format!("no kit {unknown:?}; the kits are: {}", known.join(", ")));
    }
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let mut all = Counts::default();
    for (name, prepare, counts_of) in KITS {
        if !names.is_empty() && names.iter().all(|chosen| chosen != name) {
            continue;
        }
        let begun = moment();
        let mut counts = Counts::default();
        let mut tests = prepare()?;
        run_lines(tests.env(BINARY, built("bankfeed")), |line| counts += counts_of(line))?;
        if counts.passed == 0 || counts.failed > 0 {
            return Err(format!("kit {name}: {counts}"));
        }
        say(&format!("kit {name}: {counts} in {} s", begun.elapsed().as_secs()));
        all += counts;
    }
    Ok(all)
}

/// The plugin, installed from its folder.
fn pytest() -> Result<Command, Failure> {
    with_pytest("kits/pytest", "tests")
}

/// The applications in `examples/apps`, which are tested with the plugin.
fn apps() -> Result<Command, Failure> {
    with_pytest("examples/apps", ".")
}

fn with_pytest(folder: &str, tests_in: &str) -> Result<Command, Failure> {
    let environment = root().join("target/kits/pytest");
    install::virtual_environment(&environment)?;
    install::by_pip(&environment, &["--requirement", "kits/pytest/requirements.txt"])?;
    install::by_pip(&environment, &["--force-reinstall", "--no-deps", "./kits/pytest"])?;
    let mut tests = Command::new(environment.join("bin/python"));
    tests.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", tests_in]);
    tests.current_dir(root().join(folder));
    Ok(tests)
}

fn node() -> Result<Command, Failure> {
    let place = root().join("kits/node");
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&place)?;
    // Jest reports on standard error.
    let mut tests = program("bash", &["-c", "npm test 2>&1"]);
    tests.current_dir(place).env("NO_COLOR", "1");
    Ok(tests)
}

fn go() -> Result<Command, Failure> {
    let mut tests = program(&find_go()?, &["test", "-count=1", "-v", "./..."]);
    tests.current_dir(root().join("kits/go")).env("GOTOOLCHAIN", "local");
    Ok(tests)
}

fn junit() -> Result<Command, Failure> {
    install::programs(&[("javac", "default-jdk-headless"), ("mvn", "maven")])?;
    let mut tests = program("mvn", &["--batch-mode", "--no-transfer-progress", "test"]);
    tests.current_dir(root().join("kits/junit"));
    Ok(tests)
}

/// The number before a word, such as 3 in `3 passed`.
fn before(line: &str, word: &str) -> u32 {
    let number = line.split_once(word).and_then(|(text, _)| text.split_whitespace().next_back());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The number after a word, such as 3 in `pass 3`.
fn after(line: &str, word: &str) -> u32 {
    let number = line.split_once(word).and_then(|(_, text)| text.split([' ', ',']).next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The counts of a line `1 failed, 13 passed in 2.10s`.
fn pytest_counts(line: &str) -> Counts {
    if line.contains(" in ") && line.ends_with('s') {
        Counts { passed: before(line, " passed"), failed: before(line, " failed") }
    } else {
        Counts::default()
    }
}

/// The counts of the lines `# pass 3` and `ℹ pass 3` of Node, `Tests: 1 failed, 3 passed, 4 total` of
/// Jest, and `Tests  1 failed | 3 passed (4)` of Vitest.
fn node_counts(line: &str) -> Counts {
    let words: Vec<&str> = line.split_whitespace().collect();
    match *words.as_slice() {
        ["#" | "ℹ", "pass", ..] => Counts { passed: after(line, "pass "), failed: 0 },
        ["#" | "ℹ", "fail", ..] => Counts { passed: 0, failed: after(line, "fail ") },
        ["Tests" | "Tests:", ..] => {
            Counts { passed: before(line, " passed"), failed: before(line, " failed") }
        }
        _ => Counts::default(),
    }
}

/// The count of a line `--- PASS: TestTip (0.10s)` of a test, not of a part of one.
fn go_counts(line: &str) -> Counts {
    Counts {
        passed: u32::from(line.starts_with("--- PASS: ")),
        failed: u32::from(line.starts_with("--- FAIL: ")),
    }
}

/// The counts of the last line `Tests run: 9, Failures: 1, Errors: 0, Skipped: 0`.
fn junit_counts(line: &str) -> Counts {
    let Some((_, rest)) = line.split_once("] Tests run: ") else { return Counts::default() };
    if rest.contains("Time elapsed") {
        return Counts::default();
    }
    let failed = after(rest, "Failures: ") + after(rest, "Errors: ");
    let run = rest.split(',').next().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let passed = run.saturating_sub(failed + after(rest, "Skipped: "));
    Counts { passed, failed }
}

#[cfg(test)]
mod tests {
    use super::{go_counts, junit_counts, node_counts, pytest_counts};

    /// The summary lines of each runner are read, and other lines are not.
    #[test]
    fn reads_the_counts_of_each_runner() {
        let read = |counts: super::Counts| (counts.passed, counts.failed);
        assert_eq!(read(pytest_counts("1 failed, 13 passed in 2.10s")), (13, 1));
        assert_eq!(read(pytest_counts("13 passed")), (0, 0));
        assert_eq!(read(node_counts("# pass 7")), (7, 0));
        assert_eq!(read(node_counts("ℹ fail 2")), (0, 2));
        assert_eq!(read(node_counts("Tests:       1 failed, 6 passed, 7 total")), (6, 1));
        assert_eq!(read(node_counts("      Tests  6 passed (6)")), (6, 0));
        assert_eq!(read(node_counts("Test Suites: 1 passed, 1 total")), (0, 0));
        assert_eq!(read(go_counts("--- PASS: TestTip (0.10s)")), (1, 0));
        assert_eq!(read(go_counts("    --- PASS: TestTip/part (0.10s)")), (0, 0));
        let total = "[INFO] Tests run: 9, Failures: 1, Errors: 1, Skipped: 0";
        assert_eq!(read(junit_counts(total)), (7, 2));
        let class = "[INFO] Tests run: 9, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s";
        assert_eq!(read(junit_counts(class)), (0, 0));
    }
}
