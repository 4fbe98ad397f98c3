//! Idle and lifetime limits from lanes beside the call, and the findings they make.

use super::{Run, check, checked};
use crate::Story;
use record::fact::{Beside, End, EndedBy, Ladder, Lane, LeftOut, Net, Opened, Plan, Side, Stirred, WhyNot};

fn measured(told: &Story, id: &str) -> serde_json::Value {
    let found = told.head.findings.iter().find(|finding| finding.id == id);
    let found = found.unwrap_or_else(|| panic!("no {id} in {:#?}", told.head.findings));
    serde_json::to_value(&found.measured).expect("figures can be written")
}

fn says(told: &Story, id: &str) -> String {
    let found = told.head.findings.iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:#?}", told.head.findings)).says.clone()
}

fn ids(told: &Story) -> Vec<&'static str> {
    told.head.findings.iter().map(|finding| finding.id).collect()
}

/// A proxy with that timer: rungs of 10 s live, and everything longer is ended at once, as is the bare WebSocket.
fn proxy(limit: f64, end: End) -> Run {
    let mut run = Run::standing().at(1.0).bare(1).beating(2);
    for (lane, quiet) in [(3, limit - 5.0), (4, limit + 2.0), (5, limit + 10.0), (6, limit + 30.0)] {
        run = run.rung(lane, quiet);
    }
    run = run.at(1.0 + limit - 5.0).proved(3, limit - 5.0).at(1.0 + limit + 0.01);
    for lane in [1, 4, 5, 6] {
        run = run.lane_ends(lane, end.clone(), limit, limit + 0.01).lane_ended_there(lane, end.clone(), limit);
    }
    run
}

#[test]
fn a_proxy_that_ends_quiet_connections_after_13_s_is_found_to_the_hundredth() {
    let run = proxy(13.0, End::Fin).at(20.0).lane_answers(2).at(40.0).lane_answers(2).at(60.3).time_up();
    let told = check(run, &[]);
    let found = measured(&told, "idle_limit");
    assert_eq!(found["over_s"], 8.0);
    assert_eq!(found["under_s"], 13.0);
    assert_eq!(found["seconds"], 13.0);
    assert_eq!(found["ended"], "fin");
    assert_eq!(
        says(&told, "idle_limit"),
        "Something between here and the service at 10.0.0.2 ends TCP connections that are quiet for 13.0 s, with a TCP FIN and no close frame (4 ends, spread 0.00 s); 1 quiet connection up to 8.00 s lived; one that spoke both ways stayed up beside them: raise its idle timeout for this destination to 3600 s, or keep connections busy."
    );
    assert_eq!(
        says(&told, "heartbeat_advice"),
        "The shortest idle limit is 13.0 s, so a heartbeat every 2 to 6 s keeps connections up (under half of it: 6.50 s; over twice the longest round trip of 20 ms and one retransmission after 1 s: 1.04 s); whoever waits for it should wait at least twice as long before giving up. The profile's 5.00 s lies below it."
    );
    assert!(!ids(&told).contains(&"lifetime_limit"));
    assert!(told.lanes.iter().any(|lane| lane.id == "beside_ladder" && !lane.marks.is_empty()));
}

#[test]
fn sixty_seconds_with_a_fin_fits_several_products_and_names_none_as_the_cause() {
    let told = check(proxy(60.0, End::Fin).at(100.3).lane_answers(2).time_up(), &[]);
    let found = says(&told, "idle_limit");
    let known = "It is consistent with nginx proxy_read_timeout, ingress-nginx proxy-read-timeout, Apache ProxyTimeout by its built-in default and AWS Application Load Balancer (each 60 s) and 5 more.";
    assert!(found.ends_with(known), "{found}");
    let all = measured(&told, "idle_limit")["consistent_with"].to_string();
    assert!(all.contains("Kong read_timeout") && all.contains("Fly.io proxy"), "the others are in the figures: {all}");
    assert!(!found.contains("Palo Alto"), "{found}");
}

