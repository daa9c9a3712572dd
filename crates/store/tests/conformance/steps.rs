//! The steps of the property test. They use few and small numbers, so that commands meet the same
//! rows and a failing list shrinks to a short one.

use proptest::prelude::*;

/// One step. Its numbers are indexes into the existing rows.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create { at: At, email: Option<u8>, on_clock: bool, room: Option<usize>, key: Option<u8> },
    Change { at: At, current: bool, deleted: bool, key: Option<u8> },
    ChangeMany { objects: Vec<Many>, key: Option<u8> },
    Link { owner: u64, session: u64, new: Vec<New>, again: Option<u64>, key: Option<u8> },
    Account { change: Change, key: Option<u8> },
    Connection { number: u64, current: bool },
    ClaimRefreshes { limit: usize },
    PutOff { put_off: PutOff },
    End { end: End },
    StartAdvance { owner: u64, number: u64 },
    ClaimClocks,
    MoveClock { claim: usize, ready: bool, items: Vec<Item> },
    ClaimFeeds { forced: bool },
    Dispatch { event: usize, endpoints: Vec<u64>, owner: u64, old: bool },
    ClaimDeliveries { limit: usize, free: usize, per_endpoint: usize, in_flight: usize },
    Resend { delivery: usize, others: Vec<u64>, key: Option<u8> },
    Release { delivery: usize },
    Settle { delivery: usize, status: usize, attempt: Option<u32>, old: bool },
    Reply { owner: u64, key: u8 },
    Prune,
    Use { owner: u64, livemode: bool },
    Sandbox { owner: u64, what: Sandbox },
    Pass { ms: i64 },
    Compare,
}

/// A command on a whole sandbox. Its numbers are indexes into the newest snapshots of all
/// merchants.
#[derive(Clone, Debug)]
pub(crate) enum Sandbox {
    Copy,
    /// Takes the newest copy of the sandbox, or a copy of its current state.
    Take {
        room: usize,
        key: Option<u8>,
    },
    Restore {
        snapshot: usize,
        key: Option<u8>,
    },
    Drop {
        snapshot: usize,
    },
    Reset {
        key: Option<u8>,
    },
}

/// The key of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) owner: u64,
    pub(crate) kind: usize,
    pub(crate) number: u64,
}

/// One of several objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Many {
    pub(crate) at: At,
    pub(crate) current: bool,
}

/// An account to link.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) number: u64,
    pub(crate) bank_account: u8,
    pub(crate) holder: u8,
    pub(crate) clock: bool,
    pub(crate) started: bool,
}

/// A change of an account.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) number: u64,
    pub(crate) current: bool,
    pub(crate) what: What,
    pub(crate) connection: bool,
    pub(crate) event: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Due(Option<i64>),
    Start { feature: usize, sequence: u32, on_clock: Option<i64> },
    Deactivate,
    Disconnect,
    Interrupt { job: usize },
}

#[derive(Clone, Debug)]
pub(crate) struct PutOff {
    pub(crate) job: usize,
    pub(crate) old: bool,
    pub(crate) on_clock: bool,
    pub(crate) connection: bool,
}

/// The end of a refresh.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) job: usize,
    pub(crate) old: bool,
    pub(crate) ended_now: Option<u32>,
    pub(crate) fails: bool,
    pub(crate) current: bool,
    pub(crate) rows: Vec<(i64, u32, i64)>,
    pub(crate) owners: bool,
}

/// One item of a step of a clock.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Change(Change),
    PutOff(PutOff),
    End(End),
    Objects(Vec<Many>),
}

fn key() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.3, 0..2_u8)
}

fn at() -> impl Strategy<Value = At> {
    (0..2_u64, 0..5_usize, 1..4_u64).prop_map(|(owner, kind, number)| At { owner, kind, number })
}

fn many() -> impl Strategy<Value = Vec<Many>> {
    prop::collection::vec((at(), mostly()).prop_map(|(at, current)| Many { at, current }), 0..4)
}

fn mostly() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.9)
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

