//! The engine's UDP ladder against a reflector, with a device between that forgets.

use crate::desk::{Client, Desk, hello};
use crate::nat::{self, Rule};
use engine::lanes::Lanes;
use engine::{Clock, Recorder};
use record::fact::{ConnectStage, End, Lane, LaneSight, Manner, Opened, Side, Sight, Signaling, Trouble, UdpRung};
use record::profile::{self, Span};
use record::wire::datagram::{Datagram, FromClient, FromFar, Key};
use record::wire::{self, LaneGate};
use record::{Event, Fact};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedReceiver;

const MS: Duration = Duration::from_millis(1);

struct Ladder {
    desk: Desk,
    call: Client,
    lanes: Lanes,
    noted: UnboundedReceiver<Arc<Event>>,
    log: Vec<Arc<Event>>,
}

async fn gate(desk: &Desk) -> (Client, LaneGate) {
    let mut call = desk.socket().await;
    call.say(&hello(None, None)).await;
    match call.welcome().await.whole {
        wire::FromFar::Welcome { lanes: Some(gate), .. } => (call, gate),
        other => panic!("{other:?}"),
    }
}

/// As the session does it: the lanes begin, signaling reaches the far end, the far end lets lanes in.
async fn climb(rungs: &[u64], before: impl AsyncFnOnce(SocketAddr) -> SocketAddr) -> Ladder {
    let desk = Desk::plain().await;
    let (call, mut gate) = gate(&desk).await;
    let port = gate.udp.expect("its own number is free for UDP");
    assert_eq!(port, desk.at.port());
    let at = before(SocketAddr::new(desk.at.ip(), port)).await;
    let mut profile =
        profile::read(format!("for = \"60s\"\n[signaling]\nurl = \"ws://{at}/call\"").as_bytes()).unwrap();
    profile.lanes = profile::Lanes::none();
    profile.lanes.udp_ladder = rungs.iter().map(|ms| Span::parse(&format!("{ms}ms")).unwrap()).collect();
    let recorder = Recorder::unwritten(Clock::real());
    let noted = recorder.listen();
    let mut lanes = Lanes::begin(&profile, &recorder);
    recorder.note(Signaling::TcpConnected { conn: 1, local: at.into(), remote: at.into(), took_ms: 0.1 });
    gate.udp = Some(at.port());
    lanes.let_in(Some(gate), &[]);
    Ladder { desk, call, lanes, noted, log: vec![] }
}

/// What a lane was, and what became of it.
#[derive(Debug)]
struct Told {
    rung: UdpRung,
    lane: u32,
    facts: Vec<Lane>,
}

impl Told {
    fn survived(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Lane::Proved { by: Side::Them, .. }))
    }
    fn died(&self) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Lane::Ended { at_proof: true, end: End::Silence { .. }, .. }))
    }
    fn ports(&self) -> Vec<u16> {
        let seen = self.facts.iter().filter_map(|fact| match fact {
            Lane::SeenFrom { public, .. } => Some(public.port()),
            _ => None,
        });
        seen.collect()
    }
}

impl Ladder {
    fn told(&mut self) -> Vec<Told> {
        self.log.extend(std::iter::from_fn(|| self.noted.try_recv().ok()));
        let mut lanes: Vec<Told> = vec![];
        for event in &self.log {
            let Fact::Lane(fact) = &event.fact else { continue };
            if let Lane::Opening { lane, manner: Manner::QuietUdp(rung), .. } = fact {
                lanes.push(Told { rung: *rung, lane: *lane, facts: vec![] });
                continue;
            }
            let (Lane::Stands { lane, .. }
            | Lane::Failed { lane, .. }
            | Lane::SeenFrom { lane, .. }
            | Lane::Proved { lane, .. }
            | Lane::Ended { lane, .. }
            | Lane::Done { lane }) = fact
            else {
                panic!("{fact:?}")
            };
            lanes.iter_mut().find(|told| told.lane == *lane).expect("it was opened").facts.push(fact.clone());
        }
        lanes
    }

    async fn until(&mut self, what: &str, is: impl Fn(&[Told]) -> bool) -> Vec<Told> {
        for _ in 0..600 {
            let told = self.told();
            if is(&told) {
                return told;
            }
            tokio::time::sleep(50 * MS).await;
        }
        panic!("{what} did not come within 30 s: {:#?}", self.told());
    }

    async fn close(mut self) {
        self.lanes.end().await;
        drop(self.call);
        self.desk.close().await;
    }
}

