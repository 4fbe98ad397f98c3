//! From nothing to a WebSocket, and each way of not getting there.

use super::far::{self, Identity};
use super::*;
use futures_util::{SinkExt, StreamExt};
use record::{Private, fact::TlsTrouble};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

async fn fails(target: Target, stage: ConnectStage) -> (Vec<&'static str>, Trouble) {
    let run = open(target).run().await;
    let (at, trouble) = run.failed();
    assert_eq!(at, stage, "{trouble:?}");
    (run.names(), trouble.clone())
}

fn said(says: &record::Said, words: &[&str]) {
    for word in words {
        assert!(says.as_str().contains(word), "\"{says}\" does not say {word}");
    }
}

async fn echo<S>(mut socket: tokio_tungstenite::WebSocketStream<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_plain_websocket_stands_and_carries_texts_and_heartbeats() {
    let address = far::websocket(echo).await;
    let target = Target { heartbeat: heartbeat(30.0, 2_000.0), ..target(&format!("ws://{address}/call?x=secret")) };
    let mut line = open(target).opened().await;
    line.tell(LineCommand::Text("hello".into()));
    assert_eq!(line.text().await, "hello");
    tokio::time::sleep(Duration::from_millis(200)).await;
    line.tell(LineCommand::Close { code: 1000, reason: "done".into() });
    let run = line.run().await;
    assert_eq!(run.names()[..3], ["connecting", "tcp_connected", "upgraded"]);
    let beats = run.names().iter().filter(|name| **name == "heartbeat_answered").count();
    assert!((2..=8).contains(&beats), "{beats} beats of 30 ms in 200 ms");
    let Signaling::Connecting { to, proxy, purpose, .. } = &run.facts[0].1 else { panic!() };
    assert_eq!((to.as_str(), proxy, purpose), (format!("ws://{address}/call").as_str(), &None, &SocketPurpose::First));
    let Signaling::TcpConnected { remote, took_ms, .. } = &run.facts[1].1 else { panic!() };
    assert_eq!(*remote, address);
    assert!(*took_ms > 0.0 && *took_ms < 1_000.0);
}

#[tokio::test]
async fn a_secure_websocket_stands_and_names_the_issuer() {
    let identity = Identity::of(&["localhost"]);
    let address = far::secure_websocket(&identity, echo).await;
    let target =
        Target { extra_ca: Some(identity.ca_pem.clone()), ..target(&format!("wss://localhost:{}/", address.port())) };
    let mut line = open(target).opened().await;
    line.tell(LineCommand::Text("hello".into()));
    assert_eq!(line.text().await, "hello");
    line.tell(LineCommand::LetGo);
    let run = line.run().await;
    assert_eq!(run.names(), ["connecting", "resolved", "tcp_connected", "tls_ready", "upgraded", "closed"]);
    let Signaling::TlsReady { version, issuer, cipher, .. } = &run.facts[3].1 else { panic!() };
    assert_eq!((version.as_str(), issuer.as_str()), ("TLS 1.3", "Test Authority (Testers)"));
    assert!(cipher.as_str().starts_with("TLS13_"), "{cipher}");
    assert_eq!(run.ended(), &End::LetGo);
}

#[tokio::test]
async fn the_upgrade_carries_the_profiles_headers_and_subprotocol() {
    let (seen, request) = tokio::sync::oneshot::channel();
    let address = far::serve(|mut stream| async move {
        seen.send(far::request(&mut stream).await).unwrap();
        stream.write_all(b"HTTP/1.1 403 No\r\n\r\n").await.unwrap();
    })
    .await;
    let headers = vec![("X-Token".to_owned(), Private::new("hunter2".to_owned()))];
    let url = format!("ws://me:p%40ss@{address}/a/b?c=d");
    fails(Target { headers, subprotocol: Some("janus-protocol"), ..target(&url) }, ConnectStage::Upgrade).await;
    let request = request.await.unwrap();
    assert!(request.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{request}");
    for line in [
        format!("Host: {address}"),
        "X-Token: hunter2".into(),
        "Sec-WebSocket-Protocol: janus-protocol".into(),
        "Authorization: Basic bWU6cEBzcw==".into(),
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} is missing in {request}");
    }
}

#[tokio::test]
async fn a_header_with_a_line_break_is_not_sent() {
    let address = far::serve(far::rest).await;
    let headers = vec![("X-Token".to_owned(), Private::new("a\r\nHost: other".to_owned()))];
    let (_, trouble) = fails(Target { headers, ..target(&format!("ws://{address}/")) }, ConnectStage::Upgrade).await;
    assert!(matches!(trouble, Trouble::Local { errno: None, .. }), "{trouble:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_refused_by_that_name() {
    let identity = Identity::of(&["localhost"]);
    let address = far::secure_websocket(&identity, echo).await;
    let (names, trouble) = fails(target(&format!("wss://localhost:{}/", address.port())), ConnectStage::Tls).await;
    assert_eq!(names, ["connecting", "resolved", "tcp_connected", "connect_failed"]);
    let Trouble::Tls { kind: TlsTrouble::UnknownIssuer, says } = trouble else { panic!("{trouble:?}") };
    said(&says, &["Test Authority (Testers)", "does not trust"]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_by_its_kind() {
    let identity = Identity::of(&["other.example"]);
    let address = far::secure_websocket(&identity, echo).await;
    let extra_ca = Some(identity.ca_pem.clone());
    let url = format!("wss://localhost:{}/", address.port());
    let (_, trouble) = fails(Target { extra_ca, ..target(&url) }, ConnectStage::Tls).await;
    let Trouble::Tls { kind: TlsTrouble::WrongName, says } = trouble else { panic!("{trouble:?}") };
    said(&says, &[record::said::LEFT_OUT, "localhost"]);
}

#[tokio::test]
async fn an_authority_that_shows_its_own_certificate_is_told_so() {
    let identity = Identity::with(&["localhost"], |leaf| {
        leaf.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let address = far::secure_websocket(&identity, echo).await;
    let extra_ca = Some(identity.ca_pem.clone());
    let url = format!("wss://localhost:{}/", address.port());
    let (_, trouble) = fails(Target { extra_ca, ..target(&url) }, ConnectStage::Tls).await;
    let Trouble::Tls { kind: TlsTrouble::BadCertificate, says } = trouble else { panic!("{trouble:?}") };
    said(&says, &["certificate of an authority itself", "needs one signed by it"]);
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused_by_its_side() {
    let past = Identity::with(&["127.0.0.1"], |leaf| {
        leaf.not_before = rcgen::date_time_ymd(2000, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(2001, 1, 1);
    });
    let future = Identity::with(&["127.0.0.1"], |leaf| {
        leaf.not_before = rcgen::date_time_ymd(4000, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(4001, 1, 1);
    });
    for (identity, expected) in [(past, TlsTrouble::Expired), (future, TlsTrouble::NotYetValid)] {
        let address = far::secure_websocket(&identity, echo).await;
        let target = Target { extra_ca: Some(identity.ca_pem.clone()), ..target(&format!("wss://{address}/")) };
        let (_, trouble) = fails(target, ConnectStage::Tls).await;
        let Trouble::Tls { kind, says } = trouble else { panic!("{trouble:?}") };
        assert_eq!(kind, expected);
        said(&says, &["clock"]);
    }
}

#[tokio::test]
async fn a_ca_that_is_none_fails_before_anything_is_sent() {
    for (ca, word) in [("ca.pem", "no certificate"), ("", "no certificate")] {
        let target = Target { extra_ca: Some(ca.to_owned()), ..target("wss://127.0.0.1:9/") };
        let (names, trouble) = fails(target, ConnectStage::Tls).await;
        assert_eq!(names, ["connecting", "connect_failed"]);
        let Trouble::Tls { kind: TlsTrouble::Other, says } = trouble else { panic!("{trouble:?}") };
        said(&says, &[word]);
    }
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (names, trouble) = fails(target(&format!("ws://{gone}/")), ConnectStage::Tcp).await;
    assert_eq!(names, ["connecting", "connect_failed"]);
    assert_eq!(trouble, Trouble::Refused);
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_fails_at_dns() {
    // A label of 64 letters is no name anywhere, so no server needs to be asked.
    let (names, trouble) = fails(target(&format!("ws://{}.test/", "a".repeat(64))), ConnectStage::Dns).await;
    assert_eq!(names, ["connecting", "connect_failed"]);
    assert!(matches!(&trouble, Trouble::NoSuchName { says } | Trouble::NameFailed { says } if !says.is_empty()));
}

#[tokio::test]
async fn tls_to_a_port_that_speaks_http_is_told_so() {
    let address = far::serve(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        far::rest(stream).await;
    })
    .await;
    let (_, trouble) = fails(target(&format!("wss://{address}/")), ConnectStage::Tls).await;
    let Trouble::NotUnderstood { says } = trouble else { panic!("{trouble:?}") };
    said(&says, &["not in TLS"]);
}

#[tokio::test]
async fn a_plain_upgrade_to_a_tls_port_is_told_so() {
    let acceptor = Identity::of(&["localhost"]).acceptor();
    let address = far::serve(move |stream| async move {
        // It answers our request with an alert, as every TLS server does.
        assert!(acceptor.accept(stream).await.is_err());
        tokio::time::sleep(Duration::from_millis(200)).await;
    })
    .await;
    let (_, trouble) = fails(target(&format!("ws://{address}/")), ConnectStage::Upgrade).await;
    let Trouble::NotUnderstood { says } = trouble else { panic!("{trouble:?}") };
    said(&says, &["wss://"]);
}

#[tokio::test]
async fn an_http_refusal_keeps_its_status_words_and_wait() {
    for (answer, status, wait) in [
        ("HTTP/1.1 401 Unauthorized\r\nServer: gate/2\r\nContent-Length: 0\r\n\r\n", 401, None),
        ("HTTP/1.1 403 Forbidden\r\nServer: gate/2\r\nContent-Length: 0\r\n\r\n", 403, None),
        ("HTTP/1.1 404 Not Found\r\nServer: gate/2\r\nContent-Length: 0\r\n\r\n", 404, None),
        ("HTTP/1.1 429 Slow Down\r\nServer: gate/2\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 429, Some(7.0)),
        ("HTTP/1.1 503 Busy\r\nServer: gate/2\r\nContent-Length: 0\r\n\r\n", 503, None),
    ] {
        let address = far::answer(answer).await;
        let (names, trouble) = fails(target(&format!("ws://{address}/")), ConnectStage::Upgrade).await;
        assert_eq!(names, ["connecting", "tcp_connected", "connect_failed"]);
        let words = answer.lines().next().unwrap().splitn(3, ' ').nth(2).unwrap();
        let expected = Trouble::Http { status, server: Some("gate/2".into()), retry_after_s: wait, says: words.into() };
        assert_eq!(trouble, expected);
    }
}

#[tokio::test]
async fn a_secret_that_the_far_end_repeats_is_kept_out_of_the_log() {
    for answer in [
        "HTTP/1.1 403 no hunter2\r\nServer: hunter2/1\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nkey=hunter2 no",
        "HTTP/1.1 401 not bWU6aHVudGVyMg==\r\n\r\n",
        "ERROR key=hunter2\r\n\r\n",
    ] {
        let address = far::answer(answer).await;
        let scrub = record::Scrub::new(["hunter2".to_owned()]);
        let run = open(Target { scrub, ..target(&format!("ws://me:hunter2@{address}/?key=hunter2")) }).run().await;
        assert_eq!(run.failed().0, ConnectStage::Upgrade);
        let shown = format!("{run:?}");
        assert!(shown.contains("kept private") || shown.contains(record::said::LEFT_OUT), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("bWU6"), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_upgrade_is_not_taken_for_one() {
    let upgrade = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for (answer, word) in [
        ("SSH-2.0-OpenSSH_9.9\r\n".to_owned(), "SSH-2.0"),
        ("HTTP/1.1 101 Switching\r\n\r\n".to_owned(), "not to become a WebSocket"),
        (format!("{upgrade}Sec-WebSocket-Accept: AAAA\r\n\r\n"), "does not answer our key"),
    ] {
        let address = far::answer(Box::leak(answer.into_boxed_str())).await;
        let (_, trouble) = fails(target(&format!("ws://{address}/")), ConnectStage::Upgrade).await;
        let Trouble::NotUnderstood { says } = trouble else { panic!("{trouble:?}") };
        said(&says, &[word]);
    }
}

#[tokio::test]
async fn a_server_without_our_subprotocol_is_the_wrong_server() {
    let address = far::websocket(echo).await;
    let target = Target { subprotocol: Some("janus-protocol"), ..target(&format!("ws://{address}/")) };
    let (_, trouble) = fails(target, ConnectStage::Upgrade).await;
    let Trouble::NotUnderstood { says } = trouble else { panic!("{trouble:?}") };
    said(&says, &["subprotocol"]);
}

#[tokio::test]
async fn silence_fails_each_stage_at_its_own_deadline() {
    let short = Duration::from_millis(120);
    for (scheme, patience, stage) in [
        ("wss", Patience { tls: short, ..Patience::default() }, ConnectStage::Tls),
        ("ws", Patience { upgrade: short, ..Patience::default() }, ConnectStage::Upgrade),
    ] {
        let address = far::serve(far::rest).await;
        let target = Target { patience, ..target(&format!("{scheme}://{address}/")) };
        let (_, trouble) = fails(target, stage).await;
        let Trouble::NoAnswer { waited_ms } = trouble else { panic!("{trouble:?}") };
        assert!((120.0..1_500.0).contains(&waited_ms), "{waited_ms}");
    }
}

#[tokio::test]
async fn a_connection_ended_in_the_middle_of_the_upgrade_says_how() {
    let closed = far::serve(|mut stream| async move {
        far::request(&mut stream).await;
    })
    .await;
    let (_, trouble) = fails(target(&format!("ws://{closed}/")), ConnectStage::Upgrade).await;
    assert_eq!(trouble, Trouble::Closed);
    let reset = far::serve(|mut stream| async move {
        far::request(&mut stream).await;
        far::reset(stream);
    })
    .await;
    let (_, trouble) = fails(target(&format!("ws://{reset}/")), ConnectStage::Upgrade).await;
    assert_eq!(trouble, Trouble::Reset);
}

#[tokio::test]
async fn words_in_the_same_packet_as_the_upgrade_are_not_lost() {
    let address = far::websocket(|mut socket| async move {
        socket.send(Message::text("early")).await.unwrap();
        echo(socket).await;
    })
    .await;
    let mut line = open(target(&format!("ws://{address}/"))).opened().await;
    assert_eq!(line.text().await, "early");
}

#[tokio::test]
async fn letting_go_while_connecting_is_no_failure_of_anyone() {
    let address = far::serve(far::rest).await;
    let line = open(target(&format!("ws://{address}/")));
    tokio::time::sleep(Duration::from_millis(50)).await;
    line.tell(LineCommand::LetGo);
    let run = line.run().await;
    assert_eq!(run.names(), ["connecting", "tcp_connected", "closed"]);
    assert_eq!(run.ended(), &End::LetGo);
}
