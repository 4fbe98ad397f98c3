//! `Fault`: something broken in the router on purpose, and the truth of when.
//!
//! The truth is the first packet that the fault touched, never the command that caused it. A fault that touched nothing
//! proves nothing: the run is void and fails.

use crate::{World, witness, witness::Hit, world::wait_until};
use anyhow::{Context, Result, ensure};
use engine::Clock;
use record::{Stamp, Wall};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// So many faults one world can have.
pub const MOST: u32 = 8;

const PORTAL: &str = "redirect to :8880";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing passes, either way.
    BlackHole,
    /// The router answers that the far end cannot be reached.
    Rejected,
    UdpToServer,
    UdpToClient,
    /// No UDP either way; TCP passes.
    Udp,
    /// The router answers that it is not permitted.
    UdpRejected,
    /// What goes beyond so many packets a second, either way by itself.
    Policed {
        packets: u32,
    },
    /// So many of a hundred packets, drawn at random, of every kind and either way.
    Loss {
        percent: u32,
    },
    /// The one TCP connection with this port on the client's side vanishes without a word; new ones work.
    TcpFlowSilent {
        client_port: u16,
    },
    /// The one UDP flow with this port on the client's side vanishes; another port works.
    UdpFlowSilent {
        client_port: u16,
    },
    /// The router neither hears the client nor speaks to it: no packet, no answer to who has its address. The cable stays.
    GatewaySilent,
    /// As `GatewaySilent`, but who has its address is told.
    GatewayHangs,
    /// Name servers are not reached; everything else is.
    NamesSilent,
    /// Nothing is broken: it shows each packet of which the router knows no flow.
    NewMapping,
    /// Plain web answers come from a login page, which `far::portal` serves in the router.
    Portal,
    /// The client's next segment of this connection is answered with a reset in the server's name.
    TcpFlowReset {
        client_port: u16,
    },
}

impl Fault {
    /// What it matches, and what becomes of it.
    fn rules(self) -> Vec<(String, &'static str)> {
        let drop = |matching: &str| (matching.to_owned(), "drop");
        match self {
            Self::BlackHole => vec![drop("")],
            Self::Rejected => vec![("iifname \"lan\"".to_owned(), "reject with icmp host-unreachable")],
            Self::UdpToServer => vec![drop("iifname \"lan\" meta l4proto udp")],
            Self::UdpToClient => vec![drop("iifname \"wan\" meta l4proto udp")],
            Self::Udp => vec![drop("meta l4proto udp")],
            Self::GatewaySilent => vec![drop("")],
            Self::GatewayHangs => vec![drop("meta protocol ip")],
            Self::UdpRejected => {
                vec![("iifname \"lan\" meta l4proto udp".to_owned(), "reject with icmp admin-prohibited")]
            }
            Self::Policed { packets } => ["lan", "wan"]
                .map(|side| drop(&format!("iifname \"{side}\" limit rate over {packets}/second burst 5 packets")))
                .to_vec(),
            Self::NamesSilent => vec![drop("udp dport 53"), drop("tcp dport 53")],
            Self::NewMapping => vec![("iifname \"lan\" ct state { new, invalid }".to_owned(), "")],
            Self::Loss { percent } => vec![drop(&format!("numgen random mod 100 < {percent}"))],
            Self::TcpFlowSilent { client_port } => vec![
                drop(&format!("iifname \"lan\" tcp sport {client_port}")),
                drop(&format!("iifname \"wan\" tcp dport {client_port}")),
            ],
            Self::UdpFlowSilent { client_port } => vec![
                drop(&format!("iifname \"lan\" udp sport {client_port}")),
                drop(&format!("iifname \"wan\" udp dport {client_port}")),
            ],
            Self::Portal => vec![("iifname \"lan\" tcp dport 80".to_owned(), PORTAL)],
            Self::TcpFlowReset { client_port } => {
                vec![(format!("iifname \"lan\" tcp sport {client_port}"), "reject with tcp reset")]
            }
        }
    }
}

