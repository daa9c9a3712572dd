//! Tests of the test banks as a whole, through the calls of the connector and without the engine.

mod banking;
mod banks;
mod check;
mod contradictions;
mod export;
mod follower;
mod generator;
mod logins;
mod money;
mod numbers;
mod omissions;
mod population;
mod ready;
mod scenario;

use super::scenario::Scenario;
use super::{
    Applied, ControlError, LedgerEntry, LedgerPage, LedgerPosition, NewTransaction, Sandbox,
    SandboxControl, Script, StatusChange, TransactionChange,
};
use crate::interface::{
    BankAccount, Begin, Fetch, FetchOutcome, Input, LinkError, OfferedAccount, Step,
};
use model::bank::Feature;
use model::clock::AccountTime;
use model::id::InstitutionId;
use std::sync::Arc;

/// The link time of the accounts in these tests: 2026-11-18.
const LINKED: AccountTime = AccountTime(1_795_000_000);

/// A bank with every kind of fact that a timeline can have.
const TIMELINE: &str = "Timeline Bank";
/// The same timeline at a bank that lists its whole window each time.
const TIMELINE_IN_SNAPSHOTS: &str = "Timeline Bank in Snapshots";

fn timeline() -> Arc<Scenario> {
    Arc::new(Scenario::read(include_str!("timeline.toml")).unwrap())
}

/// An account as the engine stores it.
#[derive(Clone, Debug)]
struct Example {
    sandbox: Sandbox,
    institution: InstitutionId,
    offered: OfferedAccount,
    linked_at: AccountTime,
    relinked_at: AccountTime,
    state: Vec<u8>,
}

impl Example {
    fn new(bank: &str, name: &str, holder: &str) -> Self {
        Self::at(Sandbox::new(1).with_scenarios([timeline()]), bank, name, holder)
    }

    fn at(sandbox: Sandbox, bank: &str, name: &str, holder: &str) -> Self {
        let institution = sandbox.find_institution(bank).unwrap().id;
        let offered = log_in(&sandbox, institution, holder);
        let offered = offered.into_iter().find(|account| account.name == name).unwrap();
        let (linked_at, relinked_at) = (LINKED, LINKED);
        Self { sandbox, institution, offered, linked_at, relinked_at, state: Vec::new() }
    }

    fn control(&self) -> SandboxControl {
        SandboxControl::new(self.sandbox.clone())
    }

    fn account(&self) -> BankAccount<'_> {
        BankAccount {
            institution: self.institution,
            bank_account: &self.offered.bank_account,
            linked_at: self.linked_at,
            relinked_at: self.relinked_at,
            credential: &self.offered.credential,
            state: &self.state,
        }
    }

    fn fetch(&mut self, feature: Feature, sequence: u32, now: AccountTime) -> FetchOutcome {
        self.fetch_from(feature, sequence, now, now, None)
    }

    fn fetch_from(
        &mut self,
        feature: Feature,
        sequence: u32,
        started_at: AccountTime,
        now: AccountTime,
        cursor: Option<&[u8]>,
    ) -> FetchOutcome {
        let account = self.account();
        let waited_s = now.0 - started_at.0;
        let fetch = Fetch { account, feature, sequence, waited_s, cursor, now };
        let response = self.sandbox.fetch(&fetch);
        if let Some(state) = &response.new_state {
            self.state.clone_from(state);
        }
        response
    }

    /// Stores the state that a control call returns.
    fn keep<T>(&mut self, applied: Result<Applied<T>, ControlError>) -> Result<T, ControlError> {
        applied.map(|applied| {
            self.state = applied.state;
            applied.made
        })
    }
}

fn log_in(sandbox: &Sandbox, institution: InstitutionId, holder: &str) -> Vec<OfferedAccount> {
    let begin = Begin { institution, holder_key: holder, now: LINKED };
    let mut step = sandbox.begin(&begin).unwrap();
    // A plain login has one form, and a bank may ask one question after it.
    for _ in 0..3 {
        let (state, input) = match step {
            Step::Redirect { state } => (state, Input::Returned),
            Step::Ask { state, .. } => (state, Input::Fields(Vec::new())),
            Step::Done { accounts } => return accounts,
        };
        step = sandbox.advance(&state, &input).unwrap();
    }
    panic!("a login ends after two forms, not with {step:?}")
}
