//! `Score`: many scenarios, each played once or more, in figures: how often the cause was right, how exact the times were,
//! how soon it was known, and what was said where nothing was.

use crate::judge::{Judged, Label, Row, judge};
use crate::scenario::{Runner, Scenario, ending::Plane};
use crate::truth::Played;
use anyhow::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

mod figures;
mod goals;
#[cfg(target_os = "linux")]
pub mod report;
pub(crate) mod table;

pub use figures::Figures;
pub use goals::Goal;

/// One scenario, played once.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub scenario: String,
    pub runner: Runner,
    pub seed: u64,
    /// Nothing was broken, or nothing that matters.
    pub null: bool,
    pub held_s: f64,
    pub judged: Judged,
    /// It could not be played, or was void: it counts for nothing else.
    pub failed: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Score {
    pub runs: usize,
    pub failed: usize,
    pub overall: Tally,
    /// By cause and plane.
    pub causes: Vec<(String, Plane, Tally)>,
    /// By how the end was told, where a time was measured.
    pub tellings: Vec<(String, Tally)>,
    pub null_runs: usize,
    pub null_hours: f64,
    /// In runs where nothing was broken.
    pub false_drops: usize,
    pub false_drops_a_day: Option<f64>,
    /// Of all rows; the best is none. Wrong costs five times not proven.
    pub cost: f64,
    /// What is promised, and what it is.
    pub goals: Vec<Goal>,
    /// What was not well, each a sentence with its scenario and seed.
    pub complaints: Vec<String>,
}

/// What was said of drops that really were.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    pub drops: usize,
    pub exact: usize,
    pub right_owner: usize,
    pub not_proven: usize,
    pub wrong: usize,
    pub missed: usize,
    pub shown_and_wrong: usize,
    /// The truth lay outside of what was said to hold it.
    pub outside: usize,
    pub onset_error_ms: Option<Figures>,
    pub delay_ms: Option<Figures>,
    pub recovery_error_ms: Option<Figures>,
    pub recovered_after_ms: Option<Figures>,
}

/// To say nothing is better than to say what is not so.
const WRONG_COSTS: f64 = 5.0;
const NOT_PROVEN_COSTS: f64 = 1.0;

impl Score {
    pub fn of(runs: &[Run]) -> Self {
        let played: Vec<&Run> = runs.iter().filter(|run| run.failed.is_none()).collect();
        let rows: Vec<&Row> = played.iter().flat_map(|run| &run.judged.rows).collect();
        let real: Vec<&Row> = rows.iter().copied().filter(|row| row.cause.is_some()).collect();
        let null: Vec<&&Run> = played.iter().filter(|run| run.null).collect();
        let null_hours = null.iter().map(|run| run.held_s).sum::<f64>() / 3600.0;
        let false_drops = null.iter().flat_map(|run| &run.judged.rows).count();
        let causes: BTreeSet<(&str, Plane)> =
            real.iter().filter_map(|row| row.cause.as_deref().zip(Some(row.plane))).collect();
        let causes = causes.into_iter().map(|(cause, plane)| {
            let of_it = real.iter().copied().filter(|row| row.cause.as_deref() == Some(cause) && row.plane == plane);
            (cause.to_owned(), plane, Tally::of(of_it))
        });
        let mut tellings: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in real.iter().copied().filter(|row| row.onset_error_ms.is_some()) {
            tellings.entry(row.told_by.as_deref().unwrap_or("silence")).or_default().push(row);
        }
        let mut score = Self {
            runs: runs.len(),
            failed: runs.len() - played.len(),
            overall: Tally::of(real.iter().copied()),
            causes: causes.collect(),
            tellings: tellings.into_iter().map(|(by, rows)| (by.to_owned(), Tally::of(rows))).collect(),
            null_runs: null.len(),
            null_hours,
            false_drops,
            false_drops_a_day: (null_hours > 0.0).then(|| false_drops as f64 / null_hours * 24.0),
            cost: cost(&rows),
            goals: Vec::new(),
            complaints: runs.iter().flat_map(Run::complaints).collect(),
        };
        score.goals = goals::goals(&score, &rows);
        score
    }

    /// Of what was said of drops that really were; nothing where there were none.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.overall.exact, self.overall.drops)
    }
}

impl Run {
    /// A drop that never was, a cause *shown* that was another, or a moment that was elsewhere.
    pub fn says_what_is_not_so(&self) -> bool {
        let false_row = |row: &Row| row.cause.is_none() || row.shown_and_wrong || row.outside_ms.is_some();
        self.judged.rows.iter().any(false_row)
    }

    pub fn of(scenario: &Scenario, runner: Runner, seed: u64, played: &Result<Played>) -> Self {
        let (judged, held_s, failed) = match played {
            Ok(played) => (judge(scenario, played), played.verdict.held_s, None),
            Err(error) => (Judged::default(), 0.0, Some(format!("{error:#}"))),
        };
        Self { scenario: scenario.name.clone(), runner, seed, null: scenario.is_null(), held_s, judged, failed }
    }

    /// Everything about it that is not as it should be.
    pub fn complaints(&self) -> Vec<String> {
        let about = |what: &str| format!("{} (seed {}): {what}", self.scenario, self.seed);
        let rows = self.judged.rows.iter().filter(|row| row.label != Label::Exact);
        let rows = rows.map(|row| {
            let (is, should) = (row.said.as_deref().unwrap_or("nothing"), row.cause.as_deref().unwrap_or("nothing"));
            about(&format!("of {} it said {is}, and not {should}", row.plane.name()))
        });
        let others = self.judged.complaints.iter().chain(&self.failed).map(|what| about(what));
        rows.chain(others).collect()
    }
}

impl Tally {
    fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let rows: Vec<&Row> = rows.into_iter().collect();
        let count = |label| rows.iter().filter(|row| row.label == label).count();
        let figures = |pick: fn(&Row) -> Option<f64>| Figures::of(rows.iter().filter_map(|row| pick(row)).collect());
        Self {
            drops: rows.len(),
            exact: count(Label::Exact),
            right_owner: count(Label::RightOwner),
            not_proven: count(Label::NotProven),
            wrong: count(Label::Wrong),
            missed: count(Label::Missed),
            shown_and_wrong: rows.iter().filter(|row| row.shown_and_wrong).count(),
            outside: rows.iter().filter(|row| row.outside_ms.is_some()).count(),
            onset_error_ms: figures(|row| row.onset_error_ms),
            delay_ms: figures(|row| row.delay_ms),
            recovery_error_ms: figures(|row| row.recovery_error_ms),
            recovered_after_ms: figures(|row| row.recovered_after_ms),
        }
    }
}

/// Between nothing and five, each row alike.
fn cost(rows: &[&Row]) -> f64 {
    let one = |row: &&Row| match row.label {
        Label::Exact => 0.0,
        Label::NotProven | Label::Missed | Label::RightOwner => NOT_PROVEN_COSTS,
        Label::Wrong | Label::FalseDrop => WRONG_COSTS,
    };
    rows.iter().map(one).sum::<f64>() / rows.len().max(1) as f64
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