fn first_pass(told: &[Told], opened_by: Opened) -> Vec<(f64, bool, bool)> {
    let of_kind = told.iter().filter(|told| told.rung.pass == 1 && told.rung.opened_by == opened_by);
    of_kind.map(|told| (told.rung.quiet_ms, told.survived(), told.died())).collect()
}

/// The longest silence that was survived and the shortest that was not.
fn bracket(told: &[Told], opened_by: Opened) -> (f64, f64) {
    let of_kind = || told.iter().filter(|told| told.rung.opened_by == opened_by);
    let survived = of_kind().filter(|told| told.survived()).map(|told| told.rung.quiet_ms).fold(0.0, f64::max);
    let died = of_kind().filter(|told| told.died()).map(|told| told.rung.quiet_ms).fold(f64::MAX, f64::min);
    (survived, died)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_forgets_is_bracketed_and_narrowed_for_each_kind_of_mapping_on_its_own() {
    let rule = Rule { one_packet: 700 * MS, stream: 1700 * MS, same_port: false };
    let mut ladder = climb(&[400, 1000, 1400, 2000], async |far| nat::stand(far, rule).await).await;
    let narrowed = |told: &[Told], kind| {
        told.iter().filter(|t| t.rung.opened_by == kind && t.rung.pass == 2 && t.survived() | t.died()).count() >= 8
    };
    let told = ladder
        .until("the second pass", |told| narrowed(told, Opened::Stream) && narrowed(told, Opened::OnePacket))
        .await;
    assert_eq!(
        first_pass(&told, Opened::Stream),
        [(400.0, true, false), (1000.0, true, false), (1400.0, true, false), (2000.0, false, true)]
    );
    assert_eq!(
        first_pass(&told, Opened::OnePacket),
        [(400.0, true, false), (1000.0, false, true), (1400.0, false, true), (2000.0, false, true)]
    );
    for (kind, limit) in [(Opened::Stream, 1700.0), (Opened::OnePacket, 700.0)] {
        let (survived, died) = bracket(&told, kind);
        // Of 600 ms, in nine parts; the device and we count on a machine that is busy with other tests.
        assert!(survived < limit + 60.0 && died > limit - 60.0 && died - survived < 200.0, "{survived} to {died}");
    }
    for dead in told.iter().filter(|told| told.died()) {
        let ports = dead.ports();
        match dead.rung.opened_by {
            Opened::Stream => assert!(ports.len() == 2 && ports[0] != ports[1], "{dead:?}"),
            Opened::OnePacket => assert_eq!(ports.len(), 1, "nobody had told us before: {dead:?}"),
        }
    }
    ladder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_is_made_anew_with_the_same_port_is_told_from_one_that_is_not() {
    let rule = Rule { one_packet: 500 * MS, stream: 500 * MS, same_port: true };
    let mut ladder = climb(&[300, 900], async |far| nat::stand(far, rule).await).await;
    let told =
        ladder.until("a death", |told| told.iter().any(|t| t.rung.opened_by == Opened::Stream && t.died())).await;
    let dead = told.iter().find(|told| told.rung.opened_by == Opened::Stream && told.died()).unwrap();
    assert_eq!(dead.ports().len(), 1, "seen from one port all the time: {dead:?}");
    let ended = dead.facts.iter().find_map(|fact| match fact {
        Lane::Ended { quiet_ms, age_ms, last_in, last_out, .. } => Some((*quiet_ms, *age_ms, *last_in, *last_out)),
        _ => None,
    });
    let (quiet_ms, age_ms, last_in, last_out) = ended.unwrap();
    assert_eq!(quiet_ms, 900.0, "the silence that was asked for, and not the time until we found out");
    assert!(age_ms >= 2900.0 && last_in >= last_out, "{age_ms}");
    ladder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_device_every_silence_is_survived_and_the_far_end_says_what_it_saw() {
    let mut ladder = climb(&[200, 500], async |far| far).await;
    let done =
        |told: &[Told]| told.len() == 4 && told.iter().all(|t| matches!(t.facts.last(), Some(Lane::Done { .. })));
    let told = ladder.until("the whole ladder", done).await;
    for lane in &told {
        let proof = lane.facts.iter().find_map(|fact| match fact {
            Lane::Proved { quiet_ms, rtt_ms, .. } => Some((*quiet_ms, *rtt_ms)),
            _ => None,
        });
        let (quiet_ms, rtt_ms) = proof.expect("survived");
        assert!(quiet_ms >= lane.rung.quiet_ms - 50.0 && quiet_ms < lane.rung.quiet_ms + 300.0, "{quiet_ms}");
        assert!(rtt_ms < 300.0);
    }
    let mut stood = vec![];
    while stood.len() < 4 {
        if let Sight::Lane { lane, sight: LaneSight::Stood { from } } = ladder.call.sight().await {
            let ours = told.iter().find(|told| told.lane == lane).expect("a lane of ours");
            assert!(ours.ports().iter().all(|port| *port == from.port()));
            stood.push(lane);
        }
    }
    ladder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_udp_does_not_get_through_the_first_rung_says_so_and_no_other_is_tried() {
    let hole = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut ladder = climb(&[200, 500], async |_| hole.local_addr().unwrap()).await;
    let told = ladder.until("the failure", |told| told.iter().any(|told| !told.facts.is_empty())).await;
    let [Told { facts, .. }] = &told[..] else { panic!("{told:?}") };
    let [Lane::Failed { stage: ConnectStage::Udp, trouble: Trouble::NoAnswer { waited_ms }, .. }] = facts[..] else {
        panic!("{facts:?}")
    };
    assert!(waited_ms >= 2000.0);
    ladder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_waits_when_the_hold_ends_is_closed_in_order() {
    let mut ladder = climb(&[20_000], async |far| far).await;
    let standing = |told: &[Told]| {
        told.iter().filter(|told| told.facts.iter().any(|fact| matches!(fact, Lane::Stands { .. }))).count() == 2
    };
    ladder.until("both rungs", standing).await;
    ladder.lanes.end().await;
    for told in ladder.told() {
        assert!(matches!(told.facts.last(), Some(Lane::Done { .. })), "{told:?}");
    }
    ladder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_take_each_others_place_at_once_do_not_begin_a_ladder_each() {
    let mut ladder = climb(&[20_000], async |far| far).await;
    ladder.until("the first ladder", |told| told.len() == 2).await;
    let mut calls = vec![];
    for _ in 0..20 {
        tokio::time::sleep(100 * MS).await;
        let (call, next) = gate(&ladder.desk).await;
        ladder.lanes.let_in(Some(next), &[]);
        calls.push(call);
    }
    tokio::time::sleep(300 * MS).await;
    let begun = ladder.told().len();
    assert!(begun <= 4, "{begun} rungs were begun by twenty calls within two seconds");
    ladder.close().await;
}

#[tokio::test]
async fn lanes_and_media_share_a_port_where_they_must() {
    let free = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let desk = Desk::with(|settings| {
        settings.listen.set_port(free);
        settings.media_port = Some(free);
    })
    .await;
    let (_call, gate) = gate(&desk).await;
    assert_eq!(gate.udp, Some(free));
    let key = Key::of(gate.ticket.0.reveal());
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(desk.at).await.unwrap();
    for stray in [&[0u8, 1, 0, 0][..], &[0x80, 111, 0, 1], &[0xf1, b'L', 1], b"", &[0xf1; 400]] {
        socket.send(stray).await.unwrap();
    }
    socket.send(&key.seal(Datagram { nonce: 5, lane: 0, say: FromClient::Echo })).await.unwrap();
    let mut buf = [0; 2048];
    let len = tokio::time::timeout(crate::desk::SOON, socket.recv(&mut buf)).await.expect("an answer").unwrap();
    let answer: Datagram<FromFar> = key.open(&buf[..len]).expect("signed with the ticket");
    let FromFar::Echo { seen, .. } = answer.say else { panic!("{answer:?}") };
    assert_eq!((seen, answer.nonce), (socket.local_addr().unwrap(), 5));
    desk.close().await;
}

#[tokio::test]
async fn where_the_udp_number_is_taken_calls_go_on_without_it_and_the_operator_is_told() {
    let (taken, at) = loop {
        let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = taken.local_addr().unwrap();
        if tokio::net::TcpListener::bind(at).await.is_ok() {
            break (taken, at);
        }
    };
    let reflector = reflector::Reflector::bind(reflector::Settings::listening_on(at)).await.unwrap();
    let warnings = reflector.warnings();
    assert!(
        warnings.iter().any(|says| says.contains(&format!("UDP port {} cannot be opened", at.port()))),
        "{warnings:?}"
    );
    drop(reflector);
    let desk = Desk::with(|settings| settings.listen = at).await;
    let (_call, gate) = gate(&desk).await;
    assert_eq!(gate.udp, None);
    desk.close().await;
    drop(taken);
}

#[tokio::test]
async fn a_reflector_that_ended_leaves_its_port_free() {
    let desk = Desk::plain().await;
    let at = desk.at;
    let (call, gate) = gate(&desk).await;
    assert_eq!(gate.udp, Some(at.port()));
    drop(call);
    desk.close().await;
    UdpSocket::bind(at).await.expect("free again");
}
