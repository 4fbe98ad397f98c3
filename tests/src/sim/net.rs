//! The network: who is where, and how a packet gets there.
//!
//! ```text
//! client ── station (interfaces, routes) ── router (translation, faults) ── server, control, name server
//! ```
//!
//! Sockets live in it as in a kernel: a packet reaches them whether or not their program runs.

use super::packet::{Load, Packet, Proto};
use super::router::{Fate, Router};
use super::station::Station;
use super::tcp;
use super::time::{Computer, Time};
use super::truths::Truths;
use crate::scenario::Dice;
use record::fact::Undeliverable;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Duration;

pub use super::udp::{Got, Mailbox, UdpSocket};

pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 81, 1, 2));
pub const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 81, 1, 1));
pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 83, 0, 10));
pub const CONTROL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 85, 0, 10));
pub const NAME_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 83, 0, 53));

/// The wire between client and router, and all that lies between router and servers. Four milliseconds for a round trip:
/// what was under way when a fault began arrives within the time that the judge grants it.
const NEAR: Duration = Duration::from_micros(250);
const FAR: Duration = Duration::from_micros(1_500);

/// Linux, as the errors of a send.
pub const ENETUNREACH: i32 = 101;

#[derive(Clone)]
pub struct Net(pub Rc<Inner>);

type Mailboxes = BTreeMap<(Option<IpAddr>, u16), Weak<Mailbox>>;
type Doors = BTreeMap<SocketAddr, Rc<dyn Fn(tcp::Stream)>>;

pub struct Inner {
    pub time: Time,
    pub client: Computer,
    /// All servers stand on it; each has an address of its own.
    pub servers: Computer,
    pub station: Station,
    pub router: RefCell<Router>,
    pub truths: Truths,
    pub dice: RefCell<Dice>,
    /// Those of the client are found by their port alone.
    pub udp: RefCell<Mailboxes>,
    pub tcp: RefCell<BTreeMap<(SocketAddr, SocketAddr), Rc<tcp::Kernel>>>,
    pub listeners: RefCell<Doors>,
    ports: Cell<u16>,
}

impl Net {
    pub fn new(time: Time, client: Computer, servers: Computer, router: Router, truths: Truths, dice: Dice) -> Self {
        let ports = 40_000;
        Self(Rc::new(Inner {
            time,
            client,
            servers,
            station: Station::new(),
            router: RefCell::new(router),
            truths,
            dice: RefCell::new(dice),
            udp: RefCell::default(),
            tcp: RefCell::default(),
            listeners: RefCell::default(),
            ports: Cell::new(ports),
        }))
    }

    /// Each is given once.
    pub fn port(&self) -> u16 {
        self.0.ports.replace(self.0.ports.get() + 1)
    }

    pub fn throw(&self) -> u64 {
        self.0.dice.borrow_mut().throw()
    }

    pub fn computer_of(&self, ip: IpAddr) -> &Computer {
        if is_client(ip) { &self.0.client } else { &self.0.servers }
    }

    /// From whoever has the packet's source address. Our own system may refuse.
    pub fn send(&self, packet: Packet) -> Result<(), i32> {
        let net = self.clone();
        if is_client(packet.from.ip()) {
            let Some(uplink) = self.0.station.uplink() else {
                self.0.truths.hit_by_station(&packet);
                return Err(ENETUNREACH);
            };
            self.0.time.after(NEAR, move || net.out(packet, uplink));
        } else if is_client_side(packet.to.ip()) {
            self.0.time.after(FAR + self.late(), move || net.back(packet));
        } else {
            self.0.time.after(NEAR, move || net.arrive(packet));
        }
        Ok(())
    }

    fn late(&self) -> Duration {
        let most = self.0.router.borrow().jitter();
        if most.is_zero() {
            return most;
        }
        most.mul_f64(self.0.dice.borrow_mut().fraction())
    }

    /// At the router, on the way out.
    fn out(&self, packet: Packet, uplink: super::station::Uplink) {
        // What was sent into a link that has gone down since is lost, and so is what bears an address of another network.
        if !self.0.station.carries(uplink, packet.from.ip()) {
            return self.0.truths.hit_by_station(&packet);
        }
        let fate = {
            let mut dice = self.0.dice.borrow_mut();
            self.0.router.borrow_mut().out(&packet, uplink, self.0.time.now(), &mut dice)
        };
        let net = self.clone();
        match fate {
            Fate::Passes(outside) => {
                self.0.truths.sent(&packet);
                self.0.time.after(FAR + self.late(), move || net.arrive(outside));
            }
            Fate::Lost { step } => self.0.truths.hit(step, &packet),
            Fate::Answered { step, answer } => {
                self.0.truths.hit(step, &packet);
                self.0.time.after(NEAR, move || net.arrive(answer));
            }
            Fate::AnsweredByGateway(answer) => self.0.time.after(NEAR, move || net.arrive(answer)),
            Fate::Forgotten => self.0.truths.sent(&packet),
        }
    }

    /// At the router, on the way in.
    fn back(&self, packet: Packet) {
        let fate = {
            let mut dice = self.0.dice.borrow_mut();
            self.0.router.borrow_mut().back(&packet, self.0.time.now(), &mut dice)
        };
        let net = self.clone();
        match fate {
            Fate::Passes(packet) => self.0.time.after(NEAR, move || net.arrive(packet)),
            Fate::Lost { step } => self.0.truths.hit(step, &packet),
            Fate::Answered { .. } | Fate::AnsweredByGateway(_) | Fate::Forgotten => {}
        }
    }

    fn arrive(&self, packet: Packet) {
        let to_client = is_client(packet.to.ip());
        if to_client && (self.0.client.is_asleep() || !self.0.station.has(packet.to.ip())) {
            return self.0.truths.hit_by_station(&packet);
        }
        if to_client {
            self.0.truths.crossed(&packet);
        }
        match packet.proto {
            Proto::Tcp => tcp::arrive(self, packet),
            Proto::Udp => self.arrive_udp(packet),
        }
    }

    fn arrive_udp(&self, packet: Packet) {
        let host = (!is_client(packet.to.ip())).then_some(packet.to.ip());
        let mailbox = self.0.udp.borrow().get(&(host, packet.to.port())).and_then(Weak::upgrade);
        match (mailbox, packet.load) {
            (Some(mailbox), Load::Datagram(datagram)) => mailbox.put(Got::Datagram(packet.from, datagram)),
            (Some(mailbox), Load::Unreachable { why, by }) => {
                mailbox.put(Got::Undelivered { to: packet.from, why, by });
            }
            (None, Load::Datagram(datagram)) => {
                self.0.truths.unheard(&datagram);
                let unreachable = Load::Unreachable { why: Undeliverable::NoListener, by: packet.to.ip() };
                // Nobody can complain of what its own answer meets.
                let _ = self.send(Packet { proto: Proto::Udp, from: packet.to, to: packet.from, load: unreachable });
            }
            _ => {}
        }
    }
}

/// The networks that the client may be in.
pub fn is_client(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(v4) if matches!(v4.octets(), [10, 81 | 82 | 90, ..])) && ip != GATEWAY
}

/// Those, and the addresses that stand for them outside.
fn is_client_side(ip: IpAddr) -> bool {
    is_client(ip)
        || ip == super::station::ANOTHER
        || super::station::Uplink::ALL.iter().any(|uplink| uplink.public() == ip)
}
