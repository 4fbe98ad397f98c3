//! Lanes: connections held beside the call to the same far end, each in another manner.

use crate::Recorder;
use ground::Ground;
use record::{Profile, fact, profile::IceServer, wire::LaneGate};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub mod channel;
mod far;
mod ground;
mod ladder;
mod stun;
mod turn;
mod udp;

pub struct Lanes {
    gate: watch::Sender<Option<LaneGate>>,
    ice_servers: watch::Sender<Vec<IceServer>>,
    /// Told once, it closes every lane in order.
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Lanes {
    /// What fits into the hold and what does not, worked out before anything is done: each of the latter is a sentence.
    pub fn plan(profile: &Profile) -> (fact::Beside, Vec<String>) {
        let _ = profile;
        (fact::Beside::default(), vec![])
    }

    /// Begins with whatever needs no reflector: bare WebSockets, TURN.
    pub fn begin(profile: &Profile, recorder: &Recorder) -> Self {
        let (gate, gate_told) = watch::channel(None);
        let (ice_servers, servers_told) = watch::channel(profile.ice.servers.clone());
        let (stop, stopped) = watch::channel(false);
        let ground = Ground::new(recorder.clone(), profile.clone(), gate_told, servers_told);
        let mut tasks = JoinSet::new();
        tasks.spawn(udp::run(ground.clone(), stopped.clone()));
        tasks.spawn(turn::run(ground, stopped));
        Self { gate, ice_servers, stop, tasks }
    }

    /// A call stands, and lanes may be held beside it. Said again when a new call takes its place, with another ticket.
    pub fn let_in(&mut self, gate: Option<LaneGate>, ice_servers: &[IceServer]) {
        self.gate.send_replace(gate);
        self.ice_servers.send_modify(|servers| servers.extend_from_slice(ice_servers));
    }

    /// Closes every lane in order, within half a second.
    pub async fn end(&mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(std::time::Duration::from_millis(500), all).await.is_err() {
            self.tasks.abort_all();
        }
    }
}
