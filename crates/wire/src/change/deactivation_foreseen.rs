//! Dahlia, June 2026: an account shows its expected loss of access and the date.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-06-24");
