//! Clover, September 2025: errors about the numbers of an account have codes of their own. Before,
//! they had no code.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2025-09-30");
