//! The router: address translation with its memory, and the faults in force.

use super::net::{GATEWAY, SERVER};
use super::packet::{Datagram, Load, Packet, Proto};
use super::station::Uplink;
use super::tcp;
use crate::scenario::{Deed, Dice, deed::Ports};
use record::fact::Undeliverable;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub enum Fate {
    /// With the addresses it has from here on.
    Passes(Packet),
    Lost {
        step: usize,
    },
    /// In somebody's name, and not passed on.
    Answered {
        step: usize,
        answer: Packet,
    },
    AnsweredByGateway(Packet),
    /// The router knows no such flow, and says nothing.
    Forgotten,
}

pub struct Router {
    flows: BTreeMap<Flow, Mapping>,
    /// Of flows once kept: another port is given where it forgot them so.
    next_port: u16,
    other_ports: bool,
    keeps_tcp: Option<Duration>,
    keeps_udp: Option<Duration>,
    /// A flow of UDP that was forgotten may not begin anew: those that were ever answered.
    bars: bool,
    known: BTreeSet<Flow>,
    /// The provider gave another address.
    renumbered: bool,
    /// Of a policed line, each way: how many packets may pass now, and when that was counted.
    may_pass: [(f64, Duration); 2],
    /// With the step that each belongs to; 0 is the world's own.
    faults: Vec<(usize, Fault)>,
}

/// As the client sends it.
type Flow = (Proto, SocketAddr, SocketAddr);

struct Mapping {
    public: SocketAddr,
    used: Duration,
    answered: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    Of(Deed),
    /// The client's ports of the flows that it was aimed at.
    Flow(Proto, u16),
    Reset(u16),
}

/// So many packets pass a policed line at once after a quiet moment.
const BURST: f64 = 5.0;
/// As Linux keeps UDP by default: before the first answer, and after some of them.
const UNANSWERED: Duration = Duration::from_secs(30);
const ANSWERED: Duration = Duration::from_secs(120);

impl Router {
    pub fn new(keeps_tcp: Option<Duration>, keeps_udp: Option<Duration>, bars: bool) -> Self {
        Self {
            flows: BTreeMap::new(),
            next_port: 20_000,
            other_ports: false,
            keeps_tcp,
            keeps_udp,
            bars,
            known: BTreeSet::new(),
            renumbered: false,
            may_pass: [(BURST, Duration::ZERO); 2],
            faults: vec![],
        }
    }

    pub fn begin(&mut self, step: usize, fault: Fault) {
        self.faults.push((step, fault));
    }

    pub fn end(&mut self, step: usize) {
        self.faults.retain(|(of, _)| *of != step);
    }

    pub fn forget(&mut self, ports: Ports) {
        self.flows.clear();
        self.other_ports = ports == Ports::Other;
    }

    pub fn gets_another_address(&mut self) {
        self.flows.clear();
        self.renumbered = true;
    }

    /// The step whose line has no room for one packet more.
    fn policed(&mut self, out: bool, now: Duration) -> Option<usize> {
        let policed = |(step, fault): &(usize, Fault)| match fault {
            Fault::Of(Deed::Policed { packets }) => Some((*step, f64::from(*packets))),
            _ => None,
        };
        let (step, a_second) = self.faults.iter().find_map(policed)?;
        let (may_pass, counted) = &mut self.may_pass[usize::from(out)];
        *may_pass = (*may_pass + (now - *counted).as_secs_f64() * a_second).min(BURST);
        *counted = now;
        if *may_pass < 1.0 {
            return Some(step);
        }
        *may_pass -= 1.0;
        None
    }

    pub fn jitter(&self) -> Duration {
        let most = self.faults.iter().filter_map(|(_, fault)| match fault {
            Fault::Of(Deed::Jitter { ms }) => Some(u64::from(*ms)),
            _ => None,
        });
        Duration::from_millis(most.max().unwrap_or(0))
    }

    pub fn portal(&self) -> bool {
        self.faults.iter().any(|(_, fault)| *fault == Fault::Of(Deed::PortalClosed))
    }

    pub fn out(&mut self, packet: &Packet, uplink: Uplink, now: Duration, dice: &mut Dice) -> Fate {
        if uplink == Uplink::First
            && let Some(step) = self.met(packet, |fault| *fault == Fault::Of(Deed::GatewaySilent), dice)
        {
            return Fate::Lost { step };
        }
        if let Load::Datagram(Datagram::Ping { id }) = packet.load {
            let load = Load::Datagram(Datagram::Pong { id });
            return Fate::AnsweredByGateway(Packet { proto: packet.proto, from: packet.to, to: packet.from, load });
        }
        if let Some(step) = self.met(packet, |fault| is_lost(fault, packet, true), dice) {
            return Fate::Lost { step };
        }
        if let Some(step) = self.policed(true, now) {
            return Fate::Lost { step };
        }
        let udp = packet.proto == Proto::Udp;
        let rejected =
            |fault: &Fault| is_rejected(fault, packet.to.ip()) || (udp && *fault == Fault::Of(Deed::UdpRejected));
        if let Some(step) = self.met(packet, rejected, dice) {
            let load = Load::Unreachable { why: Undeliverable::NoHost, by: GATEWAY };
            let answer = Packet { proto: packet.proto, from: packet.to, to: packet.from, load };
            return Fate::Answered { step, answer };
        }
        let reset = |fault: &Fault| *fault == Fault::Reset(packet.from.port()) && packet.proto == Proto::Tcp;
        if let Some(step) = self.met(packet, reset, dice) {
            self.faults.retain(|(_, fault)| *fault != Fault::Reset(packet.from.port()));
            return Fate::Answered { step, answer: tcp::forged_reset(packet.to, packet.from) };
        }
        self.translate(packet, uplink, now)
    }

