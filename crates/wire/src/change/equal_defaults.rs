//! Endive: the defaults of a session are the same for every kind of holder. Before, a session of a
//! connected account that asked for payments linked one account that can pay, or took typed
//! numbers.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-09-30");
