//! Clover, in September 2025: what is wrong with the numbers of an account has codes of its own. Before,
//! the refusal had none.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2025-09-30");
