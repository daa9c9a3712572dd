//! Daily refreshes of an account: its subscriptions and the time of day.

use crate::account::Account;
use crate::bank::Feature;
use crate::clock::{AccountTime, DAY_S};
use crate::refresh::RefreshState;
use crate::word::Word;

impl Account {
    /// Returns the features that are refreshed daily, by their words.
    pub fn subscriptions(&self) -> Vec<Feature> {
        let transactions = self.subscribed.then_some(Feature::Transactions);
        let mut features: Vec<Feature> =
            self.also_subscribed.iter().copied().chain(transactions).collect();
        features.sort_by_key(|feature| feature.word());
        features
    }

    /// Subscribes to a daily refresh of a feature from now on. A second call does not move the due
    /// time.
    pub fn subscribe(&mut self, feature: Feature, now: AccountTime) {
        match feature {
            Feature::Transactions => self.subscribed = true,
            _ => {
                self.also_subscribed.insert(feature);
            }
        }
        if self.daily_due_at.is_none() {
            self.daily_due_at = Some(self.next_daily(now));
        }
    }

    /// Ends the daily refreshes of a feature. A pending refresh finishes.
    pub fn unsubscribe(&mut self, feature: Feature) {
        match feature {
            Feature::Transactions => self.subscribed = false,
            _ => {
                self.also_subscribed.remove(&feature);
            }
        }
        if self.subscriptions().is_empty() {
            self.daily_due_at = None;
        }
    }

    /// Returns the next due time of the daily refresh, strictly after `now`.
    pub fn next_daily(&self, now: AccountTime) -> AccountTime {
        let second = self.id.daily_second();
        let today = now.0.div_euclid(DAY_S) * DAY_S + second;
        AccountTime(if today > now.0 { today } else { today + DAY_S })
    }

    /// True if a new subscription starts a refresh. In test mode, a prefetch of the last day serves
    /// the subscription, whether it has ended or not. So the number of refreshes does not depend on
    /// the speed of the prefetch.
    pub fn subscription_refreshes(&self, feature: Feature, now: AccountTime) -> bool {
        let newest = self.refresh(feature);
        let serves = |state: &RefreshState| {
            let recent = now.0 - state.last_attempted_at.0 < DAY_S;
            state.is_pending() || (!self.livemode && state.prefetched && recent)
        };
        !newest.is_some_and(serves)
    }
}