#[test]
fn the_far_end_that_closes_is_not_taken_for_the_path() {
    let end = End::CloseFrame { by: Side::Them, code: Some(4002), reason: "idle".into() };
    let mut run = Run::standing().at(1.0).bare(1).beating(2).rung(3, 25.0).at(10.0).lane_answers(2);
    let there = End::CloseFrame { by: Side::Us, code: Some(4002), reason: "idle".into() };
    for lane in [1, 3] {
        run = run.lane_ends(lane, end.clone(), 9.0, 9.0).lane_ended_there(lane, there.clone(), 9.0);
    }
    let told = check(run.at(60.3).time_up(), &[]);
    assert!(says(&told, "idle_limit").starts_with("10.0.0.2 itself ends TCP connections that are quiet for 9.00 s"));
}

#[test]
fn a_firewall_that_says_nothing_is_bracketed_by_the_ladder() {
    let run = Run::standing().at(1.0).beating(1).rung(2, 10.0).rung(3, 15.0).rung(4, 25.0);
    let run = run.at(11.0).proved(2, 10.0).at(16.0).dead_at_proof(3, 15.0).at(26.0).dead_at_proof(4, 25.0);
    let told = check(run.at(30.0).lane_answers(1).at(60.3).time_up(), &[]);
    let found = measured(&told, "idle_limit");
    assert_eq!((&found["over_s"], &found["under_s"]), (&10.0.into(), &15.0.into()));
    assert_eq!(found["ended"], "silence");
    assert!(found.get("seconds").is_none(), "nobody saw the moment: {found}");
    assert!(says(&told, "idle_limit").contains("quiet for some time between 10.0 s and 15.0 s, without a word"));
}

#[test]
fn what_counts_as_activity_is_told() {
    let every_ms = 3_000.0;
    let run = Run::standing()
        .at(1.0)
        .beating(1)
        .rung(2, 10.0)
        .rung(3, 25.0)
        .rung(4, 26.0)
        .rung_stirred(5, 27.0, Stirred::ByUs { every_ms })
        .rung_stirred(6, 27.0, Stirred::ByThem { every_ms })
        .rung_stirred(7, 27.0, Stirred::ByKeepalive { every_ms })
        .at(11.0)
        .proved(2, 10.0)
        .at(14.0)
        .lane_ends(3, End::Fin, 13.0, 13.0)
        .lane_ends(4, End::Fin, 13.0, 13.0)
        .lane_ends(5, End::Fin, 1.0, 13.0)
        .lane_ends(7, End::Fin, 13.0, 13.0)
        .at(28.0)
        .proved(6, 27.0)
        .lane_answers(1);
    let told = check(run.at(60.3).time_up(), &[]);
    let found = measured(&told, "idle_limit");
    assert_eq!(found["bytes_of_ours"], "does_not_count");
    assert_eq!(found["bytes_of_theirs"], "counts");
    assert_eq!(found["tcp_keepalive"], "does_not_count");
    assert_eq!(found["seconds"], 13.0);
    assert!(says(&told, "heartbeat_advice").ends_with("It must be answered: only bytes of the far end's count."));
}

/// Connections end at the age of ten seconds, whatever they do; those that talk are opened anew, a little apart.
fn ages(limit: f64) -> Run {
    let mut run = Run::standing().plan(|plan| plan.planned_s = 90.0).at(1.0).bare(1).beating(2).rung(3, 25.0);
    run = run.at(2.5).talking_tcp(4).at(1.0 + limit);
    run = run.lane_ends(1, End::Fin, limit, limit).lane_ends(2, End::Fin, 0.7, limit).lane_ends(
        3,
        End::Fin,
        limit,
        limit,
    );
    run = run.at(1.2 + limit).bare(5).beating(6).at(2.5 + limit).lane_ends(4, End::Fin, 1.3, limit);
    run = run.at(2.7 + limit).talking_tcp(7).at(1.2 + 2.0 * limit).lane_ends(5, End::Fin, limit, limit);
    run.lane_ends(6, End::Fin, 0.4, limit).at(2.7 + 2.0 * limit).lane_ends(7, End::Fin, 1.1, limit)
}

