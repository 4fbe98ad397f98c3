//! Through an HTTP proxy, and each way in which it can refuse.

use super::*;
use futures_util::StreamExt;
use record::Private;
use tokio::io::AsyncWriteExt;

fn through(address: std::net::SocketAddr) -> Proxies {
    Proxies { for_ws: Some(Private::new(format!("http://me:p%40ss@{address}"))), ..Proxies::default() }
}

#[tokio::test]
async fn a_proxy_that_opens_is_a_fact_and_the_far_end_is_named_to_it() {
    let (seen, request) = tokio::sync::oneshot::channel();
    let address = far::serve(|mut stream| async move {
        seen.send(far::request(&mut stream).await).unwrap();
        stream.write_all(b"HTTP/1.0 200 Connection established\r\n\r\n").await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    let line = open_through(through(address), target("ws://far.test:7000/call")).opened().await;
    line.tell(LineCommand::LetGo);
    let run = line.run().await;
    assert_eq!(run.names(), ["connecting", "tcp_connected", "proxy_opened", "upgraded", "closed"]);
    let Signaling::Connecting { proxy, .. } = &run.facts[0].1 else { panic!() };
    assert_eq!(proxy.as_ref().map(record::Heard::as_str), Some(address.to_string().as_str()));
    let request = request.await.unwrap();
    assert!(request.starts_with("CONNECT far.test:7000 HTTP/1.1\r\nHost: far.test:7000\r\n"), "{request}");
    assert!(request.contains("\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n"), "{request}");
    assert!(!format!("{run:?}").contains("p@ss"));
}

#[tokio::test]
async fn the_proxys_refusals_are_told_apart() {
    for (answer, status, words) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nServer: squid\r\n\r\n", 407, "Proxy Authentication Required"),
        ("HTTP/1.1 403 Forbidden\r\nServer: squid\r\n\r\n", 403, "Forbidden"),
        ("HTTP/1.1 502 Bad Gateway\r\nServer: squid\r\n\r\n", 502, "Bad Gateway"),
    ] {
        let address = far::answer(answer).await;
        let run = open_through(through(address), target("ws://far.test/")).run().await;
        assert_eq!(run.names(), ["connecting", "tcp_connected", "connect_failed"]);
        let (stage, trouble) = run.failed();
        assert_eq!(stage, ConnectStage::Proxy);
        let server = Some("squid".into());
        assert_eq!(trouble, &Trouble::Http { status, server, retry_after_s: None, says: words.into() });
    }
}

#[tokio::test]
async fn a_login_that_the_proxy_repeats_is_kept_out_of_the_log() {
    let address = far::answer("HTTP/1.1 407 p@ss and bWU6cEBzcw== are wrong\r\n\r\n").await;
    let run = open_through(through(address), target("ws://far.test/")).run().await;
    let (_, Trouble::Http { says, .. }) = run.failed() else { panic!("{run:?}") };
    assert_eq!(says.as_str(), "(kept private) and (kept private) are wrong");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_or_used_fails_at_its_own_stage() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let run = open_through(through(gone), target("ws://far.test/")).run().await;
    assert_eq!(run.failed(), (ConnectStage::Proxy, &Trouble::Refused));

    let socks = Proxies { for_ws: Some(Private::new("socks5://127.0.0.1:1".into())), ..Proxies::default() };
    let run = open_through(socks, target("ws://far.test/")).run().await;
    let (stage, Trouble::NotUnderstood { says }) = run.failed() else { panic!("{run:?}") };
    assert!(stage == ConnectStage::Proxy && says.as_str().contains("socks5"), "{says}");

    let silent = far::serve(far::rest).await;
    let patience = Patience { proxy: Duration::from_millis(100), ..Patience::default() };
    let run = open_through(through(silent), Target { patience, ..target("ws://far.test/") }).run().await;
    let (stage, trouble) = run.failed();
    assert!(stage == ConnectStage::Proxy && matches!(trouble, Trouble::NoAnswer { .. }), "{trouble:?}");
}
