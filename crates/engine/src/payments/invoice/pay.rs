//! From a draft to its payment: finalizing, paying and voiding an invoice, and its change when its
//! intent ends.

use super::{InvoiceInput, unexpected};
use crate::payments::intent::{Confirmation, IntentInput, IntentKind, MethodParam};
use crate::payments::share::{FEE, Share, TRANSFER};
use crate::payments::subscription::InvoiceEnd;
use crate::payments::{Changes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::customer::Customer;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::id::{PaymentIntentId, PaymentMethodId, hash_number};
use model::payments::intent::{AMOUNT_MAX, Intent, IntentStatus};
use model::payments::invoice::{Invoice, InvoiceStatus};
use model::payments::payment_method::PaymentMethod;
use store::{Kind, Object};
use wire::error::Error as ApiError;

/// The params of a payment of an invoice.
#[derive(Clone, Debug, Default)]
pub struct PayInput {
    /// The payment method to debit. Left out, the linked one or the invoice's default.
    pub method: Option<String>,
    /// The mandate of the debit. Left out, an active one of the payment method and the customer.
    pub mandate: Option<String>,
    /// True if it was paid outside of this server.
    pub paid_elsewhere: bool,
}

/// The progress of the intent of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It was confirmed.
    Begun,
    /// Its debit or its deposits ended.
    Ended,
}

impl Engine {
    /// Opens a draft. Afterwards an intent collects it.
    pub async fn finalize_invoice(
        &self,
        context: &Context,
        id: &str,
        auto_advance: Option<bool>,
    ) -> Result<ApiResponse, Error> {
        self.change("finalize_invoice", async || {
            let mut invoice = self.get::<Invoice>(context, id, "invoice").await?;
            let mut changes = self.changes_on(context, invoice.clock).await?;
            if invoice.status != InvoiceStatus::Draft {
                return Err(unexpected(&invoice, "finalized again"));
            }
            check_total(&invoice)?;
            if let Some(advance) = auto_advance {
                invoice.given.put("auto_advance", ExtraParams::Boolean(advance));
                invoice.advances_at = invoice.advances_at.filter(|_| advance);
            }
            self.finalize_with(context, &mut invoice, &mut changes).await?;
            self.commit_invoice(context, &invoice, changes).await
        })
        .await
    }

    pub(crate) async fn finalize_with(
        &self,
        context: &Context,
        invoice: &mut Invoice,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let number = invoice.customer.number();
        let found = self.find_unchanged::<Customer>(context.merchant, changes, number).await?;
        let Some(mut customer) = found.filter(|customer| !customer.deleted) else {
            return Err(ApiError::invalid("The customer of the invoice was deleted.").into());
        };
        let before = customer.clone();
        let printed = if let Some(chosen) = invoice.printed_number.clone() {
            chosen
        } else {
            let sequence = customer.next_invoice_sequence.unwrap_or(1);
            let next = sequence.checked_add(1).ok_or_else(|| {
                Error::from(ApiError::invalid("The customer has no invoice numbers left."))
            })?;
            customer.next_invoice_sequence = Some(next);
            let prefix = customer.invoice_prefix.clone().unwrap_or_else(|| {
                let hash = hash_number(&[b"invoice", customer.id.to_string().as_bytes()]);
                format!("{:08X}", hash & 0xffff_ffff)
            });
            format!("{prefix}-{sequence:04}")
        };
        invoice.version = changes.raised(Kind::Invoice, invoice.id.number(), invoice.version);
        invoice.finalize(printed, customer.balance, changes.now);
        customer.balance = invoice.ending_balance;
        if customer != before {
            put_customer(customer.clone(), before, changes);
        }
        super::due::begin(invoice, changes.now);
        if invoice.status == InvoiceStatus::Open {
            let amount = Some(invoice.amount_due());
            let share = Share { params: &invoice.given, hash: "", amount };
            self.check_share(context, share, changes).await?;
            let input = IntentInput {
                amount: Some(invoice.amount_due()),
                currency: Some(invoice.currency),
                method_types: invoice.method_types.clone(),
                collection: Some(invoice.collection.clone()),
                given: intent_params(invoice),
                ..IntentInput::default()
            };
            let kind = IntentKind::Payment;
            let mut intent =
                self.new_intent(context, kind, &input, Some(&customer), changes.now).await?;
            intent.invoice = Some(invoice.id);
            intent.from_settings.clone_from(&invoice.from_settings);
            invoice.intent = Some(PaymentIntentId::from_number(intent.number));
            let object = intent_object(intent);
            let created = EventType::PaymentIntentCreated;
            changes.put_and_emit(object, created, None);
        }
        let object = Object::Invoice(invoice.clone());
        changes.emit(&object, EventType::InvoiceFinalized);
        if invoice.status == InvoiceStatus::Paid {
            emit_paid(&object, changes);
        }
        changes.put(object);
        Ok(())
    }

