//! What is claimed of a calibration, and until when.

use super::run::Run;
use crate::{report, story};
use record::{
    Log,
    fact::{Calibrated, Mark},
};

const DAY_US: i64 = 86_400_000_000;

fn said(days_before: i64, change: impl FnOnce(&mut Calibrated)) -> (Option<String>, Log) {
    let run = Run::standing();
    let began = Run::standing().log().events[0].at.wall;
    let at = began.plus_micros(-days_before * DAY_US);
    let mut calibrated = Calibrated { at, app: "0.1.0".into(), named: 9, of: 9, missed: vec![], held: true };
    change(&mut calibrated);
    let log = run.note(Mark::Calibrated(calibrated)).log();
    (story(&log).setup.calibrated, log)
}

#[test]
fn every_report_says_what_was_named_and_when() {
    let (said, log) = said(1, |_| {});
    let said = said.expect("it is not too old");
    assert!(
        said.starts_with("This computer's Linewitness named 9 of 9 known faults on 20") && said.ends_with("."),
        "{said}"
    );
    let story = story(&log);
    assert!(report::ticket(&story).contains(&said));
    let text = report::text(&story, &jiff::tz::TimeZone::UTC, 100).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&said), "{text}");
    assert!(story.rows.iter().any(|row| row.text.contains("9 of 9 known faults were named")));
}

#[test]
fn what_was_not_named_is_said_too() {
    let (missed, _) = said(0, |c| (c.named, c.missed) = (7, vec!["reset".into(), "login".into()]));
    assert!(missed.expect("said").contains("named 7 of 9 known faults"));
    let (missed, _) = said(0, |c| (c.named, c.missed, c.held) = (8, vec!["reset".into()], false));
    assert!(missed.expect("said").ends_with(", and not: reset; where nothing was broken it named a loss."));
}

#[test]
fn one_that_is_too_old_or_cannot_be_is_not_claimed() {
    assert!(said(30, |_| {}).0.is_some());
    assert_eq!(said(31, |_| {}).0, None);
    assert_eq!(said(-1, |_| {}).0, None, "of a day to come");
    assert_eq!(said(1, |c| c.named = 10).0, None);
    assert_eq!(said(1, |c| c.of = 4_000_000_000).0, None);
}
