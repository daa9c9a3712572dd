//! Refreshes: claimed, put off, applied or failed, and the due work of accounts.
//!
//! At most one refresh of a feature of an account is pending, which a unique index enforces. Only
//! [`ApplyRefresh`] writes transaction rows.

use crate::{AccountChange, Connection, Written};
use model::account::Account;
use model::clock::{AccountTime, ServerTime};
use model::id::MerchantId;
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RunAt};
use model::transaction::StoredTransaction;

/// Claims pending refreshes that may run at `now` by server time and have no valid lease, the
/// longest due first. Accounts on an advancing test clock are skipped. Returns `Vec<RefreshJob>`
/// with claim and attempts raised by one.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRefreshes {
    /// The current server time.
    pub now: ServerTime,
    /// The end of the leases.
    pub leased_until: ServerTime,
    /// The maximum number of jobs.
    pub limit: usize,
}

writes!(ClaimRefreshes => Vec<RefreshJob>, refresh::claim);

/// The claim under which a job is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key of the refresh.
    pub key: RefreshKey,
    /// The owner of the account.
    pub merchant: MerchantId,
    /// The number of the claim. The command is a version conflict unless it is the newest and the
    /// job is still pending.
    ///
    /// `None` if the refresh starts and ends in the same command. The job is then among `started`
    /// of the change, and is stored as ended.
    pub number: Option<u32>,
}

/// Puts a pending refresh off to a later time. Returns [`crate::Written`].
#[derive(Clone, Debug)]
pub struct PutOffRefresh {
    /// The claim.
    pub claim: Claim,
    /// The time of the next try.
    pub run_at: RunAt,
    /// The number of tries, including this one. A claim has counted its try already. A step of a
    /// test clock claims no job, so it counts its own try here.
    pub attempts: u32,
    /// The connection, with its version raised by one, if the fetch changed it.
    pub connection: Option<Connection>,
}

writes!(PutOffRefresh => Written, refresh::put_off; prepared::of_put_off);

/// Ends a refresh with the bank's data. Returns [`crate::Written`]. It is a version conflict unless
/// claim, account version and connection version all match.
#[derive(Clone, Debug)]
pub struct ApplyRefresh {
    /// The claim.
    pub claim: Claim,
    /// The account with the ended refresh, its event, and the connection if it changed.
    pub change: AccountChange,
    /// New rows, and the newest form of stored rows.
    pub rows: Vec<StoredTransaction>,
    /// A new list of owners.
    pub ownership: Option<Ownership>,
}

writes!(ApplyRefresh => Written, refresh::apply; prepared::of_apply);

/// Ends a refresh without data. Returns [`crate::Written`] as [`ApplyRefresh`] does.
#[derive(Clone, Debug)]
pub struct FailRefresh {
    /// The claim.
    pub claim: Claim,
    /// The account with the failed refresh, its event, and the connection if it changed.
    pub change: AccountChange,
}

writes!(FailRefresh => Written, refresh::fail; prepared::of_fail);

/// Lists accounts without a test clock that have daily work or a change at the bank due at `now`,
/// the longest due first. Returns `Vec<Account>`.
#[derive(Clone, Copy, Debug)]
pub struct ListDueAccounts {
    /// The current time of objects without a clock.
    pub now: AccountTime,
    /// The maximum number of accounts.
    pub limit: usize,
}

reads!(ListDueAccounts => Vec<Account>, refresh::list_due, for all);

/// The time of an account's next due work: its daily work or the next change at its bank, whichever
/// is earlier.
pub fn due_at(account: &Account) -> Option<AccountTime> {
    match (account.daily_due_at, account.bank_due_at) {
        (Some(daily), Some(bank)) => Some(daily.min(bank)),
        (daily, bank) => daily.or(bank),
    }
}
