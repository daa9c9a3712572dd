//! Mandates: the permission of a debit. Every confirmation needs one: a new one by `mandate_data`,
//! the one that the request names, or an active one from an earlier confirmation of the same
//! payment method and customer.
//!
//! A mandate is written in the commit of the confirmation, and changes in the commits that end its
//! debit, verify its account or open a dispute.

use crate::payments::Changes;
use crate::payments::intent::{Confirmation, IntentKind, kind_of};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::clock::AccountTime;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::id::{MandateId, PaymentMethodId};
use model::limits::PAGE_ROWS_MAX;
use model::money::Currency;
use model::payments::intent::{Intent, Purpose};
use model::payments::mandate::{Mandate, MandateKind, MandateStatus};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use model::stored::Filter;
use store::{Kind, Object, ObjectsOf};
use wire::error::Error as ApiError;

impl Engine {
    /// Shows a mandate.
    pub async fn retrieve_mandate(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let mandate = self.get::<Mandate>(context, id, "mandate").await?;
        let value = wire::render::payments::mandate::value(&mandate);
        self.unchanged(context, crate::payments::bytes(context, value)).await
    }

    /// The mandate of a confirmation. A new or changed one is put among the changes. `None` if the
    /// intent never debits the account.
    pub(crate) async fn mandate_of(
        &self,
        context: &Context,
        intent: &Intent,
        method: &PaymentMethod,
        confirmation: &Confirmation,
        changes: &mut Changes,
    ) -> Result<Option<MandateId>, Error> {
        if let Some(acceptance) = &confirmation.acceptance {
            let mandate = self.new_mandate(context, intent, method, acceptance, changes.now);
            let id = mandate.id;
            changes.put(Object::Mandate(mandate));
            return Ok(Some(id));
        }
        if let Some(id) = &confirmation.mandate {
            let mandate = self.get_unchanged::<Mandate>(context, changes, id, "mandate").await?;
            check_named(&mandate, intent, method)?;
            return Ok(Some(used_by(intent, mandate, changes)));
        }
        match self.find_mandate(intent, method.id, changes).await? {
            Some(mandate) => Ok(Some(used_by(intent, mandate, changes))),
            None if only_receives(intent) => Ok(None),
            None => Err(missing(confirmation.of_invoice_call).into()),
        }
    }

    /// An active mandate from an earlier confirmation that permits the debit of an intent. If there
    /// is none, there must still be none at the commit.
    pub(crate) async fn find_mandate(
        &self,
        intent: &Intent,
        method: PaymentMethodId,
        changes: &mut Changes,
    ) -> Result<Option<Mandate>, Error> {
        let merchant = intent.merchant;
        let of = ObjectsOf::value(Filter::MandateOfMethod, &method);
        let active = self.newest::<Mandate>(merchant, of, PAGE_ROWS_MAX).await?;
        if let Some(mandate) = active.iter().find(|mandate| mandate.covers(intent)) {
            changes.require_unchanged::<Mandate>(mandate);
            return Ok(Some(mandate.clone()));
        }
        let (filter, value) = (Filter::MandateOfMethod, method.to_string());
        let others = active.iter().map(|mandate| mandate.id.number()).collect();
        changes.require_none_with_value::<Mandate>(merchant, filter, value, others);
        Ok(None)
    }

    fn new_mandate(
        &self,
        context: &Context,
        intent: &Intent,
        method: &PaymentMethod,
        acceptance: &ExtraParams,
        now: AccountTime,
    ) -> Mandate {
        let single_use = single_use(intent);
        let kind =
            if single_use.is_some() { MandateKind::SingleUse } else { MandateKind::MultiUse };
        let is_blocked = method.behavior == PaymentBehavior::Blocked && intent.is_payment();
        let status = match method.behavior {
            _ if method.block.is_some() => MandateStatus::Inactive,
            _ if method.verified && is_blocked && single_use.is_some() => MandateStatus::Inactive,
            _ if method.verified => MandateStatus::Active,
            PaymentBehavior::MicrodepositsFail => MandateStatus::Inactive,
            _ => MandateStatus::Pending,
        };
        Mandate {
            id: MandateId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            clock: intent.clock,
            status,
            customer: intent.customer,
            payment_method: method.id,
            kind,
            single_use,
            unused: single_use.is_some() && !intent.is_payment(),
            acceptance: acceptance.clone(),
        }
    }

