//! Invoice items: parts of an invoice, or pending for the next invoice of their customer.

use super::unexpected;
use crate::context::render;
use crate::payments::product_input::PriceInput;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::AccountTime;
use model::customer::Customer;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::id::InvoiceItemId;
use model::money::Currency;
use model::payments::invoice::{Invoice, InvoiceItem, InvoiceStatus, LineDetails, cost};
use model::payments::product::Price;
use model::stored::Filter;
use std::collections::BTreeMap;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::invoice::item_value;

/// The most lines of an invoice. Stripe's published bound.
pub(super) const LINES_MAX: u32 = 250;
/// The largest amount of an item, positive or negative, in minor units.
const AMOUNT_MAX: i64 = 99_999_999;

/// The params of a create or an update of an item.
#[derive(Clone, Debug, Default)]
pub struct ItemInput {
    /// The customer that pays. Only at creation.
    pub customer: Option<String>,
    /// The invoice that it is put on. Only at creation.
    pub invoice: Option<String>,
    /// The currency. Only at creation.
    pub currency: Option<Currency>,
    /// The total in minor units.
    pub amount: Option<i64>,
    /// The quantity.
    pub quantity: Option<i64>,
    /// The price.
    pub price: Option<String>,
    /// The params of a new price.
    pub price_data: Option<Box<PriceInput>>,
    /// The unit amount in minor units, with a fraction.
    pub unit_amount_decimal: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The period: its begin and its end.
    pub period: Option<(i64, i64)>,
    /// True if discounts apply.
    pub discountable: Option<bool>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}

