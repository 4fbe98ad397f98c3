//! `Timeline`: the log in the order of lanes, read in one pass. Spans and facts, no causes.
//!
//! Stamps in a log may be damaged or forged: none is taken to lie after the event that brought it, and none before the
//! event read last.

use crate::{Drop, limits::Limits, unconfirmed};
use record::{
    Heard, Ip, IpPort, Log, Said, Sense, Seq, Stamp,
    fact::{
        Calibrated, CallEndedBy, CandidateKind, ConnectStage, End, EndedBy, Imported, MediaSample, Move, Outcome, Plan,
        Reason, RefusalKind, Sight, SocketPurpose, TcpSample, Trouble, TurnRequest, Undeliverable,
    },
};
use std::collections::BTreeMap;
use std::time::Duration;

mod ask;
pub(crate) mod attempts;
mod between;
pub mod controls;
mod crossing;
mod far;
mod kept_back;
mod lanes;
mod lossy;
pub mod networks;
mod outside;
mod pauses;
mod read;
pub mod surroundings;

pub use between::{Between, Issuer};
pub use kept_back::KeptBack;
pub use lanes::{Foretold, HeldLane, LaneEnd, host};

#[derive(Debug)]
pub struct Timeline<'a> {
    pub log: &'a Log,
    pub plan: Option<&'a Plan>,
    /// Another program wrote it down: nothing but the media of one connection was seen, in looks that lie apart.
    pub imported: Option<&'a Imported>,
    pub calibrated: Option<&'a Calibrated>,
    pub began: Stamp,
    /// The last thing the log knows.
    pub until: Stamp,
    pub established: Option<At>,
    pub ended: Option<(At, &'a EndedBy)>,
    /// When we hung up, if nothing of a call followed.
    pub hung_up: Option<At>,
    pub sockets: Vec<Socket<'a>>,
    pub flowing: Vec<(At, Stamp)>,
    pub gaps: Vec<Gap>,
    pub samples: Vec<(At, &'a MediaSample)>,
    pub send_troubles: Vec<SendTrouble<'a>>,
    pub undelivered: Vec<Undelivered>,
    pub heartbeats: Vec<Heartbeat>,
    /// When the kernel heard from the far end's TCP on signaling, and the event that tells of it.
    tcp_heard: Vec<(At, Stamp)>,
    /// The last sign of life of any kind over signaling.
    pub signaling_lived: Option<Stamp>,
    pub call_ends: Vec<CallEnd<'a>>,
    pub pauses: Vec<Pause>,
    /// Filled by whoever made one clock of the log's.
    pub clock_steps: Vec<ClockStep>,
    pub pairs: Vec<Pair>,
    pub consent: Vec<Consent>,
    pub dtls: Vec<(At, &'a Heard)>,
    pub ice_states: Vec<(At, record::fact::IceState)>,
    pub turn: Vec<TurnTrouble<'a>>,
    /// Relay addresses of ours, with the server that gave each: the address as text, then the server.
    pub relays: Vec<(At, &'a Heard, &'a Heard)>,
    pub stack_deaths: Vec<(At, &'a Said)>,
    /// What the far end saw, on our clock.
    pub sights: Vec<Sighting<'a>>,
    /// Comparisons of the far end's clock with ours, in the order of time.
    pub far_clocks: Vec<far::FarClock>,
    /// Who issued the far end's own certificate, by its own account.
    pub far_certificate: Option<(At, &'a Said)>,
    pub steps: Vec<Step<'a>>,
    /// The run is still being written.
    pub goes_on: bool,
    pub blind: Vec<(At, Sense, &'a Said)>,
    pub surroundings: surroundings::Surroundings<'a>,
    /// Filled once they are found: a rule may look at what else was lost.
    pub drops: Vec<Drop>,
    /// Filled after the drops: what ended with everything else is no limit.
    pub limits: Limits,
    /// Beside the call, in the order in which they were opened.
    pub lanes: Vec<HeldLane<'a>>,
    pub foretold: Vec<Foretold>,
    pub between: Between<'a>,
    pub kept_back: KeptBack,
    lane_index: BTreeMap<u32, usize>,
    foretold_index: BTreeMap<u32, usize>,
    control_hosts: BTreeMap<u32, &'a str>,
    between_proxy: Option<(u32, &'a Heard)>,
    conn_index: BTreeMap<u32, usize>,
    /// Sockets in the order in which they became ready: a forged log may hold a million, and each is asked for the next.
    readied: Vec<usize>,
}

/// An event's number and its moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    pub seq: Seq,
    pub stamp: Stamp,
}

#[derive(Debug)]
pub struct Socket<'a> {
    pub conn: u32,
    pub began: At,
    pub to: &'a str,
    pub through_proxy: bool,
    pub purpose: SocketPurpose,
    pub tcp: Option<Tcp>,
    pub upgraded: Option<At>,
    /// What the one who took the WebSocket calls itself.
    pub server: Option<&'a Said>,
    pub ready: Option<Ready<'a>>,
    pub failed: Option<Failed<'a>>,
    pub refused: Vec<Refused<'a>>,
    pub silences: Vec<Silence>,
    /// Seconds in which the kernel was sending something again.
    pub resending: Vec<(At, TcpSample)>,
    /// When the kernel was last seen to have everything acknowledged.
    pub acknowledged: Option<At>,
    pub closed: Option<Closed<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    pub seq: Seq,
    pub local: IpPort,
    pub remote: IpPort,
}

#[derive(Clone, Copy, Debug)]
pub struct Ready<'a> {
    pub at: At,
    pub session: Option<&'a Heard>,
    pub instance: Option<&'a Heard>,
    pub resumed: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    pub at: At,
    pub stage: ConnectStage,
    pub trouble: &'a Trouble,
}

#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    pub at: At,
    pub kind: RefusalKind,
    pub code: &'a Said,
    pub says: &'a Said,
}

/// Written bytes that stayed without an answer.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    pub at: At,
    pub since: Stamp,
    pub last_good: Stamp,
    pub retransmits: Option<u32>,
    /// When the kernel was first seen to have everything acknowledged while it lasted.
    pub acknowledged: Option<At>,
    pub again: Option<At>,
}

#[derive(Clone, Copy, Debug)]
pub struct Closed<'a> {
    pub at: At,
    pub end: &'a End,
    pub last_in: Stamp,
    pub last_out: Stamp,
    pub tcp: Option<TcpSample>,
}

