//! What happened on a test account, as a scenario: so that what was seen once can be replayed.
//!
//! Every row is written out with its course, whether nature made it, a scenario or a test, up to
//! now; what would happen later is not. Refreshes that failed or took long are named by their
//! numbers. Ids of transactions are others in a replay, everything else is the same, at the same
//! time after the link.

use super::plan::{Deed, Fact, Outcome, Plan};
use super::scenario::write::{Head, write};
use super::scenario::{Scenario, ScenarioError};
use crate::BankAccount;
use crate::sandbox::catalogue::Login;
use crate::sandbox::generator::Row;
use crate::sandbox::ledger::{Books, Touched};
use crate::sandbox::state::{BalanceOffset, Change, State, StatusChange, What};
use crate::sandbox::{Known, Opened, Sandbox, SteerError};
use model::account::InactiveCause;
use model::bank::{BankStatus, Feature};
use model::calendar::day_of_second;
use model::clock::{AccountTime, DAY_S};
use model::refresh::RefreshCause;

/// What replays are called, so that they stand beside the bank that they repeat.
const REPLAY: &str = "Replay of ";

/// A refresh that did not go as others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OddRefresh {
    /// Of which feature.
    pub feature: Feature,
    /// Its place in the order of the feature's refreshes.
    pub sequence: u32,
    /// Why it failed, if it did.
    pub cause: Option<RefreshCause>,
    /// How long it took, in seconds of the account's time.
    pub took_s: i64,
}

/// What happened to an account beside what its bank's books hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// In the order in which they ended.
    pub refreshes: Vec<OddRefresh>,
    /// When the access ended, and why.
    pub access_ends: Vec<(AccountTime, InactiveCause)>,
}

/// Why an account cannot be written as a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The account is none of a test bank, or its state is unreadable.
    #[error(transparent)]
    Account(#[from] SteerError),
    /// What happened is more than a scenario holds.
    #[error("its history does not fit into a scenario: {0}")]
    Bounds(ScenarioError),
}

impl Sandbox {
    /// Writes what happened on an account by a time; `institution` is the name of its bank.
    pub fn export(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        institution: &str,
        history: &History,
    ) -> Result<String, ExportError> {
        let (opened, state) = self.steer(account)?;
        let plan = opened.replay(&state, now, history);
        let name = match institution.strip_prefix(REPLAY) {
            Some(_) => institution.to_owned(),
            None => format!("{REPLAY}{institution}"),
        };
        let description = "What happened on one account, as it was exported.";
        let text = write(&Head { name: &name, description, institution: &name }, &[plan]);
        // The reader knows every bound; what it refuses is not worth to be kept.
        Scenario::read(&text).map_err(ExportError::Bounds)?;
        Ok(text)
    }
}

impl Opened {
    /// An account that goes through the same.
    fn replay(&self, state: &State, now: AccountTime, history: &History) -> Plan {
        let second = Self::second(now);
        let books = self.books(&state.changes);
        let mut facts = self.rows(&books, second);
        facts.extend(history.refreshes.iter().map(|refresh| Fact {
            at: 0,
            what: Deed::Refresh {
                feature: refresh.feature,
                number: refresh.sequence,
                outcome: Outcome { cause: refresh.cause, delay_s: refresh.took_s },
            },
        }));
        let closed = |(_, cause): &&(_, InactiveCause)| *cause == InactiveCause::AccountClosed;
        // What a test did to an account after its bank had closed it, no file could say.
        let ends = history.access_ends.iter().position(|end| closed(&end));
        let ends = history.access_ends.iter().take(ends.map_or(usize::MAX, |place| place + 1));
        facts.extend(ends.map(|(at, cause)| Fact {
            at: at.0 - self.linked.first.0,
            what: Deed::AccessEnds(*cause),
        }));
        let renumberings = self.renumberings.iter().filter(|at| **at <= second);
        facts.extend(renumberings.map(|at| self.fact(*at, Deed::Renumber)));
        let mut planned_more = 0;
        if let Known::Planned(plan) = &self.known {
            planned_more = plan.available_more;
            let told = plan.facts.iter().filter(|fact| {
                let counts = match fact.what {
                    Deed::Balance { .. } => state.balance.is_none(),
                    Deed::Owners(_) => state.owners.is_none(),
                    _ => false,
                };
                counts && self.linked.first.plus(fact.at) <= now
            });
            facts.extend(told.cloned());
        }
        facts.sort_by_key(|fact| fact.at);
        let none = BalanceOffset { current: 0, available: planned_more };
        let offset = state.balance.unwrap_or(none);
        let at_link = self.books(&[]).sums(self.linked.first.0 - 1, None).0;
        let at_link = at_link.get(&self.currency()).copied().unwrap_or(0);
        let history_s = self.linked.first.0 - self.start;
        Plan {
            facts,
            balance: at_link.saturating_add(offset.current),
            available_more: offset.available.saturating_sub(offset.current),
            history_days: history_s.max(0) / DAY_S,
            ..self.described(state)
        }
    }

