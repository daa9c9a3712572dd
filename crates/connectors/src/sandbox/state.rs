//! The state of a test account: the changes that tests made. The engine stores its bytes beside the
//! account.
//!
//! - Changes at the bank form a log that only grows. A cursor holds the number of changes that its
//!   fetch has reported, so no change is missed even if many are made within one second.
//! - Scripted outcomes form a queue. A refresh takes its script at its first page and is *bound* to
//!   it, so a crash, a delay or a second page never takes another script.

use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::AccountTime;
use model::limits;
use model::money::Currency;
use model::refresh::RefreshCause;
use serde::{Deserialize, Serialize};

/// The version that is written. Other versions are not read.
const VERSION: u8 = 1;
/// The most owners of one account. A snapshot numbers owners with a byte.
pub const OWNERS_MAX: usize = 255;
/// The prefix of the ids of added transactions.
pub(super) const ADDED_PREFIX: &str = "added-";

/// The state of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    version: u8,
    /// The log of changes to transactions.
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

/// One change at the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// The account's time at which it was made.
    pub(super) at: AccountTime,
    /// The first id of the transaction.
    pub(super) bank_id: String,
    #[serde(rename = "what")]
    pub(super) kind: ChangeKind,
}

/// The kinds of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChangeKind {
    /// Adds a transaction.
    Add {
        amount: i64,
        currency: Currency,
        description: String,
        transacted_at: AccountTime,
        status: BankStatus,
    },
    /// Edits a transaction. An absent field stays as it is.
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

/// A change of a transaction's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusChange {
    /// Posts a pending transaction.
    Post,
    /// Makes a pending or posted transaction vanish.
    Void,
    /// Keeps a pending transaction pending until the next change of status, or shows a vanished one
    /// as pending again.
    Pend,
}

/// The difference between a balance and the ledger, in minor units of the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BalanceOffset {
    pub(super) current: i64,
    pub(super) available: i64,
}

/// The outcome of later refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// The feature. Any feature if absent.
    pub feature: Option<Feature>,
    /// The cause of their failure. They succeed if it is absent.
    pub cause: Option<RefreshCause>,
    /// Their duration in seconds of the account's time, not negative.
    pub delay_s: i64,
    /// The number of refreshes that it is for, at least 1.
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
    /// Reads the bytes. No bytes are an account without changes. Returns `None` if the bytes are
    /// not a state.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self { version: VERSION, ..Self::default() });
        }
        let state: Self = serde_json::from_slice(bytes).ok()?;
        (state.version == VERSION).then_some(state)
    }

    /// Writes the bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Ok(bytes) = serde_json::to_vec(self) else {
            unreachable!("plain values with text keys always serialise");
        };
        bytes
    }

    /// The script of a refresh. At its first page, a refresh takes the first script of the queue
    /// that fits. The flag is true if that changed the state.
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
        let Some(position) = self.scripts.iter().position(fits).filter(|_| first_page) else {
            return (None, false);
        };
        let script = self.scripts[position];
        if script.times > 1 {
            self.scripts[position].times -= 1;
        } else {
            self.scripts.remove(position);
        }
        self.bindings.retain(|binding| binding.feature != feature);
        self.bindings.push(Binding { feature, sequence, script });
        (Some(script), true)
    }

    /// True if the log has room for another change.
    pub(super) fn takes_change(&self) -> bool {
        self.changes.len() < limits::SCRIPTED_CHANGES_MAX
    }

    /// True if the queue has room for another script.
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

    /// A refresh takes the first script that fits, once, and keeps it. Other features ignore it.
    #[test]
    fn a_refresh_takes_one_script_and_keeps_it() {
        let mut state = State::find(b"").unwrap();
        state.scripts.push(script(Some(Feature::Balance), 1));
        state.scripts.push(script(None, 2));
        let (taken, changed) = state.bind(Feature::Transactions, 4, true);
        assert_eq!((taken.map(|script| script.times), changed), (Some(2), true));
        let (stored, changed) = state.bind(Feature::Transactions, 4, true);
        assert_eq!((stored.map(|script| script.times), changed), (Some(2), false));
        assert_eq!(state.bind(Feature::Ownership, 1, false), (None, false));
        assert!(state.bind(Feature::Transactions, 5, true).1);
        assert_eq!(state.bind(Feature::Transactions, 6, true), (None, false));
        assert_eq!(state.scripts.len(), 1);
    }

    /// The bytes of a state are pinned, because databases store them.
    #[test]
    fn bytes_are_stable() {
        let mut state = State::find(b"").unwrap();
        state.changes.push(Change {
            at: AccountTime(5),
            bank_id: format!("{ADDED_PREFIX}1"),
            kind: ChangeKind::Edit {
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
