//! The compact form of the transaction fields that have no column.
//!
//! ```text
//! byte 0     version, 1
//! byte 1     status in bits 0–1; bit 2: posted_at follows; bit 3: void_at follows
//! bytes 2–4  currency
//! varints    amount; then as distances from listed_at: updated, posted_at, void_at
//! the rest   description
//! ```
//!
//! Varints are zigzag LEB128. A body has a third of the size of JSON, and is read without a parser.

use super::Failure;
use model::clock::AccountTime;
use model::money::Currency;
use model::transaction::{Transaction, TransactionStatus};

const VERSION: u8 = 1;
const POSTED: u8 = 1 << 2;
const VOID: u8 = 1 << 3;

/// The fields of a body.
pub(super) struct Body {
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) status: TransactionStatus,
    pub(super) updated: AccountTime,
    pub(super) posted_at: Option<AccountTime>,
    pub(super) void_at: Option<AccountTime>,
    pub(super) description: String,
}

/// Writes a row's body into the buffer, in place of its content.
pub(super) fn write(row: &Transaction, buffer: &mut Vec<u8>) {
    let status = match row.status {
        TransactionStatus::Pending => 0,
        TransactionStatus::Posted => 1,
        TransactionStatus::Void => 2,
    };
    let posted = if row.posted_at.is_some() { POSTED } else { 0 };
    let void = if row.void_at.is_some() { VOID } else { 0 };
    buffer.clear();
    buffer.extend_from_slice(&[VERSION, status | posted | void]);
    buffer.extend_from_slice(&row.currency.bytes());
    write_varint(row.amount, buffer);
    for time in [Some(row.updated), row.posted_at, row.void_at].into_iter().flatten() {
        write_varint(time.0.wrapping_sub(row.id.listed_at.0), buffer);
    }
    buffer.extend_from_slice(row.description.as_bytes());
}

/// Reads a body.
pub(super) fn read(listed_at: AccountTime, bytes: &[u8]) -> Result<Body, Failure> {
    // The failure is created only here, because a page takes thousands of steps that could fail.
    find(listed_at, bytes).ok_or_else(|| Failure::Unreadable("transactions.body"))
}

fn find(listed_at: AccountTime, bytes: &[u8]) -> Option<Body> {
    let (&[VERSION, flags, a, b, c], mut rest) = bytes.split_first_chunk()? else { return None };
    if flags > (VOID | POSTED | 3) {
        return None;
    }
    let currency = Currency::of_bytes([a, b, c])?;
    let status = match flags & 3 {
        0 => TransactionStatus::Pending,
        1 => TransactionStatus::Posted,
        2 => TransactionStatus::Void,
        _ => return None,
    };
    let amount = read_varint(&mut rest)?;
    let mut time = || read_varint(&mut rest).map(|far| AccountTime(listed_at.0.wrapping_add(far)));
    let updated = time()?;
    let posted_at = if flags & POSTED == 0 { None } else { Some(time()?) };
    let void_at = if flags & VOID == 0 { None } else { Some(time()?) };
    let description = std::str::from_utf8(rest).ok()?.to_owned();
    Some(Body { amount, currency, status, updated, posted_at, void_at, description })
}

fn write_varint(value: i64, buffer: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
    loop {
        let low = (left & 0x7f) as u8;
        left >>= 7;
        if left == 0 {
            buffer.push(low);
            return;
        }
        buffer.push(low | 0x80);
    }
}

fn read_varint(rest: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{AccountId, TransactionId};
    use proptest::prelude::*;

    /// A status, a flag or a number that is never written is an error.
    #[test]
    fn corrupt_bodies_are_errors() {
        let body = |flags: u8, numbers: &[u8]| {
            read(AccountTime(0), &[&[VERSION, flags, b'u', b's', b'd'], numbers].concat())
        };
        assert!(body(1, &[2, 4]).is_ok());
        assert!(body(3, &[2, 4]).is_err(), "a fourth status");
        assert!(body(1 | 1 << 4, &[2, 4]).is_err(), "an unknown flag");
        assert!(body(1, &[2]).is_err(), "a missing time");
        let longest = [&[0xff; 9][..], &[1, 4]].concat();
        assert!(body(1, &longest).is_ok());
        let too_long = [&[0xff; 9][..], &[2, 4]].concat();
        assert!(body(1, &too_long).is_err(), "more than 64 bits");
    }

    proptest! {
        /// A body is read as it was written.
        #[test]
        fn reads_back(
            amount: i64, listed_at: i64, updated: i64, posted: Option<i64>, void: Option<i64>,
            description in "\\PC{0,40}", status in 0..3_usize,
        ) {
            let account = AccountId::from_number(1);
            let row = Transaction {
                id: TransactionId { account, listed_at: AccountTime(listed_at), ordinal: 1 },
                amount,
                currency: Currency::USD,
                description,
                status: <TransactionStatus as model::Word>::ALL[status],
                transacted_at: AccountTime(0),
                posted_at: posted.map(AccountTime),
                void_at: void.map(AccountTime),
                sequence: 1,
                updated: AccountTime(updated),
            };
            let mut buffer = vec![1, 2, 3];
            write(&row, &mut buffer);
            let body = read(row.id.listed_at, &buffer).unwrap();
            prop_assert_eq!(body.amount, row.amount);
            prop_assert_eq!(body.currency, row.currency);
            prop_assert_eq!(body.status, row.status);
            prop_assert_eq!(body.updated, row.updated);
            prop_assert_eq!(body.posted_at, row.posted_at);
            prop_assert_eq!(body.void_at, row.void_at);
            prop_assert_eq!(body.description, row.description);
        }

        /// Reading arbitrary bytes returns a body or an error, and never panics.
        #[test]
        fn reads_any_bytes_safely(bytes: Vec<u8>, flags: u8) {
            let _ = read(AccountTime(0), &bytes);
            let _ = read(AccountTime(0), &[&[VERSION, flags, b'u', b's', b'd'], &bytes[..]].concat());
        }
    }
}
