//! The test banks: a connector like any other, behind which stands no bank but a pure function of
//! (account seed, time) and what tests changed.
//!
//! - `institutions` is the catalogue, `link` the login, `identity` the credential.
//! - `life` makes what happens by itself, `days` walks through it, `ledger` lays changes by hand
//!   over it, `feed` tells a follower of it page by page, `cursor` remembers what was told.
//! - `state` holds what tests did, `steer` does it and answers what the bank's own books say.
//! - `watch` ends accesses and lets numbers expire, `owners` knows who owns an account.
//! - `scenario` reads banks, accounts and their timelines from files; `nature` is what happens by
//!   itself on an account of either kind.
//!
//! Nothing is kept between calls, so a crash changes nothing.

mod catalogue;
mod control;
mod cursor;
mod days;
pub mod export;
mod feed;
mod fetch;
mod generator;
mod identity;
mod ledger;
mod link;
mod owners;
mod plan;
mod profile;
mod random;
mod routine;
pub mod scenario;
mod state;
#[cfg(test)]
mod tests;
mod texts;
mod watch;

pub use control::{NewTransaction, OWNERS_MAX, SteerError, Steered, TransactionChange};
pub use ledger::LedgerEntry;
pub use state::{Script, StatusChange};

use crate::{BankAccount, Institution, Watch};
use catalogue::{BANKS, Bank, Login, Owners, TestAccount};
use generator::Life;
use identity::Identity;
use ledger::{Books, Source};
use model::account::Category;
use model::bank::Feature;
use model::clock::{AccountTime, DAY_S};
use model::id::{InstitutionId, hash_number};
use model::money::Currency;
use plan::Plan;
use profile::Nature;
use scenario::{PlannedBank, Scenario};
use state::Change;
use std::sync::Arc;
use watch::Linked;

/// Records and removals of a page, unless set otherwise.
const PAGE_ROWS: usize = 500;
/// Test banks close at the end of the year 9999.
const SECOND_MAX: i64 = 253_402_300_799;

/// All test banks of a server.
#[derive(Clone, Debug)]
pub struct Sandbox {
    seed: u64,
    page_rows: usize,
    /// The ids of the banks, in the order of the catalogue.
    ids: Arc<[InstitutionId]>,
    /// Banks beside the catalogue; of the same name, the first counts.
    scenarios: Vec<Arc<Scenario>>,
}

/// A bank of the catalogue or of a scenario.
#[derive(Clone, Copy, Debug)]
enum AnyBank<'a> {
    Catalogue(&'static Bank),
    Planned(&'a PlannedBank),
}

impl AnyBank<'_> {
    fn login(self) -> Login {
        match self {
            Self::Catalogue(bank) => bank.login,
            Self::Planned(bank) => bank.login,
        }
    }
}

/// What is known of an account beside its holder.
enum Known {
    Catalogue(&'static Bank, &'static TestAccount),
    Planned(Box<Plan>),
}

/// An account that has been found: in the catalogue, or in its own credential.
struct Opened {
    known: Known,
    identity: Identity,
    linked: Linked,
    /// The second with which the bank's books begin.
    start: i64,
    /// The timeline of a scenario, at the times of this account.
    script: Vec<Change>,
    /// When a scenario renumbers, likewise.
    renumberings: Vec<i64>,
}

impl Opened {
    /// A time as test banks count: between 1970 and 9999.
    fn second(at: AccountTime) -> i64 {
        at.0.clamp(0, SECOND_MAX)
    }

    /// The bank's books; `changes` is the part of the log of what tests did that counts.
    fn books<'a>(&'a self, changes: &'a [Change]) -> Books<'a> {
        let nature = match &self.known {
            Known::Catalogue(_, account) => Nature::Life(Life {
                seed: self.identity.seed,
                pattern: account.pattern,
                scale: account.scale,
                partner: self.identity.partner,
            }),
            Known::Planned(plan) => plan.nature(self.linked.first),
        };
        let source = Source {
            nature,
            currency: self.currency(),
            start: self.start,
            linked_at: self.linked.first.0,
            script: &self.script,
            renumberings: &self.renumberings,
        };
        Books::open(source, changes)
    }

    fn currency(&self) -> Currency {
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

    /// Whether a fetch of transactions lists all of a window.
    fn snapshots(&self) -> bool {
        match &self.known {
            Known::Catalogue(bank, _) => bank.snapshots,
            Known::Planned(plan) => plan.snapshots,
        }
    }

    /// What is special about the owners of an account of the catalogue.
    fn owners_kind(&self) -> Option<Owners> {
        match &self.known {
            Known::Catalogue(_, account) => Some(account.owners),
            Known::Planned(_) => None,
        }
    }
}

impl Sandbox {
    /// The test banks of a seed: the same seed gives the same banks on every server.
    pub fn new(seed: u64) -> Self {
        let id = |bank: &Bank| {
            let number = hash_number(&[b"institution", bank.name.as_bytes()]);
            InstitutionId::from_number(number)
        };
        let ids = BANKS.iter().map(id).collect();
        Self { seed, page_rows: PAGE_ROWS, ids, scenarios: Vec::new() }
    }

