//! The end of the objects of a deleted customer or connected account: subscriptions end, and open
//! Checkout Sessions expire, one commit each. After a crash in between, the deletion goes on with
//! the rest (`connections/deletion.rs`).

use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::Word;
use model::customer::Customer;
use model::id::CustomerId;
use model::limits::{PAGE_ROWS_MAX, STALE_RETRIES_MAX};
use model::payments::checkout::{CheckoutSession, CheckoutStatus};
use model::payments::subscription::Subscription;
use model::stored::Filter;
use store::{
    Bounds, Cursor, Kind, ListObjects, Listed, Object, ObjectKey, ObjectsOf, Page, Precondition,
    StoredObject,
};

impl Engine {
    /// Ends the subscriptions and open Checkout Sessions of a customer, while the deletion of this
    /// parent is in progress.
    pub(crate) async fn end_all_of_customer(
        &self,
        context: &Context,
        customer: CustomerId,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        let of = ObjectsOf::value(Filter::UnfinishedOfCustomer, &customer);
        self.end_all::<Subscription>(context, &of, parent).await?;
        self.end_all::<CheckoutSession>(context, &of, parent).await
    }

    /// Ends the subscriptions and open Checkout Sessions of the caller's account, while the deletion of
    /// this parent is in progress.
    pub(crate) async fn end_all_of_account(
        &self,
        context: &Context,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        let mut list = ListObjects {
            merchant: context.merchant,
            kind: Kind::Customer,
            of: ObjectsOf::All,
            created: Bounds::default(),
            page: Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest },
        };
        loop {
            let Listed { items, has_more } = self.store.read(list.clone()).await?;
            for customer in items.iter().filter_map(Customer::of_object) {
                self.end_all_of_customer(context, customer.id, parent).await?;
            }
            match items.last() {
                Some(oldest) if has_more => list.page.cursor = Cursor::After(oldest.place()),
                _ => break,
            }
        }
        // A Checkout Session need not have a customer.
        let open = ObjectsOf::value(Filter::Status, CheckoutStatus::Open.word());
        self.end_all::<CheckoutSession>(context, &open, parent).await
    }

    async fn end_all<T: StoredObject>(
        &self,
        context: &Context,
        of: &ObjectsOf,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        let mut conflicts = 0;
        while conflicts < STALE_RETRIES_MAX {
            let Some(in_progress) = self.deletion_in_progress(parent).await? else {
                return Ok(());
            };
            let unfinished = self.newest::<T>(context.merchant, of.clone(), PAGE_ROWS_MAX).await?;
            if unfinished.is_empty() {
                return Ok(());
            }
            let mut all_ended = true;
            for object in unfinished {
                all_ended &=
                    self.end_one(context, T::into_object(object), in_progress.clone()).await?;
            }
            // Objects that have changed are read again. A round without conflicts counts as
            // progress.
            conflicts += u32::from(!all_ended);
        }
        Err(Error::Locked)
    }

    /// Ends an object. Returns false after a version conflict.
    async fn end_one(
        &self,
        context: &Context,
        object: Object,
        in_progress: Precondition,
    ) -> Result<bool, Error> {
        let quiet = context.without_reply();
        let now = self.moment(context.merchant, object.clock()).await?.now;
        let mut changes = Changes::of_deletion(&quiet, now);
        changes.requires.push(in_progress);
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
