//! Dahlia, August 2026: the cancellation of a subscription can name one of the merchant's own
//! options of feedback.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2026-08-26");
