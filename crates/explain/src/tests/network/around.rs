//! What is drawn of the surroundings, what was not seen, and what was not asked.

use crate::{
    story::SpanState::{Alive, Lost},
    tests::{checked, run::Run},
};
use record::{
    Fact,
    fact::{
        ConnectStage,
        ControlKind::{Gateway, Stun},
        EndedBy, Mark, Trouble,
    },
};

#[test]
fn lanes_of_network_and_controls_are_drawn_where_there_is_something() {
    let plain = checked(&Run::standing().at(60.3).time_up().log());
    let ids = |story: &crate::Story| story.lanes.iter().map(|lane| lane.id).collect::<Vec<_>>();
    assert_eq!(ids(&plain), ["signaling", "ice", "media", "recovery", "computer"]);

    let run = Run::watched().asking(&[Gateway, Stun]).at(20.0).link_down("eth0").control_silent(&[Gateway]).at(25.0);
    let run = run.link_up("eth0").control_back(&[Gateway]).at(40.0).route_moves(Some("eth0"), Some("wlan0"));
    let told = checked(&run.at(50.0).route_moves(Some("wlan0"), None).at(60.0).time_up().log());
    assert_eq!(
        ids(&told),
        ["signaling", "ice", "media", "control_stun", "control_gateway", "network", "recovery", "computer"]
    );
    let lane = |id: &str| told.lanes.iter().find(|lane| lane.id == id).expect("it is there");
    let spans = |id: &str| {
        let spans = lane(id).spans.iter().map(|span| (span.from, span.to, span.state));
        spans.collect::<Vec<_>>()
    };
    assert_eq!(spans("control_gateway"), [(0.3, 21.0, Alive), (21.0, 25.0, Lost), (25.0, 60.0, Alive)]);
    assert_eq!(spans("control_stun"), [(0.3, 60.0, Alive)]);
    assert_eq!(
        spans("network"),
        [(0.3, 20.0, Alive), (20.0, 25.0, Lost), (25.0, 40.0, Alive), (40.0, 50.0, Alive), (50.0, 60.0, Lost)]
    );
    let marks: Vec<_> = lane("network").marks.iter().map(|mark| mark.text.as_str()).collect();
    assert_eq!(marks, ["eth0", "eth0 to wlan0", "no way"]);
}

#[test]
fn the_picture_shows_a_silent_control_in_the_accent_only_where_the_call_was_lost_too() {
    let silent = |run: Run| run.control_silent(&[Stun]).at(26.0).control_back(&[Stun]);
    let accent = "fill=\"#b62d08\"";
    // The legend has one of its own.
    let count = |run: Run| crate::report::svg(&checked(&run.at(60.3).time_up().log())).matches(accent).count();
    let alone = count(silent(Run::standing().asking(&[Stun]).at(20.0)));
    let with_the_call = count(silent(Run::standing().asking(&[Stun]).at(20.0).media_stops()).media_back());
    let the_call = count(Run::standing().asking(&[Stun]).at(20.0).media_stops().at(26.0).media_back());
    assert_eq!((alone, with_the_call), (1, the_call + 1));
}

fn not_seen(run: Run) -> Vec<String> {
    let told = checked(&run.at(20.0).closes(1, record::fact::End::Reset).at(60.3).time_up().log());
    told.head.drops[0].not_seen.clone()
}

#[test]
fn what_was_not_seen_depends_on_what_ran() {
    let starts = |list: &[String], start: &str| list.iter().any(|says| says.starts_with(start));
    let nothing = not_seen(Run::standing());
    for start in ["The interfaces, addresses and routes", "The gateway was not asked", "No other server was asked"] {
        assert!(starts(&nothing, start), "{nothing:?}");
    }
    assert_eq!(not_seen(Run::watched().asking_all()), ["The far end did not say what it saw."]);
    let blind = Fact::Blind { watcher: record::Sense::Wifi, why: "this system does not tell.".into() };
    let list = not_seen(Run::watched().asking_all().note(blind));
    assert!(list.contains(&"The radio link could not be seen: this system does not tell.".to_owned()), "{list:?}");
}

#[test]
fn what_was_not_asked_depends_on_what_was() {
    let not_tested = |run: Run| {
        let list = checked(&run.at(60.3).time_up().log()).head.not_tested;
        list.into_iter().filter(|says| says.contains("asked")).collect::<Vec<_>>()
    };
    assert_eq!(
        not_tested(Run::standing()),
        [
            "No control ran beside the call: the gateway, name service, the far end over new connections and other destinations were not asked."
        ]
    );
    assert_eq!(not_tested(Run::watched().asking_as_usual()), ["Other destinations were not asked beside the call."]);
    assert!(not_tested(Run::watched().asking_all()).is_empty());
}

#[test]
fn surroundings_without_end_are_told_all_the_same() {
    // A forged log: links and ways that come and go two hundred thousand times, and a loss each second. Were each loss
    // looked for in all of them, this would take hours.
    let mut run = Run::watched().asking(&[Gateway]);
    for at in 2..1_000 {
        run = run.at(f64::from(at)).closes(at - 1, record::fact::End::Fin).ready(at, "a", true);
        for _ in 0..50 {
            run = run.link_down("eth0").link_up("eth0").route_moves(Some("eth0"), None).route_moves(None, Some("eth0"));
        }
    }
    assert_eq!(crate::story(&run.at(1_000.0).time_up().log()).head.drops.len(), 998);
}

#[test]
fn a_call_that_never_stood_is_not_said_to_have_been_lost_whatever_its_cause() {
    let http = Trouble::Http { status: 407, server: None, retry_after_s: None, says: "".into() };
    let run = Run::begun().at(0.1).fails_to_connect(1, ConnectStage::Proxy, http).at(5.0);
    let told = checked(&run.note(Mark::Ended { by: EndedBy::NotEstablished }).log());
    let text = crate::report::text(&told, &jiff::tz::TimeZone::UTC, 80);
    assert!(text.starts_with("Local network: the proxy refused the connection"), "{text}");
    assert!(text.contains("The call was never established") && !text.contains("lost once"), "{text}");
    assert!(text.contains("first failed at"), "{text}");
}
