//! `bankfeed completions`: what a shell needs to complete this program's commands.

use super::{Arguments, CommandError, output};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// For which shell.
#[derive(Args)]
pub(super) struct CompletionsFlags {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(flags: &CompletionsFlags) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Arguments::command(), "bankfeed", &mut script);
    Ok(output::say(String::from_utf8_lossy(&script).trim_end())?)
}
