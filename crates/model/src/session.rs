//! A Financial Connections Session (`fcsess_…`): the carrier of one link flow.
//!
//! `pending` → `succeeded` | `cancelled` | `failed`; one session is one run of the flow. The client
//! secret opens it until it is a day old.

use crate::account::{Holder, Permission, Subcategory};
use crate::bank::Feature;
use crate::clock::AccountTime;
use crate::id::{
    AccountId, AuthorizationId, ClockId, InstitutionId, MerchantId, SessionId, TokenId,
};
use crate::limits::SESSION_AGE_S_MAX;
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

words! {
    /// Where the link flow stands.
    SessionStatus {
        /// Not ended.
        Pending = "pending",
        /// Ended with accounts.
        Succeeded = "succeeded",
        /// Left by the holder.
        Cancelled = "cancelled",
        /// Ended by an error.
        Failed = "failed",
    }
}

words! {
    /// What is fetched the moment an account is linked.
    Prefetch {
        /// The balance. Plural here, singular as a feature.
        Balances = "balances",
        /// The owners.
        Ownership = "ownership",
        /// The transactions.
        Transactions = "transactions",
    }
}

impl Prefetch {
    /// The feature that is refreshed.
    pub fn feature(self) -> Feature {
        match self {
            Self::Balances => Feature::Balance,
            Self::Ownership => Feature::Ownership,
            Self::Transactions => Feature::Transactions,
        }
    }

    /// The permission that it needs.
    pub fn permission(self) -> Permission {
        match self {
            Self::Balances => Permission::Balances,
            Self::Ownership => Permission::Ownership,
            Self::Transactions => Permission::Transactions,
        }
    }
}

words! {
    /// How many of the linked accounts must be able to pay.
    PaymentMethodSupport {
        /// All of them.
        All = "all",
        /// At least one.
        AtLeastOne = "at_least_one",
        /// None need to.
        None = "none",
    }
}

words! {
    /// Whether the holder may type account numbers.
    ManualEntry {
        /// Where the flow allows it.
        Automatic = "automatic",
        /// Never.
        Disabled = "disabled",
    }
}

words! {
    /// How a session is shown.
    UiMode {
        /// On a page of this server, which its address leads to.
        Hosted = "hosted",
        /// Over the page of the merchant.
        Modal = "modal",
    }
}

words! {
    /// How the holder comes to the page of a hosted session.
    DeliveryMethod {
        /// By an e-mail.
        Email = "email",
        /// By its address, which the merchant hands on.
        Url = "url",
    }
}

/// What a hosted session was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosted {
    /// How the holder comes to the page; kept and shown.
    pub delivery_method: Option<DeliveryMethod>,
    /// Where the page leads in the end.
    pub return_url: String,
}

words! {
    /// Why a link did not renew what it was meant to.
    RelinkFailure {
        /// The bank let the holder in, but not to the account wanted.
        NoAccount = "no_account",
        /// The bank did not let the holder in.
        NoAuthorization = "no_authorization",
        /// The holder left with the accounts in sight.
        Other = "other",
    }
}

/// What a session renews: the login of an authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relink {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// The one account of it that is wanted; all where none is.
    pub account: Option<AccountId>,
    /// The bank's own key of that account.
    pub bank_account: Option<String>,
    /// The bank.
    pub institution: InstitutionId,
    /// Why nothing was renewed, once the flow has ended so.
    pub failure: Option<RelinkFailure>,
}

/// Which accounts a session offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFilters {
    /// Only these kinds; all when left out.
    pub account_subcategories: Option<Vec<Subcategory>>,
    /// Only banks of this country, two letters.
    pub country: Option<String>,
    /// How many of the linked accounts must be able to pay.
    pub require_payment_method_support: Option<PaymentMethodSupport>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// Who links; nobody where it renews accounts of nobody.
    pub holder: Option<Holder>,
    /// The test clock of the holder.
    pub clock: Option<ClockId>,
    /// What opens it to the holder's browser. Stored sealed, apart from the rest.
    #[serde(skip)]
    pub client_secret: String,
    /// What the holder is asked to allow.
    pub permissions: BTreeSet<Permission>,
    /// What is fetched the moment an account is linked; none and empty are different answers.
    pub prefetch: Option<Vec<Prefetch>>,
    /// Which accounts are offered; left out of answers when left out of the request.
    pub filters: Option<SessionFilters>,
    /// The most accounts that may be linked.
    pub accounts_max: Option<u32>,
    /// Whether `limits` stood in the request.
    pub limits_given: bool,
    /// Whether the holder may type account numbers.
    pub manual_entry: Option<ManualEntry>,
    /// Whether it is for the payouts of a connected account and says no more: one account that can
    /// pay, or typed numbers. Versions of before the defaults were the same for every holder.
    #[serde(default)]
    pub for_payouts: bool,
    /// Where a webview goes back to.
    pub return_url: Option<String>,
    /// Set for one that is shown on a page of this server.
    #[serde(default)]
    pub hosted: Option<Hosted>,
    /// Set for one that links again.
    #[serde(default)]
    pub relink: Option<Relink>,
    /// Where the flow stands.
    pub status: SessionStatus,
    /// What it linked.
    pub accounts: Vec<AccountId>,
    /// The token of the numbers that the holder typed instead of linking an account.
    #[serde(default)]
    pub token: Option<TokenId>,
}

impl Session {
    /// From when on the client secret opens nothing and is no longer shown.
    pub fn expires_at(&self) -> AccountTime {
        self.created.plus(SESSION_AGE_S_MAX)
    }

    /// How it is shown.
    pub fn ui_mode(&self) -> UiMode {
        if self.hosted.is_some() { UiMode::Hosted } else { UiMode::Modal }
    }
}
