//! `clock_stepped`: somebody set the wall clock while the hold ran.

use super::Finding;
use crate::{Timeline, rule::Measured, words};
use std::time::Duration;

/// More steps than this are a clock that is fought over by two programs: the number says it, a list would not.
const MOST_SHOWN: usize = 5;

pub(super) fn find(timeline: &Timeline) -> Vec<Finding> {
    let steps = &timeline.clock_steps;
    let mut findings: Vec<Finding> = steps
        .iter()
        .take(MOST_SHOWN)
        .map(|step| {
            let seconds = step.by_us as f64 / 1e6;
            let way = if seconds > 0.0 { "forward" } else { "back" };
            let length = words::length(Duration::from_micros(step.by_us.unsigned_abs()));
            Finding {
                id: "clock_stepped",
                measured: Measured::default().number("seconds", seconds),
                says: format!(
                    "The wall clock was set {way} by {length} before {}; lengths here come from clocks that were not, and every time of day is told by the clock as it stood at the start.",
                    words::utc_exact(step.at.stamp)
                ),
            }
        })
        .collect();
    if steps.len() > MOST_SHOWN {
        findings.push(Finding {
            id: "clock_stepped",
            measured: Measured::default().number("times", steps.len() as f64),
            says: format!("The wall clock was set {} in all.", words::times(steps.len())),
        });
    }
    findings
}
