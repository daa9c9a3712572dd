//! Acacia, in September 2024: a session can be narrowed down to mortgages, lines of credit and credit
//! cards; before, to checking and savings accounts only.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2024-09-30");
