//! The reader of one entry of a timeline: its time and the event.

use super::super::plan::{Fact, FactKind, Outcome};
use super::money::Money;
use super::tree::{At, ScenarioError, Table};
use super::value::{
    DAYS_MAX, TEXT_CHARS_MAX, read_choice, read_currency, read_duration, read_last4, read_one_of,
    read_time,
};
use crate::sandbox::row::RowKey;
use crate::sandbox::state::{ADDED_PREFIX, OWNERS_MAX, StatusChange};
use model::Word;
use model::account::InactiveCause;
use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::DAY_S;
use model::limits::SCENARIO_FACTS_MAX;
use model::refresh::RefreshCause;
use std::collections::BTreeMap;

/// The longest delay of a refresh. A refresh that is pending for two days fails anyway.
const DELAY_S_MAX: i64 = 30 * DAY_S;
/// The most characters of an id.
const ID_CHARS_MAX: usize = 60;
/// The beginning of the id of a transaction without a name.
const UNNAMED_PREFIX: &str = "fact-";
/// The keys that name the kind of an entry. Each entry has exactly one of them.
const KINDS: [&str; 13] = [
    "appears",
    "posts",
    "vanishes",
    "returns",
    "changes",
    "renumbers",
    "omits",
    "new_number",
    "balance",
    "owners",
    "refresh_fails",
    "refresh_takes",
    "access_ends",
];

/// The keys that add details.
const DETAILS: [&str; 13] = [
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
    "last4",
];

/// The facts about an account that its timeline refers to.
pub(super) struct Context<'a> {
    pub(super) money: Money,
    pub(super) holders: &'a BTreeMap<String, BankOwner>,
}

/// A fact with its line.
pub(super) type Located = At<Fact>;

/// Reads one entry. `number` is its position in the timeline, from 1.
pub(super) fn read(
    mut table: Table,
    number: usize,
    context: &Context<'_>,
) -> Result<Located, ScenarioError> {
    let line = table.line;
    table.only(&[&KINDS[..], &DETAILS[..]].concat())?;
    let at = read_when(&mut table)?;
    let there: Vec<&str> = KINDS.into_iter().filter(|key| table.has(key)).collect();
    let deed = match there.as_slice() {
        [] if table.has("amount") => "appears",
        [one] => one,
        // A refresh may take time and then fail.
        ["refresh_fails", "refresh_takes"] => "refresh_fails",
        [] => {
            let problem = format!("names no event; use one of: {}", KINDS.join(", "));
            return Err(table.error(line, "", problem));
        }
        [_, second, ..] => {
            let problem = "an entry has one event; move this one to another entry";
            return Err(table.error(line, second, problem));
        }
    };
    let kind = match deed {
        "appears" => appears(&mut table, at, number, context)?,
        "posts" => edit(&mut table, "posts", Some(StatusChange::Post), context)?,
        "vanishes" => edit(&mut table, "vanishes", Some(StatusChange::Void), context)?,
        "returns" => edit(&mut table, "returns", Some(StatusChange::Pend), context)?,
        "changes" => edit(&mut table, "changes", None, context)?,
        "renumbers" => flagged(&mut table, "renumbers", FactKind::Renumber)?,
        "omits" => omits(&mut table, at)?,
        "new_number" => new_number(&mut table, at)?,
        "balance" => balance(&mut table, context)?,
        "owners" => FactKind::Owners(read_owners(&mut table, context.holders)?.unwrap_or_default()),
        "access_ends" => {
            let cause = read_choice::<InactiveCause>(&mut table, "access_ends")?;
            FactKind::AccessEnds(table.need("access_ends", cause)?)
        }
        _ => refreshes(&mut table, at)?,
    };
    table.finish()?;
    Ok(At { line, value: Fact { at, kind } })
}

