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

/// The profile of the optimised build for instruction counts.
const RELEASE: &str = "release";

/// The path of a program of the workspace after `cargo build`.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The path of a program of the workspace after [`build_release`].
pub(crate) fn built_release(name: &str) -> PathBuf {
    target().join(RELEASE).join(name)
}

fn target() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target)
}

/// Builds the server and the benches as `cargo test` does, so that their dependencies are built once.
pub(crate) fn build() -> Result<(), Failure> {
    run(&mut program("cargo", &["build", "--workspace"]))
}

/// Builds the server and the benches with the release profile.
pub(crate) fn build_release() -> Result<(), Failure> {
    let packages = ["--package", "bankfeed", "--package", "bankfeed-benches"];
    run(program("cargo", &["build", "--profile", RELEASE]).args(packages))
}

/// A program that runs in the root. It does not inherit Cargo's variables about this package, because
/// build scripts read them and would run again after each other way to call Cargo.
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

/// Runs a program. A status other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    say(&format!("> {}", line_of(command)));
    let status = command.status().map_err(|error| format!("{}: {error}", line_of(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", line_of(command))) }
}

/// Runs a program, prints its output, and passes each line of its standard output to `line`.
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

/// A program and its arguments as typed in a shell.
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

    /// A program inherits no variable of this package, and all others.
    #[test]
    fn variables_of_this_package_are_not_inherited() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some(), "Cargo runs this test");
        let output = program("env", &[]).output().unwrap();
        let inherited = String::from_utf8(output.stdout).unwrap();
        let has = |prefix: &str| inherited.lines().any(|line| line.starts_with(prefix));
        assert!(!has("CARGO_PKG_") && !has("CARGO_MANIFEST_"), "{inherited}");
        assert!(has("PATH="), "{inherited}");
    }
}
