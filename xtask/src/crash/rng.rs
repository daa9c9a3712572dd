//! Seeded random numbers. The plan of the kills and the order of the writers' calls follow from the
//! seed that the run prints. Their timing on the machine does not.

/// A stream of random numbers (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct SeededRng(u64);

impl SeededRng {
    /// The stream of one lane. Lanes of the same seed have different streams.
    pub(super) fn of(seed: u64, lane: u64) -> Self {
        let mut rng = Self(seed ^ lane.wrapping_mul(0xD605_BBB5_8C8A_BBAD));
        rng.next();
        rng
    }

    /// A number below `bound`, which is at least 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True with a probability of one in `draws`.
    pub(super) fn one_in(&mut self, draws: u64) -> bool {
        self.below(draws) == 0
    }

    /// The index of one of the items.
    pub(super) fn index<T>(&mut self, items: &[T]) -> usize {
        usize::try_from(self.below(items.len() as u64)).unwrap_or(0)
    }

    /// Shuffles items.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(&items[..=last]);
            items.swap(last, other);
        }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::SeededRng;

    /// A seed repeats its numbers, lanes differ, and a shuffle loses no item.
    #[test]
    fn numbers_follow_from_the_seed() {
        let numbers = |lane| {
            let mut rng = SeededRng::of(7, lane);
            (0..20).map(|_| rng.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        let mut items: Vec<u32> = (0..50).collect();
        SeededRng::of(7, 1).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
