//! How much is kept of runs that are over, and which of them go when it is more. Pure.

use record::Wall;
use std::fmt;

/// The variable that sets it.
pub const KEEP: &str = "LINEWITNESS_KEEP";

/// Absent: no limit of this kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    pub bytes: Option<u64>,
    pub days: Option<u64>,
}

/// Seventeen nights' logs; and a quarter of a year, after which no ticket is open.
impl Default for Limit {
    fn default() -> Self {
        Self { bytes: Some(500_000_000), days: Some(90) }
    }
}

/// However large and old: whoever holds once a year finds the last ones.
pub const NEVER: usize = 5;

/// One run, as far as the limit asks.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    pub started: Wall,
    pub bytes: u64,
    pub goes: Goes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goes {
    /// It is being written, or broke off and nobody was told.
    Never,
    /// It broke off and was offered: what it saw is nowhere else, so that room alone is no reason.
    WithAge,
    WithAgeOrSize,
}

impl Limit {
    /// `500MB,90d`, either of them, or `all`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let nothing = Self { bytes: None, days: None };
        if text.trim() == "all" {
            return Ok(nothing);
        }
        text.split(',').map(str::trim).try_fold(nothing, |limit, part| {
            let units = [("d", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
            let number = |unit: &str| part.strip_suffix(unit).and_then(|number| number.trim().parse::<u64>().ok());
            match units.iter().find_map(|(unit, of)| Some((*unit, number(unit)?.checked_mul(*of)?))) {
                Some(("d", days)) if limit.days.is_none() => Ok(Self { days: Some(days), ..limit }),
                Some((unit, bytes)) if unit != "d" && limit.bytes.is_none() => Ok(Self { bytes: Some(bytes), ..limit }),
                _ => Err(format!(
                    "{KEEP}: \"{}\" is no size and no age; write it as 500MB,90d, or all to keep every run",
                    record::Heard::new(text)
                )),
            }
        })
    }

    /// Which of `runs` go, by their places; they stand in the order in which they began.
    pub fn surplus(self, runs: &[Weighed], now: Wall) -> Vec<usize> {
        let first_kept = runs.len().saturating_sub(NEVER);
        // A clock that was set wrong for a while must not make a run old. So a run is no older than any that began before
        // it, and it is now no later than each of the last few runs says.
        let now = runs[first_kept..].iter().map(|run| run.started).fold(now, Wall::min);
        let mut going = Vec::new();
        let mut began = None;
        for (place, run) in runs[..first_kept].iter().enumerate() {
            let started = began.map_or(run.started, |before: Wall| before.max(run.started));
            began = Some(started);
            let age_us = now.micros().saturating_sub(started.micros());
            let old = self.days.is_some_and(|days| age_us > (days.saturating_mul(DAY_US)).min(i64::MAX as u64) as i64);
            if old && run.goes != Goes::Never {
                going.push(place);
            }
        }
        let mut total: u64 =
            (0..runs.len()).filter(|place| !going.contains(place)).map(|place| runs[place].bytes).sum();
        for (place, run) in runs[..first_kept].iter().enumerate() {
            if self.bytes.is_some_and(|most| total > most) && run.goes == Goes::WithAgeOrSize && !going.contains(&place)
            {
                total -= run.bytes;
                going.push(place);
            }
        }
        going
    }
}
const DAY_US: u64 = 86_400_000_000;

/// As a sentence has it: "500 MB and 90 days".
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bytes, self.days) {
            (Some(bytes), Some(days)) => write!(f, "{} and {days} days", size(bytes)),
            (Some(bytes), None) => f.write_str(&size(bytes)),
            (None, Some(days)) => write!(f, "{days} days"),
            (None, None) => f.write_str("everything"),
        }
    }
}

