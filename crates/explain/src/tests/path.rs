//! `connection_reset`, `half_open`, `one_way_loss`, `turn_failed`, and what none of them proves.

use super::{Run, check};
use record::fact::{CandidateKind, ControlKind, End, Ice, MediaSample, Sight, TurnRequest};
use record::profile::IcePolicy;

#[test]
fn a_fin_that_the_far_end_did_not_send_was_sent_between() {
    let run = Run::standing()
        .far_clock(5_000.0)
        .at(20.0)
        .closes_after(1, End::Fin, 4.2)
        .at(21.0)
        .reconnected(2, "a", true)
        .far_saw(Sight::SocketEnded { end: End::Reset })
        .at(60.3)
        .time_up();
    check(
        run,
        &[
            "signaling connection_reset internet_path shown: The signaling connection ended with a TCP FIN and no close frame at 10:00:20.00 UTC, 4.20 s after its last byte; the far end did not send it, so a device between did.",
        ],
    );
}

#[test]
fn a_fin_with_media_gone_as_well_is_not_called_a_reset() {
    let run =
        Run::standing().at(20.0).closes(1, End::Fin).media_stops().at(26.0).reconnected(2, "a", true).media_back();
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC, and signaling ended with a TCP FIN and no close frame; this computer was awake and running; it was back";
    check(
        run.at(60.3).time_up(),
        &[
            &format!("signaling not_proven not_proven not_proven: {says} 6.00 s after the first sign of its loss."),
            &format!("media not_proven not_proven not_proven: {says} 5.96 s after the first sign of its loss."),
        ],
    );
}

fn half_open() -> Run {
    Run::standing()
        .at(20.0)
        .stops_answering()
        .at(25.0)
        .at(25.6)
        .resends(1, 1)
        .at(26.2)
        .unanswered(1, 1.2, 6.2)
        .at(26.3)
        .closes(1, End::LetGo)
        .at(27.0)
        .reconnected(2, "a", true)
}

#[test]
fn a_socket_that_dies_silently_beside_living_media_is_half_open() {
    let told = check(
        half_open().at(60.3).time_up(),
        &[
            "signaling half_open internet_path shown: The signaling connection went silently dead after 10:00:20.00 UTC: what was written stayed unanswered, neither FIN nor RST came, and media went on; it was back 1.40 s after the first sign of its loss.",
        ],
    );
    let drop = &told.head.drops[0];
    assert_eq!(drop.last_good.millis(), "2026-11-21T10:00:20.000Z");
    assert_eq!(drop.first_bad.millis(), "2026-11-21T10:00:25.600Z", "the first time it was seen being sent again");
    assert_eq!(drop.declared.millis(), "2026-11-21T10:00:26.200Z");
    assert_eq!(drop.recovery.took_s, Some(1.4));
}

#[test]
fn one_flow_that_spoke_a_moment_before_was_not_forgotten_by_a_timer() {
    let told = crate::tests::checked(&half_open().at(60.3).time_up().log());
    let advice = &told.head.drops[0].advice;
    assert!(advice.what.starts_with("Look for a cleared session, a reload"), "{}", advice.what);
    assert!(!advice.what.contains("3600"), "{}", advice.what);
    assert!(advice.retest.starts_with("1 min cannot show this: hold"), "{}", advice.retest);
    assert_eq!(advice.wrong_if, "a capture beside the service shows our bytes arriving after 10:00:25 UTC.");
}

