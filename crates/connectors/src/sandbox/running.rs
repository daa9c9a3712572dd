//! The running balance of an account: its posted balance at the end of each day.
//!
//! All closings come from one pass over the ledger. To compute each balance alone would read the
//! rows again for every day.

use super::account::{Known, Opened};
use super::ledger::Ledger;
use super::plan::FactKind;
use super::sums::sum_of;
use model::calendar::day_of_second;
use model::clock::DAY_S;
use model::transaction::TransactionStatus;

/// The posted balance at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closing {
    /// The day after the link, as in a scenario. It ends 24 hours after it begins.
    pub(super) day: i64,
    /// Minor units of the account's currency.
    pub(super) balance: i64,
}

/// A change of the posted balance.
#[derive(Clone, Copy, Debug)]
enum Movement {
    Amount(i64),
    /// A scenario sets the balance.
    Set(i64),
}

impl Opened {
    /// The closings from the start of the ledger to a day after the link, without changes by tests.
    pub(super) fn closings(&self, last_day: i64) -> Vec<Closing> {
        let linked_at = self.linked.first.0;
        let end_of = |day: i64| linked_at.saturating_add((day + 1) * DAY_S - 1);
        let ledger = self.ledger(&[]);
        let movements = self.movements(&ledger, end_of(last_day));
        let mut movements = movements.into_iter().peekable();
        let mut balance = sum_of(&ledger.sums(self.start).0, self.currency());
        let first_day = (self.start - linked_at).div_euclid(DAY_S);
        let mut closings = Vec::new();
        for day in first_day..=last_day {
            while let Some((_, movement)) = movements.next_if(|(at, _)| *at <= end_of(day)) {
                balance = match movement {
                    Movement::Amount(amount) => balance.saturating_add(amount),
                    Movement::Set(amount) => amount,
                };
            }
            closings.push(Closing { day, balance });
        }
        closings
    }

    /// The changes of the posted balance after the start of the ledger, in the order of their times.
    fn movements(&self, ledger: &Ledger<'_>, until: i64) -> Vec<(i64, Movement)> {
        let mut movements = Vec::new();
        let days = day_of_second(self.start)..=day_of_second(until);
        ledger.source.profile.each(days, |row| {
            let is_own = row.currency.is_none_or(|currency| currency == self.currency());
            if is_own && ledger.shows(row, until) && row.is_posted(until) {
                movements.push((row.settles_at, Movement::Amount(row.amount)));
            }
        });
        for touched in &ledger.touched {
            let posted = |at| {
                let entry = ledger.entry(touched, at);
                let posted = entry.filter(|entry| entry.status() == TransactionStatus::Posted);
                let own = posted.filter(|entry| entry.transaction.currency == self.currency());
                own.map_or(0, |entry| entry.transaction.amount)
            };
            let mut before = posted(self.start);
            let times = ledger.course(touched, until).into_iter().map(|change| change.at.0);
            for at in times.filter(|at| *at > self.start) {
                let after = posted(at);
                movements.push((at, Movement::Amount(after - before)));
                before = after;
            }
        }
        if let Known::Planned(plan) = &self.known {
            movements.extend(plan.facts.iter().filter_map(|fact| match fact.kind {
                FactKind::Balance { current, currency, .. }
                    if currency.is_none_or(|currency| currency == self.currency()) =>
                {
                    Some((self.linked.first.plus(fact.at).0, Movement::Set(current)))
                }
                _ => None,
            }));
        }
        // The sort is stable, so a balance that a scenario sets includes the rows of its second.
        movements.sort_by_key(|(at, _)| *at);
        movements
    }
}
