//! The natural rows of an account of the catalogue: a pure function of its seed and the day.
//!
//! Rows depend neither on the time of the link nor on the time of the fetch, so a fetch generates
//! only the days that it needs.
//!
//! The balance at the start of each month is a function of seed and month alone. The last row of a
//! month, its *closing*, moves the remaining amount to savings (or pays the card), so that the
//! balance of the next month is reached. A balance therefore needs the rows of at most one month,
//! for any length of history.

use super::random::{Stream, at_position, between, pick};
use super::row::{Row, RowKey, SETTLE_DAYS_MAX};
use super::texts::{Booking, EMPLOYERS, HOLD, LANDLORDS, LINES, PHONES, POWER, SHOPS, STREAMS};
use model::calendar::{Date, date_of, day_of_second, first_day, month_of, weekday};
use model::clock::DAY_S;

/// The slot of a month's closing among the rows of its last day.
const CLOSING_SLOT: u8 = 99;
/// January 2020, the month from which loans are paid down.
const LOANS_BEGIN_MONTH: i64 = 600;

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
    fn of(self, amount: i64) -> i64 {
        match self {
            Self::Poor => amount / 12,
            Self::Ordinary => amount,
            Self::High => amount * 12,
            Self::VeryHigh => amount * 300,
        }
    }

    /// The amount of a card payment. Holders with more money pay the same prices.
    fn spent(self, amount: i64) -> i64 {
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
}

impl Generator {
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

    /// The posted balance at a time.
    pub(super) fn balance(&self, at: i64) -> i64 {
        let month = month_of(date_of(day_of_second(at)));
        let closing = self.closing_at(month);
        let closed = if closing <= at { self.closing(month) } else { None };
        self.base(month)
            + self.posted(first_day(month) * DAY_S, at)
            + closed.map_or(0, |row| row.amount)
    }

    /// The sum of the rows that are pending at a time.
    pub(super) fn pending(&self, at: i64) -> i64 {
        let day = day_of_second(at);
        let mut sum = 0;
        // The closing of a month is posted at once, so it is never pending.
        let mut rows = Vec::with_capacity(16);
        for day in day - SETTLE_DAYS_MAX..=day {
            rows.clear();
            self.open_day(day, date_of(day), &mut rows);
            let pending = rows.iter().filter(|row| row.is_pending(at));
            sum += pending.map(|row| row.announced).sum::<i64>();
        }
        sum
    }

    /// The sum of the rows that were posted between two times, both included, without closings.
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

    /// The time of a month's closing, in the last three hours of the month.
    fn closing_at(&self, month: i64) -> i64 {
        let hash = at_position(self.seed ^ 0xc105, month.cast_unsigned());
        first_day(month + 1) * DAY_S - between(hash, 60, 3 * 3_600)
    }

    /// The last row of a month, unless no amount remains.
    pub(super) fn closing(&self, month: i64) -> Option<Row<'static>> {
        let begin = first_day(month) * DAY_S;
        let end = first_day(month + 1) * DAY_S;
        self.closing_after(month, self.posted(begin, end - 1))
    }

    /// The closing of a month in which the other rows posted this sum.
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
            currency: None,
            announced: amount,
            amount,
            transacted_at: at,
            settles_at: at,
            vanishes: false,
        })
    }

    /// The balance at the start of a month.
    fn base(&self, month: i64) -> i64 {
        let hash = at_position(self.seed ^ 0xba5e, month.cast_unsigned());
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
                let principal = self.pattern_number(90, 24_000_000, 41_000_000);
                -(principal - paid_months * self.pattern_number(91, 28_000, 52_000)).max(0)
            }
            Pattern::Investment => self.scale.of(between(hash, 3_000_000, 3_600_000)),
        }
    }

    /// A number that is fixed for the account, such as its rent or its payday. Each use has its own
    /// `tag`.
    fn pattern_number(&self, tag: u64, low: i64, high: i64) -> i64 {
        between(at_position(self.seed ^ 0x4ab1, tag), low, high)
    }

    /// The rows of a day without the month's closing.
    pub(super) fn open_day(&self, day: i64, date: Date, rows: &mut Vec<Row<'_>>) {
        let stream = Stream::begin(self.seed, day.cast_unsigned());
        let mut builder = DayBuilder { generator: self, day, date, stream, rows };
        match self.pattern {
            Pattern::Checking => builder.checking(),
            Pattern::Savings => builder.savings(),
            Pattern::CreditCard => builder.credit_card(),
            Pattern::LineOfCredit => builder.line_of_credit(),
            Pattern::Mortgage => builder.mortgage(),
            Pattern::Investment => builder.investment(),
        }
    }
}

