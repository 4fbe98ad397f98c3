//! Predictions: when the next drop is due if a pattern holds, noted before it happens. One that comes true is a proof
//! that no single drop can be.

use crate::{Said, Wall};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// The next end is due between `from` and `to`: that of a lane beside the call, or, where none is named, the call's
    /// own next drop. `id` counts the predictions of a run from 1.
    Made {
        id: u32,
        pattern: Pattern,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lane: Option<u32>,
        from: Wall,
        to: Wall,
        says: Said,
    },
    /// It came within the time foretold.
    CameTrue { id: u32 },
    /// The time passed, or the connection that it spoke of ended otherwise.
    Missed { id: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// So long after the last byte.
    Idle,
    /// So long after the connection stood, however busy.
    Lifetime,
    /// At the same minute of the hour or of the day.
    Clock,
    /// When credentials or a token end.
    Credentials,
}
