//! A linked bank account (`fca_…`) and its state machine.
//!
//! ```text
//! (linked) → active ⇄ inactive        active | inactive → disconnected (final)
//! ```
//!
//! Everything here is pure. A use case reads an account, calls one of these methods, and passes the
//! result to one store command together with the version that it read. A pending refresh ends only
//! in [`Account::end_refresh`]. `deactivate` and `disconnect` call it for the refreshes that they
//! interrupt and return their features. The caller then commits their events and jobs with the same
//! command.

use crate::bank::{Balance, Feature};
use crate::clock::AccountTime;
use crate::id::{
    AccountId, AuthorizationId, ClockId, CustomerId, InstitutionId, MerchantId, OwnershipId,
    RefreshId,
};
use crate::inferred_balance::InferredFrom;
use crate::refresh::{RefreshCause, RefreshState, RefreshStatus};
use crate::undone::Undone;
use crate::word::{Word, words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

words! {
    /// The kind of an account.
    Category {
        /// Holds money.
        Cash = "cash",
        /// Owes money.
        Credit = "credit",
        /// Holds securities.
        Investment = "investment",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// The kind of an account within its category.
    Subcategory {
        /// A cash account for payments.
        Checking = "checking",
        /// A credit card.
        CreditCard = "credit_card",
        /// A line of credit.
        LineOfCredit = "line_of_credit",
        /// A mortgage.
        Mortgage = "mortgage",
        /// Anything else.
        Other = "other",
        /// A cash account for saving.
        Savings = "savings",
    }
}

words! {
    /// A permission that the account holder granted. Permissions and features are spelled
    /// differently: `balances` is a permission, `balance` is a feature.
    Permission {
        /// Read balances.
        Balances = "balances",
        /// Read owners.
        Ownership = "ownership",
        /// Read the account and routing number, for payments.
        PaymentMethod = "payment_method",
        /// Read transactions.
        Transactions = "transactions",
    }
}

words! {
    /// A payment method type that an account supports.
    PaymentMethodType {
        /// Link.
        Link = "link",
        /// ACH.
        UsBankAccount = "us_bank_account",
    }
}

words! {
    /// The action that restores or keeps access.
    StatusAction {
        /// No action helps.
        None = "none",
        /// Link the account again.
        RelinkRequired = "relink_required",
    }
}

words! {
    /// The cause of an inactive account.
    InactiveCause {
        /// The holder withdrew the access.
        AccessDenied = "access_denied",
        /// The access expired.
        AccessExpired = "access_expired",
        /// The account was closed.
        AccountClosed = "account_closed",
        /// The bank no longer shows the account.
        AccountUnavailable = "account_unavailable",
        /// The bank asks for a new login.
        InstitutionRequirement = "institution_requirement",
        /// The cause is unknown.
        Unspecified = "unspecified",
    }
}

words! {
    /// The cause of an expected deactivation.
    ExpectedCause {
        /// The access will expire.
        AccessExpired = "access_expired",
        /// The bank will ask for a new login.
        InstitutionRequirement = "institution_requirement",
        /// The cause is unknown.
        Unspecified = "unspecified",
    }
}

/// The state of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    /// Data can be fetched.
    Active,
    /// Data cannot be fetched until the holder acts.
    Inactive {
        /// The cause.
        cause: InactiveCause,
        /// The action that restores access.
        action: StatusAction,
    },
    /// The link has ended for good.
    Disconnected,
}

impl AccountStatus {
    /// Returns the word that the object shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive { .. } => "inactive",
            Self::Disconnected => "disconnected",
        }
    }
}

/// An expected loss of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDeactivation {
    /// The time of the loss.
    pub at: AccountTime,
    /// The cause.
    pub cause: ExpectedCause,
    /// The action that keeps access.
    pub action: StatusAction,
    /// True if `upcoming_deactivation` was sent.
    pub announced: bool,
}

/// The holder of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Holder {
    /// A customer of the merchant.
    Customer(CustomerId),
    /// A connected account, by its id. Two connected accounts never count as the same holder.
    Account(String),
}

words! {
    /// The state of a tokenized account number.
    NumberStatus {
        /// The bank revoked it.
        Deactivated = "deactivated",
        /// It expired.
        Expired = "expired",
        /// It can move money.
        Transactable = "transactable",
    }
}

words! {
    /// The kind of an account number.
    NumberType {
        /// A permanent number.
        AccountNumber = "account_number",
        /// A number that the bank may revoke.
        TokenizedAccountNumber = "tokenized_account_number",
    }
}

/// One entry of `account_numbers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNumber {
    /// The time of expiry, if the bank gives one.
    pub expected_expiry_at: Option<AccountTime>,
    /// Its kind.
    pub identifier_type: NumberType,
    /// Its state.
    pub status: NumberStatus,
    /// True if `upcoming_account_number_expiry` was sent.
    pub announced: bool,
}

