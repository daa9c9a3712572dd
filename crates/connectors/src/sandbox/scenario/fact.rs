//! One entry of a timeline: when, and what of the things that a bank can do.

use super::super::plan::{Deed, Fact, Outcome};
use super::ScenarioError;
use super::money::Money;
use super::read::{
    TEXT_CHARS_MAX, read_choice, read_currency, read_duration, read_one_of, read_time,
};
use super::tree::{At, Table};
use crate::sandbox::generator::RowKey;
use crate::sandbox::state::{ADDED_PREFIX, StatusChange};
use model::Word;
use model::account::InactiveCause;
use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::DAY_S;
use model::refresh::RefreshCause;
use std::collections::BTreeMap;

/// Furthest that a day lies before or after the link: ten years and some days.
pub(super) const DAYS_MAX: i64 = 3_700;
/// Longest delay of a refresh; one that is pending for longer than two days fails anyway.
const DELAY_S_MAX: i64 = 30 * DAY_S;
/// Characters of an id.
const ID_CHARS_MAX: usize = 60;
/// The keys that say what an entry is; each has exactly one of them.
const DEEDS: [&str; 11] = [
    "appears",
    "posts",
    "vanishes",
    "returns",
    "changes",
    "renumbers",
    "balance",
    "owners",
    "refresh_fails",
    "refresh_takes",
    "access_ends",
];

/// The keys that say more of it.
const MORE: [&str; 12] = [
    "day",
    "time",
    "amount",
    "currency",
    "description",
    "pending",
    "dated",
    "dated_time",
    "available",
    "feature",
    "lasts",
    "refresh",
];

/// What an account is known by while its timeline is read.
pub(super) struct Ground<'a> {
    pub(super) money: Money,
    pub(super) holders: &'a BTreeMap<String, BankOwner>,
}

/// A fact and the line that it stands in.
pub(super) type Located = At<Fact>;

/// Reads one entry. `number` is its place in the timeline, from 1.
pub(super) fn read(
    mut table: Table,
    number: usize,
    ground: &Ground<'_>,
) -> Result<Located, ScenarioError> {
    let line = table.line;
    table.only(&[&DEEDS[..], &MORE[..]].concat())?;
    let at = read_when(&mut table)?;
    let there: Vec<&str> = DEEDS.into_iter().filter(|key| table.has(key)).collect();
    let deed = match there.as_slice() {
        [] if table.has("amount") => "appears",
        [one] => one,
        // A refresh may both take long and fail then.
        ["refresh_fails", "refresh_takes"] => "refresh_fails",
        [] => {
            let problem = format!("says nothing that happens; one of: {}", DEEDS.join(", "));
            return Err(table.fault(line, "", problem));
        }
        [_, second, ..] => {
            let problem = "one entry says one thing; make another entry of it";
            return Err(table.fault(line, second, problem));
        }
    };
    let what = match deed {
        "appears" => appears(&mut table, at, number, ground)?,
        "posts" => edit(&mut table, "posts", Some(StatusChange::Post), ground)?,
        "vanishes" => edit(&mut table, "vanishes", Some(StatusChange::Void), ground)?,
        "returns" => edit(&mut table, "returns", Some(StatusChange::Pend), ground)?,
        "changes" => edit(&mut table, "changes", None, ground)?,
        "renumbers" => flagged(&mut table, "renumbers", Deed::Renumber)?,
        "balance" => balance(&mut table, ground)?,
        "owners" => Deed::Owners(read_owners(&mut table, ground.holders)?.unwrap_or_default()),
        "access_ends" => {
            let cause = read_choice::<InactiveCause>(&mut table, "access_ends")?;
            Deed::AccessEnds(table.need("access_ends", cause)?)
        }
        _ => refreshes(&mut table, at)?,
    };
    table.finish()?;
    Ok(At { line, value: Fact { at, what } })
}

/// The second after the link.
fn read_when(table: &mut Table) -> Result<i64, ScenarioError> {
    if table.has("refresh") {
        if let Some(key) = ["day", "time"].into_iter().find(|key| table.has(key)) {
            let problem = "a refresh that is named by its number has no day; leave out one of them";
            return Err(table.fault(table.line_of(key), key, problem));
        }
        return Ok(0);
    }
    let day = table.integer("day", -DAYS_MAX, DAYS_MAX)?;
    let day = table.need("day", day)?.value;
    Ok(day * DAY_S + read_time(table, "time")?.unwrap_or(0))
}

