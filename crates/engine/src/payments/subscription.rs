//! Subscriptions: items that are invoiced for every period, and the carrier that collects the bank
//! account for them.
//!
//! A subscription collects by the intent of its first invoice, or by a Setup Intent of its own if
//! the first period is free. It changes in the commits of these intents (`subscription/follow.rs`).
//! Each piece of due work is one step in one commit, so after a crash it is still due.

mod begin;
mod follow;
pub mod item;
mod notice;
mod show;

pub(crate) use begin::{Beginning, Once, attempt_failed};
pub(crate) use follow::InvoiceEnd;

use crate::connections::connections_settings::check_prefetch;
use crate::objects::missing;
use crate::payments::invoice::INVOICE_OPTIONS;
use crate::payments::share::Share;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use item::SubscriptionItemInput;
use model::Word;
use model::clock::{AccountTime, DAY_S};
use model::collection::Collection;
use model::customer::Customer;
use model::event::{EventType, Snapshot};
use model::extra_params::ExtraParams;
use model::id::{ClockId, CustomerId};
use model::payments::subscription::{CollectionMethod, Subscription, SubscriptionStatus};
use model::stored::{Filter, on_clock, period_value, range_values};
use store::{Bounds, Object, ObjectsOf};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::subscription::value;

/// The params of a create or an update.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionInput {
    /// The customer that pays. Only at creation.
    pub customer: Option<String>,
    /// The items that are invoiced for every period.
    pub items: Vec<SubscriptionItemInput>,
    /// The items that are invoiced once, with the first period. Only at creation.
    pub once: Vec<SubscriptionItemInput>,
    /// The collection method of its invoices.
    pub collection_method: Option<CollectionMethod>,
    /// Days until an invoice that is sent is due.
    pub days_until_due: Option<i64>,
    /// The payment method to debit.
    pub default_payment_method: Option<String>,
    /// True if the method that pays an invoice becomes the default.
    pub saves_method: Option<bool>,
    /// The types of payment method that are allowed.
    pub method_types: Option<Vec<String>>,
    /// The link requirements, if the request sets them.
    pub collection: Option<Collection>,
    /// The end of the trial.
    pub trial: Option<Trial>,
    /// True if the first invoice waits for a separate payment.
    pub incomplete: bool,
    /// True if the subscription is not created unless its first invoice can be debited.
    pub must_pay: bool,
    /// The time of the cancellation.
    pub cancel: Option<Cancel>,
    /// True if the next period begins now. Only on update.
    pub resets_anchor: bool,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}

/// The end of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// Immediately.
    Now,
    /// At this time.
    At(AccountTime),
    /// After this number of days.
    Days(i64),
}

/// The time at which a subscription is canceled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Not at a time.
    Never,
    /// At this time.
    At(AccountTime),
    /// At the end of the current period, with the param that requests it.
    PeriodEnd(&'static str),
}

/// The filter of a list of subscriptions.
#[derive(Clone, Debug)]
pub struct SubscriptionFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those on this test clock.
    pub test_clock: Option<String>,
    /// Those with this status.
    pub status: StatusFilter,
    /// Those with this price.
    pub price: Option<String>,
    /// Those with this collection method.
    pub collection_method: Option<CollectionMethod>,
    /// Those with a current period that begins within these bounds.
    pub period_begins: Bounds,
    /// Those with a current period that ends within these bounds.
    pub period_ends: Bounds,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

/// The statuses of the subscriptions of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// All statuses.
    All,
    /// All statuses but canceled.
    NotCanceled,
    /// Statuses of subscriptions that have ended.
    Ended,
    /// This status.
    Is(SubscriptionStatus),
}

/// Days of the longest trial, in years of 365 days: five years.
const TRIAL_DAYS_MAX: i64 = 5 * 365;

