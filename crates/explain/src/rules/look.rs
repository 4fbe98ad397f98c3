//! What several rules look at: the two sides of one loss, and the words for where to search.

use crate::{
    Drop, Plane,
    drops::{Loss, TOGETHER},
    timeline::{At, Closed, Gap, PauseKind, SendTrouble, Socket, Timeline, Undelivered},
    words,
};
use record::{
    Ip, Stamp,
    fact::{ConnectStage, End, Sight, Trouble, Undeliverable},
};
use std::time::Duration;

pub fn twin<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Drop> {
    timeline.drops.get(drop.twin?)
}

/// This drop or its twin, whichever is of the plane.
pub fn side<'t>(timeline: &'t Timeline, drop: &'t Drop, plane: Plane) -> Option<&'t Drop> {
    if drop.plane == plane { Some(drop) } else { twin(timeline, drop) }
}

/// The socket that this loss is about.
pub fn socket<'t, 'a>(timeline: &'t Timeline<'a>, drop: &'t Drop) -> Option<&'t Socket<'a>> {
    match side(timeline, drop, Plane::Signaling)?.loss {
        Loss::SocketEnded(socket) | Loss::Unanswered { socket, .. } => timeline.sockets.get(socket),
        _ => None,
    }
}

/// The socket that said how it ended. For a drop of media only if it ended together with the media: one that was closed
/// long after cannot have caused it.
pub fn closed<'t, 'a>(timeline: &'t Timeline<'a>, drop: &'t Drop) -> Option<(&'t Socket<'a>, &'t Closed<'a>)> {
    let Loss::SocketEnded(index) = side(timeline, drop, Plane::Signaling)?.loss else { return None };
    let socket = timeline.sockets.get(index)?;
    let closed = socket.closed.as_ref()?;
    (drop.plane == Plane::Signaling || media_ended_at(drop, closed.at.stamp)).then_some((socket, closed))
}

pub fn together(a: Stamp, b: Stamp) -> bool {
    a <= b.plus(TOGETHER) && b <= a.plus(TOGETHER)
}

/// The media that stopped when the socket ended, if it did.
pub fn media_ended_with<'t>(timeline: &'t Timeline, drop: &'t Drop, closed: &Closed) -> Option<&'t Drop> {
    side(timeline, drop, Plane::Media).filter(|media| media_ended_at(media, closed.at.stamp))
}

/// The last packet tells the moment to within its interval. Answers to checks come seconds apart, so there the moment may
/// lie anywhere between the last one and when it was sure.
fn media_ended_at(media: &Drop, at: Stamp) -> bool {
    match media.loss {
        Loss::Consent(_) => media.last_good <= at.plus(TOGETHER) && at <= media.first_bad,
        _ => together(media.last_good, at),
    }
}

/// The socket stayed without an answer of the far end's program, though the kernel had all its bytes acknowledged: the
/// connection lived. The event that shows it.
pub fn acknowledged<'t, 'a>(timeline: &'t Timeline<'a>, drop: &'t Drop) -> Option<Acknowledged<'t, 'a>> {
    let loss = side(timeline, drop, Plane::Signaling)?.loss;
    let (index, silence) = match loss {
        Loss::Unanswered { socket, silence } => (socket, timeline.sockets.get(socket)?.silences.get(silence)),
        Loss::SocketEnded(socket) => (socket, None),
        _ => return None,
    };
    let socket = timeline.sockets.get(index)?;
    if silence.is_none() && !socket.closed.is_some_and(|closed| matches!(closed.end, End::Silence { .. })) {
        return None;
    }
    // An end after the silence was over says nothing of it.
    let last_word = socket.closed.filter(|_| silence.is_none_or(|silence| silence.again.is_none()));
    let at_the_end = last_word.and_then(|closed| Some((closed.at, closed.tcp?)));
    let since = silence.map_or_else(|| socket.closed.map(|closed| closed.last_in), |silence| Some(silence.since))?;
    let until = silence.and_then(|silence| silence.again).or(last_word.map(|closed| closed.at));
    let resent = silence.is_some_and(|silence| silence.retransmits.is_some_and(|times| times > 0))
        || socket.resending.iter().any(|(at, _)| at.stamp > since && until.is_none_or(|until| at.stamp <= until.stamp))
        || at_the_end.is_some_and(|(_, tcp)| tcp.unacked > 0);
    let seen = silence.and_then(|silence| silence.acknowledged).or(at_the_end.map(|(at, _)| at))?;
    (!resent).then_some(Acknowledged { socket, since, seen })
}

pub struct Acknowledged<'t, 'a> {
    pub socket: &'t Socket<'a>,
    /// When the first byte without an answer was written; without one, the last byte that came.
    pub since: Stamp,
    pub seen: At,
}

pub fn gap<'t>(timeline: &'t Timeline, drop: &'t Drop) -> Option<(&'t Drop, &'t Gap)> {
    let media = side(timeline, drop, Plane::Media)?;
    match media.loss {
        Loss::MediaGap(gap) => Some((media, timeline.gaps.get(gap)?)),
        _ => None,
    }
}

/// Nobody takes the media at the far end any more: the network said so, and no device on the way in its own name.
pub fn nobody_takes_media<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Undelivered> {
    let by_itself = |told: &&Undelivered| told.by.is_none_or(|by| by == told.to.ip());
    undelivered(timeline, drop).filter(|told| told.why == Undeliverable::NoListener).filter(by_itself)
}

/// What the network said first of the media that was lost.
fn undelivered<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<&'t Undelivered> {
    let media = side(timeline, drop, Plane::Media)?;
    let over = media.over(timeline);
    let from = timeline.undelivered.partition_point(|told| told.at.stamp < media.last_good);
    let within = timeline.undelivered[from..].iter().take_while(|told| told.at.stamp <= over);
    within.into_iter().find(|told| told.first >= media.last_good)
}

