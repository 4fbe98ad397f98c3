//! `Tally`: how many tests passed, failed and were skipped, read from the closing lines of test programs.

use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Tally {
    /// From a closing line of cargo's, Vitest's or Node's test programs; any other line counts nothing.
    pub fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        Self::of_cargo(line).or_else(|| Self::of_vitest(line)).or_else(|| Self::of_node(line))
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …`
    fn of_cargo(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word| count(counts.split(';'), word);
        Some(Self { passed: count("passed"), failed: count("failed"), skipped: count("ignored") })
    }

    /// `Tests  1 failed | 107 passed (108)`
    fn of_vitest(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("Tests  ")?.split(" (").next()?;
        let count = |word| count(counts.split('|'), word);
        Some(Self { passed: count("passed"), failed: count("failed"), skipped: count("skipped") + count("todo") })
    }

    /// A line for each kind: `ℹ pass 9`
    fn of_node(line: &str) -> Option<Self> {
        let (word, count) = line.strip_prefix("ℹ ")?.split_once(' ')?;
        let count = count.parse().ok()?;
        match word {
            "pass" => Some(Self { passed: count, ..Self::default() }),
            "fail" | "cancelled" => Some(Self { failed: count, ..Self::default() }),
            "skipped" | "todo" => Some(Self { skipped: count, ..Self::default() }),
            _ => None,
        }
    }

    pub fn passed_one() -> Self {
        Self { passed: 1, ..Self::default() }
    }
    pub fn failed_one() -> Self {
        Self { failed: 1, ..Self::default() }
    }
    pub fn skipped_one() -> Self {
        Self { skipped: 1, ..Self::default() }
    }
    pub fn total(self) -> u64 {
        self.passed + self.failed + self.skipped
    }
}

/// The number before the word.
fn count<'a>(mut parts: impl Iterator<Item = &'a str>, word: &str) -> u64 {
    parts.find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok()).unwrap_or(0)
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted_and_nothing_else_is() {
        let ok = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 4 filtered out; finished in 1.50s";
        assert_eq!(Tally::of(ok), Some(Tally { passed: 12, failed: 0, skipped: 3 }));
        let bad = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(Tally::of(bad), Some(Tally { passed: 1, failed: 2, skipped: 0 }));
        assert_eq!(Tally::of("test a_result ... ok"), None);
        assert_eq!(Tally::of("    5 passed; 1 failed"), None);
    }

    #[test]
    fn what_tests_the_page_counts_in_its_own_words() {
        assert_eq!(Tally::of("      Tests  108 passed (108)"), Some(Tally { passed: 108, failed: 0, skipped: 0 }));
        let bad = Tally { passed: 7, failed: 1, skipped: 2 };
        assert_eq!(Tally::of("      Tests  1 failed | 7 passed | 2 skipped (10)"), Some(bad));
        assert_eq!(Tally::of("ℹ pass 9"), Some(Tally { passed: 9, ..Tally::default() }));
        assert_eq!(Tally::of("ℹ fail 2"), Some(Tally { failed: 2, ..Tally::default() }));
        assert_eq!(Tally::of("ℹ tests 11"), None);
        assert_eq!(Tally::of(" Test Files  14 passed (14)"), None);
    }

    #[test]
    fn the_sum_reads_as_one_plain_line() {
        let mut sum = Tally::passed_one();
        sum += Tally { passed: 10, failed: 1, skipped: 2 };
        assert_eq!(sum.to_string(), "11 passed, 1 failed, 2 skipped");
    }
}
