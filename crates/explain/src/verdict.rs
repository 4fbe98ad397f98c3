//! `Verdict`: `verdict.json`. Its field names are a promise.

use crate::{
    Advice, Cause, Confidence, Drop, Owner, Plane, Timeline, Unconfirmed,
    findings::{self, Finding},
    outages,
    rule::{Because, Measured},
    rules::Judgement,
    unconfirmed,
};
use record::fact::EndedBy;
use serde::{Serialize, Serializer};
use ts_rs::TS;

pub(crate) mod headline;
pub(crate) mod not_seen;
mod untested;

use crate::recovery;
pub use crate::recovery::{By, Recovery};
pub use untested::left_out;

pub const SCHEMA: &str = "linewitness.verdict/1";

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Verdict {
    pub schema: &'static str,
    pub outcome: Outcome,
    /// The recording has an end of its own: without one, what came after is not known.
    pub complete: bool,
    pub owner: Owner,
    pub headline: String,
    #[serde(serialize_with = "millis")]
    #[ts(type = "string")]
    pub started: record::Wall,
    #[serde(serialize_with = "rounded")]
    pub planned_s: f64,
    #[serde(serialize_with = "rounded")]
    pub held_s: f64,
    pub drops: Vec<DropVerdict>,
    /// What is not known to have lived to the end, though nothing showed that it was lost.
    pub unconfirmed: Option<Unconfirmed>,
    pub findings: Vec<Finding>,
    pub not_tested: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Held,
    Dropped,
    NotEstablished,
    EndedByUser,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct DropVerdict {
    pub id: usize,
    pub plane: Plane,
    #[serde(serialize_with = "millis")]
    #[ts(type = "string")]
    pub last_good: record::Wall,
    #[serde(serialize_with = "millis")]
    #[ts(type = "string")]
    pub first_bad: record::Wall,
    #[serde(serialize_with = "millis")]
    #[ts(type = "string")]
    pub declared: record::Wall,
    #[serde(serialize_with = "maybe_millis")]
    #[ts(type = "string | null")]
    pub restored: Option<record::Wall>,
    pub cause: Cause,
    pub owner: Owner,
    pub confidence: Confidence,
    pub measured: Measured,
    pub says: String,
    pub because: Vec<Because>,
    pub ruled_out: Vec<RuledOut>,
    pub not_seen: Vec<String>,
    #[serde(rename = "do")]
    pub advice: Advice,
    pub recovery: Recovery,
}

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct RuledOut {
    pub cause: Cause,
    pub says: String,
}

pub(crate) fn verdict(timeline: &Timeline, judged: &[(&Drop, Judgement)]) -> Verdict {
    let blind = not_seen::list(timeline);
    let drops: Vec<DropVerdict> = judged
        .iter()
        .enumerate()
        .map(|(index, (drop, judgement))| DropVerdict {
            id: index + 1,
            plane: drop.plane,
            last_good: drop.last_good.wall,
            first_bad: drop.first_bad.wall,
            declared: drop.declared.wall,
            restored: drop.restored.map(|restored| restored.wall),
            cause: judgement.cause,
            owner: judgement.owner,
            confidence: judgement.confidence,
            measured: judgement.measured.clone(),
            says: judgement.says.clone(),
            because: judgement.because.clone(),
            ruled_out: judgement
                .ruled_out
                .iter()
                .map(|(cause, says)| RuledOut { cause: *cause, says: says.clone() })
                .collect(),
            not_seen: blind.clone(),
            advice: judgement.advice.clone(),
            recovery: recovery::of(timeline, drop),
        })
        .collect();
    let outcome = outcome(timeline, drops.is_empty());
    let findings = findings::find(timeline);
    let unconfirmed = unconfirmed::of(timeline);
    let beside = findings.len() + outages::find(timeline).len();
    Verdict {
        schema: SCHEMA,
        outcome,
        complete: timeline.is_over(),
        owner: headline::main(judged).map_or(Owner::NotProven, |(_, judgement)| judgement.owner),
        headline: headline::of(timeline, outcome, judged, beside, unconfirmed.as_ref()),
        started: timeline.began.wall,
        planned_s: timeline.plan.map_or(0.0, |plan| plan.planned_s),
        held_s: held(timeline).as_secs_f64(),
        drops,
        unconfirmed,
        findings,
        not_tested: untested::list(timeline),
    }
}

fn outcome(timeline: &Timeline, no_drops: bool) -> Outcome {
    let by = timeline.ended.map(|(_, by)| by);
    match (timeline.stood(), no_drops, by) {
        // A person who ends it before anything failed has ended it; after a failure the call was never established.
        (None, true, Some(EndedBy::User)) => Outcome::EndedByUser,
        (None, ..) => Outcome::NotEstablished,
        (Some(_), false, _) => Outcome::Dropped,
        (Some(_), true, Some(EndedBy::User)) => Outcome::EndedByUser,
        (Some(_), true, _) => Outcome::Held,
    }
}

/// From the first media to the end of the hold. While the computer sleeps nothing is counted.
pub(crate) fn held(timeline: &Timeline) -> std::time::Duration {
    timeline.stood().map_or(std::time::Duration::ZERO, |stood| timeline.hold_end().awake_since(stood.stamp))
}

pub(crate) fn millis<S: Serializer>(wall: &record::Wall, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&wall.millis())
}
fn maybe_millis<S: Serializer>(wall: &Option<record::Wall>, to: S) -> Result<S::Ok, S::Error> {
    match wall {
        Some(wall) => millis(wall, to),
        None => to.serialize_none(),
    }
}
/// To the millisecond; what is no number at all is written as zero, because JSON knows none.
fn rounded<S: Serializer>(seconds: &f64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(if seconds.is_finite() { (seconds * 1e3).round() / 1e3 } else { 0.0 })
}
