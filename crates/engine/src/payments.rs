//! Code that all payment objects share: changes of several objects in one commit, and rendering.

pub mod balance;
mod changes;
pub mod charge;
pub mod checkout;
pub mod confirmation_token;
pub mod dispute;
pub mod empty_list;
pub mod intent;
pub mod invoice;
mod leave;
pub(crate) mod mandate;
pub mod method_configuration;
pub mod payment_method;
pub mod plan;
pub mod price;
pub mod product;
pub mod product_input;
pub mod refund;
pub mod search;
pub(crate) mod share;
pub mod subscription;

pub(crate) use changes::Changes;

use crate::{Context, Engine, Error};
use model::connected_account::PlatformTie;
use model::customer::Customer;
use model::id::{ApplicationId, CustomerId, MerchantId};
use model::payments::intent::Intent;
use model::payments::payment_method::PaymentMethod;
use serde_json::Value;
use store::{Kind, Object};

/// An intent as a row.
pub(crate) fn intent_object(intent: Intent) -> Object {
    if intent.is_payment() { Object::PaymentIntent(intent) } else { Object::SetupIntent(intent) }
}

impl Engine {
    /// An intent without expansions. Its last error shows the payment method that failed. If
    /// `publishable` is true, the reader is a browser that has a client secret only.
    pub(crate) async fn intent_value(
        &self,
        context: &Context,
        intent: &Intent,
        changes: &Changes,
        publishable: bool,
    ) -> Result<Value, Error> {
        let failed = match &intent.last_error {
            Some(error) => {
                let number = error.payment_method.number();
                self.find_changed::<PaymentMethod>(context.merchant, changes, number).await?
            }
            None => None,
        };
        let failed = failed.as_ref().map(wire::render::payments::payment_method::value);
        let view = context.view(self);
        Ok(wire::render::payments::intent::value(intent, &view, publishable, failed.as_ref()))
    }

    /// The application of the platform, for new objects in a connected account. Pages and due work
    /// act in the account without naming it.
    pub(crate) async fn application_of(
        &self,
        context: &Context,
    ) -> Result<Option<ApplicationId>, Error> {
        let merchant = context.merchant;
        let platform = match &context.connected {
            Some(connected) if connected.merchant == merchant => Some(connected.platform),
            _ => {
                let tie = self.find::<PlatformTie>(merchant, PlatformTie::NUMBER).await?;
                tie.map(|tie| tie.platform)
            }
        };
        Ok(platform.map(ApplicationId::of_platform))
    }

    /// True if an object belongs to a customer that was deleted. Otherwise the changes require that
    /// the customer still exists.
    pub(crate) async fn has_no_customer(
        &self,
        changes: &mut Changes,
        merchant: MerchantId,
        customer: Option<CustomerId>,
    ) -> Result<bool, Error> {
        let Some(id) = customer else { return Ok(false) };
        let found = self.find_changed::<Customer>(merchant, changes, id.number()).await?;
        let Some(customer) = found.filter(|customer| !customer.deleted) else { return Ok(true) };
        if !changes.has(Kind::Customer, id.number()) {
            changes.require_exists::<Customer>(&customer);
        }
        Ok(false)
    }

    /// True if an object belongs to a customer that was deleted.
    pub(crate) async fn customer_gone(
        &self,
        context: &Context,
        customer: Option<CustomerId>,
    ) -> Result<bool, Error> {
        let Some(id) = customer else { return Ok(false) };
        Ok(self
            .find::<Customer>(context.merchant, id.number())
            .await?
            .is_some_and(|customer| customer.deleted))
    }
}

/// The bytes of a value in a response, without the keys that the version of the call lacks.
pub(crate) fn bytes(context: &Context, mut value: Value) -> Vec<u8> {
    wire::change::fit(&mut value, &context.version);
    value.to_string().into_bytes()
}
