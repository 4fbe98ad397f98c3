//! Before the WebSocket: paths, TLS, slow and foreign speakers, the metrics' own port.

use crate::desk::{Desk, SOON};
use record::wire::FromClient;
use reflector::{Reflector, Settings, TlsFiles};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn ask(at: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut tcp = TcpStream::connect(at).await.unwrap();
    tcp.write_all(request.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, tcp.read_to_end(&mut answer)).await.expect("answered and closed soon").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

#[tokio::test]
async fn people_and_health_checks_get_plain_answers() {
    let desk = Desk::plain().await;
    let root = ask(desk.at, get("/")).await;
    assert!(root.starts_with("HTTP/1.1 200 OK\r\n") && root.contains("This is a Linewitness reflector"), "{root}");
    assert!(ask(desk.at, get("/health")).await.ends_with("\r\n\r\nok\n"));
    assert!(ask(desk.at, get("/nothing")).await.starts_with("HTTP/1.1 404 "));
    let plain = ask(desk.at, get("/call")).await;
    assert!(plain.starts_with("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"), "{plain}");
    let post = "POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    assert!(ask(desk.at, post).await.starts_with("HTTP/1.1 405 "));
    desk.close().await;
}

#[tokio::test]
async fn foreign_speakers_are_turned_away_and_slow_ones_cut() {
    let desk = Desk::with(|s| s.limits.greeting = Duration::from_millis(300)).await;
    for words in ["SSH-2.0-OpenSSH_9.9\r\n\r\n", "\0\0\0\0\0\0\r\n\r\n", "GET /call SPDY/9\r\n\r\n"] {
        assert!(ask(desk.at, words).await.starts_with("HTTP/1.1 400 "), "{words:?}");
    }
    let long = format!("GET /call HTTP/1.1\r\nX: {}", "x".repeat(20_000));
    assert!(ask(desk.at, long).await.starts_with("HTTP/1.1 431 "));
    // A TLS client learns that there is no TLS here from an alert.
    let alert = ask(desk.at, [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]).await;
    assert_eq!(alert.as_bytes()[0], 0x15);
    // Half a request, or nothing at all: closed when the time is over.
    assert_eq!(ask(desk.at, "GET /call HT").await, "");
    assert_eq!(ask(desk.at, "").await, "");
    desk.call().await;
    desk.close().await;
}

#[tokio::test]
async fn with_a_certificate_the_port_speaks_tls_and_says_so_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let desk = Desk::with(|s| s.tls = Some(files.clone())).await;
    let plain = ask(desk.at, get("/")).await;
    assert!(plain.starts_with("HTTP/1.1 400 ") && plain.contains("wss://"), "{plain}");

    let mut roots = tokio_rustls::rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = std::sync::Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = tokio_rustls::rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let tcp = TcpStream::connect(desk.at).await.unwrap();
    let stream = tls.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    let (mut ws, _) = tokio_tungstenite::client_async("wss://localhost/call", stream).await.unwrap();
    let hello = FromClient::Hello { client: "tls".into(), token: None, resume: None, quiet: false };
    futures_util::SinkExt::send(&mut ws, serde_json::to_string(&hello).unwrap().into()).await.unwrap();
    let welcome = futures_util::StreamExt::next(&mut ws).await.unwrap().unwrap();
    assert!(welcome.to_text().unwrap().starts_with(r#"{"say":"welcome""#), "{welcome}");
    // The certificate signed itself; whoever is shown another issuer on the way is read by somebody.
    assert!(welcome.to_text().unwrap().contains(r#""certificate_from":"rcgen self signed cert""#), "{welcome}");
    desk.close().await;
}

#[tokio::test]
async fn certificates_that_cannot_serve_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let bind = async || {
        let mut settings = Settings::on_loopback();
        settings.tls = Some(TlsFiles { cert: cert.clone(), key: key.clone() });
        let error = Reflector::bind(settings).await.err().expect("refused");
        format!("{error:#}")
    };
    assert!(bind().await.contains("cert.pem cannot be read"));
    std::fs::write(&cert, "no PEM at all").unwrap();
    assert!(bind().await.contains("cert.pem holds no certificate"));
    let one = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&cert, one.cert.pem()).unwrap();
    assert!(bind().await.contains("key.pem cannot be read"));
    std::fs::write(&key, other.signing_key.serialize_pem()).unwrap();
    assert!(bind().await.contains("do not belong together"), "{}", bind().await);
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_may_be_wrong() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = taken.local_addr().unwrap();
    let error = Reflector::bind(Settings::listening_on(at)).await.err().expect("refused");
    assert!(format!("{error:#}").starts_with(&format!("{at} cannot be opened for calls.")), "{error:#}");
}

#[tokio::test]
async fn prometheus_gets_its_figures_and_nobody_else_anything() {
    let desk = Desk::with(|s| s.metrics = Some(([127, 0, 0, 1], 0).into())).await;
    let at = desk.metrics.unwrap();
    let (mut client, _) = desk.call().await;
    client.send("nonsense".into()).await;
    client.closed().await;
    let text = ask(at, get("/metrics")).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{text}");
    for line in [
        "linewitness_calls_active 1",
        "linewitness_calls_total 1",
        "linewitness_messages_total{direction=\"in\"} 2",
        "linewitness_disconnects_total{reason=\"bad_request\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in {text}");
    }
    assert!(ask(at, get("/")).await.starts_with("HTTP/1.1 404 "));
    // Someone who only holds the line is cut, and the next is served.
    let _holder = TcpStream::connect(at).await.unwrap();
    assert!(ask(at, get("/metrics")).await.starts_with("HTTP/1.1 200 "));
    desk.close().await;
}
