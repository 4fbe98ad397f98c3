//! What no client of ours would send.

use crate::desk::{Client, Desk, SOON, hello};
use proptest::prelude::*;
use record::fact::RefusalKind;
use record::wire::{FromClient, LARGEST_MESSAGE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
#[cfg(target_os = "linux")]
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

/// Refused for this reason and closed with this code; and others are still served.
async fn turned_away(desk: &Desk, mut client: Client, kind: RefusalKind, code: u16) {
    assert_eq!(client.refusal().await, kind);
    assert_eq!(client.closed().await.0, code);
    desk.call().await;
}

#[tokio::test]
async fn messages_out_of_order_or_out_of_the_protocol_are_refused_with_a_reason() {
    let desk = Desk::plain().await;
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    let deep_hello = format!(r#"{{"say":"hello","client":"x","more":{}}}"#, "[".repeat(5_000) + &"]".repeat(5_000));
    let offer = serde_json::to_string(&FromClient::Offer { sdp: "v=0".into() }).unwrap();
    for (message, code) in [
        (Message::text(offer), 1008),
        (Message::text("nonsense"), 1007),
        (Message::text(""), 1007),
        (Message::text(r#"{"say":"open the door"}"#), 1007),
        (Message::text(r#"{"say":"hello"}"#), 1007),
        (Message::text(deep), 1007),
        (Message::text(deep_hello), 1007),
        (Message::binary(vec![0; 100]), 1003),
    ] {
        let mut client = desk.socket().await;
        client.send(message).await;
        turned_away(&desk, client, RefusalKind::BadRequest, code).await;
        // The same of a call that stands.
    }
    let (mut client, _) = desk.call().await;
    client.say(&hello(None, None)).await;
    turned_away(&desk, client, RefusalKind::BadRequest, 1008).await;
    let (mut client, _) = desk.call().await;
    client.send(Message::text("nonsense")).await;
    turned_away(&desk, client, RefusalKind::BadRequest, 1007).await;
    desk.close().await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_closed_with_1009_and_one_at_the_limit_is_read() {
    let desk = Desk::plain().await;
    let mut client = desk.socket().await;
    client.send(Message::text("x".repeat(LARGEST_MESSAGE + 1))).await;
    turned_away(&desk, client, RefusalKind::TooLarge, 1009).await;

    let mut client = desk.socket().await;
    client.send(Message::text("x".repeat(LARGEST_MESSAGE))).await;
    turned_away(&desk, client, RefusalKind::BadRequest, 1007).await;

    let (mut client, _) = desk.call().await;
    client.say(&FromClient::Offer { sdp: "v".repeat(2 * LARGEST_MESSAGE) }).await;
    turned_away(&desk, client, RefusalKind::TooLarge, 1009).await;
    desk.close().await;
}

#[tokio::test]
async fn offers_and_candidates_that_make_no_sense_are_refused_and_the_call_goes_on() {
    let desk = Desk::plain().await;
    let (mut client, _) = desk.call().await;
    let candidate = |text: &str| FromClient::Candidate { candidate: text.into(), mid: None, line: None };
    client.say(&candidate("candidate:1 1 udp 1 10.0.0.1 1 typ host")).await;
    assert_eq!(client.refusal().await, RefusalKind::BadRequest, "before any offer");
    for sdp in ["", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 X 0\r\n", "\u{0}\u{1}"] {
        client.say(&FromClient::Offer { sdp: sdp.into() }).await;
        assert_eq!(client.refusal().await, RefusalKind::BadRequest, "{sdp:?}");
    }
    let many = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(65);
    client.say(&FromClient::Offer { sdp: format!("v=0\r\n{many}") }).await;
    assert_eq!(client.refusal().await, RefusalKind::BadRequest, "it would have us knock at 65 doors");
    for _ in 0..70 {
        client.say(&candidate("candidate:1 1 udp 1 192.0.2.1 9 typ host")).await;
        assert_eq!(client.refusal().await, RefusalKind::BadRequest);
    }
    client.say(&FromClient::Bye { reason: "x".repeat(60_000).as_str().into() }).await;
    assert_eq!(client.closed().await.0, 1000);
    desk.close().await;
}

#[test]
fn no_text_frame_whatsoever_stops_the_reflector() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::plain());
    let words = prop_oneof![
        any::<String>(),
        // Nearly messages: the right names with anything in them.
        (
            prop::sample::select(vec!["hello", "offer", "candidate", "clock", "bye"]),
            prop::sample::select(vec![
                "client",
                "sdp",
                "candidate",
                "sent",
                "reason",
                "token",
                "resume",
                "mid",
                "line"
            ]),
            prop_oneof![
                any::<String>().prop_map(serde_json::Value::from),
                any::<i64>().prop_map(serde_json::Value::from),
                any::<Option<bool>>().prop_map(|b| b.into()),
            ]
        )
            .prop_map(|(say, key, value)| serde_json::json!({"say": say, "client": "p", key: value}).to_string()),
    ];
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(before in any::<bool>(), texts in prop::collection::vec(words, 1..4))| {
        runtime.block_on(async {
            let mut client = if before { desk.socket().await } else { desk.call().await.0 };
            for text in texts {
                // It may have been closed by the one before.
                if futures_util::SinkExt::send(&mut client.ws, Message::text(text)).await.is_err() {
                    break;
                }
            }
        });
    });
    runtime.block_on(async {
        desk.call().await;
        desk.close().await;
    });
}

#[cfg(target_os = "linux")] // Elsewhere loopback has one address.
#[tokio::test]
async fn who_connects_and_says_nothing_leaves_room_to_others_and_once_gone_to_its_own_address() {
    let from = async |address: &str, desk: &Desk| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        socket.connect(desk.at).await.unwrap()
    };
    let call = async |address: &str, desk: &Desk| {
        let (ws, _) = client_async(format!("ws://{}/call", desk.at), from(address, desk).await).await.ok()?;
        let mut client = Client { ws };
        client.say(&hello(None, None)).await;
        client.welcome().await;
        Some(client)
    };
    let desk = Desk::with(|settings| settings.limits.calls = 4).await;
    let mut caller = call("127.0.0.1", &desk).await.expect("there is room");
    // More than all places there are.
    let mut silent = vec![];
    for _ in 0..80 {
        silent.push(from("127.0.0.1", &desk).await);
    }
    assert!(call("127.0.0.1", &desk).await.is_none(), "it has had its share");
    call("127.0.0.2", &desk).await.expect("others have theirs");
    caller.say(&FromClient::Bye { reason: "done".into() }).await;
    assert_eq!(caller.closed().await.0, 1000, "and the call that stands goes on");
    drop(silent);
    let mut again = call("127.0.0.1", &desk).await;
    for _ in 0..100 {
        if again.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        again = call("127.0.0.1", &desk).await;
    }
    assert!(again.is_some());
    desk.close().await;
}

/// As long as the other side takes it; all that it says meanwhile.
async fn flood(mut tcp: TcpStream, first: &[u8], frames: &[u8]) -> (usize, Vec<u8>) {
    let (mut said, mut sent) = (vec![], 0);
    let (mut read, mut write) = tcp.split();
    let sending = async {
        let mut taken = write.write_all(first).await;
        while taken.is_ok() {
            sent += frames.len();
            taken = write.write_all(frames).await;
        }
        std::future::pending::<()>().await
    };
    tokio::select! {
        () = sending => {}
        // A reset may follow what was said.
        _ended = tokio::time::timeout(SOON, read.read_to_end(&mut said)) => {}
    }
    (sent, said)
}

/// Masked with zeros, which is no mask at all.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    [&[opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn who_sends_without_end_is_told_so_and_closed_whatever_he_sends() {
    let desk = Desk::plain().await;
    let (ping, fragment) = (frame(0x89, &[7; 100]), frame(0x00, b""));
    let message = frame(0x81, br#"{"say":"clock","sent":"2026-01-01T00:00:00Z"}"#);
    // The second is a message that never ends, and never grows.
    for (first, then) in [(vec![], ping), (frame(0x01, b"x"), fragment), (vec![], message)] {
        let (client, _) = desk.call().await;
        let (sent, said) = flood(client.ws.into_inner(), &first, &then.repeat(100)).await;
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("more than it has to say"), "{said}");
        assert!(said.contains("too_large"), "{said}");
        // Some megabytes may lie in the kernel's buffers.
        assert!((8 * LARGEST_MESSAGE..256 * LARGEST_MESSAGE).contains(&sent), "{sent} bytes were taken or on the way");
        desk.call().await;
    }
    desk.close().await;
}
