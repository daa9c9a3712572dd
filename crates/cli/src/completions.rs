//! `bankfeed completions`: prints the completion script for a shell.

use super::{CommandError, output};
use clap::{Args, Command};
use clap_complete::Shell;

/// The shell.
#[derive(Args)]
pub struct CompletionsFlags {
    /// Shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints a shell's completion script for the whole program.
pub fn run(flags: &CompletionsFlags, program: &mut Command) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, program, "bankfeed", &mut script);
    Ok(output::say(String::from_utf8_lossy(&script).trim_end())?)
}
