//! What the caretaker did about a loss, and what came of it.

use crate::{Said, Seq};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `id` counts the moves of a run; `because` is the event that called for it.
    Began {
        id: u32,
        step: Move,
        reason: Reason,
        because: Option<Seq>,
    },
    Ended {
        id: u32,
        outcome: Outcome,
        took_ms: f64,
    },
    /// No further move will be made for this loss.
    GaveUp {
        says: Said,
    },
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// Ask the far end for a sign of life over signaling, now.
    ProbeSignaling,
    RestartIce,
    /// Open a new signaling socket after `wait_ms` and take up the call over it. `attempt` counts from 1.
    Reconnect {
        attempt: u32,
        wait_ms: f64,
    },
    /// Everything else failed: a new call, which is not the old one recovered.
    NewCall,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No RTP and no answer to our checks.
    PathSilent,
    /// No RTP, though our checks are answered.
    MediaSilent,
    /// The stack gave the path up.
    IceFailed,
    SocketEnded,
    ConnectFailed,
    CallLost,
    StackDied,
    /// The way to the far end became another one, and what was sent on the old one stays unanswered.
    NetworkMoved,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// For a path: RTP arrived again. For a socket: the far end took up the call over it.
    Worked,
    Failed {
        says: Said,
    },
    /// What it was to mend came back by itself first.
    NotNeeded,
}
