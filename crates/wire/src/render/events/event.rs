//! An event: the object as it was at the commit, in the reader's version.
//!
//! `previous_attributes` is computed from two rendered forms of the object, so that it shows the
//! difference between both in the reader's version.

use crate::change::fit;
use crate::json::JsonWriter;
use crate::render::View;
use crate::render::connect::connected_account;
use crate::render::connections::session::{self, SessionParts};
use crate::render::connections::{account, authorization, clock, customer};
use crate::render::events::destination::{self, Included};
use crate::render::payments::{
    charge, checkout, dispute, intent, invoice, mandate, payment_method, product, refund,
    subscription,
};
use model::Word;
use model::event::{Event, Snapshot};
use model::id::IdText;
use serde_json::{Map, Value};

/// The value of `object`.
pub const OBJECT: &str = "event";

/// Writes an event. `pending_webhooks` is the number of endpoints that have not accepted it yet.
/// `connected` is the id of the connected account in which it happened.
pub fn write(
    writer: &mut JsonWriter,
    event: &Event,
    view: &View<'_>,
    pending_webhooks: usize,
    connected: Option<&str>,
) {
    writer.object(|w| {
        w.key("id").plain(event.id.text());
        w.key("object").plain(OBJECT);
        if let Some(account) = connected {
            w.key("account").string(account);
        }
        w.key("api_version").string(view.version.as_str());
        w.key("created").integer(event.created.0);
        w.key("data").object(|w| write_data(w, event, view));
        w.key("livemode").boolean(event.livemode);
        w.key("pending_webhooks").count(pending_webhooks as u64);
        w.key("request").object(|w| {
            let request = event.cause.as_ref().map(|cause| cause.request.text());
            w.key("id").optional_plain(request.as_ref().map(IdText::as_str));
            let key = event.cause.as_ref().and_then(|cause| cause.idempotency_key.as_deref());
            w.key("idempotency_key").optional_string(key);
        });
        w.key("type").plain(event.event_type.word());
    });
}

/// Returns the old values of the keys that changed. A hash contains only the keys that differ, and
/// other values are complete. A key that did not exist is null. Returns `None` if the objects are
/// equal.
///
/// ```
/// # use wire::render::events::event::previous_attributes;
/// let previous = previous_attributes(br#"{"a":1,"b":[1]}"#, br#"{"a":2,"b":[1],"c":3}"#);
/// assert_eq!(previous.unwrap(), br#"{"a":1,"c":null}"#);
/// ```
pub fn previous_attributes(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::from_slice(old), serde_json::from_slice(new))
    else {
        return None;
    };
    let previous = difference(&old, &new);
    (!previous.is_empty()).then(|| Value::Object(previous).to_string().into_bytes())
}

fn write_data(w: &mut JsonWriter, event: &Event, view: &View<'_>) {
    w.key("object");
    let Some(previous) = &event.previous else {
        write_snapshot(w, &event.snapshot, view);
        return;
    };
    let (mut old, mut new) = (JsonWriter::default(), JsonWriter::default());
    write_snapshot(&mut old, previous, view);
    write_snapshot(&mut new, &event.snapshot, view);
    w.raw(new.as_bytes());
    if let Some(previous) = previous_attributes(old.as_bytes(), new.as_bytes()) {
        w.key("previous_attributes").raw(&previous);
    }
}

pub(super) fn write_snapshot(w: &mut JsonWriter, snapshot: &Snapshot, view: &View<'_>) {
    match snapshot {
        Snapshot::Account(account) => account::write(w, account, view),
        Snapshot::Authorization(authorization) => authorization::write(w, authorization, view),
        Snapshot::Charge(charge) => write_value(w, view, charge::value(charge)),
        Snapshot::Checkout(session) => write_value(w, view, checkout::value(session, view)),
        Snapshot::ConnectedAccount(account) => {
            write_value(w, view, connected_account::value(account));
        }
        Snapshot::ExternalAccount(external) => {
            write_value(w, view, connected_account::external_account(external));
        }
        Snapshot::Customer(customer) => customer::write_whole(w, customer, view),
        Snapshot::Destination(endpoint) => {
            // The event is about a destination, so the endpoint has this part.
            if let Some(part) = &endpoint.destination {
                destination::write(w, endpoint, part, Included::default());
            } else {
                w.null();
            }
        }
        Snapshot::Dispute(dispute) => write_value(w, view, dispute::value(dispute)),
        Snapshot::Intent(intent) => {
            write_value(w, view, intent::value(intent, view, false, None));
        }
        Snapshot::Invoice(invoice) => write_value(w, view, invoice::value(invoice, view)),
        Snapshot::InvoiceItem(item) => write_value(w, view, invoice::item_value(item)),
        Snapshot::Price(price) => write_value(w, view, product::price_value(price)),
        Snapshot::Product(product) => write_value(w, view, product::value(product)),
        Snapshot::Refund(refund) => write_value(w, view, refund::value(refund)),
        Snapshot::Mandate(mandate) => write_value(w, view, mandate::value(mandate)),
        Snapshot::PaymentMethod(method) => write_value(w, view, payment_method::value(method)),
        Snapshot::Session(copy) => session::write(w, &SessionParts::of(copy), view),
        Snapshot::Subscription(subscription) => {
            write_value(w, view, subscription::value(subscription));
        }
        Snapshot::TestClock(clock) => clock::write_whole(w, clock),
    }
}

