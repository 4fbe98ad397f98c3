//! `connection_reset`, `half_open`, `one_way_loss`, `turn_failed`, and what none of them proves.

use super::{Run, check};
use record::fact::{CandidateKind, End, Ice, Sight, TurnRequest};

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
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC, and signaling ended with a TCP FIN and no close frame; this computer was awake and running; it was back after";
    check(
        run.at(60.3).time_up(),
        &[
            &format!("signaling not_proven not_proven not_proven: {says} 6.00 s."),
            &format!("media not_proven not_proven not_proven: {says} 5.70 s."),
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
            "signaling half_open internet_path shown: The signaling connection went silently dead after 10:00:20.00 UTC: what was written stayed unanswered, neither FIN nor RST came, and media went on; it was back after 1.40 s.",
        ],
    );
    let drop = &told.head.drops[0];
    assert_eq!(drop.last_good.millis(), "2026-11-21T10:00:20.000Z");
    assert_eq!(drop.first_bad.millis(), "2026-11-21T10:00:25.600Z", "the first time it was seen being sent again");
    assert_eq!(drop.declared.millis(), "2026-11-21T10:00:26.200Z");
    assert_eq!(drop.recovery.took_s, Some(1.4));
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
            "signaling half_open internet_path likely: The signaling connection went silently dead after 10:00:20.00 UTC: what was written stayed unanswered, neither FIN nor RST came; it was back after 4.80 s.",
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
            "signaling half_open internet_path shown: The signaling connection went silently dead after 10:00:15.90 UTC: what was written stayed unanswered, neither FIN nor RST came, and media went on; it was back after 1.20 s.",
        ],
    );
    assert_eq!(serde_json::to_value(&told.head.drops[0].recovery).unwrap()["by"], "itself");
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
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC; this computer was awake and running; it was back after";
    let told = check(
        run,
        &[
            &format!("media not_proven not_proven not_proven: {says} 5.70 s."),
            &format!("signaling not_proven not_proven not_proven: {says} 3.90 s."),
        ],
    );
    let media = &told.head.drops[0];
    assert_eq!(
        (media.last_good.millis(), media.first_bad.millis()),
        ("2026-11-21T10:00:20.000Z".into(), "2026-11-21T10:00:20.300Z".into())
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
            "media one_way_loss internet_path shown: From 10:00:20.00 UTC on packets from this computer to the far end were lost, while those the other way arrived; it was back after 5.70 s.",
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
            "media one_way_loss internet_path shown: From 10:00:20.00 UTC on packets from the far end to this computer were lost, while those the other way arrived; it was back after 5.70 s.",
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
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:20.00 UTC while signaling went on; this computer was awake and running; it was back after 5.70 s.",
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
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:20.00 UTC while signaling went on; this computer was awake and running; it was back after 5.70 s.",
        ],
    );
}

fn relayed(kind: CandidateKind, refused_at: f64) -> Run {
    let refused = Ice::TurnRefused {
        server: "turn.example:3478".into(),
        request: TurnRequest::Refresh,
        code: 441,
        says: "Wrong Credentials".into(),
    };
    Run::standing().pair(kind).at(refused_at).note(refused).at(30.0).media_stops().at(60.3).time_up()
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

#[test]
fn a_lost_relay_connection_beside_living_signaling_has_failed() {
    let lost = Ice::TurnLost { server: "turn.example:443".into(), says: "reset".into() };
    let run = Run::standing().pair(CandidateKind::Relay).at(30.0).media_stops().note(lost).at(40.0).ice_restarted();
    let told = check(
        run.at(60.3).time_up(),
        &[
            "media turn_failed voice_service shown: The connection to the TURN server turn.example:443, which carried the media, was lost at 10:00:30.30 UTC, saying “reset”.",
        ],
    );
    assert_eq!(serde_json::to_value(&told.head.drops[0].recovery).unwrap()["by"], "ice_restart");
}
