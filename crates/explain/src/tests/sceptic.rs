//! What a network administrator, or a vendor, would not believe: each log fits a cause at first sight, and does not show it.

use super::{Run, checked};
use crate::Story;
use record::{
    Fact,
    fact::{
        ConnectStage, Control,
        ControlKind::{Dns, FarTcp, FarUdp, Gateway, Portal, Stun},
        End, EndedBy, Mark, Net, RefusalKind, Sight, Signaling, SocketPurpose, Trouble, TurnRequest,
    },
    profile::IcePolicy,
};

/// `cause owner confidence` of each drop.
fn named(run: Run) -> (Story, Vec<String>) {
    let told = checked(&run.log());
    let of = |value: &serde_json::Value| {
        ["cause", "owner", "confidence"].map(|name| value[name].as_str().unwrap_or_default().to_owned()).join(" ")
    };
    let drops = serde_json::to_value(&told.head.drops).expect("drops can be written");
    let lines = drops.as_array().expect("a list").iter().map(of).collect();
    (told, lines)
}

fn is(run: Run, expected: &str) -> Story {
    let (told, lines) = named(run);
    assert!(!lines.is_empty(), "nothing was lost");
    for line in lines {
        assert_eq!(line, expected, "{}", serde_json::to_string_pretty(&told.head.drops).unwrap());
    }
    told
}

fn http(status: u16) -> Trouble {
    Trouble::Http { status, server: None, retry_after_s: None, says: "".into() }
}

fn over(run: Run) -> Run {
    run.at(60.3).time_up()
}

fn never_stood(run: Run) -> Run {
    run.at(20.0).note(Mark::Ended { by: EndedBy::NotEstablished })
}

fn fails_at_ice(run: Run, conn: u32) -> Run {
    let trouble = Trouble::NoAnswer { waited_ms: 9_000.0 };
    run.note(Signaling::ConnectFailed { conn, stage: ConnectStage::Ice, trouble, took_ms: 9_000.0 })
}

fn public_changes(run: Run) -> Run {
    run.note(Net::PublicAddress {
        server: "stun.example:3478".into(),
        local: "10.0.0.1:45000".parse().unwrap(),
        public: "203.0.113.9:61000".parse().unwrap(),
        before: Some("198.51.100.7:61000".parse().unwrap()),
    })
}

#[test]
fn a_goodbye_of_the_service_is_not_the_work_of_a_public_address_that_changed_near_it() {
    let run = Run::standing().at(20.0).close_frame(1, 1011, "out of disk").at(21.0).reconnected(2, "a", true);
    is(over(public_changes(run.at(25.0))), "service_closed voice_service shown");
    // Nor does it keep a call from standing that the service refused.
    let run = Run::begun().at(0.5).fails_to_connect(1, ConnectStage::Upgrade, http(500));
    is(never_stood(public_changes(run.at(1.0))), "handshake_failed voice_service likely");
}

#[test]
fn a_short_stall_is_not_to_blame_for_bytes_lost_on_the_way_or_for_what_the_service_says_itself() {
    let stalled = || Run::standing().at(20.0).stalls(5.5);
    let run = stalled().at(30.0).resends(1, 2).unanswered(1, 2.0, 16.0).at(34.0).closes(1, End::LetGo);
    is(over(run.at(35.0).reconnected(2, "a", true)), "half_open internet_path shown");
    let run = stalled().at(30.0).close_frame(1, 1012, "deployment").at(31.0).reconnected(2, "b", true);
    is(over(run), "service_restarted voice_service shown");
}

#[test]
fn a_silent_death_without_a_word_of_the_kernel_may_be_a_program_that_hangs() {
    let silent = |retransmits: Option<u32>| {
        let run = Run::standing().at(26.0);
        let (since, last_good) = (run.ago(1.0), run.ago(6.0));
        let run = run.note(Signaling::Unanswered { conn: 1, since, last_good, retransmits }).stops_answering();
        over(run.at(30.0).closes(1, End::LetGo).at(31.0).reconnected(2, "a", true))
    };
    is(silent(None), "half_open internet_path likely");
    is(silent(Some(2)), "half_open internet_path shown");
}

