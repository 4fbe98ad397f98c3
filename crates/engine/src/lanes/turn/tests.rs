//! Against a small TURN server over UDP and TCP, with a far end behind it that answers echoes.

use super::*;
use crate::call::relay::read_frame;
use crate::call::wire::{self, Class, Kind, Stun, attribute, method};
use crate::lanes::stun::refusal;
use crate::{Clock, Recorder};
use record::fact::{End, Signaling};
use record::wire::datagram::{Datagram, FromClient, FromFar, Key};
use record::wire::{LaneGate, Sealed};
use record::{Event, Fact, Scrub, profile};
use rtc::crypto::default_provider;
use rtc::stun::attributes::{ATTR_NONCE, ATTR_REALM, AttrType};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_SUCCESS_RESPONSE, METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_REFRESH, Message,
    MessageType, Setter, TransactionId,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const MS: Duration = Duration::from_millis(1);
const SOON: Duration = Duration::from_secs(10);
const EVERY_NOW: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Behaves {
    forbids_peers: AtomicBool,
    refuses_refreshes: AtomicBool,
    is_deaf: AtomicBool,
    /// Each nonce is good once.
    stale: AtomicBool,
    /// Its refusals say what it was told.
    is_indiscreet: AtomicBool,
}

/// What one client has there.
struct Relay {
    behaves: Arc<Behaves>,
    socket: Arc<UdpSocket>,
    peer: Option<SocketAddr>,
    fresh: bool,
}

impl Relay {
    /// `out` carries what comes from the peer.
    async fn new(behaves: Arc<Behaves>, out: UnboundedSender<Vec<u8>>) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let reading = Arc::clone(&socket);
        tokio::spawn(async move {
            let mut buf = [0; 1500];
            while let Ok(len) = reading.recv(&mut buf).await {
                let _gone = out.send(wire::build::channel(0x4000, &buf[..len]));
            }
        });
        Self { behaves, socket, peer: None, fresh: false }
    }

    async fn take(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        if self.behaves.is_deaf.load(Relaxed) {
            return None;
        }
        match wire::look(frame) {
            Kind::Channel(data) => {
                self.socket.send_to(data, self.peer?).await.unwrap();
                None
            }
            Kind::Stun(stun) => Some(self.answer(&stun, frame)),
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, asked: &Stun<'_>, frame: &[u8]) -> Vec<u8> {
        let kind = match asked.method {
            method::ALLOCATE => METHOD_ALLOCATE,
            method::REFRESH => METHOD_REFRESH,
            method::CHANNEL_BIND => METHOD_CHANNEL_BIND,
            other => panic!("method {other}"),
        };
        let signed = asked.has(attribute::MESSAGE_INTEGRITY);
        let stale = signed && self.behaves.stale.load(Relaxed) && !std::mem::replace(&mut self.fresh, false);
        let code = match kind {
            _ if !signed || !is_signed_well(frame) => Some((4, 1)),
            _ if stale => Some((4, 38)),
            METHOD_REFRESH if self.behaves.refuses_refreshes.load(Relaxed) => Some((4, 37)),
            METHOD_CHANNEL_BIND if self.behaves.forbids_peers.load(Relaxed) => Some((4, 3)),
            _ => None,
        };
        let mut message = Message::new();
        message.transaction_id = TransactionId(asked.id);
        let class = if code.is_some() { CLASS_ERROR_RESPONSE } else { CLASS_SUCCESS_RESPONSE };
        message.typ = MessageType::new(kind, class);
        message.write_header();
        if let Some((hundreds, rest)) = code {
            self.fresh = true;
            let says: &[u8] =
                if self.behaves.is_indiscreet.load(Relaxed) { b"user may not come in with hunter2" } else { b"no" };
            message.add(AttrType(attribute::ERROR_CODE), &[&[0, 0, hundreds, rest][..], says].concat());
            message.add(ATTR_REALM, b"example.org");
            message.add(ATTR_NONCE, b"abcdef");
            return message.raw;
        }
        match asked.method {
            method::ALLOCATE => {
                let port = self.socket.local_addr().unwrap().port().to_be_bytes();
                let c = wire::COOKIE;
                let relayed = [0, 1, port[0] ^ c[0], port[1] ^ c[1], 127 ^ c[0], c[1], c[2], 1 ^ c[3]];
                message.add(AttrType(attribute::XOR_RELAYED_ADDRESS), &relayed);
                message.add(AttrType(attribute::LIFETIME), &600u32.to_be_bytes());
            }
            method::CHANNEL_BIND => self.peer = asked.xor_address(0x0012),
            _ => message.add(AttrType(attribute::LIFETIME), &600u32.to_be_bytes()),
        }
        let crypto = default_provider().unwrap();
        MessageIntegrity::new_raw_integrity_with_provider(key(), crypto.crypto()).add_to(&mut message).unwrap();
        message.raw
    }
}