#[test]
fn flows_that_were_forgotten_at_once_are_counted_and_named() {
    let run = |back: bool| {
        let run = Run::watched().asking_as_usual().at(1.0).talking_tcp(7).beating(8).at(20.0).stops_answering();
        let mut run = run.at(25.6).resends(1, 1).at(26.2).unanswered(1, 1.2, 6.2);
        for lane in [7, 8] {
            let (asked, last_ok) = (run.ago(1.0), run.ago(5.0));
            run = run.note(record::fact::Lane::Silent { lane, asked, last_ok });
            if back {
                run = run.note(record::fact::Lane::Back { lane, silent_since: asked });
            }
        }
        run.at(26.3).closes(1, End::LetGo).at(27.0).reconnected(2, "a", true).at(60.3).time_up()
    };
    let says = "signaling half_open internet_path shown: The signaling connection went silently dead after 10:00:20.00 UTC: what was written stayed unanswered, neither FIN nor RST came, and media went on";
    let back = "it was back 1.40 s after the first sign of its loss.";
    let others = "2 other TCP connections to 10.0.0.2:7000 stopped being answered between 10:00:21.20 UTC and 10:00:25.00 UTC too, and new ones worked";
    let told = check(run(false), &[&format!("{says}; {others}; {back}")]);
    let advice = &told.head.drops[0].advice;
    assert_eq!(
        advice.what,
        "Look for a reload, a failover, a cleared session table or a changed rule between 10:00:21.20 UTC and 10:00:25.00 UTC in a firewall or NAT: it forgot 3 TCP connections at once without an RST: TCP 10.0.0.1:51001 to 10.0.0.2:7000, and with it 10.0.0.1:40007 and 10.0.0.1:40008. Let it send an RST when it drops a session."
    );
    let retest = &told.page.admin[0].retest;
    assert!(retest.starts_with("1 min cannot show this: hold") && !retest.contains("let it run"), "{retest}");
    // What is answered again on the same connection was not forgotten.
    check(run(true), &[&format!("{says}; {back}")]);
}

#[test]
fn without_media_as_a_control_half_open_is_only_likely() {
    let run = Run::begun()
        .at(0.1)
        .connecting(1, record::fact::SocketPurpose::First)
        .ready(1, "a", false)
        .note(record::fact::Mark::Established { took_ms: 100.0 })
        .at(26.2)
        .unanswered(1, 1.2, 6.2)
        .at(30.0)
        .closes(1, End::Silence { waited_ms: 5_000.0 })
        .at(31.0)
        .reconnected(2, "a", true);
    check(
        run.at(60.3).time_up(),
        &[
            "signaling half_open internet_path likely: The signaling connection went silently dead after 10:00:20.00 UTC: what was written stayed unanswered, neither FIN nor RST came; it was back 4.80 s after the first sign of its loss.",
        ],
    );
}

#[test]
fn a_silence_that_ends_by_itself_counts_from_two_seconds_on() {
    let silent =
        |again: f64| Run::standing().at(20.9).unanswered(1, 0.9, 5.0).at(again).answered_again(1).at(60.3).time_up();
    check(silent(21.9), &[]);
    let told = check(
        silent(22.1),
        &[
            "signaling half_open internet_path shown: The signaling connection went silently dead after 10:00:15.90 UTC: what was written stayed unanswered, neither FIN nor RST came, and media went on; it was back 1.20 s after the first sign of its loss.",
        ],
    );
    assert_eq!(serde_json::to_value(&told.head.drops[0].recovery).unwrap()["by"], "itself");
}

#[test]
fn a_socket_that_the_far_end_closes_because_another_took_the_call_up_is_no_drop() {
    let taken_up = Run::standing().at(20.0).connecting(2, record::fact::SocketPurpose::Resume).ready(2, "a", true);
    let run = taken_up.at(20.01).close_frame(1, 4001, "taken up by another socket").at(60.3).time_up();
    assert_eq!(check_count(run), 0);
}

#[test]
fn a_silence_in_which_two_things_were_asked_is_one() {
    let run = Run::standing().at(20.9).unanswered(1, 0.9, 5.0).at(25.7).answered_again(1);
    let told = check_count(run.unanswered(1, 5.6, 5.6).at(25.8).answered_again(1).at(60.3).time_up());
    assert_eq!(told, 1);
}

