//! Curves under the lanes: round trip, jitter, missing packets.

use super::pen::*;
use crate::story::Point;
use std::fmt::Write;

impl Drawing<'_> {
    /// A curve with its range named at the left. Curves never carry colour.
    pub(super) fn strip(&mut self, name: &str, points: &[Point], top: f64, high: f64, unit: &str) {
        let floor = top + high - 6.0;
        self.text(MARGIN, floor - 4.0, LABEL, name);
        let most = points.iter().map(|point| point.1).fold(0.0_f64, f64::max);
        let range = nice(most);
        self.text(LEFT - 10.0, floor - 4.0, end(TICK), &format!("0–{range} {unit}"));
        self.line(LEFT, floor, RIGHT, floor, ink(GRID, 1.0, ""));
        // A pixel holds many seconds of a long run: its worst is drawn, because a mean would hide what happened.
        let mut path = String::new();
        let mut column: Option<(i64, f64)> = None;
        let mut last: Option<i64> = None;
        let mut put = |(x, value): (i64, f64)| {
            let apart = last.is_none_or(|last| (x - last) as f64 > self.scale.x(3.0) - LEFT + 2.0);
            let y = floor - (value / range).clamp(0.0, 1.0) * (high - 12.0);
            let _ = write!(path, "{}{x} {y:.1}", if apart { 'M' } else { 'L' });
            last = Some(x);
        };
        for Point(at, value) in points {
            let x = self.scale.x(*at).round() as i64;
            column = match column {
                Some((known, worst)) if known == x => Some((x, worst.max(*value))),
                Some(done) => {
                    put(done);
                    Some((x, *value))
                }
                None => Some((x, *value)),
            };
        }
        column.into_iter().for_each(&mut put);
        if !path.is_empty() {
            let _ = write!(
                self.out,
                r#"<path d="{path}" fill="none" stroke="{INK2}" stroke-width="1.1" stroke-linejoin="round"/>"#
            );
        }
    }
}

/// The next of 1, 2, 5 times a power of ten, so that the range can be read at a glance.
fn nice(most: f64) -> f64 {
    let mut range = 5.0;
    for factor in [2.0, 2.0, 2.5].into_iter().cycle().take(30) {
        if range >= most {
            break;
        }
        range *= factor;
    }
    range
}