impl Fault {
    /// Where its rules stand, each with the statement that sends the witness a copy under the fault's number: the wire
    /// between client and router, or what is passed on. On the wire there is no routing that would give the copy its
    /// Ethernet address.
    fn tables(self, number: u32) -> Vec<(&'static str, String)> {
        let into = witness::INTO;
        match self {
            Self::GatewaySilent | Self::GatewayHangs => {
                vec![("netdev world", format!("ether daddr set {} dup to \"{into}\"", witness::ethernet(number)))]
            }
            // Both answer in words of IPv4.
            Self::Portal => vec![("ip portal", format!("dup to {} device \"{into}\"", witness::gateway(number)))],
            Self::Rejected | Self::UdpRejected => {
                vec![("ip world", format!("dup to {} device \"{into}\"", witness::gateway(number)))]
            }
            _ => vec![
                ("ip world", format!("dup to {} device \"{into}\"", witness::gateway(number))),
                ("ip6 world", format!("dup to {} device \"{into}\"", witness::gateway_ipv6(number))),
            ],
        }
    }
}

/// A fault in force; dropped without `lift`, it is lifted unseen.
pub struct InForce<'w> {
    world: &'w World,
    /// Of one kind.
    faults: Vec<Fault>,
    number: u32,
    lifted: bool,
}

/// What really happened, on the clocks that all namespaces share.
#[derive(Clone, Debug)]
pub struct Truth {
    /// Every packet it touched, in order; at least one.
    pub hits: Vec<Hit>,
    /// When the rule was gone; between the last hit and this, packets began to pass again.
    pub lifted: Stamp,
}

impl World {
    pub fn fault(&self, fault: Fault) -> Result<InForce<'_>> {
        self.faults(vec![fault])
    }

    /// One fault, of several flows: what its rules touch is told together.
    pub fn faults(&self, faults: Vec<Fault>) -> Result<InForce<'_>> {
        let first = *faults.first().context("a fault of no flow is none")?;
        let number = self.fault_count.fetch_add(1, Ordering::Relaxed) + 1;
        ensure!(number <= MOST, "a world has room for {MOST} faults");
        let rules: Vec<_> = faults.iter().flat_map(|fault| fault.rules()).collect();
        let script: String = first
            .tables(number)
            .iter()
            .flat_map(|(table, copy)| {
                rules.iter().map(move |(matching, fate)| {
                    format!("add rule {table} fault{number} {matching} counter {copy} {fate}\n")
                })
            })
            .collect();
        self.router.nft(&script)?;
        Ok(InForce { world: self, faults, number, lifted: false })
    }
}

impl InForce<'_> {
    /// Waits for the first packet touched.
    pub fn bites(&self, limit: Duration) -> Result<Wall> {
        wait_until(&format!("{:?} touches a packet", self.faults), limit, || Ok(!self.hits().is_empty()))?;
        Ok(self.hits()[0].at.wall)
    }

    pub fn lift(mut self) -> Result<Truth> {
        self.remove()?;
        let lifted = Clock::real().now();
        // The reader may still be behind the kernel by a moment.
        std::thread::sleep(Duration::from_millis(20));
        let hits = self.hits();
        ensure!(!hits.is_empty(), "void: {:?} touched no packet, so this run proves nothing", self.faults);
        Ok(Truth { hits, lifted })
    }

    fn hits(&self) -> Vec<Hit> {
        self.world.witness.hits(self.number)
    }

    fn remove(&mut self) -> Result<()> {
        self.lifted = true;
        let number = self.number;
        let flush = |(table, _): &(&str, String)| format!("flush chain {table} fault{number}\n");
        self.world.router.nft(&self.faults[0].tables(number).iter().map(flush).collect::<String>())
    }
}

impl Drop for InForce<'_> {
    fn drop(&mut self) {
        if !self.lifted {
            // The story has failed already; its world goes next.
            let _ = self.remove();
        }
    }
}

impl Truth {
    pub fn first(&self) -> Wall {
        self.hits[0].at.wall
    }
    pub fn last(&self) -> Wall {
        self.hits[self.hits.len() - 1].at.wall
    }
    /// The first packet touched after that moment.
    pub fn first_since(&self, since: Wall) -> Result<Wall> {
        let hit = self.hits.iter().find(|hit| hit.at.wall >= since);
        hit.map(|hit| hit.at.wall).ok_or_else(|| anyhow::anyhow!("void: no packet was touched after {since}"))
    }
    /// The first packet touched of the UDP flow with this port on the client's side: of the call's media, and of nothing
    /// that runs beside it.
    pub fn first_of(&self, port: u16) -> Result<Wall> {
        let hit = self.hits.iter().find(|hit| hit.udp().is_some_and(|(from, to)| from == port || to == port));
        hit.map(|hit| hit.at.wall)
            .ok_or_else(|| anyhow::anyhow!("void: the fault touched no packet of UDP port {port}"))
    }
}
