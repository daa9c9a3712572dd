//! An account of a scenario, as its credential holds it. All times are seconds after the link,
//! negative before it; all amounts minor units of the account's currency.
//!
//! The bytes are pinned: databases hold them. A field may be added with a default, none may change
//! its meaning.

use super::profile::Nature;
use super::routine::{Routine, Stretch};
use super::state::{BalanceOffset, Change, StatusChange, What};
use super::watch::Linked;
use crate::Watch;
use model::account::{
    AccountNumber, Category, InactiveCause, NumberStatus, NumberType, StatusAction, Subcategory,
};
use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::{AccountTime, DAY_S};
use model::money::Currency;
use model::refresh::RefreshCause;
use serde::{Deserialize, Serialize};

/// An account of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) category: Category,
    pub(super) subcategory: Subcategory,
    /// Whether it can pay by ACH.
    pub(super) payable: bool,
    pub(super) currency: Currency,
    /// The last four digits of its number; seeded by the holder when absent.
    pub(super) last4: Option<String>,
    /// Whether a fetch of transactions lists all of a window, instead of what changed.
    pub(super) snapshots: bool,
    /// Whether its holder logs in on the bank's own page: an export says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) bank_page: bool,
    /// How many days before the link its books begin.
    pub(super) history_days: i64,
    /// What is posted at the link, before anything happens on day 0.
    pub(super) balance: i64,
    /// How far what is available stands from what is posted and pending.
    pub(super) available_more: i64,
    /// What the bank tells of the owners at first; a seeded holder when absent.
    pub(super) owners: Option<Vec<BankOwner>>,
    /// What makes the rows of the stretches.
    pub(super) seed: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) stretches: Vec<Stretch>,
    /// In the order of their times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) facts: Vec<Fact>,
}

/// Something that happens at the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) at: i64,
    pub(super) what: Deed,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Deed {
    /// A transaction appears.
    Appear {
        id: String,
        amount: i64,
        description: String,
        dated: i64,
        status: BankStatus,
        /// The account's when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
    },
    /// A transaction changes; what is absent stays.
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
        /// That of the transaction, where it is not the account's: files write amounts by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
    },
    /// Every transaction has another id from now on.
    Renumber,
    /// The balance reads this now.
    Balance { current: i64, available: Option<i64> },
    /// The bank tells of these owners from now on.
    Owners(Vec<BankOwner>),
    /// Refreshes that are started from now on until another time go so.
    Refreshes { feature: Option<Feature>, until: i64, outcome: Outcome },
    /// The refresh of this number goes so, whenever it is.
    Refresh { feature: Feature, number: u32, outcome: Outcome },
    /// The access ends.
    AccessEnds(InactiveCause),
}

/// How a refresh goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Why it fails; it succeeds without.
    pub(super) cause: Option<RefreshCause>,
    /// How long it takes, in seconds.
    pub(super) delay_s: i64,
}

impl Plan {
    /// The second with which the bank's books begin: so many days before the link, or before the
    /// first fact.
    pub(super) fn start(&self, linked_at: AccountTime) -> i64 {
        let first = self.facts.iter().map(|fact| match fact.what {
            Deed::Appear { dated, .. } | Deed::Edit { dated: Some(dated), .. } => {
                dated.min(fact.at)
            }
            _ => fact.at,
        });
        let days = -self.history_days * DAY_S;
        linked_at.0.saturating_add(first.min().map_or(days, |first| first.min(days)))
    }