#[derive(Clone, Copy, Debug)]
pub struct Gap {
    pub at: At,
    pub last: Stamp,
    /// The event that ended it and the first packet after it.
    pub back: Option<(At, Stamp)>,
}

#[derive(Clone, Copy, Debug)]
pub struct SendTrouble<'a> {
    pub at: At,
    pub errno: Option<i32>,
    pub says: &'a Said,
    pub first: Stamp,
    pub until: Option<Stamp>,
}

/// The network's word that our media is not delivered.
#[derive(Clone, Copy, Debug)]
pub struct Undelivered {
    pub at: At,
    pub to: IpPort,
    pub why: Undeliverable,
    pub by: Option<Ip>,
    pub first: Stamp,
}

#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    pub at: At,
    pub conn: u32,
    pub rtt_ms: f64,
}

#[derive(Clone, Copy, Debug)]
pub struct CallEnd<'a> {
    pub at: At,
    pub by: CallEndedBy,
    pub code: Option<&'a Said>,
    pub says: &'a Said,
}

/// A stretch in which this computer or this program did not run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pause {
    pub kind: PauseKind,
    /// The event that came first after it.
    pub seq: Seq,
    pub from: Stamp,
    pub to: Stamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PauseKind {
    Slept,
    Stalled,
}

impl Pause {
    pub fn length(&self) -> Duration {
        match self.kind {
            PauseKind::Slept => self.to.slept_since(self.from),
            PauseKind::Stalled => self.to.awake_since(self.from),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct ClockStep {
    pub at: At,
    pub by_us: i64,
}

#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub at: At,
    pub local: IpPort,
    pub local_kind: CandidateKind,
    pub remote: IpPort,
    pub remote_kind: CandidateKind,
}

#[derive(Clone, Copy, Debug)]
pub struct Consent {
    pub at: At,
    pub last_ok: Stamp,
    pub expired: bool,
    pub back: Option<At>,
}

#[derive(Clone, Copy, Debug)]
pub struct TurnTrouble<'a> {
    pub at: At,
    pub server: &'a Heard,
    /// The request and the code of the refusal; a lost connection has neither.
    pub refused: Option<(TurnRequest, u16)>,
    pub says: &'a Said,
}

#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    pub at: At,
    /// The far end's own moment of saying so, on our clock; the event's stamp where no clock was compared.
    pub when: Stamp,
    /// `last` and `first` of a media sight, on our clock.
    pub last: Option<Stamp>,
    pub first: Option<Stamp>,
    pub sight: &'a Sight,
}

/// A move of the caretaker and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub id: u32,
    pub at: At,
    pub step: Move,
    pub reason: Reason,
    pub ended: Option<(At, &'a Outcome)>,
}

impl<'a> Timeline<'a> {
    pub fn read(log: &'a Log) -> Self {
        let start = log.events.first().map_or_else(|| Stamp::new(0, 0, 0), |event| event.at);
        let mut timeline = Self {
            log,
            plan: None,
            imported: None,
            calibrated: None,
            began: start,
            until: start,
            established: None,
            ended: None,
            hung_up: None,
            sockets: Vec::new(),
            flowing: Vec::new(),
            gaps: Vec::new(),
            samples: Vec::new(),
            send_troubles: Vec::new(),
            undelivered: Vec::new(),
            heartbeats: Vec::new(),
            tcp_heard: Vec::new(),
            signaling_lived: None,
            call_ends: Vec::new(),
            pauses: Vec::new(),
            clock_steps: Vec::new(),
            pairs: Vec::new(),
            consent: Vec::new(),
            dtls: Vec::new(),
            ice_states: Vec::new(),
            turn: Vec::new(),
            relays: Vec::new(),
            stack_deaths: Vec::new(),
            sights: Vec::new(),
            far_clocks: Vec::new(),
            far_certificate: None,
            steps: Vec::new(),
            goes_on: false,
            blind: Vec::new(),
            surroundings: surroundings::Surroundings::default(),
            drops: Vec::new(),
            limits: Limits::default(),
            lanes: Vec::new(),
            foretold: Vec::new(),
            between: Between::default(),
            kept_back: KeptBack::default(),
            lane_index: BTreeMap::new(),
            foretold_index: BTreeMap::new(),
            control_hosts: BTreeMap::new(),
            between_proxy: None,
            conn_index: BTreeMap::new(),
            readied: Vec::new(),
        };
        for event in &log.events {
            let before = timeline.until;
            let at = At { seq: event.seq, stamp: event.at.max(before) };
            timeline.note_pause_between(before, at);
            timeline.until = at.stamp;
            timeline.signaling_lived = timeline.signaling_lived.max(unconfirmed::life(at.stamp, &event.fact));
            timeline.take(at, &event.fact);
            timeline.take_between(at, &event.fact);
            timeline.kept_back.take(&event.fact);
        }
        timeline.place_sights();
        timeline.place_lane_sights();
        timeline
    }
}

/// Never later than the event that tells of it.
fn not_after(told: Stamp, at: At) -> Stamp {
    told.min(at.stamp)
}
