//! What commands print.

use std::error::Error;
use std::io::Write as _;

/// A line on standard output. A reader that is gone does not stop the command.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// An error and all that led to it, on standard error.
pub(super) fn complain(error: &dyn Error) {
    let mut line = format!("bankfeed: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    let _ = writeln!(std::io::stderr(), "{line}");
}
