//! The natural rows of one day of an account of the catalogue, without a month's closing.

use super::pattern::{CLOSING_SLOT, Generator, Pattern, Scale, is_last_day};
use super::random::{Stream, at_position, pick};
use super::row::{Row, RowKey, SETTLE_DAYS_MAX};
use super::texts::{Booking, Channel, HOLD, SHOPS};
use super::wording::Wording;
use model::calendar::{Date, month_of, weekday};
use model::clock::DAY_S;

/// One day of one account while its rows are added.
pub(super) struct DayBuilder<'a, 'r> {
    pub(super) generator: &'a Generator,
    pub(super) day: i64,
    pub(super) date: Date,
    pub(super) stream: Stream,
    pub(super) rows: &'a mut Vec<Row<'r>>,
}

impl DayBuilder<'_, '_> {
    /// Adds the rows of the day.
    pub(super) fn add(&mut self) {
        match self.generator.pattern {
            Pattern::Checking => self.checking(),
            Pattern::Savings => self.savings(),
            Pattern::CreditCard => self.credit_card(),
            Pattern::LineOfCredit => self.line_of_credit(),
            Pattern::Mortgage => self.mortgage(),
            Pattern::Investment => self.investment(),
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
        let checking = Generator {
            seed,
            pattern: Pattern::Checking,
            scale: Scale::Ordinary,
            partner: None,
            life: generator.life,
        };
        let closing = checking.closing(month_of(self.date));
        // A closing that pays a card is no transfer to these savings.
        if let Some(closing) = closing.filter(|closing| closing.text.ends_with("SAVINGS")) {
            let incoming = closing.amount < 0;
            let text = if incoming { "TRANSFER FROM CHECKING" } else { "TRANSFER TO CHECKING" };
            let wording = Wording::Transfer { account: generator.seed };
            let (amount, at) = (-closing.amount, closing.transacted_at);
            self.push((text, None, wording), (amount, amount), (at, at), false);
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
            self.push((text, None, Wording::Plain), (amount, amount), (at, at + DAY_S), false);
        }
    }

    /// Adds the card payments of a day: one for each bound that a draw from 0 to 999 reaches.
    pub(super) fn shopping(&mut self, bounds: [i64; 3]) {
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
            self.pay((shop.text, branch, shop.channel), spent, shop.booking);
        }
    }

    /// Adds a card payment, sometimes a refund or a payment that vanishes.
    pub(super) fn pay(
        &mut self,
        (text, branch, channel): (&'static str, Option<u16>, Channel),
        spent: i64,
        booking: Booking,
    ) {
        let generator = *self.generator;
        let wording = Wording::Card { channel, account: generator.seed };
        let amount = generator.scale.spent(generator.life.spent(spent));
        let at = self.day * DAY_S + self.stream.between(13 * 3_600, 24 * 3_600 - 1);
        let settles = at + self.stream.between(DAY_S, SETTLE_DAYS_MAX * DAY_S);
        let fate = self.stream.next() % 1_000;
        let tip = amount * self.stream.between(12, 25) / 100;
        if fate < 25 {
            // A refund of an earlier payment of this size.
            return self.push((text, branch, wording), (amount, amount), (at, settles), false);
        }
        let (announced, posted) = match booking {
            Booking::WithTip if fate < 700 => (amount, amount + tip),
            Booking::AfterHold => (HOLD, amount),
            Booking::WithTip | Booking::AsAnnounced => (amount, amount),
        };
        let vanishes = fate >= 970;
        self.push((text, branch, wording), (-announced, -posted), (at, settles), vanishes);
    }

    /// Adds a row that is posted at once.
    pub(super) fn booked(&mut self, hour: i64, text: &'static str, amount: i64) {
        self.booked_as(hour, (text, Wording::Plain), amount);
    }

    /// Adds a row with a wording that is posted at once.
    pub(super) fn booked_as(
        &mut self,
        hour: i64,
        (text, wording): (&'static str, Wording),
        amount: i64,
    ) {
        let at = self.at_hour(hour);
        self.push((text, None, wording), (amount, amount), (at, at), false);
    }

    /// A random second within an hour of the day.
    fn at_hour(&mut self, hour: i64) -> i64 {
        self.day * DAY_S + hour * 3_600 + self.stream.between(0, 3_599)
    }

    fn push(
        &mut self,
        (text, branch, wording): (&'static str, Option<u16>, Wording),
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
            wording: if self.generator.life.is_original { Wording::Plain } else { wording },
            announced,
            // A payment that vanishes keeps its announced amount.
            amount: if vanishes { announced } else { amount },
            transacted_at,
            settles_at,
            vanishes,
        });
    }
}
