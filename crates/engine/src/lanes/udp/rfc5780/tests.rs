//! Against a small STUN server with two addresses, which forgets where a socket was seen as a device on the way would.
#![cfg(target_os = "linux")] // Elsewhere loopback has one address.

use super::*;
use crate::Clock;
use crate::call::wire::{self, Kind};
use record::fact::{End, Lane};
use record::{Event, profile};
use rtc::stun::attributes::AttrType;
use rtc::stun::message::{CLASS_SUCCESS_RESPONSE, METHOD_BINDING, Message, MessageType, TransactionId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
struct Behaves {
    forgets_after: Duration,
    has_other: bool,
    takes_port: bool,
}

fn plain(address: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(v4) = address else { panic!("a test of IPv4") };
    [&[0, 1][..], &v4.port().to_be_bytes(), &v4.ip().octets()].concat()
}

fn xored(address: SocketAddr) -> Vec<u8> {
    let mut bytes = plain(address);
    for (n, byte) in bytes[2..4].iter_mut().enumerate() {
        *byte ^= wire::COOKIE[n];
    }
    for (n, byte) in bytes[4..].iter_mut().enumerate() {
        *byte ^= wire::COOKIE[n];
    }
    bytes
}

async fn server(behaves: Behaves) -> SocketAddr {
    let first = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = first.local_addr().unwrap();
    let other = SocketAddr::new("127.0.0.2".parse().unwrap(), at.port());
    let second = UdpSocket::bind(other).await.unwrap();
    let seen: Arc<Mutex<BTreeMap<u16, Stamp>>> = Arc::default();
    for socket in [first, second] {
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut buf = [0; 1500];
            while let Ok((len, from)) = socket.recv_from(&mut buf).await {
                let Kind::Stun(asked) = wire::look(&buf[..len]) else { continue };
                let mut message = Message::new();
                message.transaction_id = TransactionId(asked.id);
                message.typ = MessageType::new(METHOD_BINDING, CLASS_SUCCESS_RESPONSE);
                message.write_header();
                message.add(AttrType(attribute::XOR_MAPPED_ADDRESS), &xored(from));
                if behaves.has_other {
                    message.add(AttrType(attribute::OTHER_ADDRESS), &plain(SocketAddr::new(other.ip(), 3479)));
                }
                let port = asked.attribute(attribute::RESPONSE_PORT).filter(|_| behaves.takes_port);
                let port = port.map_or(from.port(), |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
                let last = seen.lock().unwrap().get(&port).copied();
                if port != from.port()
                    && last.is_none_or(|last| Clock::real().now().since(last) > behaves.forgets_after)
                {
                    continue;
                }
                seen.lock().unwrap().insert(from.port(), Clock::real().now());
                socket.send_to(&message.raw, SocketAddr::new(from.ip(), port)).await.unwrap();
            }
        });
    }
    at
}

fn ground(at: SocketAddr, kind: &str) -> (Ground, UnboundedReceiver<Arc<Event>>) {
    let text = format!(
        "for = \"60s\"\n[signaling]\nkind = \"{kind}\"\nurl = \"ws://far.example\"\n[[ice.servers]]\nurls = [\"stun:{at}\"]"
    );
    let mut profile = profile::read(text.as_bytes()).unwrap();
    profile.lanes = profile::Lanes::none();
    profile.lanes.udp_ladder = ["500ms", "1500ms"].map(|rung| rung.parse().unwrap()).to_vec();
    let recorder = Recorder::unwritten(Clock::real());
    let noted = recorder.listen();
    let servers = watch::channel(profile.ice.servers.clone()).1;
    (Ground::new(recorder, profile, watch::channel(None).1, servers), noted)
}

fn facts(noted: &mut UnboundedReceiver<Arc<Event>>) -> Vec<Fact> {
    std::iter::from_fn(|| noted.try_recv().ok()).map(|event| event.fact.clone()).collect()
}

#[tokio::test]
async fn a_mapping_that_is_forgotten_is_found_without_a_far_end_of_our_own() {
    let at = server(Behaves { forgets_after: 1000 * MS, has_other: true, takes_port: true }).await;
    let (ground, mut noted) = ground(at, "janus");
    // Narrowing goes on for longer than a test should.
    assert!(tokio::time::timeout(7500 * MS, run(ground)).await.is_err());
    let facts = facts(&mut noted);
    let seen: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Net(Net::PublicAddress { server, local, public, .. }) => Some((server.as_str(), *local, *public)),
            _ => None,
        })
        .collect();
    let second = format!("127.0.0.2:{}", at.port());
    assert_eq!(seen.iter().map(|(server, ..)| *server).collect::<Vec<_>>(), [&at.to_string(), &second]);
    assert!(seen.iter().all(|(_, local, public)| local == public && *local == seen[0].1), "one socket: {seen:?}");
    let proved = facts.iter().filter_map(|fact| match fact {
        Fact::Lane(Lane::Proved { quiet_ms, .. }) => Some(*quiet_ms),
        _ => None,
    });
    let ended = facts.iter().filter_map(|fact| match fact {
        Fact::Lane(Lane::Ended { quiet_ms, at_proof: true, end: End::Silence { .. }, .. }) => Some(*quiet_ms),
        _ => None,
    });
    let (proved, ended) = (proved.fold(0.0, f64::max), ended.fold(f64::MAX, f64::min));
    assert!((500.0..1100.0).contains(&proved), "{proved}");
    assert!(ended > 900.0 && ended <= 1500.0, "{ended}");
}

#[tokio::test]
async fn a_server_that_cannot_is_said_not_to() {
    for (has_other, takes_port) in [(false, false), (true, false)] {
        let at = server(Behaves { forgets_after: 1000 * MS, has_other, takes_port }).await;
        let (ground, mut noted) = ground(at, "janus");
        run(ground).await;
        let facts = facts(&mut noted);
        let blind = |fact: &Fact| matches!(fact, Fact::Blind { watcher, .. } if *watcher == record::Sense::UdpLadder);
        assert!(facts.iter().any(blind), "{facts:?}");
        assert!(!facts.iter().any(|fact| matches!(fact, Fact::Lane(_))), "{facts:?}");
        let addresses = facts.iter().filter(|fact| matches!(fact, Fact::Net(_))).count();
        assert_eq!(addresses, if has_other { 2 } else { 0 });
    }
}

#[tokio::test]
async fn a_far_end_that_holds_lanes_measures_better() {
    let at = server(Behaves { forgets_after: 1000 * MS, has_other: true, takes_port: true }).await;
    let (ground, mut noted) = ground(at, "reflector");
    run(ground).await;
    assert!(facts(&mut noted).iter().all(|fact| matches!(fact, Fact::Net(_))));
}

#[test]
fn a_second_address_that_leads_elsewhere_than_the_first_is_none() {
    let alike = |server: &str, other: &str| is_alike(server.parse().unwrap(), other.parse().unwrap());
    for (server, other) in
        [("203.0.113.1", "198.51.100.1"), ("192.168.1.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::2")]
    {
        assert!(alike(server, other), "{server} {other}");
    }
    for other in
        ["127.0.0.1", "192.168.1.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "0.0.0.0", "2001:db8::1"]
    {
        assert!(!alike("203.0.113.1", other), "{other}");
    }
    for other in ["::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:192.168.1.1", "203.0.113.1"] {
        assert!(!alike("2001:db8::1", other), "{other}");
    }
}
