//! How runs become figures, on runs made up for it.

use super::*;
use crate::scenario::Deed;

fn row(cause: Option<&str>, label: Label, onset: Option<f64>) -> Row {
    Row {
        plane: Plane::Media,
        cause: cause.map(str::to_owned),
        said: Some("path_lost".into()),
        told_by: None,
        deed: None,
        sparse: false,
        label,
        shown_and_wrong: false,
        onset_error_ms: onset,
        outside_ms: None,
        delay_ms: onset,
        recovery_error_ms: None,
        recovered_after_ms: None,
    }
}

fn run(null: bool, held_s: f64, rows: Vec<Row>) -> Run {
    let judged = Judged { rows, complaints: vec![] };
    Run { scenario: "a".into(), runner: Runner::Sim, seed: 1, null, held_s, judged, failed: None }
}

#[test]
fn a_percentile_is_one_of_the_measurements() {
    let figures = Figures::of((1..=20).map(f64::from).collect()).expect("there are some");
    assert_eq!((figures.p50, figures.p95, figures.max), (10.0, 19.0, 20.0));
    assert_eq!(Figures::of(vec![7.0]), Some(Figures { count: 1, p50: 7.0, p95: 7.0, max: 7.0 }));
    assert_eq!(Figures::of(vec![]), None);
}

#[test]
fn wrong_costs_five_times_not_proven_and_a_false_drop_as_much() {
    let of = |label| Score::of(&[run(false, 30.0, vec![row(Some("slept"), label, None)])]).cost;
    assert_eq!(of(Label::Exact), 0.0);
    assert_eq!(of(Label::Wrong), 5.0 * of(Label::NotProven));
    let false_drop = run(true, 30.0, vec![row(None, Label::FalseDrop, None)]);
    assert_eq!(Score::of(&[false_drop]).cost, of(Label::Wrong));
}

#[test]
fn false_drops_are_counted_by_the_day_of_null_time_alone() {
    let quiet = || run(true, 1_800.0, vec![]);
    let broken = run(false, 7_200.0, vec![row(Some("path_lost"), Label::Exact, Some(12.0))]);
    let one = run(true, 1_800.0, vec![row(None, Label::FalseDrop, None)]);
    let score = Score::of(&[quiet(), one, broken]);
    assert_eq!((score.null_runs, score.null_hours, score.false_drops), (2, 1.0, 1));
    assert_eq!(score.false_drops_a_day, Some(24.0));
    assert_eq!(score.overall.drops, 1, "a drop that never was is none of the causes'");
    assert_eq!(score.accuracy(), Some(1.0));
}

#[test]
fn what_could_not_be_played_counts_for_nothing_and_is_told() {
    let mut void = run(false, 30.0, vec![row(Some("path_lost"), Label::Missed, None)]);
    void.failed = Some("void: it touched no packet".into());
    let score = Score::of(&[void]);
    assert_eq!((score.failed, score.overall.drops, score.accuracy()), (1, 0, None));
    assert!(score.complaints.iter().any(|said| said.contains("void")), "{:?}", score.complaints);
}

#[test]
fn the_table_has_a_line_for_each_cause_and_one_for_all() {
    let rows =
        vec![row(Some("path_lost"), Label::Exact, Some(12.0)), row(Some("link_down"), Label::Wrong, Some(31_000.0))];
    let text = Score::of(&[run(false, 30.0, rows)]).to_string();
    let line = |begins: &str| text.lines().find(|line| line.starts_with(&format!("| {begins}"))).map(str::to_owned);
    assert!(line("path_lost").is_some_and(|line| line.contains("12 ms/12 ms/12 ms")), "{text}");
    assert!(line("link_down").is_some_and(|line| line.contains("31.0 s")), "{text}");
    assert!(line("all").is_some_and(|line| line.contains("| 2 ")), "{text}");
    let widths: BTreeSet<usize> =
        text.lines().take_while(|line| line.starts_with('|')).map(|l| l.chars().count()).collect();
    assert_eq!(widths.len(), 1, "{text}");
}

#[test]
fn a_promise_is_kept_broken_or_not_tried() {
    let soon = Row { deed: Some(Deed::BlackHole), ..row(Some("path_lost"), Label::Exact, Some(12.0)) };
    let late = Row { delay_ms: Some(900.0), ..soon.clone() };
    let sparse = Row { sparse: true, ..late.clone() };
    let met = |rows: Vec<Row>, what: &str| {
        let score = Score::of(&[run(false, 30.0, rows)]);
        score.goals.iter().find(|goal| goal.what == what).expect("it is promised").is_met()
    };
    let known = "lost media known after, p95";
    assert_eq!(met(vec![soon.clone()], known), Some(true));
    assert_eq!(met(vec![soon.clone(), late], known), Some(false));
    assert_eq!(met(vec![soon.clone(), sparse], known), Some(true), "who hears little is told of by itself");
    assert_eq!(met(vec![], known), None);
    assert_eq!(met(vec![row(None, Label::FalseDrop, None)], "drops where nothing was broken"), Some(true));
    assert_eq!(met(vec![soon], "causes right"), Some(true));
}
