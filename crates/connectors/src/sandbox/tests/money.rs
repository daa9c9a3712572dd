//! Amounts of scenarios in several currencies, and investment accounts.

use super::scenario::{balances, ledger, linked, one_account};
use super::*;
use crate::interface::Records;
use model::account::{Category, Subcategory};
use model::bank::BalanceType;
use model::clock::DAY_S;

/// An account with balances, rows and stretches in three currencies.
pub(super) const THREE_CURRENCIES: &str = r#"currency = "gbp"
    balance = "100.00"
    available = "150.00"
    balances = [
      { currency = "eur", balance = "20.00", available = "25.00" },
      { currency = "jpy", balance = "5000" },
    ]
    history_days = 5
    timeline = [
      { day = -3, appears = "euro", amount = "-7.00", currency = "eur", description = "PARIS" },
      { day = 1, appears = "yen", amount = "-1200", currency = "jpy", description = "KYOTO", pending = true },
      { day = 2, posts = "yen", amount = "-1300", currency = "jpy" },
      { day = 3, balance = "80.00", available = "95.00", currency = "eur" },
      { day = 3, balance = "60.00" },
      { day = 4, amount = "-1.00", currency = "eur", description = "LYON" },
      { day = 5, balance = "3.00", available = "4.00", currency = "sek" },
    ]
    [[accounts.stretches]]
    every = "day"
    time = "12:00"
    amount = "-2.00"
    currency = "eur"
    description = "METRO"
    to = 1"#;

/// Each currency has its own balance at the link, its own `available` and its own later movements.
#[test]
fn each_currency_has_a_balance() {
    let example = linked(&one_account(THREE_CURRENCIES));
    let seen = [-4, -3, 0, 1, 2, 3, 4, 5].map(|day| format!("{day}: {}", balances(&example, day)));
    insta::assert_snapshot!(seen.join("\n"), @"
    -4: {eur: 3500, gbp: 10000, jpy: 5000} {eur: 4000, gbp: 15000, jpy: 5000}
    -3: {eur: 2600, gbp: 10000, jpy: 5000} {eur: 3100, gbp: 15000, jpy: 5000}
    0: {eur: 2000, gbp: 10000, jpy: 5000} {eur: 2500, gbp: 15000, jpy: 5000}
    1: {eur: 1800, gbp: 10000, jpy: 5000} {eur: 2300, gbp: 15000, jpy: 3800}
    2: {eur: 1600, gbp: 10000, jpy: 3700} {eur: 2100, gbp: 15000, jpy: 3700}
    3: {eur: 8000, gbp: 6000, jpy: 3700} {eur: 9500, gbp: 11000, jpy: 3700}
    4: {eur: 7900, gbp: 6000, jpy: 3700} {eur: 9400, gbp: 11000, jpy: 3700}
    5: {eur: 7900, gbp: 6000, jpy: 3700, sek: 300} {eur: 9400, gbp: 11000, jpy: 3700, sek: 400}
    ");
    let rows = ledger(&example, 1);
    assert_eq!(rows.iter().filter(|row| row.contains("-200 METRO")).count(), 6, "{rows:?}");
}

/// An investment account is of the category `investment` and the subcategory `other`. It cannot pay,
/// its balance is of the type `cash`, and its buys and dividends are transactions.
#[test]
fn investments_have_stripes_category() {
    let mut example = linked(&one_account(
        r#"kind = "investment"
        balance = "5000.00"
        available = "1200.00"
        timeline = [
          { day = 1, amount = "-300.00", description = "BUY 3 INDEX FUND" },
          { day = 2, amount = "4.20", description = "DIVIDEND INDEX FUND" },
        ]"#,
    ));
    let offered = &example.offered;
    assert_eq!((offered.category, offered.subcategory), (Category::Investment, Subcategory::Other));
    assert!(offered.supported_payment_method_types.is_empty());
    let now = LINKED.plus(2 * DAY_S);
    let page = example.fetch(Feature::Balance, 1, now).result.unwrap();
    let Records::Balance(Some(balance)) = page.records else { panic!("a balance is expected") };
    assert_eq!(balance.balance_type, BalanceType::Cash);
    assert_eq!(balances(&example, 2), "{usd: 470420} {usd: 90420}");
    assert_eq!(ledger(&example, 2).len(), 2);
    assert!(example.sandbox.watch(&example.account(), now).account_numbers.is_empty());
}

/// Each error about a currency or an investment has its line and its key.
#[test]
fn errors_have_line_and_key() {
    let stretch = "[[accounts.stretches]]\nevery = \"day\"\ndescription = \"TEA\"";
    let files = [
        one_account("kind = \"investment\"\npayable = true"),
        one_account("kind = \"investment\"\ncategory = \"cash\""),
        one_account("balances = [\n{ balance = \"1.00\" }]"),
        one_account("balances = [\n{ currency = \"usd\", balance = \"1.00\" }]"),
        one_account(
            "balances = [\n{ currency = \"eur\", balance = \"1.00\" },\n\
             { currency = \"eur\", balance = \"1.00\" }]",
        ),
        one_account("balances = [\n{ currency = \"jpy\", balance = \"1.00\" }]"),
        one_account(&format!("{stretch}\namount = \"1.00\"\ncurrency = \"eur\"")),
        one_account("timeline = [\n{ day = 1, balance = \"1.00\", currency = \"jpy\" }]"),
        one_account("timeline = [\n{ day = 1, balance = \"1.00\", currency = \"euro\" }]"),
    ];
    let errors = files.iter().map(|text| Scenario::read(text).unwrap_err().to_string());
    insta::assert_snapshot!(errors.collect::<Vec<_>>().join("\n"), @r#"
    line 5: accounts.payable: an investment account cannot pay; remove the key
    line 5: accounts.category: investment is investment; leave category out, or write kind = "other"
    line 5: accounts.balances.currency: is missing
    line 5: accounts.balances.currency: is the account's own currency; use balance and available of the account
    line 6: accounts.balances.currency: two balances are in eur; remove one
    line 5: accounts.balances.balance: an amount of jpy in quotes is expected, such as "-1200"
    line 8: accounts.stretches.currency: the account has no balance in eur; add one to balances
    line 5: accounts.timeline.balance: an amount of jpy in quotes is expected, such as "-1200"
    line 5: accounts.timeline.currency: a text of 1 to 3 characters is expected
    "#);
}
