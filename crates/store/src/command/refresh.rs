//! Refreshes: claimed, put off, applied or failed, and what falls due by itself.
//!
//! At most one refresh of a feature of an account is pending (a unique index holds it). Only
//! [`ApplyRefresh`] writes transaction rows.

use crate::{AccountChange, Connection, Written};
use model::account::Account;
use model::clock::{AccountTime, ServerTime};
use model::id::MerchantId;
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RunAt};
use model::transaction::HeldTransaction;

/// Claims pending refreshes that may run at `now` by real time and that nobody holds a lease of,
/// the longest due first; accounts of a test clock that is advancing are skipped. Answers
/// `Vec<RefreshJob>` with claim and attempts raised by one.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRefreshes {
    /// Real time.
    pub now: ServerTime,
    /// Until when the claims hold.
    pub leased_until: ServerTime,
    /// The most jobs.
    pub limit: usize,
}

writes!(ClaimRefreshes => Vec<RefreshJob>, refresh::claim);

/// The claim under which a job was worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which refresh.
    pub key: RefreshKey,
    /// Whose account.
    pub merchant: MerchantId,
    /// The number of the claim; the store answers `Stale` unless it is the newest and the job is
    /// still pending. `None` where the refresh starts and ends in the same command: the job is
    /// then among `started` of the change, and is stored as ended.
    pub number: Option<u32>,
}

/// Gives a pending refresh back to run later. Answers [`crate::Written`].
#[derive(Clone, Debug)]
pub struct PutOffRefresh {
    /// The claim.
    pub claim: Claim,
    /// When it may run again.
    pub run_at: RunAt,
    /// How often it was tried, this time included. A claim has counted its try already; a step of
    /// a test clock, which claims no job, counts its own here.
    pub attempts: u32,
    /// The connection, with its version raised by one, if the fetch changed it.
    pub connection: Option<Connection>,
}

writes!(PutOffRefresh => Written, refresh::put_off);

/// Ends a refresh with the bank's data. Answers [`crate::Written`]: `Stale` unless claim, account
/// version and connection version all fit.
#[derive(Clone, Debug)]
pub struct ApplyRefresh {
    /// The claim.
    pub claim: Claim,
    /// The account with the ended refresh, its event, and with the connection if it changed.
    pub change: AccountChange,
    /// New rows, and the newest form of rows that are held.
    pub rows: Vec<HeldTransaction>,
    /// A new snapshot of the owners.
    pub ownership: Option<Ownership>,
}

writes!(ApplyRefresh => Written, refresh::apply);

/// Ends a refresh without data. Answers [`crate::Written`] as [`ApplyRefresh`] does.
#[derive(Clone, Debug)]
pub struct FailRefresh {
    /// The claim.
    pub claim: Claim,
    /// The account with the failed refresh, its event, and with the connection if it changed.
    pub change: AccountChange,
}

writes!(FailRefresh => Written, refresh::fail);

/// Lists accounts without a test clock that have daily work or a change at the bank due at `now`,
/// the longest due first. Answers `Vec<Account>`.
#[derive(Clone, Copy, Debug)]
pub struct ListDueAccounts {
    /// The time of objects without a clock.
    pub now: AccountTime,
    /// The most accounts.
    pub limit: usize,
}

reads!(ListDueAccounts => Vec<Account>, refresh::list_due);

/// When something of an account falls due by itself: the earlier of its daily work and the next
/// change at its bank.
pub fn due_at(account: &Account) -> Option<AccountTime> {
    match (account.daily_due_at, account.bank_due_at) {
        (Some(daily), Some(bank)) => Some(daily.min(bank)),
        (daily, bank) => daily.or(bank),
    }
}
