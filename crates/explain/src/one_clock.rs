//! One clock for a whole log: where somebody set the wall clock while the hold ran, every time of day is told by the clock as
//! it stood at the start. Else a loss could be over before it began.

use crate::timeline::{At, ClockStep};
use record::{Event, Fact, Log, Stamp, fact::Far};

/// A time service corrects small errors by slewing, which moves no more than 0.5 ms a second. A whole second at once was
/// set by somebody.
const STEP_US: u64 = 1_000_000;

/// By how much the clock had been set in all since the start, from each moment on.
struct Steps {
    start: Stamp,
    sums: Vec<(Stamp, i64)>,
}

impl Steps {
    fn by(&self, stamp: Stamp) -> i64 {
        let next = self.sums.partition_point(|(at, _)| at.uptime <= stamp.uptime);
        let sum = |index: usize| self.sums.get(index).map(|(_, sum)| *sum);
        let before = next.checked_sub(1).and_then(sum).unwrap_or(0);
        // A step is known by the first event after it, and may lie before a stamp that is a little older than that event.
        let is = stamp.stepped_since(self.start);
        sum(next).filter(|after| after.abs_diff(is) < before.abs_diff(is)).unwrap_or(before)
    }

    fn take_back(&self, stamp: &mut Stamp) {
        stamp.wall = stamp.wall.plus_micros(self.by(*stamp).saturating_neg());
    }
}

/// The log by the clock of its start, and each step of it; nothing where nobody set it.
pub fn of_the_start(log: &Log) -> Option<(Log, Vec<ClockStep>)> {
    let start = log.events.first()?.at;
    let mut steps = Steps { start, sums: Vec::new() };
    let mut told: Vec<ClockStep> = Vec::new();
    let (mut before, mut sum) = (start, 0i64);
    for event in &log.events {
        // As the timeline reads them: none lies before the one read last.
        let stamp = event.at.max(before);
        let by_us = stamp.stepped_since(before);
        if by_us.unsigned_abs() >= STEP_US {
            sum = sum.saturating_add(by_us);
            steps.sums.push((stamp, sum));
            told.push(ClockStep { at: At { seq: event.seq, stamp }, by_us });
        }
        before = stamp;
    }
    if told.is_empty() {
        return None;
    }
    told.iter_mut().for_each(|step| steps.take_back(&mut step.at.stamp));
    Some((Log { events: log.events.iter().map(|event| straight(event, &steps)).collect() }, told))
}

fn straight(event: &Event, steps: &Steps) -> Event {
    let mut event = event.clone();
    // The far end was compared with the clock of that moment.
    let by = steps.by(event.at);
    if let Fact::Far(Far::Clock { offset_ms, .. }) = &mut event.fact {
        *offset_ms += by as f64 / 1e3;
    }
    steps.take_back(&mut event.at);
    event.fact.stamps_mut().into_iter().for_each(|stamp| steps.take_back(stamp));
    event
}
