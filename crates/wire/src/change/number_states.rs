//! Endive: a number that ran out is `expired`. Before, it was `deactivated`, as one that was revoked is
//! in every version.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-09-30");
