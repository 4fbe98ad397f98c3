//! The closed lists a verdict is worded in: causes, owners, confidence. Their snake_case names are a promise to other
//! programs.

use serde::Serialize;
use std::fmt;
use ts_rs::TS;

/// Why a drop happened. A cause joins this list with its rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Slept,
    AppStalled,
    LinkDown,
    NetworkSwitched,
    AddressChanged,
    VpnChanged,
    DnsFailed,
    GatewayLost,
    CaptivePortal,
    UdpBlocked,
    NatExpired,
    NatRebound,
    ProxyRefused,
    IdleTimeout,
    LifetimeCap,
    PacketLoss,
    PathLost,
    PeerLeft,
    ServiceRestarted,
    ServiceOverloaded,
    AuthRejected,
    ServiceClosed,
    ServiceUnreachable,
    TurnFailed,
    OneWayLoss,
    HalfOpen,
    ConnectionReset,
    HandshakeFailed,
    NotProven,
}

/// Who can act on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    ThisComputer,
    LocalNetwork,
    InternetPath,
    VoiceService,
    NotProven,
}

/// Shown: a control differed, or the one who did it said so. Likely: the pattern fits and no control spoke.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Shown,
    Likely,
    NotProven,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ThisComputer => "This computer",
            Self::LocalNetwork => "Local network",
            Self::InternetPath => "Internet path",
            Self::VoiceService => "Voice service",
            Self::NotProven => "Not proven",
        })
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shown => "Shown",
            Self::Likely => "Likely",
            Self::NotProven => "Not proven",
        })
    }
}

impl Confidence {
    /// What the word stands for, with the word.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Shown => {
                "Shown: the one who did it said so, or a control beside it that should have failed too did not."
            }
            Self::Likely => "Likely: the pattern fits and nothing recorded contradicts it, but nothing proves it.",
            Self::NotProven => {
                "Not proven: nothing recorded tells the cause; what was ruled out is listed, and what could not be seen."
            }
        }
    }
}
