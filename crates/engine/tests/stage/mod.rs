//! A stage for calls: one `Call`, and a far end in the same process that echoes and whose network can be cut.

#![allow(dead_code, reason = "each test binary uses its part of the stage")]

use engine::call::peer::{self, Bind, BindWhere, PeerSettings};
use engine::call::runtime::PeerRuntime;
use engine::call::socket::PlainSocket;
use engine::call::{Call, CallEvent, CallSetup};
use engine::{Clock, Recorder};
use record::fact::{Media, MediaSample};
use record::profile::{IcePolicy, IceServer, Silence};
use record::{Event, Fact};
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::io::{self, IoSliceMut, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceServer, RTCPeerConnectionIceEvent,
    RTCSessionDescription,
};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

pub struct Stage {
    pub call: Call,
    pub far: Far,
    pub recorder: Recorder,
    from_call: UnboundedReceiver<CallEvent>,
    facts: UnboundedReceiver<Arc<Event>>,
    pub log: Vec<Arc<Event>>,
    pub told: Vec<CallEvent>,
}

pub fn setup(silence: Silence) -> CallSetup {
    CallSetup { ice_servers: vec![], policy: IcePolicy::All, silence, extra_ca: None, bind: BindWhere::Loopback }
}

impl Stage {
    pub async fn set(setup: CallSetup, far: Far) -> Self {
        let recorder = Recorder::unwritten(Clock::real());
        let facts = recorder.listen();
        let (call, from_call) = Call::new(setup, &recorder).await.expect("a call can be made");
        Self { call, far, recorder, from_call, facts, log: vec![], told: vec![] }
    }

    /// A call that stands and, where media is expected, flows.
    pub async fn standing(silence: Silence) -> Self {
        let mut stage = Self::set(setup(silence), Far::new(BindWhere::Loopback, vec![]).await).await;
        stage.offer().await;
        match silence {
            Silence::None => stage.told("Connected", |event| matches!(event, CallEvent::Connected)).await,
            _ => drop(stage.fact("the first RTP", |fact| matches!(fact, Fact::Media(Media::Flowing { .. }))).await),
        }
        stage
    }

    pub async fn offer(&mut self) {
        let offer = self.call.offer().await.expect("an offer");
        let answer = self.far.answer(offer).await;
        assert_eq!(self.call.answer(&answer).await.expect("the answer is taken"), None);
    }

    pub async fn restart(&mut self) -> (String, Option<bool>) {
        let offer = self.call.restart().await.expect("an offer");
        let answer = self.far.answer(offer.clone()).await;
        (offer, self.call.answer(&answer).await.expect("the answer is taken"))
    }

    /// The next fact of that kind, within ten seconds.
    pub async fn fact(&mut self, what: &str, mut wanted: impl FnMut(&Fact) -> bool) -> Arc<Event> {
        let mut seen = self.log.len();
        for _ in 0..200 {
            self.run(Duration::from_millis(50)).await;
            for event in &self.log[seen..] {
                seen += 1;
                if wanted(&event.fact) {
                    return Arc::clone(event);
                }
            }
        }
        panic!(
            "{what} did not come within 10 s; the log ends with {:#?}",
            &self.log[self.log.len().saturating_sub(12)..]
        );
    }

    pub async fn told(&mut self, what: &str, wanted: impl Fn(&CallEvent) -> bool) {
        for _ in 0..200 {
            if self.told.iter().any(&wanted) {
                return;
            }
            self.run(Duration::from_millis(50)).await;
        }
        panic!("{what} was not told within 10 s, but {:?}", self.told);
    }

    /// Carries candidates both ways and collects what is told, for so long.
    pub async fn run(&mut self, time: Duration) {
        let end = tokio::time::sleep(time);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                Some(event) = self.facts.recv() => self.log.push(event),
                Some(event) = self.from_call.recv() => {
                    if let CallEvent::LocalCandidate { candidate, mid, line } = &event {
                        assert_eq!(mid.as_deref(), Some("0"));
                        self.far.candidate(candidate, *line).await;
                    }
                    self.told.push(event);
                }
                Some(candidate) = self.far.candidates.recv() => {
                    self.call.remote_candidate(&candidate, Some("0"), Some(0)).await.expect("taken");
                }
            }
        }
    }

    /// The samples of the next so many whole seconds.
    pub async fn samples(&mut self, seconds: usize) -> Vec<MediaSample> {
        let before = self.all_samples().len();
        // The second that is under way began before the call of this and does not count.
        while self.all_samples().len() < before + 1 + seconds {
            self.fact("a sample", |fact| matches!(fact, Fact::Media(Media::Sample(_)))).await;
        }
        self.all_samples().split_off(before + 1)
    }

    pub fn all_samples(&self) -> Vec<MediaSample> {
        let sample = |event: &Arc<Event>| match &event.fact {
            Fact::Media(Media::Sample(sample)) => Some(*sample),
            _ => None,
        };
        self.log.iter().filter_map(sample).collect()
    }

    pub fn media(&self) -> Vec<Media> {
        let media = self.log.iter().filter_map(|event| match &event.fact {
            Fact::Media(Media::Sample(_)) => None,
            Fact::Media(media) => Some(media.clone()),
            _ => None,
        });
        media.collect()
    }

    pub async fn end(self) {
        self.call.close().await;
        self.far.peer.close().await.expect("the far end closes");
    }
}

