//! Ends told apart by what they have in common: a silence, an age, or only the moment. Whatever ends connections of
//! different silences and ages in one second was an outage or a restart, and says nothing of any limit.

use super::{Close, same};
use crate::{
    Plane, Timeline,
    drops::Loss,
    timeline::{HeldLane, PauseKind, Socket},
};
use record::{Stamp, fact::End};
use std::collections::BTreeSet;
use std::time::Duration;

/// One hand ends them within this.
const SAME_MOMENT: Duration = Duration::from_secs(1);
/// Under this many it was a burst, and what is lost in one is sent again.
const LOSSY_SECONDS: usize = 3;

/// Which ends may be asked for an idle limit and which for a lifetime.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Lanes whose end was an outage, or may have been.
    outage: BTreeSet<u32>,
    /// Lanes that ended with others of the same age and of other silences.
    aged: BTreeSet<u32>,
    /// Sockets of the call, likewise.
    outage_of_call: BTreeSet<u32>,
}

impl Sorted {
    pub fn silent(&self, lane: u32) -> bool {
        !self.outage.contains(&lane) && !self.aged.contains(&lane)
    }
    pub fn aged(&self, lane: u32) -> bool {
        !self.outage.contains(&lane)
    }
    pub fn aged_socket(&self, conn: u32) -> bool {
        !self.outage_of_call.contains(&conn)
    }
}

enum Of {
    Lane(u32),
    Call(u32),
    Media,
}

struct One {
    at: Stamp,
    of: Of,
    silence: Duration,
    age: Duration,
    /// Something went on during its silence, so that the silence is one direction's alone.
    stirred: bool,
}

pub(super) fn sorted(timeline: &Timeline) -> Sorted {
    let mut sorted = Sorted::default();
    let mut ends = Vec::new();
    for lane in &timeline.lanes {
        let Some(ended) = lane.ended else { continue };
        if !ended.at_proof {
            ends.push(One {
                at: ended.at.stamp,
                of: Of::Lane(lane.lane),
                silence: ended.quiet,
                age: ended.age,
                stirred: lane.talks().is_none() && !lane.is_quiet(),
            });
        }
        if disturbed(timeline, lane) {
            sorted.outage.insert(lane.lane);
        }
    }
    ends.extend(timeline.sockets.iter().filter_map(|socket| of_call(timeline, socket)));
    let media = timeline.drops.iter().filter(|drop| drop.plane == Plane::Media && drop.loss != Loss::NeverStood);
    ends.extend(media.map(|drop| One {
        at: drop.last_good,
        of: Of::Media,
        silence: Duration::ZERO,
        age: Duration::ZERO,
        stirred: false,
    }));
    ends.sort_by_key(|end| end.at);
    for cluster in ends.chunk_by(|a, b| b.at.since(a.at) <= SAME_MOMENT) {
        judge(cluster, &mut sorted);
    }
    sorted
}

fn judge(cluster: &[One], sorted: &mut Sorted) {
    let media = cluster.iter().any(|end| matches!(end.of, Of::Media));
    let unstirred = || cluster.iter().filter(|end| !end.stirred);
    let alike = |lengths: &mut dyn Iterator<Item = Duration>| {
        let (least, most) = lengths.fold((Duration::MAX, Duration::ZERO), |(a, b), l| (a.min(l), b.max(l)));
        least >= most || same(least, most)
    };
    let same_silence = !media && alike(&mut unstirred().map(|end| end.silence));
    let same_age = !media && alike(&mut cluster.iter().map(|end| end.age));
    for end in cluster {
        match (&end.of, same_silence, same_age) {
            (_, true, _) | (Of::Media, ..) => {}
            (Of::Lane(lane), false, true) => {
                sorted.aged.insert(*lane);
            }
            (Of::Lane(lane), false, false) => {
                sorted.outage.insert(*lane);
            }
            (Of::Call(_), false, true) => {}
            (Of::Call(conn), false, false) => {
                sorted.outage_of_call.insert(*conn);
            }
        }
    }
}

fn of_call(timeline: &Timeline, socket: &Socket) -> Option<One> {
    let closed = socket.closed?;
    let ready = socket.ready?;
    if !socket.ends_badly(timeline) || Close::of(closed.end, false).is_none() {
        return None;
    }
    let at = closed.at.stamp;
    let silence = at.since(closed.last_in.max(closed.last_out));
    let age = at.since(socket.upgraded.unwrap_or(ready.at).stamp);
    Some(One { at, of: Of::Call(socket.conn), silence: silence.min(age), age, stirred: false })
}

/// Slept through, or found dead only at its proof with a loss of media anywhere in its silence, with many packets lost, or
/// with a busy flow given another public address or port: whatever broke there may have taken this connection along, and nobody would have
/// noticed until the proof.
fn disturbed(timeline: &Timeline, lane: &HeldLane) -> bool {
    let Some(ended) = lane.ended else { return false };
    let until = ended.at.stamp;
    let waited = match ended.end {
        End::Silence { waited_ms } => crate::words::millis(*waited_ms),
        _ => Duration::ZERO,
    };
    let mut from = until.minus(ended.quiet).minus(waited.min(ended.age)).minus(SAME_MOMENT);
    if matches!(ended.end, End::Silence { .. }) {
        // It may have been dead long before anything was said on it.
        from = from.min(ended.heard);
    }
    let slept = timeline.pauses_in(PauseKind::Slept, from, until).next().is_some();
    let after = timeline.drops.partition_point(|drop| drop.first_bad < from);
    let lost = || {
        timeline.drops[after..]
            .iter()
            .take_while(|drop| drop.last_good <= until || drop.first_bad <= until)
            .any(|drop| drop.plane == Plane::Media && drop.last_good <= until && drop.over(timeline) >= from)
    };
    let inside = |at: Stamp| from <= at && at <= until;
    let rebound = || {
        let mut seen = timeline.between.public.iter();
        seen.any(|seen| seen.before.is_some_and(|before| before != seen.public) && inside(seen.at.stamp))
    };
    let lossy = || timeline.lossy_seconds(from, until) >= LOSSY_SECONDS;
    slept || (ended.at_proof && (lost() || rebound() || lossy()))
}
