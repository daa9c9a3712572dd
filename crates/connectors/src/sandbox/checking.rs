//! The rows of a day of a checking account: income, bills, debts and card payments, as the life of
//! the holder has them.

use super::day::DayBuilder;
use super::life::Income;
use super::pattern::Scale;
use super::random::{at_position, pick};
use super::row::Row;
use super::texts::{
    APPS, Booking, CLIENTS, Channel, EMPLOYERS, LANDLORDS, LINES, PENSIONS, PHONES, POWER, STREAMS,
    SUPPLIERS,
};
use super::wording::Wording;
use model::calendar::{month_of, weekday};

impl DayBuilder<'_, '_> {
    pub(super) fn checking(&mut self) {
        let generator = *self.generator;
        if generator.life.income == Income::Business {
            return self.business();
        }
        // Poor holders have no income. Their savings pay for the month.
        let is_poor = generator.scale == Scale::Poor;
        if !is_poor {
            self.income();
            self.bills();
            self.debts();
        }
        if self.date.day == generator.pattern_number(16, 5, 27) {
            let subscription = *pick(at_position(generator.seed, 17), &STREAMS);
            let price = generator.pattern_number(18, 899, 1_999);
            let channel = Channel::Recurring;
            self.pay((subscription, None, channel), price, Booking::AsAnnounced);
        }
        if self.date.day == generator.pattern_number(19, 25, 28) && self.stream.chance(400) {
            let fees = [("MONTHLY SERVICE FEE", -1_200), ("ATM FEE", -300)];
            let (text, amount) = *pick(self.stream.next(), &fees);
            self.booked(5, text, amount);
        }
        if generator.life.overdrawn {
            let payday = generator.tight_payday(month_of(self.date));
            if payday == Some(self.day + 1) {
                self.booked(5, "OVERDRAFT FEE", -3_500);
            }
        }
        self.shopping([220, 600, 890]);
        if is_poor && !generator.life.is_original {
            self.cover();
        }
    }

    /// Adds a transfer that pays for the other rows of the day, so that the account is almost empty
    /// and never below zero.
    fn cover(&mut self) {
        let owed = |row: &&Row<'_>| row.amount < 0 && !row.vanishes;
        let owed: i64 = self.rows.iter().filter(owed).map(|row| row.amount).sum();
        if owed < 0 {
            let wording = Wording::Transfer { account: self.generator.seed };
            self.booked_as(3, ("OVERDRAFT PROTECTION FROM SAVINGS", wording), -owed);
        }
    }

    fn income(&mut self) {
        let generator = *self.generator;
        let life = generator.life;
        match life.income {
            Income::Biweekly | Income::Semimonthly | Income::Monthly => self.salary(),
            Income::Gig => {
                if self.stream.chance(480) {
                    let app = *pick(self.stream.next(), &APPS);
                    let payout = life.sized(self.stream.between(4_500, 24_000));
                    let wording = self.ach("PAYOUT", true, true);
                    self.booked_as(4, (app, wording), payout);
                }
            }
            Income::Benefits => {
                if generator.is_payday(self.day, self.date) {
                    let benefit = life.sized(generator.pattern_number(3, 120_000, 230_000));
                    let wording = self.ach("XXSOC SEC", true, true);
                    self.booked_as(4, ("SSA TREAS 310", wording), benefit);
                }
                if life.pension && self.date.day == 1 {
                    let pension = life.sized(generator.pattern_number(62, 60_000, 180_000));
                    let payer = *pick(at_position(generator.seed, 2), &PENSIONS);
                    let wording = self.ach("PENSION", true, true);
                    self.booked_as(4, (payer, wording), pension);
                }
            }
            Income::SelfEmployed => self.invoices(),
            Income::Business | Income::None => {}
        }
    }

    fn salary(&mut self) {
        let generator = *self.generator;
        if !generator.is_payday(self.day, self.date) {
            return;
        }
        let employer = *pick(at_position(generator.seed, 2), &EMPLOYERS);
        let salary =
            generator.pattern_number(3, 150_000, 260_000) + self.stream.between(-2_500, 2_500);
        // A year has 26 salaries every other week, 24 in the middle and at the end of a month, and
        // 12 a month.
        let salary = match generator.life.income {
            Income::Semimonthly => salary * 26 / 24,
            Income::Monthly => salary * 26 / 12,
            _ => salary,
        };
        let salary = generator.scale.of(generator.life.sized(salary));
        let purpose = *pick(at_position(generator.seed, 21), &["PAYROLL", "PAYROLL", "DIR DEP"]);
        let wording = self.ach(purpose, true, true);
        self.booked_as(6, (self.name(employer, "PAYROLL "), wording), salary);
    }

