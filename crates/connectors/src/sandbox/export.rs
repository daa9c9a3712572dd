//! Exports the history of a test account as a scenario, so that it can be replayed.
//!
//! The file holds every row up to now with all of its changes, whether it comes from the generator,
//! a scenario or a test. It holds no later row. Failed and slow refreshes are named by their
//! numbers. In a replay, the ids of transactions differ. Everything else is the same, at the same
//! time after the link.

use super::account::{Known, Opened};
use super::catalogue::Login;
use super::control::{ControlError, SandboxControl};
use super::ledger::Ledger;
use super::plan::{Fact, FactKind, Outcome, Plan};
use super::row::Row;
use super::scenario::write::{Head, write};
use super::scenario::{Scenario, ScenarioError};
use super::state::{BalanceOffset, Change, ChangeKind, State, StatusChange};
use super::sums::sum_of;
use super::touched::Touched;
use crate::interface::BankAccount;
use model::account::InactiveCause;
use model::bank::{BankStatus, Feature};
use model::calendar::day_of_second;
use model::clock::{AccountTime, DAY_S};
use model::refresh::RefreshCause;
use std::collections::{BTreeMap, BTreeSet};

/// The prefix of a replay's name, so that it can be used beside the original bank.
const REPLAY: &str = "Replay of ";

/// A refresh that failed or took time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OddRefresh {
    /// The feature.
    pub feature: Feature,
    /// The refresh's number among the refreshes of the feature.
    pub sequence: u32,
    /// The cause of the failure, if it failed.
    pub cause: Option<RefreshCause>,
    /// Its duration, in seconds of the account's time.
    pub took_s: i64,
}

/// The part of an account's history that is not in its bank's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// In the order of their ends.
    pub refreshes: Vec<OddRefresh>,
    /// The times at which the access ended, with the causes.
    pub access_ends: Vec<(AccountTime, InactiveCause)>,
}

/// An account that cannot be written as a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The account is not an account of a test bank, or its state is unreadable.
    #[error(transparent)]
    Account(#[from] ControlError),
    /// The history exceeds a bound of scenarios.
    #[error("its history does not fit into a scenario: {0}")]
    Bounds(ScenarioError),
}

impl SandboxControl {
    /// Writes the history of an account up to a time. `institution` is the name of its bank.
    pub fn export(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        institution: &str,
        history: &History,
    ) -> Result<String, ExportError> {
        let (opened, state) = self.open(account)?;
        let plan = opened.replay(&state, now, history);
        let name = match institution.strip_prefix(REPLAY) {
            Some(_) => institution.to_owned(),
            None => format!("{REPLAY}{institution}"),
        };
        let description = "The exported history of one account.";
        let text = write(&Head { name: &name, description, institution: &name }, &[plan]);
        // The reader knows every bound, so a file that it rejects is not returned.
        Scenario::read(&text).map_err(ExportError::Bounds)?;
        Ok(text)
    }
}

