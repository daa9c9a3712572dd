//! The `bankfeed` program.

mod cli;

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A request makes some fifty small allocations; the system's allocator takes a seventh of the time
/// of a read for them. Built without huge pages, which would cost an idle server ten megabytes.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
