//! Confirming an intent, and the steps after it: deposits, the debit, its end.

use super::own::{check_owner, keep_method};
use super::{Confirmation, IntentKind, OPTIONS, allow, kind_of, unexpected_state};
use crate::connect::access::Access;
use crate::connections::connections_settings::check_prefetch;
use crate::connections::live::check_debits;
use crate::due_work::Worked;
use crate::payments::invoice::Attempt;
use crate::payments::payment_method::{MadeFor, check_usable};
use crate::payments::{Changes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::PaymentMethodId;
use model::payments::intent::{Deposits, Intent, IntentStatus, Progress, Verification};
use model::payments::payment_method::{Block, PaymentMethod};
use store::Object;
use wire::error::Error as ApiError;

/// The param of intents with the verification method of an account.
const VERIFICATION: &str = "payment_method_options[us_bank_account][verification_method]";

/// The holder's verification of two small deposits.
#[derive(Clone, Debug)]
pub struct VerifyInput {
    /// The amounts, or the code.
    pub deposits: Deposits,
}

impl Engine {
    /// Confirms an intent.
    pub async fn confirm_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        id: &str,
        confirmation: &Confirmation,
        access: Access<'_>,
    ) -> Result<ApiResponse, Error> {
        self.change("confirm_intent", async || {
            let mut intent = self.get_intent(context, kind, id, "intent").await?;
            allow(&intent, access)?;
            let mut changes = self.changes_on(context, intent.clock).await?;
            intent.version += 1;
            self.confirm_intent_with(context, &mut intent, confirmation, &mut changes).await?;
            changes.put(intent_object(intent.clone()));
            self.commit_intent(context, &intent, changes, access.publishable).await
        })
        .await
    }

    /// Confirms an intent that has its new version already, as part of a larger change.
    pub(crate) async fn confirm_intent_with(
        &self,
        context: &Context,
        intent: &mut Intent,
        confirmation: &Confirmation,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if !intent.collects() {
            return Err(unexpected_state(intent, "confirmed"));
        }
        self.check_payer(intent, changes).await?;
        if let Some(collection) = &confirmation.collection {
            check_prefetch(collection, intent.from_settings.as_ref(), OPTIONS)?;
            self.check_collection_bank(context, collection, intent.clock, OPTIONS).await?;
            intent.collection.clone_from(collection);
        }
        if let Some(options) = &confirmation.given {
            intent.given.update(options.clone());
        }
        let confirmation = &self.with_token(context, intent, confirmation, changes).await?;
        if let Some(param) = &confirmation.method {
            let made_for = MadeFor { now: changes.now, clock: intent.clock };
            let method = self.take_method(context, param, made_for, changes).await?;
            check_owner(intent, &method)?;
            intent.attach(method.id);
        }
        let Some(id) = intent.payment_method else {
            let message = "There is nothing to debit yet: link an account, or give payment_method \
                           or payment_method_data.";
            let api_error = ApiError::invalid(message).param("payment_method");
            return Err(api_error.code("parameter_missing").into());
        };
        let method = self
            .find_unchanged::<PaymentMethod>(context.merchant, changes, id.number())
            .await?
            .ok_or(Error::Locked)?;
        check_usable(&method)?;
        check_debits(context)?;
        if !method.verified && !intent.manual_entry() {
            let message = "Numbers that were typed in can only be verified by deposits, which \
                           verification_method=instant leaves out; link an account instead.";
            let api_error = ApiError::invalid(message).param(VERIFICATION);
            return Err(api_error.code("payment_method_invalid_parameter").into());
        }
        if confirmation.return_url.is_some() {
            intent.return_url.clone_from(&confirmation.return_url);
        }
        intent.mandate = self.mandate_of(context, intent, &method, confirmation, changes).await?;
        let progress = intent.confirm(&method, changes.now);
        self.charge_by(intent, &method, progress, changes);
        emit_progress(intent, progress, changes);
        if matches!(progress, Progress::Processing | Progress::Succeeded) {
            keep_method(intent, method, changes)?;
        }
        self.apply_to_invoice(intent, Attempt::Begun, changes).await?;
        self.apply_to_subscription(intent, changes).await
    }

    /// Rejects the intent of a customer that was deleted.
    async fn check_payer(&self, intent: &Intent, changes: &mut Changes) -> Result<(), Error> {
        if self.has_no_customer(changes, intent.merchant, intent.customer).await? {
            let message =
                "The customer of the intent was deleted; nothing can be debited any more.";
            return Err(ApiError::invalid(message).param("customer").into());
        }
        Ok(())
    }

    /// Verifies the deposits of an intent.
    pub async fn verify_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        id: &str,
        input: &VerifyInput,
        access: Access<'_>,
    ) -> Result<ApiResponse, Error> {
        self.change("verify_intent", async || {
            let mut intent = self.get_intent(context, kind, id, "intent").await?;
            allow(&intent, access)?;
            let mut changes = self.changes_on(context, intent.clock).await?;
            let waits = intent.status == IntentStatus::RequiresAction;
            let (true, Some(method)) = (waits, intent.payment_method) else {
                return Err(unexpected_state(&intent, "verified"));
            };
            self.check_payer(&intent, &mut changes).await?;
            let method = self
                .find_unchanged::<PaymentMethod>(context.merchant, &mut changes, method.number())
                .await?
                .ok_or(Error::Locked)?;
            intent.version += 1;
            let verification = intent.verify(&input.deposits, changes.now);
            if verification == Verification::Verified {
                return self.verified(context, intent, method, changes, access.publishable).await;
            }
            if !self.not_verified(context, intent, &method, verification, changes).await? {
                return Ok(None);
            }
            Err(verification_error(verification, &input.deposits).into())
        })
        .await
    }

    async fn verified(
        &self,
        context: &Context,
        mut intent: Intent,
        mut method: PaymentMethod,
        mut changes: Changes,
        publishable: bool,
    ) -> Result<Option<ApiResponse>, Error> {
        method.verified = true;
        method.version += 1;
        changes.put(Object::PaymentMethod(method.clone()));
        self.deposits_ended(&intent, true, &mut changes).await?;
        let progress = intent.begin_debit(&method, changes.now);
        self.charge_by(&mut intent, &method, progress, &mut changes);
        emit_progress(&intent, progress, &mut changes);
        if progress == Progress::Blocked {
            self.single_use_ended(&intent, &mut changes).await?;
            self.settle_checkout(&intent, false, &mut changes).await?;
            self.apply_to_invoice(&intent, Attempt::Ended, &mut changes).await?;
        } else {
            keep_method(&intent, method, &mut changes)?;
        }
        changes.put(intent_object(intent.clone()));
        self.apply_to_subscription(&intent, &mut changes).await?;
        self.commit_intent(context, &intent, changes, publishable).await
    }

    /// Creates the charge of a debit that began or was blocked.
    fn charge_by(
        &self,
        intent: &mut Intent,
        method: &PaymentMethod,
        progress: Progress,
        changes: &mut Changes,
    ) {
        match progress {
            Progress::Processing => self.begin_charge(intent, method, changes),
            Progress::Blocked => self.block_charge(intent, method, changes),
            Progress::DepositsSent | Progress::DepositsFailed | Progress::Succeeded => {}
        }
    }

    /// Counts a failed verification, or ends the attempt. The caller stores the API error for the
    /// idempotency key.
    async fn not_verified(
        &self,
        context: &Context,
        mut intent: Intent,
        method: &PaymentMethod,
        verification: Verification,
        mut changes: Changes,
    ) -> Result<bool, Error> {
        if verification != Verification::Mismatch {
            self.deposits_failed(&mut intent, verification, method.id, &mut changes).await?;
        }
        changes.put(intent_object(intent));
        self.commit(&context.without_reply(), changes, &[]).await
    }

    /// Ends an attempt after its deposits were not verified.
    async fn deposits_failed(
        &self,
        intent: &mut Intent,
        verification: Verification,
        method: PaymentMethodId,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        intent.fail(failure_code(verification), method);
        self.deposits_ended(intent, false, changes).await?;
        emit_progress(intent, Progress::DepositsFailed, changes);
        self.settle_checkout(intent, false, changes).await?;
        self.apply_to_invoice(intent, Attempt::Ended, changes).await?;
        self.apply_to_subscription(intent, changes).await
    }

    /// Ends an attempt after its deposits were not verified in time.
    pub(crate) async fn deposits_due(
        &self,
        mut intent: Intent,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        let due = intent.microdeposits.is_some_and(|deposits| deposits.times_out_at() <= now);
        let Some(method) = intent.payment_method.filter(|_| due) else {
            return Ok(Worked::Nothing);
        };
        intent.version += 1;
        let mut changes = Changes::of_work(now);
        let late = Verification::TimedOut;
        self.deposits_failed(&mut intent, late, method, &mut changes).await?;
        changes.put(intent_object(intent));
        Ok(Worked::Item(changes.into_item()))
    }

    /// Ends a debit, at its time.
    pub(crate) async fn settle_intent(
        &self,
        mut intent: Intent,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        let due = intent.settles_at.is_some_and(|at| at <= now);
        let Some(id) = intent.payment_method.filter(|_| due) else { return Ok(Worked::Nothing) };
        let found = self.find::<PaymentMethod>(intent.merchant, id.number()).await?;
        let Some(method) = found else { return Ok(Worked::Nothing) };
        intent.version += 1;
        let seen = self.seen_by_bank(method.clone(), now).await?;
        let paid = intent.settle(&seen, now);
        let event_type = if paid {
            EventType::PaymentIntentSucceeded
        } else {
            EventType::PaymentIntentPaymentFailed
        };
        let mut changes = Changes::of_work(now);
        changes.require_unchanged::<PaymentMethod>(&method);
        block_after_failure(method, &intent, &mut changes);
        self.end_charge(&intent, &mut changes).await?;
        self.single_use_ended(&intent, &mut changes).await?;
        let object = intent_object(intent.clone());
        changes.emit(&object, event_type);
        changes.put(object);
        self.settle_checkout(&intent, paid, &mut changes).await?;
        self.apply_to_invoice(&intent, Attempt::Ended, &mut changes).await?;
        self.apply_to_subscription(&intent, &mut changes).await?;
        Ok(Worked::Item(changes.into_item()))
    }
}

