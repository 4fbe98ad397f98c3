//! What is drawn of the surroundings, what was not seen, and what was not asked.

use crate::{
    story::SpanState::{Alive, Lost},
    tests::{checked, run::Run},
};
use record::{
    Fact,
    fact::ControlKind::{Gateway, Stun},
};

#[test]
fn lanes_of_network_and_controls_are_drawn_where_there_is_something() {
    let plain = checked(&Run::standing().at(60.3).time_up().log());
    let ids = |story: &crate::Story| story.lanes.iter().map(|lane| lane.id).collect::<Vec<_>>();
    assert_eq!(ids(&plain), ["signaling", "media", "ice", "recovery", "computer"]);

    let run = Run::watched().asking(&[Gateway, Stun]).at(20.0).link_down("eth0").control_silent(&[Gateway]).at(25.0);
    let run = run.link_up("eth0").control_back(&[Gateway]).at(40.0).route_moves(Some("eth0"), Some("wlan0"));
    let told = checked(&run.at(50.0).route_moves(Some("wlan0"), None).at(60.0).time_up().log());
    assert_eq!(
        ids(&told),
        ["signaling", "media", "ice", "control_stun", "control_gateway", "network", "recovery", "computer"]
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
    let blind = |watcher: &str, why: &str| Fact::Blind { watcher: watcher.into(), why: why.into() };
    let list = not_seen(Run::watched().asking_all().note(blind("wifi", "this system does not tell.")));
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
fn surroundings_without_end_are_read_in_a_moment() {
    // A forged log: a link that falls and stands a hundred thousand times, and a control that does.
    let mut run = Run::watched().asking(&[Gateway]);
    for at in 2..1_000 {
        run = run.at(f64::from(at)).closes(at as u32 - 1, record::fact::End::Fin).ready(at as u32, "a", true);
        for _ in 0..50 {
            run = run.link_down("eth0").link_up("eth0").route_moves(Some("eth0"), None).route_moves(None, Some("eth0"));
        }
    }
    let began = std::time::Instant::now();
    let told = crate::story(&run.time_up().log());
    assert!(told.head.drops.len() > 900);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
