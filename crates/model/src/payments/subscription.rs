//! Subscriptions (`sub_…`): recurring invoices, and the carrier that collects the bank account for
//! them.
//!
//! ```text
//! (made) → incomplete → active            the debit of the first invoice is processing, or it was paid
//!              │ → incomplete_expired     not within 23 hours, or ten days with small deposits
//!        → trialing → active              the trial is over
//!              │ → paused | canceled      the trial is over without a payment method
//!        → active ⇄ past_due              an invoice could not be paid; the latest one was paid
//! canceled                                from everywhere but where it is over
//! ```
//!
//! A subscription without items has no invoices. It is active at once and collects an account by a
//! Setup Intent. A subscription contains its items, and they their prices, so that one row is
//! enough to show the subscription and its events.

use crate::calendar::{Interval, Recurrence};
use crate::clock::{AccountTime, DAY_S};
use crate::collection::Collection;
use crate::extra_params::ExtraParams;
use crate::id::{
    ApplicationId, ClockId, CustomerId, InvoiceId, MerchantId, PaymentMethodId, SetupIntentId,
    SubscriptionId, SubscriptionItemId,
};
use crate::money::Currency;
use crate::payments::product::Price;
use crate::word::{Word, words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of a subscription.
    SubscriptionStatus {
        /// Active: no invoice is overdue.
        Active = "active",
        /// It was canceled.
        Canceled = "canceled",
        /// Its first invoice is not paid yet.
        Incomplete = "incomplete",
        /// Its first invoice was not paid in time.
        IncompleteExpired = "incomplete_expired",
        /// An invoice could not be paid.
        PastDue = "past_due",
        /// A trial ended without a payment method.
        Paused = "paused",
        /// It is in its trial.
        Trialing = "trialing",
        /// Invoices are no longer collected. This server never sets this state.
        Unpaid = "unpaid",
    }
}

words! {
    /// The way in which its invoices are paid.
    CollectionMethod {
        /// The default payment method is debited.
        ChargeAutomatically = "charge_automatically",
        /// The customer receives the invoices and pays them.
        SendInvoice = "send_invoice",
    }
}

/// The time in seconds within which the first invoice must be paid. Stripe's published bound.
pub const INCOMPLETE_AGE_S: i64 = 23 * 60 * 60;
/// The time in seconds within which the first invoice must be paid if the holder verifies small
/// deposits. Stripe's published bound.
pub const DEPOSITS_AGE_S: i64 = 10 * DAY_S;
/// The time in seconds from the notice of a trial's end to the end. Stripe's published time.
pub const TRIAL_NOTICE_S: i64 = 3 * DAY_S;
/// The time in seconds from the notice of a renewal to the renewal. Our decision.
pub const RENEWAL_NOTICE_S: i64 = 7 * DAY_S;
/// The maximum number of items of a subscription. Stripe's published bound.
pub const ITEMS_MAX: usize = 20;

/// An item, which is invoiced for every period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionItem {
    /// Its id.
    pub id: SubscriptionItemId,
    /// The time of creation.
    pub created: AccountTime,
    /// The price of one and its recurrence.
    pub price: Price,
    /// The quantity.
    pub quantity: i64,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The customer who pays.
    pub customer: CustomerId,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// The state.
    pub status: SubscriptionStatus,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The items, in the order of the request.
    pub items: Vec<SubscriptionItem>,
    /// The time from which its periods are counted.
    pub anchor: AccountTime,
    /// The number of periods before the current one.
    pub periods: i64,
    /// The start and end of the current period. It is empty for a subscription without items.
    pub period: (AccountTime, AccountTime),
    /// The start and end of its trial.
    pub trial: Option<(AccountTime, AccountTime)>,
    /// The time at which it expires if it is incomplete.
    pub expires_at: Option<AccountTime>,
    /// The end of the trial that was announced.
    #[serde(default)]
    pub trial_noticed: Option<AccountTime>,
    /// The renewal that was announced.
    #[serde(default)]
    pub renewal_noticed: Option<AccountTime>,
    /// True if it is canceled at the end of the current period.
    pub cancel_at_period_end: bool,
    /// The time at which it will be canceled.
    pub cancel_at: Option<AccountTime>,
    /// The time of the request to cancel it.
    pub canceled_at: Option<AccountTime>,
    /// The reason of the cancellation.
    pub cancel_reason: Option<String>,
    /// The time at which it ended.
    pub ended_at: Option<AccountTime>,
    /// The way in which its invoices are paid.
    pub collection_method: CollectionMethod,
    /// The number of days within which a sent invoice must be paid.
    pub days_until_due: Option<i64>,
    /// The payment method that is debited. `None` for the customer's default.
    pub default_payment_method: Option<PaymentMethodId>,
    /// True if the payment method that paid an invoice becomes the default.
    pub saves_method: bool,
    /// The allowed payment method types. `None` if the merchant's settings decide.
    pub method_types: Option<Vec<String>>,
    /// The link requirements.
    pub collection: Collection,
    /// The link requirements of the merchant's settings at creation. `None` if the request names
    /// the payment method types.
    pub from_settings: Option<Collection>,
    /// Its newest invoice.
    pub latest_invoice: Option<InvoiceId>,
    /// The Setup Intent that collects a payment method, if no invoice does.
    pub pending_setup_intent: Option<SetupIntentId>,
    /// The application of the platform that it was made by.
    #[serde(default)]
    pub application: Option<ApplicationId>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

