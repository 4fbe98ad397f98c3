//! `service_closed`, `service_restarted`, `service_overloaded`, `service_unreachable`, `auth_rejected`, `peer_left`.

use super::{Run, check, checked};
use crate::{Cause, Confidence};
use record::fact::{
    CallEndedBy, ConnectStage, ControlKind, End, EndedBy, Ice, Media, RefusalKind, Sight, Signaling, SocketPurpose,
    Trouble, Undeliverable,
};

fn http(status: u16) -> Trouble {
    Trouble::Http { status, server: None, retry_after_s: None, says: "".into() }
}

#[test]
fn a_close_frame_is_named_by_its_code_and_reason() {
    let run = Run::standing().at(20.0).close_frame(1, 1011, "out of disk").at(21.2).reconnected(2, "a", true);
    let told = check(
        run.at(60.3).time_up(),
        &[
            "signaling service_closed voice_service shown: The voice service closed the signaling connection with code 1011 (internal error) at 10:00:20.00 UTC, saying “out of disk”.",
        ],
    );
    let drop = &told.head.drops[0];
    assert_eq!(serde_json::to_value(&drop.measured).unwrap()["code"], 1011.0);
    assert_eq!(serde_json::to_value(&drop.recovery).unwrap()["by"], "reconnect");
    assert_eq!(drop.recovery.took_s, Some(1.2));
}

/// Three at the same age look like a limit on it; who ended them says that it is none.
#[test]
fn a_close_for_idleness_is_told_by_its_word_and_not_by_lengths() {
    let mut run = Run::standing();
    for conn in 1..4 {
        let at = f64::from(conn) * 8.0;
        run = run.at(at).close_frame(conn, record::wire::close::IDLE, "idle for 7 s");
        run = run.at(at + 0.3).reconnected(conn + 1, "a", true);
    }
    let told = crate::story(&run.at(60.3).time_up().log());
    assert_eq!(told.head.drops.len(), 3);
    for drop in &told.head.drops {
        assert_eq!((drop.cause, drop.confidence), (Cause::IdleTimeout, Confidence::Shown), "{}", drop.says);
        assert_eq!(drop.owner, crate::Owner::VoiceService);
        assert!(drop.says.contains("nothing had come from here for as long as it allows"), "{}", drop.says);
    }
    assert!(told.head.findings.iter().all(|finding| finding.id != "lifetime_limit"));
}

#[test]
fn a_close_frame_of_ours_is_no_drop() {
    let ours = End::CloseFrame { by: record::fact::Side::Us, code: Some(1000), reason: "".into() };
    check(Run::standing().at(20.0).closes(1, ours).at(20.5).reconnected(2, "a", true).at(60.3).time_up(), &[]);
}

#[test]
fn a_call_ended_by_the_service_is_closed_by_it() {
    let run = Run::standing().at(20.0).call_ended(CallEndedBy::Service, "no credit").media_stops();
    check(
        run.at(60.3).ends(EndedBy::GaveUp),
        &[
            "media service_closed voice_service shown: The voice service ended the call at 10:00:20.00 UTC, saying “no credit”.",
        ],
    );
}

#[test]
fn a_killed_and_restarted_service_is_seen_by_its_instance() {
    let run = Run::standing()
        .at(20.0)
        .closes(1, End::Fin)
        .media_stops()
        .at(21.0)
        .fails_to_connect(2, ConnectStage::Tcp, Trouble::Refused)
        .at(23.0)
        .reconnected(3, "b", false)
        .at(23.5)
        .flowing()
        .at(60.3)
        .time_up();
    let says = "The voice service was restarted: signaling and media ended together at 10:00:20.00 UTC, and the service that answered afterwards is another instance.";
    let told = check(
        run,
        &[
            &format!("signaling service_restarted voice_service shown: {says}"),
            &format!("media service_restarted voice_service shown: {says}"),
        ],
    );
    let advice = &told.head.drops[0].advice;
    let why = "Find out why it stopped at 10:00:20 UTC: a crash, killed for memory, or a deployment. If it was";
    assert!(advice.what.starts_with(why), "{}", advice.what);
    let once = "After the change, with the service restarted once by its operator meanwhile (a run without a restart proves nothing), hold with";
    assert!(advice.retest.starts_with(once) && advice.retest.ends_with(". Mended if nothing is lost."));
}

