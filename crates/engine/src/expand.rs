//! Expansion of a rendered response.
//!
//! Use cases render objects with ids. If the call expands fields, one walk over the JSON follows the
//! requested paths. It replaces ids by the objects of [`Expansion::object`], and adds the fields of
//! [`Expansion::included`]. The walk precedes the commit, because the response is stored for the
//! idempotency key in the same command. So it sees objects as they will be after the changes.
//!
//! A call that expands no field pays for one comparison.

use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error, render};
use model::clock::TestClock;
use model::customer::Customer;
use model::id::{ChargeId, CustomerId, OwnershipId};
use model::limits::{EXPAND_OBJECTS_MAX, PAGE_ROWS_DEFAULT, RESPONSE_BYTES_MAX};
use model::payments::charge::Charge;
use model::payments::checkout::CheckoutSession;
use model::payments::intent::Intent;
use model::payments::invoice::Invoice;
use model::payments::mandate::Mandate;
use model::payments::payment_method::PaymentMethod;
use model::payments::product::Price;
use model::payments::refund::Refund;
use model::payments::subscription::Subscription;
use model::stored::{PaymentIntent, SetupIntent, Stored};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{FindOwnership, ObjectsOf, StoredObject};
use wire::error::Error as ApiError;
use wire::expand::{Expand, Mark};
use wire::json::JsonWriter;
use wire::render::connections::{clock, customer, ownership};
use wire::render::payments::{
    charge, checkout, intent, invoice, mandate, payment_method, product, refund, subscription,
};
use wire::render::{deleted, included};

impl Engine {
    /// The body of a response with the requested expansions. The response shows the changes, which
    /// are not committed yet.
    pub(crate) async fn expanded(
        &self,
        context: &Context,
        changes: &Changes,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        if context.expand.is_empty() {
            return Ok(body);
        }
        let mut value: Value = match serde_json::from_slice(&body) {
            Ok(value) => value,
            Err(error) => unreachable!("responses are rendered as JSON: {error}"),
        };
        let shown = BTreeMap::new();
        let mut expansion =
            Expansion { engine: self, context, changes, shown, objects: 0, bytes: 0 };
        expansion.walk(&mut value, &context.expand).await?;
        Ok(bytes(context, value))
    }

    /// The response of a call that changed nothing, with the requested expansions.
    pub(crate) async fn unchanged(
        &self,
        context: &Context,
        body: Vec<u8>,
    ) -> Result<ApiResponse, Error> {
        if context.expand.is_empty() {
            return Ok(ApiResponse::unchanged(body));
        }
        let body = self.expanded(context, &Changes::none(), body).await?;
        Ok(ApiResponse::unchanged(body))
    }
}

/// The size of a value as JSON, about.
fn bytes_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| bytes_of(item) + 1).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| name.len() + 4 + bytes_of(member)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// The expansion of one response.
struct Expansion<'a> {
    engine: &'a Engine,
    context: &'a Context,
    changes: &'a Changes,
    /// The bytes of the objects that were added, about.
    bytes: usize,
    /// The objects that were rendered already, by kind and id.
    shown: BTreeMap<(&'static str, String), Option<Value>>,
    /// The number of objects that the response has gained.
    objects: usize,
}

