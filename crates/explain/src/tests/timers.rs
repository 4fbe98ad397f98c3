//! `idle_timeout`, `lifetime_cap`, `nat_rebound`, `nat_expired`, and predictions.

use super::{Run, check, checked};
use crate::{Cause, Confidence, foresee};
use record::{
    Fact, Log,
    fact::{End, Lane, Net, Opened, Plan, Prediction},
};

fn quiet_call() -> Run {
    Run::standing().plan(no_heartbeat).stops_answering()
}

fn no_heartbeat(plan: &mut Plan) {
    plan.heartbeat = None;
}

/// The call's own connection without a heartbeat beside quiet lanes and one that talks, on a way with a 13 s timer.
pub(super) fn ended_with_the_quiet_ones() -> Run {
    quiet_call()
        .at(1.0)
        .bare(1)
        .beating(2)
        .rung(3, 25.0)
        .rung(4, 10.0)
        .at(11.0)
        .lane_answers(2)
        .proved(4, 10.0)
        .at(14.0)
        .lane_ends(1, End::Fin, 13.0, 13.0)
        .lane_ends(3, End::Fin, 13.0, 13.0)
        .closes_after(1, End::Fin, 13.0)
        .at(14.5)
        .reconnected(2, "a", true)
        .at(21.0)
        .lane_answers(2)
}

#[test]
fn a_quiet_call_that_ends_as_quiet_lanes_do_while_one_that_talks_lives_is_shown() {
    let told = check(
        ended_with_the_quiet_ones().at(60.3).time_up(),
        &[
            "signaling idle_timeout internet_path shown: The signaling connection was quiet for 13.0 s and then ended with a TCP FIN and no close frame at 10:00:14.00 UTC, as 2 quiet connections beside it did, while one that spoke lived: connections that are quiet for so long are ended, and whose device does it is not shown: first the firewall or NAT here, then whoever runs 10.0.0.2; it was back 0.50 s after the first sign of its loss.",
        ],
    );
    let drop = serde_json::to_value(&told.head.drops[0]).expect("a drop can be written");
    assert_eq!(drop["measured"], serde_json::json!({"seconds": 13.0, "ended": "fin"}));
}

#[test]
fn where_the_service_sees_its_own_address_a_proxy_before_it_is_most_likely_the_one() {
    for seen in ["10.0.0.2:41000", "127.0.0.1:41000"] {
        let told = check(
            ended_with_the_quiet_ones().seen_from(2, seen).at(60.3).time_up(),
            &[
                "signaling idle_timeout voice_service likely: The signaling connection was quiet for 13.0 s and then ended with a TCP FIN and no close frame at 10:00:14.00 UTC, as 2 quiet connections beside it did, while one that spoke lived: most likely a proxy in front of the service at 10.0.0.2:7000 ends connections that are quiet for so long; it was back 0.50 s after the first sign of its loss.",
            ],
        );
        let advice = &told.head.drops[0].advice;
        assert_eq!(advice.who, "Whoever runs the proxy in front of the service at 10.0.0.2:7000");
        assert!(advice.what.starts_with("Raise the proxy's idle timeout for this service to 3600 s: TCP"));
    }
    let told = checked(&ended_with_the_quiet_ones().seen_from(2, "198.51.100.7:41000").at(60.3).time_up().log());
    let drop = &told.head.drops[0];
    assert_eq!((drop.owner, drop.confidence), (crate::Owner::InternetPath, Confidence::Shown), "{}", drop.says);
}

#[test]
fn a_limit_is_told_apart_from_what_would_prove_it_wrong() {
    let told = checked(&ended_with_the_quiet_ones().at(60.3).time_up().log());
    let advice = &told.head.drops[0].advice;
    assert_eq!(
        advice.wrong_if,
        "a connection from here to the same destination that is left quiet for 14 s stays up before anything is changed."
    );
    assert!(
        advice.what.ends_with("If that is not possible, the maker of the app: a heartbeat every 2 to 6 s."),
        "{}",
        advice.what
    );
}

