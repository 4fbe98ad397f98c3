//! The verdict as a whole: its promised names, what it does not clear, and logs that break off.

use super::{Run, check, checked};
use record::{
    Log,
    fact::{CallEndedBy, End, EndedBy, Mark, Signaling},
};

/// Without a heartbeat, and nothing more was heard on its connection than `heard` seconds into the hold.
fn quiet(heard: f64, end: f64) -> Run {
    let mut run = Run::standing().plan(|plan| plan.heartbeat = None);
    run.beats = None;
    let mut run = run.at(end).note(Signaling::CallEnded { conn: 1, by: CallEndedBy::Us, code: None, says: "".into() });
    let at = end + 0.4;
    run = run.at(at).closes_after(1, End::LetGo, at - heard);
    run.note(Mark::Ended { by: EndedBy::TimeUp })
}

#[test]
fn signaling_that_was_asked_nothing_for_long_is_unconfirmed_and_no_loss() {
    let told = check(quiet(0.2, 60.3), &[]);
    assert_eq!(told.head.headline, "Held for 60.0 s; nothing dropped; signaling unconfirmed since 10:00:00 UTC.");
    let unconfirmed = serde_json::to_value(told.head.unconfirmed.as_ref()).expect("it can be written");
    assert_eq!(
        (&unconfirmed["plane"], &unconfirmed["since"]),
        (&"signaling".into(), &"2026-11-21T10:00:00.200Z".into())
    );
    assert!(
        crate::report::text(&told, &jiff::tz::TimeZone::UTC, 80).contains("Signaling is unconfirmed since 10:00:00")
    );
    let [alive, unknown] = &told.lanes[0].spans[..] else { panic!("{:?}", told.lanes[0].spans) };
    assert_eq!((alive.to, unknown.state), (0.2, crate::story::SpanState::Unknown));
}

#[test]
fn signaling_that_answered_the_goodbye_or_was_quiet_for_seconds_is_confirmed() {
    for run in [quiet(60.5, 60.3), quiet(50.0, 60.3), Run::standing().at(60.3).time_up()] {
        assert_eq!(check(run, &[]).head.unconfirmed, None);
    }
}

#[test]
fn the_verdict_has_the_promised_names() {
    let run = Run::standing().at(20.0).close_frame(1, 1011, "").at(21.2).reconnected(2, "a", true).at(60.3).time_up();
    let verdict = serde_json::to_value(checked(&run.log()).head).expect("a verdict can be written");
    let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut top = names(&verdict);
    top.sort();
    assert_eq!(
        top,
        [
            "complete",
            "drops",
            "findings",
            "headline",
            "held_s",
            "not_tested",
            "outcome",
            "owner",
            "planned_s",
            "schema",
            "started",
            "unconfirmed"
        ]
    );
    assert_eq!(verdict["schema"], "linewitness.verdict/1");
    assert_eq!(verdict["outcome"], "dropped");
    assert_eq!(verdict["started"], "2026-11-21T10:00:00.000Z");
    let drop = &verdict["drops"][0];
    let mut inner = names(drop);
    inner.sort();
    assert_eq!(
        inner,
        [
            "because",
            "cause",
            "confidence",
            "declared",
            "do",
            "first_bad",
            "id",
            "last_good",
            "measured",
            "not_seen",
            "owner",
            "plane",
            "recovery",
            "restored",
            "ruled_out",
            "says"
        ]
    );
    assert_eq!(drop["last_good"], "2026-11-21T10:00:19.500Z");
    assert_eq!(drop["restored"], "2026-11-21T10:00:21.200Z");
    for name in ["who", "what", "retest", "wrong_if"] {
        assert!(drop["do"][name].as_str().is_some_and(|says| !says.is_empty()), "{name}");
    }
    assert_eq!(drop["recovery"], serde_json::json!({"by": "reconnect", "attempts": 1, "took_s": 1.2}));
    assert_eq!(
        verdict["headline"],
        "Voice service: the service closed the connection (Shown); signaling lost once, at 10:00:20 UTC, in a hold of 60.0 s."
    );
}

#[test]
fn a_silent_call_that_held_says_what_it_does_not_clear() {
    let told = check(Run::standing().at(60.3).time_up(), &[]);
    assert!(
        told.head
            .not_tested
            .iter()
            .any(|says| says.starts_with("Idle periods over 5.00 s on signaling were not tested")),
        "{:?}",
        told.head.not_tested
    );
}

