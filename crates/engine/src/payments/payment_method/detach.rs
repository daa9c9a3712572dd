//! Detaching a payment method from its customer. This is final: it can never be attached again or
//! debited. Objects with it as their default drop it in the same commit.

use super::{Engine, PaymentMethod};
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Error};
use model::customer::Customer;
use model::event::{EventType, Snapshot};
use model::id::CustomerId;
use model::payments::subscription::Subscription;
use model::stored::Filter;
use store::{Object, ObjectsOf};
use wire::error::Error as ApiError;

/// Rejects a payment method that was detached from its customer, or debited without one.
pub(crate) fn check_usable(method: &PaymentMethod) -> Result<(), Error> {
    if method.detached {
        let message = "The payment method was detached from its customer and cannot be used or \
                       attached again. Link the account again.";
        return Err(ApiError::invalid(message).param("payment_method").into());
    }
    if method.used_up {
        let message = "The payment method was debited without a customer and cannot be used or \
                       attached again. Attach the next one to a customer before its first debit.";
        return Err(ApiError::invalid(message).param("payment_method").into());
    }
    Ok(())
}

impl Engine {
    /// Detaches a payment method from its customer.
    pub async fn detach_payment_method(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("detach_payment_method", async || {
            let mut method = self.get::<PaymentMethod>(context, id, "payment_method").await?;
            let mut changes = self.changes_on(context, method.clock).await?;
            let Some(customer) = method.customer.take() else {
                let message = "The payment method is not attached to a customer.";
                return Err(ApiError::invalid(message).into());
            };
            method.detached = true;
            method.version += 1;
            let body = bytes(context, wire::render::payments::payment_method::value(&method));
            let object = Object::PaymentMethod(method.clone());
            let detached = EventType::PaymentMethodDetached;
            changes.put_and_emit(object, detached, None);
            self.forget_default(context, &method, customer, &mut changes).await?;
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Drops a default from the customer and from one page of its subscriptions. Other
    /// subscriptions do not debit it either, because they check that the customer has the payment
    /// method.
    async fn forget_default(
        &self,
        context: &Context,
        method: &PaymentMethod,
        customer: CustomerId,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let default = Some(method.id);
        let (merchant, number) = (context.merchant, customer.number());
        let found = self.find_unchanged::<Customer>(merchant, changes, number).await?;
        if let Some(before) = found.filter(|customer| customer.default_payment_method == default) {
            let mut after = before.clone();
            after.default_payment_method = None;
            after.version += 1;
            let before = Some(Snapshot::Customer(Box::new(before)));
            let updated = EventType::CustomerUpdated;
            changes.put_and_emit(Object::Customer(after), updated, before);
        }
        let limit = model::limits::PAGE_ROWS_MAX;
        let of = ObjectsOf::value(Filter::DefaultPaymentMethod, &method.id);
        let named = self.newest::<Subscription>(merchant, of, limit).await?;
        if named.len() < limit as usize {
            // No other subscription takes the method at the same time.
            let (filter, value) = (Filter::DefaultPaymentMethod, method.id.to_string());
            let except = named.iter().map(|subscription| subscription.id.number()).collect();
            changes.require_none_with_value::<Subscription>(merchant, filter, value, except);
        }
        for before in named {
            let mut after = before.clone();
            after.default_payment_method = None;
            after.version += 1;
            let before = Some(Snapshot::Subscription(Box::new(before)));
            let updated = EventType::SubscriptionUpdated;
            changes.put_and_emit(Object::Subscription(after), updated, before);
        }
        Ok(())
    }
}
