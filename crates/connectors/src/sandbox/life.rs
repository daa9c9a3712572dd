//! The life of a holder as the bank sees it: the kind and the size of the income, and some habits.
//! It follows from the holder's seed, so a holder has one life at every bank.
//!
//! `docs/test-banks.md` lists the shares of the population, and a test compares them with 1,000
//! holders.

use super::random::{at_position, between};

/// Separates the draws of a life from all other draws of a holder. With this number, the holder of
/// the examples in the documents has an ordinary salary.
const SALT: u64 = 614_748;

/// The kind of a holder's income.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Income {
    /// A salary every other Friday.
    Biweekly,
    /// A salary in the middle and at the end of the month.
    Semimonthly,
    /// A salary near the end of the month.
    Monthly,
    /// Many payouts of apps, of uneven size.
    Gig,
    /// A benefit in the middle of the month, sometimes with a pension on the first.
    Benefits,
    /// Invoices that customers pay at any time.
    SelfEmployed,
    /// The account of a small business.
    Business,
    /// No income. The holder lives on savings.
    None,
}

/// The kinds of income with their shares, in thousandths.
pub(super) const INCOMES: [(Income, i64); 8] = [
    (Income::Biweekly, 300),
    (Income::Semimonthly, 120),
    (Income::Monthly, 100),
    (Income::Gig, 130),
    (Income::Benefits, 130),
    (Income::SelfEmployed, 90),
    (Income::Business, 60),
    (Income::None, 70),
];
/// The share of holders who pay off debts, in thousandths, among all but businesses.
const DEBTS: i64 = 400;
/// The share of joint holders, in thousandths, among all but businesses.
const JOINT: i64 = 220;
/// The share of holders who are below zero now and then, in thousandths, among those with a salary
/// or with benefits and no pension.
const OVERDRAWN: i64 = 180;
/// The share of holders with a pension, in thousandths, among those with benefits.
const PENSION: i64 = 500;

/// The life of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// True for an account that an earlier release linked. It keeps the rows and the plain texts of
    /// that release.
    pub(super) is_original: bool,
    pub(super) income: Income,
    /// The size of income and expenses, in percent of an ordinary holder's.
    pub(super) level: i64,
    /// True if a pension comes in addition to a benefit.
    pub(super) pension: bool,
    /// True if the holder pays off debts.
    pub(super) debts: bool,
    /// True if the account is below zero now and then.
    pub(super) overdrawn: bool,
    /// True if the account has two owners.
    pub(super) joint: bool,
}

impl Life {
    /// The life of every account that an earlier release linked.
    pub(super) const ORIGINAL: Self = Self { is_original: true, ..Self::SALARY };
    /// An ordinary salary without any habit.
    pub(super) const SALARY: Self = Self {
        is_original: false,
        income: Income::Biweekly,
        level: 100,
        pension: false,
        debts: false,
        overdrawn: false,
        joint: false,
    };

    /// The life of a holder with this seed.
    pub(super) fn of(holder: u64) -> Self {
        Self::drawn(holder ^ SALT)
    }

    /// The life that the draws of a seed give.
    pub(super) fn drawn(seed: u64) -> Self {
        let draw = |tag: u64| at_position(seed, tag);
        let share = |tag: u64, share: i64| between(draw(tag), 0, 999) < share;
        let income = income(between(draw(1), 0, 999));
        let is_business = income == Income::Business;
        let pension = income == Income::Benefits && share(3, PENSION);
        let has_payday = match income {
            Income::Biweekly | Income::Semimonthly | Income::Monthly => true,
            Income::Benefits => !pension,
            Income::Gig | Income::SelfEmployed | Income::Business | Income::None => false,
        };
        let level = level(draw(2));
        Self {
            is_original: false,
            income,
            level: match income {
                Income::Benefits => level.min(120),
                Income::Gig => level.min(140),
                Income::None => level.min(80),
                _ => level,
            },
            pension,
            debts: !is_business && share(4, DEBTS),
            overdrawn: has_payday && share(5, OVERDRAWN),
            joint: !is_business && share(6, JOINT),
        }
    }

    /// An amount of an ordinary holder at the level of this one.
    pub(super) fn sized(self, amount: i64) -> i64 {
        amount * self.level / 100
    }

    /// The amount of a card payment. Holders with a high income pay ordinary prices.
    pub(super) fn spent(self, amount: i64) -> i64 {
        (amount * self.level.min(100) / 100).max(1)
    }
}

/// The kind of income of a draw from 0 to 999.
fn income(draw: i64) -> Income {
    let mut bound = 0;
    let found = INCOMES.iter().find(|(_, share)| {
        bound += share;
        draw < bound
    });
    let Some((income, _)) = found else { unreachable!("the shares add up to 1000") };
    *income
}

/// A level that is low for many holders and high for a few.
fn level(hash: u64) -> i64 {
    let within = hash / 1_000;
    match between(hash, 0, 999) {
        ..150 => between(within, 45, 70),
        150..400 => between(within, 70, 95),
        400..750 => between(within, 95, 130),
        750..930 => between(within, 130, 200),
        _ => between(within, 200, 320),
    }
}
