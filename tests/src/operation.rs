//! The operations of a simulation: plain values that proptest generates and shrinks.
//!
//! Accounts, notices and ledger rows are selected by a number modulo their count. So every list of
//! operations is valid, also after proptest removed some.

use crate::steps::Worker;
use model::account::{InactiveCause, StatusAction};
use model::bank::Feature;
use model::clock::DAY_S;
use model::refresh::RefreshCause;
use proptest::prelude::*;

/// The banks of a simulation with the accounts to link there. They include delta and snapshot
/// banks, histories of all lengths, and accounts that become inactive on their own.
pub const BANKS: [(&str, &str); 9] = [
    ("No History", "Success"),
    ("Short History", "Savings"),
    ("Short History", "Success"),
    ("Test (OAuth)", "Success"),
    ("Test (Non-OAuth)", "Success"),
    ("Test (Non-OAuth)", "Credit Card"),
    ("Inactive Accounts", "Inactive Checking"),
    ("Immediately Requires Reauthentication", "Immediate Reauthentication"),
    ("Test (Non-OAuth)", "Failure"),
];

/// The beginning of a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The seed of the banks. Different seeds give different banks.
    pub seed: u64,
    /// The number of rows in a page of a bank.
    pub bank_page_rows: usize,
    /// The bank of the customer without a clock, and the bank of the customer on a test clock.
    pub banks: [usize; 2],
}

impl Default for Setup {
    fn default() -> Self {
        Self { seed: 1, bank_page_rows: 500, banks: [0, 0] }
    }
}

/// The result of a round of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// They arrive and are settled.
    Accepted,
    /// They arrive, get an error response, and are retried later.
    Rejected,
    /// They arrive, and the worker dies before it can settle them.
    Lost,
    /// The worker dies before it sends them.
    Unsent,
}

/// A call about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Refreshes features.
    Refresh(Vec<Feature>),
    /// Subscribes the account.
    Subscribe,
    /// Unsubscribes the account.
    Unsubscribe,
    /// Disconnects the account.
    Disconnect,
    /// Deactivates the account.
    Deactivate(InactiveCause, StatusAction),
    /// Reactivates the account.
    Reactivate,
    /// Adds a transaction at the bank.
    Add {
        /// The amount in minor units.
        amount: i64,
        /// True if it is posted.
        posted: bool,
        /// The age of the transaction in seconds.
        ago_s: i64,
    },
    /// Changes a transaction at the bank.
    Change {
        /// The position, counted from the newest.
        place: usize,
        /// The new status.
        status: Option<Status>,
        /// The new amount in minor units.
        amount: Option<i64>,
        /// The new age in seconds.
        ago_s: Option<i64>,
    },
    /// Scripts the next refreshes.
    Script {
        /// The feature. If absent, any feature.
        feature: Option<Feature>,
        /// The cause of their failure. If absent, they succeed.
        cause: Option<RefreshCause>,
        /// Their duration in seconds.
        delay_s: i64,
        /// The number of refreshes.
        times: u32,
    },
}

/// The new status of a transaction at a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Posted.
    Post,
    /// Vanished.
    Void,
    /// Pending.
    Pend,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A customer links an account.
    Link {
        /// True if the customer on the test clock links.
        on_clock: bool,
        /// The position in `BANKS`.
        bank: usize,
        /// True if data is fetched at once.
        prefetch: bool,
    },
    /// The customer of an account links it again.
    Relink(usize),
    /// A call about an account.
    Ask(usize, Request),
    /// Seconds pass.
    Pass(i64),
    /// The test clock starts to advance by seconds.
    Advance(i64),
    /// A worker runs one round.
    Run(Worker),
    /// Every worker runs one round.
    RunAll,
    /// A worker runs one round on two servers at the same time.
    RunTwice(Worker),
    /// A worker claims work, and dies after this number of waits for the store. With 0 it only
    /// claims.
    Crash(Worker, u8),
    /// A call arrives during a round of a worker.
    Race(Worker, usize, Request),
    /// Due deliveries are sent.
    Deliver(Sent),
    /// Every account is refreshed, the workers do the work, and the follower handles all notices.
    Follow,
    /// The follower starts to handle a received notice, and reads the first page.
    Handle {
        /// The position of the notice.
        notice: usize,
        /// Rows per page.
        page_rows: u32,
        /// True if the same notice arrives once more, later.
        again: bool,
    },
    /// The follower reads the next page of an account.
    ReadPage(usize),
    /// The follower dies while it handles an account's notice, which then arrives again.
    FollowerCrash(usize),
}

/// Generates the beginning of a simulation.
pub fn setup() -> impl Strategy<Value = Setup> {
    let page_rows = prop_oneof![4 => Just(500_usize), 2 => 3_usize..60, 1 => Just(1_usize)];
    let bank = 0..BANKS.len();
    (0_u64..1_000, page_rows, bank.clone(), bank).prop_map(
        |(seed, bank_page_rows, plain, on_clock)| Setup {
            seed,
            bank_page_rows,
            banks: [plain, on_clock],
        },
    )
}

