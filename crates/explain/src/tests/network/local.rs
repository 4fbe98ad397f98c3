//! Causes in this computer itself: links, ways, tunnels, addresses.

use super::{LOST, both, check, does_not_rule_out, named, rules_out};
use crate::{
    Cause, Plane,
    tests::{checked, run::Run},
};
use record::fact::{Action, End, Move, Net, Reason, Side, SocketPurpose};

/// At 20 s everything stops, and what is told in between happens in the same moment; at 25.9 s it is mended, and at 26 s all
/// is back.
fn lost_while(run: Run, event: impl Fn(Run) -> Run, mended: impl Fn(Run) -> Run) -> Run {
    mended(event(run.at(20.0)).everything_dies().at(25.9)).at(26.0).everything_back().at(60.3).time_up()
}

/// The same, so long before the loss.
fn earlier(event: impl Fn(Run) -> Run) -> Run {
    event(Run::watched().at(5.0)).at(35.0).everything_dies().at(41.0).everything_back().at(60.3).time_up()
}

fn same(run: Run) -> Run {
    run
}

#[test]
fn the_link_that_carried_the_call_went_down_and_came_back() {
    let run = lost_while(Run::watched().asking_all(), |run| run.link_down("eth0"), |run| run.link_up("eth0"));
    let says = "The wired interface eth0, which carried the call, lost its carrier at 10:00:20.00 UTC and was back at 10:00:25.90 UTC; it was back";
    let told = check(
        run,
        &[
            &format!("media link_down this_computer shown: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling link_down this_computer shown: {says} 3.50 s after the first sign of its loss."),
        ],
    );
    let drop = &told.head.drops[0];
    assert_eq!(
        serde_json::to_value(&drop.measured).unwrap(),
        serde_json::json!({"seconds": 6.0, "interface": "eth0", "link_down_s": 5.9})
    );
    assert!(drop.because.iter().any(|because| because.says == "The gateway stopped answering with it."));
    assert!(drop.advice.what.starts_with("Check why eth0 went down at 10:00:20 UTC: the cable,"));
    assert!(told.head.headline.starts_with("This computer: its network link went down (Shown);"));
}

#[test]
fn a_link_that_stays_down_a_switched_off_one_and_one_that_vanished_are_the_same_cause() {
    let events: [fn(Run) -> Run; 3] =
        [|run| run.link_down("eth0"), |run| run.link("eth0", false, false, false), |run| run.link_gone("eth0")];
    for event in events {
        let run = event(Run::watched().at(20.0)).everything_dies().at(60.3).time_up();
        both(run, "link_down this_computer shown");
    }
}

#[test]
fn a_link_that_is_told_of_two_seconds_late_is_still_to_blame() {
    let run = Run::watched().at(20.0).media_stops().stops_answering().at(21.9).link_down("eth0");
    both(run.at(22.5).unanswered(1, 1.6, 2.6).at(60.3).time_up(), "link_down this_computer shown");
}

#[test]
fn a_radio_tells_late_and_counts_with_a_silent_gateway() {
    let lost = |run: Run| run.at(20.0).everything_dies().at(24.5).wifi("wlan0", false).at(30.0);
    let over = |run: Run| run.at(60.3).time_up();
    let asked = over(lost(Run::watched_over("wlan0").asking_as_usual()));
    let told = both(asked, "link_down this_computer likely");
    assert!(
        told.head.drops[0].says.contains("left its Wi-Fi network at 10:00:24.50 UTC"),
        "{}",
        told.head.drops[0].says
    );
    both(over(lost(Run::watched_over("wlan0"))), "not_proven not_proven not_proven");
}

#[test]
fn with_the_link_gone_another_network_may_take_over() {
    let run = lost_while(
        Run::watched(),
        |run| run.link_down("eth0").route_moves(Some("eth0"), Some("wlan0")),
        |run| run.link_up("eth0"),
    );
    let says = "The wired interface eth0, which carried the call, lost its carrier at 10:00:20.00 UTC, and packets went over wlan0 from then on; it was back";
    check(
        run,
        &[
            &format!("media link_down this_computer shown: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling link_down this_computer shown: {says} 3.50 s after the first sign of its loss."),
        ],
    );
}

#[test]
fn a_call_that_came_back_while_the_link_was_down_makes_it_only_likely() {
    both(lost_while(Run::watched(), |run| run.link_down("eth0"), same), "link_down this_computer likely");
}

