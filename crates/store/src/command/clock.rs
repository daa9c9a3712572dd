//! The advance of a test clock: one leased job, stored step by step.

use crate::command::share::{Candidate, Shares, choose};
use crate::command::summary;
use crate::{
    AccountChange, ApplyRefresh, FailRefresh, IdempotencyRecord, Object, Precondition,
    PutOffRefresh, Written,
};
use model::account::Account;
use model::clock::{AccountTime, ServerTime, TestClock};
use model::event::Event;
use model::id::{ClockId, MerchantId};
use model::refresh::RefreshJob;
use model::share::has_share;

/// Starts an advance: the clock becomes `advancing`, and its job is created. Returns
/// [`crate::Written`].
#[derive(Clone, Debug)]
pub struct StartAdvance {
    /// The clock, with its version raised by one.
    pub clock: TestClock,
    /// Events to emit.
    pub events: Vec<Event>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

writes!(StartAdvance => Written, clock::start);

/// Claims advances that have no valid lease. Merchants take turns, and within a merchant its advances do.
/// The order begins after an earlier claim and continues with the first merchant. Returns
/// `Vec<ClockClaim>`.
///
/// An advance is claimed only while those in progress of its merchant are fewer than the free places.
/// Connected accounts have their turns and their share with their platform.
#[derive(Clone, Debug)]
pub struct ClaimClocks {
    /// The current server time.
    pub now: ServerTime,
    /// The end of the leases.
    pub leased_until: ServerTime,
    /// The last claim of the worker before this command.
    pub after: Option<ClockClaim>,
    /// The maximum number of clocks.
    pub limit: usize,
    /// The free places of the server, which all merchants share.
    pub free: usize,
    /// The merchant of each advance in progress.
    pub in_progress: Vec<MerchantId>,
}

impl ClaimClocks {
    /// The places of the advances whose claims are due. Each advance has its owner and its position among
    /// those of its merchant. Returns the positions of the chosen ones.
    pub(crate) fn choose(
        &self,
        owners_in_progress: impl Iterator<Item = MerchantId>,
        due: impl Iterator<Item = (MerchantId, MerchantId, usize)>,
    ) -> Vec<usize> {
        let shares = Shares::of(self.free, owners_in_progress.map(|owner| (owner, (), 1)));
        let after = self.after.map(|claim| claim.merchant);
        let candidates = due.map(|(merchant, owner, rank)| {
            let order = (i64::from(Some(merchant) <= after), merchant.number(), 0);
            Candidate { owner, part: (), rank, order }
        });
        let candidates: Vec<_> = candidates.collect();
        choose(&candidates, self.limit, shares, |used| has_share(used.owner, used.free)).taken
    }
}

writes!(ClaimClocks => Vec<ClockClaim>, clock::claim);

/// A claimed advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockClaim {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The test clock's id.
    pub clock: ClockId,
    /// The number of the claim.
    pub number: u32,
}

/// Lists the due work of a test clock up to a time, earliest first. Returns [`DueOnClock`].
#[derive(Clone, Copy, Debug)]
pub struct ListDueOnClock {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The test clock's id.
    pub clock: ClockId,
    /// The last time that is included.
    pub until: AccountTime,
    /// The maximum number of items of each kind.
    pub limit: usize,
}

reads!(ListDueOnClock => DueOnClock, clock::list_due);

/// The due work of a test clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueOnClock {
    /// Accounts with daily work or a change at the bank, sorted by the time of that work, then by
    /// id.
    pub accounts: Vec<Account>,
    /// Pending refreshes. Those that may run by server time come first. Those that wait for a time
    /// of the clock follow, sorted by that time, then by account and feature.
    pub refreshes: Vec<RefreshJob>,
    /// Objects with due work, sorted by its time, then oldest first.
    pub objects: Vec<Object>,
}

/// One item of a step of an advance.
#[derive(Clone, Debug)]
pub enum ClockItem {
    /// An account changed.
    Change(Box<AccountChange>),
    /// A refresh succeeded.
    Apply(Box<ApplyRefresh>),
    /// A refresh failed.
    Fail(Box<FailRefresh>),
    /// A refresh was put off.
    PutOff(Box<PutOffRefresh>),
    /// Objects changed.
    Objects {
        /// The objects. As in [`crate::ChangeObjects`], an object at version 1 is created and any
        /// other replaced.
        objects: Vec<Object>,
        /// The facts that the decision rests on.
        requires: Vec<Precondition>,
        /// Events to emit.
        events: Vec<Event>,
    },
}

/// Stores a step of an advance: its items and the clock. Returns [`crate::Written`]. It is a
/// version conflict, and writes no rows, unless the claim, the clock's version and every item
/// match. The job ends if the clock is no longer `advancing`.
#[derive(Clone, Debug)]
pub struct StepClock {
    /// The claim.
    pub claim: ClockClaim,
    /// The clock, with its version raised by one.
    pub clock: TestClock,
    /// The items, in order. An account or an object may occur several times, each time one version
    /// later.
    pub items: Vec<ClockItem>,
    /// Events about the clock to emit.
    pub events: Vec<Event>,
    /// The end of the extended lease.
    pub leased_until: ServerTime,
}

writes!(StepClock => Written, clock::step, summary::of_step; prepared::of_step);
