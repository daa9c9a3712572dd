//! An account of a scenario, in the form that its credential holds. All times are seconds after the
//! link, negative before it. All amounts are minor units of the account's currency.
//!
//! The bytes are pinned, because databases store them. A new field needs a default, and no field
//! may change its meaning.

use super::banking::BankingDays;
use super::catalogue::Challenge;
use super::profile::Profile;
use super::routine::{Routine, Stretch};
use super::state::{BalanceOffset, Change, ChangeKind, StatusChange};
use super::sums::{Offsets, Sums, sum_of};
use super::watch::{ANNOUNCED_S, Linked};
use crate::interface::Watch;
use model::account::{
    AccountNumber, Category, ExpectedCause, ExpectedDeactivation, InactiveCause, NumberStatus,
    NumberType, StatusAction, Subcategory,
};
use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::{AccountTime, DAY_S};
use model::id::hash_number;
use model::money::Currency;
use model::refresh::RefreshCause;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of days that a first fetch and a snapshot reach back, unless a scenario sets it.
pub(super) const WINDOW_DAYS: i64 = 180;

/// An account of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) category: Category,
    pub(super) subcategory: Subcategory,
    /// True if it can pay by ACH.
    pub(super) payable: bool,
    pub(super) currency: Currency,
    /// The last four digits of its number. If absent, they come from the holder's seed.
    pub(super) last4: Option<String>,
    /// True if a fetch of transactions lists the whole window, and not only the changes.
    pub(super) snapshots: bool,
    /// True if its holder logs in on the bank's own page. An export writes it into the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) bank_page: bool,
    /// The question that its bank asks at every login. An export writes it into the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) challenge: Option<Challenge>,
    /// The seconds after each link until its bank requires a new login. For good if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) login_lasts_s: Option<i64>,
    /// The days on which its bank posts. Any time if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) banking: Option<BankingDays>,
    /// The number of days between the start of the ledger and the link.
    pub(super) history_days: i64,
    /// The number of days that a first fetch and a snapshot reach back. [`WINDOW_DAYS`] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) window_days: Option<i64>,
    /// The posted balance at the link, before the facts of day 0.
    pub(super) balance: i64,
    /// The available balance minus the sum of posted and pending transactions.
    pub(super) available_more: i64,
    /// The balances in other currencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) balances: Vec<Opening>,
    /// The amount below zero that the bank allows, in minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) overdraft: i64,
    /// The owners before any fact about owners. A holder made from the seed if absent.
    pub(super) owners: Option<Vec<BankOwner>>,
    /// The seed of the rows of the stretches.
    pub(super) seed: u64,
    /// The number of the account, if it replaces an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<Number>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) stretches: Vec<Stretch>,
    /// In the order of their times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) facts: Vec<Fact>,
}

/// A number that replaced the first number of an account. The timeline continues, counted from the
/// link of the account with the first number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Number {
    /// The time of the first link of the account with the first number.
    pub(super) day_zero: AccountTime,
    /// The number of replacements, at least 1.
    pub(super) generation: u64,
    /// The seed of the account with the first number.
    pub(super) seed: u64,
}

impl Number {
    /// The seed of the account with this number.
    pub(super) fn current_seed(self) -> u64 {
        hash_number(&[b"number", &self.seed.to_le_bytes(), &self.generation.to_le_bytes()])
    }
}

/// A balance at the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) currency: Currency,
    /// The posted balance, before the facts of day 0.
    pub(super) balance: i64,
    /// The available balance minus the sum of posted and pending transactions.
    pub(super) available_more: i64,
}

/// A time at which fetches leave a transaction out. The bank itself knows it all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Omission {
    pub(super) bank_id: String,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// An event at the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) at: i64,
    #[serde(rename = "what")]
    pub(super) kind: FactKind,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FactKind {
    /// A transaction appears.
    Appear {
        id: String,
        amount: i64,
        description: String,
        dated: i64,
        status: BankStatus,
        /// The currency of the amount. The account's currency if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
    },
    /// A transaction changes. An absent field stays as it is.
    Edit {
        id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<StatusChange>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<i64>,
        /// The transaction's currency if it differs from the account's. Files write the amount in
        /// it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
    },
    /// Every transaction has a new id from now on.
    Renumber,
    /// Fetches leave these transactions out from now on, until another time.
    Omit { ids: Vec<String>, until: i64 },
    /// The balance is set to these amounts.
    Balance {
        current: i64,
        available: Option<i64>,
        /// The currency of the amounts. The account's currency if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
    },
    /// The bank reports these owners from now on.
    Owners(Vec<BankOwner>),
    /// Refreshes that start from now on, until another time, have this outcome.
    Refreshes { feature: Option<Feature>, until: i64, outcome: Outcome },
    /// The refresh with this number has this outcome, at any time.
    Refresh { feature: Feature, number: u32, outcome: Outcome },
    /// The account gets another number. The access under the old one ends for good.
    NewNumber { last4: Option<String> },
    /// The access ends.
    AccessEnds(InactiveCause),
}

