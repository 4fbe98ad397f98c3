//! `Flows`: which packets are the call's. A plane is known by the ports on the client's side that the log names: all that
//! carried it in turn, and the one in use at a moment.

use crate::far::coturn;
use crate::packets::Head;
use crate::scenario::ending::Plane;
use crate::world::SERVER;
use record::fact::{CandidateKind, Ice, Signaling};
use record::{Event, Fact};
use std::collections::BTreeSet;

#[derive(Clone, Default, Debug)]
pub struct Flows {
    signaling: BTreeSet<u16>,
    media: BTreeSet<u16>,
    /// Media goes to the relay, from whatever port.
    relayed: bool,
}

impl Flows {
    /// In use after these events.
    pub fn in_use(events: &[Event]) -> Self {
        let mut flows = Self::default();
        for event in events {
            match &event.fact {
                Fact::Signaling(Signaling::TcpConnected { local, .. }) => flows.signaling = [local.port()].into(),
                Fact::Ice(Ice::Pair { local, local_kind, .. }) => {
                    (flows.media, flows.relayed) = match local_kind {
                        CandidateKind::Relay => ([].into(), true),
                        _ => ([local.port()].into(), false),
                    };
                }
                _ => {}
            }
        }
        flows
    }

    /// All that were ever of use: a connection that only stood and was not taken up carried nothing.
    pub fn all(events: &[Event]) -> Self {
        let mut flows = Self::default();
        let mut ports = std::collections::BTreeMap::new();
        for event in events {
            match &event.fact {
                Fact::Signaling(Signaling::TcpConnected { conn, local, .. }) => {
                    ports.insert(*conn, local.port());
                }
                Fact::Signaling(Signaling::Ready { conn, .. }) => flows.signaling.extend(ports.get(conn)),
                Fact::Ice(Ice::Pair { local_kind: CandidateKind::Relay, .. }) => flows.relayed = true,
                Fact::Ice(Ice::Pair { local, .. }) => {
                    flows.media.insert(local.port());
                }
                _ => {}
            }
        }
        flows
    }

    pub fn new(signaling: BTreeSet<u16>, media: BTreeSet<u16>, relayed: bool) -> Self {
        Self { signaling, media, relayed }
    }

    pub fn ports(&self, plane: Plane) -> impl Iterator<Item = u16> {
        match plane {
            Plane::Signaling => self.signaling.iter().copied(),
            Plane::Media => self.media.iter().copied(),
        }
    }

    pub fn has(&self, plane: Plane, head: &Head) -> bool {
        let one_of = |ports: &BTreeSet<u16>| ports.iter().any(|port| head.has_port(*port));
        let by_relay = || {
            let relay =
                |end: std::net::SocketAddr| end.ip().to_string() == SERVER && coturn::PORTS.contains(&end.port());
            self.relayed && (relay(head.from) || relay(head.to))
        };
        match plane {
            Plane::Signaling => head.tcp.is_some() && one_of(&self.signaling),
            Plane::Media => (head.tcp.is_none() && one_of(&self.media)) || by_relay(),
        }
    }
}
