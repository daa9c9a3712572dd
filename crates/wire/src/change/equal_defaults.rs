//! Endive: what a session leaves out is the same for every kind of holder. Before, a connected account
//! that asked for payments linked one account that can pay, or typed numbers.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-09-30");
