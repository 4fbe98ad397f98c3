//! Explaining and opening the log of an eight-hour hold with 300,000 events, on a good day and on a bad one.
//!
//! Goals: the story in under 60 ms, the bundle opened in under 1 s.

use criterion::{Criterion, criterion_group, criterion_main};
use explain::story;
use record::{
    About, Event, Fact, Log, Platform, RunId, Stamp, bundle,
    fact::{
        Action, CandidateKind, Control, ControlKind, Destination, End, EndedBy, Far, Heartbeat, Hop, Ice, Lane,
        LinkKind, Manner, Mark, Media, MediaSample, Move, Net, Outcome, Plan, Reason, Signaling, SocketPurpose, System,
        TcpSample,
    },
    profile::{IcePolicy, RecoveryPolicy, Silence},
};
use std::hint::black_box;
use std::io::Cursor;
use std::time::Duration;

const EVENTS: usize = 300_000;
const HOURS: u64 = 8;
/// Enough of each kind of second to fill the count: 28,800 seconds of about ten events.
const TCP_A_SECOND: u64 = 8;
struct Day {
    /// A bare WebSocket that a proxy closes after so many seconds, all day.
    bare_lives: u64,
    /// Signaling and media are lost once in so many seconds.
    lost_every: u64,
}
const GOOD: Day = Day { bare_lives: 60, lost_every: 3_000 };
/// As many lanes as are kept, and a hundred drops.
const BAD: Day = Day { bare_lives: 7, lost_every: 576 };

struct Writer {
    events: Vec<Event>,
    at: Stamp,
}

impl Writer {
    fn note(&mut self, fact: impl Into<Fact>) {
        let seq = self.events.len() as u64 + 1;
        self.events.push(Event { seq, at: self.at, fact: fact.into() });
    }
    fn wait(&mut self, ms: u64) {
        self.at = self.at.plus(Duration::from_millis(ms));
    }
    /// The last one ended after its silence, and the next one stands.
    fn bare_lane_lives(&mut self, lane: &mut u32, lives: u64) {
        let age_ms = lives as f64 * 1e3;
        let begun = self.at.minus(Duration::from_secs(lives));
        if *lane > 0 {
            let (end, last_in, last_out) = (End::Fin, begun, begun);
            self.note(Lane::Ended { lane: *lane, end, last_in, last_out, quiet_ms: age_ms, age_ms, at_proof: false });
        }
        *lane += 1;
        let to = "wss://reflector.example/lane".into();
        self.note(Lane::Opening { lane: *lane, manner: Manner::BareWebsocket, to });
        let local = format!("10.1.4.22:{}", 20_000 + *lane % 10_000).parse().expect("an address");
        let remote = "203.0.113.10:443".parse().expect("an address");
        self.note(Lane::Stands { lane: *lane, local, remote, took_ms: 43.0 });
    }
    fn connect(&mut self, conn: u32) {
        let (to, purpose) = ("wss://reflector.example/call".into(), SocketPurpose::Resume);
        self.note(Signaling::Connecting { conn, to, purpose, proxy: None });
        let local = format!("10.1.4.22:{}", 50_000 + conn % 10_000).parse().expect("an address");
        let remote = "203.0.113.10:443".parse().expect("an address");
        self.note(Signaling::TcpConnected { conn, local, remote, took_ms: 21.4 });
        self.note(Signaling::Upgraded { conn, server: Some("nginx".into()), took_ms: 43.1 });
        let (session, instance) = (Some("7f3a".into()), Some("b1".into()));
        self.note(Signaling::Ready { conn, session, instance, resumed: conn > 1 });
    }
}

