//! A whole call with a real WebRTC peer: it hears its own packets, and the reflector says when they stopped.

use crate::desk::{Client, Desk, SOON, hello};
use engine::call::peer::{self, Bind, BindWhere, PeerSettings, opus};
use engine::call::runtime::PeerRuntime;
use record::fact::Sight;
use record::profile::IcePolicy;
use record::wire::{FromClient, FromFar};
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
    RTCSessionDescription,
};

const OUR_SSRC: u32 = 0x0a0b_0c0d;

struct Caller {
    connection: Arc<dyn PeerConnection>,
    track: Arc<dyn TrackLocal>,
    events: UnboundedReceiver<Event>,
    sequence: u16,
}

enum Event {
    Candidate(RTCIceCandidateInit),
    Connected,
    Echo(rtc::rtp::Packet),
}

struct Handler(UnboundedSender<Event>);

type Done<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl PeerConnectionEventHandler for Handler {
    fn on_ice_candidate<'a, 'b>(&'a self, event: RTCPeerConnectionIceEvent) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let _ = self.0.send(Event::Candidate(event.candidate.to_json().unwrap()));
        Box::pin(ready(()))
    }
    fn on_connection_state_change<'a, 'b>(&'a self, state: RTCPeerConnectionState) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        if state == RTCPeerConnectionState::Connected {
            let _ = self.0.send(Event::Connected);
        }
        Box::pin(ready(()))
    }
    fn on_track<'a, 'b>(&'a self, track: Arc<dyn TrackRemote>) -> Done<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let to = self.0.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let _ = to.send(Event::Echo(packet));
                }
            }
        });
        Box::pin(ready(()))
    }
}

impl Caller {
    async fn new() -> Self {
        let (to, events) = unbounded_channel();
        let connection = Box::pin(peer::build(PeerSettings {
            runtime: Arc::new(PeerRuntime::plain()),
            handler: Arc::new(Handler(to)),
            ice_servers: vec![],
            policy: IcePolicy::All,
            bind: Bind { where_: BindWhere::Loopback, port: 0 },
            interceptors: Registry::new(),
            reactor_pool: 0,
        }))
        .await
        .unwrap();
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(OUR_SSRC), ..Default::default() },
            codec: opus().rtp_codec,
            ..Default::default()
        };
        let name = || "mic".to_owned();
        let track = MediaStreamTrack::new(name(), name(), name(), RtpCodecKind::Audio, vec![coding]);
        let track: Arc<dyn TrackLocal> = Arc::new(TrackLocalStaticRTP::new(track));
        connection.add_track(Arc::clone(&track)).await.unwrap();
        Self { connection, track, events, sequence: 100 }
    }

    /// Offer, answer and candidates over the socket, until connected. Gives back the answer.
    async fn negotiate(&mut self, client: &mut Client, restart: bool) -> String {
        if restart {
            self.connection.restart_ice().await.unwrap();
        }
        let offer = self.connection.create_offer(None).await.unwrap();
        client.say(&FromClient::Offer { sdp: offer.sdp.clone() }).await;
        self.connection.set_local_description(offer).await.unwrap();
        let mut answer = None;
        let mut early = Vec::new();
        let negotiation = async {
            loop {
                tokio::select! {
                    said = client.hear() => match said {
                        FromFar::Answer { sdp } => {
                            answer = Some(sdp.clone());
                            let sdp = RTCSessionDescription::answer(sdp).unwrap();
                            self.connection.set_remote_description(sdp).await.unwrap();
                            for init in early.drain(..) {
                                self.connection.add_ice_candidate(init).await.unwrap();
                            }
                            if restart {
                                return;
                            }
                        }
                        FromFar::Candidate { candidate, .. } if candidate.is_empty() => {}
                        FromFar::Candidate { candidate, mid, line } => {
                            let init =
                                RTCIceCandidateInit { candidate, sdp_mid: mid, sdp_mline_index: line, ..Default::default() };
                            if answer.is_some() {
                                self.connection.add_ice_candidate(init).await.unwrap();
                            } else {
                                early.push(init);
                            }
                        }
                        other => panic!("{other:?}"),
                    },
                    event = self.events.recv() => match event.unwrap() {
                        Event::Candidate(init) => {
                            let (mid, line) = (init.sdp_mid, init.sdp_mline_index);
                            client.say(&FromClient::Candidate { candidate: init.candidate, mid, line }).await;
                        }
                        Event::Connected => return,
                        Event::Echo(_) => {}
                    },
                }
            }
        };
        tokio::time::timeout(SOON, negotiation).await.expect("connected soon");
        answer.expect("connected after an answer")
    }

    /// 20 ms apart, each with its number as payload; gives back the payloads and headers of what came back meanwhile and
    /// shortly after.
    async fn send(&mut self, n: u16) -> Vec<rtc::rtp::Packet> {
        for _ in 0..n {
            let mut packet = rtc::rtp::Packet::default();
            packet.header.version = 2;
            packet.header.payload_type = 111;
            packet.header.ssrc = OUR_SSRC;
            packet.header.sequence_number = self.sequence;
            packet.header.timestamp = u32::from(self.sequence) * 960;
            packet.payload = self.sequence.to_be_bytes().to_vec().into();
            self.sequence += 1;
            self.track.write_rtp(packet).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut echoes = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(60), self.events.recv()).await {
            if let Event::Echo(packet) = event {
                echoes.push(packet);
            }
        }
        echoes
    }
}

