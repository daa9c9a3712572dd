//! The position at which a fetch of transactions ended.
//!
//! Between two refreshes, a cursor holds the follower's progress: a time, and a number of changes
//! in the log. Between two pages of one fetch, it also holds the time at which the fetch began and
//! the position of the next page, so that all pages show the same moment. The bytes are a version
//! byte and then little-endian numbers of eight bytes.

/// The version byte of a cursor between two refreshes.
const ENDED: u8 = 1;
/// The version byte of a cursor between two pages.
const PAGED: u8 = 2;

/// The progress of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The last second that the follower has received.
    pub(super) until: i64,
    /// The number of changes in the log that the follower has received.
    pub(super) changes: usize,
}

/// The start of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) day: i64,
    pub(super) slot: u8,
    /// The number of touched transactions on earlier pages. They follow the rows of all days.
    pub(super) touched: usize,
}

/// A cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    Ended(Progress),
    Paged {
        /// The progress before the fetch.
        since: Option<Progress>,
        /// The progress after the fetch.
        upto: Progress,
        position: Position,
    },
}

impl Cursor {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Ended(progress) => write(ENDED, &[progress.until, wide(progress.changes)]),
            Self::Paged { since, upto, position } => {
                let before = since.map_or((i64::MIN, 0), |since| (since.until, since.changes));
                let (day, slot) = (position.day, i64::from(position.slot));
                let fields = [before.0, wide(before.1), upto.until, wide(upto.changes)];
                write(PAGED, &[&fields[..], &[day, slot, wide(position.touched)]].concat())
            }
        }
    }

    /// Reads a cursor. Returns `None` if the bytes are not a cursor of the test banks.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first()?;
        let numbers: Vec<i64> = bytes
            .chunks(8)
            .map(|chunk| chunk.try_into().ok().map(i64::from_le_bytes))
            .collect::<Option<_>>()?;
        match (*version, numbers.as_slice()) {
            (ENDED, [until, changes]) => {
                Some(Self::Ended(Progress { until: *until, changes: narrow(*changes)? }))
            }
            (PAGED, [before, known, until, changes, day, slot, touched]) => Some(Self::Paged {
                since: (*before != i64::MIN)
                    .then_some(Progress { until: *before, changes: narrow(*known)? }),
                upto: Progress { until: *until, changes: narrow(*changes)? },
                position: Position {
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
    let Ok(number) = i64::try_from(number) else {
        unreachable!("the length of a list in memory is below 2^63");
    };
    number
}

fn narrow(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Cursors read back, and the reader accepts any bytes without a panic.
        #[test]
        fn cursors_read_back(
            until in 0_i64..1 << 40, changes in 0_usize..10_000, day in -9_i64..99_999, slot: u8,
            first: bool, bytes in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let upto = Progress { until, changes };
            let since = (!first).then_some(upto);
            let paged = Cursor::Paged { since, upto, position: Position { day, slot, touched: changes } };
            for cursor in [Cursor::Ended(upto), paged] {
                prop_assert_eq!(Cursor::find(&cursor.bytes()), Some(cursor));
            }
            let _ = Cursor::find(&bytes);
        }
    }
}
