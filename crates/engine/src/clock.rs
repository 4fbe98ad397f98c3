//! The three clocks. This is the one file, with its three platforms, that reads them; everything else is handed a `Stamp`.
//!
//! | | uptime (runs through sleep) | awake (stands still in sleep) |
//! |---|---|---|
//! | Linux | `CLOCK_BOOTTIME` | `CLOCK_MONOTONIC` |
//! | Windows | `QueryInterruptTimePrecise` | `QueryUnbiasedInterruptTimePrecise` |
//! | macOS | `mach_continuous_time` | `mach_absolute_time` |
//!
//! Each platform file provides `readings() -> (uptime_us, awake_us)`. Rust's own `Instant` stands still in sleep on Linux
//! and macOS and would hide the very thing we look for.

use record::Stamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg_attr(target_os = "linux", path = "clock/linux.rs")]
#[cfg_attr(target_os = "macos", path = "clock/macos.rs")]
#[cfg_attr(windows, path = "clock/windows.rs")]
mod platform;

#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Real,
    Scripted(Arc<Mutex<Stamp>>),
}

impl Clock {
    pub const fn real() -> Self {
        Self(Source::Real)
    }

    /// Stands still until it is told to move.
    pub fn scripted(start: Stamp) -> Self {
        Self(Source::Scripted(Arc::new(Mutex::new(start))))
    }

    /// The three readings, taken together.
    pub fn now(&self) -> Stamp {
        match &self.0 {
            Source::Real => read_together(),
            Source::Scripted(at) => *at.lock().expect("no holder panics"),
        }
    }

    /// Moves a scripted clock; a real one moves by itself, so that asking is a mistake in a test.
    pub fn advance(&self, d: Duration) {
        self.script(|at| at.plus(d));
    }

    /// The computer sleeps for `d`: all but `awake` run on.
    pub fn sleep(&self, d: Duration) {
        self.script(|at| Stamp { awake: at.awake, ..at.plus(d) });
    }

    /// Somebody sets the wall clock.
    pub fn step_wall(&self, us: i64) {
        self.script(|at| Stamp { wall: at.wall.plus_micros(us), ..at });
    }

    fn script(&self, f: impl FnOnce(Stamp) -> Stamp) {
        let Source::Scripted(at) = &self.0 else { panic!("a real clock cannot be moved") };
        let mut at = at.lock().expect("no holder panics");
        *at = f(*at);
    }
}

/// A thread may lose the processor between two readings, and the difference would look like sleep or a set clock. So the
/// readings are bracketed, and taken again when the bracket is wide.
fn read_together() -> Stamp {
    const CLOSE_US: u64 = 50;
    const TRIES: u32 = 5;
    let mut tries = 0;
    loop {
        tries += 1;
        let (_, before) = platform::readings();
        let wall = wall_us();
        let (uptime, awake) = platform::readings();
        if awake.saturating_sub(before) <= CLOSE_US || tries == TRIES {
            return Stamp::new(wall, uptime, awake);
        }
    }
}

fn wall_us() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    let now = std::time::SystemTime::now();
    match now.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => after.as_micros() as i64,
        Err(before) => -(before.duration().as_micros() as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_clocks_run_together_while_nobody_sleeps() {
        let clock = Clock::real();
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(50));
        let after = clock.now();
        assert!(after.since(before) >= Duration::from_millis(50));
        assert!(after.slept_since(before) < Duration::from_millis(1), "{:?}", after.slept_since(before));
        assert!(after.stepped_since(before).abs() < 20_000);
        assert!(after.uptime >= after.awake);
    }

    #[test]
    fn a_scripted_clock_sleeps_and_is_set_only_when_told() {
        let clock = Clock::scripted(Stamp::new(1_000_000, 500_000, 400_000));
        let start = clock.now();
        clock.advance(Duration::from_secs(1));
        clock.sleep(Duration::from_secs(60));
        clock.step_wall(-3_600_000_000);
        let end = clock.now();
        assert_eq!(end.slept_since(start), Duration::from_secs(60));
        assert_eq!(end.awake_since(start), Duration::from_secs(1));
        assert_eq!(end.stepped_since(start), -3_600_000_000);
    }
}
