//! Dahlia, July 2026: a session can limit the number of linked accounts, allow or forbid typed
//! numbers, and require accounts that can pay. It also shows the token of typed numbers.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-07-29");
