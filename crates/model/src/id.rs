//! Typed ids. An id contains the location of its row.
//!
//! Every object has a number of at most 63 bits, in the order of creation. The database stores that
//! number. The text of an id is a prefix, 11 base-62 digits of the number, and a tail of 13 digits:
//!
//! - For an object of its own (`cus_`, `fca_` …) the tail is a check that detects a mistyped id.
//! - For a child (`fctxn_`, `fctxnref_`, `evt_` …) the tail is the child's position under its
//!   parent. One key look-up finds it, and its shard is known from the id alone.
//!
//! The alphabet is in ASCII order and the digits have a fixed width. Ids therefore sort as their
//! numbers do.

mod child;
mod number;
mod text;

pub use child::*;
pub use number::*;
pub use text::{ID_DIGITS, IdText};

use std::fmt;

/// The error for a text that is not an id of the expected kind.
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
