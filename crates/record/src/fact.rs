//! `Fact`: the closed list of what can have happened, by lane.
//!
//! A fact is what was seen, never what it means: causes live in `explain`. A new one joins with whatever sees it, and the
//! compiler then names every reader who must answer.

use crate::Said;
use serde::{Deserialize, Serialize};

mod action;
mod control;
mod far;
mod ice;
mod lane;
mod mark;
mod media;
mod net;
mod power;
mod prediction;
mod said;
mod sense;
mod signaling;
mod stamps;
mod system;

pub use action::{Action, Move, Outcome, Reason};
pub use control::{Control, ControlKind};
pub use far::{Far, Sight};
pub use ice::{CandidateKind, Ice, IceState, TurnRequest};
pub use lane::{Lane, LaneSight, Manner, Opened, Rung, RungCarrier, Stirred, TurnTransport, UdpRung};
pub use mark::{Beside, Calibrated, EndedBy, Heartbeat, Imported, Ladder, LeftOut, Mark, Plan, WhyNot};
pub use media::{Direction, Media, MediaSample, Undeliverable};
pub use net::{Destination, Hop, LinkKind, Net, Reachability, WifiLink};
pub use power::Power;
pub use prediction::{Pattern, Prediction};
pub use sense::Sense;
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
    Lane(Lane),
    Control(Control),
    Net(Net),
    Power(Power),
    System(System),
    Far(Far),
    Action(Action),
    Prediction(Prediction),
    /// A watcher could not see. A verdict lists it under "not seen" and never takes it for health.
    Blind {
        watcher: Sense,
        why: Said,
    },
}

/// From each lane's own enum to `Fact`, so that a note reads `note(Media::Flowing)`.
macro_rules! lanes {
    ($($lane:ident),*) => { $(impl From<$lane> for Fact { fn from(fact: $lane) -> Self { Self::$lane(fact) } })* };
}
lanes!(Mark, Signaling, Ice, Media, Lane, Control, Net, Power, System, Far, Action, Prediction);
