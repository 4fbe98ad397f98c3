//! Whatever a stranger sends, in whatever order: no panic, and never more asked for than a bounded answer to it.

use super::*;
use proptest::prelude::*;

/// An offer repeated with all its candidates, and the candidates kept for its answer, are the longest legitimate answer.
const MOST_ASKED: usize = 140;

/// JSON that looks enough like the real thing to get past the first doors.
fn plausible() -> impl Strategy<Value = String> {
    let number = prop_oneof![Just(1u64), Just(2), Just(3), Just(10), Just(20), any::<u64>()];
    let verb = prop_oneof![
        Just("success"),
        Just("error"),
        Just("event"),
        Just("trickle"),
        Just("hangup"),
        Just("detached"),
        Just("timeout"),
        Just("ack"),
        Just("welcome"),
        Just("answer"),
        Just("candidate"),
        Just("clock"),
        Just("saw"),
        Just("refused"),
        Just("ended"),
    ];
    (verb, number.clone(), number.clone(), number, any::<String>(), any::<Option<bool>>()).prop_map(
        |(verb, transaction, session, handle, text, flag)| {
            serde_json::json!({
                "janus": verb, "say": verb, "transaction": transaction.to_string(), "session_id": session,
                "sender": handle, "data": {"id": handle}, "reason": text, "says": text, "code": text,
                "error": {"code": session, "reason": text}, "candidate": if flag.is_some() {
                    serde_json::json!({"completed": flag, "candidate": text, "sdpMLineIndex": handle})
                } else {
                    serde_json::json!(text)
                },
                "plugindata": {"data": {"error_code": flag.map(|_| session)}}, "sdp": text,
                "jsep": {"type": "answer", "sdp": text}, "call": text, "ticket": text, "instance": text,
                "resumed": flag.unwrap_or_default(), "kept_s": 1.0, "idle_timeout_s": 1.0, "kind": "no_such_call",
                "by": "service", "sent": "2026-11-21T10:00:00Z", "here": "0001-01-01T00:00:00Z",
                "at": "2026-11-21T10:00:00Z", "sight": "reattached",
            })
            .to_string()
        },
    )
}

fn input() -> impl Strategy<Value = In> {
    let purpose = prop_oneof![Just(SocketPurpose::First), Just(SocketPurpose::Resume), Just(SocketPurpose::NewCall)];
    prop_oneof![
        6 => plausible().prop_map(In::Text),
        2 => any::<String>().prop_map(In::Text),
        1 => purpose.prop_map(|purpose| In::Connect { purpose }),
        1 => (1u32..9).prop_map(|conn| In::SocketOpen { conn }),
        1 => Just(()).prop_map(|()| In::SocketClosed(End::Fin)),
        1 => (any::<String>(), any::<bool>()).prop_map(|(sdp, restart)| In::Offer { sdp, restart }),
        2 => any::<String>().prop_map(|candidate| In::LocalCandidate { candidate, mid: None, line: None }),
        1 => Just(()).prop_map(|()| In::EndOfCandidates),
        1 => Just(()).prop_map(|()| In::Tick),
        1 => Just(()).prop_map(|()| In::HangUp { reason: "over" }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_order_of_words_breaks_an_adapter(
        kind in prop_oneof![Just("reflector"), Just("janus")],
        inputs in prop::collection::vec((input(), 0u64..12_000), 0..60),
    ) {
        let mut bench = Bench::new(kind);
        for (input, ms) in inputs {
            let asked = bench.feed(input);
            prop_assert!(asked <= MOST_ASKED, "{asked} asked for at once");
            bench.now = bench.now.plus(Duration::from_millis(ms));
        }
    }
}

#[test]
fn deep_and_huge_json_is_only_refused() {
    for kind in ["reflector", "janus"] {
        let mut bench = Bench::new(kind);
        bench.connect(SocketPurpose::First);
        for text in ["[".repeat(60_000), format!("{{\"janus\":{}", "{\"a\":".repeat(10_000)), "9".repeat(60_000)] {
            bench.text(text);
        }
        assert!(bench.signaling().iter().all(|fact| matches!(fact, Signaling::Refused { .. })));
    }
}
