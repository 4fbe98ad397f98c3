//! The score as a table, for a terminal and for a README alike.

use super::{Figures, Score, Tally, share};
use std::fmt::{Display, Formatter, Result};

const HEAD: [&str; 11] = [
    "cause",
    "plane",
    "drops",
    "right",
    "owner",
    "not proven",
    "wrong",
    "missed",
    "onset p50/p95/max",
    "known after p50/p95",
    "back: error p95",
];

impl Display for Score {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(self.causes.iter().map(|(cause, plane, tally)| cells(cause, plane.name(), tally)));
        rows.push(cells("all", "", &self.overall));
        let by = self.tellings.iter().map(|(by, tally)| cells(&format!("told by {by}"), "", tally));
        rows.extend(by);
        lines(f, &rows)?;
        writeln!(f)?;
        let day = self.false_drops_a_day.map_or(String::new(), |a_day| format!(", {a_day:.1} in 24 h"));
        writeln!(
            f,
            "Nothing was broken in {} of {} runs, {:.2} h in all: {} false drops{day}.",
            self.null_runs, self.runs, self.null_hours, self.false_drops
        )?;
        writeln!(
            f,
            "Shown and wrong: {}. Truth outside of its interval: {}. Runs that failed or were void: {}. Cost: {:.3}.",
            self.overall.shown_and_wrong, self.overall.outside, self.failed, self.cost
        )?;
        writeln!(f, "\n| promised | bound | measured | of | met |\n| --- | --- | --- | --- | --- |")?;
        self.goals.iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}

/// The first row is the head.
pub fn lines<const N: usize>(f: &mut Formatter<'_>, rows: &[[String; N]]) -> Result {
    let widths: Vec<usize> = (0..N).map(|n| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0)).collect();
    for (n, row) in rows.iter().enumerate() {
        line(f, row, &widths)?;
        if n == 0 {
            line(f, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>(), &widths)?;
        }
    }
    Ok(())
}

fn line(f: &mut Formatter<'_>, cells: &[String], widths: &[usize]) -> Result {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    writeln!(f, "| {} |", padded.collect::<Vec<_>>().join(" | "))
}

fn cells(cause: &str, plane: &str, tally: &Tally) -> [String; 11] {
    let figure = |of: Option<Figures>, told: fn(Figures) -> String| of.map_or_else(String::new, told);
    let owner = share(tally.exact + tally.right_owner, tally.drops).unwrap_or(0.0);
    [
        cause.to_owned(),
        plane.to_owned(),
        tally.drops.to_string(),
        tally.exact.to_string(),
        format!("{:.0} %", owner * 100.0),
        tally.not_proven.to_string(),
        tally.wrong.to_string(),
        tally.missed.to_string(),
        figure(tally.onset_error_ms, |ms| format!("{}/{}/{}", short(ms.p50), short(ms.p95), short(ms.max))),
        figure(tally.delay_ms, |ms| format!("{}/{}", short(ms.p50), short(ms.p95))),
        figure(tally.recovery_error_ms, |ms| short(ms.p95)),
    ]
}

/// Milliseconds; from ten seconds on, seconds.
fn short(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        10.0..10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}
