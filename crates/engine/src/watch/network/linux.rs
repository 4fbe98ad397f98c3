//! Linux: rtnetlink.
//!
//! *Seen*, as the kernel sends it, each change one message: links, addresses (an IPv6 address once it may be used, a second
//! or two after it was given), routes, rules, neighbours. A carrier that is lost reaches the kernel's messages at once, or
//! up to a second late where another one was told within the last second. The way is the kernel's own answer, policy rules
//! and VPNs included, for a packet of this process.
//! *Not seen*: routes of other network namespaces; what nftables does to a packet afterwards; a route that the kernel goes
//! on using over a link without carrier is still the way, and the link's own fact says the rest.
//!
//! Messages that do not parse are left out and told to the diagnostics.

use super::picture::{Address, News, Way};
use super::{NOBODYS, Told};
use crate::watch::netlink::{Asker, Heard, Listener, Message};
use netlink_packet_core::{NetlinkSerializable, ParseableParametrized};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteType, RouteVia};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use record::fact::Reachability;
use std::io;
use std::net::IpAddr;

#[path = "linux/links.rs"]
mod links;

/// RTNLGRP_LINK, _NEIGH, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE, _IPV6_RULE.
const GROUPS: [u32; 8] = [1, 3, 5, 7, 8, 9, 11, 19];

pub struct Kernel {
    listener: Listener,
    asker: Asker,
}

impl Kernel {
    pub fn open() -> io::Result<Self> {
        Ok(Self { listener: Listener::open(NETLINK_ROUTE, &GROUPS)?, asker: Asker::open(NETLINK_ROUTE)? })
    }

    pub async fn told(&mut self) -> io::Result<Told> {
        match self.listener.hear().await? {
            Heard::Messages(messages) => Ok(Told::News(messages.into_iter().flat_map(news).collect())),
            Heard::Lost => Ok(Told::Lost),
        }
    }

    /// The address of nobody's that the widest route leads to.
    pub fn internet(&mut self, v6: bool) -> io::Result<IpAddr> {
        let candidates = NOBODYS[usize::from(v6)];
        let mut best = (u8::MAX, candidates[0]);
        for candidate in candidates {
            if let Some(route) = self.route(*candidate, RouteFlags::FibMatch)? {
                best = best.min((route.header.destination_prefix_length, *candidate));
            }
        }
        Ok(best.1)
    }

    pub fn way(&mut self, to: IpAddr) -> io::Result<Option<Way>> {
        Ok(self.route(to, RouteFlags::empty())?.as_ref().and_then(way))
    }

    fn route(&mut self, to: IpAddr, flags: RouteFlags) -> io::Result<Option<RouteMessage>> {
        let mut request = RouteMessage::default();
        request.header.address_family = family(to);
        request.header.destination_prefix_length = if to.is_ipv4() { 32 } else { 128 };
        request.header.flags = flags;
        request.attributes.push(RouteAttribute::Destination(to.into()));
        match self.ask(RouteNetlinkMessage::GetRoute(request))? {
            Some(RouteNetlinkMessage::NewRoute(route)) => Ok(Some(route)),
            _ => Ok(None),
        }
    }

    pub fn neighbour(&mut self, index: u32, address: IpAddr) -> io::Result<Option<Reachability>> {
        let mut request = NeighbourMessage::default();
        request.header.family = family(address);
        request.header.ifindex = index;
        request.attributes.push(NeighbourAttribute::Destination(match address {
            IpAddr::V4(v4) => NeighbourAddress::Inet(v4),
            IpAddr::V6(v6) => NeighbourAddress::Inet6(v6),
        }));
        match self.ask(RouteNetlinkMessage::GetNeighbour(request))? {
            Some(RouteNetlinkMessage::NewNeighbour(answer)) => Ok(reachability(answer.header.state)),
            _ => Ok(None),
        }
    }

    /// A refusal is an answer: there is no such thing, or no way.
    fn ask(&mut self, request: RouteNetlinkMessage) -> io::Result<Option<RouteNetlinkMessage>> {
        let answer = self.asker.ask(request.message_type(), &bytes(&request))?;
        Ok(answer.ok().and_then(parsed))
    }
}

