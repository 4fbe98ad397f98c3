//! What is promised of the score, line by line, beside what was measured: how right, how exact, how soon.

use super::{Figures, Score};
use crate::judge::{Label, Row};
use crate::scenario::{Deed, ending::Plane};
use serde::Serialize;
use std::fmt::{Display, Formatter, Result};

#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    pub what: &'static str,
    pub promised: Bound,
    /// Nothing where nothing of the kind was played.
    pub measured: Option<f64>,
    /// How many measurements that is made of.
    pub of: usize,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeastPercent(f64),
    AtMostMs(f64),
    None,
}

impl Goal {
    pub fn is_met(&self) -> Option<bool> {
        self.measured.map(|is| match self.promised {
            Bound::AtLeastPercent(least) => is >= least,
            Bound::AtMostMs(most) => is <= most,
            Bound::None => is == 0.0,
        })
    }
}

/// Of all rows, those of false drops too.
pub fn goals(score: &Score, rows: &[&Row]) -> Vec<Goal> {
    let media = |row: &Row| row.plane == Plane::Media;
    let lost = |row: &Row| media(row) && !row.sparse && row.deed.is_some_and(|deed| !deed.stops_the_program());
    let told = |row: &Row| row.told_by.is_some();
    let by = |row: &Row, is: fn(Deed) -> bool| row.deed.is_some_and(is);
    let counted = |what, measured: usize, of| Goal { what, promised: Bound::None, measured: Some(measured as f64), of };
    let timed = |what, most, pick: fn(&Row) -> Option<f64>, among: &dyn Fn(&Row) -> bool| {
        let figures = Figures::of(rows.iter().filter(|row| among(row)).filter_map(|row| pick(row)).collect());
        let (measured, of) = (figures.map(|of| of.p95), figures.map_or(0, |of| of.count));
        Goal { what, promised: Bound::AtMostMs(most), measured, of }
    };
    let onset = |row: &Row| row.onset_error_ms;
    let known = |row: &Row| row.delay_ms;
    let right = Goal {
        what: "causes right",
        promised: Bound::AtLeastPercent(98.0),
        measured: score.accuracy().map(|share| share * 100.0),
        of: score.overall.drops,
    };
    vec![
        right,
        counted("shown, and wrong", score.overall.shown_and_wrong, rows.len()),
        counted("truth outside of its interval", score.overall.outside, rows.len()),
        counted("drops where nothing was broken", score.false_drops, score.null_runs),
        timed("onset error of media, p95", 25.0, onset, &|row| media(row) && !row.sparse),
        timed("onset error of what TCP tells, p95", 5.0, onset, &told),
        timed("lost media known after, p95", 400.0, known, &lost),
        timed("a far end that is gone known after, p95", 250.0, known, &|row| {
            lost(row) && by(row, Deed::leaves_nobody)
        }),
        timed("an end of TCP known after, p95", 20.0, known, &told),
        timed("a half-open socket known after, p95", 6_000.0, known, &|row| {
            row.cause.as_deref() == Some("half_open") && row.label == Label::Exact
        }),
        timed("media back after a change of interface, p95", 1_000.0, |row| row.recovered_after_ms, &|row| {
            lost(row) && by(row, Deed::changes_the_interface)
        }),
    ]
}

impl Display for Goal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let number = |is: f64| if is.fract() == 0.0 { format!("{is:.0}") } else { format!("{is:.1}") };
        let (unit, promised) = match self.promised {
            Bound::AtLeastPercent(least) => (" %", format!("at least {least:.0} %")),
            Bound::AtMostMs(most) => (" ms", format!("at most {most:.0} ms")),
            Bound::None => ("", "none".to_owned()),
        };
        let measured = self.measured.map_or("not played".to_owned(), |is| format!("{}{unit}", number(is)));
        let met = match self.is_met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        write!(f, "| {} | {promised} | {measured} | {} | {met} |", self.what, self.of)
    }
}