#[test]
fn links_that_carry_nothing_of_the_call_and_losses_at_another_time_are_not_blamed() {
    let said = format!("{LOST}; it was back");
    let lines = [
        &format!("media not_proven not_proven not_proven: {said} 5.96 s after the first sign of its loss."),
        &format!("signaling not_proven not_proven not_proven: {said} 3.50 s after the first sign of its loss."),
    ];
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
    let events: [fn(Run) -> Run; 6] = [
        |run| run.link_down("eth1"),
        |run| run.link_up("br0").link_gone("docker0"),
        |run| run.link_up("wg0"),
        |run| run.address_comes("eth1", "10.9.9.9", false),
        |run| run.address_gone("eth0", "fe80::1").address_comes("eth0", "fe80::2", false),
        |run| run.resolvers(&["10.0.0.254"]).clock_set_by(0),
    ];
    for event in events {
        let told = check(lost_while(Run::watched(), event, same), &lines);
        rules_out(&told, "The interface eth0 kept its carrier and its address.");
        rules_out(&told, "The way to the far end stayed over eth0 (wired) by the gateway 10.0.0.254.");
        rules_out(&told, "The address 10.0.0.1 stayed with eth0.");
    }
    let events: [fn(Run) -> Run; 4] = [
        |run| run.link_down("eth0").link_up("eth0"),
        |run| run.route_moves(Some("eth0"), Some("wlan0")).route_moves(Some("wlan0"), Some("eth0")),
        |run| run.link_up("wg0").route_moves(Some("eth0"), Some("wg0")).route_moves(Some("wg0"), Some("eth0")),
        |run| run.address_gone("eth0", "10.0.0.1").address_comes("eth0", "10.0.0.1", false),
    ];
    for event in events {
        both(earlier(event), "not_proven not_proven not_proven");
    }
}

#[test]
fn harmless_changes_without_a_loss_are_no_drop() {
    let run = Run::watched()
        .asking_all()
        .at(10.0)
        .link_up("br0")
        .link("eth1", true, true, false)
        .address_comes("eth1", "10.9.9.9", false)
        .at(20.0)
        .link_up("wg0")
        .address_comes("wg0", "10.8.0.2", false)
        .at(30.0)
        .address_gone("eth0", "2001:db8::1")
        .address_comes("eth0", "2001:db8::2", false)
        .resolvers(&["10.0.0.53"])
        .at(40.0)
        .clock_set_by(3_600)
        .at(60.3);
    check(run.time_up(), &[]);
}

#[test]
fn media_that_goes_on_shows_that_the_link_did_not_end_a_socket() {
    let run = Run::watched().at(20.0).link_down("eth0").link_up("eth0").at(20.5).closes(1, End::Reset).at(21.5);
    named(run.reconnected(2, "a", true).at(60.3).time_up(), &["signaling connection_reset internet_path likely"]);
}

#[test]
fn a_close_frame_that_came_in_was_not_the_work_of_a_link_that_fell_after_it() {
    let bye = End::CloseFrame { by: Side::Them, code: Some(1001), reason: "".into() };
    let run = Run::watched().at(20.0).closes(1, bye).media_stops().at(21.5).link_down("eth0").at(30.0);
    let told = super::checked(&run.at(60.3).time_up().log());
    let signaling = told.head.drops.iter().find(|drop| drop.plane == crate::Plane::Signaling).expect("it ended");
    assert_eq!(signaling.cause, Cause::ServiceClosed);
}

#[test]
fn the_way_moved_to_another_interface_while_the_old_link_stood() {
    let moved = |run: Run| run.route_moves(Some("eth0"), Some("wlan0"));
    let run = lost_while(Run::watched().asking_all(), moved, same);
    let says = "The way to the far end moved at 10:00:20.00 UTC: it went over eth0 (wired) by the gateway 10.0.0.254 and since then over wlan0 (Wi-Fi) by the gateway 10.0.0.254; it was back";
    let told = check(
        run,
        &[
            &format!("media network_switched this_computer shown: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling network_switched this_computer shown: {says} 3.50 s after the first sign of its loss."),
        ],
    );
    rules_out(&told, "The interface eth0 kept its carrier and its address.");
    does_not_rule_out(&told, Cause::NetworkSwitched);
    // Never back.
    let run = moved(Run::watched().at(20.0)).everything_dies().at(60.3).time_up();
    both(run, "network_switched this_computer shown");
    // Media alone, and nothing else that died with it.
    let run = moved(Run::watched().at(21.2)).media_stops().at(25.2).media_back().at(60.3).time_up();
    named(run, &["media network_switched this_computer likely"]);
    // Signaling answers in the middle of it.
    let run = moved(Run::watched().at(22.0)).media_stops().at(42.0).media_back().at(60.3).time_up();
    named(run, &["media not_proven not_proven not_proven"]);
}

