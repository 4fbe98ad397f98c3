//! Notes what may be foretold while the hold runs. A prediction counts only because it was written down before it came
//! true, so it goes into the log like any other fact.

use engine::Recorder;
use record::{Event, Log};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;

/// Patterns have periods of many seconds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A log with more notable events than this is of a connection in ruins; nothing in it is regular.
const MOST_EVENTS: usize = 20_000;

/// Until it is dropped.
pub async fn watch(recorder: Recorder) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut events = recorder.listen();
    let mut log = Log { events: Vec::new() };
    while log.events.len() < MOST_EVENTS {
        looks.tick().await;
        let Some(latest) = take(&mut events, &mut log) else { continue };
        // The last event of all is the time until which nothing else happened.
        let bears = explain::worth_showing(&latest.fact);
        if !bears {
            log.events.push(Event::clone(&latest));
        }
        for prediction in explain::foresee(&log) {
            recorder.note(prediction);
        }
        if !bears {
            log.events.pop();
        }
    }
}

/// Keeps what a pattern may be made of, and gives the last event, whatever it was.
fn take(events: &mut UnboundedReceiver<Arc<Event>>, log: &mut Log) -> Option<Arc<Event>> {
    let mut latest = None;
    while let Ok(event) = events.try_recv() {
        if explain::worth_showing(&event.fact) {
            log.events.push(Event::clone(&event));
        }
        latest = Some(event);
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Clock;
    use record::fact::{Mark, Media, MediaSample};

    #[test]
    fn only_what_a_pattern_can_be_made_of_is_kept() {
        let recorder = Recorder::unwritten(Clock::real());
        let mut events = recorder.listen();
        let mut log = Log { events: Vec::new() };
        assert!(take(&mut events, &mut log).is_none());
        recorder.note(Mark::Note { text: "kept".into() });
        let last = recorder.note(Media::Sample(MediaSample::default()));
        let latest = take(&mut events, &mut log).expect("two events were noted");
        assert_eq!((latest.seq, log.events.len()), (last, 1));
    }
}