fn key() -> Vec<u8> {
    let crypto = default_provider().unwrap();
    let words = ["user", "example.org", "hunter2"].map(str::to_owned);
    let [username, realm, password] = words;
    MessageIntegrity::long_term_integrity_key(username, realm, password, crypto.crypto()).unwrap()
}

fn is_signed_well(frame: &[u8]) -> bool {
    let mut message = Message::new();
    message.raw = frame.to_vec();
    message.decode().unwrap();
    MessageIntegrity::check(&mut message, &key(), default_provider().unwrap().crypto()).is_ok()
}

async fn over_udp(behaves: Arc<Behaves>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let (out, mut from_peer) = unbounded_channel();
        let mut relay = Relay::new(behaves, out).await;
        let mut client = None;
        let mut buf = [0; 1500];
        loop {
            let answer = tokio::select! {
                Ok((len, from)) = socket.recv_from(&mut buf) => {
                    client = Some(from);
                    relay.take(&buf[..len]).await
                }
                Some(data) = from_peer.recv() => Some(data),
            };
            if let (Some(answer), Some(client)) = (answer, client) {
                socket.send_to(&answer, client).await.unwrap();
            }
        }
    });
    at
}

/// Ends each connection when told to.
async fn over_tcp(behaves: Arc<Behaves>, mut cut: watch::Receiver<bool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = tcp.into_split();
        let (out, mut from_peer) = unbounded_channel();
        let mut relay = Relay::new(behaves, out.clone()).await;
        let (frames, mut came) = unbounded_channel();
        let reading = tokio::spawn(async move {
            while let Ok(Some(frame)) = read_frame(&mut read).await {
                frames.send(frame).unwrap();
            }
        });
        loop {
            let answer = tokio::select! {
                Ok(()) = cut.changed() => break reading.abort(),
                Some(frame) = came.recv() => relay.take(&frame).await,
                Some(data) = from_peer.recv() => Some(data),
                else => break,
            };
            if let Some(mut answer) = answer {
                answer.resize(answer.len().next_multiple_of(4), 0);
                write.write_all(&answer).await.unwrap();
            }
        }
    });
    at
}

/// Answers echoes, as the reflector does.
async fn far_end() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let key = Key::of("ticket");
        let mut buf = [0; 1500];
        while let Ok((len, seen)) = socket.recv_from(&mut buf).await {
            let Datagram { nonce, lane, say: FromClient::Echo } = key.open(&buf[..len]).unwrap() else { panic!() };
            let answer = key.seal(Datagram { nonce, lane, say: FromFar::Echo { seen, pass: 1 } });
            socket.send_to(&answer, seen).await.unwrap();
        }
    });
    at
}

struct Stage {
    noted: UnboundedReceiver<Arc<Event>>,
    log: Vec<Fact>,
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
    _told: (watch::Sender<Option<LaneGate>>, watch::Sender<Vec<IceServer>>),
}

fn stage(url: String, password: &str, far: Option<SocketAddr>) -> Stage {
    let kind = if far.is_some() { "reflector" } else { "janus" };
    let text = format!(
        "for = \"60s\"\n[signaling]\nkind = \"{kind}\"\nurl = \"ws://127.0.0.1\"\n[[ice.servers]]\nurls = [\"{url}\"]\nusername = \"user\"\n\
         credential = \"{password}\""
    );
    let mut profile = profile::read(text.as_bytes()).unwrap();
    profile.lanes = profile::Lanes { talking: true, ..profile::Lanes::none() };
    let recorder = Recorder::unwritten(Clock::real());
    let noted = recorder.listen();
    let gate = far.map(|far| LaneGate { ticket: Sealed::new("ticket".into()), most: 40, udp: Some(far.port()) });
    let ((gate, gate_told), (servers, servers_told)) =
        (watch::channel(gate), watch::channel(profile.ice.servers.clone()));
    let (stop, stopped) = watch::channel(false);
    let ground = Ground::new(recorder.clone(), profile, gate_told, servers_told);
    let running = tokio::spawn(run_every(EVERY_NOW, ground, stopped));
    if let Some(far) = far {
        recorder.note(Signaling::TcpConnected { conn: 1, local: far.into(), remote: far.into(), took_ms: 0.1 });
    }
    Stage { noted, log: vec![], stop, running, _told: (gate, servers) }
}

