//! Controls: what is asked once a second beside the call, to tell computer, local network, path and service apart.

use crate::{Heard, Said, Stamp};
use serde::{Deserialize, Serialize};

/// `control` counts the controls of a run from 1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// From here on it is asked. Said again under the same number when its target changes, as a gateway does. `rationed`:
    /// it answers few of the questions and may leave out any, so that no answer says nothing.
    Asking {
        control: u32,
        kind: ControlKind,
        target: Heard,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rationed: bool,
    },
    /// Five seconds of it, or some more where there are many controls. `last_ok` is when the last answer came.
    Sample { control: u32, asked: u32, answered: u32, rtt_ms: Option<f64>, last_ok: Option<Stamp> },
    /// It stopped answering: `asked` is when the first question without an answer was put, `last_ok` the last answer
    /// before. Said as soon as the answer is overdue, within two seconds. `refused`: its address answered that nobody
    /// listens there, so the way to it stood; logs of before this field do not say.
    Silent {
        control: u32,
        asked: Stamp,
        last_ok: Option<Stamp>,
        says: Said,
        #[serde(default)]
        refused: bool,
    },
    /// It answers again; `silent_since` is `asked` of the `Silent` it ends.
    Back { control: u32, silent_since: Stamp, rtt_ms: f64 },
    /// A plain web question was answered by somebody else: a sign-in page stands between.
    Portal { control: u32, status: u16, leads_to: Option<Heard> },
    /// The sign-in page is gone.
    PortalGone { control: u32 },
    /// Who signed the certificate that a TLS server showed us.
    Issuer { control: u32, issuer: Said, expected: Option<Said> },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// The next device on the way out.
    Gateway,
    /// A name, through the system's own resolver.
    Dns,
    /// Another web server, over TCP and TLS.
    Https,
    /// Another server, over UDP.
    Stun,
    /// The far end, over a TCP connection made anew.
    FarTcp,
    /// The far end, over UDP.
    FarUdp,
    /// A plain web page whose answer is known.
    Portal,
}