pub(super) fn is_last_day(day: i64, date: Date) -> bool {
    // The shortest month ends on its 28th.
    date.day >= 28 && date_of(day + 1).day == 1
}

/// One day of one account while its rows are added.
struct DayBuilder<'a, 'r> {
    generator: &'a Generator,
    day: i64,
    date: Date,
    stream: Stream,
    rows: &'a mut Vec<Row<'r>>,
}

impl DayBuilder<'_, '_> {
    fn checking(&mut self) {
        let generator = *self.generator;
        // Poor holders have no income. Their savings pay for the month.
        if generator.scale != Scale::Poor {
            self.salary();
            self.bills();
        }
        if self.date.day == generator.pattern_number(16, 5, 27) {
            let subscription = *pick(at_position(generator.seed, 17), &STREAMS);
            self.pay(
                subscription,
                None,
                generator.pattern_number(18, 899, 1_999),
                Booking::AsAnnounced,
            );
        }
        if self.date.day == generator.pattern_number(19, 25, 28) && self.stream.chance(400) {
            let fees = [("MONTHLY SERVICE FEE", -1_200), ("ATM FEE", -300)];
            let (text, amount) = *pick(self.stream.next(), &fees);
            self.booked(5, text, amount);
        }
        self.shopping([220, 600, 890]);
    }

    /// Adds the salary, every other Friday.
    fn salary(&mut self) {
        let generator = *self.generator;
        let payday = (self.day.div_euclid(7) + generator.pattern_number(1, 0, 1)) % 2 == 0;
        if weekday(self.day) == 5 && payday {
            let employer = *pick(at_position(generator.seed, 2), &EMPLOYERS);
            let salary =
                generator.pattern_number(3, 150_000, 260_000) + self.stream.between(-2_500, 2_500);
            self.booked(6, employer, generator.scale.of(salary));
        }
    }

