//! `Picture`: what is there, from what the system tells. It is told, and gives facts of what differs. Pure.

use record::Heard;
use record::fact::{Destination, Hop, LinkKind, Net, Reachability};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// One thing that the system said.
#[allow(dead_code, reason = "not every system says all of these")]
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    Link(Link),
    LinkGone {
        index: u32,
    },
    Address(Address),
    AddressGone {
        index: u32,
        address: IpAddr,
    },
    Neighbour {
        index: u32,
        address: IpAddr,
        state: Reachability,
    },
    /// A route or a rule changed: the ways must be asked for.
    Ways,
}

impl News {
    pub fn may_move_a_way(&self) -> bool {
        !matches!(self, Self::Neighbour { .. })
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// The system's number for it, which stays when it is renamed.
    pub index: u32,
    pub name: Heard,
    pub nature: Nature,
    pub driver: Heard,
    pub up: bool,
    pub carrier: bool,
    pub mtu: u32,
}

#[allow(dead_code, reason = "only Linux has pairs")]
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Nature {
    Is(LinkKind),
    /// One end of a pair of virtual interfaces, or a second face of a real one. Within a container it is the cable; on the
    /// computer that hosts the container it is only what the container hangs on. An address of its own tells them apart.
    Pair,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Address {
    pub index: u32,
    pub address: IpAddr,
    pub prefix: u8,
    pub temporary: bool,
}

/// The way that a new packet takes, as the system tells it.
#[derive(Clone, PartialEq, Debug)]
pub struct Way {
    pub index: u32,
    pub gateway: Option<IpAddr>,
    pub source: Option<IpAddr>,
}

#[derive(Default)]
pub struct Picture {
    looked: bool,
    links: BTreeMap<u32, Known>,
    addresses: BTreeMap<(u32, IpAddr), Address>,
    ways: BTreeMap<Destination, (Option<Way>, Option<Hop>)>,
    /// The next answer for the far end is of another address than the last.
    far_end_is_new: bool,
    /// Of the gateways on the ways; absent while nobody has told.
    gateways: BTreeMap<(u32, IpAddr), Option<Reachability>>,
}

struct Known {
    link: Link,
    kind: LinkKind,
}

impl Known {
    fn fact(&self, found: bool) -> Net {
        let Link { name, driver, up, carrier, mtu, .. } = self.link.clone();
        Net::Link { name, kind: self.kind, driver, up, carrier, mtu, found }
    }
}

impl Picture {
    pub fn hear(&mut self, news: News) -> Vec<Net> {
        match news {
            News::Link(link) => self.link(link, false),
            News::LinkGone { index } => self.link_gone(index),
            News::Address(address) => self.address(address, false),
            News::AddressGone { index, address } => self.address_gone(index, address),
            News::Neighbour { index, address, state } => self.neighbour(index, address, state),
            News::Ways => vec![],
        }
    }

    /// Everything that is there: what was there before and is not among it is gone. The first time, it is all found.
    pub fn see(&mut self, all: Vec<News>) -> Vec<Net> {
        let found = !std::mem::replace(&mut self.looked, true);
        let (mut links, mut addresses) = (Vec::new(), Vec::new());
        for news in all {
            match news {
                News::Link(link) => links.push(link),
                News::Address(address) => addresses.push(address),
                _ => {}
            }
        }
        let mut facts = Vec::new();
        let here: BTreeSet<_> = addresses.iter().map(|a| (a.index, a.address)).collect();
        let gone: Vec<_> = self.addresses.keys().filter(|key| !here.contains(key)).copied().collect();
        facts.extend(gone.into_iter().flat_map(|(index, address)| self.address_gone(index, address)));
        let here: BTreeSet<_> = links.iter().map(|link| link.index).collect();
        let gone: Vec<_> = self.links.keys().filter(|index| !here.contains(index)).copied().collect();
        facts.extend(gone.into_iter().flat_map(|index| self.link_gone(index)));
        // The addresses are known before the links are told, because the kind of some depends on them.
        let new: Vec<_> =
            addresses.into_iter().filter(|a| self.addresses.get(&(a.index, a.address)) != Some(a)).collect();
        self.addresses.extend(new.iter().map(|a| ((a.index, a.address), a.clone())));
        facts.extend(links.into_iter().flat_map(|link| self.link(link, found)));
        facts.extend(new.into_iter().filter_map(|address| self.address_fact(&address, found)));
        facts
    }

    fn link(&mut self, link: Link, found: bool) -> Vec<Net> {
        let before = self.links.get(&link.index);
        let kind = match link.nature {
            Nature::Is(kind) => kind,
            // Once a cable, it stays one while it loses and regains its address.
            Nature::Pair if before.is_some_and(|known| known.kind == LinkKind::Wired) => LinkKind::Wired,
            Nature::Pair if self.has_an_address(link.index) => LinkKind::Wired,
            Nature::Pair => LinkKind::Virtual,
        };
        let mut facts = Vec::new();
        match before {
            Some(known) if known.link == link && known.kind == kind => return facts,
            Some(known) if known.link.name != link.name => {
                facts.push(Net::LinkGone { name: known.link.name.clone(), kind: known.kind });
            }
            _ => {}
        }
        let known = Known { kind, link };
        facts.push(known.fact(found));
        self.links.insert(known.link.index, known);
        facts
    }

    fn link_gone(&mut self, index: u32) -> Vec<Net> {
        let addresses: Vec<_> = self.addresses.keys().filter(|(of, _)| *of == index).map(|key| key.1).collect();
        let mut facts: Vec<_> = addresses.into_iter().flat_map(|address| self.address_gone(index, address)).collect();
        if let Some(known) = self.links.remove(&index) {
            facts.push(Net::LinkGone { name: known.link.name, kind: known.kind });
        }
        facts
    }

    fn address(&mut self, address: Address, found: bool) -> Vec<Net> {
        let key = (address.index, address.address);
        // Told again whenever its lifetime is renewed.
        if self.addresses.insert(key, address.clone()).as_ref() == Some(&address) {
            return vec![];
        }
        // With its first address one end of a pair turns out to be the cable.
        let link = self.links.get(&address.index).map(|known| known.link.clone());
        let mut facts = link.map(|link| self.link(link, found)).unwrap_or_default();
        facts.extend(self.address_fact(&address, found));
        facts
    }

    fn address_fact(&self, address: &Address, found: bool) -> Option<Net> {
        let Address { index, address, prefix, temporary } = *address;
        Some(Net::Address { interface: self.name(index)?, address: address.into(), prefix, temporary, found })
    }

    fn address_gone(&mut self, index: u32, address: IpAddr) -> Vec<Net> {
        match (self.addresses.remove(&(index, address)), self.name(index)) {
            (Some(_), Some(interface)) => vec![Net::AddressGone { interface, address: address.into() }],
            _ => vec![],
        }
    }

    /// An address that packets of the wide world carry; every interface has one that only its own link knows.
    fn has_an_address(&self, index: u32) -> bool {
        self.addresses.keys().any(|(of, address)| {
            *of == index
                && match address {
                    IpAddr::V4(v4) => !v4.is_link_local() && !v4.is_loopback(),
                    IpAddr::V6(v6) => !v6.is_unicast_link_local() && !v6.is_loopback(),
                }
        })
    }

    pub fn another_far_end(&mut self) {
        self.far_end_is_new = true;
    }

    /// The system's answer: the way to it, or that there is none.
    pub fn way(&mut self, to: Destination, way: Option<Way>) -> Vec<Net> {
        let after = match &way {
            // The news of this interface is on its way to us; the ways are asked for again after it.
            Some(way) if !self.links.contains_key(&way.index) => return vec![],
            Some(way) => self.hop(way),
            None => None,
        };
        let fresh = to == Destination::FarEnd && std::mem::take(&mut self.far_end_is_new);
        let known = self.ways.insert(to, (way.clone(), after.clone()));
        self.forget_old_gateways();
        match known {
            // A kind that we understood later is no other way.
            Some((before, _)) if before == way => vec![],
            Some((_, before)) if !fresh => vec![Net::Route { to, before, after, found: false }],
            _ => vec![Net::Route { to, before: None, after, found: true }],
        }
    }

    fn hop(&self, way: &Way) -> Option<Hop> {
        let known = self.links.get(&way.index)?;
        Some(Hop {
            interface: known.link.name.clone(),
            kind: known.kind,
            gateway: way.gateway.map(Into::into),
            source: way.source.map(Into::into),
        })
    }

    fn forget_old_gateways(&mut self) {
        let used: BTreeSet<_> = self
            .ways
            .values()
            .filter_map(|(way, _)| way.as_ref())
            .filter_map(|way| Some((way.index, way.gateway?)))
            .collect();
        self.gateways.retain(|key, _| used.contains(key));
        for key in used {
            self.gateways.entry(key).or_insert(None);
        }
    }

    /// Gateways of which nothing was told yet, to be asked for.
    pub fn unknown_gateways(&self) -> Vec<(u32, IpAddr)> {
        self.gateways.iter().filter(|(_, state)| state.is_none()).map(|(key, _)| *key).collect()
    }

    /// The answer to having asked for one.
    pub fn gateway(&mut self, index: u32, address: IpAddr, state: Option<Reachability>) -> Vec<Net> {
        let Some(state) = state else { return vec![] };
        self.gateways.insert((index, address), Some(state));
        self.neighbour_fact(index, address, state, true)
    }

    fn neighbour(&mut self, index: u32, address: IpAddr, state: Reachability) -> Vec<Net> {
        let Some(known) = self.gateways.get_mut(&(index, address)) else { return vec![] };
        if known.is_some_and(|before| is_routine(before, state)) {
            return vec![];
        }
        *known = Some(state);
        self.neighbour_fact(index, address, state, false)
    }

    fn neighbour_fact(&self, index: u32, address: IpAddr, state: Reachability, found: bool) -> Vec<Net> {
        let fact =
            self.name(index).map(|interface| Net::Neighbour { interface, address: address.into(), state, found });
        fact.into_iter().collect()
    }

    fn name(&self, index: u32) -> Option<Heard> {
        self.links.get(&index).map(|known| known.link.name.clone())
    }

    /// Of an interface that carries nothing of ours: a bridge, a container's end, the loopback.
    pub fn is_aside(&self, fact: &Net) -> bool {
        let (name, kind) = match fact {
            Net::Link { name, kind, .. } | Net::LinkGone { name, kind } => (name, Some(*kind)),
            Net::Address { interface, .. } | Net::AddressGone { interface, .. } => (interface, None),
            _ => return false,
        };
        let carries = self.ways.values().filter_map(|(_, hop)| hop.as_ref()).any(|hop| &hop.interface == name);
        let kind = kind.or_else(|| self.links.values().find(|known| &known.link.name == name).map(|known| known.kind));
        !carries && matches!(kind, Some(LinkKind::Virtual | LinkKind::Loopback))
    }
}

/// An entry in use goes stale and is renewed every minute or so, and a lost one is asked for every few seconds: neither
/// changes what is known of the gateway.
fn is_routine(before: Reachability, after: Reachability) -> bool {
    use Reachability::{Failed, Probing, Reachable, Stale};
    before == after || matches!((before, after), (Reachable, Stale) | (Stale, Reachable) | (Failed, Probing))
}

#[cfg(test)]
#[path = "picture/tests.rs"]
mod tests;
