//! The `bankfeed` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    bankfeed::cli::run()
}
