//! The days on which a bank posts: the business days of the Federal Reserve, and the hour after which
//! a posting counts for the next one.
//!
//! The Federal Reserve Banks are closed on Saturdays, Sundays and eleven holidays. They observe a
//! holiday on a Sunday on the Monday after it, and a holiday on a Saturday on no other day. Source:
//! <https://www.frbservices.org/about/holiday-schedules>.

use super::row::Row;
use super::state::{Change, ChangeKind, StatusChange};
use model::bank::BankStatus;
use model::calendar::{Date, date_of, weekday};
use model::clock::{AccountTime, DAY_S};
use serde::{Deserialize, Serialize};

/// The longest wait for a banking day, in days: from the cut-off on a Friday over a weekend and a
/// holiday on Monday.
pub(super) const WAIT_DAYS_MAX: i64 = 4;

/// The banking days of a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BankingDays {
    /// The second of the bank's day from which a posting counts for the next banking day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut_off_s: Option<i64>,
    /// The seconds by which the bank's clock is ahead of UTC.
    pub(super) utc_offset_s: i64,
}

impl BankingDays {
    /// The second in which a posting of a second takes effect: at once on a banking day before the
    /// cut-off, else at the start of the next banking day.
    pub(super) fn posts_at(self, at: i64) -> i64 {
        let local = at + self.utc_offset_s;
        let (day, second) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S));
        if is_banking_day(day) && self.cut_off_s.is_none_or(|cut_off| second < cut_off) {
            return at;
        }
        let Some(next) = (day + 1..=day + WAIT_DAYS_MAX).find(|day| is_banking_day(*day)) else {
            unreachable!("at most three days in a row are not banking days");
        };
        next * DAY_S - self.utc_offset_s
    }

    /// Delays the posting of a natural row. It is pending until then.
    pub(super) fn settle(self, row: &mut Row<'_>) {
        if !row.vanishes {
            row.settles_at = self.posts_at(row.settles_at);
        }
    }

    /// Delays the postings of a timeline, which is in the order of its times. A transaction that
    /// appears as posted is pending until then. A transaction that vanishes in the meantime is never
    /// posted.
    pub(super) fn delay(self, script: &[Change]) -> Vec<Change> {
        let mut delayed = Vec::with_capacity(script.len());
        for (position, change) in script.iter().enumerate() {
            let at = AccountTime(self.posts_at(change.at.0));
            let (appearance, posting) = match split(change) {
                Some(parts) if at > change.at => parts,
                _ => {
                    delayed.push(change.clone());
                    continue;
                }
            };
            delayed.extend(appearance);
            let later = script[position + 1..].iter().take_while(|later| later.at <= at);
            let meanwhile: Vec<&Change> =
                later.filter(|later| later.bank_id == change.bank_id).collect();
            delayed.extend(after(posting, &meanwhile).map(|kind| {
                let bank_id = change.bank_id.clone();
                Change { at, bank_id, kind }
            }));
        }
        delayed.sort_by_key(|change| change.at);
        delayed
    }
}

/// The appearance and the posting of a change that posts.
fn split(change: &Change) -> Option<(Option<Change>, ChangeKind)> {
    match &change.kind {
        ChangeKind::Add { amount, currency, description, transacted_at, status } => {
            let kind = ChangeKind::Add {
                amount: *amount,
                currency: *currency,
                description: description.clone(),
                transacted_at: *transacted_at,
                status: BankStatus::Pending,
            };
            let posting = ChangeKind::Edit {
                status: Some(StatusChange::Post),
                amount: None,
                description: None,
                transacted_at: None,
            };
            let posted = *status == BankStatus::Posted;
            posted.then(|| (Some(Change { kind, ..change.clone() }), posting))
        }
        ChangeKind::Edit { status: Some(StatusChange::Post), .. } => {
            Some((None, change.kind.clone()))
        }
        ChangeKind::Edit { .. } => None,
    }
}

/// A posting after the changes that overtook it. Their values count. Returns `None` if the
/// transaction vanished.
fn after(posting: ChangeKind, meanwhile: &[&Change]) -> Option<ChangeKind> {
    let ChangeKind::Edit { status, mut amount, mut description, mut transacted_at } = posting
    else {
        unreachable!("a posting is an edit");
    };
    for change in meanwhile {
        let ChangeKind::Edit { status, amount: newer, description: text, transacted_at: date } =
            &change.kind
        else {
            continue;
        };
        if status.is_some() {
            return None;
        }
        amount = amount.filter(|_| newer.is_none());
        description = description.filter(|_| text.is_none());
        transacted_at = transacted_at.filter(|_| date.is_none());
    }
    Some(ChangeKind::Edit { status, amount, description, transacted_at })
}

