//! Causes beyond this computer: the gateway, sign-in pages, names, UDP, proxies, the path.

use super::{LOST, both, check, does_not_rule_out, named, rules_out};
use crate::{
    Cause, Story,
    tests::{checked, run::Run},
};
use record::{
    Fact,
    fact::{
        ConnectStage, Control,
        ControlKind::{self, Dns, FarTcp, FarUdp, Gateway, Https, Portal, Stun},
        End, EndedBy, Mark, Reachability, SocketPurpose, Trouble,
    },
};

const BEYOND: [ControlKind; 4] = [FarTcp, FarUdp, Https, Stun];
const FAR: [ControlKind; 2] = [FarTcp, FarUdp];

/// From 20 s to 26 s nothing of the call is answered, nor are these controls.
fn lost_with(run: Run, silent: &[ControlKind]) -> Run {
    dead_with(run, silent).at(26.0).everything_back().at(60.3).time_up()
}

fn dead_with(run: Run, silent: &[ControlKind]) -> Run {
    run.at(20.0).control_silent(silent).stops_answering().media_stops().at(22.5).resends(1, 2).unanswered(1, 1.6, 2.6)
}

#[test]
fn a_gateway_that_falls_silent_with_link_and_address_in_place() {
    let says = "After 10:00:20.00 UTC the gateway 10.0.0.254 did not answer any more and nothing beyond it did, while the interface eth0 kept its link and its address; it was back";
    let told = check(
        Run::watched().asking_all().at(20.0).everything_dies().at(26.0).everything_back().at(60.3).time_up(),
        &[
            &format!("media gateway_lost local_network shown: {says} 5.96 s after the first sign of its loss."),
            // The last sign of life on signaling is a little older.
            &format!(
                "signaling gateway_lost local_network shown: {} 3.50 s after the first sign of its loss.",
                says.replace("20.00 UTC", "19.90 UTC")
            ),
        ],
    );
    rules_out(&told, "The interface eth0 kept its carrier and its address.");
    let drop = &told.head.drops[0];
    let measured = serde_json::to_value(&drop.measured).unwrap();
    assert_eq!(measured, serde_json::json!({"seconds": 6.0, "interface": "eth0", "gateway": "10.0.0.254"}));
    assert!(drop.because.iter().any(|b| b.says == "What was asked beyond the gateway fell silent too."));
    let run = Run::watched().asking_as_usual().at(20.0).everything_dies().at(60.3).time_up();
    both(run, "gateway_lost local_network shown");
}

/// A gateway that answers by ration is silent without a word of it; that it answered after the loss does not show that it
/// did in it.
#[test]
fn answers_by_ration_show_life_only_where_they_came() {
    let lost = |rationed: bool, answered: f64| {
        let run = Run::watched().asking(&FAR);
        let (target, told) = ("10.0.0.254".into(), if rationed { 1 } else { 30 });
        let asking = Control::Asking { control: 9, kind: Gateway, target, rationed };
        let dead = run.note(asking).at(20.0).control_silent(&FAR).stops_answering().media_stops();
        let dead = dead.at(22.5).resends(1, 2).unanswered(1, 1.6, 2.6).at(answered);
        let last_ok = Some(dead.stamp());
        let run = if answered < 26.0 { dead.at(26.0).everything_back() } else { dead.everything_back() };
        run.at(30.0)
            .note(Control::Sample { control: 9, asked: 30, answered: told, rtt_ms: Some(1.0), last_ok })
            .at(60.3)
            .time_up()
    };
    both(lost(true, 29.0), "not_proven not_proven not_proven");
    both(lost(true, 23.1), "path_lost internet_path likely");
    both(lost(false, 29.0), "path_lost internet_path likely");
}

#[test]
fn without_the_links_being_watched_a_silent_gateway_is_only_likely() {
    both(lost_with(Run::standing().asking(&[Gateway]), &[Gateway]), "gateway_lost local_network likely");
}