#[test]
fn a_busy_connection_is_not_ended_for_being_quiet() {
    let mut run = Run::standing().at(1.0).bare(1).beating(2).rung(3, 25.0).at(14.0);
    run = run.lane_ends(1, End::Fin, 13.0, 13.0).lane_ends(3, End::Fin, 13.0, 13.0).lane_answers(2).at(33.0);
    run = run.closes_after(1, End::Reset, 3.0).at(34.0).reconnected(2, "a", true);
    let told = checked(&run.at(60.3).time_up().log());
    assert_eq!(told.head.drops[0].cause, Cause::ConnectionReset);
    let out = &told.head.drops[0].ruled_out;
    let says = &out.iter().find(|out| out.cause == Cause::IdleTimeout).expect("it is ruled out").says;
    assert_eq!(says, "The connection had been quiet for 3.00 s only; it takes 13.0 s here to be ended for it.");
}

#[test]
fn a_silent_firewall_is_met_by_the_first_word_after_the_quiet() {
    let run = Run::standing()
        .plan(|plan| plan.heartbeat = Some(record::fact::Heartbeat { every_ms: 30_000.0, answer_within_ms: 5_000.0 }))
        .stops_answering()
        .at(1.0)
        .beating(1)
        .rung(2, 10.0)
        .rung(3, 15.0)
        .at(11.0)
        .proved(2, 10.0)
        .at(16.0)
        .dead_at_proof(3, 15.0)
        .at(31.0)
        .unanswered(1, 1.0, 30.5)
        .at(36.0)
        .closes(1, End::LetGo)
        .reconnected(2, "a", true)
        .at(41.0)
        .lane_answers(1);
    let told = checked(&run.at(60.3).time_up().log());
    let drop = &told.head.drops[0];
    assert_eq!((drop.cause, drop.confidence), (Cause::IdleTimeout, Confidence::Shown), "{}", drop.says);
    assert!(drop.says.contains("ended in silence: what was written next stayed unanswered"), "{}", drop.says);
    let moments = "The session was last used at 10:00:00.50 UTC; expected in a log as aged out between 10:00:10.5 UTC and 10:00:15.5 UTC; the first packet without an answer went out at 10:00:30.00 UTC.";
    assert!(drop.advice.what.contains(moments), "{}", drop.advice.what);
    let decided = "after 10:00:15.5 UTC, or your log shows it forwarding the packet of 10:00:30.00 UTC.";
    let wrong_if = &drop.advice.wrong_if;
    assert!(wrong_if.starts_with("your session table still held TCP 10.0.0.1:"), "{wrong_if}");
    assert!(wrong_if.ends_with(decided), "{wrong_if}");
}

/// Without a single lane, and without a heartbeat: the call's own connection ends after the same silence.
fn every_13_s(times: u32) -> Run {
    let mut run = quiet_call();
    for n in 1..=times {
        let ends = 0.1 + 14.0 * f64::from(n);
        run =
            run.at(ends).closes_after(n, End::Fin, 13.0).at(ends + 0.5).reconnected(n + 1, "a", true).stops_answering();
    }
    run
}

#[test]
fn the_same_silence_three_times_is_likely_without_a_control() {
    let told = checked(&every_13_s(3).at(60.3).time_up().log());
    for drop in &told.head.drops {
        assert_eq!((drop.cause, drop.confidence), (Cause::IdleTimeout, Confidence::Likely), "{}", drop.says);
    }
    let told = checked(&every_13_s(2).at(60.3).time_up().log());
    assert!(told.head.drops.iter().all(|drop| drop.cause == Cause::ConnectionReset), "two may be chance");
}

#[test]
fn connections_of_the_same_age_are_told_by_it() {
    let mut run = Run::standing().plan(|plan| plan.planned_s = 200.0);
    for (n, ends) in [(1, 50.1), (2, 100.6), (3, 151.1)] {
        run = run.at(ends).closes_after(n, End::Fin, 1.0 + f64::from(n)).at(ends + 0.5).reconnected(n + 1, "a", true);
    }
    let told = checked(&run.at(190.3).time_up().log());
    for drop in &told.head.drops {
        assert_eq!((drop.cause, drop.confidence), (Cause::LifetimeCap, Confidence::Likely), "{}", drop.says);
    }
    assert!(told.head.findings.iter().any(|finding| finding.id == "lifetime_limit"));
}

