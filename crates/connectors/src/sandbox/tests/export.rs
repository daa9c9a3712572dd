//! Exports: the replay of a history equals the history, except for the ids of transactions.

use super::follower::{Follower, operation, perform};
use super::scenario::{TWO_CURRENCIES, balances};
use super::*;
use crate::sandbox::export::{History, OddRefresh};
use crate::sandbox::scenario::plaid;
use model::account::InactiveCause;
use model::bank::BankOwner;
use model::clock::DAY_S;
use model::money::Currency;
use model::refresh::RefreshCause;
use proptest::prelude::*;

/// The account that replays the history of another one up to a time.
fn replay(example: &Example, now: AccountTime, history: &History) -> Example {
    let text = example.control().export(&example.account(), now, "Bank", history).unwrap();
    let scenario =
        Arc::new(Scenario::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}")));
    let sandbox = Sandbox::new(2).with_scenarios([scenario]);
    Example::at(sandbox, "Replay of Bank", &example.offered.name, "somebody else")
}

/// A ledger without ids, in an order that does not depend on them.
fn ledger(example: &Example, now: AccountTime) -> Vec<String> {
    let entries = example.control().ledger_entries(&example.account(), now).unwrap();
    let mut lines: Vec<String> =
        entries.into_iter().map(|entry| format!("{:?}", entry.renamed(String::new()))).collect();
    lines.sort_unstable();
    let balance = example.control().ledger_balance(&example.account(), now).unwrap();
    lines.push(format!("{:?} {:?}", balance.current, balance.available_or_used));
    let owners = example.control().ledger_owners(&example.account(), now).unwrap();
    lines.push(format!("{owners:?}"));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// At every moment between the link and the export, the replay's ledger equals the account's,
    /// for any kind of account and any changes by tests.
    #[test]
    fn a_replay_has_the_same_ledger(
        bank in prop_oneof![
            Just("Test (Non-OAuth)"), Just("Short History"), Just("No History"),
            Just(TIMELINE), Just(TIMELINE_IN_SNAPSHOTS),
        ],
        name in prop_oneof![Just("Success"), Just("Savings")],
        holder in "[a-z]{1,4}",
        operations in proptest::collection::vec(operation(), 0..12),
    ) {
        let mut linked = Example::new(bank, name, &holder);
        let mut now = LINKED;
        let mut moments = vec![now];
        for operation in &operations {
            if let super::follower::Operation::Pass(seconds) = operation {
                // Longer times would add no other case.
                now = now.plus(seconds % (20 * DAY_S));
                moments.push(now);
            }
            let _ = perform(&mut linked, now, operation);
        }
        let replayed = replay(&linked, now, &History::default());
        // A balance that a test set has no time. In a replay, it counts from the link.
        for at in moments {
            // Removes the changes that tests made later.
            let mut then = linked.clone();
            then.state = at_time(&linked, at);
            prop_assert_eq!(ledger(&then, at), ledger(&replayed, at));
        }
    }
}

/// The state of an account without the changes after a time.
fn at_time(example: &Example, at: AccountTime) -> Vec<u8> {
    let mut state = crate::sandbox::state::State::find(&example.state).unwrap();
    state.changes.retain(|change| change.at <= at);
    state.bytes()
}

/// The replay of an account with postings in two currencies has the same balance in each of them.
#[test]
fn balances_of_each_currency_are_replayed() {
    let linked = super::scenario::linked(&super::scenario::one_account(TWO_CURRENCIES));
    let replayed = replay(&linked, LINKED.plus(3 * DAY_S), &History::default());
    for day in [-3, -2, 0, 1, 3] {
        assert_eq!(balances(&linked, day), balances(&replayed, day), "on day {day}");
    }
}

/// The replay of an account has the same balances and rows of each currency, with the balances that
/// the file gives and sets, with rows that come weeks late or are left out of refreshes, and with the
/// postings of a bank that waits for banking days.
#[test]
fn currencies_omissions_and_postings_are_replayed() {
    let currencies = super::scenario::one_account(super::money::THREE_CURRENCIES);
    let omissions = super::omissions::omitting(true);
    let banking = super::banking::new_york(false, super::banking::TIMELINE, super::banking::COFFEE);
    let linked = super::scenario::linked;
    for linked in [linked(&currencies), linked(&omissions), banking] {
        let replayed = replay(&linked, LINKED.plus(32 * DAY_S), &History::default());
        for hours in (0..32 * 24).step_by(6) {
            let at = LINKED.plus(hours * 3_600);
            assert_eq!(ledger(&linked, at), ledger(&replayed, at), "{hours} hours later");
        }
    }
}

