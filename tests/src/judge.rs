//! `judge`: what was said, held against the truth and the ending. Pure: both runners are judged alike.

use crate::scenario::{
    Deed, Scenario,
    ending::{self, Plane},
};
use crate::truth::{Effect, FirstClock, Played};
use crate::verdict::{self, Verdict};
use record::fact::{Action, End, Move, Signaling};
use record::profile::Span;
use record::{Event, Fact, Log, Wall};
use serde::Serialize;
use serde_json::Value;
use std::net::SocketAddr;

/// One expected drop and what was said of it, or a drop that was said and nobody expected.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub plane: Plane,
    /// The cause that was expected; none of a drop that never was.
    pub cause: Option<String>,
    pub said: Option<String>,
    /// What told of the end, where something did: `fin`, `reset`, `close_frame`; else it was silence.
    pub told_by: Option<String>,
    /// What was done to it, where a time was measured.
    pub deed: Option<Deed>,
    /// Its packets are further apart than 20 ms: comfort noise, or no audio at all.
    pub sparse: bool,
    pub label: Label,
    /// *Shown*, and wrong: the one thing that must never be.
    pub shown_and_wrong: bool,
    /// From the truth to the best guess that what was said allows.
    pub onset_error_ms: Option<f64>,
    /// The truth lies outside of what was said to hold it, by so much.
    pub outside_ms: Option<f64>,
    /// From the truth to when it was declared.
    pub delay_ms: Option<f64>,
    /// From the first packet that crossed again to what was said of it.
    pub recovery_error_ms: Option<f64>,
    /// From the undoing to the recovery, or from the beginning where nothing was undone.
    pub recovered_after_ms: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    Exact,
    /// Another cause, and the right owner.
    RightOwner,
    NotProven,
    Wrong,
    /// There was a drop, and none was said.
    Missed,
    /// There was none, and one was said.
    FalseDrop,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Judged {
    pub rows: Vec<Row>,
    /// What else is not as it should be, each a sentence. Empty, and all rows exact: the scenario was told well.
    pub complaints: Vec<String>,
}

/// `verdict.json` gives times to the millisecond, cut and not rounded; stamps of different clocks are read one after another.
const WRITTEN_MS: f64 = 1.5;
/// Packets that were past the fault when it began arrive in the next moments.
const UNDERWAY_MS: f64 = 5.0;

impl Judged {
    pub fn is_well(&self) -> bool {
        self.complaints.is_empty() && self.rows.iter().all(|row| row.label == Label::Exact)
    }
}

pub fn judge(scenario: &Scenario, played: &Played) -> Judged {
    let Played { verdict, log, .. } = played;
    let ending = &scenario.ending;
    let mut judged = Judged::default();
    let wanted = ending.outcome.name();
    judged.complain(verdict.outcome == wanted, || format!("the outcome is {}, and not {wanted}", verdict.outcome));
    if ending.outcome == ending::Outcome::Held {
        // While the computer sleeps nothing is held.
        let ends = log.events.first().zip(log.events.last());
        let slept = ends.map_or(0.0, |(first, last)| last.at.slept_since(first.at).as_secs_f64());
        let (held, length) = (verdict.held_s, scenario.run.length.get().as_secs_f64() - slept);
        judged.complain((held - length).abs() < 1.0, || format!("held for {held} s, and not {length} s"));
    }
    for plane in [Plane::Signaling, Plane::Media] {
        judged.plane(plane, scenario, played);
    }
    judged.findings(ending, verdict);
    judged.unconfirmed(ending, played);
    let anew = new_calls(&log.events);
    judged.complain(anew <= ending.new_calls, || format!("{anew} new calls were placed, not {}", ending.new_calls));
    // To ask is not to act.
    let acts = |fact: &Fact| matches!(fact, Fact::Action(Action::Began { step, .. }) if *step != Move::ProbeSignaling);
    let acted = log.events.iter().any(|event| acts(&event.fact));
    judged.complain(!(acted && scenario.is_null()), || "it acted on a path that carried the call".to_owned());
    judged
}