/// The predictions that the log so far calls for, noted as the hold would note them.
fn noted(run: Run) -> (Run, Vec<Prediction>) {
    let facts = foresee(&run.clone().log());
    (facts.iter().cloned().fold(run, |run, fact| run.note(Fact::from(fact))), facts)
}

#[test]
fn a_drop_that_was_foretold_is_shown() {
    let (run, made) = noted(every_13_s(2).at(30.0));
    let [Prediction::Made { id: 1, from, to, says, lane: None, .. }] = &made[..] else { panic!("{made:?}") };
    assert!(to.micros() - from.micros() <= 1_300_000, "not wider than a tenth of the period");
    assert!(says.as_str().starts_with("the signaling connection will end at 10:00:41 UTC"), "{says}");
    let (run, again) = noted(run.at(33.0));
    assert_eq!(again, [], "it is said once");
    let run = run.at(41.6).closes_after(3, End::Fin, 13.0).at(42.0).reconnected(4, "a", true).stops_answering();
    let (run, hit) = noted(run);
    assert!(hit.contains(&Prediction::CameTrue { id: 1 }), "{hit:?}");
    let told = checked(&run.at(50.0).time_up().log());
    let drop = told.head.drops.last().expect("three drops");
    assert_eq!((drop.cause, drop.confidence), (Cause::IdleTimeout, Confidence::Shown), "{}", drop.says);
}

#[test]
fn a_prediction_whose_time_passes_is_missed() {
    let (run, _) = noted(every_13_s(2).at(30.0));
    let (_, facts) = noted(run.at(50.0));
    assert_eq!(facts, [Prediction::Missed { id: 1 }]);
}

#[test]
fn the_bare_websockets_next_end_is_foretold_from_the_quiet_ones_before() {
    let run = Run::standing().at(1.0).bare(1).beating(2).rung(3, 25.0).at(14.0);
    let run = run.lane_ends(1, End::Fin, 13.0, 13.0).lane_ends(3, End::Fin, 13.0, 13.0).at(14.2).bare(4);
    let (run, made) = noted(run.at(15.0).lane_answers(2));
    let [Prediction::Made { lane: Some(4), says, .. }] = &made[..] else { panic!("{made:?}") };
    assert_eq!(
        says.as_str(),
        "the bare WebSocket will end at 10:00:27 UTC, within 0.30 s either way, if it stays quiet"
    );
    let (_, facts) = noted(run.at(27.2).lane_ends(4, End::Fin, 13.0, 13.0));
    assert_eq!(facts, [Prediction::CameTrue { id: 1 }]);
}

#[test]
fn nothing_is_foretold_of_a_lane_whose_ends_are_not_alike() {
    let run = Run::standing().at(1.0).bare(1).at(14.0).lane_ends(1, End::Fin, 13.0, 13.0).bare(2).at(40.0);
    let run = run.lane_ends(2, End::Fin, 26.0, 26.0).bare(3).at(41.0);
    assert_eq!(foresee(&run.log()), []);
}

#[test]
fn a_loss_at_the_same_minute_is_foretold_by_the_clock() {
    let mut run = Run::standing().plan(|plan| plan.planned_s = 4_000.0);
    for n in 1..=3 {
        run = run.at(f64::from(n) * 900.0).media_stops().at(f64::from(n) * 900.0 + 4.0).media_back();
    }
    let made = foresee(&run.at(2_800.0).log());
    let [Prediction::Made { pattern: record::fact::Pattern::Clock, says, .. }] = &made[..] else { panic!("{made:?}") };
    assert!(says.as_str().starts_with("the call will be lost again at 11:00:00 UTC"), "{says}");
}

