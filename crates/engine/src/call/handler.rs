//! What the stack reports by itself. Its callbacks are awaited on the task that drives the whole connection, so each one
//! only notes, tells and returns.

use super::instruments::Instruments;
use super::lifeline::Lifeline;
use super::{CallEvent, candidates};
use record::fact::{Ice, IceState};
use record::{Heard, Stamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState,
};

pub struct Handler {
    pub instruments: Arc<Instruments>,
    pub lifeline: Arc<Lifeline>,
    pub tracks: UnboundedSender<Arc<dyn TrackRemote>>,
    pub connected: watch::Sender<bool>,
    pub gathering: Arc<Gathering>,
}

/// Of the offer that is being gathered for.
#[derive(Default)]
pub struct Gathering {
    pub began: Mutex<Option<Stamp>>,
    /// The `mid` of our one media section; the stack leaves it out of its candidates.
    pub mid: Mutex<Option<String>>,
    /// By the URL that the stack knows a server under.
    pub relays: BTreeMap<String, Heard>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let label = |url: &String| self.gathering.relays.get(url).cloned().unwrap_or_else(|| Heard::new(url));
        let relay_by = Some(&event.url).filter(|url| url.starts_with("turn")).map(label);
        let Some(fact) = candidates::local(&event.candidate, relay_by) else { return };
        match event.candidate.to_json() {
            Ok(init) => {
                self.instruments.note(fact);
                let mid = self.gathering.mid.lock().expect("no holder panics").clone();
                self.lifeline.tell(CallEvent::LocalCandidate { candidate: init.candidate, mid, line: Some(0) });
            }
            Err(error) => tracing::warn!(%error, "a candidate of ours could not be written"),
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let began = self.gathering.began.lock().expect("no holder panics").take();
            if let Some(began) = began {
                let took_ms = record::millis(self.instruments.recorder().now().since(began));
                self.instruments.note(Ice::GatheringDone { took_ms });
            }
            self.lifeline.tell(CallEvent::EndOfCandidates);
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        let state = match state {
            RTCIceConnectionState::New => IceState::New,
            RTCIceConnectionState::Checking => IceState::Checking,
            RTCIceConnectionState::Connected => IceState::Connected,
            RTCIceConnectionState::Completed => IceState::Completed,
            RTCIceConnectionState::Disconnected => IceState::Disconnected,
            RTCIceConnectionState::Failed => IceState::Failed,
            RTCIceConnectionState::Closed => IceState::Closed,
            _ => return,
        };
        self.instruments.note(Ice::State { state });
        if state == IceState::Failed {
            self.lifeline.tell(CallEvent::Failed);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            self.instruments.connected();
            self.connected.send_replace(true);
            self.lifeline.tell(CallEvent::Connected);
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        // The receiver is gone only when the call is being let go.
        let _ = self.tracks.send(track);
    }
}
