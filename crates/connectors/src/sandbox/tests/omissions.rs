//! Refreshes that leave rows out, and rows that come weeks late. The follower ends with all of them,
//! once each.

use super::follower::Follower;
use super::scenario::{ledger, linked};
use super::*;
use model::clock::DAY_S;
use proptest::prelude::*;

/// A file with an account that leaves rows out, at a bank that lists changes or its whole window.
pub(super) fn omitting(snapshots: bool) -> String {
    format!(
        r#"name = "One"
        [[institutions]]
        name = "One"
        snapshots = {snapshots}
        [[accounts]]
        name = "Checking"
        balance = "100.00"
        history_days = 40
        timeline = [
          {{ day = -9, appears = "rent", amount = "-50.00", description = "RENT" }},
          {{ day = -2, appears = "tea", amount = "-3.00", description = "TEA", pending = true }},
          {{ day = 0, omits = ["rent", "tea"], lasts = "4d" }},
          {{ day = 1, posts = "tea", amount = "-3.50" }},
          {{ day = 2, appears = "book", amount = "-20.00", description = "BOOK" }},
          {{ day = 6, omits = "book", lasts = "36h" }},
          {{ day = 7, vanishes = "book" }},
          {{ day = 9, appears = "hotel", amount = "-80.00", description = "HOTEL", pending = true }},
          {{ day = 10, omits = "rent" }},
          {{ day = 10, time = "12:00", omits = "rent" }},
          {{ day = 11, changes = "rent", description = "RENT JUNE" }},
          {{ day = 12, vanishes = "hotel" }},
          {{ day = 12, omits = "hotel" }},
          {{ day = 14, time = "06:00", returns = "hotel" }},
          {{ day = 30, appears = "late", amount = "-7.00", description = "LATE", dated = 5 }},
          {{ day = 31, appears = "older", amount = "-8.00", description = "OLDER", dated = -100 }},
        ]
        [[accounts.stretches]]
        every = "day"
        amount = "-1.00"
        description = "COFFEE"
        pending_days = 2
        from = -5
        to = 20"#
    )
}

fn named(rows: &[String]) -> String {
    let rows = rows.iter().filter(|row| !row.contains("COFFEE"));
    rows.cloned().collect::<Vec<_>>().join("; ")
}