fn check_count(run: Run) -> usize {
    crate::story(&run.log()).head.drops.len()
}

#[test]
fn a_black_hole_of_six_seconds_is_two_drops_of_one_unproven_cause() {
    let run = Run::standing()
        .at(20.0)
        .media_stops()
        .stops_answering()
        .at(22.5)
        .resends(1, 2)
        .unanswered(1, 1.6, 2.6)
        .at(26.0)
        .media_back()
        .at(26.4)
        .answered_again(1)
        .at(60.3)
        .time_up();
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC; this computer was awake and running; it was back";
    let told = check(
        run,
        &[
            &format!("media not_proven not_proven not_proven: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling not_proven not_proven not_proven: {says} 3.90 s after the first sign of its loss."),
        ],
    );
    let media = &told.head.drops[0];
    assert_eq!(
        (media.last_good.millis(), media.first_bad.millis()),
        ("2026-11-21T10:00:20.000Z".into(), "2026-11-21T10:00:20.040Z".into())
    );
    let out: Vec<_> = media.ruled_out.iter().map(|out| serde_json::to_value(out.cause).unwrap()).collect();
    assert!(out.contains(&"slept".into()) && out.contains(&"app_stalled".into()), "{out:?}");
    assert!(
        !out.contains(&"half_open".into()),
        "signaling died too, so nothing is said of it having answered: {out:?}"
    );
    assert!(media.not_seen.iter().any(|says| says.starts_with("The gateway")), "{:?}", media.not_seen);
}

#[test]
fn control_packets_that_came_as_all_came_back_are_no_sign_of_one_direction() {
    // From 20 s on nothing arrives; the checks of 25.9 s are answered, and their second is told before media is back.
    let run = |returning: f64| {
        let run = Run::standing().far_clock(0.0).at(20.0);
        let last = run.wall().plus_micros(10_000);
        let mut run = run.media_stops().at(21.0).far_saw(Sight::MediaStopped { last }).at(returning);
        run.feed = MediaSample { rtcp_in: 2, stun_in: 4, ..Default::default() };
        let told = crate::tests::checked(&run.at(26.05).media_back().at(60.3).time_up().log());
        told.head.drops[0].cause
    };
    assert_eq!(run(25.9), crate::Cause::NotProven);
    assert_eq!(run(21.1), crate::Cause::OneWayLoss, "while they come all along it is");
}

#[test]
fn packets_lost_on_the_way_out_are_told_by_the_far_end() {
    let run = Run::standing().far_clock(-2_000.0).at(20.0);
    let last = run.wall().plus_micros(-2_000_000 + 10_000);
    let run = run
        .media_stops_but(|still| {
            still.rtcp_in = 1;
            still.stun_in = 1;
        })
        .at(21.0)
        .far_saw(Sight::MediaStopped { last })
        .at(26.0)
        .media_back()
        .at(60.3)
        .time_up();
    let told = check(
        run,
        &[
            "media one_way_loss internet_path shown: From 10:00:20.00 UTC on packets from this computer to the far end were lost, while those the other way arrived; it was back 5.96 s after the first sign of its loss.",
        ],
    );
    assert!(told.head.drops[0].because.iter().any(|b| b.says == "The far end saw our last packet at 10:00:20.01 UTC."));
}

#[test]
fn packets_lost_on_the_way_in_are_told_by_the_far_ends_count() {
    let run = Run::standing()
        .far_saw(Sight::MediaStarted { first: Run::standing().wall() })
        .at(20.0)
        .media_stops()
        .at(26.0)
        .media_back()
        .at(60.3)
        .far_saw(Sight::Counted { received: 2_990, lost: 10, echoed: 2_990 })
        .time_up();
    check(
        run,
        &[
            "media one_way_loss internet_path shown: From 10:00:20.00 UTC on packets from the far end to this computer were lost, while those the other way arrived; it was back 5.96 s after the first sign of its loss.",
        ],
    );
}

