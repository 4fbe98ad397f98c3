//! Controls against real servers on loopback, which fall silent when they are told to.

use super::*;
use crate::Clock;
use record::fact::{Control, Destination, Hop, LinkKind, Net, Signaling, SocketPurpose};
use record::wire::Sealed;
use record::wire::datagram::{Datagram, FromClient, FromFar, Key};
use record::{Event, Stamp};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::UnboundedReceiver;

mod tcp;
mod udp;

/// Beyond it a test has failed.
const BOUND: Duration = Duration::from_secs(10);
/// What the log must be told within.
const SILENCE_WITHIN: Duration = Duration::from_millis(2_000);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(600);

/// A hold as far as controls know one.
struct Scene {
    recorder: Recorder,
    noted: UnboundedReceiver<Arc<Event>>,
    gate: watch::Sender<Option<LaneGate>>,
    ice_servers: watch::Sender<Vec<IceServer>>,
    tasks: JoinSet<()>,
}

fn profile(to: &str, controls: &[&str]) -> Profile {
    let mut profile = Profile::to(Address::parse(to).unwrap());
    profile.lanes.controls = controls.iter().map(|control| ControlTarget::parse(control).unwrap()).collect();
    profile
}

impl Scene {
    fn begin(profile: &Profile) -> Self {
        let recorder = Recorder::unwritten(Clock::real());
        let noted = recorder.listen();
        let (gate, gate_told) = watch::channel(None);
        let (ice_servers, servers_told) = watch::channel(vec![]);
        let from_call = FromCall { gate: gate_told, ice_servers: servers_told };
        let tasks = begin(profile, &recorder, from_call);
        Self { recorder, noted, gate, ice_servers, tasks }
    }

    /// One asker by itself.
    fn of(recorder: Recorder, manner: Manner, asker: impl Asker + 'static) -> Self {
        let noted = recorder.listen();
        let mut tasks = JoinSet::new();
        tasks.spawn(ask(manner, None, asker, recorder.clone()));
        Self { recorder, noted, gate: watch::channel(None).0, ice_servers: watch::channel(vec![]).0, tasks }
    }

    fn connected(&self, remote: SocketAddr) {
        let to = "a far end".into();
        self.recorder.note(Signaling::Connecting { conn: 1, to, purpose: SocketPurpose::First, proxy: None });
        let local = "127.0.0.1:1".parse().unwrap();
        self.recorder.note(Signaling::TcpConnected { conn: 1, local, remote: remote.into(), took_ms: 1.0 });
    }

    /// The next fact that `wanted` finds something in.
    async fn next<T>(&mut self, wanted: impl Fn(&Fact) -> Option<T>) -> (Stamp, T) {
        let found = async {
            loop {
                let event = self.noted.recv().await.expect("the recorder lives");
                if let Some(found) = wanted(&event.fact) {
                    return (event.at, found);
                }
            }
        };
        tokio::time::timeout(BOUND, found).await.expect("in time")
    }

    async fn asking(&mut self) -> (ControlKind, String) {
        let asking = |fact: &Fact| match fact {
            Fact::Control(Control::Asking { kind, target, .. }) => Some((*kind, target.as_str().to_owned())),
            _ => None,
        };
        self.next(asking).await.1
    }

    /// Until a sample shows answers.
    async fn answered(&mut self) {
        let answered = |fact: &Fact| match fact {
            Fact::Control(Control::Sample { answered, .. }) if *answered > 0 => Some(()),
            Fact::Control(Control::Silent { .. }) => panic!("{fact:?}"),
            _ => None,
        };
        self.next(answered).await;
    }

    /// Until it is said to be silent: in time, in these words, and whether it was refused.
    async fn silent(&mut self) -> (Stamp, String, bool) {
        let silent = |fact: &Fact| match fact {
            Fact::Control(Control::Silent { asked, says, refused, .. }) => {
                Some((*asked, says.as_str().to_owned(), *refused))
            }
            _ => None,
        };
        let (at, (asked, says, refused)) = self.next(silent).await;
        assert!(at.since(asked) <= SILENCE_WITHIN + SLACK, "said after {:?}", at.since(asked));
        (asked, says, refused)
    }