impl Engine {
    /// Makes a subscription, with its first invoice or a Setup Intent.
    pub async fn create_subscription(
        &self,
        context: &Context,
        input: &SubscriptionInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_subscription", async || {
            let Some(customer) = &input.customer else {
                return Err(ApiError::missing_param("customer").into());
            };
            let customer = self.get::<Customer>(context, customer, "customer").await?;
            let mut changes = self.changes_for(context, Some(&customer)).await?;
            let now = changes.now;
            let mut made = self.blank_subscription(context, &customer, now).await?;
            if input.method_types.is_none() {
                made.from_settings =
                    self.collection_of_settings(context, false, &mut changes).await?;
            }
            self.apply_to(context, &mut made, input, &mut changes).await?;
            made.given = made.given.without_unset();
            self.set_items(context, &mut made, &input.items, &mut changes).await?;
            let trial_end = trial_end(input.trial, now, "")?;
            let once = self.once(context, &input.once, &mut changes).await?;
            made.begin(trial_end);
            cancel_later(&mut made, input.cancel, now)?;
            let method = self.payer_of(&made, &mut changes).await?;
            let beginning = Beginning {
                once,
                method,
                incomplete: input.incomplete,
                must_pay: input.must_pay,
                acceptance: None,
            };
            let made = self.begin_subscription(context, made, beginning, &mut changes).await?;
            self.commit_subscription(context, &made, changes).await
        })
        .await
    }

    /// Applies the params of the payer and the collection.
    async fn apply_to(
        &self,
        context: &Context,
        subscription: &mut Subscription,
        input: &SubscriptionInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if let Some(id) = &input.default_payment_method {
            let param = "default_payment_method";
            let customer = subscription.customer;
            let method = self.method_of_customer(context, id, customer, param, changes).await?;
            subscription.default_payment_method = Some(method.id);
        }
        subscription.collection_method =
            input.collection_method.unwrap_or(subscription.collection_method);
        subscription.days_until_due = input.days_until_due.or(subscription.days_until_due);
        match (subscription.collection_method, subscription.days_until_due) {
            (CollectionMethod::SendInvoice, None) => {
                return Err(ApiError::missing_param("days_until_due").into());
            }
            (CollectionMethod::ChargeAutomatically, Some(_)) if input.days_until_due.is_some() => {
                let message = "days_until_due goes with collection_method=send_invoice only.";
                return Err(ApiError::invalid(message).param("days_until_due").into());
            }
            _ => {}
        }
        subscription.saves_method = input.saves_method.unwrap_or(subscription.saves_method);
        if input.method_types.is_some() {
            subscription.method_types.clone_from(&input.method_types);
            subscription.from_settings = None;
        }
        if let Some(collection) = &input.collection {
            self.check_collection_bank(context, collection, subscription.clock, INVOICE_OPTIONS)
                .await?;
            subscription.collection.clone_from(collection);
        }
        check_prefetch(
            &subscription.collection,
            subscription.from_settings.as_ref(),
            INVOICE_OPTIONS,
        )?;
        if let Some(change) = &input.metadata {
            change.apply(&mut subscription.metadata)?;
        }
        subscription.given.update(input.given.clone());
        let share = Share { params: &subscription.given, hash: "", amount: None };
        self.check_share(context, share, changes).await
    }

    /// Shows a subscription.
    pub async fn retrieve_subscription(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let subscription = self.get::<Subscription>(context, id, "id").await?;
        self.unchanged(context, bytes(context, value(&subscription))).await
    }

    /// Changes a subscription without proration. The new costs are invoiced with the next period.
    pub async fn update_subscription(
        &self,
        context: &Context,
        id: &str,
        input: &SubscriptionInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_subscription", async || {
            let before = self.get::<Subscription>(context, id, "id").await?;
            let mut changes = self.changes_on(context, before.clock).await?;
            let now = changes.now;
            check_changeable(&before, input)?;
            let mut subscription = before.clone();
            self.apply_to(context, &mut subscription, input, &mut changes).await?;
            self.change_items(context, &mut subscription, &input.items, &mut changes).await?;
            cancel_later(&mut subscription, input.cancel, now)?;
            let mut over = move_trial(&mut subscription, input.trial, now)?;
            if over && self.ends_with_its_trial(&subscription, &mut changes).await? {
                let ended = self.end_trial(context, before, subscription, &mut changes).await?;
                return self.commit_subscription(context, &ended, changes).await;
            }
            if input.resets_anchor && !over {
                over = reset_anchor(&mut subscription, now)?;
            }
            if subscription != before {
                subscription.version += 1;
                if input.collection.is_some() || input.method_types.is_some() {
                    self.collect_subscription_anew(context, &subscription, &mut changes).await?;
                }
                if over {
                    subscription = self.renew_at_once(context, subscription, &mut changes).await?;
                }
                let previous = Some(Snapshot::Subscription(Box::new(before)));
                let object = Object::Subscription(subscription.clone());
                let updated = EventType::SubscriptionUpdated;
                changes.put_and_emit(object, updated, previous);
            }
            self.commit_subscription(context, &subscription, changes).await
        })
        .await
    }

    /// Ends a subscription immediately. `details` are the merchant's remarks.
    pub async fn cancel_subscription(
        &self,
        context: &Context,
        id: &str,
        details: Option<ExtraParams>,
    ) -> Result<ApiResponse, Error> {
        self.change("cancel_subscription", async || {
            let mut subscription = self.get::<Subscription>(context, id, "id").await?;
            let mut changes = self.changes_on(context, subscription.clock).await?;
            if subscription.is_over() {
                return Err(missing::<Subscription>(id, "id").into());
            }
            if let Some(details) = &details {
                subscription.given.put("cancellation_details", details.clone().without_unset());
            }
            let reason = "cancellation_requested";
            let subscription =
                self.end_subscription(context, subscription, reason, &mut changes).await?;
            self.commit_subscription(context, &subscription, changes).await
        })
        .await
    }

    /// Lists subscriptions, the newest first.
    pub async fn list_subscriptions(
        &self,
        context: &Context,
        filter: &SubscriptionFilter,
    ) -> Result<ApiResponse, Error> {
        let (customer, clock) = match (&filter.customer, &filter.test_clock) {
            (Some(id), _) => {
                let customer = self.get_with_deleted::<Customer>(context, id, "customer").await?;
                (Some(customer.id), customer.test_clock)
            }
            (None, Some(id)) => (None, Some(self.clock_param(context, id, "test_clock").await?.id)),
            (None, None) => (None, None),
        };
        let of = filter.of(customer, clock);
        let (created, page) = (filter.created, &filter.page);
        let listed = self.list_in_all::<Subscription>(context, of, created, page).await?;
        self.list_values(context, "/v1/subscriptions", listed, value).await
    }
}