#[test]
fn a_refusal_is_an_answer_of_the_host_and_not_of_the_service() {
    let run = Run::standing().asking(&[ControlKind::FarTcp]).at(20.0).closes(1, End::Fin).media_stops();
    let refused = |run: Run, conn| run.fails_to_connect(conn, ConnectStage::Tcp, Trouble::Refused);
    let run = refused(refused(run.at(21.0), 2).at(22.0), 3).at(28.0).reconnected(4, "b", false).called_anew();
    let told = super::checked(&run.at(60.3).time_up().log());
    let out = told.head.drops[0].ruled_out.iter().find(|out| out.cause == Cause::PathLost).expect("it is ruled out");
    assert_eq!(
        out.says,
        "The far end's host could be reached throughout: it answered new TCP connections, 2 of the call's own with a refusal, so the path to it stood."
    );
}

#[test]
fn a_service_that_says_restart_and_takes_all_with_it_was_restarted() {
    let run = |instance: &str| {
        let run = Run::standing().at(20.0).close_frame(1, 1001, "").media_stops().at(23.0);
        run.reconnected(2, instance, true).media_back().at(60.3).time_up()
    };
    let says = "The voice service was restarted: signaling and media ended together at 10:00:20.00 UTC, and the service said so with close code 1001 (going away).";
    check(
        run(""),
        &[
            &format!("signaling service_restarted voice_service shown: {says}"),
            &format!("media service_restarted voice_service shown: {says}"),
        ],
    );
    // The same process went on: it closed the connection, and was not restarted.
    let says = "The voice service closed the signaling connection with code 1001 (going away) at 10:00:20.00 UTC.";
    check(
        run("a"),
        &[
            &format!("signaling service_closed voice_service shown: {says}"),
            &format!("media service_closed voice_service shown: {says}"),
        ],
    );
}

#[test]
fn another_instance_alone_does_not_show_a_restart_and_the_same_one_shows_that_there_was_none() {
    let run = |refused: bool, instance: &str| {
        let run = Run::standing().at(20.0).closes(1, End::Reset).media_stops().at(21.0);
        let run = if refused { run.fails_to_connect(2, ConnectStage::Tcp, Trouble::Refused) } else { run };
        run.at(23.0).reconnected(3, instance, false).called_anew().at(60.3).time_up()
    };
    // A firewall that resets everything, before a balancer that hands out another instance, looks just like it.
    let says = "Signaling and media ended together at 10:00:20.00 UTC, and the service that answered afterwards is another instance: as after a restart.";
    check(
        run(false, "b"),
        &[
            &format!("signaling service_restarted voice_service likely: {says}"),
            &format!("media service_restarted voice_service likely: {says}"),
        ],
    );
    // A firewall that resets everything and refuses for a second: the service never stopped.
    let says = "The voice service did not take 1 new connection from 10:00:21.00 UTC on: refused: the address answered that nobody listens there; whether the service itself or a device between is behind it is not known; it was back 3.00 s after the first sign of its loss.";
    let told = super::checked(&run(true, "a").log());
    assert_eq!(
        (told.head.drops[0].cause, told.head.drops[0].confidence),
        (Cause::ServiceUnreachable, Confidence::Likely)
    );
    assert_eq!(told.head.drops[0].says, says);
}

#[test]
fn going_away_alone_with_media_alive_is_a_close_and_no_restart() {
    let run = Run::standing().at(20.0).close_frame(1, 1001, "").at(21.0).reconnected(2, "a", true);
    check(
        run.at(60.3).time_up(),
        &[
            "signaling service_closed voice_service shown: The voice service closed the signaling connection with code 1001 (going away) at 10:00:20.00 UTC.",
        ],
    );
}

#[test]
fn try_again_later_is_a_limit() {
    let run = Run::standing().at(20.0).close_frame(1, 1013, "full").at(25.0).reconnected(2, "a", true);
    check(
        run.at(60.3).time_up(),
        &[
            "signaling service_overloaded voice_service shown: The voice service closed the signaling connection with code 1013 (try again later) at 10:00:20.00 UTC, saying “full”.",
        ],
    );
}

#[test]
fn http_503_after_an_end_is_a_limit_that_is_likely() {
    let run = Run::standing()
        .at(20.0)
        .closes(1, End::Fin)
        .at(21.0)
        .fails_to_connect(2, ConnectStage::Upgrade, http(503))
        .at(23.0)
        .fails_to_connect(3, ConnectStage::Upgrade, http(503))
        .at(25.0)
        .reconnected(4, "a", true);
    check(
        run.at(60.3).time_up(),
        &[
            "signaling service_overloaded voice_service likely: The voice service answered new connections with HTTP 503, 2 times.",
        ],
    );
}

