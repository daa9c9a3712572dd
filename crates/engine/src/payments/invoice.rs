//! Invoices: drafts with items, and their collection once they are open.
//!
//! An open invoice has a Payment Intent, which is the carrier of its link flow. When the intent
//! ends, the invoice changes in the same commit (`invoice/pay.rs`).

mod advance;
mod due;
mod hosted;
pub mod item;
mod pay;
pub mod payment;

pub use due::DAYS_UNTIL_DUE_MAX;
pub use hosted::{InvoicePage, InvoiceStanding};
pub(crate) use pay::Attempt;
pub use pay::PayInput;

use crate::connections::connections_settings::check_prefetch;
use crate::context::render;
use crate::list::{list_body, page_of};
use crate::payments::share::Share;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word as _;
use model::clock::AccountTime;
use model::collection::Collection;
use model::customer::Customer;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::id::InvoiceId;
use model::money::Currency;
use model::payments::intent::Intent;
use model::payments::invoice::{DRAFT_AGE_S, Invoice, InvoiceItem, InvoiceStatus};
use model::payments::payment_method::PaymentMethod;
use model::stored::{Filter, PaymentIntent, range_values};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::invoice::{line_value, value};

/// The params of a create or an update of an invoice.
#[derive(Clone, Debug, Default)]
pub struct InvoiceInput {
    /// The customer that pays. Only at creation.
    pub customer: Option<String>,
    /// The currency. Only at creation.
    pub currency: Option<Currency>,
    /// The payment method to debit by default.
    pub default_payment_method: Option<String>,
    /// The types of payment method that are allowed.
    pub method_types: Option<Vec<String>>,
    /// The link requirements, if the request sets them.
    pub collection: Option<Collection>,
    /// True if pending items are put on it. Only at creation.
    pub takes_pending_items: bool,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}

/// The filter of a list of invoices.
#[derive(Clone, Debug)]
pub struct InvoiceFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those with this status.
    pub status: Option<InvoiceStatus>,
    /// Those with this collection method.
    pub collection_method: Option<String>,
    /// Those of this subscription.
    pub subscription: Option<String>,
    /// Those with a due date within these bounds.
    pub due_date: Option<Bounds>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

/// The param with the link requirements of invoices and subscriptions.
pub(crate) const INVOICE_OPTIONS: &str =
    "payment_settings[payment_method_options][us_bank_account][financial_connections]";

/// The params that may change on an open invoice.
const CHANGED_LATER: [&str; 3] = ["auto_advance", "payment_settings", "days_until_due"];

