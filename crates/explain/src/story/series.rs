//! Curves: round trip, jitter and loss, one point for each second in which they were measured.

use crate::Timeline;
use serde::Serialize;
use ts_rs::TS;

#[derive(Clone, PartialEq, Debug, Default, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Series {
    pub rtt_ms: Vec<Point>,
    pub jitter_ms: Vec<Point>,
    /// Packets missing by sequence number, on the way to us.
    pub lost: Vec<Point>,
}

/// Seconds on the axis, and the value there.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, TS)]
#[ts(export_to = "story.ts")]
pub struct Point(pub f64, pub f64);

pub(super) fn series(timeline: &Timeline) -> Series {
    let mut series = Series::default();
    series.lost.reserve(timeline.samples.len());
    for (at, sample) in &timeline.samples {
        let second = at.stamp.since(timeline.began).as_secs_f64();
        let put = |points: &mut Vec<Point>, value: Option<f64>| {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                points.push(Point(second, value));
            }
        };
        put(&mut series.rtt_ms, sample.rtt_ms.or(sample.stun_rtt_ms));
        put(&mut series.jitter_ms, sample.jitter_in_ms);
        put(&mut series.lost, Some(f64::from(sample.lost_in)));
    }
    series
}
