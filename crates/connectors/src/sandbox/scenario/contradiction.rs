//! Contradictions in a timeline: entries of which one would have no effect, or that no account can have
//! together. Without these checks the bank would ignore one of them silently.

use super::super::plan::{Fact, FactKind};
use super::fact::{Located, key_of_edit};
use super::tree::{At, ScenarioError};
use crate::sandbox::state::StatusChange;
use model::account::InactiveCause;
use model::bank::Feature;
use model::money::Currency;
use std::collections::BTreeMap;

/// The facts about an account that its timeline can contradict.
pub(super) struct Account<'a> {
    pub(super) currency: Currency,
    /// The last four digits at the link, if the file sets them.
    pub(super) last4: Option<&'a str>,
}

/// Rejects a timeline with a contradiction. `facts` are in the order of their times, and each is
/// possible alone.
pub(super) fn check(
    facts: &[Located],
    account: &Account<'_>,
    path: &str,
) -> Result<(), ScenarioError> {
    let found = before_the_link(facts)
        .or_else(|| after_the_closing(facts))
        .or_else(|| at_one_time(facts))
        .or_else(|| numbers(facts, account))
        .or_else(|| overlapping_refreshes(facts))
        .or_else(|| omissions(facts))
        .or_else(|| currencies(facts, account));
    match found {
        None => Ok(()),
        Some((line, key, problem)) => {
            Err(ScenarioError { line, key: format!("{path}.{key}"), problem })
        }
    }
}

/// A contradiction: its line, its key and the problem.
type Found = Option<(usize, &'static str, String)>;

/// The key that names the kind of an entry.
fn key_of(fact: &Fact) -> &'static str {
    match &fact.kind {
        FactKind::Appear { .. } => "appears",
        FactKind::Edit { status, .. } => key_of_edit(*status),
        FactKind::Renumber => "renumbers",
        FactKind::Omit { .. } => "omits",
        FactKind::NewNumber { .. } => "new_number",
        FactKind::Balance { .. } => "balance",
        FactKind::Owners(_) => "owners",
        FactKind::AccessEnds(_) => "access_ends",
        FactKind::Refresh { .. } => "refresh",
        FactKind::Refreshes { outcome, .. } => match outcome.cause {
            Some(_) => "refresh_fails",
            None => "refresh_takes",
        },
    }
}

/// Finds an entry whose whole effect is before the link, when there is no access and no refresh.
fn before_the_link(facts: &[Located]) -> Found {
    facts.iter().find_map(|At { line, value }| {
        let problem = match &value.kind {
            FactKind::AccessEnds(cause)
                if *cause != InactiveCause::AccountClosed && value.at < 0 =>
            {
                "an access ends after the link only; use a later day"
            }
            FactKind::Refreshes { until, .. } | FactKind::Omit { until, .. } if *until <= 0 => {
                "ends before the link, when there are no refreshes; use a later day"
            }
            _ => return None,
        };
        Some((*line, key_of(value), problem.to_owned()))
    })
}

/// Finds an entry after the one that closes the account.
fn after_the_closing(facts: &[Located]) -> Found {
    let closes =
        |fact: &&Located| fact.value.kind == FactKind::AccessEnds(InactiveCause::AccountClosed);
    let closing = facts.iter().find(closes)?;
    let later = facts.iter().find(|fact| fact.value.at > closing.value.at)?;
    // The outcome of a refresh with a number has no time.
    let is_timed = !matches!(later.value.kind, FactKind::Refresh { .. });
    let problem = format!(
        "line {} closes the account for good before this entry; remove one of them",
        closing.line
    );
    is_timed.then_some((later.line, key_of(&later.value), problem))
}