impl Opened {
    /// The account that replays the history.
    fn replay(&self, state: &State, now: AccountTime, history: &History) -> Plan {
        let second = Self::second(now);
        let ledger = self.ledger(&state.changes);
        let mut facts = self.rows(&ledger, second);
        facts.extend(history.refreshes.iter().map(|refresh| Fact {
            at: 0,
            kind: FactKind::Refresh {
                feature: refresh.feature,
                number: refresh.sequence,
                outcome: Outcome { cause: refresh.cause, delay_s: refresh.took_s },
            },
        }));
        let closed = |(_, cause): &&(_, InactiveCause)| *cause == InactiveCause::AccountClosed;
        // A file cannot express a change after the bank closed the account.
        let ends = history.access_ends.iter().position(|end| closed(&end));
        let ends = history.access_ends.iter().take(ends.map_or(usize::MAX, |end| end + 1));
        // Of several ends at one time, the last one counts.
        let ends: BTreeMap<i64, InactiveCause> =
            ends.map(|(at, cause)| (at.0 - self.linked.first.0, *cause)).collect();
        let ends =
            ends.into_iter().map(|(at, cause)| Fact { at, kind: FactKind::AccessEnds(cause) });
        facts.extend(ends);
        let renumberings: BTreeSet<&i64> =
            self.renumberings.iter().filter(|at| **at <= second).collect();
        let renumberings = renumberings.into_iter();
        facts.extend(renumberings.map(|at| self.fact(*at, FactKind::Renumber)));
        let mut planned_more = 0;
        if let Known::Planned(plan) = &self.known {
            planned_more = plan.available_more;
            let planned = plan.facts.iter().filter(|fact| {
                let counts = match fact.kind {
                    // A test sets the balance in the account's own currency.
                    FactKind::Balance { currency, .. } => {
                        let other = currency.is_some_and(|currency| currency != plan.currency);
                        other || state.balance.is_none()
                    }
                    FactKind::Owners(_) => state.owners.is_none(),
                    _ => false,
                };
                counts && self.linked.first.plus(fact.at) <= now
            });
            facts.extend(planned.cloned());
            // Earlier numbers than the account's own belong to other accounts.
            let generation = plan.number.map_or(0, |number| number.generation);
            let numbers = plan.facts.iter().filter(|fact| {
                let counts = matches!(fact.kind, FactKind::NewNumber { .. });
                counts && self.linked.first.plus(fact.at) <= now
            });
            let numbers = (1..).zip(numbers).filter(|(number, _)| *number > generation);
            facts.extend(numbers.map(|(_, fact)| fact.clone()));
        }
        facts.sort_by_key(|fact| fact.at);
        // Nor can it express other events after that.
        let closing = FactKind::AccessEnds(InactiveCause::AccountClosed);
        if let Some(closed_at) = facts.iter().find(|fact| fact.kind == closing).map(|fact| fact.at)
        {
            facts.retain(|fact| fact.at <= closed_at);
        }
        let none = BalanceOffset { current: 0, available: planned_more };
        let offset = state.balance.unwrap_or(none);
        let at_link = self.ledger(&[]).sums(self.linked.first.0 - 1).0;
        let at_link = sum_of(&at_link, self.currency());
        let history_s = self.linked.first.0 - self.start;
        Plan {
            facts,
            balance: at_link.saturating_add(offset.current),
            available_more: offset.available.saturating_sub(offset.current),
            history_days: history_s.max(0) / DAY_S,
            ..self.described(state)
        }
    }

    /// The account without its facts.
    fn described(&self, state: &State) -> Plan {
        let last4 = Some(self.identity.last4());
        match &self.known {
            Known::Catalogue(bank, account) => Plan {
                name: account.name.to_owned(),
                description: account.description.to_owned(),
                category: account.category,
                subcategory: account.subcategory,
                payable: account.payable,
                currency: self.currency(),
                last4,
                snapshots: bank.snapshots,
                bank_page: matches!(bank.login, Login::OAuth | Login::OAuthPick),
                challenge: None,
                login_lasts_s: None,
                banking: None,
                history_days: 0,
                window_days: None,
                balance: 0,
                available_more: 0,
                balances: Vec::new(),
                overdraft: 0,
                owners: Some(
                    state.owners.clone().unwrap_or_else(|| self.owners(self.linked.first)),
                ),
                seed: 0,
                number: None,
                stretches: Vec::new(),
                facts: Vec::new(),
            },
            Known::Planned(plan) => Plan {
                last4: plan.last4.clone().or(last4),
                owners: Some(
                    state
                        .owners
                        .clone()
                        .unwrap_or_else(|| self.owners(AccountTime(self.linked.first.0 - 1))),
                ),
                // The replay begins with the number that the account has.
                number: None,
                // The rows have the times at which they were posted.
                banking: None,
                stretches: Vec::new(),
                facts: Vec::new(),
                ..Plan::clone(plan)
            },
        }
    }

    fn fact(&self, at: i64, kind: FactKind) -> Fact {
        Fact { at: at - self.linked.first.0, kind }
    }

    /// The rows of the ledger with all of their changes.
    fn rows(&self, ledger: &Ledger<'_>, now: i64) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut number = 0_usize;
        let mut id = || {
            number += 1;
            format!("t{number}")
        };
        ledger.source.profile.each(day_of_second(self.start)..=day_of_second(now), |row| {
            if ledger.shows(row, now) {
                let mut course = Course::new(self, id());
                course.natural(row, now, true);
                facts.append(&mut course.facts);
            }
        });
        for touched in &ledger.touched {
            let mut course = Course::new(self, id());
            course.touched(touched, ledger, now);
            course.omitted(touched, now);
            facts.append(&mut course.facts);
        }
        facts
    }
}

/// The facts of one transaction while they are written.
struct Course<'a> {
    opened: &'a Opened,
    id: String,
    /// The current status. `None` before the transaction appears and after it vanishes.
    status: Option<BankStatus>,
    currency: Option<model::money::Currency>,
    facts: Vec<Fact>,
}

