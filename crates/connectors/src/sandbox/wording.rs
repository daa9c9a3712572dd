//! The texts of rows as banks send them: with the prefixes of payment processors, names that are cut
//! off, numbers of cards and references, and dates.
//!
//! - A card payment names the merchant in 22 characters, which is the length of the field in card
//!   messages. A payment processor writes its prefix into this field.
//! - A transfer between banks names the company in 16 characters and the purpose in 10, which are
//!   the lengths of these fields in ACH files.
//! - Each bank account has one of three formats for the rest.

use super::random::{at_position, between, mix, pick};
use super::texts::{Channel, describe, push_described, push_digits};
use model::calendar::date_of;

/// The length of a merchant's name in a card message.
const MERCHANT_CHARS: usize = 22;
/// The lengths of a company's name and of a purpose in an ACH file.
const COMPANY_CHARS: usize = 16;
const PURPOSE_CHARS: usize = 10;

const TOWNS: [&str; 8] = [
    "SPRINGFIELD IL",
    "RIVERTON UT",
    "FAIRVIEW OR",
    "GEORGETOWN TX",
    "SALEM MA",
    "CLINTON NJ",
    "MADISON WI",
    "ASHLAND VA",
];

/// The prefix that a payment processor writes before the name of a shop.
fn prefix(channel: Channel) -> &'static str {
    match channel {
        Channel::Terminal | Channel::Recurring => "",
        Channel::Square => "SQ *",
        Channel::Toast => "TST* ",
        Channel::PayPal => "PAYPAL *",
    }
}

/// The day of a row, and its slot in the day.
type Position = (i64, u8);

/// The wording of a row. `account` is the seed of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// The text, and the number of a branch if there is one.
    Plain,
    Card {
        channel: Channel,
        account: u64,
    },
    /// A payment of or to a company.
    Ach {
        purpose: &'static str,
        account: u64,
        /// True if the payer or receiver is a person, which the code `PPD` says.
        personal: bool,
        incoming: bool,
    },
    /// A transfer to or from another account of the holder.
    Transfer {
        account: u64,
    },
    /// A numbered check.
    Check {
        account: u64,
    },
}

/// The text of a row.
pub(super) fn worded(wording: Wording, text: &str, branch: Option<u16>, key: Position) -> String {
    match wording {
        Wording::Plain => describe(text, branch),
        Wording::Card { channel, account } => card(channel, account, (text, branch), key),
        Wording::Ach { purpose, account, personal, incoming } => {
            let code = if personal { "PPD" } else { "CCD" };
            ach((text, purpose, code), account, incoming, key)
        }
        Wording::Transfer { account } => {
            let mut line = format!("{text} ...");
            push_digits(&mut line, number(account ^ 0x7a, 10_000), 4);
            line.push_str(" REF #");
            push_reference(&mut line, row_hash(account, key));
            line
        }
        Wording::Check { account } => {
            let mut line = format!("{text} ");
            // The number of a later check is higher.
            push_digits(&mut line, 1_000 + key.0.rem_euclid(8_000) + number(account, 400), 4);
            line
        }
    }
}

fn card(
    channel: Channel,
    account: u64,
    (text, branch): (&str, Option<u16>),
    key: Position,
) -> String {
    let format = format_of(account);
    let mut line = String::with_capacity(64);
    match (format, channel) {
        (0, Channel::Recurring) => line.push_str("RECURRING DEBIT "),
        (0, _) => line.push_str("POS DEBIT "),
        (1, _) => {
            line.push_str("CARD PURCHASE ");
            push_date(&mut line, key.0);
            line.push(' ');
        }
        _ => {}
    }
    let end = line.len() + MERCHANT_CHARS;
    line.push_str(prefix(channel));
    push_described(&mut line, text, branch);
    truncate(&mut line, end);
    if format == 1 {
        line.push_str(" CARD ");
        push_digits(&mut line, number(account ^ 0xca, 10_000), 4);
        return line;
    }
    // The fields of a card message are filled up with spaces.
    let filled = if format == 0 { 0 } else { end };
    while line.len() < filled {
        line.push(' ');
    }
    line.push(' ');
    let shop = text_hash(text) ^ u64::from(branch.unwrap_or_default());
    let town = pick(at_position(account, shop), &TOWNS);
    line.push_str(town);
    line
}

fn ach(
    (company, purpose, code): (&str, &str, &str),
    account: u64,
    incoming: bool,
    key: Position,
) -> String {
    let mut line = String::with_capacity(80);
    let format = format_of(account);
    if format == 0 {
        line.push_str(if incoming { "ACH CREDIT " } else { "ACH DEBIT " });
    }
    let end = line.len() + COMPANY_CHARS;
    line.push_str(company);
    truncate(&mut line, end);
    line.push(' ');
    let end = line.len() + PURPOSE_CHARS;
    line.push_str(purpose);
    truncate(&mut line, end);
    if format == 1 {
        line.push(' ');
        push_date(&mut line, key.0);
    }
    line.push(' ');
    line.push_str(code);
    line.push_str(" ID: ");
    // A company has one number at every bank.
    push_digits(&mut line, number(text_hash(company), 10_000_000_000), 10);
    line
}

