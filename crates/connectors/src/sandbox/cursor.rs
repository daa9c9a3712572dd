//! Where a fetch of transactions ended.
//!
//! Between refreshes a cursor holds up to when, and up to which change of the log, the bank has
//! been heard. Between the pages of one fetch it also holds the moment that the fetch began with and
//! the place of the next page, so that all pages tell of the same moment. A version byte, then
//! little-endian numbers of eight bytes.

/// A fetch ended here; the next tells what happened since.
const ENDED: u8 = 1;
/// A page ended here; the next page follows.
const PAGED: u8 = 2;

/// What a follower has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Everything up to this second.
    pub(super) until: i64,
    /// This many changes of the log.
    pub(super) changes: usize,
}

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// On this day.
    pub(super) day: i64,
    /// With this slot.
    pub(super) slot: u8,
    /// After so many of the transactions that were changed by hand, which follow the days.
    pub(super) touched: usize,
}

/// A cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    Ended(Heard),
    Paged {
        /// Before the fetch.
        since: Option<Heard>,
        /// After it.
        upto: Heard,
        place: Place,
    },
}

impl Cursor {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Ended(heard) => write(ENDED, &[heard.until, wide(heard.changes)]),
            Self::Paged { since, upto, place } => {
                let before = since.map_or((i64::MIN, 0), |heard| (heard.until, heard.changes));
                let (day, slot) = (place.day, i64::from(place.slot));
                let fields = [before.0, wide(before.1), upto.until, wide(upto.changes)];
                write(PAGED, &[&fields[..], &[day, slot, wide(place.touched)]].concat())
            }
        }
    }

    /// Reads a cursor; nothing when the bytes are none of ours.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first()?;
        let numbers: Vec<i64> = bytes
            .chunks(8)
            .map(|chunk| chunk.try_into().ok().map(i64::from_le_bytes))
            .collect::<Option<_>>()?;
        match (*version, numbers.as_slice()) {
            (ENDED, [until, changes]) => {
                Some(Self::Ended(Heard { until: *until, changes: narrow(*changes)? }))
            }
            (PAGED, [before, seen, until, changes, day, slot, touched]) => Some(Self::Paged {
                since: (*before != i64::MIN)
                    .then_some(Heard { until: *before, changes: narrow(*seen)? }),
                upto: Heard { until: *until, changes: narrow(*changes)? },
                place: Place {
                    day: *day,
                    slot: u8::try_from(*slot).ok()?,
                    touched: narrow(*touched)?,
                },
            }),
            _ => None,
        }
    }
}

fn write(version: u8, numbers: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + numbers.len() * 8);
    bytes.push(version);
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}

fn wide(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn narrow(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Cursors read back, and no bytes at all make the reader panic.
        #[test]
        fn cursors_read_back(
            until in 0_i64..1 << 40, changes in 0_usize..10_000, day in -9_i64..99_999, slot: u8,
            first: bool, bytes in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let upto = Heard { until, changes };
            let since = (!first).then_some(upto);
            let paged = Cursor::Paged { since, upto, place: Place { day, slot, touched: changes } };
            for cursor in [Cursor::Ended(upto), paged] {
                prop_assert_eq!(Cursor::find(&cursor.bytes()), Some(cursor));
            }
            let _ = Cursor::find(&bytes);
        }
    }
}
