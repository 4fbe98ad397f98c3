//! Lanes: connections held beside the call to the same far end, each in another manner.
//!
//! ```text
//! street  opens, one way at a time ─▶ standing ─┬ bare     never says a word
//! way     where to, and how                     ├ talking  a word and its echo, again and again
//! ladder  which silences to try, pure ─▶ quiet ─┴ rung     one silence, and then a word
//! sockets a place for each, or it waits
//! ```

use crate::line::Proxies;
use crate::{Recorder, lanes::calm::Calm};
use ground::Ground;
use record::{
    Fact, Profile,
    fact::{self, Manner},
    millis,
    profile::IceServer,
    wire::LaneGate,
};
use std::time::Duration;
use street::Street;
use tokio::sync::watch;
use tokio::task::JoinSet;
use way::Way;

mod again;
mod bare;
pub(crate) mod calm;
pub mod channel;
mod far;
mod ground;
pub mod ladder;
pub(crate) mod plan;
mod quiet;
mod rung;
mod sockets;
mod standing;
pub(crate) mod street;
mod stun;
pub(crate) mod talking;
mod turn;
mod udp;
mod way;

/// As often as signaling itself beats by default.
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// TCP and TLS show the path and not a service: half as often is enough.
const LINES_BEAT_EVERY: Duration = Duration::from_secs(10);

/// For every goodbye.
const END_WITHIN: Duration = Duration::from_millis(500);

pub struct Lanes {
    gate: watch::Sender<Option<LaneGate>>,
    own_servers: Vec<IceServer>,
    ice_servers: watch::Sender<Vec<IceServer>>,
    /// Told once, it closes every lane in order.
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Ends by being dropped.
    _helpers: JoinSet<()>,
}

impl Lanes {
    /// What fits into the hold and what does not, worked out before anything is done.
    pub fn plan(profile: &Profile) -> fact::Beside {
        plan::plan(profile)
    }

    /// Begins with whatever needs no reflector: bare WebSockets, TURN.
    pub fn begin(profile: &Profile, recorder: &Recorder) -> Self {
        Self::begin_via(&Proxies::from_environment(), profile, recorder)
    }

    fn begin_via(proxies: &Proxies, profile: &Profile, recorder: &Recorder) -> Self {
        let (gate, gate_told) = watch::channel(None);
        let (ice_servers, servers_told) = watch::channel(profile.ice.servers.clone());
        let (stop, stopped) = watch::channel(false);
        let ground = Ground::new(recorder.clone(), profile.clone(), gate_told, servers_told);
        let calm = Calm::new(recorder.now());
        let mut helpers = JoinSet::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(udp::run(ground.clone(), stopped.clone()));
        tasks.spawn(turn::run(ground.clone(), stopped.clone()));
        let street = Street::new(ground.clone(), calm.clone());
        if hold_over_tcp(&mut tasks, &street, proxies, &stopped) {
            helpers.spawn(calm.watch(recorder.clone()));
            helpers.spawn(say_if_no_lanes_are_let_in(ground));
        }
        Self { gate, own_servers: profile.ice.servers.clone(), ice_servers, stop, tasks, _helpers: helpers }
    }

    /// A call stands, and lanes may be held beside it. Said again when a new call takes its place, with another ticket.
    pub fn let_in(&mut self, gate: Option<LaneGate>, ice_servers: &[IceServer]) {
        self.gate.send_replace(gate);
        self.ice_servers.send_replace(self.own_servers.iter().chain(ice_servers).cloned().collect());
    }

    /// Changes with every new call.
    pub fn gate(&self) -> watch::Receiver<Option<LaneGate>> {
        self.gate.subscribe()
    }

    /// Of the profile and of the far end's welcome.
    pub fn ice_servers(&self) -> watch::Receiver<Vec<IceServer>> {
        self.ice_servers.subscribe()
    }

    /// Closes every lane in order, within half a second.
    pub async fn end(&mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(END_WITHIN, all).await.is_err() {
            // Waited for: what is only told to end may note something after the hold's own end.
            self.tasks.shutdown().await;
        }
    }
}

/// Whether there are any that our own far end must let in.
fn hold_over_tcp(tasks: &mut JoinSet<()>, street: &Street, proxies: &Proxies, stopped: &watch::Receiver<bool>) -> bool {
    let profile = &street.ground.profile;
    let lanes = &profile.lanes;
    let stop = || stopped.clone();
    for url in &lanes.also {
        tasks.spawn(bare::run(street.clone(), Way::also(profile, proxies, url), stop()));
    }
    if !plan::far_end_holds_lanes(profile) {
        if let Some(way) = Way::bare(profile, proxies).filter(|_| lanes.bare_websocket) {
            tasks.spawn(bare::run(street.clone(), way, stop()));
        }
        return false;
    }
    // A URL without a path of segments is none that `Address` lets through.
    let Some(websocket) = Way::to_lanes(profile, proxies) else { return false };
    let lines = Way::without_http(profile, proxies);
    if lanes.bare_websocket {
        tasks.spawn(bare::run(street.clone(), websocket.clone(), stop()));
    }
    if lanes.talking {
        let (beat, lines_beat) = (millis(BEAT_EVERY), millis(LINES_BEAT_EVERY));
        let beating = Manner::BeatingWebsocket { every_ms: beat };
        tasks.spawn(talking::run(street.clone(), websocket.clone(), beating, BEAT_EVERY, stop()));
        let every_ms = lines_beat;
        let talking = if lines.is_tls() { Manner::Tls { every_ms } } else { Manner::Tcp { every_ms } };
        tasks.spawn(talking::run(street.clone(), lines.clone(), talking, LINES_BEAT_EVERY, stop()));
    }
    if !lanes.quiet_ladder.is_empty() {
        tasks.spawn(quiet::run(street.clone(), websocket, lines, stop()));
    }
    lanes.bare_websocket || lanes.talking || !lanes.quiet_ladder.is_empty()
}

/// A reflector of an earlier version welcomes the call and names no ticket for lanes.
async fn say_if_no_lanes_are_let_in(mut ground: Ground) {
    if ground.gate.changed().await.is_ok() && ground.gate.borrow_and_update().is_none() {
        let why = "the far end is a reflector of an earlier version and lets no lanes in; bring it up to date".into();
        ground.recorder.note(Fact::Blind { watcher: record::Sense::Lanes, why });
    }
}

/// Ready once the hold ends, and from then on.
async fn told(stop: &mut watch::Receiver<bool>) {
    // The sender gone is as good as its word.
    let _said = stop.wait_for(|stop| *stop).await;
}
