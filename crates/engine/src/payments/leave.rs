//! The end of the objects of a deleted customer or connected account: subscriptions end, and open
//! Checkout Sessions expire, one commit each. After a crash in between, the deletion goes on with
//! the rest (`connections/deletion.rs`).

use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::limits::{PAGE_ROWS_MAX, STALE_RETRIES_MAX};
use model::payments::checkout::CheckoutSession;
use model::payments::subscription::Subscription;
use store::{Object, ObjectsOf, StoredObject};

impl Engine {
    /// Ends the subscriptions and open Checkout Sessions that match a filter.
    pub(crate) async fn end_all_of(&self, context: &Context, of: &ObjectsOf) -> Result<(), Error> {
        self.end_all::<Subscription>(context, of, |subscription| !subscription.is_over()).await?;
        self.end_all::<CheckoutSession>(context, of, CheckoutSession::is_open).await
    }

    async fn end_all<T: StoredObject>(
        &self,
        context: &Context,
        of: &ObjectsOf,
        goes_on: fn(&T::Object) -> bool,
    ) -> Result<(), Error> {
        let mut conflicts = 0;
        while conflicts < STALE_RETRIES_MAX {
            let (of, merchant, limit) = (of.clone(), context.merchant, PAGE_ROWS_MAX);
            let going_on = self.newest_where::<T>(merchant, of, limit, goes_on).await?;
            if going_on.is_empty() {
                return Ok(());
            }
            let mut all_ended = true;
            for object in going_on {
                all_ended &= self.end_one(context, T::into_object(object)).await?;
            }
            // Objects that have changed are read again. A round without conflicts counts as
            // progress.
            conflicts += u32::from(!all_ended);
        }
        Err(Error::Locked)
    }

    /// Ends an object. Returns false after a version conflict.
    async fn end_one(&self, context: &Context, object: Object) -> Result<bool, Error> {
        let quiet = context.without_reply();
        let now = self.moment(context.merchant, object.clock()).await?.now;
        let mut changes = Changes::of_deletion(&quiet, now);
        match object {
            Object::Subscription(subscription) => {
                let reason = "cancellation_requested";
                self.end_subscription(&quiet, subscription, reason, &mut changes).await?;
            }
            Object::Checkout(mut session) => {
                self.expire_open(&mut session, &mut changes).await?;
            }
            other => unreachable!("no {} is listed to be ended", other.kind().name()),
        }
        self.commit(&quiet, changes, &[]).await
    }
}