    /// Adds a paid invoice on some workdays, and the estimated tax.
    fn invoices(&mut self) {
        let generator = *self.generator;
        if weekday(self.day) % 6 != 0 && self.stream.chance(150) {
            let amount = generator.life.sized(self.stream.between(60_000, 220_000));
            let client = *pick(self.stream.next(), &CLIENTS);
            let (text, wording) = match self.stream.between(0, 2) {
                0 => ("MOBILE CHECK DEPOSIT REF", Wording::Check { account: generator.seed }),
                1 => ("PAYPAL", self.ach("TRANSFER", true, true)),
                _ => (client, self.ach("VENDOR PMT", true, false)),
            };
            self.booked_as(7, (text, wording), amount);
        }
        if self.date.day == 15 {
            let tax = generator.tax_of(month_of(self.date));
            if tax > 0 {
                let wording = self.ach("USATAXPYMT", false, true);
                self.booked_as(7, ("IRS", wording), -tax);
            }
        }
    }

    fn bills(&mut self) {
        let generator = *self.generator;
        let biller =
            |tag: u64, names: &[&'static str]| *pick(at_position(generator.seed, tag), names);
        let scaled = |amount: i64| -generator.scale.of(amount);
        if self.date.day == 1 {
            let landlord = self.name(biller(5, &LANDLORDS), "RENT ");
            let wording = self.ach("RENT", false, true);
            self.booked_as(5, (landlord, wording), scaled(generator.rent()));
        }
        if self.date.day == generator.pattern_number(6, 3, 9) {
            let power = generator.life.sized(self.stream.between(4_500, 14_000));
            let wording = self.ach("ELEC PMT", false, true);
            self.booked_as(7, (biller(7, &POWER), wording), scaled(power));
        }
        if self.date.day == generator.pattern_number(8, 10, 16) {
            let internet = generator.life.sized(generator.pattern_number(9, 4_500, 8_000));
            let wording = self.ach("INTERNET", false, true);
            self.booked_as(7, (biller(10, &LINES), wording), scaled(internet));
        }
        if self.date.day == generator.pattern_number(11, 17, 24) {
            let phone = generator.life.sized(generator.pattern_number(12, 3_000, 7_000));
            let wording = self.ach("PHONE PMT", false, true);
            self.booked_as(7, (biller(13, &PHONES), wording), scaled(phone));
        }
    }

    fn debts(&mut self) {
        if !self.generator.life.debts {
            return;
        }
        for debt in self.generator.debts() {
            if debt.day == self.date.day {
                let wording = self.ach(debt.purpose, false, true);
                self.booked_as(6, (debt.lender, wording), -debt.amount);
            }
        }
    }

    /// Adds the rows of a small business: card settlements, suppliers, salaries, rent and taxes.
    fn business(&mut self) {
        let generator = *self.generator;
        let sized = |amount: i64| generator.life.sized(amount);
        let (date, weekday) = (self.date.day, weekday(self.day));
        if weekday != 0 {
            let sales = sized(self.stream.between(22_000, 78_000));
            let wording = self.ach("BTOT DEP", true, false);
            self.booked_as(4, ("MERCHANT BANKCD", wording), sales);
        }
        if weekday % 6 != 0 && self.stream.chance(550) {
            let supplier = *pick(self.stream.next(), &SUPPLIERS);
            let bill = sized(self.stream.between(8_000, 60_000));
            let (text, wording) = if self.stream.chance(250) {
                ("CHECK", Wording::Check { account: generator.seed })
            } else {
                (supplier, self.ach("VENDOR PMT", false, false))
            };
            self.booked_as(8, (text, wording), -bill);
        }
        if weekday == 5 && (self.day.div_euclid(7) + generator.pattern_number(1, 0, 1)) % 2 == 0 {
            for tag in [80, 81] {
                let salary = sized(generator.pattern_number(tag, 80_000, 120_000));
                let wording = self.ach("EMPLOYEES", false, false);
                self.booked_as(6, ("CRESTLINE PAYROLL SERVICE", wording), -salary);
            }
        }
        let monthly = [
            (1, "LEASE", LANDLORDS[0], generator.pattern_number(82, 180_000, 320_000)),
            (20, "SALES TAX", "STATE DEPT OF REVENUE", self.stream.between(60_000, 110_000)),
            (generator.pattern_number(6, 3, 9), "ELEC PMT", POWER[0], 24_000),
        ];
        for (day, purpose, payee, amount) in monthly {
            if date == day {
                let wording = self.ach(purpose, false, false);
                self.booked_as(7, (self.name(payee, "RENT "), wording), -sized(amount));
            }
        }
        if date == 15 {
            let wording = Wording::Transfer { account: generator.seed };
            let draw = sized(generator.pattern_number(83, 100_000, 160_000));
            self.booked_as(9, ("ONLINE TRANSFER OWNER DRAW", wording), -draw);
        }
        self.shopping([500, 900, 2_000]);
    }

    fn ach(&self, purpose: &'static str, incoming: bool, personal: bool) -> Wording {
        Wording::Ach { purpose, account: self.generator.seed, personal, incoming }
    }

    /// A name without its first word. Accounts that an earlier release linked show it in full.
    fn name(&self, text: &'static str, first_word: &str) -> &'static str {
        let is_original = self.generator.life.is_original;
        if is_original { text } else { text.strip_prefix(first_word).unwrap_or(text) }
    }
}
