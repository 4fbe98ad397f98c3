//! What brought a lost plane back, after how many attempts, and how long it took; below it, what others would have done,
//! and what a call needs to survive.

use crate::{Drop, Plane, Timeline, timeline::Step};
use record::fact::{Move, Outcome};
use serde::Serialize;
use ts_rs::TS;

pub mod replay;
pub mod survival;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Recovery {
    pub by: Option<By>,
    pub attempts: usize,
    /// From the first sign of death to the return.
    pub took_s: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum By {
    Itself,
    IceRestart,
    Reconnect,
    NewCall,
}

pub(crate) fn of(timeline: &Timeline, drop: &Drop) -> Recovery {
    let over = drop.over(timeline);
    let moves: Vec<(&Step, By)> =
        timeline.steps_in(drop.last_good, over).filter_map(|step| Some((step, kind(step.step, drop.plane)?))).collect();
    let worked = moves.iter().rev().find(|(step, _)| step.ended.is_some_and(|(_, o)| *o == Outcome::Worked));
    // The caretaker may write down its success a moment after the packet that proved it, or the log may break off.
    let under_way = moves.iter().rev().find(|(step, _)| step.ended.is_none());
    let by = drop.restored.map(|_| match worked.or(under_way) {
        Some((_, by)) => *by,
        None => by_what_stands(timeline, drop),
    });
    Recovery { by, attempts: moves.len(), took_s: drop.took().map(|took| (took.as_secs_f64() * 1e3).round() / 1e3) }
}

/// Which moves can bring back which plane.
fn kind(step: Move, plane: Plane) -> Option<By> {
    match (step, plane) {
        (Move::RestartIce, Plane::Media) => Some(By::IceRestart),
        (Move::Reconnect { .. }, Plane::Signaling) => Some(By::Reconnect),
        (Move::NewCall, _) => Some(By::NewCall),
        (Move::ProbeSignaling | Move::RestartIce | Move::Reconnect { .. }, _) => None,
    }
}

/// Without a move in the log: another socket is a reconnect all the same, and another beginning of media a new call.
fn by_what_stands(timeline: &Timeline, drop: &Drop) -> By {
    let other_socket = drop.plane == Plane::Signaling
        && drop.restored.is_some_and(|restored| {
            timeline
                .sockets
                .iter()
                .any(|s| s.ready.is_some_and(|r| r.at.stamp == restored) && s.began.stamp > drop.last_good)
        });
    let other_call =
        drop.plane == Plane::Media && timeline.flowing.iter().any(|(_, first)| Some(*first) == drop.restored);
    match (other_socket, other_call) {
        (true, _) => By::Reconnect,
        (false, true) => By::NewCall,
        (false, false) => By::Itself,
    }
}
