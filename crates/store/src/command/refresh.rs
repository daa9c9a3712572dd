//! Refreshes: claimed, put off, applied or failed, and the due work of accounts.
//!
//! At most one refresh of a feature of an account is pending, which a unique index enforces. Only
//! [`ApplyRefresh`] writes transaction rows.

use super::share::{Candidate, Shares, Used};
use crate::{AccountChange, Connection, Written};
use model::account::Account;
use model::clock::{AccountTime, ServerTime};
use model::id::{InstitutionId, MerchantId};
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RunAt};
use model::share::has_share;
use model::transaction::StoredTransaction;

/// Claims pending refreshes that may run at `now` by server time and have no valid lease. Accounts on an
/// advancing test clock are skipped. Returns [`ClaimedRefreshes`], with claim and attempts raised by one.
///
/// Merchants take turns, the longest due of each first. A refresh is claimed only while the refreshes in
/// progress of its merchant, and those of its institution, are fewer than the free places. Connected
/// accounts have their turns and their share with their platform.
#[derive(Clone, Debug)]
pub struct ClaimRefreshes {
    /// The current server time.
    pub now: ServerTime,
    /// The end of the leases.
    pub leased_until: ServerTime,
    /// The maximum number of jobs.
    pub limit: usize,
    /// The free places of the server, which all merchants share.
    pub free: usize,
    /// Refreshes in progress.
    pub in_progress: Vec<RefreshLoad>,
}

writes!(ClaimRefreshes => ClaimedRefreshes, refresh_claim::claim);

/// Refreshes in progress of a merchant at an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLoad {
    /// The owner of their share: the platform of a connected account, and otherwise the owner of
    /// the account.
    pub owner: MerchantId,
    /// The institution.
    pub institution: InstitutionId,
    /// Their number.
    pub refreshes: usize,
}

/// The result of [`ClaimRefreshes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimedRefreshes {
    /// The jobs, in the order of their turns.
    pub jobs: Vec<RefreshJob>,
    /// The place of each, in the same order.
    pub loads: Vec<RefreshLoad>,
}

impl ClaimRefreshes {
    /// The places in use, by merchant and institution.
    pub(crate) fn shares(&self) -> Shares<InstitutionId> {
        let loads = self.in_progress.iter();
        Shares::of(self.free, loads.map(|load| (load.owner, load.institution, load.refreshes)))
    }

    /// True if a merchant and an institution have a share for one more refresh.
    pub(crate) fn allows(used: Used) -> bool {
        has_share(used.owner, used.free) && has_share(used.part, used.free)
    }

    /// A job of an owner, with its position among those of its merchant.
    pub(crate) fn candidate(
        (job, institution): (&RefreshJob, InstitutionId),
        rank: usize,
        owner: MerchantId,
    ) -> Candidate<InstitutionId> {
        let at = match job.run_at {
            RunAt::Server(at) => at.0,
            RunAt::Clock(_) => unreachable!("a job on a test clock is not claimed"),
        };
        Candidate { owner, part: institution, rank, order: (at, job.key.account.number(), 0) }
    }
}

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
/// the longest due first. Merchants take turns. Returns `Vec<Account>`.
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
