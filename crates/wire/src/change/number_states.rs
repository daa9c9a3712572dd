//! Endive: an expired number is `expired`. Before, it was `deactivated`, which a revoked number is
//! in every version.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-09-30");
