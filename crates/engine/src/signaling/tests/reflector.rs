//! The reflector's protocol, word by word.

use super::*;
use record::{
    Heard, Wall,
    fact::{CallEndedBy, Far, RefusalKind, Sight},
    profile::{Heartbeat, HeartbeatChoice, Off, Span},
    wire::{FromFar, Relay, Sealed},
};

fn far(bench: &mut Bench, message: &FromFar) {
    let text = serde_json::to_string(message).expect("can be written");
    bench.text(text);
}

fn welcome(instance: &str, resumed: bool) -> FromFar {
    FromFar::Welcome {
        call: "c1".into(),
        ticket: Sealed::new("ticket-1".into()),
        instance: instance.into(),
        resumed,
        kept_s: 60.0,
        idle_timeout_s: 60.0,
        ice_servers: vec![Relay {
            urls: vec!["turn:far.example:3478".into()],
            username: Sealed::new("u".into()),
            credential: Sealed::new("p".into()),
        }],
        certificate_from: Some("Desk CA".into()),
        lanes: None,
    }
}

fn welcomed() -> Bench {
    let mut bench = Bench::new("reflector");
    bench.connect(SocketPurpose::First);
    let hello = bench.sent();
    assert_eq!((hello["say"].as_str(), hello["token"].as_str()), (Some("hello"), Some("hunter2")));
    assert!(hello.get("resume").is_none());
    far(&mut bench, &welcome("i1", false));
    assert_eq!(bench.sent()["say"], "clock");
    bench
}

fn answer(bench: &mut Bench, ufrag: &str) {
    far(bench, &FromFar::Answer { sdp: sdp(ufrag) });
}

#[test]
fn a_welcome_makes_ready_and_brings_relays() {
    let mut bench = welcomed();
    let Some(Event::Ready { resumed: false, ice_servers, .. }) = bench.events.first() else { panic!() };
    assert_eq!(ice_servers[0].urls, ["turn:far.example:3478"]);
    assert_eq!(ice_servers[0].credential.as_ref().map(|kept| kept.reveal().as_str()), Some("p"));
    assert!(bench.notes.contains(&Far::Certificate { issuer: "Desk CA".into() }.into()), "{:?}", bench.notes);
    let facts = bench.signaling();
    let [Signaling::Ready { conn: 1, session: Some(call), instance: Some(instance), resumed: false }] = facts[..]
    else {
        panic!("{facts:?}")
    };
    assert_eq!((call.as_str(), instance.as_str()), ("c1", "i1"));
    bench.feed(In::HangUp { reason: "over" });
    assert_eq!(bench.sent()["say"], "bye");
    far(&mut bench, &FromFar::Ended { by: CallEndedBy::Us, says: "over".into() });
    assert_eq!(bench.closed, Some((1000, "the call is over")));
    assert!(matches!(bench.events.last(), Some(Event::HungUp)));
}

#[test]
fn candidates_are_sent_at_once_and_the_far_ends_wait_for_its_answer() {
    let mut bench = welcomed();
    bench.candidate("before the offer");
    bench.offer("a", false);
    bench.candidate("mine");
    bench.feed(In::EndOfCandidates);
    bench.events.clear();
    far(&mut bench, &FromFar::Candidate { candidate: "early".into(), mid: None, line: Some(0) });
    assert!(bench.events.is_empty());
    answer(&mut bench, "x");
    far(&mut bench, &FromFar::Candidate { candidate: "late".into(), mid: None, line: Some(0) });
    let events = bench.events();
    assert!(events[0].starts_with("Answer("));
    assert_eq!(events[1..], ["RemoteCandidate(early)", "RemoteCandidate(late)"]);
    let sent: Vec<_> = bench.sent.drain(..).map(|message| message["candidate"].clone()).collect();
    assert_eq!(sent, [Value::from("before the offer"), Value::Null, Value::from("mine"), Value::from("")]);
}

#[test]
fn a_restart_is_told_by_the_answers_credentials() {
    let mut bench = welcomed();
    for (restart, ufrag) in [(false, "x"), (true, "y"), (true, "y"), (false, "z")] {
        bench.offer("a", restart);
        answer(&mut bench, ufrag);
    }
    let restarted: Vec<_> = bench
        .signaling()
        .into_iter()
        .filter_map(|fact| if let Signaling::Answered { restarted, .. } = fact { Some(*restarted) } else { None })
        .collect();
    assert_eq!(restarted, [None, Some(true), Some(false), None]);
}