/// One bank account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was linked with a live key.
    pub livemode: bool,
    /// The time of linking.
    pub created: AccountTime,
    /// The holder. `None` if the session or payment object named no holder.
    pub holder: Option<Holder>,
    /// The test clock of the holder.
    pub clock: Option<ClockId>,
    /// The credentials it was linked with.
    pub authorization: AuthorizationId,
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's name.
    pub institution_name: String,
    /// The bank's own key of the account. It is the same when the account is linked again.
    pub bank_account: String,
    /// Its kind.
    pub category: Category,
    /// Its kind within the category.
    pub subcategory: Subcategory,
    /// The name given by the holder or the bank.
    pub display_name: Option<String>,
    /// The last four digits of the number.
    pub last4: Option<String>,
    /// The payment method types that it supports.
    pub supported_payment_method_types: Vec<PaymentMethodType>,
    /// Its numbers, without the digits.
    pub account_numbers: Vec<AccountNumber>,
    /// The permissions that the holder granted.
    pub permissions: BTreeSet<Permission>,
    /// The state.
    pub status: AccountStatus,
    /// An expected loss of access.
    pub expected_deactivation: Option<ExpectedDeactivation>,
    /// The newest balance.
    pub balance: Option<Balance>,
    /// The newest snapshot of the owners.
    pub ownership: Option<OwnershipId>,
    /// The newest balance refresh.
    pub balance_refresh: Option<RefreshState>,
    /// The newest ownership refresh.
    pub ownership_refresh: Option<RefreshState>,
    /// The newest transaction refresh.
    pub transaction_refresh: Option<RefreshState>,
    /// True if a transaction refresh has ever succeeded.
    pub transactions_listable: bool,
    /// The newest refresh of inferred balances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inferred_balances_refresh: Option<RefreshState>,
    /// The balance that inferred balances begin with, after a refresh of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inferred_from: Option<Box<InferredFrom>>,
    /// True if transactions are refreshed daily.
    pub subscribed: bool,
    /// The other features that are refreshed daily. In preview.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also_subscribed: BTreeSet<Feature>,
    /// The due time of the next daily refreshes, while the account is subscribed and active.
    pub daily_due_at: Option<AccountTime>,
    /// The next time at which the bank changes the account on its own, for example closes it or
    /// ends the access. Only sandbox banks set it.
    pub bank_due_at: Option<AccountTime>,
    /// The number of transaction rows stored so far, which is the ordinal of the newest row.
    pub rows: u32,
    /// The number of times that the holder linked it again. Each time gives a new tokenized number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub renewals: u32,
    /// Refreshes that a restore has undone.
    #[serde(default, skip_serializing_if = "Undone::is_empty")]
    pub undone: Undone,
}

/// The fields of an account that decide if its transactions may be listed, and from which refresh
/// on. It reads from the same stored form as [`Account`], in a fraction of the time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListableAccount {
    /// As in [`Account`].
    pub livemode: bool,
    /// As in [`Account`].
    pub permissions: BTreeSet<Permission>,
    /// As in [`Account`].
    pub status: AccountStatus,
    /// As in [`Account`].
    pub transaction_refresh: Option<RefreshState>,
    /// As in [`Account`].
    pub transactions_listable: bool,
    /// As in [`Account`].
    #[serde(default)]
    pub undone: Undone,
}

impl ListableAccount {
    /// True if the account has ever had this transaction refresh and no restore has undone it.
    pub fn has_refresh(&self, sequence: u32) -> bool {
        let newest = self.transaction_refresh.as_ref().map_or(0, |state| state.sequence);
        (1..=newest).contains(&sequence) && !self.undone.holds(sequence)
    }
}

impl From<&Account> for ListableAccount {
    fn from(account: &Account) -> Self {
        Self {
            livemode: account.livemode,
            permissions: account.permissions.clone(),
            status: account.status,
            transaction_refresh: account.transaction_refresh,
            transactions_listable: account.transactions_listable,
            undone: account.undone.clone(),
        }
    }
}

/// True for a field with its default, which is not stored.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Returns the permissions that a feature needs.
pub fn permissions_for(feature: Feature) -> &'static [Permission] {
    match feature {
        Feature::Balance => &[Permission::Balances],
        Feature::Ownership => &[Permission::Ownership],
        Feature::Transactions => &[Permission::Transactions],
        Feature::InferredBalances => &[Permission::Balances, Permission::Transactions],
    }
}

impl Account {
    /// Returns the newest refresh of a feature.
    pub fn refresh(&self, feature: Feature) -> Option<&RefreshState> {
        match feature {
            Feature::Balance => self.balance_refresh.as_ref(),
            Feature::Ownership => self.ownership_refresh.as_ref(),
            Feature::Transactions => self.transaction_refresh.as_ref(),
            Feature::InferredBalances => self.inferred_balances_refresh.as_ref(),
        }
    }

    fn refresh_slot(&mut self, feature: Feature) -> &mut Option<RefreshState> {
        match feature {
            Feature::Balance => &mut self.balance_refresh,
            Feature::Ownership => &mut self.ownership_refresh,
            Feature::Transactions => &mut self.transaction_refresh,
            Feature::InferredBalances => &mut self.inferred_balances_refresh,
        }
    }