#[test]
fn a_log_that_says_it_foresaw_what_it_did_not_proves_nothing() {
    let wide = Prediction::Made {
        id: 1,
        pattern: record::fact::Pattern::Idle,
        lane: None,
        from: Run::standing().wall(),
        to: Run::standing().at(3_600.0).wall(),
        says: "anything".into(),
    };
    let run = every_13_s(3).note(wide.clone()).note(Prediction::CameTrue { id: 1 });
    assert!(checked(&run.at(60.3).time_up().log()).head.drops.iter().all(|d| d.confidence == Confidence::Likely));
    assert_eq!(foresee(&Log::default()), []);
}

fn public(before: Option<&str>, public: &str) -> Net {
    Net::PublicAddress {
        server: "stun.example:3478".into(),
        local: "10.0.0.1:45000".parse().unwrap(),
        public: public.parse().unwrap(),
        before: before.map(|before| before.parse().unwrap()),
    }
}

#[test]
fn a_public_address_that_changes_as_media_is_lost_is_told() {
    let run = |run: Run| {
        let run = run.note(public(None, "198.51.100.7:61000")).at(20.0).media_stops().at(23.0);
        run.note(public(Some("198.51.100.7:61000"), "203.0.113.9:61000")).at(26.0).ice_restarted()
    };
    // A TCP connection that is answered on and on shows that its own address did not change.
    let told = checked(&run(Run::standing()).at(60.3).time_up().log());
    assert_eq!((told.head.drops[0].cause, told.head.drops[0].confidence), (Cause::NatRebound, Confidence::Likely));
    let run = run(Run::standing().at(19.0).stops_answering());
    check(
        run.at(60.3).time_up(),
        &[
            "media nat_rebound local_network shown: The public address of a live flow changed from 198.51.100.7:61000 to 203.0.113.9:61000, seen at 10:00:23.00 UTC by stun.example:3478, as media was lost: the router or the provider gave it another one; it was back 5.96 s after the first sign of its loss.",
        ],
    );
}

#[test]
fn a_public_address_that_changes_when_all_is_back_had_no_part_in_the_loss() {
    let run = Run::standing().note(public(None, "198.51.100.7:61000")).at(20.0).media_stops().at(22.0).media_back();
    let run = run.at(33.0).note(public(Some("198.51.100.7:61000"), "203.0.113.9:61000")).at(60.3).time_up();
    assert_eq!(checked(&run.log()).head.drops[0].cause, Cause::NotProven);
}

#[test]
fn lanes_that_leave_by_other_public_addresses_show_a_change_only_where_all_of_them_moved() {
    let (one, other) = ("198.51.100.7:61000", "203.0.113.9:61000");
    let lost = |before: Run, after: &str| {
        let run = before.at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "a", true);
        let run = run.talking_tcp(8).seen_from(8, after).at(22.0).bare(9).seen_from(9, other).at(60.3).time_up();
        let told = checked(&run.log());
        (told.head.drops[0].cause, told.head.drops[0].confidence)
    };
    let from = |addresses: [&str; 2]| {
        let run = Run::standing().beating(1).seen_from(1, addresses[0]).at(1.0).rung(2, 90.0);
        run.seen_from(2, addresses[1])
    };
    assert_eq!(lost(from([one, one]), other), (Cause::NatRebound, Confidence::Shown));
    // Two uplinks that share the load, before or after.
    assert_eq!(lost(from([one, other]), other), (Cause::ConnectionReset, Confidence::Likely));
    assert_eq!(lost(from([one, one]), one).0, Cause::NatRebound, "the last one moved");
    let back = |run: Run| run.at(21.0).closes(1, End::Reset).at(22.0).reconnected(2, "a", true).talking_tcp(7);
    let run = back(from([one, one]).at(20.0).bare(9).seen_from(9, other)).seen_from(7, one).at(60.3).time_up();
    assert_eq!(checked(&run.log()).head.drops[0].cause, Cause::ConnectionReset);
}

