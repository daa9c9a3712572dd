//! Preview: an account shows its institution's id, a session how its flow ended, and a failed refresh
//! why. Since when is not published, so that every preview has it.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of_preview("2024-09-30");
