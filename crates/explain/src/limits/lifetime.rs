//! The lifetime of connections to one host: busy ones that ended at the same age, at different moments.

use super::{Close, LifetimeLimit, Who, exact, same, says_idle, together::Sorted};
use crate::{
    Timeline,
    timeline::{HeldLane, Socket, host},
};
use record::{Seq, Stamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// Ends closer together than this may have been one.
const APART: Duration = Duration::from_secs(2);
/// Lanes are held to show it; the call's own sockets end for many reasons, so two of one age may be chance.
const REPEATS_OF_LANES: usize = 2;
const REPEATS_OF_CALL: usize = 3;
const MOST_NAMED: usize = 24;
/// Whoever is shown the door at once is refused, and is told so as often as he comes.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);
/// Nobody reloads anything more often by the clock.
const SHORTEST_PERIOD: Duration = Duration::from_secs(60);

struct Busy {
    at: Stamp,
    seq: Seq,
    age: Duration,
    close: Close,
    who: Who,
    lane: bool,
}

#[derive(Default)]
struct Host {
    died: Vec<Busy>,
    /// The oldest that a busy connection became without ending.
    oldest: Duration,
}

pub(super) fn find(timeline: &Timeline, sorted: &Sorted) -> Vec<LifetimeLimit> {
    let mut hosts: BTreeMap<&str, Host> = BTreeMap::new();
    for lane in timeline.lanes.iter().filter(|lane| lane.carrier().is_some()) {
        let entry = hosts.entry(lane.host()).or_default();
        let Some(stands) = lane.stands else { continue };
        let last = lane.answers.last().copied().or(lane.proved.map(|proof| proof.at));
        entry.oldest = entry.oldest.max(last.map_or(Duration::ZERO, |at| at.stamp.since(stands.at.stamp)));
        if lane.talks().is_none() {
            continue;
        }
        let Some(ended) = lane.ended.filter(|ended| ended.quiet < ended.age / 2) else { continue };
        let Some(close) = Close::of(ended.end, false).filter(|_| sorted.aged(lane.lane)) else { continue };
        let who = lane.there.map_or(Who::Unknown, |there| Who::seen_there(there.end));
        entry.died.push(Busy { at: ended.at.stamp, seq: ended.at.seq, age: ended.age, close, who, lane: true });
    }
    for socket in timeline.sockets.iter().filter(|socket| sorted.aged_socket(socket.conn)) {
        let Some(busy) = busy_socket(timeline, socket) else { continue };
        hosts.entry(host(socket.to)).or_default().died.push(busy);
    }
    hosts.into_iter().filter_map(|(name, host)| of(timeline, name, host)).collect()
}

fn busy_socket(timeline: &Timeline, socket: &Socket) -> Option<Busy> {
    let closed = socket.closed?;
    let stood = socket.upgraded.or(socket.ready.map(|ready| ready.at))?;
    let counts = !says_idle(closed.end) && socket.ends_badly(timeline);
    let close = Close::of(closed.end, false).filter(|_| counts)?;
    let at = closed.at.stamp;
    let (age, quiet) = (at.since(stood.stamp), at.since(closed.last_in.max(closed.last_out)));
    let who = timeline.ended_there(at).map_or(Who::Unknown, |(_, end)| Who::seen_there(end));
    (quiet < age / 2).then_some(Busy { at, seq: closed.at.seq, age, close, who, lane: false })
}

fn of(timeline: &Timeline, name: &str, mut host: Host) -> Option<LifetimeLimit> {
    host.died.sort_by_key(|busy| busy.age);
    let died = most_alike(&host.died);
    let first = died.first()?;
    let moments = died.iter().map(|busy| busy.at);
    let (begin, end) = (moments.clone().min()?, moments.max()?);
    let exact = exact(died.iter().map(|busy| busy.age))?;
    let others = host.died.len() - died.len();
    let outlived = host.oldest > exact.median + super::tolerance(exact.median);
    let mut lanes: Vec<Seq> = died.iter().filter(|busy| busy.lane).map(|busy| busy.seq).collect();
    lanes.sort_unstable();
    let repeats = if lanes.is_empty() { REPEATS_OF_CALL } else { REPEATS_OF_LANES };
    if died.len() < repeats
        || others >= died.len()
        || outlived
        || end.since(begin) <= APART
        || first.age < SHORTEST_LIFE
    {
        return None;
    }
    Some(LifetimeLimit {
        host: name.to_owned(),
        exact,
        close: Close::common(died.iter().map(|busy| busy.close)),
        who: Who::common(died.iter().map(|busy| busy.who)),
        lanes,
        every: by_the_clock(timeline, name, died, exact.median),
    })
}

/// Whoever reloads a proxy every ten minutes ends connections that are ten minutes old, if all began anew at the last time.
fn by_the_clock(timeline: &Timeline, name: &str, died: &[Busy], age: Duration) -> Option<Duration> {
    let mut moments: Vec<Stamp> = died.iter().map(|busy| busy.at).collect();
    moments.sort_unstable();
    moments.dedup_by(|later, before| later.since(*before) <= APART);
    let every = exact(moments.windows(2).map(|pair| pair[1].since(pair[0]))).map(|every| every.median);
    let of_another_age = |lane: &HeldLane, at: Stamp| {
        let old = lane.stands.map(|stands| at.since(stands.at.stamp));
        old.is_some_and(|old| !same(old, age)) && lane.lived_through(at.minus(APART), at).is_some()
    };
    let mut lanes = timeline.lanes.iter().filter(|lane| lane.carrier().is_some() && lane.host() == name);
    let outlived = lanes.any(|lane| moments.iter().take(MOST_NAMED).any(|at| of_another_age(lane, *at)));
    every.filter(|every| *every >= SHORTEST_PERIOD && !outlived)
}

/// Sorted by age: the longest stretch in which the first and the last are the same.
fn most_alike(sorted: &[Busy]) -> &[Busy] {
    let mut best = &sorted[..0];
    let mut from = 0;
    for to in 0..sorted.len() {
        while !same(sorted[from].age, sorted[to].age) {
            from += 1;
        }
        if to + 1 - from > best.len() {
            best = &sorted[from..=to];
        }
    }
    best
}
