//! Steps of a long run, with the seconds of each and the budget of each group.

use crate::Failure;
use crate::process::say;
use crate::time::moment;
use std::fmt::Write as _;
use std::time::Duration;

/// Minutes that all steps of CI may take on two cores, and the limit above which CI is stopped.
const BUDGET_MIN: u64 = 60;
const LIMIT_MIN: u64 = 90;

/// Steps that share a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Formatting, clippy, texts, dependencies and all tests.
    LintAndTests,
    /// Client programs against the real binary, and their records.
    ClientsAndPrograms,
    /// Pages in a browser.
    Browser,
    /// Crash tests, hostile clients, and the optimised build with short benches and instruction counts.
    CrashAndHostile,
    /// The packages, with a build of their own, and their installation.
    Packages,
    /// Long forms, which have no budget.
    Nightly,
}

impl Group {
    const ALL: [Self; 6] = [
        Self::LintAndTests,
        Self::ClientsAndPrograms,
        Self::Browser,
        Self::CrashAndHostile,
        Self::Packages,
        Self::Nightly,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::LintAndTests => "lint and tests",
            Self::ClientsAndPrograms => "clients and programs",
            Self::Browser => "browser",
            Self::CrashAndHostile => "crash and hostile",
            Self::Packages => "packages",
            Self::Nightly => "nightly",
        }
    }

    fn budget(self) -> Option<Duration> {
        match self {
            Self::LintAndTests => Some(Duration::from_mins(15)),
            Self::ClientsAndPrograms | Self::Packages => Some(Duration::from_mins(10)),
            Self::Browser => Some(Duration::from_mins(6)),
            Self::CrashAndHostile => Some(Duration::from_mins(8)),
            Self::Nightly => None,
        }
    }
}

/// The steps that have ended, in their order.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    ended: Vec<(Group, &'static str, Duration)>,
}

impl Steps {
    /// Runs a step and prints its seconds, also if it fails.
    pub(crate) fn run<T>(
        &mut self,
        group: Group,
        name: &'static str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let began = moment();
        let outcome = work();
        let took = began.elapsed();
        let ended = if outcome.is_ok() { "took" } else { "failed after" };
        say(&format!("step {name:?} {ended} {} s", took.as_secs()));
        self.ended.push((group, name, took));
        outcome
    }

    /// The steps by group, with seconds and budgets. Groups without a step are left out.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from("\n| step | seconds | budget |\n|---|---:|---:|\n");
        for group in Group::ALL {
            let steps = || self.ended.iter().filter(|step| step.0 == group);
            if steps().next().is_none() {
                continue;
            }
            let took = steps().map(|step| step.2).sum();
            table.push_str(&line(group.label(), took, group.budget()));
            for (_, name, took) in steps() {
                table.push_str(&line(&format!("· {name}"), *took, None));
            }
        }
        let whole: Duration = self.ended.iter().map(|step| step.2).sum();
        table.push_str(&line("all steps", whole, Some(Duration::from_mins(BUDGET_MIN))));
        if whole > Duration::from_mins(LIMIT_MIN) {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "The limit of CI is {LIMIT_MIN} minutes.");
        }
        table
    }
}

fn line(name: &str, took: Duration, budget: Option<Duration>) -> String {
    let shown = budget.map(|budget| budget.as_secs().to_string()).unwrap_or_default();
    let over = if budget.is_some_and(|budget| took > budget) { " (over)" } else { "" };
    format!("| {name} | {} | {shown}{over} |\n", took.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{Group, Steps};
    use std::time::Duration;

    /// Steps are listed below their group, and a group above its budget is marked.
    #[test]
    fn steps_are_listed_with_budgets() {
        let seconds = Duration::from_secs;
        let steps = Steps {
            ended: vec![
                (Group::LintAndTests, "lint", seconds(100)),
                (Group::Browser, "browser", seconds(361)),
                (Group::LintAndTests, "test", seconds(200)),
            ],
        };
        let expected = "
| step | seconds | budget |
|---|---:|---:|
| lint and tests | 300 | 900 |
| · lint | 100 |  |
| · test | 200 |  |
| browser | 361 | 360 (over) |
| · browser | 361 |  |
| all steps | 661 | 3600 |
";
        assert_eq!(steps.table(), expected);
    }

    /// A failed step has its seconds too, and its error is passed on.
    #[test]
    fn failed_steps_are_listed() {
        let mut steps = Steps::default();
        let failed = steps.run(Group::Browser, "browser", || Err::<(), _>("no browser".to_owned()));
        assert_eq!(failed, Err("no browser".to_owned()));
        assert!(steps.table().contains("| · browser | 0 |"));
    }
}
