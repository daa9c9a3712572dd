//! Disputes: debits that had succeeded and were taken back. No call makes a dispute. It follows
//! from the test account and the days of its clock.

use crate::due_work::Worked;
use crate::payments::{Changes, bytes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::DisputeId;
use model::payments::charge::Charge;
use model::payments::dispute::Dispute;
use model::payments::intent::Intent;
use model::stored::PaymentIntent;
use store::{Bounds, Object, ObjectsOf};
use wire::list::PageParams;
use wire::render::payments::dispute::value;

/// The filter of a list of disputes.
#[derive(Clone, Debug)]
pub struct DisputeFilter {
    /// Those of this charge.
    pub charge: Option<String>,
    /// Those of this Payment Intent.
    pub payment_intent: Option<String>,
    /// Those that came within.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Shows a dispute.
    pub async fn retrieve_dispute(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let dispute = self.get::<Dispute>(context, id, "dispute").await?;
        self.unchanged(context, bytes(context, value(&dispute))).await
    }

    /// Lists disputes, the newest first.
    pub async fn list_disputes(
        &self,
        context: &Context,
        filter: &DisputeFilter,
    ) -> Result<ApiResponse, Error> {
        let mut of = Vec::new();
        if let Some(id) = &filter.payment_intent {
            let intent = self.get::<PaymentIntent>(context, id, "payment_intent").await?;
            of.push(ObjectsOf::Lookup(intent.id()));
        }
        let (created, page) = (filter.created, &filter.page);
        let listed = match &filter.charge {
            Some(id) => {
                let charge = self.get::<Charge>(context, id, "charge").await?;
                // An intent has few disputes, so the lookup by the charge is the one by its intent.
                of.push(ObjectsOf::Lookup(charge.payment_intent.to_string()));
                let is_of = |dispute: &Dispute| dispute.charge() == charge.id;
                self.list_where::<Dispute>(context, of, created, page, is_of).await?
            }
            None => self.list_in_all::<Dispute>(context, of, created, page).await?,
        };
        self.list_values(context, "/v1/disputes", listed, value).await
    }

    /// Takes a successful debit back, at its time, as far as it is not refunded. Invoices that it paid
    /// stay paid, because the merchant has to handle the dispute.
    pub(crate) async fn dispute_due(
        &self,
        mut intent: Intent,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        if intent.disputed_at.is_none_or(|at| at > now) {
            return Ok(Worked::Nothing);
        }
        intent.disputed_at = None;
        intent.version += 1;
        let id = DisputeId::from_number(self.next_number());
        let Some(mut dispute) = Dispute::of(&intent, id, now) else {
            return Ok(Worked::Nothing);
        };
        let mut changes = Changes::of_work(now);
        let amount = self.dispute_charge(&intent, &mut changes).await?;
        dispute.amount = amount.unwrap_or(dispute.amount);
        if dispute.amount > 0 {
            self.revoke_mandates(&intent, &mut changes).await?;
            let object = Object::Dispute(dispute);
            changes.emit(&object, EventType::ChargeDisputeCreated);
            changes.emit(&object, EventType::ChargeDisputeClosed);
            changes.put(object);
        }
        changes.put(intent_object(intent));
        Ok(Worked::Item(changes.into_item()))
    }
}
