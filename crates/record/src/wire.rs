//! The words a client and the reflector exchange over `/call`: JSON text frames, one message each.
//!
//! They live here because both ends speak them and the far end's account of a run is made of facts.
//!
//! ```text
//! client                        reflector
//! hello ──────────────────────▶
//!       ◀────────────────────── welcome | refused
//! offer, candidate… ──────────▶
//!       ◀────────────────────── answer, candidate…
//!       ◀─── saw … (as it happens; what happened while no socket stood follows the next welcome)
//! clock ──────────────────────▶ clock            (any time; five of them give the offset)
//! bye   ──────────────────────▶ saw (totals), ended
//! ```
//!
//! A `hello` that asks to resume a call which is not there any more is refused as `no_such_call`, and the socket stays
//! open: another `hello`, without `resume`, begins a new call on it. Every other refusal of a `hello` closes the socket.
//! A sight is told again on the next socket unless the client is known to have heard it; the same sight with the same
//! time may so come twice, and means one. To a client that wants its connection quiet, sights of lanes are told only along
//! with other messages, and after its `bye`. `ended` says who ended the call as the client's log would say it: `us` is the client.

use crate::{
    Heard, Private, Wall,
    fact::{CallEndedBy, RefusalKind, Sight},
};
use serde::{Deserialize, Serialize};

pub mod datagram;
pub mod lane;

/// No message of either side is larger; over it the socket is closed with 1009.
pub const LARGEST_MESSAGE: usize = 64 * 1024;

/// Close codes of our own, from the range left to applications. 1001 would be wrong for both: it says that the far end is
/// about to stop, which a reader of the log must be able to believe.
pub mod close {
    /// Another socket has taken up the call.
    pub const REPLACED: u16 = 4001;
    /// Nothing was heard on this socket for the idle timeout.
    pub const IDLE: u16 = 4002;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromClient {
    /// The first message on every socket. `resume` takes up a call that stands.
    Hello {
        client: Heard,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Sealed>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Sealed>,
        /// This connection is meant to be quiet: what lanes saw is told along with other messages, and at the end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        quiet: bool,
    },
    Offer {
        sdp: String,
    },
    /// An empty `candidate` ends the list.
    Candidate {
        candidate: String,
        #[serde(default)]
        mid: Option<String>,
        #[serde(default)]
        line: Option<u16>,
    },
    Clock {
        sent: Wall,
    },
    Bye {
        reason: Heard,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromFar {
    Welcome {
        /// Names the call in both logs; no secret.
        call: Heard,
        /// The secret that takes up the call on another socket.
        ticket: Sealed,
        /// Changes when the reflector was started anew.
        instance: Heard,
        resumed: bool,
        /// How long the call is kept without a socket.
        kept_s: f64,
        /// The reflector ends a socket that is quiet for longer.
        idle_timeout_s: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ice_servers: Vec<Relay>,
        /// Who issued the reflector's own certificate. Where a caller is shown another issuer, somebody opens TLS between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate_from: Option<Heard>,
        /// Lanes may be held beside this call. A far end of an earlier version does not say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lanes: Option<LaneGate>,
    },
    Answer {
        sdp: String,
    },
    Candidate {
        candidate: String,
        #[serde(default)]
        mid: Option<String>,
        #[serde(default)]
        line: Option<u16>,
    },
    Clock {
        sent: Wall,
        here: Wall,
    },
    Saw {
        at: Wall,
        sight: Sight,
    },
    Refused {
        kind: RefusalKind,
        code: Heard,
        says: Heard,
    },
    Ended {
        by: CallEndedBy,
        says: Heard,
    },
}

/// What lets lanes in beside a call; it ends with the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneGate {
    /// The secret that every lane says first.
    pub ticket: Sealed,
    /// So many at once.
    pub most: u32,
    /// The UDP port of echo and ladder, on the same host; absent where the reflector could not open one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<u16>,
}

/// Time-limited credentials for a TURN server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relay {
    pub urls: Vec<String>,
    pub username: Sealed,
    pub credential: Sealed,
}

/// A secret that must cross this one wire. It prints as little as `Private` does, and unlike it can be serialised: only
/// the messages above may hold one.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub Private<String>);

impl Sealed {
    pub fn new(secret: String) -> Self {
        Self(Private::new(secret))
    }
}
impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.reveal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_carries_its_token_over_the_wire_and_nowhere_else() {
        let hello = FromClient::Hello {
            client: "linewitness/0.1".into(),
            token: Some(Sealed::new("hunter2".into())),
            resume: None,
            quiet: false,
        };
        let text = serde_json::to_string(&hello).expect("can be written");
        assert_eq!(text, r#"{"say":"hello","client":"linewitness/0.1","token":"hunter2"}"#);
        assert_eq!(serde_json::from_str::<FromClient>(&text).expect("can be read"), hello);
        assert!(!format!("{hello:?}").contains("hunter2"));
    }
}
