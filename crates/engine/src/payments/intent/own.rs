//! The new owner of a payment method after an intent: the customer, or the account itself for a
//! Setup Intent with `attach_to_self`.

use super::Intent;
use crate::Error;
use crate::payments::Changes;
use crate::payments::method_configuration::check_offered;
use crate::payments::payment_method::{check_usable, give_to};
use model::payments::payment_method::PaymentMethod;
use store::{Kind, Object};
use wire::error::Error as ApiError;

/// Rejects an intent that is for a customer and for the account itself.
pub(super) fn check_own(intent: &Intent) -> Result<(), Error> {
    if intent.attaches_to_self() && intent.customer.is_some() {
        let message = "attach_to_self=true keeps the payment method for the account itself; leave \
                       the customer out.";
        return Err(ApiError::invalid(message).param("attach_to_self").into());
    }
    Ok(())
}

/// Rejects a payment method of another customer, an unusable one, and one of a type that is not
/// offered.
pub(super) fn check_owner(intent: &Intent, method: &PaymentMethod) -> Result<(), Error> {
    check_usable(method)?;
    let reject =
        |message: &str| Err(ApiError::invalid(message.to_owned()).param("payment_method").into());
    if method.customer.is_some() && method.customer != intent.customer {
        return reject(
            "The payment method belongs to a customer other than the intent's; name that \
             customer, or use a payment method of no customer.",
        );
    }
    if method.of_self && !intent.attaches_to_self() {
        return reject("The payment method is the account's own and cannot be debited.");
    }
    let named = intent.method_types.as_deref();
    check_offered(named, intent.configuration.as_ref(), Some("payment_method"))
}

/// Attaches the method of an intent to its customer if later payments are requested, or to the
/// account itself. A payment without a customer uses the method up.
pub(super) fn keep_method(
    intent: &Intent,
    mut method: PaymentMethod,
    changes: &mut Changes,
) -> Result<(), Error> {
    if intent.attaches_to_self() {
        if !method.of_self {
            method.of_self = true;
            let (kind, number) = (Kind::PaymentMethod, method.id.number());
            method.version = changes.raised(kind, number, method.version);
            changes.put(Object::PaymentMethod(method));
        }
        return Ok(());
    }
    if intent.is_payment() && intent.customer.is_none() && method.customer.is_none() {
        method.used_up = true;
        let (kind, number) = (Kind::PaymentMethod, method.id.number());
        method.version = changes.raised(kind, number, method.version);
        changes.put(Object::PaymentMethod(method));
        return Ok(());
    }
    match intent.customer.filter(|_| intent.saves_method()) {
        Some(customer) => give_to(changes, method, customer),
        None => Ok(()),
    }
}