#[test]
fn a_self_test_says_nothing_about_any_network() {
    let run = Run::standing().plan(|plan| plan.self_test = true).at(60.3).time_up();
    let told = check(run, &[]);
    assert!(told.head.headline.contains("says nothing about any network"), "{}", told.head.headline);
    assert!(told.head.not_tested[0].starts_with("No network was tested"));
}

#[test]
fn a_log_that_breaks_off_has_a_verdict_that_says_so() {
    let told = check(Run::standing().at(20.3).far_clock(0.0), &[]);
    assert_eq!(
        told.head.headline,
        "20.0 s on record; nothing dropped until then; the recording breaks off there, without an end of its own."
    );
}

#[test]
fn a_run_that_goes_on_is_not_said_to_break_off() {
    let log = Run::standing().at(20.3).far_clock(0.0).log();
    assert_eq!(crate::story_so_far(&log).head.headline, "Holding for 20.0 s; nothing dropped so far.");
}

#[test]
fn while_evidence_may_still_come_nothing_is_called_shown() {
    let run = Run::standing().at(20.0).close_frame(1, 1011, "");
    let confidence = |run: Run| checked(&run.log()).head.drops[0].confidence;
    assert_eq!(confidence(run.clone().at(21.0).far_clock(0.0)), crate::Confidence::Likely);
    assert_eq!(confidence(run.at(40.0).far_clock(0.0)), crate::Confidence::Shown);
}

#[test]
fn an_empty_log_has_a_story() {
    let told = checked(&Log::default());
    assert_eq!(told.head.outcome, crate::Outcome::NotEstablished);
}

#[test]
fn a_forged_log_of_endless_losses_is_told_in_part_and_says_so() {
    let mut run = Run::standing();
    for conn in 2..20_000 {
        run = run.at(f64::from(conn)).closes(conn - 1, End::Fin).ready(conn, "a", true);
    }
    let told = crate::story(&run.time_up().log());
    assert_eq!(told.head.drops.len(), crate::drops::MOST);
    assert_eq!(told.head.findings[0].id, "more_drops");
}

#[test]
fn the_commonest_cause_leads() {
    let mut run = Run::standing().at(10.0).closes(1, End::Reset).at(11.0).reconnected(2, "a", true);
    for (conn, at) in [(2, 20.0), (3, 30.0)] {
        run = run.at(at).close_frame(conn, 1011, "").at(at + 1.0).reconnected(conn + 1, "a", true);
    }
    let told = checked(&run.at(60.3).time_up().log());
    assert_eq!(
        told.head.headline,
        "Voice service: the service closed the connection (Shown); signaling lost twice, first at 10:00:20 UTC, and 1 loss of another cause, in a hold of 60.0 s."
    );
}

#[test]
fn a_blind_watcher_is_listed_under_not_seen() {
    let blind = record::Fact::Blind { watcher: record::Sense::TcpInfo, why: "not on this system".into() };
    let run = Run::standing().note(blind).at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "a", true).at(60.3);
    let told = checked(&run.time_up().log());
    assert!(told.head.drops[0].not_seen.contains(
        &"What this computer's kernel knows of each connection could not be seen: not on this system.".to_owned()
    ));
}

#[test]
fn the_longest_idle_period_tested_is_that_of_the_one_who_speaks_most() {
    let told = |kind: &'static str, every: Option<f64>| {
        let beat = every.map(|every_ms| record::fact::Heartbeat { every_ms, answer_within_ms: 5_000.0 });
        let run = Run::standing().plan(|plan| {
            plan.kind = kind.into();
            plan.heartbeat = beat;
        });
        checked(&run.at(60.3).time_up().log()).head.not_tested.join(" ")
    };
    let quiet = "one quiet connection ran";
    assert!(told("reflector", None).contains(quiet));
    let janus = told("janus", None);
    assert!(!janus.contains(quiet), "{janus}");
    assert!(
        janus.contains("Idle periods over 25.0 s on signaling were not tested: the keepalive of Janus's"),
        "{janus}"
    );
    assert!(told("janus", Some(30_000.0)).contains("Idle periods over 25.0 s"));
    assert!(
        told("janus", Some(5_000.0)).contains("Idle periods over 5.00 s on signaling were not tested: the heartbeat")
    );
}