#[test]
fn a_loss_that_both_ends_felt_is_not_one_way() {
    let run = Run::standing().far_clock(0.0).at(20.0);
    let last = run.wall();
    let run = run.media_stops().at(26.0).media_back().far_saw(Sight::MediaStopped { last }).at(60.3).time_up();
    let told = check(
        run,
        &[
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:20.00 UTC while signaling went on; this computer was awake and running; it was back 5.96 s after the first sign of its loss.",
        ],
    );
    assert!(told.head.drops[0].ruled_out.iter().any(|out| out.says.starts_with("Both directions stopped")));
}

#[test]
fn one_straggling_report_is_not_a_living_direction() {
    let run = Run::standing().at(20.0).media_stops_but(|still| still.rtcp_in = 0).at(22.4);
    let run = run
        .note(record::fact::Media::Sample(record::fact::MediaSample { rtcp_in: 1, ..Default::default() }))
        .at(26.0)
        .media_back();
    check(
        run.at(60.3).time_up(),
        &[
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:20.00 UTC while signaling went on; this computer was awake and running; it was back 5.96 s after the first sign of its loss.",
        ],
    );
}

fn relayed(kind: CandidateKind, refused_at: f64) -> Run {
    let refused = Ice::TurnRefused {
        server: RELAY.into(),
        request: TurnRequest::Refresh,
        code: 441,
        says: "Wrong Credentials".into(),
    };
    Run::standing().relay_by(RELAY).pair(kind).at(refused_at).note(refused).at(30.0).media_stops().at(60.3).time_up()
}

const RELAY: &str = "turn.example:3478";
const LOST: &str = "media not_proven not_proven not_proven: Media stopped arriving after 10:00:30.00 UTC while signaling went on; this computer was awake and running; it did not come back.";

#[test]
fn a_refresh_that_was_refused_long_before_is_likely_and_no_more() {
    let refused = Run::standing().relay_by(RELAY).pair(CandidateKind::Relay).at(20.0);
    let lost = refused.turn_refuses(RELAY, TurnRequest::Refresh, 437).at(320.0).media_stops().at(340.3).time_up();
    let says = "media turn_failed voice_service likely: The TURN server turn.example:3478 refused to keep the relay address \
                with code 437 (it does not know the allocation) at 10:00:20.00 UTC, 5 min 00 s before the media was lost.";
    check(lost, &[says]);
}

#[test]
fn refusals_that_took_nothing_away_from_the_relay_in_use_are_not_to_blame() {
    use TurnRequest::{Allocate, ChannelBind, CreatePermission, Refresh};
    let begun = || Run::standing().relay_by(RELAY);
    let lost = |run: Run| run.at(30.0).media_stops().at(60.3).time_up();
    let relay = CandidateKind::Relay;
    // At set-up: an address refused by another listed server, and a candidate that was not allowed.
    check(lost(begun().turn_refuses("other.example:3478", Allocate, 486).pair(relay)), &[LOST]);
    check(lost(begun().turn_refuses(RELAY, CreatePermission, 403).at(1.0).pair(relay)), &[LOST]);
    check(lost(begun().turn_refuses(RELAY, Allocate, 486).pair(relay)), &[LOST]);
    // Later, another server's refusals.
    check(lost(begun().pair(relay).at(20.0).turn_refuses("other.example:3478", Refresh, 437)), &[LOST]);
    check(lost(begun().pair(relay).at(20.0).turn_refuses(RELAY, Allocate, 486)), &[LOST]);
    // What the pair in use lives on.
    for (request, what) in [(ChannelBind, "bind a channel"), (CreatePermission, "let the far end's packets through")] {
        check(
            lost(begun().pair(relay).at(20.0).turn_refuses(RELAY, request, 403)),
            &[&format!(
                "media turn_failed voice_service shown: The TURN server turn.example:3478 refused to {what} with code 403 (forbidden) at 10:00:20.00 UTC."
            )],
        );
    }
}

