//! The main promise, on the bank's side: a follower's copy ends equal to the bank's ledger. It may
//! fetch at any times, in pages of any size, while tests change anything at any moment.

use super::*;
use crate::interface::Records;
use crate::sandbox::state::State;
use model::bank::BankStatus;
use model::clock::DAY_S;
use model::diff::{Refreshed, diff};
use model::id::AccountId;
use model::money::Currency;
use model::transaction::{StoredTransaction, TransactionStatus};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An operation of a test.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Lets time pass, in seconds.
    Pass(i64),
    Fetch,
    Add {
        amount: i64,
        posted: bool,
        /// The age of the transaction, in seconds.
        ago: i64,
    },
    /// Changes the transaction at this position among the newest.
    Change {
        position: usize,
        status: Option<StatusChange>,
        amount: Option<i64>,
        /// The new age of the transaction, in seconds.
        ago: Option<i64>,
    },
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let status = prop_oneof![
        Just(None),
        Just(Some(StatusChange::Post)),
        Just(Some(StatusChange::Void)),
        Just(Some(StatusChange::Pend)),
    ];
    let ago = prop_oneof![0_i64..90_000, 0_i64..190 * DAY_S];
    prop_oneof![
        3 => prop_oneof![0_i64..3, 0_i64..5 * DAY_S, 0_i64..400 * DAY_S].prop_map(Operation::Pass),
        3 => Just(Operation::Fetch),
        2 => (-9_000_i64..9_000, any::<bool>(), ago.clone())
            .prop_map(|(amount, posted, ago)| Operation::Add { amount, posted, ago }),
        4 => (0_usize..30, status, any::<Option<i16>>(), proptest::option::of(ago)).prop_map(
            |(position, status, amount, ago)| Operation::Change {
                position, status, amount: amount.map(i64::from), ago,
            }
        ),
    ]
}

/// A copy of one account's rows.
#[derive(Default)]
pub(super) struct Follower {
    rows: BTreeMap<String, StoredTransaction>,
    cursor: Option<Vec<u8>>,
    sequence: u32,
}

impl Follower {
    /// Refreshes as the engine does: it collects all pages and then applies them together.
    pub(super) fn refresh(&mut self, linked: &mut Example, now: AccountTime) {
        self.sequence += 1;
        let (mut all, mut gone) = (Vec::new(), Vec::new());
        let range = loop {
            let response = linked.fetch_from(
                Feature::Transactions,
                self.sequence,
                now,
                now,
                self.cursor.as_deref(),
            );
            let page = response.result.unwrap();
            let Records::Transactions { records, removals, coverage } = page.records else {
                panic!("the page has transactions");
            };
            all.extend(records);
            gone.extend(removals);
            self.cursor = page.next_cursor;
            if !page.more {
                break coverage;
            }
        };
        for removal in &gone {
            assert!(
                self.rows.contains_key(&removal.bank_id),
                "a removal is of a row that was reported"
            );
        }
        let stored: Vec<StoredTransaction> = self.rows.values().cloned().collect();
        let rows = u32::try_from(self.rows.len()).unwrap();
        let account = AccountId::from_number(1);
        let scripted = linked.sandbox.open(&linked.account()).unwrap().script.len() > 1;
        let refreshed = Refreshed { account, sequence: self.sequence, now, rows };
        for row in diff(refreshed, &stored, &all, &gone, range).rows {
            let was = self.rows.insert(row.bank_id.clone(), row.clone());
            let was = was.map(|was| was.shown.status);
            let legal = match (was, row.shown.status) {
                (None, status) => status != TransactionStatus::Void,
                // A vanished row comes back only through a test or a timeline.
                (Some(TransactionStatus::Void), _) => scripted || !linked.state.is_empty(),
                (Some(TransactionStatus::Posted), status) => {
                    status != TransactionStatus::Pending || scripted || !linked.state.is_empty()
                }
                (Some(TransactionStatus::Pending), _) => true,
            };
            assert!(legal, "{was:?} became {row:?}");
        }
    }

    /// Every row without its ids, vanished ones included.
    pub(super) fn content(&self) -> Vec<String> {
        let mut content: Vec<String> = self
            .rows
            .values()
            .map(|StoredTransaction { shown: row, .. }| {
                let facts = (row.amount, &row.description, row.status, row.transacted_at);
                format!("{facts:?} {:?} {:?} {}", row.posted_at, row.void_at, row.sequence)
            })
            .collect();
        content.sort_unstable();
        content
    }

