//! What the ladders really covered: the longest silence that was proved, and what was planned and not finished. A call
//! that held says nothing of longer ones.

use crate::{Timeline, words};
use record::{
    Stamp,
    fact::{Manner, Stirred},
};
use std::time::Duration;

/// Of quiet TCP connections: nothing at all where none ran, and no sentence where a limit was found instead.
pub fn tcp(timeline: &Timeline) -> Option<Option<String>> {
    let rungs = Rungs::of(timeline, |manner| match manner {
        Manner::Quiet(rung) if rung.stirred == Stirred::Not => Some(rung.quiet_ms),
        _ => None,
    })?;
    Some(rungs.says("on TCP"))
}

pub fn udp(timeline: &Timeline) -> Option<Option<String>> {
    let rungs = Rungs::of(timeline, |manner| match manner {
        Manner::QuietUdp(rung) => Some(rung.quiet_ms),
        _ => None,
    })?;
    Some(rungs.says("on UDP"))
}

struct Rungs {
    proved: Option<Duration>,
    /// Kept quiet for so long when the hold ended, or before they were to be proved.
    unfinished: Vec<Duration>,
    died: bool,
}

impl Rungs {
    fn of(timeline: &Timeline, planned_ms: impl Fn(&Manner) -> Option<f64>) -> Option<Self> {
        let mut rungs = Self { proved: None, unfinished: Vec::new(), died: false };
        let mut any = false;
        let over: Stamp = timeline.hold_end();
        for lane in &timeline.lanes {
            let Some(planned) = planned_ms(&lane.manner) else { continue };
            any = true;
            match (&lane.proved, &lane.ended) {
                (Some(proof), _) => rungs.proved = rungs.proved.max(Some(proof.quiet)),
                (None, Some(ended)) => rungs.died |= ended.at.stamp <= over,
                (None, None) => rungs.unfinished.push(words::millis(planned)),
            }
        }
        rungs.unfinished.sort_unstable();
        rungs.unfinished.dedup();
        let longer = |planned: &Duration| rungs.proved.is_none_or(|proved| *planned > proved);
        rungs.unfinished.retain(|planned| longer(planned));
        any.then_some(rungs)
    }

    fn says(&self, on: &str) -> Option<String> {
        let unfinished = match self.unfinished.as_slice() {
            [] => String::new(),
            [one] => format!("; a rung of {} was begun and not finished", words::length(*one)),
            [first, .., last] => format!(
                "; {} of {} to {} were begun and not finished",
                words::count(self.unfinished.len(), "rung"),
                words::length(*first),
                words::length(*last)
            ),
        };
        match self.proved {
            // Longer ones died: a limit was found, and that is a finding and no gap.
            Some(_) if self.died => None,
            Some(proved) => Some(format!(
                "Idle periods over {} {on} were not tested: that is the longest silence that was proved to be survived{unfinished}.",
                words::length(proved)
            )),
            None if self.died => None,
            None => Some(format!("Idle periods {on} were not tested: no rung of the ladder was finished{unfinished}.")),
        }
    }
}
