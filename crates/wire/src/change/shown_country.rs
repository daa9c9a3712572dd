//! Dahlia, in August 2026: a session shows its country as one word, too.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-08-26");