#[test]
fn a_way_that_was_taken_away_in_two_steps_is_one_move() {
    let run = Run::watched().at(20.0).route_moves(Some("eth0"), None).at(20.4).route_moves(None, Some("wlan0"));
    let told = both(run.everything_dies().at(60.3).time_up(), "network_switched this_computer shown");
    assert!(told.head.drops[0].says.contains("since then over wlan0 (Wi-Fi)"), "{}", told.head.drops[0].says);
    let run = Run::watched().at(20.0).route_moves(Some("eth0"), None).everything_dies().at(60.3).time_up();
    let told = both(run, "network_switched this_computer shown");
    let says = &told.head.drops[0].says;
    assert!(says.starts_with("The default route was taken away at 10:00:20.00 UTC"), "{says}");
}

#[test]
fn a_default_route_that_is_taken_away_while_link_and_address_stay_is_said_to_be() {
    let taken = |run: Run| run.route_moves(Some("eth0"), None);
    let run = lost_while(Run::watched().asking_all(), taken, |run| run.route_moves(None, Some("eth0")));
    let says = "The default route was taken away at 10:00:20.00 UTC, while eth0 kept its link and its address: it went over eth0 (wired) by the gateway 10.0.0.254, and this computer had no way until 10:00:25.90 UTC; it was back";
    let told = check(
        run,
        &[
            &format!("media network_switched this_computer shown: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling network_switched this_computer shown: {says} 3.50 s after the first sign of its loss."),
        ],
    );
    assert!(told.head.drops[0].advice.what.starts_with("Find what took the route away at 10:00:20 UTC:"));
    // A route to the far end alone, beside a default route that stood.
    let own = |run: Run| {
        let before = Some(crate::tests::run::hop("eth0"));
        run.note(Net::Route { to: record::fact::Destination::FarEnd, before, after: None, found: false })
    };
    let run = own(Run::watched().at(20.0)).everything_dies().at(60.3).time_up();
    let told = both(run, "network_switched this_computer shown");
    let says = &told.head.drops[0].says;
    assert!(says.starts_with("The route to the far end was taken away at 10:00:20.00 UTC, while eth0 kept"), "{says}");
}

/// At 20 s the way moves while signaling alone falls silent; media goes on.
fn left_behind(run: Run, moves: impl Fn(Run) -> Run) -> Run {
    let run = moves(run.at(20.0)).stops_answering().at(25.6).resends(1, 1).at(26.2).unanswered(1, 1.2, 6.2);
    run.at(26.3).closes(1, End::LetGo).at(27.0).reconnected(2, "a", true)
}

#[test]
fn a_connection_that_the_way_left_behind_while_media_went_on_did_not_die_on_the_path() {
    let moved = |run: Run| run.route_moves(Some("eth0"), Some("wlan0"));
    let over = |run: Run| run.at(60.3).time_up();
    let told = check(
        over(left_behind(Run::watched().asking_as_usual(), moved)),
        &[
            "signaling network_switched this_computer likely: The way to the far end moved at 10:00:20.00 UTC: it went over eth0 (wired) by the gateway 10.0.0.254 and since then over wlan0 (Wi-Fi) by the gateway 10.0.0.254, where the connection's own address 10.0.0.1 does not belong, while media went on; it was back 1.40 s after the first sign of its loss.",
        ],
    );
    assert!(told.head.drops[0].because.iter().any(|because| because.says.starts_with("Media went on, which is bound")));
    // Another connection from the same address that died with it shows it; one that lived on shows that it was not this.
    let with = |run: Run, lives: bool| {
        let run = left_behind(run.talking_tcp(7), |run| {
            let run = moved(run);
            if lives { run } else { run.at(24.0).lane_silent(7, 5.0) }
        });
        over(if lives { run.at(36.0).lane_answers(7) } else { run })
    };
    named(with(Run::watched(), false), &["signaling network_switched this_computer shown"]);
    named(with(Run::watched(), true), &["signaling half_open internet_path shown"]);
    // Into a tunnel likewise.
    let into = |run: Run| run.link_up("wg0").route_moves(Some("eth0"), Some("wg0"));
    named(over(left_behind(Run::watched(), into)), &["signaling vpn_changed this_computer likely"]);
    // A way that was taken away altogether would have taken media along, and one that moved long before is not to blame.
    let taken = |run: Run| run.route_moves(Some("eth0"), None);
    named(over(left_behind(Run::watched(), taken)), &["signaling half_open internet_path shown"]);
    let early = moved(Run::watched().at(10.0));
    named(over(left_behind(early, |run| run)), &["signaling half_open internet_path shown"]);
    // What ended by a word that came in was not left behind.
    let run = moved(Run::watched().at(20.0)).at(20.4).closes(1, End::Fin).at(21.0).reconnected(2, "a", true);
    named(over(run), &["signaling connection_reset internet_path likely"]);
}

