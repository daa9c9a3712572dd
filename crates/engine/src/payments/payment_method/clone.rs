//! Cloning the payment method of a platform's customer into a connected account, so that the account
//! can debit it. The original stays as it is.

use super::{Engine, MadeFor, check_usable};
use crate::objects::missing;
use crate::payments::bytes;
use crate::{ApiResponse, Context, Error};
use model::customer::Customer;
use model::id::PaymentMethodId;
use model::payments::payment_method::PaymentMethod;
use store::Object;
use wire::error::Error as ApiError;
use wire::params::MetadataChange;
use wire::render::payments::payment_method::value;

/// The params of a clone.
#[derive(Clone, Debug)]
pub struct MethodClone {
    /// The platform's payment method.
    pub method: String,
    /// The platform's customer, which has the payment method.
    pub customer: Option<String>,
    /// The metadata of the clone.
    pub metadata: Option<MetadataChange>,
}

impl Engine {
    /// Clones a payment method of the platform into the connected account of the call.
    pub async fn clone_payment_method(
        &self,
        context: &Context,
        clone: &MethodClone,
    ) -> Result<ApiResponse, Error> {
        let param = "payment_method";
        let Some(connected) = &context.connected else {
            let message = "A payment method is cloned into a connected account. Name the account \
                           in the Stripe-Account header.";
            return Err(ApiError::invalid(message).param(param).into());
        };
        let Some(customer) = &clone.customer else {
            return Err(ApiError::missing_param("customer").into());
        };
        let platform =
            Context { merchant: connected.platform, connected: None, ..context.without_reply() };
        self.change("clone_payment_method", async || {
            let customer = self.get::<Customer>(&platform, customer, "customer").await?;
            let original = self.get::<PaymentMethod>(&platform, &clone.method, param).await?;
            if original.customer != Some(customer.id) {
                return Err(missing::<PaymentMethod>(&clone.method, param).into());
            }
            check_usable(&original)?;
            let mut changes = self.changes_on(context, None).await?;
            let made_for = MadeFor { now: changes.now, clock: None };
            let method = self.cloned(context, original, clone, made_for)?;
            let body = bytes(context, value(&method));
            changes.put(Object::PaymentMethod(method));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// The clone. It belongs to no customer, and the linked account stays with the platform.
    fn cloned(
        &self,
        context: &Context,
        original: PaymentMethod,
        clone: &MethodClone,
        made_for: MadeFor,
    ) -> Result<PaymentMethod, Error> {
        let mut metadata = std::collections::BTreeMap::new();
        if let Some(change) = &clone.metadata {
            change.apply(&mut metadata)?;
        }
        Ok(PaymentMethod {
            id: PaymentMethodId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            created: made_for.now,
            clock: made_for.clock,
            of_self: false,
            customer: None,
            account: None,
            metadata,
            ..original
        })
    }
}