#[test]
fn http_503_of_a_front_is_no_limit_where_nobody_takes_the_media() {
    let to = "10.0.0.2:40000".parse().expect("an address");
    let died = |by: [u8; 4]| {
        let run = Run::watched().asking_all().at(20.0).media_stops();
        let first = run.stamp();
        let by = Some(record::Ip::from(std::net::IpAddr::from(by)));
        let run = run.note(Media::Undelivered { to, why: Undeliverable::NoListener, by, first });
        run.closes(1, End::Fin).at(21.0).fails_to_connect(2, ConnectStage::Upgrade, http(503)).at(40.0).time_up()
    };
    let causes = |run: Run| checked(&run.log()).head.drops.iter().map(|drop| drop.cause).collect::<Vec<_>>();
    assert_eq!(causes(died([10, 0, 0, 2])), [Cause::ServiceUnreachable; 2], "its own computer says so");
    assert_eq!(
        causes(died([192, 0, 2, 7])),
        [Cause::ServiceOverloaded; 2],
        "a device on the way may say what it likes"
    );
}

#[test]
fn http_500_is_no_limit() {
    let run =
        Run::standing().at(20.0).closes(1, End::Fin).at(21.0).fails_to_connect(2, ConnectStage::Upgrade, http(500));
    check(
        run.at(25.0).reconnected(3, "a", true).at(60.3).time_up(),
        &[
            "signaling connection_reset internet_path likely: The signaling connection ended with a TCP FIN and no close frame at 10:00:20.00 UTC, 0.50 s after its last byte; whether the service or a device between sent it is not known.",
        ],
    );
}

#[test]
fn a_refusing_service_with_media_alive_is_likely_unreachable() {
    let run = Run::standing()
        .at(20.0)
        .closes(1, End::Fin)
        .at(21.0)
        .fails_to_connect(2, ConnectStage::Tcp, Trouble::Refused)
        .at(23.0)
        .fails_to_connect(3, ConnectStage::Tcp, Trouble::Refused)
        .at(60.3)
        .time_up();
    check(
        run,
        &[
            "signaling service_unreachable voice_service likely: The voice service did not take 2 new connections from 10:00:21.00 UTC on: refused: the address answered that nobody listens there; whether the service itself or a device between is behind it is not known; it did not come back.",
        ],
    );
}

#[test]
fn silence_of_everything_is_not_called_an_unreachable_service() {
    let waited = Trouble::NoAnswer { waited_ms: 5_000.0 };
    let run = Run::standing()
        .at(20.0)
        .media_stops()
        .at(26.0)
        .unanswered(1, 1.0, 6.0)
        .at(27.0)
        .closes(1, End::LetGo)
        .at(32.0)
        .fails_to_connect(2, ConnectStage::Tcp, waited)
        .at(60.3)
        .time_up();
    let says = "Everything to the far end stopped at once, TCP and UDP alike, after 10:00:20.00 UTC; this computer was awake and running; it did not come back.";
    check(
        run,
        &[
            &format!("media not_proven not_proven not_proven: {says}"),
            &format!("signaling not_proven not_proven not_proven: {says}"),
        ],
    );
}

#[test]
fn an_attempt_answered_at_once_is_no_unreachable_service() {
    let run = Run::standing().at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "a", true).at(60.3).time_up();
    let told = check(
        run,
        &[
            "signaling connection_reset internet_path likely: The signaling connection ended with a TCP RST at 10:00:20.00 UTC, 0.50 s after its last byte; whether the service or a device between sent it is not known.",
        ],
    );
    let out: Vec<_> = told.head.drops[0].ruled_out.iter().map(|out| out.says.as_str()).collect();
    assert!(out.contains(&"The service answered at the first new connection, 1.00 s after the loss."), "{out:?}");
    assert!(out.contains(&"The same instance of the service answered afterwards."), "{out:?}");
}