    /// Compares the copy with the bank's own ledger.
    pub(super) fn agrees(&self, linked: &Example, now: AccountTime) {
        let cursor = self.cursor.as_deref();
        let entries = linked.control().window_entries(&linked.account(), now, cursor).unwrap();
        let limit = 1 + entries.len() % 7;
        assert_eq!(paged(linked, now, cursor, limit, false), entries, "pages upwards");
        assert_eq!(paged(linked, now, cursor, limit, true), entries, "pages downwards");
        let shown = entries.iter().filter(|entry| entry.status() != TransactionStatus::Void);
        let shown: Vec<LedgerEntry> = shown.cloned().collect();
        let mut stored: Vec<&StoredTransaction> =
            self.rows.values().filter(|row| row.shown.status != TransactionStatus::Void).collect();
        stored.sort_by(|one, two| {
            let at = |row: &StoredTransaction| row.shown.transacted_at;
            (at(one), &one.bank_id).cmp(&(at(two), &two.bank_id))
        });
        assert_eq!(stored.len(), shown.len(), "as many rows as the bank shows");
        for (row, entry) in stored.into_iter().zip(&shown) {
            let StoredTransaction { bank_id, shown: row } = row;
            assert_eq!(*bank_id, entry.transaction.bank_id);
            assert_eq!(row.amount, entry.transaction.amount);
            assert_eq!(row.description, entry.transaction.description);
            assert_eq!(row.status, entry.status());
            assert_eq!(row.transacted_at, entry.transaction.transacted_at);
            assert_eq!(row.posted_at, entry.transaction.posted_at, "{row:?}");
        }
    }
}

/// The ledger of a follower with this cursor, read in pages.
pub(super) fn paged(
    linked: &Example,
    now: AccountTime,
    cursor: Option<&[u8]>,
    limit: usize,
    downwards: bool,
) -> Vec<LedgerEntry> {
    let control = linked.control();
    let page = |position: LedgerPosition<'_>| {
        let page = control.window_page(&linked.account(), now, cursor, (position, limit)).unwrap();
        assert!(page.entries.len() <= limit);
        assert!(!page.has_more || page.entries.len() == limit);
        page
    };
    let LedgerPage { mut entries, mut has_more } = page(LedgerPosition::Oldest);
    while has_more {
        let last = entries.last().unwrap().transaction.bank_id.clone();
        let next = page(LedgerPosition::After(&last));
        entries.extend(next.entries);
        has_more = next.has_more;
    }
    if !downwards {
        return entries;
    }
    let mut read: Vec<LedgerEntry> = entries.pop().into_iter().collect();
    has_more = !read.is_empty();
    while has_more {
        let first = read[0].transaction.bank_id.clone();
        let next = page(LedgerPosition::Before(&first));
        read.splice(0..0, next.entries);
        has_more = next.has_more;
    }
    read
}

pub(super) fn perform(
    linked: &mut Example,
    now: AccountTime,
    operation: &Operation,
) -> Result<(), ControlError> {
    let account = linked.account();
    let applied = match operation {
        Operation::Pass(_) | Operation::Fetch => return Ok(()),
        Operation::Add { amount, posted, ago } => {
            let new = NewTransaction {
                amount: *amount,
                currency: Currency::USD,
                description: "ADDED".to_owned(),
                transacted_at: now.plus(-ago),
                status: if *posted { BankStatus::Posted } else { BankStatus::Pending },
            };
            let number = State::find(&linked.state).unwrap().changes.len() as u64 + 1;
            linked.control().add_transaction(&account, now, number, new)
        }
        Operation::Change { position, status, amount, ago } => {
            let entries = linked.control().ledger_entries(&account, now).unwrap();
            let Some(entry) = entries.iter().rev().nth(*position) else { return Ok(()) };
            let change = TransactionChange {
                status: *status,
                amount: *amount,
                description: amount.map(|amount| format!("CHANGED {amount}")),
                transacted_at: ago.map(|ago| now.plus(-ago)),
            };
            linked.control().change_transaction(&account, now, &entry.transaction.bank_id, change)
        }
    };
    linked.keep(applied).map(drop)
}

