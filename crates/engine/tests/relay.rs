//! Calls over a real TURN server (coturn) on loopback: by UDP, TCP and TLS, and what is said when it refuses or cannot be
//! trusted.

mod stage;

use engine::call::CallSetup;
use engine::call::peer::BindWhere;
use record::Fact;
use record::fact::{CandidateKind, Ice, Media, TurnRequest};
use record::profile::{IcePolicy, Silence};
use stage::{Far, Stage, setup, skip, turn_server};
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

struct Coturn {
    server: Child,
    plain: u16,
    tls: u16,
    ca: String,
    _files: TempDir,
}

const MS: Duration = Duration::from_millis(1);
const USER: &str = "caller";
const PASSWORD: &str = "not a secret";

impl Coturn {
    /// `None`, loudly, where coturn is not installed.
    fn start() -> Option<Self> {
        let files = tempfile::tempdir().expect("a folder");
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
            .expect("a name")
            .self_signed(&key)
            .expect("a certificate");
        let path = |name: &str| files.path().join(name);
        fs::write(path("cert.pem"), certificate.pem()).expect("written");
        fs::write(path("key.pem"), key.serialize_pem()).expect("written");
        let (plain, tls) = (free_port(), free_port());
        let server = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers", "--no-cli"])
            .args(["--lt-cred-mech", "--realm=linewitness.test", "--fingerprint", "--log-file=stdout"])
            .args([format!("--user={USER}:{PASSWORD}"), format!("--listening-port={plain}")])
            .args([format!("--tls-listening-port={tls}"), "--min-port=52000".into(), "--max-port=53000".into()])
            .args([format!("--cert={}", path("cert.pem").display()), format!("--pkey={}", path("key.pem").display())])
            .args([format!("--pidfile={}", path("pid").display()), format!("--userdb={}", path("db").display())])
            .current_dir(files.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                skip(&format!("TURN: turnserver (Debian package coturn) could not be started: {error}"));
                return None;
            }
        };
        let started = Self { server, plain, tls, ca: certificate.pem(), _files: files };
        started.wait_until_it_listens();
        Some(started)
    }

    fn wait_until_it_listens(&self) {
        for _ in 0..100 {
            if [self.plain, self.tls].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
                return;
            }
            std::thread::sleep(50 * MS);
        }
        panic!("coturn does not listen after 5 s");
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        self.server.kill().and_then(|()| self.server.wait()).expect("our own child can be ended");
    }
}

/// Free for both UDP and TCP a moment ago.
fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = tcp.local_addr().expect("bound").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

async fn relayed(url: &str, password: &str, ca: Option<String>) -> Stage {
    let mut setup: CallSetup = setup(Silence::Frames);
    setup.policy = IcePolicy::Relay;
    setup.extra_ca = ca;
    setup.ice_servers = vec![turn_server(url, USER, password)];
    Stage::set(setup, Far::new(BindWhere::Loopback, vec![]).await).await
}

async fn holds_and_restarts(mut stage: Stage, over_stream: bool) {
    let began = stage.recorder.now();
    stage.offer().await;
    let first = stage.fact("the first RTP", |fact| matches!(fact, Fact::Media(Media::Flowing { .. }))).await;
    assert!(first.at.since(began) < 2_000 * MS, "the relay is not held back: {:?}", first.at.since(began));
    let samples = stage.samples(1).await;
    for sample in &samples {
        assert!((42..=58).contains(&sample.rtp_in) && (42..=58).contains(&sample.rtp_out), "{sample:?}");
        assert!(sample.stun_rtt_ms.is_some(), "checks inside the relay are matched: {sample:?}");
        let jitter = sample.jitter_in_ms.expect("measured");
        assert!(jitter < 6.0, "no packet waits for the next one to take it along: {sample:?}");
    }
    let allocated = |stage: &Stage| count(stage, |fact| matches!(fact, Ice::TurnAllocated { .. }));
    assert_eq!(allocated(&stage), 1);
    assert_eq!(count(&stage, |fact| matches!(fact, Ice::TurnConnected { .. })), usize::from(over_stream));
    assert_eq!(count(&stage, |fact| matches!(fact, Ice::Pair { local_kind: CandidateKind::Relay, .. })), 1);
    let named = stage.log.iter().any(|event| {
        matches!(&event.fact, Fact::Ice(Ice::LocalCandidate { kind: CandidateKind::Relay, relay_by: Some(label), .. })
            if label.as_str().starts_with("turn") && !label.as_str().contains("198.18"))
    });
    assert!(named, "a relay's candidate names its server as the profile does: {:#?}", stage.log);

    assert_eq!(stage.restart().await.1, Some(true));
    stage.fact("a new pair", |fact| matches!(fact, Fact::Ice(Ice::Pair { .. }))).await;
    let samples = stage.samples(1).await;
    assert!(samples.iter().any(|sample| sample.rtp_in >= 40), "{samples:?}");
    assert_eq!(allocated(&stage), 2, "a restart takes a new relay");
    assert_eq!(count(&stage, |fact| matches!(fact, Ice::TurnConnected { .. })), 2 * usize::from(over_stream));
    assert_eq!(count(&stage, is_trouble), 0, "{:#?}", stage.log);
    stage.end().await;
}

