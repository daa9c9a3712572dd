//! Changes: the objects that a use case writes in one commit with their events, and the facts that
//! its decision rests on.
//!
//! A use case collects both while it reads and decides, and passes them to one command. If a fact is
//! no longer true at the commit, the command writes no rows and the use case begins again.

use crate::events::next_position;
use crate::{ApiResponse, Context, Engine, Error, Moment};
use model::account::Account;
use model::clock::AccountTime;
use model::connected_account::PlatformTie;
use model::customer::Customer;
use model::event::{Cause, Event, EventType, Happened, Snapshot};
use model::id::{ClockId, MerchantId};
use model::payments::intent::Intent;
use model::payments::invoice::Invoice;
use model::payments::subscription::Subscription;
use model::session::SessionCopy;
use model::stored::{Filter, PaymentIntent, SetupIntent, Stored};
use store::{
    ChangeObjects, Changed, ClockItem, IdempotencyRecord, Kind, Object, ObjectKey, Precondition,
    StoredObject,
};

/// Objects that change together, with the time and the cause of their events.
pub(crate) struct Changes {
    pub(crate) objects: Vec<Object>,
    pub(crate) events: Vec<Event>,
    /// The facts that the decision rests on, besides the versions of the objects.
    pub(crate) requires: Vec<Precondition>,
    /// The account time of the change.
    pub(crate) now: AccountTime,
    /// The call that makes the change. `None` for due work.
    pub(crate) cause: Option<Cause>,
}

impl Changes {
    /// The changes of a call, none yet. They require that the caller's account is not deleted. A
    /// connected account must also exist, because a reset of its platform removes it.
    pub(crate) fn of_call(context: &Context, now: AccountTime) -> Self {
        let (kind, number) = (Kind::PlatformTie, PlatformTie::NUMBER);
        let tie = ObjectKey { merchant: context.merchant, kind, number };
        let is_inside =
            context.connected.as_ref().is_some_and(|one| one.merchant == context.merchant);
        let tied = if is_inside { Precondition::Exists } else { Precondition::NotDeleted };
        let requires = vec![tied(tie)];
        Self { requires, cause: context.cause(), ..Self::of_work(now) }
    }

    /// The changes of a deletion, none yet. The caller's account may be deleted already.
    pub(crate) fn of_deletion(context: &Context, now: AccountTime) -> Self {
        Self { cause: context.cause(), ..Self::of_work(now) }
    }

    /// The changes of a call at a moment, none yet. They require that its clock has not moved.
    pub(crate) fn at(context: &Context, moment: Moment) -> Self {
        let mut changes = Self::of_call(context, moment.now);
        let clock = moment.clock.map(|(key, version)| Precondition::Version(key, version));
        changes.requires.extend(clock);
        changes
    }

    /// The changes of due work, none yet.
    pub(crate) fn of_work(now: AccountTime) -> Self {
        Self { objects: Vec::new(), events: Vec::new(), requires: Vec::new(), now, cause: None }
    }

    /// Changes at the same time by the same cause, none yet. The caller may drop them.
    pub(crate) fn trial(&self) -> Self {
        let (cause, requires) = (self.cause.clone(), self.requires.clone());
        Self { requires, cause, ..Self::of_work(self.now) }
    }

    /// No changes, for rendering stored objects.
    pub(crate) fn none() -> Self {
        Self::of_work(AccountTime(0))
    }

    /// Requires that an object still exists at the commit. Other changes of it do not matter.
    pub(crate) fn require_exists<T: StoredObject>(&mut self, object: &T::Object) {
        self.requires.push(Precondition::Exists(key_of::<T>(object)));
    }

    /// Requires that an object is unchanged at the commit, because the decision rests on its
    /// fields.
    pub(crate) fn require_unchanged<T: StoredObject>(&mut self, object: &T::Object) {
        self.requires.push(Precondition::Version(key_of::<T>(object), object.version()));
    }

    /// Requires that an intent is unchanged at the commit.
    pub(crate) fn require_intent(&mut self, intent: &Intent) {
        if intent.is_payment() {
            self.require_unchanged::<PaymentIntent>(intent);
        } else {
            self.require_unchanged::<SetupIntent>(intent);
        }
    }

    /// Requires that a bank account is unchanged at the commit.
    pub(crate) fn require_account(&mut self, account: &Account) {
        let Account { merchant, id, version, .. } = *account;
        self.requires.push(Precondition::AccountVersion { merchant, account: id, version });
    }

    /// Requires that no object of a kind has a lookup text at the commit.
    pub(crate) fn require_none_with_lookup<T: StoredObject>(
        &mut self,
        merchant: MerchantId,
        lookup: String,
    ) {
        self.requires.push(Precondition::NoneWithLookup { merchant, kind: T::KIND, lookup });
    }

