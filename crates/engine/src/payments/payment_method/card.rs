//! Names of cards. This server has bank accounts only, so a name of a card is rejected with the names
//! of the test methods that it has.

use crate::Error;
use model::payments::payment_method::PaymentBehavior;
use wire::error::Error as ApiError;

/// The beginnings of the names of Stripe's test cards and of card tokens.
const CARD_NAMES: [&str; 3] = ["pm_card_", "tok_", "card_"];

/// Returns a sentence that names the test methods to use in place of a card.
pub fn test_methods_hint() -> String {
    let names: Vec<String> = PaymentBehavior::test_methods().collect();
    format!("In test mode use a bank account: {}.", names.join(", "))
}

/// Rejects the name of a card as a payment method.
pub(super) fn check_no_card(id: &str, param: &str) -> Result<(), Error> {
    if CARD_NAMES.iter().any(|name| id.starts_with(name)) {
        let message = format!("This server has no cards. {}", test_methods_hint());
        return Err(ApiError::invalid(message).param(param.to_owned()).into());
    }
    Ok(())
}
