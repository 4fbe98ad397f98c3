//! `Rule`: one cause with everything it needs to speak: who owns it, how it is found, what it outranks, what to do.

use crate::{Cause, Confidence, Drop, Owner, Timeline};
use record::Seq;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::time::Duration;

#[derive(Debug)]
pub struct Rule {
    pub id: Cause,
    pub owner: Owner,
    /// After "Owner: ", in a headline.
    pub title: &'static str,
    pub advice: fn(&Timeline, &Drop) -> Advice,
    /// Causes that also fit where this one does, and say less.
    pub outranks: &'static [Cause],
    /// How long after a drop was declared later events may still speak for or against this cause. Until then, in a run
    /// that goes on, it is not called shown.
    pub settle: Duration,
    pub find: fn(&Timeline, &Drop) -> Option<Finding>,
    /// Where the log holds the evidence to say that it was not this: the sentence that says so.
    pub rules_out: Option<fn(&Timeline, &Drop) -> Option<String>>,
}

/// That a cause fits, with what shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Where it is not the rule's own.
    pub owner: Option<Owner>,
    pub confidence: Confidence,
    /// One finished sentence.
    pub says: String,
    pub because: Evidence,
    pub measured: Measured,
}

/// Never empty: a cause without an event behind it cannot be built.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    first: Because,
    more: Vec<Because>,
}

/// One event of the log and what it says here.
#[derive(Clone, PartialEq, Debug, serde::Serialize, ts_rs::TS)]
#[ts(export_to = "story.ts")]
pub struct Because {
    pub seq: Seq,
    pub says: String,
    /// Where it speaks of several: the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Seq>>")]
    pub more: Vec<Seq>,
}

/// A sentence over thousands of events is shown by its first ones as well.
const MOST_SEQS: usize = 64;

/// Figures under their names, in the order they were measured.
#[derive(Clone, PartialEq, Debug, Default, ts_rs::TS)]
#[ts(export_to = "story.ts", type = "Record<string, number | string>")]
pub struct Measured(Vec<(&'static str, Figure)>);

#[derive(Clone, PartialEq, Debug, serde::Serialize, ts_rs::TS)]
#[ts(export_to = "story.ts")]
#[serde(untagged)]
pub enum Figure {
    Number(f64),
    Word(String),
}

/// Who does what, how to try it again, and what would prove us wrong.
#[derive(Clone, PartialEq, Debug, serde::Serialize, ts_rs::TS)]
#[ts(export_to = "story.ts")]
pub struct Advice {
    pub who: String,
    pub what: String,
    pub retest: String,
    pub wrong_if: String,
}

impl Evidence {
    pub fn of(seq: Seq, says: impl Into<String>) -> Self {
        Self { first: Because { seq, says: says.into(), more: Vec::new() }, more: Vec::new() }
    }
    pub fn and(mut self, seq: Seq, says: impl Into<String>) -> Self {
        self.more.push(Because { seq, says: says.into(), more: Vec::new() });
        self
    }
    /// Shown by each of them.
    pub fn and_all(mut self, seqs: &[Seq], says: impl Into<String>) -> Self {
        if let Some((seq, more)) = seqs.split_first() {
            let more = more.iter().take(MOST_SEQS).copied().collect();
            self.more.push(Because { seq: *seq, says: says.into(), more });
        }
        self
    }
    pub fn and_maybe(self, because: Option<(Seq, String)>) -> Self {
        match because {
            Some((seq, says)) => self.and(seq, says),
            None => self,
        }
    }
    pub fn iter(&self) -> impl Iterator<Item = &Because> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

impl Measured {
    pub fn seconds(length: Duration) -> Self {
        Self::default().number("seconds", length.as_secs_f64())
    }
    /// To the millisecond: nothing here is measured better, and a reader would take more digits for precision.
    pub fn number(mut self, name: &'static str, value: f64) -> Self {
        self.0.push((name, Figure::Number((value * 1e3).round() / 1e3)));
        self
    }
    pub fn word(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, Figure::Word(value.into())));
        self
    }
    pub fn word_maybe(self, name: &'static str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.word(name, value),
            None => self,
        }
    }
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Figure)> {
        self.0.iter().map(|(name, figure)| (*name, figure))
    }
}
impl Serialize for Measured {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, figure) in &self.0 {
            map.serialize_entry(name, figure)?;
        }
        map.end()
    }
}
