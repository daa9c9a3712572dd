//! Tests of the test banks as a whole: through the connector's own calls, without the engine.

mod banks;
mod export;
mod follower;
mod generator;
mod ready;
mod scenario;

use super::*;
use crate::{Begin, Fetch, FetchAnswer, Input, LinkError, OfferedAccount, Step};
use model::clock::AccountTime;

/// When the accounts of these tests are linked: 2026-11-18.
const LINKED: AccountTime = AccountTime(1_795_000_000);

/// A bank on which everything that a timeline can say happens.
const TIMELINE: &str = "Timeline Bank";
/// The same, and it lists all of a window each time.
const TIMELINE_IN_SNAPSHOTS: &str = "Timeline Bank in Snapshots";

fn timeline() -> Arc<Scenario> {
    Arc::new(Scenario::read(include_str!("timeline.toml")).unwrap())
}

/// An account as the engine would keep it.
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

    fn fetch(&mut self, feature: Feature, sequence: u32, now: AccountTime) -> FetchAnswer {
        self.fetch_from(feature, sequence, now, now, None)
    }

    fn fetch_from(
        &mut self,
        feature: Feature,
        sequence: u32,
        started_at: AccountTime,
        now: AccountTime,
        cursor: Option<&[u8]>,
    ) -> FetchAnswer {
        let account = self.account();
        let waited_s = now.0 - started_at.0;
        let fetch = Fetch { account, feature, sequence, waited_s, cursor, now };
        let answer = self.sandbox.fetch(&fetch);
        if let Some(state) = &answer.new_state {
            self.state.clone_from(state);
        }
        answer
    }

    /// Keeps the state that a steering call answers.
    fn keep<T>(&mut self, steered: Result<Steered<T>, SteerError>) -> Result<T, SteerError> {
        steered.map(|steered| {
            self.state = steered.state;
            steered.made
        })
    }
}

fn log_in(sandbox: &Sandbox, institution: InstitutionId, holder: &str) -> Vec<OfferedAccount> {
    let begin = Begin { institution, holder_key: holder, now: LINKED };
    let (state, input) = match sandbox.begin(&begin).unwrap() {
        Step::Redirect { state } => (state, Input::Returned),
        Step::Ask { state, .. } => (state, Input::Fields(Vec::new())),
        Step::Done { accounts } => return accounts,
    };
    match sandbox.advance(&state, &input).unwrap() {
        Step::Done { accounts } => accounts,
        step => panic!("a plain login ends after one form, not with {step:?}"),
    }
}
