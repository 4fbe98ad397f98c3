//! `Deed`: what is done to the world, and whether it can be undone.

use serde::{Deserialize, Serialize};

/// `do = "black_hole"`, or with particulars `do = { loss = { percent = 5 } }`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// For the check of the checker: the score must fall where nothing is done.
    Nothing,

    // The path.
    /// Nothing passes the router, either way.
    BlackHole,
    /// The router answers that the far end cannot be reached.
    Rejected,
    /// The router has no route to the far end any more.
    Unrouted,
    UdpToServerLost,
    UdpToClientLost,
    UdpLost,
    Loss {
        percent: u32,
    },
    /// Each packet is late by up to so much, drawn anew.
    Jitter {
        ms: u32,
    },
    /// The signaling connection in use vanishes without a word.
    SignalingVanishes,
    /// The media's flow in use vanishes; another port works.
    MediaVanishes,
    /// The next segment of the signaling connection is answered with a reset in the server's name.
    SignalingReset,

    // The local network.
    GatewaySilent,
    NamesSilent,
    /// The router forgets all flows, and meets those that go on anew.
    MappingsLost {
        ports: Ports,
    },
    /// Plain web answers are redirected to a login page.
    PortalClosed,

    // This computer.
    LinkDown,
    AddressChanged,
    /// IPv6's privacy address is replaced by another one, as it is each day.
    TemporaryAddressRenewed,
    /// Another network is there, with an address; the route stays.
    SecondUplink,
    /// The default route moves to it.
    RouteMoved,
    RouteGone,
    /// A tunnel is there; the route stays.
    TunnelUp,
    TunnelTakesRoute,
    /// One that was up is gone, and its routes with it.
    TunnelGone,
    Bridge,
    Busy,
    /// The program is stopped, and goes on later.
    Frozen,
    /// The computer sleeps, with a word of the system before and after.
    Sleep,
    ClockStep {
        seconds: i64,
    },

    // The service.
    FarEndStopped,
    FarEndKilled,
    FarEndFrozen,
    /// One that was stopped or killed is there again.
    FarEndStarted,
    ProxyKilled,
    RelayKilled,
    RelayStarted,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ports {
    Same,
    Other,
}

impl Deed {
    /// By itself it takes nothing from any call: what is said must be the same without it.
    pub fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::Nothing
                | Self::SecondUplink
                | Self::TunnelUp
                | Self::Bridge
                | Self::Busy
                | Self::TemporaryAddressRenewed
                | Self::MappingsLost { ports: Ports::Same }
        )
    }

    /// The far end's host says itself that nobody is there any more.
    pub fn leaves_nobody(self) -> bool {
        matches!(self, Self::FarEndKilled | Self::FarEndStopped)
    }

    /// This computer's own way out changed.
    pub fn changes_the_interface(self) -> bool {
        matches!(
            self,
            Self::LinkDown
                | Self::AddressChanged
                | Self::RouteMoved
                | Self::RouteGone
                | Self::TunnelTakesRoute
                | Self::TunnelGone
        )
    }

    /// Nobody is there to notice anything before it is over.
    pub fn stops_the_program(self) -> bool {
        matches!(self, Self::Frozen | Self::Sleep)
    }

    pub fn can_be_undone(self) -> bool {
        !matches!(
            self,
            Self::SignalingReset
                | Self::MappingsLost { .. }
                | Self::AddressChanged
                | Self::TemporaryAddressRenewed
                | Self::TunnelGone
                | Self::FarEndStarted
                | Self::RelayStarted
                | Self::ClockStep { .. }
        )
    }
}