/// Media goes over a relay of its own, at another address than signaling.
pub(super) fn relayed() -> Run {
    use record::fact::{CandidateKind, Ice};
    let (local, remote) = ("203.0.113.5:49152".parse().unwrap(), "10.0.0.2:40000".parse().unwrap());
    let address = "203.0.113.5:49152".into();
    let relay_by = Some("turn.example:3478".into());
    let pair = Ice::Pair { local, local_kind: CandidateKind::Relay, remote, remote_kind: CandidateKind::Host };
    Run::watched().note(Ice::LocalCandidate { kind: CandidateKind::Relay, address, relay_by }).note(pair)
}

#[test]
fn media_that_goes_elsewhere_is_judged_by_its_own_way() {
    use crate::tests::run::hop;
    use record::fact::Destination::{FarEnd, Ipv4};
    let moves = |run: Run, to, over: &str| {
        run.note(Net::Route { to, before: Some(hop("eth0")), after: Some(hop(over)), found: false })
    };
    let media_lost = |run: Run| run.media_stops().at(24.2).media_back().at(60.3).time_up();
    // A tunnel takes the way to the far end alone: media does not go there.
    for over in ["wg0", "wlan0"] {
        let run = media_lost(moves(relayed().at(21.2), FarEnd, over));
        let told = named(run, &["media not_proven not_proven not_proven"]);
        rules_out(&told, "The default route stayed over eth0 (wired) by the gateway 10.0.0.254.");
    }
    // The default route is media's way, whatever leads to the far end.
    let run = media_lost(moves(relayed().at(21.2), Ipv4, "wlan0"));
    let told = named(run, &["media network_switched this_computer likely"]);
    assert!(told.head.drops[0].says.starts_with("The default route moved at"), "{}", told.head.drops[0].says);
    let run = media_lost(moves(relayed().at(21.2), Ipv4, "wg0"));
    let told = named(run, &["media vpn_changed this_computer likely"]);
    let says = &told.head.drops[0].says;
    assert!(says.starts_with("The default route moved into the tunnel wg0 at 10:00:21.20 UTC"), "{says}");
    // A tunnel that came may have taken media's own way along: it is not said that none did.
    let told = named(media_lost(relayed().at(21.2).link_up("wg0")), &["media not_proven not_proven not_proven"]);
    does_not_rule_out(&told, Cause::VpnChanged);
}

#[test]
fn planes_over_two_interfaces_are_lost_apart() {
    use record::fact::{CandidateKind, Ice};
    let media_over_wifi = |run: Run| {
        let (local, remote) = ("10.0.9.1:50000".parse().unwrap(), "10.0.0.2:40000".parse().unwrap());
        let (local_kind, remote_kind) = (CandidateKind::Host, CandidateKind::Host);
        run.link("wlan0", true, true, true).address_comes("wlan0", "10.0.9.1", true).note(Ice::Pair {
            local,
            local_kind,
            remote,
            remote_kind,
        })
    };
    let run = left_behind(media_over_wifi(Run::watched()), |run| run.link_down("eth0"));
    named(run.at(60.3).time_up(), &["signaling link_down this_computer likely"]);
    // Both over one: what media went on over did not go down.
    let run = left_behind(Run::watched(), |run| run.link_down("eth0"));
    named(run.at(60.3).time_up(), &["signaling half_open internet_path shown"]);
}

#[test]
fn a_tunnel_that_was_built_anew_did_not_move_the_way_into_itself() {
    let anew = |run: Run| run.route_moves(Some("wg0"), None);
    let back = |run: Run| run.route_moves(None, Some("wg0"));
    let told = both(lost_while(Run::watched_over("wg0"), anew, back), "vpn_changed this_computer shown");
    let says = &told.head.drops[0].says;
    let taken = "The way to the far end through the tunnel wg0 was taken away at 10:00:20.00 UTC and put back at 10:00:25.90 UTC;";
    assert!(says.starts_with(taken), "{says}");
}

