//! What happens on a test account by itself: a pure function of its seed and the day.
//!
//! A *row* is one movement. It becomes visible when it takes place; it *settles* at once, or up to
//! [`SETTLE_DAYS_MAX`] days later, by being posted or by vanishing. Nothing about a row depends on
//! when the account was linked or asked, so a fetch generates only the days that it needs.
//!
//! The balance at the start of each month is a function of seed and month alone. The last row of a
//! month, its *closing*, moves what is left over to savings (or pays the card) so that this comes
//! true. A balance is therefore at most one month of rows away, however long the history is.

use super::profile::Nature;
use super::random::{Stream, at_place, between, pick};
use super::texts::{
    Booking, EMPLOYERS, HOLD, LANDLORDS, LINES, PHONES, POWER, SHOPS, STREAMS, describe,
    push_digits,
};
use model::calendar::{Date, date_of, day_of_second, find_day, first_day, month_of, weekday};
use model::clock::DAY_S;

/// The longest that a row takes to settle.
pub(super) const SETTLE_DAYS_MAX: i64 = 3;
/// The place of a month's closing among the rows of its last day.
const CLOSING_SLOT: u8 = 99;
/// January 2020: loans are paid down from here on.
const LOANS_BEGIN_MONTH: i64 = 600;

/// What kind of life an account leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Checking,
    Savings,
    CreditCard,
    LineOfCredit,
    Mortgage,
    Investment,
}

/// How much money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Hardly any money: less than any payment asks for.
    Poor,
    Ordinary,
    High,
    VeryHigh,
}

impl Scale {
    fn of(self, amount: i64) -> i64 {
        match self {
            Self::Poor => amount / 12,
            Self::Ordinary => amount,
            Self::High => amount * 12,
            Self::VeryHigh => amount * 300,
        }
    }

    /// What is spent on a card: the rich drink the same coffee.
    fn spent(self, amount: i64) -> i64 {
        if self == Self::Poor { (amount / 12).max(1) } else { amount }
    }
}

/// The life of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) seed: u64,
    pub(super) pattern: Pattern,
    pub(super) scale: Scale,
    /// The seed of the checking account whose closings arrive here, for savings.
    pub(super) partner: Option<u64>,
}

/// Names a row within its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RowKey {
    pub(super) day: i64,
    pub(super) slot: u8,
}

impl RowKey {
    /// The bank's id of the row: its date and its place in the day.
    pub(super) fn bank_id(self) -> String {
        let date = date_of(self.day);
        let mut text = String::with_capacity(11);
        push_digits(&mut text, date.year, 4);
        push_digits(&mut text, date.month, 2);
        push_digits(&mut text, date.day, 2);
        text.push('-');
        push_digits(&mut text, i64::from(self.slot), 1);
        text
    }

    /// Reads a bank's id.
    pub(super) fn find(bank_id: &str) -> Option<Self> {
        let (date, slot) = bank_id.split_once('-')?;
        let number: i64 = date.parse().ok().filter(|number| *number > 0)?;
        let date = Date { year: number / 10_000, month: number / 100 % 100, day: number % 100 };
        let key = Self { day: find_day(date)?, slot: slot.parse().ok()? };
        (key.bank_id() == bank_id).then_some(key)
    }
}

/// One movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) key: RowKey,
    pub(super) text: &'a str,
    pub(super) branch: Option<u16>,
    /// The amount while pending, in cents.
    pub(super) announced: i64,
    /// The amount once posted.
    pub(super) amount: i64,
    /// When it takes place and becomes visible.
    pub(super) transacted_at: i64,
    /// When it is posted or vanishes: `transacted_at`, or one to three days later.
    pub(super) settles_at: i64,
    /// Whether it vanishes instead of being posted.
    pub(super) vanishes: bool,
}

impl Row<'_> {
    pub(super) fn description(&self) -> String {
        describe(self.text, self.branch)
    }

    /// Whether it is in the balance at a time.
    pub(super) fn is_posted(&self, at: i64) -> bool {
        !self.vanishes && self.settles_at <= at
    }

    /// Whether it is announced and not settled at a time.
    pub(super) fn is_pending(&self, at: i64) -> bool {
        self.transacted_at <= at && at < self.settles_at
    }
}

impl Life {
    /// The rows of a day in the order of their slots, the month's closing included.
    pub(super) fn day(&self, day: i64, rows: &mut Vec<Row<'_>>) {
        rows.clear();
        let date = date_of(day);
        self.open_day(day, date, rows);
        let month = month_of(date);
        if is_last_day(day, date) {
            rows.extend(self.closing(month));
        }
    }

