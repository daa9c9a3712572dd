//! Endive: requests no longer name payment method types. They can restrict the allowed types,
//! from now on for Checkout too. The computed list can still be read. In previews, intents changed a
//! month earlier than Checkout did.

use super::Change;

const CODE: Option<&str> = Some("payment_method_types_no_longer_supported");
const NAME: &str = "payment_method_types";

/// The change of intents.
pub(super) const CHANGE: Change = Change {
    since_preview: "2026-08-26",
    removed: &[
        ("POST /v1/payment_intents", NAME, CODE),
        ("POST /v1/payment_intents/{id}", NAME, CODE),
        ("POST /v1/payment_intents/{id}/confirm", NAME, CODE),
        ("POST /v1/setup_intents", NAME, CODE),
        ("POST /v1/setup_intents/{id}", NAME, CODE),
    ],
    ..Change::of("2026-09-30")
};

/// The change of Checkout.
pub(super) const CHECKOUT: Change =
    Change { removed: &[("POST /v1/checkout/sessions", NAME, None)], ..Change::of("2026-09-30") };
