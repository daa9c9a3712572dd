//! Checkout Sessions: made by a merchant, completed by a link flow, expired by a call or by time.
//!
//! The intent of a session is created when the holder has linked an account. Intent, payment
//! method, mandate and session are one commit with the accounts. After a crash a session is
//! therefore open as before, or complete with all of them. An attempt that fails at once leaves the
//! session open and its intent for the next attempt. The session of an intent is found by a lookup.

mod expire;
mod hosted;
mod items;
mod subscribe;

pub(crate) use hosted::deposits_url;
pub use hosted::{CheckoutPage, CheckoutStanding};
pub use items::LineItemInput;

use crate::connections::carrier::CarrierEnd;
use crate::connections::connections_settings::check_prefetch;
use crate::objects::missing;
use crate::payments::intent::{Confirmation, IntentInput, IntentKind, OPTIONS};
use crate::payments::payment_method::give_to;
use crate::payments::share::Share;
use crate::payments::{Changes, bytes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word as _;
use model::clock::AccountTime;
use model::collection::Collection;
use model::customer::Customer;
use model::event::EventType;
use model::extra_params::ExtraParams;
use model::money::Currency;
use model::payments::checkout::{
    CHECKOUT_AGE_S_MAX, CHECKOUT_AGE_S_MIN, CheckoutMode, CheckoutSession, CheckoutStatus, Payer,
    PaymentStatus,
};
use model::payments::intent::Intent;
use model::payments::payment_method::PaymentMethod;
use model::stored::Filter;
use model::stored::{PaymentIntent, SetupIntent, StoredKind};
use std::collections::BTreeMap;
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::checkout::{line_items, value};

/// The params of a create.
#[derive(Clone, Debug)]
pub struct CheckoutInput {
    /// Its mode.
    pub mode: CheckoutMode,
    /// The customer that pays.
    pub customer: Option<String>,
    /// The payer's e-mail address, if no customer is named.
    pub customer_email: Option<String>,
    /// The time at which it expires.
    pub expires_at: Option<AccountTime>,
    /// The line items.
    pub line_items: Vec<LineItemInput>,
    /// The currency.
    pub currency: Option<Currency>,
    /// The types that are allowed; left out, the merchant's settings choose.
    pub method_types: Option<Vec<String>>,
    /// The link requirements.
    pub collection: Collection,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// All params, to be echoed.
    pub given: ExtraParams,
}

/// The filter of a list of sessions.
#[derive(Clone, Debug)]
pub struct CheckoutFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those with exactly this e-mail address.
    pub email: Option<String>,
    /// The one that made this Payment Intent.
    pub payment_intent: Option<String>,
    /// Those with this status.
    pub status: Option<CheckoutStatus>,
    /// The one that made this subscription.
    pub subscription: Option<String>,
    /// True for an empty list, because the request filters by an object that never has a session on
    /// this server.
    pub none: bool,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Makes a session.
    pub async fn create_checkout(
        &self,
        context: &Context,
        input: &CheckoutInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_checkout", async || {
            let customer = self.customer_of(context, input.customer.as_deref()).await?;
            let clock = customer.as_ref().and_then(|customer| customer.test_clock);
            let mut changes = self.changes_for(context, customer.as_ref()).await?;
            let now = changes.now;
            let mut metadata = BTreeMap::new();
            if let Some(change) = &input.metadata {
                change.apply(&mut metadata)?;
            }
            let named = input.method_types.is_some();
            let configuration_id = input.given.text(&["payment_method_configuration"]);
            let configuration =
                self.configured_by(context, named, configuration_id, &mut changes).await?;
            let from_settings = self.collection_of_settings(context, named, &mut changes).await?;
            check_prefetch(&input.collection, from_settings.as_ref(), OPTIONS)?;
            let number = self.next_number();
            let line_items = self.line_items_of(context, input, &mut changes).await?;
            let email = customer.as_ref().and_then(|customer| customer.email.clone());
            let mut session = CheckoutSession {
                number,
                merchant: context.merchant,
                version: 1,
                livemode: context.livemode,
                created: now,
                expires_at: expiry(input.expires_at, now)?,
                customer: customer.map(|customer| customer.id),
                clock,
                email: input.customer_email.clone().or(email),
                mode: input.mode,
                status: CheckoutStatus::Open,
                payment_status: PaymentStatus::Unpaid,
                currency: line_items.first().map(|item| item.currency).or(input.currency),
                line_items,
                method_types: input.method_types.clone(),
                configuration,
                collection: input.collection.clone(),
                from_settings,
                intent: None,
                subscription: None,
                invoice: None,
                payer: Payer::default(),
                collected: None,
                metadata,
                given: input.given.clone().without_unset(),
            };
            if session.amount().unwrap_or(0) == 0 {
                session.payment_status = PaymentStatus::NoPaymentRequired;
            }
            self.check_share_of_checkout(context, &session, &mut changes).await?;
            // Params that an intent or a subscription would reject are rejected before the holder
            // comes.
            let change = match session.mode {
                CheckoutMode::Subscription => subscribe::metadata(&session),
                _ => intent_input(&session).1.metadata.unwrap_or_default(),
            };
            change.apply(&mut BTreeMap::new())?;
            changes.put(Object::Checkout(session.clone()));
            self.commit_checkout(context, &session, changes).await
        })
        .await
    }

    async fn check_share_of_checkout(
        &self,
        context: &Context,
        session: &CheckoutSession,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let (hash, amount) = match session.mode {
            CheckoutMode::Payment => ("payment_intent_data", session.amount()),
            CheckoutMode::Subscription => (subscribe::SUBSCRIPTION_DATA, None),
            CheckoutMode::Setup => return Ok(()),
        };
        let Some(params) = session.given.at(&[hash]) else { return Ok(()) };
        self.check_share(context, Share { params, hash, amount }, changes).await
    }

    /// Shows a session.
    pub async fn retrieve_checkout(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let session = self.get_checkout(context, id, "session").await?;
        let shown = value(&session, &context.view(self));
        self.unchanged(context, bytes(context, shown)).await
    }

    /// Lists sessions, the newest first.
    pub async fn list_checkouts(
        &self,
        context: &Context,
        filter: &CheckoutFilter,
    ) -> Result<ApiResponse, Error> {
        let customer = self.of_customer(context, filter.customer.as_deref()).await?;
        let mut of = Vec::new();
        if filter.none {
            of.push(ObjectsOf::Numbers(Vec::new()));
        }
        if let Some(id) = &filter.payment_intent {
            let intent = self.get::<PaymentIntent>(context, id, "payment_intent").await?;
            of.push(ObjectsOf::Lookup(intent.id()));
        }
        let subscription = filter.subscription.as_ref();
        of.extend(subscription.map(|id| ObjectsOf::value(Filter::Subscription, id)));
        of.extend(filter.email.as_ref().map(|email| ObjectsOf::value(Filter::Email, email)));
        of.extend(customer);
        of.extend(filter.status.map(|status| ObjectsOf::value(Filter::Status, status.word())));
        let (created, page) = (filter.created, &filter.page);
        let listed = self.list_in_all::<CheckoutSession>(context, of, created, page).await?;
        let (view, url) = (context.view(self), "/v1/checkout/sessions");
        self.list_values(context, url, listed, |session| value(session, &view)).await
    }

    /// Lists the line items of a session, in the order of the request.
    pub async fn list_line_items(
        &self,
        context: &Context,
        id: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let session = self.get_checkout(context, id, "session").await?;
        let items = &session.line_items;
        let place_of = |id_text: &str, param: &str| {
            let place = items.iter().position(|item| item.id.to_string() == id_text);
            place.ok_or_else(|| ApiError::no_such("line item", id_text, param).status(400))
        };
        let (begin, end) = match (&page.starting_after, &page.ending_before) {
            (Some(id_text), _) => (place_of(id_text, "starting_after")? + 1, items.len()),
            (None, Some(id_text)) => (0, place_of(id_text, "ending_before")?),
            (None, None) => (0, items.len()),
        };
        let limit = page.limit as usize;
        let has_more = end - begin > limit;
        let shown = match page.ending_before {
            Some(_) => &items[end.saturating_sub(limit)..end],
            None => &items[begin..end.min(begin + limit)],
        };
        self.unchanged(context, bytes(context, line_items(&session, shown, has_more))).await
    }

    /// A session by the text of its id.
    pub(crate) async fn get_checkout(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<CheckoutSession, Error> {
        // The text also names the mode, which is no part of the number.
        let found = self.find_id::<CheckoutSession>(context, id).await?;
        let found = found.filter(|session| session.id() == id);
        found.ok_or_else(|| missing::<CheckoutSession>(id, param).into())
    }

    /// Applies the payment method of a flow to its session. Without one the holder may begin again.
    pub(crate) async fn checkout_collected(
        &self,
        context: &Context,
        mut session: CheckoutSession,
        method: Option<PaymentMethod>,
        mut changes: Changes,
    ) -> Result<CarrierEnd, Error> {
        if session.mode == CheckoutMode::Subscription {
            if let Some(method) = method {
                self.subscribe_by(context, &mut session, method, &mut changes).await?;
            }
        } else if let Some(method) = method {
            let intent = self.intent_of_checkout(context, &session, method, &mut changes).await?;
            let complete = session.confirmed(&intent);
            session.version += 1;
            let object = Object::Checkout(session.clone());
            if complete {
                changes.emit(&object, EventType::CheckoutSessionCompleted);
            }
            changes.put(object);
        }
        let body = bytes(context, value(&session, &context.view(self)));
        let body = self.expanded(context, &changes, body).await?;
        Ok(CarrierEnd { changes, body, token: None })
    }

    /// Makes the intent of a session with the holder's payment method, and confirms it.
    async fn intent_of_checkout(
        &self,
        context: &Context,
        session: &CheckoutSession,
        method: PaymentMethod,
        changes: &mut Changes,
    ) -> Result<Intent, Error> {
        let customer = match session.customer {
            Some(id) => self.find::<Customer>(context.merchant, id.number()).await?,
            None => None,
        };
        let mut intent =
            if let Some(failed) = self.find_intent_of_checkout(session, changes).await? {
                Intent { version: failed.version + 1, ..failed }
            } else {
                let (kind, input) = intent_input(session);
                let mut new =
                    self.new_intent(context, kind, &input, customer.as_ref(), changes.now).await?;
                new.configuration.clone_from(&session.configuration);
                let created =
                    kind.event(EventType::PaymentIntentCreated, EventType::SetupIntentCreated);
                changes.emit(&intent_object(new.clone()), created);
                new
            };
        intent.attach(method.id);
        changes.put(Object::PaymentMethod(method.clone()));
        let acceptance = Some(session.acceptance());
        let confirmation = Confirmation { acceptance, ..Confirmation::default() };
        self.confirm_intent_with(context, &mut intent, &confirmation, changes).await?;
        changes.put(intent_object(intent.clone()));
        // A method that waits for deposits is not attached to a customer yet.
        if let Some(customer) = session.customer.filter(|_| method.verified)
            && let Some(method) = self
                .find_unchanged::<PaymentMethod>(context.merchant, changes, method.id.number())
                .await?
        {
            give_to(changes, method, customer)?;
        }
        Ok(intent)
    }

    /// The intent of a session, once an attempt has made it.
    async fn find_intent_of_checkout(
        &self,
        session: &CheckoutSession,
        changes: &Changes,
    ) -> Result<Option<Intent>, Error> {
        let Some(number) = intent_number(session) else { return Ok(None) };
        let merchant = session.merchant;
        match session.mode {
            CheckoutMode::Payment => {
                self.find_changed::<PaymentIntent>(merchant, changes, number).await
            }
            CheckoutMode::Setup | CheckoutMode::Subscription => {
                self.find_changed::<SetupIntent>(merchant, changes, number).await
            }
        }
    }

    /// Applies the end of a debit to the session that made its intent, if there is one.
    pub(crate) async fn settle_checkout(
        &self,
        intent: &Intent,
        paid: bool,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let lookup = intent.id();
        let found = self.find_by_lookup::<CheckoutSession>(intent.merchant, lookup).await?;
        let Some(mut session) = found else { return Ok(()) };
        if !session.sells() {
            return Ok(());
        }
        let event_type = if paid {
            session.payment_status = PaymentStatus::Paid;
            EventType::CheckoutSessionAsyncPaymentSucceeded
        } else {
            EventType::CheckoutSessionAsyncPaymentFailed
        };
        session.version += 1;
        let object = Object::Checkout(session);
        changes.emit(&object, event_type);
        changes.put(object);
        Ok(())
    }

    async fn commit_checkout(
        &self,
        context: &Context,
        session: &CheckoutSession,
        changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        let shown = value(session, &context.view(self));
        self.commit_any(context, changes, bytes(context, shown)).await
    }
}

