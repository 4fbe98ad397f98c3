//! What crosses the network.

use super::tcp::Segment;
use record::fact::Undeliverable;
use record::wire::datagram::{Datagram as Worded, FromClient, FromFar};
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Debug)]
pub struct Packet {
    pub proto: Proto,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub load: Load,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Proto {
    Tcp,
    Udp,
}

#[derive(Clone, Debug)]
pub enum Load {
    Segment(Segment),
    Datagram(Datagram),
    /// ICMP: nobody is there, or no way leads there.
    Unreachable {
        why: Undeliverable,
        by: IpAddr,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Datagram {
    Rtp {
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
    },
    /// RTCP: named by the middle of its NTP time.
    SenderReport {
        name: u32,
    },
    ReceiverReport {
        name: u32,
        held: u32,
        lost: u32,
    },
    /// ICE's connectivity checks, of the peer connection with this number.
    Check {
        of: u64,
        id: u64,
    },
    Checked {
        of: u64,
        id: u64,
    },
    /// DTLS' goodbye.
    Goodbye {
        of: u64,
    },
    StunAsk {
        id: u64,
    },
    StunTold {
        id: u64,
        seen: SocketAddr,
    },
    NameAsk {
        id: u64,
    },
    NameTold {
        id: u64,
    },
    /// To the gateway itself.
    Ping {
        id: u64,
    },
    Pong {
        id: u64,
    },
    /// Of UDP lanes.
    Said(Worded<FromClient>),
    Told(Worded<FromFar>),
}

impl Datagram {
    pub fn is_rtp(&self) -> bool {
        matches!(self, Self::Rtp { .. })
    }
}
