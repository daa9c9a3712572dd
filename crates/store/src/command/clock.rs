//! The advance of a test clock: one leased job, stored step by step.

use crate::{AccountChange, ApplyRefresh, FailRefresh, Object, PutOffRefresh, Reply, Written};
use model::account::Account;
use model::clock::{AccountTime, ServerTime, TestClock};
use model::event::Event;
use model::id::{ClockId, MerchantId};
use model::refresh::RefreshJob;

/// Begins an advance: the clock becomes `advancing` and its job comes into being. Answers
/// [`crate::Written`].
#[derive(Clone, Debug)]
pub struct StartAdvance {
    /// The clock, with its version raised by one.
    pub clock: TestClock,
    /// What happened.
    pub events: Vec<Event>,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(StartAdvance => Written, clock::start);

/// Claims advances that nobody holds a lease of. Answers `Vec<ClockClaim>`.
#[derive(Clone, Copy, Debug)]
pub struct ClaimClocks {
    /// Real time.
    pub now: ServerTime,
    /// Until when the claims hold.
    pub leased_until: ServerTime,
    /// The most clocks.
    pub limit: usize,
}

writes!(ClaimClocks => Vec<ClockClaim>, clock::claim);

/// A claimed advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockClaim {
    /// Whose.
    pub merchant: MerchantId,
    /// Which clock.
    pub clock: ClockId,
    /// The number of the claim.
    pub number: u32,
}

/// Lists what falls due on a clock up to a time, the earliest first. Answers [`DueOnClock`].
#[derive(Clone, Copy, Debug)]
pub struct ListDueOnClock {
    /// Whose.
    pub merchant: MerchantId,
    /// Which clock.
    pub clock: ClockId,
    /// Up to and including this time.
    pub until: AccountTime,
    /// The most items of each kind.
    pub limit: usize,
}

reads!(ListDueOnClock => DueOnClock, clock::list_due);

/// What falls due on a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueOnClock {
    /// Accounts with daily work or a change at the bank, by that time, then id.
    pub accounts: Vec<Account>,
    /// Pending refreshes: those put off to a time of the clock, by that time, then account and
    /// feature; and first of all those that may run by real time, whatever that is.
    pub refreshes: Vec<RefreshJob>,
    /// Objects on which something is due, by that time, then the oldest first.
    pub objects: Vec<Object>,
}

/// One thing done while a clock is advanced.
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
        /// By the rule of [`crate::ChangeObjects`]: made at version 1, else replaced.
        objects: Vec<Object>,
        /// What happened.
        events: Vec<Event>,
    },
}

/// Stores a step of an advance: what was done, and the clock. Answers [`crate::Written`]: `Stale`,
/// with nothing written, unless the claim, the clock's version and every item fit. A clock that is
/// no longer `advancing` ends the job.
#[derive(Clone, Debug)]
pub struct StepClock {
    /// The claim.
    pub claim: ClockClaim,
    /// The clock, with its version raised by one.
    pub clock: TestClock,
    /// What was done, in order. An account or an object may come more than once, each
    /// time one version on.
    pub items: Vec<ClockItem>,
    /// What happened to the clock.
    pub events: Vec<Event>,
    /// Until when the lease goes on.
    pub leased_until: ServerTime,
}

writes!(StepClock => Written, clock::step);
