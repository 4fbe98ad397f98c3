//! The call's own next drop: after the same silence, at the same age, at the same minute, or when credentials end.

use super::{Came, Due};
use crate::{
    Drop, Plane, Timeline,
    limits::{Exact, exact},
    rules::timer::{self, Ended, repeats_within},
    timeline::{Foretold, Socket, host},
    words,
};
use record::{Stamp, Wall, fact::Pattern};
use std::time::Duration;

/// Of the last few: what was regular hours ago need not be so now.
const LATEST: usize = 3;
const REPEATS: usize = 2;
/// Two intervals that are alike make a period; each shorter one is told by the connection's age.
const OF_A_CLOCK: usize = 3;
const SHORTEST_PERIOD: Duration = Duration::from_secs(300);
/// Losses closer together than this are one, and its recovery.
const ONE_LOSS: Duration = Duration::from_secs(30);
/// What ended with a credential ended within this of it.
const WITH_CREDENTIALS: Duration = Duration::from_secs(5);

pub(super) fn due(timeline: &Timeline) -> Option<Due> {
    let open = timeline.drops.iter().any(|drop| drop.restored.is_none() && drop.plane == Plane::Signaling);
    let socket = timeline.sockets.iter().rev().find(|socket| socket.ready.is_some() && socket.closed.is_none())?;
    if open {
        return None;
    }
    lifetime(timeline, socket)
        .or_else(|| idle(timeline, socket))
        .or_else(|| clock(timeline))
        .or_else(|| credentials(timeline))
}

/// The last few losses of signaling to where this socket goes.
fn ends<'t>(timeline: &'t Timeline, socket: &Socket) -> Vec<Ended<'t, 't>> {
    let of_signaling = timeline.drops.iter().rev().filter(|drop| drop.plane == Plane::Signaling && drop.twin.is_none());
    let ended = of_signaling.filter_map(|drop| timer::of(timeline, drop.loss));
    ended.filter(|ended| ended.host() == host(socket.to)).take(LATEST).collect()
}

fn alike(lengths: impl Iterator<Item = Duration>) -> Option<Exact> {
    let exact = exact(lengths)?;
    (exact.count >= REPEATS && exact.spread <= repeats_within(exact.median)).then_some(exact)
}

fn lifetime(timeline: &Timeline, socket: &Socket) -> Option<Due> {
    let ends = ends(timeline, socket);
    let busy = ends.iter().all(|ended| ended.quiet < ended.age / 2);
    let of_call = alike(ends.iter().map(|ended| ended.age)).filter(|_| busy);
    let exact = of_call.or_else(|| timeline.limits.lifetime_of(host(socket.to)).map(|limit| limit.exact))?;
    Some(Due {
        pattern: Pattern::Lifetime,
        lane: None,
        since: socket.upgraded.or(socket.ready.map(|ready| ready.at))?.stamp,
        after: exact.median,
        spread: exact.spread,
        what: "the signaling connection will end",
        condition: ", however busy it is",
    })
}

fn idle(timeline: &Timeline, socket: &Socket) -> Option<Due> {
    let of_call = alike(ends(timeline, socket).iter().map(|ended| ended.quiet));
    let of_lanes = || timeline.limits.idle_of(host(socket.to))?.exact.filter(|exact| exact.count >= REPEATS);
    let exact = of_call.or_else(of_lanes)?;
    let every = timeline.plan?.heartbeat.map(|heartbeat| words::millis(heartbeat.every_ms));
    // It will never be quiet for so long.
    if every.is_some_and(|every| every <= exact.median) {
        return None;
    }
    Some(Due {
        pattern: Pattern::Idle,
        lane: None,
        since: last_word(timeline, socket)?,
        after: exact.median,
        spread: exact.spread,
        what: "the signaling connection will end",
        condition: ", if it stays quiet",
    })
}

/// The last byte on the connection that the log shows.
fn last_word(timeline: &Timeline, socket: &Socket) -> Option<Stamp> {
    let ready = socket.ready?.at.stamp;
    let beat = timeline.heartbeats.last().filter(|beat| beat.conn == socket.conn).map(|beat| beat.at.stamp);
    let sight = timeline.sights.last().map(|sighting| sighting.at.stamp);
    let clock = timeline.far_clocks.last().map(|clock| clock.at.stamp);
    [beat, sight, clock].into_iter().flatten().fold(Some(ready), |last, other| last.max(Some(other)))
}

/// Losses a fixed time apart, of whichever plane; those of both planes are one.
fn clock(timeline: &Timeline) -> Option<Due> {
    let mut onsets: Vec<Stamp> = Vec::new();
    for drop in timeline.drops.iter().rev() {
        if onsets.last().is_none_or(|later| later.since(drop.first_bad) > ONE_LOSS) {
            onsets.push(drop.first_bad);
        }
        if onsets.len() == OF_A_CLOCK {
            break;
        }
    }
    let [last, ..] = onsets[..] else { return None };
    let periods = onsets.windows(2).map(|pair| pair[0].since(pair[1]));
    let period = exact(periods).filter(|exact| exact.count + 1 >= OF_A_CLOCK && exact.median >= SHORTEST_PERIOD)?;
    Some(Due {
        pattern: Pattern::Clock,
        lane: None,
        since: last,
        after: period.median,
        spread: period.spread,
        what: "the call will be lost again",
        condition: "",
    })
}

/// Something was lost when one credential ended; the next one's end is known.
fn credentials(timeline: &Timeline) -> Option<Due> {
    let plan = timeline.plan?;
    let mut ends: Vec<Wall> =
        plan.credentials_end.iter().take(16).map(|(_, ends)| *ends).chain(plan.token_ends).collect();
    ends.sort_unstable();
    let with = WITH_CREDENTIALS.as_micros() as i64;
    let lost = timeline.drops.iter().any(|drop| {
        let at = drop.first_bad.wall.micros();
        ends.iter().any(|end| at.saturating_sub(end.micros()).saturating_abs() <= with)
    });
    let now = timeline.until;
    let next = ends.into_iter().find(|end| *end > now.wall).filter(|_| lost)?;
    let ahead = Duration::from_micros(next.micros().saturating_sub(now.wall.micros()).max(0) as u64);
    let since = timeline.began;
    Some(Due {
        pattern: Pattern::Credentials,
        lane: None,
        since,
        after: now.since(since) + ahead,
        spread: Duration::from_secs(2),
        what: "the call will be lost when its credentials end",
        condition: "",
    })
}

pub(super) fn came(timeline: &Timeline, made: &Foretold) -> Came {
    let after = |drop: &&Drop| drop.first_bad > made.at.stamp;
    let signaling = |drop: &&Drop| drop.plane == Plane::Signaling;
    let next = match made.pattern {
        Pattern::Idle | Pattern::Lifetime => timeline.drops.iter().filter(signaling).find(after),
        Pattern::Clock | Pattern::Credentials => timeline.drops.iter().find(after),
    };
    next.map_or(Came::NotYet, |drop| Came::At(drop.first_bad.wall))
}