#[test]
fn the_table_of_neighbours_speaks_for_a_gateway_that_was_not_asked() {
    let failed = |run: Run| run.neighbour("eth0", Reachability::Failed);
    let run = failed(Run::watched().at(20.0).everything_dies().at(28.0)).at(60.3).time_up();
    both(run, "gateway_lost local_network likely");
    // Told after all was back, and half a minute before.
    let run = Run::watched().at(20.0).everything_dies().at(26.0).everything_back();
    both(failed(run.at(28.0)).at(60.3).time_up(), "not_proven not_proven not_proven");
    let run = failed(Run::watched().at(5.0)).at(35.0).everything_dies().at(60.3).time_up();
    both(run, "not_proven not_proven not_proven");
}

#[test]
fn a_gateway_that_answers_nothing_of_its_own_or_fell_silent_earlier_is_not_to_blame() {
    // It never answered, and what lies beyond it does.
    let deaf = |run: Run| run.asking_all().control_silent(&[Gateway]);
    let told = named(
        deaf(Run::watched()).at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "a", true).at(60.3).time_up(),
        &["signaling connection_reset internet_path likely"],
    );
    does_not_rule_out(&told, Cause::GatewayLost);
    // Silent half a minute before, and back.
    let run = Run::watched().asking(&[Gateway]).at(5.0).control_silent(&[Gateway]).at(9.0).control_back(&[Gateway]);
    let told = both(run.at(35.0).everything_dies_but(&[Gateway]).at(60.3).time_up(), "path_lost internet_path likely");
    rules_out(&told, "The gateway 10.0.0.254 answered throughout.");
    // Silent with the loss, and another server behind it answers.
    let told =
        both(lost_with(Run::watched().asking_all(), &[Gateway, FarTcp, FarUdp]), "not_proven not_proven not_proven");
    does_not_rule_out(&told, Cause::GatewayLost);
}

#[test]
fn what_this_computer_itself_did_not_let_out_is_not_the_gateways_fault() {
    let run = Run::watched().asking_as_usual().at(20.0).send_fails(1, "Operation not permitted").everything_dies();
    both(run.at(60.3).time_up(), "not_proven not_proven not_proven");
}

#[test]
fn nothing_beyond_an_answering_gateway_is_a_lost_path() {
    let says = "the gateway 10.0.0.254 answered on and nothing beyond it did: the far end and other servers fell silent together; it was back";
    let told = check(
        lost_with(Run::watched().asking_all(), &BEYOND),
        &[
            &format!(
                "media path_lost internet_path shown: After 10:00:20.00 UTC {says} 5.96 s after the first sign of its loss."
            ),
            &format!(
                "signaling path_lost internet_path shown: After 10:00:19.90 UTC {says} 3.50 s after the first sign of its loss."
            ),
        ],
    );
    rules_out(&told, "The gateway 10.0.0.254 answered throughout.");
    rules_out(&told, "Names resolved throughout.");
    let drop = &told.head.drops[0];
    assert!(drop.because.iter().any(|b| b.says == "The gateway answered throughout: the control that did not fail."));
    assert!(
        drop.advice.what.contains("whether its line to the provider was lost at 10:00:20 UTC"),
        "{}",
        drop.advice.what
    );
    both(dead_with(Run::watched().asking_all(), &BEYOND).at(60.3).time_up(), "path_lost internet_path shown");
}

#[test]
fn with_the_far_end_alone_to_ask_a_path_is_likely_and_shown_where_names_died_too() {
    both(lost_with(Run::watched().asking_as_usual(), &FAR), "path_lost internet_path likely");
    let more = [FarTcp, FarUdp, Dns];
    both(lost_with(Run::watched().asking_as_usual(), &more), "path_lost internet_path shown");
    both(lost_with(Run::watched().asking(&[Gateway]), &[]), "path_lost internet_path likely");
    both(lost_with(Run::watched().asking(&[Https]), &[]), "not_proven not_proven not_proven");
}

#[test]
fn the_internet_reached_and_the_far_end_not_is_the_path_to_it_or_the_service() {
    let told = both(lost_with(Run::watched().asking_all(), &FAR), "path_lost internet_path likely");
    let drop = &told.head.drops[0];
    assert_eq!(
        drop.says,
        "After 10:00:20.00 UTC nothing of the far end answered, neither TCP nor UDP, while the gateway 10.0.0.254 and other servers beyond it did; it was back 5.96 s after the first sign of its loss."
    );
    rules_out(&told, "UDP to another server (stun.example:3478) was answered throughout.");
    // Its address says no. So can a firewall in its name, but for its UDP port, which dies with the service alone.
    let refused = |silent: &[ControlKind]| {
        let run = Run::watched().asking_all().at(20.0).control_silent(silent).media_stops().closes(1, End::Reset);
        let run = run.at(21.0).fails_to_connect(2, ConnectStage::Tcp, Trouble::Refused).at(23.0);
        run.fails_to_connect(3, ConnectStage::Tcp, Trouble::Refused).at(60.3).time_up()
    };
    both_in_any_order(refused(&FAR), "service_unreachable voice_service shown");
    both_in_any_order(refused(&[FarTcp]), "service_unreachable voice_service likely");
}

