//! Subscriptions (`sub_…`): what is invoiced again and again, and the carrier that collects the
//! bank account for it.
//!
//! ```text
//! (made) → incomplete → active            the first invoice was paid
//!              │ → incomplete_expired     not within 23 hours, and no debit is under way
//!        → trialing → active | past_due   the trial is over
//!        → active ⇄ past_due              an invoice could not be paid; the latest one was paid
//! canceled                                from everywhere but where it is over
//! ```
//!
//! Without items nothing is ever invoiced: it is active and collects an account by a Setup Intent.
//! It keeps its items, and they their prices, so that it and its events can be shown from one row.

use crate::calendar::{Interval, Recurrence};
use crate::clock::AccountTime;
use crate::collection::Collection;
use crate::given::Given;
use crate::id::{
    ClockId, CustomerId, InvoiceId, MerchantId, PaymentMethodId, SetupIntentId, SubscriptionId,
    SubscriptionItemId,
};
use crate::money::Currency;
use crate::payments::product::Price;
use crate::word::{Word, words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// Where a subscription stands.
    SubscriptionStatus {
        /// In good standing.
        Active = "active",
        /// It was ended.
        Canceled = "canceled",
        /// Its first invoice is still to be paid.
        Incomplete = "incomplete",
        /// Its first invoice was not paid in time.
        IncompleteExpired = "incomplete_expired",
        /// An invoice could not be paid.
        PastDue = "past_due",
        /// A trial ended without a payment method. This server leads no subscription here.
        Paused = "paused",
        /// Nothing is to be paid yet.
        Trialing = "trialing",
        /// Invoices are no longer tried. This server leads no subscription here.
        Unpaid = "unpaid",
    }
}

words! {
    /// How its invoices are paid.
    CollectionMethod {
        /// By debiting the default payment method.
        ChargeAutomatically = "charge_automatically",
        /// By the customer, who is sent them.
        SendInvoice = "send_invoice",
    }
}

/// Seconds within which the first invoice must be paid. Stripe's published bound.
pub const INCOMPLETE_AGE_S: i64 = 23 * 60 * 60;
/// The most items of a subscription. Stripe's published bound.
pub const ITEMS_MAX: usize = 20;

/// What is invoiced for every period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionItem {
    /// Its id.
    pub id: SubscriptionItemId,
    /// When it was made.
    pub created: AccountTime,
    /// What one costs, and how often it is paid.
    pub price: Price,
    /// How many.
    pub quantity: i64,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// Who is to pay.
    pub customer: CustomerId,
    /// The test clock of the customer.
    pub clock: Option<ClockId>,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// Of what its amounts are.
    pub currency: Currency,
    /// What is invoiced, in the order of the request.
    pub items: Vec<SubscriptionItem>,
    /// From when on its periods are counted.
    pub anchor: AccountTime,
    /// How many periods were over when the present one began.
    pub periods: i64,
    /// The present period: its begin and its end. Of a subscription without items it is empty.
    pub period: (AccountTime, AccountTime),
    /// The begin and the end of its trial.
    pub trial: Option<(AccountTime, AccountTime)>,
    /// When it expires if it is incomplete and no debit is under way.
    pub expires_at: Option<AccountTime>,
    /// Whether it is canceled when the present period ends.
    pub cancel_at_period_end: bool,
    /// When it is to be canceled.
    pub cancel_at: Option<AccountTime>,
    /// When somebody asked to cancel it.
    pub canceled_at: Option<AccountTime>,
    /// Why it was canceled.
    pub cancel_reason: Option<String>,
    /// When it was over.
    pub ended_at: Option<AccountTime>,
    /// How its invoices are paid.
    pub collection_method: CollectionMethod,
    /// Days within which an invoice that is sent is to be paid.
    pub days_until_due: Option<i64>,
    /// What is debited; none for the default of the customer.
    pub default_payment_method: Option<PaymentMethodId>,
    /// Whether what paid an invoice is what is debited from then on.
    pub saves_method: bool,
    /// The types of payment method allowed; none when the settings of the merchant choose.
    pub method_types: Option<Vec<String>>,
    /// What it asks of the link flow.
    pub collection: Collection,
    /// What the settings of the merchant ask for beside it, as they were when it was made; none
    /// when it names its types itself.
    pub from_settings: Option<Collection>,
    /// Its newest invoice.
    pub latest_invoice: Option<InvoiceId>,
    /// What collects a payment method where no invoice does.
    pub pending_setup_intent: Option<SetupIntentId>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

