//! The report's forms: the order of their lines, and strangers' words that stay words.

use super::{Run, checked};
use crate::report;
use jiff::tz::{self, TimeZone};
use record::{
    Fact,
    fact::{End, Mark, RefusalKind, Side, SocketPurpose},
};

fn sample() -> Run {
    Run::standing().at(20.0).closes(1, End::Reset).at(21.2).reconnected(2, "a", true).at(60.3).time_up()
}

#[test]
fn the_text_opens_with_owner_then_when_then_who_does_what() {
    let zone = TimeZone::fixed(tz::offset(1));
    let text = report::text(&checked(&sample().log()), &zone, 80);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("Internet path: the connection was reset  ◐ Likely"));
    assert_eq!(lines.next(), Some("Signaling lost once, at 11:00:20.00 (10:00:20.00 UTC)."));
    assert!(
        lines.next().is_some_and(|line| line.starts_with("The network administrator, with the service's support:"))
    );
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is missing in\n{text}"));
    assert!(place("━ alive") < place("Drop 1: Signaling"));
    assert!(place("Drop 1: Signaling") < place("Not tested"));
    assert!(place("Not tested") < place("Recovery"));
    assert!(place("Recovery") < place("The run"));
    assert!(place("Likely: the pattern fits") < place("━ alive"));
    assert!(place("The run") < place("None of these services was involved") && place("The run") < place("Twilio"));
    assert!(text.lines().all(|line| line.chars().count() <= 80 || !line.contains(' ')), "{text}");
}

#[test]
fn a_ticket_begins_with_who_is_asked_and_ends_with_what_was_not_seen() {
    let ticket = report::ticket(&checked(&sample().log()));
    let parts = [
        "For the network administrator, with the service's support: ",
        "\nWhen: Signaling lost once. First bad 2026-11-21 10:00:20.00 UTC (last good 10:00:",
        "TCP 10.0.0.1:51001 to 10.0.0.2:7000, ended with a TCP RST; back 1.20 s later.",
        "\nWhy: Internet path: the connection was reset (Likely). ",
        "\nLikely: the pattern fits",
        "Ruled out: ",
        "more stand in the report.",
        "We are wrong if a capture beside the service shows that it sent it itself.",
        "\nRetest: Exempt this destination",
        "then on the computer that lost the call open after.witness-profile (attached; double-click) and let it run 60 s. Send back the new report. Mended if",
        "\nLimits: The call to ",
        "Signaling at the end: TCP 10.0.0.1:51002",
        "Not seen: ",
        "Not tested: ",
    ];
    let mut after = 0;
    for part in parts {
        let at = ticket[after..].find(part).unwrap_or_else(|| panic!("{part} is missing, or too early, in\n{ticket}"));
        after += at + part.len();
    }
}

#[test]
fn beyond_a_nat_a_flow_has_the_address_that_was_seen_there() {
    let seen = |local: &str, public: &str| record::fact::Net::PublicAddress {
        server: "10.0.0.2:7000".into(),
        local: local.parse().expect("an address"),
        public: public.parse().expect("an address"),
        before: None,
    };
    let flow = |net| {
        let run = Run::standing().at(10.0).note(net).at(20.0).closes(1, End::Reset).at(21.2).reconnected(2, "a", true);
        checked(&run.at(60.3).time_up().log()).page.admin[0].search[0].flow.clone()
    };
    let plain = "TCP 10.0.0.1:51001 to 10.0.0.2:7000";
    let told = flow(seen("10.0.0.1:3000", "192.0.2.1:3000"));
    assert_eq!(told, format!("{plain} (outside from 192.0.2.1, port not recorded)"));
    let told = flow(seen("10.0.0.1:51001", "192.0.2.1:4000"));
    assert_eq!(told, format!("{plain} (outside from 192.0.2.1:4000)"));
    assert_eq!(flow(seen("10.0.0.1:3000", "10.0.0.1:3000")), plain);
    assert_eq!(flow(seen("10.0.0.9:3000", "192.0.2.1:3000")), plain);
    assert_eq!(flow(seen("10.0.0.1:3000", "10.0.0.2:3000")), plain, "the far end's own front");
}

