//! Hello, welcome, resume, idle, limits, goodbye.

use crate::desk::{Desk, SOON, hello};
use record::fact::{CallEndedBy, End, RefusalKind, Side, Sight};
use record::wire::{FromClient, FromFar, Sealed, close};
use record::{Private, Wall};
use reflector::Turn;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const MS: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_welcome_says_what_the_client_must_know() {
    let desk = Desk::with(|s| {
        s.idle_timeout = 7000 * MS;
        s.kept_for = 9000 * MS;
        s.turn = Some(Turn {
            secret: Private::new("north".into()),
            urls: vec!["turn:turn.example:3478".into()],
            ttl: Duration::from_secs(3600),
        });
    })
    .await;
    let mut client = desk.socket().await;
    client.say(&hello(None, None)).await;
    let first = client.welcome().await;
    let FromFar::Welcome { ticket, resumed, kept_s, idle_timeout_s, ice_servers, .. } = first.whole else {
        unreachable!()
    };
    assert_eq!((resumed, kept_s, idle_timeout_s), (false, 9.0, 7.0));
    assert_eq!(ticket.0.reveal().len(), 32, "128 bits in hexadecimal");
    let [relay] = &ice_servers[..] else { panic!("{ice_servers:?}") };
    assert_eq!(relay.urls, ["turn:turn.example:3478"]);
    // The check that coturn makes: the HMAC of the user name under the shared secret.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"north");
    let mac = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, relay.credential.0.reveal()).unwrap();
    ring::hmac::verify(&key, relay.username.0.reveal().as_bytes(), &mac).expect("coturn would let us in");
    let ends: i64 = relay.username.0.reveal().split(':').next().unwrap().parse().unwrap();
    let now = engine::Clock::real().now().wall.micros() / 1_000_000;
    assert!((3590..=3601).contains(&(ends - now)), "{ends} is not in an hour from {now}");

    let mut other = desk.socket().await;
    other.say(&hello(None, None)).await;
    let second = other.welcome().await;
    assert_ne!(second.ticket, first.ticket);
    assert_ne!(second.call, first.call);
    assert_eq!(second.instance, first.instance, "one process is one instance");
    desk.close().await;
}