#[test]
fn a_far_end_that_refuses_new_connections_is_there_and_its_service_is_not() {
    let lost = |run: Run, refused: bool| {
        let run = run.at(20.0).control_silent(&FAR).stops_answering().media_stops().at(22.0);
        let last_ok = Some(run.ago(2.0));
        let (control, asked, says) = (3, run_asked(), "Verbindungsaufbau abgelehnt".into());
        let run = run.note(Control::Silent { control, asked, last_ok, says, refused });
        run.at(22.5).unanswered(1, 1.6, 2.6).at(60.3).time_up()
    };
    both(lost(Run::watched().asking_all(), true), "service_unreachable voice_service shown");
    both(lost(Run::watched().asking_as_usual(), true), "service_unreachable voice_service likely");
    both(lost(Run::watched().asking_all(), false), "path_lost internet_path likely");
}

fn run_asked() -> record::Stamp {
    Run::begun().at(20.5).stamp()
}

fn both_in_any_order(run: Run, expected: &str) {
    let told = super::checked(&run.log());
    let causes: Vec<Cause> = told.head.drops.iter().map(|drop| drop.cause).collect();
    assert_eq!(causes.len(), 2, "{causes:?}");
    for drop in &told.head.drops {
        let value = serde_json::to_value(drop).unwrap();
        let word = ["cause", "owner", "confidence"].map(|name| value[name].as_str().unwrap_or_default().to_owned());
        assert_eq!(word.join(" "), expected, "{}", drop.says);
    }
}

#[test]
fn media_alone_is_a_lost_path_where_the_controls_say_that_tcp_died_too() {
    // The socket had nothing to say in these seconds.
    let run = Run::watched().asking_all().at(21.2).control_silent(&BEYOND).media_stops().at(25.5);
    let run = run.all_controls_back().media_back().at(60.3).time_up();
    named(run, &["media path_lost internet_path shown"]);
    let run = Run::watched().asking_all().at(21.2).media_stops().at(25.5).media_back().at(60.3).time_up();
    let told = named(run, &["media not_proven not_proven not_proven"]);
    rules_out(&told, "New TCP connections to the far end were answered throughout, so the path to it stood.");
}

#[test]
fn a_path_that_lets_one_packet_of_fifty_pass_is_not_lost() {
    let lost = |passes: u32| {
        let mut run = Run::watched().asking_all().at(18.0);
        (run.feed.rtp_in, run.feed.lost_in, run.feed.far_lost) = (passes, 4 * passes, None);
        let run = run.at(21.2).control_silent(&BEYOND).media_stops_but(|feed| {
            (feed.rtp_in, feed.lost_in) = (passes, 4 * passes);
        });
        run.at(25.5).all_controls_back().media_back().at(60.3).time_up()
    };
    // Of each second too few to tell alone.
    named(lost(1), &["media packet_loss internet_path likely"]);
    named(lost(0), &["media path_lost internet_path shown"]);
}

#[test]
fn of_media_that_goes_elsewhere_a_silent_far_end_tells_nothing() {
    let lost = |silent: &[ControlKind]| {
        let run = super::local::relayed().asking_all().at(21.2).control_silent(silent).media_stops().at(25.5);
        run.all_controls_back().media_back().at(60.3).time_up()
    };
    named(lost(&FAR), &["media not_proven not_proven not_proven"]);
    named(lost(&BEYOND), &["media path_lost internet_path shown"]);
    // Nor does one that answers clear the way that media took.
    does_not_rule_out(&named(lost(&[]), &["media not_proven not_proven not_proven"]), Cause::PathLost);
}

