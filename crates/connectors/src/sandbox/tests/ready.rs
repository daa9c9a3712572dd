//! The ready scenarios: each shows its description, and no account falls below zero unless its
//! description says so.

use super::scenario::{ledger, linked};
use super::*;
use crate::interface::{FetchError, Records};
use crate::sandbox::running::Closing;
use crate::sandbox::scenario::check::closings;
use crate::sandbox::scenario::ready;
use model::account::{InactiveCause, StatusAction};
use model::clock::DAY_S;
use model::money::Currency;
use model::refresh::RefreshCause;
use model::transaction::TransactionStatus;

fn of(name: &str) -> Example {
    linked(ready::find(name).unwrap())
}

fn day(day: i64) -> AccountTime {
    LINKED.plus(day * DAY_S)
}

fn balance(example: &Example, at: AccountTime) -> i64 {
    let balance = example.control().ledger_balance(&example.account(), at).unwrap();
    balance.current[&Currency::USD]
}

/// The amounts of the posted transactions with these words in their text, from half a year before
/// the link to half a year after it.
fn amounts(example: &Example, words: &str) -> Vec<i64> {
    let entries = example.control().ledger_entries(&example.account(), day(180)).unwrap();
    let within = |entry: &&LedgerEntry| {
        entry.transaction.transacted_at >= day(-180)
            && entry.transaction.description.contains(words)
            && entry.status() == TransactionStatus::Posted
    };
    entries.iter().filter(within).map(|entry| entry.transaction.amount).collect()
}

/// The days of an account from the start of its ledger to half a year after the link, for links
/// on all days of the week and parts of a month. `account` is a position in the file.
fn histories(name: &str, account: usize, links: i64) -> Vec<Vec<Closing>> {
    let scenario = Scenario::read(ready::find(name).unwrap()).unwrap();
    let plan = &scenario.banks()[0].accounts[account];
    let links = (0..links).map(|number| LINKED.plus(number * 8 * DAY_S));
    links.map(|linked_at| closings(plan, linked_at, 180)).collect()
}

/// Asserts a rule of the balance at the end of every day.
fn every_day(name: &str, account: usize, links: i64, rule: impl Fn(&Closing) -> bool) {
    for (link, history) in histories(name, account, links).iter().enumerate() {
        let wrong: Vec<&Closing> = history.iter().filter(|closing| !rule(closing)).collect();
        let count = (wrong.len(), history.len());
        let lowest = wrong.iter().min_by_key(|closing| closing.balance);
        assert!(
            wrong.is_empty(),
            "{name}, link {link}: {count:?} days, {lowest:?}, {:?}",
            wrong[0]
        );
    }
}

/// The check of scenarios has no warning about a ready one.
#[test]
fn the_check_warns_of_no_ready_scenario() {
    for name in ready::names() {
        let scenario = Scenario::read(ready::find(name).unwrap()).unwrap();
        assert_eq!(scenario.accounts_below_limit(), [], "{name}");
    }
}

/// Steady income: a salary of one size every two weeks, rent each month, and a balance above zero.
#[test]
fn steady_income() {
    let example = of("steady-income");
    let salaries = amounts(&example, "PAYROLL");
    assert!((25..=27).contains(&salaries.len()), "{}", salaries.len());
    assert!(salaries.iter().all(|amount| *amount == 218_462));
    let rents = amounts(&example, "RENT").len();
    assert!((11..=13).contains(&rents), "{rents}");
    for account in [0, 1] {
        every_day("steady-income", account, 46, |closing| closing.balance > 0);
    }
}

/// Gig worker: hundreds of small payouts of uneven size, no salary, and a balance that is
/// sufficient.
#[test]
fn gig_worker() {
    let example = of("gig-worker");
    let mut payouts = amounts(&example, "PAYOUT");
    assert!(payouts.len() > 400, "{}", payouts.len());
    assert!(payouts.iter().all(|amount| (1_800..=9_600).contains(amount)));
    payouts.sort_unstable();
    payouts.dedup();
    assert!(payouts.len() > 300, "sizes are uneven");
    assert!(amounts(&example, "PAYROLL").is_empty());
    every_day("gig-worker", 0, 46, |closing| closing.balance > 0);
}

/// Overdrawn: never below zero before day 3, below zero at the end of day 3, with fees and a
/// returned payment, and above zero again on day 10.
#[test]
fn overdrawn() {
    let example = of("overdrawn");
    assert_eq!(balance(&example, day(0)), 18_250);
    every_day("overdrawn", 0, 46, |closing| {
        (3..10).contains(&closing.day) == (closing.balance < 0)
    });
    assert_eq!(amounts(&example, "OVERDRAFT FEE"), [-3_500, -3_500]);
    assert_eq!(amounts(&example, "RETURNED ITEM EVERGREEN"), [12_000]);
}

/// Fraud pattern: probes that vanish, a new owner, money in by a bad check and out at once, and an
/// account that the bank hides.
#[test]
fn fraud_pattern() {
    let example = of("fraud-pattern");
    let owners = |at| example.control().ledger_owners(&example.account(), at).unwrap();
    assert_eq!(
        (owners(day(3))[0].name.as_str(), owners(day(4))[0].name.as_str()),
        ("Ruth Adeyemi", "R. Smith")
    );
    let probes = ledger(&example, 4);
    let gone = probes.iter().filter(|row| row.contains("gone") && row.contains("QX DIGITAL"));
    assert_eq!(gone.count(), 2);
    assert!(balance(&example, day(7)) < -850_000);
    every_day("fraud-pattern", 0, 46, |closing| match closing.day {
        ..4 => closing.balance > 100_000,
        // Everything is moved out, but the bad check still counts.
        4..6 => (0..60_000).contains(&closing.balance),
        6.. => closing.balance < 0,
    });
    let lost = example.sandbox.watch(&example.account(), day(7)).lost;
    assert_eq!(lost, Some((InactiveCause::AccountUnavailable, StatusAction::RelinkRequired)));
}

