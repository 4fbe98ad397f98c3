//! Lanes beside the call, as the timeline keeps them, and what was foretold.
//!
//! A lane whose opening the log has lost is left out: without its manner its end says nothing.

use super::{At, Timeline, not_after};
use crate::words;
use record::{
    IpPort, Seq, Stamp, Wall,
    fact::{End, Lane, LaneSight, Manner, Pattern, Prediction, RungCarrier, Side, Sight, Stirred},
};
use std::time::Duration;

/// A bare WebSocket that is ended every thirteen seconds for eight hours makes 2,200, and all others together a hundred.
/// A forged log may hold a million.
const MOST_LANES: usize = 4_096;
const MOST_PREDICTIONS: usize = 4_096;
/// Of one lane. A NAT that gives it another port each time has shown what it does long before.
const MOST_ADDRESSES: usize = 16;

#[derive(Debug)]
pub struct HeldLane<'a> {
    pub lane: u32,
    pub began: At,
    pub manner: Manner,
    pub to: &'a str,
    pub stands: Option<Standing>,
    pub failed: Option<At>,
    /// Where the far end sees it come from, in the order in which it said so.
    pub seen_from: Vec<(At, IpPort)>,
    pub silences: Vec<LaneSilence>,
    /// Samples with an answer in them: the moments at which a talking lane was known to live.
    pub answers: Vec<At>,
    pub proved: Option<Proof>,
    pub ended: Option<LaneEnd<'a>>,
    pub done: Option<At>,
    /// How it ended at the far end, on our clock.
    pub there: Option<EndThere<'a>>,
    /// The far end said that our first word after the silence arrived.
    pub heard_there: Option<At>,
}

#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub at: At,
    pub local: IpPort,
    pub remote: IpPort,
}

#[derive(Clone, Copy, Debug)]
pub struct LaneSilence {
    pub at: At,
    /// When the first question without an answer was put.
    pub asked: Stamp,
    pub last_ok: Stamp,
    pub back: Option<At>,
}

#[derive(Clone, Copy, Debug)]
pub struct Proof {
    pub at: At,
    pub by: Side,
    pub quiet: Duration,
}

#[derive(Clone, Copy, Debug)]
pub struct LaneEnd<'a> {
    pub at: At,
    pub end: &'a End,
    pub quiet: Duration,
    pub age: Duration,
    pub at_proof: bool,
    /// When the last byte of theirs came.
    pub heard: Stamp,
}

#[derive(Clone, Copy, Debug)]
pub struct EndThere<'a> {
    pub at: At,
    pub when: Stamp,
    pub end: &'a End,
}

/// A prediction and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Foretold {
    pub id: u32,
    pub at: At,
    pub pattern: Pattern,
    /// Absent means the call.
    pub lane: Option<u32>,
    pub from: Wall,
    pub to: Wall,
    pub came_true: Option<At>,
    pub missed: Option<At>,
}

impl HeldLane<'_> {
    /// Held busy for as long as the hold lasts: the control that an idle limit does not touch.
    pub fn talks(&self) -> Option<Duration> {
        match self.manner {
            Manner::BeatingWebsocket { every_ms }
            | Manner::Tcp { every_ms }
            | Manner::Tls { every_ms }
            | Manner::Turn { every_ms, .. } => Some(words::millis(every_ms)),
            Manner::BareWebsocket | Manner::Quiet(_) | Manner::QuietUdp(_) => None,
        }
    }

    /// Nothing at all goes on in its silence.
    pub fn is_quiet(&self) -> bool {
        match self.manner {
            Manner::BareWebsocket | Manner::QuietUdp(_) => true,
            Manner::Quiet(rung) => rung.stirred == Stirred::Not,
            _ => false,
        }
    }

    /// What it travels in; nothing for what is no connection to the far end itself.
    pub fn carrier(&self) -> Option<RungCarrier> {
        match self.manner {
            Manner::BareWebsocket | Manner::BeatingWebsocket { .. } => Some(RungCarrier::Websocket),
            Manner::Tcp { .. } | Manner::Tls { .. } => Some(RungCarrier::Tcp),
            Manner::Quiet(rung) => Some(rung.carrier),
            Manner::Turn { .. } | Manner::QuietUdp(_) => None,
        }
    }

    /// The host that it goes to, without port and path.
    pub fn host(&self) -> &str {
        host(self.to)
    }

    /// When it was over, by whatever.
    pub fn over(&self) -> Option<Stamp> {
        let over = self.ended.map(|ended| ended.at).or(self.done).or(self.failed);
        over.map(|at| at.stamp)
    }

    /// The event that shows that it lived through the stretch: it stood before, and was answered after.
    pub fn lived_through(&self, from: Stamp, to: Stamp) -> Option<Seq> {
        let stood = self.stands?.at.stamp <= from && self.over().is_none_or(|over| over > to);
        let silent = self.silences.iter().any(|s| s.last_ok <= to && s.back.is_none_or(|back| back.stamp >= from));
        let after = self.answers.partition_point(|answer| answer.stamp < to);
        self.answers.get(after).filter(|_| stood && !silent).map(|answer| answer.seq)
    }
}

