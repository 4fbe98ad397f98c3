//! What idle and lifetime limits of the call's own connection have in common: how long it was quiet, how old it was, what
//! was foretold of it, and who ended it.

use super::look;
use crate::{
    Drop, Owner, Plane, Timeline,
    drops::Loss,
    limits::{Close, Who, says_idle},
    timeline::{At, Foretold, HeldLane, Socket, host},
};
use record::{
    Ip, IpPort, Seq, Stamp,
    fact::{End, Pattern},
};
use std::time::Duration;

/// A prediction that is wider than this foretells nothing.
const WIDEST: i64 = 10_000_000;
/// Before this drop and after it. A forged log may hold thousands, and each is asked for the others.
const AROUND: usize = 32;

/// The call's signaling connection at its end.
pub struct Ended<'t, 'a> {
    pub socket: &'t Socket<'a>,
    pub seq: Seq,
    pub at: Stamp,
    /// Since the last byte either way.
    pub quiet: Duration,
    pub age: Duration,
    pub close: Close,
    pub end: Option<&'a End>,
}

/// Nothing where media was lost as well: no timer of one TCP connection does that.
pub fn ended<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> Option<Ended<'t, 'a>> {
    if drop.plane != Plane::Signaling || look::twin(timeline, drop).is_some() {
        return None;
    }
    // A code that says what was wrong says more than any timer.
    of(timeline, drop.loss).filter(|ended| !matches!(ended.close, Close::CloseFrame(Some(1002..=1015))))
}

/// Of any loss of signaling, to compare with.
pub fn of<'t, 'a>(timeline: &'t Timeline<'a>, loss: Loss) -> Option<Ended<'t, 'a>> {
    match loss {
        Loss::SocketEnded(index) => {
            let socket = timeline.sockets.get(index)?;
            let closed = socket.closed.as_ref()?;
            let at = closed.at.stamp;
            // What was found dead only by waiting was quiet until we spoke.
            let waited = match closed.end {
                End::Silence { waited_ms } => crate::words::millis(*waited_ms),
                _ => Duration::ZERO,
            };
            let quiet = at.since(closed.last_in.max(closed.last_out)).saturating_sub(waited);
            let close = Close::of(closed.end, false)?;
            let age = at.since(stood(socket)?);
            Some(Ended { socket, seq: closed.at.seq, at, quiet: quiet.min(age), age, close, end: Some(closed.end) })
        }
        Loss::Unanswered { socket, silence } => {
            let socket = timeline.sockets.get(socket)?;
            let silence = socket.silences.get(silence)?;
            let age = silence.since.since(stood(socket)?);
            let quiet = silence.since.since(silence.last_good).min(age);
            let (at, seq) = (silence.since, silence.at.seq);
            Some(Ended { socket, seq, at, quiet, age, close: Close::Silence, end: None })
        }
        _ => None,
    }
}

fn stood(socket: &Socket) -> Option<Stamp> {
    socket.upgraded.or(socket.ready.map(|ready| ready.at)).map(|at| at.stamp)
}

impl Ended<'_, '_> {
    pub fn host(&self) -> &str {
        host(self.socket.to)
    }

    /// By its address, where it was not a web proxy of this side that was dialled.
    pub fn dialled(&self) -> String {
        match self.socket.tcp.filter(|_| !self.socket.through_proxy) {
            Some(tcp) => tcp.remote.ip().to_string(),
            None => self.host().to_owned(),
        }
    }

    pub fn says_idle(&self) -> bool {
        self.end.is_some_and(says_idle)
    }
}

/// A lane that talks to the same host, lived through the moment, and became older than that: the control that did not fail.
pub fn talking<'t, 'a>(
    timeline: &'t Timeline<'a>,
    ended: &Ended,
    older_than: Duration,
) -> Option<(&'t HeldLane<'a>, Seq)> {
    timeline.lanes.iter().filter(|lane| lane.talks().is_some() && lane.host() == ended.host()).find_map(|lane| {
        let seq = lane.lived_through(ended.at.minus(Duration::from_secs(1)), ended.at)?;
        let age = lane.answers.last()?.stamp.since(lane.stands?.at.stamp);
        (age > older_than).then_some((lane, seq))
    })
}

/// Other losses of signaling near this one whose length, as `measure` takes it, is that of this one; this one is not among them.
pub fn alike<'t>(
    timeline: &'t Timeline,
    drop: &Drop,
    this: &Ended,
    measure: fn(&Ended) -> Duration,
) -> Vec<Ended<'t, 't>> {
    let length = measure(this);
    let here = timeline.drops.partition_point(|other| other.first_bad < drop.first_bad);
    let around = &timeline.drops[here.saturating_sub(AROUND)..(here + AROUND).min(timeline.drops.len())];
    around
        .iter()
        .filter(|other| other.plane == Plane::Signaling && other.seq != drop.seq)
        .filter(|other| other.twin.is_none())
        .filter_map(|other| of(timeline, other.loss))
        .filter(|other| other.close == this.close && other.host() == this.host())
        .filter(|other| measure(other).abs_diff(length) <= repeats_within(length))
        .collect()
}

/// Tighter than for limits found on lanes: nothing but the repetition itself speaks for it here.
pub fn repeats_within(length: Duration) -> Duration {
    Duration::from_millis(500).max(length / 50)
}

/// A prediction of this kind, made before, that held this very moment. Not the log's word for it: the arithmetic anew.
pub fn foretold<'t>(timeline: &'t Timeline, moment: Stamp, pattern: Pattern) -> Option<&'t Foretold> {
    let wall = moment.wall;
    timeline.foretold.iter().find(|made| {
        made.pattern == pattern
            && made.lane.is_none()
            && made.at.stamp < moment
            && made.at.stamp.wall < made.from
            && made.from <= wall
            && wall <= made.to
            && made.to.micros().saturating_sub(made.from.micros()) <= WIDEST
    })
}

/// Something at the service's own address took this connection and made one of its own to the service: that is where the
/// service sees connections to this port come from.
pub struct Front {
    pub dialled: IpPort,
    pub at: At,
    pub seen: Ip,
}

/// Only where the connection was closed in order: what forgets or resets a connection need not speak TCP itself.
pub fn front(timeline: &Timeline, ended: &Ended) -> Option<Front> {
    let tcp = ended.socket.tcp?;
    let (ours, dialled) = (tcp.local.ip(), tcp.remote);
    // A web proxy of this side is dialled itself, and a call on one computer comes from where it goes to.
    if ended.close != Close::Fin || ended.socket.through_proxy || ours == dialled.ip() || dialled.ip().is_loopback() {
        return None;
    }
    let to_it = |lane: &&HeldLane| lane.carrier().is_some() && lane.stands.is_some_and(|s| s.remote == dialled);
    timeline.lanes.iter().filter(to_it).find_map(|lane| {
        let anew = |ip: Ip| ip == dialled.ip() || ip.is_loopback();
        let (at, seen) = lane.seen_from.iter().find(|(_, seen)| anew(seen.ip()))?;
        Some(Front { dialled, at: *at, seen: seen.ip() })
    })
}

/// Whose doing it was: the far end's own account comes first, then how connections beside it ended.
pub fn owner(timeline: &Timeline, ended: &Ended, beside: Who) -> Owner {
    let there = timeline.ended_there(ended.at).map(|(_, end)| Who::seen_there(end));
    match (ended.close, there.unwrap_or(beside)) {
        (Close::CloseFrame(_), _) | (_, Who::FarEnd) => Owner::VoiceService,
        (_, Who::Between | Who::Unknown) => Owner::InternetPath,
    }
}
