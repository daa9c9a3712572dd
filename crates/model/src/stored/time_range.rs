//! Times as values of a filter. A list with a range of times then reads ranges of the index, in its own
//! order.
//!
//! Intervals of 64^0, 64^1 … 64^5 seconds cover the time. A time has one value for each length, which is
//! the interval that contains it. A range of times is the union of a few hundred intervals at most,
//! and of fewer if it is open on one side. So a list merges the objects of these intervals, however
//! many objects there are.

use crate::clock::AccountTime;

/// The number of lengths.
const LEVELS: u32 = 6;
/// The binary digits by which the lengths differ.
const BITS: u32 = 6;
/// The greatest time, in the year 2242. Later times count as this one, and times before 1970 as 1970.
const MAX: i64 = (1 << 33) - 1;

/// Returns the values of a time: the intervals that contain it, the shortest first.
///
/// ```
/// let values = model::stored::time_values(model::clock::AccountTime(4_160));
/// assert_eq!(values, ["0/4160", "1/65", "2/1", "3/0", "4/0", "5/0"]);
/// ```
pub fn time_values(at: AccountTime) -> Vec<String> {
    let at = at.0.clamp(0, MAX);
    (0..LEVELS).map(|level| value(level, at >> (BITS * level))).collect()
}

/// Returns the values that times in a range have: each time within the bounds has exactly one of them,
/// and no other time has one. A missing bound is open.
///
/// ```
/// assert_eq!(model::stored::range_values(Some(63), Some(128)), ["0/63", "0/128", "1/1"]);
/// ```
pub fn range_values(from: Option<i64>, to: Option<i64>) -> Vec<String> {
    let (from, to) = (from.unwrap_or(0), to.unwrap_or(MAX));
    let mut values = Vec::new();
    if from > to || from > MAX || to < 0 {
        return values;
    }
    let (mut first, mut end) = (from.max(0), to.min(MAX) + 1);
    for level in 0..LEVELS {
        let is_last = level + 1 == LEVELS;
        // The intervals at both ends that do not fill one of the next length.
        let is_inner = |at: i64| !is_last && at % (1 << BITS) == 0;
        while first < end && !is_inner(first) {
            values.push(value(level, first));
            first += 1;
        }
        while first < end && !is_inner(end) {
            end -= 1;
            values.push(value(level, end));
        }
        (first, end) = (first >> BITS, end >> BITS);
    }
    values
}

fn value(level: u32, interval: i64) -> String {
    format!("{level}/{interval}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time() -> impl Strategy<Value = i64> {
        prop_oneof![0..200_i64, 1_699_999_000..1_700_001_000_i64, 0..=MAX, MAX - 100..=MAX]
    }

    proptest! {
        /// A time within a range has one of the range's values, and another time has none.
        #[test]
        fn ranges_have_the_values_of_their_times(
            from in proptest::option::of(time()),
            to in proptest::option::of(time()),
            near in -2..3_i64,
            at in time(),
        ) {
            let values = range_values(from, to);
            prop_assert!(values.len() <= 700, "{}", values.len());
            let ends = [from, to].into_iter().flatten().map(|end| (end + near).clamp(0, MAX));
            for at in ends.chain([at]) {
                let within = from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to);
                let own = time_values(AccountTime(at));
                let common = own.iter().filter(|value| values.contains(value)).count();
                prop_assert_eq!(common, usize::from(within), "{} in {:?}..{:?}", at, from, to);
            }
        }
    }

    /// Ranges outside of the times that values distinguish are empty or end at the last of them.
    #[test]
    fn extreme_ranges() {
        assert!(range_values(Some(5), Some(4)).is_empty());
        assert!(range_values(None, Some(-1)).is_empty());
        assert!(range_values(Some(i64::MAX), None).is_empty());
        assert_eq!(
            range_values(None, None),
            ["5/0", "5/1", "5/2", "5/3", "5/4", "5/5", "5/6", "5/7"]
        );
        assert_eq!(range_values(Some(i64::MIN), Some(i64::MAX)), range_values(None, None));
        assert_eq!(time_values(AccountTime(i64::MIN)), time_values(AccountTime(0)));
        assert!(range_values(Some(MAX), None).contains(&time_values(AccountTime(i64::MAX))[0]));
    }
}