    /// The account without what happens on it.
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
                history_days: 0,
                balance: 0,
                available_more: 0,
                owners: Some(
                    state.owners.clone().unwrap_or_else(|| self.owners(self.linked.first)),
                ),
                seed: 0,
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
                stretches: Vec::new(),
                facts: Vec::new(),
                ..Plan::clone(plan)
            },
        }
    }

    fn fact(&self, at: i64, what: Deed) -> Fact {
        Fact { at: at - self.linked.first.0, what }
    }

    /// The rows of the books with their courses.
    fn rows(&self, books: &Books<'_>, now: i64) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut number = 0_usize;
        let mut id = || {
            number += 1;
            format!("t{number}")
        };
        books.source.nature.each(day_of_second(self.start)..=day_of_second(now), |row| {
            if books.shows(row, now) {
                let mut course = Course::new(self, id());
                course.natural(row, now, true);
                facts.append(&mut course.facts);
            }
        });
        for touched in &books.touched {
            let mut course = Course::new(self, id());
            course.touched(touched, books, now);
            facts.append(&mut course.facts);
        }
        facts
    }
}

/// What happens to one transaction, while it is being written.
struct Course<'a> {
    opened: &'a Opened,
    id: String,
    /// Where it stands; none when it is gone, or not there yet.
    status: Option<BankStatus>,
    currency: Option<model::money::Currency>,
    facts: Vec<Fact>,
}

impl<'a> Course<'a> {
    fn new(opened: &'a Opened, id: String) -> Self {
        Self { opened, id, status: None, currency: None, facts: Vec::new() }
    }

    /// What nature does to a row by a time; `for_its_amount` says whether it posts for the amount
    /// that nature means.
    fn natural(&mut self, row: &Row<'_>, until: i64, for_its_amount: bool) {
        let at_once = row.settles_at == row.transacted_at && !row.vanishes;
        let status = if at_once { BankStatus::Posted } else { BankStatus::Pending };
        let amount = if at_once { row.amount } else { row.announced };
        self.appear(row.transacted_at, (amount, row.description()), row.transacted_at, status);
        if at_once || row.settles_at > until {
            return;
        }
        let wanted = if row.vanishes { StatusChange::Void } else { StatusChange::Post };
        let differs = !row.vanishes && for_its_amount && row.amount != row.announced;
        self.edit(row.settles_at, Some(wanted), differs.then_some(row.amount), (None, None));
    }

    fn touched(&mut self, touched: &Touched<'_>, books: &Books<'_>, now: i64) {
        let changes = books.course(touched, now);
        let mut rest = changes.as_slice();
        if let Some(row) = &touched.natural {
            let sets =
                |change: &&&Change| matches!(change.what, What::Edit { status: Some(_), .. });
            let until = changes.iter().find(sets).map_or(now, |change| change.at.0);
            let settled_at = row.settles_at.min(until);
            // An amount that was set by hand before stays when nature posts.
            let set_before = changes.iter().any(|change| {
                change.at.0 <= settled_at
                    && matches!(change.what, What::Edit { amount: Some(_), .. })
            });
            self.natural(row, until, !set_before);
        } else if let Some((added, edits)) = changes.split_first() {
            rest = edits;
            if let What::Add { amount, currency, description, transacted_at, status } = &added.what
            {
                self.currency = Some(*currency);
                let facts = (*amount, description.clone());
                self.appear(added.at.0, facts, transacted_at.0, *status);
            }
        }
        for change in rest {
            if let What::Edit { status, amount, description, transacted_at } = &change.what {
                let dated = transacted_at.map(|at| at.0);
                self.edit(change.at.0, *status, *amount, (description.clone(), dated));
            }
        }
        self.facts.sort_by_key(|fact| fact.at);
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
        let what = Deed::Appear { id, amount, description, dated, status, currency };
        self.facts.push(self.opened.fact(at, what));
    }

    fn edit(
        &mut self,
        at: i64,
        wanted: Option<StatusChange>,
        amount: Option<i64>,
        (description, dated): (Option<String>, Option<i64>),
    ) {
        // What was told to stay pending, and is, changes nothing that a file could say.
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
        let what = Deed::Edit { id, status, amount, description, dated, currency };
        self.facts.push(self.opened.fact(at, what));
    }
}