    /// The same banks and those of more scenarios, which come before those that are there: where
    /// two have a name, the newer one counts. The catalogue's names stay its own.
    #[must_use]
    pub fn with_scenarios(mut self, scenarios: impl IntoIterator<Item = Arc<Scenario>>) -> Self {
        self.scenarios.splice(0..0, scenarios);
        self
    }

    /// The same banks with pages of this many records and removals, for tests of paging. At least 1.
    #[must_use]
    pub fn with_page_rows(self, page_rows: usize) -> Self {
        assert!(page_rows > 0, "a page without rows would never end a fetch");
        Self { page_rows, ..self }
    }

    /// The test banks, featured ones first, those of scenarios last.
    pub fn institutions(&self) -> Vec<Institution> {
        let catalogue = self.ids.iter().zip(&BANKS).map(|(id, bank)| institution(*id, bank));
        let mut institutions: Vec<Institution> = catalogue.collect();
        for (_, bank) in self.planned_banks() {
            if !institutions.iter().any(|known| known.id == bank.id) {
                institutions.push(planned_institution(bank));
            }
        }
        institutions
    }

    /// The bank of a current or older name in any case, of our id or of a published one. The name of
    /// a scenario stands for its first bank.
    pub fn find_institution(&self, name_or_id: &str) -> Option<Institution> {
        let wanted: Option<InstitutionId> = name_or_id.parse().ok();
        let known = self
            .ids
            .iter()
            .zip(&BANKS)
            .find(|(id, bank)| wanted == Some(**id) || bank.is_called(name_or_id))
            .map(|(id, bank)| institution(*id, bank));
        known.or_else(|| {
            let by_bank = self.planned_banks().find(|(_, bank)| {
                wanted == Some(bank.id) || bank.name.eq_ignore_ascii_case(name_or_id)
            });
            let by_scenario =
                || self.planned_banks().find(|(name, _)| name.eq_ignore_ascii_case(name_or_id));
            by_bank.or_else(by_scenario).map(|(_, bank)| planned_institution(bank))
        })
    }

    /// The banks of scenarios, with the names of these.
    fn planned_banks(&self) -> impl Iterator<Item = (&str, &PlannedBank)> {
        self.scenarios
            .iter()
            .flat_map(|scenario| scenario.banks().iter().map(|bank| (scenario.name.as_str(), bank)))
    }

    /// Tells what a bank has done to an account by itself, and when it does more.
    pub fn watch(&self, account: &BankAccount<'_>, now: AccountTime) -> Watch {
        let Some(opened) = self.open(account) else {
            // Not ours: nothing happens to it.
            return Watch {
                lost: None,
                expected_deactivation: None,
                account_numbers: Vec::new(),
                next_change_at: None,
            };
        };
        match &opened.known {
            Known::Catalogue(_, known) => watch::watch(known, opened.linked, now),
            Known::Planned(plan) => plan.watch(opened.linked, now),
        }
    }

    fn find_bank(&self, id: InstitutionId) -> Option<AnyBank<'_>> {
        if let Some(place) = self.ids.iter().position(|known| *known == id) {
            return BANKS.get(place).map(AnyBank::Catalogue);
        }
        let planned = self.planned_banks().find(|(_, bank)| bank.id == id);
        planned.map(|(_, bank)| AnyBank::Planned(bank))
    }

    fn open(&self, account: &BankAccount<'_>) -> Option<Opened> {
        let (identity, plan) = Identity::find(account.credential)?;
        let linked = Linked { first: account.linked_at, last: account.relinked_at };
        let Some(plan) = plan else {
            let place = self.ids.iter().position(|known| *known == account.institution)?;
            let bank = BANKS.get(place)?;
            let known = Known::Catalogue(bank, bank.find_account(&identity.name)?);
            let start = Opened::second(account.linked_at.plus(-bank.history_days * DAY_S));
            let (script, renumberings) = (Vec::new(), Vec::new());
            return Some(Opened { known, identity, linked, start, script, renumberings });
        };
        Some(Opened {
            identity,
            linked,
            start: Opened::second(AccountTime(plan.start(linked.first))),
            script: plan.script(linked.first),
            renumberings: plan.renumberings(linked.first),
            known: Known::Planned(Box::new(plan)),
        })
    }
}

/// Every test bank gives all features.
const FEATURES: [Feature; 3] = [Feature::Balance, Feature::Ownership, Feature::Transactions];

fn institution(id: InstitutionId, bank: &'static Bank) -> Institution {
    Institution {
        id,
        name: bank.name.to_owned(),
        description: bank.description.to_owned(),
        oauth: matches!(bank.login, Login::OAuth | Login::OAuthPick),
        picks_accounts: bank.login == Login::OAuthPick,
        features: FEATURES.to_vec(),
        accounts: bank.accounts.iter().map(|account| link::unclaimed(bank, account)).collect(),
    }
}

fn planned_institution(bank: &PlannedBank) -> Institution {
    let accounts = bank.accounts.iter().enumerate();
    Institution {
        id: bank.id,
        name: bank.name.clone(),
        description: bank.description.clone(),
        oauth: bank.login == Login::OAuth,
        picks_accounts: false,
        features: FEATURES.to_vec(),
        accounts: accounts.map(|(place, plan)| link::unclaimed_plan(plan, place == 0)).collect(),
    }
}