#[test]
fn a_default_route_that_moved_beside_an_own_way_to_the_far_end_is_no_cause() {
    use crate::tests::run::hop;
    use record::fact::Destination::Ipv4;
    let moved = |run: Run| {
        let (before, after) = (Some(hop("eth0")), Some(hop("wlan0")));
        run.note(Net::Route { to: Ipv4, before, after, found: false })
    };
    both(lost_while(Run::watched(), moved, same), "not_proven not_proven not_proven");
}

#[test]
fn a_tunnel_that_takes_the_way_along_is_named_with_the_public_addresses() {
    let came = |run: Run| run.link_up("wg0").route_moves(Some("eth0"), Some("wg0"));
    let seen = |run: Run| {
        run.note(Net::PublicAddress {
            server: "stun.example:3478".into(),
            local: "10.0.0.1:4000".parse().unwrap(),
            public: "203.0.113.9:4000".parse().unwrap(),
            before: Some("198.51.100.7:4000".parse().unwrap()),
        })
    };
    let told = check(
        lost_while(Run::watched().asking_all(), came, seen),
        &[
            "media vpn_changed this_computer shown: The way to the far end moved into the tunnel wg0 at 10:00:20.00 UTC: it went over eth0 (wired) by the gateway 10.0.0.254 and since then over wg0 (tunnel); it was back 5.96 s after the first sign of its loss.",
            "signaling vpn_changed this_computer shown: The way to the far end moved into the tunnel wg0 at 10:00:20.00 UTC: it went over eth0 (wired) by the gateway 10.0.0.254 and since then over wg0 (tunnel); it was back 3.50 s after the first sign of its loss.",
        ],
    );
    let drop = &told.head.drops[0];
    let measured = serde_json::to_value(&drop.measured).unwrap();
    assert_eq!(
        (&measured["public_before"], &measured["public_after"]),
        (&"198.51.100.7".into(), &"203.0.113.9".into())
    );
    let came_up = "The tunnel wg0 came up at 10:00:20.00 UTC and took the way to 10.0.0.2; the system reported it.";
    let says = |told: &crate::Story, says: &str| told.head.drops[0].because.iter().any(|because| because.says == says);
    assert!(says(&told, came_up), "{:?}", drop.because);
    assert_eq!(
        drop.advice.retest,
        "After the change, with the VPN disconnected at first, connected after 15 s and disconnected again after 40 s, hold with the same profile for 1 min. Mended if nothing is lost."
    );
    // Seen first while it was still down, it did not go down.
    let built = |run: Run| came(run.link("wg0", false, false, false).address_comes("wg0", "10.90.0.2", false));
    let told = both(lost_while(Run::watched().asking_all(), built, same), "vpn_changed this_computer shown");
    assert!(says(&told, came_up), "{:?}", told.head.drops[0].because);
    let row = told.rows.iter().find(|row| row.text.contains("wg0 came and is switched off")).expect("it is listed");
    assert_eq!(row.tone, crate::Tone::Note, "nothing was lost with it");
    assert!(drop.advice.what.contains("exclude 10.0.0.2 from the tunnel"), "{}", drop.advice.what);
}

#[test]
fn a_nat_that_shows_another_address_after_the_way_moved_is_not_the_nats_doing() {
    let moved = |run: Run| run.route_moves(Some("eth0"), Some("wlan0"));
    let seen = |run: Run| {
        run.note(Net::PublicAddress {
            server: "stun.example:3478".into(),
            local: "10.0.0.1:50000".parse().unwrap(),
            public: "203.0.113.9:4000".parse().unwrap(),
            before: Some("198.51.100.7:4000".parse().unwrap()),
        })
    };
    let run = seen(moved(Run::watched().asking_all().at(20.0)).everything_dies().at(22.6)).at(60.3).time_up();
    both(run, "network_switched this_computer shown");
}

