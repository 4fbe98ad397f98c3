//! Verdicts held against deeds, both made up.

use super::*;
use crate::calibrate::between::{End, What};
use crate::calibrate::faults::FAULTS;
use explain::{
    Advice,
    findings::Finding,
    verdict::{Recovery, SCHEMA},
};
use record::Stamp;

const DONE: i64 = 1_795_255_200_000_000;

fn wall(ms_after: i64) -> Wall {
    Wall::from_micros(DONE).plus_micros(ms_after * 1_000)
}

fn fault(id: &str) -> &'static Fault {
    FAULTS.iter().find(|fault| fault.id == id).unwrap()
}

fn deed(what: What) -> Deed {
    Deed { at: Stamp::new(DONE, 50_000_000, 50_000_000), what }
}

fn drop(cause: Cause, owner: Owner, plane: Plane, measured: Measured) -> DropVerdict {
    let advice = Advice { who: String::new(), what: String::new(), retest: String::new(), wrong_if: String::new() };
    DropVerdict {
        id: 1,
        plane,
        last_good: wall(-500),
        first_bad: wall(1),
        declared: wall(2),
        restored: None,
        cause,
        owner,
        confidence: Confidence::Shown,
        measured,
        says: "It was reset.".into(),
        because: vec![],
        ruled_out: vec![],
        not_seen: vec![],
        advice,
        recovery: Recovery { by: None, attempts: 0, took_s: None },
    }
}

fn reset() -> DropVerdict {
    let measured = Measured::default().word("ended", "rst");
    drop(Cause::ConnectionReset, Owner::InternetPath, Plane::Signaling, measured)
}

fn verdict(drops: Vec<DropVerdict>) -> Verdict {
    Verdict {
        schema: SCHEMA,
        complete: true,
        outcome: if drops.is_empty() { Outcome::Held } else { Outcome::Dropped },
        owner: Owner::NotProven,
        headline: String::new(),
        started: wall(-5_000),
        planned_s: 10.0,
        held_s: 10.0,
        drops,
        unconfirmed: None,
        findings: vec![],
        not_tested: vec![],
    }
}

fn judged(id: &str, drops: Vec<DropVerdict>, what: What) -> Judged {
    judge(fault(id), &verdict(drops), &[deed(what)])
}

#[track_caller]
fn wrong(judged: &Judged, why: &str) {
    assert!(!judged.right && judged.complaints.iter().any(|says| says.contains(why)), "{:?}", judged.complaints);
}

const DID: What = What::Ended(End::Reset);

#[test]
fn a_fault_that_was_named_is_right_and_timed_against_the_deed() {
    let judged = judged("reset", vec![reset()], DID);
    assert_eq!((judged.right, judged.complaints.len()), (true, 0));
    let times = judged.times.unwrap();
    assert_eq!((times.onset_error_ms, times.last_good_ms, times.first_bad_ms, times.delay_ms), (1.0, -500.0, 1.0, 2.0));
    assert_eq!(judged.said.unwrap().confidence, Confidence::Shown);
}

#[test]
fn another_cause_or_owner_or_plane_is_not() {
    wrong(&judged("reset", vec![DropVerdict { cause: Cause::HalfOpen, ..reset() }], DID), "named half_open");
    wrong(&judged("reset", vec![DropVerdict { owner: Owner::VoiceService, ..reset() }], DID), "Voice service");
    wrong(&judged("reset", vec![DropVerdict { plane: Plane::Media, ..reset() }], DID), "No loss of signaling");
    wrong(&judged("reset", vec![], DID), "No loss of signaling");
    let also = DropVerdict { plane: Plane::Media, cause: Cause::PathLost, ..reset() };
    wrong(&judged("reset", vec![reset(), also], DID), "A loss of media was named path_lost");
}

#[test]
fn the_right_name_at_the_wrong_time_is_not_right() {
    wrong(&judged("reset", vec![DropVerdict { first_bad: wall(-100), ..reset() }], DID), "outside");
    wrong(&judged("reset", vec![DropVerdict { last_good: wall(100), ..reset() }], DID), "outside");
}

#[test]
fn a_figure_that_is_not_the_truth_is_not_right() {
    let fin = Measured::default().word("ended", "fin");
    wrong(&judged("reset", vec![DropVerdict { measured: fin, ..reset() }], DID), "given as fin, and is rst");
    wrong(&judged("reset", vec![DropVerdict { measured: Measured::default(), ..reset() }], DID), "given as nothing");
}

#[test]
fn a_limit_counts_only_with_its_finding_within_a_second() {
    let what = What::WasQuiet(Duration::from_secs(7));
    let quiet = Measured::default().number("seconds", 7.0);
    let of = |found: Option<f64>| {
        let drop = drop(Cause::IdleTimeout, Owner::InternetPath, Plane::Signaling, quiet.clone());
        let finding = |seconds| Finding {
            id: "idle_limit",
            measured: Measured::default().number("seconds", seconds),
            says: "A device ends them.".into(),
        };
        let verdict = Verdict { findings: found.map(finding).into_iter().collect(), ..verdict(vec![drop]) };
        judge(fault("quiet_limit"), &verdict, &[deed(what)])
    };
    assert!(of(Some(7.9)).right && of(Some(6.1)).right);
    wrong(&of(Some(8.1)), "The limit is 7 s");
    wrong(&of(None), "idle_limit was not found");
}

#[test]
fn a_fault_that_was_never_made_shows_nothing() {
    wrong(&judged("reset", vec![reset()], What::Refused), "Nothing was broken");
}

#[test]
fn where_nothing_is_broken_any_loss_is_wrong() {
    assert!(judged("nothing", vec![], What::FarEnded).right);
    wrong(&judged("nothing", vec![reset()], What::FarEnded), "held");
}

#[test]
fn the_count_is_of_faults_and_the_run_without_one_stands_apart() {
    let all = |named: bool, held: bool| {
        let one = |fault: &'static Fault| match (&fault.expected, named, held) {
            (Some(_), true, _) | (None, _, true) => Judged::of(fault, String::new()),
            _ => Judged::not_played(fault, "a test"),
        };
        Calibration::of(FAULTS.iter().map(one).collect(), wall(0), Duration::from_millis(36_742))
    };
    let right = all(true, true);
    assert_eq!((right.named, right.of, right.held, right.is_right()), (9, 9, true, true));
    assert_eq!((right.took_s, right.to_keep().is_possible()), (36.7, true));
    let alarm = all(true, false);
    assert_eq!((alarm.named, alarm.held, alarm.is_right(), alarm.missed.len()), (9, false, false, 0));
    let none = all(false, true);
    assert_eq!((none.named, none.missed.len(), none.to_keep().is_possible()), (0, 9, true));
}

#[test]
fn the_nine_span_owners_and_planes() {
    let expected: Vec<_> = FAULTS.iter().filter_map(|fault| fault.expected.as_ref()).collect();
    assert_eq!(expected.len(), 9);
    for owner in [Owner::LocalNetwork, Owner::InternetPath, Owner::VoiceService] {
        assert!(expected.iter().any(|expected| expected.owner == owner), "{owner}");
    }
    for plane in [Plane::Signaling, Plane::Media] {
        assert!(expected.iter().any(|expected| expected.plane == plane), "{plane:?}");
    }
    let named: Vec<(Cause, Owner)> = expected.iter().map(|expected| (expected.cause, expected.owner)).collect();
    let again = named.iter().enumerate().find(|(n, one)| named[..*n].contains(one));
    assert_eq!(again, None, "each another cause, or another's doing");
}
