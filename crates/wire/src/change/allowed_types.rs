//! Dahlia, in July 2026: intents take a list of types of payment methods that are allowed, of which
//! those that do not fit are dropped without a fault.

use super::Change;

pub(super) const CHANGE: Change = Change {
    came: "\
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