fn numbers(echoes: &[rtc::rtp::Packet]) -> Vec<u16> {
    echoes.iter().map(|packet| u16::from_be_bytes(packet.payload[..].try_into().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_hears_its_own_packets_and_learns_when_the_reflector_stopped_hearing_them() {
    let desk = Desk::plain().await;
    whole_call(&desk).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_over_one_media_port_are_kept_apart_and_follow_a_restart() {
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let desk = Desk::with(|s| s.media_port = Some(port)).await;
    tokio::join!(whole_call(&desk), whole_call(&desk));
    let (mut client, _) = desk.call().await;
    let mut caller = Caller::new().await;
    caller.negotiate(&mut client, false).await;
    let pair = used_port(&caller).await;
    assert_eq!(pair, port, "the media goes to the one port");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_box_hands_udp_on_nothing_goes_past_it() {
    let near = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = near.local_addr().unwrap().port();
    let desk = Desk::with(|s| s.udp_through = Some(port)).await;
    let far = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.connect(desk.at).await.unwrap();
    let handing_on = tokio::spawn(async move {
        let (mut out, mut back, mut caller) = ([0; 2048], [0; 2048], None);
        loop {
            tokio::select! {
                Ok((n, from)) = near.recv_from(&mut out) => {
                    caller = Some(from);
                    far.send(&out[..n]).await.unwrap();
                }
                Ok(n) = far.recv(&mut back) => drop(near.send_to(&back[..n], caller.unwrap()).await),
            }
        }
    });
    let mut client = desk.socket().await;
    client.say(&hello(None, None)).await;
    let FromFar::Welcome { lanes, .. } = client.hear().await else { panic!("no welcome") };
    assert_eq!(lanes.and_then(|gate| gate.udp), Some(port));
    let mut caller = Caller::new().await;
    caller.negotiate(&mut client, false).await;
    assert_eq!(used_port(&caller).await, port);
    assert!(!caller.send(10).await.is_empty());
    handing_on.abort();
    assert!(handing_on.await.is_err());
    assert_eq!(caller.send(10).await, []);
    desk.close().await;
}

async fn used_port(caller: &Caller) -> u16 {
    let senders = caller.connection.get_senders().await;
    let transport = senders[0].transport().await.unwrap().unwrap();
    let pair = transport.ice_transport().get_selected_candidate_pair().await.unwrap().unwrap();
    pair.remote().port
}

async fn whole_call(desk: &Desk) {
    let (mut client, ticket) = desk.call().await;
    let mut caller = Caller::new().await;
    let answer = caller.negotiate(&mut client, false).await;
    let clock = engine::Clock::real();

    let began = clock.now().wall.micros();
    // The caller's side of DTLS is ready first, so that the very first packets may come too early.
    let mut tries = 0;
    while caller.send(1).await.is_empty() {
        tries += 1;
        assert!(tries < 20, "no echo");
    }
    let base = caller.sequence;
    let echoes = caller.send(30).await;
    assert_eq!(numbers(&echoes), (base..base + 30).collect::<Vec<_>>(), "each packet once and in order");
    assert!(echoes.iter().all(|packet| packet.header.ssrc != OUR_SSRC), "on the reflector's own stream");
    assert!(
        echoes
            .iter()
            .all(|packet| packet.header.timestamp == 960 * u32::from(numbers(std::slice::from_ref(packet))[0]))
    );
    let last_sent = clock.now().wall.micros() - 60_000 - 20_000;
    let Sight::MediaStarted { first } = client.sight().await else { panic!("not started") };
    assert!((began - 5_000..began + 2_000_000).contains(&first.micros()), "{first}");
    let Sight::MediaStopped { last } = client.sight().await else { panic!("not stopped") };
    assert!((last.micros() - last_sent).abs() < 300_000, "{last} is not when the last packet was sent");
    assert!(last > first);

    // Without a socket the media goes on, and what was seen meanwhile is told to the next socket.
    drop(client);
    let echoes = caller.send(10).await;
    assert_eq!(numbers(&echoes), (base + 30..base + 40).collect::<Vec<_>>());
    let mut client = desk.socket().await;
    client.say(&hello(None, Some(&ticket))).await;
    assert!(client.welcome().await.resumed);
    let mut missed = Vec::new();
    while missed.last() != Some(&Sight::Reattached) {
        missed.push(client.sight().await);
    }
    // Which of the two came first is a matter of microseconds; the one heard before may come again.
    assert!(missed.iter().any(|sight| matches!(sight, Sight::SocketEnded { .. })), "{missed:?}");
    assert!(missed.iter().any(|sight| matches!(sight, Sight::MediaResumed { .. })), "{missed:?}");

    // An ICE restart over the new socket, on the same PeerConnection.
    while let Sight::MediaStopped { .. } | Sight::MediaResumed { .. } =
        match tokio::time::timeout(Duration::from_millis(400), client.hear()).await {
            Ok(FromFar::Saw { sight, .. }) => sight,
            Ok(other) => panic!("{other:?}"),
            Err(_) => Sight::Reattached,
        }
    {}
    let restarted = caller.negotiate(&mut client, true).await;
    let name = |sdp: &str| sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap().to_owned();
    assert_ne!(name(&restarted), name(&answer), "new ICE credentials");
    let mut heard = Vec::new();
    for _ in 0..20 {
        // Candidates of the restart still travel.
        while let Ok(said) = tokio::time::timeout(Duration::from_millis(5), client.hear()).await {
            if let FromFar::Candidate { candidate, mid, line } = said
                && !candidate.is_empty()
            {
                let init = RTCIceCandidateInit { candidate, sdp_mid: mid, sdp_mline_index: line, ..Default::default() };
                caller.connection.add_ice_candidate(init).await.unwrap();
            }
        }
        while let Ok(event) = caller.events.try_recv() {
            if let Event::Candidate(init) = event {
                let (mid, line) = (init.sdp_mid, init.sdp_mline_index);
                client.say(&FromClient::Candidate { candidate: init.candidate, mid, line }).await;
            }
        }
        heard = caller.send(5).await;
        if heard.len() == 5 {
            break;
        }
    }
    assert_eq!(heard.len(), 5, "the echo is back after the restart");

    client.say(&FromClient::Bye { reason: "done".into() }).await;
    let totals = loop {
        match client.hear().await {
            FromFar::Saw { sight: Sight::Counted { received, lost, echoed }, .. } => break (received, lost, echoed),
            FromFar::Ended { .. } => panic!("ended without totals"),
            _ => {}
        }
    };
    assert!(totals.0 >= 45 && totals.2 == totals.0, "{totals:?}");
    assert_eq!(client.closed().await.0, 1000);
    caller.connection.close().await.unwrap();
}
