//! Drops of signaling: sockets that stood and ended, and sockets that stayed without answers.

use super::{Drop, Loss, Plane, settled_after_sleep};
use crate::timeline::{Closed, PauseKind, Silence, Socket, Step, Timeline};
use record::{
    Stamp,
    fact::{CallEndedBy, End, Move, Reason, Side, SocketPurpose},
};
use std::time::Duration;

/// A silence that ended by itself counts from two seconds on: one lost segment is sent again after 0.2 to 1 s, a second
/// time after up to 2 s. What takes longer lost several in a row, and a call set up in that time would have failed.
const COUNTS_FROM: Duration = Duration::from_secs(2);
/// After a goodbye of ours the far end's own close may come late.
const GOODBYE: Duration = Duration::from_secs(5);
/// A socket is let go as the next is opened.
const REPLACED: Duration = Duration::from_millis(500);
/// The caretaker gives what is sent over a new way so long to come back.
const MOVED_BEFORE: Duration = Duration::from_millis(300);

pub(super) fn drops(timeline: &Timeline) -> Vec<Drop> {
    let mut drops = Vec::new();
    for (index, socket) in timeline.sockets.iter().enumerate().filter(|(_, socket)| socket.ready.is_some()) {
        let mut answered: Option<Stamp> = None;
        for (silence_index, silence) in socket.silences.iter().enumerate() {
            // The kernel's answer came a moment before the far end's own, which was asked for in the same silence.
            let before = answered.replace(silence.again.map_or(silence.since, |again| again.stamp));
            let goes_on =
                |before: Stamp| silence.again.is_none_or(|again| again.stamp.awake_since(before) >= COUNTS_FROM);
            if before.is_some_and(|before| silence.since < before && !goes_on(before)) {
                continue;
            }
            if let Some(restored) = silence_counts(timeline, socket, silence) {
                let loss = Loss::Unanswered { socket: index, silence: silence_index };
                drops.push(unanswered(socket, silence, restored, loss));
            }
        }
        let told_by_silence = socket.silences.iter().any(|silence| silence.again.is_none());
        if let Some(closed) = &socket.closed
            && !told_by_silence
            && let replaced = socket.given_up_for_another_way(timeline)
            && (replaced.is_some() || socket.ends_badly(timeline))
        {
            // What takes its place may stand a moment before it is let go.
            let after = replaced.unwrap_or(closed.at.stamp);
            let restored = timeline.next_ready(after, socket.conn).map(|(_, ready)| ready.at.stamp);
            let given_up = restored.map_or(closed.at.stamp, |restored| restored.min(closed.at.stamp));
            if settled_after_sleep(timeline, closed.last_in, Some(closed.at.stamp)).is_some()
                && closed.at.stamp >= timeline.hold_end()
            {
                continue;
            }
            drops.push(Drop {
                plane: Plane::Signaling,
                last_good: replaced.unwrap_or(closed.last_in),
                first_bad: given_up,
                declared: given_up,
                restored,
                seq: closed.at.seq,
                loss: Loss::SocketEnded(index),
                twin: None,
            });
        }
    }
    drops
}

/// `Some` when it counts, with the moment the plane worked again.
fn silence_counts(timeline: &Timeline, socket: &Socket, silence: &Silence) -> Option<Option<Stamp>> {
    let over = timeline.hold_end();
    if silence.since >= over {
        return None;
    }
    let again = silence.again.map(|again| again.stamp);
    if settled_after_sleep(timeline, silence.last_good, again) == Some(true) && again.is_some() {
        return None;
    }
    // Nobody asked while this program did not run.
    let stalled: Duration = timeline
        .pauses_in(PauseKind::Stalled, silence.since, again.unwrap_or(over))
        .map(|stall| stall.to.awake_since(stall.from.max(silence.since)))
        .sum();
    let lasted = |until: Stamp| until.min(over).awake_since(silence.since).saturating_sub(stalled);
    match (again, &socket.closed) {
        (Some(again), _) => (lasted(again) >= COUNTS_FROM).then_some(Some(again)),
        (None, closed) => {
            let end = closed.map_or(over, |closed| closed.at.stamp);
            let next = timeline.next_ready(silence.at.stamp, socket.conn).map(|(_, ready)| ready.at.stamp);
            // Given up for another socket before the hold was over: that it was dead was acted on.
            let replaced =
                closed.is_some() && timeline.sockets.iter().any(|other| other.began.stamp >= silence.at.stamp);
            (replaced || lasted(end) >= COUNTS_FROM).then_some(next)
        }
    }
}

