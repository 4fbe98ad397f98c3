//! What became of each quiet lane, host by host.

use super::{Close, Who, together::Sorted};
use crate::{Timeline, timeline::HeldLane};
use record::{
    Seq,
    fact::{Manner, RungCarrier, Side, Stirred},
};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) struct Host<'t> {
    pub name: String,
    pub quiet: Vec<Outcome>,
    /// Rungs in whose silence something went on.
    pub stirred: Vec<(Stirred, Outcome)>,
    /// Lanes that talk, to the same host.
    pub talking: Vec<&'t HeldLane<'t>>,
}

#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub seq: Seq,
    /// That was survived, or was not.
    pub silence: Duration,
    pub fate: Fate,
    pub proved_by: Option<Side>,
    pub carrier: Option<RungCarrier>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fate {
    Lived,
    /// `seen` at its own moment, and not only when it was proved.
    Died {
        close: Close,
        seen: bool,
        who: Who,
    },
}

impl Outcome {
    pub fn died(&self) -> bool {
        self.fate != Fate::Lived
    }
    pub fn seen(&self) -> bool {
        matches!(self.fate, Fate::Died { seen: true, .. })
    }
    pub fn close(&self) -> Option<Close> {
        match self.fate {
            Fate::Died { close, .. } => Some(close),
            Fate::Lived => None,
        }
    }
    pub fn who(&self) -> Who {
        match self.fate {
            Fate::Died { who, .. } => who,
            Fate::Lived => Who::Unknown,
        }
    }
}

pub(super) fn by_host<'t>(timeline: &'t Timeline<'t>, sorted: &Sorted) -> Vec<Host<'t>> {
    let mut hosts: BTreeMap<&str, Host> = BTreeMap::new();
    for lane in timeline.lanes.iter().filter(|lane| lane.carrier().is_some()) {
        let host = hosts.entry(lane.host()).or_insert_with_key(|name| Host {
            name: (*name).to_owned(),
            quiet: Vec::new(),
            stirred: Vec::new(),
            talking: Vec::new(),
        });
        match lane.manner {
            Manner::BareWebsocket => host.quiet.extend(outcome(lane, sorted, None)),
            Manner::Quiet(rung) => match (rung.stirred, outcome(lane, sorted, Some(rung.proved_by))) {
                (Stirred::Not, outcome) => host.quiet.extend(outcome),
                (stirred, outcome) => host.stirred.extend(outcome.map(|outcome| (stirred, outcome))),
            },
            _ => host.talking.push(lane),
        }
    }
    hosts.into_values().collect()
}

fn outcome(lane: &HeldLane, sorted: &Sorted, proved_by: Option<Side>) -> Option<Outcome> {
    let (stirred, carrier) = (!lane.is_quiet(), lane.carrier());
    // A rung that was proved has done its work; how it ended afterwards says nothing of the silence.
    if let Some(proof) = lane.proved {
        let since = lane.stands.map_or(lane.began, |stands| stands.at).stamp;
        // What is stirred is never silent for long; what it lived is how long it went without the rest.
        let silence = if stirred { proof.at.stamp.since(since) } else { proof.quiet };
        return Some(Outcome { seq: proof.at.seq, silence, fate: Fate::Lived, proved_by, carrier });
    }
    let ended = lane.ended?;
    let close = Close::of(ended.end, ended.at_proof)?;
    // What was stirred was not silent, but one direction of it was, since it stood.
    let silence = if stirred { ended.age } else { ended.quiet };
    if silence.is_zero() || !(sorted.silent(lane.lane) || stirred && sorted.aged(lane.lane)) {
        return None;
    }
    let who = lane.there.map_or(Who::Unknown, |there| Who::seen_there(there.end));
    let fate = Fate::Died { close, seen: !ended.at_proof, who };
    Some(Outcome { seq: ended.at.seq, silence, fate, proved_by, carrier })
}