/// One of three formats.
fn format_of(account: u64) -> u64 {
    mix(account ^ 0xf0) % 3
}

/// Cuts a text of ASCII letters off.
fn truncate(text: &mut String, length: usize) {
    text.truncate(length);
    text.truncate(text.trim_end().len());
}

/// A number from 0 to below a bound.
fn number(hash: u64, bound: i64) -> i64 {
    between(mix(hash), 0, bound - 1)
}

fn row_hash(account: u64, key: Position) -> u64 {
    at_position(account ^ u64::from(key.1), key.0.cast_unsigned())
}

/// A hash of few instructions, because it runs for every row (FNV-1a).
fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Adds the month and the day, as `05/23`.
fn push_date(text: &mut String, day: i64) {
    let date = date_of(day);
    push_digits(text, date.month, 2);
    text.push('/');
    push_digits(text, date.day, 2);
}

/// Adds a reference of nine letters and digits.
fn push_reference(text: &mut String, hash: u64) {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    text.push_str("IB");
    for position in 0..7 {
        let letter = pick(hash >> (position * 5), LETTERS);
        text.push(char::from(*letter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each format is pinned, with names that are cut off.
    #[test]
    fn texts_are_as_banks_send_them() {
        let key = (20_596, 2);
        let mut lines = Vec::new();
        let accounts =
            (0..3).map(|format| (0..100).find(|seed| format_of(*seed) == format).unwrap());
        for account in accounts {
            let card = |channel| Wording::Card { channel, account };
            let ach =
                |purpose, incoming, personal| Wording::Ach { purpose, account, personal, incoming };
            for (wording, text, branch) in [
                (card(Channel::Terminal), "HARBOR GROCERY", Some(455)),
                (card(Channel::Square), "CORNER BREAD BAKERY", None),
                (card(Channel::Toast), "OAK TABLE RESTAURANT", None),
                (card(Channel::PayPal), "NORTHSTAR ONLINE", None),
                (card(Channel::Recurring), "MOONBEAM VIDEO", None),
                (ach("PAYROLL", true, true), "COPPERFIELD SCHOOLS", None),
                (ach("VENDOR PAYMENT", false, false), "CASCADE FASTENERS", None),
                (Wording::Transfer { account }, "ONLINE TRANSFER TO SAVINGS", None),
                (Wording::Check { account }, "CHECK", None),
            ] {
                lines.push(worded(wording, text, branch, key));
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @"
        POS DEBIT HARBOR GROCERY #0455 RIVERTON UT
        POS DEBIT SQ *CORNER BREAD BAKER SPRINGFIELD IL
        POS DEBIT TST* OAK TABLE RESTAUR CLINTON NJ
        POS DEBIT PAYPAL *NORTHSTAR ONLI CLINTON NJ
        RECURRING DEBIT MOONBEAM VIDEO GEORGETOWN TX
        ACH CREDIT COPPERFIELD SCHO PAYROLL PPD ID: 6455671451
        ACH DEBIT CASCADE FASTENER VENDOR PAY CCD ID: 8149497883
        ONLINE TRANSFER TO SAVINGS ...1039 REF #IB7ZMSNX1
        CHECK 5596
        CARD PURCHASE 05/23 HARBOR GROCERY #0455 CARD 1471
        CARD PURCHASE 05/23 SQ *CORNER BREAD BAKER CARD 1471
        CARD PURCHASE 05/23 TST* OAK TABLE RESTAUR CARD 1471
        CARD PURCHASE 05/23 PAYPAL *NORTHSTAR ONLI CARD 1471
        CARD PURCHASE 05/23 MOONBEAM VIDEO CARD 1471
        COPPERFIELD SCHO PAYROLL 05/23 PPD ID: 6455671451
        CASCADE FASTENER VENDOR PAY 05/23 CCD ID: 8149497883
        ONLINE TRANSFER TO SAVINGS ...6927 REF #IB6N7B50V
        CHECK 5852
        HARBOR GROCERY #0455   CLINTON NJ
        SQ *CORNER BREAD BAKER SALEM MA
        TST* OAK TABLE RESTAUR SALEM MA
        PAYPAL *NORTHSTAR ONLI SPRINGFIELD IL
        MOONBEAM VIDEO         ASHLAND VA
        COPPERFIELD SCHO PAYROLL PPD ID: 6455671451
        CASCADE FASTENER VENDOR PAY CCD ID: 8149497883
        ONLINE TRANSFER TO SAVINGS ...2666 REF #IBFERQ14H
        CHECK 5926
        ");
    }
}
