//! What STUN servers with a second address can show (RFC 5780), without a far end of our own: whether one socket is seen
//! from the same port by both addresses, and how long a mapping is kept.

use super::Prober;
use super::rung::Came;
use super::{of_kind, rungs};
use crate::Recorder;
use crate::call::wire::{Class, Stun, attribute, method};
use crate::lanes::{ground::Ground, plan, stun};
use crate::line::resolve;
use record::{
    Fact, Heard, Profile, Stamp,
    fact::{Net, Opened, UdpRung},
    profile::{ControlTarget, IceScheme, IceTransport, IceUrl},
};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

mod rung;

pub struct Server {
    at: SocketAddr,
    label: Heard,
}

/// A rung asks by a second socket whether the first one is still reached.
pub const SOCKETS: u32 = 2;

/// Those of a profile are one or two. More would be asked for the same answer.
const MOST_SERVERS: usize = 2;
const RESOLVE_WITHIN: Duration = Duration::from_secs(5);
/// RFC 8489 begins with half a second.
pub const TRIES: [Duration; 3] = [Duration::from_millis(500), Duration::from_millis(1000), Duration::from_millis(1500)];

/// Comes back when nothing more is to be learned.
pub async fn run(ground: Ground) {
    let mut able = None;
    let urls = urls(&ground.profile);
    for url in &urls {
        if let Some(server) = look(url, &ground).await {
            able = able.or(Some(server));
        }
    }
    // A far end that holds lanes answers more exactly, and the sockets are few.
    let rungs = rungs(&ground.profile);
    if plan::far_end_holds_lanes(&ground.profile) || urls.is_empty() || rungs.is_empty() {
        return;
    }
    let Some(server) = able else {
        let why = "no STUN server of the profile answers to another port on request (RFC 5780), so how long UDP mappings \
            are kept was not measured";
        ground.recorder.note(Fact::Blind { watcher: record::Sense::UdpLadder, why: why.into() });
        return;
    };
    of_kind(Opened::Stream, rungs, &ground, &Prober::Stun(&server)).await;
}

/// Over UDP, each once.
pub fn urls(profile: &Profile) -> Vec<IceUrl> {
    let controls = profile.lanes.controls.iter().filter_map(|control| match control {
        ControlTarget::Stun(url) => Some(url.clone()),
        _ => None,
    });
    let servers = profile.ice.servers.iter().flat_map(|server| &server.urls);
    let servers = servers.filter_map(|url| IceUrl::parse(url).ok());
    let plain = |url: &IceUrl| url.scheme == IceScheme::Stun && url.transport == IceTransport::Udp;
    let mut seen = BTreeSet::new();
    let all = controls.chain(servers).filter(plain).filter(|url| seen.insert(url.place()));
    all.take(MOST_SERVERS).collect()
}

/// The server, if a mapping's age can be measured with it. What both of its addresses see is noted.
async fn look(url: &IceUrl, ground: &Ground) -> Option<Server> {
    let place = ground.sockets.udp(SOCKETS).await;
    let at = match resolve::resolve(place.clone(), &url.host, url.port, RESOLVE_WITHIN).await.ok()? {
        Some(found) => *found.first()?,
        None => SocketAddr::new(url.host.parse().ok()?, url.port),
    };
    let server = Server { at, label: Heard::new(&url.to_string()) };
    let socket = socket(at).await.ok()?;
    let first = Asked::of(&socket, at, &ground.recorder).await?;
    // Asked at a place of its own, it would answer from there, which is no second address.
    let other = first.other.filter(|other| other.ip() != at.ip() && is_alike(at.ip(), other.ip()))?;
    let second = SocketAddr::new(other.ip(), at.port());
    note(&first, at, &socket, at, ground).await;
    if let Some(seen) = Asked::of(&socket, second, &ground.recorder).await {
        note(&seen, second, &socket, at, ground).await;
    }
    drop(socket);
    server.answers_elsewhere(ground).await.then_some(server)
}

/// Of the same family, and of the same reach: a server out there must not have us ask around in the network at home.
fn is_alike(server: IpAddr, other: IpAddr) -> bool {
    reach(server).is_some_and(|reach_of_server| reach(other) == Some(reach_of_server))
        && server.is_ipv4() == other.is_ipv4()
}

