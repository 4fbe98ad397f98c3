//! Every rule is tested by a log and its sentences: `check(log, expected)`. `Run` writes such logs in words.

mod any;
mod calibrated;
mod computer;
mod forged_lanes;
mod limits;
mod network;
mod nulls;
mod path;
mod recovering;
mod reports;
pub(crate) mod run;
mod sceptic;
mod service;
mod start;
mod timers;
mod verdicts;

use crate::{Story, drops, report, story, timeline::Timeline};
use record::Log;
use run::Run;

/// One line for each drop: `plane cause owner confidence: sentence`.
fn check(run: Run, expected: &[&str]) -> Story {
    let log = run.log();
    let told = checked(&log);
    let lines: Vec<String> = told
        .head
        .drops
        .iter()
        .map(|drop| {
            let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let [plane, cause, owner, confidence] = [
                serde_json::to_value(drop.plane),
                serde_json::to_value(drop.cause),
                serde_json::to_value(drop.owner),
                serde_json::to_value(drop.confidence),
            ]
            .map(|value| word(value.expect("an enum is a word")));
            format!("{plane} {cause} {owner} {confidence}: {}", drop.says)
        })
        .collect();
    assert_eq!(lines, expected, "\n{}", serde_json::to_string_pretty(&told.head).expect("a verdict can be written"));
    told
}

/// What must hold of the story of any log at all.
fn checked(log: &Log) -> Story {
    let mut timeline = Timeline::read(log);
    timeline.drops = drops::find(&timeline);
    for drop in &timeline.drops {
        assert!(drop.last_good <= drop.first_bad && drop.first_bad <= drop.declared, "{drop:?}");
    }
    let told = story(log);
    for drop in &told.head.drops {
        assert!(!drop.because.is_empty(), "a cause without evidence: {}", drop.says);
        for because in &drop.because {
            assert!(log.events.iter().any(|event| event.seq == because.seq), "no event {}", because.seq);
        }
    }
    let again = story(log);
    let json = |story: &Story| serde_json::to_string(story).expect("a story can be written");
    assert_eq!(json(&told), json(&again), "the same log must tell the same story");
    let texts = [report::svg(&told), report::ticket(&told), report::text(&told, &jiff::tz::TimeZone::UTC, 80)];
    for text in texts.into_iter().chain([report::admin(&told, 80)]).chain(report::retest(&told, None)) {
        assert!(!text.contains("NaN"), "{text}");
    }
    told
}
