//! Changes of a subscription that follow from an intent, an invoice, its customer or time.

use super::notice::pause_subscription;
use crate::due_work::Worked;
use crate::payments::{Changes, intent_object};
use crate::{Context, Engine, Error};
use model::clock::AccountTime;
use model::event::{EventType, Snapshot};
use model::id::{MerchantId, SetupIntentId, SubscriptionId};
use model::payments::intent::{Intent, IntentStatus};
use model::payments::invoice::{Invoice, InvoiceStatus};
use model::payments::subscription::{CollectionMethod, Subscription, SubscriptionStatus};
use store::{Kind, Object};
use wire::error::Error as ApiError;

/// The end of an invoice without its intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvoiceEnd {
    /// It was paid outside of this server.
    Paid,
    /// It could not be debited.
    NotPaid,
    /// It was voided.
    Void,
}

impl Engine {
    /// Applies the status of an intent to the subscription that it pays or collects for, if any.
    /// The intent must have its new status already.
    pub(crate) async fn apply_to_subscription(
        &self,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let merchant = intent.merchant;
        if let Some(id) = intent.subscription {
            let setup = SetupIntentId::from_number(intent.number);
            let (status, method) = (intent.status, intent.payment_method);
            return self
                .follow(merchant, id, changes, |subscription| {
                    if subscription.pending_setup_intent != Some(setup) {
                        return;
                    }
                    match status {
                        IntentStatus::Succeeded => subscription.set_up(method),
                        IntentStatus::Canceled => subscription.set_up(None),
                        _ => {}
                    }
                })
                .await;
        }
        let Some(id) = intent.invoice else { return Ok(()) };
        let found = self.find_unchanged::<Invoice>(merchant, changes, id.number()).await?;
        let Some(invoice) = found else { return Ok(()) };
        let Some(id) = invoice.subscription else { return Ok(()) };
        let now = changes.now;
        self.follow(merchant, id, changes, |subscription| {
            // Only the newest invoice decides the status of the subscription.
            if subscription.latest_invoice.is_some_and(|latest| latest != invoice.id) {
                return;
            }
            match intent.status {
                IntentStatus::Succeeded => subscription.paid(intent.payment_method),
                IntentStatus::Processing => subscription.debit_begun(),
                IntentStatus::RequiresAction => subscription.deposits_sent(),
                IntentStatus::RequiresPaymentMethod => subscription.not_paid(now),
                _ => {}
            }
        })
        .await
    }

    /// Applies the end of an invoice without its intent to its subscription.
    pub(crate) async fn invoice_ended(
        &self,
        context: &Context,
        invoice: &Invoice,
        end: InvoiceEnd,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let Some(id) = invoice.subscription else { return Ok(()) };
        let now = changes.now;
        self.follow(context.merchant, id, changes, |subscription| {
            if subscription.latest_invoice == Some(invoice.id) {
                match end {
                    InvoiceEnd::Paid => subscription.paid(None),
                    InvoiceEnd::NotPaid => subscription.not_paid(now),
                    InvoiceEnd::Void => subscription.forgiven(now),
                }
            }
        })
        .await
    }

    /// Changes a subscription as part of a larger change. If it is among the changes already, the
    /// code that put it there emits its event.
    async fn follow(
        &self,
        merchant: MerchantId,
        id: SubscriptionId,
        changes: &mut Changes,
        change: impl FnOnce(&mut Subscription) + Send,
    ) -> Result<(), Error> {
        let (kind, number) = (Kind::Subscription, id.number());
        let found = self.find_unchanged::<Subscription>(merchant, changes, number).await?;
        let Some(before) = found else { return Ok(()) };
        let mut subscription = before.clone();
        change(&mut subscription);
        if subscription == before {
            return Ok(());
        }
        let shows = subscription.status != before.status
            || subscription.default_payment_method != before.default_payment_method
            || subscription.pending_setup_intent != before.pending_setup_intent;
        let is_emitted = !changes.has(kind, number) && shows;
        subscription.version = changes.raised(kind, number, subscription.version);
        let object = Object::Subscription(subscription);
        if is_emitted {
            let previous = Some(Snapshot::Subscription(Box::new(before)));
            let updated = EventType::SubscriptionUpdated;
            changes.put_and_emit(object, updated, previous);
        } else {
            changes.put(object);
        }
        Ok(())
    }

