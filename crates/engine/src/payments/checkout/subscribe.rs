//! Checkout in subscription mode. The linked account begins a subscription, in one commit with the
//! accounts and the session.

use super::metadata_in;
use crate::payments::Changes;
use crate::payments::payment_method::give_to;
use crate::payments::subscription::{Beginning, Once, Trial, trial_end};
use crate::{Context, Engine, Error};
use model::clock::AccountTime;
use model::customer::Customer;
use model::event::EventType;
use model::extra_params::ExtraParams;
use model::payments::checkout::{CheckoutSession, LineItem};
use model::payments::intent::Intent;
use model::payments::payment_method::PaymentMethod;
use store::Object;
use wire::params::MetadataChange;

/// The param with the fields of the subscription.
pub(super) const SUBSCRIPTION_DATA: &str = "subscription_data";

impl Engine {
    /// Begins the subscription of a session with the holder's payment method. If the first payment
    /// fails at once, no subscription begins and the session stays open for another attempt.
    pub(super) async fn subscribe_by(
        &self,
        context: &Context,
        session: &mut CheckoutSession,
        method: PaymentMethod,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let mut trial = changes.trial();
        let customer = self.payer_of_checkout(context, session, &mut trial).await?;
        trial.put(Object::PaymentMethod(method.clone()));
        let mut made = self.blank_subscription(context, &customer, changes.now).await?;
        made.default_payment_method = Some(method.id);
        made.saves_method = true;
        made.method_types.clone_from(&session.method_types);
        made.collection = session.collection.clone();
        made.from_settings.clone_from(&session.from_settings);
        made.given =
            session.given.at(&[SUBSCRIPTION_DATA]).cloned().unwrap_or_else(ExtraParams::empty);
        made.given.take("metadata");
        metadata(session).apply(&mut made.metadata)?;
        let recurs = |item: &&LineItem| item.price.is_recurring();
        for line in session.line_items.iter().filter(recurs) {
            made.items.push(self.new_item(line.price.clone(), line.quantity, changes.now));
        }
        let once = session
            .line_items
            .iter()
            .filter(|item| !recurs(item))
            .map(|item| Once { price: item.price.clone(), quantity: item.quantity });
        // An end that has passed while the session was open is no trial.
        let ends = trial_end(trial_in(&session.given), changes.now, "").unwrap_or_default();
        made.begin(ends);
        let beginning = Beginning {
            once: once.collect(),
            method: Some(method.id),
            incomplete: false,
            must_pay: false,
            acceptance: Some(session.acceptance()),
        };
        let made = self.begin_subscription(context, made, beginning, &mut trial).await?;
        let intent = self.find_collector(context, &made, &trial).await?;
        session.version += 1;
        if intent.as_ref().is_some_and(Intent::collects) {
            changes.put(Object::PaymentMethod(method));
            changes.put(Object::Checkout(session.clone()));
            return Ok(());
        }
        if method.verified
            && let Some(method) = self
                .find_unchanged::<PaymentMethod>(context.merchant, &mut trial, method.id.number())
                .await?
        {
            give_to(&mut trial, method, customer.id)?;
        }
        *changes = trial;
        session.customer = Some(customer.id);
        session.subscribed(&made, intent.as_ref());
        let object = Object::Checkout(session.clone());
        let completed = EventType::CheckoutSessionCompleted;
        changes.put_and_emit(object, completed, None);
        Ok(())
    }

    /// The customer of a session. A session without one gets a new customer.
    async fn payer_of_checkout(
        &self,
        context: &Context,
        session: &CheckoutSession,
        changes: &mut Changes,
    ) -> Result<Customer, Error> {
        if let Some(id) = session.customer {
            let found = self.find::<Customer>(context.merchant, id.number()).await?;
            let Some(customer) = found.filter(|customer| !customer.deleted) else {
                let message = "The customer of the session was deleted.";
                return Err(wire::error::Error::invalid(message).into());
            };
            changes.require_exists::<Customer>(&customer);
            return Ok(customer);
        }
        let mut customer = self.blank_customer(context, session.clock, changes.now);
        customer.email = session.payer_email().map(str::to_owned);
        customer.name.clone_from(&session.payer.name);
        let object = Object::Customer(customer.clone());
        let created = EventType::CustomerCreated;
        changes.put_and_emit(object, created, None);
        Ok(customer)
    }
}

/// The metadata of the subscription to come.
pub(super) fn metadata(session: &CheckoutSession) -> MetadataChange {
    metadata_in(session.given.at(&[SUBSCRIPTION_DATA, "metadata"]).cloned())
}

/// The trial of a session, by its params.
pub(super) fn trial_in(params: &ExtraParams) -> Option<Trial> {
    let at = params.integer(&[SUBSCRIPTION_DATA, "trial_end"]).map(|at| Trial::At(AccountTime(at)));
    at.or_else(|| params.integer(&[SUBSCRIPTION_DATA, "trial_period_days"]).map(Trial::Days))
}