/// The bytes at `since` may still have reached the far end and only their answer been lost, so the path may have died up
/// to one round trip after `since`: that moment is no safe bound. The first moment that health cannot explain is the
/// first time the kernel was seen sending them again; where it does not tell, the moment the engine was sure.
fn unanswered(socket: &Socket, silence: &Silence, restored: Option<Stamp>, loss: Loss) -> Drop {
    let declared = silence.at.stamp;
    let resent = socket.resending.iter().map(|(at, _)| at.stamp).find(|at| *at > silence.since && *at <= declared);
    Drop {
        plane: Plane::Signaling,
        last_good: silence.last_good,
        first_bad: resent.unwrap_or(declared),
        declared,
        restored,
        seq: silence.at.seq,
        loss,
        twin: None,
    }
}

impl Socket<'_> {
    /// It ended, and not in order by us.
    pub fn ends_badly(&self, timeline: &Timeline) -> bool {
        let Some(closed) = &self.closed else { return false };
        let said_goodbye = timeline.hung_up.is_some_and(|ours| ours.stamp <= closed.at.stamp)
            || self.after_our_end(timeline)
            || self.given_up_for_a_new_call(timeline)
            || self.taken_over(timeline);
        if said_goodbye {
            return false;
        }
        match closed.end {
            End::LetGo | End::CloseFrame { by: Side::Us, .. } => false,
            // The far end's answer to a goodbye that the log does not show: the hold is over right after it.
            End::CloseFrame { by: Side::Them, code: Some(1000), .. } => !self.just_before_the_end(timeline),
            _ => true,
        }
    }

    /// We had ended the call on this socket by word before.
    fn after_our_end(&self, timeline: &Timeline) -> bool {
        let Some(closed) = &self.closed else { return false };
        timeline.call_ends.iter().any(|end| end.by == CallEndedBy::Us && self.after_goodbye(closed, end.at.stamp))
    }

    /// Another socket carried the call already: how the old one ends after that is not why it was lost.
    pub fn taken_over(&self, timeline: &Timeline) -> bool {
        let (Some(closed), Some(ready)) = (&self.closed, self.ready) else { return false };
        let next = timeline.next_ready(ready.at.stamp, self.conn);
        next.is_some_and(|(socket, next)| socket.purpose == SocketPurpose::Resume && next.at.seq < closed.at.seq)
    }

    /// A new call in place of the old one has a socket of its own, and begins with a goodbye on the old one. The far end's
    /// answer to it may come before we have let go; an end with a word of its own is no such answer.
    fn given_up_for_a_new_call(&self, timeline: &Timeline) -> bool {
        let Some(closed) = &self.closed else { return false };
        let answer = matches!(
            closed.end,
            End::CloseFrame { by: Side::Them, code: None | Some(1000), .. } | End::Fin | End::CloseNotify
        );
        let opened_anew = |begun: Stamp| {
            let mut attempts = timeline.attempts(begun, begun.plus(GOODBYE));
            attempts.any(|socket| socket.purpose == SocketPurpose::NewCall && socket.conn != self.conn)
        };
        let mut steps = timeline.steps_in(closed.at.stamp.minus(GOODBYE), closed.at.stamp);
        answer
            && steps.any(|step| {
                step.step == Move::NewCall && self.after_goodbye(closed, step.at.stamp) && opened_anew(step.at.stamp)
            })
    }

    /// The network had moved and nothing came back over the new way: it was replaced before its silence could be told. Gives
    /// when it last was seen to work both ways; the service's word about the replacement may still have come over the old one.
    fn given_up_for_another_way(&self, timeline: &Timeline) -> Option<Stamp> {
        let replaced = |closed: &&Closed| closed.end == &End::LetGo || self.taken_over(timeline);
        let closed = self.closed.as_ref().filter(replaced)?;
        let mut steps = timeline.steps_in(closed.at.stamp.minus(REPLACED), closed.at.stamp);
        let of_it = |step: &&Step| matches!(step.step, Move::Reconnect { .. }) && step.reason == Reason::NetworkMoved;
        let moved = steps.find(of_it)?.at.stamp.minus(MOVED_BEFORE);
        let beats = &timeline.heartbeats[..timeline.heartbeats.partition_point(|beat| beat.at.stamp <= moved)];
        let answered = beats.iter().rev().find(|beat| beat.conn == self.conn).map(|beat| beat.at.stamp);
        let ready = self.ready.map(|ready| ready.at.stamp);
        Some(if closed.last_in <= moved { closed.last_in } else { answered.or(ready)?.min(closed.last_in) })
    }

    fn after_goodbye(&self, closed: &Closed, ours: Stamp) -> bool {
        self.began.stamp <= ours && ours <= closed.at.stamp && closed.at.stamp.awake_since(ours) <= GOODBYE
    }

    fn just_before_the_end(&self, timeline: &Timeline) -> bool {
        let (Some(closed), Some((end, _))) = (&self.closed, timeline.ended) else { return false };
        let moved_on = timeline.steps_in(closed.at.stamp, end.stamp).next().is_some()
            || timeline.attempts(closed.at.stamp, end.stamp).next().is_some();
        end.stamp.awake_since(closed.at.stamp) <= GOODBYE && !moved_on
    }
}