#[test]
fn connections_that_nobody_answered_may_be_kept_out_by_a_rule_on_the_way() {
    let run = |trouble: &Trouble| {
        let run = Run::standing().at(20.0).closes(1, End::Reset).at(21.0);
        let run = run.fails_to_connect(2, ConnectStage::Tcp, trouble.clone()).at(31.0);
        over(run.fails_to_connect(3, ConnectStage::Tcp, trouble.clone()).at(40.0).reconnected(4, "a", true))
    };
    is(run(&Trouble::NoAnswer { waited_ms: 8_000.0 }), "connection_reset internet_path likely");
    // A firewall refuses in its name, and living UDP says nothing of a TCP port. Its own front's word does.
    is(run(&Trouble::Refused), "service_unreachable voice_service likely");
    let in_words = |run: Run, conn| run.fails_to_connect(conn, ConnectStage::Upgrade, http(502));
    let run = in_words(Run::standing().at(20.0).closes(1, End::Reset).at(21.0), 2);
    is(over(run.at(40.0).reconnected(4, "a", true)), "service_unreachable voice_service shown");
}

#[test]
fn a_port_that_drops_new_connections_too_has_not_lost_the_state_of_one_flow() {
    let silent = Trouble::NoAnswer { waited_ms: 10_000.0 };
    let run = Run::standing().at(20.0).stops_answering().at(25.6).resends(1, 1).at(26.2).unanswered(1, 1.2, 6.2);
    let run = run.at(30.0).closes(1, End::LetGo).at(40.0).fails_to_connect(2, ConnectStage::Tcp, silent);
    let told = is(over(run.at(41.0).reconnected(3, "a", true)), "half_open internet_path likely");
    let drop = &told.head.drops[0];
    assert!(drop.says.contains("new TCP connections stayed unanswered as well"), "{}", drop.says);
    assert!(drop.advice.what.starts_with("Look for a rule"), "{}", drop.advice.what);
}

#[test]
fn packets_that_are_lost_in_great_number_explain_a_silence_and_no_firewall_does() {
    // From 20 s to 32 s six packets of ten are lost each way.
    let run = |lossy: bool, asking: &[record::fact::ControlKind]| {
        let mut run = Run::watched().asking(asking).at(20.0);
        if lossy {
            (run.feed.rtp_in, run.feed.lost_in, run.feed.far_lost) = (10, 11, Some(29));
        }
        let mut run = run.at(21.0).stops_answering().at(23.0).resends(1, 1).at(24.0).unanswered(1, 1.6, 3.0);
        run = run.at(29.0).given_up(1, 8.0, 1).at(32.0);
        (run.feed.rtp_in, run.feed.lost_in, run.feed.far_lost) = (50, 0, Some(0));
        over(run.at(33.0).reconnected(2, "a", true))
    };
    is(run(false, &[Gateway]), "half_open internet_path shown");
    let told = is(run(true, &[Gateway]), "packet_loss internet_path likely");
    assert_eq!(
        told.head.drops[0].says,
        "Packets were lost in great number: 132 of 252 media packets from the far end and 348 of 600 to it were missing in 12 seconds from 10:00:20 UTC on, and signaling got no answer in time; it was back 10.0 s after the first sign of its loss."
    );
    is(run(true, &[]), "packet_loss not_proven not_proven");
}

/// What the far end reports of is lost on its way here as well, and one report speaks of many seconds at last.
#[test]
fn a_loss_outwards_is_seen_though_the_reports_on_it_were_lost() {
    let mut run = Run::watched().asking(&[Gateway]).at(20.0);
    (run.feed.rtp_in, run.feed.lost_in, run.feed.far_lost) = (9, 0, None);
    let mut run = run.at(21.0).stops_answering().at(23.0).resends(1, 1).at(24.0).unanswered(1, 1.6, 3.0);
    run = run.at(29.0).given_up(1, 8.0, 1).at(31.0);
    run.feed.far_lost = Some(480);
    let mut run = run.at(32.0);
    (run.feed.rtp_in, run.feed.far_lost) = (50, Some(0));
    is(over(run.at(33.0).reconnected(2, "a", true)), "packet_loss internet_path likely");
}

#[test]
fn a_clean_cut_is_no_loss_of_many_packets() {
    // What was missed in it is counted in the second of its return.
    let mut run = Run::watched().at(20.0).media_stops().at(26.0).media_back();
    run.feed.lost_in = 290;
    let mut run = run.at(27.0);
    run.feed.lost_in = 0;
    is(over(run), "not_proven not_proven not_proven");
}

#[test]
fn a_moments_standstill_of_the_far_end_does_not_explain_a_minute_without_media() {
    let run = |stood_s: f64, back: f64| {
        let run = Run::standing().far_clock(0.0).at(20.0);
        let from = run.wall();
        let run = run.media_stops().at(20.0 + stood_s);
        let to = run.wall();
        run.far_saw(Sight::StoodStill { from, to }).at(back).media_back().at(90.0).time_up()
    };
    is(run(1.0, 60.0), "not_proven not_proven not_proven");
    is(run(1.0, 21.5), "service_unreachable voice_service shown");
    is(run(6.0, 60.0), "service_unreachable voice_service shown");
}

