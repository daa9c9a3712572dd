//! Values that take time to make: JSON and sealed bytes. The thread of the caller makes them before
//! a command queues, so that the one writer thread only binds them.
//!
//! A value is found by the part of the command that it belongs to. The writer makes values that are
//! missing. A command prepares all of them or none, which debug builds check.

use super::{Failure, connection, idempotency, object};
use crate::seal::Sealer;
use crate::{
    AccountChange, ApplyRefresh, ChangeAccount, ChangeConnection, ChangeObject, ChangeObjects,
    ClockItem, CompleteLink, Connection, ContinueDeliveries, CreateIdempotencyRecord, CreateObject,
    FailRefresh, IdempotencyRecord, Kind, Object, PutOffRefresh, SettleDelivery, StepClock, Write,
};
use model::account::Account;
use model::delivery::DeliveryKey;
use model::event::{Event, Snapshot};
use model::id::{AccountId, EventId, MerchantId};
use model::limits::OBJECT_BYTES_MAX;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A part of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// An account with a version.
    Account(AccountId, u64),
    /// The credential of an account's connection with a version.
    Credential(AccountId, u64),
    /// An event.
    Event(EventId),
    /// An object with a version.
    Object(MerchantId, Kind, u64, u64),
    /// The only idempotency record of a command.
    Record,
    /// The attempt at a delivery.
    Attempt(DeliveryKey),
}

impl Part {
    pub(super) fn of_account(account: &Account) -> Self {
        Self::Account(account.id, account.version)
    }

    pub(super) fn of_connection(connection: &Connection) -> Self {
        Self::Credential(connection.account, connection.version)
    }

    pub(super) fn of_object(object: &Object) -> Self {
        Self::Object(object.merchant(), object.kind(), object.number(), object.version())
    }
}

/// The prepared values of a command.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    // Most commands have one to three values, which a sorted map finds without a hash.
    texts: BTreeMap<Part, String>,
    sealed: BTreeMap<Part, Vec<u8>>,
}

impl Prepared {
    /// The text of a part. `make` makes it if it is not prepared.
    pub(super) fn text(
        &self,
        part: Part,
        make: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<Cow<'_, str>, Failure> {
        match self.texts.get(&part) {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.made_late(part, make()).map(Cow::Owned),
        }
    }

    /// The JSON of a part.
    pub(super) fn json(&self, part: Part, value: &impl Serialize) -> Result<Cow<'_, str>, Failure> {
        self.text(part, || Ok(serde_json::to_string(value)?))
    }

    /// The sealed bytes of a part. `seal` makes them if they are not prepared.
    pub(super) fn sealed(
        &self,
        part: Part,
        seal: impl FnOnce() -> Result<Vec<u8>, Failure>,
    ) -> Result<Cow<'_, [u8]>, Failure> {
        match self.sealed.get(&part) {
            Some(sealed) => Ok(Cow::Borrowed(sealed)),
            None => self.made_late(part, seal()).map(Cow::Owned),
        }
    }

    /// The same, for a part that may have nothing to seal.
    pub(super) fn sealed_optional(
        &self,
        part: Part,
        seal: impl FnOnce() -> Result<Option<Vec<u8>>, Failure>,
    ) -> Result<Option<Cow<'_, [u8]>>, Failure> {
        match self.sealed.get(&part) {
            Some(sealed) => Ok(Some(Cow::Borrowed(sealed))),
            None => match seal()? {
                Some(sealed) => self.made_late(part, Ok(Some(Cow::Owned(sealed)))),
                None => Ok(None),
            },
        }
    }

    /// The size of all values.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.texts.values().map(String::len).sum();
        texts + self.sealed.values().map(Vec::len).sum::<usize>()
    }

    /// A value that the writer had to make.
    fn made_late<T>(&self, part: Part, made: Result<T, Failure>) -> Result<T, Failure> {
        let prepares = !self.texts.is_empty() || !self.sealed.is_empty();
        debug_assert!(!prepares, "{part:?} is not prepared");
        made
    }
}

/// The work on the thread of the caller.
pub struct Preparing<'a> {
    seal: &'a Sealer,
    done: Prepared,
}

impl<'a> Preparing<'a> {
    /// Prepares a command.
    pub(super) fn of(command: &impl Write, seal: &'a Sealer) -> Result<Prepared, Failure> {
        let mut preparing = Self { seal, done: Prepared::default() };
        command.prepare(&mut preparing)?;
        Ok(preparing.done)
    }

    fn json(&mut self, part: Part, value: &impl Serialize) -> Result<(), Failure> {
        // Of two reports of one event, the first is stored.
        if let Entry::Vacant(vacant) = self.done.texts.entry(part) {
            vacant.insert(serde_json::to_string(value)?);
        }
        Ok(())
    }

    fn account(&mut self, account: &Account) -> Result<(), Failure> {
        self.json(Part::of_account(account), account)
    }

    fn connection(&mut self, connection: &Connection) -> Result<(), Failure> {
        let sealed = connection::seal_credential(connection, self.seal)?;
        self.done.sealed.insert(Part::of_connection(connection), sealed);
        Ok(())
    }

    fn change(&mut self, change: &AccountChange) -> Result<(), Failure> {
        self.events(&change.events)?;
        let shown = change.events.iter().find_map(|event| {
            let json = self.done.texts.get(&Part::Event(event.id))?;
            account_in(event, json, &change.account).map(str::to_owned)
        });
        match shown {
            Some(json) => drop(self.done.texts.insert(Part::of_account(&change.account), json)),
            None => self.account(&change.account)?,
        }
        change.connection.iter().try_for_each(|connection| self.connection(connection))
    }

