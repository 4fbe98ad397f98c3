//! Lanes: connections held beside the call to the same far end, each in another manner.

use crate::Recorder;
use record::{Profile, fact, profile::IceServer, wire::LaneGate};

pub struct Lanes {}

impl Lanes {
    /// What fits into the hold and what does not, worked out before anything is done: each of the latter is a sentence.
    pub fn plan(profile: &Profile) -> (fact::Beside, Vec<String>) {
        let _ = profile;
        (fact::Beside::default(), vec![])
    }

    /// Begins with whatever needs no reflector: bare WebSockets, TURN.
    pub fn begin(profile: &Profile, recorder: &Recorder) -> Self {
        let _ = (profile, recorder);
        Self {}
    }

    /// A call stands, and lanes may be held beside it. Said again when a new call takes its place, with another ticket.
    pub fn let_in(&mut self, gate: Option<LaneGate>, ice_servers: &[IceServer]) {
        let _ = (gate, ice_servers);
    }

    /// Closes every lane in order, within half a second.
    pub async fn end(&mut self) {
        tokio::task::yield_now().await;
    }
}