#[test]
fn a_relay_that_refuses_to_go_on_has_failed() {
    check(
        relayed(CandidateKind::Relay, 20.0),
        &[
            "media turn_failed voice_service shown: The TURN server turn.example:3478 refused to keep the relay address with code 441 (credentials other than those of the allocation) at 10:00:20.00 UTC, saying “Wrong Credentials”.",
        ],
    );
}

#[test]
fn a_relay_that_the_media_did_not_use_is_not_to_blame() {
    let told = check(
        relayed(CandidateKind::Host, 20.0),
        &[
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:30.00 UTC while signaling went on; this computer was awake and running; it did not come back.",
        ],
    );
    assert!(told.head.drops[0].ruled_out.iter().any(|out| out.cause == crate::Cause::TurnFailed));
}

/// A relay over UDP has no connection that could be lost: what else shows that it died.
#[test]
fn a_relay_that_died_is_shown_by_its_own_word_or_by_silence_while_all_else_answers() {
    let on = |asked: &[ControlKind], run: fn(Run) -> Run| {
        let run = run(Run::watched().asking(asked).relay_by(RELAY).pair(CandidateKind::Relay).relay_beside(1, RELAY));
        run.at(60.3).time_up()
    };
    let says = "The TURN server turn.example:3478 carried no media after 10:00:30.00 UTC, and the relay held there beside the call";
    let refused: fn(Run) -> Run = |run| {
        let end = End::Broken { says: "437 Invalid allocation".into() };
        run.at(30.0).media_stops().at(33.0).lane_ends(1, end, 0.0, 33.0).at(36.0).media_back()
    };
    check(
        on(&[], refused),
        &[&format!("media turn_failed voice_service shown: {says} was ended too, saying “437 Invalid allocation”.")],
    );
    let silent: fn(Run) -> Run = |run| {
        let last_ok = run.clone().at(29.0).stamp();
        let run = run.at(30.0).media_stops().at(34.0);
        run.note(record::fact::Lane::Silent { lane: 1, asked: last_ok, last_ok })
    };
    check(on(&[], silent), &[&format!("media turn_failed voice_service likely: {says} fell silent too.")]);
    check(
        on(&[ControlKind::FarUdp], silent),
        &[&format!("media turn_failed voice_service shown: {says} fell silent too.")],
    );
    // Ended long after, it shows nothing.
    let later: fn(Run) -> Run = |run| {
        let run = run.at(30.0).media_stops().at(31.5).media_back().at(50.0);
        run.lane_ends(1, End::Broken { says: "437 Invalid allocation".into() }, 0.0, 50.0)
    };
    let told = crate::tests::checked(&on(&[], later).log());
    assert_eq!(told.head.drops[0].cause, crate::Cause::NotProven);
}

#[test]
fn a_relay_whose_computer_answers_that_nobody_listens_has_stopped() {
    let lost = |to: &str| {
        let run = Run::watched().asking(&[ControlKind::FarUdp]).relay_by(RELAY).pair(CandidateKind::Relay);
        let run = run.at(30.0).media_stops();
        let (to, first) = (to.parse().unwrap(), run.ago(0.2));
        let why = record::fact::Undeliverable::NoListener;
        let by = "10.0.0.2".parse().ok();
        let run = run.note(record::fact::Media::Undelivered { to, why, by, first }).at(37.0);
        let unanswered = Ice::TurnLost { server: RELAY.into(), says: "no answer within 5 s".into() };
        run.note(unanswered).at(60.3).time_up()
    };
    let says = "media turn_failed voice_service shown: The TURN server turn.example:3478 carried no media after 10:00:30.00 UTC";
    let answered = "from 10:00:30.10 UTC 10.0.0.2 answered that nothing listens on UDP 3478 (ICMP port unreachable)";
    let told = check(lost("10.0.0.2:3478"), &[&format!("{says}: {answered}.")]);
    let advice = &told.head.drops[0].advice;
    assert_eq!(
        advice.what,
        "From 10:00:30.10 UTC 10.0.0.2 answered that nothing listens on UDP 3478 (ICMP port unreachable). Check whether the TURN process stopped then and is running now: turn.example:3478."
    );
    assert_eq!(advice.wrong_if, "its log shows it receiving our packets after 10:00:30.10 UTC.");
    let because = &told.head.drops[0].because;
    assert!(because.iter().any(|because| because.says.starts_with("Asked for another relay")), "{because:?}");
    // Another port is another program's.
    let other =
        format!("{says} and did not answer when it was asked for another relay, saying “no answer within 5 s”.");
    check(lost("10.0.0.2:40000"), &[&other]);
}

