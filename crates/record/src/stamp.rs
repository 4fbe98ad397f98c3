//! `Stamp`: three clock readings taken together.
//!
//! `wall` is what people and other machines call the time, and it may be set. `uptime` runs on through sleep, `awake`
//! stands still in it. So sleep is Δuptime − Δawake, and a step of the wall clock is Δwall − Δuptime: both are
//! arithmetic over stamps, whatever the operating system did or did not announce.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds on a clock that never goes back, written as decimal seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub u64);

/// UTC, written as RFC 3339 with microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(jiff::Timestamp);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Stamp {
    pub wall: Wall,
    pub uptime: Micros,
    pub awake: Micros,
}

impl Stamp {
    /// From raw readings in microseconds; `wall` since the Unix epoch.
    pub fn new(wall_us: i64, uptime_us: u64, awake_us: u64) -> Self {
        Self { wall: Wall::from_micros(wall_us), uptime: Micros(uptime_us), awake: Micros(awake_us) }
    }

    /// The same moment moved by `d` on all three clocks, as if nothing had slept or been set in between.
    pub fn plus(self, d: Duration) -> Self {
        let us = d.as_micros() as u64;
        Self { wall: self.wall.plus_micros(us as i64), uptime: self.uptime + d, awake: self.awake + d }
    }

    /// As `plus`, into the past; stops at the start of the clocks.
    pub fn minus(self, d: Duration) -> Self {
        let us = (d.as_micros() as u64).min(self.awake.0).min(self.uptime.0);
        Self {
            wall: self.wall.plus_micros(-(us as i64)),
            uptime: Micros(self.uptime.0 - us),
            awake: Micros(self.awake.0 - us),
        }
    }

    /// Time on the clock that runs through sleep; zero if `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        self.uptime - earlier.uptime
    }

    /// Time awake between the two.
    pub fn awake_since(self, earlier: Self) -> Duration {
        self.awake - earlier.awake
    }

    /// How long the computer slept between the two.
    pub fn slept_since(self, earlier: Self) -> Duration {
        self.since(earlier).saturating_sub(self.awake_since(earlier))
    }

    /// How far the wall clock was set between the two, in microseconds; positive is forward.
    pub fn stepped_since(self, earlier: Self) -> i64 {
        self.wall.micros() - earlier.wall.micros() - (self.uptime.0 as i64 - earlier.uptime.0 as i64)
    }
}

/// The axis of everything drawn and compared is `uptime`: it neither jumps nor stands still.
impl PartialOrd for Stamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Stamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.uptime, self.awake, self.wall).cmp(&(other.uptime, other.awake, other.wall))
    }
}

/// A length of time as facts write it: milliseconds, to the microsecond and no finer than any clock of ours.
pub fn millis(d: Duration) -> f64 {
    d.as_micros() as f64 / 1e3
}

/// The same for a figure that was computed in milliseconds.
pub fn to_the_microsecond(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

impl Micros {
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}
impl Add<Duration> for Micros {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_micros() as u64))
    }
}
impl Sub for Micros {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}
impl fmt::Debug for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}s", self.seconds())
    }
}
impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.seconds())
    }
}
impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(from)?;
        // 100 years: beyond it no clock of a running machine stands, and arithmetic stays far from overflow.
        if seconds.is_finite() && (0.0..=3.2e9).contains(&seconds) {
            Ok(Self((seconds * 1e6).round() as u64))
        } else {
            Err(de::Error::custom("a clock reading must lie between 0 and 3.2e9 seconds"))
        }
    }
}

impl Wall {
    /// Clamped to the years that can be written; a machine whose clock is outside them has no meaningful wall time.
    pub fn from_micros(us: i64) -> Self {
        Self(jiff::Timestamp::from_microsecond(us).unwrap_or(if us < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        }))
    }
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }
    pub fn plus_micros(self, us: i64) -> Self {
        Self::from_micros(self.micros().saturating_add(us))
    }
    /// For local time and other formats.
    pub fn timestamp(self) -> jiff::Timestamp {
        self.0
    }
    /// UTC to the millisecond: `2026-11-21T10:00:00.123Z`.
    pub fn millis(self) -> String {
        format!("{:.3}", self.0)
    }
}
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}
impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Wall {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // No finer than it is written, so that it reads as it was.
        Ok(Self::from_micros(jiff::Timestamp::deserialize(from)?.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_and_a_set_clock_are_told_apart_by_arithmetic() {
        let before = Stamp::new(1_000_000_000, 50_000_000, 40_000_000);
        let slept = Stamp::new(1_010_000_000, 60_000_000, 41_000_000);
        assert_eq!(slept.slept_since(before), Duration::from_secs(9));
        assert_eq!(slept.stepped_since(before), 0);

        let set_forward = Stamp::new(1_000_000_000 + 3_600_000_000 + 1_000_000, 51_000_000, 41_000_000);
        assert_eq!(set_forward.slept_since(before), Duration::ZERO);
        assert_eq!(set_forward.stepped_since(before), 3_600_000_000);
    }

    #[test]
    fn a_time_finer_than_any_of_ours_reads_as_it_is_written_again() {
        for text in [
            "\"2026-11-21T10:00:00.1234567Z\"",
            "\"1926-11-21T10:00:00.123456789Z\"",
            "\"-009999-01-02T01:59:59.999999999Z\"",
        ] {
            let read: Wall = serde_json::from_str(text).expect("a time");
            let again = serde_json::to_string(&read).expect("it can be written");
            assert_eq!(serde_json::from_str::<Wall>(&again).expect("and read"), read, "{text}");
        }
    }

    #[test]
    fn a_stamp_reads_as_it_was_written() {
        let at = Stamp::new(1_795_255_200_123_456, 12_345_678_901, 2_345_678_901);
        let text = serde_json::to_string(&at).expect("a stamp can be written");
        assert_eq!(text, r#"{"wall":"2026-11-21T10:00:00.123456Z","uptime":12345.678901,"awake":2345.678901}"#);
        assert_eq!(serde_json::from_str::<Stamp>(&text).expect("and read"), at);
    }

    #[test]
    fn readings_no_clock_can_show_are_refused() {
        for bad in ["-1", "1e300", "\"5\"", "null"] {
            assert!(serde_json::from_str::<Micros>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn minus_stops_at_the_start_of_the_clocks() {
        let early = Stamp::new(5_000_000, 2_000_000, 1_000_000);
        assert_eq!(early.minus(Duration::from_secs(10)), Stamp::new(4_000_000, 1_000_000, 0));
    }
}
