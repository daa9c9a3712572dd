//! Refunds of charges that succeeded.
//!
//! A refund and its charge change in one commit, and the commit compares the version of the charge.
//! So two refunds together never exceed the charge, and a refund and a dispute exclude each other: a
//! disputed charge cannot be refunded, and a dispute fails the refunds that are still pending.

use crate::due_work::Worked;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::clock::{AccountTime, DAY_S, TestClock};
use model::event::{EventType, Snapshot};
use model::id::RefundId;
use model::limits::REFUNDS_MAX;
use model::money::Currency;
use model::payments::charge::{Charge, ChargeStatus};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use model::payments::refund::{REFUND_DAYS_MAX, Refund, RefundFailure, RefundReason, RefundStatus};
use model::stored::PaymentIntent;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::refund::value;

/// The params of a new refund.
#[derive(Clone, Debug)]
pub struct RefundInput {
    /// The charge.
    pub charge: Option<String>,
    /// The payment, in place of its charge.
    pub payment_intent: Option<String>,
    /// The amount in minor units. `None` for all that is left.
    pub amount: Option<i64>,
    /// The currency, which must be the charge's.
    pub currency: Option<String>,
    /// The reason.
    pub reason: Option<RefundReason>,
    /// The address for instructions to the holder.
    pub instructions_email: Option<String>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
}

