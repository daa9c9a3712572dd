//! The test banks: a connector like any other, behind which stands no bank but a pure function of
//! (account seed, time) and what tests changed.
//!
//! - `institutions` is the catalogue, `link` the login, `identity` the credential.
//! - `life` makes what happens by itself, `ledger` lays changes by hand over it, `feed` tells a
//!   follower of it page by page, `cursor` remembers what was told.
//! - `state` holds what tests did, `steer` does it and answers what the bank's own books say.
//! - `watch` ends accesses and lets numbers expire, `owners` knows who owns an account.
//!
//! Nothing is kept between calls, so a crash changes nothing.

pub mod calendar;
mod cursor;
mod feed;
mod fetch;
mod identity;
mod institutions;
mod ledger;
mod life;
mod link;
mod owners;
mod random;
mod state;
mod steer;
#[cfg(test)]
mod tests;
mod texts;
mod watch;

pub use ledger::LedgerEntry;
pub use state::{Script, StatusChange};
pub use steer::{NewTransaction, OWNERS_MAX, SteerError, Steered, TransactionChange};

use crate::{BankAccount, Institution, Watch};
use identity::Identity;
use institutions::{BANKS, Bank, Login, TestAccount};
use life::Life;
use model::bank::Feature;
use model::clock::{AccountTime, DAY_S};
use model::id::{InstitutionId, hash_number};
use std::sync::Arc;

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
}

/// An account that has been found in the catalogue.
struct Opened {
    bank: &'static Bank,
    account: &'static TestAccount,
    identity: Identity,
    life: Life,
    /// The second with which the bank's books begin.
    start: i64,
}

impl Opened {
    /// A time as test banks count: between 1970 and 9999.
    fn second(at: AccountTime) -> i64 {
        at.0.clamp(0, SECOND_MAX)
    }
}

impl Sandbox {
    /// The test banks of a seed: the same seed gives the same banks on every server.
    pub fn new(seed: u64) -> Self {
        let id = |bank: &Bank| {
            let number = hash_number(&[b"institution", bank.name.as_bytes()]);
            InstitutionId::from_number(number)
        };
        Self { seed, page_rows: PAGE_ROWS, ids: BANKS.iter().map(id).collect() }
    }

    /// The same banks with pages of this many records and removals, for tests of paging. At least 1.
    #[must_use]
    pub fn with_page_rows(self, page_rows: usize) -> Self {
        assert!(page_rows > 0, "a page without rows would never end a fetch");
        Self { page_rows, ..self }
    }

    /// The test banks, featured ones first.
    pub fn institutions(&self) -> Vec<Institution> {
        self.ids.iter().zip(&BANKS).map(|(id, bank)| institution(*id, bank)).collect()
    }

    /// The bank of a current or older name in any case, of our id or of a published one.
    pub fn find_institution(&self, name_or_id: &str) -> Option<Institution> {
        let wanted: Option<InstitutionId> = name_or_id.parse().ok();
        let names = |bank: &Bank| {
            bank.name.eq_ignore_ascii_case(name_or_id)
                || bank.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name_or_id))
        };
        self.ids
            .iter()
            .zip(&BANKS)
            .find(|(id, bank)| wanted == Some(**id) || names(bank))
            .map(|(id, bank)| institution(*id, bank))
    }

    /// Tells what a bank has done to an account by itself, and when it does more.
    pub fn watch(&self, account: &BankAccount<'_>, now: AccountTime) -> Watch {
        let linked = watch::Linked { first: account.linked_at, last: account.relinked_at };
        match self.open(account) {
            Some(opened) => watch::watch(opened.account, linked, now),
            // Not ours: nothing happens to it.
            None => Watch {
                lost: None,
                expected_deactivation: None,
                account_numbers: Vec::new(),
                next_change_at: None,
            },
        }
    }

    fn find_bank(&self, id: InstitutionId) -> Option<&'static Bank> {
        let place = self.ids.iter().position(|known| *known == id)?;
        BANKS.get(place)
    }

    fn open(&self, account: &BankAccount<'_>) -> Option<Opened> {
        let bank = self.find_bank(account.institution)?;
        let identity = Identity::find(account.credential)?;
        let known = bank.find_account(&identity.name)?;
        let life = Life {
            seed: identity.seed,
            pattern: known.pattern,
            scale: known.scale,
            partner: identity.partner,
        };
        let start = Opened::second(account.linked_at.plus(-bank.history_days * DAY_S));
        Some(Opened { bank, account: known, identity, life, start })
    }
}

fn institution(id: InstitutionId, bank: &'static Bank) -> Institution {
    Institution {
        id,
        name: bank.name.to_owned(),
        description: bank.description.to_owned(),
        oauth: matches!(bank.login, Login::OAuth | Login::OAuthPick),
        picks_accounts: bank.login == Login::OAuthPick,
        features: vec![Feature::Balance, Feature::Ownership, Feature::Transactions],
        accounts: bank.accounts.iter().map(|account| link::unclaimed(bank, account)).collect(),
    }
}
