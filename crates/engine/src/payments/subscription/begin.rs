//! The begin of a subscription and of each of its periods: its items, its invoices, and the Setup
//! Intent of a subscription without an open invoice.

use super::item::{SubscriptionItemInput, unit_amount};
use super::notice::notice_short_trial;
use crate::payments::intent::{Confirmation, IntentInput, IntentKind};
use crate::payments::share::put_share;
use crate::payments::{Changes, intent_object, mandate};
use crate::{Context, Engine, Error};
use model::clock::{AccountTime, DAY_S};
use model::collection::Collection;
use model::customer::Customer;
use model::event::EventType;
use model::extra_params::ExtraParams;
use model::id::{
    CustomerId, InvoiceItemId, MerchantId, PaymentMethodId, SetupIntentId, SubscriptionId,
    SubscriptionItemId,
};
use model::money::Currency;
use model::payments::intent::AMOUNT_MAX;
use model::payments::invoice::{DRAFT_AGE_S, Invoice, InvoiceStatus, Line, LineDetails, cost};
use model::payments::payment_method::PaymentMethod;
use model::payments::product::Price;
use model::payments::subscription::{
    CollectionMethod, Subscription, SubscriptionItem, SubscriptionStatus,
};
use std::collections::BTreeMap;
use store::{Kind, Object};
use wire::error::Error as ApiError;

/// Something that is invoiced once, with the first period.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    pub(crate) price: Price,
    pub(crate) quantity: i64,
}

/// The params of the begin of a subscription.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// The items that are invoiced once.
    pub(crate) once: Vec<Once>,
    /// The payment method to debit.
    pub(crate) method: Option<PaymentMethodId>,
    /// True if the first invoice waits for a separate payment.
    pub(crate) incomplete: bool,
    /// True if the subscription is not created unless its first invoice can be debited.
    pub(crate) must_pay: bool,
    /// The holder's acceptance of debits.
    pub(crate) acceptance: Option<ExtraParams>,
}

impl Engine {
    /// A new subscription without items, not stored yet.
    pub(crate) async fn blank_subscription(
        &self,
        context: &Context,
        customer: &Customer,
        now: AccountTime,
    ) -> Result<Subscription, Error> {
        Ok(Subscription {
            id: SubscriptionId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            customer: customer.id,
            clock: customer.test_clock,
            status: SubscriptionStatus::Active,
            currency: Currency::USD,
            items: Vec::new(),
            anchor: now,
            periods: 0,
            period: (now, now),
            trial: None,
            expires_at: None,
            cancel_at_period_end: false,
            cancel_at: None,
            canceled_at: None,
            cancel_reason: None,
            ended_at: None,
            collection_method: CollectionMethod::ChargeAutomatically,
            days_until_due: None,
            default_payment_method: None,
            saves_method: false,
            trial_noticed: None,
            renewal_noticed: None,
            method_types: None,
            collection: Collection::default(),
            from_settings: None,
            latest_invoice: None,
            pending_setup_intent: None,
            application: self.application_of(context).await?,
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        })
    }

    /// A new item.
    pub(crate) fn new_item(
        &self,
        price: Price,
        quantity: i64,
        now: AccountTime,
    ) -> SubscriptionItem {
        SubscriptionItem {
            id: SubscriptionItemId::from_number(self.next_number()),
            created: now,
            price,
            quantity,
            metadata: BTreeMap::new(),
            given: ExtraParams::empty(),
        }
    }

    /// The prices of the items that a request invoices once.
    pub(super) async fn once(
        &self,
        context: &Context,
        inputs: &[SubscriptionItemInput],
        changes: &mut Changes,
    ) -> Result<Vec<Once>, Error> {
        let mut once = Vec::with_capacity(inputs.len());
        for input in inputs {
            let price = self.price_of_item(context, input, changes).await?;
            if price.is_recurring() {
                let message = "An item of an invoice needs a price that is paid once.";
                return Err(ApiError::invalid(message).param(input.price_path()).into());
            }
            once.push(Once { price, quantity: input.quantity.unwrap_or(1) });
        }
        Ok(once)
    }

