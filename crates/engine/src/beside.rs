//! `Beside`: everything that runs beside the call: watchers of this computer, controls, lanes.

use crate::{
    Recorder, awake,
    controls::{self, FromCall},
    lanes::Lanes,
    watch,
};
use record::{Profile, profile::IceServer, wire::LaneGate};
use tokio::task::JoinSet;

pub struct Beside {
    lanes: Lanes,
    controls: JoinSet<()>,
    watchers: JoinSet<()>,
}

impl Beside {
    /// Those who listen before those who tell: controls learn of gateways from the watchers.
    pub fn begin(profile: &Profile, recorder: &Recorder) -> Self {
        let lanes = Lanes::begin(profile, recorder);
        let from_call = FromCall { gate: lanes.gate(), ice_servers: lanes.ice_servers() };
        let controls = controls::begin(profile, recorder, from_call);
        let mut watchers = watch::begin(recorder);
        if profile.stays_awake() {
            watchers.spawn(awake::keep(recorder.clone()));
        }
        Self { lanes, controls, watchers }
    }

    pub fn let_in(&mut self, gate: Option<LaneGate>, ice_servers: &[IceServer]) {
        self.lanes.let_in(gate, ice_servers);
    }

    /// After this nothing more is noted by any of them: the hold's own end is the log's last event.
    pub async fn end(&mut self) {
        self.controls.shutdown().await;
        self.lanes.end().await;
        self.watchers.shutdown().await;
    }
}
