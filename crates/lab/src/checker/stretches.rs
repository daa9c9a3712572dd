//! A set of numbers, stored as ranges that do not touch.

use model::limits::CHECKER_STRETCHES_MAX;

/// Ranges of numbers, the lowest first. Each excludes its first number and includes its second.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretches(Vec<(u32, u32)>);

impl Stretches {
    /// Adds the numbers after the first one, up to the second. If there are too many ranges, the
    /// lowest is forgotten.
    pub(super) fn add(&mut self, behind: u32, until: u32) {
        if behind >= until {
            return;
        }
        let (mut behind, mut until) = (behind, until);
        self.0.retain(|(from, to)| {
            let is_apart = *to < behind || *from > until;
            if !is_apart {
                behind = behind.min(*from);
                until = until.max(*to);
            }
            is_apart
        });
        let place = self.0.partition_point(|(from, _)| *from < behind);
        self.0.insert(place, (behind, until));
        if self.0.len() > CHECKER_STRETCHES_MAX {
            self.0.remove(0);
        }
    }

    /// True if a range contains the number.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|(behind, until)| *behind < number && number <= *until)
    }

    /// True if there is no range.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Overlapping ranges contain exactly the numbers that were added.
        #[test]
        fn holds_what_was_added(added in proptest::collection::vec((0..20_u32, 0..20_u32), 0..9)) {
            let (mut stretches, mut numbers) = (Stretches::default(), BTreeSet::new());
            for (behind, until) in added {
                stretches.add(behind, until);
                numbers.extend(behind + 1..=until);
            }
            let stored: BTreeSet<u32> = (0..25).filter(|number| stretches.contains(*number)).collect();
            prop_assert_eq!(&stored, &numbers);
            prop_assert_eq!(stretches.is_empty(), numbers.is_empty());
        }
    }

    /// If there are too many ranges, the lowest is forgotten.
    #[test]
    fn is_bounded() {
        let mut stretches = Stretches::default();
        let many = u32::try_from(CHECKER_STRETCHES_MAX).unwrap();
        for number in 0..=many {
            stretches.add(number * 2, number * 2 + 1);
        }
        assert_eq!(stretches.0.len(), CHECKER_STRETCHES_MAX);
        assert!(!stretches.contains(1) && stretches.contains(many * 2 + 1));
    }
}