#[test]
fn drops_at_a_steady_interval_are_told_with_interval_and_spread() {
    let mut run = Run::standing();
    for (conn, at) in [(1, 20.0), (2, 80.1), (3, 140.0)] {
        run = run.at(at).closes(conn, End::Fin).at(at + 1.0).reconnected(conn + 1, "a", true);
    }
    let text = report::text(&checked(&run.at(200.0).time_up().log()), &TimeZone::UTC, 80);
    assert!(text.contains("Signaling lost 3 times, every 60.0 s (spread 0.20 s), first at 10:00:20.00 UTC."), "{text}");
}

#[test]
fn a_strangers_words_stay_words_in_the_picture() {
    let hostile =
        End::CloseFrame { by: Side::Them, code: Some(1011), reason: "</text><script>alert(1)</script>\"&".into() };
    let run = Run::standing()
        .plan(|plan| plan.name = "<b onload=\"x\">".into())
        .at(20.0)
        .closes(1, hostile)
        .at(21.0)
        .connecting(2, SocketPurpose::Resume)
        .refuses(2, RefusalKind::Other, "<i>")
        .at(60.3)
        .time_up();
    let svg = report::svg(&checked(&run.log()));
    for bad in ["<script", "<b ", "<i>", "onload=\""] {
        assert!(!svg.contains(bad), "{bad} in\n{svg}");
    }
    assert!(svg.contains("&lt;b onload=&quot;x&quot;&gt;"));
}