#[test]
fn a_proxys_word_after_the_loss_says_why_it_lasted_and_not_what_ended_it() {
    let run = Run::standing().at(20.0).closes(1, End::Fin).at(21.0).fails_to_connect(2, ConnectStage::Proxy, http(403));
    is(over(run.at(30.0).reconnected(3, "a", true)), "proxy_refused local_network likely");
    let run = Run::begun().at(0.5).fails_to_connect(1, ConnectStage::Proxy, http(403));
    is(never_stood(run), "proxy_refused local_network shown");
    // A proxy that cannot be reached has said nothing.
    let run = Run::begun().at(0.5).fails_to_connect(1, ConnectStage::Proxy, Trouble::NoAnswer { waited_ms: 1.0 });
    is(never_stood(run), "handshake_failed local_network likely");
}

#[test]
fn what_a_later_attempt_got_past_is_not_why_the_call_never_stood() {
    let then_ice = |run: Run| {
        let run = run.at(3.0).connecting(2, SocketPurpose::First).ready(2, "a", false).at(12.0);
        never_stood(fails_at_ice(run, 2))
    };
    for status in [401, 403, 429, 503] {
        let run = Run::begun().at(0.5).fails_to_connect(1, ConnectStage::Upgrade, http(status));
        is(then_ice(run.clone()), "handshake_failed not_proven not_proven");
        let cause = if status < 429 { "auth_rejected" } else { "service_overloaded" };
        is(never_stood(run), &format!("{cause} voice_service shown"));
    }
    let run = Run::begun().at(0.2).connecting(1, SocketPurpose::First).refuses(1, RefusalKind::Overloaded, "busy");
    is(then_ice(run.clone()), "handshake_failed not_proven not_proven");
    is(never_stood(run), "service_overloaded voice_service shown");
}

#[test]
fn a_relay_that_refused_is_not_why_a_call_never_stood_that_had_another_or_needed_none() {
    let server = "turn.example:3478";
    let begun = || {
        let run = Run::begun().plan(|plan| plan.ice_policy = IcePolicy::Relay).at(0.2);
        run.connecting(1, SocketPurpose::First).ready(1, "a", false).at(0.5)
    };
    let refused = |run: Run| run.turn_refuses(server, TurnRequest::Allocate, 486).at(10.0);
    is(never_stood(fails_at_ice(refused(begun()), 1)), "turn_failed voice_service shown");
    let other = refused(begun().relay_by("other.example:3478"));
    is(never_stood(fails_at_ice(other, 1)), "handshake_failed not_proven not_proven");
    let run = refused(begun()).closes(1, End::Fin).fails_to_connect(2, ConnectStage::Upgrade, http(500));
    is(never_stood(run), "handshake_failed voice_service likely");
}

#[test]
fn a_relay_that_refused_before_everything_was_lost_did_not_take_everything() {
    let server = "turn.example:3478";
    let relayed = || Run::watched().relay_by(server).pair(record::fact::CandidateKind::Relay).at(10.0);
    let refused = || relayed().turn_refuses(server, TurnRequest::Refresh, 441).at(20.0);
    is(over(refused().everything_dies()), "not_proven not_proven not_proven");
    is(over(refused().media_stops()), "turn_failed voice_service shown");
}

#[test]
fn a_name_that_is_said_not_to_exist_was_answered() {
    let none = Trouble::NoSuchName { says: "no such host".into() };
    let run = Run::watched().asking(&[Gateway, Dns, FarTcp, FarUdp]).resolvers(&["10.0.0.53"]).at(18.0);
    let run = run.control_silent(&[Dns]).at(20.0).closes(1, End::Reset).at(21.0);
    let run = run.fails_to_connect(2, ConnectStage::Dns, none).at(40.0).reconnected(3, "a", true);
    let told = is(over(run), "dns_failed local_network likely");
    let says = &told.head.drops[0].says;
    assert!(says.contains("the name was said by 10.0.0.53 not to exist") && !says.contains("no answer"), "{says}");
}

