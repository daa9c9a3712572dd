//! Payment Intents and Setup Intents. One set of use cases serves both, and the purpose of the
//! intent decides the differences.

mod confirm;
mod hosted;
mod list;
mod own;

pub use confirm::VerifyInput;
pub use hosted::{DepositsOutcome, DepositsPage, DepositsStanding};
pub use list::IntentFilter;

use crate::connect::access::{Access, secret_lookup};
use crate::connections::connections_settings::check_prefetch;
use crate::payments::payment_method::{MadeFor, MethodInput};
use crate::payments::share::Share;
use crate::payments::{Changes, bytes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::AccountTime;
use model::collection::Collection;
use model::customer::Customer;
use model::event::EventType;
use model::extra_params::ExtraParams;
use model::money::Currency;
use model::payments::intent::{Intent, IntentStatus, Purpose};
use model::payments::payment_method::PaymentMethod;
use model::stored::{PaymentIntent, SetupIntent};
use own::{check_own, check_owner};
use std::collections::BTreeMap;
use store::Object;
use wire::error::Error as ApiError;
use wire::params::MetadataChange;

/// The param with the link requirements of intents.
pub(crate) const OPTIONS: &str = "payment_method_options[us_bank_account][financial_connections]";

/// The echoed param of allowed types, which replaces named types.
const ALLOWED_TYPES: &str = "allowed_payment_method_types";

/// The kind of intents that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentKind {
    /// Payment Intents.
    Payment,
    /// Setup Intents.
    Setup,
}

/// The params of a create or an update.
#[derive(Clone, Debug, Default)]
pub struct IntentInput {
    /// The amount in minor units. Only for payments.
    pub amount: Option<i64>,
    /// The currency. Only for payments.
    pub currency: Option<Currency>,
    /// The customer that pays.
    pub customer: Option<String>,
    /// The payment method to debit.
    pub method: Option<MethodParam>,
    /// The types that are allowed; left out, the merchant's settings choose.
    pub method_types: Option<Vec<String>>,
    /// The link requirements, if the request sets them.
    pub collection: Option<Collection>,
    /// The params of an immediate confirmation.
    pub confirmation: Option<Confirmation>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// All params, to be echoed.
    pub given: ExtraParams,
}

/// A payment method in a request.
#[derive(Clone, Debug)]
pub enum MethodParam {
    /// By its id.
    Id(String),
    /// Params of a new payment method.
    Data(Box<MethodInput>),
    /// A new payment method that is not stored yet.
    Made(Box<PaymentMethod>),
}

/// The params of a confirmation.
#[derive(Clone, Debug, Default)]
pub struct Confirmation {
    /// The payment method to debit from now on.
    pub method: Option<MethodParam>,
    /// The confirmation token with further values.
    pub token: Option<String>,
    /// The holder's acceptance of debits.
    pub acceptance: Option<ExtraParams>,
    /// An earlier mandate. With one, no new mandate is made.
    pub mandate: Option<String>,
    /// True if the request pays an invoice, which names a mandate but cannot create one.
    pub of_invoice_call: bool,
    /// The URL that the browser goes to afterwards.
    pub return_url: Option<String>,
    /// The link requirements from now on, if the request sets them.
    pub collection: Option<Collection>,
    /// The params to echo from now on.
    pub given: Option<ExtraParams>,
}

impl IntentKind {
    /// The word for it in paths and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment_intent",
            Self::Setup => "setup_intent",
        }
    }

    /// The event type for this kind.
    pub(crate) fn event(self, of_payment: EventType, of_setup: EventType) -> EventType {
        match self {
            Self::Payment => of_payment,
            Self::Setup => of_setup,
        }
    }
}

/// The kind of an intent.
pub(crate) fn kind_of(intent: &Intent) -> IntentKind {
    if intent.is_payment() { IntentKind::Payment } else { IntentKind::Setup }
}

