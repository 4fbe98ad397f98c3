//! What every lane stands on: where its facts go, its number, its place, the profile, and the gate that lets it in.

use super::sockets::Sockets;
use crate::Recorder;
use record::{Profile, profile::IceServer, wire::LaneGate};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;

#[derive(Clone)]
pub struct Ground {
    pub recorder: Recorder,
    pub profile: Arc<Profile>,
    /// Changes with every new call; nothing while none stands, or where the far end holds no lanes.
    pub gate: watch::Receiver<Option<LaneGate>>,
    /// Of the profile and of the far end's welcome.
    pub ice_servers: watch::Receiver<Vec<IceServer>>,
    pub sockets: Sockets,
    numbers: Arc<AtomicU32>,
}

impl Ground {
    pub fn new(
        recorder: Recorder,
        profile: Profile,
        gate: watch::Receiver<Option<LaneGate>>,
        ice_servers: watch::Receiver<Vec<IceServer>>,
    ) -> Self {
        let sockets = Sockets::of(&profile);
        Self { recorder, profile: Arc::new(profile), gate, ice_servers, sockets, numbers: Arc::default() }
    }

    /// The next lane's number; the first is 1.
    pub fn number(&self) -> u32 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}
