//! Banks that post on banking days only.

use super::follower::Follower;
use super::scenario::{balances, ledger, linked};
use super::*;
use model::clock::DAY_S;
use proptest::prelude::*;

/// A bank in New York with a cut-off. The link is on Wednesday, November 18, 2026, at 06:06 there, and
/// Thanksgiving is day 8.
pub(super) fn new_york(snapshots: bool, timeline: &str, stretches: &str) -> Example {
    linked(&format!(
        r#"name = "One"
        [[institutions]]
        name = "One"
        snapshots = {snapshots}
        banking_days = true
        cut_off = "17:00"
        utc_offset = "-05:00"
        [[accounts]]
        name = "Checking"
        balance = "100.00"
        history_days = 20
        timeline = [{timeline}]
        {stretches}"#
    ))
}

/// Postings at times that are not before the cut-off of a banking day.
pub(super) const TIMELINE: &str = r#"{ day = 0, appears = "a", amount = "-1.00", description = "WEDNESDAY", pending = true },
           { day = 1, posts = "a", amount = "-1.50" },
           { day = 2, time = "12:00", amount = "-2.00", description = "AFTER CUT-OFF" },
           { day = 3, amount = "-3.00", description = "SATURDAY" },
           { day = 8, amount = "-4.00", description = "THANKSGIVING" },
           { day = 10, appears = "b", amount = "-5.00", description = "VANISHES", pending = true },
           { day = 10, time = "01:00", posts = "b", amount = "-6.00" },
           { day = 11, vanishes = "b" },
           { day = 10, appears = "c", amount = "-7.00", description = "CHANGES" },
           { day = 11, changes = "c", amount = "-8.00" }"#;

pub(super) const COFFEE: &str = r#"
    [[accounts.stretches]]
    every = "day"
    times = 2
    amount = ["-1.00", "-9.00"]
    description = "COFFEE"
    pending_days = 3
    tip_percent = 20
    vanish_percent = 10"#;

/// The status at each hour of a row with this text, at the changes only.
fn course(example: &Example, text: &str) -> String {
    let mut course: Vec<String> = Vec::new();
    let mut last = String::new();
    for hour in 0..14 * 24 {
        let now = LINKED.plus(hour * 3_600);
        let entries = example.control().ledger_entries(&example.account(), now).unwrap();
        let mut rows = entries.iter().filter(|entry| entry.transaction.description == text);
        let Some(row) = rows.next() else { continue };
        let status = format!("{:?} {}", row.status(), row.transaction.amount);
        if status != last {
            course.push(format!("{status} at day {} and {} hours", hour / 24, hour % 24));
            last = status;
        }
    }
    course.join(", ")
}

/// A posting on a weekend, on a holiday or after the cut-off takes effect at the start of the bank's
/// next banking day. A row that appears as posted is pending until then.
#[test]
fn postings_wait_for_a_banking_day() {
    let example = new_york(false, TIMELINE, "");
    let texts = ["WEDNESDAY", "AFTER CUT-OFF", "SATURDAY", "THANKSGIVING", "VANISHES", "CHANGES"];
    let seen = texts.map(|text| format!("{text}: {}", course(&example, text)));
    insta::assert_snapshot!(seen.join("\n"), @"
    WEDNESDAY: Pending -100 at day 0 and 0 hours, Posted -150 at day 1 and 0 hours
    AFTER CUT-OFF: Pending -200 at day 2 and 12 hours, Posted -200 at day 4 and 18 hours
    SATURDAY: Pending -300 at day 3 and 0 hours, Posted -300 at day 4 and 18 hours
    THANKSGIVING: Pending -400 at day 8 and 0 hours, Posted -400 at day 8 and 18 hours
    VANISHES: Pending -500 at day 10 and 0 hours, Void -500 at day 11 and 0 hours
    CHANGES: Pending -700 at day 10 and 0 hours, Pending -800 at day 11 and 0 hours, Posted -800 at day 11 and 18 hours
    ");
    assert_eq!(balances(&example, 3), "{usd: 9850} {usd: 9350}");
    assert_eq!(balances(&example, 5), "{usd: 9350} {usd: 9350}");
}

/// The rows of stretches post on banking days as well, and the balance follows.
#[test]
fn stretches_post_on_banking_days() {
    let salary = r#"
        [[accounts.stretches]]
        every = "week"
        on = "saturday"
        time = "12:00"
        amount = "10.00"
        description = "SALARY""#;
    let example = new_york(false, "", salary);
    // The Saturdays are days 3 and 10, in New York at noon less five hours.
    assert_eq!(course(&example, "SALARY"), "Posted 1000 at day 0 and 0 hours");
    let rows = |day: i64| ledger(&example, day).join("; ");
    assert!(rows(4).contains("pending 1000 SALARY"), "{}", rows(4));
    assert!(!rows(5).contains("pending"), "{}", rows(5));
    assert_eq!(
        [3, 4, 5].map(|day| balances(&example, day)),
        ["{usd: 10000} {usd: 10000}", "{usd: 10000} {usd: 11000}", "{usd: 11000} {usd: 11000}"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A follower ends with the rows of a bank that posts on banking days, and each row posts on one.
    #[test]
    fn a_follower_sees_each_posting(
        snapshots: bool,
        page_rows in prop_oneof![1_usize..4, Just(500)],
        mut hours in proptest::collection::vec(0_i64..60 * 24, 1..20),
    ) {
        hours.sort_unstable();
        let timeline = r#"{ day = -1, appears = "a", amount = "-1.00", description = "TEA", pending = true },
            { day = 3, posts = "a" }, { day = 31, amount = "-1.00", description = "LATE", dated = 4 }"#;
        let mut example = new_york(snapshots, timeline, COFFEE);
        example.sandbox = example.sandbox.clone().with_page_rows(page_rows);
        let mut follower = Follower::default();
        for hour in hours {
            let now = LINKED.plus(hour * 3_600);
            follower.refresh(&mut example, now);
            follower.agrees(&example, now);
            let entries = example.control().ledger_entries(&example.account(), now).unwrap();
            for posted_at in entries.iter().filter_map(|entry| entry.transaction.posted_at) {
                let day = (posted_at.0 - 5 * 3_600).div_euclid(DAY_S);
                prop_assert!(crate::sandbox::banking::is_banking_day(day));
            }
        }
    }
}

/// Each error about banking days has its line and its key.
#[test]
fn errors_have_line_and_key() {
    let files = [
        "cut_off = \"17:00\"",
        "banking_days = true\ncut_off = \"17\"",
        "banking_days = false\nutc_offset = \"-05:00\"",
        "banking_days = true\nutc_offset = \"05:00\"",
        "banking_days = true\nutc_offset = \"+15:00\"",
        "banking_days = \"monday\"",
    ];
    let errors = files.map(|keys| {
        let text = format!(
            "name = \"One\"\naccounts = [{{ name = \"A\" }}]\n[[institutions]]\nname = \"One\"\n{keys}"
        );
        Scenario::read(&text).unwrap_err().to_string()
    });
    insta::assert_snapshot!(errors.join("\n"), @r#"
    line 5: institutions.cut_off: needs the key banking_days = true
    line 6: institutions.cut_off: HH:MM or HH:MM:SS is expected, in quotes
    line 6: institutions.utc_offset: needs the key banking_days = true
    line 6: institutions.utc_offset: a difference to UTC from -14:00 to +14:00 is expected, such as "-05:00"
    line 6: institutions.utc_offset: a difference to UTC from -14:00 to +14:00 is expected, such as "-05:00"
    line 5: institutions.banking_days: true or false is expected, not a text
    "#);
}
