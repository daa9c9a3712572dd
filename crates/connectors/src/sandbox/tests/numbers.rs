//! Accounts that get another number at their bank.

use super::follower::Follower;
use super::scenario::{ledger, linked, one_account};
use super::*;
use crate::interface::Replacement;
use crate::sandbox::export::History;
use model::account::{InactiveCause, StatusAction};
use model::clock::DAY_S;

const TWO_NUMBERS: &str = r#"last4 = "1111"
    history_days = 10
    timeline = [
      { day = -3, appears = "rent", amount = "-50.00", description = "RENT" },
      { day = 9, appears = "tea", amount = "-3.00", description = "TEA", pending = true },
      { day = 10, new_number = true, last4 = "2222" },
      { day = 12, posts = "tea", amount = "-3.50" },
      { day = 20, new_number = true },
    ]
    [[accounts.stretches]]
    every = "day"
    amount = ["-1.00", "-9.00"]
    description = "COFFEE""#;

fn day(day: i64) -> AccountTime {
    LINKED.plus(day * DAY_S)
}

/// The account with its number at a time, linked then.
fn relinked(example: &Example, at: AccountTime) -> Example {
    let Replacement { offered, bank_account, last4, credential } =
        example.sandbox.replacement(&example.account(), at).unwrap();
    let first = linked(&one_account(TWO_NUMBERS)).offered.bank_account;
    assert_eq!(offered, first, "the login offers the first number");
    let offered = OfferedAccount { bank_account, last4, credential, ..example.offered.clone() };
    Example { offered, linked_at: at, relinked_at: at, state: Vec::new(), ..example.clone() }
}

/// An account that gets another number loses its access for good, even if it is linked again. The
/// account with the new number continues the timeline with all earlier rows.
#[test]
fn a_new_number_is_another_account() {
    let mut old = linked(&one_account(TWO_NUMBERS));
    let watch = |example: &Example, at| example.sandbox.watch(&example.account(), at);
    let gone = Some((InactiveCause::AccountUnavailable, StatusAction::RelinkRequired));
    assert!(old.sandbox.replaces_numbers(old.institution));
    assert_eq!(old.sandbox.replacement(&old.account(), day(9)), None);
    assert_eq!((watch(&old, day(9)).lost, watch(&old, day(10)).lost), (None, gone));
    assert_eq!(watch(&old, day(9)).next_change_at, Some(day(10)));
    old.relinked_at = day(11);
    assert_eq!(watch(&old, day(11)).lost, gone);
    assert!(old.fetch(Feature::Transactions, 1, day(11)).result.is_err());

    let mut second = relinked(&old, day(11));
    assert_ne!(second.offered.bank_account, old.offered.bank_account);
    assert_eq!(second.offered.last4.as_deref(), Some("2222"));
    for at in [-3, 9, 10, 11] {
        assert_eq!(ledger(&second, at), ledger(&old, at), "day {at}");
    }
    let mut follower = Follower::default();
    for at in [11, 12, 19] {
        follower.refresh(&mut second, day(at));
        follower.agrees(&second, day(at));
    }
    assert!(ledger(&second, 12).contains(&"tea posted -350 TEA day 9".to_owned()));
    assert_eq!((watch(&second, day(19)).lost, watch(&second, day(20)).lost), (None, gone));

    let third = relinked(&second, day(25));
    assert_eq!(third.offered, relinked(&old, day(25)).offered, "any earlier number leads there");
    assert_ne!(third.offered.bank_account, second.offered.bank_account);
    assert_eq!((watch(&third, day(25)).lost, watch(&third, day(25)).next_change_at), (None, None));
    // The account that has the current number leads to itself.
    assert_eq!(relinked(&third, day(30)).offered, third.offered);
}

/// A replay of an account replaces the numbers that the account itself lost.
#[test]
fn a_new_number_is_exported() {
    let old = linked(&one_account(TWO_NUMBERS));
    let export = |example: &Example, at| {
        example.control().export(&example.account(), at, "One", &History::default()).unwrap()
    };
    assert!(!export(&old, day(9)).contains("new_number"));
    assert!(export(&old, day(10)).contains("{ day = 10, new_number = true, last4 = \"2222\" }"));
    let second = relinked(&old, day(11));
    assert!(!export(&second, day(19)).contains("new_number"));
    assert!(export(&second, day(20)).contains("{ day = 20, new_number = true }"));
}

/// Each error about a number has its line and its key.
#[test]
fn errors_have_line_and_key() {
    let row = |entry: &str| one_account(&format!("timeline = [\n{entry}\n]"));
    let files = [
        row("{ day = 0, new_number = true }"),
        row("{ day = 1, new_number = false }"),
        row("{ day = 1, new_number = true, last4 = \"12\" }"),
        row("{ day = 1, renumbers = true, last4 = \"1234\" }"),
    ];
    let errors = files.iter().map(|text| Scenario::read(text).unwrap_err().to_string());
    insta::assert_snapshot!(errors.collect::<Vec<_>>().join("\n"), @r#"
    line 5: accounts.timeline.new_number: an account gets another number after the link only; use a later day
    line 5: accounts.timeline.new_number: is true or left out
    line 5: accounts.timeline.last4: four digits are expected, in quotes
    line 5: accounts.timeline.last4: no such key; here are: day, renumbers, time
    "#);
}