    /// The row of a key.
    pub(super) fn find(&self, key: RowKey) -> Option<Row<'static>> {
        let mut rows = Vec::new();
        self.day(key.day, &mut rows);
        rows.into_iter().find(|row| row.key == key)
    }

    /// What has been posted by a time, since ever.
    pub(super) fn balance(&self, at: i64) -> i64 {
        let month = month_of(date_of(day_of_second(at)));
        let closing = self.closing_at(month);
        let closed = if closing <= at { self.closing(month) } else { None };
        self.base(month)
            + self.posted(first_day(month) * DAY_S, at)
            + closed.map_or(0, |row| row.amount)
    }

    /// What is pending at a time.
    pub(super) fn pending(&self, at: i64) -> i64 {
        let day = day_of_second(at);
        let mut sum = 0;
        Nature::Life(*self).each(day - SETTLE_DAYS_MAX..=day, |row| {
            sum += if row.is_pending(at) { row.announced } else { 0 };
        });
        sum
    }

    /// The sum of what was posted between two times, both included, without closings.
    fn posted(&self, from: i64, to: i64) -> i64 {
        let mut rows = Vec::with_capacity(16);
        let mut sum = 0;
        for day in day_of_second(from) - SETTLE_DAYS_MAX..=day_of_second(to) {
            rows.clear();
            self.open_day(day, date_of(day), &mut rows);
            let posted = rows.iter().filter(|row| row.is_posted(to) && row.settles_at >= from);
            sum += posted.map(|row| row.amount).sum::<i64>();
        }
        sum
    }

    /// When a month's closing takes place: in the last three hours of the month.
    fn closing_at(&self, month: i64) -> i64 {
        let hash = at_place(self.seed ^ 0xc105, month.cast_unsigned());
        first_day(month + 1) * DAY_S - between(hash, 60, 3 * 3_600)
    }

    /// The last row of a month, unless nothing is left to move.
    pub(super) fn closing(&self, month: i64) -> Option<Row<'static>> {
        let begin = first_day(month) * DAY_S;
        let end = first_day(month + 1) * DAY_S;
        self.closing_after(month, self.posted(begin, end - 1))
    }

    /// The closing of a month in which so much was posted without it.
    pub(super) fn closing_after(&self, month: i64, posted: i64) -> Option<Row<'static>> {
        let amount = self.base(month + 1) - self.base(month) - posted;
        let at = self.closing_at(month);
        let (outgoing, incoming) = match self.pattern {
            Pattern::Checking => ("TRANSFER TO SAVINGS", "TRANSFER FROM SAVINGS"),
            Pattern::Savings => ("TRANSFER TO BROKERAGE", "TRANSFER FROM BROKERAGE"),
            Pattern::CreditCard => ("BALANCE ADJUSTMENT", "PAYMENT RECEIVED THANK YOU"),
            Pattern::LineOfCredit => ("MONTHLY DRAW", "MONTHLY PAYMENT"),
            Pattern::Mortgage => ("ESCROW ADJUSTMENT", "MORTGAGE PAYMENT"),
            Pattern::Investment => ("PURCHASE INDEX FUND", "SALE INDEX FUND"),
        };
        (amount != 0).then_some(Row {
            key: RowKey { day: first_day(month + 1) - 1, slot: CLOSING_SLOT },
            text: if amount < 0 { outgoing } else { incoming },
            branch: None,
            announced: amount,
            amount,
            transacted_at: at,
            settles_at: at,
            vanishes: false,
        })
    }

    /// The balance at the start of a month.
    fn base(&self, month: i64) -> i64 {
        let hash = at_place(self.seed ^ 0xba5e, month.cast_unsigned());
        let paid_months = (month - LOANS_BEGIN_MONTH).max(0);
        match self.pattern {
            Pattern::Checking => match self.scale {
                Scale::Poor => between(hash, 10, 900),
                scale => scale.of(between(hash, 240_000, 520_000)),
            },
            Pattern::Savings => self.scale.of(between(hash, 800_000, 2_000_000)),
            Pattern::CreditCard => self.scale.of(between(hash, -90_000, -20_000)),
            Pattern::LineOfCredit => self.scale.of(between(hash, -450_000, -150_000)),
            Pattern::Mortgage => {
                let principal = self.habit(90, 24_000_000, 41_000_000);
                -(principal - paid_months * self.habit(91, 28_000, 52_000)).max(0)
            }
            Pattern::Investment => self.scale.of(between(hash, 3_000_000, 3_600_000)),
        }
    }

    /// A number that belongs to the account: its rent, its payday. Place by `tag`.
    fn habit(&self, tag: u64, low: i64, high: i64) -> i64 {
        between(at_place(self.seed ^ 0x4ab1, tag), low, high)
    }

    /// The rows of a day without the month's closing.
    pub(super) fn open_day(&self, day: i64, date: Date, rows: &mut Vec<Row<'_>>) {
        let stream = Stream::begin(self.seed, day.cast_unsigned());
        let mut diary = Diary { life: self, day, date, stream, rows };
        match self.pattern {
            Pattern::Checking => diary.checking(),
            Pattern::Savings => diary.savings(),
            Pattern::CreditCard => diary.credit_card(),
            Pattern::LineOfCredit => diary.line_of_credit(),
            Pattern::Mortgage => diary.mortgage(),
            Pattern::Investment => diary.investment(),
        }
    }
}

