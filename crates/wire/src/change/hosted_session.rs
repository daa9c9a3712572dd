//! Preview, March 2026: a session can be shown on a page of its own, and shows its UI mode.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of_preview("2026-03-25");