#[test]
fn a_tunnel_that_goes_takes_its_way_and_its_address_along() {
    let gone = |run: Run| run.link_gone("wg0").address_gone("wg0", "10.0.0.1").route_moves(Some("wg0"), Some("eth0"));
    let told = both(lost_while(Run::watched_over("wg0"), gone, same), "vpn_changed this_computer shown");
    assert!(told.head.drops[0].says.contains("out of the tunnel wg0"), "{}", told.head.drops[0].says);
    let vanished = "The tunnel wg0 vanished at 10:00:20.00 UTC; the system reported it.";
    assert!(told.head.drops[0].because.iter().any(|because| because.says == vanished));
    let run = gone(Run::watched_over("wg0").at(20.0)).everything_dies().at(60.3).time_up();
    both(run, "vpn_changed this_computer shown");
    // What lay under it fell first.
    let under = |run: Run| gone(run.link("eth0", true, true, true).link_down("eth0"));
    let told =
        both(lost_while(Run::watched_over("wg0"), under, |run| run.link_up("eth0")), "link_down this_computer shown");
    assert!(told.head.drops[0].says.contains("eth0, under the tunnel wg0 that carried the call, lost its carrier"));
}

#[test]
fn an_interface_that_comes_and_does_not_stand_yet_has_not_lost_its_link() {
    // What a tunnel runs over is not told, so any of them may have failed under it; but not one that is plugged in.
    let plugged_in = |run: Run| run.link("eth5", true, false, false);
    let lost = plugged_in(Run::watched_over("wg0").at(20.0)).everything_dies().at(60.3).time_up();
    both(lost, "not_proven not_proven not_proven");
    let stood = |run: Run| run.link("eth5", true, true, true);
    let lost = plugged_in(stood(Run::watched_over("wg0")).at(20.0)).everything_dies().at(60.3).time_up();
    both(lost, "link_down this_computer shown");
}

#[test]
fn a_tunnel_without_the_way_is_never_a_cause() {
    let told = both(lost_while(Run::watched(), |run| run.link_up("wg0"), same), "not_proven not_proven not_proven");
    rules_out(
        &told,
        "The tunnel wg0 changed, and the way to the far end stayed over eth0 (wired) by the gateway 10.0.0.254.",
    );
}

#[test]
fn whoever_answered_on_both_sides_of_a_short_loss_is_named_and_no_more_is_said() {
    let run = Run::watched().asking_as_usual().at(20.0).address_gone("eth0", "10.0.0.1");
    let run = run.address_comes("eth0", "10.0.0.77", false).media_stops().closes(1, End::LetGo);
    let run = run.at(21.5).reconnected(2, "a", true).media_back().at(60.3).time_up();
    let told = named(run, &["media address_changed this_computer shown"]);
    let because = &told.head.drops[0].because;
    let around = because.iter().find(|because| because.says.contains("before and within")).expect("it is said");
    assert!(around.says.starts_with("The gateway "), "{}", around.says);
    assert!(around.says.ends_with("itself was not seen."), "{}", around.says);
    let controls = &told.page.admin[0].controls;
    assert!(!controls.is_empty(), "not nothing: it answered before and after");
}

#[test]
fn the_address_that_the_call_used_was_taken_away() {
    let changed = |run: Run| run.address_gone("eth0", "10.0.0.1").address_comes("eth0", "10.0.0.77", false);
    let says = "The interface eth0 lost the address 10.0.0.1, which the call used, at 10:00:20.00 UTC and has 10.0.0.77 since; it was back";
    let told = check(
        lost_while(Run::watched().asking_all(), changed, same),
        &[
            &format!("media address_changed this_computer shown: {says} 5.96 s after the first sign of its loss."),
            &format!("signaling address_changed this_computer shown: {says} 3.50 s after the first sign of its loss."),
        ],
    );
    rules_out(&told, "The interface eth0 kept its carrier.");
    let advice = &told.head.drops[0].advice;
    assert_eq!(advice.who, "Whoever looks after this computer");
    assert!(advice.what.contains("the DHCP server's log then for 10.0.0.1 and 10.0.0.77"), "{}", advice.what);
    assert!(advice.retest.ends_with("Mended if it comes back as 10.0.0.1."), "{}", advice.retest);
    let page = &told.page.admin[0];
    assert!(page.retest.ends_with("Send back the new report. Mended if it comes back as 10.0.0.1."), "{}", page.retest);
    // As systems do it: the way goes with the address and comes back with the next.
    let with_its_way = |run: Run| {
        let gone = run.address_gone("eth0", "10.0.0.1").route_moves(Some("eth0"), None);
        gone.address_comes("eth0", "10.0.0.77", false).route_moves(None, Some("eth0"))
    };
    both(lost_while(Run::watched().asking_all(), with_its_way, same), "address_changed this_computer shown");
    // Without another one, never back.
    let run = Run::watched().at(20.0).address_gone("eth0", "10.0.0.1").everything_dies().at(60.3).time_up();
    both(run, "address_changed this_computer shown");
    // Without another one, and back on the same flows: something else it was.
    both(
        lost_while(Run::watched(), |run| run.address_gone("eth0", "10.0.0.1"), same),
        "address_changed this_computer likely",
    );
    // An address that nothing of the call used.
    let other = |run: Run| run.address_gone("eth0", "10.0.0.9").address_comes("eth0", "10.0.0.10", false);
    both(lost_while(Run::watched(), other, same), "not_proven not_proven not_proven");
}

