//! What others would have done about a loss, what the call needed to survive it, what an administrator is given, and the
//! retest.

use super::{Run, checked, timers::ended_with_the_quiet_ones};
use crate::{Story, report};
use record::{
    fact::{ConnectStage, End, Opened, SocketPurpose, Trouble},
    profile,
};

fn others(story: &Story, drop: usize) -> [&str; 3] {
    let row = story.page.recovery.iter().find(|row| row.drop == drop).expect("a row for each drop");
    let says: Vec<&str> = row.others.iter().map(|other| other.says.as_str()).collect();
    says.try_into().expect("three of them")
}

fn words(story: &Story, drop: usize) -> [&'static str; 4] {
    let row = story.page.survival.iter().find(|row| row.drop == drop).expect("a row for each drop");
    row.answers.each_ref().map(|answer| answer.word)
}

fn refused(run: Run, conn: u32, at: f64) -> Run {
    run.at(at).connecting(conn, SocketPurpose::Resume).fails_to_connect(conn, ConnectStage::Tcp, Trouble::Refused)
}

#[test]
fn tries_that_come_before_the_way_is_back_are_in_vain() {
    let run = refused(Run::standing().at(20.0).closes(1, End::Fin), 2, 20.5);
    let told = checked(&run.at(24.0).reconnected(3, "a", true).at(60.3).time_up().log());
    assert_eq!(
        others(&told, 1),
        [
            "First tries 0.10 s after the end, twice in vain; then after 0.70 s: whether the way was back by then was not seen.",
            "First tries 1.00 s after the end: whether the way was back by then was not seen.",
            "Hears of the end at once and does nothing of its own."
        ]
    );
    let least: Vec<_> = told.page.recovery[0].others.iter().map(|other| other.least.as_deref()).collect();
    assert_eq!(least, [Some("0.70 s"), Some("1.00 s"), None]);
}

#[test]
fn whoever_tries_ten_times_gives_up_on_a_long_loss() {
    let mut run = Run::standing().at(20.0).closes(1, End::Reset);
    for conn in 2..40 {
        run = refused(run, conn, 20.0 + f64::from(conn) * 5.0);
    }
    let told = checked(&run.at(230.0).reconnected(50, "a", true).at(240.3).time_up().log());
    let [twilio, telnyx, _] = others(&told, 1);
    assert_eq!(telnyx, "Tries 10 times in vain and gives up 3 min 01 s after the end: the call is over.");
    assert!(twilio.contains("16 times in vain; then after 3 min 26 s: whether the way was back"), "{twilio}");
}

#[test]
fn a_call_that_the_far_end_does_not_know_any_more_is_brought_back_by_nobody() {
    let run = Run::standing().at(20.0).media_stops().closes(1, End::Fin).at(22.0).reconnected(2, "b", false);
    let told = checked(&run.at(22.5).called_anew().at(60.3).time_up().log());
    let signaling = told.head.drops.iter().find(|drop| drop.plane == crate::Plane::Signaling).expect("both were lost");
    let [twilio, ..] = others(&told, signaling.id);
    assert!(twilio.ends_with("but the far end did not know the call any more, so the call is over."), "{twilio}");
    assert_eq!(words(&told, signaling.id)[2], "no");
    let media = told.head.drops.iter().find(|drop| drop.plane == crate::Plane::Media).expect("both were lost");
    assert_eq!(others(&told, media.id)[0], "Places no other call: when this one is lost it is over.");
    assert_eq!(words(&told, media.id)[1..3], ["no", "no"]);
}

