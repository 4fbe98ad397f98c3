//! Each way in which a WebSocket that stood can end, and that it is told truthfully and at once.

use super::far::{self, Identity};
use super::*;
use futures_util::{SinkExt, StreamExt};
use record::fact::Side;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// The far end does `deed` once the line stands, and this is how the line ends.
async fn end_of<F>(deed: impl FnOnce(WebSocketStream<TcpStream>) -> F + Send + 'static) -> Run
where
    F: Future<Output = ()> + Send,
{
    let address = far::websocket(deed).await;
    open(target(&format!("ws://{address}/"))).opened().await.run().await
}

fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))
}

#[tokio::test]
async fn a_close_frame_is_told_with_code_reason_and_sender() {
    for (code, reason) in [(1001, "going away"), (1008, "policy"), (1011, "fault"), (1013, "try later"), (4000, "")] {
        let run = end_of(move |mut socket| async move {
            socket.send(close(code, reason)).await.unwrap();
            while socket.next().await.is_some() {}
        })
        .await;
        assert_eq!(run.names(), ["connecting", "tcp_connected", "upgraded", "closed"]);
        assert_eq!(run.ended(), &End::CloseFrame { by: Side::Them, code: Some(code), reason: reason.into() });
    }
}

#[tokio::test]
async fn a_close_frame_is_answered() {
    let (told, answer) = oneshot::channel();
    let run = end_of(|mut socket| async move {
        socket.send(close(1001, "bye")).await.unwrap();
        told.send(socket.next().await.map(|answer| answer.unwrap())).unwrap();
    })
    .await;
    assert!(matches!(run.ended(), End::CloseFrame { by: Side::Them, .. }));
    assert_eq!(answer.await.unwrap(), Some(close(1001, "bye")));
}

#[tokio::test]
async fn a_close_frame_followed_by_a_reset_is_still_the_close_frame() {
    let address = far::websocket(|mut socket| async move {
        socket.send(close(1012, "restart")).await.unwrap();
        far::reset(socket.into_inner());
    })
    .await;
    let line = open(target(&format!("ws://{address}/"))).opened().await;
    // The line may have ended before.
    let _ = line.line.commands.send(LineCommand::Text("into the reset".into()));
    let run = line.run().await;
    // Whether the frame outlives the reset is the kernel's choice; what must never come is an invented end.
    assert!(
        matches!(run.ended(), End::CloseFrame { by: Side::Them, code: Some(1012), .. } | End::Reset),
        "{:?}",
        run.ended()
    );
}

#[tokio::test]
async fn a_last_word_is_read_though_our_own_write_was_refused() {
    let address = far::websocket(|mut socket| async move {
        socket.send(close(1012, "restart")).await.unwrap();
        // Dropped with the pings unread: what we write meets a socket that is gone.
    })
    .await;
    let target = Target { heartbeat: heartbeat(1.0, 5_000.0), ..target(&format!("ws://{address}/")) };
    let run = open(target).opened().await.run().await;
    assert_eq!(run.ended(), &End::CloseFrame { by: Side::Them, code: Some(1012), reason: "restart".into() });
}