/// Blocks a payment method after the failure of its debit, if the failure leads to a block. No event
/// reports it, because Stripe describes `payment_method.updated` as the event of an update call.
fn block_after_failure(mut method: PaymentMethod, intent: &Intent, changes: &mut Changes) {
    let failed = intent.status == IntentStatus::RequiresPaymentMethod;
    let error = intent.last_error.as_ref().filter(|_| failed && method.block.is_none());
    let Some(error) = error else { return };
    method.block = Block::of_failure(&error.code, method.holder_type);
    if method.block.is_some() {
        method.version += 1;
        changes.put(Object::PaymentMethod(method));
    }
}

/// Emits the event of a confirmation's progress.
fn emit_progress(intent: &Intent, progress: Progress, changes: &mut Changes) {
    let kind = kind_of(intent);
    let event = match progress {
        Progress::DepositsSent => {
            kind.event(EventType::PaymentIntentRequiresAction, EventType::SetupIntentRequiresAction)
        }
        Progress::DepositsFailed | Progress::Blocked => {
            kind.event(EventType::PaymentIntentPaymentFailed, EventType::SetupIntentSetupFailed)
        }
        Progress::Processing => EventType::PaymentIntentProcessing,
        Progress::Succeeded => EventType::SetupIntentSucceeded,
    };
    changes.emit(&intent_object(intent.clone()), event);
}

fn failure_code(verification: Verification) -> &'static str {
    match verification {
        Verification::TimedOut => "payment_method_microdeposit_verification_timeout",
        _ => "payment_method_microdeposit_verification_attempts_exceeded",
    }
}

fn verification_error(verification: Verification, deposits: &Deposits) -> ApiError {
    let (message, code) = match (verification, deposits) {
        (Verification::Mismatch, Deposits::Amounts(_)) => (
            "The amounts given are not those of the deposits.",
            "payment_method_microdeposit_verification_amounts_mismatch",
        ),
        (Verification::Mismatch, Deposits::DescriptorCode(_)) => (
            "The code given is not that of the deposit.",
            "payment_method_microdeposit_verification_descriptor_code_mismatch",
        ),
        (Verification::TimedOut, _) => {
            ("The deposits were not verified in time.", failure_code(verification))
        }
        _ => ("Too many attempts to verify the deposits were wrong.", failure_code(verification)),
    };
    ApiError::invalid(message).code(code)
}
