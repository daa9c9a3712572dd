//! Rendering of a subscription, and the intent that collects for it.

use crate::payments::{Changes, bytes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::payments::intent::Intent;
use model::payments::invoice::Invoice;
use model::payments::subscription::Subscription;
use model::stored::SetupIntent;
use wire::error::Error as ApiError;
use wire::render::payments::subscription::value;

impl Engine {
    /// The intent that collects an account for a subscription: its Setup Intent, else the intent of
    /// its newest invoice.
    pub(crate) async fn find_collector(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: &Changes,
    ) -> Result<Option<Intent>, Error> {
        if let Some(id) = subscription.pending_setup_intent {
            let number = id.number();
            return self.find_changed::<SetupIntent>(context.merchant, changes, number).await;
        }
        let Some(id) = subscription.latest_invoice else { return Ok(None) };
        match self.find_changed::<Invoice>(context.merchant, changes, id.number()).await? {
            Some(invoice) => self.find_intent_of(context, &invoice, changes).await,
            None => Ok(None),
        }
    }

    /// The intent of a subscription, as the carrier of a link flow.
    pub(crate) async fn get_intent_of_subscription(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<Intent, Error> {
        let subscription = self.get::<Subscription>(context, id, param).await?;
        let found = self.find_collector(context, &subscription, &Changes::none()).await?;
        found.ok_or_else(|| {
            let message = "The subscription has neither a pending Setup Intent nor an invoice to \
                           pay, so it collects no account.";
            ApiError::invalid(message).param(param.to_owned()).into()
        })
    }

    /// Copies the link requirements of a subscription to the intent that collects for it.
    pub(super) async fn collect_subscription_anew(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let found = self.find_collector(context, subscription, changes).await?;
        if let Some(mut intent) = found.filter(Intent::collects) {
            intent.collection = subscription.collection.clone();
            intent.method_types.clone_from(&subscription.method_types);
            intent.from_settings.clone_from(&subscription.from_settings);
            intent.version += 1;
            changes.put(intent_object(intent));
        }
        Ok(())
    }

    pub(super) async fn commit_subscription(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        self.commit_any(context, changes, bytes(context, value(subscription))).await
    }
}
