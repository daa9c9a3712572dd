//! Contradictions in scenarios: each is an error with its line and what to do.

use crate::sandbox::scenario::Scenario;

/// An account with further keys and this timeline.
fn account(keys: &str, timeline: &str) -> String {
    format!("name = \"S\"\n[[accounts]]\nname = \"A\"\n{keys}\ntimeline = [\n{timeline}\n]\n")
}

fn problem(text: &str) -> String {
    match Scenario::read(text) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Entries that exclude each other are errors. Earlier releases ignored one of them silently.
#[test]
fn contradictions_are_errors() {
    let closed = "{ day = 2, access_ends = \"account_closed\" },\n";
    let lunch = "{ day = 1, appears = \"a\", amount = \"-1.00\", description = \"A\" },\n";
    let yen = "{ day = 1, appears = \"a\", amount = \"-100\", currency = \"jpy\", description = \"A\" },\n";
    let cases = [
        ("", "{ day = 1, new_number = true },\n{ day = 1, new_number = true }".to_owned()),
        ("last4 = \"1111\"", "{ day = 1, new_number = true, last4 = \"1111\" }".to_owned()),
        (
            "",
            "{ day = 1, new_number = true, last4 = \"2222\" },\n\
             { day = 2, new_number = true, last4 = \"2222\" }"
                .to_owned(),
        ),
        ("", format!("{closed}{{ day = 3, new_number = true }}")),
        ("", format!("{closed}{{ day = 3, amount = \"-1.00\", description = \"B\" }}")),
        ("", format!("{closed}{{ day = 3, refresh_fails = \"institution_error\" }}")),
        ("", format!("{closed}{{ day = 3, owners = [] }}")),
        ("", format!("{lunch}{{ day = 2, vanishes = \"a\" }},\n{{ day = 3, omits = \"a\" }}")),
        ("", format!("{lunch}{{ day = 3, omits = [\"a\", \"a\"] }}")),
        (
            "",
            "{ day = 1, appears = \"fact-2\", amount = \"-1.00\", description = \"A\" }".to_owned(),
        ),
        ("", "{ day = 1, balance = \"1.00\" },\n{ day = 1, balance = \"2.00\" }".to_owned()),
        ("", "{ day = 1, owners = [] },\n{ day = 1, owners = [] }".to_owned()),
        (
            "",
            "{ day = 1, access_ends = \"access_denied\" },\n\
             { day = 1, access_ends = \"access_expired\" }"
                .to_owned(),
        ),
        ("", "{ day = -1, access_ends = \"access_denied\" }".to_owned()),
        ("", "{ day = -3, refresh_fails = \"institution_error\" }".to_owned()),
        (
            "",
            "{ day = 1, refresh_fails = \"institution_error\", lasts = \"3d\" },\n\
             { day = 2, refresh_takes = \"1h\", feature = \"balance\" }"
                .to_owned(),
        ),
        ("", format!("{yen}{{ day = 2, changes = \"a\", amount = \"-200\" }}")),
        ("", format!("{lunch}{{ day = 2, changes = \"a\", amount = \"-2\", currency = \"eur\" }}")),
        ("kind = \"credit_card\"\noverdraft = \"1.00\"", String::new()),
        ("balance = \"10000000000.01\"", String::new()),
        ("balance = \"99999999999999999999\"\ncurrency = \"jpy\"", String::new()),
    ];
    let problems: Vec<String> =
        cases.iter().map(|(keys, timeline)| problem(&account(keys, timeline))).collect();
    insta::assert_snapshot!(problems.join("\n"), @r#"
    line 7: accounts.timeline.new_number: line 6 has the same event at the same time; remove one of them
    line 6: accounts.timeline.last4: the number ends in 1111 already; use other digits
    line 7: accounts.timeline.last4: the number ends in 2222 already; use other digits
    line 7: accounts.timeline.new_number: line 6 closes the account for good before this entry; remove one of them
    line 7: accounts.timeline.appears: line 6 closes the account for good before this entry; remove one of them
    line 7: accounts.timeline.refresh_fails: line 6 closes the account for good before this entry; remove one of them
    line 7: accounts.timeline.owners: line 6 closes the account for good before this entry; remove one of them
    line 8: accounts.timeline.omits: line 7 lets 'a' vanish before this entry; name another transaction
    line 7: accounts.timeline.omits: 'a' is there twice; remove one
    line 6: accounts.timeline.appears: the bank uses ids like 'fact-2'
    line 7: accounts.timeline.balance: line 6 has the same event at the same time; remove one of them
    line 7: accounts.timeline.owners: line 6 has the same event at the same time; remove one of them
    line 7: accounts.timeline.access_ends: line 6 has the same event at the same time; remove one of them
    line 6: accounts.timeline.access_ends: an access ends after the link only; use a later day
    line 6: accounts.timeline.refresh_fails: ends before the link, when there are no refreshes; use a later day
    line 7: accounts.timeline.refresh_takes: line 6 already sets the outcome of refreshes at this time; join the entries, or let the earlier one end before
    line 7: accounts.timeline.currency: 'a' is in jpy; write currency = "jpy"
    line 7: accounts.timeline.currency: 'a' is in usd; write currency = "usd"
    line 5: accounts.overdraft: only a cash account has an overdraft, and this is a credit account; remove the key
    line 4: accounts.balance: an amount of usd from -10000000000.00 to 10000000000.00 is expected
    line 4: accounts.balance: an amount of jpy from -1000000000000 to 1000000000000 is expected
    "#);
}

/// Entries that follow each other are accepted: other digits, one outcome after another, an omission of
/// a transaction that returns, and a refresh with a number beside an account that closes.
#[test]
fn sequences_are_accepted() {
    for timeline in [
        "{ day = 1, new_number = true, last4 = \"2222\" },\n\
         { day = 2, new_number = true, last4 = \"3333\" }",
        "{ day = 1, refresh_fails = \"institution_error\", lasts = \"1d\" },\n\
         { day = 2, refresh_fails = \"institution_timeout\", lasts = \"1d\" }",
        "{ day = 1, refresh_fails = \"institution_error\", feature = \"balance\", lasts = \"3d\" },\n\
         { day = 2, refresh_takes = \"1h\", feature = \"transactions\" }",
        "{ day = 1, appears = \"a\", amount = \"-1.00\", description = \"A\", pending = true },\n\
         { day = 2, vanishes = \"a\" },\n{ day = 4, returns = \"a\" },\n\
         { day = 3, omits = \"a\", lasts = \"3d\" }",
        "{ day = 2, access_ends = \"account_closed\" },\n\
         { refresh = 3, feature = \"balance\", refresh_takes = \"1h\" }",
        "{ day = 1, balance = \"1.00\" },\n{ day = 1, balance = \"2.00\", currency = \"eur\" }",
    ] {
        assert_eq!(problem(&account("last4 = \"1111\"", timeline)), "accepted", "{timeline}");
    }
}
