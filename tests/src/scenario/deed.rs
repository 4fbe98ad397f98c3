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
    /// The router answers that UDP is not permitted.
    UdpRejected,
    Loss {
        percent: u32,
    },
    /// A line that carries so many packets a second, either way: what is beyond that is lost.
    Policed {
        packets: u32,
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
    /// It still answers who has its address, and neither passes packets on nor answers any.
    GatewayHangs,
    NamesSilent,
    NameServerKilled,
    /// The router forgets all flows, and meets those that go on anew.
    MappingsLost {
        ports: Ports,
    },
    /// The provider gives the router another address.
    PublicAddressChanged,
    /// Plain web answers are redirected to a login page.
    PortalClosed,
    /// The web proxy that the client is told to use.
    WebProxyKilled,

    // This computer.
    LinkDown,
    /// The cable's other end: the interface stays switched on and has no carrier.
    CableOut,
    AddressChanged,
    /// Another address is there before the old one goes.
    Renumbered,
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
    /// The way to the far end goes through it, and no other destination's.
    TunnelTakesFarEnd,
    Bridge,
    Busy,
    /// The program is stopped, and goes on later.
    Frozen,
    /// The program is run for a tenth of each second and a half.
    Starved,
    /// Some other program of this computer takes the signaling connection away.
    SocketTaken,
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
    /// It ends the call by word.
    FarEndHangsUp,
    ProxyKilled,
    /// What stands before the far end ends all connections, and takes new ones.
    ConnectionsEnded {
        by: EndedBy,
    },
    RelayKilled,
    RelayStarted,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ports {
    Same,
    Other,
}

/// How a part in front ends a connection.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    #[default]
    Fin,
    Reset,
    /// WebSocket's close frame, with this code.
    Close(u16),
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

    /// A program is held up on purpose, or may be.
    pub fn takes_time_away(self) -> bool {
        self.stops_the_program()
            || matches!(self, Self::Starved | Self::Busy | Self::FarEndFrozen | Self::ClockStep { .. })
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
                | Self::PublicAddressChanged
                | Self::Renumbered
                | Self::NameServerKilled
                | Self::SocketTaken
                | Self::FarEndHangsUp
                | Self::ConnectionsEnded { .. }
        )
    }
}
