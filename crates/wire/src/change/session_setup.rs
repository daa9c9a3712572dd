//! Dahlia, in July 2026: a session can bound how many accounts it links, rule typed numbers in or out,
//! and ask for accounts that can pay; and it shows the token of typed numbers.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-07-29");