/// Performs the operations and compares after every fetch.
fn follow(linked: &mut Example, operations: &[Operation]) {
    let mut follower = Follower::default();
    let mut now = LINKED;
    for operation in operations.iter().chain([&Operation::Pass(3), &Operation::Fetch]) {
        match operation {
            Operation::Pass(seconds) => now = now.plus(*seconds),
            Operation::Fetch => {
                follower.refresh(linked, now);
                follower.agrees(linked, now);
            }
            operation => drop(perform(linked, now, operation)),
        }
    }
}

/// A payment that a test voids before any fetch is not removed at the end of its natural course.
/// Found by the property test below.
#[test]
fn a_row_voided_before_a_fetch_is_not_removed() {
    let void = Some(StatusChange::Void);
    for position in 0..4 {
        let change = Operation::Change { position, status: void, amount: None, ago: None };
        let mut linked = Example::new("Test (Non-OAuth)", "Success", "ffb");
        follow(
            &mut linked,
            &[
                change,
                Operation::Fetch,
                Operation::Pass(DAY_S),
                Operation::Fetch,
                Operation::Pass(DAY_S),
            ],
        );
    }
}

/// A timeline's transaction was posted before the link, and a test voids it. The balance gets its
/// amount back once. Found by the property test below.
#[test]
fn a_row_posted_before_the_link_is_given_back() {
    let mut linked = Example::new(TIMELINE, "Success", "jenny");
    let usd = |linked: &Example| {
        let balance = linked.control().ledger_balance(&linked.account(), LINKED).unwrap();
        balance.current[&Currency::USD]
    };
    let before = usd(&linked);
    let void = TransactionChange { status: Some(StatusChange::Void), ..Default::default() };
    let changed = linked.control().change_transaction(&linked.account(), LINKED, "rent", void);
    linked.keep(changed).unwrap();
    assert_eq!(usd(&linked), before + 90_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A follower's copy equals the bank's ledger after every fetch, after any operations.
    #[test]
    fn a_follower_ends_with_the_banks_ledger(
        bank in prop_oneof![
            Just("Test (Non-OAuth)"), Just("Test (OAuth)"), Just("No History"),
            Just(TIMELINE), Just(TIMELINE_IN_SNAPSHOTS),
        ],
        name in prop_oneof![Just("Success"), Just("Savings")],
        holder in "[a-z]{1,4}",
        page_rows in prop_oneof![1_usize..4, 20_usize..200, Just(500)],
        operations in proptest::collection::vec(operation(), 1..25),
    ) {
        let mut linked = Example::new(bank, name, &holder);
        linked.sandbox = linked.sandbox.clone().with_page_rows(page_rows);
        follow(&mut linked, &operations);
    }

    /// The balance is the balance at the start and the sum of all entries posted since. The
    /// available balance also counts pending entries. This includes changes by tests.
    #[test]
    fn a_balance_is_the_sum_of_what_posted(
        bank in prop_oneof![
            Just("Test (OAuth)"), Just("Short History"), Just("No History"), Just(TIMELINE),
        ],
        name in prop_oneof![Just("Success"), Just("Savings")],
        holder in "[a-z]{1,4}",
        operations in proptest::collection::vec(operation(), 0..12),
    ) {
        let mut linked = Example::new(bank, name, &holder);
        let start = AccountTime(linked.sandbox.open(&linked.account()).unwrap().start);
        let sum = |linked: &Example, now, pending: bool| -> i64 {
            let entries = linked.control().ledger_entries(&linked.account(), now).unwrap();
            let counts = |entry: &&LedgerEntry| match entry.status() {
                TransactionStatus::Posted => true,
                TransactionStatus::Pending => pending,
                TransactionStatus::Void => false,
            };
            entries.iter().filter(counts).map(|entry| entry.transaction.amount).sum()
        };
        let usd = |linked: &Example, now| {
            let balance = linked.control().ledger_balance(&linked.account(), now).unwrap();
            (balance.current[&Currency::USD], balance.available_or_used.unwrap()[&Currency::USD])
        };
        let opening = usd(&linked, start).0;
        let mut now = LINKED;
        for operation in &operations {
            let _ = perform(&mut linked, now, operation);
            if let Operation::Pass(seconds) = operation {
                now = now.plus(*seconds);
            }
            let posted = opening + sum(&linked, now, false);
            let with_pending = opening + sum(&linked, now, true);
            prop_assert_eq!(usd(&linked, now), (posted, with_pending));
        }
    }
}
