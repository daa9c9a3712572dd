//! Dahlia, August 2026: a session also shows its country as one word.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-08-26");
