//! The way of what was lost: towards whom it led, over which interface and from which address of ours. Media may go
//! elsewhere than signaling: to a relay, or to another address of the service.

use super::{around::NEAR, around::onset, look};
use crate::{
    Drop, Plane,
    timeline::{
        Pair, Socket, Timeline, host,
        networks::{Carrying, LinkWord, Toward, Within},
    },
};
use record::{
    Ip,
    fact::{CandidateKind, LinkKind},
};
use std::time::Duration;

/// A link that fails by and by is told so after some seconds: a radio tries for five.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// Where packets of what was lost went. Only the way to the address that signaling reached is watched by itself; whatever
/// goes elsewhere is judged by the default route.
pub fn toward(timeline: &Timeline, drop: &Drop) -> Toward {
    let ipv6 = our_address(timeline, drop).is_some_and(|address| address.is_ipv6());
    Toward { ipv6, far_end: to_far_end(timeline, drop) }
}

/// What was lost went to the address that signaling reached. Where nothing is known of the media's way, it did.
pub fn to_far_end(timeline: &Timeline, drop: &Drop) -> bool {
    let pair = timeline.pair_at(drop.last_good);
    match (drop.plane, pair, signaling_before(timeline, drop)) {
        (Plane::Media, Some(pair), Some(socket)) => goes_to(timeline, pair, socket),
        _ => true,
    }
}

fn goes_to(timeline: &Timeline, pair: &Pair, (to, reached): (&str, Ip)) -> bool {
    match pair.local_kind {
        CandidateKind::Relay => timeline.relay_of(pair).is_none_or(|server| {
            let server = host(server.as_str());
            server == host(to) || server.trim_matches(['[', ']']).parse() == Ok(reached)
        }),
        _ => pair.remote.ip() == reached,
    }
}

/// Whom signaling reached last before the loss: by name, and by address.
fn signaling_before<'t>(timeline: &'t Timeline, drop: &Drop) -> Option<(&'t str, Ip)> {
    let socket = sockets_before(timeline, drop).find(|socket| socket.tcp.is_some())?;
    Some((socket.to, socket.tcp?.remote.ip()))
}

/// The address that signaling reached.
pub fn far_address(timeline: &Timeline, drop: &Drop) -> Option<Ip> {
    signaling_before(timeline, drop).map(|(_, reached)| reached)
}

/// The latest first. A forged log may hold a million.
fn sockets_before<'t, 'a>(timeline: &'t Timeline<'a>, drop: &Drop) -> impl Iterator<Item = &'t Socket<'a>> {
    const MOST: usize = 32;
    let first_after = timeline.sockets.partition_point(|socket| socket.began.stamp <= drop.last_good);
    timeline.sockets[..first_after].iter().rev().take(MOST)
}

/// "The way to the far end", or what is known of where else it went.
pub fn name(toward: Toward) -> &'static str {
    if toward.far_end { "The way to the far end" } else { "The default route" }
}

/// The address of ours that the lost flow used.
pub fn our_address(timeline: &Timeline, drop: &Drop) -> Option<Ip> {
    let (of_socket, of_pair) = (|| of_socket(timeline, drop), || of_pair(timeline, drop));
    match drop.plane {
        Plane::Signaling => of_socket().or_else(of_pair),
        // A relay's address is not ours; packets leave for it as they do for the far end, if that is by the same interface.
        Plane::Media => of_pair().or_else(|| of_socket().filter(|address| leaves_by_default(timeline, drop, *address))),
    }
}

fn of_socket(timeline: &Timeline, drop: &Drop) -> Option<Ip> {
    Some(look::socket(timeline, drop)?.tcp?.local.ip())
}

fn of_pair(timeline: &Timeline, drop: &Drop) -> Option<Ip> {
    let pair = timeline.pair_at(drop.last_good)?;
    timeline.holder(pair.local.ip(), drop.last_good.minus(NEAR)).map(|_| pair.local.ip())
}

fn leaves_by_default(timeline: &Timeline, drop: &Drop, address: Ip) -> bool {
    let before = drop.last_good.minus(NEAR);
    let toward = Toward { ipv6: address.is_ipv6(), far_end: to_far_end(timeline, drop) };
    let (held, way) = (timeline.holder(address, before), timeline.way_at(toward, before));
    toward.far_end || held.zip(way).is_none_or(|(held, (_, hop))| held.interface == hop.interface.as_str())
}

