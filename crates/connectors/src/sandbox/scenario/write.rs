//! The writer of scenario files: TOML with one fact per line.

use super::super::plan::{Fact, FactKind, Opening, Outcome, Plan};
use super::fact::key_of_edit;
use super::money::Money;
use super::value::Kind;
use model::Word;
use model::bank::{BankOwner, BankStatus};
use model::clock::DAY_S;
use model::money::Currency;
use std::fmt::Write as _;

/// The part of the file before the accounts.
pub(in crate::sandbox) struct Head<'a> {
    pub(in crate::sandbox) name: &'a str,
    pub(in crate::sandbox) description: &'a str,
    /// The name of the bank.
    pub(in crate::sandbox) institution: &'a str,
}

/// Writes the file. The accounts have no stretches, because the callers know all rows.
pub(in crate::sandbox) fn write(head: &Head<'_>, plans: &[Plan]) -> String {
    let mut text = String::new();
    line(&mut text, "name", &quoted(head.name));
    line(&mut text, "description", &quoted(head.description));
    text.push_str("\n[[institutions]]\n");
    line(&mut text, "name", &quoted(head.institution));
    if plans.iter().any(|plan| plan.bank_page) {
        line(&mut text, "login", &quoted("bank_page"));
    }
    if plans.iter().any(|plan| plan.snapshots) {
        line(&mut text, "snapshots", "true");
    }
    if let Some(challenge) = plans.iter().find_map(|plan| plan.challenge) {
        line(&mut text, "challenge", &quoted(challenge.word()));
    }
    if let Some(lasts_s) = plans.iter().find_map(|plan| plan.login_lasts_s) {
        line(&mut text, "login_lasts", &format!("\"{lasts_s}s\""));
    }
    for owner in holders(plans) {
        text.push_str("\n[[holders]]\n");
        line(&mut text, "name", &quoted(&owner.name));
        let rest =
            [("email", &owner.email), ("phone", &owner.phone), ("address", &owner.raw_address)];
        for (key, value) in rest {
            if let Some(value) = value {
                line(&mut text, key, &quoted(value));
            }
        }
    }
    for plan in plans {
        write_account(&mut text, plan);
    }
    text
}

fn write_account(text: &mut String, plan: &Plan) {
    let money = Money { currency: plan.currency };
    text.push_str("\n[[accounts]]\n");
    line(text, "name", &quoted(&plan.name));
    if !plan.description.is_empty() {
        line(text, "description", &quoted(&plan.description));
    }
    let kind = Kind::of(plan.category, plan.subcategory);
    line(text, "kind", &quoted(kind.word()));
    if plan.category != kind.category() {
        line(text, "category", &quoted(plan.category.word()));
    }
    line(text, "payable", if plan.payable { "true" } else { "false" });
    line(text, "currency", &quoted(plan.currency.as_str()));
    if let Some(last4) = &plan.last4 {
        line(text, "last4", &quoted(last4));
    }
    if let Some(owners) = &plan.owners {
        line(text, "owners", &names(owners));
    }
    line(text, "balance", &quoted(&money.text(plan.balance)));
    if plan.available_more != 0 {
        let available = plan.balance.saturating_add(plan.available_more);
        line(text, "available", &quoted(&money.text(available)));
    }
    if !plan.balances.is_empty() {
        let balances: Vec<String> = plan.balances.iter().map(balance).collect();
        line(text, "balances", &format!("[{}]", balances.join(", ")));
    }
    if plan.overdraft != 0 {
        line(text, "overdraft", &quoted(&money.text(plan.overdraft)));
    }
    line(text, "history_days", &plan.history_days.to_string());
    if let Some(days) = plan.window_days {
        line(text, "window_days", &days.to_string());
    }
    if plan.facts.is_empty() {
        return;
    }
    text.push_str("timeline = [\n");
    for fact in &plan.facts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {{ {} }},", entry(fact, money).join(", "));
    }
    text.push_str("]\n");
}

/// A balance in another currency, as an inline table.
fn balance(opening: &Opening) -> String {
    let Opening { currency, balance, available_more } = *opening;
    let money = Money { currency };
    let mut keys = vec![
        format!("currency = {}", quoted(currency.as_str())),
        format!("balance = {}", quoted(&money.text(balance))),
    ];
    if available_more != 0 {
        let available = money.text(balance.saturating_add(available_more));
        keys.push(format!("available = {}", quoted(&available)));
    }
    format!("{{ {} }}", keys.join(", "))
}

/// Every owner that the accounts name, once per name.
fn holders(plans: &[Plan]) -> Vec<&BankOwner> {
    let later = plans.iter().flat_map(|plan| &plan.facts).filter_map(|fact| match &fact.kind {
        FactKind::Owners(owners) => Some(owners),
        _ => None,
    });
    let first = plans.iter().filter_map(|plan| plan.owners.as_ref());
    let mut holders: Vec<&BankOwner> = Vec::new();
    for owner in first.chain(later).flatten() {
        if !holders.iter().any(|known| known.name == owner.name) {
            holders.push(owner);
        }
    }
    holders
}

