//! `Run`: a log told in words. `at(t)` lets the call go on until `t` seconds after the start, writing what every second
//! of it would leave behind; the other words note what happens then.

use record::{
    Event, Fact, Heard, Log, Said, Stamp, Wall,
    fact::{
        Action, CallEndedBy, CandidateKind, ConnectStage, End, EndedBy, Far, Heartbeat, Ice, Mark, Media, MediaSample,
        Move, Outcome, Plan, Reason, RefusalKind, Side, Sight, Signaling, SocketPurpose, System, TcpSample, Trouble,
        TurnRequest,
    },
    profile::{IcePolicy, RecoveryPolicy, Silence},
};
use std::time::Duration;

mod lanes;
mod surroundings;

pub use surroundings::hop;

/// 2026-11-21T10:00:00Z.
const START: i64 = 1_795_255_200_000_000;

#[derive(Clone)]
pub struct Run {
    events: Vec<Event>,
    /// Microseconds since the start, on each clock.
    uptime: u64,
    asleep: u64,
    stepped: i64,
    /// What arrives in a second.
    pub feed: MediaSample,
    samples: bool,
    pub beats: Option<u32>,
    last_beat: u64,
    last_packet: Stamp,
    gap: bool,
    moves: u32,
    controls: Vec<surroundings::Line>,
}

