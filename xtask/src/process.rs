//! Runs other programs from the root of the checkout.

use crate::Failure;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A program of the workspace as `cargo build` leaves it.
pub(crate) fn built(name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("debug").join(name)
}

/// A program, to be run from the root. What Cargo told this one about its own package is not handed on:
/// build scripts of others read it, and would run again each time that Cargo is called another way.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    for (variable, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| variable.as_encoded_bytes().starts_with(prefix.as_bytes()))
        {
            command.env_remove(variable);
        }
    }
    command
}

/// Runs a program; a status other than 0 is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    say(&format!("> {}", line_of(command)));
    let status = command.status().map_err(|error| format!("{}: {error}", line_of(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", line_of(command))) }
}

/// Runs a program, passes on what it prints, and hands each line of its standard output on.
pub(crate) fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<(), Failure> {
    say(&format!("> {}", line_of(command)));
    let failed = |error: std::io::Error| error.to_string();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).lines() {
            let text = text.map_err(failed)?;
            say(&text);
            line(&text);
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", line_of(command))) }
}

/// A program and its arguments as one would type them.
fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Prints a line.
#[expect(clippy::print_stdout, reason = "a command line program")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::program;

    /// A program hears nothing of the package that started it, and of everything else what it would.
    #[test]
    fn what_cargo_says_of_this_package_is_not_handed_on() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "Cargo runs this test");
        let output = program("env", &[]).output().unwrap();
        let handed = String::from_utf8(output.stdout).unwrap();
        let told = |prefix: &str| handed.lines().any(|line| line.starts_with(prefix));
        assert!(!told("CARGO_PKG_") && !told("CARGO_MANIFEST_"), "{handed}");
        assert!(told("PATH="), "{handed}");
    }
}