fn eight_hours(day: &Day) -> Log {
    let mut run =
        Writer { events: Vec::with_capacity(EVENTS), at: Stamp::new(1_795_255_200_000_000, 9_000_000, 9_000_000) };
    run.note(Mark::Started(Box::new(Plan {
        name: "Eight hours".into(),
        kind: "reflector".into(),
        to: "wss://reflector.example/call".into(),
        self_test: false,
        planned_s: HOURS as f64 * 3600.0,
        heartbeat: Some(Heartbeat { every_ms: 5_000.0, answer_within_ms: 5_000.0 }),
        silence: Silence::Frames,
        ice_policy: IcePolicy::All,
        recovery: RecoveryPolicy::Patient,
        beside: None,
        token_ends: None,
        credentials_end: vec![],
    })));
    for (n, kind) in (1..).zip([
        ControlKind::Gateway,
        ControlKind::Dns,
        ControlKind::FarTcp,
        ControlKind::FarUdp,
        ControlKind::Https,
    ]) {
        run.note(Control::Asking { control: n, kind, target: "t".into(), rationed: false });
    }
    let hop = Hop {
        interface: "eth0".into(),
        kind: LinkKind::Wired,
        gateway: Some("10.1.4.1".parse().expect("an address")),
        source: None,
    };
    let (name, kind) = ("eth0".into(), LinkKind::Wired);
    run.note(Net::Link { name, kind, driver: "".into(), up: true, carrier: true, mtu: 1_500, found: true });
    run.note(Net::Route { to: Destination::FarEnd, before: None, after: Some(hop), found: true });
    let mut conn = 1;
    run.connect(conn);
    let (local, remote) =
        ("10.1.4.22:50112".parse().expect("an address"), "203.0.113.10:40000".parse().expect("an address"));
    run.note(Ice::Pair { local, local_kind: CandidateKind::Host, remote, remote_kind: CandidateKind::Host });
    let first = run.at;
    run.note(Media::Flowing { first });
    run.note(Mark::Established { took_ms: 402.0 });
    let mut lane = 0;
    for second in 0..HOURS * 3600 {
        if second % day.bare_lives == 0 {
            run.bare_lane_lives(&mut lane, day.bare_lives);
        }
        let (control, last_ok) = ((second % 5) as u32 + 1, Some(run.at));
        run.note(Control::Sample { control, asked: 5, answered: 5, rtt_ms: Some(4.0), last_ok });
        let wobble = (second % 17) as f64;
        for part in 0..TCP_A_SECOND {
            run.wait(1_000 / (TCP_A_SECOND + 2));
            let sample = TcpSample {
                rtt_ms: 24.0 + wobble,
                rtt_var_ms: 2.1,
                last_data_recv_ms: 100.0 * part as f64,
                ..Default::default()
            };
            run.note(Signaling::Tcp { conn, sample });
        }
        run.wait(100);
        run.note(Media::Sample(MediaSample {
            rtp_in: 50,
            rtp_out: 50,
            lost_in: u32::from(second % 211 == 0),
            rtcp_in: 1,
            stun_in: 1,
            checks_in: 2,
            after_rtp: 0,
            jitter_in_ms: Some(1.7 + wobble / 10.0),
            rtt_ms: Some(24.3 + wobble),
            far_lost: Some(0),
            far_jitter_ms: Some(2.0),
            stun_rtt_ms: Some(24.0),
        }));
        run.wait(100);
        match second % 10 {
            0 => run.note(System::Load { own_cpu: 0.9, own_mb: 24.0, machine_cpu: 12.0 }),
            4 | 9 => run.note(Signaling::HeartbeatAnswered { conn, rtt_ms: 24.0 }),
            7 => run.note(Far::Clock { offset_ms: 12.5, rtt_ms: 24.0 + wobble }),
            _ => {}
        }
        if second % day.lost_every == day.lost_every - 1 {
            let last = run.at;
            run.note(Signaling::Closed { conn, end: End::Fin, last_in: last, last_out: last, tcp: None });
            run.wait(300);
            run.note(Media::Gap { last });
            let id = conn;
            run.note(Action::Began { id, step: Move::RestartIce, reason: Reason::PathSilent, because: None });
            conn += 1;
            run.connect(conn);
            run.wait(1_500);
            let first = run.at;
            run.note(Media::Back { last, first });
            run.note(Action::Ended { id, outcome: Outcome::Worked, took_ms: 1_500.0 });
        }
    }
    run.note(Mark::Ended { by: EndedBy::TimeUp });
    Log { events: run.events }
}

fn bundled(lines: &[u8], log: &Log) -> Vec<u8> {
    let about = About {
        schema: record::about::SCHEMA.into(),
        app: "0.1.0".into(),
        run: RunId::new(log.events[0].at, [1; 5]),
        platform: Platform::default(),
        started: log.events[0].at,
        names: None,
        members: Default::default(),
        chain: None,
    };
    let mut zip = Cursor::new(Vec::new());
    bundle::write(&mut zip, &about, &[(bundle::EVENTS, lines)]).expect("memory can be written");
    zip.into_inner()
}

#[expect(clippy::print_stdout, reason = "a size is a figure too")]
fn benches(c: &mut Criterion) {
    let (log, bad) = (eight_hours(&GOOD), eight_hours(&BAD));
    assert!((EVENTS - 2_000..EVENTS + 2_000).contains(&log.events.len()), "{} events", log.events.len());
    assert_eq!(story(&log).head.drops.len(), 18, "nine losses of both planes");
    assert_eq!(story(&bad).head.drops.len(), 100, "fifty losses of both planes");
    let bytes = bundled(&log.write_lines(), &log);
    let mut group = c.benchmark_group("eight hours");
    group.sample_size(10);
    group.bench_function("story of 300,000 events", |b| b.iter(|| black_box(story(black_box(&log)))));
    group.bench_function("story of a bad day", |b| b.iter(|| black_box(story(black_box(&bad)))));
    let lines = log.write_lines();
    println!("its bundle has {:.2} MB, of {:.1} MB of events", bytes.len() as f64 / 1e6, lines.len() as f64 / 1e6);
    group.bench_function("writing the bundle", |b| b.iter(|| bundled(black_box(&lines), &log)));
    group.bench_function("opening the bundle", |b| {
        b.iter(|| bundle::read(Cursor::new(black_box(&bytes))).expect("our own bundle can be read"))
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
