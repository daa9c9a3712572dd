//! An opened test account: everything that its bank knows about it.
//!
//! The account's credential and the times of its links decide all of it, so opening an account
//! needs no memory. The connector's state, with the changes that tests made, comes as an argument.

use super::catalogue::{Bank, Owners, TestAccount};
use super::identity::Identity;
use super::ledger::{Ledger, Source};
use super::life::Life;
use super::owners::owners;
use super::pattern::{Generator, Scale};
use super::plan::{Omission, Opening, Outcome, Plan, WINDOW_DAYS};
use super::profile::Profile;
use super::state::{Change, State};
use super::sums::Offsets;
use super::watch::{self, Linked};
use crate::interface::{Fetch, Watch};
use model::account::Category;
use model::bank::{Balance, BalanceType, BankOwner};
use model::clock::{AccountTime, DAY_S};
use model::money::Currency;

/// The last second of the year 9999, after which the data of test banks no longer changes.
const SECOND_MAX: i64 = 253_402_300_799;

/// The kind of an account, with its description.
pub(super) enum Known {
    Catalogue(&'static Bank, &'static TestAccount),
    Planned(Box<Plan>),
}

/// An account that was found, in the catalogue or in its own credential.
pub(super) struct Opened {
    pub(super) known: Known,
    pub(super) identity: Identity,
    pub(super) linked: Linked,
    /// The first second of the bank's ledger.
    pub(super) start: i64,
    /// The balances of a scenario at the link, by currency.
    pub(super) openings: Vec<Opening>,
    /// The timeline of a scenario, at the times of this account.
    pub(super) script: Vec<Change>,
    /// The times at which a scenario renumbers the transactions.
    pub(super) renumberings: Vec<i64>,
    /// The times at which fetches of a scenario leave transactions out.
    pub(super) omissions: Vec<Omission>,
}

impl Opened {
    /// Opens an account of the catalogue.
    pub(super) fn catalogue(
        identity: Identity,
        bank: &'static Bank,
        account: &'static TestAccount,
        linked: Linked,
    ) -> Self {
        let start = Self::second(linked.first.plus(-bank.history_days * DAY_S));
        Self {
            known: Known::Catalogue(bank, account),
            identity,
            linked,
            start,
            openings: Vec::new(),
            script: Vec::new(),
            renumberings: Vec::new(),
            omissions: Vec::new(),
        }
    }

    /// Opens an account of a scenario.
    pub(super) fn planned(identity: Identity, plan: Plan, linked: Linked) -> Self {
        let linked = Linked { first: plan.day_zero(linked.first), ..linked };
        Self {
            identity,
            linked,
            start: Self::second(AccountTime(plan.start(linked.first))),
            openings: plan.openings(),
            script: plan.script(linked.first),
            renumberings: plan.renumberings(linked.first),
            omissions: plan.omissions(linked.first),
            known: Known::Planned(Box::new(plan)),
        }
    }

    /// A time within the range of the test banks: from 1970 to 9999.
    pub(super) fn second(at: AccountTime) -> i64 {
        at.0.clamp(0, SECOND_MAX)
    }

    /// The bank's ledger with the changes that tests made, or with the first of them.
    pub(super) fn ledger<'a>(&'a self, changes: &'a [Change]) -> Ledger<'a> {
        let profile = match &self.known {
            Known::Catalogue(_, account) => Profile::Generator(Generator {
                seed: self.identity.seed,
                pattern: account.pattern,
                scale: account.scale,
                partner: self.identity.partner,
                life: self.life(account),
            }),
            Known::Planned(plan) => plan.profile(self.linked.first),
        };
        let source = Source {
            profile,
            currency: self.currency(),
            openings: &self.openings,
            start: self.start,
            window_s: self.window_days() * DAY_S,
            linked_at: self.linked.first.0,
            script: &self.script,
            renumberings: &self.renumberings,
            omissions: &self.omissions,
        };
        Ledger::open(source, changes)
    }

