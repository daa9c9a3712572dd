//! Typed ids. An id says where its row lives.
//!
//! A number of at most 63 bits stands behind every object, ordered by when it was made; the
//! database stores that number. Its text is the prefix, 11 base-62 digits of the number, and 13
//! digits that make the id complete:
//!
//! - for an object of its own (`cus_`, `fca_` …) a check that tells a mistyped id from a real one;
//! - for a child (`fctxn_`, `fctxnref_`, `evt_` …) the child's place under its parent, so that one
//!   key look-up finds it and its shard is known from the id alone.
//!
//! The alphabet is in ASCII order and the digits have a fixed width: ids sort as their numbers do.

mod child;
mod number;
mod text;

pub use child::*;
pub use number::*;
pub use text::{ID_DIGITS, IdText};

use std::fmt;

/// The text is not an id of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not an id of this kind")
    }
}

impl std::error::Error for NotAnId {}

#[cfg(test)]
mod tests;
