//! The check of histories: a warning names the days on which a cash account closes below its limit.

use super::*;
use crate::sandbox::scenario::{BelowLimit, ready};
use std::fmt::Write;

fn below_limit(text: &str) -> Vec<BelowLimit> {
    Scenario::read(text).unwrap().accounts_below_limit()
}

/// The days below the limit, the first one and the lowest one of an account with these keys.
fn days(keys: &str) -> String {
    let found = below_limit(&format!("name = \"One\"\n[[accounts]]\nname = \"A\"\n{keys}"));
    let mut lines = String::new();
    for BelowLimit { days_below, days, first, lowest, limit, .. } in found {
        let _ = write!(lines, "{days_below} of {days}, {first:?}, {lowest:?}, limit {limit}");
    }
    lines
}

/// A ready scenario without its overdraft has a warning with the days that its timeline causes.
#[test]
fn a_fall_below_zero_is_reported() {
    let text = ready::find("overdrawn").unwrap().replace("overdraft = \"400.00\"\n", "");
    let found = below_limit(&text);
    let [below] = found.as_slice() else { panic!("one account has a warning: {found:?}") };
    assert_eq!((below.institution.as_str(), below.account.as_str()), ("Overdrawn", "Checking"));
    assert_eq!((below.days_below, below.limit), (7, 0));
    assert_eq!((below.first, below.lowest), ((3, -18_890), (4, -30_890)));
}

/// Income before the link makes an earlier balance negative, although the balance at the link is
/// positive. The last day is the day of the link.
#[test]
fn income_before_the_link_is_reported() {
    let salary = "balance = \"50.00\"\nhistory_days = 3\n[[accounts.stretches]]\nevery = \"day\"\n\
                  to = -1\ntime = \"12:00\"\namount = \"30.00\"\ndescription = \"PAY\"";
    // On day -1 the balance is 20, because the third payment is at noon of the day of the link.
    insta::assert_snapshot!(days(salary), @"1 of 4, (-3, -1000), (-3, -1000), limit 0");
}

/// Pending rows do not count, a balance of the timeline does, and an overdraft is allowed.
#[test]
fn limits_and_timelines_count() {
    let timeline = |more: &str| {
        format!(
            "balance = \"10.00\"\nhistory_days = 0\n{more}\ntimeline = [\n\
             {{ day = 1, appears = \"a\", amount = \"-15.00\", description = \"A\", pending = true }},\n\
             {{ day = 2, posts = \"a\", amount = \"-18.00\" }},\n\
             {{ day = 3, amount = \"-900.00\", currency = \"eur\", description = \"B\" }},\n\
             {{ day = 4, balance = \"-20.00\" }},\n\
             {{ day = 5, amount = \"25.00\", description = \"C\" }},\n]"
        )
    };
    insta::assert_snapshot!(days(&timeline("")), @"3 of 6, (2, -800), (4, -2000), limit 0");
    insta::assert_snapshot!(
        days(&timeline("overdraft = \"10.00\"")),
        @"1 of 6, (4, -2000), (4, -2000), limit -1000"
    );
    assert_eq!(days(&timeline("overdraft = \"20.00\"")), "");
}

/// Accounts that hold no cash have another meaning of a negative balance, so they are not checked.
#[test]
fn credit_accounts_are_not_checked() {
    assert_eq!(days("kind = \"credit_card\"\nbalance = \"-400.00\""), "");
    assert_eq!(
        days("balance = \"-400.00\"\nhistory_days = 0"),
        "1 of 1, (0, -40000), (0, -40000), limit 0"
    );
}
