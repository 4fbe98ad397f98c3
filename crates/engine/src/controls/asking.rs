//! `Asking`: when one control is asked, asked again, and found silent. Pure: it is handed stamps and gives steps.
//!
//! ```text
//! 0       0.3     0.6       1.0     1.3     1.6     1.9 s
//! question, and again until it is answered ·········· Silent { asked: 0 }
//! ```
//!
//! A packet is lost now and then, and that must not read as silence. At 5 % lost at random each way, 9.75 % of attempts stay
//! unanswered. Three of them fail together in one question of a thousand: 27 times in the 28,800 questions of eight hours.
//! Six fail together once in 1.2 million: in one night of forty.

use record::{
    Fact, Heard, Said, Stamp,
    fact::{Control, ControlKind},
};
use std::collections::VecDeque;
use std::time::Duration;

/// When a question that has no answer yet is put again.
const REPEATS: [Duration; 5] = [ms(300), ms(600), ms(1_000), ms(1_300), ms(1_600)];
/// An answer that took longer is none. A silence is so said within two seconds of its first question, and the last attempt
/// has as long for its answer as any before it.
pub const OVERDUE: Duration = ms(1_900);
/// Later than planned by so much, we stood still ourselves: what was asked before says nothing of the other side.
const STOOD_STILL: Duration = ms(500);
/// One that has never answered is given so long before it is said to be none that answers.
const NEVER_AFTER: Duration = ms(5_000);
/// In a sample of ten seconds; beyond it, the median would not move.
const MOST_TIMES: usize = 64;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// How one control is asked.
#[derive(Clone, Debug)]
pub struct Manner {
    pub control: u32,
    pub kind: ControlKind,
    pub every: Duration,
    pub sample_every: Duration,
    /// For one that may have its own reasons never to answer: then it is this blindness, and no silence.
    pub never: Option<Never>,
    /// Whether saying nothing says something. Where answers are rationed, only an error told by our own system does.
    pub silence_tells: bool,
}

#[derive(Clone, Debug)]
pub struct Never {
    pub watcher: record::Sense,
    pub why: &'static str,
}

/// What came of the last attempt that was none, in words.
#[derive(Clone, Debug)]
pub struct Failure {
    pub says: Said,
    /// It was answered that nobody listens there.
    pub refused: bool,
}

impl From<Said> for Failure {
    fn from(says: Said) -> Self {
        Self { says, refused: false }
    }
}

impl From<&str> for Failure {
    fn from(says: &str) -> Self {
        Said::new(says).into()
    }
}

#[derive(Debug, PartialEq)]
pub enum Step {
    /// Put the question; its answer comes back with this number.
    Put(u64),
    Note(Fact),
}

#[derive(Debug)]
pub struct Asking {
    manner: Manner,
    /// Where there is nobody to ask, nothing is asked.
    target: Option<Heard>,
    said: Option<Heard>,
    began: Stamp,
    next_question: Stamp,
    question: Option<Question>,
    /// Attempts without an answer so far, the oldest first.
    open: VecDeque<(u64, Stamp)>,
    attempts: u64,
    last_ok: Option<Stamp>,
    silent_since: Option<Stamp>,
    never: bool,
    failed: Option<Failure>,
    sample: Sample,
    sample_at: Stamp,
    planned: Stamp,
}

#[derive(Debug)]
struct Question {
    first: u64,
    put: Stamp,
    repeats: usize,
}

#[derive(Debug, Default)]
struct Sample {
    asked: u32,
    answered: u32,
    times_ms: Vec<f64>,
}

impl Asking {
    pub fn new(manner: Manner, now: Stamp) -> Self {
        let sample_at = now.plus(manner.sample_every);
        Self {
            manner,
            target: None,
            said: None,
            began: now,
            next_question: now,
            question: None,
            open: VecDeque::new(),
            attempts: 0,
            last_ok: None,
            silent_since: None,
            never: false,
            failed: None,
            sample: Sample::default(),
            sample_at,
            planned: now,
        }
    }

    /// Another one is asked from here on, or nobody. What was asked of the one before is forgotten; a silence that was said
    /// ends with the first answer of either.
    pub fn aim(&mut self, target: Option<Heard>, now: Stamp) -> Option<Fact> {
        if self.target == target {
            return None;
        }
        self.forget(now);
        self.target = target;
        self.planned = now;
        let target = self.target.as_ref().filter(|target| self.said.as_ref() != Some(target))?.clone();
        (self.began, self.last_ok, self.never, self.failed) = (now, None, false, None);
        (self.sample, self.sample_at) = (Sample::default(), now.plus(self.manner.sample_every));
        self.said = Some(target.clone());
        let Manner { control, kind, silence_tells, .. } = self.manner;
        Some(Control::Asking { control, kind, target, rationed: !silence_tells }.into())
    }

    /// What is due.
    pub fn due(&mut self, now: Stamp) -> Vec<Step> {
        let mut steps = vec![];
        self.if_we_stood_still(now);
        if self.target.is_some() {
            self.give_up(now, &mut steps);
            self.put(now, &mut steps);
        }
        if now >= self.sample_at {
            self.sample_at = now.plus(self.manner.sample_every);
            steps.extend(self.sampled().map(|sample| Step::Note(sample.into())));
        }
        steps
    }

