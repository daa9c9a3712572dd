//! Refreshes: one attempt to fetch one feature of one account, and the job behind it.
//!
//! `pending` → `succeeded` | `failed`, and then another. What objects show of the newest refresh of
//! a feature stands in the account ([`RefreshState`]); the job ([`RefreshJob`]) is what workers
//! claim, and stays as history until it is pruned.

use crate::bank::Feature;
use crate::clock::{AccountTime, ServerTime};
use crate::id::{AccountId, ClockId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// Where a refresh stands.
    RefreshStatus {
        /// Asked for, not ended.
        Pending = "pending",
        /// Ended with the bank's data.
        Succeeded = "succeeded",
        /// Ended without; what was held before stays.
        Failed = "failed",
    }
}

words! {
    /// Why a refresh failed: the closed list that tests may script.
    RefreshCause {
        /// The bank takes no requests for now.
        InstitutionUnavailable = "institution_unavailable",
        /// The bank did not answer in time.
        InstitutionTimeout = "institution_timeout",
        /// The bank answered with something we cannot read.
        InstitutionError = "institution_error",
        /// The holder must log in again; the account becomes inactive.
        LoginRequired = "login_required",
        /// The holder took back the consent; the account becomes inactive.
        AccessDenied = "access_denied",
        /// The account was closed; it becomes inactive for good.
        AccountClosed = "account_closed",
        /// The bank no longer shows the account; it becomes inactive.
        AccountUnavailable = "account_unavailable",
        /// The bank does not give this feature.
        Unsupported = "unsupported",
        /// The account became inactive or was disconnected while the refresh was pending.
        Interrupted = "interrupted",
    }
}

words! {
    /// What a caller can do about a failed refresh.
    NextStep {
        /// Wait for the next refresh.
        RetryLater = "retry_later",
        /// Have the holder link the account again.
        Relink = "relink",
        /// Nothing brings this data.
        None = "none",
    }
}

impl RefreshCause {
    /// What the caller can do about it.
    pub fn next_step(self) -> NextStep {
        match self {
            Self::InstitutionUnavailable | Self::InstitutionTimeout | Self::InstitutionError => {
                NextStep::RetryLater
            }
            Self::LoginRequired
            | Self::AccessDenied
            | Self::AccountUnavailable
            | Self::Interrupted => NextStep::Relink,
            Self::AccountClosed | Self::Unsupported => NextStep::None,
        }
    }

    /// The cause in a sentence for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::InstitutionUnavailable => "The institution takes no requests for now.",
            Self::InstitutionTimeout => "The institution did not answer in time.",
            Self::InstitutionError => "The institution answered with something unreadable.",
            Self::LoginRequired => "The account holder has to log in at the institution again.",
            Self::AccessDenied => "The account holder withdrew the access to this account.",
            Self::AccountClosed => "The account was closed at the institution.",
            Self::AccountUnavailable => "The institution no longer shows this account.",
            Self::Unsupported => "The institution does not offer this data.",
            Self::Interrupted => "The account stopped being active before the refresh ended.",
        }
    }
}

/// What an account shows of the newest refresh of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshState {
    /// The place in the order of this feature's refreshes of the account, from 1.
    pub sequence: u32,
    /// Where it stands.
    pub status: RefreshStatus,
    /// When it was started.
    pub last_attempted_at: AccountTime,
    /// When the next may be asked for; unknown while pending.
    pub next_refresh_available_at: Option<AccountTime>,
    /// Why it failed.
    pub cause: Option<RefreshCause>,
}

impl RefreshState {
    /// Whether it has not ended.
    pub fn is_pending(&self) -> bool {
        self.status == RefreshStatus::Pending
    }
}

/// When a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunAt {
    /// At a real time.
    Server(ServerTime),
    /// When the account's test clock shows this.
    Clock(AccountTime),
}

/// Names one refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RefreshKey {
    /// The account.
    pub account: AccountId,
    /// What is fetched.
    pub feature: Feature,
    /// The place in the order of this feature's refreshes of the account, from 1.
    pub sequence: u32,
}

/// A refresh as workers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshJob {
    /// Which refresh.
    pub key: RefreshKey,
    /// Whose account.
    pub merchant: MerchantId,
    /// The test clock of the account.
    pub clock: Option<ClockId>,
    /// Where it stands.
    pub status: RefreshStatus,
    /// When it was started, by its account's time.
    pub started_at: AccountTime,
    /// When it was started, by the server's time.
    pub started_server: ServerTime,
    /// When it may run.
    pub run_at: RunAt,
    /// Raised by every claim; what a worker sends back must carry the newest.
    pub claim: u32,
    /// Until when a claim holds.
    pub leased_until: Option<ServerTime>,
    /// How often it was tried.
    pub attempts: u32,
}