fn appears(
    table: &mut Table,
    at: i64,
    number: usize,
    ground: &Ground<'_>,
) -> Result<Deed, ScenarioError> {
    let named = table.text("appears", ID_CHARS_MAX)?;
    let id = match named {
        Some(At { line, value }) => check_id(table, "appears", line, value)?,
        None => format!("fact-{number}"),
    };
    let currency = read_currency(table)?;
    let money = Money { currency: currency.unwrap_or(ground.money.currency) };
    let amount = money.read(table, "amount")?;
    let amount = table.need("amount", amount)?;
    let description = table.any_text("description", TEXT_CHARS_MAX)?;
    let description = table.need("description", description)?.value;
    let dated = read_dated(table, at)?.unwrap_or(at);
    let pending = table.flag("pending")?.is_some_and(|flag| flag.value);
    let status = if pending { BankStatus::Pending } else { BankStatus::Posted };
    Ok(Deed::Appear { id, amount, description, dated, status, currency })
}

fn edit(
    table: &mut Table,
    key: &'static str,
    status: Option<StatusChange>,
    ground: &Ground<'_>,
) -> Result<Deed, ScenarioError> {
    let named = table.text(key, ID_CHARS_MAX)?;
    let At { line, value } = table.need(key, named)?;
    let id = check_id(table, key, line, value)?;
    let currency = read_currency(table)?;
    let money = Money { currency: currency.unwrap_or(ground.money.currency) };
    let amount = money.read(table, "amount")?;
    let description = table.any_text("description", TEXT_CHARS_MAX)?.map(|text| text.value);
    let dated = read_dated(table, i64::MAX)?;
    if status.is_none() && amount.is_none() && description.is_none() && dated.is_none() {
        let problem = "names nothing to change: amount, description or dated";
        return Err(table.fault(line, key, problem));
    }
    Ok(Deed::Edit { id, status, amount, description, dated, currency })
}

/// A transaction may be dated back, never ahead.
fn read_dated(table: &mut Table, at: i64) -> Result<Option<i64>, ScenarioError> {
    let day = table.integer("dated", -DAYS_MAX, DAYS_MAX)?;
    let time = read_time(table, "dated_time")?;
    let Some(At { line, value }) = day else {
        return match time {
            Some(_) => Err(table.fault(table.line, "dated_time", "needs the key dated")),
            None => Ok(None),
        };
    };
    let dated = value * DAY_S + time.unwrap_or(0);
    if dated > at {
        return Err(table.fault(line, "dated", "lies after the day on which it appears"));
    }
    Ok(Some(dated))
}

fn flagged(table: &mut Table, key: &'static str, deed: Deed) -> Result<Deed, ScenarioError> {
    match table.flag(key)? {
        Some(At { line, value: false }) => Err(table.fault(line, key, "is true or left out")),
        _ => Ok(deed),
    }
}

fn balance(table: &mut Table, ground: &Ground<'_>) -> Result<Deed, ScenarioError> {
    let current = ground.money.read(table, "balance")?;
    let current = table.need("balance", current)?;
    let available = ground.money.read(table, "available")?;
    Ok(Deed::Balance { current, available })
}

fn refreshes(table: &mut Table, at: i64) -> Result<Deed, ScenarioError> {
    let causes = RefreshCause::ALL.iter().copied();
    // No bank interrupts a refresh; the end of an access does.
    let causes: Vec<RefreshCause> =
        causes.filter(|cause| *cause != RefreshCause::Interrupted).collect();
    let cause = read_one_of(table, "refresh_fails", &causes)?;
    let takes = read_duration(table, "refresh_takes")?;
    if let Some(At { line, value }) = takes
        && value > DELAY_S_MAX
    {
        return Err(table.fault(line, "refresh_takes", "at most 30d is allowed"));
    }
    let outcome = Outcome { cause, delay_s: takes.map_or(0, |takes| takes.value) };
    let feature = read_choice::<Feature>(table, "feature")?;
    if let Some(At { line, value }) = table.integer("refresh", 1, i64::from(u32::MAX))? {
        let feature = table.need("feature", feature)?;
        if table.has("lasts") {
            let problem = "a refresh that is named by its number does not last";
            return Err(table.fault(line, "lasts", problem));
        }
        let number = u32::try_from(value).unwrap_or(u32::MAX);
        return Ok(Deed::Refresh { feature, number, outcome });
    }
    let lasts_s = read_duration(table, "lasts")?.map_or(DAY_S, |lasts| lasts.value);
    Ok(Deed::Refreshes { feature, until: at.saturating_add(lasts_s), outcome })
}