impl Judged {
    fn complain(&mut self, well: bool, why: impl FnOnce() -> String) {
        if !well {
            self.complaints.push(why());
        }
    }

    fn plane(&mut self, plane: Plane, scenario: &Scenario, played: &Played) {
        let mut wanted = scenario.ending.drops.iter().filter(|drop| drop.plane == plane).peekable();
        let mut again = None;
        for said in played.verdict.on(plane.name()) {
            // The last of them may be said to come again.
            let first = wanted.next_if(|_| true);
            match first.or(again) {
                Some(want) => self.drop(want, said, first.is_some(), scenario, played),
                None => self.rows.push(Row { label: Label::FalseDrop, ..Row::of(plane, None, Some(said)) }),
            }
            again = first.or(again).filter(|want| want.again);
        }
        for missed in wanted.filter(|want| !want.perhaps) {
            self.rows.push(Row { label: Label::Missed, ..Row::of(plane, Some(missed), None) });
        }
    }

    fn drop(&mut self, want: &ending::Drop, said: &verdict::Drop, timed: bool, scenario: &Scenario, played: &Played) {
        let mut row = Row::of(want.plane, Some(want), Some(said));
        row.label = label(want, said);
        row.told_by = told_by(said, &played.log);
        row.shown_and_wrong = said.confidence == "shown" && !matches!(row.label, Label::Exact | Label::NotProven);
        let about = format!("{} {}", said.plane, said.cause);
        if row.label == Label::Exact {
            let (is, should) = (said.confidence.as_str(), want.confidence.name());
            self.complain(is == should, || format!("{about}: {is}, and not {should}"));
            self.complaints.extend(amiss(&about, &want.measured, &said.measured));
            if let Some(changed) = &want.measured.changed {
                self.complain(names_both(said, changed), || format!("{about}: both addresses are not named: {said:?}"));
            }
            for path in &want.rests_on {
                let rests = rests_on(said, &played.log.events, path);
                self.complain(rests, || format!("{about}: the evidence holds no {path}"));
            }
        }
        match want.step {
            Some(step) if timed => {
                row.deed = Some(scenario.steps[step - 1].deed);
                row.sparse = scenario.is_sparse();
                let effect = FirstClock::of_log(&played.log).of_all(played.truths[step - 1].of(want.plane));
                self.times(&about, want, said, &effect, &mut row);
            }
            None if timed => {
                row.recovered_after_ms = said.restored.map(|restored| verdict::ms_between(said.first_bad, restored));
                self.complaints.extend(not_back(&about, want, &row));
            }
            _ => {}
        }
        self.complain(!want.for_good || said.restored.is_none(), || format!("{about}: restored, and it never was"));
        self.rows.push(row);
    }

    fn times(&mut self, about: &str, want: &ending::Drop, said: &verdict::Drop, effect: &Effect, row: &mut Row) {
        let Some(began) = effect.began_before(said.first_bad) else {
            self.complaints.push(format!("void: {about}: the step touched no packet of {}", want.plane.name()));
            return;
        };
        let onset = began.ms_to(said.first_bad);
        // An end that was told began when it was heard; a silence began between the two, and the middle is the best guess.
        let best = match row.told_by {
            Some(_) => said.first_bad,
            None => Wall::from_micros(said.last_good.micros().midpoint(said.first_bad.micros())),
        };
        row.onset_error_ms = Some(began.ms_to(best).abs());
        let (good, bad) = (began.ms_to(said.last_good) - UNDERWAY_MS, -onset - WRITTEN_MS);
        row.outside_ms = Some(good.max(bad)).filter(|outside| *outside > 0.0);
        if let Some(outside) = row.outside_ms {
            self.complaints.push(format!("{about}: the truth lies {outside:.1} ms outside of what should hold it"));
        }
        row.delay_ms = Some(began.ms_to(said.declared).max(0.0));
        let onset = late(about, "the onset's error", row.onset_error_ms, want.onset_within);
        let delay = late(about, "the delay of detection", row.delay_ms, want.declared_within);
        if let Some(restored) = said.restored.filter(|_| !effect.passed.is_empty()) {
            // What passes at last passes by chance too, before anything is undone.
            row.recovered_after_ms = Some(began.ms_to(restored));
        } else if let Some(restored) = said.restored {
            row.recovery_error_ms = effect.back.map(|back| back.ms_to(restored).abs());
            row.recovered_after_ms = Some(effect.undone.unwrap_or(began).ms_to(restored));
        }
        self.complaints.extend([onset, delay, not_back(about, want, row)].into_iter().flatten());
    }