    /// How long until something is due. Asked before each wait, so that oversleeping shows.
    pub fn wait(&mut self, now: Stamp) -> Duration {
        let wait = self.until_due(now);
        self.planned = now.plus(wait);
        wait
    }

    fn until_due(&self, now: Stamp) -> Duration {
        let until = |at: Stamp| at.since(now);
        if self.target.is_none() {
            return until(self.sample_at);
        }
        let next = match &self.question {
            Some(question) => until(question.put.plus(self.repeat_after(question).unwrap_or(OVERDUE))),
            None => until(self.next_question),
        };
        next.min(until(self.sample_at))
    }

    /// An answer to one of the attempts. Any other number is an answer that came too late, or twice.
    pub fn answered(&mut self, attempt: u64, now: Stamp) -> Option<Fact> {
        self.if_we_stood_still(now);
        let at = self.open.iter().position(|(open, _)| *open == attempt)?;
        let (_, put) = self.open.remove(at)?;
        let rtt_ms = record::millis(now.since(put));
        self.sample.asked += 1;
        self.sample.answered += 1;
        if self.sample.times_ms.len() < MOST_TIMES {
            self.sample.times_ms.push(rtt_ms);
        }
        self.last_ok = Some(now);
        self.failed = None;
        self.never = false;
        self.question.take_if(|question| attempt >= question.first);
        let silent_since = self.silent_since.take()?;
        Some(Control::Back { control: self.manner.control, silent_since, rtt_ms }.into())
    }

    /// An answer that is none, or a question that could not be put. There may still come a better one.
    pub fn failed(&mut self, failure: Failure) {
        self.failed = Some(failure);
    }

    fn give_up(&mut self, now: Stamp, steps: &mut Vec<Step>) {
        while self.open.pop_front_if(|(_, put)| now.since(*put) >= OVERDUE).is_some() {
            self.sample.asked += 1;
        }
        let Some(question) = self.question.take_if(|question| now.since(question.put) >= OVERDUE) else { return };
        if self.silent_since.is_some() {
            return;
        }
        let control = self.manner.control;
        match (&self.manner.never, self.last_ok) {
            (Some(never), None) => {
                if !self.never && now.since(self.began) >= NEVER_AFTER {
                    self.never = true;
                    let why = self.failed.clone().unwrap_or_else(|| never.why.into()).says;
                    steps.push(Step::Note(Fact::Blind { watcher: never.watcher, why }));
                }
            }
            // It is not asked more insistently either: that would use up the ration.
            _ if !self.manner.silence_tells && self.failed.is_none() => {}
            (_, last_ok) => {
                self.silent_since = Some(question.put);
                let Failure { says, refused } = self.failed.clone().unwrap_or_else(|| "no answer of any kind".into());
                let silent = Control::Silent { control, asked: question.put, last_ok, says, refused };
                steps.push(Step::Note(silent.into()));
            }
        }
    }

    fn put(&mut self, now: Stamp, steps: &mut Vec<Step>) {
        let due = match &self.question {
            Some(question) => self.repeat_after(question).is_some_and(|after| now.since(question.put) >= after),
            None => now >= self.next_question,
        };
        if !due {
            return;
        }
        self.attempts += 1;
        self.open.push_back((self.attempts, now));
        steps.push(Step::Put(self.attempts));
        if let Some(question) = &mut self.question {
            question.repeats += 1;
            return;
        }
        // The beat is kept, and a question that took its whole time is no reason to hurry after it.
        while self.next_question <= now {
            self.next_question = self.next_question.plus(self.manner.every);
        }
        // Known to be silent, it is asked once each time and waited for meanwhile.
        if self.silent_since.is_none() && !self.never {
            let repeats = if self.manner.silence_tells { 0 } else { REPEATS.len() };
            self.question = Some(Question { first: self.attempts, put: now, repeats });
        }
    }

    fn repeat_after(&self, question: &Question) -> Option<Duration> {
        REPEATS.get(question.repeats).copied()
    }

    fn sampled(&mut self) -> Option<Control> {
        let Sample { asked, answered, mut times_ms } = std::mem::take(&mut self.sample);
        if asked == 0 {
            return None;
        }
        times_ms.sort_by(f64::total_cmp);
        let rtt_ms = times_ms.get(times_ms.len() / 2).copied();
        Some(Control::Sample { control: self.manner.control, asked, answered, rtt_ms, last_ok: self.last_ok })
    }

    /// Sleep, or a process that was kept from running.
    fn if_we_stood_still(&mut self, now: Stamp) {
        if now.since(self.planned) >= STOOD_STILL {
            self.forget(now);
            self.planned = now;
        }
    }

    fn forget(&mut self, now: Stamp) {
        self.open.clear();
        self.question = None;
        self.next_question = now;
    }
}

#[cfg(test)]
mod tests;