#[test]
fn a_refused_token_in_a_loop_is_counted() {
    let mut run = Run::standing().at(20.0).close_frame(1, 1008, "token expired");
    for (conn, at) in [(2, 21.0), (3, 23.0)] {
        run = run
            .at(at)
            .connecting(conn, SocketPurpose::Resume)
            .refuses(conn, RefusalKind::Auth, "bad_token")
            .close_frame(conn, 1008, "bad token");
    }
    check(
        run.at(60.3).time_up(),
        &[
            "signaling auth_rejected voice_service shown: The voice service did not accept the credentials (1008) at 10:00:20.00 UTC; 3 connections in a row were refused this way.",
        ],
    );
}

#[test]
fn a_refused_right_long_before_the_end_is_not_the_session() {
    let run = Run::standing().at(5.0).refuses(1, RefusalKind::Auth, "no_video").at(40.0).close_frame(1, 1011, "");
    check(
        run.at(41.0).reconnected(2, "a", true).at(60.3).time_up(),
        &[
            "signaling service_closed voice_service shown: The voice service closed the signaling connection with code 1011 (internal error) at 10:00:40.00 UTC.",
        ],
    );
}

#[test]
fn a_far_end_that_hangs_up_has_left() {
    let run = Run::standing().at(20.0).call_ended(CallEndedBy::FarEnd, "goodbye").media_stops().at(20.4);
    let told = check(
        run.ends(EndedBy::FarEnd),
        &["media peer_left voice_service shown: The far end hung up at 10:00:20.00 UTC, saying “goodbye”."],
    );
    assert_eq!(told.head.outcome, crate::Outcome::Dropped);
}

#[test]
fn a_far_end_that_gives_up_a_dead_path_has_not_left() {
    let run = Run::standing().at(20.0).media_stops().at(50.0).call_ended(CallEndedBy::FarEnd, "media timeout");
    check(
        run.at(51.0).ends(EndedBy::FarEnd),
        &[
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:20.00 UTC while signaling went on; this computer was awake and running; it did not come back.",
        ],
    );
}

/// The far end goes on purpose: its word, its media, its close frame; the next one has another name.
fn graceful(by: CallEndedBy) -> Run {
    let run = Run::standing().at(20.0).far_saw(Sight::ShuttingDown).call_ended(by, "the reflector stops");
    let run = run.media_stops().close_frame(1, 1001, "the reflector stops");
    run.at(22.0).reconnected(2, "b", false).called_anew().at(60.3)
}

#[test]
fn a_service_that_ends_its_calls_and_returns_as_another_instance_was_restarted() {
    let says = "The voice service was restarted: signaling and media ended together at 10:00:20.30 UTC, and the service that answered afterwards is another instance.";
    let told = check(
        graceful(CallEndedBy::Service).time_up(),
        &[
            &format!("media service_restarted voice_service shown: {says}"),
            &format!("signaling service_restarted voice_service shown: {says}"),
        ],
    );
    assert_eq!(told.head.owner, crate::Owner::VoiceService);
    let because = &told.head.drops[0].because;
    assert!(because.iter().any(|b| b.says.starts_with("The service ended the call by word")), "{because:?}");
}

#[test]
fn a_far_end_that_hung_up_has_left_whatever_answers_next() {
    let says = "The far end hung up at 10:00:20.00 UTC, saying “the reflector stops”.";
    check(
        graceful(CallEndedBy::FarEnd).time_up(),
        &[
            &format!("media peer_left voice_service shown: {says}"),
            &format!("signaling peer_left voice_service shown: {says}"),
        ],
    );
}

#[test]
fn a_goodbye_of_the_service_whose_gap_is_short_is_a_restart_all_the_same() {
    let run = Run::standing().at(20.0).call_ended(CallEndedBy::Service, "stop").media_stops().close_frame(1, 1001, "");
    let run = run.at(20.8).reconnected(2, "b", false).called_anew().at(60.3).time_up();
    let told = crate::tests::checked(&run.log());
    let causes: Vec<_> = told.head.drops.iter().map(|drop| (drop.plane, drop.cause, drop.confidence)).collect();
    let restarted = |plane| (plane, crate::Cause::ServiceRestarted, crate::Confidence::Shown);
    assert_eq!(causes, [restarted(crate::Plane::Media), restarted(crate::Plane::Signaling)]);
}

#[test]
fn another_instance_beside_living_media_is_another_of_several_and_no_restart() {
    let run = Run::standing().at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "b", true).at(60.3).time_up();
    check(
        run,
        &[
            "signaling connection_reset internet_path likely: The signaling connection ended with a TCP RST at 10:00:20.00 UTC, 0.50 s after its last byte; whether the service or a device between sent it is not known.",
        ],
    );
    let run = Run::standing_without_media().at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "b", true);
    let told = crate::tests::checked(&run.at(60.3).time_up().log());
    assert_eq!(told.head.drops[0].cause, crate::Cause::ConnectionReset, "its checks were answered throughout");
}