/// `wss://host.example:443/call` and `host.example:7000` are one host: what stands before it does so for every port.
pub fn host(to: &str) -> &str {
    let rest = to.split_once("://").map_or(to, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

impl<'a> Timeline<'a> {
    pub(super) fn take_lane(&mut self, at: At, fact: &'a Lane) {
        let number = match fact {
            Lane::Opening { lane, manner, to } => return self.open_lane(at, *lane, *manner, to.as_str()),
            Lane::Stands { lane, .. }
            | Lane::Failed { lane, .. }
            | Lane::SeenFrom { lane, .. }
            | Lane::Sample { lane, .. }
            | Lane::Silent { lane, .. }
            | Lane::Back { lane, .. }
            | Lane::Proved { lane, .. }
            | Lane::Ended { lane, .. }
            | Lane::Done { lane } => *lane,
        };
        let Some(held) = self.lane_index.get(&number).and_then(|index| self.lanes.get_mut(*index)) else { return };
        // No length in a log reaches back beyond the lane's own beginning.
        let most = at.stamp.since(held.stands.map_or(held.began, |stands| stands.at).stamp);
        match fact {
            Lane::Opening { .. } => {}
            Lane::Stands { local, remote, .. } => {
                held.stands.get_or_insert(Standing { at, local: *local, remote: *remote });
            }
            Lane::Failed { .. } => {
                held.failed.get_or_insert(at);
            }
            Lane::SeenFrom { public, .. } => {
                if held.seen_from.len() < MOST_ADDRESSES {
                    held.seen_from.push((at, *public));
                }
            }
            Lane::Sample { answered, .. } => {
                if *answered > 0 {
                    held.answers.push(at);
                }
            }
            Lane::Silent { asked, last_ok, .. } => {
                if held.silences.last().is_none_or(|silence| silence.back.is_some()) {
                    let (asked, last_ok) = (not_after(*asked, at), not_after(*last_ok, at));
                    held.silences.push(LaneSilence { at, asked: asked.max(last_ok), last_ok, back: None });
                }
            }
            Lane::Back { .. } => {
                if let Some(silence) = held.silences.last_mut() {
                    silence.back.get_or_insert(at);
                }
            }
            Lane::Proved { by, quiet_ms, .. } => {
                let quiet = words::millis(*quiet_ms).min(most);
                // A rung that goes on after its proof is proved again, after a longer silence.
                if held.proved.is_none_or(|before| before.quiet < quiet) {
                    held.proved = Some(Proof { at, by: *by, quiet });
                }
            }
            Lane::Ended { end, quiet_ms, age_ms, at_proof, last_in, .. } => {
                let age = words::millis(*age_ms).min(most);
                let quiet = words::millis(*quiet_ms).min(age);
                let heard = not_after(*last_in, at);
                held.ended.get_or_insert(LaneEnd { at, end, quiet, age, at_proof: *at_proof, heard });
            }
            Lane::Done { .. } => {
                held.done.get_or_insert(at);
            }
        }
    }

    fn open_lane(&mut self, at: At, lane: u32, manner: Manner, to: &'a str) {
        if self.lanes.len() == MOST_LANES || self.lane_index.contains_key(&lane) {
            return;
        }
        self.lane_index.insert(lane, self.lanes.len());
        self.lanes.push(HeldLane {
            lane,
            began: at,
            manner,
            to,
            stands: None,
            failed: None,
            seen_from: Vec::new(),
            silences: Vec::new(),
            answers: Vec::new(),
            proved: None,
            ended: None,
            done: None,
            there: None,
            heard_there: None,
        });
    }

    /// After the sights stand on our clock.
    pub(super) fn place_lane_sights(&mut self) {
        for sighting in &self.sights {
            let Sight::Lane { lane, sight } = sighting.sight else { continue };
            let Some(held) = self.lane_index.get(lane).and_then(|index| self.lanes.get_mut(*index)) else { continue };
            match sight {
                LaneSight::Ended { end, .. } => {
                    held.there.get_or_insert(EndThere { at: sighting.at, when: sighting.when, end });
                }
                LaneSight::Heard { .. } => {
                    held.heard_there.get_or_insert(sighting.at);
                }
                LaneSight::Stood { from } => {
                    // Where it came from when it stood, before whatever we were told later.
                    if held.seen_from.first().is_none_or(|(_, first)| first != from) {
                        held.seen_from.insert(0, (sighting.at, *from));
                    }
                }
                LaneSight::Spoke { .. } => {}
            }
        }
    }

    pub(super) fn take_prediction(&mut self, at: At, fact: &'a Prediction) {
        match fact {
            Prediction::Made { id, pattern, lane, from, to, .. } => {
                if self.foretold.len() < MOST_PREDICTIONS && !self.foretold_index.contains_key(id) {
                    self.foretold_index.insert(*id, self.foretold.len());
                    let (id, pattern, lane, from, to) = (*id, *pattern, *lane, *from, *to);
                    self.foretold.push(Foretold { id, at, pattern, lane, from, to, came_true: None, missed: None });
                }
            }
            Prediction::CameTrue { id } => {
                if let Some(foretold) = self.prediction(*id) {
                    foretold.came_true.get_or_insert(at);
                }
            }
            Prediction::Missed { id } => {
                if let Some(foretold) = self.prediction(*id) {
                    foretold.missed.get_or_insert(at);
                }
            }
        }
    }

    fn prediction(&mut self, id: u32) -> Option<&mut Foretold> {
        self.foretold_index.get(&id).and_then(|index| self.foretold.get_mut(*index))
    }

    pub fn lane(&self, lane: u32) -> Option<&HeldLane<'a>> {
        self.lanes.get(*self.lane_index.get(&lane)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_stands_before_port_and_path() {
        assert_eq!(host("wss://a.example:443/call?x"), "a.example");
        assert_eq!(host("a.example:7000"), "a.example");
        assert_eq!(host("ws://[2001:db8::1]:7000/call"), "[2001:db8::1]");
        assert_eq!(host("[2001:db8::1]"), "[2001:db8::1]");
        assert_eq!(host(""), "");
    }
}