#[test]
fn what_the_system_says_of_sleep_is_told_and_sleep_outranks_what_it_did_to_the_network() {
    use record::fact::Power;
    let run = Run::watched().asking_all().at(19.0).says_of_power(Power::AboutToSleep).at(20.0).sleeps(60.0);
    let run = run.gap_found().link_down("eth0").says_of_power(Power::Woke).at(90.0).link_up("eth0").media_back();
    let told = named(run.at(120.0).time_up(), &["media slept this_computer shown"]);
    let because: Vec<&str> = told.head.drops[0].because.iter().map(|because| because.says.as_str()).collect();
    assert!(because.contains(&"The system said that it goes to sleep. It was 10:00:19.00 UTC."), "{because:?}");
    assert!(because.contains(&"The system said that it has woken. It was 10:01:20.00 UTC."), "{because:?}");
    assert!(told.head.headline.starts_with("This computer: it slept (Shown)"), "{}", told.head.headline);
}

#[test]
fn what_was_mended_before_the_last_sign_of_life_did_not_end_it() {
    let events: [fn(Run) -> Run; 5] = [
        |run| run.link_down("eth0").at(18.7).link_up("eth0"),
        |run| run.route_moves(Some("eth0"), None).at(19.3).route_moves(None, Some("eth0")),
        |run| run.link_up("wg0").route_moves(Some("eth0"), Some("wg0")).at(19.3).route_moves(Some("wg0"), Some("eth0")),
        |run| run.address_gone("eth0", "10.0.0.1").at(19.3).address_comes("eth0", "10.0.0.1", false),
        |run| run.wifi("eth0", false).at(19.3).wifi("eth0", true),
    ];
    for event in events {
        // A second after it the service is killed.
        let run = event(Run::watched().asking_all().at(18.5)).at(20.0).closes_after(1, End::Reset, 0.1).media_stops();
        let run = run.at(25.0).reconnected(2, "b", false).called_anew().at(60.3).time_up();
        let told = super::checked(&run.log());
        for drop in &told.head.drops {
            assert_eq!(drop.cause, Cause::ServiceRestarted, "{}", drop.says);
        }
        // It did change, and nobody says that it did not.
        does_not_rule_out_all(&told);
    }
    // Mended and broken again, it is to blame.
    let run =
        Run::watched().asking_all().at(18.5).link_down("eth0").at(18.7).link_up("eth0").at(20.0).link_down("eth0");
    let told = both(run.everything_dies().at(60.3).time_up(), "link_down this_computer shown");
    assert!(told.head.drops[0].says.contains("lost its carrier at 10:00:20.00 UTC;"), "{}", told.head.drops[0].says);
}

fn does_not_rule_out_all(told: &crate::Story) {
    let own = [Cause::LinkDown, Cause::NetworkSwitched, Cause::AddressChanged, Cause::VpnChanged];
    let out = told.head.drops.iter().flat_map(|drop| &drop.ruled_out).map(|out| out.cause);
    let out: std::collections::BTreeSet<_> = out.filter(|cause| own.contains(cause)).collect();
    assert!(out.len() < own.len(), "{out:?}");
}

#[test]
fn a_goodbye_that_came_over_the_wire_was_not_the_work_of_a_way_that_moved_before_it() {
    let moved = |run: Run| run.link_up("wg0").route_moves(Some("eth0"), Some("wg0"));
    let began = || moved(Run::watched().asking_all().at(20.0)).at(20.4);
    let anew = |run: Run| run.media_stops().at(25.0).reconnected(2, "b", false).called_anew().at(60.3).time_up();
    let restarted = ["signaling", "media"].map(|plane| format!("{plane} service_restarted voice_service shown"));
    let restarted: Vec<&str> = restarted.iter().map(String::as_str).collect();
    named(anew(began().close_frame(1, 1012, "restart")), &restarted);
    // A FIN may have been made by a program of this computer that ends connections when the way moves.
    let likely = ["signaling", "media"].map(|plane| format!("{plane} vpn_changed this_computer likely"));
    let likely: Vec<&str> = likely.iter().map(String::as_str).collect();
    named(anew(began().closes(1, End::Fin)), &likely);
}