impl Stage {
    async fn fact(&mut self, what: &str, is: impl Fn(&Fact) -> bool) -> Fact {
        loop {
            let Ok(event) = tokio::time::timeout(SOON, self.noted.recv()).await else {
                panic!("{what} did not come: {:#?}", self.log)
            };
            let fact = event.expect("the recorder lives").fact.clone();
            self.log.push(fact.clone());
            if is(&fact) {
                return fact;
            }
        }
    }
    async fn end(mut self) -> Vec<Fact> {
        self.stop.send_replace(true);
        tokio::time::timeout(500 * MS, self.running).await.expect("in order, and soon").unwrap();
        self.log.extend(std::iter::from_fn(|| self.noted.try_recv().ok()).map(|event| event.fact.clone()));
        self.log
    }
}

fn stands(fact: &Fact) -> bool {
    matches!(fact, Fact::Lane(Lane::Stands { .. }))
}
fn seen_from(fact: &Fact) -> bool {
    matches!(fact, Fact::Lane(Lane::SeenFrom { .. }))
}

/// What the last sample of an ended lane counted.
fn counted(log: &[Fact]) -> (u32, u32) {
    let sample = log.iter().rev().find_map(|fact| match fact {
        Fact::Lane(Lane::Sample { asked, answered, .. }) => Some((*asked, *answered)),
        _ => None,
    });
    sample.expect("counted")
}

