//! Dahlia, July 2026: intents take a list of allowed payment method types. Types that do not apply
//! are dropped without an error.

use super::Change;

pub(super) const CHANGE: Change = Change {
    added: "\
POST /v1/payment_intents
 allowed_payment_method_types list text 100
POST /v1/payment_intents/{id}
 allowed_payment_method_types list text 100
POST /v1/payment_intents/{id}/confirm
 allowed_payment_method_types list text 100
POST /v1/setup_intents
 allowed_payment_method_types list text 100
POST /v1/setup_intents/{id}
 allowed_payment_method_types? list text 100
POST /v1/setup_intents/{id}/confirm
 allowed_payment_method_types list text 100
",
    keys: &[
        ("payment_intent", "allowed_payment_method_types"),
        ("setup_intent", "allowed_payment_method_types"),
    ],
    ..Change::of("2026-07-29")
};
