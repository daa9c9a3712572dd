//! Scenarios: bank timelines as data. A scenario is one file of TOML or JSON that says which banks
//! there are, whose accounts they hold and what happens on them, in days after the link.
//!
//! - `tree` reads the file with its lines, `read` and `fact` make a [`Scenario`] of it; an error
//!   names line and key.
//! - `plan` is an account as its credential holds it: whole, so that a linked account goes on when
//!   the scenario is deleted, and shows the same on every server.
//! - `export` and `plaid` make files, which `write` writes: of what happened on an account, and of
//!   Plaid's custom users.
//! - `ready` holds the files that come with the server.
//! - `routine` makes the rows of stretches (a salary, groceries), day by day.
//!
//! An account of a scenario is a pure function of (scenario, time of the link, time), like every
//! other test account. Nothing is kept between calls, so a crash changes nothing.

mod fact;
mod money;
pub mod plaid;
mod read;
pub mod ready;
mod tree;
pub(super) mod write;

use super::catalogue::Login;
use super::plan::Plan;
use model::id::{InstitutionId, hash_number};

/// Where a file is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {}{problem}", if key.is_empty() { String::new() } else { format!("{key}: ") })]
pub struct ScenarioError {
    /// From 1.
    pub line: usize,
    /// The keys that lead there, with dots; empty where the file is no TOML or JSON at all.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// A scenario that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence or two; may be empty.
    pub description: String,
    banks: Vec<PlannedBank>,
}

/// A bank of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlannedBank {
    pub(super) id: InstitutionId,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) login: Login,
    pub(super) accounts: Vec<Plan>,
}

impl Scenario {
    /// Reads a file of TOML or JSON.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        read::read(text)
    }

    pub(super) fn banks(&self) -> &[PlannedBank] {
        &self.banks
    }

    /// Its banks with the names of their accounts, in the order of the file.
    pub fn outline(&self) -> Vec<(InstitutionId, &str, Vec<&str>)> {
        let mut outline = Vec::with_capacity(self.banks.len());
        for bank in &self.banks {
            let accounts = bank.accounts.iter().map(|account| account.name.as_str()).collect();
            outline.push((bank.id, bank.name.as_str(), accounts));
        }
        outline
    }
}

/// A bank's id: another file is another bank, even under the same name, since an account that is
/// linked again must not find another history under its old key.
fn institution_id(name: &str, text: &str) -> InstitutionId {
    InstitutionId::from_number(hash_number(&[b"scenario", name.as_bytes(), text.as_bytes()]))
}
