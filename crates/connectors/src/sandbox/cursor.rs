//! The position at which a fetch of transactions ended.
//!
//! Between two refreshes, a cursor holds the follower's progress: a time, and a number of changes
//! in the log. It also holds the progress of the first fetch, because the follower's window ends
//! there. Between two pages of one fetch, it also holds the time at which the fetch began and the
//! position of the next page, so that all pages show the same moment. The bytes are a version byte
//! and then little-endian numbers of eight bytes.

/// The version byte of a cursor between two refreshes.
const ENDED: u8 = 3;
/// The version byte of a cursor between two pages.
const PAGED: u8 = 4;
/// The version bytes of cursors without a first fetch, from earlier releases.
const ENDED_UNBOUNDED: u8 = 1;
const PAGED_UNBOUNDED: u8 = 2;

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

/// A fetch between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The progress after the follower's first fetch. Absent for a follower that began in an
    /// earlier release and has received the whole ledger.
    pub(super) first: Option<Progress>,
    /// The progress before the fetch. Absent before the first fetch.
    pub(super) since: Option<Progress>,
    /// The progress after the fetch.
    pub(super) upto: Progress,
}

/// A cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    Ended {
        /// The progress after the first fetch, as in [`Span`].
        first: Option<Progress>,
        last: Progress,
    },
    Paged {
        span: Span,
        position: Position,
    },
}

impl Cursor {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let pair = |progress: &Progress| [progress.until, wide(progress.changes)];
        match self {
            Self::Ended { first: None, last } => write(ENDED_UNBOUNDED, &pair(last)),
            Self::Ended { first: Some(first), last } => {
                write(ENDED, &[pair(first), pair(last)].concat())
            }
            Self::Paged { span: Span { first, since, upto }, position } => {
                let before = since.unwrap_or(Progress { until: i64::MIN, changes: 0 });
                let (day, slot) = (position.day, i64::from(position.slot));
                let fields = [pair(&before), pair(upto)].concat();
                let fields = [&fields[..], &[day, slot, wide(position.touched)]].concat();
                match first {
                    None => write(PAGED_UNBOUNDED, &fields),
                    Some(first) => write(PAGED, &[&pair(first)[..], &fields].concat()),
                }
            }
        }
    }

    /// The progress after the follower's first fetch, as in [`Span`].
    pub(super) fn first(&self) -> Option<Progress> {
        match self {
            Self::Ended { first, .. } => *first,
            Self::Paged { span, .. } => span.first,
        }
    }

    /// Reads a cursor. Returns `None` if the bytes are not a cursor of the test banks.
    pub(super) fn find(bytes: &[u8]) -> Option<Self> {
        let (version, bytes) = bytes.split_first()?;
        let numbers: Vec<i64> = bytes
            .chunks(8)
            .map(|chunk| chunk.try_into().ok().map(i64::from_le_bytes))
            .collect::<Option<_>>()?;
        let (first, numbers) = match (*version, numbers.as_slice()) {
            (ENDED | PAGED, [until, changes, numbers @ ..]) => {
                (Some(Progress { until: *until, changes: narrow(*changes)? }), numbers)
            }
            (ENDED_UNBOUNDED | PAGED_UNBOUNDED, numbers) => (None, numbers),
            _ => return None,
        };
        match (*version, numbers) {
            (ENDED | ENDED_UNBOUNDED, [until, changes]) => {
                let last = Progress { until: *until, changes: narrow(*changes)? };
                Some(Self::Ended { first, last })
            }
            (PAGED | PAGED_UNBOUNDED, [before, known, until, changes, day, slot, touched]) => {
                let since = Progress { until: *before, changes: narrow(*known)? };
                let since = (since.until != i64::MIN).then_some(since);
                let upto = Progress { until: *until, changes: narrow(*changes)? };
                let (slot, touched) = (u8::try_from(*slot).ok()?, narrow(*touched)?);
                let position = Position { day: *day, slot, touched };
                Some(Self::Paged { span: Span { first, since, upto }, position })
            }
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
            fresh: bool, bounded: bool, bytes in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let upto = Progress { until, changes };
            let since = (!fresh).then_some(upto);
            let first = bounded.then_some(Progress { until: until / 2, changes });
            let position = Position { day, slot, touched: changes };
            let paged = Cursor::Paged { span: Span { first, since, upto }, position };
            for cursor in [Cursor::Ended { first, last: upto }, paged] {
                prop_assert_eq!(Cursor::find(&cursor.bytes()), Some(cursor));
            }
            let _ = Cursor::find(&bytes);
        }
    }

    /// A cursor of an earlier release has no first fetch.
    #[test]
    fn cursors_of_earlier_releases_are_read() {
        let bytes = [&[1][..], &7_i64.to_le_bytes(), &2_i64.to_le_bytes()].concat();
        let last = Progress { until: 7, changes: 2 };
        assert_eq!(Cursor::find(&bytes), Some(Cursor::Ended { first: None, last }));
    }
}
