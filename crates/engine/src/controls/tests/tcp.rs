use super::*;
use crate::line::tests::far::Identity;

#[tokio::test]
async fn the_far_end_is_connected_to_and_left_in_order_and_its_refusal_and_return_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &["far"]));
    scene.connected(at);
    assert_eq!(scene.asking().await, (ControlKind::FarTcp, at.to_string()));
    for _ in 0..2 {
        let (mut visitor, _) = tokio::time::timeout(BOUND, listener.accept()).await.expect("in time").unwrap();
        let said = visitor.read(&mut [0; 16]).await;
        assert_eq!(said.expect("no reset"), 0, "nothing is said, and it ends in order");
    }
    drop(listener);
    let (asked, says, refused) = scene.silent().await;
    assert!(refused, "{says}");
    let _listener = TcpListener::bind(at).await.unwrap();
    assert_eq!(scene.back().await, asked);
}

#[tokio::test]
async fn a_far_end_behind_a_proxy_is_not_asked_and_that_is_said() {
    let mut scene = Scene::begin(&profile("wss://far.example/call", &["far"]));
    let (to, proxy) = ("wss://far.example/call".into(), Some("proxy.example:3128".into()));
    scene.recorder.note(Signaling::Connecting { conn: 1, to, purpose: SocketPurpose::First, proxy });
    let remote = "127.0.0.1:9".parse().unwrap();
    scene.recorder.note(Signaling::TcpConnected { conn: 1, local: remote, remote, took_ms: 1.0 });
    let blind = |fact: &Fact| match fact {
        Fact::Blind { watcher, why } => Some((*watcher, why.as_str().to_owned())),
        Fact::Control(control) => panic!("{control:?}"),
        _ => None,
    };
    let (watcher, why) = scene.next(blind).await.1;
    assert_eq!(watcher, record::Sense::FarTcp);
    assert!(why.contains("by a web proxy") && !why.contains("proxy.example"), "{why}");
}

/// Every connection goes into TLS if the client begins one; some clients come for TCP alone.
pub async fn tls_server(identity: Identity) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let acceptor = identity.acceptor();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(tcp).await {
                    assert_eq!(stream.read(&mut [0; 16]).await.expect("a close_notify"), 0);
                }
            });
        }
    });
    at
}

async fn issuer(scene: &mut Scene) -> (String, Option<String>) {
    let issuer = |fact: &Fact| match fact {
        Fact::Control(Control::Issuer { issuer, expected, .. }) => {
            Some((issuer.as_str().to_owned(), expected.as_ref().map(|name| name.as_str().to_owned())))
        }
        _ => None,
    };
    scene.next(issuer).await.1
}

#[tokio::test]
async fn a_web_server_shows_who_signed_for_it_trusted_or_not() {
    let shown = |trusted: bool, expect: Option<&'static str>, told: Option<&'static str>| async move {
        let identity = Identity::of(&["localhost"]);
        let ca = trusted.then(|| identity.ca_pem.clone());
        let at = tls_server(identity).await;
        let mut profile = profile("ws://127.0.0.1:1/call", &[&format!("https://localhost:{}/", at.port())]);
        profile.signaling.ca = ca;
        profile.lanes.expect_issuer = expect.map(str::to_owned);
        let mut scene = Scene::begin(&profile);
        assert_eq!(scene.asking().await.0, ControlKind::Https);
        let said = issuer(&mut scene).await;
        assert_eq!(said, ("Test Authority (Testers)".to_owned(), told.map(str::to_owned)));
        scene.answered().await;
    };
    tokio::join!(shown(true, Some("Test Auth"), None), shown(true, None, None), shown(false, Some("R11"), Some("R11")));
}

#[tokio::test]
async fn a_web_server_whose_tls_is_cut_is_not_taken_for_one_that_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            assert!(tcp.read(&mut [0; 64]).await.unwrap() > 0, "the beginning of TLS");
            crate::line::tests::far::reset(tcp);
        }
    });
    let mut scene = Scene::begin(&profile("ws://127.0.0.1:1/call", &[&format!("https://{at}/")]));
    let (_, says, refused) = scene.silent().await;
    assert!(!refused, "somebody listens: {says}");
    assert!(says.starts_with("TCP stands, and TLS was"), "{says}");
}