#[test]
fn media_that_was_gone_for_less_than_a_drop_shows_a_restart_if_a_new_call_brought_it_back() {
    let gone = || Run::standing().at(20.0).closes(1, End::Reset).media_stops().at(20.8).reconnected(2, "b", false);
    check(
        gone().called_anew().at(60.3).time_up(),
        &[
            "signaling service_restarted voice_service likely: Signaling and media ended together at 10:00:20.00 UTC, and the service that answered afterwards is another instance: as after a restart.",
        ],
    );
    let told = crate::tests::checked(&gone().media_back().at(60.3).time_up().log());
    assert_eq!(told.head.drops[0].cause, crate::Cause::ConnectionReset, "the old call went on");
}

#[test]
fn another_instance_after_all_ended_is_a_restart_in_a_call_without_rtp_too() {
    // The last answer is as old as the checks are apart.
    let run = Run::standing_without_media().at(18.0).checks_unanswered();
    let last_ok = run.stamp();
    let run = run.at(20.5).closes(1, End::Fin).at(23.0).note(Ice::ConsentLate { last_ok }).at(26.0);
    let run = run.reconnected(2, "b", false).at(28.0).checks_back().at(60.3).time_up();
    let told = crate::tests::checked(&run.log());
    let causes: Vec<_> = told.head.drops.iter().map(|drop| (drop.cause, drop.confidence)).collect();
    assert_eq!(causes, [(crate::Cause::ServiceRestarted, crate::Confidence::Likely); 2]);
}

const HUNG: &str = "The voice service's computer acknowledged what was written on signaling from 10:00:25.00 UTC on, and the service's program did not answer it";

#[test]
fn a_service_that_hangs_while_its_computer_acknowledges_is_no_half_open_connection() {
    let hung = |unacked: u32| {
        let run = Run::standing().at(21.0).stops_answering().at(27.0).pong_missing(1, 2.0, 6.0);
        run.at(30.0).given_up(1, 9.0, unacked).at(31.0).reconnected(2, "a", true).at(60.3).time_up()
    };
    let told = check(
        hung(0),
        &[&format!(
            "signaling service_unreachable voice_service shown: {HUNG}; it was back 4.00 s after the first sign of its loss."
        )],
    );
    let drop = &told.head.drops[0];
    assert!(drop.advice.what.starts_with("Look at the service's process at 10:00:25 UTC"), "{}", drop.advice.what);
    let half_open = drop.ruled_out.iter().find(|out| out.cause == crate::Cause::HalfOpen).expect("it is ruled out");
    assert!(half_open.says.starts_with("The TCP connection lived"), "{}", half_open.says);
    let told = crate::tests::checked(&hung(1).log());
    assert_eq!(told.head.drops[0].cause, crate::Cause::HalfOpen, "one segment stayed unacknowledged");
}

#[test]
fn a_service_that_hangs_and_answers_again_is_seen_by_the_kernels_samples() {
    let run = |sampled: f64| {
        let run = Run::standing().at(21.0).stops_answering().at(sampled).acknowledges(1).at(27.0);
        run.pong_missing(1, 2.0, 6.0).at(27.5).answered_again(1).at(60.3).time_up()
    };
    check(
        run(26.0),
        &[&format!(
            "signaling service_unreachable voice_service shown: {HUNG}; it was back 0.50 s after the first sign of its loss."
        )],
    );
    let told = crate::tests::checked(&run(25.1).log());
    assert_eq!(told.head.drops[0].cause, crate::Cause::HalfOpen, "the kernel may not have seen the bytes yet");
}

#[test]
fn a_service_that_hangs_whole_takes_its_media_along() {
    let run = Run::standing().at(21.0).stops_answering().media_stops().at(27.0).pong_missing(1, 2.0, 6.0);
    let run = run.at(30.0).given_up(1, 9.0, 0).at(60.3).time_up();
    let says = format!("{HUNG}; media stopped as well; it did not come back.");
    check(
        run,
        &[
            &format!("media service_unreachable voice_service shown: {says}"),
            &format!("signaling service_unreachable voice_service shown: {says}"),
        ],
    );
}

