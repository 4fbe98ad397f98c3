//! `Ending`: what must be said at the end.

use anyhow::{Result, ensure};
use record::profile::Span;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    pub outcome: Outcome,
    /// One for each drop that there is, those of a plane in their order.
    #[serde(default, rename = "drop")]
    pub drops: Vec<Drop>,
    /// One for each finding that there is; any other is a false one.
    #[serde(default, rename = "finding")]
    pub findings: Vec<Finding>,
    /// Signaling must be said to be unconfirmed at the end, since a moment before the first step; else it must not be.
    #[serde(default)]
    pub unconfirmed: bool,
    /// How many new calls may be placed; else the call that was placed is the one that was held.
    #[serde(default)]
    pub new_calls: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Held,
    Dropped,
    NotEstablished,
    EndedByUser,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    Signaling,
    Media,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    NotProven,
    Likely,
    Shown,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    pub plane: Plane,
    pub cause: String,
    pub owner: String,
    /// Exactly so; a word too strong is worse than one too weak.
    pub confidence: Confidence,
    /// The step whose first effect on this plane is the truth; the first is 1. Without it, nothing was broken and the
    /// onset is judged by `seconds` alone.
    #[serde(default)]
    pub step: Option<usize>,
    /// More drops of this plane may follow, and each must be like this one.
    #[serde(default)]
    pub again: bool,
    /// Or too short to count, by chance: both are right.
    #[serde(default)]
    pub perhaps: bool,
    /// It never came back within the hold.
    #[serde(default)]
    pub for_good: bool,
    #[serde(default)]
    pub onset_within: Option<Span>,
    #[serde(default)]
    pub declared_within: Option<Span>,
    /// After the fault was undone, after it began where it lasts, and after what was said to be its onset where nothing was
    /// broken.
    #[serde(default)]
    pub restored_within: Option<Span>,
    #[serde(default)]
    pub measured: Measured,
    /// Facts among the evidence, by their names in the log: `"net.link"`, `"control.silent"`.
    #[serde(default)]
    pub rests_on: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub id: String,
    /// By chance it is there or not, and both are right.
    #[serde(default)]
    pub perhaps: bool,
    #[serde(flatten)]
    pub measured: Measured,
}

/// Figures of the verdict that must be as the truth is.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// A length of time, in seconds, as it was set.
    pub seconds: Option<f64>,
    /// How far the figure may lie from it.
    pub within: Option<f64>,
    /// Seconds from the end of credentials to the planned end of the hold.
    pub before_end: Option<f64>,
    pub ended: Option<String>,
    pub direction: Option<String>,
    pub what: Option<String>,
    /// Of a public address: its `port`, or the `address`. Both must be named, the one before and the one after.
    pub changed: Option<String>,
}

impl Ending {
    pub(super) fn check(&self, steps: usize) -> Result<()> {
        let dropped = matches!(self.outcome, Outcome::Dropped | Outcome::NotEstablished);
        ensure!(dropped || self.drops.is_empty(), "a hold without a drop has none");
        ensure!(!dropped || !self.drops.is_empty(), "a hold with a drop says which");
        for drop in &self.drops {
            ensure!(drop.step.is_none_or(|step| (1..=steps).contains(&step)), "there is no such step: {drop:?}");
            let timed = [drop.onset_within, drop.declared_within].iter().any(Option::is_some);
            ensure!(!timed || drop.step.is_some(), "a time without a truth to compare it with: {drop:?}");
            ensure!(drop.for_good != drop.restored_within.is_some(), "it comes back in time, or not at all: {drop:?}");
            ensure!(
                drop.step.is_none() || drop.declared_within.is_some(),
                "nobody waits for ever to be told: {drop:?}"
            );
        }
        Ok(())
    }
}

impl Plane {
    /// As the verdict writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signaling => "signaling",
            Self::Media => "media",
        }
    }
}

impl Confidence {
    pub fn name(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Likely => "likely",
            Self::NotProven => "not_proven",
        }
    }
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Dropped => "dropped",
            Self::NotEstablished => "not_established",
            Self::EndedByUser => "ended_by_user",
        }
    }
}
