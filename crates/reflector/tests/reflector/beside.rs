//! The engine's lanes against a reflector, with a device between that ends connections by a rule of its own.

use crate::desk::{Client, Desk, hello};
use engine::lanes::Lanes;
use engine::{Clock, Recorder};
use record::fact::{ConnectStage, End, Far, Lane, Manner, Rung, RungCarrier, Side, Sight, Signaling, Stirred, Trouble};
use record::profile::{self, Span};
use record::wire::FromFar;
use record::{Event, Fact, Profile};
use reflector::TlsFiles;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
pub enum Rule {
    /// Without a byte either way for so long.
    FinAfterIdle(Duration),
    ResetAfterIdle(Duration),
    /// It forgets the connection and goes on acknowledging.
    ForgetAfterIdle(Duration),
    FinAtAge(Duration),
    /// Only what the far end sends counts, as with a proxy that waits for its upstream.
    FinWithoutTheirs(Duration),
}

/// Forwards to `far` by that rule.
pub async fn device(far: SocketAddr, rule: Rule) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, far, rule));
        }
    });
    at
}

async fn forward(mut client: TcpStream, far: SocketAddr, rule: Rule) {
    let Ok(mut far) = TcpStream::connect(far).await else { return };
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    let age = if let Rule::FinAtAge(age) = rule { age } else { Duration::MAX / 4 };
    let end_of_life = tokio::time::sleep(age);
    tokio::pin!(end_of_life);
    let idle = match rule {
        Rule::FinAfterIdle(idle)
        | Rule::ResetAfterIdle(idle)
        | Rule::ForgetAfterIdle(idle)
        | Rule::FinWithoutTheirs(idle) => idle,
        Rule::FinAtAge(_) => Duration::MAX / 4,
    };
    let mut timer = Box::pin(tokio::time::sleep(idle));
    loop {
        tokio::select! {
            n = client.read(&mut up) => match n {
                Ok(n) if n > 0 && far.write_all(&up[..n]).await.is_ok() => {
                    if !matches!(rule, Rule::FinWithoutTheirs(_)) {
                        timer = Box::pin(tokio::time::sleep(idle));
                    }
                }
                _ => return,
            },
            n = far.read(&mut down) => match n {
                Ok(n) if n > 0 && client.write_all(&down[..n]).await.is_ok() => {
                    timer = Box::pin(tokio::time::sleep(idle));
                }
                _ => return,
            },
            () = &mut timer => break,
            () = &mut end_of_life => return,
        }
    }
    match rule {
        Rule::ResetAfterIdle(_) => socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap(),
        Rule::ForgetAfterIdle(_) => while client.read(&mut up).await.is_ok_and(|n| n > 0) {},
        _ => {}
    }
}

/// Lanes beside a call that does not go through the device.
struct Beside {
    desk: Desk,
    _call: Client,
    lanes: Lanes,
    noted: UnboundedReceiver<Arc<Event>>,
    log: Vec<Arc<Event>>,
}

pub fn profile(url: &str, rungs: &[u64], lanes: impl FnOnce(&mut profile::Lanes)) -> Profile {
    let mut profile = profile::read(format!("for = \"60s\"\n[signaling]\nurl = \"{url}\"").as_bytes()).unwrap();
    profile.lanes = profile::Lanes::none();
    profile.lanes.quiet_ladder = rungs.iter().map(|ms| Span::parse(&format!("{ms}ms")).unwrap()).collect();
    lanes(&mut profile.lanes);
    profile
}

async fn beside(rule: Rule, rungs: &[u64], lanes: impl FnOnce(&mut profile::Lanes)) -> Beside {
    let desk = Desk::plain().await;
    let mut call = desk.socket().await;
    call.say(&hello(None, None)).await;
    let FromFar::Welcome { lanes: gate, .. } = call.welcome().await.whole else { unreachable!() };
    let recorder = Recorder::unwritten(Clock::real());
    let noted = recorder.listen();
    let at = device(desk.at, rule).await;
    let mut lanes = Lanes::begin(&profile(&format!("ws://{at}/call"), rungs, lanes), &recorder);
    lanes.let_in(gate, &[]);
    Beside { desk, _call: call, lanes, noted, log: vec![] }
}

impl Beside {
    fn collect(&mut self) {
        self.log.extend(std::iter::from_fn(|| self.noted.try_recv().ok()));
    }

    /// Until the facts say so.
    async fn until(&mut self, what: &str, enough: impl Fn(&[Told]) -> bool) {
        for _ in 0..600 {
            self.collect();
            if enough(&told(&self.log)) {
                return;
            }
            tokio::time::sleep(50 * MS).await;
        }
        panic!("{what} did not come within 30 s: {:#?}", told(&self.log));
    }

