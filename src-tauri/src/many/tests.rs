use super::*;
use crate::tests::recording;
use crate::wire::GroupBy;

fn row(id: &str, owner: &str, interval_s: Option<f64>, network: &str, drops: &[i64]) -> Read {
    let wall = |ms: &i64| Wall::from_micros(1_795_255_200_000_000 + ms * 1000);
    Read {
        row: DeskRow {
            id: id.into(),
            path: format!("/{id}.witness"),
            name: id.into(),
            started: wall(&0).millis(),
            first_lost: drops.first().map(|at| wall(at).millis()),
            outcome: "Dropped".into(),
            owner: owner.into(),
            cause: if drops.is_empty() { "nothing lost" } else { "quiet connections are ended" }.into(),
            confidence: "Shown".into(),
            drops: drops.len(),
            interval_s,
            site: None,
            network: Some(network.into()),
            headline: String::new(),
            line: Line::default(),
        },
        drops: drops.iter().map(wall).collect(),
    }
}

#[test]
fn drops_in_the_same_second_stand_side_by_side() {
    let read = vec![
        row("a", "Voice service", None, "192.0.2.1", &[10_000, 60_000]),
        row("b", "Voice service", None, "192.0.2.2", &[10_900]),
        row("c", "This computer", None, "192.0.2.2", &[11_100]),
        row("d", "Held", None, "192.0.2.2", &[]),
    ];
    let same = desk(read, vec![]).same_second;
    assert_eq!(same.len(), 1, "{same:?}");
    assert_eq!(same[0].rows, ["a", "b"]);
    assert_eq!(same[0].says, "2 reports from 2 networks lost it within one second, at 10:00:10 UTC.");
    assert_eq!(same[0].second, "2026-11-21T10:00:10Z");
}

#[test]
fn two_drops_of_one_call_are_not_two_reports() {
    let read = vec![row("a", "Voice service", None, "n", &[10_000, 10_500])];
    assert!(desk(read, vec![]).same_second.is_empty());
}

#[test]
fn rows_are_grouped_by_what_they_share_and_each_is_in_one_group_of_a_kind() {
    let read = vec![
        row("a", "Internet path", Some(60.1), "192.0.2.1", &[1_000]),
        row("b", "Internet path", Some(60.9), "192.0.2.1", &[5_000]),
        row("c", "Internet path", Some(350.0), "192.0.2.2", &[9_000]),
        row("d", "Held", None, "192.0.2.2", &[]),
    ];
    let desk = desk(read, vec![]);
    for by in [GroupBy::Cause, GroupBy::Owner, GroupBy::Interval, GroupBy::Site, GroupBy::Network] {
        let rows: usize = desk.groups.iter().filter(|group| group.by == by).map(|group| group.rows.len()).sum();
        assert_eq!(rows, 4, "{by:?}");
    }
    let titles = |by| desk.groups.iter().filter(|g| g.by == by).map(|g| g.title.as_str()).collect::<Vec<_>>();
    assert_eq!(titles(GroupBy::Interval), ["about 60 s", "about 350 s", "No interval"]);
    assert_eq!(titles(GroupBy::Cause), ["Internet path: quiet connections are ended", "Held"]);
    assert_eq!(desk.groups[0].says, "157.0 s, spread 289.9 s; 2 networks");
    assert_eq!(desk.title, "4 reports");
}

#[test]
fn recordings_of_the_lab_are_laid_beside_each_other_with_what_cannot_be_read() {
    let paths = [
        recording("idler_drops_a_quiet_call"),
        recording("minute_in_which_nothing_happens"),
        "/no/such/file.witness".into(),
    ];
    let desk = OpenedBundles::default().open_many(&paths);
    assert_eq!((desk.rows.len(), desk.problems.len()), (2, 1), "{:?}", desk.problems);
    let idle = desk.rows.iter().find(|row| row.drops > 0).expect("one dropped");
    assert!(idle.interval_s.is_some() && idle.cause == "quiet connections are ended", "{idle:?}");
    let held = desk.rows.iter().find(|row| row.drops == 0).expect("one held");
    assert_eq!((held.owner.as_str(), held.cause.as_str()), ("Held", "nothing lost"));
    assert!(desk.spans.ends_with(" UTC"), "{}", desk.spans);
}

#[test]
fn a_name_that_counts_within_one_recording_is_no_network_that_two_have_in_common() {
    let seen_as = |public: &str| {
        let (local, public) = ("10.0.0.1:1".parse().expect("an address"), public.parse().expect("an address"));
        let net = record::fact::Net::PublicAddress { server: "stun".into(), local, public, before: None };
        let at = record::Stamp::new(0, 0, 0);
        super::network(&record::Log { events: vec![record::Event { seq: 1, at, fact: net.into() }] })
    };
    assert_eq!(seen_as("public-1:7000"), None);
    assert_eq!(seen_as("public-kb7m2qab:7000").as_deref(), Some("public-kb7m2qab"));
    assert_eq!(seen_as("203.0.113.9:7000").as_deref(), Some("203.0.113.9"));
}