    fn translate(&mut self, packet: &Packet, uplink: Uplink, now: Duration) -> Fate {
        let flow = (packet.proto, packet.from, packet.to);
        self.expire(flow, now);
        let begins = matches!(&packet.load, Load::Segment(segment) if matches!(segment.kind, tcp::Kind::Syn));
        // A firewall that forgets TCP does not take up what it never saw begin.
        if packet.proto == Proto::Tcp && self.keeps_tcp.is_some() && !begins && !self.flows.contains_key(&flow) {
            return Fate::Forgotten;
        }
        if self.bars && packet.proto == Proto::Udp && !self.flows.contains_key(&flow) && self.known.contains(&flow) {
            return Fate::Forgotten;
        }
        let public = if self.renumbered && uplink == Uplink::First { super::station::ANOTHER } else { uplink.public() };
        let (other, next_port) = (self.other_ports, &mut self.next_port);
        let mapping = self.flows.entry(flow).or_insert_with(|| {
            let port = if other {
                *next_port += 1;
                *next_port
            } else {
                packet.from.port()
            };
            Mapping { public: SocketAddr::new(public, port), used: now, answered: false }
        });
        mapping.used = now;
        Fate::Passes(Packet { from: mapping.public, ..packet.clone() })
    }

    pub fn back(&mut self, packet: &Packet, now: Duration, dice: &mut Dice) -> Fate {
        let found = self.flows.iter().find(|((proto, _, remote), mapping)| {
            (*proto, *remote, mapping.public) == (packet.proto, packet.from, packet.to)
        });
        let Some(flow) = found.map(|(flow, _)| *flow) else { return Fate::Forgotten };
        let inwards = Packet { to: flow.1, ..packet.clone() };
        let gateway = |fault: &Fault| *fault == Fault::Of(Deed::GatewaySilent) && is_first(packet.to.ip());
        let lost =
            |fault: &Fault| gateway(fault) || is_lost(fault, &inwards, false) || is_rejected(fault, packet.from.ip());
        if let Some(step) = self.met(packet, lost, dice) {
            return Fate::Lost { step };
        }
        if let Some(step) = self.policed(false, now) {
            return Fate::Lost { step };
        }
        self.expire(flow, now);
        if self.bars && self.flows.contains_key(&flow) {
            self.known.insert(flow);
        }
        let Some(mapping) = self.flows.get_mut(&flow) else { return Fate::Forgotten };
        (mapping.used, mapping.answered) = (now, true);
        Fate::Passes(inwards)
    }

    fn expire(&mut self, flow: Flow, now: Duration) {
        let kept = |mapping: &Mapping| match flow.0 {
            Proto::Tcp => self.keeps_tcp,
            Proto::Udp => self.keeps_udp.or(Some(if mapping.answered { ANSWERED } else { UNANSWERED })),
        };
        if self.flows.get(&flow).is_some_and(|mapping| kept(mapping).is_some_and(|kept| now - mapping.used > kept)) {
            self.flows.remove(&flow);
        }
    }

    /// The step of the first fault that this packet meets; loss by chance is thrown for here.
    fn met(&self, _: &Packet, is_met: impl Fn(&Fault) -> bool, dice: &mut Dice) -> Option<usize> {
        self.faults.iter().filter(|(_, fault)| is_met(fault)).find_map(|(step, fault)| match fault {
            Fault::Of(Deed::Loss { percent }) => (dice.throw() % 100 < u64::from(*percent)).then_some(*step),
            _ => Some(*step),
        })
    }
}

fn is_first(ip: IpAddr) -> bool {
    ip == Uplink::First.public() || ip == super::station::ANOTHER
}

/// A route that is missing is missed by those alone who go to the far end.
fn is_rejected(fault: &Fault, outside: IpAddr) -> bool {
    match fault {
        Fault::Of(Deed::Rejected) => true,
        Fault::Of(Deed::Unrouted) => outside == SERVER,
        _ => false,
    }
}

/// Without a word. `packet` bears the client's own address.
fn is_lost(fault: &Fault, packet: &Packet, out: bool) -> bool {
    let udp = packet.proto == Proto::Udp;
    match *fault {
        Fault::Of(Deed::BlackHole | Deed::Loss { .. }) => true,
        Fault::Of(Deed::UdpToServerLost) => udp && out,
        Fault::Of(Deed::UdpToClientLost) => udp && !out,
        Fault::Of(Deed::UdpLost) => udp,
        Fault::Of(Deed::NamesSilent) => packet.to.port() == 53 || packet.from.port() == 53,
        Fault::Flow(proto, port) => {
            proto == packet.proto && port == if out { packet.from.port() } else { packet.to.port() }
        }
        Fault::Of(_) | Fault::Reset(_) => false,
    }
}