#[test]
fn the_picture_draws_both_witnesses_of_a_drop_and_hatches_sleep() {
    let run = Run::standing().at(10.0).sleeps(30.0).at(60.0).closes_after(1, End::Fin, 8.0).at(62.0);
    let svg = report::svg(&checked(&run.reconnected(2, "a", true).at(100.0).time_up().log()));
    // 100 s over 1000 units from 152 on: last good at 52 s, first bad at 60 s, asleep from 10 s to 40 s.
    assert!(svg.contains(r#"<line x1="672.0""#) && svg.contains(r#"<line x1="752.0""#), "{svg}");
    assert!(svg.contains(r#"<rect x="252.0""#) && svg.contains("asleep 30.0 s"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn what_was_ruled_out_for_both_planes_is_said_once() {
    let run = Run::standing().at(20.0).media_stops().stops_answering().at(22.5).resends(1, 2).unanswered(1, 1.6, 2.6);
    let told = checked(&run.at(26.0).media_back().at(26.4).answered_again(1).at(60.3).time_up().log());
    assert_eq!(told.head.drops.len(), 2);
    let text = report::text(&told, &TimeZone::UTC, 80);
    assert_eq!(text.matches("The computer did not sleep").count(), 1, "{text}");
    assert_eq!(text.matches("  ruled out  ").count(), 1, "the other plane has nothing of its own:\n{text}");
    assert_eq!(text.matches("     retest  ").count(), 1, "{text}");
    assert_eq!(text.matches("   wrong if  ").count(), 2, "each plane has its own doubt:\n{text}");
}

#[test]
fn a_ticket_of_a_relayed_call_names_the_relay_and_says_once_that_nothing_is_proven() {
    let relay = "turn:198.51.100.1:3478?transport=udp";
    let run = Run::begun().at(0.1).connecting(1, SocketPurpose::First).ready(1, "a", false);
    let run = run.relay_by(relay).pair(record::fact::CandidateKind::Relay).at(0.3).flowing();
    let ticket = report::ticket(&checked(&run.at(20.0).media_stops().at(30.0).media_back().at(60.3).time_up().log()));
    let flow = format!("media by the relay {relay} (beyond it UDP 10.0.0.1:50000 to 10.0.0.2:40000)");
    assert_eq!(ticket.matches(flow.as_str()).count(), 2, "asked for, and lost:\n{ticket}");
    assert!(
        ticket.contains("\nWhy: Not proven: the connection was lost, and nothing recorded proves why. "),
        "{ticket}"
    );
}

#[test]
fn names_that_did_not_resolve_while_the_call_went_on_are_told() {
    let dns = [record::fact::ControlKind::Dns];
    let run = Run::watched().asking_all().at(20.0).control_silent(&dns).at(42.0).control_back(&dns).at(60.3);
    let told = checked(&run.time_up().log());
    assert_eq!(told.head.headline, "Held for 60.0 s; nothing dropped; 1 finding beside it.");
    let [says] = told.outages.as_slice() else { panic!("{:?}", told.outages) };
    assert!(says.starts_with("Names did not resolve for 2") && says.contains("a new one would have failed"), "{says}");
    let text = report::text(&told, &TimeZone::UTC, 80);
    assert!(
        text.find("Names did not resolve") < text.find("Signaling  "),
        "what was found stands above the picture:\n{text}"
    );
    assert!(report::ticket(&told).contains("Names did not resolve"));
}

#[test]
fn controls_that_fell_silent_with_a_loss_belong_to_it() {
    let run = Run::watched().asking_all().at(20.0).all_controls_silent().media_stops();
    let told = checked(&run.at(30.0).media_back().all_controls_back().at(60.3).time_up().log());
    assert_eq!(told.outages, [""; 0]);
}

#[test]
fn of_two_sentences_that_begin_alike_the_longer_is_printed() {
    let mut told = checked(&Run::standing().at(20.0).media_stops().at(30.0).media_back().at(60.3).time_up().log());
    let out = |says: &str| crate::verdict::RuledOut { cause: crate::Cause::PathLost, says: says.into() };
    told.head.drops[0].ruled_out = vec![out("The far end answered."), out("The far end answered, so the path stood.")];
    let text = report::text(&told, &TimeZone::UTC, 80);
    assert_eq!(text.matches("The far end answered").count(), 1, "{text}");
}

#[test]
fn a_page_holds_the_verdict_as_text_and_as_data_that_cannot_end_its_element() {
    let closes = End::CloseFrame { by: Side::Them, code: Some(1011), reason: "gone".into() };
    let run = Run::standing().at(20.0).closes(1, closes).at(21.2).reconnected(2, "a", true).at(60.3).time_up();
    let mut log = run.log();
    let Fact::Mark(Mark::Started(plan)) = &mut log.events[0].fact else { panic!("a log begins with its plan") };
    plan.to = "</script><script>alert(1)".into();
    let page = report::html(&checked(&log), Some("<b>Altered</b>"));
    assert!(page.contains("<pre>Voice service: "));
    assert!(page.contains(">&lt;b&gt;Altered&lt;/b&gt;</p>"));
    assert!(
        !page.contains("<script>alert") && page.contains("\\u003cscript>alert") && page.contains("&lt;script&gt;alert")
    );
    let data = page.split("id=\"report-data\">").nth(1).and_then(|rest| rest.split("</script>").next());
    let data: serde_json::Value = serde_json::from_str(data.expect("there is data")).expect("it is JSON");
    assert_eq!(data["head"]["drops"][0]["plane"], "signaling");
}

#[test]
fn under_names_a_ticket_says_who_can_translate_them() {
    let mut log = sample().log();
    let plain = report::ticket(&checked(&log));
    assert!(plain.contains("10.0.0.2:7000") && !plain.contains("linewitness map"), "{plain}");
    record::Names::counted().log(&mut log);
    let told = checked(&log);
    let (ticket, text) = (report::ticket(&told), report::text(&told, &TimeZone::UTC, 100));
    assert!(ticket.contains("private-1:7000") && !ticket.contains("10.0.0."), "{ticket}");
    assert_eq!(ticket.matches("`linewitness map FILE`").count(), 1, "{ticket}");
    assert!(text.contains("`linewitness map FILE`") && !text.contains("10.0.0."), "{text}");
}

#[test]
fn what_was_left_out_of_others_words_is_said_with_its_count() {
    let reason = "session 9f86d081884c7d659a2f ended by 10.0.0.9".into();
    let closes = End::CloseFrame { by: Side::Them, code: Some(1011), reason };
    let run = Run::standing().at(20.0).closes(1, closes).at(21.2).reconnected(2, "a", true).at(60.3).time_up();
    let told = checked(&run.log());
    let says = "In 2 places of what was said here, what could be private was left out.".to_owned();
    assert!(told.page.not_seen.contains(&says), "{:?}", told.page.not_seen);
    let quoted = "saying “session [left out] ended by [left out]”";
    assert!(report::ticket(&told).contains(quoted), "{}", report::ticket(&told));
}