/// The outcome of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// The cause of the failure. The refresh succeeds if it is absent.
    pub(super) cause: Option<RefreshCause>,
    /// The duration of the refresh, in seconds.
    pub(super) delay_s: i64,
}

// The signature is that of serde.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Plan {
    /// The first second of the bank's ledger: `history_days` before the link, or the first fact if
    /// that is earlier.
    pub(super) fn start(&self, linked_at: AccountTime) -> i64 {
        let first = self.facts.iter().map(|fact| match fact.kind {
            FactKind::Appear { dated, .. } | FactKind::Edit { dated: Some(dated), .. } => {
                dated.min(fact.at)
            }
            _ => fact.at,
        });
        let days = -self.history_days * DAY_S;
        linked_at.0.saturating_add(first.min().map_or(days, |first| first.min(days)))
    }

    /// The time of day 0. `linked_at` is the time of the account's own first link.
    pub(super) fn day_zero(&self, linked_at: AccountTime) -> AccountTime {
        self.number.map_or(linked_at, |number| number.day_zero)
    }

    /// True if the timeline replaces the account's number.
    pub(super) fn replaces_numbers(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact.kind, FactKind::NewNumber { .. }))
    }

    /// The account with its number at a time. Returns `None` if it has its first number. `seed` is
    /// the seed of this account.
    pub(super) fn replaced(
        mut self,
        seed: u64,
        linked_at: AccountTime,
        now: AccountTime,
    ) -> Option<Self> {
        let day_zero = self.day_zero(linked_at);
        let mut generation = 0;
        for fact in self.facts.iter().filter(|fact| day_zero.plus(fact.at) <= now) {
            if let FactKind::NewNumber { last4 } = &fact.kind {
                generation += 1;
                self.last4.clone_from(last4);
            }
        }
        let seed = self.number.map_or(seed, |number| number.seed);
        self.number = Some(Number { day_zero, generation, seed });
        (generation > 0).then_some(self)
    }

    /// The natural rows of the account.
    pub(super) fn profile(&self, linked_at: AccountTime) -> Profile<'_> {
        Profile::Routine(Routine {
            stretches: &self.stretches,
            seed: self.seed,
            linked_at: linked_at.0,
            currency: self.currency,
            banking: self.banking,
        })
    }

    /// The changes to transactions, at the times of an account with this link.
    pub(super) fn script(&self, linked_at: AccountTime) -> Vec<Change> {
        let facts = self.facts.iter();
        let changes = facts.filter_map(|fact| change(fact, linked_at, self.currency));
        let script: Vec<Change> = changes.collect();
        match self.banking {
            Some(banking) => banking.delay(&script),
            None => script,
        }
    }

    /// The times at which the bank renumbers its transactions.
    pub(super) fn renumberings(&self, linked_at: AccountTime) -> Vec<i64> {
        let renumbers = self.facts.iter().filter(|fact| fact.kind == FactKind::Renumber);
        renumbers.map(|fact| linked_at.plus(fact.at).0).collect()
    }

    /// The times at which fetches leave transactions out, in the order of their starts.
    pub(super) fn omissions(&self, linked_at: AccountTime) -> Vec<Omission> {
        let mut omissions = Vec::new();
        for fact in &self.facts {
            let FactKind::Omit { ids, until } = &fact.kind else { continue };
            let (from, until) = (linked_at.plus(fact.at).0, linked_at.plus(*until).0);
            omissions.extend(ids.iter().cloned().map(|bank_id| Omission { bank_id, from, until }));
        }
        omissions
    }

    /// The balances at the link, the account's own currency first.
    pub(super) fn openings(&self) -> Vec<Opening> {
        let (currency, balance) = (self.currency, self.balance);
        let own = Opening { currency, balance, available_more: self.available_more };
        std::iter::once(own).chain(self.balances.iter().copied()).collect()
    }

    /// The differences between the balances and the ledger at a time.
    pub(super) fn offsets(
        &self,
        linked_at: AccountTime,
        now: AccountTime,
        ledger: impl Fn(i64) -> (Sums, Sums),
    ) -> Offsets {
        let mut offsets = Offsets::new();
        for Opening { currency, available_more, .. } in self.openings() {
            offsets.insert(currency, BalanceOffset { current: 0, available: available_more });
        }
        let set = self.facts.iter().filter_map(|fact| match fact.kind {
            FactKind::Balance { current, available, currency } => {
                let at = linked_at.plus(fact.at);
                let currency = currency.unwrap_or(self.currency);
                (at <= now).then_some((currency, (at.0, current, available)))
            }
            _ => None,
        });
        // The last entry of each currency counts.
        let newest: BTreeMap<Currency, (i64, i64, Option<i64>)> = set.collect();
        for (currency, (at, current, available)) in newest {
            let (posted, with_pending) = ledger(at);
            let moved = current.saturating_sub(sum_of(&posted, currency));
            let more = offsets.get(&currency).map_or(0, |offset| offset.available);
            let available = match available {
                Some(available) => available.saturating_sub(sum_of(&with_pending, currency)),
                None => moved.saturating_add(more),
            };
            offsets.insert(currency, BalanceOffset { current: moved, available });
        }
        offsets
    }

    /// The owners at a time, if the file names them.
    pub(super) fn owners(&self, linked_at: AccountTime, now: AccountTime) -> Option<&[BankOwner]> {
        let planned = self.facts.iter().rev().find_map(|fact| match &fact.kind {
            FactKind::Owners(owners) if linked_at.plus(fact.at) <= now => Some(owners),
            _ => None,
        });
        planned.or(self.owners.as_ref()).map(Vec::as_slice)
    }

    /// The outcome of a refresh that started at a time.
    pub(super) fn outcome(
        &self,
        linked_at: AccountTime,
        started_at: AccountTime,
        (wanted, sequence): (Feature, u32),
    ) -> Option<Outcome> {
        let by_number = self.facts.iter().find_map(|fact| match fact.kind {
            FactKind::Refresh { feature, number, outcome } => {
                (feature == wanted && number == sequence).then_some(outcome)
            }
            _ => None,
        });
        by_number.or_else(|| {
            self.facts.iter().find_map(|fact| match fact.kind {
                FactKind::Refreshes { feature, until, outcome } => {
                    let meant = feature.is_none_or(|feature| feature == wanted);
                    let span = linked_at.plus(fact.at)..linked_at.plus(until);
                    (meant && span.contains(&started_at)).then_some(outcome)
                }
                _ => None,
            })
        })
    }

    /// The state of the access at a time, and the time of its next change.
    pub(super) fn watch(&self, linked: Linked, now: AccountTime) -> Watch {
        let mut changes = Vec::new();
        let mut lost = self.lost(linked, now, &mut changes);
        let relink = StatusAction::RelinkRequired;
        let login_ends = self.login_lasts_s.map(|lasts_s| linked.last.plus(lasts_s));
        if lost.is_none() && login_ends.is_some_and(|at| at <= now) {
            lost = Some((InactiveCause::InstitutionRequirement, relink));
        }
        let expected_at = login_ends.filter(|_| lost.is_none());
        let expected_deactivation = expected_at.map(|at| ExpectedDeactivation {
            at,
            cause: ExpectedCause::InstitutionRequirement,
            action: relink,
            announced: at.plus(-ANNOUNCED_S) <= now,
        });
        changes.extend(expected_at.iter().flat_map(|at| [*at, at.plus(-ANNOUNCED_S)]));
        let number = self.payable.then_some(AccountNumber {
            expected_expiry_at: None,
            identifier_type: NumberType::AccountNumber,
            status: NumberStatus::Transactable,
            announced: false,
        });
        Watch {
            lost,
            expected_deactivation,
            account_numbers: number.into_iter().collect(),
            next_change_at: changes.into_iter().filter(|change| *change > now).min(),
        }
    }

    /// The loss of the access by the timeline. Adds the times of all losses to `changes`.
    fn lost(
        &self,
        linked: Linked,
        now: AccountTime,
        changes: &mut Vec<AccountTime>,
    ) -> Option<(InactiveCause, StatusAction)> {
        let mut lost = None;
        // A later number than the account's own ends the access.
        let mut numbers = self.number.map_or(0, |number| number.generation);
        for fact in &self.facts {
            let at = linked.first.plus(fact.at);
            let cause = match fact.kind {
                FactKind::AccessEnds(cause) => cause,
                FactKind::NewNumber { .. } if numbers > 0 => {
                    numbers -= 1;
                    continue;
                }
                FactKind::NewNumber { .. } => {
                    changes.push(at);
                    if at <= now {
                        let gone = InactiveCause::AccountUnavailable;
                        return Some((gone, StatusAction::RelinkRequired));
                    }
                    continue;
                }
                _ => continue,
            };
            changes.push(at);
            let closed = cause == InactiveCause::AccountClosed;
            // A new login restores a lost access, but it never opens a closed account.
            let counts = at <= now && (closed || at >= linked.last);
            if counts && lost.is_none_or(|(cause, _)| cause != InactiveCause::AccountClosed) {
                let action = if closed { StatusAction::None } else { StatusAction::RelinkRequired };
                lost = Some((cause, action));
            }
        }
        lost
    }
}

fn change(fact: &Fact, linked_at: AccountTime, currency: Currency) -> Option<Change> {
    let at = linked_at.plus(fact.at);
    let (bank_id, kind) = match &fact.kind {
        FactKind::Appear { id, amount, description, dated, status, currency: own } => {
            let kind = ChangeKind::Add {
                amount: *amount,
                currency: own.unwrap_or(currency),
                description: description.clone(),
                transacted_at: linked_at.plus(*dated),
                status: *status,
            };
            (id, kind)
        }
        FactKind::Edit { id, status, amount, description, dated, .. } => {
            let kind = ChangeKind::Edit {
                status: *status,
                amount: *amount,
                description: description.clone(),
                transacted_at: dated.map(|dated| linked_at.plus(dated)),
            };
            (id, kind)
        }
        _ => return None,
    };
    Some(Change { at, bank_id: bank_id.clone(), kind })
}