impl Engine {
    /// Makes an intent, and confirms it if requested.
    pub async fn create_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        input: &IntentInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_intent", async || {
            let customer = self.customer_of(context, input.customer.as_deref()).await?;
            let clock = customer.as_ref().and_then(|customer| customer.test_clock);
            let mut changes = self.changes_for(context, customer.as_ref()).await?;
            let now = changes.now;
            let mut intent = self.new_intent(context, kind, input, customer.as_ref(), now).await?;
            check_own(&intent)?;
            self.check_share_of_intent(context, &intent, &mut changes).await?;
            let named = intent.method_types.is_some();
            let configuration = input.given.text(&["payment_method_configuration"]);
            intent.configuration =
                self.configured_by(context, named, configuration, &mut changes).await?;
            intent.from_settings =
                self.collection_of_settings(context, named, &mut changes).await?;
            check_prefetch(&intent.collection, intent.from_settings.as_ref(), OPTIONS)?;
            self.check_collection_bank(context, &intent.collection, intent.clock, OPTIONS).await?;
            let created =
                kind.event(EventType::PaymentIntentCreated, EventType::SetupIntentCreated);
            changes.emit(&intent_object(intent.clone()), created);
            let made_for = MadeFor { now, clock };
            let mut method = None;
            if let Some(param) = &input.method {
                method = self.take_method(context, param, made_for, &mut changes).await?.into();
            }
            if let Some(method) = &method {
                check_owner(&intent, method)?;
                intent.attach(method.id);
            }
            if let Some(confirmation) = &input.confirmation {
                self.confirm_intent_with(context, &mut intent, confirmation, &mut changes).await?;
            }
            changes.put(intent_object(intent.clone()));
            self.commit_intent(context, &intent, changes, false).await
        })
        .await
    }

    /// A new intent, not stored yet.
    pub(crate) async fn new_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        input: &IntentInput,
        customer: Option<&Customer>,
        now: AccountTime,
    ) -> Result<Intent, Error> {
        let number = self.next_number();
        let purpose = match (kind, input.amount, input.currency) {
            (IntentKind::Payment, Some(amount), Some(currency)) => {
                Purpose::Payment { amount, currency }
            }
            (IntentKind::Payment, ..) => {
                unreachable!("the params of a payment require its amount and currency")
            }
            (IntentKind::Setup, ..) => Purpose::Setup,
        };
        let mut metadata = BTreeMap::new();
        if let Some(change) = &input.metadata {
            change.apply(&mut metadata)?;
        }
        let mut intent = Intent {
            number,
            purpose,
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            customer: customer.map(|customer| customer.id),
            clock: customer.and_then(|customer| customer.test_clock),
            client_secret: String::new(),
            status: IntentStatus::RequiresPaymentMethod,
            payment_method: None,
            method_types: input.method_types.clone(),
            collection: input.collection.clone().unwrap_or_default(),
            configuration: None,
            from_settings: None,
            mandate: None,
            latest_charge: None,
            last_error: None,
            microdeposits: None,
            settles_at: None,
            disputed_at: None,
            canceled: None,
            return_url: input
                .confirmation
                .as_ref()
                .and_then(|confirmation| confirmation.return_url.clone()),
            invoice: None,
            subscription: None,
            application: self.application_of(context).await?,
            metadata,
            given: input.given.clone().without_unset(),
        };
        intent.client_secret = self.secret(&format!("{}_secret_", intent.id()), 25);
        Ok(intent)
    }

    /// Shows an intent.
    pub async fn retrieve_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        id: &str,
        access: Access<'_>,
    ) -> Result<ApiResponse, Error> {
        let intent = self.get_intent(context, kind, id, "intent").await?;
        allow(&intent, access)?;
        let value =
            self.intent_value(context, &intent, &Changes::none(), access.publishable).await?;
        self.unchanged(context, bytes(context, value)).await
    }

    /// Changes an intent that still collects.
    pub async fn update_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        id: &str,
        input: &IntentInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_intent", async || {
            let before = self.get_intent(context, kind, id, "intent").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            let mut intent = before.clone();
            self.update_with(context, &mut intent, input, &mut changes).await?;
            if intent == before {
                let value = self.intent_value(context, &intent, &changes, false).await?;
                return self.unchanged(context, bytes(context, value)).await.map(Some);
            }
            intent.version += 1;
            changes.put(intent_object(intent.clone()));
            self.commit_intent(context, &intent, changes, false).await
        })
        .await
    }

    async fn update_with(
        &self,
        context: &Context,
        intent: &mut Intent,
        input: &IntentInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let of_the_debit = input.amount.is_some()
            || input.currency.is_some()
            || input.customer.is_some()
            || input.method.is_some()
            || input.collection.is_some();
        if of_the_debit && !intent.collects() {
            return Err(unexpected_state(intent, "updated"));
        }
        if intent.invoice.is_some() && (input.amount.is_some() || input.customer.is_some()) {
            let message = "The intent pays an invoice, which decides on amount and customer.";
            return Err(ApiError::invalid(message).into());
        }
        if let Purpose::Payment { amount, currency } = intent.purpose {
            intent.purpose = Purpose::Payment {
                amount: input.amount.unwrap_or(amount),
                currency: input.currency.unwrap_or(currency),
            };
        }
        if let Some(customer) = self.customer_of(context, input.customer.as_deref()).await? {
            changes.require_exists::<Customer>(&customer);
            intent.customer = Some(customer.id);
            intent.clock = customer.test_clock;
        }
        if input.method_types.is_some() {
            intent.method_types.clone_from(&input.method_types);
            intent.from_settings = None;
            intent.given.take(ALLOWED_TYPES);
        } else if input.given.list(&[ALLOWED_TYPES]).is_some() {
            intent.method_types = None;
        }
        let configuration = input.given.text(&["payment_method_configuration"]);
        self.configure_intent(context, intent, configuration, changes).await?;
        if let Some(collection) = &input.collection {
            check_prefetch(collection, intent.from_settings.as_ref(), OPTIONS)?;
            self.check_collection_bank(context, collection, intent.clock, OPTIONS).await?;
            intent.collection.clone_from(collection);
        }
        if let Some(change) = &input.metadata {
            change.apply(&mut intent.metadata)?;
        }
        intent.given.update(input.given.clone());
        check_own(intent)?;
        self.check_share_of_intent(context, intent, changes).await?;
        if let Some(param) = &input.method {
            let made_for = MadeFor { now: changes.now, clock: intent.clock };
            let method = self.take_method(context, param, made_for, changes).await?;
            check_owner(intent, &method)?;
            intent.attach(method.id);
        }
        Ok(())
    }

    async fn check_share_of_intent(
        &self,
        context: &Context,
        intent: &Intent,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let Purpose::Payment { amount, .. } = intent.purpose else { return Ok(()) };
        let share = Share { params: &intent.given, hash: "", amount: Some(amount) };
        self.check_share(context, share, changes).await
    }

    /// Cancels an intent.
    pub async fn cancel_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        id: &str,
        reason: Option<&str>,
    ) -> Result<ApiResponse, Error> {
        self.change("cancel_intent", async || {
            let mut intent = self.get_intent(context, kind, id, "intent").await?;
            let mut changes = self.changes_on(context, intent.clock).await?;
            let now = changes.now;
            if intent.invoice.is_some() {
                let message = "The intent pays an invoice: void the invoice instead.";
                return Err(ApiError::invalid(message).into());
            }
            if !intent.cancelable_by_call() {
                return Err(unexpected_state(&intent, "canceled"));
            }
            let before = intent.status;
            intent.cancel(reason.map(str::to_owned), now);
            intent.version += 1;
            if before == IntentStatus::RequiresAction {
                self.deposits_ended(&intent, false, &mut changes).await?;
            }
            if before == IntentStatus::Processing {
                self.end_charge(&intent, &mut changes).await?;
                self.single_use_ended(&intent, &mut changes).await?;
                self.settle_checkout(&intent, false, &mut changes).await?;
            }
            let object = intent_object(intent.clone());
            let canceled =
                kind.event(EventType::PaymentIntentCanceled, EventType::SetupIntentCanceled);
            changes.emit(&object, canceled);
            changes.put(object);
            self.apply_to_subscription(&intent, &mut changes).await?;
            self.commit_intent(context, &intent, changes, false).await
        })
        .await
    }

    /// Rejects a capture, because a debit of a bank account has no separate capture.
    pub async fn capture_intent(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let intent = self.get_intent(context, IntentKind::Payment, id, "intent").await?;
        Err(unexpected_state(&intent, "captured"))
    }

    /// An intent by the text of its id.
    pub(crate) async fn get_intent(
        &self,
        context: &Context,
        kind: IntentKind,
        id: &str,
        param: &str,
    ) -> Result<Intent, Error> {
        match kind {
            IntentKind::Payment => self.get::<PaymentIntent>(context, id, param).await,
            IntentKind::Setup => self.get::<SetupIntent>(context, id, param).await,
        }
    }

    /// The intent of a client secret, if there is one.
    pub(crate) async fn find_intent_of_secret(
        &self,
        context: &Context,
        secret: &str,
    ) -> Result<Option<Intent>, Error> {
        let (merchant, lookup) = (context.merchant, secret_lookup(secret));
        match secret.split('_').next() {
            Some("pi") => self.find_by_lookup::<PaymentIntent>(merchant, lookup).await,
            Some("seti") => self.find_by_lookup::<SetupIntent>(merchant, lookup).await,
            _ => Ok(None),
        }
    }

    /// The customer that a request names.
    pub(crate) async fn customer_of(
        &self,
        context: &Context,
        id: Option<&str>,
    ) -> Result<Option<Customer>, Error> {
        match id {
            Some(id) => self.get::<Customer>(context, id, "customer").await.map(Some),
            None => Ok(None),
        }
    }

    /// The payment method of a param. A new one is put among the changes.
    async fn take_method(
        &self,
        context: &Context,
        param: &MethodParam,
        made_for: MadeFor,
        changes: &mut Changes,
    ) -> Result<PaymentMethod, Error> {
        let method = match param {
            MethodParam::Id(id) => {
                self.method_param(context, id, "payment_method", made_for, changes).await?
            }
            MethodParam::Data(input) => self.new_method(context, input, made_for, changes).await?,
            MethodParam::Made(method) => {
                let MadeFor { now: created, clock } = made_for;
                PaymentMethod { created, clock: clock.or(method.clock), ..(**method).clone() }
            }
        };
        if method.version == 1 && method.created == made_for.now {
            let stored = matches!(param, MethodParam::Id(id) if *id == method.id.to_string());
            if !stored {
                changes.put(Object::PaymentMethod(method.clone()));
            }
        }
        Ok(method)
    }

    /// Commits an intent with the other changes. Returns the response, or `None` after a version
    /// conflict.
    async fn commit_intent(
        &self,
        context: &Context,
        intent: &Intent,
        changes: Changes,
        publishable: bool,
    ) -> Result<Option<ApiResponse>, Error> {
        let body = bytes(context, self.intent_value(context, intent, &changes, publishable).await?);
        self.commit_any(context, changes, body).await
    }
}

/// Restricts a browser to the intent of its client secret.
fn allow(intent: &Intent, access: Access<'_>) -> Result<(), Error> {
    let kind = kind_of(intent).word();
    match access.client_secret {
        Some(secret) if secret != intent.client_secret => {
            let message = format!("The client_secret given does not belong to this {kind}.");
            let api_error = ApiError::invalid(message).param("client_secret");
            Err(api_error
                .code(match kind_of(intent) {
                    IntentKind::Payment => "payment_intent_invalid_parameter",
                    IntentKind::Setup => "setup_intent_invalid_parameter",
                })
                .into())
        }
        None if access.publishable => Err(ApiError::missing_param("client_secret").into()),
        _ => Ok(()),
    }
}

/// The API error of a call that the status does not permit.
fn unexpected_state(intent: &Intent, verb: &str) -> Error {
    use model::Word;
    let kind = kind_of(intent);
    let code = match kind {
        IntentKind::Payment => "payment_intent_unexpected_state",
        IntentKind::Setup => "setup_intent_unexpected_state",
    };
    let message = format!(
        "This {} has the status {} and cannot be {verb}.",
        kind.word(),
        intent.status.word()
    );
    ApiError::invalid(message).code(code).into()
}