    /// Pays an invoice: confirms its intent. The invoice is paid when the intent succeeds. A draft is
    /// finalized first, and a draft without an amount due is paid thereby.
    pub async fn pay_invoice(
        &self,
        context: &Context,
        id: &str,
        input: &PayInput,
    ) -> Result<ApiResponse, Error> {
        self.change("pay_invoice", async || {
            let mut invoice = self.get::<Invoice>(context, id, "invoice").await?;
            let mut changes = self.changes_on(context, invoice.clock).await?;
            let now = changes.now;
            if invoice.status == InvoiceStatus::Draft {
                check_total(&invoice)?;
                self.finalize_with(context, &mut invoice, &mut changes).await?;
                if invoice.status == InvoiceStatus::Paid {
                    return self.commit_invoice(context, &invoice, changes).await;
                }
            }
            let found = self.find_intent_of(context, &invoice, &changes).await?;
            let open = invoice.status == InvoiceStatus::Open;
            let Some(mut intent) = found.filter(|_| open) else {
                return Err(unexpected(&invoice, "paid"));
            };
            let (kind, number) = (Kind::PaymentIntent, intent.number);
            intent.version = changes.raised(kind, number, intent.version);
            if input.paid_elsewhere {
                // The method is not debited here, but it must exist, as for every id at Stripe.
                if let Some(method) = &input.method {
                    self.get::<PaymentMethod>(context, method, "payment_method").await?;
                }
                give_up(&mut intent, "abandoned", &mut changes)?;
                let number = invoice.id.number();
                invoice.version = changes.raised(Kind::Invoice, number, invoice.version);
                invoice.paid_elsewhere = true;
                invoice.pay(now);
                let object = Object::Invoice(invoice.clone());
                emit_paid(&object, &mut changes);
                changes.put(object);
                let end = InvoiceEnd::Paid;
                self.invoice_ended(context, &invoice, end, &mut changes).await?;
            } else {
                let default = self.payer_of_invoice(&invoice, &mut changes).await?;
                let method = payer(default, &intent, input)?;
                let confirmation = Confirmation {
                    method,
                    mandate: input.mandate.clone(),
                    of_invoice_call: true,
                    ..Confirmation::default()
                };
                self.confirm_intent_with(context, &mut intent, &confirmation, &mut changes).await?;
            }
            changes.put(intent_object(intent));
            let number = invoice.id.number();
            let updated_invoice =
                self.find_unchanged::<Invoice>(context.merchant, &mut changes, number).await?;
            if let Some(updated_invoice) = updated_invoice {
                invoice = updated_invoice;
            }
            self.commit_invoice(context, &invoice, changes).await
        })
        .await
    }

    /// Voids an open invoice, and cancels its intent.
    pub async fn void_invoice(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.change("void_invoice", async || {
            let before = self.get::<Invoice>(context, id, "invoice").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            if before.status == InvoiceStatus::Draft {
                return Err(unexpected(&before, "voided; delete it instead"));
            }
            if before.status != InvoiceStatus::Open {
                return Err(unexpected(&before, "voided"));
            }
            let mut invoice = before.clone();
            self.void_with(context, &mut invoice, &mut changes).await?;
            self.invoice_ended(context, &invoice, InvoiceEnd::Void, &mut changes).await?;
            self.commit_invoice(context, &invoice, changes).await
        })
        .await
    }

    /// Voids an open invoice as part of a larger change, and cancels its intent.
    pub(crate) async fn void_with(
        &self,
        context: &Context,
        invoice: &mut Invoice,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if let Some(mut intent) = self.find_intent_of(context, invoice, changes).await? {
            intent.version += 1;
            give_up(&mut intent, "void_invoice", changes)?;
            changes.put(intent_object(intent));
        }
        let number = invoice.customer.number();
        if invoice.starting_balance != 0
            && let Some(before) =
                self.find_unchanged::<Customer>(context.merchant, changes, number).await?
            && !before.deleted
        {
            // The balance that the invoice would have collected or used up is still owed.
            let mut customer = before.clone();
            customer.balance = customer.balance.saturating_add(invoice.starting_balance);
            put_customer(customer, before, changes);
        }
        invoice.version += 1;
        invoice.void(changes.now);
        let object = Object::Invoice(invoice.clone());
        let voided = EventType::InvoiceVoided;
        changes.put_and_emit(object, voided, None);
        Ok(())
    }

    /// Copies the link requirements of an open invoice to its intent.
    pub(super) async fn collect_anew(
        &self,
        context: &Context,
        invoice: &Invoice,
        input: &InvoiceInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if input.collection.is_none() && input.method_types.is_none() {
            return Ok(());
        }
        let Some(mut intent) = self.find_intent_of(context, invoice, changes).await? else {
            return Ok(());
        };
        if intent.collects() {
            intent.collection = invoice.collection.clone();
            intent.method_types.clone_from(&invoice.method_types);
            intent.from_settings.clone_from(&invoice.from_settings);
            intent.version += 1;
            changes.put(intent_object(intent));
        }
        Ok(())
    }

