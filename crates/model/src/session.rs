//! A Financial Connections Session (`fcsess_…`): the carrier of one link flow.
//!
//! A session is `pending`, then `succeeded`, `cancelled` or `failed`. One session is one link flow.
//! The client secret gives access for one day.

use crate::account::{Account, Holder, Permission, Subcategory, permissions_for};
use crate::bank::Feature;
use crate::clock::AccountTime;
use crate::id::{
    AccountId, AuthorizationId, ClockId, InstitutionId, MerchantId, SessionId, TokenId,
};
use crate::limits::SESSION_AGE_S_MAX;
use crate::token::BankAccountToken;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

words! {
    /// The state of the link flow.
    SessionStatus {
        /// The flow has not ended.
        Pending = "pending",
        /// The flow ended with accounts.
        Succeeded = "succeeded",
        /// The holder left.
        Cancelled = "cancelled",
        /// The flow ended with an error.
        Failed = "failed",
    }
}

words! {
    /// The data that is fetched as soon as an account is linked.
    Prefetch {
        /// The balance. Plural here, singular as a feature.
        Balances = "balances",
        /// The owners.
        Ownership = "ownership",
        /// The transactions.
        Transactions = "transactions",
        /// The balances of past days. In preview.
        InferredBalances = "inferred_balances",
    }
}

impl Prefetch {
    /// The words that versions without previews know.
    pub const GENERAL: &'static [Self] = &[Self::Balances, Self::Ownership, Self::Transactions];

    /// Returns the feature that is refreshed.
    pub fn feature(self) -> Feature {
        match self {
            Self::Balances => Feature::Balance,
            Self::Ownership => Feature::Ownership,
            Self::Transactions => Feature::Transactions,
            Self::InferredBalances => Feature::InferredBalances,
        }
    }

    /// Returns the permissions that it needs.
    pub fn permissions(self) -> &'static [Permission] {
        permissions_for(self.feature())
    }
}

words! {
    /// The number of linked accounts that must support payments.
    PaymentMethodSupport {
        /// All of them.
        All = "all",
        /// At least one.
        AtLeastOne = "at_least_one",
        /// No account.
        None = "none",
    }
}

words! {
    /// The rule for typed account numbers.
    ManualEntry {
        /// Allowed where the flow offers it.
        Automatic = "automatic",
        /// Typed on a form of the merchant, for which the holder leaves the flow. In preview.
        Custom = "custom",
        /// Not allowed.
        Disabled = "disabled",
    }
}

words! {
    /// The reason why a session was cancelled.
    CancelReason {
        /// The holder left for the merchant's own form of account numbers.
        CustomManualEntry = "custom_manual_entry",
        /// The holder left.
        Other = "other",
    }
}

words! {
    /// The way in which a session is shown.
    UiMode {
        /// On a page of this server with an address of its own.
        Hosted = "hosted",
        /// Over the page of the merchant.
        Modal = "modal",
    }
}

words! {
    /// The way in which the holder gets the address of a hosted session.
    DeliveryMethod {
        /// By e-mail.
        Email = "email",
        /// From the merchant, who sends the address.
        Url = "url",
    }
}

/// The parameters of a hosted session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosted {
    /// The way in which the holder gets the address. It is stored and shown, and has no other
    /// effect.
    pub delivery_method: Option<DeliveryMethod>,
    /// The address to which the page returns.
    pub return_url: String,
}

words! {
    /// The reason why a session renewed no account.
    RelinkFailure {
        /// The holder logged in, but the wanted account was not among the accounts.
        NoAccount = "no_account",
        /// The holder did not log in.
        NoAuthorization = "no_authorization",
        /// The holder left after the accounts were shown.
        Other = "other",
    }
}

/// The target of a session that links again: the login of an authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relink {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// The one account of it that is wanted, or `None` for all of them.
    pub account: Option<AccountId>,
    /// The bank's own key of that account.
    pub bank_account: Option<String>,
    /// The bank.
    pub institution: InstitutionId,
    /// The reason of a failure, after the flow has ended.
    pub failure: Option<RelinkFailure>,
}

/// The filters on the accounts that a session offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFilters {
    /// The only account subcategories that are offered. `None` for all.
    pub account_subcategories: Option<Vec<Subcategory>>,
    /// The only country of banks that are offered, two letters.
    pub country: Option<String>,
    /// The bank at which the holder logs in. No other bank is offered.
    #[serde(default)]
    pub institution: Option<InstitutionId>,
    /// The number of linked accounts that must support payments.
    pub require_payment_method_support: Option<PaymentMethodSupport>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The holder. `None` if it renews accounts without a holder.
    pub holder: Option<Holder>,
    /// The test clock of the holder.
    pub clock: Option<ClockId>,
    /// The secret that gives the holder's browser access. It is stored sealed, apart from the other
    /// fields.
    #[serde(skip)]
    pub client_secret: String,
    /// The permissions that the holder is asked for.
    pub permissions: BTreeSet<Permission>,
    /// The data that is fetched as soon as an account is linked. `None` and an empty list are
    /// rendered differently.
    pub prefetch: Option<Vec<Prefetch>>,
    /// The filters. Responses omit them if the request did.
    pub filters: Option<SessionFilters>,
    /// The maximum number of accounts that may be linked.
    pub accounts_max: Option<u32>,
    /// True if the request had `limits`.
    pub limits_given: bool,
    /// The rule for typed account numbers.
    pub manual_entry: Option<ManualEntry>,
    /// True if it is for the payouts of a connected account and leaves out the rest: it links one
    /// account that can pay, or takes typed numbers. Only API versions before the equal defaults
    /// set it.
    #[serde(default)]
    pub for_payouts: bool,
    /// The address to which a webview returns.
    pub return_url: Option<String>,
    /// The parameters of a session on a page of this server.
    #[serde(default)]
    pub hosted: Option<Hosted>,
    /// The target of a session that links again.
    #[serde(default)]
    pub relink: Option<Relink>,
    /// The state of the flow.
    pub status: SessionStatus,
    /// The reason, if it was cancelled. Sessions of earlier releases have none.
    #[serde(default)]
    pub cancel_reason: Option<CancelReason>,
    /// The accounts that it linked.
    pub accounts: Vec<AccountId>,
    /// The token of the numbers that the holder typed instead of linking an account.
    #[serde(default)]
    pub token: Option<TokenId>,
}

impl Session {
    /// Returns the time from which the client secret gives no access and is not shown.
    pub fn expires_at(&self) -> AccountTime {
        self.created.plus(SESSION_AGE_S_MAX)
    }

    /// Returns the way in which it is shown.
    pub fn ui_mode(&self) -> UiMode {
        if self.hosted.is_some() { UiMode::Hosted } else { UiMode::Modal }
    }
}

/// A session and the objects that it contains, as they were when its status changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCopy {
    /// The session. It has no client secret.
    pub session: Session,
    /// The accounts that it linked.
    pub accounts: Vec<Account>,
    /// The token of typed numbers.
    pub token: Option<BankAccountToken>,
}