    /// The payment method of a subscription: its default, else that of its customer. A method that
    /// the customer no longer has does not count.
    pub(super) async fn payer_of(
        &self,
        subscription: &Subscription,
        changes: &mut Changes,
    ) -> Result<Option<PaymentMethodId>, Error> {
        let default = subscription.default_payment_method;
        self.usable_method(subscription.merchant, subscription.customer, default, changes).await
    }

    /// The default payment method of an open invoice: its own, that of its subscription, or that of
    /// its customer.
    pub(crate) async fn payer_of_invoice(
        &self,
        invoice: &Invoice,
        changes: &mut Changes,
    ) -> Result<Option<PaymentMethodId>, Error> {
        let (merchant, mut default) = (invoice.merchant, invoice.default_payment_method);
        if let Some(id) = invoice.subscription.filter(|_| default.is_none())
            && let Some(subscription) =
                self.find_unchanged::<Subscription>(merchant, changes, id.number()).await?
        {
            default = subscription.default_payment_method;
        }
        self.usable_method(merchant, invoice.customer, default, changes).await
    }

    /// This method, or else the default of the customer, if the customer still has it.
    async fn usable_method(
        &self,
        merchant: MerchantId,
        customer: CustomerId,
        mut method: Option<PaymentMethodId>,
        changes: &mut Changes,
    ) -> Result<Option<PaymentMethodId>, Error> {
        if method.is_none()
            && let Some(customer) =
                self.find_unchanged::<Customer>(merchant, changes, customer.number()).await?
        {
            method = customer.default_payment_method;
        }
        let Some(id) = method else { return Ok(None) };
        let found = self.find_unchanged::<PaymentMethod>(merchant, changes, id.number()).await?;
        let usable = |method: &PaymentMethod| method.customer == Some(customer);
        Ok(found.filter(usable).map(|method| method.id))
    }

    /// Begins a subscription that has its items and its first period. It is invoiced, or it
    /// collects a payment method by a Setup Intent. Returns the subscription after these changes,
    /// which include it and its event.
    pub(crate) async fn begin_subscription(
        &self,
        context: &Context,
        mut made: Subscription,
        beginning: Beginning,
        changes: &mut Changes,
    ) -> Result<Subscription, Error> {
        let charged = made.collection_method == CollectionMethod::ChargeAutomatically;
        // The changes of the invoice and its intent find the subscription among the changes.
        changes.put(Object::Subscription(made.clone()));
        let mut to_pay = None;
        if !made.items.is_empty() || !beginning.once.is_empty() {
            let reason = "subscription_create";
            let mut invoice =
                self.draft_of_period(context, &made, &beginning.once, reason, changes).await?;
            put_created(&invoice, changes);
            self.finalize_with(context, &mut invoice, changes).await?;
            made.latest_invoice = Some(invoice.id);
            to_pay = Some(invoice).filter(|invoice| invoice.status == InvoiceStatus::Open);
        }
        if let Some(invoice) = to_pay.filter(|_| charged) {
            if made.status == SubscriptionStatus::Active {
                made.await_payment();
            }
            changes.put(Object::Subscription(made.clone()));
            let acceptance = beginning.acceptance;
            let word = Confirmation { acceptance, ..Confirmation::default() };
            let word = Some(word).filter(|_| !beginning.incomplete);
            match beginning.method {
                Some(method) => {
                    let begun = self.debit(context, &invoice, method, word, changes).await?;
                    if !begun && beginning.must_pay {
                        return Err(mandate::missing(false).into());
                    }
                    if !begun {
                        attempt_failed(invoice, changes);
                    }
                }
                None if !beginning.incomplete => return Err(nothing_to_debit()),
                None => {}
            }
        } else {
            if charged && beginning.method.is_none() {
                self.set_up_later(context, &mut made, changes).await?;
            }
            changes.put(Object::Subscription(made.clone()));
        }
        let made = self.as_changed(made, changes).await?;
        let object = Object::Subscription(made.clone());
        let created = EventType::SubscriptionCreated;
        changes.put_and_emit(object, created, None);
        Ok(notice_short_trial(made, changes))
    }

    /// A subscription after the changes.
    async fn as_changed(
        &self,
        subscription: Subscription,
        changes: &Changes,
    ) -> Result<Subscription, Error> {
        let (merchant, number) = (subscription.merchant, subscription.id.number());
        let found = self.find_changed::<Subscription>(merchant, changes, number).await?;
        Ok(found.unwrap_or(subscription))
    }