#[test]
fn a_sign_in_page_that_let_the_call_through_did_not_show_that_it_stood_in_the_way() {
    let run = Run::begun().asking(&[Portal]).at(0.5).portal(1).connecting(1, SocketPurpose::First).ready(1, "a", false);
    is(never_stood(fails_at_ice(run, 1)), "captive_portal local_network likely");
    // UDP passes to another server all the while.
    let run = Run::watched().asking(&[Portal, Stun]).at(20.0).stops_answering().media_stops().at(22.5);
    let run = run.resends(1, 2).unanswered(1, 1.6, 2.6).at(24.0).portal(1);
    is(over(run), "captive_portal local_network likely");
    // The status made for it, on the connection to the service: no page of ours was asked, and through TLS it is the
    // service's own front that answers.
    let told = |to: &str| {
        let run = Run::begun().plan(|plan| plan.to = to.into()).at(0.5);
        never_stood(run.fails_to_connect(1, ConnectStage::Upgrade, http(511)))
    };
    let plain = is(told("ws://10.0.0.2:7000/call"), "captive_portal local_network shown");
    assert!(plain.head.drops[0].says.contains("the connection to the service was answered with status 511"));
    is(told("wss://far.example/call"), "captive_portal local_network likely");
}

#[test]
fn an_interface_that_went_down_beside_a_tunnel_may_not_have_carried_it() {
    let run = |others: bool| {
        let run = Run::watched_over("wg0").link("eth0", true, true, true);
        let run = if others { run.link("wlan0", true, true, true) } else { run };
        let run = run.at(20.0).link_down("eth0").everything_dies().at(25.9).link_up("eth0").at(26.0);
        over(run.everything_back())
    };
    is(run(false), "link_down this_computer shown");
    let told = is(run(true), "link_down this_computer likely");
    assert!(told.head.drops[0].says.contains("eth0, which may have carried the tunnel wg0 of the call, lost"));
}

#[test]
fn an_address_that_was_back_at_once_does_not_show_why_all_stayed_lost() {
    let run = |back: f64| {
        let run = Run::watched().at(20.0).address_gone("eth0", "10.0.0.1").stops_answering().media_stops();
        let run = run.address_comes("eth0", "10.0.0.1", false).at(22.5).unanswered(1, 1.6, 2.6);
        over(run.at(back).everything_back())
    };
    is(run(24.5), "address_changed this_computer shown");
    is(run(45.0), "address_changed this_computer likely");
}

#[test]
fn what_the_far_end_did_not_send_was_not_lost_on_the_way() {
    let run = |echoed: u64| {
        let run = Run::standing().far_saw(Sight::MediaStarted { first: Run::standing().wall() }).at(20.0);
        let run = run.media_stops().at(26.0).media_back().at(60.3);
        run.far_saw(Sight::Counted { received: 2_990, lost: 10, echoed }).time_up()
    };
    is(run(2_990), "one_way_loss internet_path shown");
    is(run(2_700), "not_proven not_proven not_proven");
}

#[test]
fn a_link_that_fell_after_the_gateway_did_not_keep_its_link() {
    let run = Run::watched().asking(&[Gateway]).at(20.0).everything_dies().link_down("eth0");
    let (told, lines) = named(over(run));
    assert!(lines.iter().all(|line| line != "gateway_lost local_network shown"), "{lines:?}");
    assert!(told.head.drops.iter().all(|drop| !drop.says.contains("kept its link")), "{:?}", told.head.drops[0].says);
}

#[test]
fn of_media_alone_it_is_not_said_that_nothing_beyond_the_gateway_answered() {
    let run = Run::watched().asking(&[Gateway]).at(21.2).control_silent(&[Gateway]).media_stops().at(25.5);
    let told = is(over(run.all_controls_back().media_back()), "gateway_lost local_network shown");
    let says = &told.head.drops[0].says;
    assert!(says.contains("did not answer any more and no media did, while"), "{says}");
}

#[test]
fn of_two_ends_that_the_far_end_saw_the_nearest_is_meant() {
    let ours = End::CloseFrame { by: record::fact::Side::Us, code: Some(1000), reason: "".into() };
    let run = Run::standing().far_clock(0.0).at(12.0).far_saw(Sight::SocketEnded { end: End::Reset });
    let run = run.at(20.0).far_saw(Sight::SocketEnded { end: ours }).closes(1, End::Reset).at(21.0);
    is(over(run.reconnected(2, "a", true)), "connection_reset internet_path likely");
}

