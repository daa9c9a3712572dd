//! Code that all payment objects share: changes of several objects in one commit, and rendering with
//! expansions.

mod changes;
pub mod checkout;
pub mod dispute;
pub mod intent;
pub mod invoice;
mod leave;
pub mod method_configuration;
pub mod payment_method;
pub mod price;
pub mod product;
pub mod product_input;
pub mod subscription;

pub(crate) use changes::Changes;

use crate::{Context, Engine, Error};
use model::customer::Customer;
use model::id::{CustomerId, MandateId, MerchantId, PaymentMethodId};
use model::payments::intent::Intent;
use model::payments::mandate::Mandate;
use model::payments::payment_method::PaymentMethod;
use serde_json::Value;
use store::{Kind, Object};
use wire::expand::Expand;
use wire::render::extra_params::Expanded;

/// An intent as a row.
pub(crate) fn intent_object(intent: Intent) -> Object {
    if intent.is_payment() { Object::PaymentIntent(intent) } else { Object::SetupIntent(intent) }
}

impl Engine {
    /// An intent with the requested expansions.
    pub(crate) async fn intent_value(
        &self,
        context: &Context,
        intent: &Intent,
        changes: &Changes,
        intent_view: IntentView<'_>,
    ) -> Result<Value, Error> {
        let expand = intent_view.expand;
        let mut expanded = Expanded::new();
        self.expand_customer(context, expand, intent.customer, &mut expanded).await?;
        if let Some(id) = intent.payment_method.filter(|_| expand.wants("payment_method")) {
            let inside = expand.inside("payment_method");
            let value = self.method_value_of(context, id, changes, &inside).await?;
            expanded.extend(value.map(|value| ("payment_method", value)));
        }
        if let Some(id) = intent.mandate.filter(|_| expand.wants("mandate")) {
            let inside = expand.inside("mandate");
            let value = self.mandate_value_of(context, id, changes, &inside).await?;
            expanded.extend(value.map(|value| ("mandate", value)));
        }
        if let Some(error) = &intent.last_error {
            let none = Expand::default();
            let value = self.method_value_of(context, error.payment_method, changes, &none).await?;
            expanded.extend(value.map(|value| ("last_error.payment_method", value)));
        }
        let view = context.view(self);
        Ok(wire::render::payments::intent::value(intent, &view, intent_view.publishable, &expanded))
    }

    /// A payment method with the requested expansions.
    pub(crate) async fn method_value(
        &self,
        context: &Context,
        method: &PaymentMethod,
        expand: &Expand,
    ) -> Result<Value, Error> {
        let mut expanded = Expanded::new();
        self.expand_customer(context, expand, method.customer, &mut expanded).await?;
        Ok(wire::render::payments::payment_method::value(method, &expanded))
    }

    pub(crate) async fn method_value_of(
        &self,
        context: &Context,
        id: PaymentMethodId,
        changes: &Changes,
        expand: &Expand,
    ) -> Result<Option<Value>, Error> {
        match self.find_changed::<PaymentMethod>(context.merchant, changes, id.number()).await? {
            Some(method) => self.method_value(context, &method, expand).await.map(Some),
            None => Ok(None),
        }
    }

    /// A mandate with the requested expansions.
    pub(crate) async fn mandate_value(
        &self,
        context: &Context,
        mandate: &Mandate,
        changes: &Changes,
        expand: &Expand,
    ) -> Result<Value, Error> {
        let mut expanded = Expanded::new();
        if expand.wants("payment_method") {
            let inside = expand.inside("payment_method");
            let value =
                self.method_value_of(context, mandate.payment_method, changes, &inside).await?;
            expanded.extend(value.map(|value| ("payment_method", value)));
        }
        Ok(wire::render::payments::mandate::value(mandate, &expanded))
    }

    async fn mandate_value_of(
        &self,
        context: &Context,
        id: MandateId,
        changes: &Changes,
        expand: &Expand,
    ) -> Result<Option<Value>, Error> {
        match self.find_changed::<Mandate>(context.merchant, changes, id.number()).await? {
            Some(mandate) => self.mandate_value(context, &mandate, changes, expand).await.map(Some),
            None => Ok(None),
        }
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

    /// Expands the customer of an object, if requested.
    pub(crate) async fn expand_customer(
        &self,
        context: &Context,
        expand: &Expand,
        customer: Option<CustomerId>,
        expanded: &mut Expanded,
    ) -> Result<(), Error> {
        let none = Changes::none();
        self.expand_changed_customer(context, expand, customer, &none, expanded).await
    }

    /// The same for a customer that may be among the changes.
    pub(crate) async fn expand_changed_customer(
        &self,
        context: &Context,
        expand: &Expand,
        customer: Option<CustomerId>,
        changes: &Changes,
        expanded: &mut Expanded,
    ) -> Result<(), Error> {
        let Some(id) = customer.filter(|_| expand.wants("customer")) else { return Ok(()) };
        let found = self.find_changed::<Customer>(context.merchant, changes, id.number()).await?;
        let Some(customer) = found else { return Ok(()) };
        let bytes = self.customer_bytes(context, &customer, &expand.inside("customer")).await?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => expanded.insert("customer", value),
            Err(error) => unreachable!("a customer is rendered as JSON: {error}"),
        };
        Ok(())
    }
}

/// The reader of an object, and the requested expansions.
#[derive(Clone, Copy)]
pub(crate) struct IntentView<'a> {
    pub(crate) expand: &'a Expand,
    /// True if the reader is a browser that has a client secret only.
    pub(crate) publishable: bool,
}

impl<'a> IntentView<'a> {
    /// The merchant's view.
    pub(crate) fn by_merchant(expand: &'a Expand) -> Self {
        Self { expand, publishable: false }
    }
}

/// The bytes of a value in a response.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