/// Finds two entries at one time of which only one can count.
fn at_one_time(facts: &[Located]) -> Found {
    let own = |fact: &Fact| match &fact.kind {
        FactKind::Balance { currency, .. } => Some(("balance", *currency)),
        FactKind::Owners(_) => Some(("owners", None)),
        FactKind::AccessEnds(_) => Some(("access_ends", None)),
        FactKind::NewNumber { .. } => Some(("new_number", None)),
        FactKind::Renumber => Some(("renumbers", None)),
        _ => None,
    };
    let mut known: BTreeMap<(i64, &str, Option<Currency>), usize> = BTreeMap::new();
    facts.iter().find_map(|At { line, value }| {
        let (key, currency) = own(value)?;
        let other = known.insert((value.at, key, currency), *line)?;
        let problem =
            format!("line {other} has the same event at the same time; remove one of them");
        Some((*line, key, problem))
    })
}

/// Finds a new number with the last four digits of the number that it replaces.
fn numbers(facts: &[Located], account: &Account<'_>) -> Found {
    let mut before = account.last4;
    facts.iter().find_map(|At { line, value }| {
        let FactKind::NewNumber { last4 } = &value.kind else { return None };
        let digits = last4.as_deref();
        let is_same = digits.is_some() && digits == before;
        before = digits;
        is_same.then(|| {
            let digits = digits.unwrap_or_default();
            let problem = format!("the number ends in {digits} already; use other digits");
            (*line, "last4", problem)
        })
    })
}

/// Finds two outcomes for one refresh, of which the later one would not count.
fn overlapping_refreshes(facts: &[Located]) -> Found {
    let mut known: Vec<(usize, Option<Feature>, i64)> = Vec::new();
    facts.iter().find_map(|At { line, value }| {
        let FactKind::Refreshes { feature, until, .. } = &value.kind else { return None };
        let overlaps = |(_, other, end): &&(usize, Option<Feature>, i64)| {
            let meets = feature.is_none() || other.is_none() || feature == other;
            meets && *end > value.at
        };
        if let Some((other, ..)) = known.iter().find(overlaps) {
            let problem = format!(
                "line {other} already sets the outcome of refreshes at this time; join the entries, \
                 or let the earlier one end before"
            );
            return Some((*line, key_of(value), problem));
        }
        known.push((*line, *feature, *until));
        None
    })
}

/// Finds an omission of a transaction that is not there, or of one transaction twice.
fn omissions(facts: &[Located]) -> Found {
    facts.iter().find_map(|At { line, value }| {
        let FactKind::Omit { ids, until } = &value.kind else { return None };
        ids.iter().enumerate().find_map(|(place, id)| {
            if ids[..place].contains(id) {
                return Some((*line, "omits", format!("'{id}' is there twice; remove one")));
            }
            let vanished = vanished_during(facts, id, value.at, *until)?;
            let problem = format!(
                "line {vanished} lets '{id}' vanish before this entry; name another transaction"
            );
            Some((*line, "omits", problem))
        })
    })
}

/// The line that lets a transaction vanish before a span, if it does not return before its end.
fn vanished_during(facts: &[Located], id: &str, from: i64, until: i64) -> Option<usize> {
    let mut vanished = None;
    for At { line, value } in facts.iter().filter(|fact| fact.value.at < until) {
        let FactKind::Edit { id: own, status, .. } = &value.kind else { continue };
        if own != id {
            continue;
        }
        match status {
            Some(StatusChange::Void) if value.at < from => vanished = Some(*line),
            Some(StatusChange::Pend) => vanished = None,
            _ => {}
        }
    }
    vanished
}

/// Finds an amount in another currency than its transaction has.
fn currencies(facts: &[Located], account: &Account<'_>) -> Found {
    let mut known: BTreeMap<&str, Currency> = BTreeMap::new();
    for At { value, .. } in facts {
        if let FactKind::Appear { id, currency, .. } = &value.kind {
            known.insert(id, currency.unwrap_or(account.currency));
        }
    }
    facts.iter().find_map(|At { line, value }| {
        let FactKind::Edit { id, amount, currency, .. } = &value.kind else { return None };
        let own = *known.get(id.as_str())?;
        let sent = currency.unwrap_or(account.currency);
        let counts = amount.is_some() || currency.is_some();
        (counts && sent != own).then(|| {
            let word = own.as_str();
            let problem = format!("'{id}' is in {word}; write currency = \"{word}\"");
            (*line, "currency", problem)
        })
    })
}