    async fn end(mut self) -> Vec<Told> {
        self.lanes.end().await;
        self.collect();
        self.desk.close().await;
        told(&self.log)
    }
}

/// One lane, and what became of it.
#[derive(Clone, Debug)]
struct Told {
    manner: Manner,
    ends: Vec<Lane>,
}

impl Told {
    fn rung(&self) -> Option<Rung> {
        match self.manner {
            Manner::Quiet(rung) => Some(rung),
            _ => None,
        }
    }
    fn proved(&self) -> Option<f64> {
        self.ends.iter().find_map(|fact| match fact {
            Lane::Proved { quiet_ms, .. } => Some(*quiet_ms),
            _ => None,
        })
    }
    fn ended(&self) -> Option<(&End, f64, f64, bool)> {
        self.ends.iter().find_map(|fact| match fact {
            Lane::Ended { end, quiet_ms, age_ms, at_proof, .. } => Some((end, *quiet_ms, *age_ms, *at_proof)),
            _ => None,
        })
    }
    fn is_over(&self) -> bool {
        self.ends.iter().any(|fact| matches!(fact, Lane::Ended { .. } | Lane::Done { .. } | Lane::Failed { .. }))
    }
}

fn told(log: &[Arc<Event>]) -> Vec<Told> {
    let mut lanes: BTreeMap<u32, Told> = BTreeMap::new();
    for event in log {
        let Fact::Lane(fact) = &event.fact else { continue };
        match fact {
            Lane::Opening { lane, manner, .. } => {
                lanes.insert(*lane, Told { manner: *manner, ends: vec![] });
            }
            Lane::Stands { lane, .. }
            | Lane::Failed { lane, .. }
            | Lane::SeenFrom { lane, .. }
            | Lane::Sample { lane, .. }
            | Lane::Silent { lane, .. }
            | Lane::Back { lane, .. }
            | Lane::Proved { lane, .. }
            | Lane::Ended { lane, .. }
            | Lane::Done { lane } => lanes.get_mut(lane).expect("it was opened").ends.push(fact.clone()),
        }
    }
    lanes.into_values().collect()
}

/// Every rung that nothing stirs is over, and one pass more would have begun by now.
fn ladder_is_over(lanes: &[Told]) -> bool {
    let rungs: Vec<_> = lanes.iter().filter(|lane| lane.rung().is_some()).collect();
    rungs.iter().any(|lane| lane.rung().is_some_and(|rung| rung.pass > 1)) && rungs.iter().all(|lane| lane.is_over())
}

fn plain(lane: &&Told) -> bool {
    let plain = |rung: Rung| {
        rung.stirred == Stirred::Not && rung.proved_by == Side::Us && rung.carrier == RungCarrier::Websocket
    };
    lane.rung().is_some_and(plain)
}

/// The longest silence that was survived, the shortest that was not.
fn bracket(lanes: &[Told]) -> (f64, f64) {
    let survived = lanes.iter().filter(plain).filter_map(Told::proved).fold(0.0, f64::max);
    let died = lanes.iter().filter(plain).filter_map(|lane| Some(lane.ended()?.1)).fold(f64::MAX, f64::min);
    (survived, died)
}

fn stirred(lanes: &[Told], which: impl Fn(Stirred) -> bool) -> Told {
    let found = lanes.iter().find(|lane| lane.rung().is_some_and(|rung| which(rung.stirred)));
    found.expect("it was opened").clone()
}

#[tokio::test]
async fn an_idle_limit_that_ends_with_a_fin_is_found_by_silence_and_confirmed() {
    let mut beside = beside(Rule::FinAfterIdle(1500 * MS), &[1000, 1300, 2200, 3000], |_| {}).await;
    beside.until("the end of the ladder", ladder_is_over).await;
    let lanes = beside.end().await;
    let (survived, died) = bracket(&lanes);
    assert!((1440.0..1500.0).contains(&survived), "{survived}");
    assert!((1499.0..1600.0).contains(&died), "{died}");
    let ends: Vec<_> = lanes.iter().filter_map(Told::ended).collect();
    assert!(ends.len() >= 6, "two of the first pass, and each side and carrier of the second: {ends:?}");
    assert!(ends.iter().all(|(end, _, _, at_proof)| **end == End::Fin && !at_proof), "{ends:?}");
    assert!(lanes.iter().any(|lane| lane.rung().is_some_and(|rung| rung.carrier == RungCarrier::Tcp)));
    // Half of the shortest rung is what the profile allows, and a second is the least.
    for which in [|s| matches!(s, Stirred::ByUs { .. }), |s| matches!(s, Stirred::ByThem { .. })] {
        assert!(stirred(&lanes, which).proved().is_some(), "stirred, it lives");
    }
    assert!(
        stirred(&lanes, |s| matches!(s, Stirred::ByKeepalive { .. })).ended().is_some(),
        "a proxy sees no keepalive"
    );
}

