//! Recorded conversations between Janus 1.1.2 and its own client, with our adapter in the client's place: the server's
//! side is replayed, and what the client said must be what we say.

use super::*;
use record::fact::RefusalKind;
use std::collections::HashMap;

const BASIC: &str = include_str!("janus-basic.jsonl");
const RESTART: &str = include_str!("janus-icerestart.jsonl");
const RECONNECT: &str = include_str!("janus-reconnect.jsonl");

/// Without what may differ: the number of a request, our secret, and what the plugin is asked about video.
fn shape(message: &Value) -> Value {
    let mut shape = message.clone();
    let fields = shape.as_object_mut().expect("a request is an object");
    for free in ["transaction", "token", "apisecret", "body"] {
        fields.remove(free);
    }
    shape
}

fn replay(recorded: &str) -> Bench {
    let mut bench = Bench::new("janus");
    let mut numbers = HashMap::new();
    let mut offered = false;
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).expect("a recording is JSON");
        if line["socket"] == "open" {
            let purpose = if bench.opened == 0 { SocketPurpose::First } else { SocketPurpose::Resume };
            bench.connect(purpose);
        } else if line["socket"] == "closed" {
            bench.lose_socket();
        } else if line["we"] == "hangup" {
            bench.feed(In::HangUp { reason: "the hold is over" });
        } else if let Some(theirs) = line.get("client") {
            match theirs["janus"].as_str().expect("a request has a verb") {
                "message" => {
                    let sdp = theirs["jsep"]["sdp"].as_str().expect("an offer").to_owned();
                    bench.feed(In::Offer { sdp, restart: offered });
                    offered = true;
                }
                "trickle" if theirs["candidate"]["completed"] == true => {
                    bench.feed(In::EndOfCandidates);
                }
                "trickle" => bench.candidate(theirs["candidate"]["candidate"].as_str().expect("a candidate")),
                "keepalive" => bench.pass(Duration::from_secs(25)),
                _ => {}
            }
            let ours = bench.sent();
            assert_eq!(shape(&ours), shape(theirs));
            numbers.insert(theirs["transaction"].clone(), ours["transaction"].clone());
        } else if let Some(server) = line.get("server") {
            let mut server = server.clone();
            if let Some(number) = server.get("transaction").and_then(|recorded| numbers.get(recorded)) {
                server["transaction"] = number.clone();
            }
            bench.text(&server);
        }
    }
    assert_eq!(bench.sent.pop_front(), None, "we said no more than its own client did");
    bench
}

#[test]
fn a_recorded_call_is_placed_held_and_ended() {
    let mut bench = replay(BASIC);
    let events = bench.events();
    assert_eq!(events[0], "Ready(resumed: false, 0 ICE servers)");
    assert!(events[1].starts_with("Answer("), "{events:?}");
    // These candidates came before the answer and were kept back until it was there.
    assert!(events[2].starts_with("RemoteCandidate(candidate:1 1 udp"), "{events:?}");
    assert_eq!(events[3..], ["RemoteCandidate()", "CallEnded(Us, DTLS alert)", "HungUp"]);
    assert_eq!(bench.closed, Some((1000, "the call is over")));
    let facts = bench.signaling();
    assert!(
        matches!(
            facts[..],
            [
                Signaling::Ready { conn: 1, session: Some(_), instance: None, resumed: false },
                Signaling::Answered { conn: 1, restarted: None, .. },
            ]
        ),
        "{facts:?}"
    );
}

#[test]
fn a_recorded_restart_brings_new_credentials() {
    let bench = replay(RESTART);
    let answers: Vec<_> = bench
        .signaling()
        .into_iter()
        .filter_map(|fact| if let Signaling::Answered { restarted, .. } = fact { Some(*restarted) } else { None })
        .collect();
    assert_eq!(answers, [None, Some(true)]);
}

#[test]
fn a_recorded_loss_of_the_socket_is_claimed_and_the_call_goes_on() {
    let mut bench = replay(RECONNECT);
    assert_eq!(bench.opened, 2);
    let ready: Vec<_> = bench
        .signaling()
        .into_iter()
        .filter_map(|f| if let Signaling::Ready { conn, resumed, .. } = f { Some((*conn, *resumed)) } else { None })
        .collect();
    assert_eq!(ready, [(1, false), (2, true)]);
    assert!(bench.events().contains(&"Ready(resumed: true, 0 ICE servers)".to_owned()));
}

/// Session 10, handle 20, and no call yet.
fn attached() -> Bench {
    let mut bench = Bench::new("janus");
    bench.connect(SocketPurpose::First);
    for id in [10, 20] {
        let number = bench.sent()["transaction"].clone();
        bench.text(serde_json::json!({"janus": "success", "transaction": number, "data": {"id": id}}));
    }
    bench
}

fn error(bench: &mut Bench, code: i64, reason: &str) {
    let number = bench.sent()["transaction"].clone();
    bench.text(serde_json::json!({"janus": "error", "transaction": number, "error": {"code": code, "reason": reason}}));
}

#[test]
fn an_unauthorised_create_is_a_refusal_of_our_secret() {
    let mut bench = Bench::new("janus");
    bench.connect(SocketPurpose::First);
    error(&mut bench, 403, "Unauthorized request");
    let facts = bench.signaling();
    let [Signaling::Refused { kind: RefusalKind::Auth, code, says, .. }] = facts[..] else { panic!("{facts:?}") };
    assert_eq!((code.as_str(), says.as_str()), ("403", "Unauthorized request"));
    assert_eq!(bench.adapter.wake_at(), None);
    assert_eq!((bench.closed, bench.closes), (Some((1000, "our greeting was refused")), 1));
}