fn new() -> impl Strategy<Value = New> {
    (1..8_u64, 0..4_u8, 0..4_u8, any::<bool>(), any::<bool>()).prop_map(
        |(number, bank_account, holder, clock, started)| New {
            number,
            bank_account,
            holder,
            clock,
            started,
        },
    )
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        prop::option::of(0..4_i64).prop_map(What::Due),
        (0..3_usize, 1..4_u32, prop::option::weighted(0.3, 0..4_i64))
            .prop_map(|(feature, sequence, on_clock)| What::Start { feature, sequence, on_clock }),
        Just(What::Deactivate),
        Just(What::Disconnect),
        any::<usize>().prop_map(|job| What::Interrupt { job }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    (1..6_u64, mostly(), what(), rarely(), any::<bool>()).prop_map(
        |(number, current, what, connection, event)| Change {
            number,
            current,
            what,
            connection,
            event,
        },
    )
}

fn put_off() -> impl Strategy<Value = PutOff> {
    (any::<usize>(), rarely(), any::<bool>(), any::<bool>())
        .prop_map(|(job, old, on_clock, connection)| PutOff { job, old, on_clock, connection })
}

fn end() -> impl Strategy<Value = End> {
    let rows = prop::collection::vec((0..4_i64, 1..6_u32, 0..6_i64), 0..4);
    let ended_now = prop::option::weighted(0.2, 1..4_u32);
    (any::<usize>(), rarely(), ended_now, any::<bool>(), mostly(), rows, any::<bool>()).prop_map(
        |(job, old, ended_now, fails, current, rows, owners)| End {
            job,
            old,
            ended_now,
            fails,
            current,
            rows,
            owners,
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        change().prop_map(Item::Change),
        put_off().prop_map(Item::PutOff),
        end().prop_map(Item::End),
        many().prop_map(Item::Objects),
    ]
}

fn sandbox() -> impl Strategy<Value = Sandbox> {
    prop_oneof![
        1 => Just(Sandbox::Copy),
        4 => (1..4_usize, key()).prop_map(|(room, key)| Sandbox::Take { room, key }),
        4 => (any::<usize>(), key()).prop_map(
            |(snapshot, key)| Sandbox::Restore { snapshot, key }
        ),
        1 => any::<usize>().prop_map(|snapshot| Sandbox::Drop { snapshot }),
        1 => key().prop_map(|key| Sandbox::Reset { key }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let passed = prop_oneof![
        Just(1),
        Just(1_000),
        Just(60_000),
        Just(24 * 3_600_000),
        Just(31 * 86_400_000),
        Just(91 * 86_400_000),
    ];
    let room = prop::option::weighted(0.2, 0..3_usize);
    let on_clock = any::<bool>();
    let endpoints = prop::collection::vec(1..4_u64, 0..3);
    prop_oneof![
        3 => (at(), prop::option::of(0..2_u8), on_clock, room, key()).prop_map(
            |(at, email, on_clock, room, key)| Step::Create { at, email, on_clock, room, key }
        ),
        2 => (at(), mostly(), rarely(), key()).prop_map(
            |(at, current, deleted, key)| Step::Change { at, current, deleted, key }
        ),
        3 => (many(), key()).prop_map(|(objects, key)| Step::ChangeMany { objects, key }),
        4 => (0..2_u64, 1..4_u64, prop::collection::vec(new(), 0..2),
            prop::option::weighted(0.2, 1..6_u64), key()).prop_map(
            |(owner, session, new, again, key)| Step::Link { owner, session, new, again, key }
        ),
        4 => (change(), key()).prop_map(|(change, key)| Step::Account { change, key }),
        1 => (1..6_u64, mostly()).prop_map(
            |(number, current)| Step::Connection { number, current }
        ),
        3 => (1..4_usize).prop_map(|limit| Step::ClaimRefreshes { limit }),
        1 => put_off().prop_map(|put_off| Step::PutOff { put_off }),
        8 => end().prop_map(|end| Step::End { end }),
        2 => (0..2_u64, 1..3_u64).prop_map(
            |(owner, number)| Step::StartAdvance { owner, number }
        ),
        2 => Just(Step::ClaimClocks),
        2 => (any::<usize>(), any::<bool>(), prop::collection::vec(item(), 0..3)).prop_map(
            |(claim, ready, items)| Step::MoveClock { claim, ready, items }
        ),
        6 => (any::<usize>(), endpoints, 0..2_u64, rarely()).prop_map(
            |(event, endpoints, owner, old)| Step::Dispatch { event, endpoints, owner, old }
        ),
        3 => any::<bool>().prop_map(|forced| Step::ClaimFeeds { forced }),
        4 => (1..5_usize, 0..9_usize, 0..4_usize, 0..2_usize).prop_map(
            |(limit, free, per_endpoint, in_flight)| {
                Step::ClaimDeliveries { limit, free, per_endpoint, in_flight }
            }
        ),
        5 => (any::<usize>(), 0..5_usize, prop::option::of(1..3_u32), rarely()).prop_map(
            |(delivery, status, attempt, old)| Step::Settle { delivery, status, attempt, old }
        ),
        2 => (any::<usize>(), prop::collection::vec(1..4_u64, 0..2), prop::option::of(0..2_u8)).prop_map(
            |(delivery, others, key)| Step::Resend { delivery, others, key }
        ),
        1 => any::<usize>().prop_map(|delivery| Step::Release { delivery }),
        1 => (0..2_u64, 0..2_u8).prop_map(|(owner, key)| Step::Reply { owner, key }),
        1 => Just(Step::Prune),
        1 => (0..3_u64, rarely()).prop_map(|(owner, livemode)| Step::Use { owner, livemode }),
        4 => (0..2_u64, sandbox()).prop_map(|(owner, what)| Step::Sandbox { owner, what }),
        2 => passed.prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Compare),
    ]
}

/// A list of steps.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..80)
}