#[test]
fn two_public_ports_of_one_socket_are_a_nat_that_needs_a_relay() {
    let other = Net::PublicAddress {
        server: "other.example:3478".into(),
        local: "10.0.0.1:45000".parse().unwrap(),
        public: "198.51.100.7:61044".parse().unwrap(),
        before: None,
    };
    let told = check(Run::standing().note(public(None, "198.51.100.7:61000")).note(other).at(60.3).time_up(), &[]);
    assert_eq!(told.head.findings[0].id, "nat_kind");
    assert!(told.head.findings[0].says.contains("give calls a TURN relay"));
}

#[test]
fn a_flow_that_nothing_crossed_for_longer_than_the_nat_remembers_has_expired() {
    // Checks are answered every five seconds, and the NAT remembers for less.
    let mut run = Run::standing_without_media().udp_rung(1, 4.0, Opened::Stream).udp_rung(2, 6.0, Opened::Stream);
    for beat in 1..4 {
        run = run.checks_unanswered().at(f64::from(beat) * 5.0);
        run = match beat {
            1 => run.proved(1, 4.0),
            2 => run.dead_at_proof(2, 6.0),
            _ => run,
        };
        run.feed.stun_in = 1;
        run = run.at(f64::from(beat) * 5.0 + 1.0);
    }
    let run = run.checks_stop().at(40.0).checks_back();
    let told = checked(&run.at(60.3).time_up().log());
    let drop = &told.head.drops[0];
    assert_eq!(drop.cause, Cause::NatExpired, "{}", drop.says);
}

#[test]
fn credentials_that_end_before_the_hold_does_are_told() {
    let ends = Run::standing().at(30.0).wall();
    let run = Run::standing().plan(|plan| {
        plan.token_ends = Some(ends);
        plan.credentials_end =
            vec![("turn.example:3478".into(), ends), ("late.example".into(), ends.plus_micros(1 << 40))];
    });
    let told = check(run.at(60.3).time_up(), &[]);
    let ids: Vec<_> = told.head.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["token_expires_before_hold", "turn_expires_before_hold"]);
    assert!(
        told.head.findings[1]
            .says
            .starts_with("The credentials for turn.example:3478 end at 2026-11-21 10:00:30 UTC, 30.0 s before")
    );
}

#[test]
fn another_issuer_than_the_profile_expects_is_likely_inspection_and_an_unknown_one_is_none() {
    use record::fact::{Control, ControlKind};
    let issued = |issuer: &str, expected: Option<&str>| {
        let asking = Control::Asking {
            control: 1,
            kind: ControlKind::Https,
            target: "https://control.example/".into(),
            rationed: false,
        };
        let seen = Control::Issuer { control: 1, issuer: issuer.into(), expected: expected.map(Into::into) };
        checked(&Run::standing().note(asking).note(seen).at(60.3).time_up().log()).head.findings
    };
    assert_eq!(issued("CN=Corp Inspection CA", None), []);
    assert_eq!(issued("CN=R11, O=Let's Encrypt", Some("Let's Encrypt")), []);
    let found = issued("CN=Corp Inspection CA", Some("Let's Encrypt"));
    assert_eq!(found[0].id, "tls_inspected");
    assert!(found[0].says.contains("“CN=Corp Inspection CA” and not by “Let's Encrypt”"), "{}", found[0].says);
}

#[test]
fn another_certificate_than_the_far_ends_own_is_told() {
    let issued = |seen: &str| {
        let tls = record::fact::Signaling::TlsReady {
            conn: 1,
            version: "TLS 1.3".into(),
            cipher: "x".into(),
            issuer: seen.into(),
            took_ms: 1.0,
        };
        let own = record::fact::Far::Certificate { issuer: "CN=R11".into() };
        checked(&Run::standing().note(tls).note(own).at(60.3).time_up().log()).head.findings
    };
    assert_eq!(issued("CN=R11"), []);
    let found = issued("CN=Corp");
    assert_eq!(found[0].id, "tls_inspected");
    assert!(found[0].says.starts_with("The certificate we were shown for 10.0.0.2 was signed by “CN=Corp”"));
}

