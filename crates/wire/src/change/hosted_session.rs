//! Preview, in March 2026: a session can be shown on a page of its own, and says how it is shown.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of_preview("2026-03-25");
