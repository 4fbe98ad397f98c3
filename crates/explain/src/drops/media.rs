//! Drops of media: gaps in the RTP that arrives, the silence of our checks in a call without RTP, and calls that the far
//! end ended.

use super::{Drop, Loss, Plane, settled_after_sleep, worked};
use crate::timeline::Timeline;
use record::{
    Stamp,
    fact::{CallEndedBy, Move},
    profile::Silence,
};
use std::time::Duration;

/// A gap counts from one second on, on the clock that stands still in sleep. Wi-Fi roams and radio handovers take 200 to
/// 500 ms and up to 0.8 s on a busy channel; jitter buffers and concealment hide most of that, and nobody calls it a
/// dropped call. Shorter gaps that end by themselves stay rows of the timeline.
const COUNTS_FROM: Duration = Duration::from_secs(1);
/// Media that goes away again before this was not back: a link that returns brings a few packets to a path that our own end
/// has given up a moment before.
const IS_BACK_AFTER: Duration = Duration::from_millis(500);
/// How far apart packets are sent.
const FRAME_EVERY: Duration = Duration::from_millis(20);
const COMFORT_EVERY: Duration = Duration::from_millis(400);
/// The far end stops sending and says goodbye in one act; the two reach us by different ways.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) fn drops(timeline: &Timeline) -> Vec<Drop> {
    let over = timeline.hold_end();
    let mut drops: Vec<Drop> = Vec::new();
    for (index, gap) in timeline.gaps.iter().enumerate() {
        if gap.last >= over {
            continue;
        }
        let restored = gap.back.map(|(_, first)| first);
        let lost_for = restored.unwrap_or(over).min(over).awake_since(gap.last);
        // A gap that counts by itself has a reason of its own.
        if let Some(before) = drops.last_mut()
            && lost_for < COUNTS_FROM
            && before.restored.is_some_and(|back| gap.last.awake_since(back) < IS_BACK_AFTER)
        {
            before.restored = restored;
            continue;
        }
        let counts = match settled_after_sleep(timeline, gap.last, restored) {
            Some(settled) => !settled,
            // What did not come back by itself was lost, however soon it was mended: others are not as quick.
            None => lost_for >= COUNTS_FROM || restarted(timeline, gap.last, restored.unwrap_or(over)),
        };
        if counts {
            let declared = gap.at.stamp;
            drops.push(Drop {
                plane: Plane::Media,
                last_good: gap.last,
                first_bad: overdue(timeline).map_or(declared, |overdue| declared.min(gap.last.plus(overdue))),
                declared,
                restored: restored.map(|first| first.max(gap.last)),
                seq: gap.at.seq,
                loss: Loss::MediaGap(index),
                twin: None,
            });
        }
    }
    if timeline.plan.is_some_and(|plan| plan.silence == Silence::None) {
        drops.extend(unanswered_checks(timeline));
    }
    for (index, end) in timeline.call_ends.iter().enumerate().filter(|(_, end)| end.by != CallEndedBy::Us) {
        let at = end.at.stamp;
        if timeline.hung_up.is_some_and(|ours| ours.stamp <= at) {
            continue;
        }
        let near = |moment: Stamp| moment <= at.plus(GOODBYE) && at <= moment.plus(GOODBYE);
        let known = drops.iter().any(|drop| {
            near(drop.last_good) || (drop.last_good <= at && drop.restored.is_none_or(|restored| restored >= at))
        });
        if !known {
            let gap = timeline.gaps.iter().position(|gap| near(gap.last));
            drops.push(ended_by_word(timeline, index, gap));
        }
        if drops.len() > super::MOST {
            break;
        }
    }
    drops
}

/// After so long the next packet can no more be called late: the one that was due, and the one after it. In an imported call it
/// is not known when one was due.
fn overdue(timeline: &Timeline) -> Option<Duration> {
    let every = match timeline.plan.map(|plan| plan.silence) {
        Some(Silence::Dtx) => COMFORT_EVERY,
        _ => FRAME_EVERY,
    };
    timeline.imported.is_none().then_some(2 * every)
}

/// A new path was found for it. Where the call itself was placed anew, the service has a word in it too.
fn restarted(timeline: &Timeline, from: Stamp, to: Stamp) -> bool {
    worked(timeline, from, to, |step| matches!(step, Move::RestartIce))
}

/// A call without RTP is judged by the answers to its checks, a few seconds apart: they are late only after five.
fn unanswered_checks(timeline: &Timeline) -> Vec<Drop> {
    let over = timeline.hold_end();
    let mut drops = Vec::new();
    // A new call has checks of its own, and those of the old one never come back.
    let mut answers =
        timeline.samples.iter().filter(|(_, sample)| sample.stun_in > 0).map(|(at, _)| at.stamp).peekable();
    for (index, late) in timeline.consent.iter().enumerate() {
        let declared = late.at.stamp;
        // Late only after the hold was over: until then its silence was as it should be.
        if declared > over {
            break;
        }
        let back = late.back.map(|back| back.stamp);
        while answers.next_if(|answer| *answer <= declared).is_some() {}
        let restored = back.or(answers.peek().copied());
        let counts = match settled_after_sleep(timeline, late.last_ok, restored) {
            Some(settled) => !settled,
            None => restored.unwrap_or(over).awake_since(late.last_ok) >= COUNTS_FROM,
        };
        if counts {
            drops.push(Drop {
                plane: Plane::Media,
                last_good: late.last_ok,
                first_bad: declared,
                declared,
                restored,
                seq: late.at.seq,
                loss: Loss::Consent(index),
                twin: None,
            });
        }
    }
    drops
}

/// A call that the far end ended by word, before a gap in it could count.
fn ended_by_word(timeline: &Timeline, end: usize, gap: Option<usize>) -> Drop {
    let at = timeline.call_ends[end].at;
    let last_sample = timeline.samples.partition_point(|(sample, _)| sample.stamp <= at.stamp);
    let last_heard = timeline.samples[..last_sample].iter().rev().find(|(_, s)| s.rtp_in > 0).map(|(a, _)| a.stamp);
    let flowed = timeline.flowing.iter().rev().map(|(_, first)| *first).find(|first| *first <= at.stamp);
    let last_good =
        gap.map(|gap| timeline.gaps[gap].last).or(last_heard.max(flowed)).unwrap_or(timeline.began).min(at.stamp);
    Drop {
        plane: Plane::Media,
        last_good,
        first_bad: at.stamp,
        declared: at.stamp,
        restored: timeline.flowing.iter().map(|(_, first)| *first).find(|first| *first > at.stamp),
        seq: at.seq,
        loss: Loss::CallEnded { end, gap },
        twin: None,
    }
}