    fn findings(&mut self, ending: &ending::Ending, verdict: &Verdict) {
        let is = |want: &ending::Finding, one: &verdict::Finding| {
            want.id == one.id && amiss(&want.id, &want.measured, &one.measured).is_empty()
        };
        for want in ending.findings.iter().filter(|want| !want.perhaps) {
            let found = verdict.findings.iter().any(|one| is(want, one));
            self.complain(found, || format!("{} was not found as it is: {:?}", want.id, want.measured));
        }
        for one in &verdict.findings {
            let known = ending.findings.iter().any(|want| is(want, one));
            self.complain(known, || format!("{} was found, and is not there: {}", one.id, one.measured));
        }
    }

    fn unconfirmed(&mut self, ending: &ending::Ending, played: &Played) {
        let said = played.verdict.unconfirmed.as_ref();
        self.complain(said.is_some() == ending.unconfirmed, || match said {
            Some(said) => format!("nobody expected it to be unconfirmed: {}", said.says),
            None => "signaling is not known to have lived, and nothing says so".to_owned(),
        });
        let Some(said) = said else { return };
        // What touched its first packet was there before; the last sign of life is older still.
        let first = played.truths.iter().find_map(|truth| truth.signaling.began);
        let early = first.is_none_or(|began| began.ms_to(said.since) <= UNDERWAY_MS);
        self.complain(early, || format!("unconfirmed since {}, when it was dead already", said.since));
        let words = format!("unconfirmed since {}", said.since.timestamp().strftime("%H:%M:%S"));
        let everywhere = [&said.says, &played.verdict.headline].iter().all(|text| text.contains(&words));
        self.complain(everywhere, || format!("{words:?} stands neither in {:?} nor in the headline", said.says));
    }
}

impl Row {
    /// For whoever reads a run: what was expected, what was said, and the figures.
    pub fn line(&self) -> String {
        let none = "nothing";
        let (want, said) = (self.cause.as_deref().unwrap_or(none), self.said.as_deref().unwrap_or(none));
        let mut line = format!("{} {want}, said {said}: {:?}", self.plane.name(), self.label);
        for (what, ms) in [
            ("onset error", self.onset_error_ms),
            ("delay", self.delay_ms),
            ("recovery error", self.recovery_error_ms),
            ("recovered after", self.recovered_after_ms),
        ] {
            if let Some(ms) = ms {
                line += &format!(", {what} {ms:.1} ms");
            }
        }
        line
    }

    fn of(plane: Plane, want: Option<&ending::Drop>, said: Option<&verdict::Drop>) -> Self {
        Self {
            plane,
            cause: want.map(|want| want.cause.clone()),
            said: said.map(|said| said.cause.clone()),
            told_by: None,
            deed: None,
            sparse: false,
            label: Label::Wrong,
            // A drop that never was and is said to be shown is of that kind too.
            shown_and_wrong: want.is_none() && said.is_some_and(|said| said.confidence == "shown"),
            onset_error_ms: None,
            outside_ms: None,
            delay_ms: None,
            recovery_error_ms: None,
            recovered_after_ms: None,
        }
    }
}

fn label(want: &ending::Drop, said: &verdict::Drop) -> Label {
    match () {
        () if said.cause == want.cause && said.owner == want.owner => Label::Exact,
        () if said.cause == "not_proven" => Label::NotProven,
        () if said.owner == want.owner => Label::RightOwner,
        () => Label::Wrong,
    }
}