#[tokio::test]
async fn a_reset_says_so_and_what_is_forgotten_in_silence_is_found_by_the_proof() {
    let mut beside = beside(Rule::ResetAfterIdle(600 * MS), &[400, 900], |_| {}).await;
    beside.until("the end of the ladder", ladder_is_over).await;
    let lanes = beside.end().await;
    let (survived, died) = bracket(&lanes);
    assert!((540.0..600.0).contains(&survived) && (599.0..720.0).contains(&died), "{survived} {died}");
    assert!(lanes.iter().filter_map(Told::ended).all(|(end, _, _, at_proof)| *end == End::Reset && !at_proof));
}

#[tokio::test]
async fn what_a_device_forgets_without_a_word_is_bracketed_by_proofs() {
    let mut beside = beside(Rule::ForgetAfterIdle(600 * MS), &[400, 900], |_| {}).await;
    let narrowed = |lanes: &[Told]| {
        lanes.iter().any(|lane| lane.rung().is_some_and(|rung| rung.pass == 2 && lane.is_over()))
            && lanes
                .iter()
                .filter(plain)
                .filter(|lane| lane.rung().is_some_and(|rung| rung.pass < 3))
                .all(Told::is_over)
    };
    beside.until("the second pass", narrowed).await;
    let lanes = beside.end().await;
    let (survived, died) = bracket(&lanes);
    assert!(survived < 600.0 && died > 600.0 && died - survived < 120.0, "{survived} {died}");
    let ends: Vec<_> = lanes.iter().filter(plain).filter_map(Told::ended).collect();
    assert!(ends.iter().all(|(end, _, _, at_proof)| matches!(end, End::Silence { .. }) && *at_proof), "{ends:?}");
}

#[tokio::test]
async fn a_lifetime_ends_the_bare_lane_and_the_stirred_ones_at_the_same_age() {
    let mut beside = beside(Rule::FinAtAge(1200 * MS), &[1000, 2600], |lanes| lanes.bare_websocket = true).await;
    let twice = |lanes: &[Told]| {
        let bare = lanes.iter().filter(|lane| lane.manner == Manner::BareWebsocket);
        bare.filter(|lane| lane.ended().is_some()).count() >= 2
    };
    beside.until("two ends of the bare lane", twice).await;
    let lanes = beside.end().await;
    for lane in lanes.iter().filter(|lane| lane.manner == Manner::BareWebsocket) {
        let Some((end, _, age_ms, at_proof)) = lane.ended() else { continue };
        assert!(*end == End::Fin && (1150.0..1350.0).contains(&age_ms) && !at_proof, "{lane:?}");
    }
    let stirred = stirred(&lanes, |s| matches!(s, Stirred::ByThem { .. }));
    let (_, quiet_ms, age_ms, _) = stirred.ended().expect("it ended");
    assert!((1150.0..1350.0).contains(&age_ms) && quiet_ms < 400.0, "{stirred:?}");
}

#[tokio::test]
async fn a_proxy_that_waits_for_its_upstream_is_told_from_one_that_counts_both() {
    let beside = beside(Rule::FinWithoutTheirs(1500 * MS), &[1000, 4000], |_| {});
    let mut beside = beside.await;
    beside.until("the end of the ladder", ladder_is_over).await;
    let lanes = beside.end().await;
    assert!(stirred(&lanes, |s| matches!(s, Stirred::ByUs { .. })).ended().is_some(), "what we say does not count");
    assert!(stirred(&lanes, |s| matches!(s, Stirred::ByThem { .. })).proved().is_some(), "what they say does");
}

#[tokio::test]
async fn a_talking_lane_and_a_bare_one_are_closed_in_order_and_the_bare_one_has_a_last_word() {
    let all = |lanes: &mut profile::Lanes| (lanes.bare_websocket, lanes.talking) = (true, true);
    let mut beside = beside(Rule::FinAtAge(3_600_000 * MS), &[], all).await;
    beside
        .until("three lanes", |lanes| {
            lanes
                .iter()
                .filter(|lane| matches!(lane.ends[..], [Lane::Stands { .. }, ..] | [_, Lane::Stands { .. }]))
                .count()
                == 3
        })
        .await;
    tokio::time::sleep(100 * MS).await;
    let began = Clock::real().now();
    let lanes = beside.end().await;
    assert!(Clock::real().now().since(began) < 1500 * MS);
    assert!(lanes.iter().all(|lane| matches!(lane.ends.last(), Some(Lane::Done { .. }))), "{lanes:#?}");
    let bare = lanes.iter().find(|lane| lane.manner == Manner::BareWebsocket).unwrap();
    assert!(bare.proved().is_some_and(|quiet_ms| quiet_ms > 90.0), "{bare:?}");
    assert!(lanes.iter().any(|lane| matches!(lane.manner, Manner::Tcp { .. })));
}