/// An investment account of a custom user of Plaid's sandbox is an investment account of the scenario.
#[test]
fn plaids_investments_are_investments() {
    let user = r#"{"override_accounts": [{"type": "investment", "subtype": "brokerage"}]}"#;
    let imported = plaid::import(user, "Imported").unwrap();
    assert!(imported.text.contains("kind = \"investment\"\n"), "{}", imported.text);
}

/// The starting balance of a custom user of Plaid's sandbox is its balance at the link in its own
/// currency, whatever the transactions in other currencies are.
#[test]
fn plaids_starting_balance_is_of_one_currency() {
    let user = r#"{"override_accounts": [{"type": "depository", "starting_balance": 100,
        "transactions": [
        {"date_transacted": "2026-11-10", "date_posted": "2026-11-10", "amount": 7,
         "description": "PARIS", "currency": "EUR"},
        {"date_transacted": "2026-11-12", "date_posted": "2026-11-12", "amount": 5,
         "description": "OHIO"}]}]}"#;
    let imported = plaid::import(user, "My Bank").unwrap();
    let linked = super::scenario::linked(&imported.text);
    assert_eq!(balances(&linked, 0), "{eur: -700, usd: 10000} {eur: -700, usd: 10000}");
}

/// A follower of the replay that fetches at the same times has the same rows.
#[test]
fn a_follower_of_the_replay_has_the_same_rows() {
    let mut linked = Example::new(TIMELINE, "Success", "jenny");
    let mut replayed = replay(&linked, LINKED.plus(50 * DAY_S), &History::default());
    let (mut first, mut second) = (Follower::default(), Follower::default());
    for day in [0, 1, 3, 5, 7, 20, 45] {
        let now = LINKED.plus(day * DAY_S);
        first.refresh(&mut linked, now);
        second.refresh(&mut replayed, now);
        assert_eq!(first.content(), second.content(), "on day {day}");
    }
    assert!(first.content().len() > 20);
}