/// The expiry of a session that is made now.
fn expiry(wanted: Option<AccountTime>, now: AccountTime) -> Result<AccountTime, Error> {
    let Some(at) = wanted else { return Ok(now.plus(CHECKOUT_AGE_S_MAX)) };
    if at < now.plus(CHECKOUT_AGE_S_MIN) || at > now.plus(CHECKOUT_AGE_S_MAX) {
        let message = "A Checkout Session expires from 30 minutes to 24 hours after it was made.";
        return Err(ApiError::invalid(message).param("expires_at").into());
    }
    Ok(at)
}

fn intent_number(session: &CheckoutSession) -> Option<u64> {
    let id = session.intent.as_deref()?;
    let number = match session.mode {
        CheckoutMode::Payment => PaymentIntent::parse_number(id),
        CheckoutMode::Setup => SetupIntent::parse_number(id),
        // Its intent is that of the subscription's first invoice.
        CheckoutMode::Subscription => return None,
    };
    assert!(number.is_some(), "a session stores the id of an intent of its mode");
    number
}

/// The params of a session's intent.
fn intent_input(session: &CheckoutSession) -> (IntentKind, IntentInput) {
    let (kind, name) = match session.mode {
        CheckoutMode::Payment => (IntentKind::Payment, "payment_intent_data"),
        _ => (IntentKind::Setup, "setup_intent_data"),
    };
    let mut params = session.given.at(&[name]).cloned().unwrap_or_else(ExtraParams::empty);
    let metadata = metadata_in(params.take("metadata"));
    let input = IntentInput {
        amount: session.amount(),
        currency: session.currency,
        method_types: session.method_types.clone(),
        collection: Some(session.collection.clone()),
        metadata: Some(metadata),
        given: params,
        ..IntentInput::default()
    };
    (kind, input)
}

/// Metadata as a part of the request gave it.
fn metadata_in(hash: Option<ExtraParams>) -> MetadataChange {
    let members = match hash {
        Some(ExtraParams::Hash(members)) => members,
        _ => BTreeMap::new(),
    };
    let keys = members
        .into_iter()
        .filter_map(|(key, value)| Some((key, Some(value.text(&[])?.to_owned()))));
    MetadataChange { clear: false, keys: keys.collect() }
}
