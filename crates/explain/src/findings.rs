//! Findings: what is worth knowing and is no drop.

use crate::{drops, rule::Measured, timeline::Timeline, words};
use serde::Serialize;

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Finding {
    pub id: &'static str,
    pub measured: Measured,
    pub says: String,
}

/// More steps than this are a clock that is fought over by two programs: the number says it, a list would not.
const MOST_STEPS_SHOWN: usize = 5;

pub(crate) fn find(timeline: &Timeline) -> Vec<Finding> {
    let steps = &timeline.clock_steps;
    let mut findings: Vec<Finding> = steps
        .iter()
        .take(MOST_STEPS_SHOWN)
        .map(|step| {
            let seconds = step.by_us as f64 / 1e6;
            let way = if seconds > 0.0 { "forward" } else { "back" };
            let length = words::length(std::time::Duration::from_micros(step.by_us.unsigned_abs()));
            Finding {
                id: "clock_stepped",
                measured: Measured::default().number("seconds", seconds),
                says: format!(
                    "The wall clock was set {way} by {length} before {}; lengths here come from clocks that were not, times of day differ by that much.",
                    words::utc_exact(step.at.stamp)
                ),
            }
        })
        .collect();
    if steps.len() > MOST_STEPS_SHOWN {
        findings.push(Finding {
            id: "clock_stepped",
            measured: Measured::default().number("times", steps.len() as f64),
            says: format!("The wall clock was set {} in all.", words::times(steps.len())),
        });
    }
    if timeline.drops.len() == drops::MOST {
        findings.push(Finding {
            id: "more_drops",
            measured: Measured::default().number("told", drops::MOST as f64),
            says: format!("Only the first {} drops are told; later ones may be missing here.", drops::MOST),
        });
    }
    findings
}
