//! Disputes: debits that had succeeded and were taken back. Nobody makes them by a call: the test
//! account decides, and the days of its clock.

use crate::due::Worked;
use crate::list::list_body;
use crate::payments::intent::IntentKind;
use crate::payments::{Changes, Seen, bytes, intent_object};
use crate::{Answer, Context, Engine, Error};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::DisputeId;
use model::payments::dispute::Dispute;
use model::payments::intent::Intent;
use store::{Bounds, ClockItem, FindObject, Kind, ListObjects, Object, ObjectsOf};
use wire::error::Error as Refusal;
use wire::expand::Expand;
use wire::list::PageParams;
use wire::render::given::Expanded;

/// Which disputes a list holds.
#[derive(Clone, Debug)]
pub struct DisputeFilter {
    /// Those of a charge. There are no charges, so none.
    pub charge: Option<String>,
    /// Those of this Payment Intent.
    pub payment_intent: Option<String>,
    /// Those that came within.
    pub created: Bounds,
    /// Which page.
    pub page: PageParams,
}

impl Engine {
    /// Shows a dispute.
    pub async fn retrieve_dispute(&self, context: &Context, given: &str) -> Result<Answer, Error> {
        let missing = || Error::from(Refusal::no_such("dispute", given, "dispute"));
        let id: DisputeId = given.parse().map_err(|_| missing())?;
        let (merchant, kind) = (context.merchant, Kind::Dispute);
        let find = FindObject { merchant, kind, number: id.number() };
        let Some(Object::Dispute(dispute)) = self.store.read(find).await? else {
            return Err(missing());
        };
        Ok(Answer::unchanged(self.dispute_body(context, &dispute, &context.expand).await?))
    }

    /// Lists disputes, the newest first.
    pub async fn list_disputes(
        &self,
        context: &Context,
        filter: &DisputeFilter,
    ) -> Result<Answer, Error> {
        let of = match (&filter.charge, &filter.payment_intent) {
            (Some(_), _) => ObjectsOf::Lookup(String::new()),
            (None, Some(given)) => {
                let kind = IntentKind::Payment;
                let intent = self.get_intent(context, kind, given, "payment_intent").await?;
                ObjectsOf::Lookup(intent.id())
            }
            (None, None) => ObjectsOf::All,
        };
        let page = self.object_page(context, Kind::Dispute, &filter.page).await?;
        let (merchant, created) = (context.merchant, filter.created);
        let list = ListObjects { merchant, kind: Kind::Dispute, of, created, page };
        let listed = self.store.read(list).await?;
        let expand = context.expand.inside("data");
        let mut bodies = Vec::with_capacity(listed.items.len());
        for object in &listed.items {
            if let Object::Dispute(dispute) = object {
                bodies.push(self.dispute_body(context, dispute, &expand).await?);
            }
        }
        Ok(Answer::unchanged(list_body("/v1/disputes", listed.has_more, &bodies)))
    }

    async fn dispute_body(
        &self,
        context: &Context,
        dispute: &Dispute,
        expand: &Expand,
    ) -> Result<Vec<u8>, Error> {
        let mut expanded = Expanded::new();
        if expand.wants("payment_intent") {
            let id = dispute.payment_intent.to_string();
            let kind = IntentKind::Payment;
            let intent = self.get_intent(context, kind, &id, "payment_intent").await?;
            let inside = expand.inside("payment_intent");
            let seen = Seen::by_merchant(&inside);
            let value = self.intent_value(context, &intent, &Changes::default(), seen).await?;
            expanded.insert("payment_intent", value);
        }
        Ok(bytes(&wire::render::payments::dispute::value(dispute, &expanded)))
    }

    /// A debit that has succeeded is taken back, at its time. What it paid for stays paid, as the
    /// merchant has to see to that.
    pub(crate) fn dispute_due(&self, mut intent: Intent, now: AccountTime) -> Worked {
        if intent.disputed_at.is_none_or(|at| at > now) {
            return Worked::Nothing;
        }
        intent.disputed_at = None;
        intent.version += 1;
        let id = DisputeId::from_number(self.next_number());
        let Some(dispute) = Dispute::of(&intent, id, now) else { return Worked::Nothing };
        let mut changes = Changes::default();
        let object = Object::Dispute(dispute);
        changes.tell(&object, EventType::ChargeDisputeCreated, now, None);
        changes.tell(&object, EventType::ChargeDisputeClosed, now, None);
        changes.put(object);
        changes.put(intent_object(intent));
        let Changes { objects, events } = changes;
        Worked::Item(ClockItem::Objects { objects, events })
    }
}
