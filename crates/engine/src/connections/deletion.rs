//! Deletions of parents: customers, test clocks and connected accounts.
//!
//! A deletion has three steps:
//!
//! 1. One commit marks the parent as deleted. From then on it gains no child, because the commands
//!    of its children require that it exists. Calls no longer find it.
//! 2. Its children end, one commit each: accounts are disconnected, subscriptions are canceled, and
//!    open Checkout Sessions expire.
//! 3. One commit emits the event, removes personal data and stores the response.
//!
//! After a crash in between, a repeated call goes on where the first one stopped. So does the
//! scheduler, [`DELETION_TAKEOVER_S`] after the first step. Of several calls only the one that
//! commits the third step succeeds.
//!
//! Each commit of the second step requires that the deletion is still in progress. So a deletion stops
//! if a restore undoes its first step meanwhile. Its call then succeeds, as if it had ended before the
//! restore.

use crate::connections::clock::clock_deleted;
use crate::context::render;
use crate::payments::{Changes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::account::Holder;
use model::clock::{AccountTime, ClockStatus, TestClock};
use model::connected_account::{ConnectedAccount, PlatformTie};
use model::customer::{Customer, TaxExempt};
use model::event::EventType;
use model::id::{ClockId, CustomerId};
use model::limits::{
    CLOCK_CUSTOMER_PAGES_MAX, CLOCK_STEP_ITEMS_MAX, DELETION_TAKEOVER_S, PAGE_ROWS_MAX,
};
use model::payments::intent::Intent;
use model::payments::refund::Refund;
use model::stored::Stored;
use store::{
    AccountsOf, FindObject, Kind, ListDueOnClock, Object, ObjectKey, ObjectsOf, Precondition,
};
use wire::error::Error as ApiError;

impl Engine {
    /// Deletes a customer.
    pub async fn delete_customer(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let customer = self.get_with_deleted::<Customer>(context, id, "id").await?;
        let body = self.remove_customer(context, customer.id, None).await?;
        body.map(ApiResponse::committed)
            .ok_or_else(|| ApiError::no_such("customer", id, "id").into())
    }

    /// Deletes a customer, as a part of the deletion of its clock if one is named. Returns the body of
    /// the response, or `None` if the customer is deleted already.
    async fn remove_customer(
        &self,
        context: &Context,
        id: CustomerId,
        clock: Option<ObjectKey>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let marked = self.change("delete_customer", async || {
            let in_progress = match clock {
                Some(clock) => match self.deletion_in_progress(clock).await? {
                    Some(in_progress) => Some(in_progress),
                    None => return Ok(Some(false)),
                },
                None => None,
            };
            let found = self.find::<Customer>(context.merchant, id.number()).await?;
            let Some(mut customer) = found else { return Ok(Some(false)) };
            if customer.deleted {
                return Ok(Some(customer.deletion_due.is_some()));
            }
            let mut changes = self.changes_on(context, customer.test_clock).await?;
            changes.requires.extend(in_progress);
            customer.deleted = true;
            customer.deletion_due = Some(self.deletion_due());
            customer.version += 1;
            changes.put(Object::Customer(customer));
            let committed = self.commit(&context.without_reply(), changes, &[]).await?;
            Ok(committed.then_some(true))
        });
        if marked.await? { self.complete_customer(context, id).await } else { Ok(None) }
    }

    /// Completes the deletion of a customer. Returns `None` if another call has completed it.
    async fn complete_customer(
        &self,
        context: &Context,
        id: CustomerId,
    ) -> Result<Option<Vec<u8>>, Error> {
        let of = AccountsOf::Holder(Holder::Customer(id));
        let (merchant, number) = (context.merchant, id.number());
        let parent = ObjectKey { merchant, kind: Kind::Customer, number };
        self.disconnect_all(context, of, parent).await?;
        self.end_all_of_customer(context, id, parent).await?;
        self.change("complete_customer_deletion", async || {
            let body = render(|w| wire::render::deleted::write(w, &id, "customer"));
            let found = self.find::<Customer>(merchant, number).await?;
            let is_restored = found.as_ref().is_some_and(|customer| !customer.deleted);
            let Some(customer) = found.filter(|customer| customer.deletion_due.is_some()) else {
                return Ok(Some(is_restored.then_some(body)));
            };
            let now = self.moment(context.merchant, customer.test_clock).await?.now;
            let mut changes = Changes::of_deletion(context, now);
            let version = customer.version + 1;
            // The event shows the customer before the deletion.
            let before = Customer { version, deleted: false, deletion_due: None, ..customer };
            let before = Object::Customer(before);
            changes.emit(&before, EventType::CustomerDeleted);
            if let Object::Customer(customer) = before {
                changes.put(Object::Customer(without_personal_data(customer)));
            }
            Ok(self.commit(context, changes, &body).await?.then_some(Some(body)))
        })
        .await
    }

    /// Deletes a clock with its customers, and disconnects their accounts.
    pub async fn delete_clock(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let clock = self.clock_param_with_deleted(context, id, "test_clock").await?;
        let (merchant, number) = (context.merchant, clock.id.number());
        let marked = self.change("delete_clock", async || {
            let found = self.find::<TestClock>(merchant, number).await?;
            let Some(mut clock) = found else { return Ok(Some(false)) };
            if clock.deleted {
                return Ok(Some(clock.deletion_due.is_some()));
            }
            if clock.status == ClockStatus::Advancing {
                return Err(Error::Locked);
            }
            let mut changes = Changes::of_call(context, clock.frozen_time);
            clock.deleted = true;
            clock.deletion_due = Some(self.deletion_due());
            clock.version += 1;
            changes.put(Object::TestClock(clock));
            let committed = self.commit(&context.without_reply(), changes, &[]).await?;
            Ok(committed.then_some(true))
        });
        let missing = || ApiError::no_such("test clock", id, "test_clock");
        let completed =
            if marked.await? { self.complete_clock(context, clock.id).await? } else { None };
        Ok(ApiResponse::committed(completed.ok_or_else(missing)?))
    }

    /// Completes the deletion of a clock. Returns `None` if another call has completed it.
    async fn complete_clock(
        &self,
        context: &Context,
        id: ClockId,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (merchant, number) = (context.merchant, id.number());
        let parent = ObjectKey { merchant, kind: Kind::TestClock, number };
        self.disconnect_all(context, AccountsOf::Clock(id), parent).await?;
        self.delete_customers_of(context, id, parent).await?;
        self.leave_clock(context, id, parent).await?;
        self.change("complete_clock_deletion", async || {
            let Some(mut clock) = self.find::<TestClock>(merchant, number).await? else {
                return Ok(Some(None));
            };
            if clock.deletion_due.is_none() {
                return Ok(Some((!clock.deleted).then(|| clock_deleted(&clock))));
            }
            clock.deletion_due = None;
            clock.version += 1;
            let body = clock_deleted(&clock);
            let mut changes = Changes::of_deletion(context, clock.frozen_time);
            changes.put_and_emit(Object::TestClock(clock), EventType::TestClockDeleted, None);
            Ok(self.commit(context, changes, &body).await?.then_some(Some(body)))
        })
        .await
    }

    async fn delete_customers_of(
        &self,
        context: &Context,
        clock: ClockId,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        // Each round deletes the customers that it lists, so the first page is always the next.
        for _ in 0..=CLOCK_CUSTOMER_PAGES_MAX {
            let of = ObjectsOf::on_clock(Some(clock));
            let (merchant, limit) = (context.merchant, PAGE_ROWS_MAX);
            let customers = self.newest::<Customer>(merchant, of, limit).await?;
            if customers.is_empty() || self.deletion_in_progress(parent).await?.is_none() {
                return Ok(());
            }
            let plain = context.without_reply();
            for customer in customers {
                // Another call that deletes it at the same time does the same.
                self.remove_customer(&plain, customer.id, Some(parent)).await?;
            }
        }
        Err(Error::Locked)
    }

    /// Moves the objects with due work that stay to real time, because the clock never moves again.
    /// These are debits under way and pending refunds.
    async fn leave_clock(
        &self,
        context: &Context,
        clock: ClockId,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        let list = ListDueOnClock {
            merchant: context.merchant,
            clock,
            until: AccountTime(i64::MAX),
            limit: CLOCK_STEP_ITEMS_MAX,
        };
        // Each round moves the objects that it lists.
        for _ in 0..=CLOCK_CUSTOMER_PAGES_MAX {
            let staying = self.store.read(list).await?.objects;
            if staying.is_empty() || self.deletion_in_progress(parent).await?.is_none() {
                return Ok(());
            }
            for object in staying {
                let leaves = matches!(
                    object,
                    Object::PaymentIntent(_) | Object::SetupIntent(_) | Object::Refund(_)
                );
                if leaves {
                    self.take_off_clock(context, &object, clock, parent).await?;
                } else if let Some(customer) = object.customer() {
                    // Another call deletes its customer at the same time and has not ended it yet.
                    let plain = context.without_reply();
                    self.end_all_of_customer(&plain, customer, parent).await?;
                }
            }
        }
        Err(Error::Locked)
    }

    /// Moves an intent or a refund from a clock to real time.
    async fn take_off_clock(
        &self,
        context: &Context,
        listed: &Object,
        clock: ClockId,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        let (merchant, kind, number) = (listed.merchant(), listed.kind(), listed.number());
        self.change("leave_clock", async || {
            let Some(in_progress) = self.deletion_in_progress(parent).await? else {
                return Ok(Some(()));
            };
            let found = self.store.read(FindObject { merchant, kind, number }).await?;
            let Some(object) = found.filter(|object| object.clock() == Some(clock)) else {
                return Ok(Some(()));
            };
            let version = object.version() + 1;
            let mut changes = Changes::of_deletion(context, self.clock.account_now());
            changes.requires.push(in_progress);
            changes.put(match object {
                Object::PaymentIntent(intent) | Object::SetupIntent(intent) => {
                    intent_object(Intent { version, clock: None, ..intent })
                }
                Object::Refund(refund) => Object::Refund(Refund { version, clock: None, ..refund }),
                other => unreachable!("a {} does not leave its clock", other.kind().name()),
            });
            let plain = context.without_reply();
            Ok(self.commit(&plain, changes, &[]).await?.then_some(()))
        })
        .await
    }

    /// Deletes a connected account. Calls cannot act in it afterwards.
    pub async fn delete_connected_account(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let account = self.get_connected_with_deleted(context, id).await?;
        let (platform, number) = (account.merchant, account.number());
        let marked = self.change("delete_connected_account", async || {
            let found = self.find::<ConnectedAccount>(platform, number).await?;
            let Some(mut account) = found else { return Ok(Some(false)) };
            if account.deleted {
                return Ok(Some(account.deletion_due.is_some()));
            }
            let mut changes = Changes::of_deletion(context, self.clock.account_now());
            let tie = self.find::<PlatformTie>(account.acts_as(), PlatformTie::NUMBER).await?;
            if let Some(tie) = tie {
                let version = tie.version + 1;
                changes.put(Object::PlatformTie(PlatformTie { version, deleted: true, ..tie }));
            }
            account.deleted = true;
            account.deletion_due = Some(self.deletion_due());
            account.version += 1;
            changes.put(Object::ConnectedAccount(account));
            let committed = self.commit(&context.without_reply(), changes, &[]).await?;
            Ok(committed.then_some(true))
        });
        let completed =
            if marked.await? { self.complete_connected(context, account).await? } else { None };
        Ok(ApiResponse::committed(completed.ok_or_else(|| ApiError::account_invalid(id))?))
    }

    /// Completes the deletion of a connected account. Returns `None` if another call has completed
    /// it.
    async fn complete_connected(
        &self,
        context: &Context,
        account: ConnectedAccount,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (platform, number) = (account.merchant, account.number());
        let parent = ObjectKey { merchant: platform, kind: Kind::ConnectedAccount, number };
        let inside = Context { merchant: account.acts_as(), ..context.without_reply() };
        self.disconnect_all(&inside, AccountsOf::Merchant, parent).await?;
        self.end_all_of_account(&inside, parent).await?;
        // The platform may have linked bank accounts of the connected account.
        let outside = Context { merchant: platform, ..context.without_reply() };
        let of = AccountsOf::Holder(Holder::Account(account.account));
        self.disconnect_all(&outside, of, parent).await?;
        self.change("complete_connected_account_deletion", async || {
            let Some(mut account) = self.find::<ConnectedAccount>(platform, number).await? else {
                return Ok(Some(None));
            };
            let body = render(|w| wire::render::deleted::write(w, &account.account, "account"));
            if account.deletion_due.is_none() {
                return Ok(Some((!account.deleted).then_some(body)));
            }
            account.deletion_due = None;
            account.version += 1;
            let mut changes = Changes::of_deletion(context, self.clock.account_now());
            changes.put(Object::ConnectedAccount(account));
            Ok(self.commit(context, changes, &body).await?.then_some(Some(body)))
        })
        .await
    }

    /// Completes a deletion whose call died.
    pub(crate) async fn complete_deletion(&self, object: Object) -> Result<(), Error> {
        match object {
            Object::Customer(customer) => {
                let context = Context::by_itself(customer.merchant, customer.livemode);
                self.complete_customer(&context, customer.id).await?;
            }
            Object::TestClock(clock) => {
                let context = Context::by_itself(clock.merchant, false);
                self.complete_clock(&context, clock.id).await?;
            }
            Object::ConnectedAccount(account) => {
                let context = Context::by_itself(account.merchant, account.livemode);
                self.complete_connected(&context, account).await?;
            }
            other => unreachable!("no deletion of a {} has several steps", other.kind().name()),
        }
        Ok(())
    }

    /// The fact that the deletion of a parent is in progress, or `None` if it has ended or a restore
    /// has undone it.
    pub(crate) async fn deletion_in_progress(
        &self,
        parent: ObjectKey,
    ) -> Result<Option<Precondition>, Error> {
        let ObjectKey { merchant, kind, number } = parent;
        let Some(object) = self.store.read(FindObject { merchant, kind, number }).await? else {
            return Ok(None);
        };
        let due = match &object {
            Object::Customer(customer) => customer.deletion_due,
            Object::TestClock(clock) => clock.deletion_due,
            Object::ConnectedAccount(account) => account.deletion_due,
            other => unreachable!("no deletion of a {} has several steps", other.kind().name()),
        };
        Ok(due.map(|_| Precondition::Version(parent, object.version())))
    }

    /// The time at which the scheduler takes over a deletion that begins now.
    fn deletion_due(&self) -> AccountTime {
        self.clock.account_now().plus(DELETION_TAKEOVER_S)
    }
}

/// A deleted customer, with its id and the balance that invoices refer to. Its event shows the rest.
fn without_personal_data(customer: Customer) -> Customer {
    Customer {
        deleted: true,
        address: None,
        business_name: None,
        description: None,
        email: None,
        individual_name: None,
        metadata: std::collections::BTreeMap::new(),
        name: None,
        phone: None,
        preferred_locales: Vec::new(),
        shipping: None,
        tax_exempt: TaxExempt::None,
        ..customer
    }
}
