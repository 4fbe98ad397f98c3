//! `Unconfirmed`: signaling that has said nothing for long, and was asked nothing, is not known to live. That is no loss,
//! for nothing failed; and no all-clear either.

use crate::{Drop, Plane, Timeline, words};
use record::{
    Fact, Stamp, Wall,
    fact::{Heartbeat, Signaling},
};
use serde::Serialize;
use std::time::Duration;
use ts_rs::TS;

/// Longer than any signaling that talks is quiet between two words.
const LONG: Duration = Duration::from_secs(15);

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Unconfirmed {
    pub plane: Plane,
    /// The last sign of life.
    #[serde(serialize_with = "crate::verdict::millis")]
    #[ts(type = "string")]
    pub since: Wall,
    pub says: String,
}

/// When a fact shows that signaling lived. What the far end saw comes over it too.
pub(crate) fn life(at: Stamp, fact: &Fact) -> Option<Stamp> {
    match fact {
        Fact::Far(_) => Some(at),
        Fact::Signaling(fact) => match fact {
            Signaling::Ready { .. }
            | Signaling::Answered { .. }
            | Signaling::Refused { .. }
            | Signaling::HeartbeatAnswered { .. }
            | Signaling::AnsweredAgain { .. } => Some(at),
            Signaling::Tcp { sample, .. } => {
                Some(at.minus(words::millis(sample.last_data_recv_ms.min(sample.last_ack_recv_ms))))
            }
            _ => None,
        },
        _ => None,
    }
}

/// How long a silence may last before nobody knows.
pub(crate) fn patience(heartbeat: Option<&Heartbeat>) -> Duration {
    heartbeat.map_or(Duration::ZERO, |heartbeat| words::millis(heartbeat.every_ms)) + LONG
}

/// In the middle of a sentence.
pub(crate) fn since(last: Wall) -> String {
    format!("unconfirmed since {}", words::utc_of(last))
}

/// The last sign of life, where it is long ago when the hold is over, or as far as the log knows. A loss is told as one.
pub(crate) fn since_when(timeline: &Timeline) -> Option<Stamp> {
    let last = last_life(timeline)?;
    let lost = |drop: &Drop| drop.plane == Plane::Signaling && drop.restored.is_none_or(|back| back > last);
    let heartbeat = timeline.plan.and_then(|plan| plan.heartbeat.as_ref());
    let long = timeline.hold_end().awake_since(last) >= patience(heartbeat);
    (long && !timeline.drops.iter().any(lost)).then_some(last)
}

pub(crate) fn of(timeline: &Timeline) -> Option<Unconfirmed> {
    let last = since_when(timeline)?;
    let over = timeline.hold_end();
    let asked = timeline.sockets.iter().rev().find(|socket| socket.ready.is_some())?;
    let goodbye = asked.silences.iter().any(|silence| silence.since >= over);
    let end = if goodbye { ", and the goodbye at its end stayed unanswered" } else { "" };
    Some(Unconfirmed {
        plane: Plane::Signaling,
        since: last.wall,
        says: format!(
            "Signaling is {}: nothing came over its connection from then until the hold was over, and nothing was asked that had to be answered{end}.",
            since(last.wall)
        ),
    })
}

/// Of the connection that stood when the hold was over; nothing where it is known to have lived through it.
fn last_life(timeline: &Timeline) -> Option<Stamp> {
    let over = timeline.hold_end();
    timeline.stood()?;
    let socket = timeline.sockets.iter().rev().find(|socket| socket.ready.is_some())?;
    let ended = socket.closed.as_ref();
    if ended.is_some_and(|closed| closed.at.stamp < over) {
        return None;
    }
    let heard =
        [socket.ready.map(|ready| ready.at.stamp), ended.map(|closed| closed.last_in), timeline.signaling_lived];
    let last = heard.into_iter().flatten().max()?;
    (last < over).then_some(last)
}