/// Closed account: empty on day 5, and closed for good even after a new link.
#[test]
fn closed_account() {
    let mut example = of("closed-account");
    assert_eq!((balance(&example, day(4)), balance(&example, day(5))), (64_000, 0));
    every_day("closed-account", 0, 46, |closing| (closing.day < 4) == (closing.balance > 0));
    let watch = |example: &Example, at| example.sandbox.watch(&example.account(), at).lost;
    assert_eq!(watch(&example, day(5).plus(-1)), None);
    example.relinked_at = day(6);
    let closed = Some((InactiveCause::AccountClosed, StatusAction::None));
    assert_eq!(watch(&example, day(7)), closed);
}

/// Slow bank: every refresh takes two hours, and rows appear days after they took place.
#[test]
fn slow_bank() {
    let mut example = of("slow-bank");
    for (sequence, at) in [(1, day(0)), (2, day(400))] {
        let rejected = example.fetch(Feature::Transactions, sequence, at).result.err();
        let cause = RefreshCause::InstitutionTimeout;
        assert_eq!(rejected, Some(FetchError::RetryAfter { at: at.plus(7_200), cause }));
        let later = at.plus(7_200);
        let response = example.fetch_from(Feature::Transactions, sequence, at, later, None);
        assert!(response.result.is_ok());
    }
    let late = |at: i64| ledger(&example, at).iter().any(|row| row.contains("CHECK 1042"));
    assert_eq!((late(4), late(5)), (false, true));
    every_day("slow-bank", 0, 46, |closing| closing.balance > 0);
}

/// Flaky bank: the second refresh times out, the bank is away for a day, it renumbers, and it ends
/// the access. A new link restores the access.
#[test]
fn flaky_bank() {
    let mut example = of("flaky-bank");
    let mut end = |sequence, at| example.fetch(Feature::Transactions, sequence, at).result.err();
    let broken = |cause| Some(FetchError::Broken { cause });
    assert_eq!(end(1, day(0)), None);
    assert_eq!(end(2, day(1)), broken(RefreshCause::InstitutionTimeout));
    assert_eq!(end(3, day(4)), broken(RefreshCause::InstitutionError));
    assert_eq!(end(4, day(5)), broken(RefreshCause::InstitutionUnavailable));
    assert_eq!(end(5, day(6)), None);
    assert_eq!(end(6, day(8)), Some(FetchError::NeedsLogin { cause: RefreshCause::LoginRequired }));
    let renumbered = |at: i64| ledger(&example, at).iter().all(|row| row.starts_with("r1."));
    assert_eq!((renumbered(6), renumbered(7)), (false, true));
    example.relinked_at = day(9);
    assert_eq!(example.fetch(Feature::Transactions, 7, day(9)).result.err(), None);
    every_day("flaky-bank", 0, 46, |closing| closing.balance > 0);
}

/// Busy business: ten years and some forty thousand transactions in the bank's ledger, and a balance
/// above zero.
#[test]
fn busy_business() {
    let example = of("busy-business");
    let entries = example.control().ledger_entries(&example.account(), LINKED).unwrap();
    assert!((35_000..45_000).contains(&entries.len()), "{}", entries.len());
    assert!(entries[0].transaction.transacted_at < day(-3_640));
    every_day("busy-business", 0, 4, |closing| closing.balance > 0);
}

/// A first refresh brings at most 180 days, and `window_days` widens it. The ledger for clients has
/// the same rows.
#[test]
fn a_first_refresh_brings_the_window() {
    let text = ready::find("busy-business").unwrap();
    let (rows, oldest) = first_refresh(&mut linked(text));
    assert!((1_500..2_500).contains(&rows), "{rows}");
    assert!(oldest > day(-180) && oldest < day(-178));
    let wide = text.replace("history_days = 3652", "history_days = 3652\nwindow_days = 3652");
    let (rows, oldest) = first_refresh(&mut linked(&wide));
    assert!((35_000..45_000).contains(&rows), "{rows}");
    assert!(oldest < day(-3_640));
}

/// The number of rows of a first refresh and the date of the oldest one.
fn first_refresh(example: &mut Example) -> (usize, AccountTime) {
    let (mut rows, mut oldest, mut cursor) = (0, LINKED, None::<Vec<u8>>);
    for _ in 0..200 {
        let response =
            example.fetch_from(Feature::Transactions, 1, LINKED, LINKED, cursor.as_deref());
        let page = response.result.unwrap();
        let Records::Transactions { records, .. } = page.records else { panic!("of rows") };
        rows += records.len();
        let first = records.iter().map(|record| record.transacted_at).min();
        oldest = oldest.min(first.unwrap_or(oldest));
        cursor = page.next_cursor;
        if !page.more {
            break;
        }
    }
    let control = example.control();
    let owed = control.window_entries(&example.account(), LINKED, cursor.as_deref()).unwrap();
    let before = control.window_entries(&example.account(), LINKED, None).unwrap();
    assert_eq!(owed, before, "the window is the same before and after the first refresh");
    let shown = owed.iter().filter(|entry| entry.status() != TransactionStatus::Void);
    assert_eq!(rows, shown.count());
    (rows, oldest)
}
