//! Rendering of a subscription, and the intent that collects for it.

use crate::payments::{Changes, IntentView, bytes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::payments::intent::Intent;
use model::payments::invoice::Invoice;
use model::payments::subscription::Subscription;
use model::stored::SetupIntent;
use serde_json::Value;
use wire::error::Error as ApiError;
use wire::expand::Expand;
use wire::render::extra_params::Expanded;
use wire::render::payments::subscription::{item_value, list as items_value, value as shown};

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

    /// A subscription with the requested expansions.
    pub(crate) async fn subscription_value(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: &Changes,
        expand: &Expand,
    ) -> Result<Value, Error> {
        let mut expanded = Expanded::new();
        self.expand_customer(context, expand, Some(subscription.customer), &mut expanded).await?;
        let wanted = expand.wants("default_payment_method");
        if let Some(id) = subscription.default_payment_method.filter(|_| wanted) {
            let inside = expand.inside("default_payment_method");
            let value = self.method_value_of(context, id, changes, &inside).await?;
            expanded.extend(value.map(|value| ("default_payment_method", value)));
        }
        if let Some(id) = subscription.latest_invoice.filter(|_| expand.wants("latest_invoice"))
            && let Some(invoice) =
                self.find_changed::<Invoice>(context.merchant, changes, id.number()).await?
        {
            let inside = expand.inside("latest_invoice");
            let value = self.invoice_value(context, &invoice, changes, &inside).await?;
            expanded.insert("latest_invoice", value);
        }
        let wanted = expand.wants("pending_setup_intent");
        if subscription.pending_setup_intent.is_some_and(|_| wanted)
            && let Some(intent) = self.find_collector(context, subscription, changes).await?
        {
            let inside = expand.inside("pending_setup_intent");
            let intent_view = IntentView::by_merchant(&inside);
            let value = self.intent_value(context, &intent, changes, intent_view).await?;
            expanded.insert("pending_setup_intent", value);
        }
        let prices = expand.inside("items").inside("data").inside("price");
        if prices.wants("product") {
            let mut items = Vec::with_capacity(subscription.items.len());
            for item in &subscription.items {
                let mut value = item_value(subscription, item);
                value["price"] = self.price_value(context, &item.price, changes, &prices).await?;
                items.push(value);
            }
            expanded.insert("items", items_value(subscription, &items));
        }
        Ok(shown(subscription, &expanded))
    }

    pub(super) async fn commit_subscription(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        let value =
            self.subscription_value(context, subscription, &changes, &context.expand).await?;
        self.commit_any(context, changes, bytes(&value)).await
    }
}