/// A size for people to read: two digits that count.
pub fn size(bytes: u64) -> String {
    let (number, unit) = match bytes {
        0..1_000_000 => (bytes as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => (bytes as f64 / 1e6, "MB"),
        _ => (bytes as f64 / 1e9, "GB"),
    };
    if number < 10.0 && number.fract() > 0.05 { format!("{number:.1} {unit}") } else { format!("{number:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_255_200;

    fn run(days_ago: i64, mb: u64) -> Weighed {
        Weighed { started: wall(NOW - days_ago * 86_400), bytes: mb * 1_000_000, goes: Goes::WithAgeOrSize }
    }
    fn wall(seconds: i64) -> Wall {
        Wall::from_micros(seconds * 1_000_000)
    }
    fn going(runs: &[Weighed]) -> Vec<usize> {
        Limit::default().surplus(runs, wall(NOW))
    }
    fn last_five(mb: u64) -> Vec<Weighed> {
        vec![run(0, mb); NEVER]
    }

    #[test]
    fn a_limit_is_read_as_it_is_written_and_anything_else_is_refused_with_its_mend() {
        let parsed = |text| Limit::parse(text).map(|limit| (limit.bytes, limit.days));
        assert_eq!(parsed("500MB,90d"), Ok((Some(500_000_000), Some(90))));
        assert_eq!(parsed(" 7d , 2 GB"), Ok((Some(2_000_000_000), Some(7))));
        assert_eq!(parsed("300kB"), Ok((Some(300_000), None)));
        assert_eq!(parsed("all"), Ok((None, None)));
        for bad in ["", "500", "90d,90d", "1MB,2GB", "-1d", "5 bananas", "99999999999999999999MB", "1e3MB", "all,1d"] {
            assert!(parsed(bad).expect_err(bad).contains("500MB,90d"), "{bad}");
        }
        assert_eq!(Limit::default().to_string(), "500 MB and 90 days");
        assert_eq!(Limit::parse("500MB,90d"), Ok(Limit::default()));
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits_and_the_last_five_never() {
        let runs = [vec![run(3, 100), run(2, 100), run(1, 100)], last_five(70)].concat();
        assert_eq!(going(&runs), [0, 1], "650 MB: two less is 450");
        assert_eq!(going(&last_five(900)), [0_usize; 0]);
        assert_eq!(going(&[]), [0_usize; 0]);
        assert_eq!(going(&[vec![run(91, 1), run(89, 1)], last_five(1)].concat()), [0]);
    }

    #[test]
    fn what_is_written_or_was_not_offered_stays_and_a_broken_run_goes_with_age_alone() {
        let with = |goes, days, mb| Weighed { goes, ..run(days, mb) };
        let runs = [
            vec![with(Goes::Never, 400, 900), with(Goes::WithAge, 400, 1), with(Goes::WithAge, 30, 900), run(20, 1)],
            last_five(1),
        ];
        assert_eq!(going(&runs.concat()), [1, 3]);
    }

    #[test]
    fn a_clock_that_was_wrong_makes_no_fresh_run_old() {
        // Set back to 1970 for one run of today: no older than what began before it.
        let set_back = Weighed { started: wall(0), ..run(0, 1) };
        assert_eq!(going(&[vec![run(2, 1), set_back, run(1, 1)], last_five(1)].concat()), [0_usize; 0]);
        // Set forward for the run that ends just now, and for one of the last five.
        let ahead = Limit::default().surplus(&[vec![run(2, 1)], last_five(1)].concat(), wall(NOW + 900_000_000));
        assert_eq!(ahead, [0_usize; 0]);
        // Set back for all that is new: what is old cannot be told, and stays.
        let back = vec![Weighed { started: wall(0), ..run(0, 1) }; NEVER];
        assert_eq!(Limit::default().surplus(&[vec![run(400, 1)], back].concat(), wall(60)), [0_usize; 0]);
        // Clocks as far apart as can be written.
        let edges = vec![Weighed { started: Wall::from_micros(i64::MIN), ..run(0, 1) }; NEVER + 1];
        assert_eq!(
            Limit { bytes: None, days: Some(u64::MAX) }.surplus(&edges, Wall::from_micros(i64::MAX)),
            [0_usize; 0]
        );
    }

    #[test]
    fn sizes_are_told_in_two_digits_that_count() {
        let told = [0, 400, 1_300, 16_000, 999_999, 1_000_000, 28_400_000, 1_250_000_000].map(size);
        assert_eq!(told, ["0 kB", "0.4 kB", "1.3 kB", "16 kB", "1000 kB", "1 MB", "28 MB", "1.2 GB"]);
    }
}
