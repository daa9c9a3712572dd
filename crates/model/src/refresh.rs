//! Refreshes: one attempt to fetch one feature of one account, and its job.
//!
//! A refresh is `pending`, then `succeeded` or `failed`, and another may follow. The account holds
//! the state of the newest refresh of each feature ([`RefreshState`]). Workers claim the job
//! ([`RefreshJob`]), which stays as history until it is pruned.

use crate::bank::Feature;
use crate::clock::{AccountTime, ServerTime};
use crate::id::{AccountId, ClockId, MerchantId};
use crate::word::words;
use serde::{Deserialize, Serialize};

words! {
    /// The state of a refresh.
    RefreshStatus {
        /// Requested and not ended.
        Pending = "pending",
        /// Ended with the bank's data.
        Succeeded = "succeeded",
        /// Ended without data. The stored data is unchanged.
        Failed = "failed",
    }
}

words! {
    /// The cause of a failed refresh. This is the complete list that tests may script.
    RefreshCause {
        /// The bank accepts no requests for now.
        InstitutionUnavailable = "institution_unavailable",
        /// The bank did not respond in time.
        InstitutionTimeout = "institution_timeout",
        /// The bank sent an unreadable response.
        InstitutionError = "institution_error",
        /// The holder must log in again. The account becomes inactive.
        LoginRequired = "login_required",
        /// The holder withdrew the consent. The account becomes inactive.
        AccessDenied = "access_denied",
        /// The account was closed. It becomes inactive for good.
        AccountClosed = "account_closed",
        /// The bank no longer shows the account. The account becomes inactive.
        AccountUnavailable = "account_unavailable",
        /// The bank does not offer this feature.
        Unsupported = "unsupported",
        /// The account became inactive or was disconnected while the refresh was pending.
        Interrupted = "interrupted",
    }
}

words! {
    /// The caller's next step after a failed refresh.
    NextStep {
        /// Wait for the next refresh.
        RetryLater = "retry_later",
        /// Ask the holder to link the account again.
        Relink = "relink",
        /// No step helps.
        None = "none",
    }
}

impl RefreshCause {
    /// Returns the caller's next step.
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

    /// Returns the cause in a sentence for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::InstitutionUnavailable => "The institution takes no requests for now.",
            Self::InstitutionTimeout => "The institution did not respond in time.",
            Self::InstitutionError => "The institution sent an unreadable response.",
            Self::LoginRequired => "The account holder has to log in at the institution again.",
            Self::AccessDenied => "The account holder withdrew the access to this account.",
            Self::AccountClosed => "The account was closed at the institution.",
            Self::AccountUnavailable => "The institution no longer shows this account.",
            Self::Unsupported => "The institution does not offer this data.",
            Self::Interrupted => "The account stopped being active before the refresh ended.",
        }
    }
}

/// The state of the newest refresh of one feature, as an account shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshState {
    /// The sequence number among the account's refreshes of this feature, from 1.
    pub sequence: u32,
    /// The state.
    pub status: RefreshStatus,
    /// The time of the start.
    pub last_attempted_at: AccountTime,
    /// The time from which the next refresh may be requested. `None` while it is pending.
    pub next_refresh_available_at: Option<AccountTime>,
    /// The cause of the failure.
    pub cause: Option<RefreshCause>,
    /// True if the link of the account started it.
    #[serde(default)]
    pub prefetched: bool,
}

impl RefreshState {
    /// True if it has not ended.
    pub fn is_pending(&self) -> bool {
        self.status == RefreshStatus::Pending
    }
}

/// The time at which a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunAt {
    /// At a real time.
    Server(ServerTime),
    /// A time of the account's test clock.
    Clock(AccountTime),
}

/// The key of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RefreshKey {
    /// The account.
    pub account: AccountId,
    /// The feature.
    pub feature: Feature,
    /// The sequence number among the account's refreshes of this feature, from 1.
    pub sequence: u32,
}

/// A refresh as workers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshJob {
    /// The key.
    pub key: RefreshKey,
    /// The merchant that owns the account.
    pub merchant: MerchantId,
    /// The test clock of the account.
    pub clock: Option<ClockId>,
    /// The state.
    pub status: RefreshStatus,
    /// The time of the start, by the account's clock.
    pub started_at: AccountTime,
    /// The time of the start, by the server's clock.
    pub started_server: ServerTime,
    /// The time at which it may run.
    pub run_at: RunAt,
    /// The claim number. Every claim raises it, and a worker's result must carry the newest.
    pub claim: u32,
    /// The end of the lease.
    pub leased_until: Option<ServerTime>,
    /// The number of attempts.
    pub attempts: u32,
}
