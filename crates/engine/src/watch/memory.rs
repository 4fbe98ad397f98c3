//! Memory: what could be had at once, and whether everything waits for it.
//!
//! *Seen*: available and total, every ten seconds; on Linux also the kernel's pressure figures (PSI).
//! *Not seen*: limits of a container or a job below the machine's own; pressure on Windows and macOS.

use super::Watcher;
use crate::Recorder;
use record::fact::System;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

pub const WATCHER: Watcher = Watcher { id: record::Sense::Memory, run: |recorder| Box::pin(watch(recorder)) };

const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A log of hours must stay small: what hardly moves is told once a minute.
const TELL_EVERY: u32 = 6;
/// Of all memory. Less comes and goes with every program that is opened.
const MOVED: f64 = 0.1;

async fn watch(recorder: Recorder) -> String {
    let mut system = match sysinfo::System::new() {
        Ok(system) => system,
        Err(error) => return error.to_string(),
    };
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::default();
    loop {
        looks.tick().await;
        system.refresh_memory();
        let (available, total) = (system.available_memory(), system.total_memory());
        if total == 0 {
            return "the system does not tell how much memory it has".into();
        }
        let now = Reading { available_mb: mb(available), total_mb: mb(total), stalled_percent: pressure() };
        if told.is_news(&now) {
            let Reading { available_mb, total_mb, stalled_percent } = now;
            recorder.note(System::Memory { available_mb, total_mb, stalled_percent });
        }
    }
}

struct Reading {
    available_mb: f64,
    total_mb: f64,
    stalled_percent: Option<f64>,
}

#[derive(Default)]
struct Told {
    available_mb: Option<f64>,
    looks_since: u32,
}

impl Told {
    fn is_news(&mut self, now: &Reading) -> bool {
        self.looks_since += 1;
        let moved = self.available_mb.is_none_or(|told| (told - now.available_mb).abs() >= MOVED * now.total_mb);
        let stalled = now.stalled_percent.is_some_and(|percent| percent > 0.0);
        let news = moved || stalled || self.looks_since >= TELL_EVERY;
        if news {
            *self = Self { available_mb: Some(now.available_mb), looks_since: 0 };
        }
        news
    }
}

fn mb(bytes: u64) -> f64 {
    // One digit: the log is read by people too.
    (bytes as f64 / 1e5).round() / 10.0
}

#[cfg(target_os = "linux")]
fn pressure() -> Option<f64> {
    // Absent on kernels built or started without it.
    full_avg10(&std::fs::read_to_string("/proc/pressure/memory").ok()?)
}
#[cfg(not(target_os = "linux"))]
fn pressure() -> Option<f64> {
    None
}

/// `full avg10=0.12 avg60=…`: the share of the last ten seconds in which every task waited.
#[cfg(any(target_os = "linux", test))]
fn full_avg10(text: &str) -> Option<f64> {
    let full = text.lines().find_map(|line| line.strip_prefix("full "))?;
    full.split(' ')
        .find_map(|word| word.strip_prefix("avg10="))?
        .parse()
        .ok()
        .filter(|percent: &f64| percent.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_pressure_is_read() {
        let text =
            "some avg10=1.50 avg60=0.20 avg300=0.00 total=100\nfull avg10=0.75 avg60=0.10 avg300=0.00 total=90\n";
        assert_eq!(full_avg10(text), Some(0.75));
        for other in ["", "full", "full avg10=", "full avg10=nan", "some avg10=1.00"] {
            assert_eq!(full_avg10(other), None, "{other}");
        }
    }

    #[test]
    fn what_hardly_moves_is_told_once_a_minute() {
        let mut told = Told::default();
        let mut news =
            |available_mb, stalled_percent| told.is_news(&Reading { available_mb, total_mb: 1_000.0, stalled_percent });
        assert!(news(500.0, Some(0.0)), "the first");
        let minute: Vec<bool> = (0..6).map(|look| news(500.0 + 10.0 * f64::from(look), Some(0.0))).collect();
        assert_eq!(minute, [false, false, false, false, false, true]);
        assert!(news(450.0, None), "a tenth of all memory has gone");
        assert!(!news(450.0, None));
        assert!(news(450.0, Some(0.01)), "something waits");
        assert!(news(450.0, Some(0.01)), "and still does");
    }
}
