//! `Calm`: whether this computer ran without a pause. A silence in which it slept or stood still proves nothing of the
//! network.

use crate::Recorder;
use record::Stamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

const TICK: Duration = Duration::from_millis(200);
/// As the log has it: a loaded machine delays a tick by tens of milliseconds, and seven tenths are standing still.
const MISSED: Duration = Duration::from_millis(700);
const SLEPT: Duration = Duration::from_millis(300);

#[derive(Clone)]
pub struct Calm(Arc<Mutex<Seen>>);

struct Seen {
    tick: Stamp,
    /// The end of the last pause.
    disturbed: Option<Stamp>,
}

impl Calm {
    pub fn new(now: Stamp) -> Self {
        Self(Arc::new(Mutex::new(Seen { tick: now, disturbed: None })))
    }

    /// Runs until it is dropped.
    pub async fn watch(self, recorder: Recorder) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.ticked(recorder.now());
        }
    }

    pub fn ticked(&self, now: Stamp) {
        let mut seen = self.0.lock().expect("no holder panics");
        if paused(seen.tick, now) {
            seen.disturbed = Some(now);
        }
        seen.tick = now;
    }

    /// From then until now. Whoever asks may be the first to run after a pause.
    pub fn since(&self, then: Stamp, now: Stamp) -> bool {
        let seen = self.0.lock().expect("no holder panics");
        let in_a_pause = paused(seen.tick, now);
        !in_a_pause && seen.disturbed.is_none_or(|at| at <= then)
    }
}

fn paused(last: Stamp, now: Stamp) -> bool {
    now.awake_since(last) >= MISSED || now.slept_since(last) >= SLEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_or_a_stall_within_is_told_and_one_before_is_not() {
        let begin = Stamp::new(1_000_000_000, 50_000_000, 50_000_000);
        let calm = Calm::new(begin);
        let mut now = begin;
        for _ in 0..50 {
            now = now.plus(TICK);
            calm.ticked(now);
        }
        assert!(calm.since(begin, now));
        let woken = Stamp { awake: now.awake + TICK, ..now.plus(Duration::from_secs(60)) };
        assert!(!calm.since(begin, woken), "also before the next tick");
        calm.ticked(woken);
        assert!(!calm.since(begin, woken) && calm.since(woken, woken.plus(TICK)));
        let thawed = woken.plus(Duration::from_secs(2));
        calm.ticked(thawed);
        assert!(!calm.since(woken, thawed));
    }
}
