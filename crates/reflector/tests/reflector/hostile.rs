//! What no client of ours would send.

use crate::desk::{Client, Desk, hello};
use proptest::prelude::*;
use record::fact::RefusalKind;
use record::wire::{FromClient, LARGEST_MESSAGE};
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