impl Price {
    /// How long what it pays for lasts; none of a price that is paid once, or whose period is out
    /// of bounds.
    pub fn recurrence(&self) -> Option<Recurrence> {
        let interval = self.given.text(&["recurring", "interval"])?;
        let count = self.given.integer(&["recurring", "interval_count"]).unwrap_or(1);
        Recurrence::new(Interval::from_word(interval)?, count)
    }
}

impl Subscription {
    /// Whether nothing will happen to it any more.
    pub fn is_over(&self) -> bool {
        use SubscriptionStatus as S;
        matches!(self.status, S::Canceled | S::IncompleteExpired)
    }

    /// How long its periods are; none without items.
    pub fn recurrence(&self) -> Option<Recurrence> {
        self.items.first().and_then(|item| item.price.recurrence())
    }

    /// When something falls due on it by itself: it expires, is canceled, or a period ends.
    pub fn due_at(&self) -> Option<AccountTime> {
        use SubscriptionStatus as S;
        let ends = match self.status {
            S::Canceled | S::IncompleteExpired => return None,
            S::Incomplete => self.expires_at,
            S::Trialing => Some(self.period.1),
            _ => self.recurrence().map(|_| self.period.1),
        };
        ends.into_iter().chain(self.cancel_at).min()
    }

    /// Whether it is to be canceled by now.
    pub fn cancels_by(&self, now: AccountTime) -> bool {
        self.cancel_at.is_some_and(|at| at <= now)
    }

    /// The first period begins at its anchor; a trial is a period of its own.
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

    /// The next period begins where the present one ends; with it a trial is over.
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

    /// Its first invoice is to be paid before it is active.
    pub fn await_payment(&mut self) {
        self.status = SubscriptionStatus::Incomplete;
        self.expires_at = Some(self.created.plus(INCOMPLETE_AGE_S));
    }

    /// A debit for its newest invoice is under way: until it ends nothing expires.
    pub fn debit_begun(&mut self) {
        self.expires_at = None;
    }

    /// Its newest invoice was paid by this method, or in another way.
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

    /// Its newest invoice could not be paid.
    pub fn not_paid(&mut self, now: AccountTime) {
        use SubscriptionStatus as S;
        match self.status {
            S::Incomplete => {
                self.expires_at = Some(self.created.plus(INCOMPLETE_AGE_S).max(now));
            }
            S::Active => self.status = S::PastDue,
            _ => {}
        }
    }

    /// Its newest invoice was given up: nothing is owed any more.
    pub fn forgiven(&mut self, now: AccountTime) {
        use SubscriptionStatus as S;
        match self.status {
            S::Incomplete => self.expire(now),
            S::PastDue => self.status = S::Active,
            _ => {}
        }
    }

    /// A Setup Intent gave it what is debited from now on.
    pub fn set_up(&mut self, method: Option<PaymentMethodId>) {
        self.pending_setup_intent = None;
        if method.is_some() {
            self.default_payment_method = method;
        }
    }

    /// Its first invoice was not paid in time.
    pub fn expire(&mut self, now: AccountTime) {
        assert!(
            self.status == SubscriptionStatus::Incomplete,
            "only what waits for its first payment expires"
        );
        self.status = SubscriptionStatus::IncompleteExpired;
        self.end(now);
    }

    /// It is ended.
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

    /// It is canceled when the present period ends, or no longer.
    pub fn cancel_later(&mut self, at: Option<AccountTime>, by_period: bool, now: AccountTime) {
        self.cancel_at = at;
        self.cancel_at_period_end = by_period;
        self.canceled_at = at.map(|_| self.canceled_at.unwrap_or(now));
        self.cancel_reason = at.map(|_| "cancellation_requested".to_owned());
    }
}

#[cfg(test)]
mod tests;