/// The interface that carried what was lost, shortly before; never this computer's own loop.
pub fn carrying<'a>(timeline: &Timeline<'a>, drop: &Drop) -> Option<Carrying<'a>> {
    let before = onset(timeline, drop)?.earliest();
    let address = our_address(timeline, drop);
    let way = timeline.way_at(toward(timeline, drop), before);
    let held = address.and_then(|address| timeline.holder(address, before));
    let found = match (held, way) {
        (Some(held), way) => {
            let hop = way.map(|(_, hop)| hop).filter(|hop| hop.interface.as_str() == held.interface);
            let kind = hop.map(|hop| hop.kind).or_else(|| timeline.link_kind(held.interface));
            Carrying {
                seq: held.at.seq,
                interface: held.interface,
                kind: kind.unwrap_or(LinkKind::Other),
                gateway: hop.and_then(|hop| hop.gateway),
            }
        }
        (None, Some((at, hop))) => {
            Carrying { seq: at.seq, interface: hop.interface.as_str(), kind: hop.kind, gateway: hop.gateway }
        }
        (None, None) => return None,
    };
    (found.kind != LinkKind::Loopback).then_some(found)
}

/// Signaling and media are known to have gone over two interfaces: what became of the one says nothing of the other.
pub fn apart(timeline: &Timeline, drop: &Drop) -> bool {
    let before = drop.last_good.minus(NEAR);
    let holder = |address: Option<Ip>| Some(timeline.holder(address?, before)?.interface);
    let stood = |socket: &&Socket| {
        socket.ready.is_some_and(|ready| ready.at.stamp <= drop.last_good)
            && socket.closed.is_none_or(|closed| closed.at.stamp > drop.last_good)
    };
    let signaling = match drop.plane {
        Plane::Signaling => of_socket(timeline, drop),
        Plane::Media => sockets_before(timeline, drop).find(stood).and_then(|socket| Some(socket.tcp?.local.ip())),
    };
    let media = timeline.pair_at(drop.last_good).map(|pair| pair.local.ip());
    holder(signaling).zip(holder(media)).is_some_and(|(signaling, media)| signaling != media)
}

/// What the interface kept while all was lost: "its link and its address", where that was seen.
pub fn kept(timeline: &Timeline, drop: &Drop, interface: &str) -> Option<&'static str> {
    let onset = onset(timeline, drop)?;
    let within = Within::any(onset.earliest(), onset.bad.plus(TOLD_WITHIN));
    let stands = timeline.link_at(interface, within.to).is_some_and(|state| state.word == LinkWord::Stands);
    if !stands || timeline.link_lost(interface, within).is_some() {
        return None;
    }
    let address = our_address(timeline, drop);
    match address.and_then(|address| timeline.holder(address, within.to)) {
        Some(held) if held.interface == interface => Some("its link and its address"),
        _ => Some("its link"),
    }
}

/// The address of ours that what was lost uses since it came back.
pub fn our_address_later(timeline: &Timeline, drop: &Drop) -> Option<Ip> {
    let restored = drop.restored?;
    match drop.plane {
        Plane::Media => timeline.pair_at(restored.plus(NEAR)).map(|pair| pair.local.ip()),
        Plane::Signaling => {
            let old = look::socket(timeline, drop)?;
            let renewed = timeline.next_ready(restored, old.conn).filter(|(_, ready)| ready.at.stamp == restored);
            Some(renewed.map_or(old, |(socket, _)| socket).tcp?.local.ip())
        }
    }
}

/// The far end's addresses, as a rule of a firewall or of a VPN names them.
pub fn far_hosts(timeline: &Timeline) -> String {
    let socket = timeline.sockets.iter().rev().find_map(|socket| Some(socket.tcp?.remote.ip()));
    // What goes by a relay of ours never meets the far end's address here.
    let relay = timeline.pairs.last().and_then(|pair| timeline.relay_of(pair));
    if let (Some(socket), Some(relay)) = (socket, relay) {
        return format!("{socket} and {relay}");
    }
    let media = timeline.pairs.last().map(|pair| pair.remote.ip());
    match (socket, media) {
        (Some(socket), Some(media)) if socket != media => format!("{socket} and {media}"),
        (Some(one), _) | (None, Some(one)) => one.to_string(),
        (None, None) => look::far(timeline),
    }
}
