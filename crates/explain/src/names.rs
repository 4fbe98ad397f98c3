//! `Names`: what the numbers of a log stand for, learnt as it goes, so that no sentence has to show a number that nobody
//! explained.

use crate::rows::{lanes, surroundings};
use record::{
    Fact, Heard, Said,
    fact::{Action, Control, ControlKind, Lane, Manner, Move, Net, Prediction},
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct Names {
    lanes: BTreeMap<u32, Manner>,
    controls: BTreeMap<u32, (ControlKind, Heard)>,
    moves: BTreeMap<u32, Move>,
    foretold: BTreeMap<u32, Said>,
    links: BTreeSet<String>,
}

/// More than a long run has of each; in a forged log the oldest are forgotten.
const MOST: usize = 4_096;

impl Names {
    /// Each event in its order, before the next one is worded.
    pub fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Lane(Lane::Opening { lane, manner, .. }) => keep(&mut self.lanes, *lane, *manner),
            Fact::Control(Control::Asking { control, kind, target, .. }) => {
                keep(&mut self.controls, *control, (*kind, target.clone()));
            }
            Fact::Action(Action::Began { id, step, .. }) => keep(&mut self.moves, *id, *step),
            Fact::Prediction(Prediction::Made { id, says, .. }) => keep(&mut self.foretold, *id, says.clone()),
            Fact::Net(Net::Link { name, .. }) if self.links.len() < MOST => {
                self.links.insert(name.to_string());
            }
            Fact::Net(Net::LinkGone { name, .. }) => {
                self.links.remove(name.as_str());
            }
            _ => {}
        }
    }

    pub fn manner(&self, lane: u32) -> Option<&Manner> {
        self.lanes.get(&lane)
    }

    /// "the WebSocket quiet for 31 s"
    pub(crate) fn lane(&self, lane: u32) -> String {
        self.manner(lane).map_or_else(|| "a connection".into(), lanes::the)
    }

    /// "the gateway (10.0.0.254)"
    pub(crate) fn control(&self, control: u32) -> String {
        match self.controls.get(&control) {
            Some((kind, target)) => format!("{} ({target})", surroundings::asked(*kind)),
            None => "somebody asked beside the call".into(),
        }
    }

    pub fn kind(&self, control: u32) -> Option<ControlKind> {
        self.controls.get(&control).map(|(kind, _)| *kind)
    }

    pub fn step(&self, id: u32) -> Option<Move> {
        self.moves.get(&id).copied()
    }

    pub(crate) fn foretold(&self, id: u32) -> Option<&Said> {
        self.foretold.get(&id)
    }

    /// It was told of before.
    pub(crate) fn knows_link(&self, name: &str) -> bool {
        self.links.contains(name)
    }
}

fn keep<T>(map: &mut BTreeMap<u32, T>, number: u32, value: T) {
    if map.len() >= MOST {
        map.pop_first();
    }
    map.insert(number, value);
}
