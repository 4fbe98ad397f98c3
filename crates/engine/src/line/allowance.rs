//! `Allowance`: how much of something is taken from a stranger: so much at once, and so much a second.

use record::Stamp;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Allowance {
    most: f64,
    a_second: f64,
    left: f64,
    at: Stamp,
}

impl Allowance {
    pub fn new(most: f64, a_second: f64, now: Stamp) -> Self {
        Self { most, a_second, left: most, at: now }
    }

    /// Whether there was enough. If not, nothing is taken.
    pub fn take(&mut self, wanted: f64, now: Stamp) -> bool {
        let gained = now.since(self.at).as_secs_f64() * self.a_second;
        self.left = (self.left + gained).min(self.most);
        self.at = now;
        let enough = self.left >= wanted;
        if enough {
            self.left -= wanted;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn so_much_at_once_and_so_much_a_second() {
        let start = Stamp::new(0, 0, 0);
        let at = |ms| start.plus(Duration::from_millis(ms));
        let mut allowance = Allowance::new(100.0, 10.0, start);
        assert!(allowance.take(100.0, start) && !allowance.take(1.0, start));
        assert!(!allowance.take(11.0, at(1_000)) && allowance.take(10.0, at(1_000)));
        assert!(!allowance.take(101.0, at(3_600_000)) && allowance.take(100.0, at(3_600_000)), "it does not add up");
    }
}