/// The keys of a fact with their values.
fn entry(fact: &Fact, money: Money) -> Vec<String> {
    let mut keys = Vec::new();
    let mut key = |name: &str, value: String| keys.push(format!("{name} = {value}"));
    if !matches!(fact.kind, FactKind::Refresh { .. }) {
        key("day", fact.at.div_euclid(DAY_S).to_string());
        if let Some(time) = time(fact.at) {
            key("time", time);
        }
    }
    match &fact.kind {
        FactKind::Appear { .. } => write_appearance(fact, money, &mut key),
        FactKind::Edit { .. } => write_edit(fact, money, &mut key),
        FactKind::Renumber => key("renumbers", "true".to_owned()),
        FactKind::Omit { ids, until } => {
            match ids.as_slice() {
                [id] => key("omits", quoted(id)),
                ids => key("omits", texts(ids)),
            }
            key("lasts", format!("\"{}s\"", until - fact.at));
        }
        FactKind::Balance { current, available, currency } => {
            let balance = [("balance", Some(*current)), ("available", *available)];
            write_amounts(&balance, *currency, money, &mut key);
        }
        FactKind::Owners(owners) => key("owners", names(owners)),
        FactKind::Refreshes { feature, until, outcome } => {
            write_outcome(*outcome, &mut key);
            if let Some(feature) = feature {
                key("feature", quoted(feature.word()));
            }
            key("lasts", format!("\"{}s\"", until - fact.at));
        }
        FactKind::Refresh { feature, number, outcome } => {
            key("refresh", number.to_string());
            key("feature", quoted(feature.word()));
            write_outcome(*outcome, &mut key);
        }
        FactKind::NewNumber { last4 } => {
            key("new_number", "true".to_owned());
            if let Some(last4) = last4 {
                key("last4", quoted(last4));
            }
        }
        FactKind::AccessEnds(cause) => key("access_ends", quoted(cause.word())),
    }
    keys
}

fn write_appearance(fact: &Fact, money: Money, key: &mut impl FnMut(&str, String)) {
    let FactKind::Appear { id, amount, description, dated, status, currency } = &fact.kind else {
        return;
    };
    key("appears", quoted(id));
    write_amounts(&[("amount", Some(*amount))], *currency, money, key);
    key("description", quoted(description));
    if *dated != fact.at {
        write_dated(*dated, key);
    }
    if *status == BankStatus::Pending {
        key("pending", "true".to_owned());
    }
}

fn write_edit(fact: &Fact, money: Money, key: &mut impl FnMut(&str, String)) {
    let FactKind::Edit { id, status, amount, description, dated, currency } = &fact.kind else {
        return;
    };
    key(key_of_edit(*status), quoted(id));
    if amount.is_some() {
        write_amounts(&[("amount", *amount)], *currency, money, key);
    }
    if let Some(description) = description {
        key("description", quoted(description));
    }
    if let Some(dated) = dated {
        write_dated(*dated, key);
    }
}

/// Writes amounts, and their currency unless it is the account's own.
fn write_amounts(
    amounts: &[(&str, Option<i64>)],
    currency: Option<Currency>,
    own: Money,
    key: &mut impl FnMut(&str, String),
) {
    let money = Money { currency: currency.unwrap_or(own.currency) };
    for (name, amount) in amounts {
        if let Some(amount) = amount {
            key(name, quoted(&money.text(*amount)));
        }
    }
    if money.currency != own.currency {
        key("currency", quoted(money.currency.as_str()));
    }
}

fn write_outcome(outcome: Outcome, key: &mut impl FnMut(&str, String)) {
    if let Some(cause) = outcome.cause {
        key("refresh_fails", quoted(cause.word()));
    }
    if outcome.delay_s > 0 {
        key("refresh_takes", format!("\"{}s\"", outcome.delay_s));
    }
}

fn write_dated(dated: i64, key: &mut impl FnMut(&str, String)) {
    key("dated", dated.div_euclid(DAY_S).to_string());
    if let Some(time) = time(dated) {
        key("dated_time", time);
    }
}

/// The time of the day as a text. `None` for the first second of a day.
fn time(at: i64) -> Option<String> {
    let second = at.rem_euclid(DAY_S);
    let (hours, minutes, seconds) = (second / 3_600, second / 60 % 60, second % 60);
    (second != 0).then(|| format!("\"{hours:02}:{minutes:02}:{seconds:02}\""))
}

fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{key} = {value}");
}

fn names(owners: &[BankOwner]) -> String {
    texts(owners.iter().map(|owner| &owner.name))
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as TOML quotes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}
