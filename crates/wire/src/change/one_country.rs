//! Endive: a session's country is one word. Before, it was an array of which the first element counts,
//! under another name.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-09-30");