impl Expansion<'_> {
    /// Expands a response. Paths are short, so the walk ends after a few levels.
    async fn walk(&mut self, response: &mut Value, expand: &Expand) -> Result<(), Error> {
        let mut waiting = vec![(response, expand)];
        while let Some((value, expand)) = waiting.pop() {
            if let Value::String(id) = &*value {
                match self.object_of(expand.kinds(), id).await? {
                    Some(object) => *value = object,
                    None => continue,
                }
            }
            self.include(value, expand).await?;
            match value {
                Value::Array(items) => {
                    waiting.extend(items.iter_mut().map(|item| (item, expand)));
                }
                Value::Object(members) => {
                    let wanted = members.iter_mut();
                    waiting.extend(wanted.filter_map(|(name, member)| {
                        expand.inside(name).map(|inside| (member, inside))
                    }));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds the requested fields that exist only when they are expanded.
    async fn include(&mut self, value: &mut Value, expand: &Expand) -> Result<(), Error> {
        let object = value.get("object").and_then(Value::as_str);
        let Some(kind) = object.and_then(wire::expand::kind) else { return Ok(()) };
        if value.get("deleted").is_some() {
            return Ok(());
        }
        let fields = kind.fields.iter().filter(|field| field.mark == Mark::Included);
        for path in fields.map(|field| field.path).filter(|path| expand.wants(path)) {
            let (pointer, name) = match path.rsplit_once('.') {
                Some((hash, name)) => (format!("/{}", hash.replace('.', "/")), name),
                None => (String::new(), path),
            };
            let hash = value.pointer(&pointer).and_then(Value::as_object);
            if hash.is_none_or(|members| members.contains_key(name)) {
                continue;
            }
            let field = self.included(kind.name, path, value).await?;
            let hash = value.pointer_mut(&pointer).and_then(Value::as_object_mut);
            if let (Some(members), Some(field)) = (hash, field) {
                members.insert(name.to_owned(), field);
            }
        }
        Ok(())
    }

    /// The object with this id, which has one of these kinds. `None` if this server has no such
    /// object.
    async fn object_of(
        &mut self,
        kinds: &[&'static str],
        id: &str,
    ) -> Result<Option<Value>, Error> {
        for kind in kinds {
            let key = (*kind, id.to_owned());
            let found = if let Some(shown) = self.shown.get(&key) {
                shown.clone()
            } else {
                let found = Box::pin(self.object(kind, id)).await?;
                self.shown.insert(key, found.clone());
                found
            };
            if let Some(value) = &found {
                self.bytes += bytes_of(value);
                self.count(1)?;
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn count(&mut self, objects: usize) -> Result<(), Error> {
        self.objects += objects;
        if self.bytes > RESPONSE_BYTES_MAX {
            return Err(ApiError::response_too_large().param("expand").into());
        }
        if self.objects <= EXPAND_OBJECTS_MAX {
            return Ok(());
        }
        let message = format!(
            "Limit reached: at most {EXPAND_OBJECTS_MAX} expanded objects in a response. Request \
             a smaller page or fewer expansions."
        );
        Err(ApiError::invalid(message).param("expand").into())
    }

    /// Renders an object by its kind and id, without expansions. A new kind of object is a line
    /// here.
    async fn object(&self, kind: &str, id: &str) -> Result<Option<Value>, Error> {
        let view = self.context.view(self.engine);
        let shown = match kind {
            "account" => self.engine.account_value_of(self.context, id).await?,
            // Stripe has no call that returns an application, but it can be expanded.
            "application" => Some(json!({"id": id, "object": "application", "name": null})),
            "charge" => self.find::<Charge>(id).await?.map(|found| charge::value(&found)),
            "customer" => {
                let found = self.find_with_deleted::<Customer>(id).await?;
                found.map(|found| written(|w| customer::write(w, &found, &view)))
            }
            "financial_connections.account_ownership" => self.ownership(id).await?,
            "financial_connections.institution" => {
                let found = self.engine.find_institution_body(self.context, id).await?;
                found.map(|body| {
                    written(|w| {
                        w.raw(&body);
                    })
                })
            }
            "invoice" => self.find::<Invoice>(id).await?.map(|found| invoice::value(&found, &view)),
            "mandate" => self.find::<Mandate>(id).await?.map(|found| mandate::value(&found)),
            "payment_intent" => self.intent(self.find::<PaymentIntent>(id).await?).await?,
            "payment_method" => {
                self.find::<PaymentMethod>(id).await?.map(|found| payment_method::value(&found))
            }
            "price" => self.find::<Price>(id).await?.map(|found| product::price_value(&found)),
            "product" => self.product(id).await?,
            "refund" => self.find::<Refund>(id).await?.map(|found| refund::value(&found)),
            "setup_intent" => self.intent(self.find::<SetupIntent>(id).await?).await?,
            "subscription" => {
                self.find::<Subscription>(id).await?.map(|found| subscription::value(&found))
            }
            "test_helpers.test_clock" => {
                let found = self.find::<TestClock>(id).await?;
                found.map(|found| written(|w| clock::write(w, &found)))
            }
            _ => None,
        };
        Ok(shown.map(|value| self.shown_to_reader(value)))
    }

    /// An object as the caller may see it. A browser sees no metadata.
    fn shown_to_reader(&self, mut value: Value) -> Value {
        if self.context.publishable {
            intent::leave_out_metadata(&mut value);
        }
        value
    }

    /// Renders a field that exists only when it is expanded. `None` if the object lacks it.
    async fn included(
        &mut self,
        kind: &str,
        path: &str,
        object: &Value,
    ) -> Result<Option<Value>, Error> {
        let id = object["id"].as_str().unwrap_or_default();
        let field = match (kind, path) {
            ("checkout.session", "line_items") => {
                let session = self.find::<CheckoutSession>(id).await?;
                session.map(|session| {
                    let shown = session.line_items.len().min(PAGE_ROWS_DEFAULT as usize);
                    let has_more = shown < session.line_items.len();
                    checkout::line_items(&session, &session.line_items[..shown], has_more)
                })
            }
            ("charge", "refunds") => self.refunds(id).await?,
            ("customer", "subscriptions") => self.subscriptions(id).await?,
            ("invoice", "confirmation_secret" | "payments") => {
                match self.find::<Invoice>(id).await? {
                    Some(found) => {
                        let intent =
                            self.engine.find_intent_of(self.context, &found, self.changes).await?;
                        Some(match path {
                            "payments" => invoice::payments(&found, intent.as_ref()),
                            _ => invoice::confirmation_secret(intent.as_ref()),
                        })
                    }
                    None => None,
                }
            }
            ("price", "currency_options") => {
                self.find::<Price>(id).await?.as_ref().map(product::currency_options)
            }
            ("price", "tiers") => self.find::<Price>(id).await?.as_ref().and_then(product::tiers),
            _ => included::value(kind, path, object),
        };
        let items = field.as_ref().and_then(|field| field["data"].as_array()).map_or(0, Vec::len);
        self.count(items)?;
        Ok(field)
    }

    /// The refunds of a charge, the newest first.
    async fn refunds(&self, id: &str) -> Result<Option<Value>, Error> {
        let Ok(charge) = id.parse::<ChargeId>() else { return Ok(None) };
        let changed = self.changes.objects.iter().filter_map(Refund::of_object);
        let mut refunds: Vec<Refund> =
            changed.filter(|refund| refund.charge == charge).cloned().collect();
        let changed: Vec<_> = refunds.iter().map(|refund| refund.id).collect();
        let (merchant, of) = (self.context.merchant, ObjectsOf::Lookup(id.to_owned()));
        let is_other = |stored: &Refund| !changed.contains(&stored.id);
        let limit = PAGE_ROWS_DEFAULT + 1;
        refunds.extend(self.engine.newest_where::<Refund>(merchant, of, limit, is_other).await?);
        refunds.sort_by_key(|refund| std::cmp::Reverse((refund.created, refund.id)));
        let shown = refunds.iter().take(PAGE_ROWS_DEFAULT as usize);
        let data: Vec<Value> =
            shown.map(|refund| self.shown_to_reader(refund::value(refund))).collect();
        let url = format!("/v1/charges/{id}/refunds");
        Ok(Some(included::list(&data, refunds.len() > data.len(), &url)))
    }

    /// The current subscriptions of a customer, the newest first.
    async fn subscriptions(&self, id: &str) -> Result<Option<Value>, Error> {
        let Ok(customer) = id.parse::<CustomerId>() else { return Ok(None) };
        let mut current: Vec<Subscription> = self
            .changes
            .objects
            .iter()
            .filter_map(Subscription::of_object)
            .filter(|changed| changed.customer == customer)
            .cloned()
            .collect();
        let (merchant, of) = (self.context.merchant, ObjectsOf::Customer(customer));
        let limit = PAGE_ROWS_DEFAULT + 1;
        let changed: Vec<_> = current.iter().map(|changed| changed.id).collect();
        let is_current = |stored: &Subscription| !stored.is_over() && !changed.contains(&stored.id);
        let stored = self.engine.newest_where::<Subscription>(merchant, of, limit, is_current);
        current.extend(stored.await?);
        current.retain(|subscription| !subscription.is_over());
        current.sort_by_key(|one| std::cmp::Reverse((one.created, one.id)));
        let data: Vec<Value> =
            current.iter().take(PAGE_ROWS_DEFAULT as usize).map(subscription::value).collect();
        let url = format!("/v1/customers/{id}/subscriptions");
        Ok(Some(included::list(&data, current.len() > data.len(), &url)))
    }

    async fn intent(&self, found: Option<Intent>) -> Result<Option<Value>, Error> {
        match found {
            Some(found) => {
                let value = self.engine.intent_value(self.context, &found, self.changes, false);
                value.await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// A product, or the stub of a deleted one.
    async fn product(&self, id: &str) -> Result<Option<Value>, Error> {
        let found = self.engine.find_product(self.context, self.changes, id).await?;
        Ok(found.map(|found| {
            if found.deleted {
                written(|w| deleted::write(w, &found.id(), "product"))
            } else {
                product::value(&found)
            }
        }))
    }

    async fn ownership(&self, id: &str) -> Result<Option<Value>, Error> {
        let Ok(id) = id.parse::<OwnershipId>() else { return Ok(None) };
        let find = FindOwnership { merchant: self.context.merchant, ownership: id };
        let found = self.engine.store.read(find).await?;
        Ok(found.map(|found| written(|w| ownership::write(w, &found))))
    }

    /// The object with this id as it will be after the changes, unless it is deleted.
    async fn find<T: StoredObject>(&self, id: &str) -> Result<Option<T::Object>, Error> {
        let found = self.find_with_deleted::<T>(id).await?;
        Ok(found.filter(|object| !object.deleted()))
    }

    async fn find_with_deleted<T: StoredObject>(
        &self,
        id: &str,
    ) -> Result<Option<T::Object>, Error> {
        match T::parse_number(id) {
            Some(number) => {
                self.engine.find_changed::<T>(self.context.merchant, self.changes, number).await
            }
            None => Ok(None),
        }
    }
}

/// Returns the value of an object that is written without one.
fn written(write: impl FnOnce(&mut JsonWriter)) -> Value {
    match serde_json::from_slice(&render(write)) {
        Ok(value) => value,
        Err(error) => unreachable!("objects are rendered as JSON: {error}"),
    }
}
