//! Facts of the path that carries the media: candidates, pairs, consent, DTLS, relays.

use crate::{Heard, IpPort, Said, Stamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ice {
    SocketBound {
        local: IpPort,
    },
    LocalCandidate {
        kind: CandidateKind,
        address: Heard,
        relay_by: Option<Heard>,
    },
    RemoteCandidate {
        kind: CandidateKind,
        address: Heard,
    },
    GatheringDone {
        took_ms: f64,
    },
    /// The state as the stack words it. Late by nature: never the time of anything.
    State {
        state: IceState,
    },
    Dtls {
        state: Heard,
    },
    /// Packets now take this pair.
    Pair {
        local: IpPort,
        local_kind: CandidateKind,
        remote: IpPort,
        remote_kind: CandidateKind,
    },
    /// RFC 7675: no valid answer to our checks for longer than five seconds; `last_ok` is the last one.
    ConsentLate {
        last_ok: Stamp,
    },
    /// RFC 7675: thirty seconds without one. A browser would stop sending here.
    ConsentExpired {
        last_ok: Stamp,
    },
    /// A valid answer again, after `ConsentLate`; `last_ok` is the one before the silence.
    ConsentBack {
        last_ok: Stamp,
    },
    /// A TURN server answered a request with an error that is not the ordinary first challenge or a stale nonce.
    TurnRefused {
        server: Heard,
        request: TurnRequest,
        code: u16,
        says: Said,
    },
    TurnAllocated {
        server: Heard,
        relay: IpPort,
        took_ms: f64,
    },
    /// A TURN server's TCP or TLS connection stands.
    TurnConnected {
        server: Heard,
        took_ms: f64,
    },
    /// A TURN server could not be reached, or its TCP or TLS connection was lost.
    TurnLost {
        server: Heard,
        says: Said,
    },
    /// The stack stopped working without saying so; the call must be built anew.
    StackDied {
        says: Said,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateKind {
    Host,
    /// As a STUN server sees us.
    ServerReflexive,
    /// As the peer sees us.
    PeerReflexive,
    Relay,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IceState {
    New,
    Checking,
    Connected,
    Completed,
    Disconnected,
    Failed,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnRequest {
    Allocate,
    Refresh,
    CreatePermission,
    ChannelBind,
    Other,
}