/// True if the Federal Reserve Banks are open on a day.
pub(super) fn is_banking_day(day: i64) -> bool {
    let observed = weekday(day) == 1 && is_holiday(day - 1);
    !matches!(weekday(day), 0 | 6) && !is_holiday(day) && !observed
}

/// True if a day is one of the eleven holidays, on whichever day of the week.
fn is_holiday(day: i64) -> bool {
    let Date { month, day: of_month, .. } = date_of(day);
    // The number of this day of the week in its month, from 1.
    let nth = (of_month - 1) / 7 + 1;
    let last = date_of(day + 7).month != month;
    match (month, weekday(day)) {
        // The birthday of Martin Luther King, Washington's birthday.
        (1 | 2, 1) if nth == 3 => true,
        // Memorial Day.
        (5, 1) => last,
        // Labor Day.
        (9, 1) => nth == 1,
        // Columbus Day.
        (10, 1) => nth == 2,
        // Thanksgiving.
        (11, 4) if nth == 4 => true,
        // New Year's Day, Juneteenth, Independence Day, Veterans Day, Christmas.
        _ => matches!((month, of_month), (1, 1) | (6, 19) | (7, 4) | (11, 11) | (12, 25)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::calendar::find_day;
    use proptest::prelude::*;

    fn number(year: i64, month: i64, day: i64) -> i64 {
        find_day(Date { year, month, day }).unwrap()
    }

    /// The days from Monday to Friday on which the Federal Reserve Banks are closed are those of
    /// their published schedules for 2025, 2026 and 2027.
    #[test]
    fn holidays_are_those_of_the_published_schedules() {
        let closed = |year: i64| {
            let days = number(year, 1, 1)..number(year + 1, 1, 1);
            let workdays = days.filter(|day| !matches!(weekday(*day), 0 | 6));
            let closed = workdays.filter(|day| !is_banking_day(*day)).map(date_of);
            closed.map(|date| format!("{}-{}", date.month, date.day)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(closed(2025), "1-1 1-20 2-17 5-26 6-19 7-4 9-1 10-13 11-11 11-27 12-25");
        // July 4 is a Saturday.
        assert_eq!(closed(2026), "1-1 1-19 2-16 5-25 6-19 9-7 10-12 11-11 11-26 12-25");
        // June 19 and December 25 are Saturdays, and July 4 is a Sunday.
        assert_eq!(closed(2027), "1-1 1-18 2-15 5-31 7-5 9-6 10-11 11-11 11-25");
    }

    /// A posting before the cut-off of a banking day takes effect at once. Any other one takes effect
    /// at the start of the next banking day, on the bank's own clock.
    #[test]
    fn postings_wait_for_the_next_banking_day() {
        let hour = 3_600;
        let east = BankingDays { cut_off_s: Some(17 * hour), utc_offset_s: -5 * hour };
        let friday = number(2026, 1, 16) * DAY_S + 5 * hour;
        // Monday is the birthday of Martin Luther King.
        let tuesday = friday + 4 * DAY_S;
        assert_eq!(east.posts_at(friday + 17 * hour - 1), friday + 17 * hour - 1);
        assert_eq!(east.posts_at(friday + 17 * hour), tuesday);
        assert_eq!(east.posts_at(tuesday - 1), tuesday);
        let open = BankingDays { cut_off_s: None, ..east };
        assert_eq!(open.posts_at(friday + DAY_S - 1), friday + DAY_S - 1);
        assert_eq!(open.posts_at(friday + DAY_S), tuesday);
    }

    proptest! {
        /// A posting never takes effect earlier, never waits longer than the bound, and takes effect
        /// on a banking day.
        #[test]
        fn waits_are_bounded(
            at in -10_000_000_000_i64..250_000_000_000,
            cut_off_s in proptest::option::of(0..DAY_S),
            hours in -14_i64..=14,
        ) {
            let banking = BankingDays { cut_off_s, utc_offset_s: hours * 3_600 };
            let posted_at = banking.posts_at(at);
            prop_assert!((at..=at + WAIT_DAYS_MAX * DAY_S).contains(&posted_at));
            prop_assert!(is_banking_day((posted_at + banking.utc_offset_s).div_euclid(DAY_S)));
        }
    }
}
