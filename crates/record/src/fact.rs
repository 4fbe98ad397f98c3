//! `Fact`: the closed list of what can have happened, by lane.
//!
//! A fact is what was seen, never what it means: causes live in `explain`. Lanes that belong to watchers not yet built
//! are not listed; they join with their watcher, and the compiler then names every reader who must answer.

use crate::Heard;
use serde::{Deserialize, Serialize};

mod action;
mod far;
mod ice;
mod mark;
mod media;
mod signaling;
mod system;

pub use action::{Action, Move, Outcome, Reason};
pub use far::{Far, Sight};
pub use ice::{CandidateKind, Ice, IceState, TurnRequest};
pub use mark::{EndedBy, Heartbeat, Mark, Plan};
pub use media::{Direction, Media, MediaSample};
pub use signaling::{
    CallEndedBy, ConnectStage, End, RefusalKind, Side, Signaling, SocketPurpose, TcpSample, TlsTrouble, Trouble,
};
pub use system::System;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    Mark(Mark),
    Signaling(Signaling),
    Ice(Ice),
    Media(Media),
    System(System),
    Far(Far),
    Action(Action),
    /// A watcher could not see. A verdict lists it under "not seen" and never takes it for health.
    Blind {
        watcher: Heard,
        why: Heard,
    },
}

/// From each lane's own enum to `Fact`, so that a note reads `note(Media::Flowing)`.
macro_rules! lanes {
    ($($lane:ident),*) => { $(impl From<$lane> for Fact { fn from(fact: $lane) -> Self { Self::$lane(fact) } })* };
}
lanes!(Mark, Signaling, Ice, Media, System, Far, Action);