#[test]
fn a_proxy_that_takes_no_connection_is_named_and_not_the_service() {
    let lost = |trouble: Trouble, alive: bool| {
        let by = Some("proxy:3128");
        let run = Run::begun().at(0.1).connecting_by(1, SocketPurpose::First, by);
        let run = run.note(Signaling::ProxyOpened { conn: 1, took_ms: 2.0 }).ready(1, "a", false).at(0.3).flowing();
        let run = run.at(20.0).closes(1, End::Fin);
        let run = if alive { run } else { run.media_stops() };
        let run = run.at(21.0).connecting_by(2, SocketPurpose::Resume, by);
        let failed = Signaling::ConnectFailed { conn: 2, stage: ConnectStage::Proxy, trouble, took_ms: 1.0 };
        let told = crate::tests::checked(&run.note(failed).at(60.3).time_up().log());
        let drop = told.head.drops.iter().find(|drop| drop.plane == crate::Plane::Signaling).expect("a drop").clone();
        (drop.cause, drop.owner, drop.confidence, drop.says)
    };
    let (shown, likely) = (crate::Confidence::Shown, crate::Confidence::Likely);
    let silence = || Trouble::NoAnswer { waited_ms: 5_000.0 };
    for (trouble, alive, confidence) in [
        (Trouble::Refused, true, shown),
        (Trouble::Refused, false, shown),
        (silence(), true, shown),
        (silence(), false, likely),
    ] {
        let (cause, owner, how, says) = lost(trouble, alive);
        assert_eq!((cause, owner, how), (crate::Cause::ProxyRefused, crate::Owner::LocalNetwork, confidence), "{says}");
        assert!(says.starts_with("The HTTP proxy proxy:3128 took no connection at 10:00:21.00 UTC: "), "{says}");
    }
}

#[test]
fn what_a_proxy_acknowledged_is_only_likely_the_service() {
    let connecting = Signaling::Connecting {
        conn: 1,
        to: "ws://10.0.0.2:7000/call".into(),
        purpose: SocketPurpose::First,
        proxy: Some("proxy:3128".into()),
    };
    let run = Run::begun().at(0.1).note(connecting).ready(1, "a", false).at(0.3).flowing().at(21.0).stops_answering();
    let run = run.at(27.0).pong_missing(1, 2.0, 6.0).at(30.0).given_up(1, 9.0, 0).at(60.3).time_up();
    let told = crate::tests::checked(&run.log());
    let drop = &told.head.drops[0];
    assert_eq!((drop.cause, drop.confidence), (crate::Cause::ServiceUnreachable, crate::Confidence::Likely));
    assert!(drop.says.starts_with("The proxy's computer acknowledged"), "{}", drop.says);
}

/// Its kernel goes on acknowledging and buffering, which looks like packets lost on the way back: the far end alone knows.
#[test]
fn a_service_that_stood_still_is_not_taken_for_a_loss_on_the_way() {
    let run = Run::standing().far_clock(0.0).at(20.0).media_stops();
    let from = run.ago(0.3).wall;
    let run = run.at(24.0).media_back();
    let to = run.wall();
    let told = run
        .far_saw(Sight::StoodStill { from, to })
        .at(59.0)
        .far_saw(Sight::Counted { received: 2950, lost: 0, echoed: 2950 })
        .at(60.3)
        .time_up();
    check(
        told,
        &[
            "media service_unreachable voice_service shown: The far end's program did not run from 10:00:20.00 UTC to 10:00:24.00 UTC, by its own account; it was back 3.96 s after the first sign of its loss.",
        ],
    );
}

#[test]
fn the_answer_to_our_own_goodbye_before_a_new_call_is_no_drop() {
    use record::fact::{Action, Move, Reason};
    let new_call = |code: u16| {
        let step = Action::Began { id: 9, step: Move::NewCall, reason: Reason::PathSilent, because: None };
        let run = Run::standing().at(20.0).media_stops().at(40.0).note(step).close_frame(1, code, "you hung up");
        let run = run.connecting(2, SocketPurpose::NewCall).ready(2, "a", false);
        let told = crate::tests::checked(&run.at(60.3).time_up().log());
        told.head.drops.iter().map(|drop| drop.plane).collect::<Vec<_>>()
    };
    assert_eq!(new_call(1000), [crate::Plane::Media]);
    assert_eq!(new_call(1012), [crate::Plane::Media, crate::Plane::Signaling], "a word of its own is no answer");
}
