//! `Call`: one WebRTC call with one silent audio track, and the instruments on its packets.
//!
//! The call notes its own facts (`Ice`, `Media`); `CallEvent` is only what the session must act on. The `webrtc` crate is
//! named in this module's files alone.
//!
//! ```text
//!             ┌─ handler ─▶ CallEvent
//!  the stack ─┼─ ear ─────▶ instruments ─▶ facts        (packets it took, all RTCP)
//!             └─ tap ─────▶ instruments                 (every datagram, every refusal to send)
//!                 └─ relay: TURN over TCP and TLS
//! ```

mod candidates;
mod checks;
pub(crate) mod detector;
mod handler;
pub(crate) mod instruments;
mod lifeline;
mod media;
pub mod peer;
pub(crate) mod relay;
mod rtcp;
pub mod runtime;
mod sending;
mod servers;
pub mod socket;
mod stream;
mod tap;
mod turn;
pub(crate) mod undelivered;
mod watch;
pub(crate) mod wire;

use crate::{Recorder, tls};
use anyhow::Context;
use handler::{Gathering, Handler};
use instruments::Instruments;
use lifeline::Lifeline;
use media::Voice;
use peer::{Bind, BindWhere, PeerSettings};
use record::profile::{IcePolicy, IceServer, Silence};
use record::{Fact, Heard, Said, Scrub};
use relay::Relays;
use rtc::interceptor::{Registry, Slot};
use rtc::peer_connection::configuration::RTCOfferOptions;
use runtime::{PeerRuntime, Resolved};
use servers::ServerPlan;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tap::Tap;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription};

/// Targets of the stack's own diagnostics that repeat themselves for as long as a trouble lasts: the driver complains of
/// each packet that it could not hand on, ICE five times a second that it has no pair to check yet. What matters of it is
/// among our facts.
pub const NOISY_LOG_TARGETS: &[&str] = &["webrtc::peer_connection::driver", "rtc_ice::agent"];

#[derive(Clone, Debug)]
pub struct CallSetup {
    pub ice_servers: Vec<IceServer>,
    pub policy: IcePolicy,
    pub silence: Silence,
    /// Certificate authorities for TURN over TLS beside the platform's own, as PEM text.
    pub extra_ca: Option<String>,
    pub bind: BindWhere,
}

#[derive(Debug)]
pub enum CallEvent {
    LocalCandidate {
        candidate: String,
        mid: Option<String>,
        line: Option<u16>,
    },
    EndOfCandidates,
    /// ICE and DTLS stand; silence is being sent. Said again when they stand again.
    Connected,
    /// ICE or DTLS gave up. Nothing comes back without a restart.
    Failed,
    /// The far end said goodbye in DTLS.
    FarEndClosed,
    /// The stack works no more; only a new call helps. The last event of a call.
    StackDied,
}

/// Dropping it ends everything too, without waiting for the end.
pub struct Call {
    peer: Arc<dyn PeerConnection>,
    instruments: Arc<Instruments>,
    lifeline: Arc<Lifeline>,
    gathering: Arc<Gathering>,
    negotiation: Mutex<Negotiation>,
    relays: Arc<Relays>,
    tasks: JoinSet<()>,
    closed: bool,
}

#[derive(Default)]
struct Negotiation {
    far_ufrag: Option<String>,
    /// An offer is out: the far end's candidates may overtake its answer, and belong behind it.
    offered: bool,
    early: Vec<RTCIceCandidateInit>,
}

/// Gaps are declared within this of their limit; more often would only cost wake-ups.
const TICK: Duration = Duration::from_millis(40);

/// The stack closes within a tenth of a second when it works.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

fn credentials(servers: &[IceServer]) -> Scrub {
    let secrets = servers.iter().flat_map(|server| server.username.iter().chain(&server.credential));
    Scrub::new(secrets.map(|secret| secret.reveal().clone()))
}

