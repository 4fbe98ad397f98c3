//! The runs that this computer keeps: what became of each, what they take of the disk, and what is cleared away.

use crate::opened::untitled;
use crate::wire::{EarlierRun, EarlierRuns, Failure, Line, Stands};
use desk::kept::{self, Entry, Limit};
use engine::runs::State;
use record::Wall;
use serde_json::Value;
use std::time::Duration;

pub fn list() -> Result<EarlierRuns, Failure> {
    let entries = kept::all()?;
    let size = kept::size(entries.iter().map(|entry| entry.bytes).sum());
    let title = match entries.len() {
        0 => "No runs are kept".to_owned(),
        1 => format!("1 run, {size}"),
        n => format!("{n} runs, {size}"),
    };
    Ok(EarlierRuns { runs: entries.iter().rev().map(run).collect(), title, limit: limit(kept::limit()?) })
}

/// Gives a sentence where something of it stays.
pub fn delete(run: &str) -> Result<Option<String>, Failure> {
    let elsewhere = kept::delete(run)?;
    Ok(elsewhere
        .map(|bundle| format!("The run is deleted. The report that was saved elsewhere stays: {}", bundle.display())))
}

fn run(entry: &Entry) -> EarlierRun {
    let stands = match (entry.state, &entry.bundle) {
        (State::Live, _) => Stands::Live,
        (_, Some(_)) => Stands::Kept,
        (State::BrokenOff, None) => Stands::BrokenOff,
        (State::Bundled, None) => Stands::Gone,
    };
    // Of one without a report the whole log would have to be read.
    let verdict = entry.verdict().filter(|_| stands == Stands::Kept);
    let headline = verdict.as_ref().and_then(|verdict| verdict["headline"].as_str()).map(str::to_owned);
    let held = verdict.as_ref().and_then(|verdict| verdict["held_s"].as_f64());
    let says = match stands {
        Stands::Kept => headline.unwrap_or_else(|| "Its report is kept.".into()),
        Stands::BrokenOff => "It broke off: the program or the computer ended. What it saw is kept.".into(),
        Stands::Live => "It goes on.".into(),
        Stands::Gone => "Its report is not where it was saved.".into(),
    };
    EarlierRun {
        run: entry.run.to_string(),
        name: untitled(entry.name()),
        started: entry.started.millis(),
        stands,
        held: held.map(|seconds| explain::planned(Duration::from_secs(seconds.round() as u64))),
        says,
        size: kept::size(entry.bytes),
        line: verdict.map(|verdict| line(&verdict, entry.started)),
    }
}

/// From the verdict alone: the whole log would take as long as opening it.
pub fn line(verdict: &Value, began: Wall) -> Line {
    let number = |name: &str| verdict[name].as_f64().unwrap_or_default();
    let end = number("held_s");
    let lost = verdict["drops"].as_array().into_iter().flatten().filter_map(|drop| {
        let at = |name: &str| {
            let wall: jiff::Timestamp = drop[name].as_str()?.parse().ok()?;
            Some((wall.as_microsecond() - began.micros()) as f64 / 1e6)
        };
        Some((at("last_good")?, at("restored").unwrap_or(end)))
    });
    Line { planned_s: number("planned_s"), held_s: end, lost: lost.collect(), asleep: vec![] }
}

fn limit(limit: Limit) -> String {
    let never = kept::NEVER;
    let stay = format!("the last {never} always stay");
    match (limit.bytes.map(kept::size), limit.days) {
        (None, None) => "Nothing is cleared away by itself.".into(),
        (Some(size), None) => {
            format!("When a call ends, the oldest runs are cleared away until all take no more than {size}; {stay}.")
        }
        (None, Some(days)) => format!("When a call ends, runs older than {days} days are cleared away; {stay}."),
        (Some(size), Some(days)) => format!(
            "When a call ends, runs older than {days} days are cleared away, and the oldest until all take no more than {size}; {stay}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cleared_away_is_said_as_it_is_set() {
        let says = |text| limit(Limit::parse(text).expect("a limit"));
        assert_eq!(
            says("500MB,90d"),
            "When a call ends, runs older than 90 days are cleared away, and the oldest until all take no more than 500 MB; the last 5 always stay."
        );
        assert!(says("7d").contains("older than 7 days") && !says("7d").contains("until"));
        assert!(says("2GB").contains("2 GB") && !says("2GB").contains("days"));
        assert_eq!(says("all"), "Nothing is cleared away by itself.");
    }

    #[test]
    fn a_run_that_nobody_knows_is_not_deleted() {
        assert!(delete("../../etc").expect_err("no run").says.contains("no run is named"));
    }
}
