//! Thin events of `/v2`: the notification that is posted, and the full event that a client fetches.
//!
//! Neither contains the object. The full event also names the event of `/v1` about the same change, and
//! the values that changed.

use super::destination;
use super::event::{rendered, write_snapshot};
use crate::date_time::text_of;
use crate::json::JsonWriter;
use crate::render::View;
use model::event::{Cause, Event, Snapshot};
use model::id::ThinEventId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// The characters of an id that are escaped in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');

/// The value of `object`.
pub const OBJECT: &str = "v2.core.event";

/// A thin event.
#[derive(Clone, Copy, Debug)]
pub struct ThinEvent<'a> {
    /// The stored event.
    pub event: &'a Event,
    /// The id.
    pub id: ThinEventId,
    /// The name.
    pub name: &'a str,
    /// The id of the connected account in which it happened, if any.
    pub context: Option<&'a str>,
}

/// An object that an event is about, with the path of the call that returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedObject {
    /// The id.
    pub id: String,
    /// The value of the object's `object`.
    pub object_type: &'static str,
    /// The path.
    pub url: String,
}

/// Writes a notification.
pub fn write_notification(writer: &mut JsonWriter, thin: &ThinEvent<'_>) {
    writer.object(|w| write_common(w, thin));
}

/// Writes a full event. The view decides the version of the values that changed.
pub fn write(writer: &mut JsonWriter, thin: &ThinEvent<'_>, view: &View<'_>) {
    let event = thin.event;
    writer.object(|w| {
        write_common(w, thin);
        w.key("changes");
        match changes(event, view) {
            Some(changes) => w.raw(changes.to_string().as_bytes()),
            None => w.null(),
        };
        w.key("snapshot_event");
        if event.event_type.is_only_thin() {
            w.null();
        } else {
            w.plain(event.id.text());
        }
    });
}

fn write_common(w: &mut JsonWriter, thin: &ThinEvent<'_>) {
    let ThinEvent { event, id, name, context } = *thin;
    let related = related_object(event);
    w.key("id").plain(id.text());
    w.key("object").plain(OBJECT);
    w.key("context").optional_string(context);
    w.key("created").string(&text_of(event.created));
    w.key("livemode").boolean(event.livemode);
    w.key("reason");
    match &event.cause {
        Some(cause) => write_reason(w, cause),
        None => {
            w.null();
        }
    }
    if let Some(related) = &related {
        w.key("related_object").object(|w| {
            w.key("id").string(&related.id);
            w.key("type").plain(related.object_type);
            w.key("url").string(&related.url);
        });
    }
    w.key("type").string(name);
}

fn write_reason(w: &mut JsonWriter, cause: &Cause) {
    w.object(|w| {
        w.key("type").plain("request");
        w.key("request").object(|w| {
            w.key("id").plain(cause.request.text());
            // The SDKs declare a text that is always there.
            w.key("idempotency_key").string(cause.idempotency_key.as_deref().unwrap_or_default());
        });
    });
}

/// The values that changed, before and after. `before` is null for a new object, and `after` for a
/// deleted one. `None` if the event reports no change of the object's own values.
fn changes(event: &Event, view: &View<'_>) -> Option<Value> {
    let word = model::Word::word(event.event_type);
    let whole = || rendered(|w| write_snapshot(w, &event.snapshot, view));
    let (before, after) = if let Some(previous) = &event.previous {
        let old = rendered(|w| write_snapshot(w, previous, view))?;
        differences(&old, &whole()?)?
    } else if word.ends_with(".created") {
        (Value::Null, whole()?.into())
    } else if word.ends_with(".deleted") {
        (whole()?.into(), Value::Null)
    } else {
        return None;
    };
    Some(Value::Object(Map::from_iter([("before".into(), before), ("after".into(), after)])))
}

