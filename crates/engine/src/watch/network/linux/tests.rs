//! Against the real kernel, in a network namespace of its own: this test starts itself again in one.

use super::super::WATCHER;
use super::*;
use crate::{Clock, Recorder};
use record::fact::{Destination, LinkKind, Net, Signaling};
use record::{Event, Fact, Stamp};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// A busy machine included. What is measured on a quiet one is printed.
const PATIENCE: Duration = Duration::from_secs(5);

/// True within the namespace, where the test goes on.
fn is_inside(test: &str) -> bool {
    const INSIDE: &str = "LINEWITNESS_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let may = |args: &[&str]| Command::new("unshare").args(args).output().is_ok_and(|done| done.status.success());
    if !may(&["-Urn", "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far"]) {
        eprintln!("SKIPPED {test}: no user and network namespace with veth, or no iproute2 and util-linux");
        return false;
    }
    let program = std::env::current_exe().expect("this program");
    let path = format!("watch::network::platform::tests::{test}");
    let done = Command::new("unshare")
        .args(["-Urn".as_ref(), program.as_os_str(), "--exact".as_ref(), path.as_ref(), "--nocapture".as_ref()])
        .env(INSIDE, "1")
        .output()
        .expect("unshare runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&done.stderr));
    eprintln!("{said}");
    false
}

struct World {
    recorder: Recorder,
    heard: UnboundedReceiver<Arc<Event>>,
    watching: tokio::task::JoinHandle<String>,
    /// All that was told so far, in words.
    told: Vec<String>,
    since_the_deed: Vec<Arc<Event>>,
}

impl World {
    fn new() -> Self {
        ip("link set lo up");
        ip("link add eth0 type veth peer name far");
        for interface in ["eth0", "far"] {
            // Without it each change is followed by those of IPv6, a second or two later.
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"), "1").expect("a sysctl");
        }
        let recorder = Recorder::unwritten(Clock::real());
        let heard = recorder.listen();
        let watching = tokio::spawn((WATCHER.run)(recorder.clone()));
        Self { recorder, heard, watching, told: vec![], since_the_deed: vec![] }
    }

    /// The stamp of the first fact that fits, of those since the last deed began. Two facts of one deed come in the order
    /// in which the kernel carries it out, which is not always the same.
    async fn fact(&mut self, what: &str, fits: impl Fn(&Net) -> bool) -> Stamp {
        if let Some(event) = self.since_the_deed.iter().find(|event| is(event, &fits)) {
            return event.at;
        }
        let (told, since_the_deed) = (&mut self.told, &mut self.since_the_deed);
        let wait = async {
            loop {
                let event = self.heard.recv().await.expect("the recorder lives");
                told.push(format!("{:?}", event.fact));
                since_the_deed.push(Arc::clone(&event));
                if is(&event, &fits) {
                    return event.at;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(at) => at,
            Err(_) => panic!("{what}: not told within {PATIENCE:?}; told was {:#?}", self.told),
        }
    }

    /// From before the deed was begun, so that the time to start `ip` is within.
    async fn after(&mut self, deed: &str, fits: impl Fn(&Net) -> bool) {
        self.since_the_deed.clear();
        let before = self.recorder.now();
        ip(deed);
        let done = self.recorder.now();
        let told = self.fact(deed, fits).await;
        let ms = |d: Duration| record::millis(d);
        println!(
            "{deed}: told {:.1} ms after it began ({:.1} ms to carry out)",
            ms(told.since(before)),
            ms(done.since(before))
        );
    }
}

fn is(event: &Event, fits: impl Fn(&Net) -> bool) -> bool {
    matches!(&event.fact, Fact::Net(net) if fits(net))
}

fn ip(args: &str) {
    let done = Command::new("ip").args(args.split(' ')).output().expect("ip runs");
    assert!(done.status.success(), "ip {args}: {}", String::from_utf8_lossy(&done.stderr));
}

fn eth0(name: &record::Heard) -> bool {
    name.as_str() == "eth0"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_an_interface_is_told_at_once() {
    if !is_inside("what_happens_to_an_interface_is_told_at_once") {
        return;
    }
    let mut world = World::new();
    let begun = world.recorder.now();
    let first = world.fact("first", |net| matches!(net, Net::Link { found: true, .. })).await;
    println!("first fact {:.1} ms after the start", record::millis(first.since(begun)));
    world.fact("no way", |net| matches!(net, Net::Route { to: Destination::Ipv6, after: None, found: true, .. })).await;

    world
        .after(
            "link set eth0 up",
            |net| matches!(net, Net::Link { name, up: true, carrier: false, found: false, .. } if eth0(name)),
        )
        .await;
    world.after("link set far up", |net| matches!(net, Net::Link { name, carrier: true, .. } if eth0(name))).await;
    // With its first address it turns out to be the cable.
    world
        .after(
            "addr add 10.9.0.2/24 dev eth0",
            |net| matches!(net, Net::Link { name, kind: LinkKind::Wired, .. } if eth0(name)),
        )
        .await;
    world.fact("address", |net| matches!(net, Net::Address { prefix: 24, found: false, .. })).await;
    let via = |last: u8| {
        move |net: &Net| match net {
            Net::Route { to: Destination::Ipv4, after: Some(hop), found: false, .. } => {
                eth0(&hop.interface)
                    && hop.gateway == Some(IpAddr::from([10, 9, 0, last]).into())
                    && hop.source == Some(IpAddr::from([10, 9, 0, 2]).into())
            }
            _ => false,
        }
    };
    world.after("route add default via 10.9.0.1", via(1)).await;
    world.after("route change default via 10.9.0.3", via(3)).await;
    let gateway = |state| move |net: &Net| matches!(net, Net::Neighbour { state: told, .. } if *told == state);
    world
        .after(
            "neigh replace 10.9.0.3 dev eth0 lladdr 02:00:00:00:00:03 nud reachable",
            gateway(Reachability::Reachable),
        )
        .await;
    world.after("neigh change 10.9.0.3 dev eth0 nud failed", gateway(Reachability::Failed)).await;

    let remote = "10.77.0.1:443".parse().expect("an address");
    let local = "10.9.0.2:5000".parse().expect("an address");
    world.recorder.note(Signaling::TcpConnected { conn: 1, local, remote, took_ms: 1.0 });
    world
        .fact("far end", |net| matches!(net, Net::Route { to: Destination::FarEnd, found: true, after: Some(_), .. }))
        .await;
    // A rule moves the way without any route changing.
    let no_far_end = |net: &Net| matches!(net, Net::Route { to: Destination::FarEnd, after: None, found: false, .. });
    let far_end = |net: &Net| matches!(net, Net::Route { to: Destination::FarEnd, after: Some(_), found: false, .. });
    world.after("rule add to 10.77.0.0/16 unreachable", no_far_end).await;
    world.after("rule del to 10.77.0.0/16 unreachable", far_end).await;

    // As VPNs do, two halves go before the default route.
    world.after("tuntap add mode tun tun0", |net| matches!(net, Net::Link { kind: LinkKind::Tunnel, .. })).await;
    ip("addr add 10.8.0.2/24 dev tun0");
    ip("link set tun0 up");
    ip("route add 0.0.0.0/1 dev tun0");
    let tunnelled = |net: &Net| match net {
        Net::Route { to: Destination::Ipv4, after: Some(hop), .. } => {
            hop.kind == LinkKind::Tunnel && hop.gateway.is_none()
        }
        _ => false,
    };
    world.after("route add 128.0.0.0/1 dev tun0", tunnelled).await;
    world.after("link del tun0", via(3)).await;
    world.fact("gone", |net| matches!(net, Net::LinkGone { kind: LinkKind::Tunnel, .. })).await;

    // The kernel says nothing of the routes that go with it.
    let no_way = |net: &Net| matches!(net, Net::Route { to: Destination::Ipv4, after: None, .. });
    world
        .after("link set far down", |net| matches!(net, Net::Link { name, up: true, carrier: false, .. } if eth0(name)))
        .await;
    world.after("link set far up", |net| matches!(net, Net::Link { name, carrier: true, .. } if eth0(name))).await;
    world
        .after(
            "link set eth0 down",
            |net| matches!(net, Net::Link { name, up: false, carrier: false, .. } if eth0(name)),
        )
        .await;
    world.fact("no way", no_way).await;
    world.after("addr del 10.9.0.2/24 dev eth0", |net| matches!(net, Net::AddressGone { .. })).await;
    world
        .after("link del eth0", |net| matches!(net, Net::LinkGone { name, kind: LinkKind::Wired } if eth0(name)))
        .await;
    assert!(!world.watching.is_finished());
}

#[tokio::test]
async fn a_storm_of_containers_is_cut_off_and_what_matters_is_still_told() {
    if !is_inside("a_storm_of_containers_is_cut_off_and_what_matters_is_still_told") {
        return;
    }
    let mut world = World::new();
    world.fact("first", |net| matches!(net, Net::Route { to: Destination::Ipv6, found: true, .. })).await;
    // The runtime has one thread, and the storm holds it up: nobody reads the messages, and most are lost.
    let mut storm = String::new();
    for number in 0..40 {
        storm += &format!("link add v{number} type veth peer name w{number}\n");
    }
    for number in 0..10_000 {
        storm += &format!("addr add 10.5.{}.{}/32 dev lo\n", number / 256, number % 256);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let batch = folder.path().join("storm");
    std::fs::write(&batch, storm).expect("written");
    ip(&format!("-batch {}", batch.display()));
    ip("link set eth0 up");
    let address = |net: &Net| matches!(net, Net::Address { interface, .. } if eth0(interface));
    world.after("addr add 10.9.0.2/24 dev eth0", address).await;
    let told = world.told;
    let blind = |words: &str| told.iter().filter(|told| told.contains("Blind") && told.contains(words)).count();
    assert_eq!((blind("read anew"), blind("more than 60 changes")), (1, 1), "{told:#?}");
    assert!(told.len() <= 80, "{} facts of 10 080 changes", told.len());
    assert!(!world.watching.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ipv6_addresses_are_told_once_they_can_be_used() {
    if !is_inside("ipv6_addresses_are_told_once_they_can_be_used") {
        return;
    }
    let mut world = World::new();
    std::fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0").expect("a sysctl");
    std::fs::write("/proc/sys/net/ipv6/conf/far/disable_ipv6", "0").expect("a sysctl");
    ip("link set far up");
    ip("link set eth0 up");
    let v6 = |net: &Net| matches!(net, Net::Address { address, prefix: 64, temporary: false, .. } if address.to_string().starts_with("fd00:"));
    let before = world.recorder.now();
    ip("addr add fd00::2/64 dev eth0");
    // Checking for twins takes a second or two.
    let told = world.fact("an address", v6).await;
    println!("an IPv6 address can be used {:.0} ms after it was given", record::millis(told.since(before)));
    world.after("-6 route add default via fd00::1", |net| {
        matches!(net, Net::Route { to: Destination::Ipv6, after: Some(hop), found: false, .. } if hop.gateway.is_some())
    }).await;
    world.after("link set eth0 down", |net| matches!(net, Net::Link { up: false, .. })).await;
    world.fact("no way", |net| matches!(net, Net::Route { to: Destination::Ipv6, after: None, .. })).await;
}

#[test]
fn messages_cut_short_anywhere_are_no_harm() {
    let mut asker = Asker::open(NETLINK_ROUTE).expect("netlink");
    let mut count = 0;
    for request in [
        RouteNetlinkMessage::GetLink(LinkMessage::default()),
        RouteNetlinkMessage::GetAddress(AddressMessage::default()),
        RouteNetlinkMessage::GetRoute(RouteMessage::default()),
        RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default()),
    ] {
        for (kind, body) in asker.dump(request.message_type(), &bytes(&request)).expect("the tables") {
            count += usize::from(news((kind, body.clone())).is_some());
            for end in 0..body.len().min(256) {
                let _ = news((kind, body[..end].to_vec()));
            }
            for at in 0..body.len().min(256) {
                let mut forged = body.clone();
                forged[at] ^= 0xff;
                let _ = news((kind, forged));
            }
        }
    }
    assert!(count > 0, "at least the loopback is there");
}
