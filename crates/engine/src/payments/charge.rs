//! Charges: the debits of Payment Intents. No call creates a charge. It follows from the
//! confirmation of an intent and is written in the commit that changes the intent.

use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::customer::Customer;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::id::ChargeId;
use model::payments::charge::{Charge, ChargeStatus};
use model::payments::intent::Intent;
use model::payments::payment_method::PaymentMethod;
use model::stored::{Filter, PaymentIntent};
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::charge::value;

/// The filter of a list of charges.
#[derive(Clone, Debug)]
pub struct ChargeFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those of this Payment Intent.
    pub payment_intent: Option<String>,
    /// Those with this group of transfers.
    pub transfer_group: Option<String>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

/// The params of an update.
#[derive(Clone, Debug)]
pub struct ChargeInput {
    /// The customer of a charge that has none.
    pub customer: Option<String>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// All params, to be echoed.
    pub given: ExtraParams,
}

impl Engine {
    /// Shows a charge.
    pub async fn retrieve_charge(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let charge = self.get::<Charge>(context, id, "charge").await?;
        self.unchanged(context, bytes(context, value(&charge))).await
    }

    /// Lists charges, the newest first.
    pub async fn list_charges(
        &self,
        context: &Context,
        filter: &ChargeFilter,
    ) -> Result<ApiResponse, Error> {
        let customer = self.of_customer(context, filter.customer.as_deref()).await?;
        let mut of = Vec::from_iter(customer);
        if let Some(id) = &filter.payment_intent {
            let intent = self.get::<PaymentIntent>(context, id, "payment_intent").await?;
            of.push(ObjectsOf::Lookup(intent.id()));
        }
        let group = filter.transfer_group.as_deref();
        of.extend(group.map(|group| ObjectsOf::value(Filter::TransferGroup, group)));
        let listed = self.list_in_all::<Charge>(context, of, filter.created, &filter.page).await?;
        self.list_values(context, "/v1/charges", listed, value).await
    }

    /// Changes the description, the metadata and other notes of a charge.
    pub async fn update_charge(
        &self,
        context: &Context,
        id: &str,
        input: &ChargeInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_charge", async || {
            let before = self.get::<Charge>(context, id, "charge").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            let mut charge = before.clone();
            if let Some(customer) = self.customer_of(context, input.customer.as_deref()).await? {
                if before.customer.is_some_and(|own| own != customer.id) {
                    let message = "The charge has a customer already, which cannot be replaced.";
                    return Err(ApiError::invalid(message).param("customer").into());
                }
                changes.require_exists::<Customer>(&customer);
                charge.customer = Some(customer.id);
            }
            if let Some(change) = &input.metadata {
                change.apply(&mut charge.metadata)?;
            }
            charge.given.update(input.given.clone());
            if charge != before {
                charge.version += 1;
                let previous = Some(Snapshot::Charge(Box::new(before.clone())));
                let object = Object::Charge(charge.clone());
                changes.put_and_emit(object, EventType::ChargeUpdated, previous);
            }
            self.commit_any(context, changes, bytes(context, value(&charge))).await
        })
        .await
    }

    /// Begins the charge of a debit.
    pub(crate) fn begin_charge(
        &self,
        intent: &mut Intent,
        method: &PaymentMethod,
        changes: &mut Changes,
    ) {
        let id = ChargeId::from_number(self.next_number());
        let Some(charge) = Charge::of(intent, method, id, changes.now) else { return };
        intent.latest_charge = Some(id);
        changes.put_and_emit(Object::Charge(charge), EventType::ChargePending, None);
    }

    /// Creates the failed charge of a blocked debit.
    pub(crate) fn block_charge(
        &self,
        intent: &mut Intent,
        method: &PaymentMethod,
        changes: &mut Changes,
    ) {
        let id = ChargeId::from_number(self.next_number());
        let Some(mut charge) = Charge::of(intent, method, id, changes.now) else { return };
        charge.end(intent);
        intent.latest_charge = Some(id);
        intent.fail_by(Some(id));
        changes.put_and_emit(Object::Charge(charge), EventType::ChargeFailed, None);
    }

    /// Ends the charge of a debit.
    pub(crate) async fn end_charge(
        &self,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let Some(mut charge) = self.find_latest_charge(intent).await? else { return Ok(()) };
        charge.version += 1;
        charge.end(intent);
        let event_type = match charge.status {
            ChargeStatus::Succeeded => EventType::ChargeSucceeded,
            _ => EventType::ChargeFailed,
        };
        changes.put_and_emit(Object::Charge(charge), event_type, None);
        Ok(())
    }

    /// Marks the charge of a reversed debit, and fails its pending refunds. Returns the
    /// disputed amount, which is zero if the whole charge was refunded. `None` if the intent has no
    /// charge.
    pub(crate) async fn dispute_charge(
        &self,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<Option<i64>, Error> {
        let Some(mut charge) = self.find_latest_charge(intent).await? else { return Ok(None) };
        changes.require_unchanged::<Charge>(&charge);
        self.fail_refunds(&mut charge, changes).await?;
        let amount = charge.amount_left();
        if amount > 0 {
            charge.version += 1;
            charge.disputed = true;
            changes.put(Object::Charge(charge));
        }
        Ok(Some(amount))
    }

    /// The charge of the last debit of an intent.
    pub(super) async fn find_latest_charge(
        &self,
        intent: &Intent,
    ) -> Result<Option<Charge>, Error> {
        match intent.latest_charge {
            Some(id) => self.find::<Charge>(intent.merchant, id.number()).await,
            None => Ok(None),
        }
    }
}