    /// Requires that no object of a kind except these has a value of a filter at the commit.
    pub(crate) fn require_none_with_value<T: StoredObject>(
        &mut self,
        merchant: MerchantId,
        filter: Filter,
        value: String,
        except: Vec<u64>,
    ) {
        let kind = T::KIND;
        let none = Precondition::NoneWithValue { merchant, kind, filter, value, except };
        self.requires.push(none);
    }

    /// The preconditions, each once. The command compares the versions of the objects that it writes
    /// anyway.
    pub(crate) fn take_requires(&mut self) -> Vec<Precondition> {
        let mut requires = std::mem::take(&mut self.requires);
        requires.sort();
        requires.dedup();
        requires.retain(|precondition| match precondition {
            Precondition::Exists(key) | Precondition::Version(key, _) => {
                let written = self.find(key.kind, key.number);
                written.is_none_or(|object| object.merchant() != key.merchant)
            }
            _ => true,
        });
        requires
    }

    /// The item of due work that stores the changes.
    pub(crate) fn into_item(mut self) -> ClockItem {
        let requires = self.take_requires();
        ClockItem::Objects { objects: self.objects, requires, events: self.events }
    }

    /// Adds an object: a new one at version 1, or a changed one with its version raised.
    pub(crate) fn put(&mut self, object: Object) {
        let key = (object.kind(), object.number());
        self.objects.retain(|other| (other.kind(), other.number()) != key);
        self.objects.push(object);
    }

    /// Adds an event of an object. The object's version must be the new one already.
    pub(crate) fn emit(&mut self, object: &Object, event_type: EventType) {
        let (now, cause) = (self.now, self.cause.as_ref());
        let position = next_position(&self.events);
        let event = |stored: &dyn Stored, livemode, snapshot| {
            let happened = Happened { at: now, livemode, cause };
            Event::of_object(stored, snapshot, event_type, position, happened)
        };
        self.events.push(match object {
            Object::PaymentIntent(intent) | Object::SetupIntent(intent) => {
                event(intent, intent.livemode, Snapshot::Intent(Box::new(intent.clone())))
            }
            Object::PaymentMethod(method) => {
                event(method, method.livemode, Snapshot::PaymentMethod(Box::new(method.clone())))
            }
            Object::Mandate(mandate) => {
                event(mandate, mandate.livemode, Snapshot::Mandate(Box::new(mandate.clone())))
            }
            Object::Checkout(session) => {
                event(session, session.livemode, Snapshot::Checkout(Box::new(session.clone())))
            }
            Object::Charge(charge) => {
                event(charge, charge.livemode, Snapshot::Charge(Box::new(charge.clone())))
            }
            Object::Refund(refund) => {
                event(refund, refund.livemode, Snapshot::Refund(Box::new(refund.clone())))
            }
            Object::Dispute(dispute) => {
                event(dispute, dispute.livemode, Snapshot::Dispute(Box::new(dispute.clone())))
            }
            Object::Invoice(invoice) => {
                event(invoice, invoice.livemode, Snapshot::Invoice(Box::new(invoice.clone())))
            }
            Object::InvoiceItem(item) => {
                event(item, item.livemode, Snapshot::InvoiceItem(Box::new(item.clone())))
            }
            Object::Price(price) => {
                event(price, price.livemode, Snapshot::Price(Box::new(price.clone())))
            }
            Object::Product(product) => {
                event(product, product.livemode, Snapshot::Product(Box::new(product.clone())))
            }
            Object::Customer(customer) => {
                event(customer, customer.livemode, Snapshot::Customer(Box::new(customer.clone())))
            }
            Object::Subscription(subscription) => {
                event(subscription, subscription.livemode, Snapshot::Subscription(Box::new(subscription.clone())))
            }
            Object::TestClock(clock) => {
                event(clock, false, Snapshot::TestClock(Box::new(clock.clone())))
            }
            // Events of connected accounts belong to the account, not to the merchant of its row
            // (`connect`).
            Object::ConnectedAccount(_)
            // The other kinds have no events.
            | Object::ConfirmationToken(_)
            | Object::ConnectionsSettings(_)
            | Object::Endpoint(_)
            | Object::Fault(_)
            | Object::LinkFlow(_)
            | Object::MethodConfiguration(_)
            | Object::PlatformTie(_)
            | Object::Scenario(_)
            | Object::Session(_)
            | Object::Snapshot(_)
            | Object::Token(_) => {
                unreachable!("no event is emitted of a {} here", object.kind().name())
            }
        });
    }