#[test]
fn a_path_that_was_lost_half_a_minute_before_is_not_blamed() {
    let run = Run::watched().asking_all().at(5.0).control_silent(&BEYOND).at(8.0).all_controls_back().at(35.0);
    let run = run.stops_answering().media_stops().at(37.5).resends(1, 2).unanswered(1, 1.6, 2.6).at(60.3).time_up();
    both(run, "not_proven not_proven not_proven");
}

#[test]
fn another_instance_behind_a_balancer_after_everything_was_dead_is_no_restart() {
    let run = |silent: &[ControlKind]| {
        let run = Run::watched().asking_all().at(20.0).control_silent(silent).media_stops().closes(1, End::Reset);
        run.at(26.0).all_controls_back().reconnected(2, "b", true).called_anew().at(60.3).time_up()
    };
    both_in_any_order(run(&FAR), "service_restarted voice_service likely");
    both_in_any_order(run(&BEYOND), "path_lost internet_path shown");
}

#[test]
fn a_sign_in_page_that_appears_with_the_loss_stood_in_the_way() {
    let lost = |run: Run| run.at(20.0).everything_dies();
    let run = lost(Run::watched().asking_as_usual().asking(&[Portal])).at(24.0).portal(5).at(40.0);
    let run = run.note(Control::PortalGone { control: 5 }).everything_back().at(60.3).time_up();
    let says = "A sign-in page stood between this computer and the Internet at 10:00:24.00 UTC: a plain web question was answered with status 302 that leads to http://login.example/; it was back";
    check(
        run,
        &[
            &format!("media captive_portal local_network shown: {says} 20.0 s after the first sign of its loss."),
            &format!("signaling captive_portal local_network shown: {says} 17.5 s after the first sign of its loss."),
        ],
    );
    let run = lost(Run::watched().asking(&[Portal])).at(24.0).portal(1).at(60.3).time_up();
    both(run, "captive_portal local_network shown");
    // It stood all the while, and the call was let through.
    let run = lost(Run::watched().asking(&[Portal]).at(2.0).portal(1)).at(60.3).time_up();
    both(run, "not_proven not_proven not_proven");
    let run = dead_with(Run::watched().asking(&[Portal]), &[]).at(60.3).time_up();
    rules_out(&both(run, "not_proven not_proven not_proven"), "The plain web page answered as it should throughout.");
}

#[test]
fn a_sign_in_page_keeps_a_call_from_being_placed() {
    let run = Run::begun().asking(&[Portal]).at(0.5).portal(1).fails_to_connect(1, ConnectStage::Tls, Trouble::Closed);
    let run = run.at(5.0).note(Mark::Ended { by: EndedBy::NotEstablished });
    named(run, &["signaling captive_portal local_network shown"]);
    let sign_in = Trouble::Http { status: 511, server: None, retry_after_s: None, says: "".into() };
    let run = Run::begun().at(0.5).fails_to_connect(1, ConnectStage::Upgrade, sign_in).at(5.0);
    named(run.note(Mark::Ended { by: EndedBy::NotEstablished }), &["signaling captive_portal local_network shown"]);
}

fn no_name() -> Trouble {
    Trouble::NameFailed { says: "Temporary failure in name resolution".into() }
}

/// At 20 s the socket is reset, and the next ones fail at the name until 40 s.
fn nameless(run: Run, silent: &[ControlKind]) -> Run {
    let run = run.resolvers(&["10.0.0.53"]).at(18.0).control_silent(silent).at(20.0).closes(1, End::Reset).at(21.0);
    run.fails_to_connect(2, ConnectStage::Dns, no_name()).at(25.0).fails_to_connect(3, ConnectStage::Dns, no_name())
}

#[test]
fn a_name_that_does_not_resolve_keeps_a_lost_connection_from_coming_back() {
    let run = nameless(Run::watched().asking_as_usual(), &[Dns]).at(40.0).control_back(&[Dns]);
    let told = check(
        run.reconnected(4, "a", true).at(60.3).time_up(),
        &[
            "signaling dns_failed local_network shown: From 10:00:19.00 UTC on no answer of 10.0.0.53 came to questions for names, while the far end's address answered, and the connection could not be made anew; it was back 20.0 s after the first sign of its loss.",
        ],
    );
    let drop = &told.head.drops[0];
    let measured = serde_json::to_value(&drop.measured).unwrap();
    assert_eq!(measured, serde_json::json!({"seconds": 6.0, "times": 2.0, "resolvers": "10.0.0.53"}));
    assert!(drop.advice.what.starts_with("Look up in the log of 10.0.0.53 why no answer was given at 10:00:21 UTC"));
    // Never back, and with no control to ask.
    named(
        nameless(Run::watched().asking_as_usual(), &[Dns]).at(60.3).time_up(),
        &["signaling dns_failed local_network shown"],
    );
    named(nameless(Run::watched(), &[]).at(60.3).time_up(), &["signaling dns_failed local_network likely"]);
}