impl SubscriptionFilter {
    /// The lists that contain the subscriptions. One that is probably short comes first. The
    /// subscriptions of a customer are on the customer's clock.
    fn of(&self, customer: Option<CustomerId>, clock: Option<ClockId>) -> Vec<ObjectsOf> {
        let on_clock = |filter, words: &[&str]| {
            ObjectsOf::Filter(filter, words.iter().map(|word| on_clock(clock, word)).collect())
        };
        let mut of = Vec::from_iter(customer.map(ObjectsOf::Customer));
        of.extend(self.price.as_ref().map(|id| on_clock(Filter::PriceOnClock, &[id])));
        let method = self.collection_method.map(Word::word);
        of.extend(method.map(|word| on_clock(Filter::CollectionMethodOnClock, &[word])));
        let statuses = SubscriptionStatus::ALL.iter().filter(|status| match self.status {
            StatusFilter::All => false,
            StatusFilter::NotCanceled => **status != SubscriptionStatus::Canceled,
            StatusFilter::Ended => status.is_over(),
            StatusFilter::Is(wanted) => **status == wanted,
        });
        let statuses: Vec<&str> = statuses.map(|status| status.word()).collect();
        let periods = self.periods(clock);
        // The values of periods distinguish canceled subscriptions.
        let by_period = !periods.is_empty() && self.status == StatusFilter::NotCanceled;
        of.extend(periods);
        if !statuses.is_empty() && !by_period {
            of.push(on_clock(Filter::StatusOnClock, &statuses));
        }
        if of.is_empty() {
            of.push(ObjectsOf::on_clock(clock));
        }
        of
    }

    /// The lists of the subscriptions whose period begins and ends within the bounds.
    fn periods(&self, clock: Option<ClockId>) -> Vec<ObjectsOf> {
        let states: &[bool] = match self.status {
            StatusFilter::NotCanceled => &[false],
            StatusFilter::All | StatusFilter::Ended | StatusFilter::Is(_) => &[false, true],
        };
        let bounds = [
            (Filter::PeriodStartOnClock, self.period_begins),
            (Filter::PeriodEndOnClock, self.period_ends),
        ];
        let bounds = bounds.into_iter().filter(|(_, bounds)| *bounds != Bounds::default());
        let lists = bounds.map(|(filter, bounds)| {
            let times = range_values(bounds.from, bounds.to);
            let values = states.iter().flat_map(|is_canceled| {
                times.iter().map(|time| period_value(clock, *is_canceled, time))
            });
            ObjectsOf::Filter(filter, values.collect())
        });
        lists.collect()
    }
}

