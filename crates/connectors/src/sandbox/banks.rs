//! All test banks of a server: finding a bank, and opening an account.

use super::account::Opened;
use super::bank::{AnyBank, institution, planned_institution};
use super::catalogue::{BANKS, Bank};
use super::identity::Identity;
use super::plan::Plan;
use super::scenario::{PlannedBank, Scenario};
use super::watch::Linked;
use crate::interface::{BankAccount, Institution, Replacement, Watch};
use model::clock::AccountTime;
use model::id::{InstitutionId, hash_number};
use std::sync::Arc;

/// Records and removals of a page, unless set otherwise.
const PAGE_ROWS: usize = 500;

/// All test banks of a server.
#[derive(Clone, Debug)]
pub struct Sandbox {
    pub(super) seed: u64,
    pub(super) page_rows: usize,
    /// The ids of the banks, in the order of the catalogue.
    ids: Arc<[InstitutionId]>,
    /// Banks in addition to the catalogue. Of two banks with one name, the first is used.
    scenarios: Vec<Arc<Scenario>>,
}

impl Sandbox {
    /// The test banks of a seed. The same seed gives the same banks on every server.
    pub fn new(seed: u64) -> Self {
        let id = |bank: &Bank| {
            let number = hash_number(&[b"institution", bank.name.as_bytes()]);
            InstitutionId::from_number(number)
        };
        let ids = BANKS.iter().map(id).collect();
        Self { seed, page_rows: PAGE_ROWS, ids, scenarios: Vec::new() }
    }

    /// Adds the banks of more scenarios, before those that are there. If two banks have one name,
    /// the newer one is used. The names of the catalogue keep their banks.
    #[must_use]
    pub fn with_scenarios(mut self, scenarios: impl IntoIterator<Item = Arc<Scenario>>) -> Self {
        self.scenarios.splice(0..0, scenarios);
        self
    }

    /// Sets the number of records and removals of a page, at least 1, for tests of paging.
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

    /// The bank of a current or older name in any case, of our id or of a published one. The name
    /// of a scenario leads to its first bank.
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

    /// The changes to an account that its bank makes on its own, and the time of the next one.
    pub fn watch(&self, account: &BankAccount<'_>, now: AccountTime) -> Watch {
        match self.open(account) {
            Some(opened) => opened.watch(now),
            // A foreign account never changes.
            None => Watch {
                lost: None,
                expected_deactivation: None,
                account_numbers: Vec::new(),
                next_change_at: None,
            },
        }
    }

    /// True if a bank may replace the numbers of its accounts.
    pub fn replaces_numbers(&self, institution: InstitutionId) -> bool {
        match self.find_bank(institution) {
            Some(AnyBank::Planned(bank)) => bank.accounts.iter().any(Plan::replaces_numbers),
            Some(AnyBank::Catalogue(_)) | None => false,
        }
    }

    /// A linked account with its current number. Returns `None` if it has its first number.
    pub fn replacement(&self, account: &BankAccount<'_>, now: AccountTime) -> Option<Replacement> {
        let (identity, plan) = Identity::find(account.credential)?;
        let plan = plan?.replaced(identity.seed, account.linked_at, now)?;
        let number = plan.number?;
        let first = identity.renumbered(number.seed);
        let current = identity.renumbered(number.current_seed());
        Some(Replacement {
            offered: first.bank_account(),
            bank_account: current.bank_account(),
            last4: Some(plan.last4.clone().unwrap_or_else(|| current.last4())),
            credential: current.planned_credential(&plan),
        })
    }

    /// The banks of scenarios, each with the name of its scenario.
    fn planned_banks(&self) -> impl Iterator<Item = (&str, &PlannedBank)> {
        self.scenarios
            .iter()
            .flat_map(|scenario| scenario.banks().iter().map(|bank| (scenario.name.as_str(), bank)))
    }

    pub(super) fn find_bank(&self, id: InstitutionId) -> Option<AnyBank<'_>> {
        if let Some(bank) = self.find_catalogue_bank(id) {
            return Some(AnyBank::Catalogue(bank));
        }
        let planned = self.planned_banks().find(|(_, bank)| bank.id == id);
        planned.map(|(_, bank)| AnyBank::Planned(bank))
    }

    fn find_catalogue_bank(&self, id: InstitutionId) -> Option<&'static Bank> {
        self.ids.iter().zip(&BANKS).find(|(known, _)| **known == id).map(|(_, bank)| bank)
    }

    /// Opens an account. Returns `None` for an account of another connector.
    pub(super) fn open(&self, account: &BankAccount<'_>) -> Option<Opened> {
        let (identity, plan) = Identity::find(account.credential)?;
        let linked = Linked { first: account.linked_at, last: account.relinked_at };
        if let Some(plan) = plan {
            return Some(Opened::planned(identity, plan, linked));
        }
        let bank = self.find_catalogue_bank(account.institution)?;
        let account = bank.find_account(&identity.name)?;
        Some(Opened::catalogue(identity, bank, account, linked))
    }
}
