//! What rows have in common. Pure.

use super::Read;
use crate::wire::{DeskGroup, DeskRow, GroupBy, SameSecond};
use record::Wall;
use std::collections::BTreeMap;

/// Clocks of computers that are set by the same network differ by less.
const SAME_US: i64 = 1_000_000;
/// Limits that are set by one device are measured this closely.
const SAME_LIMIT_S: f64 = 2.0;

pub fn groups(read: &[Read]) -> Vec<DeskGroup> {
    let rows: Vec<&DeskRow> = read.iter().map(|read| &read.row).collect();
    let held = |row: &DeskRow| row.drops == 0;
    let by_cause = by(GroupBy::Cause, &rows, |row| match (held(row), row.confidence.as_str()) {
        (true, _) => row.owner.clone(),
        (false, _) if row.owner == row.cause => row.owner.clone(),
        (false, _) => format!("{}: {}", row.owner, row.cause),
    });
    let by_owner = by(GroupBy::Owner, &rows, |row| row.owner.clone());
    let by_site = by(GroupBy::Site, &rows, |row| row.site.clone().unwrap_or_else(|| "No name".into()));
    let by_network = by(GroupBy::Network, &rows, |row| row.network.clone().unwrap_or_else(|| "Not known".into()));
    let limits = limits(&rows);
    let by_interval = by(GroupBy::Interval, &rows, |row| match row.interval_s {
        None => "No interval".into(),
        Some(s) => limits
            .iter()
            .find(|limit| (**limit - s).abs() <= SAME_LIMIT_S)
            .map_or_else(|| near(s), |limit| near(*limit)),
    });
    [by_cause, by_owner, by_interval, by_site, by_network].concat()
}

fn near(seconds: f64) -> String {
    format!("about {seconds:.0} s")
}

/// One of each that are alike: the lowest of them.
fn limits(rows: &[&DeskRow]) -> Vec<f64> {
    let mut all: Vec<f64> = rows.iter().filter_map(|row| row.interval_s).collect();
    all.sort_by(f64::total_cmp);
    all.dedup_by(|later, first| *later - *first <= SAME_LIMIT_S);
    all
}

/// The largest first; what was held, or is not known, last.
fn by(by: GroupBy, rows: &[&DeskRow], title: impl Fn(&DeskRow) -> String) -> Vec<DeskGroup> {
    let mut found: BTreeMap<String, Vec<&DeskRow>> = BTreeMap::new();
    for row in rows {
        found.entry(title(row)).or_default().push(row);
    }
    let mut groups: Vec<DeskGroup> = found
        .into_iter()
        .map(|(title, rows)| DeskGroup {
            by,
            title,
            says: says(&rows),
            rows: rows.iter().map(|row| row.id.clone()).collect(),
        })
        .collect();
    let last = |group: &DeskGroup| matches!(group.title.as_str(), "Held" | "No interval" | "No name" | "Not known");
    groups.sort_by_key(|group| (last(group), std::cmp::Reverse(group.rows.len())));
    groups
}

/// "60.1 s, spread 0.3 s; 2 networks"
fn says(rows: &[&DeskRow]) -> String {
    let intervals: Vec<f64> = rows.iter().filter_map(|row| row.interval_s).collect();
    let mut parts = Vec::new();
    if let (Some(least), Some(most)) =
        (intervals.iter().copied().reduce(f64::min), intervals.iter().copied().reduce(f64::max))
    {
        let mean = intervals.iter().sum::<f64>() / intervals.len() as f64;
        parts.push(format!("{mean:.1} s, spread {:.1} s", most - least));
    }
    let count = |what: &str, values: Vec<&str>| {
        let mut values = values;
        values.sort_unstable();
        values.dedup();
        match values.as_slice() {
            [] => None,
            [only] => Some((*only).to_owned()),
            many => Some(format!("{} {what}", many.len())),
        }
    };
    parts.extend(count("networks", rows.iter().filter_map(|row| row.network.as_deref()).collect()));
    if rows.iter().any(|row| row.drops > 0) {
        parts.extend(
            count("causes", rows.iter().map(|row| row.cause.as_str()).collect())
                .filter(|says| says.ends_with(" causes")),
        );
    }
    parts.join("; ")
}

/// Drops of several computers that can have begun in one second: who shares it has one cause.
pub fn same_second(read: &[Read]) -> Vec<SameSecond> {
    let mut drops: Vec<(Wall, &DeskRow)> =
        read.iter().flat_map(|read| read.drops.iter().map(move |drop| (drop.first_bad, &read.row))).collect();
    drops.sort_by_key(|(at, row)| (at.micros(), row.id.clone()));
    let mut found = Vec::new();
    let mut rest = drops.as_slice();
    while let Some((first, _)) = rest.first() {
        let together = rest.partition_point(|(at, _)| at.micros() - first.micros() <= SAME_US);
        let (now, later) = rest.split_at(together);
        rest = later;
        let mut rows: Vec<&DeskRow> = now.iter().map(|(_, row)| *row).collect();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows.dedup_by(|a, b| a.id == b.id);
        if rows.len() > 1 {
            found.push(same(*first, &rows));
        }
    }
    found
}

fn same(at: Wall, rows: &[&DeskRow]) -> SameSecond {
    let mut networks: Vec<&str> = rows.iter().filter_map(|row| row.network.as_deref()).collect();
    networks.sort_unstable();
    networks.dedup();
    let from = match networks.len() {
        0 => String::new(),
        1 => " from one network".into(),
        n => format!(" from {n} networks"),
    };
    let utc = at.timestamp().strftime("%H:%M:%S").to_string();
    SameSecond {
        second: at.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        says: format!("{} reports{from} lost it within one second, at {utc} UTC.", rows.len()),
        rows: rows.iter().map(|row| row.id.clone()).collect(),
    }
}