/// Generates a list of operations up to a length.
pub fn operations(count_max: usize) -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(operation(), 0..=count_max)
}

fn worker() -> impl Strategy<Value = Worker> {
    prop_oneof![
        1 => Just(Worker::Schedule),
        4 => Just(Worker::Refresh),
        3 => Just(Worker::Clock),
        2 => Just(Worker::Dispatch),
        1 => Just(Worker::Prune),
    ]
}

fn feature() -> impl Strategy<Value = Feature> {
    prop_oneof![
        1 => Just(Feature::Balance),
        1 => Just(Feature::Ownership),
        3 => Just(Feature::Transactions)
    ]
}

fn cause() -> impl Strategy<Value = RefreshCause> {
    prop_oneof![
        4 => Just(RefreshCause::InstitutionUnavailable),
        1 => Just(RefreshCause::LoginRequired),
        1 => Just(RefreshCause::AccessDenied),
        1 => Just(RefreshCause::AccountClosed),
        1 => Just(RefreshCause::Unsupported),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let status = prop_oneof![Just(Status::Post), Just(Status::Void), Just(Status::Pend)];
    let ago_s = prop_oneof![0_i64..90_000, 0_i64..20 * DAY_S, 0_i64..190 * DAY_S];
    let delay_s = prop_oneof![3 => Just(0_i64), 2 => 1_i64..7_200, 1 => 0_i64..3 * DAY_S];
    let inactive =
        prop_oneof![Just(InactiveCause::AccessExpired), Just(InactiveCause::AccountClosed)];
    let place = prop_oneof![4 => 0_usize..3, 1 => 0_usize..60];
    prop_oneof![
        10 => Just(Request::Refresh(vec![Feature::Transactions])),
        2 => proptest::sample::subsequence(
            vec![Feature::Balance, Feature::Ownership, Feature::Transactions], 1..=3,
        ).prop_map(Request::Refresh),
        3 => Just(Request::Subscribe),
        1 => Just(Request::Unsubscribe),
        1 => Just(Request::Disconnect),
        1 => inactive.prop_map(|cause| Request::Deactivate(cause, StatusAction::RelinkRequired)),
        2 => Just(Request::Reactivate),
        8 => (-9_000_i64..9_000, any::<bool>(), ago_s.clone())
            .prop_map(|(amount, posted, ago_s)| Request::Add { amount, posted, ago_s }),
        16 => (
            place,
            proptest::option::weighted(0.7, status),
            proptest::option::of(-900_i64..900),
            proptest::option::weighted(0.3, ago_s),
        ).prop_map(|(place, status, amount, ago_s)| Request::Change {
            place, status, amount, ago_s,
        }),
        5 => (
            proptest::option::weighted(0.7, feature()),
            proptest::option::weighted(0.7, cause()),
            delay_s,
            1_u32..3,
        ).prop_map(|(feature, cause, delay_s, times)| Request::Script {
            feature, cause, delay_s, times,
        }),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let time_s = prop_oneof![3 => 1_i64..5, 2 => 61_i64..7_200, 4 => 3_600_i64..4 * DAY_S];
    let sent = prop_oneof![
        6 => Just(Sent::Accepted),
        1 => Just(Sent::Rejected),
        1 => Just(Sent::Lost),
        1 => Just(Sent::Unsent),
    ];
    let page_rows = prop_oneof![1_u32..4, 5_u32..60, Just(100)];
    // Most operations are on the first two accounts, so that their effects add up.
    let account = prop_oneof![4 => 0_usize..2, 1 => 2_usize..5];
    prop_oneof![
        2 => (any::<bool>(), 0..BANKS.len(), any::<bool>())
            .prop_map(|(on_clock, bank, prefetch)| Operation::Link { on_clock, bank, prefetch }),
        30 => (account.clone(), request()).prop_map(|(account, request)| {
            Operation::Ask(account, request)
        }),
        2 => account.clone().prop_map(Operation::Relink),
        6 => time_s.clone().prop_map(Operation::Pass),
        5 => prop_oneof![6 => time_s, 1 => 0_i64..20 * DAY_S].prop_map(Operation::Advance),
        12 => Just(Operation::RunAll),
        8 => Just(Operation::Follow),
        5 => worker().prop_map(Operation::Run),
        2 => worker().prop_map(Operation::RunTwice),
        3 => (worker(), 0_u8..12).prop_map(|(worker, waits)| Operation::Crash(worker, waits)),
        5 => (worker(), account.clone(), request()).prop_map(|(worker, account, request)| {
            Operation::Race(worker, account, request)
        }),
        8 => sent.prop_map(Operation::Deliver),
        10 => (any::<usize>(), page_rows, proptest::bool::weighted(0.2)).prop_map(
            |(notice, page_rows, again)| Operation::Handle { notice, page_rows, again }
        ),
        6 => account.clone().prop_map(Operation::ReadPage),
        1 => account.prop_map(Operation::FollowerCrash),
    ]
}
