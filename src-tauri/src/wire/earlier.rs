//! What this computer keeps of its runs.

use super::Line;
use serde::Serialize;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct EarlierRuns {
    /// The latest first.
    pub runs: Vec<EarlierRun>,
    /// "12 runs, 34 MB"
    pub title: String,
    /// What is cleared away, and when.
    pub limit: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct EarlierRun {
    pub run: String,
    pub name: String,
    /// UTC, as RFC 3339.
    pub started: String,
    pub stands: Stands,
    /// "15 min"; nothing where no report says it.
    pub held: Option<String>,
    pub says: String,
    pub size: String,
    pub line: Option<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Its report can be opened.
    Kept,
    /// It broke off, and its report can be made.
    BrokenOff,
    /// It goes on.
    Live,
    /// Its report is not where it was saved.
    Gone,
}