    /// The life of the holder as an account shows it. Accounts with unusual amounts have a salary.
    fn life(&self, account: &TestAccount) -> Life {
        match (self.identity.is_original, account.scale) {
            (true, _) => Life::ORIGINAL,
            (false, Scale::Ordinary) => Life::of(self.identity.holder),
            (false, _) => Life::SALARY,
        }
    }

    pub(super) fn currency(&self) -> Currency {
        match &self.known {
            Known::Catalogue(..) => Currency::USD,
            Known::Planned(plan) => plan.currency,
        }
    }

    fn category(&self) -> Category {
        match &self.known {
            Known::Catalogue(_, account) => account.category,
            Known::Planned(plan) => plan.category,
        }
    }

    /// True if a fetch of transactions lists the whole window.
    pub(super) fn snapshots(&self) -> bool {
        match &self.known {
            Known::Catalogue(bank, _) => bank.snapshots,
            Known::Planned(plan) => plan.snapshots,
        }
    }

    /// The number of days that a first fetch and a snapshot reach back.
    fn window_days(&self) -> i64 {
        let planned = match &self.known {
            Known::Catalogue(..) => None,
            Known::Planned(plan) => plan.window_days,
        };
        planned.unwrap_or(WINDOW_DAYS)
    }

    /// The behaviour of the owners of an account of the catalogue.
    pub(super) fn owners_kind(&self) -> Option<Owners> {
        match &self.known {
            Known::Catalogue(_, account) => Some(account.owners),
            Known::Planned(_) => None,
        }
    }

    /// The changes to the access and to the number that the bank makes on its own.
    pub(super) fn watch(&self, now: AccountTime) -> Watch {
        match &self.known {
            Known::Catalogue(_, account) => watch::watch(account, self.linked, now),
            Known::Planned(plan) => plan.watch(self.linked, now),
        }
    }

    /// The balance as the bank computes it.
    pub(super) fn balance(&self, state: &State, now: AccountTime) -> Balance {
        let mut offsets = self.planned_offsets(state, now);
        if let Some(offset) = state.balance {
            offsets.insert(self.currency(), offset);
        }
        let ledger = self.ledger(&state.changes);
        let (current, available) = ledger.balances(Self::second(now), &offsets);
        let credit = self.category() == Category::Credit;
        Balance {
            as_of: now,
            current,
            balance_type: if credit { BalanceType::Credit } else { BalanceType::Cash },
            available_or_used: Some(available),
        }
    }

    /// The differences between the balances of a scenario and the ledger.
    fn planned_offsets(&self, state: &State, now: AccountTime) -> Offsets {
        let Known::Planned(plan) = &self.known else { return Offsets::new() };
        plan.offsets(self.linked.first, now, |at| {
            // Changes that a test made later had no part in the ledger of that time.
            let made = state.changes.iter().take_while(|change| change.at.0 <= at).count();
            self.ledger(&state.changes[..made]).sums(at)
        })
    }

    /// The outcome of a refresh that the scenario defines.
    pub(super) fn planned_outcome(&self, fetch: &Fetch<'_>) -> Option<Outcome> {
        let Known::Planned(plan) = &self.known else { return None };
        let started_at = fetch.now.plus(-fetch.waited_s);
        plan.outcome(self.linked.first, started_at, (fetch.feature, fetch.sequence))
    }

    /// The owners that the bank reports, unless a test changed them.
    pub(super) fn owners(&self, now: AccountTime) -> Vec<BankOwner> {
        match &self.known {
            Known::Catalogue(_, account) => {
                owners(account.owners, self.identity.holder, self.life(account))
            }
            Known::Planned(plan) => match plan.owners(self.linked.first, now) {
                Some(planned) => planned.to_vec(),
                None => owners(Owners::Complete(1), self.identity.holder, Life::SALARY),
            },
        }
    }
}