fn us(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

impl Run {
    /// Started, and nothing else yet.
    pub fn begun() -> Self {
        let run = Self {
            events: Vec::new(),
            uptime: 0,
            asleep: 0,
            stepped: 0,
            feed: MediaSample::default(),
            samples: false,
            beats: None,
            last_beat: 0,
            last_packet: Stamp::new(START, us(1000.0), us(1000.0)),
            gap: false,
            moves: 0,
            controls: Vec::new(),
        };
        run.note(Mark::Started(Box::new(Plan {
            name: "Test".into(),
            kind: "reflector".into(),
            to: "ws://10.0.0.2:7000/call".into(),
            self_test: false,
            planned_s: 60.0,
            heartbeat: Some(Heartbeat { every_ms: 5_000.0, answer_within_ms: 5_000.0 }),
            silence: Silence::Frames,
            ice_policy: IcePolicy::All,
            recovery: RecoveryPolicy::Patient,
            beside: None,
            token_ends: None,
            credentials_end: vec![],
        })))
    }

    pub fn plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        if let Some(Event { fact: Fact::Mark(Mark::Started(plan)), .. }) = self.events.first_mut() {
            change(plan);
        }
        self
    }

    /// A call that stands since 0.3 s: signaling on connection 1 to instance `a`, media direct.
    pub fn standing() -> Self {
        Self::begun()
            .at(0.1)
            .connecting(1, SocketPurpose::First)
            .ready(1, "a", false)
            .at(0.3)
            .pair(CandidateKind::Host)
            .flowing()
            .note(Mark::Established { took_ms: 300.0 })
    }

    /// A call without RTP that stands since 0.3 s: only its checks are answered.
    pub fn standing_without_media() -> Self {
        let mut run = Self::begun()
            .plan(|plan| plan.silence = Silence::None)
            .at(0.1)
            .connecting(1, SocketPurpose::First)
            .ready(1, "a", false)
            .at(0.3)
            .pair(CandidateKind::Host)
            .note(Mark::Established { took_ms: 300.0 });
        run.samples = true;
        run.checks_answered()
    }

    fn checks_answered(mut self) -> Self {
        self.feed = MediaSample { stun_in: 1, ..Default::default() };
        self
    }

    /// The last answer came now; five seconds later it is late.
    pub fn checks_stop(self) -> Self {
        let (last_ok, late) = (self.stamp(), self.uptime + 5_000_000);
        self.checks_unanswered().at(late as f64 / 1e6).note(Ice::ConsentLate { last_ok })
    }

    pub fn checks_unanswered(mut self) -> Self {
        self.feed = MediaSample::default();
        self
    }

    pub fn checks_back(self) -> Self {
        let last_ok = self.stamp();
        self.checks_answered().note(Ice::ConsentBack { last_ok })
    }

    pub fn stamp(&self) -> Stamp {
        Stamp::new(
            START + self.uptime as i64 + self.stepped,
            us(1000.0) + self.uptime,
            us(1000.0) + self.uptime - self.asleep,
        )
    }

    pub fn since_start(&self) -> f64 {
        self.uptime as f64 / 1e6
    }

    pub fn ago(&self, seconds: f64) -> Stamp {
        self.stamp().minus(Duration::from_micros(us(seconds)))
    }

    pub fn wall(&self) -> Wall {
        self.stamp().wall
    }

    pub fn note(mut self, fact: impl Into<Fact>) -> Self {
        let seq = self.events.len() as u64 + 1;
        self.events.push(Event { seq, at: self.stamp(), fact: fact.into() });
        self
    }

    /// The call goes on until then.
    pub fn at(mut self, seconds: f64) -> Self {
        let to = us(seconds);
        assert!(to >= self.uptime, "time goes forward");
        let mut second = self.uptime / 1_000_000 + 1;
        while second * 1_000_000 <= to {
            self.uptime = second * 1_000_000;
            if self.samples {
                let sample = self.feed;
                self = self.note(Media::Sample(sample));
            }
            if let Some(conn) = self.beats
                && self.uptime - self.last_beat >= 5_000_000
            {
                self.last_beat = self.uptime;
                self = self.note(Signaling::HeartbeatAnswered { conn, rtt_ms: 20.0 });
            }
            self = self.ask_controls();
            second += 1;
        }
        self.uptime = to;
        if !self.gap {
            self.last_packet = self.stamp();
        }
        self
    }

    pub fn pair(self, local_kind: CandidateKind) -> Self {
        let (local, remote) = ("10.0.0.1:50000".parse().unwrap(), "10.0.0.2:40000".parse().unwrap());
        self.note(Ice::Pair { local, local_kind, remote, remote_kind: CandidateKind::Host })
    }

    /// The server that gave the relay address of `pair`.
    pub fn relay_by(self, server: &str) -> Self {
        let address = "10.0.0.1:50000".into();
        self.note(Ice::LocalCandidate { kind: CandidateKind::Relay, address, relay_by: Some(server.into()) })
    }

    pub fn turn_refuses(self, server: &str, request: TurnRequest, code: u16) -> Self {
        self.note(Ice::TurnRefused { server: server.into(), request, code, says: Said::default() })
    }

    pub fn flowing(mut self) -> Self {
        self.feed = MediaSample {
            rtp_in: 50,
            rtp_out: 50,
            rtcp_in: 1,
            stun_in: 1,
            rtt_ms: Some(20.0),
            jitter_in_ms: Some(1.5),
            ..Default::default()
        };
        self.samples = true;
        self.gap = false;
        let first = self.stamp();
        self.note(Media::Flowing { first })
    }

    /// The last packet comes now; the gap is declared 300 ms later. Nothing else arrives either.
    pub fn media_stops(self) -> Self {
        self.media_stops_but(|_| ())
    }

    /// As `media_stops`, with what still arrives or is sent.
    pub fn media_stops_but(mut self, still: impl FnOnce(&mut MediaSample)) -> Self {
        self.feed = MediaSample { rtp_out: 50, ..Default::default() };
        still(&mut self.feed);
        let last = self.last_packet;
        self.gap = true;
        let declared = self.uptime + 300_000;
        self = self.at(declared as f64 / 1e6);
        self.note(Media::Gap { last })
    }

    pub fn media_back(mut self) -> Self {
        let last = self.last_packet;
        self.gap = false;
        self.feed = MediaSample { rtp_in: 50, rtp_out: 50, rtcp_in: 1, stun_in: 1, ..Default::default() };
        let first = self.stamp();
        self.last_packet = first;
        self.note(Media::Back { last, first })
    }

    pub fn connecting(self, conn: u32, purpose: SocketPurpose) -> Self {
        self.connecting_by(conn, purpose, None)
    }

    pub fn connecting_by(self, conn: u32, purpose: SocketPurpose, proxy: Option<&str>) -> Self {
        let proxy = proxy.map(Heard::new);
        self.note(Signaling::Connecting { conn, to: "ws://10.0.0.2:7000/call".into(), purpose, proxy })
    }

    pub fn ready(mut self, conn: u32, instance: &str, resumed: bool) -> Self {
        self.beats = Some(conn);
        self.last_beat = self.uptime;
        let instance = (!instance.is_empty()).then(|| instance.into());
        let (local, remote) =
            (format!("10.0.0.1:{}", 51_000 + conn % 10_000).parse().unwrap(), "10.0.0.2:7000".parse().unwrap());
        self.note(Signaling::TcpConnected { conn, local, remote, took_ms: 20.0 })
            .note(Signaling::Upgraded { conn, server: None, took_ms: 20.0 })
            .note(Signaling::Ready { conn, session: Some("s-1".into()), instance, resumed })
    }

    /// Reconnected by the caretaker: connecting and ready at once.
    pub fn reconnected(mut self, conn: u32, instance: &str, resumed: bool) -> Self {
        self.moves += 1;
        let id = self.moves;
        self.note(Action::Began {
            id,
            step: Move::Reconnect { attempt: 1, wait_ms: 0.0 },
            reason: Reason::SocketEnded,
            because: None,
        })
        .connecting(conn, SocketPurpose::Resume)
        .ready(conn, instance, resumed)
        .note(Action::Ended { id, outcome: Outcome::Worked, took_ms: 40.0 })
    }

    pub fn ice_restarted(mut self) -> Self {
        self.moves += 1;
        let id = self.moves;
        self.note(Action::Began { id, step: Move::RestartIce, reason: Reason::PathSilent, because: None })
            .media_back()
            .note(Action::Ended { id, outcome: Outcome::Worked, took_ms: 400.0 })
    }

    /// A new call by the caretaker, which flows at once.
    pub fn called_anew(mut self) -> Self {
        self.moves += 1;
        let id = self.moves;
        self.note(Action::Began { id, step: Move::NewCall, reason: Reason::CallLost, because: None })
            .flowing()
            .note(Action::Ended { id, outcome: Outcome::Worked, took_ms: 0.0 })
    }

    pub fn fails_to_connect(self, conn: u32, stage: ConnectStage, trouble: Trouble) -> Self {
        self.connecting(conn, SocketPurpose::Resume).note(Signaling::ConnectFailed {
            conn,
            stage,
            trouble,
            took_ms: 1.0,
        })
    }

    /// The last byte came `quiet` seconds ago.
    pub fn closes_after(mut self, conn: u32, end: End, quiet: f64) -> Self {
        self.beats = None;
        let (last_in, last_out) = (self.ago(quiet), self.ago(quiet));
        self.note(Signaling::Closed { conn, end, last_in, last_out, tcp: None })
    }

    pub fn closes(self, conn: u32, end: End) -> Self {
        self.closes_after(conn, end, 0.5)
    }

    pub fn close_frame(self, conn: u32, code: u16, reason: &str) -> Self {
        self.closes(conn, End::CloseFrame { by: Side::Them, code: Some(code), reason: reason.into() })
    }

    /// Written now, and never answered: nothing follows of itself.
    pub fn stops_answering(mut self) -> Self {
        self.beats = None;
        self
    }

    /// The evidence is in: written `since` seconds ago, the last sign of life `last_good` seconds ago.
    pub fn unanswered(mut self, conn: u32, since: f64, last_good: f64) -> Self {
        self.beats = None;
        let (since, last_good) = (self.ago(since), self.ago(last_good));
        self.note(Signaling::Unanswered { conn, since, last_good, retransmits: Some(2) })
    }

    pub fn resends(self, conn: u32, retransmits: u32) -> Self {
        self.note(Signaling::Tcp { conn, sample: TcpSample { retransmits, unacked: 1, ..Default::default() } })
    }

    /// The kernel has everything acknowledged.
    pub fn acknowledges(self, conn: u32) -> Self {
        self.note(Signaling::Tcp { conn, sample: TcpSample { last_ack_recv_ms: 1_900.0, ..Default::default() } })
    }

    /// A ping of `since` seconds ago has no pong; the kernel sent nothing again.
    pub fn pong_missing(mut self, conn: u32, since: f64, last_good: f64) -> Self {
        self.beats = None;
        let (since, last_good) = (self.ago(since), self.ago(last_good));
        self.note(Signaling::Unanswered { conn, since, last_good, retransmits: Some(0) })
    }

    /// Given up after a silence, with the kernel's last word on what was sent.
    pub fn given_up(mut self, conn: u32, quiet: f64, unacked: u32) -> Self {
        self.beats = None;
        let (last_in, last_out) = (self.ago(quiet), self.ago(quiet));
        let tcp = Some(TcpSample { unacked, ..Default::default() });
        self.note(Signaling::Closed { conn, end: End::Silence { waited_ms: 5_000.0 }, last_in, last_out, tcp })
    }

    pub fn send_fails(self, errno: i32, says: &str) -> Self {
        let first = self.stamp();
        self.note(Media::SendFailing { errno: Some(errno), says: says.into(), first })
    }

    pub fn answered_again(mut self, conn: u32) -> Self {
        self.beats = Some(conn);
        self.last_beat = self.uptime;
        let since = self.stamp();
        self.note(Signaling::AnsweredAgain { conn, since })
    }

    pub fn refuses(self, conn: u32, kind: RefusalKind, code: &str) -> Self {
        self.note(Signaling::Refused { conn, kind, code: code.into(), says: Said::default() })
    }

    pub fn call_ended(self, by: CallEndedBy, says: &str) -> Self {
        self.note(Signaling::CallEnded { conn: 1, by, code: None, says: says.into() })
    }

    /// Asleep from now for that long; the first event after it says that ticks were missed.
    pub fn sleeps(mut self, seconds: f64) -> Self {
        let since = self.stamp();
        self.uptime += us(seconds);
        self.asleep += us(seconds);
        self.last_beat = self.uptime;
        self.note(System::TicksMissed { since })
    }

    /// Awake, and stopped for that long.
    pub fn stalls(mut self, seconds: f64) -> Self {
        let since = self.stamp();
        self.uptime += us(seconds);
        self.note(System::TicksMissed { since })
    }

    /// While stopped, or asleep, no packet was received.
    pub fn gap_found(mut self) -> Self {
        let last = self.last_packet;
        self.gap = true;
        self.feed = MediaSample { rtp_out: 50, ..Default::default() };
        self.note(Media::Gap { last })
    }

    pub fn clock_set_by(mut self, seconds: i64) -> Self {
        self.stepped += seconds * 1_000_000;
        self
    }

    pub fn far_clock(self, ahead_ms: f64) -> Self {
        self.far_clock_over(ahead_ms, 20.0)
    }

    pub fn far_clock_over(self, ahead_ms: f64, rtt_ms: f64) -> Self {
        self.note(Far::Clock { offset_ms: ahead_ms, rtt_ms })
    }

    pub fn far_saw(self, sight: Sight) -> Self {
        let at = self.wall();
        self.note(Far::Saw { at, sight })
    }

    /// Hung up by us, in order, the time being up.
    pub fn time_up(self) -> Self {
        self.ends(EndedBy::TimeUp)
    }

    pub fn ends(self, by: EndedBy) -> Self {
        self.note(Signaling::CallEnded { conn: 1, by: CallEndedBy::Us, code: None, says: Said::default() })
            .note(Mark::Ended { by })
    }

    pub fn log(self) -> Log {
        Log { events: self.events }
    }
}