impl<'a> Course<'a> {
    fn new(opened: &'a Opened, id: String) -> Self {
        Self { opened, id, status: None, currency: None, facts: Vec::new() }
    }

    /// Adds the natural course of a row up to a time. If `sets_amount` is true, posting it sets the
    /// natural amount.
    fn natural(&mut self, row: &Row<'_>, until: i64, sets_amount: bool) {
        self.currency = row.currency;
        let at_once = row.settles_at == row.transacted_at && !row.vanishes;
        let status = if at_once { BankStatus::Posted } else { BankStatus::Pending };
        let amount = if at_once { row.amount } else { row.announced };
        self.appear(row.transacted_at, (amount, row.description()), row.transacted_at, status);
        if at_once || row.settles_at > until {
            return;
        }
        let wanted = if row.vanishes { StatusChange::Void } else { StatusChange::Post };
        let differs = !row.vanishes && sets_amount && row.amount != row.announced;
        self.edit(row.settles_at, Some(wanted), differs.then_some(row.amount), (None, None));
    }

    fn touched(&mut self, touched: &Touched<'_>, ledger: &Ledger<'_>, now: i64) {
        let changes = ledger.course(touched, now);
        let mut rest = changes.as_slice();
        if let Some(row) = &touched.natural {
            let sets =
                |change: &&&Change| matches!(change.kind, ChangeKind::Edit { status: Some(_), .. });
            let until = changes.iter().find(sets).map_or(now, |change| change.at.0);
            let settled_at = row.settles_at.min(until);
            // An amount that a test set earlier stays when the row is posted.
            let set_before = changes.iter().any(|change| {
                change.at.0 <= settled_at
                    && matches!(change.kind, ChangeKind::Edit { amount: Some(_), .. })
            });
            self.natural(row, until, !set_before);
        } else if let Some((added, edits)) = changes.split_first() {
            rest = edits;
            if let ChangeKind::Add { amount, currency, description, transacted_at, status } =
                &added.kind
            {
                self.currency = Some(*currency);
                let facts = (*amount, description.clone());
                self.appear(added.at.0, facts, transacted_at.0, *status);
            }
        }
        for change in rest {
            if let ChangeKind::Edit { status, amount, description, transacted_at } = &change.kind {
                let dated = transacted_at.map(|at| at.0);
                self.edit(change.at.0, *status, *amount, (description.clone(), dated));
            }
        }
        self.facts.sort_by_key(|fact| fact.at);
    }

    /// Adds the times at which fetches left the transaction out. A time that has not ended yet ends
    /// as the scenario defines.
    fn omitted(&mut self, touched: &Touched<'_>, now: i64) {
        let first = self.opened.linked.first.0;
        for span in touched.omissions.iter().filter(|span| span.start <= now) {
            let (ids, until) = (vec![self.id.clone()], span.end - first);
            self.facts.push(self.opened.fact(span.start, FactKind::Omit { ids, until }));
        }
    }

    fn appear(
        &mut self,
        at: i64,
        (amount, description): (i64, String),
        dated: i64,
        status: BankStatus,
    ) {
        self.status = Some(status);
        let (id, currency) = (self.id.clone(), self.currency);
        let dated = dated - self.opened.linked.first.0;
        let kind = FactKind::Appear { id, amount, description, dated, status, currency };
        self.facts.push(self.opened.fact(at, kind));
    }

    fn edit(
        &mut self,
        at: i64,
        wanted: Option<StatusChange>,
        amount: Option<i64>,
        (description, dated): (Option<String>, Option<i64>),
    ) {
        // A pending transaction that stays pending is no change, and a file cannot express it.
        let pending = self.status == Some(BankStatus::Pending);
        let status = wanted.filter(|wanted| *wanted != StatusChange::Pend || !pending);
        if status.is_none() && amount.is_none() && description.is_none() && dated.is_none() {
            return;
        }
        self.status = match status {
            Some(StatusChange::Post) => Some(BankStatus::Posted),
            Some(StatusChange::Pend) => Some(BankStatus::Pending),
            Some(StatusChange::Void) => None,
            None => self.status,
        };
        let dated = dated.map(|dated| dated - self.opened.linked.first.0);
        let (id, currency) = (self.id.clone(), self.currency);
        let kind = FactKind::Edit { id, status, amount, description, dated, currency };
        self.facts.push(self.opened.fact(at, kind));
    }
}