#[test]
fn a_relay_that_gives_no_other_has_failed() {
    let lost = |policy, trouble: Ice| {
        let run = Run::standing().plan(move |plan| plan.ice_policy = policy).asking(&[ControlKind::FarUdp]);
        let run = run.relay_by(RELAY).pair(CandidateKind::Relay).at(30.0).media_stops().at(37.0);
        run.note(trouble).at(60.3).time_up()
    };
    let unanswered = || Ice::TurnLost { server: RELAY.into(), says: "no answer within 5 s".into() };
    check(
        lost(IcePolicy::All, unanswered()),
        &[
            "media turn_failed voice_service shown: The TURN server turn.example:3478 carried no media after 10:00:30.00 UTC and did not answer when it was asked for another relay, saying “no answer within 5 s”.",
        ],
    );
    let refused = || Ice::TurnRefused {
        server: RELAY.into(),
        request: TurnRequest::Allocate,
        code: 401,
        says: "Unauthorized".into(),
    };
    let told = check(
        lost(IcePolicy::Relay, refused()),
        &[
            "media turn_failed voice_service shown: The TURN server turn.example:3478 refused to allocate a relay address with code 401 (credentials missing or wrong) at 10:00:37.00 UTC, saying “Unauthorized”.",
        ],
    );
    assert!(told.head.drops[0].advice.what.starts_with("Check the TURN credentials"));
    check(lost(IcePolicy::All, refused()), &[LOST]);
}

#[test]
fn a_lost_relay_connection_beside_living_signaling_has_failed() {
    let lost = Ice::TurnLost { server: "turn.example:443".into(), says: "reset".into() };
    let run = Run::standing()
        .relay_by("turn.example:443")
        .pair(CandidateKind::Relay)
        .at(30.0)
        .media_stops()
        .note(lost)
        .at(40.0)
        .ice_restarted();
    let told = check(
        run.at(60.3).time_up(),
        &[
            "media turn_failed voice_service shown: The connection to the TURN server turn.example:443, which carried the media, was lost at 10:00:30.30 UTC, saying “reset”.",
        ],
    );
    assert_eq!(serde_json::to_value(&told.head.drops[0].recovery).unwrap()["by"], "ice_restart");
}

#[test]
fn a_call_without_rtp_is_judged_by_the_answers_to_its_checks() {
    check(Run::standing_without_media().at(60.3).time_up(), &[]);
    let run = Run::standing_without_media().at(20.0).checks_stop().at(40.0).checks_back().at(60.3).time_up();
    let told = check(
        run,
        &[
            "media not_proven not_proven not_proven: The path of the media stopped answering our checks after 10:00:20.00 UTC while signaling went on; this computer was awake and running; it was back 15.0 s after the first sign of its loss.",
        ],
    );
    let drop = &told.head.drops[0];
    assert_eq!(drop.last_good.millis(), "2026-11-21T10:00:20.000Z");
    assert_eq!((drop.first_bad, drop.first_bad.millis()), (drop.declared, "2026-11-21T10:00:25.000Z".into()));
    assert_eq!(drop.restored.expect("the checks were answered again").millis(), "2026-11-21T10:00:40.000Z");
    assert_eq!((told.head.outcome, told.head.held_s), (crate::Outcome::Dropped, 60.0));
}

