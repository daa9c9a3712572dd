//! Tests of `demo` on a terminal and in a pipe.

use crate::support::command;
use crate::terminal::{converse, interrupt};
use std::process::Command;

const QUESTION: &str = "Press Enter to continue. ";
/// The pauses of a run, one before each step but the first.
const PAUSES: usize = 5;

fn demo(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut demo = command(&[&["demo"], arguments].concat());
    demo.envs(variables.iter().copied());
    demo
}

/// On a terminal the demo waits for Enter before each further step, and has colours.
#[test]
fn a_person_sets_the_pace() {
    let (shown, code) = converse(demo(&[], &[]), &[(QUESTION, "\n"); PAUSES]);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches(QUESTION).count(), PAUSES);
    assert!(shown.contains("\u{1b}[1m1. A webhook endpoint"), "{shown}");
    assert!(shown.contains("\u{1b}[33m→\u{1b}[0m POST /v1/webhook_endpoints"), "{shown}");
}

/// After the end of the input there are no more pauses.
#[test]
fn the_input_may_end() {
    let (shown, code) = converse(demo(&[], &[]), &[(QUESTION, "\u{4}")]);
    assert_eq!((code, shown.matches(QUESTION).count()), (Some(0), 1), "{shown}");
}

/// The flag turns the pauses off, and `NO_COLOR` the colours.
#[test]
fn pauses_and_colours_can_be_turned_off() {
    let (shown, code) = converse(demo(&["--no-pause"], &[("NO_COLOR", "1")]), &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(QUESTION) && !shown.contains('\u{1b}'), "{shown}");
}

/// In a pipe there are neither pauses nor colours.
#[test]
fn a_pipe_is_plain() {
    let output = demo(&[], &[]).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains(QUESTION) && !shown.contains('\u{1b}'), "{shown}");
    let titles =
        shown.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    assert_eq!(titles.count(), PAUSES + 1);
    assert!(shown.contains("\n  → POST /v1/webhook_endpoints url=http://127.0.0.1:"), "{shown}");
    assert!(shown.contains("\n      posted   "), "{shown}");
}

/// A signal during a pause ends the demo with the exit code of shells. The temporary folder of its
/// server is removed.
#[test]
fn a_signal_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let demo = demo(&[], &[("TMPDIR", folder.path().to_str().unwrap())]);
        let (shown, ended) = interrupt(demo, QUESTION, signal);
        assert_eq!((ended, shown.matches(QUESTION).count()), (Some(code), 1), "{shown}");
        assert_eq!(entries(), 0, "{signal}");
    }
}