#[tokio::test]
async fn a_hostile_reason_is_made_harmless() {
    let run = end_of(|mut socket| async move {
        socket.send(close(4000, "\x1b[2J\u{202e}owned\r\n")).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    let End::CloseFrame { reason, .. } = run.ended() else { panic!("{:?}", run.ended()) };
    assert_eq!(reason.as_str(), "[left out] owned");
}

#[tokio::test]
async fn a_secret_in_a_close_reason_is_kept_out_of_the_log() {
    let address = far::websocket(|mut socket| async move {
        socket.send(close(4000, "token hunter2 is over")).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    let scrub = record::Scrub::new(["hunter2".to_owned()]);
    let run = open(Target { scrub, ..target(&format!("ws://{address}/")) }).opened().await.run().await;
    let End::CloseFrame { reason, .. } = run.ended() else { panic!("{:?}", run.ended()) };
    assert_eq!(reason.as_str(), "token (kept private) is over");
}

#[tokio::test]
async fn fin_and_reset_without_a_word_are_told_apart() {
    let run = end_of(|socket| async move { drop(socket.into_inner()) }).await;
    assert_eq!(run.ended(), &End::Fin);
    let run = end_of(|socket| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        far::reset(socket.into_inner());
    })
    .await;
    assert_eq!(run.ended(), &End::Reset);
}

#[tokio::test]
async fn under_tls_goodbye_fin_and_reset_are_told_apart() {
    let identity = Identity::of(&["127.0.0.1"]);
    let ended = async |how: &'static str| {
        let address = far::secure_websocket(&identity, move |socket| async move {
            let mut tls = socket.into_inner();
            // A reset on the heels of the upgrade would destroy the upgrade.
            tokio::time::sleep(Duration::from_millis(50)).await;
            match how {
                "goodbye" => tls.shutdown().await.unwrap(),
                "fin" => drop(tls.into_inner()),
                _ => far::reset(tls.into_inner().0),
            }
        })
        .await;
        let target = Target { extra_ca: Some(identity.ca_pem.clone()), ..target(&format!("wss://{address}/")) };
        open(target).opened().await.run().await.ended().clone()
    };
    assert_eq!(ended("goodbye").await, End::CloseNotify);
    assert_eq!(ended("fin").await, End::Fin);
    assert_eq!(ended("reset").await, End::Reset);
}

#[tokio::test]
async fn a_silent_far_end_is_unanswered_first_and_silence_after_the_deadline() {
    let (release, released) = oneshot::channel::<()>();
    let address = far::websocket(|socket| async move {
        // Neither reads nor answers; its kernel goes on acknowledging.
        let _ = released.await;
        drop(socket);
    })
    .await;
    let target = Target { heartbeat: heartbeat(100.0, 300.0), ..target(&format!("ws://{address}/")) };
    let run = open(target).opened().await.run().await;
    drop(release);
    assert_eq!(run.names(), ["connecting", "tcp_connected", "upgraded", "unanswered", "closed"]);
    let End::Silence { waited_ms } = run.ended() else { panic!("{:?}", run.ended()) };
    assert!((300.0..600.0).contains(waited_ms), "{waited_ms}");
    let Signaling::Unanswered { since, last_good, .. } = &run.facts[3].1 else { panic!() };
    let Signaling::Closed { last_in, last_out, .. } = &run.facts[4].1 else { panic!() };
    assert!(last_good <= since && last_in <= last_good, "{last_in:?} {last_good:?} {since:?}");
    assert!(last_out > since, "pings went on");
}

#[tokio::test]
async fn a_far_end_that_wakes_up_has_answered_again() {
    let address = far::websocket(|mut socket| async move {
        tokio::time::sleep(Duration::from_millis(2_400)).await;
        while socket.next().await.is_some() {}
    })
    .await;
    let target = Target { heartbeat: heartbeat(100.0, 8_000.0), ..target(&format!("ws://{address}/")) };
    let line = open(target).opened().await;
    tokio::time::sleep(Duration::from_millis(2_700)).await;
    line.tell(LineCommand::LetGo);
    let run = line.run().await;
    let names = run.names();
    let place = |name| names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("no {name} in {names:?}"));
    assert!(place("unanswered") < place("answered_again"));
    let (Signaling::Unanswered { since, .. }, Signaling::AnsweredAgain { since: of, .. }) =
        (&run.facts[place("unanswered")].1, &run.facts[place("answered_again")].1)
    else {
        panic!()
    };
    assert_eq!(since, of);
    assert_eq!(run.ended(), &End::LetGo);
}

#[tokio::test]
async fn our_own_stall_is_not_the_far_ends_silence() {
    let address = far::websocket(|mut socket| async move {
        // Each pong goes out with the next reading, 150 ms later.
        while socket.next().await.is_some() {
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    })
    .await;
    let target = Target { heartbeat: heartbeat(300.0, 600.0), ..target(&format!("ws://{address}/")) };
    let line = open(target).opened().await;
    tokio::time::sleep(Duration::from_millis(375)).await;
    // A ping is under way, and this test has one thread: nothing of ours runs meanwhile.
    std::thread::sleep(Duration::from_millis(2_500));
    tokio::time::sleep(Duration::from_millis(200)).await;
    line.tell(LineCommand::LetGo);
    let run = line.run().await;
    assert_eq!(run.ended(), &End::LetGo);
    assert!(!run.names().contains(&"unanswered"), "{:?}", run.names());
}

#[tokio::test]
async fn a_probe_pings_at_once_without_any_heartbeat() {
    let address = far::websocket(|mut socket| async move { while socket.next().await.is_some() {} }).await;
    let line = open(target(&format!("ws://{address}/"))).opened().await;
    line.tell(LineCommand::Probe);
    tokio::time::sleep(Duration::from_millis(150)).await;
    line.tell(LineCommand::LetGo);
    let run = line.run().await;
    assert_eq!(run.names(), ["connecting", "tcp_connected", "upgraded", "heartbeat_answered", "closed"]);
}

#[tokio::test]
async fn closing_in_order_is_ours_whatever_the_far_end_makes_of_it() {
    let ours = End::CloseFrame { by: Side::Us, code: Some(1000), reason: "done".into() };
    let (silent, held) = oneshot::channel::<()>();
    let ends: Vec<(&str, std::net::SocketAddr)> = vec![
        ("answered", far::websocket(|mut socket| async move { while socket.next().await.is_some() {} }).await),
        (
            "reset",
            far::websocket(|mut socket| async move {
                socket.next().await;
                far::reset(socket.into_inner());
            })
            .await,
        ),
        (
            "ignored",
            far::websocket(|socket| async move {
                let _ = held.await;
                drop(socket);
            })
            .await,
        ),
    ];
    for (how, address) in ends {
        let patience = Patience { closing: Duration::from_millis(200), ..Patience::default() };
        let line = open(Target { patience, ..target(&format!("ws://{address}/")) }).opened().await;
        line.tell(LineCommand::Close { code: 1000, reason: "done".into() });
        assert_eq!(line.run().await.ended(), &ours, "{how}");
    }
    drop(silent);
}

#[tokio::test]
async fn a_message_over_the_limit_and_bytes_that_are_no_frames_are_broken() {
    let long = end_of(|mut socket| async move {
        // The line may hang up while we still write.
        let _ = socket.send(Message::text("x".repeat(65 * 1024))).await;
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let End::Broken { says } = long.ended() else { panic!("{:?}", long.ended()) };
    assert!(says.as_str().contains("65536"), "{says}");
    assert!(long.texts.is_empty());

    let rubbish = end_of(|socket| async move {
        let mut stream = socket.into_inner();
        stream.write_all(&b"HTTP/1.1 500 Oops\r\n".repeat(20)).await.unwrap();
        far::rest(stream).await;
    })
    .await;
    assert!(matches!(rubbish.ended(), End::Broken { .. }), "{:?}", rubbish.ended());
}

#[tokio::test]
async fn dropping_a_line_lets_go_of_its_socket() {
    let (gone, seen) = oneshot::channel();
    let address = far::websocket(|mut socket| async move {
        while let Some(Ok(_)) = socket.next().await {}
        gone.send(()).unwrap();
    })
    .await;
    let Watched { line, mut noted } = open(target(&format!("ws://{address}/"))).opened().await;
    drop(line);
    tokio::time::timeout(BOUND, seen).await.expect("in time").unwrap();
    let mut last = None;
    while let Ok(event) = noted.try_recv() {
        last = Some(event.fact.clone());
    }
    assert!(matches!(last, Some(Fact::Signaling(Signaling::Closed { end: End::LetGo, .. }))), "{last:?}");
}

/// The middle one of nine, so that one lost time slice of a busy machine does not count.
#[tokio::test]
async fn fin_and_reset_are_seen_within_twenty_milliseconds() {
    for hard in [false, true] {
        let mut delays = vec![];
        for _ in 0..9 {
            let (ended, at) = oneshot::channel();
            let run = end_of(move |socket| async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                ended.send(Clock::real().now()).unwrap();
                if hard { far::reset(socket.into_inner()) } else { drop(socket.into_inner()) }
            })
            .await;
            let (seen, Signaling::Closed { .. }) = run.facts.last().unwrap() else { panic!("{run:?}") };
            delays.push(seen.since(at.await.unwrap()));
        }
        delays.sort();
        assert!(delays[4] <= Duration::from_millis(20), "{delays:?}");
    }
}
