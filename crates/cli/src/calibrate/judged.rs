//! What was said of a fault, held against what the box did. Pure.

use super::between::Deed;
use super::faults::{Expected, Fault, Figure};
use explain::{
    Cause, Confidence, Outcome, Owner, Plane, Verdict,
    rule::{Figure as Measure, Measured},
    verdict::DropVerdict,
};
use record::{Wall, fact::Calibrated};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// All of it; what `--json` prints.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Calibration {
    pub at: Wall,
    pub version: &'static str,
    pub took_s: f64,
    pub named: u32,
    pub of: u32,
    pub missed: Vec<&'static str>,
    /// Where nothing was broken, no loss was named.
    pub held: bool,
    pub faults: Vec<Judged>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Judged {
    pub id: &'static str,
    pub does: &'static str,
    pub right: bool,
    /// Nothing was broken where there is none.
    pub expected: Option<Named>,
    pub said: Option<Said>,
    pub times: Option<Times>,
    /// The verdict's own first line.
    pub headline: String,
    /// Why it was not named rightly, each a sentence; none where it was.
    pub complaints: Vec<String>,
    /// The folder of the run, for `linewitness explain`.
    pub log: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Named {
    pub cause: Cause,
    pub owner: Owner,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Said {
    pub plane: Plane,
    pub cause: Cause,
    pub owner: Owner,
    pub confidence: Confidence,
    pub says: String,
}

/// Of the box's deed, by its own stamp, and of what was said of it, in milliseconds after it; before it is negative.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Times {
    pub done: Wall,
    /// How far the first sign of death lies from it.
    pub onset_error_ms: f64,
    pub last_good_ms: f64,
    pub first_bad_ms: f64,
    pub delay_ms: f64,
}

/// What had passed the box already reaches the call when that runs next, and a packet that is due is sent when its sender
/// does: on a busy computer, some tens of milliseconds later.
const RUN_LATE_MS: f64 = 50.0;
/// The truth of a limit, as contract and reports give it.
const GIVE: Duration = Duration::from_secs(1);

impl Judged {
    /// It could not be played at all.
    pub fn not_played(fault: &Fault, why: &str) -> Self {
        let mut judged = Self::of(fault, String::new());
        judged.complain(false, || format!("It could not be played: {why}."));
        judged
    }

    fn of(fault: &Fault, headline: String) -> Self {
        Self {
            id: fault.id,
            does: fault.does,
            right: true,
            expected: fault.expected.as_ref().map(|expected| Named { cause: expected.cause, owner: expected.owner }),
            said: None,
            times: None,
            headline,
            complaints: vec![],
            log: None,
        }
    }

    fn complain(&mut self, well: bool, why: impl FnOnce() -> String) {
        if !well {
            self.right = false;
            self.complaints.push(why());
        }
    }
}

impl Calibration {
    pub fn of(faults: Vec<Judged>, at: Wall, took: Duration) -> Self {
        let (broken, whole): (Vec<&Judged>, Vec<&Judged>) = faults.iter().partition(|judged| judged.expected.is_some());
        let missed: Vec<&'static str> = broken.iter().filter(|judged| !judged.right).map(|judged| judged.id).collect();
        Self {
            at,
            version: env!("CARGO_PKG_VERSION"),
            took_s: (took.as_secs_f64() * 10.0).round() / 10.0,
            named: (broken.len() - missed.len()) as u32,
            of: broken.len() as u32,
            held: whole.iter().all(|judged| judged.right),
            missed,
            faults,
        }
    }

    pub fn is_right(&self) -> bool {
        self.faults.iter().all(|judged| judged.right)
    }

    pub fn to_keep(&self) -> Calibrated {
        Calibrated {
            at: self.at,
            app: self.version.into(),
            named: self.named,
            of: self.of,
            missed: self.missed.iter().map(|id| (*id).into()).collect(),
            held: self.held,
        }
    }
}

pub fn judge(fault: &Fault, verdict: &Verdict, deeds: &[Deed]) -> Judged {
    let mut judged = Judged::of(fault, verdict.headline.clone());
    let Some(expected) = &fault.expected else {
        let held = verdict.outcome == Outcome::Held && verdict.drops.is_empty();
        judged.complain(held, || "It was to be held without a loss.".into());
        judged.said = verdict.drops.first().map(Said::of);
        return judged;
    };
    let deed = deeds.iter().find(|deed| (expected.deed)(deed.what));
    judged.complain(deed.is_some(), || "Nothing was broken, so this shows nothing.".into());
    let on_plane = verdict.drops.iter().find(|drop| drop.plane == expected.plane);
    judged.said = on_plane.or(verdict.drops.first()).map(Said::of);
    for drop in &verdict.drops {
        let right = drop.cause == expected.cause && drop.owner == expected.owner;
        judged.complain(right, || {
            let (plane, cause, owner) = (word(&drop.plane), word(&drop.cause), drop.owner);
            format!("A loss of {plane} was named {cause}, {owner}.")
        });
    }
    match on_plane {
        None => judged.complain(false, || format!("No loss of {} was named.", word(&expected.plane))),
        Some(drop) => {
            judged.figure(expected, drop);
            if let Some(deed) = deed {
                judged.times(deed, drop, verdict.outcome);
            }
        }
    }
    judged.finding(expected, verdict);
    judged
}

impl Judged {
    fn times(&mut self, deed: &Deed, drop: &DropVerdict, outcome: Outcome) {
        let done = deed.at.wall;
        self.times = Some(Times {
            done,
            onset_error_ms: ms(done, drop.first_bad).abs(),
            last_good_ms: ms(done, drop.last_good),
            first_bad_ms: ms(done, drop.first_bad),
            delay_ms: ms(done, drop.declared).max(0.0),
        });
        // Where nothing ever stood, the interval is that of the attempts.
        let within = ms(drop.last_good, done) >= -RUN_LATE_MS && ms(done, drop.first_bad) >= -RUN_LATE_MS;
        self.complain(within || outcome == Outcome::NotEstablished, || {
            format!(
                "It was done at {}, outside of what was named: {} to {}.",
                done.millis(),
                drop.last_good.millis(),
                drop.first_bad.millis()
            )
        });
    }

    fn figure(&mut self, expected: &Expected, drop: &DropVerdict) {
        let Some((name, wanted)) = expected.figure else { return };
        let is = figure(&drop.measured, name);
        let right = match (wanted, &is) {
            (Figure::Seconds(truth), Some(Measure::Number(is))) => near(*is, truth),
            (Figure::Word(truth), Some(Measure::Word(is))) => is == truth,
            _ => false,
        };
        self.complain(right, || format!("Its {name} was given as {}, and is {}.", shown(is.as_ref()), wanted.shown()));
    }

    fn finding(&mut self, expected: &Expected, verdict: &Verdict) {
        let Some((id, truth)) = expected.finding else { return };
        let found = verdict.findings.iter().find(|finding| finding.id == id);
        let right = found.is_some_and(|found| match figure(&found.measured, "seconds") {
            Some(Measure::Number(is)) => near(is, truth),
            _ => false,
        });
        self.complain(right, || match found {
            Some(found) => format!("The limit is {} s, and was found so: {}", truth.as_secs_f64(), found.says),
            None => format!("{id} was not found."),
        });
    }
}

impl Said {
    fn of(drop: &DropVerdict) -> Self {
        Self {
            plane: drop.plane,
            cause: drop.cause,
            owner: drop.owner,
            confidence: drop.confidence,
            says: drop.says.clone(),
        }
    }
}

impl Figure {
    fn shown(self) -> String {
        match self {
            Self::Seconds(truth) => format!("{} s", truth.as_secs_f64()),
            Self::Word(truth) => truth.into(),
        }
    }
}

fn near(is: f64, truth: Duration) -> bool {
    (is - truth.as_secs_f64()).abs() <= GIVE.as_secs_f64()
}

fn figure(measured: &Measured, name: &str) -> Option<Measure> {
    measured.iter().find(|(is, _)| *is == name).map(|(_, figure)| figure.clone())
}

fn shown(figure: Option<&Measure>) -> String {
    match figure {
        Some(Measure::Number(is)) => format!("{is} s"),
        Some(Measure::Word(is)) => is.clone(),
        None => "nothing".into(),
    }
}

/// A name of a closed list, as other programs read it.
pub fn word(name: &impl Serialize) -> String {
    match serde_json::to_value(name) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn ms(from: Wall, to: Wall) -> f64 {
    to.micros().saturating_sub(from.micros()) as f64 / 1e3
}

#[cfg(test)]
mod tests;