fn count(stage: &Stage, wanted: impl Fn(&Ice) -> bool) -> usize {
    stage.log.iter().filter(|event| matches!(&event.fact, Fact::Ice(ice) if wanted(ice))).count()
}
fn is_trouble(fact: &Ice) -> bool {
    matches!(fact, Ice::TurnRefused { .. } | Ice::TurnLost { .. } | Ice::StackDied { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_over_udp_tcp_and_tls_carry_the_call_and_its_restart() {
    let Some(coturn) = Coturn::start() else { return };
    let (plain, tls) = (coturn.plain, coturn.tls);
    let (udp, tcp) = (format!("turn:localhost:{plain}?transport=udp"), format!("turn:localhost:{plain}?transport=tcp"));
    let tls = format!("turns:localhost:{tls}");
    tokio::join!(
        async { holds_and_restarts(relayed(&udp, PASSWORD, None).await, false).await },
        async { holds_and_restarts(relayed(&tcp, PASSWORD, None).await, true).await },
        async { holds_and_restarts(relayed(&tls, PASSWORD, Some(coturn.ca.clone())).await, true).await },
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_a_refusal_by_number() {
    let Some(coturn) = Coturn::start() else { return };
    for transport in ["udp", "tcp"] {
        let url = format!("turn:localhost:{}?transport={transport}", coturn.plain);
        let mut stage = relayed(&url, "wrong", None).await;
        stage.offer().await;
        let refused = stage.fact("the refusal", |fact| matches!(fact, Fact::Ice(Ice::TurnRefused { .. }))).await;
        let Fact::Ice(Ice::TurnRefused { server, request: TurnRequest::Allocate, code: 401, .. }) = &refused.fact
        else {
            panic!("{refused:?}")
        };
        assert_eq!(server.as_str(), url);
        assert_eq!(count(&stage, |fact| matches!(fact, Ice::TurnAllocated { .. })), 0);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_nobody_vouches_for_or_of_another_name_is_not_accepted() {
    let Some(coturn) = Coturn::start() else { return };
    let port = coturn.tls;
    for (url, ca) in
        [(format!("turns:localhost:{port}"), None), (format!("turns:127.0.0.1:{port}"), Some(coturn.ca.clone()))]
    {
        let mut stage = relayed(&url, PASSWORD, ca).await;
        stage.offer().await;
        let lost = stage.fact("the loss", |fact| matches!(fact, Fact::Ice(Ice::TurnLost { .. }))).await;
        let Fact::Ice(Ice::TurnLost { says, .. }) = &lost.fact else { panic!("{lost:?}") };
        assert!(says.as_str().starts_with("its certificate was not accepted: "), "{says}");
        assert_eq!(count(&stage, |fact| matches!(fact, Ice::TurnConnected { .. } | Ice::TurnAllocated { .. })), 0);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_or_is_not_there_is_lost_by_name() {
    let Some(coturn) = Coturn::start() else { return };
    let url = format!("turn:localhost:{}?transport=tcp", coturn.plain);
    let mut stage = relayed(&url, PASSWORD, None).await;
    stage.offer().await;
    stage.fact("the first RTP", |fact| matches!(fact, Fact::Media(Media::Flowing { .. }))).await;
    drop(coturn);
    let lost = stage.fact("the loss", |fact| matches!(fact, Fact::Ice(Ice::TurnLost { .. }))).await;
    assert!(matches!(&lost.fact, Fact::Ice(Ice::TurnLost { server, .. }) if server.as_str() == url), "{lost:?}");
    stage.fact("the gap", |fact| matches!(fact, Fact::Media(Media::Gap { .. }))).await;
    stage.end().await;

    let mut stage = relayed(&url, PASSWORD, None).await;
    stage.offer().await;
    let lost = stage.fact("nobody there", |fact| matches!(fact, Fact::Ice(Ice::TurnLost { .. }))).await;
    assert!(
        matches!(&lost.fact, Fact::Ice(Ice::TurnLost { says, .. }) if says.as_str().starts_with("TCP failed")),
        "{lost:?}"
    );
    stage.end().await;
}