#[test]
fn checks_that_are_late_only_after_the_hold_are_no_drop_and_with_rtp_they_are_none_of_their_own() {
    let run = Run::standing_without_media().at(20.0);
    let last_ok = run.stamp();
    let over = run.at(23.0).call_ended(record::fact::CallEndedBy::Us, "").at(25.0).note(Ice::ConsentLate { last_ok });
    check(over.note(record::fact::Mark::Ended { by: record::fact::EndedBy::TimeUp }), &[]);
    let last_ok = Run::standing().at(20.0).stamp();
    check(Run::standing().at(25.0).note(Ice::ConsentLate { last_ok }).at(60.3).time_up(), &[]);
}

#[test]
fn a_process_that_stood_still_is_why_its_checks_went_unanswered() {
    let run = Run::standing_without_media().at(23.0);
    let last_ok = run.ago(2.0);
    let run = run.stalls(6.0).note(Ice::ConsentLate { last_ok }).checks_back().at(60.3).time_up();
    check(
        run,
        &[
            "media app_stalled this_computer shown: This program did not run for 6.00 s, from 10:00:23.00 UTC to 10:00:29.00 UTC, while the computer was awake; nothing was received because nobody received it.",
        ],
    );
}

#[test]
fn a_call_without_rtp_that_loses_all_is_one_loss_on_both_planes() {
    let run = Run::standing_without_media().at(20.0).stops_answering().checks_stop().at(25.6).unanswered(1, 1.6, 5.6);
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC; this computer was awake and running; it did not come back.";
    check(
        run.at(60.3).time_up(),
        &[
            &format!("media not_proven not_proven not_proven: {says}"),
            &format!("signaling not_proven not_proven not_proven: {says}"),
        ],
    );
}

#[test]
fn a_sight_is_placed_by_the_clocks_as_they_stood_near_it() {
    // Over a shorter round trip, and half an hour before the far clock was set by an hour.
    let run = Run::standing().far_clock_over(0.0, 1.0).at(1_800.0).far_clock_over(3_600_000.0, 30.0).at(1_820.0);
    let last = run.wall().plus_micros(3_600_000_000 + 10_000);
    let run = run.media_stops_but(|still| {
        still.rtcp_in = 1;
        still.stun_in = 1;
    });
    let at = run.wall().plus_micros(3_600_000_000);
    let run = run.note(record::fact::Far::Saw { at, sight: Sight::MediaStopped { last } });
    let run = run.at(1_826.0).media_back().at(1_840.0).time_up();
    let told = check(
        run,
        &[
            "media one_way_loss internet_path shown: From 10:30:20.00 UTC on packets from this computer to the far end were lost, while those the other way arrived; it was back 5.96 s after the first sign of its loss.",
        ],
    );
    let because = &told.head.drops[0].because;
    assert!(because.iter().any(|b| b.says == "The far end saw our last packet at 10:30:20.01 UTC."), "{because:?}");
}

#[test]
fn of_the_clock_readings_near_a_sight_the_shortest_round_trip_is_taken() {
    let run = Run::standing().at(5.0).far_clock_over(0.0, 4.0).at(19.0).far_clock_over(40.0, 90.0).at(20.0);
    let last = run.wall();
    let log = run.far_saw(Sight::MediaStopped { last }).log();
    let timeline = crate::Timeline::read(&log);
    assert_eq!(timeline.sights[0].last.expect("on our clock").wall.millis(), "2026-11-21T10:00:20.000Z");
}

