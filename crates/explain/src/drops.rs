//! `Drop`: that something was lost, and between which two moments. From packets and bytes, never from states.
//!
//! `last_good` is the last proof of life, `first_bad` the first moment that health cannot explain: the truth lies between
//! them. `declared` is when the engine was sure.

use crate::timeline::{At, PauseKind, Timeline};
use record::{
    Stamp,
    fact::{CallEndedBy, EndedBy, Move, Outcome},
};
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;

mod media;
mod signaling;

#[derive(Clone, PartialEq, Debug)]
pub struct Drop {
    pub plane: Plane,
    pub last_good: Stamp,
    pub first_bad: Stamp,
    pub declared: Stamp,
    pub restored: Option<Stamp>,
    /// The event that declared it.
    pub seq: record::Seq,
    pub loss: Loss,
    /// The drop of the other plane that can have the same onset: its place in `Timeline::drops`.
    pub twin: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    Signaling,
    Media,
}

/// What was lost, by its place in the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// RTP stopped: the index of the gap.
    MediaGap(usize),
    /// A call without RTP, whose path stopped answering our checks: the place in the timeline's consent.
    Consent(usize),
    /// The far end hung up: the index of the end. The gap that followed, if it was seen.
    CallEnded { end: usize, gap: Option<usize> },
    /// A socket that stood has ended: its index.
    SocketEnded(usize),
    /// A socket stayed without answers: its index and that of the silence.
    Unanswered { socket: usize, silence: usize },
    /// The call was never established.
    NeverStood,
}

impl Drop {
    /// From the first sign of death to the return.
    pub fn took(&self) -> Option<Duration> {
        self.restored.map(|restored| restored.since(self.first_bad))
    }
    /// The end of the loss as far as the log knows.
    pub fn over(&self, timeline: &Timeline) -> Stamp {
        self.restored.unwrap_or_else(|| timeline.hold_end().max(self.declared))
    }
}

/// The planes end within this of each other when one hand ends both: a process that dies takes its sockets along in the
/// same millisecond, and the last RTP packet is at most one packet interval (400 ms in comfort noise) older.
pub const TOGETHER: Duration = Duration::from_millis(1_500);

/// What goes on by itself so soon after waking was never lost: radios and sockets need a moment.
const SETTLES_AFTER_WAKING: Duration = Duration::from_secs(5);

/// A loss every fourteen seconds for eight hours: beyond it a list helps nobody, and a forged log must not keep us busy.
pub const MOST: usize = 2_000;

pub fn find(timeline: &Timeline) -> Vec<Drop> {
    let mut drops = match timeline.stood() {
        Some(stood) => {
            let mut drops = signaling::drops(timeline);
            drops.extend(media::drops(timeline));
            // Until the call stood nothing could be lost, only fail to start.
            drops.retain(|drop| drop.declared >= stood.stamp);
            drops
        }
        None => never_stood(timeline).into_iter().collect(),
    };
    drops.sort_by_key(|drop| (drop.first_bad, drop.plane, drop.seq));
    drops.truncate(MOST);
    pair(&mut drops);
    drops
}

/// The drops of the other plane whose intervals allow the same onset; of several, the nearest.
fn pair(drops: &mut [Drop]) {
    let fits = |a: &Drop, b: &Drop| {
        a.plane != b.plane && a.last_good <= b.first_bad.plus(TOGETHER) && b.last_good <= a.first_bad.plus(TOGETHER)
    };
    let distance = |a: &Drop, b: &Drop| a.first_bad.since(b.first_bad).max(b.first_bad.since(a.first_bad));
    for i in 0..drops.len() {
        // Sorted by first_bad and one plane's drops do not overlap: a twin stands among the neighbours.
        let near = i.saturating_sub(8)..(i + 9).min(drops.len());
        drops[i].twin = near
            .filter(|j| *j != i && fits(&drops[i], &drops[*j]))
            .min_by_key(|j| (distance(&drops[i], &drops[*j]), *j));
    }
    for i in 0..drops.len() {
        // Twins must agree that they are.
        if let Some(j) = drops[i].twin
            && drops[j].twin != Some(i)
        {
            drops[i].twin = None;
        }
    }
}

/// One entry for a call that never stood: from the start of the first attempt to the failure of the last one.
fn never_stood(timeline: &Timeline) -> Option<Drop> {
    let failed = timeline.sockets.iter().filter_map(|s| s.failed.map(|f| f.at));
    let refused = timeline.sockets.iter().flat_map(|s| s.refused.iter().map(|r| r.at));
    let closed = timeline.sockets.iter().filter(|s| s.ends_badly(timeline)).filter_map(|s| s.closed.map(|c| c.at));
    let said = timeline.call_ends.iter().filter(|end| end.by != CallEndedBy::Us).map(|end| end.at);
    let given_up = timeline
        .ended
        .filter(|(_, by)| matches!(by, EndedBy::NotEstablished | EndedBy::GaveUp | EndedBy::FarEnd))
        .map(|(at, _)| at);
    // Only attempts that failed make a failed start; a relay's refusal alone may be one of several paths.
    let failures: Vec<At> = failed.chain(refused).chain(closed).chain(said).collect();
    let first = failures.iter().copied().min_by_key(|at| at.seq).or(given_up)?;
    let began = timeline.sockets.first().map_or(timeline.began, |socket| socket.began.stamp);
    Some(Drop {
        plane: if timeline.failed_in_media() { Plane::Media } else { Plane::Signaling },
        last_good: began.min(first.stamp),
        first_bad: first.stamp,
        declared: first.stamp,
        restored: None,
        seq: first.seq,
        loss: Loss::NeverStood,
        twin: None,
    })
}

/// Asleep between the two, and all went on by itself within five seconds of waking: no drop.
fn settled_after_sleep(timeline: &Timeline, from: Stamp, restored: Option<Stamp>) -> Option<bool> {
    let end = restored.unwrap_or_else(|| timeline.hold_end());
    let woke = timeline.pauses_in(PauseKind::Slept, from, end).map(|sleep| sleep.to).max()?;
    // Still within those seconds when the log ends: nothing can be said against it yet.
    Some(end.max(woke).awake_since(woke) <= SETTLES_AFTER_WAKING && !rebuilt(timeline, from, end))
}

/// The caretaker mended it between the two.
fn rebuilt(timeline: &Timeline, from: Stamp, to: Stamp) -> bool {
    worked(timeline, from, to, |step| matches!(step, Move::RestartIce | Move::NewCall))
}

fn worked(timeline: &Timeline, from: Stamp, to: Stamp, kind: impl Fn(Move) -> bool) -> bool {
    timeline
        .steps_in(from, to)
        .any(|step| kind(step.step) && step.ended.is_some_and(|(_, outcome)| *outcome == Outcome::Worked))
}