/// Names of holders, as owners.
pub(super) fn read_owners(
    table: &mut Table,
    holders: &BTreeMap<String, BankOwner>,
) -> Result<Option<Vec<BankOwner>>, ScenarioError> {
    let Some(At { line, value }) = table.texts("owners", super::super::OWNERS_MAX)? else {
        return Ok(None);
    };
    let mut owners = Vec::with_capacity(value.len());
    for name in value {
        let known = holders.get(&name).cloned();
        owners.push(
            known.ok_or_else(|| {
                table.fault(line, "owners", format!("no holder is called '{name}'"))
            })?,
        );
    }
    Ok(Some(owners))
}

/// An id that no row made elsewhere can have.
fn check_id(table: &Table, key: &str, line: usize, id: String) -> Result<String, ScenarioError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if !id.chars().all(plain) {
        return Err(table.fault(line, key, "an id has letters, digits, - and _ only"));
    }
    if id.starts_with(ADDED_PREFIX) || RowKey::find(&id).is_some() {
        return Err(table.fault(line, key, format!("the bank itself gives ids like '{id}'")));
    }
    Ok(id)
}

/// Refuses a timeline that no bank could live through: facts about transactions that are not there,
/// or that stand elsewhere, an access that ends after the account was closed, and two ways for one
/// refresh to go. `facts` are in the order of their times.
pub(super) fn check(facts: &[Located], path: &str) -> Result<(), ScenarioError> {
    let mut closed_in = None;
    let mut refreshes: BTreeMap<(Feature, u32), usize> = BTreeMap::new();
    let mut shown: BTreeMap<&str, Option<BankStatus>> = BTreeMap::new();
    for At { line, value } in facts {
        let fault = |key: &str, problem: String| ScenarioError {
            line: *line,
            key: format!("{path}.{key}"),
            problem,
        };
        match &value.what {
            Deed::Appear { id, status, .. } => {
                let before = shown.insert(id, Some(*status));
                before.map_or(Ok(()), |_| {
                    Err(fault("appears", format!("'{id}' has appeared before")))
                })?;
            }
            Deed::Edit { id, status, .. } => {
                let key = match status {
                    Some(StatusChange::Post) => "posts",
                    Some(StatusChange::Void) => "vanishes",
                    Some(StatusChange::Pend) => "returns",
                    None => "changes",
                };
                let Some(stands) = shown.get_mut(id.as_str()) else {
                    return Err(fault(key, format!("no transaction '{id}' has appeared by then")));
                };
                *stands = match (*stands, status) {
                    (Some(BankStatus::Pending), Some(StatusChange::Post)) => {
                        Some(BankStatus::Posted)
                    }
                    (Some(_), Some(StatusChange::Void)) => None,
                    (None, Some(StatusChange::Pend)) => Some(BankStatus::Pending),
                    (Some(status), None) => Some(status),
                    (stands, _) => {
                        let word = match stands {
                            Some(BankStatus::Pending) => "pending",
                            Some(BankStatus::Posted) => "posted",
                            None => "gone",
                        };
                        return Err(fault(key, format!("'{id}' is {word} by then")));
                    }
                };
            }
            Deed::Refresh { feature, number, .. } => {
                if let Some(other) = refreshes.insert((*feature, *number), *line) {
                    let problem = format!(
                        "line {other} says already how refresh {number} of {} goes; make one entry \
                         of them",
                        feature.word()
                    );
                    return Err(fault("refresh", problem));
                }
            }
            Deed::AccessEnds(cause) => {
                if let Some(other) = closed_in {
                    let problem = format!(
                        "the account is closed for good by line {other}; leave out what is later"
                    );
                    return Err(fault("access_ends", problem));
                }
                closed_in = (*cause == InactiveCause::AccountClosed).then_some(*line);
            }
            _ => {}
        }
    }
    Ok(())
}