    /// Applies an attempt to debit an intent to the invoice that it pays, if any. The intent must
    /// have its new status already.
    pub(crate) async fn apply_to_invoice(
        &self,
        intent: &Intent,
        attempt: Attempt,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let Some(id) = intent.invoice else { return Ok(()) };
        let (merchant, number) = (intent.merchant, id.number());
        let found = self.find_unchanged::<Invoice>(merchant, changes, number).await?;
        let Some(mut invoice) = found else { return Ok(()) };
        if invoice.status != InvoiceStatus::Open {
            return Ok(());
        }
        let before = Snapshot::Invoice(Box::new(invoice.clone()));
        invoice.version = changes.raised(Kind::Invoice, number, invoice.version);
        if attempt == Attempt::Begun {
            invoice.attempts += 1;
            invoice.advances_at = None;
        }
        invoice.latest_charge = intent.latest_charge;
        match intent.status {
            IntentStatus::Succeeded => {
                invoice.pay(changes.now);
                let object = Object::Invoice(invoice);
                emit_paid(&object, changes);
                changes.put(object);
            }
            IntentStatus::RequiresPaymentMethod => {
                let failed = EventType::InvoicePaymentFailed;
                changes.put_and_emit(Object::Invoice(invoice), failed, None);
            }
            _ => {
                let updated = EventType::InvoiceUpdated;
                changes.put_and_emit(Object::Invoice(invoice), updated, Some(before));
            }
        }
        Ok(())
    }
}

/// Rejects an invoice above the largest payment.
pub(super) fn check_total(invoice: &Invoice) -> Result<(), Error> {
    if invoice.total() > AMOUNT_MAX {
        let message = format!("The invoice comes to more than {AMOUNT_MAX} cents.");
        return Err(ApiError::invalid(message).code("amount_too_large").into());
    }
    Ok(())
}

/// The params of an invoice's intent. The intent of a subscription keeps the payment method for
/// later invoices.
fn intent_params(invoice: &Invoice) -> ExtraParams {
    let mut params = ExtraParams::empty();
    let text = |text: &str| ExtraParams::Text(text.to_owned());
    let description = match invoice.given.text(&["billing_reason"]) {
        Some("subscription_create") => "Subscription creation",
        Some(_) if invoice.subscription.is_some() => "Subscription update",
        _ => "Payment for Invoice",
    };
    params.put("description", text(description));
    if invoice.subscription.is_some() {
        params.put("setup_future_usage", text("off_session"));
    }
    for name in [FEE, TRANSFER, "on_behalf_of"] {
        if let Some(value) = invoice.given.at(&[name]) {
            params.put(name, value.clone());
        }
    }
    params
}

fn emit_paid(invoice: &Object, changes: &mut Changes) {
    changes.emit(invoice, EventType::InvoicePaid);
    changes.emit(invoice, EventType::InvoicePaymentSucceeded);
}

/// Puts a customer that an invoice changed.
fn put_customer(mut customer: Customer, before: Customer, changes: &mut Changes) {
    let number = customer.id.number();
    customer.version = changes.raised(Kind::Customer, number, customer.version);
    let before = Some(Snapshot::Customer(Box::new(before)));
    let (object, updated) = (Object::Customer(customer), EventType::CustomerUpdated);
    changes.put_and_emit(object, updated, before);
}

/// Cancels the intent of an invoice that needs it no longer.
fn give_up(intent: &mut Intent, reason: &str, changes: &mut Changes) -> Result<(), Error> {
    if !intent.cancelable() {
        let message = "A debit for this invoice is under way; wait until it has ended.";
        return Err(ApiError::invalid(message).into());
    }
    intent.cancel(Some(reason.to_owned()), changes.now);
    let object = intent_object(intent.clone());
    changes.emit(&object, EventType::PaymentIntentCanceled);
    Ok(())
}

/// The payment method to debit: from the request, else the linked one, else the default.
fn payer(
    default: Option<PaymentMethodId>,
    intent: &Intent,
    input: &PayInput,
) -> Result<Option<MethodParam>, Error> {
    let default = || default.map(|method| method.to_string());
    match (&input.method, intent.payment_method) {
        (Some(id), _) => Ok(Some(MethodParam::Id(id.clone()))),
        (None, Some(_)) => Ok(None),
        (None, None) => match default() {
            Some(method) => Ok(Some(MethodParam::Id(method))),
            None => Err(ApiError::invalid(
                "There is nothing to debit yet: link an account, or name a payment_method.",
            )
            .code("parameter_missing")
            .param("payment_method")
            .into()),
        },
    }
}
