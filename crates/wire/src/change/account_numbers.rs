//! Clover, November 2025: an account shows the state of its numbers. A session shows null in place
//! of a client secret that has expired. Before, it continued to show the secret.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2025-11-17");