impl Call {
    pub async fn new(setup: CallSetup, recorder: &Recorder) -> anyhow::Result<(Self, UnboundedReceiver<CallEvent>)> {
        let plan = servers::plan(&setup.ice_servers);
        for says in &plan.left_out {
            recorder.note(Fact::Blind { watcher: record::Sense::Ice, why: Said::new(says) });
        }
        let gathering = Arc::new(Gathering { relays: labels(&plan), ..Gathering::default() });
        let instruments = Arc::new(Instruments::new(setup.silence, recorder.clone(), credentials(&setup.ice_servers)));
        let (events, from_call) = unbounded_channel();
        let lifeline = Arc::new(Lifeline::new(events, Arc::clone(&instruments)));
        let (tracks, arriving) = unbounded_channel();
        let (connected, when_connected) = tokio::sync::watch::channel(false);

        let relays = relays(&plan, setup.extra_ca, &instruments).await?;
        let handler = Handler {
            instruments: Arc::clone(&instruments),
            lifeline: Arc::clone(&lifeline),
            tracks,
            connected,
            gathering: Arc::clone(&gathering),
        };
        let ear = rtcp::Ear::new(Arc::clone(&instruments));
        let runtime = Arc::new(tapped(&plan, &relays, &instruments, &lifeline));
        runtime.look_ahead(plan.for_the_resolver()).await;
        let peer = peer::build(PeerSettings {
            runtime,
            handler: Arc::new(handler),
            ice_servers: plan.for_the_stack,
            policy: setup.policy,
            bind: Bind { where_: setup.bind, port: 0 },
            interceptors: Registry::new().with(Slot::from(rtcp::SLOT), ear),
            reactor_pool: 0,
        })
        .await?;
        let voice = Voice::new()?;
        let sender = peer.add_track(voice.track.clone()).await.context("the audio track was not taken")?;

        let mut tasks = JoinSet::new();
        tasks.spawn(pulse(Arc::clone(&instruments)));
        tasks.spawn(watch::watch(sender, Arc::clone(&instruments), Arc::clone(&lifeline)));
        tasks.spawn(listen(arriving));
        tasks.spawn(speak(voice, setup.silence, when_connected, Arc::clone(&instruments), Arc::clone(&lifeline)));
        let negotiation = Mutex::default();
        Ok((Self { peer, instruments, lifeline, gathering, negotiation, relays, tasks, closed: false }, from_call))
    }

    /// The first offer. Candidates follow as events.
    pub async fn offer(&self) -> anyhow::Result<String> {
        self.describe(RTCOfferOptions { ice_restart: false }).await
    }

    /// The offer of an ICE restart; local sockets are bound anew.
    pub async fn restart(&self) -> anyhow::Result<String> {
        self.describe(RTCOfferOptions { ice_restart: true }).await
    }

    async fn describe(&self, options: RTCOfferOptions) -> anyhow::Result<String> {
        let offer = self.peer.create_offer(Some(options)).await.context("no offer could be made")?;
        *self.gathering.began.lock().expect("no holder panics") = Some(self.instruments.recorder().now());
        *self.gathering.mid.lock().expect("no holder panics") =
            candidates::attribute(&offer.sdp, "mid").map(str::to_owned);
        self.negotiation().offered = true;
        let sdp = candidates::without_candidates(&offer.sdp);
        self.peer.set_local_description(offer).await.context("the stack did not take its own offer")?;
        Ok(sdp)
    }

    /// For a restart, tells whether the far end's ICE credentials are really new.
    pub async fn answer(&self, sdp: &str) -> anyhow::Result<Option<bool>> {
        let answer = RTCSessionDescription::answer(sdp.to_owned()).context("the far end's answer is not SDP")?;
        self.peer.set_remote_description(answer).await.context("the far end's answer was not taken")?;
        for fact in candidates::in_sdp(sdp).filter_map(candidates::remote) {
            self.instruments.note(fact);
        }
        let ufrag = candidates::attribute(sdp, "ice-ufrag").map(str::to_owned);
        let (before, early) = {
            let mut negotiation = self.negotiation();
            negotiation.offered = false;
            (std::mem::replace(&mut negotiation.far_ufrag, ufrag.clone()), std::mem::take(&mut negotiation.early))
        };
        for candidate in early {
            self.add(candidate).await;
        }
        Ok(before.map(|before| Some(before) != ufrag))
    }

    /// May come before the answer that it belongs to. An empty one marks the end of them.
    pub async fn remote_candidate(&self, candidate: &str, mid: Option<&str>, line: Option<u16>) -> anyhow::Result<()> {
        if candidate.trim().is_empty() {
            return Ok(());
        }
        let Some(fact) = candidates::remote(candidate) else {
            tracing::debug!(candidate, "a candidate that is not over UDP is left alone");
            return Ok(());
        };
        self.instruments.note(fact);
        let candidate = RTCIceCandidateInit {
            candidate: candidate.to_owned(),
            sdp_mid: mid.map(str::to_owned),
            sdp_mline_index: line,
            ..Default::default()
        };
        {
            let mut negotiation = self.negotiation();
            if negotiation.offered {
                negotiation.early.push(candidate);
                return Ok(());
            }
        }
        self.add(candidate).await;
        Ok(())
    }

    /// A candidate that the stack does not understand, such as a name of mDNS, is one path less and no reason to fail.
    async fn add(&self, candidate: RTCIceCandidateInit) {
        if let Err(error) = self.peer.add_ice_candidate(candidate).await {
            tracing::info!(%error, "a candidate of the far end was not taken");
        }
    }

    /// As `close`, for a call that is lost: that its media ends here is a fact, and not only our wish.
    pub async fn give_up(self) {
        self.instruments.give_up();
        self.close().await;
    }