#[derive(PartialEq)]
enum Reach {
    Computer,
    Link,
    Site,
    World,
}

/// Nothing where it is no one's address.
fn reach(ip: IpAddr) -> Option<Reach> {
    Some(match ip.to_canonical() {
        ip if ip.is_multicast() || ip.is_unspecified() || ip == Ipv4Addr::BROADCAST => return None,
        ip if ip.is_loopback() => Reach::Computer,
        IpAddr::V4(v4) if v4.is_link_local() => Reach::Link,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Reach::Link,
        IpAddr::V4(v4) if v4.is_private() => Reach::Site,
        IpAddr::V6(v6) if v6.is_unique_local() => Reach::Site,
        _ => Reach::World,
    })
}

async fn note(seen: &Asked, server: SocketAddr, socket: &UdpSocket, to: SocketAddr, ground: &Ground) {
    // Without a way there is no address of ours, and no answer either.
    if let Ok(local) = local(socket, to).await {
        let server = Heard::new(&server.to_string());
        ground.recorder.note(Net::PublicAddress {
            server,
            local: local.into(),
            public: seen.mapped.into(),
            before: None,
        });
    }
}

/// Where a socket sends from that is connected to nobody. Connected it would know, and some systems would then not let it
/// send to any address, not even to that one.
pub async fn local(of: &UdpSocket, to: SocketAddr) -> io::Result<SocketAddr> {
    let probe = socket(to).await?;
    probe.connect(to).await?;
    Ok(SocketAddr::new(probe.local_addr()?.ip(), of.local_addr()?.port()))
}

pub async fn socket(to: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match to.is_ipv4() {
        true => (Ipv4Addr::UNSPECIFIED, 0).into(),
        false => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    UdpSocket::bind(any).await
}

/// A Binding request that was answered.
pub struct Asked {
    pub mapped: SocketAddr,
    other: Option<SocketAddr>,
    pub asked: Stamp,
    pub at: Stamp,
}

impl Asked {
    pub async fn of(socket: &UdpSocket, to: SocketAddr, recorder: &Recorder) -> Option<Self> {
        for wait in TRIES {
            let id = stun::new_id().ok()?;
            let asked = recorder.now();
            // What our system refuses now it may send the next time.
            let sent = socket.send_to(&stun::request(method::BINDING, id, &[]), to).await;
            let hearing = hear(socket, to, &id, |stun| {
                let mapped = stun.xor_address(attribute::XOR_MAPPED_ADDRESS)?;
                Some((mapped, stun.plain_address(attribute::OTHER_ADDRESS)))
            });
            match (sent, tokio::time::timeout(wait, hearing).await) {
                (Ok(_), Ok((mapped, other))) => return Some(Self { mapped, other, asked, at: recorder.now() }),
                (Err(_), _) | (_, Err(_)) => {}
            }
        }
        None
    }
}

/// Until a success to this request comes from there that reads as wanted.
pub async fn hear<T>(socket: &UdpSocket, from: SocketAddr, id: &stun::Id, read: impl Fn(&Stun<'_>) -> Option<T>) -> T {
    let mut buf = [0; 1500];
    loop {
        match socket.recv_from(&mut buf).await {
            Ok((len, came_from)) if came_from == from => {
                let answer = stun::answer_to(id, &buf[..len]).filter(|stun| stun.class == Class::Success);
                if let Some(found) = answer.as_ref().and_then(&read) {
                    return found;
                }
            }
            Ok(_) => {}
            // On some systems the echo of a send that reached nobody.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

impl Server {
    /// At once, where every mapping still stands.
    async fn answers_elsewhere(&self, ground: &Ground) -> bool {
        let Ok(socket) = socket(self.at).await else { return false };
        let Some(first) = Asked::of(&socket, self.at, &ground.recorder).await else { return false };
        rung::probe(self, &socket, first.mapped, Duration::ZERO, &ground.recorder).await == rung::Probed::Came
    }

    pub async fn hold(&self, rung: UdpRung, ground: &Ground) -> Came {
        rung::hold(self, rung, ground).await
    }
}

#[cfg(test)]
mod tests;
