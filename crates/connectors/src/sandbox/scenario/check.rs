//! The check of histories: finds cash accounts that close a day below their limit.
//!
//! Days of the week and of the month depend on the time of the link. The check therefore links each
//! account on several days of a year, and reports the link with the lowest balance.

use super::Scenario;
use crate::sandbox::account::Opened;
use crate::sandbox::identity::Identity;
use crate::sandbox::plan::Plan;
use crate::sandbox::running::Closing;
use crate::sandbox::watch::Linked;
use model::account::Category;
use model::clock::{AccountTime, DAY_S};
use model::money::Currency;

/// The first link of the check, at noon: 2026-01-05.
const FIRST_LINK: AccountTime = AccountTime(1_767_614_400);
/// The number of links. With 25 days between them, they fall on every day of the week and on all
/// parts of a month, within one year.
const LINKS: i64 = 15;
const DAYS_BETWEEN_LINKS: i64 = 25;

/// A cash account that closes a day below its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BelowLimit {
    /// The bank.
    pub institution: String,
    /// The account.
    pub account: String,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The lowest balance that the scenario allows, in minor units.
    pub limit: i64,
    /// The time of the link.
    pub linked_at: AccountTime,
    /// The number of days that close below the limit.
    pub days_below: usize,
    /// The number of days of the history.
    pub days: usize,
    /// The first of these days, counted from the link, with its balance in minor units.
    pub first: (i64, i64),
    /// The day with the lowest balance, and this balance.
    pub lowest: (i64, i64),
}

impl Scenario {
    /// The cash accounts that close a day below their limit. The check includes the days from the
    /// start of the ledger to the last entry of the timeline, and at least the day of the link.
    pub fn accounts_below_limit(&self) -> Vec<BelowLimit> {
        let mut found = Vec::new();
        for bank in self.banks() {
            for plan in bank.accounts.iter().filter(|plan| plan.category == Category::Cash) {
                let links = (0..LINKS).map(|number| number * DAYS_BETWEEN_LINKS * DAY_S);
                let links = links.map(|later| FIRST_LINK.plus(later));
                let below = links.filter_map(|linked_at| check(&bank.name, plan, linked_at));
                found.extend(below.min_by_key(|below| below.lowest.1));
            }
        }
        found
    }
}

fn check(institution: &str, plan: &Plan, linked_at: AccountTime) -> Option<BelowLimit> {
    let last_day = plan.facts.iter().map(|fact| fact.at.div_euclid(DAY_S)).max();
    let closings = closings(plan, linked_at, last_day.unwrap_or(0).max(0));
    let limit = -plan.overdraft;
    let below = closings.iter().filter(|closing| closing.balance < limit);
    let first = below.clone().next()?;
    let lowest = below.clone().min_by_key(|closing| closing.balance)?;
    Some(BelowLimit {
        institution: institution.to_owned(),
        account: plan.name.clone(),
        currency: plan.currency,
        limit,
        linked_at,
        days_below: below.count(),
        days: closings.len(),
        first: (first.day, first.balance),
        lowest: (lowest.day, lowest.balance),
    })
}

/// The closings of an account that is linked at a time.
pub(in crate::sandbox) fn closings(
    plan: &Plan,
    linked_at: AccountTime,
    last_day: i64,
) -> Vec<Closing> {
    // The seed of a holder affects no amount of a scenario.
    let identity = Identity::of(0, "", (&plan.name, None), "");
    let linked = Linked { first: linked_at, last: linked_at };
    Opened::planned(identity, plan.clone(), linked).closings(last_day)
}
