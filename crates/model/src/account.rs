//! A linked bank account (`fca_…`) and its state machine.
//!
//! ```text
//! (linked) → active ⇄ inactive        active | inactive → disconnected (final)
//! ```
//!
//! Everything here is pure: a use case reads an account, calls one of these methods, and hands the
//! result to one store command together with the version that it read. A pending refresh ends only
//! in [`Account::end_refresh`]; `deactivate` and `disconnect` call it for those they interrupt, and
//! return them, so that their events and jobs are settled in the same commit.

use crate::bank::{Balance, Feature};
use crate::clock::{AccountTime, DAY_S};
use crate::id::{
    AccountId, AuthorizationId, ClockId, CustomerId, InstitutionId, MerchantId, OwnershipId,
    RefreshId,
};
use crate::refresh::{RefreshCause, RefreshState, RefreshStatus};
use crate::word::words;
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
    /// What the holder allowed. Features are spelled differently: `balances` here, `balance` there.
    Permission {
        /// To read balances.
        Balances = "balances",
        /// To read owners.
        Ownership = "ownership",
        /// To read account and routing number, for payments.
        PaymentMethod = "payment_method",
        /// To read transactions.
        Transactions = "transactions",
    }
}

words! {
    /// What an account can pay by.
    PaymentMethodType {
        /// Link.
        Link = "link",
        /// ACH.
        UsBankAccount = "us_bank_account",
    }
}

words! {
    /// What helps against a loss of access.
    StatusAction {
        /// Nothing.
        None = "none",
        /// Linking again.
        RelinkRequired = "relink_required",
    }
}

words! {
    /// Why an account is inactive.
    InactiveCause {
        /// The holder withdrew the access.
        AccessDenied = "access_denied",
        /// The access ran out.
        AccessExpired = "access_expired",
        /// The account was closed.
        AccountClosed = "account_closed",
        /// The bank no longer shows the account.
        AccountUnavailable = "account_unavailable",
        /// The bank asks for a new login.
        InstitutionRequirement = "institution_requirement",
        /// Unknown.
        Unspecified = "unspecified",
    }
}

words! {
    /// Why an account is expected to become inactive.
    ExpectedCause {
        /// The access will run out.
        AccessExpired = "access_expired",
        /// The bank will ask for a new login.
        InstitutionRequirement = "institution_requirement",
        /// Unknown.
        Unspecified = "unspecified",
    }
}

/// Whether data can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountStatus {
    /// It can.
    Active,
    /// It cannot, until the holder does something.
    Inactive {
        /// Why.
        cause: InactiveCause,
        /// What helps.
        action: StatusAction,
    },
    /// It never can again.
    Disconnected,
}

impl AccountStatus {
    /// The word that the object shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive { .. } => "inactive",
            Self::Disconnected => "disconnected",
        }
    }
}

/// A foreseen loss of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDeactivation {
    /// When.
    pub at: AccountTime,
    /// Why.
    pub cause: ExpectedCause,
    /// What helps.
    pub action: StatusAction,
    /// Whether `upcoming_deactivation` was sent.
    pub announced: bool,
}

/// Whose account it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Holder {
    /// A customer of the merchant.
    Customer(CustomerId),
    /// A connected account, by its id; such holders are never merged.
    Account(String),
}

words! {
    /// What a tokenised account number is good for.
    NumberStatus {
        /// It was revoked.
        Deactivated = "deactivated",
        /// Its time was over.
        Expired = "expired",
        /// It moves money.
        Transactable = "transactable",
    }
}

words! {
    /// The kind of an account number.
    NumberType {
        /// Permanent.
        AccountNumber = "account_number",
        /// May be revoked by the bank.
        TokenizedAccountNumber = "tokenized_account_number",
    }
}

/// One entry of `account_numbers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNumber {
    /// When it runs out, if the bank says so.
    pub expected_expiry_at: Option<AccountTime>,
    /// Its kind.
    pub identifier_type: NumberType,
    /// What it is good for.
    pub status: NumberStatus,
    /// Whether `upcoming_account_number_expiry` was sent.
    pub announced: bool,
}

/// One bank account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was linked with a live key.
    pub livemode: bool,
    /// When it was linked.
    pub created: AccountTime,
    /// Whose bank account it is; nobody's when the carrier named none.
    pub holder: Option<Holder>,
    /// The test clock of the holder.
    pub clock: Option<ClockId>,
    /// The credentials it was linked with.
    pub authorization: AuthorizationId,
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's name.
    pub institution_name: String,
    /// The bank's own key of the account: the same when it is linked again.
    pub bank_account: String,
    /// Its kind.
    pub category: Category,
    /// Its kind within the category.
    pub subcategory: Subcategory,
    /// The name given by the holder or the bank.
    pub display_name: Option<String>,
    /// The last four digits of the number.
    pub last4: Option<String>,
    /// What it can pay by.
    pub supported_payment_method_types: Vec<PaymentMethodType>,
    /// Its numbers, without the digits.
    pub account_numbers: Vec<AccountNumber>,
    /// What the holder allowed.
    pub permissions: BTreeSet<Permission>,
    /// Whether data can be fetched.
    pub status: AccountStatus,
    /// A foreseen loss of access.
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
    /// Whether a transaction refresh ever succeeded.
    pub transactions_listable: bool,
    /// Whether transactions are refreshed daily.
    pub subscribed: bool,
    /// When the next daily refresh falls due, while subscribed and active.
    pub daily_due_at: Option<AccountTime>,
    /// When the bank next changes the account by itself (closes it, ends the access); the sandbox's
    /// banks use it.
    pub bank_due_at: Option<AccountTime>,
    /// Transaction rows stored so far: the ordinal of the newest.
    pub rows: u32,
}