    fn events(&mut self, events: &[Event]) -> Result<(), Failure> {
        events.iter().try_for_each(|event| self.json(Part::Event(event.id), event))
    }

    fn objects(&mut self, objects: &[Object]) -> Result<(), Failure> {
        objects.iter().try_for_each(|object| self.object(object))
    }

    fn object(&mut self, object: &Object) -> Result<(), Failure> {
        let part = Part::of_object(object);
        let body = object.body()?;
        // A scenario has a bound of its own.
        if body.len() > OBJECT_BYTES_MAX && object.kind() != Kind::Scenario {
            return Err(Failure::ObjectTooLarge);
        }
        self.done.texts.insert(part, body);
        if let Some(secret) = object::seal_secret(object, self.seal)? {
            self.done.sealed.insert(part, secret);
        }
        Ok(())
    }

    fn record(&mut self, record: Option<&IdempotencyRecord>) -> Result<(), Failure> {
        if let Some(record) = record {
            let sealed = idempotency::seal_body(record, self.seal)?;
            self.done.sealed.insert(Part::Record, sealed);
        }
        Ok(())
    }

    fn item(&mut self, item: &ClockItem) -> Result<(), Failure> {
        match item {
            ClockItem::Change(change) => self.change(change),
            ClockItem::Apply(apply) => self.change(&apply.change),
            ClockItem::Fail(fail) => self.change(&fail.change),
            ClockItem::PutOff(put_off) => of_put_off(put_off, self),
            ClockItem::Objects { objects, events, .. } => {
                self.objects(objects)?;
                self.events(events)
            }
        }
    }
}

/// The JSON of an account within that of an event, if the event shows the account as it is stored. To
/// find it takes less time than to make it again.
fn account_in<'a>(event: &Event, json: &'a str, account: &Account) -> Option<&'a str> {
    let shows = matches!(&event.snapshot, Snapshot::Account(shown) if **shown == *account);
    // The fields before the snapshot are numbers and words of this program.
    let (_, json) = json.split_once(r#","snapshot":{"Account":"#).filter(|_| shows)?;
    json.strip_suffix(r#"},"previous":null,"cause":null}"#)
}

/// Prepares the end of a refresh with data.
pub(crate) fn of_apply(
    command: &ApplyRefresh,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.change(&command.change)
}

/// Prepares the end of a refresh without data.
pub(crate) fn of_fail(command: &FailRefresh, preparing: &mut Preparing<'_>) -> Result<(), Failure> {
    preparing.change(&command.change)
}

/// Prepares the delay of a refresh.
pub(crate) fn of_put_off(
    command: &PutOffRefresh,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    command.connection.iter().try_for_each(|connection| preparing.connection(connection))
}

/// Prepares the change of an account.
pub(crate) fn of_account(
    command: &ChangeAccount,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(command.reply.as_ref())?;
    preparing.change(&command.change)
}

/// Prepares the change of a connection.
pub(crate) fn of_connection(
    command: &ChangeConnection,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(command.reply.as_ref())?;
    preparing.connection(&command.connection)
}

/// Prepares the end of a link flow.
pub(crate) fn of_link(
    command: &CompleteLink,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(command.reply.as_ref())?;
    preparing.objects(&command.objects)?;
    for new in &command.new {
        preparing.account(&new.account)?;
        preparing.connection(&new.connection)?;
        preparing.events(&new.events)?;
    }
    command.again.iter().try_for_each(|change| preparing.change(change))
}

/// Prepares the creation of an object.
pub(crate) fn of_create(
    command: &CreateObject,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(command.reply.as_ref())?;
    preparing.object(&command.object)?;
    preparing.events(&command.events)
}

/// Prepares the change of an object.
pub(crate) fn of_change(
    command: &ChangeObject,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(command.reply.as_ref())?;
    preparing.object(&command.object)?;
    preparing.events(&command.events)
}

/// Prepares the change of several objects.
pub(crate) fn of_changes(
    command: &ChangeObjects,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(command.reply.as_ref())?;
    preparing.objects(&command.objects)?;
    preparing.events(&command.events)
}

/// Prepares a step of an advance.
pub(crate) fn of_step(command: &StepClock, preparing: &mut Preparing<'_>) -> Result<(), Failure> {
    preparing.object(&Object::TestClock(command.clock.clone()))?;
    command.items.iter().try_for_each(|item| preparing.item(item))?;
    preparing.events(&command.events)
}

/// Prepares the result of a delivery.
pub(crate) fn of_settle(
    command: &SettleDelivery,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    let part = Part::Attempt(command.key);
    command.attempt.iter().try_for_each(|attempt| preparing.json(part, attempt))
}

/// Prepares the results of several deliveries.
pub(crate) fn of_continue(
    command: &ContinueDeliveries,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    command.settled.iter().try_for_each(|settle| of_settle(settle, preparing))
}

/// Prepares an idempotency record without another change.
pub(crate) fn of_record(
    command: &CreateIdempotencyRecord,
    preparing: &mut Preparing<'_>,
) -> Result<(), Failure> {
    preparing.record(Some(&command.record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::AccountTime;
    use model::event::EventType;

    /// The JSON of an account is that within an event, unless the event shows another state.
    #[test]
    fn an_event_contains_its_account() {
        let account = testkit::objects::account();
        let event_type = EventType::AccountRefreshedTransactions;
        let event = Event::of_account(&account, event_type, 0, AccountTime(1), None);
        let json = serde_json::to_string(&event).unwrap();
        let expected = serde_json::to_string(&account).unwrap();
        assert_eq!(account_in(&event, &json, &account), Some(expected.as_str()));
        let changed = Account { version: account.version + 1, ..account };
        assert_eq!(account_in(&event, &json, &changed), None);
    }
}