#[test]
fn names_that_failed_along_with_everything_else_or_when_none_was_needed_are_not_blamed() {
    // All was dead, names among it.
    let run = Run::watched().asking_all().at(20.0).everything_dies().at(24.0).closes(1, End::LetGo);
    let run = run.fails_to_connect(2, ConnectStage::Dns, no_name()).at(60.3).time_up();
    both(run, "gateway_lost local_network shown");
    // The path died, and the resolver beside the gateway too.
    let run =
        dead_with(Run::watched().asking_all(), &[FarTcp, FarUdp, Https, Stun, Dns]).at(24.0).closes(1, End::LetGo);
    let run = run.fails_to_connect(2, ConnectStage::Tcp, Trouble::NoAnswer { waited_ms: 1.0 }).at(60.3).time_up();
    both(run, "path_lost internet_path shown");
    // No name was needed.
    let run = Run::watched().asking_as_usual().at(18.0).control_silent(&[Dns]).at(20.0).closes(1, End::Reset).at(21.0);
    let told =
        named(run.reconnected(2, "a", true).at(60.3).time_up(), &["signaling connection_reset internet_path likely"]);
    does_not_rule_out(&told, Cause::DnsFailed);
    // It failed for a moment in a long loss.
    let run = Run::watched().asking_as_usual().at(20.0).closes(1, End::Reset).at(45.0);
    let run = run.fails_to_connect(2, ConnectStage::Dns, no_name()).at(46.0).reconnected(3, "a", true);
    named(run.at(60.3).time_up(), &["signaling connection_reset internet_path likely"]);
}

#[test]
fn a_call_that_never_stood_for_want_of_a_name_while_addresses_answered() {
    let run = Run::begun().asking(&[Gateway, Dns]).control_silent(&[Dns]).at(3.0);
    let run = run
        .fails_to_connect(1, ConnectStage::Dns, no_name())
        .at(12.0)
        .note(Mark::Ended { by: EndedBy::NotEstablished });
    named(run, &["signaling dns_failed local_network shown"]);
}

#[test]
fn udp_that_dies_everywhere_at_once_beside_living_tcp_is_blocked() {
    let lost = |silent: &[ControlKind]| {
        let run = Run::watched().asking_all().at(20.0).control_silent(silent).media_stops();
        run.at(40.0).control_back(silent).media_back().at(60.3).time_up()
    };
    let told = check(
        lost(&[FarUdp, Stun]),
        &[
            "media udp_blocked local_network shown: From 10:00:20.00 UTC on UDP was not answered any more, neither by the far end nor by stun.example:3478, while TCP was; it was back 20.0 s after the first sign of its loss.",
        ],
    );
    assert!(
        told.head.drops[0].advice.what.contains("UDP 10.0.0.1:50000 to 10.0.0.2:40000"),
        "{}",
        told.head.drops[0].advice.what
    );
    // Each flow as a log has it, with our own port where it was told.
    let because = &told.head.drops[0].because;
    for flow in ["UDP to stun.example:3478, asked", "UDP to 10.0.0.2:7000, asked"] {
        assert!(because.iter().any(|because| because.says.starts_with(flow)), "{because:?}");
    }
    let seen = |run: Run| {
        run.note(record::fact::Net::PublicAddress {
            server: "stun.example:3478".into(),
            local: "10.0.0.1:45910".parse().unwrap(),
            public: "198.51.100.7:45910".parse().unwrap(),
            before: None,
        })
    };
    let run = seen(Run::watched().asking_all()).at(20.0).control_silent(&[FarUdp, Stun]).media_stops().at(60.3);
    let told = named(run.time_up(), &["media udp_blocked local_network shown"]);
    let with_port = "UDP 10.0.0.1:45910 to stun.example:3478, asked once a second: the first question without an answer went out at 10:00:2";
    let drop = &told.head.drops[0];
    assert!(drop.because.iter().any(|because| because.says.starts_with(with_port)), "{:?}", drop.because);
    assert_eq!(
        drop.advice.wrong_if,
        "a log or a capture at the edge shows these packets leaving to the internet after 10:00:20.04 UTC: then it is further out."
    );
    let run = Run::watched().asking(&[Stun]).at(20.0).control_silent(&[Stun]).media_stops().at(60.3).time_up();
    named(run, &["media udp_blocked local_network shown"]);
    // To the far end alone.
    let told = named(lost(&[FarUdp]), &["media not_proven not_proven not_proven"]);
    rules_out(&told, "UDP to another server (stun.example:3478) was answered throughout.");
    // Another server over UDP died half a minute before.
    let run = Run::watched().asking(&[Stun]).at(5.0).control_silent(&[Stun]).at(35.0).media_stops().at(60.3).time_up();
    named(run, &["media not_proven not_proven not_proven"]);
    // This computer did not let it out.
    let run = Run::watched().asking_all().at(20.0).control_silent(&[FarUdp, Stun]).send_fails(1, "no").media_stops();
    named(run.at(60.3).time_up(), &["media one_way_loss this_computer shown"]);
}