#[test]
fn ten_seconds_of_age_are_not_ten_seconds_of_silence() {
    let told = check(ages(10.0).at(60.3).time_up(), &[]);
    let found = measured(&told, "lifetime_limit");
    assert_eq!(found["seconds"], 10.0);
    assert_eq!(found["ends"], 4.0);
    assert!(!ids(&told).contains(&"idle_limit"), "{:?}", ids(&told));
    assert!(!ids(&told).contains(&"heartbeat_advice"), "no heartbeat helps");

    let told = check(proxy(10.0, End::Fin).at(40.0).lane_answers(2).at(60.3).time_up(), &[]);
    assert_eq!(measured(&told, "idle_limit")["seconds"], 10.0);
    assert!(!ids(&told).contains(&"lifetime_limit"));
}

#[test]
fn outcomes_that_contradict_each_other_are_said_and_not_averaged() {
    let run = Run::standing().plan(|plan| plan.planned_s = 120.0).at(1.0).rung(1, 61.0).rung(2, 95.0);
    let told = check(run.at(62.0).dead_at_proof(1, 61.0).at(96.0).proved(2, 95.0).at(120.3).time_up(), &[]);
    assert!(!ids(&told).contains(&"idle_limit"));
    assert_eq!(
        says(&told, "idle_unclear"),
        "No single idle limit explains what quiet TCP connections to 10.0.0.2 met: one was dead after 61.0 s and another lived for 95.0 s. Run the same profile once more before anything is changed."
    );
}

#[test]
fn a_nat_that_lets_only_our_first_word_through_is_told_as_that() {
    let run = Run::standing().at(1.0);
    let run = run.rung_proved_by(1, 25.0, Stirred::Not, Side::Us).rung_proved_by(2, 10.0, Stirred::Not, Side::Them);
    let run = run.rung_proved_by(3, 20.0, Stirred::Not, Side::Them);
    let run = run.at(11.0).proved(2, 10.0).at(21.0).dead_at_proof(3, 20.0).at(26.0).proved(1, 25.0);
    let told = check(run.at(60.3).time_up(), &[]);
    assert!(says(&told, "idle_limit").contains("in the far end's direction, while what we send first still crosses"));
}

#[test]
fn what_ends_everything_in_one_second_is_no_limit() {
    // A restart of the service at 20 s: lanes of every age and silence, the call's own socket, and the media.
    let run = Run::standing().at(1.0).bare(1).beating(2).rung(3, 45.0).at(9.0).bare(4).rung(5, 45.0).at(20.0);
    let run =
        run.lane_ends(1, End::Fin, 19.0, 19.0).lane_ends(2, End::Fin, 0.5, 19.0).lane_ends(3, End::Fin, 19.0, 19.0);
    let run = run.lane_ends(4, End::Fin, 11.0, 11.0).lane_ends(5, End::Fin, 11.0, 11.0).close_frame(1, 1012, "");
    let run = run.media_stops().at(22.0).reconnected(2, "b", true).called_anew().at(60.3).time_up();
    let told = checked(&run.log());
    assert_eq!(ids(&told), Vec::<&str>::new());
    assert_eq!(told.head.drops[0].cause, crate::Cause::ServiceRestarted);
}

#[test]
fn what_was_found_dead_after_an_outage_in_its_silence_shows_nothing() {
    let run = Run::standing().at(1.0).rung(1, 10.0).rung(2, 25.0).rung(3, 31.0).at(11.0).proved(1, 10.0).at(15.0);
    let run = run.media_stops().at(18.0).media_back().at(26.0).dead_at_proof(2, 25.0).at(32.0).dead_at_proof(3, 31.0);
    let told = checked(&run.at(60.3).time_up().log());
    assert_eq!(ids(&told), Vec::<&str>::new());
}

