//! The money that a checking account needs until its holder's next income: the dates of salaries and
//! benefits, the fixed expenses of a month, and the balance at its start.
//!
//! The balance at the start of a month covers the expenses until the first income, so that it never
//! falls below zero. A holder who is overdrawn now and then starts one month of three with too
//! little, and is below zero before the first payday of that month.

use super::life::Income;
use super::pattern::{Generator, is_last_day};
use super::random::{at_position, between, pick};
use model::calendar::{Date, date_of, first_day, weekday};

/// The mean of the card payments of a day, in cents, for an ordinary holder.
const SHOPPING_MEAN: i64 = 5_100;
/// The largest sum of card payments in `n` days is about `n` times the first number plus the square
/// root of `n` times the second one, in cents.
const SHOPPING_MOST: (i64, i64) = (6_000, 22_000);
/// The mean distance to zero on the payday of a month that starts with too little, in cents.
const SHORTFALL: i64 = 60_000;
/// The fees of a month, at most, in cents.
const FEES_MAX: i64 = 1_200;

/// A debt that is paid off each month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Debt {
    pub(super) lender: &'static str,
    pub(super) purpose: &'static str,
    /// The day of the month of its payment.
    pub(super) day: i64,
    pub(super) amount: i64,
}

impl Generator {
    /// True if the salary or benefit arrives on this day. A payment that is due on a weekend arrives
    /// on the Friday before.
    pub(super) fn is_payday(&self, day: i64, date: Date) -> bool {
        let due = |wanted: &dyn Fn(i64, Date) -> bool| {
            let is_due = |day| wanted(day, date_of(day));
            match weekday(day) {
                0 | 6 => false,
                5 => (day..=day + 2).any(is_due),
                _ => wanted(day, date),
            }
        };
        match self.life.income {
            Income::Biweekly => {
                let this_week = (day.div_euclid(7) + self.pattern_number(1, 0, 1)) % 2 == 0;
                weekday(day) == 5 && this_week
            }
            Income::Semimonthly => due(&|day, date| date.day == 15 || is_last_day(day, date)),
            Income::Monthly => {
                let nominal = self.pattern_number(1, 25, 28);
                due(&|_, date| date.day == nominal)
            }
            // Benefits are paid on the second, third or fourth Wednesday.
            Income::Benefits => {
                weekday(day) == 3 && (date.day - 1) / 7 + 1 == self.pattern_number(1, 2, 4)
            }
            Income::Gig | Income::SelfEmployed | Income::Business | Income::None => false,
        }
    }

    /// The first payday of a month.
    fn first_payday(&self, month: i64) -> Option<i64> {
        (first_day(month)..first_day(month + 1)).find(|day| self.is_payday(*day, date_of(*day)))
    }

    /// The first payday of a month that starts with too little. `None` for other months.
    pub(super) fn tight_payday(&self, month: i64) -> Option<i64> {
        let hash = at_position(self.seed ^ 0x719, month.cast_unsigned());
        if !self.life.overdrawn || !hash.is_multiple_of(3) {
            return None;
        }
        // Before an earlier payday, too few expenses are due.
        self.first_payday(month).filter(|payday| date_of(*payday).day > 8)
    }

    /// The balance of a checking account at the start of a month.
    pub(super) fn checking_base(&self, month: i64, hash: u64) -> i64 {
        if self.life.income == Income::Business {
            return self.life.sized(between(hash, 900_000, 1_600_000));
        }
        if let Some(payday) = self.tight_payday(month) {
            let days = date_of(payday).day;
            let shopping = self.life.spent((days + 2) * SHOPPING_MEAN);
            return self.rent() + self.due_before(days) + shopping - self.life.sized(SHORTFALL);
        }
        let days = 3 + match self.life.income {
            Income::Biweekly => 14,
            Income::Semimonthly => 15,
            Income::Gig => 21,
            Income::Monthly | Income::Benefits => 28,
            Income::SelfEmployed | Income::None | Income::Business => 31,
        };
        let shopping = days * SHOPPING_MOST.0 + days.isqrt() * SHOPPING_MOST.1;
        let power_max = self.life.sized(14_000);
        let fixed = self.rent() + power_max + self.due_before(32) + self.tax_of(month);
        let left = between(hash, 5_000, 260_000);
        fixed + FEES_MAX + self.life.spent(shopping) + self.life.sized(left)
    }

    /// The rent of a month.
    pub(super) fn rent(&self) -> i64 {
        let percent = match self.life.income {
            Income::Gig => 70,
            Income::Benefits => 55,
            Income::None => 50,
            _ => 100,
        };
        self.life.sized(self.pattern_number(4, 180, 320) * 5 * percent)
    }

    /// The debts of the holder: one or two, or none.
    pub(super) fn debts(&self) -> Vec<Debt> {
        const LOANS: [(&str, &str, i64, i64); 2] = [
            ("HALCYON AUTO FINANCE", "LOAN PMT", 22_000, 48_000),
            ("SCHOLARS TRUST SERVICING", "STUDENT LN", 12_000, 38_000),
        ];
        const CARDS: [(&str, &str, i64, i64); 2] = [
            ("LANTERN CARD SERVICES", "CARD PMT", 4_000, 15_000),
            ("PAYLATER FOUR", "INSTALLMENT", 3_000, 9_000),
        ];
        if !self.life.debts {
            return Vec::new();
        }
        let debt = |tag: u64, kinds: &[(&'static str, &'static str, i64, i64)]| {
            let (lender, purpose, low, high) = *pick(at_position(self.seed, tag), kinds);
            let amount = self.life.sized(self.pattern_number(tag + 1, low, high));
            Debt { lender, purpose, day: self.pattern_number(tag + 2, 2, 27), amount }
        };
        let mut debts = vec![debt(70, &LOANS)];
        if self.pattern_number(69, 0, 1) == 1 {
            debts.push(debt(73, &CARDS));
        }
        debts
    }

    /// The estimated tax that is due in a month.
    pub(super) fn tax_of(&self, month: i64) -> i64 {
        let is_due = matches!(month.rem_euclid(12) + 1, 1 | 4 | 6 | 9);
        if self.life.income == Income::SelfEmployed && is_due {
            self.life.sized(self.pattern_number(63, 60_000, 140_000))
        } else {
            0
        }
    }

    /// The bills and debts that are due before a day of the month, without rent and with a mean bill
    /// for power.
    fn due_before(&self, day: i64) -> i64 {
        let bills = [
            (self.pattern_number(6, 3, 9), self.life.sized(9_250)),
            (self.pattern_number(8, 10, 16), self.life.sized(self.pattern_number(9, 4_500, 8_000))),
            (
                self.pattern_number(11, 17, 24),
                self.life.sized(self.pattern_number(12, 3_000, 7_000)),
            ),
            (self.pattern_number(16, 5, 27), self.life.spent(self.pattern_number(18, 899, 1_999))),
        ];
        let debts = self.debts().into_iter().map(|debt| (debt.day, debt.amount));
        let due = bills.into_iter().chain(debts).filter(|(due, _)| *due < day);
        due.map(|(_, amount)| amount).sum()
    }
}
