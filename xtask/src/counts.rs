//! Counts of tests, and the lines in which programs print them.

use std::fmt;
use std::ops::AddAssign;

/// The numbers of tests that passed and failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The counts of a line `test result: ok. 3 passed; 0 failed; …`.
pub(crate) fn counts_of(line: &str) -> Counts {
    let Some(result) = line.strip_prefix("test result: ") else {
        return Counts::default();
    };
    let number = |word: &str| {
        let before = result.split(word).next().unwrap_or_default();
        before.trim_end().rsplit(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Counts { passed: number("passed"), failed: number("failed") }
}

/// The counts of a line `N passed, N failed`.
pub(crate) fn plain_counts(line: &str) -> Option<Counts> {
    let (passed, failed) = line.split_once(" passed, ")?;
    let failed = failed.strip_suffix(" failed")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::counts_of;

    /// The counts of cargo's summary line are read.
    #[test]
    fn reads_what_cargo_prints() {
        let counts = counts_of("test result: ok. 12 passed; 3 failed; 0 ignored; 0 measured");
        assert_eq!((counts.passed, counts.failed), (12, 3));
        assert_eq!(counts_of("running 4 tests").passed, 0);
    }
}
