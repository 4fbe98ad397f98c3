//! What the ladders really covered: the longest silence that was proved, what was begun and not finished, and what the
//! plan left out. A call that held says nothing of longer ones.

use crate::{Timeline, words};
use record::{
    Stamp,
    fact::{Ladder, LeftOut, Manner, Plan, Stirred, WhyNot},
};
use std::time::Duration;

/// Of quiet TCP connections: nothing at all where none ran, and no sentence where a limit was found instead.
pub fn tcp(timeline: &Timeline) -> Option<Option<String>> {
    let rungs = Rungs::of(timeline, |manner| match manner {
        Manner::Quiet(rung) if rung.stirred == Stirred::Not => Some(rung.quiet_ms),
        _ => None,
    })?;
    let limit = !timeline.limits.idle.is_empty() || !timeline.limits.unclear.is_empty();
    Some((!limit).then(|| rungs.says("on TCP", timeline.plan, Ladder::Tcp)))
}

pub fn udp(timeline: &Timeline) -> Option<Option<String>> {
    let rungs = Rungs::of(timeline, |manner| match manner {
        Manner::QuietUdp(rung) => Some(rung.quiet_ms),
        _ => None,
    })?;
    let limit = !timeline.limits.udp.is_empty();
    Some((!limit).then(|| rungs.says("on UDP", timeline.plan, Ladder::Udp)))
}

/// Why no rung of a ladder ran, where the plan says so: after "; ".
pub fn why_none(plan: &Plan, ladder: Ladder) -> Option<&'static str> {
    left_out(plan, ladder).find_map(|(_, why)| match why {
        WhyNot::OnlyReflector => Some("only a Linewitness reflector keeps connections quiet"),
        WhyNot::HoldTooShort => Some("the hold was too short for a quiet connection"),
        WhyNot::ReflectorWaits { .. } => None,
    })
}

/// The shortest rung of each reason.
pub fn left_out(plan: &Plan, ladder: Ladder) -> impl Iterator<Item = (Duration, WhyNot)> {
    plan.beside.iter().flat_map(|beside| &beside.left_out).filter_map(move |left| match left {
        LeftOut::Rungs { ladder: of, from_s, why } if *of == ladder => Some((words::millis(from_s * 1e3), *why)),
        LeftOut::Rungs { .. } | LeftOut::Talking => None,
    })
}

struct Rungs {
    proved: Option<Duration>,
    /// Kept quiet for so long when the hold ended, or before they were to be proved.
    unfinished: Vec<Duration>,
    /// Ended before they were proved, and no limit explains it: an outage took them.
    cut: Vec<Duration>,
}

impl Rungs {
    fn of(timeline: &Timeline, planned_ms: impl Fn(&Manner) -> Option<f64>) -> Option<Self> {
        let mut rungs = Self { proved: None, unfinished: Vec::new(), cut: Vec::new() };
        let mut any = false;
        let over: Stamp = timeline.hold_end();
        for lane in &timeline.lanes {
            let Some(planned) = planned_ms(&lane.manner) else { continue };
            any = true;
            match (&lane.proved, &lane.ended) {
                (Some(proof), _) => rungs.proved = rungs.proved.max(Some(proof.quiet.min(words::millis(planned)))),
                (None, Some(ended)) if ended.at.stamp <= over => rungs.cut.push(words::millis(planned)),
                (None, _) => rungs.unfinished.push(words::millis(planned)),
            }
        }
        let proved = rungs.proved;
        for list in [&mut rungs.unfinished, &mut rungs.cut] {
            list.sort_unstable();
            list.dedup();
            list.retain(|planned| proved.is_none_or(|proved| *planned > proved));
        }
        any.then_some(rungs)
    }

    fn says(&self, on: &str, plan: Option<&Plan>, ladder: Ladder) -> String {
        let mut says = match self.proved {
            Some(proved) => format!(
                "Idle periods over {} {on} were not tested: that is the longest silence that was proved to be survived",
                words::planned(proved)
            ),
            None => format!("Idle periods {on} were not tested: no rung of the ladder was finished"),
        };
        says.extend(rungs(&self.unfinished, "begun and not finished"));
        says.extend(rungs(&self.cut, "cut off by something else"));
        for (from, why) in plan.into_iter().flat_map(|plan| left_out(plan, ladder)) {
            let from = words::planned(from);
            says.push_str(&match why {
                WhyNot::HoldTooShort => format!("; the planned hold was too short for {from} and more"),
                WhyNot::ReflectorWaits { at_most_s } => {
                    format!("; a reflector waits {} at most", words::planned(words::millis(at_most_s * 1e3)))
                }
                WhyNot::OnlyReflector => continue,
            });
        }
        says.push('.');
        says
    }
}

/// "; 3 rungs of 61.0 s to 95.0 s were begun and not finished"
fn rungs(list: &[Duration], what: &str) -> Option<String> {
    Some(match list {
        [] => return None,
        [one] => format!("; a rung of {} was {what}", words::planned(*one)),
        [first, .., last] => format!(
            "; {} of {} to {} were {what}",
            words::count(list.len(), "rung"),
            words::planned(*first),
            words::planned(*last)
        ),
    })
}