#[test]
fn a_bad_half_minute_is_told_and_a_bad_second_is_not() {
    let told = |seconds: f64| {
        let mut run = Run::standing().at(10.0);
        run.feed.lost_in = 5;
        let mut run = run.at(10.0 + seconds);
        run.feed.lost_in = 0;
        check(run.at(100.3).time_up(), &[]).head.findings
    };
    assert_eq!(told(3.0), []);
    let found = told(40.0);
    assert_eq!(found[0].id, "quality_low");
    assert!(found[0].says.contains("up to 9.1 % of the packets to us were missing"), "{}", found[0].says);
}

#[test]
fn what_a_drop_took_away_is_no_bad_quality() {
    let mut run = Run::standing().at(20.0).media_stops().at(26.0).media_back();
    // The first sample after it counts what was missing in all of it.
    run.feed.lost_in = 300;
    let mut run = run.at(27.0);
    run.feed.lost_in = 0;
    let told = checked(&run.at(60.3).time_up().log()).head;
    assert_eq!((told.drops.len(), told.findings), (1, vec![]));
}

#[test]
fn a_lane_that_never_stood_is_no_limit() {
    let failed = Lane::Failed {
        lane: 1,
        stage: record::fact::ConnectStage::Tcp,
        trouble: record::fact::Trouble::Refused,
        took_ms: 1.0,
    };
    let told = check(Run::standing().at(1.0).bare(1).note(failed).at(60.3).time_up(), &[]);
    assert_eq!(told.head.findings, []);
}

/// All end every ten minutes, as old as each other, while media goes on.
fn reloaded(foreseen: bool, beside: bool) -> Run {
    let mut run = Run::standing().plan(|plan| plan.planned_s = 3_000.0).at(1.0).beating(1);
    for n in 1..=4 {
        let at = 600.0 * f64::from(n);
        run = run.at(at - 100.0);
        run = if beside { run.beating(20 + n).at(at - 20.0) } else { run.at(at - 20.0) };
        run = if foreseen { noted(run).0 } else { run };
        run = run.lane_answers(n).at(at).lane_ends(n, End::Fin, 1.0, if n == 1 { 599.0 } else { 599.5 });
        run = run.closes(n, End::Fin).at(at + 0.5).beating(n + 1).reconnected(n + 1, "a", true);
        run = if beside { run.at(at + 3.0).lane_answers(20 + n) } else { run };
    }
    run.at(2_900.0).time_up()
}

#[test]
fn what_is_reloaded_by_the_clock_is_not_shown_to_be_a_limit_of_age() {
    let told = checked(&reloaded(true, false).log());
    for drop in &told.head.drops {
        assert_eq!((drop.cause, drop.confidence), (Cause::LifetimeCap, Confidence::Likely), "{}", drop.says);
    }
    let says = |told: &crate::Story| {
        told.head.findings.iter().find(|finding| finding.id == "lifetime_limit").map(|finding| finding.says.clone())
    };
    assert!(
        says(&told).is_some_and(|says| says.contains("They ended every 10 min 00 s, and what is done by the clock"))
    );
    // One of another age that lived through it shows that it was their age.
    let told = checked(&reloaded(false, true).log());
    assert!(says(&told).is_some_and(|says| !says.contains("by the clock")));
    assert!(told.head.drops.iter().all(|drop| drop.confidence == Confidence::Shown), "{:?}", told.head.drops[0].says);
    // Four of them were lanes; the call's own connections do not stand beside themselves.
    for drop in &told.head.drops {
        let counted = ", as 4 busy connections beside it did, and 4 times in this hold:";
        assert!(drop.says.contains(counted), "{}", drop.says);
        let beside =
            drop.because.iter().find(|because| because.says.starts_with("Beside the call")).expect("it is told");
        assert!(
            beside.says.starts_with("Beside the call 4 busy connections ended at that age; all 8 ends"),
            "{}",
            beside.says
        );
        assert!(drop.because.iter().filter(|because| because.seq == beside.seq).count() == 1, "an end of another");
    }
}