    /// The draft of the current period's invoice, not stored yet.
    pub(super) async fn draft_of_period(
        &self,
        context: &Context,
        subscription: &Subscription,
        once: &[Once],
        reason: &str,
        changes: &mut Changes,
    ) -> Result<Invoice, Error> {
        let number = subscription.customer.number();
        let found = self.find_unchanged::<Customer>(context.merchant, changes, number).await?;
        let Some(customer) = found else {
            return Err(ApiError::invalid("The customer of the subscription is gone.").into());
        };
        let mut invoice = self.blank_invoice(context, &customer, changes.now).await?;
        address(&mut invoice, subscription, reason, changes.now);
        let free = subscription.status == SubscriptionStatus::Trialing;
        for item in &subscription.items {
            let mut line = self.line(&item.price, item.quantity, subscription.period)?;
            line.subscription_item = Some(item.id);
            if free {
                line.details.amount = 0;
            }
            invoice.lines.push(line);
        }
        for Once { price, quantity } in once {
            invoice.lines.push(self.line(price, *quantity, (changes.now, changes.now))?);
        }
        if invoice.total() > AMOUNT_MAX {
            let message = format!("A period may come to at most {AMOUNT_MAX} cents.");
            return Err(ApiError::invalid(message).code("amount_too_large").param("items").into());
        }
        put_share(&mut invoice, subscription);
        Ok(invoice)
    }

    fn line(
        &self,
        price: &Price,
        quantity: i64,
        period: (AccountTime, AccountTime),
    ) -> Result<Line, Error> {
        let unit = unit_amount(price).to_owned();
        let amount = cost(&unit, quantity).filter(|amount| *amount <= AMOUNT_MAX);
        let amount = amount.ok_or_else(|| {
            let message = format!("An item may come to at most {AMOUNT_MAX} cents.");
            Error::from(ApiError::invalid(message).code("amount_too_large").param("items"))
        })?;
        let details = LineDetails {
            amount,
            currency: price.currency,
            quantity,
            unit_amount_decimal: unit,
            price: Some(price.id),
            price_then: Some(Box::new(price.clone())),
            product: Some(price.product.clone()),
            description: None,
            period,
            discountable: true,
            metadata: BTreeMap::new(),
        };
        let item = InvoiceItemId::from_number(self.next_number());
        Ok(Line { item, details, subscription_item: None })
    }

    /// Sets the payment method of an open invoice's intent, and confirms it if there is a
    /// confirmation. Otherwise the intent waits for the holder. Returns false if the debit needs a
    /// mandate and there is none. The intent then waits for a confirmation that brings one.
    pub(crate) async fn debit(
        &self,
        context: &Context,
        invoice: &Invoice,
        method: PaymentMethodId,
        word: Option<Confirmation>,
        changes: &mut Changes,
    ) -> Result<bool, Error> {
        let Some(mut intent) = self.find_intent_of(context, invoice, changes).await? else {
            return Ok(true);
        };
        changes.require_intent(&intent);
        intent.version = changes.raised(Kind::PaymentIntent, intent.number, intent.version);
        intent.attach(method);
        let mut begun = true;
        if let Some(confirmation) = word {
            begun = confirmation.acceptance.is_some()
                || self.find_mandate(&intent, method, changes).await?.is_some();
            if begun {
                self.confirm_intent_with(context, &mut intent, &confirmation, changes).await?;
            }
        }
        changes.put(intent_object(intent));
        Ok(begun)
    }

    /// Makes the Setup Intent that collects a payment method for later.
    async fn set_up_later(
        &self,
        context: &Context,
        subscription: &mut Subscription,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let number = subscription.customer.number();
        let found = self.find_unchanged::<Customer>(context.merchant, changes, number).await?;
        let Some(customer) = found else { return Ok(()) };
        let input = IntentInput {
            method_types: subscription.method_types.clone(),
            collection: Some(subscription.collection.clone()),
            given: ExtraParams::empty(),
            ..IntentInput::default()
        };
        let kind = IntentKind::Setup;
        let mut intent =
            self.new_intent(context, kind, &input, Some(&customer), changes.now).await?;
        intent.subscription = Some(subscription.id);
        intent.from_settings.clone_from(&subscription.from_settings);
        subscription.pending_setup_intent = Some(SetupIntentId::from_number(intent.number));
        let object = intent_object(intent);
        let created = EventType::SetupIntentCreated;
        changes.put_and_emit(object, created, None);
        Ok(())
    }

