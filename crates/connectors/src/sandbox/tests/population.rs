//! The population of the test banks: its spread, its balances and its texts.

use super::*;
use crate::sandbox::identity::Identity;
use crate::sandbox::life::{Income, Life};
use crate::sandbox::running::Closing;
use model::transaction::TransactionStatus;
use std::collections::BTreeMap;

/// The page with the documented shares.
const PAGE: &str = include_str!("../../../../../docs/test-banks.md");

fn holder(number: u32) -> String {
    format!("seed {number}")
}

fn life_of(holder: &str) -> Life {
    Life::of(Identity::of(1, "", ("", None), holder).holder)
}

/// The documented share of a row of the table, in percent.
fn documented(name: &str) -> u32 {
    let start = format!("| {name} | ");
    let row = PAGE.lines().find_map(|line| line.strip_prefix(&start));
    let row = row.unwrap_or_else(|| panic!("the page has a row {name}"));
    row.split(' ').next().unwrap().parse().unwrap()
}

/// The closings of an account, from the start of its ledger to a day after the link.
fn closings(example: &Example, last_day: i64) -> Vec<Closing> {
    example.sandbox.open(&example.account()).unwrap().closings(last_day)
}

/// The shares of 1,000 holders are those of the page, within four percentage points.
#[test]
fn the_population_has_the_documented_shares() {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for number in 0..1_000 {
        let life = life_of(&holder(number));
        let income = match life.income {
            Income::Biweekly => "Salary every other Friday",
            Income::Semimonthly => "Salary in the middle and at the end of the month",
            Income::Monthly => "Salary once a month",
            Income::Gig => "Payouts of gig work",
            Income::Benefits => "Benefits, half of them with a pension",
            Income::SelfEmployed => "Invoices of the self-employed",
            Income::Business => "Small business",
            Income::None => "No income",
        };
        *counts.entry(income).or_default() += 1;
        let habits = [
            (life.debts, "Pays off debts"),
            (life.overdrawn, "Below zero now and then"),
            (life.joint, "Joint holders"),
        ];
        for (_, habit) in habits.into_iter().filter(|(has, _)| *has) {
            *counts.entry(habit).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 11);
    for (name, count) in counts {
        let percent = documented(name);
        let distance = (count / 10).abs_diff(percent);
        assert!(distance <= 4, "{name}: {count} of 1000, and {percent} percent in the page");
    }
}

/// Accounts are never below zero at the end of a day, except for those of holders who are overdrawn
/// now and then. These are below zero on some days, and never far.
#[test]
fn balances_fall_below_zero_only_if_meant() {
    let (mut overdrawn, mut seen_below) = (0, 0);
    for number in 0..100 {
        let holder = holder(number);
        let life = life_of(&holder);
        let names = [
            "Success",
            "Savings",
            "Insufficient Funds",
            "High Balance",
            "Very High Balance",
            "Investment",
        ];
        for name in names {
            let example = Example::new("Test (OAuth)", name, &holder);
            let closings = closings(&example, 185);
            let lowest = closings.iter().min_by_key(|closing| closing.balance).unwrap();
            if name == "Success" && life.overdrawn {
                overdrawn += 1;
                seen_below += u32::from(lowest.balance < 0);
                assert!(lowest.balance > life.sized(-200_000), "{holder}: {lowest:?} {life:?}");
            } else {
                assert!(lowest.balance >= 0, "{holder}, {name}: {lowest:?} {life:?}");
            }
        }
    }
    assert!(overdrawn > 6 && seen_below * 10 >= overdrawn * 9, "{seen_below} of {overdrawn}");
}

/// The rows of a holder are those of the income: a payroll only for salaries, and salaries from less
/// than 2,000 to more than 8,000 dollars a month. Only holders who are overdrawn pay fees for it.
#[test]
fn rows_show_the_income() {
    let (mut monthly, mut overdrawn, mut charged) = (Vec::new(), 0, 0);
    for number in 0..200 {
        let holder = holder(number);
        let life = life_of(&holder);
        let example = Example::new("Test (OAuth)", "Success", &holder);
        let entries = example.control().ledger_entries(&example.account(), LINKED).unwrap();
        let with = |words: &[&str]| {
            let shown = entries.iter().filter(|entry| {
                entry.status() == TransactionStatus::Posted
                    && words.iter().any(|word| entry.transaction.description.contains(word))
            });
            shown.map(|entry| entry.transaction.amount).collect::<Vec<i64>>()
        };
        let salaries: Vec<i64> =
            with(&[" PAYROLL ", " DIR DEP "]).into_iter().filter(|amount| *amount > 0).collect();
        let expected = match life.income {
            Income::Biweekly => 12..=14,
            Income::Semimonthly => 11..=13,
            Income::Monthly => 5..=7,
            _ => 0..=0,
        };
        assert!(expected.contains(&salaries.len()), "{holder}: {} salaries", salaries.len());
        if !salaries.is_empty() {
            monthly.push(salaries.iter().sum::<i64>() / 6);
        }
        let few = |words: &[&str], income: Income, least: usize| {
            let found = with(words).len();
            assert_eq!(found >= least, life.income == income, "{holder}: {found} of {words:?}");
        };
        few(&[" PAYOUT "], Income::Gig, 50);
        few(&[" XXSOC SEC "], Income::Benefits, 5);
        few(&[" BTOT DEP "], Income::Business, 140);
        let fees = with(&["OVERDRAFT FEE"]).len();
        if life.overdrawn {
            overdrawn += 1;
            charged += u32::from(fees > 0);
        } else {
            assert_eq!(fees, 0, "{holder}");
        }
        let owners = example.control().ledger_owners(&example.account(), LINKED).unwrap();
        assert_eq!(owners.len(), if life.joint { 2 } else { 1 });
        assert_eq!(owners[0].name.ends_with(" LLC"), life.income == Income::Business);
    }
    let (least, most) = (monthly.iter().min().unwrap(), monthly.iter().max().unwrap());
    assert!(*least < 200_000 && *most > 800_000, "{least} to {most}");
    assert!(overdrawn > 6 && charged * 2 >= overdrawn, "{charged} of {overdrawn} pay a fee");
}

/// Texts have the prefixes of processors, names that are cut off, dates, cards and references.
#[test]
fn texts_are_as_banks_send_them() {
    let mut texts = String::new();
    for number in 0..12 {
        let example = Example::new("Test (OAuth)", "Success", &holder(number));
        for entry in example.control().ledger_entries(&example.account(), LINKED).unwrap() {
            texts.push_str(&entry.transaction.description);
            texts.push('\n');
        }
    }
    let parts = [
        "SQ *BLUE KETTLE",
        "TST* OAK TABLE REST",
        "PAYPAL *NORTHSTAR ONLI",
        "POS DEBIT ",
        "CARD PURCHASE 0",
        " CARD ",
        "ACH DEBIT ",
        " PPD ID: ",
        " REF #IB",
        "RECURRING DEBIT ",
    ];
    for part in parts {
        assert!(texts.contains(part), "{part}");
    }
    assert!(!texts.contains("OAK TABLE RESTAURANT"), "a long name is cut off");
}

/// An account that an earlier release linked keeps its rows, because its credential says so.
#[test]
fn an_account_of_an_earlier_release_keeps_its_rows() {
    let mut linked = Example::new("Test (Non-OAuth)", "Success", "jenny@example.com");
    linked.offered.credential[0] = 1;
    let entries = linked.control().ledger_entries(&linked.account(), LINKED).unwrap();
    let text = |entry: &LedgerEntry| {
        let row = &entry.transaction;
        format!("{} {} {} {}", row.bank_id, row.transacted_at.0, row.amount, row.description)
    };
    let first: Vec<String> = entries[..5].iter().map(text).collect();
    assert_eq!(
        first,
        [
            "20260523-1 1779542319 -2011 GREEN LANE MARKET #0488",
            "20260523-2 1779544999 -3206 GREEN LANE MARKET #0849",
            "20260524-1 1779633214 -9209 HARBOR GROCERY #0455",
            "20260524-2 1779659663 -1314 BLUE KETTLE COFFEE #0770",
            "20260525-1 1779718843 -4442 PAPER MOON BOOKS",
        ]
    );
    let salary = entries.iter().find(|entry| entry.transaction.amount > 100_000).unwrap();
    assert!(salary.transaction.description.starts_with("PAYROLL "));
    let owners = linked.control().ledger_owners(&linked.account(), LINKED).unwrap();
    assert_eq!(owners.len(), 1);
}