pub(super) fn is_last_day(day: i64, date: Date) -> bool {
    // No month ends before its 28th.
    date.day >= 28 && date_of(day + 1).day == 1
}

/// One day of one account while it is being written.
struct Diary<'a, 'r> {
    life: &'a Life,
    day: i64,
    date: Date,
    stream: Stream,
    rows: &'a mut Vec<Row<'r>>,
}

impl Diary<'_, '_> {
    fn checking(&mut self) {
        let life = *self.life;
        // The poor have no income of their own: their savings bring them over the month.
        if life.scale != Scale::Poor {
            self.salary();
            self.bills();
        }
        if self.date.day == life.habit(16, 5, 27) {
            let subscription = *pick(at_place(life.seed, 17), &STREAMS);
            self.pay(subscription, None, life.habit(18, 899, 1_999), Booking::AsAnnounced);
        }
        if self.date.day == life.habit(19, 25, 28) && self.stream.chance(400) {
            let fees = [("MONTHLY SERVICE FEE", -1_200), ("ATM FEE", -300)];
            let (text, amount) = *pick(self.stream.next(), &fees);
            self.booked(5, text, amount);
        }
        self.shopping([220, 600, 890]);
    }

    /// Every other Friday.
    fn salary(&mut self) {
        let life = *self.life;
        let payday = (self.day.div_euclid(7) + life.habit(1, 0, 1)) % 2 == 0;
        if weekday(self.day) == 5 && payday {
            let employer = *pick(at_place(life.seed, 2), &EMPLOYERS);
            let salary = life.habit(3, 150_000, 260_000) + self.stream.between(-2_500, 2_500);
            self.booked(6, employer, life.scale.of(salary));
        }
    }