/// Neither slept nor stalled while it was lost, with a margin at the start: the sentence for "ruled out".
pub fn ran_throughout(timeline: &Timeline, drop: &Drop, kind: PauseKind) -> bool {
    // An imported call has the times of one clock alone, which show neither.
    drop.loss != Loss::NeverStood
        && timeline.imported.is_none()
        && timeline.pauses_in(kind, drop.last_good.minus(Duration::from_secs(1)), drop.declared).next().is_none()
}

/// Neither this program nor the far end's stood still in it, as far as either told: what did not arrive was lost on the way.
pub fn both_ran(timeline: &Timeline, drop: &Drop) -> bool {
    let (from, to) = (drop.last_good, drop.over(timeline));
    let far = timeline.sights.iter().any(|sighting| {
        matches!(sighting.sight, Sight::StoodStill { .. })
            && sighting.last.is_some_and(|began| began <= to)
            && sighting.first.is_some_and(|over| over >= from)
    });
    timeline.pauses_in(PauseKind::Stalled, from, to).next().is_none()
        && timeline.pauses_in(PauseKind::Slept, from, to).next().is_none()
        && !far
}

/// Attempts to connect again while this loss lasted, that failed.
pub fn failed_attempts<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Vec<&'t Socket<'a>> {
    let over = drop.over(timeline);
    timeline.attempts(drop.last_good, over).filter(|socket| socket.failed.is_some()).collect()
}

pub fn refused_at_once(socket: &Socket) -> bool {
    socket.failed.is_some_and(|failed| failed.stage == ConnectStage::Tcp && *failed.trouble == Trouble::Refused)
}

/// The HTTP status a failed attempt was answered with by the service, not by a proxy.
pub fn http_status(socket: &Socket) -> Option<u16> {
    match socket.failed?.trouble {
        Trouble::Http { status, .. } if socket.failed?.stage != ConnectStage::Proxy => Some(*status),
        _ => None,
    }
}

pub fn far(timeline: &Timeline) -> String {
    timeline.plan.map_or_else(|| "the far end".to_owned(), |plan| plan.to.to_string())
}

/// What to search for: the flow and the second.
pub fn search(timeline: &Timeline, drop: &Drop) -> String {
    search_as(timeline, drop, "")
}

/// The same for whoever sits outside of the local network and never meets its addresses.
pub fn search_outside(timeline: &Timeline, drop: &Drop) -> String {
    let outside = outside(timeline, drop).map(|address| format!(" (outside from {address})")).unwrap_or_default();
    search_as(timeline, drop, &outside)
}

/// Our address as it was seen from outside last before the loss, where it is another than our own. Each flow has a port of
/// its own there, so only the address is known.
fn outside(timeline: &Timeline, drop: &Drop) -> Option<Ip> {
    let ours = super::way::our_address(timeline, drop);
    let of_ours = timeline.outside(drop.first_bad).filter(|seen| ours.is_none_or(|ours| seen.local.ip() == ours));
    let last = of_ours.max_by_key(|seen| seen.at.seq)?;
    (ours != Some(last.seen.ip())).then_some(last.seen.ip())
}

fn search_as(timeline: &Timeline, drop: &Drop, outside: &str) -> String {
    let at = words::utc(drop.first_bad);
    let date = drop.first_bad.wall.timestamp().strftime("%Y-%m-%d");
    let flow = match drop.plane {
        Plane::Signaling => socket(timeline, drop).map(words::flow),
        Plane::Media => timeline.pair_at(drop.declared).map(|pair| words::media_flow(timeline, pair)),
    };
    match flow {
        Some(flow) => format!("{flow}{outside} at {date} {at}"),
        None => format!("{}{outside} at {date} {at}", far(timeline)),
    }
}

/// "1, saying “Operation not permitted”"
pub fn own_error(trouble: &SendTrouble) -> String {
    let errno = trouble.errno.map(|errno| format!(" {errno}")).unwrap_or_default();
    format!("error{errno}{}", words::quoted(trouble.says))
}

fn minutes(timeline: &Timeline) -> f64 {
    let planned = timeline.plan.map_or(300.0, |plan| plan.planned_s);
    if planned.is_finite() { (planned / 60.0).ceil().clamp(1.0, 10.0) } else { 5.0 }
}

/// Under ten minutes, with the same file.
pub fn retest(timeline: &Timeline, change: &str) -> String {
    let minutes = minutes(timeline);
    // "After the change, hold …", and "Exempt this destination, then hold …".
    let when = ["After ", "Once ", "Over ", "Outside ", "With "].iter().any(|word| change.starts_with(word));
    let then = if when { "" } else { "then " };
    format!("{change}, {then}hold with the same profile for {minutes:.0} min.")
}

/// For what no short hold can bring about again.
pub fn retest_over_a_change(timeline: &Timeline) -> String {
    let minutes = minutes(timeline);
    format!(
        "{minutes:.0} min cannot show this: hold with the same profile through the next planned reload or failover, or for a working day."
    )
}

/// With the address of this computer renewed on purpose.
pub fn retest_renewing(timeline: &Timeline, address: Ip) -> String {
    let minutes = minutes(timeline);
    format!(
        "With the address renewed during the hold (the cable unplugged and plugged in again, or the lease released and renewed), hold with the same profile for {minutes:.0} min. Mended if it comes back as {address}."
    )
}

/// "it was back 1.20 s after the first sign of its loss", or that it did not come back.
pub fn came_back(drop: &Drop) -> String {
    match drop.took() {
        Some(took) => format!("it was back {} after the first sign of its loss", words::length(took)),
        None => "it did not come back".into(),
    }
}