#[tokio::test]
async fn two_reflectors_are_two_instances() {
    let mut instances = Vec::new();
    for _ in 0..2 {
        let desk = Desk::plain().await;
        let mut client = desk.socket().await;
        client.say(&hello(None, None)).await;
        instances.push(client.welcome().await.instance);
        desk.close().await;
    }
    assert_ne!(instances[0], instances[1]);
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_refused_and_the_right_one_admitted() {
    let desk = Desk::with(|s| s.token = Some(Private::new("open sesame".into()))).await;
    for token in [None, Some("open barley"), Some("")] {
        let mut client = desk.socket().await;
        client.say(&hello(token, None)).await;
        assert_eq!(client.refusal().await, RefusalKind::Auth);
        assert_eq!(client.closed().await.0, 1008, "{token:?}");
    }
    let mut client = desk.socket().await;
    client.say(&hello(Some("open sesame"), None)).await;
    assert!(!client.welcome().await.resumed);
    desk.close().await;
}

#[tokio::test]
async fn a_ticket_is_no_way_round_the_token() {
    let desk = Desk::with(|s| s.token = Some(Private::new("open sesame".into()))).await;
    let mut client = desk.socket().await;
    client.say(&hello(Some("open sesame"), None)).await;
    let ticket = client.welcome().await.ticket;
    let mut thief = desk.socket().await;
    thief.say(&hello(None, Some(&ticket))).await;
    assert_eq!(thief.refusal().await, RefusalKind::Auth);
    desk.close().await;
}

#[tokio::test]
async fn who_says_nothing_is_let_go_when_the_time_for_it_is_over() {
    let desk = Desk::with(|s| s.limits.greeting = 200 * MS).await;
    let mut silent = desk.socket().await;
    assert_eq!(silent.refusal().await, RefusalKind::BadRequest);
    assert_eq!(silent.closed().await, (1008, "no hello came in time".into()));
    desk.close().await;
}

#[tokio::test]
async fn clock_questions_are_answered_with_the_question_in_them() {
    let desk = Desk::plain().await;
    let (mut client, _) = desk.call().await;
    for n in 0..16 {
        let sent = Wall::from_micros(1_000_000 * n);
        client.say(&FromClient::Clock { sent }).await;
        let FromFar::Clock { sent: back, here } = client.hear().await else { panic!("no clock") };
        assert_eq!(back, sent);
        let now = engine::Clock::real().now().wall;
        assert!((now.micros() - here.micros()).abs() < 1_000_000, "{here} is not now");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_goodbye_is_answered_with_the_totals_and_ends_the_call() {
    let desk = Desk::plain().await;
    let (mut client, ticket) = desk.call().await;
    client.say(&FromClient::Bye { reason: "done".into() }).await;
    assert_eq!(client.sight().await, Sight::Counted { received: 0, lost: 0, echoed: 0 });
    let FromFar::Ended { by, .. } = client.hear().await else { panic!("no end") };
    assert_eq!(by, CallEndedBy::Us);
    assert_eq!(client.closed().await.0, 1000);

    let mut late = desk.socket().await;
    late.say(&hello(None, Some(&ticket))).await;
    assert_eq!(late.refusal().await, RefusalKind::NoSuchCall, "an ended call cannot be resumed");
    desk.close().await;
}

#[tokio::test]
async fn a_lost_socket_is_resumed_by_ticket_and_its_end_is_told() {
    let desk = Desk::plain().await;
    let (client, ticket) = desk.call().await;
    drop(client);
    let mut again = desk.socket().await;
    again.say(&hello(None, Some(&ticket))).await;
    // Depending on which the reflector sees first, the old socket ended before, or was replaced.
    let welcome = again.welcome().await;
    assert!(welcome.resumed);
    assert_eq!(welcome.ticket, ticket, "the ticket stays good");
    let mut sights = vec![again.sight().await];
    if matches!(sights[0], Sight::SocketEnded { .. }) {
        assert_eq!(sights[0], Sight::SocketEnded { end: End::Fin });
        sights.push(again.sight().await);
    }
    assert_eq!(sights.last(), Some(&Sight::Reattached));
    desk.close().await;
}

#[tokio::test]
async fn how_each_socket_ended_is_told_to_the_next() {
    let desk = Desk::plain().await;
    let (mut client, ticket) = desk.call().await;
    let bye = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 4123.into(), reason: "moving on".into() };
    client.ws.close(Some(bye)).await.unwrap();
    assert_eq!(client.closed().await.0, 4123, "the close frame is answered");

    let resume = async || {
        let mut client = desk.socket().await;
        client.say(&hello(None, Some(&ticket))).await;
        assert!(client.welcome().await.resumed);
        let told = client.sight().await;
        assert_eq!(client.sight().await, Sight::Reattached);
        // Reading on answers the reflector's ping: it then knows that this was heard.
        client.say(&FromClient::Clock { sent: Wall::from_micros(0) }).await;
        assert!(matches!(client.hear().await, FromFar::Clock { .. }));
        (client, told)
    };
    let (client, told) = resume().await;
    let end = End::CloseFrame { by: Side::Them, code: Some(4123), reason: "moving on".into() };
    assert_eq!(told, Sight::SocketEnded { end });

    socket2::SockRef::from(client.ws.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    tokio::time::sleep(100 * MS).await;
    let (client, told) = resume().await;
    assert_eq!(told, Sight::SocketEnded { end: End::Reset });

    drop(client);
    tokio::time::sleep(100 * MS).await;
    let (_client, told) = resume().await;
    assert_eq!(told, Sight::SocketEnded { end: End::Fin });
    desk.close().await;
}

#[tokio::test]
async fn an_unknown_ticket_is_refused_and_the_socket_serves_for_a_new_call() {
    let desk = Desk::plain().await;
    let mut client = desk.socket().await;
    client.say(&hello(None, Some(&Sealed::new("0123".into())))).await;
    assert_eq!(client.refusal().await, RefusalKind::NoSuchCall);
    client.say(&hello(None, None)).await;
    assert!(!client.welcome().await.resumed);

    let mut guesser = desk.socket().await;
    for _ in 0..3 {
        guesser.say(&hello(None, Some(&Sealed::new("0123".into())))).await;
        assert_eq!(guesser.refusal().await, RefusalKind::NoSuchCall);
    }
    assert_eq!(guesser.refusal().await, RefusalKind::BadRequest);
    assert_eq!(guesser.closed().await.0, 1008);
    desk.close().await;
}

#[tokio::test]
async fn a_socket_that_is_still_there_is_replaced_by_the_new_one() {
    let desk = Desk::plain().await;
    let (mut old, ticket) = desk.call().await;
    let mut new = desk.socket().await;
    new.say(&hello(None, Some(&ticket))).await;
    assert!(new.welcome().await.resumed);
    assert_eq!(new.sight().await, Sight::Reattached);
    assert_eq!(old.closed().await.0, close::REPLACED);
    // The call is the new one's now, and lives.
    new.say(&FromClient::Clock { sent: Wall::from_micros(0) }).await;
    assert!(matches!(new.hear().await, FromFar::Clock { .. }));
    desk.close().await;
}

#[tokio::test]
async fn a_quiet_socket_is_closed_by_the_idle_timeout_and_its_call_kept() {
    let desk = Desk::with(|s| s.idle_timeout = 400 * MS).await;
    let (mut client, ticket) = desk.call().await;
    let quiet_since = std::time::Duration::from_micros(engine::Clock::real().now().wall.micros() as u64);
    assert_eq!(client.closed().await, (close::IDLE, "idle for 0.4 s".into()));
    let waited = std::time::Duration::from_micros(engine::Clock::real().now().wall.micros() as u64) - quiet_since;
    assert!(waited >= 380 * MS, "closed after {waited:?} already");

    let mut again = desk.socket().await;
    again.say(&hello(None, Some(&ticket))).await;
    assert!(again.welcome().await.resumed);
    let end = End::CloseFrame { by: Side::Us, code: Some(close::IDLE), reason: "idle for 0.4 s".into() };
    assert_eq!(again.sight().await, Sight::SocketEnded { end });
    desk.close().await;
}

#[tokio::test]
async fn pings_alone_keep_a_socket_from_being_idle() {
    let desk = Desk::with(|s| s.idle_timeout = 500 * MS).await;
    let (mut client, _) = desk.call().await;
    for _ in 0..8 {
        tokio::time::sleep(150 * MS).await;
        client.send(Message::Ping("x".into())).await;
        assert_eq!(client.frame().await, Message::Pong("x".into()));
    }
    desk.close().await;
}

#[tokio::test]
async fn a_call_that_nobody_takes_up_is_forgotten() {
    let desk = Desk::with(|s| s.kept_for = 300 * MS).await;
    let (client, ticket) = desk.call().await;
    drop(client);
    tokio::time::sleep(600 * MS).await;
    let mut late = desk.socket().await;
    late.say(&hello(None, Some(&ticket))).await;
    assert_eq!(late.refusal().await, RefusalKind::NoSuchCall);
    desk.close().await;
}

#[tokio::test]
async fn over_a_limit_the_next_caller_is_told_to_come_back_later() {
    let desk = Desk::with(|s| s.limits.calls = 2).await;
    let (mut first, _) = desk.call().await;
    let (_second, _) = desk.call().await;
    let mut third = desk.socket().await;
    third.say(&hello(None, None)).await;
    assert_eq!(third.refusal().await, RefusalKind::Overloaded);
    assert_eq!(third.closed().await.0, 1013);
    first.say(&FromClient::Bye { reason: "".into() }).await;
    assert_eq!(first.closed().await.0, 1000);
    tokio::time::timeout(SOON, desk.call()).await.expect("a place is free again");
    desk.close().await;
}

#[tokio::test]
async fn one_address_cannot_take_all_calls() {
    let desk = Desk::with(|s| s.limits.calls_per_address = 1).await;
    let (_first, ticket) = desk.call().await;
    let mut second = desk.socket().await;
    second.say(&hello(None, None)).await;
    assert_eq!(second.refusal().await, RefusalKind::Overloaded);
    let (code, says) = second.closed().await;
    assert!(code == 1013 && says.contains("your address"), "{code} {says}");
    // Taking up the call that stands is no further call.
    let mut again = desk.socket().await;
    again.say(&hello(None, Some(&ticket))).await;
    assert!(again.welcome().await.resumed);
    desk.close().await;
}

#[tokio::test]
async fn a_shutdown_tells_every_call_and_closes_it_with_1001() {
    let desk = Desk::with(|s| s.drain = SOON).await;
    let (mut one, _) = desk.call().await;
    let (mut two, _) = desk.call().await;
    let (lost, _) = desk.call().await;
    drop(lost);
    let closing = tokio::spawn(desk.close());
    for client in [&mut one, &mut two] {
        assert_eq!(client.sight().await, Sight::ShuttingDown);
        assert!(matches!(client.sight().await, Sight::Counted { .. }));
        assert!(matches!(client.hear().await, FromFar::Ended { by: CallEndedBy::Service, .. }));
        assert_eq!(client.closed().await.0, 1001);
    }
    let report = closing.await.unwrap();
    assert_eq!((report.calls, report.cut), (3, 0));
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_hello() {
    let desk = Desk::with(|s| s.drain = SOON).await;
    let mut stranger = desk.socket().await;
    let closing = tokio::spawn(desk.close());
    assert_eq!(stranger.closed().await.0, 1001);
    let report = tokio::time::timeout(SOON / 2, closing).await.expect("well within the drain time").unwrap();
    assert_eq!((report.calls, report.cut), (0, 0));
}

#[tokio::test]
async fn a_caller_that_reads_nothing_cannot_hold_up_a_shutdown() {
    let desk = Desk::with(|s| s.drain = 500 * MS).await;
    let (_deaf, _) = desk.call().await;
    let (_other, _) = desk.call().await;
    let report = tokio::time::timeout(SOON, desk.close()).await.expect("the drain time bounds it");
    assert_eq!(report.calls, 2);
}

#[tokio::test]
async fn what_was_said_into_a_dead_connection_is_said_again_on_the_next() {
    let desk = Desk::plain().await;
    let (mut client, ticket) = desk.call().await;
    // The first socket reads its sight and so answers the ping behind it; the second never reads.
    drop(client);
    tokio::time::sleep(100 * MS).await;
    client = desk.socket().await;
    client.say(&hello(None, Some(&ticket))).await;
    assert!(client.welcome().await.resumed);
    assert!(matches!(client.sight().await, Sight::SocketEnded { .. }));
    assert_eq!(client.sight().await, Sight::Reattached);
    client.say(&FromClient::Clock { sent: Wall::from_micros(0) }).await;
    assert!(matches!(client.hear().await, FromFar::Clock { .. }), "and the pong went out with it");

    let mut deaf = desk.socket().await;
    deaf.say(&hello(None, Some(&ticket))).await;
    assert_eq!(client.closed().await.0, close::REPLACED);
    tokio::time::sleep(100 * MS).await;

    let mut last = desk.socket().await;
    last.say(&hello(None, Some(&ticket))).await;
    assert!(last.welcome().await.resumed);
    // That of the deaf one is repeated; what the first one heard is not.
    assert_eq!(last.sight().await, Sight::Reattached);
    assert_eq!(last.sight().await, Sight::Reattached);
    last.say(&FromClient::Clock { sent: Wall::from_micros(0) }).await;
    assert!(matches!(last.hear().await, FromFar::Clock { .. }));
    desk.close().await;
}