    /// Adds the event of a session with a new status. The copy's version must be the new one
    /// already.
    pub(crate) fn emit_session(&mut self, copy: SessionCopy) {
        let position = next_position(&self.events);
        let session = copy.session.clone();
        let happened =
            Happened { at: self.now, livemode: session.livemode, cause: self.cause.as_ref() };
        let (snapshot, updated) = (Snapshot::Session(Box::new(copy)), EventType::SessionUpdated);
        self.events.push(Event::of_object(&session, snapshot, updated, position, happened));
    }

    /// Adds the event of the invoice of a subscription's next period, which is not stored. The
    /// subscription's version must be the new one already.
    pub(crate) fn emit_upcoming(&mut self, subscription: &Subscription, invoice: Invoice) {
        let cause = self.cause.as_ref();
        let happened = Happened { at: self.now, livemode: subscription.livemode, cause };
        let position = next_position(&self.events);
        let snapshot = Snapshot::Invoice(Box::new(invoice));
        let upcoming = EventType::InvoiceUpcoming;
        self.events.push(Event::of_object(subscription, snapshot, upcoming, position, happened));
    }

    /// Adds an object that changed, and its event. The event shows the values that `before` had,
    /// if that is set.
    pub(crate) fn put_and_emit(
        &mut self,
        object: Object,
        event_type: EventType,
        before: Option<Snapshot>,
    ) {
        self.emit(&object, event_type);
        if let Some(event) = self.events.last_mut() {
            event.previous = before;
        }
        self.put(object);
    }

    /// True if an object is among those that change.
    pub(crate) fn has(&self, kind: Kind, number: u64) -> bool {
        self.find(kind, number).is_some()
    }

    /// The version of an object after the change. An object that is put already has its new
    /// version.
    pub(crate) fn raised(&self, kind: Kind, number: u64, version: u64) -> u64 {
        version + u64::from(!self.has(kind, number))
    }

    pub(crate) fn find(&self, kind: Kind, number: u64) -> Option<&Object> {
        self.objects.iter().find(|object| (object.kind(), object.number()) == (kind, number))
    }
}

/// The key of an object.
fn key_of<T: StoredObject>(object: &T::Object) -> ObjectKey {
    ObjectKey { merchant: object.merchant(), kind: T::KIND, number: object.number() }
}

impl Engine {
    /// The changes of a call at the time of a test clock, or at real time without one. They require
    /// that the clock has not moved. [`Error::Locked`] while it advances.
    pub(crate) async fn changes_on(
        &self,
        context: &Context,
        clock: Option<ClockId>,
    ) -> Result<Changes, Error> {
        let moment = self.moment(context.merchant, clock).await?;
        if moment.advancing { Err(Error::Locked) } else { Ok(Changes::at(context, moment)) }
    }

    /// The changes of a call for a customer, at the time of its clock. They require that the
    /// customer still exists.
    pub(crate) async fn changes_for(
        &self,
        context: &Context,
        customer: Option<&Customer>,
    ) -> Result<Changes, Error> {
        let clock = customer.and_then(|customer| customer.test_clock);
        let mut changes = self.changes_on(context, clock).await?;
        if let Some(customer) = customer {
            changes.require_exists::<Customer>(customer);
        }
        Ok(changes)
    }

    /// Commits changes together with the response. Returns false after a version conflict.
    pub(crate) async fn commit(
        &self,
        context: &Context,
        changes: Changes,
        body: &[u8],
    ) -> Result<bool, Error> {
        self.write_changes(changes, context.reply(self, body)).await
    }

    /// Commits changes together with an idempotency record. Returns false after a version conflict.
    pub(crate) async fn write_changes(
        &self,
        mut changes: Changes,
        reply: Option<IdempotencyRecord>,
    ) -> Result<bool, Error> {
        let requires = changes.take_requires();
        let Changes { objects, events, .. } = changes;
        let change = ChangeObjects { objects, requires, events, reply };
        match self.store.write(change).await? {
            Changed::Done => {
                self.wake.dispatch();
                Ok(true)
            }
            Changed::VersionConflict => Ok(false),
            Changed::KeyTaken => Err(Error::KeyTaken),
            Changed::MerchantsFull => Err(Error::PlacesTaken),
        }
    }

    /// Commits changes, if there are any. The response gets the requested expansions. Returns `None`
    /// after a version conflict.
    pub(crate) async fn commit_any(
        &self,
        context: &Context,
        changes: Changes,
        body: Vec<u8>,
    ) -> Result<Option<ApiResponse>, Error> {
        let body = self.expanded(context, &changes, body).await?;
        if changes.objects.is_empty() {
            return Ok(Some(ApiResponse::unchanged(body)));
        }
        let done = self.commit(context, changes, &body).await?;
        Ok(done.then(|| ApiResponse::committed(body)))
    }
}