/// Reads the time of an entry, in seconds after the link.
fn read_when(table: &mut Table) -> Result<i64, ScenarioError> {
    if table.has("refresh") {
        if let Some(key) = ["day", "time"].into_iter().find(|key| table.has(key)) {
            let problem = "a refresh with a number has no day; remove one of the keys";
            return Err(table.error(table.line_of(key), key, problem));
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
    context: &Context<'_>,
) -> Result<FactKind, ScenarioError> {
    let named = table.text("appears", ID_CHARS_MAX)?;
    let id = match named {
        Some(At { line, value }) => check_id(table, "appears", line, value)?,
        None => format!("{UNNAMED_PREFIX}{number}"),
    };
    let currency = read_currency(table)?;
    let money = Money { currency: currency.unwrap_or(context.money.currency) };
    let amount = money.read(table, "amount")?;
    let amount = table.need("amount", amount)?;
    let description = table.any_text("description", TEXT_CHARS_MAX)?;
    let description = table.need("description", description)?.value;
    let dated = read_dated(table, at)?.unwrap_or(at);
    let pending = table.flag("pending")?.is_some_and(|flag| flag.value);
    let status = if pending { BankStatus::Pending } else { BankStatus::Posted };
    Ok(FactKind::Appear { id, amount, description, dated, status, currency })
}

fn edit(
    table: &mut Table,
    key: &'static str,
    status: Option<StatusChange>,
    context: &Context<'_>,
) -> Result<FactKind, ScenarioError> {
    let named = table.text(key, ID_CHARS_MAX)?;
    let At { line, value } = table.need(key, named)?;
    let id = check_id(table, key, line, value)?;
    let currency = read_currency(table)?;
    let money = Money { currency: currency.unwrap_or(context.money.currency) };
    let amount = money.read(table, "amount")?;
    let description = table.any_text("description", TEXT_CHARS_MAX)?.map(|text| text.value);
    let dated = read_dated(table, i64::MAX)?;
    if status.is_none() && amount.is_none() && description.is_none() && dated.is_none() {
        let problem = "has no change; add amount, description or dated";
        return Err(table.error(line, key, problem));
    }
    Ok(FactKind::Edit { id, status, amount, description, dated, currency })
}

/// Reads the date of a transaction, which is not after its appearance.
fn read_dated(table: &mut Table, at: i64) -> Result<Option<i64>, ScenarioError> {
    let day = table.integer("dated", -DAYS_MAX, DAYS_MAX)?;
    let time = read_time(table, "dated_time")?;
    let Some(At { line, value }) = day else {
        return match time {
            Some(_) => Err(table.error(table.line, "dated_time", "needs the key dated")),
            None => Ok(None),
        };
    };
    let dated = value * DAY_S + time.unwrap_or(0);
    if dated > at {
        return Err(table.error(
            line,
            "dated",
            "is after the day on which the transaction appears",
        ));
    }
    Ok(Some(dated))
}

fn flagged(
    table: &mut Table,
    key: &'static str,
    deed: FactKind,
) -> Result<FactKind, ScenarioError> {
    match table.flag(key)? {
        Some(At { line, value: false }) => Err(table.error(line, key, "is true or left out")),
        _ => Ok(deed),
    }
}

fn balance(table: &mut Table, context: &Context<'_>) -> Result<FactKind, ScenarioError> {
    let currency = read_currency(table)?;
    let money = Money { currency: currency.unwrap_or(context.money.currency) };
    let current = money.read(table, "balance")?;
    let current = table.need("balance", current)?;
    let available = money.read(table, "available")?;
    Ok(FactKind::Balance { current, available, currency })
}

fn new_number(table: &mut Table, at: i64) -> Result<FactKind, ScenarioError> {
    if at <= 0 {
        let problem = "an account gets another number after the link only; use a later day";
        return Err(table.error(table.line_of("new_number"), "new_number", problem));
    }
    let last4 = read_last4(table)?;
    flagged(table, "new_number", FactKind::NewNumber { last4 })
}

/// Reads the transactions that fetches leave out, and for how long.
fn omits(table: &mut Table, at: i64) -> Result<FactKind, ScenarioError> {
    let ids = table.texts("omits", SCENARIO_FACTS_MAX)?;
    let At { line, value } = table.need("omits", ids)?;
    if value.is_empty() {
        return Err(table.error(line, "omits", "at least one transaction is needed"));
    }
    let lasts_s = read_duration(table, "lasts")?.map_or(DAY_S, |lasts| lasts.value);
    Ok(FactKind::Omit { ids: value, until: at.saturating_add(lasts_s) })
}

fn refreshes(table: &mut Table, at: i64) -> Result<FactKind, ScenarioError> {
    let causes = RefreshCause::ALL.iter().copied();
    // A bank never interrupts a refresh. The end of an access does.
    let causes: Vec<RefreshCause> =
        causes.filter(|cause| *cause != RefreshCause::Interrupted).collect();
    let cause = read_one_of(table, "refresh_fails", &causes)?;
    let takes = read_duration(table, "refresh_takes")?;
    if let Some(At { line, value }) = takes
        && value > DELAY_S_MAX
    {
        return Err(table.error(line, "refresh_takes", "at most 30d is allowed"));
    }
    let outcome = Outcome { cause, delay_s: takes.map_or(0, |takes| takes.value) };
    let feature = read_choice::<Feature>(table, "feature")?;
    if let Some(At { line, value }) = table.integer("refresh", 1, i64::from(u32::MAX))? {
        let feature = table.need("feature", feature)?;
        if table.has("lasts") {
            let problem = "a refresh with a number has no duration; remove this key";
            return Err(table.error(line, "lasts", problem));
        }
        let Ok(number) = u32::try_from(value) else {
            unreachable!("the table checked the bounds of the number");
        };
        return Ok(FactKind::Refresh { feature, number, outcome });
    }
    let lasts_s = read_duration(table, "lasts")?.map_or(DAY_S, |lasts| lasts.value);
    Ok(FactKind::Refreshes { feature, until: at.saturating_add(lasts_s), outcome })
}

/// Reads names of holders as owners.
pub(super) fn read_owners(
    table: &mut Table,
    holders: &BTreeMap<String, BankOwner>,
) -> Result<Option<Vec<BankOwner>>, ScenarioError> {
    let Some(At { line, value }) = table.texts("owners", OWNERS_MAX)? else {
        return Ok(None);
    };
    let mut owners = Vec::with_capacity(value.len());
    for name in value {
        let known = holders.get(&name).cloned();
        owners.push(known.ok_or_else(|| {
            table.error(line, "owners", format!("there is no holder named '{name}'"))
        })?);
    }
    Ok(Some(owners))
}

/// Rejects an id that a generated or added row could have.
fn check_id(table: &Table, key: &str, line: usize, id: String) -> Result<String, ScenarioError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if !id.chars().all(plain) {
        return Err(table.error(line, key, "an id has only letters, digits, - and _"));
    }
    let unnamed =
        id.strip_prefix(UNNAMED_PREFIX).is_some_and(|number| number.parse::<u32>().is_ok());
    if unnamed || id.starts_with(ADDED_PREFIX) || RowKey::find(&id).is_some() {
        return Err(table.error(line, key, format!("the bank uses ids like '{id}'")));
    }
    Ok(id)
}

/// Rejects an impossible timeline: facts about transactions that have not appeared or have another
/// status, an end of access after the account was closed, or two outcomes of one refresh. `facts`
/// are in the order of their times.
pub(super) fn check(facts: &[Located], path: &str) -> Result<(), ScenarioError> {
    let mut closed_in = None;
    let mut refreshes: BTreeMap<(Feature, u32), usize> = BTreeMap::new();
    let mut shown: BTreeMap<&str, Option<BankStatus>> = BTreeMap::new();
    let mut appears: BTreeMap<&str, i64> = BTreeMap::new();
    for At { value, .. } in facts {
        if let FactKind::Appear { id, .. } = &value.kind {
            appears.entry(id.as_str()).or_insert(value.at);
        }
    }
    for At { line, value } in facts {
        let error = |key: &str, problem: String| ScenarioError {
            line: *line,
            key: format!("{path}.{key}"),
            problem,
        };
        match &value.kind {
            FactKind::Appear { id, status, .. } => {
                let before = shown.insert(id, Some(*status));
                before.map_or(Ok(()), |_| {
                    Err(error("appears", format!("'{id}' has appeared before")))
                })?;
            }
            FactKind::Edit { id, status, .. } => {
                let key = key_of_edit(*status);
                let Some(shown) = shown.get_mut(id.as_str()) else {
                    return Err(error(key, format!("no transaction '{id}' has appeared by then")));
                };
                *shown = after_edit(*shown, *status)
                    .map_err(|word| error(key, format!("'{id}' is {word} by then")))?;
            }
            FactKind::Omit { ids, until } => {
                let unknown = |id: &&String| appears.get(id.as_str()).is_none_or(|at| at >= until);
                if let Some(id) = ids.iter().find(unknown) {
                    let problem = format!("no transaction '{id}' appears before it ends");
                    return Err(error("omits", problem));
                }
            }
            FactKind::Refresh { feature, number, .. } => {
                if let Some(other) = refreshes.insert((*feature, *number), *line) {
                    let problem = format!(
                        "line {other} already sets the outcome of refresh {number} of {}; join \
                         the two entries",
                        feature.word()
                    );
                    return Err(error("refresh", problem));
                }
            }
            FactKind::AccessEnds(cause) => {
                if let Some(other) = closed_in {
                    let problem = format!(
                        "line {other} closes the account for good; remove the later entries"
                    );
                    return Err(error("access_ends", problem));
                }
                closed_in = (*cause == InactiveCause::AccountClosed).then_some(*line);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The key of an entry that edits a transaction.
pub(super) fn key_of_edit(status: Option<StatusChange>) -> &'static str {
    match status {
        Some(StatusChange::Post) => "posts",
        Some(StatusChange::Void) => "vanishes",
        Some(StatusChange::Pend) => "returns",
        None => "changes",
    }
}

/// The status of a transaction after an edit, `None` for a vanished one. The error is a word for a
/// status that the edit does not fit.
fn after_edit(
    shown: Option<BankStatus>,
    change: Option<StatusChange>,
) -> Result<Option<BankStatus>, &'static str> {
    match (shown, change) {
        (Some(BankStatus::Pending), Some(StatusChange::Post)) => Ok(Some(BankStatus::Posted)),
        (Some(_), Some(StatusChange::Void)) => Ok(None),
        (None, Some(StatusChange::Pend)) => Ok(Some(BankStatus::Pending)),
        (Some(status), None) => Ok(Some(status)),
        (Some(BankStatus::Pending), _) => Err("pending"),
        (Some(BankStatus::Posted), _) => Err("posted"),
        (None, _) => Err("gone"),
    }
}