/// The filter of a list of refunds.
#[derive(Clone, Debug)]
pub struct RefundFilter {
    /// Those of this charge.
    pub charge: Option<String>,
    /// Those of this Payment Intent.
    pub payment_intent: Option<String>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Refunds a charge, or a part of it.
    pub async fn create_refund(
        &self,
        context: &Context,
        input: &RefundInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_refund", async || {
            let before = self.charge_to_refund(context, input).await?;
            // A deleted clock never moves again, so a refund of its charges is in real time.
            let clock = match before.clock {
                Some(id) => self.find::<TestClock>(context.merchant, id.number()).await?,
                None => None,
            };
            let clock = clock.filter(|clock| !clock.deleted).map(|clock| clock.id);
            let mut changes = self.changes_on(context, clock).await?;
            let amount = amount_of(&before, input, changes.now)?;
            let id = RefundId::from_number(self.next_number());
            let mut refund = Refund::of(&before, clock, id, amount, changes.now);
            refund.reason = input.reason;
            refund.instructions_email.clone_from(&input.instructions_email);
            if let Some(change) = &input.metadata {
                change.apply(&mut refund.metadata)?;
            }
            let mut charge = before.clone();
            charge.version += 1;
            charge.amount_refunded += amount;
            charge.refunds += 1;
            let shown = value(&refund);
            changes.put_and_emit(Object::Refund(refund), EventType::RefundCreated, None);
            let previous = Some(Snapshot::Charge(Box::new(before)));
            changes.put_and_emit(Object::Charge(charge), EventType::ChargeRefunded, previous);
            self.commit_any(context, changes, bytes(context, shown)).await
        })
        .await
    }

    /// The charge that a request names. The charge of a payment is its last one.
    async fn charge_to_refund(
        &self,
        context: &Context,
        input: &RefundInput,
    ) -> Result<Charge, Error> {
        let intent = match &input.payment_intent {
            Some(id) => Some(self.get::<PaymentIntent>(context, id, "payment_intent").await?),
            None => None,
        };
        let (charge, param) = match (&input.charge, &intent) {
            (Some(id), _) => (Some(self.get::<Charge>(context, id, "charge").await?), "charge"),
            (None, Some(intent)) => (self.find_latest_charge(intent).await?, "payment_intent"),
            (None, None) => {
                let message = "One of the following params should be provided for this request: \
                               payment_intent or charge.";
                return Err(ApiError::invalid(message).code("parameter_missing").into());
            }
        };
        let of_charge = charge.as_ref().map(|charge| charge.payment_intent.to_string());
        let of_request = intent.map(|intent| intent.id());
        if let (Some(charge), Some(paid), Some(named)) = (&charge, &of_charge, &of_request)
            && paid != named
        {
            let message = format!("The charge {} is not of the payment {named}.", charge.id);
            return Err(ApiError::invalid(message).param("charge").into());
        }
        match charge {
            Some(charge) if charge.status == ChargeStatus::Succeeded => Ok(charge),
            _ => {
                let id = of_charge.or(of_request).unwrap_or_default();
                let message = format!(
                    "This PaymentIntent ({id}) does not have a successful charge to refund."
                );
                Err(ApiError::invalid(message).param(param).into())
            }
        }
    }

    /// Shows a refund.
    pub async fn retrieve_refund(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let refund = self.get::<Refund>(context, id, "refund").await?;
        self.unchanged(context, bytes(context, value(&refund))).await
    }

    /// Shows a refund of a charge.
    pub async fn retrieve_refund_of_charge(
        &self,
        context: &Context,
        charge: &str,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let charge = self.get::<Charge>(context, charge, "charge").await?;
        let refund = self.get::<Refund>(context, id, "refund").await?;
        if refund.charge != charge.id {
            return Err(ApiError::no_such("refund", id, "refund").into());
        }
        self.unchanged(context, bytes(context, value(&refund))).await
    }

    /// Lists refunds, the newest first.
    pub async fn list_refunds(
        &self,
        context: &Context,
        filter: &RefundFilter,
    ) -> Result<ApiResponse, Error> {
        let mut of = Vec::new();
        if let Some(id) = &filter.charge {
            let charge = self.get::<Charge>(context, id, "charge").await?;
            of.push(ObjectsOf::Lookup(charge.id.to_string()));
        }
        if let Some(id) = &filter.payment_intent {
            let intent = self.get::<PaymentIntent>(context, id, "payment_intent").await?;
            // Only the last charge of a payment can have succeeded, so the others have no refunds.
            of.push(match intent.latest_charge {
                Some(charge) => ObjectsOf::Lookup(charge.to_string()),
                None => ObjectsOf::Numbers(Vec::new()),
            });
        }
        let listed = self.list_in_all::<Refund>(context, of, filter.created, &filter.page).await?;
        self.list_values(context, "/v1/refunds", listed, value).await
    }

    /// Lists the refunds of a charge, the newest first.
    pub async fn list_refunds_of_charge(
        &self,
        context: &Context,
        id: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let charge = self.get::<Charge>(context, id, "charge").await?;
        let of = ObjectsOf::Lookup(charge.id.to_string());
        let listed = self.list::<Refund>(context, of, Bounds::default(), page).await?;
        self.list_values(context, &format!("/v1/charges/{id}/refunds"), listed, value).await
    }

    /// Changes the metadata of a refund.
    pub async fn update_refund(
        &self,
        context: &Context,
        id: &str,
        metadata: Option<&MetadataChange>,
    ) -> Result<ApiResponse, Error> {
        self.change("update_refund", async || {
            let before = self.get::<Refund>(context, id, "refund").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            let mut refund = before.clone();
            if let Some(change) = metadata {
                change.apply(&mut refund.metadata)?;
            }
            let shown = value(&refund);
            if refund != before {
                refund.version += 1;
                put_updated(refund, before, &mut changes);
            }
            self.commit_any(context, changes, bytes(context, shown)).await
        })
        .await
    }

    /// Rejects the cancellation of a refund. Only a refund that needs an action of the customer can be
    /// canceled, and a refund to a bank account needs none.
    pub async fn cancel_refund(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let refund = self.get::<Refund>(context, id, "refund").await?;
        let message = format!(
            "The refund is {}. Only a refund with the status requires_action can be canceled.",
            refund.status.word()
        );
        Err(ApiError::invalid(message).into())
    }

    /// Ends a refund, at its time. A failed one no longer counts as refunded money of its charge.
    pub(crate) async fn refund_due(
        &self,
        before: Refund,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        if before.settles_at.is_none_or(|at| at > now) {
            return Ok(Worked::Nothing);
        }
        let merchant = before.merchant;
        let Some(mut charge) = self.find::<Charge>(merchant, before.charge.number()).await? else {
            return Ok(Worked::Nothing);
        };
        let method = charge.payment_method.number();
        let method = self.find::<PaymentMethod>(merchant, method).await?;
        let behavior = method.map_or(PaymentBehavior::Succeeds, |method| method.behavior);
        let mut changes = Changes::of_work(now);
        let mut refund = before.clone();
        refund.version += 1;
        refund.settle(behavior);
        if refund.status == RefundStatus::Failed {
            charge.version += 1;
            charge.amount_refunded -= refund.amount;
            changes.put(Object::Charge(charge));
        }
        put_updated(refund, before, &mut changes);
        Ok(Worked::Item(changes.into_item()))
    }

    /// Fails the pending refunds of a charge that is disputed, except those that settle at the same
    /// time. The caller stores the charge.
    pub(crate) async fn fail_refunds(
        &self,
        charge: &mut Charge,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let of = ObjectsOf::Lookup(charge.id.to_string());
        let now = changes.now;
        let is_pending = |refund: &Refund| refund.settles_at.is_some_and(|at| at > now);
        let pending = self.newest_where::<Refund>(charge.merchant, of, REFUNDS_MAX, is_pending);
        for before in pending.await? {
            let mut refund = before.clone();
            refund.version += 1;
            refund.fail(RefundFailure::ChargeDisputed);
            charge.amount_refunded -= refund.amount;
            put_updated(refund, before, changes);
        }
        Ok(())
    }
}