    /// One way out for every kind of end: stops the sender, closes the PeerConnection, settles the instruments.
    pub async fn close(mut self) {
        self.lifeline.over();
        self.tasks.shutdown().await;
        match tokio::time::timeout(CLOSED_WITHIN, self.peer.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the stack did not close in order"),
            Err(_) => tracing::warn!("the stack did not close in time"),
        }
        self.relays.end().await;
        self.closed = true;
    }

    fn negotiation(&self) -> MutexGuard<'_, Negotiation> {
        self.negotiation.lock().expect("no holder panics")
    }
}

/// The stack's driver lives on when its connection is only dropped.
impl Drop for Call {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        self.lifeline.over();
        let peer = Arc::clone(&self.peer);
        if let Ok(here) = tokio::runtime::Handle::try_current() {
            here.spawn(async move { tokio::time::timeout(CLOSED_WITHIN, peer.close()).await });
        }
    }
}

fn labels(plan: &ServerPlan) -> std::collections::BTreeMap<String, Heard> {
    let udp = plan.names.iter().map(|(place, label)| (place.clone(), label.clone()));
    let streams = plan.over_streams.iter().map(|relay| (relay.magic.to_string(), relay.label.clone()));
    udp.chain(streams).map(|(place, label)| (format!("turn:{place}?transport=udp"), label)).collect()
}

async fn relays(
    plan: &ServerPlan,
    extra_ca: Option<String>,
    instruments: &Arc<Instruments>,
) -> anyhow::Result<Arc<Relays>> {
    let needs_tls = plan.over_streams.iter().any(|relay| relay.tls);
    let tls = if needs_tls { Some(tls::client_config(extra_ca).await?) } else { None };
    Ok(Relays::new(plan.over_streams.clone(), tls, Arc::clone(instruments)))
}

fn tapped(
    plan: &ServerPlan,
    relays: &Arc<Relays>,
    instruments: &Arc<Instruments>,
    lifeline: &Arc<Lifeline>,
) -> PeerRuntime {
    let wrapping = {
        let (instruments, relays) = (Arc::clone(instruments), Arc::clone(relays));
        move |socket| Arc::new(Tap::new(socket, Arc::clone(&instruments), Arc::clone(&relays))) as _
    };
    let naming = {
        let (names, instruments) = (plan.names.clone(), Arc::clone(instruments));
        move |place: &str, resolved: Resolved<'_>| {
            let label = names.iter().find(|(name, _)| name == place).map(|(_, label)| label.clone());
            let blind = |why: &str| {
                instruments.recorder().note(Fact::Blind { watcher: record::Sense::Ice, why: Said::new(why) });
            };
            match (resolved, label) {
                (Resolved::Now(addresses), Some(label)) => {
                    addresses.iter().for_each(|address| instruments.name_server(*address, label.clone()));
                }
                (Resolved::Before(error), label) => {
                    let server = label.map_or_else(|| format!("stun:{place}"), |label| label.to_string());
                    blind(&format!("{server} was not resolved anew ({error}); its addresses of before are used"));
                }
                (Resolved::Not(error), Some(server)) => {
                    let says = Heard::new(&format!("its name could not be resolved: {error}"));
                    instruments.note(record::fact::Ice::TurnLost { server, says: says.into() });
                }
                (Resolved::Not(error), None) => {
                    blind(&format!("the public address: stun:{place} could not be resolved: {error}"));
                }
                (Resolved::Now(_), None) => {}
            }
        }
    };
    let lifeline = Arc::clone(lifeline);
    PeerRuntime::wrapping(wrapping)
        .for_relays(!plan.names.is_empty() || !plan.over_streams.is_empty())
        .on_resolved(naming)
        .on_driver_end(move || lifeline.died("its driver has ended by itself"))
}

async fn pulse(instruments: Arc<Instruments>) {
    loop {
        tokio::time::sleep(TICK).await;
        instruments.tick();
    }
}

/// The stack hands packets up through queues and complains when nobody empties them. What is in the packets was already
/// seen by the ear.
async fn listen(mut arriving: UnboundedReceiver<Arc<dyn TrackRemote>>) {
    let mut tracks = JoinSet::new();
    while let Some(track) = arriving.recv().await {
        tracks.spawn(async move { while track.poll().await.is_some() {} });
    }
}

/// Silence from the first connection to the end. Before it, the stack would complain of each packet.
async fn speak(
    voice: Voice,
    silence: Silence,
    mut connected: tokio::sync::watch::Receiver<bool>,
    instruments: Arc<Instruments>,
    lifeline: Arc<Lifeline>,
) {
    if connected.wait_for(|connected| *connected).await.is_ok() {
        let why = voice.be_silent(silence, instruments.recorder().clock()).await;
        lifeline.died(&why);
    }
}