#[test]
fn a_refusal_in_another_language_is_one_and_the_english_word_alone_is_none() {
    let run = |says: &str, refused: bool| {
        let run =
            Run::watched().asking(&[Gateway, Dns, FarTcp, FarUdp, Stun]).at(20.0).control_silent(&[FarTcp, FarUdp]);
        let run = run.stops_answering().media_stops().at(22.0);
        let (asked, last_ok) = (run.ago(1.5), Some(run.ago(2.0)));
        let silent = Control::Silent { control: 3, asked, last_ok, says: says.into(), refused };
        over(run.note(Fact::from(silent)).at(22.5).unanswered(1, 1.6, 2.6))
    };
    is(run("Connexion refus\u{e9}e", true), "service_unreachable voice_service shown");
    is(run("a firewall refused to pass it", false), "path_lost internet_path likely");
}

#[test]
fn a_burst_of_heavy_loss_is_told_though_it_did_not_last() {
    let found = |lost: u32| {
        let mut run = Run::standing().at(20.0);
        (run.feed.rtp_in, run.feed.lost_in) = (50 - lost, lost);
        let mut run = run.at(32.0);
        (run.feed.rtp_in, run.feed.lost_in) = (50, 0);
        let told = checked(&over(run).log());
        told.head.findings.iter().filter(|finding| finding.id == "quality_low").count()
    };
    assert_eq!((found(30), found(3)), (1, 0));
}

#[test]
fn whoever_sits_outside_is_told_the_address_that_is_seen_there() {
    let run = |seen: bool| {
        let mut run = Run::watched().asking(&[Gateway]);
        if seen {
            let (local, public) = ("10.0.0.1:40000".parse().unwrap(), "203.0.113.9:61000".parse().unwrap());
            run = run.note(Net::PublicAddress { server: "10.0.0.2:7000".into(), local, public, before: None });
        }
        let told = checked(&over(run.at(20.0).everything_dies_but(&[Gateway])).log());
        let drop = &told.head.drops[0];
        assert_eq!(drop.cause, crate::Cause::PathLost);
        assert!(drop.says.contains("nobody else beyond it was asked"), "{}", drop.says);
        drop.advice.what.clone()
    };
    assert!(run(true).contains("UDP 10.0.0.1:50000 to 10.0.0.2:40000 (outside from 203.0.113.9) at"), "{}", run(true));
    assert!(!run(false).contains("outside from"), "{}", run(false));
}

#[test]
fn an_address_is_said_to_have_stayed_only_where_it_was_seen_again() {
    let stayed = |again: bool| {
        let (local, public) = ("10.0.0.1:40000".parse().unwrap(), "203.0.113.9:61000".parse().unwrap());
        let run = Run::watched().asking(&[Stun]);
        let run = run.note(Net::PublicAddress { server: "stun.example:3478".into(), local, public, before: None });
        let run = run.at(20.0).everything_dies().at(26.0).media_back().answered_again(1);
        let told = checked(&over(if again { run.all_controls_back() } else { run }).log());
        let out = told.head.drops[0].ruled_out.iter();
        out.filter(|out| out.cause == crate::Cause::NatRebound).map(|out| out.says.clone()).collect::<Vec<_>>()
    };
    assert_eq!(stayed(true), ["The public address was the same after it as before, as stun.example:3478 saw it."]);
    assert!(stayed(false).is_empty());
}

#[test]
fn a_socket_on_which_nobody_speaks_is_drawn_alive_only_where_that_was_seen() {
    use crate::story::SpanState::{Alive, Unknown};
    let state = |run: Run| {
        let told = checked(&over(run).log());
        let lane = told.lanes.iter().find(|lane| lane.id == "beside_bare").expect("it is drawn");
        lane.spans[0].state
    };
    let bare = || Run::standing().at(1.0).bare(1).at(40.0);
    assert_eq!(state(bare()), Unknown);
    assert_eq!(state(bare().proved(1, 39.0)), Alive);
    assert_eq!(state(bare().lane_ends(1, End::Fin, 39.0, 39.0)), Alive);
    assert_eq!(state(bare().dead_at_proof(1, 39.0)), Unknown);
}

#[test]
fn udp_of_the_far_end_alone_never_answered_is_likely_a_rule() {
    let run = Run::begun().at(0.1).connecting(1, SocketPurpose::First).ready(1, "a", false);
    let silent = Control::Silent { control: 1, asked: run.stamp(), last_ok: None, says: "".into(), refused: false };
    let asking = Control::Asking {
        control: 1,
        kind: record::fact::ControlKind::FarUdp,
        target: "10.0.0.2:7000".into(),
        rationed: false,
    };
    let run = fails_at_ice(run.note(asking).at(6.0).note(silent).at(9.0), 1);
    let told = is(never_stood(run), "udp_blocked local_network likely");
    assert!(told.head.drops[0].says.starts_with("UDP was never answered by the far end, while TCP was;"));
}