#[test]
fn udp_that_never_passed_keeps_a_call_from_being_placed() {
    let never = |asked: &[ControlKind], silent: &[ControlKind]| {
        let run = Run::begun().asking(asked).control_silent(silent);
        let run = run.at(0.1).connecting(1, SocketPurpose::First).ready(1, "a", false).at(20.0);
        let stage = ConnectStage::Ice;
        let trouble = Trouble::NoAnswer { waited_ms: 20_000.0 };
        let failed = record::fact::Signaling::ConnectFailed { conn: 1, stage, trouble, took_ms: 1.0 };
        run.note(Fact::from(failed)).note(Mark::Ended { by: EndedBy::NotEstablished })
    };
    let unproven = "media handshake_failed not_proven not_proven";
    named(never(&[Stun, FarUdp], &[Stun, FarUdp]), &["media udp_blocked local_network shown"]);
    // The one server that was never heard of may be the wrong one.
    named(never(&[Stun], &[Stun]), &["media udp_blocked local_network likely"]);
    named(never(&[Stun], &[]), &[unproven]);
    // The far end was answering over UDP all the while.
    named(never(&[Stun, FarUdp], &[Stun]), &[unproven]);
}

#[test]
fn a_proxy_that_refuses_is_told_with_its_status() {
    let http = |status| Trouble::Http { status, server: Some("squid".into()), retry_after_s: None, says: "".into() };
    let lost = |status| {
        let run = Run::watched().at(20.0).closes(1, End::Fin).at(21.0);
        run.fails_to_connect(2, ConnectStage::Proxy, http(status)).at(30.0)
    };
    check(
        lost(407).reconnected(3, "a", true).at(60.3).time_up(),
        &[
            "signaling proxy_refused local_network likely: The HTTP proxy refused the connection to ws://10.0.0.2:7000/call with status 407 (it wants a login) at 10:00:21.00 UTC; it was back 10.0 s after the first sign of its loss.",
        ],
    );
    named(lost(502).at(60.3).time_up(), &["signaling proxy_refused local_network likely"]);
    let direct = Run::watched().at(20.0).closes(1, End::Reset).at(21.0).reconnected(2, "a", true).at(60.3).time_up();
    let told = named(direct, &["signaling connection_reset internet_path likely"]);
    let proxy = crate::Cause::ProxyRefused;
    assert!(told.head.drops[0].ruled_out.iter().all(|out| out.cause != proxy), "no proxy was in play");
    // A refusal that was overcome long before.
    let early = lost(407).reconnected(3, "a", true).at(50.0).closes(3, End::Reset).at(51.0).reconnected(4, "a", true);
    named(
        early.at(60.3).time_up(),
        &["signaling proxy_refused local_network likely", "signaling connection_reset internet_path likely"],
    );
}