impl Engine {
    /// Makes a draft.
    pub async fn create_invoice(
        &self,
        context: &Context,
        input: &InvoiceInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_invoice", async || {
            let Some(customer) = &input.customer else {
                return Err(ApiError::missing_param("customer").into());
            };
            let customer = self.get::<Customer>(context, customer, "customer").await?;
            let mut changes = self.changes_for(context, Some(&customer)).await?;
            let now = changes.now;
            let mut invoice = self.blank_invoice(context, &customer, now).await?;
            invoice.currency = input.currency.unwrap_or(Currency::USD);
            self.apply(context, &mut invoice, input, &mut changes).await?;
            invoice.given = invoice.given.without_unset();
            if input.takes_pending_items {
                self.take_pending_items(context, &mut invoice, &mut changes).await?;
            }
            let created = EventType::InvoiceCreated;
            let object = Object::Invoice(invoice.clone());
            changes.put_and_emit(object, created, None);
            self.commit_invoice(context, &invoice, changes).await
        })
        .await
    }

    pub(crate) async fn blank_invoice(
        &self,
        context: &Context,
        customer: &Customer,
        now: AccountTime,
    ) -> Result<Invoice, Error> {
        Ok(Invoice {
            id: InvoiceId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            deleted: false,
            customer: customer.id,
            clock: customer.test_clock,
            addressee: addressee(customer),
            status: InvoiceStatus::Draft,
            currency: Currency::USD,
            lines: Vec::new(),
            printed_number: None,
            latest_charge: None,
            intent: None,
            default_payment_method: None,
            method_types: None,
            collection: Collection::default(),
            from_settings: None,
            subscription: None,
            period: None,
            attempts: 0,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            paid_elsewhere: false,
            starting_balance: 0,
            ending_balance: 0,
            advances_at: None,
            upcoming: false,
            application: self.application_of(context).await?,
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        })
    }

    async fn apply(
        &self,
        context: &Context,
        invoice: &mut Invoice,
        input: &InvoiceInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if let Some(id) = &input.default_payment_method {
            let param = "default_payment_method";
            let method = self.get_unchanged::<PaymentMethod>(context, changes, id, param).await?;
            if method.customer != Some(invoice.customer) {
                let message = "The payment method must be attached to the invoice's customer.";
                return Err(ApiError::invalid(message).param("default_payment_method").into());
            }
            invoice.default_payment_method = Some(method.id);
        }
        if input.method_types.is_some() {
            invoice.method_types.clone_from(&input.method_types);
            invoice.from_settings = None;
        } else if invoice.version == 1 {
            invoice.from_settings = self.collection_of_settings(context, false, changes).await?;
        }
        if let Some(collection) = &input.collection {
            self.check_collection_bank(context, collection, invoice.clock, INVOICE_OPTIONS).await?;
            invoice.collection.clone_from(collection);
        }
        check_prefetch(&invoice.collection, invoice.from_settings.as_ref(), INVOICE_OPTIONS)?;
        if let Some(change) = &input.metadata {
            change.apply(&mut invoice.metadata)?;
        }
        due::apply(invoice, &input.given, changes.now)?;
        invoice.given.update(input.given.clone());
        match input.given.boolean(&["auto_advance"]) {
            Some(true) if invoice.status == InvoiceStatus::Draft => {
                let at = invoice.advances_at.unwrap_or(changes.now.plus(DRAFT_AGE_S));
                invoice.advances_at = Some(at);
            }
            Some(false) => invoice.advances_at = None,
            _ => {}
        }
        let amount = (!invoice.lines.is_empty()).then(|| invoice.total().max(0));
        let share = Share { params: &invoice.given, hash: "", amount };
        self.check_share(context, share, changes).await?;
        if let Some(number) = input.given.text(&["number"]) {
            invoice.printed_number = Some(number.to_owned());
        }
        Ok(())
    }

    /// Shows an invoice.
    pub async fn retrieve_invoice(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let invoice = self.get::<Invoice>(context, id, "invoice").await?;
        let shown = value(&invoice, &context.view(self));
        self.unchanged(context, bytes(context, shown)).await
    }

    /// Changes an invoice: all fields of a draft, and the collection of an open invoice.
    pub async fn update_invoice(
        &self,
        context: &Context,
        id: &str,
        input: &InvoiceInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_invoice", async || {
            let before = self.get::<Invoice>(context, id, "invoice").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            check_editable(&before, input)?;
            let mut invoice = before.clone();
            self.apply(context, &mut invoice, input, &mut changes).await?;
            if invoice != before {
                invoice.version += 1;
                self.collect_anew(context, &invoice, input, &mut changes).await?;
                let previous = Some(Snapshot::Invoice(Box::new(before.clone())));
                let object = Object::Invoice(invoice.clone());
                let updated = EventType::InvoiceUpdated;
                changes.put_and_emit(object, updated, previous);
            }
            self.commit_invoice(context, &invoice, changes).await
        })
        .await
    }

    /// Deletes a draft. Its items become pending.
    pub async fn delete_invoice(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.change("delete_invoice", async || {
            let mut invoice = self.get::<Invoice>(context, id, "invoice").await?;
            let mut changes = self.changes_on(context, invoice.clock).await?;
            if invoice.status != InvoiceStatus::Draft {
                return Err(unexpected(&invoice, "deleted; only drafts can. Void it instead"));
            }
            for line in &invoice.lines {
                let number = line.item.number();
                let found = self
                    .find_unchanged::<InvoiceItem>(context.merchant, &mut changes, number)
                    .await?;
                if let Some(mut item) = found {
                    item.invoice = None;
                    item.version += 1;
                    changes.put(Object::InvoiceItem(item));
                }
            }
            invoice.version += 1;
            let object = Object::Invoice(invoice.clone());
            changes.emit(&object, EventType::InvoiceDeleted);
            invoice.deleted = true;
            let id = invoice.id;
            changes.put(Object::Invoice(invoice));
            let body = render(|w| wire::render::deleted::write(w, &id, "invoice"));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Lists invoices.
    pub async fn list_invoices(
        &self,
        context: &Context,
        filter: &InvoiceFilter,
    ) -> Result<ApiResponse, Error> {
        let mut of = Vec::new();
        let subscription = filter.subscription.as_ref();
        of.extend(subscription.map(|id| ObjectsOf::value(Filter::Subscription, id)));
        of.extend(self.of_customer(context, filter.customer.as_deref()).await?);
        of.extend(filter.status.map(|status| ObjectsOf::value(Filter::Status, status.word())));
        let method = filter.collection_method.as_ref();
        of.extend(method.map(|word| ObjectsOf::value(Filter::CollectionMethod, word)));
        of.extend(
            filter
                .due_date
                .map(|due| ObjectsOf::Filter(Filter::DueDate, range_values(due.from, due.to))),
        );
        let (created, page) = (filter.created, &filter.page);
        let listed = self.list_in_all::<Invoice>(context, of, created, page).await?;
        let view = context.view(self);
        self.list_values(context, "/v1/invoices", listed, |invoice| value(invoice, &view)).await
    }

    /// Lists the lines of an invoice.
    pub async fn list_invoice_lines(
        &self,
        context: &Context,
        id: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let invoice = self.get::<Invoice>(context, id, "invoice").await?;
        let lines = invoice.lines.iter().map(|line| line_value(&invoice, line));
        let lines: Vec<Value> = lines.collect();
        let (shown, has_more) = page_of(&lines, page, "line item")?;
        let bodies: Vec<Vec<u8>> = shown.iter().map(|one| bytes(context, one.clone())).collect();
        let url = format!("/v1/invoices/{}/lines", invoice.id);
        self.unchanged(context, list_body(&url, has_more, &bodies)).await
    }

    /// The intent that collects an invoice, after the changes.
    pub(crate) async fn find_intent_of(
        &self,
        context: &Context,
        invoice: &Invoice,
        changes: &Changes,
    ) -> Result<Option<Intent>, Error> {
        let Some(id) = invoice.intent else { return Ok(None) };
        self.find_changed::<PaymentIntent>(context.merchant, changes, id.number()).await
    }

    /// The intent of an invoice, as the carrier of a link flow.
    pub(crate) async fn get_intent_of_invoice(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<Intent, Error> {
        let invoice = self.get::<Invoice>(context, id, param).await?;
        let found = self.find_intent_of(context, &invoice, &Changes::none()).await?;
        found.ok_or_else(|| {
            let message = if invoice.status == InvoiceStatus::Draft {
                "The invoice is a draft, which nothing collects yet; finalize it first."
            } else {
                "There was nothing to pay on this invoice, so it collects no account."
            };
            ApiError::invalid(message).param(param.to_owned()).into()
        })
    }

    /// Commits changes with the invoice as the response, if there are any. Returns `None` after a
    /// version conflict.
    async fn commit_invoice(
        &self,
        context: &Context,
        invoice: &Invoice,
        changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        let shown = value(invoice, &context.view(self));
        self.commit_any(context, changes, bytes(context, shown)).await
    }

    /// Puts the pending items of the customer on this invoice.
    async fn take_pending_items(
        &self,
        context: &Context,
        invoice: &mut Invoice,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let of = ObjectsOf::value(Filter::PendingOfCustomer, &invoice.customer);
        let waits = |item: &InvoiceItem| item.details.currency == invoice.currency;
        let (merchant, limit) = (context.merchant, item::LINES_MAX);
        let items = self.newest_where::<InvoiceItem>(merchant, of, limit, waits).await?;
        for mut item in items.into_iter().rev() {
            item.invoice = Some(invoice.id);
            item.version += 1;
            invoice.put_line(&item);
            changes.put(Object::InvoiceItem(item));
        }
        Ok(())
    }
}

/// The customer's fields that an invoice copies.
fn addressee(customer: &Customer) -> ExtraParams {
    let mut known = ExtraParams::empty();
    let texts = [
        ("customer_email", &customer.email),
        ("customer_name", &customer.name),
        ("customer_phone", &customer.phone),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            known.put(name, ExtraParams::Text(text.clone()));
        }
    }
    match serde_json::to_value(&customer.address).and_then(serde_json::from_value) {
        Ok(ExtraParams::Unset) => {}
        Ok(address) => known.put("customer_address", address),
        Err(error) => unreachable!("an address consists of texts: {error}"),
    }
    known
}

/// Rejects changes of a finalized invoice.
fn check_editable(invoice: &Invoice, input: &InvoiceInput) -> Result<(), Error> {
    if invoice.status == InvoiceStatus::Draft {
        return Ok(());
    }
    let open = invoice.status == InvoiceStatus::Open;
    let settled = match &input.given {
        ExtraParams::Hash(members) => {
            members.keys().find(|name| !open || !CHANGED_LATER.contains(&name.as_str()))
        }
        _ => None,
    };
    if let Some(name) = settled {
        let message = format!("This invoice is finalized; its {name} can no longer be changed.");
        let api_error = ApiError::invalid(message).code("invoice_not_editable");
        return Err(api_error.param(name.clone()).into());
    }
    Ok(())
}

/// The API error of a call that the status does not permit.
fn unexpected(invoice: &Invoice, what: &str) -> Error {
    let status = invoice.status.word();
    ApiError::invalid(format!("This invoice is {status} and cannot be {what}.")).into()
}
