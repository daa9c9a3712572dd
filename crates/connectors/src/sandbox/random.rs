//! Numbers that look random but are hashes of a seed and a position. One seed and position give the
//! same numbers on every machine and in every version. Any change here would change every test
//! bank.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection that spreads neighbouring numbers over all 64 bits (the finish of splitmix64).
pub(super) fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The number of a seed at a position.
pub(super) fn at_position(seed: u64, position: u64) -> u64 {
    mix(seed ^ mix(position.wrapping_add(GOLDEN)))
}

/// A number from `low` to `high`, both included, picked by a hash. `low` is at most `high`.
pub(super) fn between(hash: u64, low: i64, high: i64) -> i64 {
    let span = high.abs_diff(low) + 1;
    low + (hash % span).cast_signed()
}

/// One of a list, picked by a hash. The list is never empty.
pub(super) fn pick<T>(hash: u64, list: &[T]) -> &T {
    let Ok(position) = usize::try_from(hash % list.len() as u64) else {
        unreachable!("a number below the length of a list is a usize");
    };
    &list[position]
}

/// A sequence of numbers that begins at a seed and a position.
#[derive(Clone, Debug)]
pub(super) struct Stream(u64);

impl Stream {
    pub(super) fn begin(seed: u64, position: u64) -> Self {
        Self(at_position(seed, position))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// The next number, from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        between(self.next(), low, high)
    }

    /// True in `per_mille` of 1,000 cases.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.next() % 1_000 < per_mille
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Numbers stay within their bounds and picks within their list.
        #[test]
        fn numbers_keep_their_bounds(hash: u64, low in -1_000_i64..1_000, span in 0_i64..1_000) {
            prop_assert!((low..=low + span).contains(&between(hash, low, low + span)));
            prop_assert!(*pick(hash, &[3, 4, 5]) <= 5);
        }
    }

    /// The first numbers of a seed are pinned, because test banks must not change for their users.
    #[test]
    fn numbers_are_pinned() {
        let mut stream = Stream::begin(1, 2);
        insta::assert_snapshot!(format!("{} {}", stream.next(), stream.between(0, 999)), @"5196188657185181188 747");
    }
}