#[test]
fn a_router_that_forgot_everything_at_once_has_no_limit_by_that() {
    let seen = |run: Run, public: &str, before: Option<&str>| {
        run.note(Net::PublicAddress {
            server: "stun.example:3478".into(),
            local: "10.0.0.1:50000".parse().unwrap(),
            public: public.parse().unwrap(),
            before: before.map(|before| before.parse().unwrap()),
        })
    };
    let forgets = |run: Run| seen(run, "198.51.100.7:29000", Some("198.51.100.7:50000"));
    let begun = || {
        let run = seen(Run::standing().at(1.0), "198.51.100.7:50000", None);
        run.udp_rung(1, 8.0, Opened::Stream).udp_rung(2, 20.0, Opened::Stream).at(9.0).proved(1, 8.0)
    };
    // The dead one was quiet from 11 s to 31 s.
    let within = forgets(begun().at(15.0)).at(31.0).dead_at_proof(2, 20.0);
    assert!(!ids(&checked(&within.at(60.3).time_up().log())).contains(&"udp_idle_limit"));
    let before = forgets(begun().at(9.5)).at(31.0).dead_at_proof(2, 20.0);
    assert!(ids(&checked(&before.at(60.3).time_up().log())).contains(&"udp_idle_limit"));
}

#[test]
fn a_silence_that_was_slept_through_shows_nothing() {
    let run = Run::standing().at(1.0).rung(1, 10.0).rung(2, 25.0).rung(3, 31.0).at(11.0).proved(1, 10.0).sleeps(60.0);
    let run = run.at(72.0).dead_at_proof(2, 71.0).lane_ends(3, End::Reset, 71.0, 71.0);
    let told = checked(&run.at(100.3).time_up().log());
    assert!(!ids(&told).contains(&"idle_limit"), "{:?}", ids(&told));
}

#[test]
fn what_was_dead_since_the_sleep_has_no_lifetime() {
    let dead = |run: Run, lane: u32, heard: f64| {
        let (last_in, last_out) = (run.ago(heard), run.stamp());
        let (end, age_ms) = (End::Silence { waited_ms: 60_000.0 }, 144_000.0);
        run.note(Lane::Ended { lane, end, last_in, last_out, quiet_ms: 0.0, age_ms, at_proof: false })
    };
    let told = |asleep: f64| {
        let run = Run::standing().at(1.0).beating(1).beating(2).at(20.0).sleeps(asleep);
        let run = dead(run.at(145.0), 1, 125.0);
        let told = checked(&dead(run.at(150.0), 2, 130.0).at(200.3).time_up().log());
        ids(&told).contains(&"lifetime_limit")
    };
    assert!(!told(60.0));
    assert!(told(0.0), "and awake it has");
}

#[test]
fn one_end_alone_is_an_accident() {
    let told =
        check(Run::standing().at(1.0).bare(1).at(14.0).lane_ends(1, End::Reset, 13.0, 13.0).at(60.3).time_up(), &[]);
    assert!(!ids(&told).contains(&"idle_limit"));
}

#[test]
fn a_nat_with_two_udp_limits_has_each_told() {
    let mut run = Run::standing().at(1.0);
    for (lane, quiet, opened) in [
        (1, 4.0, Opened::OnePacket),
        (2, 6.0, Opened::OnePacket),
        (3, 12.0, Opened::Stream),
        (4, 16.0, Opened::Stream),
        (5, 20.0, Opened::Stream),
    ] {
        run = run.udp_rung(lane, quiet, opened);
    }
    let run = run.at(5.0).proved(1, 4.0).at(7.0).dead_at_proof(2, 6.0).at(13.0).proved(3, 12.0);
    let run = run.at(17.0).dead_at_proof(4, 16.0).seen_from(4, "198.51.100.7:62001").at(21.0).dead_at_proof(5, 20.0);
    let told = check(run.at(60.3).time_up(), &[]);
    let all: Vec<_> = told.head.findings.iter().filter(|finding| finding.id == "udp_idle_limit").collect();
    assert_eq!(all.len(), 2);
    let figures = |index: usize| serde_json::to_value(&all[index].measured).expect("figures can be written");
    assert_eq!((&figures(0)["over_s"], &figures(0)["under_s"]), (&4.0.into(), &6.0.into()));
    assert_eq!((&figures(1)["over_s"], &figures(1)["under_s"]), (&12.0.into(), &16.0.into()));
    assert_eq!(figures(1)["came_back"], "other_port");
    assert_eq!(
        all[1].says,
        "The router or firewall forgets UDP flows that carried packets both ways for less than 2 s after between 12.0 s and 16.0 s of quiet (RFC 4787 asks for 120 s and more); 2 of 3 kept quiet were forgotten; what we sent afterwards left from another public port: a call's own flow may be kept longer; to have this one kept as well, set its UDP timeout to 300 s, or send a packet at least every 5 s."
    );
}

