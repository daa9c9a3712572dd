//! The text of an id: a prefix, 11 digits of a number and 13 digits that make the id complete.

use super::NotAnId;
use crate::digits::{read_digits, write_digits};
use serde::de::{self, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

const NUMBER_DIGITS: usize = 11;
const TAIL_DIGITS: usize = 13;
/// Digits behind the prefix of every id.
pub const ID_DIGITS: usize = NUMBER_DIGITS + TAIL_DIGITS;
/// Numbers are below this, so that they fit a signed column.
pub(super) const NUMBER_BOUND: u64 = 1 << 63;

/// A bijection that spreads neighbouring numbers over all 64 bits.
pub(super) fn spread(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

pub(super) fn check(prefix: &str, number: u64) -> u128 {
    let salt = prefix.bytes().fold(0_u64, |salt, byte| salt.wrapping_mul(131) + u64::from(byte));
    let wide = spread(number ^ spread(salt));
    // 64 bits and 13 more fill the 13 digits of the tail.
    (u128::from(wide) << 13) | u128::from(spread(wide) >> 51)
}

pub(super) fn text(prefix: &str, number: u64, tail: u128) -> IdText {
    let mut bytes = [0; IdText::BYTES_MAX];
    let (head, rest) = bytes.split_at_mut(prefix.len());
    head.copy_from_slice(prefix.as_bytes());
    write_digits(u128::from(number), &mut rest[..NUMBER_DIGITS]);
    write_digits(tail, &mut rest[NUMBER_DIGITS..ID_DIGITS]);
    IdText { bytes, length: prefix.len() + ID_DIGITS }
}

pub(super) fn parse(prefix: &str, text: &str) -> Result<(u64, u128), NotAnId> {
    let digits = text.strip_prefix(prefix).ok_or(NotAnId)?.as_bytes();
    if digits.len() != ID_DIGITS {
        return Err(NotAnId);
    }
    let number = read_digits(&digits[..NUMBER_DIGITS]).ok_or(NotAnId)?;
    let tail = read_digits(&digits[NUMBER_DIGITS..]).ok_or(NotAnId)?;
    let number = u64::try_from(number).ok().filter(|number| *number < NUMBER_BOUND);
    Ok((number.ok_or(NotAnId)?, tail))
}

/// The text of an id, stored without an allocation.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; Self::BYTES_MAX],
    length: usize,
}

impl IdText {
    const BYTES_MAX: usize = 36;

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        let Ok(text) = std::str::from_utf8(&self.bytes[..self.length]) else {
            unreachable!("prefixes and digits are ASCII")
        };
        text
    }
}

impl fmt::Debug for IdText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The bytes of the text, without a check that they are UTF-8.
impl AsRef<[u8]> for IdText {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Reads an id from a borrowed text, because a stored account contains eight ids.
pub(super) struct TextVisitor<T>(pub(super) PhantomData<T>);

impl<T: FromStr<Err = NotAnId>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the text of an id")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Implements the conversions between an id and its text.
macro_rules! id_text {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.text().as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.text().as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.text().as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer
                    .deserialize_str($crate::id::text::TextVisitor(std::marker::PhantomData))
            }
        }
    };
}

pub(super) use id_text;