/// The end of a requested trial. `hash` is the param that contains the request, or empty.
pub(crate) fn trial_end(
    trial: Option<Trial>,
    now: AccountTime,
    hash: &str,
) -> Result<Option<AccountTime>, Error> {
    let (end, param) = match trial {
        None | Some(Trial::Now | Trial::Days(0)) => return Ok(None),
        Some(Trial::At(at)) => (at, "trial_end"),
        Some(Trial::Days(days)) => (now.plus(days.saturating_mul(DAY_S)), "trial_period_days"),
    };
    if end <= now || end > now.plus(TRIAL_DAYS_MAX * DAY_S) {
        let message = "A trial ends after now, and within five years.";
        let param = if hash.is_empty() { param.to_owned() } else { format!("{hash}[{param}]") };
        return Err(ApiError::invalid(message).param(param).into());
    }
    Ok(Some(end))
}

/// Moves the end of a current trial. Returns true if the trial has ended.
fn move_trial(
    subscription: &mut Subscription,
    trial: Option<Trial>,
    now: AccountTime,
) -> Result<bool, Error> {
    let Some(trial) = trial else { return Ok(false) };
    if subscription.status != SubscriptionStatus::Trialing {
        if trial == Trial::Now {
            return Ok(false);
        }
        let message = "This server gives a trial only when a subscription is made.";
        return Err(ApiError::invalid(message).param("trial_end").into());
    }
    let end = trial_end(Some(trial), now, "")?;
    let at = end.unwrap_or(now);
    subscription.anchor = at;
    subscription.period.1 = at;
    subscription.trial = subscription.trial.map(|(begin, _)| (begin, at));
    if subscription.cancel_at_period_end {
        subscription.cancel_at = Some(at);
    }
    Ok(end.is_none())
}

/// Ends the current period now. Returns true if the next one begins.
fn reset_anchor(subscription: &mut Subscription, now: AccountTime) -> Result<bool, Error> {
    use SubscriptionStatus as S;
    if !matches!(subscription.status, S::Active | S::PastDue) {
        let message = format!(
            "The subscription is {}. billing_cycle_anchor=now needs an active or past due one, and \
             trial_end=now ends a trial.",
            subscription.status.word()
        );
        return Err(ApiError::invalid(message).param("billing_cycle_anchor").into());
    }
    if subscription.items.is_empty() {
        return Ok(false);
    }
    subscription.reset_anchor(now);
    Ok(true)
}

/// The most days until the end of a subscription.
const CANCEL_DAYS_MAX: i64 = 5 * 365 + 2;

/// Applies a requested cancellation.
fn cancel_later(
    subscription: &mut Subscription,
    cancel: Option<Cancel>,
    now: AccountTime,
) -> Result<(), Error> {
    match cancel {
        None => {}
        Some(Cancel::Never) => subscription.cancel_later(None, false, now),
        Some(Cancel::At(at)) if at <= now => {
            let message = "A subscription can be canceled at a later time only.";
            return Err(ApiError::invalid(message).param("cancel_at").into());
        }
        Some(Cancel::At(at)) if at > now.plus(CANCEL_DAYS_MAX * DAY_S) => {
            let message = "A subscription is canceled within five years.";
            return Err(ApiError::invalid(message).param("cancel_at").into());
        }
        Some(Cancel::At(at)) => subscription.cancel_later(Some(at), false, now),
        Some(Cancel::PeriodEnd(param)) if subscription.items.is_empty() => {
            let message = "A subscription without items has no periods; cancel it at a time.";
            return Err(ApiError::invalid(message).param(param).into());
        }
        Some(Cancel::PeriodEnd(param)) => {
            let by_period = param == "cancel_at_period_end";
            subscription.cancel_later(Some(subscription.period.1), by_period, now);
        }
    }
    Ok(())
}

/// Rejects changes of a subscription that has ended.
fn check_changeable(subscription: &Subscription, input: &SubscriptionInput) -> Result<(), Error> {
    let remark = |name: &String| name == "cancellation_details";
    let only_remarks =
        !matches!(&input.given, ExtraParams::Hash(members) if !members.keys().all(remark));
    let silent = only_remarks
        && input.items.is_empty()
        && input.collection_method.is_none()
        && input.days_until_due.is_none()
        && input.default_payment_method.is_none()
        && input.saves_method.is_none()
        && input.method_types.is_none()
        && input.collection.is_none()
        && input.trial.is_none()
        && input.cancel.is_none()
        && !input.resets_anchor;
    if subscription.is_over() && !silent {
        let message = "This subscription is over; only its metadata and cancellation_details can \
                       be changed.";
        return Err(ApiError::invalid(message).into());
    }
    Ok(())
}