#[test]
fn a_control_makes_a_silent_death_shown_and_adds_its_word_to_a_reset() {
    let silent = |run: Run| {
        let run = run.plan(|plan| plan.silence = record::profile::Silence::None);
        run.at(26.2).unanswered(1, 1.2, 6.2).at(30.0).closes(1, End::LetGo).at(31.0).reconnected(2, "a", true)
    };
    let told = named(
        silent(Run::standing_without_media().asking_as_usual()).at(60.3).time_up(),
        &["signaling half_open internet_path shown"],
    );
    assert!(
        told.head.drops[0].says.contains("and new connections to the far end were answered"),
        "{}",
        told.head.drops[0].says
    );
    named(silent(Run::standing_without_media()).at(60.3).time_up(), &["signaling half_open internet_path likely"]);
}

#[test]
fn with_nothing_but_an_answering_server_the_loss_stays_unproven_and_says_so() {
    let told = both(lost_with(Run::watched().asking(&[Https]), &[]), "not_proven not_proven not_proven");
    assert!(told.head.drops[0].says.starts_with(LOST), "{}", told.head.drops[0].says);
}

#[test]
fn who_was_not_asked_is_not_said_to_have_answered() {
    let paced = [Gateway, Dns, FarUdp];
    let run = |unasked: bool| {
        let run = Run::watched().asking(&paced).at(19.0).control_unasked(&paced, unasked);
        let run = run.at(20.0).media_stops().at(26.0).control_unasked(&paced, false).media_back();
        checked(&run.at(60.3).time_up().log())
    };
    let says = |story: &Story| {
        let list = story.head.drops[0].ruled_out.iter().filter(|out| out.says.contains("throughout"));
        list.map(|out| out.says.clone()).collect::<Vec<_>>()
    };
    let alive = says(&run(false));
    for what in ["The gateway 10.0.0.254 answered throughout.", "Names resolved throughout."] {
        assert!(alive.iter().any(|says| says == what), "{alive:?}");
    }
    let unasked = says(&run(true));
    assert!(
        !unasked
            .iter()
            .any(|says| says.starts_with("The gateway") || says.contains("over UDP") || says.contains("resolved")),
        "{unasked:?}"
    );
}

#[test]
fn what_answered_only_as_the_loss_began_is_not_said_to_have_answered_throughout() {
    let run = Run::watched().asking_all().at(20.0).everything_dies_but(&[Gateway]).at(40.0);
    let told = both(run.control_silent(&[Gateway]).at(60.3).time_up(), "path_lost internet_path shown");
    does_not_rule_out(&told, Cause::GatewayLost);
    let because = &told.head.drops[0].because;
    let says = "The gateway answered as the loss began: the control that did not fail.";
    assert!(because.iter().any(|because| because.says == says), "{because:?}");
}

#[test]
fn udp_to_the_far_end_alone_dead_beside_living_signaling_is_likely_a_rule() {
    let run = |kinds: &[ControlKind], silent: &[ControlKind], answered: bool| {
        let run = Run::watched().asking(kinds).at(20.0).control_silent(silent).media_stops();
        let run = if answered { run } else { run.stops_answering() };
        run.at(40.0).media_back().at(60.3).time_up()
    };
    let usual = [Gateway, Dns, FarTcp, FarUdp];
    let told = check(
        run(&usual, &[FarUdp], true),
        &[
            "media udp_blocked local_network likely: From 10:00:20.00 UTC on UDP was not answered any more by the far end, while TCP was; no other server was asked over UDP, so whether here, on the way or at the far end is not known; it was back 20.0 s after the first sign of its loss.",
        ],
    );
    let far = "UDP to 10.0.0.2:7000, asked once a second: the first question without an answer went out at 10:00:2";
    assert!(told.head.drops[0].because.iter().any(|because| because.says.starts_with(far)));
    // A far end that stands still has its kernel take new connections all the same.
    named(run(&usual, &[FarUdp], false), &["media not_proven not_proven not_proven"]);
    // Its own UDP lives, or that of others does: no rule against UDP.
    let told = named(run(&usual, &[], true), &["media not_proven not_proven not_proven"]);
    let because: Vec<_> = told.head.drops[0].because.iter().map(|because| because.says.as_str()).collect();
    assert!(because.contains(&"Beside the call, asking the far end over UDP was answered throughout."), "{because:?}");
    named(run(&[FarTcp, FarUdp, Stun], &[FarUdp], true), &["media not_proven not_proven not_proven"]);
}
