//! chrome://webrtc-internals, "Create a WebRTC-Internals dump": one JSON object. Each figure of each report is a series of its
//! own, whose values stand as JSON in a text. Chromium keeps the last thousand values of each. Since version 117 each report
//! has a series of the times it was made at; of late an entry of the log has its time as a number, and before as the words of
//! some place's clock, without a zone.

use crate::Refusal;
use crate::seen::{self, Connection, Dump, MOST_CONNECTIONS, MOST_LOOKS};
use crate::stats::{Grown, Kind, Look, Report, Stats};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub const FORMAT: &str = "webrtc-internals";

#[derive(Deserialize)]
struct File {
    #[serde(rename = "PeerConnections")]
    connections: BTreeMap<String, Recorded>,
    #[serde(rename = "UserAgent", default)]
    by: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    #[serde(default)]
    stats: BTreeMap<String, Series>,
    #[serde(default)]
    update_log: Vec<Update>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    #[serde(default)]
    start_time: Value,
    #[serde(default)]
    end_time: Value,
    #[serde(default)]
    stats_type: Value,
    #[serde(default)]
    values: Value,
}

#[derive(Deserialize)]
struct Update {
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    time: Value,
    #[serde(default, rename = "type")]
    kind: Value,
    #[serde(default)]
    value: Value,
}

pub fn read(dump: &[u8]) -> Result<Dump, Refusal> {
    let file: File = serde_json::from_slice(dump).map_err(|error| match error.classify() {
        // Some other JSON.
        serde_json::error::Category::Data => Refusal::Unknown,
        _ => Refusal::Broken { format: FORMAT, why: format!("line {} is not whole", error.line()) },
    })?;
    let connections = file.connections.into_values().take(MOST_CONNECTIONS).map(connection).collect();
    Ok(Dump { format: FORMAT, by: file.by.as_str().unwrap_or_default().to_owned(), connections })
}

fn connection(recorded: Recorded) -> Connection {
    let mut seen = Connection::default();
    for update in &recorded.update_log {
        let Some(kind) = update.kind.as_str() else { continue };
        let state = match kind {
            "iceconnectionstatechange" | "oniceconnectionstatechange" => {
                update.value.as_str().and_then(seen::ice_state)
            }
            _ => None,
        };
        let closed = matches!(kind, "close" | "stop");
        if state.is_none() && !closed {
            continue;
        }
        match time_of(&update.timestamp).or_else(|| time_of(&update.time)) {
            Some(at) if closed => seen.closed = seen.closed.or(Some(at)),
            Some(at) => seen.state(at, state),
            None => seen.without_zone += 1,
        }
    }
    (seen.looks, seen.evenly) = looks(&recorded.stats);
    seen
}

/// A number, or words that say their zone.
fn time_of(value: &Value) -> Option<f64> {
    let words = || value.as_str()?.parse::<jiff::Timestamp>().ok().map(|at| at.as_microsecond() as f64 / 1e3);
    value.as_f64().or_else(words).and_then(seen::time)
}

/// The series turned into looks: what was told at the same time is one. Gives too whether their times were made up.
fn looks(series: &BTreeMap<String, Series>) -> (Vec<Look>, bool) {
    let mut at: BTreeMap<i64, Stats> = BTreeMap::new();
    let mut evenly = false;
    let mut reports = 0;
    let mut times_of: BTreeMap<&str, Option<Vec<f64>>> = BTreeMap::new();
    let step = step(series);
    for (key, one) in series {
        let Some((id, name)) = key.rsplit_once('-').filter(|(_, name)| Report::knows(name)) else { continue };
        let Some(values) = values(one) else { continue };
        let times = times_of.entry(id).or_insert_with(|| {
            let times = series.get(&format!("{id}-timestamp")).and_then(values_of_times);
            times.filter(|times| !times.is_empty())
        });
        let kind = one.stats_type.as_str().map_or(Kind::Other, Kind::of);
        evenly |= times.is_none() && kind != Kind::Other;
        let made_up = if times.is_none() { made_up(one, values.len(), step) } else { Vec::new() };
        let times = times.as_ref().unwrap_or(&made_up);
        // Both lists end with the latest: one that lacks its beginning is aligned by its end.
        let shift = times.len().saturating_sub(values.len());
        for (value, time) in values.iter().zip(&times[shift..]) {
            let Some(time) = seen::time(*time) else { continue };
            // Of one look; to the millisecond they are the same.
            let stats = at.entry(time.round() as i64).or_default();
            if !stats.contains_key(id) {
                reports += 1;
                if reports > MOST_TOLD {
                    continue;
                }
                stats.insert(id.to_owned(), Report { kind, ..Report::default() });
            }
            stats.get_mut(id).map(|report| report.take(name, value));
        }
    }
    let mut before = Stats::new();
    let looks = at.into_iter().take(MOST_LOOKS).map(|(at, stats)| {
        let mut grown = Grown::default();
        stats.iter().for_each(|(id, report)| grown.add(before.get(id), report));
        let look = Look::new(at as f64, &stats, grown);
        before = stats;
        look
    });
    (looks.collect(), evenly)
}

/// Of all looks together: the thousand that Chromium keeps, of three hundred reports each.
const MOST_TOLD: usize = 300_000;

fn values(series: &Series) -> Option<Vec<Value>> {
    let mut values: Vec<Value> = serde_json::from_str(series.values.as_str()?).ok()?;
    values.truncate(MOST_LOOKS);
    Some(values)
}

fn values_of_times(series: &Series) -> Option<Vec<f64>> {
    Some(values(series)?.iter().map(|time| time.as_f64().unwrap_or(f64::NAN)).collect())
}

/// Where no report says when it was made: how far apart the looks lay, by the series with most values.
fn step(series: &BTreeMap<String, Series>) -> f64 {
    let longest = series.values().filter_map(|one| Some((values(one)?.len(), one))).max_by_key(|(count, _)| *count);
    let step = longest.and_then(|(count, one)| {
        let (start, end) = (time_of(&one.start_time)?, time_of(&one.end_time)?);
        (count > 1 && end > start).then(|| (end - start) / (count - 1) as f64)
    });
    step.unwrap_or(1_000.0)
}

/// Evenly between the first and the last, on a grid that all series share.
fn made_up(series: &Series, count: usize, step: f64) -> Vec<f64> {
    let Some(start) = time_of(&series.start_time) else { return Vec::new() };
    let first = (start / step).round() * step;
    (0..count).map(|place| first + place as f64 * step).collect()
}