#[tokio::test]
async fn an_echo_goes_through_the_relay_over_either_transport() {
    let far = far_end().await;
    let behaves = Arc::new(Behaves::default());
    behaves.stale.store(true, Relaxed);
    let (_cut, uncut) = watch::channel(false);
    let servers = [
        (format!("turn:{}", over_udp(Arc::clone(&behaves)).await), TurnTransport::Udp),
        (format!("turn:{}?transport=tcp", over_tcp(behaves, uncut).await), TurnTransport::Tcp),
    ];
    for (url, transport) in servers {
        let mut stage = stage(url, "hunter2", Some(far));
        stage.fact("standing", stands).await;
        let Fact::Lane(Lane::SeenFrom { public, .. }) = stage.fact("the relayed address", seen_from).await else {
            unreachable!()
        };
        assert_eq!(public.ip(), far.ip());
        tokio::time::sleep(4 * EVERY_NOW).await;
        let log = stage.end().await;
        let opening = |fact: &&Fact| matches!(fact, Fact::Lane(Lane::Opening { manner: Manner::Turn { transport: t, .. }, .. }) if *t == transport);
        assert_eq!(log.iter().filter(opening).count(), 1, "{log:#?}");
        assert_eq!(log.iter().filter(|fact| seen_from(fact)).count(), 1, "the far end sees the relay: {log:#?}");
        let (asked, answered) = counted(&log);
        assert!(asked >= 3 && answered + 1 >= asked, "{answered} of {asked}");
        assert!(matches!(log.last(), Some(Fact::Lane(Lane::Done { .. }))), "{log:#?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_with_the_servers_code() {
    let url = format!("turn:{}", over_udp(Arc::default()).await);
    let mut stage = stage(url, "wrong", None);
    let failed = |fact: &Fact| matches!(fact, Fact::Lane(Lane::Failed { .. }));
    let Fact::Lane(Lane::Failed { stage: at, trouble, .. }) = stage.fact("the refusal", failed).await else {
        unreachable!()
    };
    assert_eq!((at, trouble), (ConnectStage::Login, Trouble::Stun { code: 401, says: "no".into() }));
    let log = stage.end().await;
    assert!(!log.iter().any(stands));
}

#[tokio::test]
async fn what_a_server_repeats_of_our_credentials_is_kept_out_of_the_log() {
    let behaves = Arc::new(Behaves::default());
    behaves.is_indiscreet.store(true, Relaxed);
    behaves.forbids_peers.store(true, Relaxed);
    let mut stage = stage(format!("turn:{}", over_udp(Arc::clone(&behaves)).await), "hunter2", Some(far_end().await));
    stage.fact("no way to the peer", |fact| matches!(fact, Fact::Blind { .. })).await;
    behaves.refuses_refreshes.store(true, Relaxed);
    stage.fact("the end", |fact| matches!(fact, Fact::Lane(Lane::Ended { .. }))).await;
    let log = format!("{:?}", stage.end().await);
    assert!(!log.contains("hunter2") && !log.contains("user may"), "{log}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_to_be_silent() {
    let hole = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut stage = stage(format!("turn:{}", hole.local_addr().unwrap()), "hunter2", None);
    let failed = |fact: &Fact| {
        matches!(fact, Fact::Lane(Lane::Failed { stage: ConnectStage::Udp, trouble: Trouble::NoAnswer { .. }, .. }))
    };
    stage.fact("the failure", failed).await;
    stage.end().await;
}

#[tokio::test]
async fn where_the_relay_does_not_reach_the_far_end_its_refreshes_are_the_signs_of_life() {
    for (forbids, far) in [(true, Some(far_end().await)), (false, None)] {
        let behaves = Arc::new(Behaves::default());
        behaves.forbids_peers.store(forbids, Relaxed);
        let mut stage = stage(format!("turn:{}", over_udp(behaves).await), "hunter2", far);
        stage.fact("standing", stands).await;
        tokio::time::sleep(4 * EVERY_NOW).await;
        let log = stage.end().await;
        let (asked, answered) = counted(&log);
        assert!(answered >= 2 && answered + 1 >= asked, "{answered} of {asked}");
        let blind =
            log.iter().filter(|fact| matches!(fact, Fact::Blind { watcher, .. } if *watcher == record::Sense::Turn));
        assert_eq!(blind.count(), usize::from(forbids), "said once: {log:#?}");
    }
}

#[tokio::test]
async fn a_silence_and_its_end_are_told_and_a_refused_refresh_ends_the_lane() {
    let behaves = Arc::new(Behaves::default());
    let mut stage = stage(format!("turn:{}", over_udp(Arc::clone(&behaves)).await), "hunter2", None);
    stage.fact("standing", stands).await;
    behaves.is_deaf.store(true, Relaxed);
    stage.fact("silence", |fact| matches!(fact, Fact::Lane(Lane::Silent { .. }))).await;
    behaves.is_deaf.store(false, Relaxed);
    stage.fact("the return", |fact| matches!(fact, Fact::Lane(Lane::Back { .. }))).await;
    behaves.refuses_refreshes.store(true, Relaxed);
    let ended = stage.fact("the end", |fact| matches!(fact, Fact::Lane(Lane::Ended { .. }))).await;
    let Fact::Lane(Lane::Ended { end: End::Broken { says }, at_proof: false, .. }) = ended else { panic!("{ended:?}") };
    assert!(says.as_str().contains("437"), "{says}");
    stage.end().await;
}

#[tokio::test]
async fn a_stream_that_ends_is_seen_to_end() {
    let (cut, uncut) = watch::channel(false);
    let at = over_tcp(Arc::default(), uncut).await;
    let mut stage = stage(format!("turn:{at}?transport=tcp"), "hunter2", None);
    stage.fact("standing", stands).await;
    cut.send_replace(true);
    let ended = stage.fact("the end", |fact| matches!(fact, Fact::Lane(Lane::Ended { .. }))).await;
    assert!(matches!(ended, Fact::Lane(Lane::Ended { end: End::Fin | End::Reset, .. })), "{ended:?}");
    stage.end().await;
}

#[test]
fn the_first_server_of_a_kind_is_chosen_with_the_credentials_told_last() {
    let server = |urls: &[&str], password: &str| IceServer {
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        username: Some(Private::new("u".into())),
        credential: Some(Private::new(password.into())),
        expires: None,
    };
    let servers = [
        server(&["stun:a.example", "turn:a.example?transport=udp", "turns:a.example"], "old"),
        server(&["turn:b.example"], "other"),
        server(&["turn:a.example"], "new"),
    ];
    let chosen = choose(&servers, TurnTransport::Udp).expect("there is one");
    assert_eq!((chosen.url.host.as_str(), chosen.credentials.password.reveal().as_str()), ("a.example", "new"));
    let chosen = choose(&servers, TurnTransport::Tls).expect("there is one");
    assert_eq!((chosen.url.port, chosen.credentials.password.reveal().as_str()), (5349, "old"));
    assert!(choose(&servers, TurnTransport::Tcp).is_none());
    let open = IceServer { username: None, ..server(&["turn:c.example"], "x") };
    assert!(choose(&[open], TurnTransport::Udp).is_none(), "nobody lets us in without a name");
}

#[test]
fn a_refusal_without_a_code_is_a_refusal_all_the_same() {
    let message = wire::build::stun(Class::Error, method::ALLOCATE, 1, &[]);
    let Kind::Stun(stun) = wire::look(&message) else { panic!("STUN") };
    assert_eq!(refusal(&stun, &Scrub::default()), Trouble::Stun { code: 0, says: "".into() });
}