    /// Activates the mandate of an intent after its deposits were verified, or makes it inactive if
    /// they were not.
    pub(crate) async fn deposits_ended(
        &self,
        intent: &Intent,
        verified: bool,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let status = if verified { MandateStatus::Active } else { MandateStatus::Inactive };
        match self.find_mandate_of(intent, changes).await? {
            Some(mandate) if mandate.status == MandateStatus::Pending => {
                put_status(mandate, status, changes);
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes the single-use mandate of an intent inactive after its debit has ended.
    pub(crate) async fn single_use_ended(
        &self,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        match self.find_mandate_of(intent, changes).await? {
            Some(mandate)
                if mandate.kind == MandateKind::SingleUse
                    && mandate.status == MandateStatus::Active =>
            {
                put_status(mandate, MandateStatus::Inactive, changes);
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes all mandates of a payment method inactive after a dispute. A commit changes a page of
    /// them at most.
    pub(crate) async fn revoke_mandates(
        &self,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let Some(method) = intent.payment_method else { return Ok(()) };
        let of = ObjectsOf::value(Filter::MandateOfMethod, &method);
        let active = self.newest::<Mandate>(intent.merchant, of, PAGE_ROWS_MAX).await?;
        for mandate in active {
            put_status(mandate, MandateStatus::Inactive, changes);
        }
        match self.find_mandate_of(intent, changes).await? {
            Some(mandate) if mandate.status != MandateStatus::Inactive => {
                put_status(mandate, MandateStatus::Inactive, changes);
            }
            _ => {}
        }
        Ok(())
    }

    async fn find_mandate_of(
        &self,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<Option<Mandate>, Error> {
        match intent.mandate {
            Some(id) => self.find_unchanged::<Mandate>(intent.merchant, changes, id.number()).await,
            None => Ok(None),
        }
    }
}

/// The amount and currency of the one debit that a mandate of the intent permits. `None` for
/// repeated use.
fn single_use(intent: &Intent) -> Option<(i64, Currency)> {
    match intent.purpose {
        Purpose::Payment { amount, currency } => {
            (!intent.saves_method()).then_some((amount, currency))
        }
        Purpose::Setup => {
            let amount = intent.given.integer(&["single_use", "amount"])?;
            let currency = intent.given.text(&["single_use", "currency"])?;
            Currency::parse(currency).map(|currency| (amount, currency))
        }
    }
}

/// True if the account only receives payouts.
fn only_receives(intent: &Intent) -> bool {
    let directions = intent.given.texts(&["flow_directions"]).unwrap_or_default();
    !intent.is_payment() && directions == ["outbound"]
}

/// Notes that an intent uses a mandate. Returns its id.
fn used_by(intent: &Intent, mut mandate: Mandate, changes: &mut Changes) -> MandateId {
    let id = mandate.id;
    if mandate.unused && intent.is_payment() {
        mandate.unused = false;
        mandate.version = changes.raised(Kind::Mandate, id.number(), mandate.version);
        changes.put(Object::Mandate(mandate));
    }
    id
}

fn put_status(before: Mandate, status: MandateStatus, changes: &mut Changes) {
    let mut mandate = before.clone();
    mandate.version = changes.raised(Kind::Mandate, mandate.id.number(), mandate.version);
    mandate.status = status;
    let previous = Some(Snapshot::Mandate(Box::new(before)));
    changes.put_and_emit(Object::Mandate(mandate), EventType::MandateUpdated, previous);
}

/// Rejects a named mandate that does not permit the debit.
fn check_named(mandate: &Mandate, intent: &Intent, method: &PaymentMethod) -> Result<(), Error> {
    let reject = |message: String| {
        let code = match kind_of(intent) {
            IntentKind::Payment => "payment_intent_mandate_invalid",
            IntentKind::Setup => "setup_intent_mandate_invalid",
        };
        Err(ApiError::invalid(message).code(code).param("mandate").into())
    };
    if mandate.payment_method != method.id {
        return reject(format!("The mandate is not of the payment method {}.", method.id));
    }
    if mandate.customer.is_some() && mandate.customer != intent.customer {
        return reject("The mandate is of another customer. Send mandate_data instead.".to_owned());
    }
    if mandate.status != MandateStatus::Active {
        let status = mandate.status.word();
        return reject(format!(
            "The mandate is {status} and permits no debits. Send mandate_data for a new one."
        ));
    }
    if !mandate.covers(intent) {
        return reject(
            "The mandate is for the single use of another payment. Send mandate_data for a new \
             one."
                .to_owned(),
        );
    }
    Ok(())
}

/// The API error of a debit without a mandate.
pub(crate) fn missing(of_invoice_call: bool) -> ApiError {
    if of_invoice_call {
        let message = "A mandate is required to debit this bank account, and no active one was \
                       found for the payment method and the customer. Send the id of an active \
                       mandate as mandate, or confirm the Payment Intent of the invoice with \
                       mandate_data, which records the holder's acceptance.";
        return ApiError::invalid(message).param("mandate");
    }
    let message = "A mandate is required to debit this bank account, and no active one was found \
                   for the payment method and the customer. Send mandate_data, which records the \
                   holder's acceptance, such as mandate_data[customer_acceptance][type]=offline, \
                   or the id of an active mandate as mandate.";
    ApiError::invalid(message).param("mandate_data")
}