#[test]
fn a_way_put_back_at_once_does_not_show_why_all_stayed_lost() {
    let run = Run::watched().at(20.0).route_moves(Some("eth0"), None).stops_answering().media_stops();
    let lost = run.route_moves(None, Some("eth0")).at(22.5).unanswered(1, 1.6, 2.6);
    both(lost.clone().at(24.5).everything_back().at(60.3).time_up(), "network_switched this_computer shown");
    both(lost.at(40.0).everything_back().at(60.3).time_up(), "network_switched this_computer likely");
}

#[test]
fn a_lease_that_was_renewed_or_found_before_it_was_lost_was_not_got_back() {
    let then = |run: Run| {
        let told = both(run.everything_dies().at(60.3).time_up(), "address_changed this_computer shown");
        told.head.drops[0].says.clone()
    };
    let lost = |run: Run| run.address_gone("eth0", "10.0.0.1");
    let renewed = || Run::watched().at(15.0).address_comes("eth0", "10.0.0.1", false).at(20.0);
    let says = then(lost(renewed()).address_comes("eth0", "10.0.0.77", false));
    assert!(says.contains("at 10:00:20.00 UTC and has 10.0.0.77 since;"), "{says}");
    let says = then(lost(Run::watched().at(7.0)));
    assert!(says.contains("at 10:00:07.00 UTC; it did not come back"), "{says}");
    // A second address of the interface, renewed meanwhile, did not come in its place.
    let beside = Run::watched().address_comes("eth0", "10.0.0.5", true).at(20.0);
    let says = then(lost(beside).address_comes("eth0", "10.0.0.5", false));
    assert!(says.contains("at 10:00:20.00 UTC; it did not come back"), "{says}");
    // A renewal alone changes nothing.
    both(
        renewed().address_comes("eth0", "10.0.0.1", false).everything_dies().at(60.3).time_up(),
        "not_proven not_proven not_proven",
    );
}

#[test]
fn what_takes_a_connections_place_may_stand_before_it_is_let_go() {
    let step = Action::Began {
        id: 90,
        step: Move::Reconnect { attempt: 1, wait_ms: 0.0 },
        reason: Reason::NetworkMoved,
        because: None,
    };
    let run = Run::watched().asking_as_usual().at(20.0).route_moves(Some("eth0"), Some("wlan0")).at(20.3).note(step);
    let run = run.connecting(2, SocketPurpose::Resume).at(20.31).ready(2, "a", true);
    let told = checked(&run.at(20.35).closes_after(1, End::LetGo, 3.0).at(60.3).time_up().log());
    let drop = &told.head.drops[0];
    let since = |at: record::Wall| at.micros() - told.axis.from.micros();
    assert_eq!((drop.plane, drop.cause), (Plane::Signaling, Cause::NetworkSwitched));
    assert_eq!(drop.restored.map(since), Some(20_310_000), "{drop:?}");
    assert!(drop.first_bad <= drop.declared && Some(drop.declared) <= drop.restored);
}

#[test]
fn a_connection_that_this_program_gave_up_is_not_told_as_one_that_went_silent() {
    let step = Action::Began {
        id: 90,
        step: Move::Reconnect { attempt: 1, wait_ms: 0.0 },
        reason: Reason::NetworkMoved,
        because: None,
    };
    let came = |run: Run| run.link_up("wg0").route_moves(Some("eth0"), Some("wg0"));
    let run = came(Run::watched().asking_as_usual().at(20.0)).media_stops().at(20.3).note(step);
    // The far end's word that it hears no media came just before.
    let run = run.closes_after(1, End::LetGo, 0.02).at(20.31).reconnected(2, "a", true).media_back();
    let told = checked(&run.at(60.3).time_up().log());
    let drop = told.head.drops.iter().find(|drop| drop.plane == Plane::Signaling).expect("it is told");
    assert_eq!(drop.cause, Cause::VpnChanged);
    assert!(
        drop.says.ends_with("; this program moved signaling to a new connection at 10:00:20.30 UTC."),
        "{}",
        drop.says
    );
    let last = "The last byte on signaling came at 10:00:20.28 UTC, the last answer to a question of ours at ";
    let because = drop.because.iter().find(|because| because.says.starts_with(last)).expect("it is said");
    let gave_up = "; at 10:00:20.30 UTC this program gave the connection up, because its way had moved.";
    assert!(because.says.ends_with(gave_up), "{}", because.says);
}