impl Price {
    /// Returns the length of the period that it pays for. `None` for a one-time price, and for a
    /// period out of bounds.
    pub fn recurrence(&self) -> Option<Recurrence> {
        let interval = self.given.text(&["recurring", "interval"])?;
        let count = self.given.integer(&["recurring", "interval_count"]).unwrap_or(1);
        Recurrence::new(Interval::from_word(interval)?, count)
    }
}

/// An announcement before a period ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The trial ends.
    TrialEnd,
    /// The next period begins and is invoiced.
    Renewal,
}

impl SubscriptionStatus {
    /// True if a subscription with this status has ended.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

impl Subscription {
    /// True if it has ended.
    pub fn is_over(&self) -> bool {
        self.status.is_over()
    }

    /// Returns the length of its periods. `None` without items.
    pub fn recurrence(&self) -> Option<Recurrence> {
        self.items.first().and_then(|item| item.price.recurrence())
    }

    /// Returns the time of its next due work: it expires, is canceled, a period ends, or the end of a
    /// period is announced.
    pub fn due_at(&self) -> Option<AccountTime> {
        use SubscriptionStatus as S;
        let ends = match self.status {
            S::Canceled | S::IncompleteExpired => return None,
            S::Paused => None,
            S::Incomplete => self.expires_at,
            S::Trialing => Some(self.period.1),
            _ => self.recurrence().map(|_| self.period.1),
        };
        let notice = self.notice().map(|(at, _)| at);
        ends.into_iter().chain(self.cancel_at).chain(notice).min()
    }

    /// Returns the next announcement and its time. A renewal is announced only if its period is
    /// longer than the time between both.
    pub fn notice(&self) -> Option<(AccountTime, Notice)> {
        use SubscriptionStatus as S;
        let (begin, end) = self.period;
        let trial = self.status == S::Trialing && self.trial_noticed != Some(end);
        let trial = trial.then(|| (end.plus(-TRIAL_NOTICE_S), Notice::TrialEnd));
        let renews = matches!(self.status, S::Active | S::PastDue | S::Trialing)
            && self.recurrence().is_some()
            && self.renewal_noticed != Some(end)
            && end > begin.plus(RENEWAL_NOTICE_S)
            && self.cancel_at.is_none_or(|at| at > end);
        let renewal = renews.then(|| (end.plus(-RENEWAL_NOTICE_S), Notice::Renewal));
        trial.into_iter().chain(renewal).min_by_key(|(at, _)| *at)
    }

    /// Returns the announcement that is due by now, unless the period has ended.
    pub fn notice_by(&self, now: AccountTime) -> Option<Notice> {
        let (at, notice) = self.notice()?;
        (at <= now && now < self.period.1).then_some(notice)
    }

