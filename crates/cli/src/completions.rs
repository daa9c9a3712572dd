//! `bankfeed completions`: what a shell needs to complete this program's commands.

use super::{CommandError, output};
use clap::{Args, Command};
use clap_complete::Shell;

/// For which shell.
#[derive(Args)]
pub struct CompletionsFlags {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script of a shell for the whole program's command.
pub fn run(flags: &CompletionsFlags, program: &mut Command) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, program, "bankfeed", &mut script);
    Ok(output::say(String::from_utf8_lossy(&script).trim_end())?)
}
