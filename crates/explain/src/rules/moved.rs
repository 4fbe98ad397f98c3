//! A way that left its interface, as `network_switched` and `vpn_changed` look at it.

use super::{
    around::{self, NEAR, Onset},
    look, way,
};
use crate::{
    Confidence, Drop, Plane,
    timeline::{Closed, HeldLane, Timeline, networks::Moved},
    words,
};
use record::{
    Ip, Seq,
    fact::{End, Hop, LinkKind},
};
use std::time::Duration;

/// What was sent again and again without a way gets through so soon after it is back.
pub const GOES_ON_WITHIN: Duration = Duration::from_secs(5);
/// A lane that speaks every few seconds is found silent, or seen to be answered after the move, within this.
const LANES_TELL_WITHIN: Duration = Duration::from_secs(15);

/// A new connection over a way that is well stands within this.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The move that can have done it.
pub fn moved<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Moved<'a>> {
    let onset = around::onset_before_goodbye(timeline, drop)?;
    let moved = timeline.way_moved(way::toward(timeline, drop), onset.blamed())?;
    // What went over another interface all the while is not touched by it.
    let ours =
        way::carrying(timeline, drop).is_none_or(|carrying| carrying.interface == moved.before.interface.as_str());
    let can = around::onset_near_by(timeline, drop).is_some() || left_behind(timeline, drop, onset, &moved).is_some();
    (ours && can).then_some(moved)
}

/// This program gave the connection up for another one over the new way, and nothing that came said that it was dead.
pub fn given_up<'t, 'a>(timeline: &'t Timeline<'a>, drop: &'t Drop) -> Option<&'t Closed<'a>> {
    let (socket, closed) = look::closed(timeline, drop).filter(|_| drop.plane == Plane::Signaling)?;
    (matches!(closed.end, End::LetGo) || socket.taken_over(timeline)).then_some(closed)
}

/// How it went on: by our own hand, or by itself.
pub fn came_back(timeline: &Timeline, drop: &Drop) -> String {
    let at = || words::utc_exact(drop.first_bad);
    match (given_up(timeline, drop), drop.took()) {
        (Some(_), Some(took)) => {
            let later = format!(", which stood {} later", words::length(took));
            let later = if took < AT_ONCE { "" } else { &later };
            format!("this program moved signaling to a new connection at {}{later}", at())
        }
        (Some(_), None) => format!("this program gave its connection up at {}, and no other stood after it", at()),
        (None, _) => look::came_back(drop),
    }
}

pub fn of_tunnel(moved: &Moved) -> bool {
    moved.before.kind == LinkKind::Tunnel || moved.after.is_some_and(|(_, hop)| hop.kind == LinkKind::Tunnel)
}

/// Over another interface since.
pub fn elsewhere<'a>(moved: &Moved<'a>) -> Option<(Seq, &'a Hop)> {
    let (at, hop) = moved.after?;
    (hop.interface != moved.before.interface).then_some((at.seq, hop))
}

/// What of a connection stayed where it was while the way moved.
pub struct LeftBehind {
    /// The connection's own, of the interface that the way has left.
    pub address: Ip,
    /// Media, which went on.
    pub media: Seq,
    /// A connection beside the call, from the same address, that fell silent with it.
    pub beside: Option<Seq>,
}

/// Media that goes on says nothing for a TCP connection: it goes by checks from whichever address passes, and a
/// connection keeps the address that it began with, of which nobody on the new way needs to know. Another one from that
/// address that lived on does say something.
fn left_behind(timeline: &Timeline, drop: &Drop, onset: Onset, moved: &Moved) -> Option<LeftBehind> {
    let media = around::other_plane_went_on(timeline, drop).filter(|_| drop.plane == Plane::Signaling)?;
    let silent = onset.latest > onset.bad;
    let socket = look::socket(timeline, drop).filter(|_| silent && elsewhere(moved).is_some())?;
    let address = socket.tcp?.local.ip();
    let held = timeline.holder(address, onset.earliest())?;
    if held.interface != moved.before.interface.as_str() {
        return None;
    }
    let at = moved.at.stamp;
    let until = at.plus(LANES_TELL_WITHIN);
    let alike = |lane: &&HeldLane| {
        let same = lane.stands.is_some_and(|stands| stands.at.stamp <= at && stands.local.ip() == address);
        same && lane.carrier().is_some() && lane.talks().is_some() && lane.over().is_none_or(|over| over > at)
    };
    let lanes = || timeline.lanes.iter().filter(alike);
    if lanes().any(|lane| lane.lived_through(at, until).is_some()) {
        return None;
    }
    let fell_silent = |lane: &HeldLane| {
        let silence =
            lane.silences.iter().find(|silence| silence.at.stamp >= at && silence.last_ok <= at.plus(NEAR))?;
        (silence.at.stamp <= until).then_some(silence.at.seq)
    };
    Some(LeftBehind { address, media, beside: lanes().find_map(fell_silent) })
}

pub fn stayed_behind(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Option<LeftBehind> {
    left_behind(timeline, drop, around::onset_before_goodbye(timeline, drop)?, moved)
}

/// How sure it is that the move made the loss.
pub fn confidence(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Confidence {
    if put_back_long_before(timeline, drop, moved) {
        return Confidence::Likely;
    }
    if went_on_there(timeline, drop, moved).is_some() {
        return Confidence::Shown;
    }
    match stayed_behind(timeline, drop, moved) {
        // A firewall that forgot this one flow in the same seconds would look no different, unless others died with it.
        Some(LeftBehind { beside, .. }) if beside.is_some() => Confidence::Shown,
        Some(_) => Confidence::Likely,
        None => around::confidence(timeline, drop),
    }
}

/// Media came back from an address of the new way: the same far end was reached over it, and over the old one no more.
pub fn went_on_there(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Option<(Seq, Ip)> {
    let (_, hop) = elsewhere(moved)?;
    let restored = drop.restored.filter(|_| drop.plane == Plane::Media)?;
    let (before, after) = (timeline.pair_at(drop.last_good)?, timeline.pair_at(restored.plus(NEAR))?);
    let (left, took) = (before.local.ip(), after.local.ip());
    let of_it = hop.source == Some(took)
        || timeline.holder(took, restored).is_some_and(|held| held.interface == hop.interface.as_str());
    (left != took && of_it).then_some((after.at.seq, took))
}

/// The same as evidence.
pub fn went_on_from(timeline: &Timeline, drop: &Drop, moved: &Moved) -> Option<(Seq, String)> {
    let (seq, address) = went_on_there(timeline, drop, moved)?;
    Some((seq, format!("From {address}, which belongs to the new way, media flowed again.")))
}

/// It led over the same interface again, and the loss lasted on.
fn put_back_long_before(timeline: &Timeline, drop: &Drop, moved: &Moved) -> bool {
    elsewhere(moved).is_none()
        && moved.after.is_some_and(|(back, _)| around::over(timeline, drop).since(back.stamp) > GOES_ON_WITHIN)
}