    /// Records that the end of the current period was announced.
    pub fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::TrialEnd => self.trial_noticed = Some(self.period.1),
            Notice::Renewal => self.renewal_noticed = Some(self.period.1),
        }
    }

    /// Returns its behavior at the end of a trial without a payment method: `cancel`, `pause` or
    /// `create_invoice`.
    pub fn trial_end_behavior(&self) -> &str {
        let path = ["trial_settings", "end_behavior", "missing_payment_method"];
        self.given.text(&path).unwrap_or("create_invoice")
    }

    /// True if its cancellation is due by now.
    pub fn cancels_by(&self, now: AccountTime) -> bool {
        self.cancel_at.is_some_and(|at| at <= now)
    }

    /// Begins the first period at its anchor. A trial is a period of its own.
    pub fn begin(&mut self, trial_end: Option<AccountTime>) {
        let begin = self.anchor;
        self.periods = 0;
        let whole = self.recurrence().map_or(begin, |recurrence| recurrence.after(begin, 1));
        self.period = (begin, whole);
        if let Some(end) = trial_end {
            self.status = SubscriptionStatus::Trialing;
            self.trial = Some((begin, end));
            self.period = (begin, end);
            self.anchor = end;
            self.periods = -1;
        }
    }

    /// Begins the next period at the end of the current one, which also ends a trial.
    pub fn renew(&mut self) {
        self.periods += 1;
        let begin = self.period.1;
        let end = self.recurrence().map_or(begin, |r| r.after(self.anchor, self.periods + 1));
        self.period = (begin, end.max(begin));
        if self.status == SubscriptionStatus::Trialing {
            self.status = SubscriptionStatus::Active;
        }
        if self.cancel_at_period_end {
            self.cancel_at = Some(self.period.1);
        }
    }

    /// Ends the current period now, so that the next one begins now and its anchor is now.
    pub fn reset_anchor(&mut self, now: AccountTime) {
        self.anchor = now;
        self.periods = -1;
        self.period.1 = now;
    }

    /// Pauses it at the end of a trial without a payment method.
    pub fn pause(&mut self) {
        self.status = SubscriptionStatus::Paused;
    }

    /// Waits for the payment of its first invoice.
    pub fn await_payment(&mut self) {
        self.status = SubscriptionStatus::Incomplete;
        self.expires_at = Some(self.created.plus(INCOMPLETE_AGE_S));
    }

    /// Records that a debit of a verified account for its newest invoice is processing.
    pub fn debit_begun(&mut self) {
        self.expires_at = None;
        if self.status == SubscriptionStatus::Incomplete {
            self.status = SubscriptionStatus::Active;
        }
    }

    /// Records that the holder has to verify small deposits before the debit for its first invoice.
    pub fn deposits_sent(&mut self) {
        if self.status == SubscriptionStatus::Incomplete {
            self.expires_at = Some(self.created.plus(DEPOSITS_AGE_S));
        }
    }

    /// Records that its newest invoice was paid, by this method or out of band.
    pub fn paid(&mut self, method: Option<PaymentMethodId>) {
        use SubscriptionStatus as S;
        if self.is_over() {
            return;
        }
        if matches!(self.status, S::Incomplete | S::PastDue | S::Unpaid) {
            self.status = S::Active;
        }
        self.expires_at = None;
        if self.saves_method && method.is_some() {
            self.default_payment_method = method;
        }
    }

    /// Records that the payment of its newest invoice failed.
    pub fn not_paid(&mut self, now: AccountTime) {
        use SubscriptionStatus as S;
        match self.status {
            S::Incomplete => {
                let at = self.expires_at.unwrap_or(self.created.plus(INCOMPLETE_AGE_S));
                self.expires_at = Some(at.max(now));
            }
            S::Active => self.status = S::PastDue,
            _ => {}
        }
    }

    /// Records that its newest invoice was voided, so that no amount is owed.
    pub fn forgiven(&mut self, now: AccountTime) {
        use SubscriptionStatus as S;
        match self.status {
            S::Incomplete => self.expire(now),
            S::PastDue => self.status = S::Active,
            _ => {}
        }
    }

    /// Records that a Setup Intent set up its payment method.
    pub fn set_up(&mut self, method: Option<PaymentMethodId>) {
        self.pending_setup_intent = None;
        if method.is_some() {
            self.default_payment_method = method;
        }
    }

    /// Expires it, because its first invoice was not paid in time.
    pub fn expire(&mut self, now: AccountTime) {
        assert!(
            self.status == SubscriptionStatus::Incomplete,
            "only what waits for its first payment expires"
        );
        self.status = SubscriptionStatus::IncompleteExpired;
        self.end(now);
    }

    /// Cancels it.
    pub fn cancel(&mut self, reason: &str, now: AccountTime) {
        assert!(!self.is_over(), "callers ask first whether it is over");
        self.status = SubscriptionStatus::Canceled;
        self.canceled_at = self.canceled_at.or(Some(now));
        self.cancel_reason = Some(reason.to_owned());
        self.end(now);
    }

    fn end(&mut self, now: AccountTime) {
        self.ended_at = Some(now);
        self.expires_at = None;
        self.pending_setup_intent = None;
    }

    /// Schedules the cancellation, or removes the schedule if `at` is `None`.
    pub fn cancel_later(&mut self, at: Option<AccountTime>, by_period: bool, now: AccountTime) {
        self.cancel_at = at;
        self.cancel_at_period_end = by_period;
        self.canceled_at = at.map(|_| self.canceled_at.unwrap_or(now));
        self.cancel_reason = at.map(|_| "cancellation_requested".to_owned());
    }
}
