//! Marks: where the hold stands. The first and the last event of every whole log are marks.

use crate::{Heard, Said, Wall, profile};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// What this run set out to do. Always the first event.
    Started(Box<Plan>),
    /// Nothing of this was watched by this program: it is what another wrote down. The first event of such a log, in place of
    /// `Started`.
    Imported(Imported),
    /// What this program could name of faults it made itself, some time before this run.
    Calibrated(Calibrated),
    /// The first RTP packet of the first call arrived: from here on a loss is a drop and not a failed start.
    Established {
        took_ms: f64,
    },
    /// Something a person wanted to remember at this moment.
    Note {
        text: Said,
    },
    Ended {
        by: EndedBy,
    },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Imported {
    /// Of the dump: `webrtc-internals`, `rtcstats`.
    pub format: Heard,
    /// The browser, in its own words.
    pub by: Heard,
    /// How far its looks at the call usually lay apart; between two of them nothing is known.
    pub every_ms: f64,
    /// Further connections of the same dump, which were left out.
    pub others: u32,
    /// Changes of state whose time of day says no zone, which were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub without_zone: u32,
    /// The dump says only when its first and last looks were, and they were taken to lie evenly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evenly: bool,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub name: Heard,
    /// The signaling adapter's id: `reflector`, `janus`, …
    pub kind: Heard,
    /// The far end's address, without user, query or fragment.
    pub to: Heard,
    /// The far end is our own, on loopback: says something of this computer and nothing of any network.
    pub self_test: bool,
    pub planned_s: f64,
    /// How we keep the signaling connection from being quiet; absent means not at all.
    pub heartbeat: Option<Heartbeat>,
    pub silence: profile::Silence,
    pub ice_policy: profile::IcePolicy,
    pub recovery: profile::RecoveryPolicy,
    /// What is held beside the call; none of it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// When the signaling token ends, where the profile or the token itself says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ends: Option<Wall>,
    /// When the credentials of TURN servers end: the server, then the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials_end: Vec<(Heard, Wall)>,
}

/// Lanes and controls, as planned.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Beside {
    pub bare_websocket: bool,
    /// The talking lanes: WebSocket, TCP, TLS, TURN.
    pub talking: bool,
    pub quiet_ladder_s: Vec<f64>,
    pub udp_ladder_s: Vec<f64>,
    pub controls: Vec<Heard>,
    /// Asked for in the profile, and known from the start to be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Of a ladder, this rung and all longer ones.
    Rungs { ladder: Ladder, from_s: f64, why: WhyNot },
    /// The talking lanes: only a Linewitness reflector answers them.
    Talking,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ladder {
    Tcp,
    Udp,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// The planned hold is shorter than their silence.
    HoldTooShort,
    /// The far end is none that keeps quiet for as long as it is asked to.
    OnlyReflector,
    /// A reflector keeps quiet over UDP for so long and no longer.
    ReflectorWaits { at_most_s: f64 },
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    pub every_ms: f64,
    pub answer_within_ms: f64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The whole time was held.
    TimeUp,
    /// A person, or the signal a person sent. Never a drop.
    User,
    /// The call never stood, and trying again was over.
    NotEstablished,
    /// The far end hung up and the policy does not call again.
    FarEnd,
    /// Recovery was given up for good.
    GaveUp,
    /// Our own failure.
    Fault { says: Said },
}

/// Against known faults on this computer's own loopback.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Calibrated {
    pub at: Wall,
    /// The version that was put to it.
    pub app: Heard,
    pub named: u32,
    pub of: u32,
    /// The faults that were not named rightly.
    pub missed: Vec<Heard>,
    /// Where nothing was broken, no loss was named.
    pub held: bool,
}

impl Calibrated {
    /// More faults than this nobody makes in a minute.
    const MOST: u32 = 32;

    /// A stranger may have written it.
    pub fn is_possible(&self) -> bool {
        self.of > 0 && self.of <= Self::MOST && self.of.checked_sub(self.named) == u32::try_from(self.missed.len()).ok()
    }
}
