use super::*;
use crate::call::wire::{Class, Kind, build, look, method};

/// A server that answers as it is told, silently where it is told so.
pub struct Server {
    pub at: SocketAddr,
    silent: Arc<AtomicBool>,
    _task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn run(answer: impl Fn(&[u8], SocketAddr) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let silent = Arc::new(AtomicBool::new(false));
        let hush = Arc::clone(&silent);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                if hush.load(Relaxed) {
                    continue;
                }
                for datagram in answer(&buffer[..length], from) {
                    socket.send_to(&datagram, from).await.unwrap();
                }
            }
        });
        Self { at, silent, _task: task }
    }

    fn hush(&self, silent: bool) {
        self.silent.store(silent, Relaxed);
    }
}

fn stun_answer(request: &[u8], public: SocketAddr) -> Vec<u8> {
    let Kind::Stun(stun) = look(request) else { panic!("a binding request") };
    assert_eq!((stun.class, stun.method), (Class::Request, method::BINDING));
    let SocketAddr::V4(v4) = public else { panic!("IPv4") };
    let port = v4.port() ^ 0x2112;
    let ip = u32::from(*v4.ip()) ^ 0x2112_a442;
    let value = [&[0, 1][..], &port.to_be_bytes(), &ip.to_be_bytes()].concat();
    let mut answer = build::stun(Class::Success, method::BINDING, 0, &[(0x0020, &value)]);
    answer[8..20].copy_from_slice(&stun.id);
    answer
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn stun_tells_the_public_address_and_its_change_and_falls_silent_and_comes_back() {
    let moved = Arc::new(AtomicBool::new(false));
    let has_moved = Arc::clone(&moved);
    let server = Server::run(move |request, _| {
        let public = if has_moved.load(Relaxed) { "203.0.113.7:4000" } else { "203.0.113.6:4000" };
        let ours = stun_answer(request, at(public));
        let mut strangers = stun_answer(request, at("198.51.100.1:1"));
        strangers[19] ^= 1;
        vec![strangers, b"noise".to_vec(), ours.clone(), ours]
    })
    .await;
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &[&format!("stun:{}", server.at)]));
    assert_eq!(scene.asking().await, (ControlKind::Stun, format!("stun:{}", server.at)));
    let (local, public, before) = scene.public().await;
    assert_eq!((local.ip(), public, before), (at("127.0.0.1:1").ip(), at("203.0.113.6:4000"), None));
    moved.store(true, Relaxed);
    let (_, public, before) = scene.public().await;
    assert_eq!((public, before), (at("203.0.113.7:4000"), Some(at("203.0.113.6:4000"))));
    server.hush(true);
    let (asked, says, _) = scene.silent().await;
    assert_eq!(says, "no answer of any kind");
    server.hush(false);
    assert_eq!(scene.back().await, asked);
}

#[tokio::test]
async fn the_calls_own_stun_server_is_asked_once_the_call_names_one() {
    let server = stun().await;
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &["far"]));
    let urls = vec!["turn:127.0.0.1:1".to_owned(), format!("stun:{}", server.at)];
    scene.ice_servers.send_replace(vec![IceServer { urls, username: None, credential: None, expires: None }]);
    assert_eq!(scene.asking().await, (ControlKind::Stun, format!("stun:{}", server.at)));
    let (local, public, _) = scene.public().await;
    assert_eq!(local, public, "nothing stands between on loopback");
}

/// A reflector's echo, amid strangers.
pub async fn echo(ticket: &'static str) -> Server {
    Server::run(move |bytes, from| {
        let Some(asked) = Key::of(ticket).open::<FromClient>(bytes) else { return vec![] };
        assert_eq!(asked.say, FromClient::Echo);
        let say = FromFar::Echo { seen: from, pass: 1 };
        let seal = |ticket, nonce| Key::of(ticket).seal(Datagram { nonce, lane: 0, say });
        vec![seal("another", asked.nonce), seal(ticket, asked.nonce ^ 1), seal(ticket, asked.nonce)]
    })
    .await
}

/// It sees each where it is.
pub async fn stun() -> Server {
    Server::run(|request, from| vec![stun_answer(request, from)]).await
}

#[tokio::test]
async fn the_far_ends_echo_is_asked_with_its_ticket_and_strangers_are_passed_over() {
    let server = echo("the ticket").await;
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &["far"]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    scene.connected(listener.local_addr().unwrap());
    assert_eq!(scene.asking().await.0, ControlKind::FarTcp);
    let ticket = Sealed::new("the ticket".into());
    scene.gate.send_replace(Some(LaneGate { ticket, most: 9, udp: Some(server.at.port()) }));
    assert_eq!(scene.asking().await, (ControlKind::FarUdp, server.at.to_string()));
    let (local, public, _) = scene.public().await;
    assert_eq!(local, public);
    server.hush(true);
    let (asked, ..) = scene.silent().await;
    server.hush(false);
    assert_eq!(scene.back().await, asked);
}

fn dns_manner() -> Manner {
    let sample_every = Duration::from_secs(2);
    Manner {
        control: 1,
        kind: ControlKind::Dns,
        every: EVERY,
        sample_every,
        never: Some(dns::NEVER),
        silence_tells: true,
    }
}

#[tokio::test]
async fn a_name_server_that_answers_without_the_name_is_told_from_one_that_is_silent() {
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let server = Server::run(move |query, _| {
        let mut answer = query.to_vec();
        answer[2] |= 0x80;
        answer[3] = if is_gone.load(Relaxed) { 3 } else { 0 };
        let mut strangers = answer.clone();
        strangers[1] ^= 1;
        vec![strangers, answer]
    })
    .await;
    let recorder = Recorder::unwritten(Clock::real());
    let (known, learning) = known::listen(&recorder);
    tokio::spawn(learning);
    let asker = dns::ServersAsker::new(known, Some("far.example")).unwrap().on_port(server.at.port());
    let mut scene = Scene::of(recorder, dns_manner(), asker);
    scene.recorder.note(Net::Resolvers { servers: vec![server.at.ip().into()], found: true });
    assert_eq!(scene.asking().await, (ControlKind::Dns, "far.example, of 127.0.0.1".into()));
    scene.answered().await;
    gone.store(true, Relaxed);
    let (asked, says, _) = scene.silent().await;
    assert_eq!(says, "a name server answers, and says that there is no such name (NXDOMAIN)");
    gone.store(false, Relaxed);
    assert_eq!(scene.back().await, asked);
    server.hush(true);
    assert_eq!(scene.silent().await.1, "no answer of any kind");
}