/// The replay repeats failed and slow refreshes, ends of access, and a balance and owners that a
/// test set.
#[test]
fn outcomes_are_replayed() {
    let mut linked = Example::new("Test (OAuth)", "Credit Card", "jenny");
    let set = linked.control().set_balance(&linked.account(), LINKED, -12_345, Some(-20_000));
    linked.keep(set).unwrap();
    let owner = BankOwner {
        name: "Jenny \"JR\" Rosen".to_owned(),
        email: None,
        phone: None,
        raw_address: Some("1 Main Street\nAshland".to_owned()),
    };
    let set = linked.control().set_owners(&linked.account(), vec![owner]);
    linked.keep(set).unwrap();
    let cause = Some(RefreshCause::InstitutionTimeout);
    let history = History {
        refreshes: vec![
            OddRefresh { feature: Feature::Transactions, sequence: 2, cause, took_s: 0 },
            OddRefresh { feature: Feature::Balance, sequence: 1, cause: None, took_s: 90 },
        ],
        access_ends: vec![(LINKED.plus(DAY_S + 5), InactiveCause::AccessDenied)],
    };
    let now = LINKED.plus(2 * DAY_S);
    let text = linked.control().export(&linked.account(), now, "Bank", &history).unwrap();
    let odd = text.lines().filter(|line| line.contains("refresh") || line.contains("access"));
    insta::assert_snapshot!(odd.collect::<Vec<_>>().join("\n"), @r#"
    { refresh = 2, feature = "transactions", refresh_fails = "institution_timeout" },
    { refresh = 1, feature = "balance", refresh_takes = "90s" },
    { day = 1, time = "00:00:05", access_ends = "access_denied" },
    "#);
    let mut replayed = replay(&linked, now, &history);
    assert_eq!(ledger(&linked, LINKED), ledger(&replayed, LINKED));
    let usd = |example: &Example| {
        example.control().ledger_balance(&example.account(), LINKED).unwrap().current
            [&Currency::USD]
    };
    assert_eq!(usd(&replayed), -12_345);
    assert!(replayed.fetch(Feature::Transactions, 1, LINKED).result.is_ok());
    assert!(replayed.fetch(Feature::Transactions, 2, LINKED).result.is_err());
    assert!(replayed.fetch(Feature::Balance, 1, LINKED).result.is_err());
    let lost = replayed.sandbox.watch(&replayed.account(), now).lost;
    assert_eq!(lost.map(|(cause, _)| cause), Some(InactiveCause::AccessDenied));
}

/// A file cannot express events after the bank closed the account, so the replay has no row of that time.
/// Of two ends at one time the later one counts.
#[test]
fn a_closed_account_is_replayed() {
    let linked = Example::new("Test (Non-OAuth)", "Success", "a");
    let closed_at = LINKED.plus(2 * DAY_S);
    let ends = [InactiveCause::AccessDenied, InactiveCause::AccountClosed];
    let history = History {
        access_ends: ends.map(|cause| (closed_at, cause)).to_vec(),
        ..History::default()
    };
    let later = LINKED.plus(40 * DAY_S);
    let replayed = replay(&linked, later, &history);
    assert_eq!(ledger(&linked, closed_at), ledger(&replayed, closed_at));
    assert_eq!(ledger(&replayed, closed_at), ledger(&replayed, later), "no row came later");
}

/// An account with more rows than a scenario may have cannot be exported, and the error names the
/// bound.
#[test]
fn a_long_history_is_rejected() {
    let text = crate::sandbox::scenario::ready::find("busy-business").unwrap();
    let busy = super::scenario::linked(text);
    let rejected = busy.control().export(&busy.account(), LINKED, "Bank", &History::default());
    insta::assert_snapshot!(rejected.unwrap_err(), @"its history does not fit into a scenario: line 1: a scenario has at most 262144 bytes");
}

/// A custom user of Plaid's sandbox is converted. Amounts change their sign, dates become days
/// before the newest one, and keys without a counterpart are listed.
#[test]
fn plaids_custom_users_are_read() {
    let user = r#"{
      "version": "2",
      "seed": "my-seed",
      "override_accounts": [
        {
          "type": "depository",
          "subtype": "checking",
          "starting_balance": 1234.5,
          "currency": "USD",
          "identity": {
            "names": ["Jane Doe", "John Doe"],
            "emails": [{"data": "jane@example.com", "primary": true, "type": "primary"}],
            "addresses": [{"data": {"street": "1 Main Street", "city": "Ashland"}}]
          },
          "numbers": {"account": "1111222233330000"},
          "transactions": [
            {"date_transacted": "2026-11-10", "date_posted": "2026-11-12", "amount": 12.05,
             "description": "COFFEE"},
            {"date_transacted": "2026-11-15", "date_posted": "2026-11-15", "amount": -2000,
             "description": "SALARY", "currency": "USD"}
          ]
        },
        {"type": "credit", "subtype": "credit card", "starting_balance": 40, "meta": {"mask": "0042"}}
      ]
    }"#;
    let imported = plaid::import(user, "My Bank").unwrap();
    insta::assert_snapshot!(imported.text, @r#"
    name = "My Bank"
    description = "Made from a custom user of Plaid's sandbox."

    [[institutions]]
    name = "My Bank"

    [[holders]]
    name = "Jane Doe"
    email = "jane@example.com"
    address = "1 Main Street, Ashland"

    [[holders]]
    name = "John Doe"
    email = "jane@example.com"
    address = "1 Main Street, Ashland"

    [[accounts]]
    name = "Checking"
    kind = "checking"
    payable = true
    currency = "usd"
    owners = ["Jane Doe", "John Doe"]
    balance = "1234.50"
    history_days = 0
    timeline = [
      { day = -6, appears = "t1", amount = "-12.05", description = "COFFEE", pending = true },
      { day = -4, posts = "t1" },
      { day = -1, appears = "t2", amount = "2000.00", description = "SALARY" },
    ]

    [[accounts]]
    name = "Credit card"
    kind = "credit_card"
    payable = false
    currency = "usd"
    last4 = "0042"
    balance = "-40.00"
    history_days = 0
    "#);
    assert_eq!(imported.left_out, ["seed", "version", "override_accounts.numbers",]);
    let example = super::scenario::linked(&imported.text);
    insta::assert_snapshot!(super::scenario::ledger(&example, 0).join("\n"), @"
    t1 posted -1205 COFFEE day -6
    t2 posted 200000 SALARY day -1
    ");
    let faults = [
        "{\n[",
        "{}",
        r#"{"override_accounts": [{"starting_balance": "much"}]}"#,
        r#"{"override_accounts": [{"transactions": [{"amount": 1}]}]}"#,
        r#"{"override_accounts": [{"transactions": [{"date_posted": "2026-02-30", "amount": 1}]}]}"#,
        r#"{"override_accounts": [{"transactions": [{"date_posted": "2026-02-03", "amount": 1.005}]}]}"#,
        r#"{"override_accounts": [{"transactions": {}}]}"#,
    ];
    let errors = faults.map(|text| plaid::import(text, "Bank").unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"), @"
    line 2: not JSON
    override_accounts: is missing
    override_accounts[0].starting_balance: 'much' is not an amount of usd
    override_accounts[0].transactions[0].date_transacted: is missing
    override_accounts[0].transactions[0].date_posted: '2026-02-30' is not a date; write it as 2026-11-18
    override_accounts[0].transactions[0].amount: '1.005' is not an amount of usd
    override_accounts[0].transactions: a list is expected
    ");
}