/// Puts a changed refund, with the events of its change.
fn put_updated(refund: Refund, before: Refund, changes: &mut Changes) {
    let has_failed = refund.status == RefundStatus::Failed && before.status != RefundStatus::Failed;
    let object = Object::Refund(refund);
    let previous = Snapshot::Refund(Box::new(before));
    if has_failed {
        changes.put_and_emit(object.clone(), EventType::RefundFailed, None);
    }
    for event_type in [EventType::RefundUpdated, EventType::ChargeRefundUpdated] {
        changes.put_and_emit(object.clone(), event_type, Some(previous.clone()));
    }
}

/// The amount of a new refund of a charge that succeeded.
fn amount_of(charge: &Charge, input: &RefundInput, now: AccountTime) -> Result<i64, Error> {
    let id = charge.id;
    let reject = |message: String, code| Err(ApiError::invalid(message).code(code).into());
    if charge.disputed {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return reject(message, "charge_disputed");
    }
    if charge.is_refunded() {
        return reject(
            format!("Charge {id} has already been refunded."),
            "charge_already_refunded",
        );
    }
    if now > charge.created.plus(REFUND_DAYS_MAX * DAY_S) {
        let message = format!(
            "Charge {id} is older than {REFUND_DAYS_MAX} days and can no longer be refunded."
        );
        return reject(message, "charge_not_refundable");
    }
    if charge.refunds >= REFUNDS_MAX {
        let message = format!("Limit reached: at most {REFUNDS_MAX} refunds of a charge.");
        return reject(message, "charge_not_refundable");
    }
    let currency = charge.currency;
    if input.currency.as_ref().is_some_and(|given| Currency::parse(given) != Some(currency)) {
        let message = format!("The currency of the charge is {}.", currency.as_str());
        return Err(ApiError::invalid(message).param("currency").into());
    }
    let left = charge.amount_left();
    let amount = input.amount.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::integer_out_of_range("amount", 1, left).into());
    }
    if amount > left {
        let whole = if charge.amount_refunded == 0 {
            "charge amount"
        } else {
            "unrefunded amount on charge"
        };
        let message = format!(
            "Refund amount ({}) is greater than {whole} ({})",
            money(amount, currency),
            money(left, currency)
        );
        return Err(ApiError::invalid(message).param("amount").into());
    }
    Ok(amount)
}

/// An amount for a message.
fn money(amount: i64, currency: Currency) -> String {
    if currency == Currency::USD {
        return format!("${}", currency.decimal(amount));
    }
    format!("{} {}", currency.decimal(amount), currency.as_str().to_uppercase())
}