#[test]
fn a_lost_socket_is_taken_up_with_the_ticket_and_an_unanswered_offer_is_repeated() {
    let mut bench = welcomed();
    bench.offer("a", false);
    bench.candidate("one");
    bench.sent.clear();
    bench.lose_socket();
    bench.candidate("two");
    assert!(bench.sent.is_empty(), "nothing is sent without a socket");
    bench.connect(SocketPurpose::Resume);
    assert_eq!(bench.sent()["resume"], "ticket-1");
    far(&mut bench, &welcome("i1", true));
    let said: Vec<_> = bench.sent.drain(..).map(|message| message["say"].clone()).collect();
    assert_eq!(said, ["clock", "offer", "candidate", "candidate"]);
    answer(&mut bench, "x");
    bench.sent.clear();
    bench.lose_socket();
    bench.connect(SocketPurpose::Resume);
    bench.sent.clear();
    far(&mut bench, &welcome("i1", true));
    let said: Vec<_> = bench.sent.drain(..).map(|message| message["say"].clone()).collect();
    assert_eq!(said, ["clock"], "what was answered is not said again");
}

#[test]
fn a_ticket_that_opens_nothing_gives_way_to_a_greeting_without_one_and_only_once() {
    let mut bench = welcomed();
    bench.lose_socket();
    bench.connect(SocketPurpose::Resume);
    assert_eq!(bench.sent()["resume"], "ticket-1");
    let gone = FromFar::Refused { kind: RefusalKind::NoSuchCall, code: "gone".into(), says: "gone".into() };
    far(&mut bench, &gone);
    assert!(matches!(bench.events.last(), Some(Event::Refused { kind: RefusalKind::NoSuchCall, .. })));
    let hello = bench.sent();
    assert!(hello["say"] == "hello" && hello.get("resume").is_none());
    assert_eq!(bench.closed, None, "this socket is still good");
    far(&mut bench, &gone);
    assert!(bench.sent.is_empty(), "it would go on for ever");
    assert_eq!(bench.closed, Some((1000, "our greeting was refused")));
}

#[test]
fn a_greeting_that_fails_ends_its_socket() {
    let mut bench = Bench::new("reflector");
    bench.connect(SocketPurpose::First);
    far(&mut bench, &FromFar::Refused { kind: RefusalKind::Auth, code: "1008".into(), says: "no".into() });
    assert_eq!((bench.closed, bench.closes), (Some((1000, "our greeting was refused")), 1));
    bench.text("<html>");
    assert_eq!(bench.events().len(), 1, "nobody listens to a socket that is given up");

    let mut bench = Bench::new("reflector");
    bench.connect(SocketPurpose::First);
    bench.pass(Duration::from_secs(30));
    assert_eq!((bench.closed, bench.closes), (Some((1002, "no answer to our greeting")), 1));
    bench.lose_socket();
    bench.connect(SocketPurpose::First);
    far(&mut bench, &welcome("i1", false));
    assert!(matches!(bench.events.last(), Some(Event::Ready { .. })), "the next socket begins anew");
}

#[test]
fn an_offer_that_is_refused_is_not_waited_for_and_what_was_agreed_before_stands() {
    let mut bench = welcomed();
    bench.offer("a", false);
    answer(&mut bench, "x");
    bench.offer("b", true);
    bench.events.clear();
    far(&mut bench, &FromFar::Refused { kind: RefusalKind::BadRequest, code: "offer".into(), says: "no".into() });
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.events(), ["Refused(BadRequest, offer, no)"]);
    assert_eq!(bench.closed, None, "the call stands");
    far(&mut bench, &FromFar::Candidate { candidate: "of the call".into(), mid: None, line: None });
    assert_eq!(bench.events(), ["RemoteCandidate(of the call)"]);
}

#[test]
fn a_far_end_cannot_make_us_write_without_end() {
    let refused = FromFar::Refused { kind: RefusalKind::Other, code: "x".into(), says: "no".into() };
    let ended = FromFar::Ended { by: CallEndedBy::FarEnd, says: "bye".into() };
    for text in [serde_json::to_string(&refused).unwrap(), serde_json::to_string(&ended).unwrap(), "<html>".to_owned()]
    {
        let mut bench = welcomed();
        let before = bench.signaling().len();
        for _ in 0..20 {
            bench.text(&text);
        }
        assert_eq!((bench.signaling().len() - before, bench.closed), (20, None), "{text}");
        for _ in 0..1_000 {
            bench.text(&text);
        }
        assert_eq!(bench.signaling().len() - before, 21, "{text}");
        let last = bench.signaling().pop().cloned();
        assert!(matches!(last, Some(Signaling::Refused { code, .. }) if code.as_str() == "too_much"), "{text}");
        assert_eq!((bench.closed.map(|(code, _)| code), bench.closes), (Some(1002), 1), "{text}");
    }
}

