//! Products: the goods that prices belong to.

use crate::context::render;
use crate::objects::missing;
use crate::payments::product_input::ProductInput;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::AccountTime;
use model::event::{EventType, Snapshot};
use model::id::ProductId;
use model::payments::product::{Price, Product};
use model::stored::Filter;
use std::collections::BTreeMap;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::render::payments::product::value;

/// The filter of a list of products.
#[derive(Clone, Debug)]
pub struct ProductFilter {
    /// Those that are active, or those that are not.
    pub active: Option<bool>,
    /// Those with one of these ids.
    pub ids: Option<Vec<String>>,
    /// Those that are shippable, or those that are not.
    pub shippable: Option<bool>,
    /// Those with this URL.
    pub url: Option<String>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Makes a product, and its default price if requested.
    pub async fn create_product(
        &self,
        context: &Context,
        input: &ProductInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_product", async || {
            let now = self.clock.account_now();
            let mut changes = Changes::of_call(context, now);
            let mut product = self.new_product(context, input, now).await?;
            if let Some(data) = &input.default_price_data {
                let price = self.new_price(context, data, product.id(), now)?;
                product.default_price = Some(price.id);
                let object = Object::Price(price);
                changes.put_and_emit(object, EventType::PriceCreated, None);
            }
            let object = Object::Product(product.clone());
            changes.put_and_emit(object, EventType::ProductCreated, None);
            self.commit_any(context, changes, bytes(context, value(&product))).await
        })
        .await
    }

    pub(super) async fn new_product(
        &self,
        context: &Context,
        input: &ProductInput,
        now: AccountTime,
    ) -> Result<Product, Error> {
        let chosen = input.id.as_deref();
        if let Some(id) = chosen
            && self.find_product(context, &Changes::none(), id).await?.is_some()
        {
            let api_error =
                ApiError::invalid(format!("There is a product with the id {id} already."));
            return Err(api_error.code("resource_already_exists").param("id").into());
        }
        let mut metadata = BTreeMap::new();
        if let Some(change) = &input.metadata {
            change.apply(&mut metadata)?;
        }
        let own = || ProductId::from_number(self.next_number()).number();
        Ok(Product {
            number: chosen.map_or_else(own, Product::number_of),
            chosen_id: input.id.clone(),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            updated: now,
            deleted: false,
            active: input.active.unwrap_or(true),
            default_price: None,
            metadata,
            given: input.given.clone().without_unset(),
        })
    }

    /// Shows a product.
    pub async fn retrieve_product(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let product = self.get_product(context, id, "id").await?;
        self.unchanged(context, bytes(context, value(&product))).await
    }

    /// Changes a product.
    pub async fn update_product(
        &self,
        context: &Context,
        id: &str,
        input: &ProductInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_product", async || {
            let before = self.get_product(context, id, "id").await?;
            let now = self.clock.account_now();
            let mut product = before.clone();
            product.active = input.active.unwrap_or(product.active);
            if let Some(id_text) = &input.default_price {
                let price = self.get::<Price>(context, id_text, "default_price").await?;
                if price.product != product.id() {
                    let message = "The default price must be a price of this product.";
                    return Err(ApiError::invalid(message).param("default_price").into());
                }
                product.default_price = Some(price.id);
            }
            if let Some(change) = &input.metadata {
                change.apply(&mut product.metadata)?;
            }
            product.given.update(input.given.clone());
            let mut changes = Changes::of_call(context, now);
            if product != before {
                product.version += 1;
                product.updated = now;
                let object = Object::Product(product.clone());
                let previous = Some(Snapshot::Product(Box::new(before.clone())));
                let updated = EventType::ProductUpdated;
                changes.put_and_emit(object, updated, previous);
            }
            self.commit_any(context, changes, bytes(context, value(&product))).await
        })
        .await
    }

    /// Deletes a product that has no price.
    pub async fn delete_product(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.change("delete_product", async || {
            let mut product = self.get_product(context, id, "id").await?;
            let of = ObjectsOf::Lookup(product.id());
            if !self.newest::<Price>(context.merchant, of, 1).await?.is_empty() {
                let message = "The product has prices and cannot be deleted; set active=false.";
                return Err(ApiError::invalid(message).into());
            }
            product.version += 1;
            let mut changes = Changes::of_call(context, self.clock.account_now());
            changes.require_none_with_lookup::<Price>(context.merchant, product.id());
            let object = Object::Product(product.clone());
            changes.emit(&object, EventType::ProductDeleted);
            product.deleted = true;
            let id = product.id();
            changes.put(Object::Product(product));
            let body = render(|w| wire::render::deleted::write(w, &id, "product"));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Lists products.
    pub async fn list_products(
        &self,
        context: &Context,
        filter: &ProductFilter,
    ) -> Result<ApiResponse, Error> {
        let mut of = Vec::new();
        if let Some(ids) = &filter.ids {
            of.push(ObjectsOf::Numbers(ids.iter().map(|id| Product::number_of(id)).collect()));
        }
        of.extend(filter.url.as_ref().map(|url| ObjectsOf::value(Filter::Url, url)));
        let shippable = filter.shippable;
        of.extend(shippable.map(|shippable| ObjectsOf::value(Filter::Shippable, &shippable)));
        of.extend(filter.active.map(|active| ObjectsOf::value(Filter::Active, &active)));
        let (created, page) = (filter.created, &filter.page);
        let listed = match &filter.ids {
            // Two ids may have the number of one product.
            Some(ids) => {
                let named = |product: &Product| ids.contains(&product.id());
                self.list_where::<Product>(context, of, created, page, named).await?
            }
            None => self.list_in_all::<Product>(context, of, created, page).await?,
        };
        self.list_values(context, "/v1/products", listed, value).await
    }

    /// A product by its id, deleted ones included.
    pub(crate) async fn find_product(
        &self,
        context: &Context,
        changes: &Changes,
        id: &str,
    ) -> Result<Option<Product>, Error> {
        let number = Product::number_of(id);
        let found = self.find_changed::<Product>(context.merchant, changes, number).await?;
        Ok(found.filter(|product| product.id() == id))
    }

    pub(super) async fn get_product(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<Product, Error> {
        let found = self.find_product(context, &Changes::none(), id).await?;
        let live = found.filter(|product| !product.deleted);
        live.ok_or_else(|| missing::<Product>(id, param).into())
    }
}