    /// What happens by itself, day by day.
    pub(super) fn nature(&self, linked_at: AccountTime) -> Nature<'_> {
        Nature::Routine(Routine {
            stretches: &self.stretches,
            seed: self.seed,
            linked_at: linked_at.0,
            balance: self.balance,
        })
    }

    /// What happens to transactions, at the times of an account that was linked then.
    pub(super) fn script(&self, linked_at: AccountTime) -> Vec<Change> {
        let facts = self.facts.iter();
        facts.filter_map(|fact| change(fact, linked_at, self.currency)).collect()
    }

    /// When the bank gives its transactions other ids.
    pub(super) fn renumberings(&self, linked_at: AccountTime) -> Vec<i64> {
        let renumbers = self.facts.iter().filter(|fact| fact.what == Deed::Renumber);
        renumbers.map(|fact| linked_at.plus(fact.at).0).collect()
    }

    /// How far the balance stands from the books at a time.
    pub(super) fn offset(
        &self,
        linked_at: AccountTime,
        now: AccountTime,
        books: impl Fn(i64) -> (i64, i64),
    ) -> BalanceOffset {
        let told = self.facts.iter().rev().find_map(|fact| match fact.what {
            Deed::Balance { current, available } if linked_at.plus(fact.at) <= now => {
                Some((linked_at.plus(fact.at).0, current, available))
            }
            _ => None,
        });
        let Some((at, current, available)) = told else {
            return BalanceOffset { current: 0, available: self.available_more };
        };
        let (posted, with_pending) = books(at);
        let moved = current.saturating_sub(posted);
        let available = match available {
            Some(available) => available.saturating_sub(with_pending),
            None => moved.saturating_add(self.available_more),
        };
        BalanceOffset { current: moved, available }
    }

    /// Who owns it, if the file says.
    pub(super) fn owners(&self, linked_at: AccountTime, now: AccountTime) -> Option<&[BankOwner]> {
        let told = self.facts.iter().rev().find_map(|fact| match &fact.what {
            Deed::Owners(owners) if linked_at.plus(fact.at) <= now => Some(owners),
            _ => None,
        });
        told.or(self.owners.as_ref()).map(Vec::as_slice)
    }

    /// How a refresh goes that was started at a time.
    pub(super) fn outcome(
        &self,
        linked_at: AccountTime,
        started_at: AccountTime,
        (wanted, sequence): (Feature, u32),
    ) -> Option<Outcome> {
        let by_number = self.facts.iter().find_map(|fact| match fact.what {
            Deed::Refresh { feature, number, outcome } => {
                (feature == wanted && number == sequence).then_some(outcome)
            }
            _ => None,
        });
        by_number.or_else(|| {
            self.facts.iter().find_map(|fact| match fact.what {
                Deed::Refreshes { feature, until, outcome } => {
                    let meant = feature.is_none_or(|feature| feature == wanted);
                    let span = linked_at.plus(fact.at)..linked_at.plus(until);
                    (meant && span.contains(&started_at)).then_some(outcome)
                }
                _ => None,
            })
        })
    }

    /// What the bank has done to the access by a time, and when it does more.
    pub(super) fn watch(&self, linked: Linked, now: AccountTime) -> Watch {
        let ends = self.facts.iter().filter_map(|fact| match fact.what {
            Deed::AccessEnds(cause) => Some((linked.first.plus(fact.at), cause)),
            _ => None,
        });
        let mut lost = None;
        let mut next_change_at = None;
        for (at, cause) in ends {
            let closed = cause == InactiveCause::AccountClosed;
            // What was lost before the newest login is back; but no login opens a closed account.
            let counts = closed || at >= linked.last;
            if at > now {
                next_change_at = next_change_at.or(Some(at));
            } else if counts && lost.is_none_or(|(cause, _)| cause != InactiveCause::AccountClosed)
            {
                let action = if closed { StatusAction::None } else { StatusAction::RelinkRequired };
                lost = Some((cause, action));
            }
        }
        let number = self.payable.then_some(AccountNumber {
            expected_expiry_at: None,
            identifier_type: NumberType::AccountNumber,
            status: NumberStatus::Transactable,
            announced: false,
        });
        let account_numbers = number.into_iter().collect();
        Watch { lost, expected_deactivation: None, account_numbers, next_change_at }
    }
}

fn change(fact: &Fact, linked_at: AccountTime, currency: Currency) -> Option<Change> {
    let at = linked_at.plus(fact.at);
    let (bank_id, what) = match &fact.what {
        Deed::Appear { id, amount, description, dated, status, currency: own } => {
            let what = What::Add {
                amount: *amount,
                currency: own.unwrap_or(currency),
                description: description.clone(),
                transacted_at: linked_at.plus(*dated),
                status: *status,
            };
            (id, what)
        }
        Deed::Edit { id, status, amount, description, dated, .. } => {
            let what = What::Edit {
                status: *status,
                amount: *amount,
                description: description.clone(),
                transacted_at: dated.map(|dated| linked_at.plus(dated)),
            };
            (id, what)
        }
        _ => return None,
    };
    Some(Change { at, bank_id: bank_id.clone(), what })
}