fn late(about: &str, what: &str, is: Option<f64>, most: Option<Span>) -> Option<String> {
    let (is, most) = is.zip(most)?;
    (is > most.get().as_secs_f64() * 1e3).then(|| format!("{about}: {what} is {is:.1} ms, allowed are {most}"))
}

fn not_back(about: &str, want: &ending::Drop, row: &Row) -> Option<String> {
    match (want.restored_within, row.recovered_after_ms) {
        (Some(_), None) => Some(format!("{about}: it was never restored")),
        (most, is) => late(about, "the time until it was restored", is, most),
    }
}

/// Which figures are not as they should be.
fn amiss(about: &str, want: &ending::Measured, is: &Value) -> Vec<String> {
    let truth = want.seconds.zip(Some(want.within.unwrap_or(1.0)));
    let far = truth
        .filter(|(truth, within)| !verdict::is_near(is, *truth, *within))
        .map(|(truth, within)| format!("{about}: the truth is {truth} s, allowed is {within} s, measured is {is}"));
    let before_end = want.before_end.filter(|truth| {
        let within = want.within.unwrap_or(1.0);
        is["before_end_s"].as_f64().is_none_or(|is| (is - truth).abs() > within)
    });
    let before_end =
        before_end.map(|truth| format!("{about}: the truth is {truth} s before the end, and {is} was said"));
    let words =
        [("ended", &want.ended), ("direction", &want.direction), ("what", &want.what), ("changed", &want.changed)];
    let other = words.into_iter().filter_map(|(name, word)| {
        let word = word.as_ref().filter(|word| is[name] != word.as_str())?;
        Some(format!("{about}: {name} is {}, and not {word}", is[name]))
    });
    far.into_iter().chain(before_end).chain(other).collect()
}

/// The end of the socket as the log has it at the moment that the drop was declared.
fn told_by(said: &verdict::Drop, log: &Log) -> Option<String> {
    let clock = FirstClock::of_log(log);
    // The verdict cuts to the millisecond.
    let then = |event: &&Event| (clock.of(event.at).wall.micros() - said.declared.micros()) / 1000 == 0;
    log.events.iter().filter(then).find_map(|event| {
        match &event.fact {
            Fact::Signaling(Signaling::Closed { end, .. }) if said.plane == Plane::Signaling.name() => match end {
                End::Fin => Some("fin"),
                End::Reset => Some("reset"),
                End::CloseFrame { .. } => Some("close_frame"),
                End::CloseNotify => Some("close_notify"),
                _ => None,
            },
            _ => None,
        }
        .map(str::to_owned)
    })
}

/// The public address and port before and after, which differ in no more than what changed, in figures and in words.
fn names_both(said: &verdict::Drop, changed: &str) -> bool {
    let address = |name: &str| said.measured[name].as_str().and_then(|text| text.parse::<SocketAddr>().ok());
    let (Some(before), Some(after)) = (address("before"), address("after")) else { return false };
    let as_told = match changed {
        "port" => before.ip() == after.ip() && before.port() != after.port(),
        _ => before.ip() != after.ip(),
    };
    let words = [before, after].map(|address| address.to_string());
    let in_evidence = |word: &String| said.because.iter().any(|because| because.says.contains(word));
    as_told && words.iter().all(|word| said.says.contains(word) && in_evidence(word))
}

/// Among the evidence is a fact of that name, as the log writes it.
fn rests_on(said: &verdict::Drop, events: &[Event], path: &str) -> bool {
    let cited = |event: &&Event| said.because.iter().any(|because| because.seq == event.seq);
    events.iter().filter(cited).any(|event| {
        let fact = serde_json::to_value(&event.fact).unwrap_or_default();
        path.split('.').try_fold(&fact, |value, key| value.get(key)).is_some()
    })
}

fn new_calls(events: &[Event]) -> u32 {
    let anew = |event: &&Event| matches!(&event.fact, Fact::Action(Action::Began { step: Move::NewCall, .. }));
    events.iter().filter(anew).count() as u32
}