    /// Works on a due subscription: it expires, is canceled, or begins a period.
    pub(crate) async fn work_subscription(
        &self,
        subscription: Subscription,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        if subscription.due_at().is_none_or(|at| at > now) {
            return Ok(Worked::Nothing);
        }
        let context = Context::by_itself(subscription.merchant, subscription.livemode);
        let mut changes = Changes::of_work(now);
        let customer = Some(subscription.customer);
        let gone = self.has_no_customer(&mut changes, context.merchant, customer).await?;
        if subscription.cancels_by(now) || gone {
            let reason = "cancellation_requested";
            self.end_subscription(&context, subscription, reason, &mut changes).await?;
        } else if subscription.status == SubscriptionStatus::Incomplete {
            self.expire_subscription(&context, subscription, &mut changes).await?;
        } else if let Some(notice) = subscription.notice_by(now) {
            self.notice_period_end(&context, subscription, notice, &mut changes).await?;
        } else if self.ends_with_its_trial(&subscription, &mut changes).await? {
            if subscription.trial_end_behavior() == "pause" {
                pause_subscription(subscription.clone(), subscription, &mut changes);
            } else {
                let reason = "cancellation_requested";
                self.end_subscription(&context, subscription, reason, &mut changes).await?;
            }
        } else {
            let previous = Some(Snapshot::Subscription(Box::new(subscription.clone())));
            let next = Subscription { version: subscription.version + 1, ..subscription };
            let mut renewal = changes.trial();
            let subscription = match self.renew_with(&context, next.clone(), &mut renewal).await {
                Ok(subscription) => {
                    changes = renewal;
                    subscription
                }
                Err(Error::Rejected(api_error)) => not_invoiced(next, &api_error, now),
                Err(error) => return Err(error),
            };
            let object = Object::Subscription(subscription);
            let updated = EventType::SubscriptionUpdated;
            changes.put_and_emit(object, updated, previous);
        }
        Ok(Worked::Item(changes.into_item()))
    }

    /// Pauses or cancels a subscription after a call ended its trial, as its `trial_settings` say.
    pub(super) async fn end_trial(
        &self,
        context: &Context,
        before: Subscription,
        subscription: Subscription,
        changes: &mut Changes,
    ) -> Result<Subscription, Error> {
        if subscription.trial_end_behavior() == "pause" {
            return Ok(pause_subscription(before, subscription, changes));
        }
        self.end_subscription(context, subscription, "cancellation_requested", changes).await
    }

    /// True if a trial is over, there is no payment method, and the merchant wants no invoice then.
    pub(super) async fn ends_with_its_trial(
        &self,
        subscription: &Subscription,
        changes: &mut Changes,
    ) -> Result<bool, Error> {
        let charged = subscription.collection_method == CollectionMethod::ChargeAutomatically;
        let ends = subscription.status == SubscriptionStatus::Trialing
            && charged
            && subscription.trial_end_behavior() != "create_invoice";
        Ok(ends && self.payer_of(subscription, changes).await?.is_none())
    }

    /// Ends a subscription, with the unpaid first invoice and the Setup Intent that collects for
    /// it.
    pub(crate) async fn end_subscription(
        &self,
        context: &Context,
        mut subscription: Subscription,
        reason: &str,
        changes: &mut Changes,
    ) -> Result<Subscription, Error> {
        let before = subscription.clone();
        subscription.version += 1;
        subscription.cancel(reason, changes.now);
        self.give_up_begin(context, &before, changes).await?;
        let object = Object::Subscription(subscription.clone());
        let deleted = EventType::SubscriptionDeleted;
        changes.put_and_emit(object, deleted, None);
        Ok(subscription)
    }

    /// Expires a subscription after its first invoice was not paid in time.
    pub(super) async fn expire_subscription(
        &self,
        context: &Context,
        mut subscription: Subscription,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let before = subscription.clone();
        subscription.version += 1;
        subscription.expire(changes.now);
        self.give_up_begin(context, &before, changes).await?;
        let previous = Some(Snapshot::Subscription(Box::new(before)));
        let object = Object::Subscription(subscription);
        let updated = EventType::SubscriptionUpdated;
        changes.put_and_emit(object, updated, previous);
        Ok(())
    }

    /// Voids the unpaid first invoice of an incomplete subscription unless a debit is pending, and
    /// cancels the Setup Intent of one that has one.
    async fn give_up_begin(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let Some(mut intent) = self.find_collector(context, subscription, changes).await? else {
            return Ok(());
        };
        if !intent.cancelable() {
            return Ok(());
        }
        if subscription.pending_setup_intent.is_some() {
            intent.cancel(Some("abandoned".to_owned()), changes.now);
            intent.version += 1;
            let object = intent_object(intent);
            let canceled = EventType::SetupIntentCanceled;
            changes.put_and_emit(object, canceled, None);
        } else if subscription.status == SubscriptionStatus::Incomplete
            && let Some(id) = subscription.latest_invoice
            && let Some(mut invoice) =
                self.find_unchanged::<Invoice>(context.merchant, changes, id.number()).await?
            && invoice.status == InvoiceStatus::Open
        {
            // The intent that was read is part of the change. If a debit begins at the same time,
            // the change conflicts and the use case begins again.
            changes.put(intent_object(intent));
            self.void_with(context, &mut invoice, changes).await?;
        }
        Ok(())
    }
}

/// The next period of a subscription that cannot be invoiced. The period begins nevertheless, so
/// that the subscription is not due again at once. The merchant sees it as unpaid.
fn not_invoiced(
    mut subscription: Subscription,
    api_error: &ApiError,
    now: AccountTime,
) -> Subscription {
    let subscription_id = subscription.id.to_string();
    let error = api_error as &dyn std::error::Error;
    tracing::warn!(subscription_id, error, "a period of a subscription was not invoiced");
    subscription.renew();
    subscription.not_paid(now);
    subscription
}
