//! What a customer who is deleted leaves behind: subscriptions end, and Checkout Sessions that wait
//! for them expire. One commit each, before that of the deletion; after a crash in between the
//! deletion can be repeated.

use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::id::CustomerId;
use store::{Bounds, Cursor, Kind, ListObjects, Object, ObjectsOf, Page};

impl Engine {
    /// Ends all that waits for a customer or goes on for them.
    pub(crate) async fn end_all_of_customer(
        &self,
        context: &Context,
        customer: CustomerId,
    ) -> Result<(), Error> {
        for kind in [Kind::Subscription, Kind::Checkout] {
            self.end_all(context, customer, kind).await?;
        }
        Ok(())
    }

    async fn end_all(
        &self,
        context: &Context,
        customer: CustomerId,
        kind: Kind,
    ) -> Result<(), Error> {
        let list = ListObjects {
            merchant: context.merchant,
            kind,
            of: ObjectsOf::Customer(customer),
            created: Bounds::default(),
            page: Page { limit: model::limits::PAGE_ROWS_MAX, cursor: Cursor::Newest },
        };
        let mut stale = 0;
        while stale < model::limits::STALE_RETRIES_MAX {
            let listed = self.list_kept(list.clone(), goes_on).await?;
            if listed.items.is_empty() {
                return Ok(());
            }
            let mut all_ended = true;
            for object in listed.items {
                all_ended &= self.end_one(context, object).await?;
            }
            // What changed meanwhile is read again; each round that ends all it read is progress.
            stale += u32::from(!all_ended);
        }
        Err(Error::Locked)
    }

    /// Whether it ended; else it has changed since it was read.
    async fn end_one(&self, context: &Context, object: Object) -> Result<bool, Error> {
        let quiet = context.without_reply();
        let mut changes = Changes::default();
        match object {
            Object::Subscription(held) => {
                let now = self.moment(context.merchant, held.clock).await?.now;
                let reason = "cancellation_requested";
                self.end_subscription(&quiet, held, reason, now, &mut changes).await?;
            }
            Object::Checkout(mut session) => {
                let now = self.moment(context.merchant, session.clock).await?.now;
                let cause = quiet.cause();
                self.expire_open(&mut session, now, Some(&cause), &mut changes).await?;
            }
            _ => return Ok(true),
        }
        self.commit(&quiet, changes, &[]).await
    }
}

fn goes_on(object: &Object) -> bool {
    match object {
        Object::Subscription(held) => !held.is_over(),
        Object::Checkout(session) => session.is_open(),
        _ => false,
    }
}