/// The ledger lists the rows that a fetch of that day returns. A row that is left out before any
/// fetch brought it is listed as vanished, and afterwards with its old date.
#[test]
fn the_ledger_lists_what_fetches_return() {
    let example = linked(&omitting(false));
    let days = [-1, 0, 1, 4, 6, 8, 10, 11, 12, 14, 29, 30, 31];
    let seen = days.map(|day| format!("{day}: {}", named(&ledger(&example, day))));
    insta::assert_snapshot!(seen.join("\n"), @"
    -1: rent posted -5000 RENT day -9; tea pending -300 TEA day -2
    0: rent gone -5000 RENT day -9; tea gone -300 TEA day -2
    1: rent gone -5000 RENT day -9; tea gone -300 TEA day -2
    4: rent posted -5000 RENT day -9; tea posted -350 TEA day -2; book posted -2000 BOOK day 2
    6: rent posted -5000 RENT day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2
    8: rent posted -5000 RENT day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2
    10: rent gone -5000 RENT day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; hotel pending -8000 HOTEL day 9
    11: rent gone -5000 RENT day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; hotel pending -8000 HOTEL day 9
    12: rent posted -5000 RENT JUNE day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; hotel gone -8000 HOTEL day 9
    14: rent posted -5000 RENT JUNE day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; hotel gone -8000 HOTEL day 9
    29: rent posted -5000 RENT JUNE day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; hotel pending -8000 HOTEL day 9
    30: rent posted -5000 RENT JUNE day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; late posted -700 LATE day 5; hotel pending -8000 HOTEL day 9
    31: older posted -800 OLDER day -100; rent posted -5000 RENT JUNE day -9; tea posted -350 TEA day -2; book gone -2000 BOOK day 2; late posted -700 LATE day 5; hotel pending -8000 HOTEL day 9
    ");
    assert_eq!(ledger(&linked(&omitting(true)), 3), ledger(&example, 3));
}

/// A balance contains the rows that refreshes leave out, because the bank itself knows them.
#[test]
fn balances_contain_omitted_rows() {
    let mut text = omitting(false);
    let stretches = text.find("[[accounts.stretches]]").unwrap();
    text.truncate(stretches);
    let example = linked(&text);
    let balances = [0, 1].map(|day| super::scenario::balances(&example, day));
    assert_eq!(balances, ["{usd: 10000} {usd: 9700}", "{usd: 9650} {usd: 9650}"]);
}

/// A first refresh misses two rows. The follower receives them later, once, with their old dates, and
/// receives rows that are weeks or months late.
#[test]
fn a_later_refresh_brings_the_rows() {
    for snapshots in [false, true] {
        let mut example = linked(&omitting(snapshots));
        let mut follower = Follower::default();
        let mut seen = Vec::new();
        for day in [0, 3, 4, 29, 30, 31, 60] {
            let now = LINKED.plus(day * DAY_S);
            follower.refresh(&mut example, now);
            follower.agrees(&example, now);
            let rows = follower.content();
            let rows = rows.iter().filter(|row| !row.contains("COFFEE"));
            seen.push(format!("{day}: {}", rows.cloned().collect::<Vec<_>>().join("\n    ")));
        }
        insta::allow_duplicates! {
            insta::assert_snapshot!(seen.join("\n"), @r#"
            0: 
            3: (-2000, "BOOK", Posted, AccountTime(1795172800)) Some(AccountTime(1795172800)) None 2
            4: (-2000, "BOOK", Posted, AccountTime(1795172800)) Some(AccountTime(1795172800)) None 2
                (-350, "TEA", Posted, AccountTime(1794827200)) Some(AccountTime(1795086400)) None 3
                (-5000, "RENT", Posted, AccountTime(1794222400)) Some(AccountTime(1794222400)) None 3
            29: (-2000, "BOOK", Void, AccountTime(1795172800)) Some(AccountTime(1795172800)) Some(AccountTime(1795518400)) 4
                (-350, "TEA", Posted, AccountTime(1794827200)) Some(AccountTime(1795086400)) None 3
                (-5000, "RENT JUNE", Posted, AccountTime(1794222400)) Some(AccountTime(1794222400)) None 4
                (-8000, "HOTEL", Pending, AccountTime(1795777600)) None None 4
            30: (-2000, "BOOK", Void, AccountTime(1795172800)) Some(AccountTime(1795172800)) Some(AccountTime(1795518400)) 4
                (-350, "TEA", Posted, AccountTime(1794827200)) Some(AccountTime(1795086400)) None 3
                (-5000, "RENT JUNE", Posted, AccountTime(1794222400)) Some(AccountTime(1794222400)) None 4
                (-700, "LATE", Posted, AccountTime(1795432000)) Some(AccountTime(1797592000)) None 5
                (-8000, "HOTEL", Pending, AccountTime(1795777600)) None None 4
            31: (-2000, "BOOK", Void, AccountTime(1795172800)) Some(AccountTime(1795172800)) Some(AccountTime(1795518400)) 4
                (-350, "TEA", Posted, AccountTime(1794827200)) Some(AccountTime(1795086400)) None 3
                (-5000, "RENT JUNE", Posted, AccountTime(1794222400)) Some(AccountTime(1794222400)) None 4
                (-700, "LATE", Posted, AccountTime(1795432000)) Some(AccountTime(1797592000)) None 5
                (-800, "OLDER", Posted, AccountTime(1786360000)) Some(AccountTime(1797678400)) None 6
                (-8000, "HOTEL", Pending, AccountTime(1795777600)) None None 4
            60: (-2000, "BOOK", Void, AccountTime(1795172800)) Some(AccountTime(1795172800)) Some(AccountTime(1795518400)) 4
                (-350, "TEA", Posted, AccountTime(1794827200)) Some(AccountTime(1795086400)) None 3
                (-5000, "RENT JUNE", Posted, AccountTime(1794222400)) Some(AccountTime(1794222400)) None 4
                (-700, "LATE", Posted, AccountTime(1795432000)) Some(AccountTime(1797592000)) None 5
                (-800, "OLDER", Posted, AccountTime(1786360000)) Some(AccountTime(1797678400)) None 6
                (-8000, "HOTEL", Pending, AccountTime(1795777600)) None None 4
            "#);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A follower ends with the rows of the bank, whichever refreshes leave rows out, in pages of any
    /// size.
    #[test]
    fn a_follower_loses_no_row(
        snapshots: bool,
        page_rows in prop_oneof![1_usize..4, Just(500)],
        mut hours in proptest::collection::vec(0_i64..60 * 24, 1..20),
    ) {
        hours.sort_unstable();
        let mut example = linked(&omitting(snapshots));
        example.sandbox = example.sandbox.clone().with_page_rows(page_rows);
        let mut follower = Follower::default();
        for hour in hours {
            let now = LINKED.plus(hour * 3_600);
            follower.refresh(&mut example, now);
            follower.agrees(&example, now);
        }
    }
}

/// Each error about an omission has its line and its key.
#[test]
fn errors_have_line_and_key() {
    let row = |entry: &str| super::scenario::one_account(&format!("timeline = [\n{entry}\n]"));
    let files = [
        row("{ day = 1, omits = \"a\" }"),
        row("{ day = 1, omits = [] }"),
        row("{ day = 5, appears = \"a\", amount = \"-1.00\", description = \"A\" },\n\
             { day = 1, omits = \"a\", lasts = \"4d\" }"),
        row("{ day = 1, omits = \"a\", lasts = \"long\" }"),
        row("{ day = 1, omits = \"a\", feature = \"transactions\" }"),
    ];
    let errors = files.iter().map(|text| Scenario::read(text).unwrap_err().to_string());
    insta::assert_snapshot!(errors.collect::<Vec<_>>().join("\n"), @r#"
    line 5: accounts.timeline.omits: no transaction 'a' appears before it ends
    line 5: accounts.timeline.omits: at least one transaction is needed
    line 6: accounts.timeline.omits: no transaction 'a' appears before it ends
    line 5: accounts.timeline.lasts: a number with s, m, h or d is expected, such as "90s" or "2d", from 1s to 3700d
    line 5: accounts.timeline.feature: no such key; here are: day, lasts, omits, time
    "#);
}
