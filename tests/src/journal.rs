//! Every event in the order of commits, and the invariants between any two steps.
//!
//! For each account and feature, the refreshes that ended are numbered 1, 2, 3 … without a gap,
//! and each has exactly one event. The account shows either the last of these refreshes or one
//! pending after it. So at most one is pending, and no refresh is lost or reported twice.

use crate::app::App;
use crate::follower::REFRESHED;
use model::Word;
use model::account::Account;
use model::bank::Feature;
use model::event::{Event, EventType, Snapshot};
use model::id::AccountId;
use std::collections::{BTreeMap, BTreeSet};
use store::ListUndispatched;

const FEATURES: [Feature; 3] = [Feature::Balance, Feature::Ownership, Feature::Transactions];
/// More events than any list of operations emits.
const EVENTS_MAX: usize = 100_000;

/// All events so far.
#[derive(Debug, Default)]
pub struct Journal {
    known: BTreeSet<String>,
    /// The number of ended refreshes by account and feature.
    ended: BTreeMap<(AccountId, Feature), u32>,
    /// The events that followers handle.
    notices: BTreeSet<String>,
    sights: BTreeMap<&'static str, u32>,
}

impl Journal {
    /// Records the events committed since the last call, and checks the invariants.
    ///
    /// It must run before a dispatcher does, because it finds events by their mark as undispatched.
    pub async fn look(&mut self, app: &App, accounts: impl Iterator<Item = &str>) {
        let merchant = app.context().merchant;
        let list = ListUndispatched { merchant, limit: EVENTS_MAX, bytes_max: usize::MAX };
        for event in app.store().read(list).await.expect("the store reads").events {
            if self.known.insert(event.id.to_string()) {
                self.take_down(&event);
                app.take_down(event.id.to_string().as_bytes());
            }
        }
        for id in accounts {
            self.check(&app.stored(id).await);
        }
    }

    /// The events that followers handle.
    pub fn notices(&self) -> &BTreeSet<String> {
        &self.notices
    }

    /// The number of ended refreshes of an account's feature.
    pub fn ended(&self, account: AccountId, feature: Feature) -> u32 {
        self.ended.get(&(account, feature)).copied().unwrap_or(0)
    }

    /// The types of all events and the causes of all failed refreshes, with their counts.
    pub fn sights(&self) -> &BTreeMap<&'static str, u32> {
        &self.sights
    }

    fn take_down(&mut self, event: &Event) {
        *self.sights.entry(event.event_type.word()).or_default() += 1;
        if event.event_type.word() == REFRESHED {
            self.notices.insert(event.id.to_string());
        }
        let Snapshot::Account(account) = &event.snapshot else { return };
        for feature in FEATURES {
            if event.event_type != EventType::refreshed(feature) {
                continue;
            }
            let state = account.refresh(feature).expect("the snapshot holds the refresh");
            assert!(!state.is_pending(), "an event of a refresh that has not ended: {event:?}");
            let ended = self.ended.entry((account.id, feature)).or_default();
            assert_eq!(
                state.sequence,
                *ended + 1,
                "refreshes of {feature:?} of {} end one after the other, each with one event",
                account.id
            );
            *ended = state.sequence;
            if let Some(cause) = state.cause {
                *self.sights.entry(cause.word()).or_default() += 1;
            }
        }
    }

    fn check(&self, account: &Account) {
        for feature in FEATURES {
            let ended = self.ended(account.id, feature);
            let state = account.refresh(feature);
            let shown = state.map_or(0, |state| state.sequence);
            let pending = u32::from(state.is_some_and(model::refresh::RefreshState::is_pending));
            assert_eq!(
                shown,
                ended + pending,
                "{} shows {state:?} after {ended} ended refreshes of {feature:?}",
                account.id
            );
        }
    }
}
