//! `Call`: one WebRTC call with one silent audio track, and the instruments on its packets.
//!
//! The call notes its own facts (`Ice`, `Media`); `CallEvent` is only what the session must act on. The `webrtc` crate is
//! named in this module's files alone.

pub mod peer;
pub mod runtime;
pub mod socket;

use crate::Recorder;
use record::profile::{IcePolicy, IceServer, Silence};
use tokio::sync::mpsc::UnboundedReceiver;

#[derive(Clone, Debug)]
pub struct CallSetup {
    pub ice_servers: Vec<IceServer>,
    pub policy: IcePolicy,
    pub silence: Silence,
    /// Certificate authorities for TURN over TLS beside the platform's own, as PEM text.
    pub extra_ca: Option<String>,
}

#[derive(Debug)]
pub enum CallEvent {
    LocalCandidate { candidate: String, mid: Option<String>, line: Option<u16> },
    EndOfCandidates,
}

pub struct Call {}

impl Call {
    pub async fn new(setup: CallSetup, recorder: &Recorder) -> anyhow::Result<(Self, UnboundedReceiver<CallEvent>)> {
        let _ = (setup, recorder);
        std::future::ready(()).await;
        anyhow::bail!("not built yet")
    }
    /// The first offer.
    pub async fn offer(&self) -> anyhow::Result<String> {
        std::future::ready(()).await;
        anyhow::bail!("not built yet")
    }
    /// The offer of an ICE restart; local sockets are bound anew.
    pub async fn restart(&self) -> anyhow::Result<String> {
        std::future::ready(()).await;
        anyhow::bail!("not built yet")
    }
    /// For a restart, tells whether the far end's ICE credentials are really new.
    pub async fn answer(&self, sdp: &str) -> anyhow::Result<Option<bool>> {
        let _ = sdp;
        std::future::ready(()).await;
        anyhow::bail!("not built yet")
    }
    pub async fn remote_candidate(&self, candidate: &str, mid: Option<&str>, line: Option<u16>) -> anyhow::Result<()> {
        let _ = (candidate, mid, line);
        std::future::ready(()).await;
        anyhow::bail!("not built yet")
    }
    /// One way out for every kind of end: stops the sender, closes the PeerConnection, settles the instruments.
    pub async fn close(self) {
        std::future::ready(()).await;
    }
}
