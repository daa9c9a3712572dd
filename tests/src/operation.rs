//! What may happen in a simulation: plain values that proptest makes and shrinks.
//!
//! Accounts, notices and ledger rows are named by a number that is taken modulo how many there
//! are, so every list of operations makes sense, also after proptest took some away.

use crate::steps::Worker;
use model::account::{InactiveCause, StatusAction};
use model::bank::Feature;
use model::clock::DAY_S;
use model::refresh::RefreshCause;
use proptest::prelude::*;

/// The banks of a simulation with the accounts that are linked there. Delta and snapshot banks,
/// histories of all lengths, accounts that become inactive by themselves.
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

/// How a simulation begins.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Makes the banks different from those of another seed.
    pub seed: u64,
    /// Rows of a page that a bank gives.
    pub bank_page_rows: usize,
    /// Where the customer without a clock links, and where the one on a test clock does.
    pub banks: [usize; 2],
}

impl Default for Setup {
    fn default() -> Self {
        Self { seed: 1, bank_page_rows: 500, banks: [0, 0] }
    }
}

/// What becomes of a round of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// They arrive and are settled.
    Accepted,
    /// They arrive, are answered with an error, and come again.
    Refused,
    /// They arrive, and the worker dies before it can settle them.
    Lost,
    /// The worker dies before it sends them.
    Unsent,
}

/// A call about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Asks for a refresh.
    Refresh(Vec<Feature>),
    /// Subscribes.
    Subscribe,
    /// Unsubscribes.
    Unsubscribe,
    /// Disconnects.
    Disconnect,
    /// Makes it inactive.
    Deactivate(InactiveCause, StatusAction),
    /// Makes it active again.
    Reactivate,
    /// Adds a transaction at the bank.
    Add {
        /// Minor units.
        amount: i64,
        /// Whether it is booked.
        posted: bool,
        /// How long ago it took place, in seconds.
        ago_s: i64,
    },
    /// Changes a transaction at the bank.
    Change {
        /// Which, counted from the newest.
        place: usize,
        /// Where it goes.
        status: Option<Status>,
        /// Another amount, in minor units.
        amount: Option<i64>,
        /// How long ago it took place now, in seconds.
        ago_s: Option<i64>,
    },
    /// Scripts coming refreshes.
    Script {
        /// Of which feature; of any when absent.
        feature: Option<Feature>,
        /// Why they fail; they succeed without.
        cause: Option<RefreshCause>,
        /// How long they take, in seconds.
        delay_s: i64,
        /// How many.
        times: u32,
    },
}

/// Where a bank puts a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Booked.
    Post,
    /// Vanished.
    Void,
    /// Announced.
    Pend,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A customer links an account.
    Link {
        /// Whether it is the customer on the test clock.
        on_clock: bool,
        /// Where.
        bank: usize,
        /// Whether data is fetched at once.
        prefetch: bool,
    },
    /// The customer of an account links it again.
    Relink(usize),
    /// A call.
    Ask(usize, Request),
    /// Time passes, in seconds.
    Pass(i64),
    /// The test clock is told to advance, by so many seconds.
    Advance(i64),
    /// A worker looks once.
    Run(Worker),
    /// Every worker looks once.
    RunAll,
    /// A worker looks on two servers at the same time.
    RunTwice(Worker),
    /// A worker claims and dies after so many waits for the store; with 0 it only claims.
    Crash(Worker, u8),
    /// A call arrives while a worker is at work.
    Race(Worker, usize, Request),
    /// Due deliveries are sent.
    Deliver(Sent),
    /// Every account is asked to refresh, the workers do it, and the follower handles all of it.
    Follow,
    /// The follower begins with a notice that it has received, and reads the first page.
    Handle {
        /// Which notice.
        notice: usize,
        /// Rows of a page.
        page_rows: u32,
        /// Whether it gets the same notice once more, later.
        again: bool,
    },
    /// The follower reads the next page of an account.
    ReadPage(usize),
    /// The follower dies over an account; it gets the notice again.
    FollowerCrash(usize),
}

/// Any beginning.
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

/// Any list of operations up to a length.
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
        1 => Just(Sent::Refused),
        1 => Just(Sent::Lost),
        1 => Just(Sent::Unsent),
    ];
    let page_rows = prop_oneof![1_u32..4, 5_u32..60, Just(100)];
    // Most of what happens, happens to the first two accounts: there it adds up.
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