    /// Begins the next period of a subscription that has its new version already. Its invoice is a
    /// draft for an hour. Returns the subscription after these changes. The caller emits its event.
    pub(super) async fn renew_with(
        &self,
        context: &Context,
        mut subscription: Subscription,
        changes: &mut Changes,
    ) -> Result<Subscription, Error> {
        let advances_at = Some(changes.now.plus(DRAFT_AGE_S));
        let reason = "subscription_cycle";
        self.draft_of_next(context, &mut subscription, reason, advances_at, changes).await?;
        Ok(subscription)
    }

    /// Begins the next period because of a call. Its invoice is opened, and debited if there is a
    /// payment method. Returns the subscription after these changes. The caller emits its event.
    pub(super) async fn renew_at_once(
        &self,
        context: &Context,
        mut subscription: Subscription,
        changes: &mut Changes,
    ) -> Result<Subscription, Error> {
        let reason = "subscription_update";
        let draft = self.draft_of_next(context, &mut subscription, reason, None, changes).await?;
        let Some(mut invoice) = draft else { return Ok(subscription) };
        changes.put(Object::Subscription(subscription.clone()));
        self.advance_with(context, &mut invoice, changes).await?;
        self.as_changed(subscription, changes).await
    }

    /// Moves a subscription to its next period and drafts the invoice of it. Without items there is
    /// no invoice.
    async fn draft_of_next(
        &self,
        context: &Context,
        subscription: &mut Subscription,
        reason: &str,
        advances_at: Option<AccountTime>,
        changes: &mut Changes,
    ) -> Result<Option<Invoice>, Error> {
        subscription.renew();
        if subscription.items.is_empty() {
            return Ok(None);
        }
        changes.put(Object::Subscription(subscription.clone()));
        let mut invoice = self.draft_of_period(context, subscription, &[], reason, changes).await?;
        invoice.advances_at = advances_at;
        put_created(&invoice, changes);
        subscription.latest_invoice = Some(invoice.id);
        Ok(Some(invoice))
    }
}

fn put_created(invoice: &Invoice, changes: &mut Changes) {
    let object = Object::Invoice(invoice.clone());
    changes.put_and_emit(object, EventType::InvoiceCreated, None);
}

/// Records an attempt to pay an open invoice of the changes that failed before a debit began.
pub(crate) fn attempt_failed(mut invoice: Invoice, changes: &mut Changes) {
    invoice.attempts += 1;
    let failed = EventType::InvoicePaymentFailed;
    changes.put_and_emit(Object::Invoice(invoice), failed, None);
}

/// Copies the fields of a subscription to its invoice.
fn address(invoice: &mut Invoice, subscription: &Subscription, reason: &str, now: AccountTime) {
    invoice.subscription = Some(subscription.id);
    invoice.currency = subscription.currency;
    invoice.period = Some(subscription.period);
    invoice.method_types.clone_from(&subscription.method_types);
    invoice.collection = subscription.collection.clone();
    invoice.from_settings.clone_from(&subscription.from_settings);
    let text = |text: &str| ExtraParams::Text(text.to_owned());
    invoice.given.put("billing_reason", text(reason));
    if let Some(settings) = subscription.given.at(&["payment_settings", "payment_method_options"]) {
        let members = [("payment_method_options".to_owned(), settings.clone())];
        invoice.given.put("payment_settings", ExtraParams::Hash(members.into()));
    }
    match (subscription.collection_method, subscription.days_until_due) {
        (CollectionMethod::SendInvoice, Some(days)) => {
            let due = now.plus(days.saturating_mul(DAY_S)).0;
            invoice.given.put("collection_method", text("send_invoice"));
            invoice.given.put("due_date", ExtraParams::Integer(due));
        }
        _ => invoice.given.put("auto_advance", ExtraParams::Boolean(true)),
    }
}

fn nothing_to_debit() -> Error {
    let message = "This customer has no default payment method. Give default_payment_method, or \
                   payment_behavior=default_incomplete to collect one with the first invoice.";
    ApiError::invalid(message).code("resource_missing").into()
}
