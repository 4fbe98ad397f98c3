//! Many bundles beside each other.

use super::Line;
use serde::Serialize;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "desk.ts")]
pub struct Desk {
    /// "24 reports", and the days and hours they cover.
    pub title: String,
    pub spans: String,
    pub rows: Vec<DeskRow>,
    pub groups: Vec<DeskGroup>,
    pub same_second: Vec<SameSecond>,
    /// A file that could not be read, a sentence each.
    pub problems: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct DeskRow {
    pub id: String,
    pub path: String,
    pub name: String,
    /// UTC, as RFC 3339.
    pub started: String,
    /// When the first drop was: UTC, as RFC 3339.
    pub first_lost: Option<String>,
    pub outcome: String,
    pub owner: String,
    pub cause: String,
    pub confidence: String,
    pub drops: usize,
    pub interval_s: Option<f64>,
    pub site: Option<String>,
    pub network: Option<String>,
    pub headline: String,
    pub line: Line,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    Cause,
    Owner,
    Interval,
    Site,
    Network,
}

/// Rows that have one thing in common. Each row is in one group of each kind.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct DeskGroup {
    pub by: GroupBy,
    pub title: String,
    pub says: String,
    pub rows: Vec<String>,
}

/// Drops of several runs within one second.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "desk.ts")]
pub struct SameSecond {
    /// UTC, as RFC 3339, to the second.
    pub second: String,
    pub says: String,
    pub rows: Vec<String>,
}