#[test]
fn a_brief_exchange_over_udp_may_meet_the_limit_of_a_single_packet() {
    let says = |brief: bool| {
        let opens = Run::standing().at(1.0).udp_rung_talking(1, 29.0, brief).udp_rung_talking(2, 31.0, brief);
        let run = opens.at(35.0).proved(1, 29.0).at(38.5).dead_at_proof(2, 31.0);
        let told = check(run.at(60.3).time_up(), &[]);
        let found = told.head.findings.iter().find(|finding| finding.id == "udp_idle_limit").expect("it is found");
        found.says.clone()
    };
    assert!(says(true).contains("Linux nf_conntrack_udp_timeout"), "{}", says(true));
    assert!(!says(false).contains("Linux nf_conntrack_udp_timeout"), "{}", says(false));
    assert!(says(false).contains("both ways after") && says(false).contains("seen once"), "{}", says(false));
}

#[test]
fn what_the_ladder_covered_stands_in_what_was_not_tested() {
    let run = Run::standing().at(1.0).rung(1, 10.0).rung(2, 25.0).rung(3, 95.0).at(11.0).proved(1, 10.0).at(26.0);
    let told = check(run.proved(2, 25.0).at(60.3).time_up(), &[]);
    let list = told.head.not_tested.join(" ");
    assert!(
        list.contains("Idle periods over 25 s on TCP were not tested: that is the longest silence that was proved to be survived; a rung of 95 s was begun and not finished."),
        "{list}"
    );
    assert!(list.contains("Quiet UDP flows were not tested"), "{list}");
}

#[test]
fn a_hold_that_ends_early_is_told_by_what_ran_and_not_by_what_was_planned() {
    let long = |ladder, from_s| LeftOut::Rungs { ladder, from_s, why: WhyNot::HoldTooShort };
    let planned = |plan: &mut Plan| {
        let left_out = vec![long(Ladder::Tcp, 125.0), long(Ladder::Udp, 121.0)];
        plan.beside = Some(Beside { left_out, ..Beside::default() });
        plan.planned_s = 130.0;
    };
    let run = Run::standing().plan(planned).at(1.0).rung(1, 25.0).rung(2, 45.0).rung(3, 105.0).at(26.0).proved(1, 25.0);
    // An outage takes the second rung along, and ends it before its time.
    let run = run.at(30.0).media_stops().at(46.0).dead_at_proof(2, 45.0).at(47.0).media_back();
    let list = checked(&run.at(54.0).ends(EndedBy::User).log()).head.not_tested;
    let of = |word: &str| list.iter().filter(|says| says.contains(word)).cloned().collect::<Vec<_>>();
    assert_eq!(
        of("on TCP"),
        [
            "Idle periods over 25 s on TCP were not tested: that is the longest silence that was proved to be survived; a rung of 105 s was begun and not finished; a rung of 45 s was cut off by something else; the planned hold was too short for 2 min 05 s and more."
        ]
    );
    assert_eq!(
        of("UDP"),
        [
            "Quiet UDP flows were not tested: the call's own packets kept the path busy; the hold was too short for a quiet connection."
        ]
    );
}

#[test]
fn a_heartbeat_that_follows_a_number_of_the_blogs_is_told() {
    let run = Run::standing().plan(|plan| {
        plan.heartbeat = Some(record::fact::Heartbeat { every_ms: 300_000.0, answer_within_ms: 5_000.0 });
    });
    let told = check(run.at(60.3).time_up(), &[]);
    assert!(says(&told, "heartbeat_advice").contains("350 s for an AWS Application Load Balancer"));
}

#[test]
fn a_rung_that_was_stirred_too_seldom_says_nothing_of_what_counts() {
    let every_ms = 12_500.0;
    let run = Run::standing().at(1.0).beating(1).rung(2, 25.0).rung(3, 26.0);
    let run = run.rung_stirred(4, 30.0, Stirred::ByUs { every_ms }).at(10.0).lane_answers(1);
    let run = run.lane_ends(2, End::Fin, 9.0, 9.0).lane_ends(3, End::Fin, 9.0, 9.0).lane_ends(4, End::Fin, 9.0, 9.0);
    let told = check(run.at(60.3).lane_answers(1).time_up(), &[]);
    assert!(measured(&told, "idle_limit").get("bytes_of_ours").is_none());
}