#[test]
fn media_that_comes_back_by_itself_is_waited_for_by_whoever_waits_longer() {
    let lost_for = |seconds: f64| {
        checked(&Run::standing().at(20.0).media_stops().at(20.0 + seconds).media_back().at(90.3).time_up().log())
    };
    let short = lost_for(4.0);
    let [twilio, telnyx, page] = others(&short, 1);
    assert_eq!(twilio, "Waits: it restarts ICE 5.30 s after the last packet, and media was back before.");
    assert!(telnyx.starts_with("Waits: it restarts ICE 6.00 s"), "{telnyx}");
    assert!(page.starts_with("Does nothing, and needs nothing"), "{page}");
    assert_eq!(words(&short, 1)[..3], ["yes", "yes", "yes"]);
    let long = lost_for(40.0);
    let [twilio, telnyx, page] = others(&long, 1);
    assert_eq!(
        twilio,
        "Restarts ICE 5.30 s after the last packet, and gives the call up after about 30 s: here media came back only after 40.0 s."
    );
    assert_eq!(
        telnyx,
        "Restarts ICE 6.00 s after the last packet, and begins signaling and media anew after 16.0 s; here media came back by itself after 40.0 s."
    );
    assert_eq!(
        page,
        "Does nothing: its PeerConnection fails after 16.8 s to 17.4 s and stays so, though the way came back."
    );
}

#[test]
fn whoever_stood_still_is_compared_with_nobody() {
    let told =
        checked(&Run::standing().at(20.0).stalls(20.0).gap_found().at(41.0).media_back().at(90.3).time_up().log());
    assert!(!told.page.recovery.is_empty());
    assert_eq!(others(&told, 1), ["Tries nothing meanwhile: a program that stands still cannot."; 3]);
}

#[test]
fn a_way_that_moved_is_not_the_same_network_and_one_that_was_not_watched_is_not_seen() {
    let moved = Run::watched().at(20.0).media_stops().route_moves(Some("eth0"), Some("wlan0"));
    let moved = checked(&moved.at(22.0).ice_restarted().at(60.3).time_up().log());
    assert_eq!(words(&moved, 1)[3], "no");
    let stayed = Run::watched().at(20.0).media_stops().at(22.0).ice_restarted().at(60.3);
    assert_eq!(words(&checked(&stayed.time_up().log()), 1)[3], "yes");
    let unwatched = Run::standing().at(20.0).media_stops().at(22.0).ice_restarted().at(60.3);
    assert_eq!(words(&checked(&unwatched.time_up().log()), 1)[3], "not seen");
}

#[test]
fn a_page_for_an_administrator_names_the_setting_the_second_the_count_and_the_control() {
    let told = checked(&ended_with_the_quiet_ones().at(60.3).time_up().log());
    let page = report::admin(&told, 100).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "For: The network administrator Internet path: quiet connections are ended (Shown)",
        "2026-11-21 10:00:14.00 UTC: TCP 10.0.0.1:51001 to 10.0.0.2:7000, ended with a TCP FIN and no close frame",
        "2 of 3 quiet connections beside the call ended, after 13.0 s, spread 0.00 s",
        "to the same host stayed up.",
        "No default known to us is 13.0 s, so somebody set it",
        "proxy_read_timeout 3600s; proxy_send_timeout 3600s; in that one location",
        "Value=3600",
        "After the change, on the computer that lost the call open after.witness-profile (attached; double-click) and let it run 50 s. Send back the new report. Mended if all 4",
        "linewitness report BUNDLE --retest after.witness-profile",
        "Shown: the one who did it said so",
        "Not seen",
        "We are wrong if a connection from here to the same destination that is left quiet for 14 s stays up before anything is changed.",
        "Not tested",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert!(!page.contains('%') && !page.contains("WebRTC"), "{page}");
}

#[test]
fn what_was_kept_quiet_is_counted_kind_by_kind() {
    let told = checked(&ended_with_the_quiet_ones().at(60.3).time_up().log());
    let has = |says: &str| told.page.tested.iter().chain(&told.page.admin[0].seen).any(|line| line == says);
    let tested = "3 connections kept quiet on TCP: 2 of the ladder (1 lived, up to 10.0 s, 1 ended) and 1 bare WebSocket (1 ended).";
    assert!(has(tested), "{:?}", told.page.tested);
    let seen = "2 of 3 quiet connections beside the call ended, after 13.0 s, spread 0.00 s: 1 of 2 of the ladder, and 1 of 1 bare WebSocket.";
    assert!(has(seen), "{:?}", told.page.admin[0].seen);
}