/// The values of the keys that differ, in both objects. A key that an object lacks is null. `None` if
/// the objects are equal.
fn differences(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<(Value, Value)> {
    let (mut before, mut after) = (Map::new(), Map::new());
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    for key in keys.filter(|key| old.get(*key) != new.get(*key)) {
        let value = |object: &Map<String, Value>| object.get(key).cloned().unwrap_or_default();
        let nested = match (old.get(key), new.get(key)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => differences(old, new),
            _ => None,
        };
        let (old, new) = nested.unwrap_or_else(|| (value(old), value(new)));
        before.insert(key.clone(), old);
        after.insert(key.clone(), new);
    }
    (!before.is_empty()).then_some((Value::Object(before), Value::Object(after)))
}

/// Returns the object that an event is about. `None` for the invoice of a renewal to come, which is not
/// stored, so the SDKs declare no related object of `v1.invoice.upcoming`.
pub fn related_object(event: &Event) -> Option<RelatedObject> {
    match &event.snapshot {
        Snapshot::Invoice(invoice) if invoice.upcoming => None,
        _ => Some(related_of(event)),
    }
}

fn related_of(event: &Event) -> RelatedObject {
    // The id of a product may have any form.
    let of = |id: String, object_type: &'static str, path: &str| {
        let url = format!("{path}/{}", utf8_percent_encode(&id, ESCAPED));
        RelatedObject { id, object_type, url }
    };
    match &event.snapshot {
        Snapshot::Account(account) => of(
            account.id.to_string(),
            "financial_connections.account",
            "/v1/financial_connections/accounts",
        ),
        // It has no thin event and no call.
        Snapshot::Authorization(authorization) => of(
            authorization.id.to_string(),
            "financial_connections.authorization",
            "/v1/financial_connections/authorizations",
        ),
        Snapshot::Charge(charge) => of(charge.id.to_string(), "charge", "/v1/charges"),
        Snapshot::Checkout(session) => {
            of(session.id(), "checkout.session", "/v1/checkout/sessions")
        }
        Snapshot::ConnectedAccount(account) => {
            of(account.account.clone(), "account", "/v1/accounts")
        }
        Snapshot::ExternalAccount(external) => {
            let path = format!("/v1/accounts/{}/external_accounts", external.account);
            of(external.id.to_string(), "bank_account", &path)
        }
        Snapshot::Customer(customer) => of(customer.id.to_string(), "customer", "/v1/customers"),
        Snapshot::Destination(endpoint) => {
            let id = endpoint.shown_id().as_str().to_owned();
            of(id, destination::OBJECT, "/v2/core/event_destinations")
        }
        Snapshot::Dispute(dispute) => of(dispute.id.to_string(), "dispute", "/v1/disputes"),
        Snapshot::Mandate(mandate) => of(mandate.id.to_string(), "mandate", "/v1/mandates"),
        Snapshot::Intent(intent) if intent.is_payment() => {
            of(intent.id(), "payment_intent", "/v1/payment_intents")
        }
        Snapshot::Intent(intent) => of(intent.id(), "setup_intent", "/v1/setup_intents"),
        Snapshot::Invoice(invoice) => of(invoice.id.to_string(), "invoice", "/v1/invoices"),
        Snapshot::InvoiceItem(item) => of(item.id.to_string(), "invoiceitem", "/v1/invoiceitems"),
        Snapshot::PaymentMethod(method) => {
            of(method.id.to_string(), "payment_method", "/v1/payment_methods")
        }
        Snapshot::Price(price) => of(price.id.to_string(), "price", "/v1/prices"),
        Snapshot::Product(product) => of(product.id(), "product", "/v1/products"),
        Snapshot::Refund(refund) => of(refund.id.to_string(), "refund", "/v1/refunds"),
        Snapshot::Session(copy) => {
            let id = copy.session.id.to_string();
            of(id, "financial_connections.session", "/v1/financial_connections/sessions")
        }
        Snapshot::Subscription(subscription) => {
            of(subscription.id.to_string(), "subscription", "/v1/subscriptions")
        }
        Snapshot::TestClock(clock) => {
            of(clock.id.to_string(), "test_helpers.test_clock", "/v1/test_helpers/test_clocks")
        }
    }
}

