//! `Pulse`: our own ticks. When they do not come, it is this process or this computer that stood still and not the
//! network, and nothing else in the log could tell.

use crate::Recorder;
use record::{Fact, Stamp, fact::System};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Ten a second: fine enough to place a stall within a tenth of a second, and too few to cost anything.
const TICK: Duration = Duration::from_millis(100);
/// A loaded machine delays a tick by tens of milliseconds every minute; seven missed in a row is standing still.
const MISSED: Duration = Duration::from_millis(700);
/// Sleeps shorter than this cannot be told from the difference in reading two clocks on a busy machine.
const SLEPT: Duration = Duration::from_millis(300);
const LOAD_EVERY: u32 = 100;

/// Runs until it is dropped.
pub async fn beat(recorder: Recorder) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = recorder.now();
    let mut load = Load::new();
    if let Err(error) = &load {
        recorder.note(Fact::Blind { watcher: record::Sense::Load, why: error.to_string().as_str().into() });
    }
    let mut count = 0u32;
    loop {
        ticks.tick().await;
        let now = recorder.now();
        if stood_still(last, now) {
            recorder.note(System::TicksMissed { since: last });
        }
        last = now;
        count = count.wrapping_add(1);
        if let Ok(load) = &mut load
            && count.is_multiple_of(LOAD_EVERY)
        {
            recorder.note(load.read());
        }
    }
}

/// The stamps around it tell sleep from stall; here it only matters that something is missing.
pub fn stood_still(last: Stamp, now: Stamp) -> bool {
    now.awake_since(last) >= MISSED || now.slept_since(last) >= SLEPT
}

struct Load {
    system: sysinfo::System,
    own: Option<sysinfo::Pid>,
}

impl Load {
    fn new() -> Result<Self, sysinfo::Error> {
        Ok(Self { system: sysinfo::System::new()?, own: sysinfo::get_current_pid().ok() })
    }

    fn read(&mut self) -> System {
        self.system.refresh_cpu_usage();
        let own: Vec<_> = self.own.into_iter().collect();
        self.system.refresh_processes_specifics(
            sysinfo::ProcessesToUpdate::Some(&own),
            false,
            sysinfo::ProcessRefreshKind::nothing().with_cpu().with_memory(),
        );
        let process = self.own.and_then(|pid| self.system.process(pid));
        System::Load {
            own_cpu: tenths(process.map_or(0.0, |p| f64::from(p.cpu_usage()))),
            own_mb: tenths(process.map_or(0.0, |p| p.memory() as f64 / 1e6)),
            machine_cpu: tenths(f64::from(self.system.global_cpu_usage())),
        }
    }
}

fn tenths(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_tick_is_nothing_and_a_missing_second_or_a_sleep_is_a_fact() {
        let last = Stamp::new(1_000_000_000, 10_000_000, 10_000_000);
        let after = |up: u64, awake: u64| Stamp::new(1_000_000_000 + up as i64, 10_000_000 + up, 10_000_000 + awake);
        assert!(!stood_still(last, after(100_000, 100_000)));
        assert!(!stood_still(last, after(400_000, 400_000)));
        assert!(stood_still(last, after(5_000_000, 5_000_000)));
        assert!(stood_still(last, after(60_000_000, 100_000)), "asleep for a minute");
    }

    #[tokio::test]
    async fn the_load_is_our_own_and_real() {
        let mut load = Load::new().expect("this system can be seen");
        load.read();
        let System::Load { own_mb, .. } = load.read() else { panic!("a load") };
        assert!(own_mb > 1.0, "{own_mb}");
    }
}
