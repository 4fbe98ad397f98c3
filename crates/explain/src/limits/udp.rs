//! How long a UDP mapping may be quiet: one that a single packet opened, and one that carried a talk.

use super::together::Sorted;
use crate::{Timeline, timeline::HeldLane};
use record::{
    Seq,
    fact::{Manner, Opened},
};
use std::time::Duration;

#[derive(Clone, PartialEq, Debug)]
pub struct UdpLimit {
    pub opened: Opened,
    /// The packets both ways that opened it took less than a call's do.
    pub brief: bool,
    pub over: Option<Duration>,
    pub under: Duration,
    pub died: Vec<Seq>,
    pub lived: Vec<Seq>,
    pub back: CameBack,
    /// A silence that was survived though a shorter one was not.
    pub unclear: Option<Duration>,
}

/// Linux keeps a flow by the limit for streams only once packets went both ways for so long.
const STREAM_FROM: Duration = Duration::from_secs(2);

/// What the far end saw when we spoke again on a mapping that had died.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CameBack {
    SamePort,
    OtherPort,
    NotSeen,
}

pub(super) fn find(timeline: &Timeline, sorted: &Sorted) -> Vec<UdpLimit> {
    [Opened::OnePacket, Opened::Stream].into_iter().filter_map(|opened| of(timeline, sorted, opened)).collect()
}

fn of(timeline: &Timeline, sorted: &Sorted, opened: Opened) -> Option<UdpLimit> {
    let rungs = || {
        timeline.lanes.iter().filter(move |lane| matches!(lane.manner, Manner::QuietUdp(r) if r.opened_by == opened))
    };
    let lived = || rungs().filter_map(|lane| lane.proved.map(|proof| (proof.quiet, proof.at.seq)));
    // An outage within the silence would have looked the same.
    let died = || {
        let counted = rungs().filter(|lane| lane.proved.is_none() && sorted.silent(lane.lane));
        counted.filter_map(|lane| lane.ended.map(|ended| (lane, ended)))
    };
    let under = died().map(|(_, ended)| ended.quiet).filter(|quiet| !quiet.is_zero()).min()?;
    let longest = lived().map(|(quiet, _)| quiet).max();
    let over = lived().map(|(quiet, _)| quiet).filter(|quiet| *quiet < under).max();
    if over.is_none() && died().count() < 2 {
        return None;
    }
    let talked = died().filter_map(|(lane, _)| Some(lane.stands?.at.stamp.since(lane.began.stamp))).min();
    Some(UdpLimit {
        opened,
        brief: opened == Opened::Stream && talked.is_some_and(|talked| talked < STREAM_FROM),
        over,
        under,
        died: died().map(|(_, ended)| ended.at.seq).collect(),
        lived: lived().map(|(_, seq)| seq).collect(),
        back: came_back(died().map(|(lane, _)| lane)),
        unclear: longest.filter(|longest| *longest > under),
    })
}

fn came_back<'t>(lanes: impl Iterator<Item = &'t HeldLane<'t>>) -> CameBack {
    let mut seen = CameBack::NotSeen;
    for lane in lanes {
        let Some(ended) = lane.ended else { continue };
        let mut ports = lane.seen_from.iter();
        let Some((_, first)) = ports.next() else { continue };
        match lane.seen_from.iter().find(|(at, _)| at.seq >= ended.at.seq).or_else(|| ports.next_back()) {
            Some((_, again)) if again != first => return CameBack::OtherPort,
            Some(_) => seen = CameBack::SamePort,
            None if lane.heard_there.is_some() => seen = CameBack::SamePort,
            None => {}
        }
    }
    seen
}