#[test]
fn quiet_flows_that_ended_after_a_loss_say_nothing_of_a_limit() {
    let run = Run::standing().udp_rung(1, 30.0, Opened::Stream).udp_rung(2, 30.0, Opened::OnePacket);
    let run = run.at(20.0).closes(1, End::Reset).at(21.2).reconnected(2, "a", true).at(31.0);
    let told = checked(&run.dead_at_proof(1, 30.0).dead_at_proof(2, 30.0).at(60.3).time_up().log());
    assert!(told.head.findings.iter().all(|finding| finding.id != "udp_idle_limit"), "{:?}", told.head.findings);
    let says =
        "2 flows kept quiet on UDP: both ended, but after the loss at 10:00:20.00 UTC, so they say nothing of a limit.";
    assert!(told.page.tested.iter().any(|line| line == says), "{:?}", told.page.tested);
}

#[test]
fn a_connection_that_spoke_a_moment_before_is_no_reason_to_look_at_timers() {
    let settings = |quiet: f64| {
        let run = Run::standing().plan(|plan| plan.heartbeat = None).stops_answering().at(50.0);
        let told = checked(
            &run.closes_after(1, End::Reset, quiet).at(51.0).reconnected(2, "a", true).at(60.3).time_up().log(),
        );
        assert_eq!(told.head.drops[0].cause, crate::Cause::ConnectionReset);
        told.page.admin[0].settings.len()
    };
    assert_eq!(settings(0.5), 0);
    assert!(settings(45.0) > 0);
}

#[test]
fn behind_a_web_proxy_a_rule_names_the_far_end_and_not_the_proxy() {
    let run = Run::begun().at(0.1).connecting_by(1, SocketPurpose::First, Some("10.0.0.254:3128"));
    let status = Trouble::Http { status: 407, server: None, says: "No".into(), retry_after_s: None };
    let failed =
        record::fact::Signaling::ConnectFailed { conn: 1, stage: ConnectStage::Proxy, trouble: status, took_ms: 1.0 };
    let told = checked(&run.note(failed).at(2.0).ends(record::fact::EndedBy::NotEstablished).log());
    let page = report::admin(&told, 100);
    assert!(page.contains("DEST stands for 10.0.0.2.") && page.contains("Mended if the call stands"), "{page}");
    assert!(!page.contains("What did not fail"), "nothing was held yet:\n{page}");
}

const WITH_A_RELAY: &str = r#"
name = "Acme"
for = "4h"
[signaling]
url = "wss://far.example/call"
[[ice.servers]]
urls = ["stun:far.example:3478"]
[[ice.servers]]
urls = ["turn:far.example:3478?transport=udp"]
[ice]
policy = "relay"
"#;