/// Reading all links waits for whoever holds the kernel's network lock, which may be a driver that starts: so it
/// happens beside the runtime's own threads.
pub async fn look() -> io::Result<Vec<News>> {
    let look = || {
        let mut asker = Asker::open(NETLINK_ROUTE)?;
        let mut all = Vec::new();
        for request in [
            RouteNetlinkMessage::GetLink(LinkMessage::default()),
            RouteNetlinkMessage::GetAddress(AddressMessage::default()),
        ] {
            let rows = asker.dump(request.message_type(), &bytes(&request))?;
            all.extend(rows.into_iter().flat_map(news));
        }
        Ok(all)
    };
    tokio::task::spawn_blocking(look).await.map_err(io::Error::other)?
}

fn bytes(message: &RouteNetlinkMessage) -> Vec<u8> {
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

fn parsed((kind, body): Message) -> Option<RouteNetlinkMessage> {
    RouteNetlinkMessage::parse_with_param(&body, kind)
        .inspect_err(|error| tracing::warn!("a message of the kernel was not understood: {error}"))
        .ok()
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn news(message: Message) -> Option<News> {
    use RouteNetlinkMessage::{
        DelAddress, DelLink, DelRoute, DelRule, NewAddress, NewLink, NewNeighbour, NewRoute, NewRule,
    };
    match parsed(message)? {
        NewLink(link) => links::link(&link).map(News::Link),
        DelLink(link) => links::is_whole(&link).then_some(News::LinkGone { index: link.header.index }),
        NewAddress(message) => address(&message),
        DelAddress(message) => Some(News::AddressGone { index: message.header.index, address: own_address(&message)? }),
        NewRoute(_) | DelRoute(_) | NewRule(_) | DelRule(_) => Some(News::Ways),
        NewNeighbour(message) => neighbour(&message),
        _ => None,
    }
}

/// None while an IPv6 address is still being checked for twins, or has one: it cannot be used.
fn address(message: &AddressMessage) -> Option<News> {
    let flags = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Flags(flags) => Some(*flags),
        _ => None,
    });
    let flags = flags.unwrap_or(AddressFlags::from_bits_retain(message.header.flags.bits().into()));
    let unusable = flags.contains(AddressFlags::Dadfailed)
        || flags.contains(AddressFlags::Tentative) && !flags.contains(AddressFlags::Optimistic);
    let address = own_address(message)?;
    (!unusable).then_some(News::Address(Address {
        index: message.header.index,
        address,
        prefix: message.header.prefix_len,
        // The same bit means a second address of the subnet in IPv4.
        temporary: address.is_ipv6() && flags.contains(AddressFlags::Secondary),
    }))
}

/// At the end of a tunnel ADDRESS is the other end's, and LOCAL is ours.
fn own_address(message: &AddressMessage) -> Option<IpAddr> {
    let attributes = || message.attributes.iter();
    let local = attributes().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        attributes().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

fn way(route: &RouteMessage) -> Option<Way> {
    if !matches!(route.header.kind, RouteType::Unicast | RouteType::Local) {
        return None;
    }
    let mut index = None;
    let (mut gateway, mut source) = (None, None);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Oif(oif) => index = Some(*oif),
            RouteAttribute::Gateway(address) => gateway = ip(address),
            // An IPv4 destination by an IPv6 gateway.
            RouteAttribute::Via(RouteVia::Inet(v4)) => gateway = Some(IpAddr::V4(*v4)),
            RouteAttribute::Via(RouteVia::Inet6(v6)) => gateway = Some(IpAddr::V6(*v6)),
            RouteAttribute::PrefSource(address) => source = ip(address),
            _ => {}
        }
    }
    Some(Way { index: index?, gateway, source })
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

fn neighbour(message: &NeighbourMessage) -> Option<News> {
    let address = message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => Some(IpAddr::V4(*v4)),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => Some(IpAddr::V6(*v6)),
        _ => None,
    })?;
    Some(News::Neighbour { index: message.header.ifindex, address, state: reachability(message.header.state)? })
}

fn reachability(state: NeighbourState) -> Option<Reachability> {
    match state {
        NeighbourState::Reachable => Some(Reachability::Reachable),
        // Still used, and renewed while it is.
        NeighbourState::Stale | NeighbourState::Delay | NeighbourState::Probe => Some(Reachability::Stale),
        NeighbourState::Incomplete => Some(Reachability::Probing),
        NeighbourState::Failed => Some(Reachability::Failed),
        NeighbourState::Noarp | NeighbourState::Permanent => Some(Reachability::Permanent),
        _ => None,
    }
}

#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;