#[tokio::test]
async fn a_proxy_that_knows_no_lanes_is_asked_three_times_and_then_no_more() {
    const ANSWER: &[u8] = b"HTTP/1.1 404 Not Found\r\nServer: edge\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(ANSWER).await;
        }
    });
    let desk = Desk::plain().await;
    let mut call = desk.socket().await;
    call.say(&hello(None, None)).await;
    let FromFar::Welcome { lanes: gate, .. } = call.welcome().await.whole else { unreachable!() };
    let ticket = gate.clone().unwrap().ticket.0.reveal().clone();
    let recorder = Recorder::unwritten(Clock::real());
    let noted = recorder.listen();
    let profile = profile(&format!("ws://{at}/call"), &[1000, 2000], |lanes| {
        (lanes.bare_websocket, lanes.talking) = (true, true);
    });
    let mut lanes = Lanes::begin(&profile, &recorder);
    lanes.let_in(gate, &[]);
    let mut beside = Beside { desk, _call: call, lanes, noted, log: vec![] };
    tokio::time::sleep(4000 * MS).await;
    beside.collect();
    let blind = beside.log.iter().filter(|event| matches!(&event.fact, Fact::Blind { .. })).count();
    assert_eq!(blind, 1);
    assert!(!format!("{:?}", beside.log).contains(&ticket));
    let lanes = beside.end().await;
    let failures = |wanted: fn(&Trouble) -> bool| {
        let all = lanes.iter().flat_map(|lane| &lane.ends);
        all.filter(|fact| matches!(fact, Lane::Failed { trouble, .. } if wanted(trouble))).count()
    };
    assert_eq!(failures(|trouble| matches!(trouble, Trouble::Http { status: 404, .. })), 3);
    assert_eq!(failures(|trouble| matches!(trouble, Trouble::NotUnderstood { .. })), 1);
    assert_eq!(lanes.len(), 4, "{lanes:#?}");
    assert!(lanes.iter().flat_map(|lane| &lane.ends).all(|fact| match fact {
        Lane::Failed { stage, .. } => matches!(stage, ConnectStage::Upgrade | ConnectStage::Login),
        _ => false,
    }));
}

#[tokio::test]
async fn where_the_call_is_sealed_the_lanes_are() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let desk = Desk::with(|s| s.tls = Some(files)).await;
    let recorder = Recorder::unwritten(Clock::real());
    let mut noted = recorder.listen();
    let mut profile = profile(&format!("wss://localhost:{}/call", desk.at.port()), &[300], |lanes| {
        (lanes.bare_websocket, lanes.talking) = (true, true);
    });
    profile.signaling.ca = Some(made.cert.pem());
    profile.signaling.heartbeat = profile::HeartbeatChoice::Off(profile::Off::Off);
    profile.for_ = Span::seconds(10);
    profile.media.silence = profile::Silence::None;
    let plan = engine::plan::plan(&profile, true).unwrap();
    let stop = tokio::time::sleep(3000 * MS);
    assert_eq!(engine::session::hold(profile, plan, recorder, stop).await, record::fact::EndedBy::User);
    let log: Vec<_> = std::iter::from_fn(|| noted.try_recv().ok()).collect();
    desk.close().await;
    let lanes = told(&log);
    assert!(lanes.iter().any(|lane| matches!(lane.manner, Manner::Tls { .. })), "{lanes:#?}");
    assert!(lanes.iter().all(|lane| matches!(lane.ends.last(), Some(Lane::Done { .. }))), "{lanes:#?}");
    let rung = lanes.iter().find(plain).expect("a rung");
    assert!(rung.proved().is_some_and(|quiet_ms| (300.0..900.0).contains(&quiet_ms)), "{rung:?}");
    // On a connection that wants quiet, what the far end saw of lanes comes with the goodbye.
    let ended = log.iter().position(|event| matches!(event.fact, Fact::Signaling(Signaling::CallEnded { .. })));
    let saw = log.iter().position(|event| matches!(event.fact, Fact::Far(Far::Saw { sight: Sight::Lane { .. }, .. })));
    assert!(ended.expect("a goodbye") < saw.expect("sights"), "{log:#?}");
}
