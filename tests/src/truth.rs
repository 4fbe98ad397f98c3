//! What really happened, as the lab saw it, and what a played scenario leaves behind.

use crate::verdict::Verdict;
use record::{Log, Stamp};
use serde::{Deserialize, Serialize};

/// A moment that lies between these two; often they are one.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct When {
    pub earliest: Stamp,
    pub latest: Stamp,
}

/// Of one step: its first effect on a packet of each plane, never the command that caused it.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Truth {
    pub signaling: Effect,
    pub media: Effect,
}

#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Effect {
    /// The first packet that it touched, or that should have come and did not.
    pub began: Option<When>,
    /// When what was done was undone.
    pub undone: Option<When>,
    /// The first packet that crossed again.
    pub back: Option<When>,
    /// Of a deed that lets some packets pass: those that came from then on. Whether and when the plane falls silent is
    /// chance, and begins with one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Stamp>,
}

/// A scenario as it was played once.
pub struct Played {
    /// One for each step.
    pub truths: Vec<Truth>,
    pub log: Log,
    pub verdict: Verdict,
}

/// The wall clock as it stood at a log's start: a verdict tells every time by it, whoever sets it meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct FirstClock(Option<Stamp>);

impl FirstClock {
    pub fn of_log(log: &Log) -> Self {
        Self(log.events.first().map(|event| event.at))
    }

    pub fn of(self, stamp: Stamp) -> Stamp {
        let stepped = self.0.map_or(0, |start| stamp.stepped_since(start));
        // Less is no step: a time service slews it.
        let back = if stepped.abs() < 1_000_000 { 0 } else { stepped };
        Stamp { wall: stamp.wall.plus_micros(-back), ..stamp }
    }

    pub fn of_all(self, effect: &Effect) -> Effect {
        let when = |when: When| When { earliest: self.of(when.earliest), latest: self.of(when.latest) };
        Effect {
            began: effect.began.map(when),
            undone: effect.undone.map(when),
            back: effect.back.map(when),
            passed: effect.passed.iter().map(|passed| self.of(*passed)).collect(),
        }
    }
}

impl Effect {
    /// When the silence began that was said to have begun by then.
    pub fn began_before(&self, first_bad: record::Wall) -> Option<When> {
        let known = first_bad.plus_micros(1_500);
        let last = self.passed.iter().rev().find(|passed| passed.wall <= known);
        last.map(|last| When::at(*last)).or(self.began)
    }
}

impl When {
    pub fn at(stamp: Stamp) -> Self {
        Self { earliest: stamp, latest: stamp }
    }

    /// Milliseconds from this to a moment of the verdict, which is given by the wall clock; negative if the verdict's is
    /// earlier, zero if it lies within.
    pub fn ms_to(&self, said: record::Wall) -> f64 {
        let ms = |from: record::Wall| (said.micros() - from.micros()) as f64 / 1000.0;
        let (since_first, since_last) = (ms(self.earliest.wall), ms(self.latest.wall));
        match (since_first < 0.0, since_last > 0.0) {
            (true, _) => since_first,
            (_, true) => since_last,
            _ => 0.0,
        }
    }
}

impl Truth {
    pub fn of(&self, plane: crate::scenario::ending::Plane) -> &Effect {
        match plane {
            crate::scenario::ending::Plane::Signaling => &self.signaling,
            crate::scenario::ending::Plane::Media => &self.media,
        }
    }
}
