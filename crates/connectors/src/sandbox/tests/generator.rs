//! The natural rows of test accounts: always the same, realistic, and different for each seed.

use super::*;
use crate::sandbox::identity::Identity;
use crate::sandbox::life::{Income, Life};
use model::clock::DAY_S;
use model::transaction::TransactionStatus;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;

fn entries(linked: &Example, now: AccountTime) -> Vec<LedgerEntry> {
    linked.control().ledger_entries(&linked.account(), now).unwrap()
}

fn table(entries: &[LedgerEntry]) -> String {
    let mut table = String::new();
    for entry in entries {
        let (at, text) = (entry.transaction.transacted_at.0, &entry.transaction.description);
        let (status, settled) = (entry.status(), entry.transaction.posted_at.or(entry.void_at));
        let settled = settled.map_or(0, |settled| settled.0 - at);
        let _ = writeln!(
            table,
            "{} {at} +{settled} {status:?} {} {text}",
            entry.transaction.bank_id, entry.transaction.amount
        );
    }
    table
}

/// The first days of one account are pinned, because test suites rely on them.
#[test]
fn a_known_account_shows_what_it_always_showed() {
    let linked = Example::new("Test (Non-OAuth)", "Success", "jenny@example.com");
    let entries = entries(&linked, LINKED);
    insta::assert_snapshot!(table(&entries[..14]), @"
    20260523-1 1779542319 +88620 Posted -2011 POS DEBIT GREEN LANE MARKET #048 GEORGETOWN TX
    20260523-2 1779544999 +161152 Posted -3206 POS DEBIT GREEN LANE MARKET #084 CLINTON NJ
    20260524-1 1779633214 +215964 Posted -9209 POS DEBIT HARBOR GROCERY #0455 SALEM MA
    20260524-2 1779659663 +131366 Posted -1314 POS DEBIT SQ *BLUE KETTLE COFFEE MADISON WI
    20260525-1 1779718843 +100390 Posted -4442 POS DEBIT SQ *PAPER MOON BOOKS SALEM MA
    20260525-2 1779737865 +105062 Posted -9985 POS DEBIT PAYPAL *NORTHSTAR ONLI ASHLAND VA
    20260526-1 1779809744 +170315 Posted -11580 POS DEBIT HAMMER AND HOME #0488 CLINTON NJ
    20260526-3 1779820411 +236334 Posted -2800 POS DEBIT PAWS PET SUPPLY #0849 FAIRVIEW OR
    20260526-2 1779821530 +157818 Posted -6591 POS DEBIT PAYPAL *NORTHSTAR ONLI ASHLAND VA
    20260527-1 1779911289 +145969 Posted -1780 RECURRING DEBIT MOONBEAM VIDEO FAIRVIEW OR
    20260527-2 1779912775 +231189 Posted -12078 POS DEBIT HARBOR GROCERY #0770 FAIRVIEW OR
    20260530-3 1780165669 +198185 Posted -7705 POS DEBIT THREAD AND NEEDLE #053 SALEM MA
    20260530-2 1780180235 +92517 Posted -9803 POS DEBIT PAYPAL *NORTHSTAR ONLI ASHLAND VA
    20260530-1 1780180602 +174037 Posted -4612 POS DEBIT PRAIRIE FUEL #0671 SPRINGFIELD IL
    ");
    insta::assert_snapshot!(linked.offered.bank_account, @"success-75c0301dc67db4c4-2");
}

/// The account of a holder with a salary has about 300 rows in 180 days, of all kinds.
#[test]
fn an_ordinary_account_has_ordinary_rows() {
    let holders = (0..).map(|number| format!("holder {number}")).filter(|holder| {
        let identity = Identity::of(1, "", ("", None), holder);
        Life::of(identity.holder).income == Income::Biweekly
    });
    for holder in holders.take(4) {
        let linked = Example::new("Test (OAuth)", "Success", &holder);
        let entries = entries(&linked, LINKED);
        assert!((250..360).contains(&entries.len()), "{} rows", entries.len());
        let with = |text: &str| {
            entries.iter().filter(|entry| entry.transaction.description.contains(text)).count()
        };
        let salaries = with(" PAYROLL ") + with(" DIR DEP ");
        assert!((12..=14).contains(&salaries), "{salaries} salaries");
        assert_eq!(with("RENT"), 6);
        let closings = with("TRANSFER") + with("CARD SERVICES EPAY");
        assert!((5..=6).contains(&closings), "{closings} closings");
        let count = |status| entries.iter().filter(|entry| entry.status() == status).count();
        assert!((1..=16).contains(&count(TransactionStatus::Void)));
        assert!((1..=9).contains(&count(TransactionStatus::Pending)));
        let refunds = |entry: &&LedgerEntry| {
            let text = &entry.transaction.description;
            entry.transaction.amount > 0
                && !["PAYROLL", "DIR DEP"].iter().any(|word| text.contains(word))
        };
        assert!(entries.iter().filter(refunds).count() > 0);
    }
}

/// Some card payments post another amount than announced, and some vanish.
#[test]
fn card_payments_change_on_their_way() {
    let linked = Example::new("Test (OAuth)", "Success", "a");
    let mut announced: BTreeMap<String, i64> = BTreeMap::new();
    let (mut changed, mut settled) = (0, 0);
    for hour in 0..24 * 60 {
        for entry in entries(&linked, LINKED.plus(hour * 3_600)) {
            if entry.status() == TransactionStatus::Pending {
                announced.insert(entry.transaction.bank_id, entry.transaction.amount);
            } else if let Some(amount) = announced.remove(&entry.transaction.bank_id) {
                settled += 1;
                changed += i32::from(amount != entry.transaction.amount);
            }
        }
    }
    assert!(settled > 60 && changed > 10 && changed < settled / 2, "{changed} of {settled}");
}

/// A transfer out of checking at the end of a month arrives in the holder's savings in that second.
#[test]
fn transfers_arrive_at_the_holders_savings() {
    let transfers = |name: &str, text: &str| -> Vec<(i64, i64)> {
        let linked = Example::new("Test (OAuth)", name, "jenny@example.com");
        let all = entries(&linked, LINKED);
        let moved = all.iter().filter(|entry| entry.transaction.description.contains(text));
        moved.map(|entry| (entry.transaction.transacted_at.0, entry.transaction.amount)).collect()
    };
    let sent = transfers("Success", " SAVINGS ");
    let arrived = transfers("Savings", " CHECKING ");
    assert_eq!(sent.len(), 6);
    let expected: Vec<_> = sent.iter().map(|(at, amount)| (*at, -amount)).collect();
    assert_eq!(arrived, expected);
}

/// Balances have the size and the sign of their kind of account.
#[test]
fn balances_fit_their_kinds() {
    let mut lines = String::new();
    let offered = Example::new("Test (OAuth)", "Success", "a");
    for account in log_in(&offered.sandbox, offered.institution, "a") {
        let linked = Example { offered: account, ..offered.clone() };
        let balance = linked.control().ledger_balance(&linked.account(), LINKED).unwrap();
        let (current, kind) = (&balance.current, balance.balance_type);
        let rows = entries(&linked, LINKED).len();
        let name = &linked.offered.name;
        let _ = writeln!(
            lines,
            "{name}: {kind:?} {current:?} {:?}, {rows} rows",
            balance.available_or_used.unwrap()
        );
    }
    insta::assert_snapshot!(lines, @"
    Success: Cash {usd: 456823} {usd: 453752}, 335 rows
    Failure: Cash {usd: 434453} {usd: 427612}, 302 rows
    Account closes after linking: Cash {usd: 290325} {usd: 279356}, 339 rows
    High Balance: Cash {usd: 5930850} {usd: 5928621}, 307 rows
    Very High Balance: Cash {usd: 123207041} {usd: 123184508}, 314 rows
    Insufficient Funds: Cash {usd: 2601} {usd: 2501}, 447 rows
    Success (Later Disputed): Cash {usd: 263593} {usd: 255616}, 306 rows
    Payment Processes Indefinitely: Cash {usd: 446021} {usd: 436811}, 317 rows
    Debit Not Authorized: Cash {usd: 232623} {usd: 228573}, 344 rows
    Weekly Payment Volume Exceeded: Cash {usd: 357878} {usd: 347578}, 325 rows
    Savings: Cash {usd: 793201} {usd: 793201}, 23 rows
    Credit Card: Credit {usd: -98232} {usd: -118246}, 292 rows
    Line of Credit: Credit {usd: -383096} {usd: -383096}, 20 rows
    Mortgage: Credit {usd: -21179670} {usd: -21179670}, 13 rows
    Investment: Cash {usd: 3413164} {usd: 3413164}, 45 rows
    ");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The history does not depend on the time of the link or of the fetch.
    #[test]
    fn history_does_not_depend_on_the_link(
        holder in "[a-z]{1,4}", linked_later in 0_i64..60 * DAY_S, requested_later in 0_i64..90 * DAY_S,
    ) {
        let one = Example::new("Test (OAuth)", "Success", &holder);
        let two = Example { linked_at: LINKED.plus(linked_later), ..one.clone() };
        let now = LINKED.plus(60 * DAY_S + requested_later);
        let start = two.linked_at.plus(-180 * DAY_S);
        let shared: Vec<_> = entries(&one, now)
            .into_iter()
            .filter(|entry| entry.transaction.transacted_at > start)
            .collect();
        prop_assert_eq!(shared, entries(&two, now));
    }

    /// Rows never leave the ledger. They settle once, for good, within three days.
    #[test]
    fn rows_settle_once(holder in "[a-z]{1,4}", first in 0_i64..9 * DAY_S, then in 0_i64..9 * DAY_S) {
        let linked = Example::new("Short History", "Success", &holder);
        let (first, then) = (LINKED.plus(first), LINKED.plus(first + then));
        let later: BTreeMap<_, _> = entries(&linked, then)
            .into_iter()
            .map(|entry| (entry.transaction.bank_id.clone(), entry))
            .collect();
        for entry in entries(&linked, first) {
            let now = &later[&entry.transaction.bank_id];
            let settled = now.transaction.posted_at.or(now.void_at);
            if let Some(settled) = settled {
                prop_assert!(settled <= entry.transaction.transacted_at.plus(3 * DAY_S) && settled <= then);
            }
            if entry.status() == TransactionStatus::Pending {
                prop_assert!(settled.is_none_or(|settled| settled > first));
            } else {
                prop_assert_eq!(&entry, now);
            }
            prop_assert_eq!(entry.visible_from, entry.transaction.transacted_at);
        }
    }

    /// Other holders, accounts, banks and servers have other histories and other keys.
    #[test]
    fn other_seeds_have_other_histories(one in "[a-m]{1,4}", two in "[n-z]{1,4}") {
        let linked = Example::new("Test (OAuth)", "Success", &one);
        let rows = table(&entries(&linked, LINKED));
        let mut elsewhere = linked.clone();
        elsewhere.sandbox = Sandbox::new(2);
        let offered = log_in(&elsewhere.sandbox, elsewhere.institution, &one);
        elsewhere.offered = offered.into_iter().next().unwrap();
        for other in [
            Example::new("Test (OAuth)", "Success", &two),
            Example::new("Bank (OAuth)", "Success", &one),
            Example::new("Test (OAuth)", "Debit Not Authorized", &one),
            elsewhere,
        ] {
            prop_assert_ne!(&rows, &table(&entries(&other, LINKED)));
            prop_assert_ne!(&linked.offered.bank_account, &other.offered.bank_account);
        }
    }

    /// Any time is accepted without a panic.
    #[test]
    fn any_time_is_accepted(linked_at: i64, later in 0_i64..9_999_999) {
        let mut linked = Example::new("Test (Non-OAuth)", "Savings", "a");
        linked.linked_at = AccountTime(linked_at);
        let now = AccountTime(linked_at).plus(later);
        prop_assert!(linked.control().ledger_balance(&linked.account(), now).is_ok());
        prop_assert!(linked.fetch(Feature::Transactions, 1, now).result.is_ok());
    }
}