/// Answers, echoes, and can be cut off, told to be mute, or killed.
pub struct Far {
    pub peer: Arc<dyn PeerConnection>,
    pub does: Arc<Does>,
    pub candidates: UnboundedReceiver<String>,
}

#[derive(Default)]
pub struct Does {
    pub cut: AtomicBool,
    pub mute: AtomicBool,
    pub broken: AtomicBool,
    pub ended: AtomicBool,
}

const FAR_SSRC: u32 = 77;

impl Far {
    pub async fn new(bind: BindWhere, servers: Vec<RTCIceServer>) -> Self {
        Self::with(bind, servers, IcePolicy::All, Registry::new()).await
    }

    pub async fn with(bind: BindWhere, ice_servers: Vec<RTCIceServer>, policy: IcePolicy, ears: Registry) -> Self {
        let does = Arc::new(Does::default());
        let echo = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "echo".into(),
            "echo".into(),
            "echo".into(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(FAR_SSRC), ..Default::default() },
                codec: peer::opus().rtp_codec,
                ..Default::default()
            }],
        )));
        let (to_caller, candidates) = unbounded_channel();
        let handler = FarHandler { echo: Arc::clone(&echo), does: Arc::clone(&does), to_caller };
        let (gate, ended) = (Arc::clone(&does), Arc::clone(&does));
        let runtime = PeerRuntime::wrapping(move |socket| Arc::new(Gate { socket, does: Arc::clone(&gate) }))
            .on_driver_end(move || ended.ended.store(true, Relaxed));
        let settings = PeerSettings {
            runtime: Arc::new(runtime),
            handler: Arc::new(handler),
            ice_servers,
            policy,
            bind: Bind { where_: bind, port: 0 },
            interceptors: ears,
            reactor_pool: 0,
        };
        let peer = peer::build(settings).await.expect("a far end can be made");
        peer.add_track(echo).await.expect("a track can be added");
        Self { peer, does, candidates }
    }

    pub async fn answer(&self, offer: String) -> String {
        let offer = RTCSessionDescription::offer(offer).expect("an offer is SDP");
        self.peer.set_remote_description(offer).await.expect("the offer is taken");
        let answer = self.peer.create_answer(None).await.expect("an answer");
        self.peer.set_local_description(answer.clone()).await.expect("the answer is taken");
        answer.sdp
    }

    async fn candidate(&self, candidate: &str, line: Option<u16>) {
        let candidate =
            RTCIceCandidateInit { candidate: candidate.into(), sdp_mline_index: line, ..Default::default() };
        self.peer.add_ice_candidate(candidate).await.expect("our candidates are understood");
    }
}

struct FarHandler {
    echo: Arc<TrackLocalStaticRTP>,
    does: Arc<Does>,
    to_caller: UnboundedSender<String>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for FarHandler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(init) = event.candidate.to_json() {
            let _ = self.to_caller.send(init.candidate);
        }
    }
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let (echo, does) = (Arc::clone(&self.echo), Arc::clone(&self.does));
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(mut packet) = event
                    && !does.mute.load(Relaxed)
                {
                    packet.header.ssrc = FAR_SSRC;
                    let _ = echo.write_rtp(packet).await;
                }
            }
        });
    }
}

#[derive(Debug)]
struct Gate {
    socket: PlainSocket,
    does: Arc<Does>,
}

impl std::fmt::Debug for Does {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Does")
    }
}

impl AsyncUdpSocket for Gate {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.does.cut.load(Relaxed) {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        self.socket.poll_send(cx, transmit)
    }
    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.does.broken.load(Relaxed) {
                return Poll::Ready(Err(io::Error::other("the socket is gone")));
            }
            let received = self.socket.poll_recv(cx, bufs, meta);
            if received.is_pending() || !self.does.cut.load(Relaxed) {
                return received;
            }
        }
    }
}

/// Past the test runner, which shows what a passing test prints to nobody.
pub fn skip(why: &str) {
    let line = format!("\nSKIPPED, NOT TESTED: {why}\n");
    io::stderr().write_all(line.as_bytes()).expect("the terminal takes it");
}

pub fn turn_server(url: &str, user: &str, password: &str) -> IceServer {
    IceServer {
        urls: vec![url.into()],
        username: Some(record::Private::new(user.into())),
        credential: Some(record::Private::new(password.into())),
        expires: None,
    }
}
