//! Preview, in March 2026: a session says how it is shown.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of_preview("2026-03-25");