fn write_value(w: &mut JsonWriter, view: &View<'_>, mut value: Value) {
    fit(&mut value, view.version);
    w.raw(value.to_string().as_bytes());
}

/// The members of an object that a renderer writes.
pub(super) fn rendered(write: impl FnOnce(&mut JsonWriter)) -> Option<Map<String, Value>> {
    let mut writer = JsonWriter::default();
    write(&mut writer);
    match serde_json::from_slice(writer.as_bytes()) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn difference(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut previous = Map::new();
    for (name, old_value) in old {
        match (old_value, new.get(name)) {
            (old_value, Some(new_value)) if old_value == new_value => {}
            (Value::Object(old), Some(Value::Object(new))) => {
                previous.insert(name.clone(), Value::Object(difference(old, new)));
            }
            _ => {
                previous.insert(name.clone(), old_value.clone());
            }
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        previous.insert(name.clone(), Value::Null);
    }
    previous
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented, view, written};
    use model::clock::AccountTime;
    use model::customer::Customer;
    use model::event::{Cause, EventType};
    use model::id::{EventId, RequestId};
    use proptest::prelude::*;
    use testkit::show;

    fn customer_event(old: Option<Customer>, new: Customer) -> Event {
        Event {
            id: EventId { shard: new.merchant.number(), number: 1 },
            merchant: new.merchant,
            livemode: false,
            created: AccountTime(1_700_000_000),
            event_type: EventType::CustomerUpdated,
            account: None,
            snapshot: Snapshot::Customer(Box::new(new)),
            previous: old.map(|old| Snapshot::Customer(Box::new(old))),
            cause: Some(Cause {
                request: RequestId::from_number(5),
                idempotency_key: Some("key".into()),
            }),
        }
    }

    /// An event of a bank account shows all of it, and no request if none caused it.
    #[test]
    fn writes_an_account_event() {
        let account = samples::account();
        let happened = AccountTime(1_700_000_000);
        let event = Event::of_account(&account, EventType::AccountDeactivated, 0, happened, None);
        let json = written(|w| write(w, &event, &view(), 2, None));
        let mut read: Value = serde_json::from_str(&json).unwrap();
        let plain = written(|w| account::write(w, &account, &view()));
        assert_eq!(read["data"]["object"].take(), serde_json::from_str::<Value>(&plain).unwrap());
        insta::assert_snapshot!(show::json(&read), @r#"
        {
          api_version: "2026-08-26.dahlia"
          created: 1700000000
          data: { object: null }
          id: "evt_000000000010028LDuRrzAmP"
          livemode: false
          object: "event"
          pending_webhooks: 2
          request: { id: null, idempotency_key: null }
          type: "financial_connections.account.deactivated"
        }
        "#);
    }

    /// Changed values are shown as they were, and a deleted customer is shown whole.
    #[test]
    fn writes_previous_attributes() {
        let mut old = samples::customer();
        old.metadata.insert("a".into(), "1".into());
        let mut new = Customer { name: Some("B".into()), ..samples::customer() };
        new.metadata.insert("b".into(), "2".into());
        let event = customer_event(Some(old), new.clone());
        let read: Value =
            serde_json::from_str(&written(|w| write(w, &event, &view(), 0, None))).unwrap();
        insta::assert_snapshot!(show::json(&read["data"]["previous_attributes"]), @r#"{ metadata: { a: "1", b: null }, name: null }"#);
        insta::assert_snapshot!(show::json(&read["request"]), @r#"{ id: "req_00000000005MqKt45vI6GoGS", idempotency_key: "key" }"#);

        let same = customer_event(Some(new.clone()), new.clone());
        assert!(!indented(|w| write(w, &same, &view(), 0, None)).contains("previous_attributes"));
        let deleted = customer_event(None, Customer { deleted: true, ..new });
        assert!(written(|w| write(w, &deleted, &view(), 0, None)).contains(r#""name":"B""#));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Restores the old form from the new one and the previous attributes.
    fn restored(new: &Map<String, Value>, previous: &Map<String, Value>) -> Map<String, Value> {
        let mut old = new.clone();
        for (name, value) in previous {
            let value = match (new.get(name), value) {
                (Some(Value::Object(new)), Value::Object(part)) => {
                    Value::Object(restored(new, part))
                }
                _ => value.clone(),
            };
            old.insert(name.clone(), value);
        }
        old
    }

    fn without_nulls(value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    proptest! {
        /// The new form and the previous attributes give the old form, except for the difference
        /// between null and absent.
        #[test]
        fn previous_attributes_restore_the_old_form(
            old in prop::collection::btree_map("[a-c]", json(), 0..3),
            new in prop::collection::btree_map("[a-c]", json(), 0..3),
        ) {
            let old: Map<String, Value> = old.into_iter().collect();
            let new: Map<String, Value> = new.into_iter().collect();
            let bytes = |members: &Map<String, Value>| serde_json::to_vec(members).unwrap();
            let previous = previous_attributes(&bytes(&old), &bytes(&new));
            prop_assert_eq!(previous.is_none(), old == new);
            let previous = previous.map(|json| serde_json::from_slice(&json).unwrap());
            let again = restored(&new, &previous.unwrap_or_default());
            prop_assert_eq!(without_nulls(&again.into()), without_nulls(&old.into()));
        }
    }
}
