//! The `bankfeed` program: the server and its keys, the demo, and the commands that use a running
//! server.
//!
//! The commands of this crate prepare or inspect a server. Those of the crate `cli` only call a
//! server's API.
//!
//! Results go to standard output and logs to standard error. The exit code is 0 on success, 1 on
//! failure and 2 if the command line was wrong. If the reader closes the output early, the command
//! ends silently, as `cat` does.

mod backup;
mod command_line;
mod config;
mod demo;
mod doctor;
mod error;
mod key;
mod mcp;
mod neighbour;
mod registration;
mod run;
mod scenario;
mod serve;

use cli::GlobalFlags;
use cli::output::{self, OutputError};
use command_line::{Arguments, Command, program};
use error::CommandError;
use mimalloc::MiMalloc;
use server::clock::SystemClock;
use std::process::ExitCode;

/// A request makes about fifty small allocations, which take a seventh of a read's time with the
/// system's allocator. Huge pages are disabled at build time, because they would cost an idle
/// server ten megabytes.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The exit code of a wrong command line.
const USAGE: u8 = 2;
/// The exit code of `judge` if no call of the client was observed.
const NOTHING_SEEN: u8 = 3;
/// The exit code that shells use when the reader of a program's output is gone: 128 plus the number
/// of SIGPIPE. A success would hide that the command had more to print.
const READER_GONE: u8 = 141;
/// The base of the exit code that shells use for a program that a signal ended.
const SIGNALLED: u8 = 128;

fn main() -> ExitCode {
    output::respect_no_color();
    let arguments = match Arguments::parse_from(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(message) => return end_unparsed(&message),
    };
    // The server has a log, which contains its warnings.
    if !matches!(arguments.command, Command::Serve(_)) {
        for warning in misspelled_variables() {
            output::warn(&warning);
        }
    }
    end(run(&arguments.command, &arguments.global))
}

fn run(command: &Command, global: &GlobalFlags) -> Result<(), CommandError> {
    match command {
        Command::Serve(flags) => serve::run(flags),
        Command::Key(command) => key::run(command, global.json),
        Command::Registration(command) => registration::run(command, global.json),
        Command::Demo(flags) => demo::run(flags),
        Command::Run(flags) => run::run(flags, global),
        Command::Config(flags) => config::run(flags, global.json),
        Command::Doctor(flags) => doctor::run(flags, global.json),
        Command::Backup(flags) => backup::backup(flags, global.json),
        Command::Restore(flags) => backup::restore(flags, global.json),
        Command::Scenario(command) => scenario::run(command, global),
        Command::Mcp(flags) => mcp::run(flags, global),
        Command::Api(command) => Ok(cli::run(command, global, &SystemClock::default())?),
        Command::Completions(flags) => Ok(cli::completions::run(flags, &mut program())?),
    }
}

/// A warning for each variable of the environment that nearly has the name of a setting.
fn misspelled_variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    settings::misspelled_variables(names)
}

/// Ends with a help text or a parse error.
fn end_unparsed(message: &clap::Error) -> ExitCode {
    let printed = message.print();
    if message.use_stderr() {
        return ExitCode::from(USAGE);
    }
    end(printed.map_err(|error| OutputError::from(error).into()))
}

fn end(done: Result<(), CommandError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Ended(code)) => ExitCode::from(code),
        Err(error) if error.is_reader_gone() => ExitCode::from(READER_GONE),
        Err(CommandError::Interrupted(signal)) => {
            // The line of a question may be open.
            output::remark("\ninterrupted");
            ExitCode::from(SIGNALLED.saturating_add(u8::try_from(signal).unwrap_or_default()))
        }
        Err(error) => {
            output::complain(&error, error.help().as_deref());
            match error {
                CommandError::Run(ref failed) if failed.code().is_some() => {
                    ExitCode::from(failed.code().unwrap_or(USAGE))
                }
                error if error.is_unseen() => ExitCode::from(NOTHING_SEEN),
                error if error.is_usage() => ExitCode::from(USAGE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