#[test]
fn the_retest_is_a_profile_with_rungs_on_both_sides_of_the_limit() {
    let told = checked(&ended_with_the_quiet_ones().at(60.3).time_up().log());
    for given in [None, Some("name = \"Acme\"\nfor = \"4h\"\n[signaling]\nurl = \"wss://far.example/call\"\n")] {
        let text = report::retest(&told, given).expect("it can be retested");
        let read = profile::read(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
        let rungs: Vec<u64> = read.lanes.quiet_ladder.iter().map(|rung| rung.get().as_secs()).collect();
        assert_eq!(rungs, [11, 15, 20, 26]);
        assert_eq!((read.for_.get().as_secs(), read.lanes.udp_ladder.len()), (50, 0));
    }
}

#[test]
fn a_call_that_must_go_by_a_relay_is_not_tried_again_without_its_password() {
    let told = checked(&Run::standing().at(20.0).media_stops().at(30.0).media_back().at(60.3).time_up().log());
    let text = report::retest(&told, Some(WITH_A_RELAY)).expect("it can be retested");
    let refusal = profile::read(text.as_bytes()).expect_err("nothing is filled in");
    let says = "Not ready: this retest must go through turn:far.example:3478?transport=udp: fill in its user name and password first";
    assert_eq!(refusal.says, says);
    assert_eq!(report::retest_lacks(&text), Some(format!("{says}.")));
    assert!(refusal.line.and_then(|line| text.lines().nth(line - 1)).is_some_and(|line| line.starts_with("username")));
    assert!(!text.contains("`linewitness map`"), "{text}");
    let filled = text.replace("\"…\"", "\"x\"");
    let read = profile::read(filled.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}\n{filled}"));
    assert_eq!((read.ice.servers.len(), read.ice.policy), (2, profile::IcePolicy::Relay));
    assert_eq!(read.name, "Retest: Acme");
    assert_eq!(report::retest_lacks(&filled), None);
    let under_names = WITH_A_RELAY.replace("far.example", "host-1.example");
    let named = report::retest(&told, Some(&under_names)).expect("it can be retested");
    assert!(named.contains("the host of your service in the place of host-1.example"), "{named}");
}

#[test]
fn a_relay_that_the_call_may_do_without_stands_at_the_end_as_a_comment() {
    let told = checked(&Run::standing().at(20.0).media_stops().at(30.0).media_back().at(60.3).time_up().log());
    let any_way = WITH_A_RELAY.replace("policy = \"relay\"", "policy = \"all\"");
    let no_other = any_way.replace("[[ice.servers]]\nurls = [\"stun:far.example:3478\"]\n", "");
    for (given, servers) in [(any_way, 1), (no_other, 0)] {
        let text = report::retest(&told, Some(&given)).expect("it can be retested");
        let read = profile::read(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
        assert_eq!(read.ice.servers.len(), servers);
        let (head, spare) = text.split_once("\n# [[ice.servers]]").expect("they stand at the end");
        let filled = format!("{head}\n[[ice.servers]]{}", spare.replace("\n# ", "\n").replace('…', "x"));
        let read = profile::read(filled.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}\n{filled}"));
        assert_eq!(read.ice.servers.len(), servers + 1);
    }
}

#[test]
fn a_token_that_the_call_needed_is_asked_for_and_no_other() {
    let told = checked(&Run::standing().at(20.0).media_stops().at(30.0).media_back().at(60.3).time_up().log());
    let retest = |token: &str| {
        let given = format!("[signaling]\nurl = \"wss://far.example/call\"\n{token}");
        report::retest(&told, Some(&given)).expect("it can be retested")
    };
    let lacks = |token: &str| report::retest_lacks(&retest(token));
    assert_eq!(lacks(""), None);
    let says = Some("Not ready: this retest logs in with a token: fill it in first.".to_owned());
    assert_eq!(lacks("token = \"…\"\n"), says);
    assert_eq!(lacks("token_expires = 2026-11-21T12:00:00Z\n"), says);
    assert!(!retest("").contains("token"), "{}", retest(""));
}

#[test]
fn a_self_test_has_no_retest_and_a_forged_url_stays_a_comment() {
    let told = checked(&Run::standing().plan(|plan| plan.self_test = true).at(60.3).time_up().log());
    assert!(report::retest(&told, None).expect_err("a self-test").contains("`linewitness hold`"));
    let told = checked(&Run::standing().at(60.3).time_up().log());
    let forged = "[signaling]\nurl = \"wss://far.example/call\"\n[[ice.servers]]\nurls = [\"turn:h:1\", \"x\\n[media]\\nsilence = \\\"none\\\"\"]\n";
    let text = report::retest(&told, Some(forged)).expect("it can be read");
    let read = profile::read(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    assert_eq!(read.media.silence, profile::Silence::Frames);
}
