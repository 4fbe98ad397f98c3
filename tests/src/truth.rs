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

#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
pub struct Effect {
    /// The first packet that it touched, or that should have come and did not.
    pub began: Option<When>,
    /// When what was done was undone.
    pub undone: Option<When>,
    /// The first packet that crossed again.
    pub back: Option<When>,
}

/// A scenario as it was played once.
pub struct Played {
    /// One for each step.
    pub truths: Vec<Truth>,
    pub log: Log,
    pub verdict: Verdict,
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
