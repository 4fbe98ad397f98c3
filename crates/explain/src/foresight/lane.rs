//! The bare WebSocket's next end, from those of the bare WebSockets before it and of the quiet rungs beside it.

use super::{Came, Due};
use crate::{
    Timeline,
    timeline::{Foretold, HeldLane},
};
use record::fact::{Manner, Pattern};

/// One end alone may be any accident.
const REPEATS: usize = 2;

pub(super) fn due(timeline: &Timeline) -> Vec<Due> {
    let standing = timeline.lanes.iter().rev().filter(|lane| lane.manner == Manner::BareWebsocket && stands(lane));
    standing.take(8).filter_map(|lane| of(timeline, lane)).collect()
}

fn stands(lane: &HeldLane) -> bool {
    lane.stands.is_some() && lane.over().is_none()
}

fn of(timeline: &Timeline, lane: &HeldLane) -> Option<Due> {
    let since = lane.stands?.at.stamp;
    // Where busy ones do not grow older either, it is not the quiet that ends it.
    let lifetime = timeline.limits.lifetime_of(lane.host());
    let (pattern, exact, condition) = match lifetime {
        Some(limit) => (Pattern::Lifetime, limit.exact, ""),
        None => (Pattern::Idle, timeline.limits.idle_of(lane.host())?.exact?, ", if it stays quiet"),
    };
    (exact.count >= REPEATS).then_some(Due {
        pattern,
        lane: Some(lane.lane),
        since,
        after: exact.median,
        spread: exact.spread,
        what: "the bare WebSocket will end",
        condition,
    })
}

pub(super) fn came(timeline: &Timeline, made: &Foretold, number: u32) -> Came {
    match timeline.lane(number) {
        Some(lane) => match (lane.ended, lane.over()) {
            (Some(ended), _) if ended.at.seq > made.at.seq => Came::At(ended.at.stamp.wall),
            (_, Some(_)) => Came::Otherwise,
            _ => Came::NotYet,
        },
        None => Came::Otherwise,
    }
}
