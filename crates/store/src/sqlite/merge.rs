//! Several sorted lists, read as one.
//!
//! A list that no index has as a whole often consists of parts, and each part is a range of an
//! index. The parts are read in slices, so that a page reads about as many rows of all parts together
//! as it returns, and at least one slice of each.

use super::Failure;
use std::collections::BTreeSet;

/// The least number of rows of a slice.
const SLICE_ROWS_MIN: usize = 4;

/// The order in which rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// Calls `take` with the rows of all parts in their order, until it returns false or the rows end.
/// `read` returns the rows of a part after a row, or its first rows, at most so many. `wanted` is the
/// number of rows that `take` will most likely need.
pub(super) fn merge<P, R: Ord + Copy>(
    parts: &[P],
    order: Order,
    wanted: usize,
    mut read: impl FnMut(&P, Option<R>, usize) -> Result<Vec<R>, Failure>,
    mut take: impl FnMut(R) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let slice = wanted.div_ceil(parts.len().max(1)).max(SLICE_ROWS_MIN);
    let mut rows = BTreeSet::new();
    // The number of rows of each part in `rows`, and true if its last slice was full.
    let mut states = vec![(0, true); parts.len()];
    let mut due: Vec<(usize, Option<R>)> = (0..parts.len()).map(|part| (part, None)).collect();
    loop {
        for (part, after) in due.drain(..) {
            let read = read(&parts[part], after, slice)?;
            states[part] = (read.len(), read.len() == slice);
            rows.extend(read.into_iter().map(|row| (row, part)));
        }
        let next = match order {
            Order::Ascending => rows.pop_first(),
            Order::Descending => rows.pop_last(),
        };
        let Some((row, part)) = next else { return Ok(()) };
        let (left, goes_on) = &mut states[part];
        *left -= 1;
        if *left == 0 && *goes_on {
            due.push((part, Some(row)));
        }
        if !take(row)? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of parts from 0 on, at most `most`, with the number of rows that were read.
    fn merged(parts: &[Vec<u32>], order: Order, most: usize) -> (Vec<u32>, usize) {
        let (mut rows, mut rows_read) = (Vec::new(), 0);
        let read = |part: &Vec<u32>, after: Option<u32>, limit| {
            let mut part = part.clone();
            match order {
                Order::Ascending => part.retain(|row| after.is_none_or(|after| *row > after)),
                Order::Descending => {
                    part.reverse();
                    part.retain(|row| after.is_none_or(|after| *row < after));
                }
            }
            part.truncate(limit);
            rows_read += part.len();
            Ok(part)
        };
        let take = |row| {
            rows.push(row);
            Ok(rows.len() < most)
        };
        merge(parts, order, most, read, take).unwrap();
        (rows, rows_read)
    }

    /// Parts are read as one list in both orders, however their rows are spread.
    #[test]
    fn parts_are_one_list() {
        let thirds: Vec<Vec<u32>> =
            (0..3).map(|rest| (0..90).filter(|row| row % 3 == rest).collect()).collect();
        let blocks = vec![(0..50).collect(), vec![], (50..90).collect()];
        for parts in [thirds, blocks, vec![(0..90).collect()]] {
            for most in [1, 5, 60, 89, 90, 1_000] {
                let (rows, _) = merged(&parts, Order::Ascending, most);
                assert_eq!(rows, (0..90).take(most).collect::<Vec<_>>());
                let (rows, _) = merged(&parts, Order::Descending, most);
                assert_eq!(rows, (0..90).rev().take(most).collect::<Vec<_>>());
            }
        }
        assert!(merged(&[], Order::Ascending, 5).0.is_empty());
    }

    /// A page reads at most twice its rows and one slice of each part.
    #[test]
    fn few_rows_are_read() {
        let parts: Vec<Vec<u32>> =
            (0..20).map(|part| (0..1_000).map(|row| row * 20 + part).collect()).collect();
        assert!(merged(&parts, Order::Descending, 100).1 <= 300);
        let long = vec![(0..9_000).collect(), (9_000..9_100).collect(), vec![]];
        assert!(merged(&long, Order::Ascending, 100).1 <= 300);
    }
}
