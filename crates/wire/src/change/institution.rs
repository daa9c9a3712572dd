//! Preview: an account shows the id of its institution, a session shows the result of its flow, and
//! a failed refresh shows its cause. The first version is not published, so every preview has it.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of_preview("2024-09-30");