#[test]
fn a_far_end_names_at_most_64_addresses_for_one_answer() {
    let mut bench = welcomed();
    bench.offer("a", false);
    far(&mut bench, &FromFar::Candidate { candidate: "early".into(), mid: None, line: None });
    let listed = "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n".repeat(60);
    far(&mut bench, &FromFar::Answer { sdp: sdp("x") + &listed });
    for _ in 0..100 {
        far(&mut bench, &FromFar::Candidate { candidate: "late".into(), mid: None, line: None });
    }
    let late = |bench: &mut Bench| bench.events().iter().filter(|event| *event == "RemoteCandidate(late)").count();
    assert_eq!(late(&mut bench), 3, "1 early, 60 in the answer");
    bench.offer("b", true);
    answer(&mut bench, "y");
    far(&mut bench, &FromFar::Candidate { candidate: "late".into(), mid: None, line: None });
    assert_eq!(late(&mut bench), 1, "the next answer has addresses of its own");
}

#[test]
fn our_token_does_not_come_back_in_the_far_ends_words() {
    let mut bench = Bench::new("reflector");
    bench.connect(SocketPurpose::First);
    let says = Heard::new("hunter2 is not the token");
    far(&mut bench, &FromFar::Refused { kind: RefusalKind::Auth, code: "1008".into(), says });
    assert_eq!(bench.events(), ["Refused(Auth, 1008, (kept private) is not the token)"]);
    assert!(!format!("{:?}", bench.notes).contains("hunter2"));
}

#[test]
fn a_new_call_does_not_resume_the_old_one() {
    let mut bench = welcomed();
    bench.lose_socket();
    bench.connect(SocketPurpose::NewCall);
    assert!(bench.sent().get("resume").is_none());
}

#[test]
fn clocks_are_compared_five_times_at_once_and_then_no_more_often_than_hearts_beat() {
    let on =
        |seconds| HeartbeatChoice::On(Heartbeat { every: Span::seconds(seconds), answer_within: Span::seconds(5) });
    for (heartbeat, later) in [(on(5), 6), (on(30), 2), (HeartbeatChoice::Off(Off::Off), 0)] {
        let mut profile = profile("reflector");
        profile.signaling.heartbeat = heartbeat;
        clocks_are_compared(Bench::of(&profile), later);
    }
}

/// `later` is how often in the minute after the first five.
fn clocks_are_compared(mut bench: Bench, later: usize) {
    bench.connect(SocketPurpose::First);
    bench.sent();
    far(&mut bench, &welcome("i1", false));
    for _ in 0..5 {
        let asked = bench.sent();
        assert_eq!(asked["say"], "clock");
        let sent: Wall = serde_json::from_value(asked["sent"].clone()).expect("a time");
        // 40 ms there and back; the far end's clock is 5 s ahead.
        let here = sent.plus_micros(20_000 + 5_000_000);
        bench.now = bench.now.plus(Duration::from_millis(40));
        far(&mut bench, &FromFar::Clock { sent, here });
        // An answer repeated, or to a question never asked, counts for nothing.
        far(&mut bench, &FromFar::Clock { sent, here });
    }
    let clocks: Vec<_> = bench
        .notes
        .iter()
        .filter_map(|f| match f {
            Fact::Far(Far::Clock { offset_ms, rtt_ms }) => Some((*offset_ms, *rtt_ms)),
            _ => None,
        })
        .collect();
    assert_eq!(clocks, [(5_000.0, 40.0); 5]);
    assert!(bench.sent.is_empty());
    bench.pass(Duration::from_secs(61));
    assert_eq!(bench.sent.len(), later);
}

#[test]
fn what_the_far_end_saw_becomes_a_fact() {
    let mut bench = welcomed();
    let at = Wall::from_micros(1_795_255_201_000_000);
    far(&mut bench, &FromFar::Saw { at, sight: Sight::MediaStopped { last: at } });
    assert_eq!(bench.notes.last(), Some(&Fact::Far(Far::Saw { at, sight: Sight::MediaStopped { last: at } })));
}

#[test]
fn a_far_end_that_does_not_answer_is_said_once() {
    let mut bench = Bench::new("reflector");
    bench.connect(SocketPurpose::First);
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.events(), ["Refused(Other, no_answer, no answer to our greeting within 10 s)"]);

    let mut bench = welcomed();
    bench.events.clear();
    bench.offer("a", false);
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.events(), ["Refused(Other, no_answer, no answer to our offer within 10 s)"]);
}

#[test]
fn words_of_another_protocol_are_a_refusal_and_large_ones_too() {
    let mut bench = welcomed();
    bench.events.clear();
    bench.text("<html>");
    bench.text("x".repeat(65 * 1024));
    let events = bench.events();
    assert!(events[0].starts_with("Refused(Other, not_understood"), "{events:?}");
    assert!(events[1].starts_with("Refused(TooLarge, too_large"), "{events:?}");
}

#[test]
fn hanging_up_before_anything_stands_is_done_at_once() {
    let mut bench = Bench::new("reflector");
    bench.connect(SocketPurpose::First);
    bench.feed(In::HangUp { reason: "over" });
    assert_eq!(bench.closed, Some((1000, "over")));
    assert!(matches!(bench.events.last(), Some(Event::HungUp)));
}