#[test]
fn what_ends_websockets_alone_is_told_as_that() {
    let run = Run::standing().at(1.0).rung(1, 25.0).rung(2, 26.0).tcp_rung(3, 25.0).at(14.0);
    let run = run.lane_ends(1, End::Fin, 13.0, 13.0).lane_ends(2, End::Fin, 13.0, 13.0).at(26.0).proved(3, 25.0);
    let told = check(run.at(60.3).time_up(), &[]);
    assert!(
        says(&told, "idle_limit").contains("ends WebSockets, and no plain TCP connections, that are quiet for 13.0 s")
    );
}

#[test]
fn a_proxy_before_a_firewall_has_each_limit_told_for_what_it_ends() {
    let plan = |plan: &mut record::fact::Plan| plan.planned_s = 400.0;
    let mut run = Run::standing().plan(plan).at(1.0).rung(1, 45.0).rung(2, 58.0).rung(3, 61.0).rung(4, 95.0);
    for (lane, quiet) in [(5, 45.0), (6, 61.0), (7, 345.0), (8, 355.0)] {
        run = run.tcp_rung(lane, quiet);
    }
    run = run.at(46.0).proved(1, 45.0).proved(5, 45.0).at(59.0).proved(2, 58.0).at(61.05);
    run = run.lane_ends(3, End::Fin, 60.05, 60.05).lane_ends(4, End::Fin, 60.05, 60.05).at(62.0).proved(6, 61.0);
    let told = check(run.at(346.0).proved(7, 345.0).at(356.0).dead_at_proof(8, 355.0).at(400.3).time_up(), &[]);
    assert_eq!(ids(&told), ["idle_limit", "idle_limit", "heartbeat_advice"]);
    let [proxy, firewall] = [0, 1].map(|index| told.head.findings[index].says.as_str());
    assert!(proxy.contains("ends WebSockets that are quiet for 60.0 s") && proxy.contains("nginx"), "{proxy}");
    assert!(
        firewall.contains("ends plain TCP connections that are quiet for some time between 5 min 45 s"),
        "{firewall}"
    );
    assert!(
        firewall.contains("AWS NAT gateway, AWS Network Firewall")
            && firewall.contains("(each 350 s)")
            && !firewall.contains("nginx"),
        "{firewall}"
    );
    assert!(says(&told, "heartbeat_advice").starts_with("The shortest idle limit is 60.0 s"));
}

#[test]
fn what_ends_plain_tcp_alone_is_no_limit_of_a_call_over_a_websocket() {
    let run = Run::standing().at(1.0).tcp_rung(1, 25.0).tcp_rung(2, 26.0).rung(3, 25.0).at(14.0);
    let run = run.lane_ends(1, End::Fin, 4.0, 4.0).lane_ends(2, End::Fin, 4.0, 4.0).at(26.0).proved(3, 25.0);
    let told = check(run.at(60.3).time_up(), &[]);
    assert_eq!(ids(&told), ["idle_limit"], "its heartbeat is not too long");
}

#[test]
fn a_bare_websocket_without_a_ladder_is_no_proof_and_no_lie() {
    let not_tested = |run: Run| check(run.at(20.3).time_up(), &[]).head.not_tested[0].clone();
    assert_eq!(
        not_tested(Run::standing().at(1.0).bare(1)),
        "Idle periods over 5.00 s on signaling were not tested: the heartbeat kept the connection from being quiet, and no silence of the bare WebSocket beside it was proved to be survived."
    );
    let found = Run::standing().at(1.0).bare(1).bare(2).at(10.0).lane_ends(1, End::Fin, 9.0, 9.0);
    let says = not_tested(found.lane_ends(2, End::Fin, 9.0, 9.0));
    assert!(says.starts_with("Quiet UDP flows"), "where a limit was found it is a finding: {says}");
}