/// The filter of a list of items.
#[derive(Clone, Debug)]
pub struct ItemFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those on this invoice.
    pub invoice: Option<String>,
    /// Pending items, or items on an invoice.
    pub pending: Option<bool>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Makes an item, on a draft or pending.
    pub async fn create_invoice_item(
        &self,
        context: &Context,
        input: &ItemInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_invoice_item", async || {
            let invoice = match &input.invoice {
                Some(id_text) => Some(self.get_draft(context, id_text).await?),
                None => None,
            };
            let customer = match (&input.customer, &invoice) {
                (Some(id_text), _) => self.get::<Customer>(context, id_text, "customer").await?,
                (None, Some(invoice)) => {
                    let id = invoice.customer.to_string();
                    self.get::<Customer>(context, &id, "customer").await?
                }
                (None, None) => return Err(ApiError::missing_param("customer").into()),
            };
            let mut changes = self.changes_for(context, Some(&customer)).await?;
            let now = changes.now;
            let currency = input.currency.unwrap_or(Currency::USD);
            let mut item = InvoiceItem {
                id: InvoiceItemId::from_number(self.next_number()),
                merchant: context.merchant,
                version: 1,
                livemode: context.livemode,
                created: now,
                deleted: false,
                customer: customer.id,
                clock: customer.test_clock,
                invoice: invoice.as_ref().map(|invoice| invoice.id),
                details: blank_details(currency, now),
                given: ExtraParams::empty(),
            };
            self.set_details(context, &mut item, input, &mut changes).await?;
            let object = Object::InvoiceItem(item.clone());
            let created = EventType::InvoiceItemCreated;
            changes.put_and_emit(object, created, None);
            if let Some(invoice) = invoice {
                fits(&item, &invoice)?;
                put_on(invoice, &item, &mut changes);
            }
            self.commit_item(context, &item, changes).await
        })
        .await
    }

    /// Shows an item.
    pub async fn retrieve_invoice_item(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let item = self.get::<InvoiceItem>(context, id, "invoiceitem").await?;
        self.unchanged(context, bytes(context, item_value(&item))).await
    }

    /// Changes an item, and its line on a draft.
    pub async fn update_invoice_item(
        &self,
        context: &Context,
        id: &str,
        input: &ItemInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_invoice_item", async || {
            let before = self.get::<InvoiceItem>(context, id, "invoiceitem").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            let invoice = self.invoice_of(context, &before).await?;
            let mut item = before.clone();
            self.set_details(context, &mut item, input, &mut changes).await?;
            if item != before {
                item.version += 1;
                changes.put(Object::InvoiceItem(item.clone()));
                if let Some(invoice) = invoice {
                    put_on(invoice, &item, &mut changes);
                }
            }
            self.commit_item(context, &item, changes).await
        })
        .await
    }

    /// Deletes an item, and its line on a draft.
    pub async fn delete_invoice_item(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("delete_invoice_item", async || {
            let mut item = self.get::<InvoiceItem>(context, id, "invoiceitem").await?;
            let mut changes = self.changes_on(context, item.clock).await?;
            let invoice = self.invoice_of(context, &item).await?;
            item.version += 1;
            let object = Object::InvoiceItem(item.clone());
            changes.emit(&object, EventType::InvoiceItemDeleted);
            item.deleted = true;
            let id = item.id;
            changes.put(Object::InvoiceItem(item));
            if let Some(mut invoice) = invoice {
                let before = Snapshot::Invoice(Box::new(invoice.clone()));
                invoice.remove_line(id);
                invoice.version += 1;
                let object = Object::Invoice(invoice);
                let updated = EventType::InvoiceUpdated;
                changes.put_and_emit(object, updated, Some(before));
            }
            let body = render(|w| wire::render::deleted::write(w, &id, "invoiceitem"));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Lists items.
    pub async fn list_invoice_items(
        &self,
        context: &Context,
        filter: &ItemFilter,
    ) -> Result<ApiResponse, Error> {
        let customer = self.of_customer(context, filter.customer.as_deref()).await?;
        let mut of = Vec::new();
        if let Some(id) = &filter.invoice {
            let invoice = self.get::<Invoice>(context, id, "invoice").await?;
            of.push(ObjectsOf::value(Filter::Invoice, &invoice.id));
        }
        match (customer, filter.pending) {
            (Some(ObjectsOf::Customer(id)), Some(true)) => {
                of.push(ObjectsOf::value(Filter::PendingOfCustomer, &id));
            }
            (customer, pending) => {
                of.extend(customer);
                of.extend(pending.map(|pending| ObjectsOf::value(Filter::Pending, &pending)));
            }
        }
        let (created, page) = (filter.created, &filter.page);
        let listed = self.list_in_all::<InvoiceItem>(context, of, created, page).await?;
        self.list_values(context, "/v1/invoiceitems", listed, item_value).await
    }

    /// Applies the params to the details of an item.
    async fn set_details(
        &self,
        context: &Context,
        item: &mut InvoiceItem,
        input: &ItemInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let details = &mut item.details;
        let mut unit = input.unit_amount_decimal.clone();
        if let Some(price) = self.price_of(context, input, changes).await? {
            if item.version == 1 && input.currency.is_none() {
                details.currency = price.currency;
            }
            unit = Some(usable(&price, details.currency)?);
            details.price = Some(price.id);
            details.product = Some(price.product.clone());
            details.price_then = Some(Box::new(price));
        }
        details.quantity = input.quantity.unwrap_or(details.quantity);
        if let Some(amount) = input.amount {
            if unit.is_some() || input.quantity.is_some_and(|quantity| quantity != 1) {
                let other = if unit.is_some() { "pricing" } else { "quantity" };
                return Err(ApiError::exclusive(&["amount", other]).into());
            }
            details.quantity = 1;
            unit = Some(amount.to_string());
            (details.price, details.price_then, details.product) = (None, None, None);
        }
        details.unit_amount_decimal = unit.unwrap_or_else(|| details.unit_amount_decimal.clone());
        let amount = cost(&details.unit_amount_decimal, details.quantity);
        let bounds = -AMOUNT_MAX..=AMOUNT_MAX;
        details.amount = amount.filter(|cost| bounds.contains(cost)).ok_or_else(|| {
            let message = format!("An item may come to at most {AMOUNT_MAX} cents.");
            ApiError::invalid(message).code("amount_too_large").param("amount")
        })?;
        if input.description.is_some() {
            details.description.clone_from(&input.description);
        }
        if let Some((start, end)) = input.period {
            details.period = (AccountTime(start), AccountTime(end));
        }
        details.discountable = input.discountable.unwrap_or(details.discountable);
        if let Some(change) = &input.metadata {
            change.apply(&mut details.metadata)?;
        }
        item.given.update(input.given.clone());
        Ok(())
    }

    /// The price of a param. A price that the request makes can be used once only.
    async fn price_of(
        &self,
        context: &Context,
        input: &ItemInput,
        changes: &mut Changes,
    ) -> Result<Option<Price>, Error> {
        match (&input.price, &input.price_data) {
            (Some(_), Some(_)) => Err(ApiError::exclusive(&["pricing", "price_data"]).into()),
            (Some(id), None) => {
                let param = "pricing[price]";
                let price = self.get_unchanged::<Price>(context, changes, id, param).await?;
                if price.active {
                    return Ok(Some(price));
                }
                let message = "The price is inactive.";
                Err(ApiError::invalid(message).param("pricing[price]").into())
            }
            (None, Some(data)) => {
                self.make_price(context, data, "price_data", changes).await.map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    async fn get_draft(&self, context: &Context, id: &str) -> Result<Invoice, Error> {
        let invoice = self.get::<Invoice>(context, id, "invoice").await?;
        if invoice.status == InvoiceStatus::Draft {
            Ok(invoice)
        } else {
            Err(unexpected(&invoice, "given other items"))
        }
    }

    /// The draft that an item is on.
    async fn invoice_of(
        &self,
        context: &Context,
        item: &InvoiceItem,
    ) -> Result<Option<Invoice>, Error> {
        match item.invoice {
            Some(id) => self.get_draft(context, &id.to_string()).await.map(Some),
            None => Ok(None),
        }
    }

    async fn commit_item(
        &self,
        context: &Context,
        item: &InvoiceItem,
        changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        self.commit_any(context, changes, bytes(context, item_value(item))).await
    }
}

fn blank_details(currency: Currency, now: AccountTime) -> LineDetails {
    LineDetails {
        price_then: None,
        amount: 0,
        currency,
        quantity: 1,
        unit_amount_decimal: "0".to_owned(),
        price: None,
        product: None,
        description: None,
        period: (now, now),
        discountable: true,
        metadata: BTreeMap::new(),
    }
}

/// The unit amount of a price, if it fits an invoice of this currency.
fn usable(price: &Price, currency: Currency) -> Result<String, Error> {
    let api_error = |message: &str| ApiError::invalid(message.to_owned()).param("pricing[price]");
    if price.is_recurring() {
        return Err(api_error("An invoice item needs a price that is paid once.").into());
    }
    if price.currency != currency {
        return Err(api_error("The price is of another currency than the item.").into());
    }
    let unit = price.unit_amount_decimal.clone();
    unit.ok_or_else(|| api_error("Only prices with a unit_amount can be invoiced here.").into())
}

/// Rejects an item that does not fit the invoice.
fn fits(item: &InvoiceItem, invoice: &Invoice) -> Result<(), Error> {
    if item.customer != invoice.customer {
        let message = "The invoice is another customer's.";
        return Err(ApiError::invalid(message).param("invoice").into());
    }
    if item.details.currency != invoice.currency {
        let message = "The invoice is of another currency than the item.";
        return Err(ApiError::invalid(message).param("currency").into());
    }
    if invoice.lines.len() >= LINES_MAX as usize {
        let message = format!("An invoice may have at most {LINES_MAX} lines.");
        return Err(ApiError::invalid(message).param("invoice").into());
    }
    Ok(())
}

/// Puts an item's line on a draft.
fn put_on(mut invoice: Invoice, item: &InvoiceItem, changes: &mut Changes) {
    let before = Snapshot::Invoice(Box::new(invoice.clone()));
    invoice.put_line(item);
    invoice.version += 1;
    let object = Object::Invoice(invoice);
    changes.put_and_emit(object, EventType::InvoiceUpdated, Some(before));
}