    /// Returns the id of the newest transaction refresh.
    pub fn transaction_refresh_id(&self) -> Option<RefreshId> {
        let sequence = self.transaction_refresh.as_ref()?.sequence;
        Some(RefreshId { account: self.id, sequence })
    }

    /// True if data can be fetched.
    pub fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// True if the holder granted the permissions for a feature.
    pub fn permits(&self, feature: Feature) -> bool {
        permissions_for(feature).iter().all(|one| self.permissions.contains(one))
    }

    /// True if a refresh of a feature is pending.
    pub fn is_pending(&self, feature: Feature) -> bool {
        self.refresh(feature).is_some_and(RefreshState::is_pending)
    }

    /// True if a caller may start a refresh of a feature: no refresh is pending and the cool-down
    /// is over.
    pub fn refresh_available(&self, feature: Feature, now: AccountTime) -> bool {
        self.refresh(feature).is_none_or(|state| {
            !state.is_pending() && state.next_refresh_available_at.is_none_or(|at| at <= now)
        })
    }

    /// Starts a refresh and returns its sequence. The caller has checked that no refresh of the
    /// feature is pending.
    pub fn start_refresh(&mut self, feature: Feature, now: AccountTime) -> u32 {
        assert!(!self.is_pending(feature), "at most one refresh of a feature is pending");
        let undone = self.undone.last();
        let slot = self.refresh_slot(feature);
        let sequence = slot.as_ref().map_or(0, |state| state.sequence).max(undone) + 1;
        *slot = Some(RefreshState {
            sequence,
            status: RefreshStatus::Pending,
            last_attempted_at: now,
            next_refresh_available_at: None,
            cause: None,
            prefetched: false,
        });
        sequence
    }

    /// Starts a refresh that the link of the account prefetches, and returns its sequence.
    pub fn start_prefetch(&mut self, feature: Feature, now: AccountTime) -> u32 {
        let sequence = self.start_refresh(feature, now);
        if let Some(state) = self.refresh_slot(feature) {
            state.prefetched = true;
        }
        sequence
    }

    /// Ends the pending refresh of a feature. It succeeded if `cause` is `None`.
    pub fn end_refresh(&mut self, feature: Feature, cause: Option<RefreshCause>, cool_down_s: i64) {
        let listable = feature == Feature::Transactions && cause.is_none();
        let Some(state) = self.refresh_slot(feature).as_mut().filter(|state| state.is_pending())
        else {
            unreachable!("only a pending refresh ends; the store compares the claim before")
        };
        state.status =
            if cause.is_none() { RefreshStatus::Succeeded } else { RefreshStatus::Failed };
        state.cause = cause;
        state.next_refresh_available_at = Some(state.last_attempted_at.plus(cool_down_s));
        self.transactions_listable |= listable;
    }

    /// Ends every pending refresh as failed and returns their features.
    fn interrupt(&mut self, cause: RefreshCause) -> Vec<Feature> {
        let pending: Vec<Feature> =
            Feature::ALL.iter().copied().filter(|feature| self.is_pending(*feature)).collect();
        for feature in &pending {
            self.end_refresh(*feature, Some(cause), 0);
        }
        pending
    }

    /// Deactivates an active account and returns the features of the pending refreshes that it
    /// interrupted. Returns `None` and does not change an account that is not active.
    pub fn deactivate(
        &mut self,
        cause: InactiveCause,
        action: StatusAction,
    ) -> Option<Vec<Feature>> {
        if !self.is_active() {
            return None;
        }
        self.status = AccountStatus::Inactive { cause, action };
        self.expected_deactivation = None;
        self.daily_due_at = None;
        self.bank_due_at = None;
        Some(self.interrupt(RefreshCause::Interrupted))
    }

    /// Reactivates an inactive account and resumes its subscription. Returns true if the account
    /// changed.
    pub fn reactivate(&mut self, now: AccountTime) -> bool {
        if !matches!(self.status, AccountStatus::Inactive { .. }) {
            return false;
        }
        self.status = AccountStatus::Active;
        if !self.subscriptions().is_empty() {
            self.daily_due_at = Some(self.next_daily(now));
        }
        true
    }

    /// Ends the link for good. Returns the features of the pending refreshes that it interrupted,
    /// or `None` if the account was already disconnected.
    pub fn disconnect(&mut self) -> Option<Vec<Feature>> {
        if self.status == AccountStatus::Disconnected {
            return None;
        }
        let interrupted = self.interrupt(RefreshCause::Interrupted);
        self.status = AccountStatus::Disconnected;
        self.expected_deactivation = None;
        self.balance = None;
        self.inferred_from = None;
        self.subscribed = false;
        self.also_subscribed.clear();
        self.daily_due_at = None;
        self.bank_due_at = None;
        Some(interrupted)
    }
}
