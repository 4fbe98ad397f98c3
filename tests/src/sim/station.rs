//! The client's end of the network: its interfaces, addresses and the way out, and what its system says of them.

use super::net::{CLIENT, GATEWAY};
use engine::deciders::picture::{Address, Link, Nature, News, Way};
use record::fact::{LinkKind, Power};
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::sync::Notify;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Uplink {
    First,
    Second,
    Tunnel,
}

const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 82, 1, 2));
const SECOND_GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 82, 1, 1));
const TUNNEL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 90, 0, 2));
/// What the first uplink's router is given when its line is dialled in anew.
pub const ANOTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 83, 0, 2));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 81, 1, 77));

impl Uplink {
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Tunnel];

    /// As everybody outside sees what leaves by it.
    pub fn public(self) -> IpAddr {
        let [b, c] = match self {
            Self::First => [83, 0],
            Self::Second => [84, 0],
            Self::Tunnel => [87, 0],
        };
        IpAddr::V4(Ipv4Addr::new(10, b, c, 1))
    }

    fn index(self) -> u32 {
        self as u32 + 2
    }

    fn gateway(self) -> Option<IpAddr> {
        match self {
            Self::First => Some(GATEWAY),
            Self::Second => Some(SECOND_GATEWAY),
            Self::Tunnel => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Interface {
    link: Link,
    address: Option<IpAddr>,
}

pub struct Station {
    interfaces: RefCell<Vec<Interface>>,
    /// The default route, as it is set; it leads nowhere while its interface is down.
    route: Cell<Option<Uplink>>,
    /// What the system has said since it was last heard, and who waits for it.
    news: RefCell<Vec<News>>,
    power: RefCell<Vec<Power>>,
    told: Notify,
    renewed: Cell<u16>,
    /// Of the whole machine, in percent of one core.
    load: Cell<f64>,
}

fn link(index: u32, name: &str, kind: LinkKind, driver: &str, up: bool) -> Link {
    let nature = Nature::Is(kind);
    Link { index, name: name.into(), nature, driver: driver.into(), up, carrier: up, mtu: 1500 }
}

impl Station {
    pub fn new() -> Self {
        let lo = Interface {
            link: Link { mtu: 65_536, ..link(1, "lo", LinkKind::Loopback, "", true) },
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        };
        let first = Interface {
            link: link(Uplink::First.index(), "eth0", LinkKind::Wired, "veth", true),
            address: Some(CLIENT),
        };
        Self {
            interfaces: RefCell::new(vec![lo, first]),
            route: Cell::new(Some(Uplink::First)),
            news: RefCell::default(),
            power: RefCell::default(),
            told: Notify::new(),
            renewed: Cell::default(),
            load: Cell::new(8.0),
        }
    }

    /// The way that packets take now.
    pub fn uplink(&self) -> Option<Uplink> {
        self.route.get().filter(|uplink| self.is_up(*uplink))
    }

    fn is_up(&self, uplink: Uplink) -> bool {
        self.interfaces.borrow().iter().any(|i| i.link.index == uplink.index() && i.link.up && i.link.carrier)
    }

    fn address(&self, uplink: Uplink) -> Option<IpAddr> {
        self.interfaces.borrow().iter().find(|i| i.link.index == uplink.index())?.address
    }

    pub fn source(&self) -> Option<IpAddr> {
        self.address(self.uplink()?)
    }

    /// An address of ours on an interface that works.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.interfaces.borrow().iter().any(|i| i.address == Some(ip) && i.link.up && i.link.carrier)
    }

    pub fn carries(&self, uplink: Uplink, from: IpAddr) -> bool {
        self.is_up(uplink) && self.address(uplink) == Some(from)
    }

    pub fn addresses(&self) -> Vec<IpAddr> {
        let interfaces = self.interfaces.borrow();
        let working = interfaces.iter().filter(|i| i.link.up && i.link.index > 1 && !is_aside(&i.link));
        working.filter_map(|i| i.address).collect()
    }

    pub fn way(&self) -> Option<Way> {
        let uplink = self.uplink()?;
        Some(Way { index: uplink.index(), gateway: uplink.gateway(), source: self.address(uplink) })
    }

    /// Everything that is there.
    pub fn look(&self) -> Vec<News> {
        let interfaces = self.interfaces.borrow();
        let links = interfaces.iter().map(|i| News::Link(i.link.clone()));
        let addresses = interfaces.iter().filter_map(|i| Some(News::Address(told(i.link.index, i.address?))));
        links.chain(addresses).collect()
    }

    pub fn take_news(&self) -> Vec<News> {
        std::mem::take(&mut self.news.borrow_mut())
    }

    pub fn take_power(&self) -> Vec<Power> {
        std::mem::take(&mut self.power.borrow_mut())
    }

    /// Ready when there is something to take.
    pub async fn told(&self) {
        self.told.notified().await;
    }

    fn say(&self, news: News) {
        self.news.borrow_mut().push(news);
        self.told.notify_one();
    }

    pub fn says(&self, word: Power) {
        self.power.borrow_mut().push(word);
        self.told.notify_one();
    }

    pub fn load(&self) -> f64 {
        self.load.get()
    }

    pub fn load_is(&self, percent: f64) {
        self.load.set(percent);
    }

    pub fn link_is(&self, up: bool) {
        let mut interfaces = self.interfaces.borrow_mut();
        if let Some(first) = interfaces.iter_mut().find(|i| i.link.index == Uplink::First.index()) {
            (first.link.up, first.link.carrier) = (up, up);
            let link = first.link.clone();
            drop(interfaces);
            self.say(News::Link(link));
            self.say(News::Ways);
        }
    }

    /// The cable's other end is drawn, or put back.
    pub fn carrier_is(&self, there: bool) {
        let mut interfaces = self.interfaces.borrow_mut();
        if let Some(first) = interfaces.iter_mut().find(|i| i.link.index == Uplink::First.index()) {
            first.link.carrier = there;
            let link = first.link.clone();
            drop(interfaces);
            self.say(News::Link(link));
        }
    }

    pub fn renumbered(&self) {
        self.another_address(true);
    }

    pub fn address_changes(&self) {
        self.another_address(false);
    }

    fn another_address(&self, before_the_old_one_goes: bool) {
        let mut interfaces = self.interfaces.borrow_mut();
        let Some(first) = interfaces.iter_mut().find(|i| i.link.index == Uplink::First.index()) else { return };
        let before = first.address.replace(if first.address == Some(OTHER) { CLIENT } else { OTHER });
        let (index, after) = (first.link.index, first.address);
        drop(interfaces);
        let gone = before.map(|address| News::AddressGone { index, address });
        let come = after.map(|address| News::Address(told(index, address)));
        let news = if before_the_old_one_goes { [come, gone] } else { [gone, come] };
        news.into_iter().flatten().for_each(|news| self.say(news));
        self.say(News::Ways);
    }

    /// IPv6's privacy addresses come and go by design.
    pub fn temporary_address_is_renewed(&self) {
        let index = Uplink::First.index();
        let number = self.renewed.replace(self.renewed.get() + 1);
        let of = |number: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x81, 0, 0, 0, 0, 0x17 + number));
        self.say(News::Address(Address { index, address: of(number + 1), prefix: 64, temporary: true }));
        if number > 0 {
            self.say(News::AddressGone { index, address: of(number) });
        }
    }

    pub fn plug(&self, uplink: Uplink) {
        let (name, kind, driver, address) = match uplink {
            Uplink::Tunnel => ("tun0", LinkKind::Tunnel, "tun", TUNNEL),
            Uplink::Second | Uplink::First => ("eth1", LinkKind::Wired, "veth", SECOND),
        };
        if self.interfaces.borrow().iter().any(|i| i.link.index == uplink.index()) {
            return;
        }
        let link = link(uplink.index(), name, kind, driver, true);
        self.interfaces.borrow_mut().push(Interface { link: link.clone(), address: Some(address) });
        self.say(News::Link(link));
        self.say(News::Address(told(uplink.index(), address)));
        self.say(News::Ways);
    }

    pub fn unplug(&self, uplink: Uplink) {
        let index = uplink.index();
        self.interfaces.borrow_mut().retain(|i| i.link.index != index);
        if self.route.get() == Some(uplink) {
            self.route.set(Some(Uplink::First));
        }
        self.say(News::LinkGone { index });
        self.say(News::Ways);
    }

    pub fn bridge(&self, there: bool) {
        const BRIDGE: u32 = 9;
        self.say(match there {
            true => News::Link(link(BRIDGE, "docker0", LinkKind::Virtual, "bridge", true)),
            false => News::LinkGone { index: BRIDGE },
        });
    }

    pub fn route_is(&self, route: Option<Uplink>) {
        self.route.set(route);
        self.say(News::Ways);
    }
}

fn is_aside(link: &Link) -> bool {
    matches!(link.nature, Nature::Is(LinkKind::Virtual | LinkKind::Loopback))
}

fn told(index: u32, address: IpAddr) -> Address {
    let prefix = if index == 1 { 8 } else { 24 };
    Address { index, address, prefix, temporary: false }
}