/// What of an account decides whether its transactions may be listed, and since when. It reads from
/// the same stored form as [`Account`], in a fraction of the time.
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
}

impl From<&Account> for ListableAccount {
    fn from(account: &Account) -> Self {
        Self {
            livemode: account.livemode,
            permissions: account.permissions.clone(),
            status: account.status,
            transaction_refresh: account.transaction_refresh,
            transactions_listable: account.transactions_listable,
        }
    }
}

/// The permission that a feature asks for.
pub fn permission_for(feature: Feature) -> Permission {
    match feature {
        Feature::Balance => Permission::Balances,
        Feature::Ownership => Permission::Ownership,
        Feature::Transactions => Permission::Transactions,
    }
}

impl Account {
    /// The newest refresh of a feature.
    pub fn refresh(&self, feature: Feature) -> Option<&RefreshState> {
        match feature {
            Feature::Balance => self.balance_refresh.as_ref(),
            Feature::Ownership => self.ownership_refresh.as_ref(),
            Feature::Transactions => self.transaction_refresh.as_ref(),
        }
    }

    fn refresh_slot(&mut self, feature: Feature) -> &mut Option<RefreshState> {
        match feature {
            Feature::Balance => &mut self.balance_refresh,
            Feature::Ownership => &mut self.ownership_refresh,
            Feature::Transactions => &mut self.transaction_refresh,
        }
    }

    /// The id of the newest transaction refresh.
    pub fn transaction_refresh_id(&self) -> Option<RefreshId> {
        let sequence = self.transaction_refresh.as_ref()?.sequence;
        Some(RefreshId { account: self.id, sequence })
    }

    /// Whether data can be fetched.
    pub fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// Whether the holder allowed a feature.
    pub fn permits(&self, feature: Feature) -> bool {
        self.permissions.contains(&permission_for(feature))
    }

    /// Whether a refresh of a feature is under way.
    pub fn is_pending(&self, feature: Feature) -> bool {
        self.refresh(feature).is_some_and(RefreshState::is_pending)
    }

    /// Whether a caller may start a refresh of a feature: none is pending, the cool-down is over.
    pub fn refresh_available(&self, feature: Feature, now: AccountTime) -> bool {
        self.refresh(feature).is_none_or(|state| {
            !state.is_pending() && state.next_refresh_available_at.is_none_or(|at| at <= now)
        })
    }

    /// Starts a refresh and gives its sequence. The caller has seen that none is pending.
    pub fn start_refresh(&mut self, feature: Feature, now: AccountTime) -> u32 {
        assert!(!self.is_pending(feature), "at most one refresh of a feature is pending");
        let slot = self.refresh_slot(feature);
        let sequence = slot.as_ref().map_or(1, |state| state.sequence + 1);
        *slot = Some(RefreshState {
            sequence,
            status: RefreshStatus::Pending,
            last_attempted_at: now,
            next_refresh_available_at: None,
            cause: None,
        });
        sequence
    }

    /// Ends the pending refresh of a feature: without a cause it succeeded.
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

    /// Ends every pending refresh as failed and names their features.
    fn interrupt(&mut self, cause: RefreshCause) -> Vec<Feature> {
        let pending: Vec<Feature> = [Feature::Balance, Feature::Ownership, Feature::Transactions]
            .into_iter()
            .filter(|feature| self.is_pending(*feature))
            .collect();
        for feature in &pending {
            self.end_refresh(*feature, Some(cause), 0);
        }
        pending
    }

    /// Subscribes to daily transactions from now on. Subscribing again moves nothing.
    pub fn subscribe(&mut self, now: AccountTime) {
        self.subscribed = true;
        if self.daily_due_at.is_none() {
            self.daily_due_at = Some(self.next_daily(now));
        }
    }

    /// Ends the daily work; what is pending finishes.
    pub fn unsubscribe(&mut self) {
        self.subscribed = false;
        self.daily_due_at = None;
    }

    /// The next time of day of this account's daily work, strictly after `now`.
    pub fn next_daily(&self, now: AccountTime) -> AccountTime {
        let second = self.id.daily_second();
        let today = now.0.div_euclid(DAY_S) * DAY_S + second;
        AccountTime(if today > now.0 { today } else { today + DAY_S })
    }

    /// Active → inactive. Names the features whose pending refresh was ended with it; nothing
    /// changes, and `None` is answered, unless the account is active.
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

    /// Inactive → active; a subscription goes on. Answers whether anything changed.
    pub fn reactivate(&mut self, now: AccountTime) -> bool {
        if !matches!(self.status, AccountStatus::Inactive { .. }) {
            return false;
        }
        self.status = AccountStatus::Active;
        if self.subscribed {
            self.daily_due_at = Some(self.next_daily(now));
        }
        true
    }

    /// Ends the link for good. Names the features whose pending refresh was ended with it; `None`
    /// when it was disconnected before.
    pub fn disconnect(&mut self) -> Option<Vec<Feature>> {
        if self.status == AccountStatus::Disconnected {
            return None;
        }
        let interrupted = self.interrupt(RefreshCause::Interrupted);
        self.status = AccountStatus::Disconnected;
        self.expected_deactivation = None;
        self.balance = None;
        self.subscribed = false;
        self.daily_due_at = None;
        self.bank_due_at = None;
        Some(interrupted)
    }
}
