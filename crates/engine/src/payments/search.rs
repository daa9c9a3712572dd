//! Search: the objects that match a query, the newest first. It sees every commit at once.

use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::customer::Customer;
use model::payments::intent::Intent;
use model::payments::invoice::Invoice;
use model::payments::subscription::Subscription;
use model::stored::PaymentIntent;
use serde_json::Value;
use store::{Bounds, Listed, StoredObject};
use wire::error::Error as ApiError;
use wire::json::JsonWriter;
use wire::list::{PageParams, SearchParams, write_search_result};
use wire::render::payments::{intent, invoice, subscription};

impl Engine {
    /// Searches customers.
    pub async fn search_customers(
        &self,
        context: &Context,
        search: &SearchParams,
    ) -> Result<ApiResponse, Error> {
        let body = |customer: &Customer| self.customer_body(context, customer);
        let value = |customer: &Customer| match serde_json::from_slice(&body(customer)) {
            Ok(value) => value,
            Err(error) => unreachable!("customers are rendered as JSON: {error}"),
        };
        let found = self.search::<Customer>(context, search, value).await?;
        let bodies = found.items.iter().map(body).collect();
        let next = next_page(&found, |customer| customer.id.to_string());
        self.found(context, "/v1/customers/search", next, bodies).await
    }

    /// Searches Payment Intents.
    pub async fn search_payment_intents(
        &self,
        context: &Context,
        search: &SearchParams,
    ) -> Result<ApiResponse, Error> {
        let view = context.view(self);
        let value = |one: &Intent| intent::value(one, &view, false, None);
        let found = self.search::<PaymentIntent>(context, search, value).await?;
        let none = Changes::none();
        let mut bodies = Vec::with_capacity(found.items.len());
        for one in &found.items {
            bodies.push(bytes(context, self.intent_value(context, one, &none, false).await?));
        }
        let next = next_page(&found, Intent::id);
        self.found(context, "/v1/payment_intents/search", next, bodies).await
    }

    /// Searches invoices.
    pub async fn search_invoices(
        &self,
        context: &Context,
        search: &SearchParams,
    ) -> Result<ApiResponse, Error> {
        let view = context.view(self);
        let value = |one: &Invoice| invoice::value(one, &view);
        let found = self.search::<Invoice>(context, search, value).await?;
        let bodies = found.items.iter().map(|one| bytes(context, value(one))).collect();
        let next = next_page(&found, |invoice| invoice.id.to_string());
        self.found(context, "/v1/invoices/search", next, bodies).await
    }

    /// Searches subscriptions.
    pub async fn search_subscriptions(
        &self,
        context: &Context,
        search: &SearchParams,
    ) -> Result<ApiResponse, Error> {
        let value = subscription::value;
        let found = self.search::<Subscription>(context, search, value).await?;
        let bodies = found.items.iter().map(|one| bytes(context, value(one))).collect();
        let next = next_page(&found, |subscription| subscription.id.to_string());
        self.found(context, "/v1/subscriptions/search", next, bodies).await
    }

    /// The page of objects that match, by their rendered form.
    async fn search<T: StoredObject>(
        &self,
        context: &Context,
        search: &SearchParams,
        value: impl Fn(&T::Object) -> Value + Send + Sync,
    ) -> Result<Listed<T::Object>, Error> {
        let page = PageParams {
            limit: search.limit,
            starting_after: search.page.clone(),
            ending_before: None,
        };
        let keep = |object: &T::Object| search.query.matches(&value(object));
        let found = self.list_where::<T>(context, Vec::new(), Bounds::default(), &page, keep).await;
        found.map_err(|error| match error {
            Error::Rejected(_) if search.page.is_some() => {
                let message = "The page is unknown. Use next_page of the previous response.";
                ApiError::invalid(message).param("page").into()
            }
            error => error,
        })
    }

    async fn found(
        &self,
        context: &Context,
        url: &str,
        next: Option<String>,
        bodies: Vec<Vec<u8>>,
    ) -> Result<ApiResponse, Error> {
        let mut writer = JsonWriter::default();
        write_search_result(&mut writer, url, next.as_deref(), &bodies);
        self.unchanged(context, writer.into_bytes()).await
    }
}

/// The id of the last object, if there are more objects after it.
fn next_page<T>(found: &Listed<T>, id: impl Fn(&T) -> String) -> Option<String> {
    found.items.last().filter(|_| found.has_more).map(id)
}
