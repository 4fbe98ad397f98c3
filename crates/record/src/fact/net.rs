//! Facts of this computer's networks, as the system tells them: interfaces, addresses, routes, name servers, radio.

use crate::{Heard, Ip, IpPort};
use serde::{Deserialize, Serialize};

/// `found` says that it was so when we first looked; otherwise it became so at the event's stamp.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Net {
    Link {
        name: Heard,
        kind: LinkKind,
        /// The system's own word for what it is: `wireguard`, `tun`, `veth`, `bridge`, …; empty where it has none.
        driver: Heard,
        /// Switched on.
        up: bool,
        /// A cable, an access point, a peer is there.
        carrier: bool,
        mtu: u32,
        found: bool,
    },
    LinkGone {
        name: Heard,
        kind: LinkKind,
    },
    Address {
        interface: Heard,
        address: Ip,
        prefix: u8,
        /// An IPv6 privacy address: they come and go by design.
        temporary: bool,
        found: bool,
    },
    AddressGone {
        interface: Heard,
        address: Ip,
    },
    /// The way that new packets to this destination take.
    Route {
        to: Destination,
        before: Option<Hop>,
        after: Option<Hop>,
        found: bool,
    },
    /// The gateway's entry in this computer's table of neighbours.
    Neighbour {
        interface: Heard,
        address: Ip,
        state: Reachability,
        found: bool,
    },
    /// Which servers this computer asks for names.
    Resolvers {
        servers: Vec<Ip>,
        found: bool,
    },
    /// The radio link of an interface; absent means connected to none.
    Wifi {
        interface: Heard,
        link: Option<WifiLink>,
        found: bool,
    },
    /// The system's own setting of a web proxy for the far end; absent means none. `script`: a configuration script
    /// decides, and was not run by us.
    SystemProxy {
        proxy: Option<Heard>,
        script: bool,
        found: bool,
    },
    /// As a STUN server sees a socket of ours that is kept open: `before` where it has changed.
    PublicAddress {
        server: Heard,
        local: IpPort,
        public: IpPort,
        before: Option<IpPort>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    Wired,
    Wifi,
    Mobile,
    /// tun, WireGuard, ppp, utun, Wintun: what VPNs are made of.
    Tunnel,
    /// Bridges and the ends that containers and virtual machines hang on.
    Virtual,
    Loopback,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Anywhere over IPv4: the default route.
    Ipv4,
    Ipv6,
    /// The address that the signaling connection reached.
    FarEnd,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hop {
    pub interface: Heard,
    pub kind: LinkKind,
    /// Absent where the destination is on the link itself, or at the other end of a tunnel.
    pub gateway: Option<Ip>,
    /// The address packets leave with.
    pub source: Option<Ip>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachability {
    /// It answered lately.
    Reachable,
    /// Nothing was asked of it lately.
    Stale,
    /// It is being asked.
    Probing,
    /// It did not answer.
    Failed,
    /// Entered by hand, or needing no answer.
    Permanent,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WifiLink {
    /// A name that is the same for the same network within this run, and says nothing of it: `network-1`.
    pub network: Heard,
    /// Likewise for the access point: `point-2`. Another one on the same network is a roam.
    pub point: Heard,
    pub mhz: Option<u32>,
    pub dbm: Option<i32>,
}
