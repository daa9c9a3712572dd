//! Clover, in November 2025: an account shows what its numbers are good for, and a session whose
//! secret opens nothing any more shows null in its place; before, it went on showing the secret.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2025-11-17");