#[test]
fn what_this_computer_refused_to_send_was_not_lost_on_the_path() {
    let run = Run::standing().at(20.0).send_fails(1, "Operation not permitted").media_stops_but(|still| {
        still.rtp_out = 0;
        still.rtcp_in = 1;
        still.stun_in = 1;
    });
    let told = check(
        run.at(26.0).media_back().at(60.3).time_up(),
        &[
            "media one_way_loss this_computer shown: This computer's own system refused to send media from 10:00:20.00 UTC on (error 1, saying “Operation not permitted”), so none of it reached the network; it was back 5.96 s after the first sign of its loss.",
        ],
    );
    let drop = &told.head.drops[0];
    assert_eq!(drop.advice.who, "Whoever looks after this computer");
    assert!(drop.because.iter().any(|b| b.says == "The signaling connection lived through it."), "{:?}", drop.because);
}

#[test]
fn a_refusal_to_send_is_told_where_everything_was_lost_and_not_long_after_it_was_over() {
    let lost = |run: Run| {
        let run = run.at(20.0).stops_answering().send_fails(101, "Network is unreachable").media_stops();
        run.at(22.5).resends(1, 2).unanswered(1, 1.6, 2.6).at(26.0).media_back().at(26.4).answered_again(1)
    };
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC; this computer's own system refused to send media from 10:00:20.00 UTC on (error 101, saying “Network is unreachable”); it was back";
    let told = check(
        lost(Run::standing()).at(60.3).time_up(),
        &[
            &format!("media not_proven not_proven not_proven: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling not_proven not_proven not_proven: {says} 3.90 s after the first sign of its loss."),
        ],
    );
    assert_eq!(told.head.drops[1].advice.who, "Whoever looks after this computer");

    let run = Run::standing().at(10.0).send_fails(1, "no");
    let since = run.stamp();
    let run = run.at(10.5).note(record::fact::Media::SendWorks { refused: 25, since }).at(30.0).media_stops();
    check(run.at(60.3).time_up(), &[LOST]);
}

#[test]
fn a_media_stack_found_dead_is_told_and_the_new_call_is_named() {
    let dead = Ice::StackDied { says: "no tick".into() };
    let run = Run::standing().at(30.0).media_stops().at(32.0).note(dead).at(34.0);
    let told = check(
        run.called_anew().at(60.3).time_up(),
        &[
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:30.00 UTC while signaling went on; this program's own media stack was found dead at 10:00:32.00 UTC; it was back 3.96 s after the first sign of its loss.",
        ],
    );
    assert_eq!(serde_json::to_value(&told.head.drops[0].recovery).unwrap()["by"], "new_call");
}

#[test]
fn a_short_gap_that_ends_by_itself_is_no_drop_and_one_that_a_new_path_ended_is() {
    let gap = || Run::standing().at(30.0).media_stops();
    check(gap().at(30.6).media_back().at(60.3).time_up(), &[]);
    // Others take seconds to find one.
    let told = check_planes(gap().at(30.6).ice_restarted().at(60.3).time_up());
    assert_eq!(told, ["media"]);
}

#[test]
fn a_return_of_a_few_packets_is_no_return() {
    let flaps = |for_s: f64| {
        let run = Run::standing().at(20.0).media_stops().at(25.0).media_back().at(25.0 + for_s).media_stops();
        run.at(25.6 + for_s).ice_restarted().at(60.3).time_up()
    };
    assert_eq!(check_planes(flaps(0.1)), ["media"]);
    let head = crate::story(&flaps(0.1).log()).head;
    let gone = head.drops[0].restored.expect("it came back").micros() - head.drops[0].last_good.micros();
    assert!((5_600_000..5_800_000).contains(&gone), "{gone}");
    assert_eq!(check_planes(flaps(2.0)), ["media", "media"]);
}

fn check_planes(run: Run) -> Vec<String> {
    let head = crate::story(&run.log()).head;
    head.drops.iter().map(|drop| serde_json::to_value(drop.plane).unwrap().as_str().unwrap().to_owned()).collect()
}