    fn bills(&mut self) {
        let generator = *self.generator;
        let biller =
            |tag: u64, names: &[&'static str]| *pick(at_position(generator.seed, tag), names);
        if self.date.day == 1 {
            let rent = generator.pattern_number(4, 180, 320) * 500;
            self.booked(5, biller(5, &LANDLORDS), -generator.scale.of(rent));
        }
        if self.date.day == generator.pattern_number(6, 3, 9) {
            let power = self.stream.between(4_500, 14_000);
            self.booked(7, biller(7, &POWER), -generator.scale.of(power));
        }
        if self.date.day == generator.pattern_number(8, 10, 16) {
            let internet = generator.pattern_number(9, 4_500, 8_000);
            self.booked(7, biller(10, &LINES), -generator.scale.of(internet));
        }
        if self.date.day == generator.pattern_number(11, 17, 24) {
            let phone = generator.pattern_number(12, 3_000, 7_000);
            self.booked(7, biller(13, &PHONES), -generator.scale.of(phone));
        }
    }

    fn savings(&mut self) {
        let generator = *self.generator;
        if self.date.day == 1 {
            let interest = self.stream.between(220, 2_100);
            self.booked(4, "INTEREST PAID", generator.scale.of(interest));
        }
        if self.date.day == generator.pattern_number(20, 5, 24) {
            let withdrawal = self.stream.between(20, 240) * 100;
            self.booked(14, "ATM WITHDRAWAL", -generator.scale.of(withdrawal));
        }
        if !is_last_day(self.day, self.date) {
            return;
        }
        // The counterpart of the holder's closing at the checking account.
        let Some(seed) = generator.partner else { return };
        let checking =
            Generator { seed, pattern: Pattern::Checking, scale: Scale::Ordinary, partner: None };
        if let Some(closing) = checking.closing(month_of(self.date)) {
            let incoming = closing.amount < 0;
            let text = if incoming { "TRANSFER FROM CHECKING" } else { "TRANSFER TO CHECKING" };
            let (amount, at) = (-closing.amount, closing.transacted_at);
            self.push(text, None, (amount, amount), (at, at), false);
        }
    }

    fn credit_card(&mut self) {
        let generator = *self.generator;
        if self.date.day == generator.pattern_number(30, 12, 22) {
            let interest = self.stream.between(300, 2_400);
            self.booked(3, "INTEREST CHARGE", -generator.scale.of(interest));
        }
        if self.date.day == generator.pattern_number(31, 2, 27)
            && self.date.month == generator.pattern_number(32, 1, 12)
        {
            self.booked(3, "ANNUAL FEE", -9_500);
        }
        self.shopping([180, 560, 860]);
    }

    fn line_of_credit(&mut self) {
        let generator = *self.generator;
        if self.date.day == generator.pattern_number(40, 15, 25) {
            let interest = self.stream.between(1_500, 6_500);
            self.booked(3, "INTEREST CHARGE", -generator.scale.of(interest));
        }
        if self.stream.chance(50) {
            let draw = self.stream.between(4, 18) * 5_000;
            self.booked(11, "CREDIT LINE DRAW", -generator.scale.of(draw));
        }
    }

    fn mortgage(&mut self) {
        if self.date.day == 1 {
            let interest =
                self.generator.pattern_number(50, 70_000, 130_000) + self.stream.between(-900, 900);
            self.booked(2, "MORTGAGE INTEREST", -interest);
        }
        if self.date.day == 10 && self.date.month % 6 == 0 {
            let tax = self.generator.pattern_number(51, 120_000, 260_000);
            self.booked(2, "PROPERTY TAX FROM ESCROW", -tax);
        }
    }

    fn investment(&mut self) {
        let generator = *self.generator;
        if self.date.day == 5 {
            self.booked(
                9,
                "CONTRIBUTION",
                generator.scale.of(generator.pattern_number(60, 5, 40) * 2_500),
            );
        }
        if self.date.day == generator.pattern_number(61, 12, 20) {
            let dividend = self.stream.between(900, 8_800);
            self.booked(9, "DIVIDEND", generator.scale.of(dividend));
        }
        if weekday(self.day) % 6 != 0 && self.stream.chance(160) {
            let traded = generator.scale.of(self.stream.between(10_000, 160_000));
            let sale = self.stream.chance(400);
            let text = if sale { "SALE OF SHARES" } else { "PURCHASE OF SHARES" };
            let amount = if sale { traded } else { -traded };
            let at = self.at_hour(15);
            self.push(text, None, (amount, amount), (at, at + DAY_S), false);
        }
    }

    /// Adds the card payments of a day: one for each bound that a draw from 0 to 999 reaches.
    fn shopping(&mut self, bounds: [i64; 3]) {
        let weekend = weekday(self.day) % 6 == 0;
        let draw = self.stream.between(0, 999) + if weekend { 220 } else { 0 };
        for _ in bounds.iter().filter(|bound| draw >= **bound) {
            let shop = pick(self.stream.next(), &SHOPS);
            let spent = self.stream.between(shop.low, shop.high);
            let branch = shop.branch.then(|| {
                let branch = at_position(self.generator.seed, spent.cast_unsigned() % 7);
                let Ok(branch) = u16::try_from(branch % 900 + 100) else {
                    unreachable!("a number below 1000 fits into 16 bits");
                };
                branch
            });
            self.pay(shop.text, branch, spent, shop.booking);
        }
    }

    /// Adds a card payment, sometimes a refund or a payment that vanishes.
    fn pay(&mut self, text: &'static str, branch: Option<u16>, spent: i64, booking: Booking) {
        let generator = *self.generator;
        let amount = generator.scale.spent(spent);
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

    /// Adds a row that is posted at once.
    fn booked(&mut self, hour: i64, text: &'static str, amount: i64) {
        let at = self.at_hour(hour);
        self.push(text, None, (amount, amount), (at, at), false);
    }

    /// A random second within an hour of the day.
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
        let slot = match u8::try_from(self.rows.len() + 1) {
            Ok(slot) if slot < CLOSING_SLOT => slot,
            _ => unreachable!("a day has fewer rows than {CLOSING_SLOT}"),
        };
        let key = RowKey { day: self.day, slot };
        self.rows.push(Row {
            key,
            text,
            branch,
            currency: None,
            announced,
            // A payment that vanishes keeps its announced amount.
            amount: if vanishes { announced } else { amount },
            transacted_at,
            settles_at,
            vanishes,
        });
    }
}
