//! `Update`: what changed between two stories of one log. A window that draws a run applies one after another; of a file
//! that was opened, of a report and of the first moment of a run it is the whole story, told from nothing.
//!
//! A log only grows, and so do most lists of its story: what stays the same at their beginning is not sent again. Hours of
//! events cost what is new in them.

use crate::report::{self, page::Page};
use crate::story::{Axis, LaneView, Mark, PauseView, Point, Region, Rung, Series, Setup, Span, StateWords, Story};
use crate::{Row, Verdict};
use serde::Serialize;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export, export_to = "story.ts")]
pub struct Update {
    pub head: Verdict,
    pub notes: Vec<String>,
    pub page: Page,
    /// One paragraph for a ticket.
    pub ticket: String,
    pub setup: Setup,
    pub axis: Axis,
    pub lanes: Vec<LaneUpdate>,
    pub drops: Vec<Region>,
    pub pauses: Vec<PauseView>,
    pub outages: Vec<String>,
    pub rows: Tail<Row>,
    pub evidence: Vec<Row>,
    pub rtt_ms: Tail<Point>,
    pub jitter_ms: Tail<Point>,
    pub lost: Tail<Point>,
}

/// All lanes, in order; one that is not named any more is gone.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct LaneUpdate {
    pub id: &'static str,
    pub label: &'static str,
    pub spans: Tail<Span>,
    pub marks: Tail<Mark>,
    pub rungs: Tail<Rung>,
    pub words: StateWords,
}

/// A list as the first `keep` of what it was, and these.
#[derive(Clone, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Tail<T> {
    pub keep: usize,
    pub then: Vec<T>,
}

impl<T: Clone + PartialEq> Tail<T> {
    fn between(before: &[T], after: &[T]) -> Self {
        let keep = before.iter().zip(after).take_while(|(before, after)| before == after).count();
        Self { keep, then: after[keep..].to_vec() }
    }
}

/// What to draw after `before` to have drawn `after`.
pub fn update(before: Option<&Story>, after: &Story) -> Update {
    let (no_rows, no_series) = (Vec::new(), Series::default());
    let rows = before.map_or(&no_rows, |story| &story.rows);
    let series = before.map_or(&no_series, |story| &story.series);
    let lanes = after.lanes.iter().map(|lane| {
        let was = before.and_then(|story| story.lanes.iter().find(|was| was.id == lane.id));
        lane_update(was, lane)
    });
    Update {
        head: after.head.clone(),
        notes: after.notes.clone(),
        page: after.page.clone(),
        ticket: report::ticket(after),
        setup: after.setup.clone(),
        axis: after.axis,
        lanes: lanes.collect(),
        drops: after.drops.clone(),
        pauses: after.pauses.clone(),
        outages: after.outages.clone(),
        rows: Tail::between(rows, &after.rows),
        evidence: after.evidence.clone(),
        rtt_ms: Tail::between(&series.rtt_ms, &after.series.rtt_ms),
        jitter_ms: Tail::between(&series.jitter_ms, &after.series.jitter_ms),
        lost: Tail::between(&series.lost, &after.series.lost),
    }
}

fn lane_update(was: Option<&LaneView>, is: &LaneView) -> LaneUpdate {
    LaneUpdate {
        id: is.id,
        label: is.label,
        spans: Tail::between(was.map_or(&[], |lane| &lane.spans), &is.spans),
        marks: Tail::between(was.map_or(&[], |lane| &lane.marks), &is.marks),
        rungs: Tail::between(was.map_or(&[], |lane| &lane.rungs), &is.rungs),
        words: is.words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_at_the_beginning_is_not_sent_again() {
        assert_eq!(Tail::between(&[1, 2, 3], &[1, 2, 4, 5]), Tail { keep: 2, then: vec![4, 5] });
        assert_eq!(Tail::between(&[1, 2, 3], &[1]), Tail { keep: 1, then: vec![] });
        assert_eq!(Tail::between(&[], &[1]), Tail { keep: 0, then: vec![1] });
    }
}
