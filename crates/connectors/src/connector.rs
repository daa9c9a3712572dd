//! The connector: the one place that chooses a kind of bank data source.

use crate::interface::{
    BankAccount, Begin, Fetch, FetchOutcome, Input, Institution, LinkError, Replacement, Step,
    Watch,
};
use crate::sandbox::Sandbox;
use model::clock::AccountTime;
use model::id::InstitutionId;

/// Every kind of bank data source.
#[derive(Clone, Debug)]
pub enum Connector {
    /// The test banks.
    Sandbox(Sandbox),
}

impl Connector {
    /// The banks that the connector serves, featured ones first.
    pub fn institutions(&self) -> Vec<Institution> {
        match self {
            Self::Sandbox(sandbox) => sandbox.institutions(),
        }
    }

    /// The bank of a name or an id: a current or older name in any case, our id or a published one.
    pub fn find_institution(&self, name_or_id: &str) -> Option<Institution> {
        match self {
            Self::Sandbox(sandbox) => sandbox.find_institution(name_or_id),
        }
    }

    /// Begins a link.
    pub fn begin(&self, begin: &Begin<'_>) -> Result<Step, LinkError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.begin(begin),
        }
    }

    /// Continues a link after an input of the holder.
    pub fn advance(&self, state: &[u8], input: &Input) -> Result<Step, LinkError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.advance(state, input),
        }
    }

    /// Fetches one page.
    pub fn fetch(&self, fetch: &Fetch<'_>) -> FetchOutcome {
        match self {
            Self::Sandbox(sandbox) => sandbox.fetch(fetch),
        }
    }

    /// The changes to an account that the bank makes on its own.
    pub fn watch(&self, account: &BankAccount<'_>, now: AccountTime) -> Watch {
        match self {
            Self::Sandbox(sandbox) => sandbox.watch(account, now),
        }
    }

    /// True if a bank may replace the numbers of its accounts.
    pub fn replaces_numbers(&self, institution: InstitutionId) -> bool {
        match self {
            Self::Sandbox(sandbox) => sandbox.replaces_numbers(institution),
        }
    }

    /// A linked account with its current number. Returns `None` if it has its first number.
    pub fn replacement(&self, account: &BankAccount<'_>, now: AccountTime) -> Option<Replacement> {
        match self {
            Self::Sandbox(sandbox) => sandbox.replacement(account, now),
        }
    }

    /// Ends the access to an account at the bank.
    pub fn revoke(&self, account: &BankAccount<'_>) {
        match self {
            // The access to a test bank has no end to request.
            Self::Sandbox(_) => {
                let _ = account;
            }
        }
    }
}
