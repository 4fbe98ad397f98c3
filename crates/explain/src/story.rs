//! `Story`: everything that is drawn. Head, rows, lanes, drops, curves; words are finished, nothing is left to interpret.

use crate::{
    Cause, Drop, Outcome, Plane, Rule, Timeline, Verdict, drops, limits, one_clock, outages,
    report::page::{self, Page},
    rows::{self, Row},
    rules::{self, Judgement, RULES},
    timeline::PauseKind,
    verdict, words,
};
use record::{Log, Seq, Stamp, Wall};
use serde::Serialize;
use ts_rs::TS;

mod lanes;
mod series;

pub(crate) use lanes::lane_of;
pub use lanes::{LaneView, Mark, MarkKind, Rung, Span, SpanState, StateWords};
pub use series::{Point, Series};

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Story {
    pub head: Verdict,
    /// Parts of the headline that stand apart from the cause: a recording that breaks off, a self-test.
    pub notes: Vec<String>,
    pub page: Page,
    pub setup: Setup,
    pub axis: Axis,
    pub lanes: Vec<LaneView>,
    pub drops: Vec<Region>,
    pub pauses: Vec<PauseView>,
    /// Who did not answer beside the call while the call went on: finished sentences.
    pub outages: Vec<String>,
    pub rows: Vec<Row>,
    /// The events that a verdict's sentences rest on, also those that are not listed.
    pub evidence: Vec<Row>,
    pub series: Series,
}

/// What the run set out to do.
#[derive(Clone, PartialEq, Debug, Default, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Setup {
    pub name: String,
    pub kind: String,
    pub to: String,
    pub self_test: bool,
    pub heartbeat_every_s: Option<f64>,
    /// The last signaling connection and media path, as a device's log shows them.
    pub signaling_flow: Option<String>,
    pub media_flow: Option<String>,
    pub session: Option<String>,
    /// What this program was shown to name, where it was calibrated lately: a finished sentence.
    pub calibrated: Option<String>,
}

/// Seconds on the clock that runs through sleep; 0 is the first event.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Axis {
    #[ts(type = "string")]
    pub from: Wall,
    pub length_s: f64,
}

/// A drop on the axis.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Region {
    pub id: usize,
    pub plane: Plane,
    pub cause: Cause,
    pub last_good: f64,
    pub first_bad: f64,
    pub declared: f64,
    pub restored: Option<f64>,
    pub seq: Seq,
    /// Between last proof of life and first sign of death: "12.9 s".
    pub between: String,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct PauseView {
    pub slept: bool,
    pub from: f64,
    pub to: f64,
}

/// Of a log that is whole: a file, or a run that has ended.
pub fn story(log: &Log) -> Story {
    story_by(RULES, log)
}

/// By these rules alone: what is told otherwise without one of them is what it is needed for.
pub fn story_by(rules: &[&'static Rule], log: &Log) -> Story {
    read(log, |timeline| tell(rules, timeline))
}

/// Of a run that goes on: that its log has no end yet says nothing.
pub fn story_so_far(log: &Log) -> Story {
    read(log, |mut timeline| {
        timeline.goes_on = true;
        tell(RULES, timeline)
    })
}

fn read(log: &Log, tell: impl FnOnce(Timeline) -> Story) -> Story {
    match one_clock::of_the_start(log) {
        None => tell(Timeline::read(log)),
        Some((log, steps)) => {
            let mut timeline = Timeline::read(&log);
            timeline.clock_steps = steps;
            tell(timeline)
        }
    }
}

fn tell(rules: &[&'static Rule], mut timeline: Timeline) -> Story {
    timeline.drops = drops::find(&timeline);
    timeline.limits = limits::find(&timeline);
    let judged: Vec<(&Drop, Judgement)> =
        timeline.drops.iter().map(|drop| (drop, rules::judge(rules, &timeline, drop))).collect();
    let axis = |at: Stamp| at.since(timeline.began).as_secs_f64();
    let head = verdict::verdict(&timeline, &judged);
    // A call that never stood lost nothing: there is no region to draw.
    let stood = head.outcome != Outcome::NotEstablished;
    let regions = judged
        .iter()
        .enumerate()
        .filter(|_| stood)
        .map(|(index, (drop, judgement))| Region {
            id: index + 1,
            plane: drop.plane,
            cause: judgement.cause,
            last_good: axis(drop.last_good),
            first_bad: axis(drop.first_bad),
            declared: axis(drop.declared),
            restored: drop.restored.map(axis),
            seq: drop.seq,
            between: words::length(drop.first_bad.since(drop.last_good)),
        })
        .collect();
    let setup = setup(&timeline);
    let length_s = axis(timeline.until);
    let because = head.drops.iter().flat_map(|drop| &drop.because);
    let named = because.flat_map(|because| because.more.iter().copied().chain([because.seq])).collect();
    let (rows, evidence) = rows::rows(&timeline, &named);
    Story {
        page: page::page(&timeline, &head, &setup, length_s),
        notes: verdict::headline::notes(&timeline),
        setup,
        axis: Axis { from: timeline.began.wall, length_s },
        lanes: lanes::lanes(&timeline),
        drops: regions,
        pauses: timeline
            .pauses
            .iter()
            .map(|pause| PauseView {
                slept: pause.kind == PauseKind::Slept,
                from: axis(pause.from),
                to: axis(pause.to),
            })
            .collect(),
        outages: outages::find(&timeline),
        rows,
        evidence,
        series: series::series(&timeline),
        head,
    }
}

fn setup(timeline: &Timeline) -> Setup {
    let socket = timeline.sockets.iter().rev().find(|socket| socket.ready.is_some());
    let media = timeline.pairs.last().map(|pair| crate::words::media_flow(timeline, pair));
    let (names, signaling) = (timeline.kept_back.addresses(), socket.map(crate::words::flow));
    // Said once, where the last of them is named.
    let with_names = |flow: String| format!("{flow}{names}");
    let flows = Setup {
        signaling_flow: if media.is_some() { signaling } else { signaling.map(with_names) },
        media_flow: media.map(with_names),
        calibrated: crate::calibrated::sentence(timeline),
        session: socket.and_then(|socket| socket.ready?.session).map(ToString::to_string),
        ..Setup::default()
    };
    match timeline.plan {
        None => flows,
        Some(plan) => Setup {
            name: plan.name.to_string(),
            kind: plan.kind.to_string(),
            to: plan.to.to_string(),
            self_test: plan.self_test,
            heartbeat_every_s: plan.heartbeat.map(|heartbeat| heartbeat.every_ms / 1e3),
            ..flows
        },
    }
}
