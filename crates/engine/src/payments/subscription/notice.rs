//! Announcements before a period of a subscription ends: the end of a trial, and the invoice of a
//! renewal. The subscription records them in the commit of their events, so each is sent once.

use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::event::{EventType, Snapshot};
use model::id::InvoiceId;
use model::payments::invoice::{DRAFT_AGE_S, Invoice};
use model::payments::subscription::{CollectionMethod, Notice, Subscription};
use store::Object;

impl Engine {
    /// Announces the end of the current period.
    pub(super) async fn notice_period_end(
        &self,
        context: &Context,
        mut subscription: Subscription,
        notice: Notice,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        subscription.version += 1;
        subscription.noticed(notice);
        match notice {
            Notice::TrialEnd => {
                let object = Object::Subscription(subscription);
                changes.put_and_emit(object, EventType::SubscriptionTrialWillEnd, None);
            }
            Notice::Renewal => {
                match self.upcoming_invoice(context, &subscription, changes).await {
                    Ok(invoice) => changes.emit_upcoming(&subscription, invoice),
                    Err(Error::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
                changes.put(Object::Subscription(subscription));
            }
        }
        Ok(())
    }

    /// The invoice of the next period as it would be now. It is not stored and has no id.
    async fn upcoming_invoice(
        &self,
        context: &Context,
        subscription: &Subscription,
        changes: &mut Changes,
    ) -> Result<Invoice, Error> {
        let mut next = subscription.clone();
        next.renew();
        let mut invoice = self.draft_of_period(context, &next, &[], "upcoming", changes).await?;
        invoice.id = InvoiceId::from_number(0);
        invoice.upcoming = true;
        invoice.created = next.period.0;
        let charged = subscription.collection_method == CollectionMethod::ChargeAutomatically;
        invoice.advances_at = charged.then(|| next.period.0.plus(DRAFT_AGE_S));
        Ok(invoice)
    }
}

/// Announces the end of a trial that is shorter than the time of the announcement, when the
/// subscription is created.
pub(super) fn notice_short_trial(
    mut subscription: Subscription,
    changes: &mut Changes,
) -> Subscription {
    if subscription.notice_by(changes.now) == Some(Notice::TrialEnd) {
        subscription.noticed(Notice::TrialEnd);
        let object = Object::Subscription(subscription.clone());
        changes.put_and_emit(object, EventType::SubscriptionTrialWillEnd, None);
    }
    subscription
}

/// Pauses a subscription after its trial ended without a payment method.
pub(super) fn pause_subscription(
    before: Subscription,
    mut subscription: Subscription,
    changes: &mut Changes,
) -> Subscription {
    subscription.version = before.version + 1;
    subscription.pause();
    let object = Object::Subscription(subscription.clone());
    let previous = Some(Snapshot::Subscription(Box::new(before)));
    changes.put_and_emit(object.clone(), EventType::SubscriptionUpdated, previous);
    changes.put_and_emit(object, EventType::SubscriptionPaused, None);
    subscription
}