/// Returns the id in the payload of a delivery, if the payload is a thin event.
pub fn id_in(payload: &[u8]) -> Option<ThinEventId> {
    let text = str::from_utf8(payload).ok()?;
    let (id, rest) = text.strip_prefix(r#"{"id":""#)?.split_once('"')?;
    rest.starts_with(r#","object":"v2.core.event""#).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented, view, written};
    use model::customer::Customer;
    use model::event::EventType;
    use model::id::{EventId, RequestId};
    use model::thin::{name_of, thin_names};
    use model::time::AccountTime;
    use testkit::show;

    fn customer_event(event_type: EventType, old: Option<Customer>, new: Customer) -> Event {
        Event {
            id: EventId { shard: new.merchant.number(), number: 1 },
            merchant: new.merchant,
            livemode: false,
            created: AccountTime(1_700_000_000),
            event_type,
            account: None,
            snapshot: Snapshot::Customer(Box::new(new)),
            previous: old.map(|old| Snapshot::Customer(Box::new(old))),
            cause: Some(Cause { request: RequestId::from_number(5), idempotency_key: None }),
        }
    }

    fn full(event: &Event) -> Value {
        let id = ThinEventId { event: event.id, outcome: false };
        let name = name_of(event, id).unwrap();
        let thin = ThinEvent { event, id, name: &name, context: None };
        serde_json::from_str(&written(|w| write(w, &thin, &view()))).unwrap()
    }

    /// A notification has exactly the members that the SDKs read, and no data.
    #[test]
    fn writes_a_notification() {
        let account = samples::account();
        let at = AccountTime(1_700_000_000);
        let event = Event::of_account(&account, EventType::AccountDeactivated, 0, at, None);
        let thin: Vec<_> = thin_names(&event).collect();
        assert_eq!(thin.len(), 1);
        let notification = ThinEvent {
            event: &event,
            id: thin[0].id,
            name: &thin[0].name,
            context: Some("acct_1"),
        };
        let json = indented(|w| write_notification(w, &notification));
        insta::assert_snapshot!(json, @r#"
        {
          "id": "evt_0000000000100D7gMhSQ4JYX",
          "object": "v2.core.event",
          "context": "acct_1",
          "created": "2023-11-14T22:13:20.000Z",
          "livemode": false,
          "reason": null,
          "related_object": {
            "id": "fca_00000000001N2iOZR8XeONQK",
            "type": "financial_connections.account",
            "url": "/v1/financial_connections/accounts/fca_00000000001N2iOZR8XeONQK"
          },
          "type": "v1.financial_connections.account.deactivated"
        }
        "#);
        let payload = written(|w| write_notification(w, &notification));
        assert_eq!(id_in(payload.as_bytes()), Some(thin[0].id));
        assert_eq!(id_in(br#"{"id":"evt_1","object":"event"}"#), None);
    }

    /// A full event has the id of the snapshot event, the request, and the values that changed. A new
    /// object has no values before, and a deleted one none after.
    #[test]
    fn writes_a_full_event() {
        let mut old = samples::customer();
        old.metadata.insert("a".into(), "1".into());
        let new = Customer { name: Some("B".into()), ..samples::customer() };
        let event = customer_event(EventType::CustomerUpdated, Some(old), new.clone());
        insta::assert_snapshot!(show::json(&full(&event)), @r#"
        {
          changes: {
            after: { metadata: { a: null }, name: "B" }
            before: { metadata: { a: "1" }, name: null }
          }
          created: "2023-11-14T22:13:20.000Z"
          id: "evt_0000000000100AzL8n0Y58m9"
          livemode: false
          object: "v2.core.event"
          reason: {
            request: { id: "req_00000000005MqKt45vI6GoGS", idempotency_key: "" }
            type: "request"
          }
          related_object: {
            id: "cus_00000000001ULCH2dEOE6ByZ"
            type: "customer"
            url: "/v1/customers/cus_00000000001ULCH2dEOE6ByZ"
          }
          snapshot_event: "evt_000000000010000000000001"
          type: "v1.customer.updated"
          null: context
        }
        "#);
        let created = full(&customer_event(EventType::CustomerCreated, None, new.clone()));
        assert_eq!(created["changes"]["before"], Value::Null);
        assert_eq!(created["changes"]["after"]["name"], "B");
        let deleted = full(&customer_event(EventType::CustomerDeleted, None, new.clone()));
        assert_eq!(deleted["changes"]["before"]["name"], "B");
        assert_eq!(deleted["changes"]["after"], Value::Null);
        let same = customer_event(EventType::CustomerUpdated, Some(new.clone()), new);
        assert_eq!(full(&same)["changes"], Value::Null);
    }
}
