//! Dahlia, in June 2026: an account shows that it will lose access, and when.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-06-24");
