//! Repeatable randomness.

use model::clock::Rng;
use std::sync::atomic::{AtomicU64, Ordering};

/// The step of `SplitMix64`.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Random numbers and bytes from a seed (`SplitMix64`). No eight bytes repeat.
#[derive(Debug)]
pub struct SeededRng {
    state: AtomicU64,
}

impl SeededRng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// The stream of one lane. Lanes of the same seed have different streams.
    pub fn of_lane(seed: u64, lane: u64) -> Self {
        let rng = Self::new(seed ^ lane.wrapping_mul(0xD605_BBB5_8C8A_BBAD));
        rng.next();
        rng
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True with a probability of one in `draws`.
    pub fn one_in(&self, draws: u64) -> bool {
        self.below(draws) == 0
    }

    /// The index of one of the items.
    pub fn index<T>(&self, items: &[T]) -> usize {
        usize::try_from(self.below(items.len() as u64)).unwrap_or(0)
    }

    /// Shuffles items.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(&items[..=last]);
            items.swap(last, other);
        }
    }

    fn next(&self) -> u64 {
        let state = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A source that repeats one byte: the worst case for two processes, and for nonces.
#[derive(Clone, Copy, Debug)]
pub struct RepeatedByte(pub u8);

impl Rng for RepeatedByte {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::SeededRng;

    /// A seed repeats its numbers, lanes differ, and a shuffle loses no item.
    #[test]
    fn numbers_follow_from_the_seed() {
        let numbers = |lane| {
            let rng = SeededRng::of_lane(7, lane);
            (0..20).map(|_| rng.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        let mut items: Vec<u32> = (0..50).collect();
        SeededRng::of_lane(7, 1).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
