//! Payments of invoices (`inpay_…`): the intent of an invoice, as a part of the invoice.
//!
//! Each invoice with an amount has one payment, with the number of its intent. It is derived and
//! not stored.

use crate::list::list_body;
use crate::payments::bytes;
use crate::{ApiResponse, Context, Engine, Error};
use model::id::InvoicePaymentId;
use model::payments::intent::Intent;
use model::payments::invoice::Invoice;
use model::stored::{Filter, PaymentIntent, StoredKind as _};
use serde_json::Value;
use store::{Bounds, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;

/// The filter of a list of payments.
#[derive(Clone, Debug)]
pub struct PaymentFilter {
    /// Those of this invoice.
    pub invoice: Option<String>,
    /// The one by this Payment Intent.
    pub payment_intent: Option<String>,
    /// Those with this status: `canceled`, `open` or `paid`.
    pub status: Option<String>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Shows a payment of an invoice.
    pub async fn retrieve_invoice_payment(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let missing = || Error::from(ApiError::no_such("invoice payment", id, "invoice_payment"));
        let number = id.parse().map(InvoicePaymentId::number).map_err(|_| missing())?;
        let found = self.find::<PaymentIntent>(context.merchant, number).await?;
        let Some(intent) = found else { return Err(missing()) };
        let value = self.invoice_payment_value(context, &intent).await?;
        self.unchanged(context, bytes(context, value.ok_or_else(missing)?)).await
    }

    /// Lists payments of invoices, the newest first.
    pub async fn list_invoice_payments(
        &self,
        context: &Context,
        filter: &PaymentFilter,
    ) -> Result<ApiResponse, Error> {
        let invoice = match &filter.invoice {
            Some(text) => Some(self.get::<Invoice>(context, text, "invoice").await?),
            None => None,
        };
        let mut of = Vec::new();
        if let Some(id) = &filter.payment_intent {
            of.push(ObjectsOf::Numbers(PaymentIntent::parse_number(id).into_iter().collect()));
        }
        of.extend(invoice.map(|invoice| ObjectsOf::value(Filter::Invoice, &invoice.id)));
        let statuses = match &filter.status {
            Some(status) => vec![status.clone()],
            None => ["canceled", "open", "paid"].map(str::to_owned).to_vec(),
        };
        // Without another filter, this one leaves out intents without an invoice.
        of.push(ObjectsOf::Filter(Filter::PaymentStatus, statuses));
        let page = PageParams {
            limit: filter.page.limit,
            starting_after: self
                .intent_cursor(context, filter.page.starting_after.as_deref(), "starting_after")
                .await?,
            ending_before: self
                .intent_cursor(context, filter.page.ending_before.as_deref(), "ending_before")
                .await?,
        };
        let created = filter.created;
        let listed = self.list_in_all::<PaymentIntent>(context, of, created, &page).await?;
        let mut bodies = Vec::with_capacity(listed.items.len());
        for intent in &listed.items {
            let value = self.invoice_payment_value(context, intent).await?;
            bodies.extend(value.map(|value| bytes(context, value)));
        }
        let body = list_body("/v1/invoice_payments", listed.has_more, &bodies);
        self.unchanged(context, body).await
    }

    /// The id of the intent of the payment that a cursor names.
    async fn intent_cursor(
        &self,
        context: &Context,
        cursor: Option<&str>,
        param: &str,
    ) -> Result<Option<String>, Error> {
        let Some(text) = cursor else { return Ok(None) };
        let intent = match text.parse::<InvoicePaymentId>() {
            Ok(id) => self.find::<PaymentIntent>(context.merchant, id.number()).await?,
            Err(_) => None,
        };
        // Stripe returns 400 for an unknown cursor, as for any wrong parameter.
        let missing = || ApiError::no_such("invoice payment", text, param).status(400);
        let intent = intent.filter(|intent| intent.invoice.is_some()).ok_or_else(missing)?;
        Ok(Some(intent.id()))
    }

    /// The payment of an intent towards its invoice, or `None` without an invoice.
    async fn invoice_payment_value(
        &self,
        context: &Context,
        intent: &Intent,
    ) -> Result<Option<Value>, Error> {
        let Some(id) = intent.invoice else { return Ok(None) };
        let found = self.find::<Invoice>(context.merchant, id.number()).await?;
        Ok(found.map(|invoice| wire::render::payments::invoice::payment(&invoice, intent)))
    }
}
