//! Acacia, September 2024: a session can filter by mortgages, lines of credit and credit cards.
//! Before, it could filter by checking and savings accounts only.

use super::Change;

/// The change.
pub const CHANGE: Change = Change::of("2024-09-30");
