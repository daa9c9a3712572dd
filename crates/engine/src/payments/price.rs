//! Prices: the cost of one unit of a product, once or for every period.

use crate::payments::product_input::PriceInput;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::AccountTime;
use model::event::{EventType, Snapshot};
use model::id::PriceId;
use model::money::Currency;
use model::payments::product::{Price, Product};
use model::stored::Filter;
use std::collections::BTreeMap;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::render::payments::product::price_value;

/// The filter of a list of prices.
#[derive(Clone, Debug)]
pub struct PriceFilter {
    /// Those that are active, or those that are not.
    pub active: Option<bool>,
    /// Those of this currency.
    pub currency: Option<String>,
    /// Those of this product.
    pub product: Option<String>,
    /// Those with one of these lookup keys.
    pub lookup_keys: Option<Vec<String>>,
    /// Recurring prices, or one-time prices.
    pub recurring: Option<bool>,
    /// Recurring prices with these fields: names and words.
    pub recurrence: Vec<(&'static str, String)>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Makes a price, and its product if requested.
    pub async fn create_price(
        &self,
        context: &Context,
        input: &PriceInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_price", async || {
            let now = self.clock.account_now();
            let mut changes = Changes::of_call(context, now);
            let price = self.make_price(context, input, "", &mut changes).await?;
            self.commit_any(context, changes, bytes(context, price_value(&price))).await
        })
        .await
    }

    /// A new price, put among the changes, and its product if the params make one. The params are
    /// at `path` in the request, or are the request itself.
    pub(crate) async fn make_price(
        &self,
        context: &Context,
        input: &PriceInput,
        path: &str,
        changes: &mut Changes,
    ) -> Result<Price, Error> {
        let full = |name: &str| {
            if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") }
        };
        let product = match (&input.product, &input.product_data) {
            (Some(_), Some(_)) => {
                return Err(ApiError::exclusive(&[full("product"), full("product_data")]).into());
            }
            (Some(id), None) => {
                let product = self.get_product(context, id, &full("product")).await?;
                changes.require_exists::<Product>(&product);
                product
            }
            (None, Some(data)) => {
                let product = self.new_product(context, data, changes.now).await?;
                let object = Object::Product(product.clone());
                changes.put_and_emit(object, EventType::ProductCreated, None);
                product
            }
            (None, None) => return Err(ApiError::missing_param(&full("product")).into()),
        };
        let price = self.new_price(context, input, product.id(), changes.now)?;
        let object = Object::Price(price.clone());
        changes.put_and_emit(object, EventType::PriceCreated, None);
        Ok(price)
    }

    pub(super) fn new_price(
        &self,
        context: &Context,
        input: &PriceInput,
        product: String,
        now: AccountTime,
    ) -> Result<Price, Error> {
        let mut metadata = BTreeMap::new();
        if let Some(change) = &input.metadata {
            change.apply(&mut metadata)?;
        }
        let whole = |text: &String| text.parse().ok();
        Ok(Price {
            id: PriceId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            active: input.active.unwrap_or(true),
            product,
            currency: input.currency.unwrap_or(Currency::USD),
            unit_amount: input
                .unit_amount
                .or_else(|| input.unit_amount_decimal.as_ref().and_then(whole)),
            unit_amount_decimal: input
                .unit_amount_decimal
                .clone()
                .or_else(|| input.unit_amount.map(|amount| amount.to_string())),
            lookup_key: input.lookup_key.clone(),
            metadata,
            given: input.given.clone().without_unset(),
        })
    }

    /// Shows a price.
    pub async fn retrieve_price(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let price = self.get::<Price>(context, id, "price").await?;
        self.unchanged(context, bytes(context, price_value(&price))).await
    }

    /// Changes a price. Its amount is fixed.
    pub async fn update_price(
        &self,
        context: &Context,
        id: &str,
        input: &PriceInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_price", async || {
            let before = self.get::<Price>(context, id, "price").await?;
            let now = self.clock.account_now();
            let mut price = before.clone();
            price.active = input.active.unwrap_or(price.active);
            if input.lookup_key.is_some() {
                price.lookup_key.clone_from(&input.lookup_key);
            }
            if let Some(change) = &input.metadata {
                change.apply(&mut price.metadata)?;
            }
            price.given.update(input.given.clone());
            let mut changes = Changes::of_call(context, now);
            if price != before {
                price.version += 1;
                let object = Object::Price(price.clone());
                let previous = Some(Snapshot::Price(Box::new(before.clone())));
                let updated = EventType::PriceUpdated;
                changes.put_and_emit(object, updated, previous);
            }
            self.commit_any(context, changes, bytes(context, price_value(&price))).await
        })
        .await
    }

    /// Lists prices.
    pub async fn list_prices(
        &self,
        context: &Context,
        filter: &PriceFilter,
    ) -> Result<ApiResponse, Error> {
        let (of, created, page) = (filter.of(), filter.created, &filter.page);
        let listed = self.list_in_all::<Price>(context, of, created, page).await?;
        self.list_values(context, "/v1/prices", listed, price_value).await
    }
}

impl PriceFilter {
    /// The lists that contain the prices. One that is probably short comes first.
    pub(super) fn of(&self) -> Vec<ObjectsOf> {
        let mut of = Vec::new();
        let keys = self.lookup_keys.clone();
        of.extend(keys.map(|keys| ObjectsOf::Filter(Filter::LookupKey, keys)));
        of.extend(self.product.clone().map(ObjectsOf::Lookup));
        for (name, word) in &self.recurrence {
            let filter = match *name {
                "interval" => Filter::RecurringInterval,
                "meter" => Filter::RecurringMeter,
                "usage_type" => Filter::RecurringUsageType,
                other => unreachable!("prices are not listed by {other}"),
            };
            of.push(ObjectsOf::value(filter, word));
        }
        let currency = self.currency.as_deref().map(str::to_ascii_lowercase);
        of.extend(currency.map(|code| ObjectsOf::value(Filter::Currency, &code)));
        let price_type = |recurring| if recurring { "recurring" } else { "one_time" };
        let recurring = self.recurring.map(price_type);
        of.extend(recurring.map(|word| ObjectsOf::value(Filter::Type, word)));
        of.extend(self.active.map(|active| ObjectsOf::value(Filter::Active, &active)));
        of
    }
}