#[test]
fn an_attach_or_a_claim_that_is_refused_ends_the_socket() {
    let mut bench = Bench::new("janus");
    bench.connect(SocketPurpose::First);
    let number = bench.sent()["transaction"].clone();
    bench.text(serde_json::json!({"janus": "success", "transaction": number, "data": {"id": 10}}));
    error(&mut bench, 460, "no such plugin");
    assert_eq!((bench.closed, bench.closes), (Some((1000, "our greeting was refused")), 1));

    let mut bench = attached();
    bench.lose_socket();
    bench.connect(SocketPurpose::Resume);
    error(&mut bench, 490, "unknown, token hunter2");
    assert_eq!((bench.closed, bench.closes), (Some((1000, "our greeting was refused")), 1));
    assert!(!format!("{:?}", bench.notes).contains("hunter2"));
}

#[test]
fn a_server_that_refuses_without_end_is_left_after_twenty() {
    let mut bench = attached();
    let before = bench.signaling().len();
    for _ in 0..1_000 {
        bench.text(serde_json::json!({"janus": "hangup", "session_id": 10, "sender": 20, "reason": "x"}));
    }
    assert_eq!(bench.signaling().len() - before, 21);
    assert_eq!((bench.closed.map(|(code, _)| code), bench.closes), (Some(1002), 1));
}

#[test]
fn an_offer_to_a_session_that_is_gone_is_not_waited_for() {
    let mut bench = attached();
    bench.events.clear();
    bench.offer("one", false);
    error(&mut bench, 458, "No such session");
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.events(), ["Refused(NoSuchCall, 458, No such session)"]);
}

#[test]
fn a_session_that_is_gone_is_no_such_call_and_a_new_one_begins_on_the_same_socket() {
    let mut bench = attached();
    bench.lose_socket();
    bench.connect(SocketPurpose::Resume);
    assert_eq!(bench.sent.front().expect("a claim")["janus"], "claim");
    error(&mut bench, 458, "No such session 10");
    assert!(matches!(bench.signaling().last(), Some(Signaling::Refused { kind: RefusalKind::NoSuchCall, .. })));
    assert_eq!((bench.sent()["janus"].as_str(), bench.opened), (Some("create"), 2));
    assert_eq!(bench.closed, None, "the socket is good");
}

#[test]
fn a_new_call_takes_leave_of_the_old_session_first() {
    let mut bench = attached();
    bench.feed(In::Connect { purpose: SocketPurpose::NewCall });
    let goodbye = bench.sent();
    assert_eq!((goodbye["janus"].as_str(), goodbye["session_id"].as_u64()), (Some("destroy"), Some(10)));
    bench.feed(In::SocketOpen { conn: 2 });
    assert_eq!(bench.sent()["janus"], "create");
}

#[test]
fn a_new_call_on_a_handle_that_was_used_gets_a_handle_of_its_own() {
    let mut bench = attached();
    bench.offer("one", false);
    assert_eq!(bench.sent()["handle_id"], 20);
    bench.offer("two", false);
    assert_eq!((bench.sent()["janus"].as_str(), bench.sent.len()), (Some("detach"), 1));
    let number = bench.sent()["transaction"].clone();
    bench.text(serde_json::json!({"janus": "success", "transaction": number, "data": {"id": 21}}));
    assert_eq!(bench.sent()["handle_id"], 21);
}

#[test]
fn an_answer_to_an_earlier_offer_is_not_taken_for_the_new_one() {
    let mut bench = attached();
    bench.offer("one", false);
    let first = bench.sent()["transaction"].clone();
    bench.offer("two", true);
    let second = bench.sent()["transaction"].clone();
    bench.events.clear();
    let answer = |number: &Value| {
        serde_json::json!({"janus": "event", "session_id": 10, "sender": 20, "transaction": number,
            "plugindata": {"data": {"result": "ok"}}, "jsep": {"type": "answer", "sdp": sdp("far")}})
    };
    bench.text(answer(&first));
    assert_eq!(bench.events(), Vec::<String>::new());
    bench.text(answer(&second));
    assert!(bench.events()[0].starts_with("Answer("));
}

#[test]
fn words_about_another_session_or_handle_are_not_for_us() {
    let mut bench = attached();
    bench.events.clear();
    for (session, sender) in [(11, 20), (10, 21)] {
        bench.text(serde_json::json!({"janus": "hangup", "session_id": session, "sender": sender, "reason": "x"}));
    }
    assert_eq!(bench.events(), Vec::<String>::new());
    bench.text(serde_json::json!({"janus": "timeout", "session_id": 10}));
    assert_eq!(bench.events(), ["CallEnded(Service, the server let our session time out)"]);
}

#[test]
fn every_request_has_its_deadline() {
    let mut bench = Bench::new("janus");
    bench.connect(SocketPurpose::First);
    bench.pass(Duration::from_millis(9_999));
    assert!(bench.events().is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.events(), ["Refused(Other, no_answer, no answer to create within 10 s)"]);
    assert_eq!(bench.closed, Some((1002, "no answer to our greeting")));

    let mut bench = attached();
    bench.events.clear();
    bench.offer("one", false);
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.events(), ["Refused(Other, no_answer, no answer to our offer within 10 s)"]);
}
