//! Preview, January 2026: an account shows its authorization and the cause of its inactivity, and a
//! session can renew an authorization. The beta before it had these features too.

use super::Change;

/// The change.
pub const CHANGE: Change = Change {
    beta: Some("financial_connections_relink_api_beta"),
    ..Change::of_preview("2026-01-28")
};
