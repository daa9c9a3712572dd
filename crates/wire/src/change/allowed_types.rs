//! Dahlia, July 2026: intents take a list of allowed payment method types. Types that do not apply
//! are dropped without an error.

use super::Change;

pub(super) const CHANGE: Change = Change {
    keys: &[
        ("payment_intent", "allowed_payment_method_types"),
        ("setup_intent", "allowed_payment_method_types"),
    ],
    ..Change::of("2026-07-29")
};
