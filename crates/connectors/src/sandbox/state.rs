//! What tests have done to a bank account: the connector's own bytes beside it.
//!
//! Bank-side changes form a log that only grows; a delta cursor remembers how much of the log its
//! fetch has seen, so that no change is missed even when many are made within one second. Scripted
//! outcomes form a queue; a refresh takes its script at its first page and is *bound* to it, so that
//! a crash, a delay or a second page never takes another.

use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::AccountTime;
use model::limits;
use model::money::Currency;
use model::refresh::RefreshCause;
use serde::{Deserialize, Serialize};

/// The version that is written; no other is read.
const VERSION: u8 = 1;
/// What the ids of added transactions begin with.
pub(super) const ADDED_PREFIX: &str = "added-";

/// The state of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    version: u8,
    /// The log of bank-side changes to transactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) balance: Option<BalanceOffset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owners: Option<Vec<BankOwner>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) scripts: Vec<Script>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<Binding>,
}

/// One bank-side change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// When it was made, in the account's time.
    pub(super) at: AccountTime,
    /// The transaction.
    pub(super) bank_id: String,
    pub(super) what: What,
}

/// What a change does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    /// A transaction that nature did not make.
    Add {
        amount: i64,
        currency: Currency,
        description: String,
        transacted_at: AccountTime,
        status: BankStatus,
    },
    /// Other facts about a transaction; what is absent stays.
    Edit {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<StatusChange>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transacted_at: Option<AccountTime>,
    },
}

/// What the bank does to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusChange {
    /// Posts a pending one.
    Post,
    /// Makes a pending or posted one vanish.
    Void,
    /// Keeps a pending one pending until told otherwise, or shows a vanished one again, pending.
    Pend,
}

/// How far a balance stands from what was posted, in minor units of the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BalanceOffset {
    pub(super) current: i64,
    pub(super) available: i64,
}

/// How coming refreshes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Of which feature; of any, when absent.
    pub feature: Option<Feature>,
    /// Why they fail; they succeed without.
    pub cause: Option<RefreshCause>,
    /// How long they take, in seconds of the account's time; not negative.
    pub delay_s: i64,
    /// How many refreshes it is for; at least 1.
    pub times: u32,
}

/// A refresh that has taken its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Binding {
    feature: Feature,
    sequence: u32,
    script: Script,
}

impl State {
    /// Reads the bytes; none are an untouched account. Nothing when they are not a state.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self { version: VERSION, ..Self::default() });
        }
        let state: Self = serde_json::from_slice(bytes).ok()?;
        (state.version == VERSION).then_some(state)
    }

    /// Writes the bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Plain values with text keys always serialise; an empty answer would be an untouched
        // account, and the assertion keeps that from being stored.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        assert!(!bytes.is_empty(), "plain values always serialise");
        bytes
    }

    /// The script of a refresh. At its first page it takes the first of the queue that fits; the
    /// flag says whether that changed the state.
    pub(super) fn bind(
        &mut self,
        feature: Feature,
        sequence: u32,
        first_page: bool,
    ) -> (Option<Script>, bool) {
        let bound = self.bindings.iter().find(|binding| binding.feature == feature);
        if let Some(binding) = bound.filter(|binding| binding.sequence == sequence) {
            return (Some(binding.script), false);
        }
        let fits = |script: &Script| script.feature.is_none_or(|wanted| wanted == feature);
        let Some(place) = self.scripts.iter().position(fits).filter(|_| first_page) else {
            return (None, false);
        };
        let script = self.scripts[place];
        if script.times > 1 {
            self.scripts[place].times -= 1;
        } else {
            self.scripts.remove(place);
        }
        self.bindings.retain(|binding| binding.feature != feature);
        self.bindings.push(Binding { feature, sequence, script });
        (Some(script), true)
    }

    /// Whether the log takes another change.
    pub(super) fn takes_change(&self) -> bool {
        self.changes.len() < limits::SCRIPTED_CHANGES_MAX
    }

    /// Whether the queue takes another script.
    pub(super) fn takes_script(&self) -> bool {
        self.scripts.len() < limits::SCRIPTED_OUTCOMES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(feature: Option<Feature>, times: u32) -> Script {
        Script { feature, cause: None, delay_s: 0, times }
    }

    /// A refresh takes the first script that fits, once, and keeps it; other features pass it by.
    #[test]
    fn a_refresh_takes_one_script_and_keeps_it() {
        let mut state = State::find(b"").unwrap();
        state.scripts.push(script(Some(Feature::Balance), 1));
        state.scripts.push(script(None, 2));
        let (taken, changed) = state.bind(Feature::Transactions, 4, true);
        assert_eq!((taken.map(|script| script.times), changed), (Some(2), true));
        let (kept, changed) = state.bind(Feature::Transactions, 4, true);
        assert_eq!((kept.map(|script| script.times), changed), (Some(2), false));
        assert_eq!(state.bind(Feature::Ownership, 1, false), (None, false));
        assert!(state.bind(Feature::Transactions, 5, true).1);
        assert_eq!(state.bind(Feature::Transactions, 6, true), (None, false));
        assert_eq!(state.scripts.len(), 1);
    }

    /// The bytes of a state are pinned: databases hold them.
    #[test]
    fn bytes_are_stable() {
        let mut state = State::find(b"").unwrap();
        state.changes.push(Change {
            at: AccountTime(5),
            bank_id: format!("{ADDED_PREFIX}1"),
            what: What::Edit {
                status: Some(StatusChange::Void),
                amount: None,
                description: None,
                transacted_at: None,
            },
        });
        state.bind(Feature::Balance, 1, true);
        let text = String::from_utf8(state.bytes()).unwrap();
        assert_eq!(State::find(text.as_bytes()), Some(state));
        assert_eq!(State::find(b"{\"version\":9}"), None);
        insta::assert_snapshot!(text, @r#"{"version":1,"changes":[{"at":5,"bank_id":"added-1","what":{"Edit":{"status":"Void"}}}]}"#);
    }
}
