//! Steps of an invoice without a call: a draft is finalized an hour after its creation, and then
//! debited. After a crash the step is still due.

use super::pay::check_total;
use crate::due_work::Worked;
use crate::payments::Changes;
use crate::payments::intent::Confirmation;
use crate::payments::subscription::{InvoiceEnd, attempt_failed};
use crate::{Context, Engine, Error};
use model::clock::AccountTime;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::payments::invoice::{Invoice, InvoiceStatus};
use model::payments::subscription::Subscription;
use store::{Kind, Object};

impl Engine {
    /// Finalizes and debits an invoice at its time. If its customer or its subscription has ended, or
    /// if it cannot be finalized, it stays and no longer advances.
    pub(crate) async fn advance_invoice(
        &self,
        mut invoice: Invoice,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        if invoice.due_at().is_none_or(|at| at > now) {
            return Ok(Worked::Nothing);
        }
        let context = Context::by_itself(invoice.merchant, invoice.livemode);
        let before = invoice.clone();
        invoice.advances_at = None;
        let mut changes = Changes::of_work(now);
        if !self.has_ended(&invoice, &mut changes).await? {
            let mut trial = changes.trial();
            // The invoice that was read is part of the change.
            invoice.version += 1;
            trial.put(Object::Invoice(invoice.clone()));
            match self.advance_with(&context, &mut invoice.clone(), &mut trial).await {
                Ok(()) => return Ok(Worked::Item(trial.into_item())),
                Err(Error::Rejected(api_error)) => {
                    let (invoice_id, error) =
                        (invoice.id.to_string(), &*api_error as &dyn std::error::Error);
                    tracing::warn!(invoice_id, error, "an invoice was not finalized");
                }
                Err(error) => return Err(error),
            }
        }
        invoice.version = before.version + 1;
        invoice.given.put("auto_advance", ExtraParams::Boolean(false));
        let previous = Some(Snapshot::Invoice(Box::new(before)));
        changes.put_and_emit(Object::Invoice(invoice), EventType::InvoiceUpdated, previous);
        Ok(Worked::Item(changes.into_item()))
    }

    /// True if the customer or the subscription of an invoice has ended.
    async fn has_ended(&self, invoice: &Invoice, changes: &mut Changes) -> Result<bool, Error> {
        let merchant = invoice.merchant;
        if self.has_no_customer(changes, merchant, Some(invoice.customer)).await? {
            return Ok(true);
        }
        let Some(id) = invoice.subscription else { return Ok(false) };
        let found = self.find_unchanged::<Subscription>(merchant, changes, id.number()).await?;
        Ok(found.is_none_or(|subscription| subscription.is_over()))
    }

    /// Finalizes an invoice of the changes, if it is a draft, and debits it if the customer does not
    /// pay it by other means.
    pub(crate) async fn advance_with(
        &self,
        context: &Context,
        invoice: &mut Invoice,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if invoice.status == InvoiceStatus::Draft {
            check_total(invoice)?;
            self.finalize_with(context, invoice, changes).await?;
        }
        if invoice.status == InvoiceStatus::Paid {
            return self.invoice_ended(context, invoice, InvoiceEnd::Paid, changes).await;
        }
        if invoice.collection_method() != "charge_automatically" {
            return Ok(());
        }
        let intent = self.find_intent_of(context, invoice, changes).await?;
        if !intent.is_some_and(|intent| intent.collects()) {
            return Ok(());
        }
        if let Some(method) = self.payer_of_invoice(invoice, changes).await? {
            let word = Confirmation::default();
            if self.debit(context, invoice, method, Some(word), changes).await? {
                return Ok(());
            }
        }
        invoice.version = changes.raised(Kind::Invoice, invoice.id.number(), invoice.version);
        attempt_failed(invoice.clone(), changes);
        self.invoice_ended(context, invoice, InvoiceEnd::NotPaid, changes).await
    }
}
