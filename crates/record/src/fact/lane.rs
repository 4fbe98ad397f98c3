//! Lanes: connections held beside the call to the same far end, each in another manner. Which of them died in the same
//! second, and at which age or silence, is what a verdict on the path stands on.

use crate::{
    Heard, IpPort, Stamp,
    fact::{ConnectStage, End, Side, Trouble},
};
use serde::{Deserialize, Serialize};

/// `lane` counts the lanes of a run from 1; one that is opened anew is another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// An attempt begins. `to` is without user, query or fragment.
    Opening {
        lane: u32,
        manner: Manner,
        to: Heard,
    },
    Stands {
        lane: u32,
        local: IpPort,
        remote: IpPort,
        took_ms: f64,
    },
    /// It never stood.
    Failed {
        lane: u32,
        stage: ConnectStage,
        trouble: Trouble,
        took_ms: f64,
    },
    /// The address and port that the far end sees this lane come from; said again when they change.
    SeenFrom {
        lane: u32,
        public: IpPort,
    },
    /// A minute of a talking lane; `rtt_ms` is the mean of those answered.
    Sample {
        lane: u32,
        asked: u32,
        answered: u32,
        rtt_ms: Option<f64>,
    },
    /// A talking lane is not answered: `asked` is the first question without an answer, `last_ok` the last answer.
    Silent {
        lane: u32,
        asked: Stamp,
        last_ok: Stamp,
    },
    /// It is answered again.
    Back {
        lane: u32,
        silent_since: Stamp,
    },
    /// After the silence it was kept for, something crossed and its echo came back: this silence is survived.
    /// `by` spoke first. `quiet_ms` is the silence that was proved, on the clock that runs through sleep.
    Proved {
        lane: u32,
        by: Side,
        quiet_ms: f64,
        rtt_ms: f64,
    },
    /// It is over, and not because we wanted: `quiet_ms` since the last byte or packet either way that either end sent
    /// on purpose, `age_ms` since it stood. `at_proof` when it was found dead only by the proof, so that it died
    /// somewhere within that silence; otherwise its end was seen at this very moment.
    Ended {
        lane: u32,
        end: End,
        last_in: Stamp,
        last_out: Stamp,
        quiet_ms: f64,
        age_ms: f64,
        at_proof: bool,
    },
    /// What was wanted of it is done, and it was closed in order.
    Done {
        lane: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// A WebSocket without a heartbeat of any kind, for as long as the hold lasts.
    BareWebsocket,
    /// A WebSocket with a small message and its echo every `every_ms`.
    BeatingWebsocket {
        every_ms: f64,
    },
    /// TCP, and TLS, held open with a byte and its echo every `every_ms`.
    Tcp {
        every_ms: f64,
    },
    Tls {
        every_ms: f64,
    },
    /// A TURN allocation of its own with refreshes, and an echo through it.
    Turn {
        transport: TurnTransport,
        every_ms: f64,
    },
    /// A rung of the quiet ladder.
    Quiet(Rung),
    /// A rung of the UDP ladder.
    QuietUdp(UdpRung),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnTransport {
    Udp,
    Tcp,
    Tls,
}

/// A connection kept quiet for `quiet_ms` and then proved.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rung {
    pub carrier: RungCarrier,
    pub quiet_ms: f64,
    /// Who speaks first after the silence.
    pub proved_by: Side,
    /// What goes on during the silence, to tell what counts as activity.
    pub stirred: Stirred,
    /// 1 is the coarse pass; later ones narrow what it found.
    pub pass: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungCarrier {
    Websocket,
    Tcp,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stirred {
    /// By nothing: not a byte of ours or theirs, no keepalive.
    Not,
    /// Only we send, every so often; the far end keeps silent.
    ByUs { every_ms: f64 },
    /// Only the far end sends.
    ByThem { every_ms: f64 },
    /// Only this computer's kernel does: TCP keepalive, which carries no byte.
    ByKeepalive { every_ms: f64 },
}

/// A mapping left quiet for `quiet_ms`; then the far end sends to where it saw us.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct UdpRung {
    pub quiet_ms: f64,
    pub opened_by: Opened,
    pub pass: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// One packet out, none back.
    OnePacket,
    /// Several packets both ways, as a call sends them.
    Stream,
}

/// What the far end saw on a lane of ours.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneSight {
    /// It stood there, from this address.
    Stood { from: IpPort },
    /// The far end spoke first, as asked to.
    Spoke { quiet_ms: f64 },
    /// What we sent after the silence arrived.
    Heard { quiet_ms: f64 },
    /// How it ended there.
    Ended { end: End, quiet_ms: f64, age_ms: f64 },
}