    fn bills(&mut self) {
        let life = *self.life;
        let biller = |tag: u64, names: &[&'static str]| *pick(at_place(life.seed, tag), names);
        if self.date.day == 1 {
            let rent = life.habit(4, 180, 320) * 500;
            self.booked(5, biller(5, &LANDLORDS), -life.scale.of(rent));
        }
        if self.date.day == life.habit(6, 3, 9) {
            let power = self.stream.between(4_500, 14_000);
            self.booked(7, biller(7, &POWER), -life.scale.of(power));
        }
        if self.date.day == life.habit(8, 10, 16) {
            let internet = life.habit(9, 4_500, 8_000);
            self.booked(7, biller(10, &LINES), -life.scale.of(internet));
        }
        if self.date.day == life.habit(11, 17, 24) {
            let phone = life.habit(12, 3_000, 7_000);
            self.booked(7, biller(13, &PHONES), -life.scale.of(phone));
        }
    }

    fn savings(&mut self) {
        let life = *self.life;
        if self.date.day == 1 {
            let interest = self.stream.between(220, 2_100);
            self.booked(4, "INTEREST PAID", life.scale.of(interest));
        }
        if self.date.day == life.habit(20, 5, 24) {
            let withdrawal = self.stream.between(20, 240) * 100;
            self.booked(14, "ATM WITHDRAWAL", -life.scale.of(withdrawal));
        }
        if !is_last_day(self.day, self.date) {
            return;
        }
        // The other side of what the holder's checking account moves at the end of the month.
        let Some(seed) = life.partner else { return };
        let checking =
            Life { seed, pattern: Pattern::Checking, scale: Scale::Ordinary, partner: None };
        if let Some(closing) = checking.closing(month_of(self.date)) {
            let incoming = closing.amount < 0;
            let text = if incoming { "TRANSFER FROM CHECKING" } else { "TRANSFER TO CHECKING" };
            let (amount, at) = (-closing.amount, closing.transacted_at);
            self.push(text, None, (amount, amount), (at, at), false);
        }
    }

    fn credit_card(&mut self) {
        let life = *self.life;
        if self.date.day == life.habit(30, 12, 22) {
            let interest = self.stream.between(300, 2_400);
            self.booked(3, "INTEREST CHARGE", -life.scale.of(interest));
        }
        if self.date.day == life.habit(31, 2, 27) && self.date.month == life.habit(32, 1, 12) {
            self.booked(3, "ANNUAL FEE", -9_500);
        }
        self.shopping([180, 560, 860]);
    }

    fn line_of_credit(&mut self) {
        let life = *self.life;
        if self.date.day == life.habit(40, 15, 25) {
            let interest = self.stream.between(1_500, 6_500);
            self.booked(3, "INTEREST CHARGE", -life.scale.of(interest));
        }
        if self.stream.chance(50) {
            let draw = self.stream.between(4, 18) * 5_000;
            self.booked(11, "CREDIT LINE DRAW", -life.scale.of(draw));
        }
    }

    fn mortgage(&mut self) {
        if self.date.day == 1 {
            let interest = self.life.habit(50, 70_000, 130_000) + self.stream.between(-900, 900);
            self.booked(2, "MORTGAGE INTEREST", -interest);
        }
        if self.date.day == 10 && self.date.month % 6 == 0 {
            let tax = self.life.habit(51, 120_000, 260_000);
            self.booked(2, "PROPERTY TAX FROM ESCROW", -tax);
        }
    }

    fn investment(&mut self) {
        let life = *self.life;
        if self.date.day == 5 {
            self.booked(9, "CONTRIBUTION", life.scale.of(life.habit(60, 5, 40) * 2_500));
        }
        if self.date.day == life.habit(61, 12, 20) {
            let dividend = self.stream.between(900, 8_800);
            self.booked(9, "DIVIDEND", life.scale.of(dividend));
        }
        if weekday(self.day) % 6 != 0 && self.stream.chance(160) {
            let traded = life.scale.of(self.stream.between(10_000, 160_000));
            let sale = self.stream.chance(400);
            let text = if sale { "SALE OF SHARES" } else { "PURCHASE OF SHARES" };
            let amount = if sale { traded } else { -traded };
            let at = self.at_hour(15);
            self.push(text, None, (amount, amount), (at, at + DAY_S), false);
        }
    }

    /// Card payments of a day: one more, each time that a draw below a thousand is not below the
    /// next bound.
    fn shopping(&mut self, bounds: [i64; 3]) {
        let weekend = weekday(self.day) % 6 == 0;
        let draw = self.stream.between(0, 999) + if weekend { 220 } else { 0 };
        for _ in bounds.iter().filter(|bound| draw >= **bound) {
            let shop = pick(self.stream.next(), &SHOPS);
            let spent = self.stream.between(shop.low, shop.high);
            let branch = shop.branch.then(|| {
                let branch = at_place(self.life.seed, spent.cast_unsigned() % 7);
                u16::try_from(branch % 900 + 100).unwrap_or(100)
            });
            self.pay(shop.text, branch, spent, shop.booking);
        }
    }

    /// A card payment, or now and then a refund or one that vanishes.
    fn pay(&mut self, text: &'static str, branch: Option<u16>, spent: i64, booking: Booking) {
        let life = *self.life;
        let amount = life.scale.spent(spent);
        let at = self.day * DAY_S + self.stream.between(13 * 3_600, 24 * 3_600 - 1);
        let settles = at + self.stream.between(DAY_S, SETTLE_DAYS_MAX * DAY_S);
        let fate = self.stream.next() % 1_000;
        let tip = amount * self.stream.between(12, 25) / 100;
        if fate < 25 {
            // A refund of an earlier payment of this size.
            return self.push(text, branch, (amount, amount), (at, settles), false);
        }
        let (announced, posted) = match booking {
            Booking::WithTip if fate < 700 => (amount, amount + tip),
            Booking::AfterHold => (HOLD, amount),
            Booking::WithTip | Booking::AsAnnounced => (amount, amount),
        };
        let vanishes = fate >= 970;
        self.push(text, branch, (-announced, -posted), (at, settles), vanishes);
    }

    /// A movement that is posted at once.
    fn booked(&mut self, hour: i64, text: &'static str, amount: i64) {
        let at = self.at_hour(hour);
        self.push(text, None, (amount, amount), (at, at), false);
    }

    /// A second within an hour of the day.
    fn at_hour(&mut self, hour: i64) -> i64 {
        self.day * DAY_S + hour * 3_600 + self.stream.between(0, 3_599)
    }

    fn push(
        &mut self,
        text: &'static str,
        branch: Option<u16>,
        (announced, amount): (i64, i64),
        (transacted_at, settles_at): (i64, i64),
        vanishes: bool,
    ) {
        let slot = u8::try_from(self.rows.len() + 1).unwrap_or(CLOSING_SLOT - 1);
        let key = RowKey { day: self.day, slot };
        self.rows.push(Row {
            key,
            text,
            branch,
            announced,
            // A payment that vanishes never had another amount.
            amount: if vanishes { announced } else { amount },
            transacted_at,
            settles_at,
            vanishes,
        });
    }
}
