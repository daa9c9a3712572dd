//! Seeded draws: the plan of the kills and the order of the writers' calls follow from the seed
//! that the run prints. What the machine makes of them in time does not.

/// A stream of draws (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream of one lane: lanes of the same seed differ.
    pub(super) fn of(seed: u64, lane: u64) -> Self {
        let mut dice = Self(seed ^ lane.wrapping_mul(0xD605_BBB5_8C8A_BBAD));
        dice.next();
        dice
    }

    /// A number under `bound`, which is at least 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True once in so many draws.
    pub(super) fn one_in(&mut self, draws: u64) -> bool {
        self.below(draws) == 0
    }

    /// One of the items.
    pub(super) fn index<T>(&mut self, items: &[T]) -> usize {
        usize::try_from(self.below(items.len() as u64)).unwrap_or(0)
    }

    /// Puts items into another order.
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
    use super::Dice;

    /// A seed gives the same draws again, another lane gives others, and none is lost in a shuffle.
    #[test]
    fn draws_follow_from_the_seed() {
        let draws = |lane| {
            let mut dice = Dice::of(7, lane);
            (0..20).map(|_| dice.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
        let mut items: Vec<u32> = (0..50).collect();
        Dice::of(7, 1).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
