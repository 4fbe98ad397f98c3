//! Sleep and waking, battery or mains, and the lid, as the system tells them.
//!
//! | | *Seen* by | within |
//! |---|---|---|
//! | Linux | logind's `PrepareForSleep`, its `LidClosed`, `/sys/class/power_supply` | at once; 10 s; 10 s |
//! | Windows | `PowerRegisterSuspendResumeNotification`, `PowerSettingRegisterNotification` | at once |
//! | macOS | `IORegisterForSystemPower`, the power sources, the clamshell's state | at once; 10 s; 10 s |
//!
//! *Not seen*: why the computer slept; a sleep that nobody announces (an empty battery, a virtual machine that is paused),
//! which only the clocks tell; mains power behind an external UPS.
//!
//! On Linux a *delay* inhibitor for `sleep` is held while we watch. It forbids nothing: when the system has said that it
//! goes to sleep, it waits for the holders of such inhibitors, and we let go as soon as the log is safe on the disk, some
//! milliseconds later. Windows and macOS wait for the callback in the same way. Keeping a computer awake is another thing,
//! done only on request: see `awake.rs`.
//!
//! Two watchers, because the battery can be seen where nobody tells of sleep. Each platform file provides
//! `sleep(Teller) -> String` and `supply(Teller) -> String`, futures that run until they are dropped and come back with
//! the reason when they can see no longer.

use super::Watcher;
use crate::Recorder;
use record::fact::Power;
use std::sync::{Arc, Mutex};

#[cfg(any(windows, target_os = "macos", test))]
mod codes;
#[cfg_attr(target_os = "linux", path = "power/linux.rs")]
#[cfg_attr(target_os = "macos", path = "power/macos.rs")]
#[cfg_attr(windows, path = "power/windows.rs")]
mod platform;

pub const SLEEP: Watcher =
    Watcher { id: record::Sense::Sleep, run: |recorder| Box::pin(platform::sleep(Teller::new(recorder))) };
pub const SUPPLY: Watcher =
    Watcher { id: record::Sense::PowerSupply, run: |recorder| Box::pin(platform::supply(Teller::new(recorder))) };

/// How often we look where the system does not tell by itself.
#[cfg(not(windows))]
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(10);

/// A battery that charges or drains is told in steps of this size.
const PERCENT_STEP: f64 = 5.0;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Event {
    AboutToSleep,
    Woke,
    Supply { on_battery: bool, percent: Option<f64> },
    Lid { closed: bool },
}

/// Notes what an event adds to what was told before. May be called from any thread.
#[derive(Clone)]
struct Teller {
    recorder: Recorder,
    told: Arc<Mutex<Told>>,
}

impl Teller {
    fn new(recorder: Recorder) -> Self {
        Self { recorder, told: Arc::default() }
    }

    fn tell(&self, event: Event) {
        let news = self.told.lock().expect("no holder panics").hear(event);
        if let Some(news) = news {
            self.recorder.note(news);
        }
    }

    /// Waits for the disk: what comes after it may be a sleep from which the computer does not wake.
    fn settle(&self) {
        if let Err(error) = self.recorder.settle() {
            // The recorder has its own fact for that; this is only why the sleep found it unsaved.
            tracing::warn!("the log was not synced before sleep: {error}");
        }
    }
}

#[derive(Default)]
struct Told {
    supply: Option<(bool, Option<f64>)>,
    lid: Option<bool>,
}

impl Told {
    fn hear(&mut self, event: Event) -> Option<Power> {
        match event {
            Event::AboutToSleep => Some(Power::AboutToSleep),
            Event::Woke => Some(Power::Woke),
            Event::Supply { on_battery, percent } => {
                let percent = percent.filter(|percent| percent.is_finite()).map(|percent| percent.clamp(0.0, 100.0));
                let found = self.supply.is_none();
                let same = self.supply.is_some_and(|(before, at)| before == on_battery && !moved(at, percent));
                (!same).then(|| {
                    self.supply = Some((on_battery, percent));
                    Power::Supply { on_battery, percent, found }
                })
            }
            // A computer without a lid calls it open. So an open one is told only after a closed one.
            Event::Lid { closed } => {
                let before = self.lid.replace(closed);
                (before.unwrap_or(false) != closed).then_some(Power::Lid { closed, found: before.is_none() })
            }
        }
    }
}

fn moved(before: Option<f64>, now: Option<f64>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => (before - now).abs() >= PERCENT_STEP,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(events: &[Event]) -> Vec<Power> {
        let mut told = Told::default();
        events.iter().filter_map(|event| told.hear(*event)).collect()
    }
    fn supply(on_battery: bool, percent: f64) -> Event {
        Event::Supply { on_battery, percent: Some(percent) }
    }

    #[test]
    fn every_sleep_and_every_waking_is_told() {
        use Event::{AboutToSleep, Woke};
        let events = [AboutToSleep, Woke, AboutToSleep, Woke, Woke];
        let facts = [Power::AboutToSleep, Power::Woke, Power::AboutToSleep, Power::Woke, Power::Woke];
        assert_eq!(told(&events), facts);
    }

    #[test]
    fn a_battery_is_told_in_steps_and_the_change_of_supply_at_once() {
        let facts = told(&[
            supply(false, 100.0),
            supply(false, 99.0),
            supply(true, 99.0),
            supply(true, 95.0),
            supply(true, 94.0),
            Event::Supply { on_battery: true, percent: None },
            Event::Supply { on_battery: false, percent: Some(f64::NAN) },
            supply(false, 180.0),
        ]);
        let fact = |on_battery, percent, found| Power::Supply { on_battery, percent, found };
        assert_eq!(
            facts,
            [
                fact(false, Some(100.0), true),
                fact(true, Some(99.0), false),
                fact(true, Some(94.0), false),
                fact(false, None, false),
                fact(false, Some(100.0), false),
            ]
        );
    }

    #[test]
    fn an_open_lid_is_told_only_after_a_closed_one() {
        let (open, closed) = (Event::Lid { closed: false }, Event::Lid { closed: true });
        assert_eq!(told(&[open, open]), []);
        let fact = |closed, found| Power::Lid { closed, found };
        assert_eq!(told(&[open, closed, closed, open]), [fact(true, false), fact(false, false)]);
        assert_eq!(told(&[closed, open]), [fact(true, true), fact(false, false)]);
    }
}
