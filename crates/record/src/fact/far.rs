//! What the far end saw, in its own words and on its own clock.

use crate::{
    Said, Wall,
    fact::{End, LaneSight},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Far {
    /// The far end's wall clock minus ours, true to within half the round trip.
    Clock { offset_ms: f64, rtt_ms: f64 },
    /// Who issued the certificate that the far end itself shows, by its own account.
    Certificate { issuer: Said },
    /// `at` is on the far end's clock.
    Saw { at: Wall, sight: Sight },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// Our RTP began to arrive.
    MediaStarted {
        first: Wall,
    },
    /// Our RTP stopped arriving there; `last` is its last packet.
    MediaStopped {
        last: Wall,
    },
    MediaResumed {
        last: Wall,
        first: Wall,
    },
    /// Totals since the call began.
    Counted {
        received: u64,
        lost: u64,
        echoed: u64,
    },
    /// How the signaling socket ended, seen from there.
    SocketEnded {
        end: End,
    },
    /// A new socket took up the call.
    Reattached,
    /// Its own program did not run in between: stopped, starved, or its computer asleep. What came meanwhile was answered
    /// by its kernel alone.
    StoodStill {
        from: Wall,
        to: Wall,
    },
    /// On a lane of ours.
    Lane {
        lane: u32,
        sight: LaneSight,
    },
    /// It is about to stop for good reasons of its own.
    ShuttingDown,
}
