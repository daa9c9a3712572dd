//! Endive: a session's country is one word. Before, it was an array under another name, and only
//! its first element counted.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-09-30");
