//! The kinds of accounts of the catalogue, and the facts that the rows of one account depend on.

use super::life::Life;
use super::random::{at_position, between};
use model::calendar::{Date, date_of};

/// The slot of a month's closing among the rows of its last day.
pub(super) const CLOSING_SLOT: u8 = 99;

/// The kind of an account, which decides the rows that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Checking,
    Savings,
    CreditCard,
    LineOfCredit,
    Mortgage,
    Investment,
}

/// The amount of money that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Less money than any payment needs.
    Poor,
    Ordinary,
    High,
    VeryHigh,
}

impl Scale {
    pub(super) fn of(self, amount: i64) -> i64 {
        match self {
            Self::Poor => amount / 12,
            Self::Ordinary => amount,
            Self::High => amount * 12,
            Self::VeryHigh => amount * 300,
        }
    }

    /// The amount of a card payment. Holders with more money pay the same prices.
    pub(super) fn spent(self, amount: i64) -> i64 {
        if self == Self::Poor { (amount / 12).max(1) } else { amount }
    }
}

/// The generator of one account's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generator {
    pub(super) seed: u64,
    pub(super) pattern: Pattern,
    pub(super) scale: Scale,
    /// The seed of the checking account that moves money to this savings account at the end of a
    /// month.
    pub(super) partner: Option<u64>,
    pub(super) life: Life,
}

impl Generator {
    /// A number that is fixed for the account, such as its rent or its payday. Each use has its own
    /// `tag`.
    pub(super) fn pattern_number(&self, tag: u64, low: i64, high: i64) -> i64 {
        between(at_position(self.seed ^ 0x4ab1, tag), low, high)
    }
}

/// True if the day is the last one of its month.
pub(super) fn is_last_day(day: i64, date: Date) -> bool {
    // The shortest month ends on its 28th.
    date.day >= 28 && date_of(day + 1).day == 1
}