    async fn back(&mut self) -> Stamp {
        let back = |fact: &Fact| match fact {
            Fact::Control(Control::Back { silent_since, .. }) => Some(*silent_since),
            _ => None,
        };
        self.next(back).await.1
    }

    async fn public(&mut self) -> (SocketAddr, SocketAddr, Option<SocketAddr>) {
        let public = |fact: &Fact| match fact {
            Fact::Net(Net::PublicAddress { local, public, before, .. }) => {
                Some((local.plain()?, public.plain()?, before.and_then(record::IpPort::plain)))
            }
            _ => None,
        };
        self.next(public).await.1
    }
}

fn far_away(controls: &[&str]) -> Vec<Wanted> {
    wanted(&profile("wss://far.example/call", controls))
}

#[test]
fn each_target_is_one_control_or_two_and_none_twice() {
    let name = || "far.example".to_owned();
    assert_eq!(
        far_away(&["gateway", "dns", "far", "far", "dns:far.example"]),
        [
            Wanted::Gateway,
            Wanted::Name(name()),
            Wanted::NameServers(Some(name())),
            Wanted::FarTcp,
            Wanted::FarUdp,
            Wanted::CallsStun
        ]
    );
    let stun = IceUrl::parse("stun:a.example").unwrap();
    assert_eq!(far_away(&["stun:a.example"]), [Wanted::Stun(stun)], "then not the call's own as well");
    assert_eq!(far_away(&[]), []);
    let by_address = wanted(&profile("ws://192.0.2.1:7000/call", &["dns"]));
    assert_eq!(by_address, [Wanted::NameServers(None), Wanted::CallsStun]);
    let here = wanted(&profile("ws://127.0.0.1:7000/call", &["gateway", "dns", "far", "dns:a.example"]));
    assert_eq!(here[0], Wanted::FarTcp, "no gateway stands before this computer itself");
    assert!(here.contains(&Wanted::Name("a.example".into())), "what was named is asked all the same");
}

#[tokio::test]
async fn a_profile_without_controls_asks_nobody() {
    let scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &[]));
    assert!(scene.tasks.is_empty());
}

#[tokio::test]
async fn a_gateway_is_learnt_from_the_route_and_followed_to_another() {
    let mut scene = Scene::begin(&profile("wss://far.example/call", &["gateway"]));
    let route = |gateway: &str| Net::Route {
        to: Destination::Ipv4,
        before: None,
        after: Some(Hop {
            interface: "lo".into(),
            kind: LinkKind::Wired,
            gateway: Some(gateway.parse().unwrap()),
            source: None,
        }),
        found: true,
    };
    scene.recorder.note(route("127.0.0.1"));
    assert_eq!(scene.asking().await, (ControlKind::Gateway, "127.0.0.1".into()));
    scene.answered().await;
    scene.recorder.note(route("127.0.0.2"));
    assert_eq!(scene.asking().await, (ControlKind::Gateway, "127.0.0.2".into()));
    scene.answered().await;
}

/// Counts for as long as the scene lives, and then no more.
#[tokio::test]
async fn everything_ends_with_the_set() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stun = format!("stun:{}", server.local_addr().unwrap());
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &[&stun]));
    let mut buffer = [0; 100];
    let heard = tokio::time::timeout(BOUND, server.recv(&mut buffer)).await;
    heard.expect("a question").unwrap();
    scene.tasks.shutdown().await;
    while server.try_recv(&mut buffer).is_ok() {}
    let more = tokio::time::timeout(Duration::from_millis(1_300), server.recv(&mut buffer)).await;
    assert!(more.is_err(), "nobody asks any more");
}

#[tokio::test]
async fn a_name_is_asked_through_the_system() {
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &["dns:localhost"]));
    assert_eq!(scene.asking().await, (ControlKind::Dns, "localhost".into()));
    scene.answered().await;
}
