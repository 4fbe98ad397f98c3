//! The checker checked: with one watcher blind, one rule taken away, or one injector that does nothing, the score must fall
//! and say where. What can be switched off without a difference is either needed by no scenario or was never looked at.

use crate::judge::{Judged, Label, judge};
use crate::scenario::{Deed, Scenario};
use crate::truth::Played;
use crate::verdict::Verdict;
use anyhow::Result;
use explain::{Cause, Rule, rules::RULES};
use record::fact::{Control, ControlKind, Net, Signaling, System};
use record::{Event, Fact, Log};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem::discriminant;

/// What sees something beside the call. Blind, it leaves nothing in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watcher {
    Network,
    PublicAddress,
    Power,
    /// That we were not run for a while.
    Ticks,
    /// What the kernel tells of bytes that stay unanswered.
    Unanswered,
    Gateway,
    Names,
    /// The far end, asked over new connections and over UDP.
    FarEndAsked,
    /// Servers that have nothing to do with the far end.
    Others,
    Portal,
    Lanes,
    /// What the far end tells of its own side.
    FarEnd,
}

/// What became of the score with one part switched off.
#[derive(Clone, Debug)]
pub struct Fall {
    pub off: String,
    /// Scenarios in which it plays a role.
    pub concerned: usize,
    /// Of so many rows.
    pub rows: usize,
    pub exact_before: usize,
    pub exact_after: usize,
    /// Told less well than before.
    pub scenarios: BTreeSet<String>,
}

impl Watcher {
    pub const ALL: [Self; 12] = [
        Self::Network,
        Self::PublicAddress,
        Self::Power,
        Self::Ticks,
        Self::Unanswered,
        Self::Gateway,
        Self::Names,
        Self::FarEndAsked,
        Self::Others,
        Self::Portal,
        Self::Lanes,
        Self::FarEnd,
    ];

    fn saw(self, fact: &Fact, kinds: &BTreeMap<u32, ControlKind>) -> bool {
        let control = |of: &[ControlKind]| match fact {
            Fact::Control(fact) => kinds.get(&number(fact)).is_some_and(|kind| of.contains(kind)),
            _ => false,
        };
        match self {
            Self::Network => matches!(fact, Fact::Net(net) if !matches!(net, Net::PublicAddress { .. })),
            Self::PublicAddress => matches!(fact, Fact::Net(Net::PublicAddress { .. })),
            Self::Power => matches!(fact, Fact::Power(_)),
            Self::Ticks => matches!(fact, Fact::System(System::TicksMissed { .. })),
            Self::Unanswered => matches!(
                fact,
                Fact::Signaling(Signaling::Unanswered { .. } | Signaling::AnsweredAgain { .. } | Signaling::Tcp { .. })
            ),
            Self::Gateway => control(&[ControlKind::Gateway]),
            Self::Names => control(&[ControlKind::Dns]),
            Self::FarEndAsked => control(&[ControlKind::FarTcp, ControlKind::FarUdp]),
            Self::Others => control(&[ControlKind::Https, ControlKind::Stun]),
            Self::Portal => control(&[ControlKind::Portal]),
            Self::Lanes => matches!(fact, Fact::Lane(_) | Fact::Prediction(_)),
            Self::FarEnd => matches!(fact, Fact::Far(_)),
        }
    }

    /// The log as it would be without it. Numbers of events stay, so that evidence is still found.
    pub fn blind(self, log: &Log) -> Log {
        let asking = |event: &Event| match &event.fact {
            Fact::Control(Control::Asking { control, kind, .. }) => Some((*control, *kind)),
            _ => None,
        };
        let kinds: BTreeMap<u32, ControlKind> = log.events.iter().filter_map(asking).collect();
        let kept = log.events.iter().filter(|event| !self.saw(&event.fact, &kinds)).cloned();
        Log { events: kept.collect() }
    }
}

fn number(fact: &Control) -> u32 {
    match fact {
        Control::Asking { control, .. }
        | Control::Sample { control, .. }
        | Control::Silent { control, .. }
        | Control::Back { control, .. }
        | Control::Portal { control, .. }
        | Control::PortalGone { control }
        | Control::Issuer { control, .. } => *control,
    }
}

/// What is said of a log, read as the file would be.
pub fn told(log: &Log) -> Result<Verdict> {
    told_by(RULES, log)
}

fn told_by(rules: &[&'static Rule], log: &Log) -> Result<Verdict> {
    Verdict::read(&serde_json::to_vec(&explain::story_by(rules, log).head)?)
}

/// Each scenario as it was played, told again without each rule in turn. What is left when none fits is no rule to take
/// away.
pub fn rules(played: &[(Scenario, Played)]) -> Result<Vec<(Cause, Fall)>> {
    let each = RULES.iter().map(|rule| rule.id).filter(|cause| *cause != Cause::NotProven);
    let off = each.map(|cause| {
        let others: Vec<&'static Rule> = RULES.iter().copied().filter(|rule| rule.id != cause).collect();
        let name = serde_json::to_value(cause)?;
        let fall = fall(format!("the rule {cause:?}"), played, |scenario, played| {
            // Those that are told of it.
            if !scenario.ending.drops.iter().any(|drop| name == drop.cause.as_str()) {
                return Ok(None);
            }
            let verdict = told_by(&others, &played.log)?;
            Ok(Some(Played { truths: played.truths.clone(), verdict, log: played.log.clone() }))
        });
        Ok((cause, fall?))
    });
    off.collect()
}

/// Each scenario as it was played, told again without each watcher in turn.
pub fn watchers(played: &[(Scenario, Played)]) -> Result<Vec<Fall>> {
    let off = Watcher::ALL.iter().map(|watcher| {
        fall(format!("the watcher {watcher:?}"), played, |_, played| {
            let log = watcher.blind(&played.log);
            Ok(Some(Played { truths: played.truths.clone(), verdict: told(&log)?, log }))
        })
    });
    off.collect()
}

/// Each kind of deed in turn is not done, though the story expects it.
pub fn injectors(played: &[(Scenario, Played)], again: impl Fn(&Scenario) -> Result<Played>) -> Result<Vec<Fall>> {
    let off = kinds(played.iter().map(|(scenario, _)| scenario)).into_iter().map(|kind| {
        fall(format!("the injector {}", injector(kind)), played, |scenario, _| {
            without(scenario, kind).map(|idle| again(&idle)).transpose()
        })
    });
    // What is harmless everywhere has nothing to fall from.
    off.filter(|fall: &Result<Fall>| fall.as_ref().map_or(true, |fall| fall.concerned > 0)).collect()
}

/// The deeds that break something, each kind once.
pub fn kinds<'a>(of: impl Iterator<Item = &'a Scenario>) -> Vec<Deed> {
    let mut kinds: Vec<Deed> = Vec::new();
    for deed in
        of.flat_map(|scenario| scenario.world.broken.into_iter().chain(scenario.steps.iter().map(|step| step.deed)))
    {
        if !deed.is_harmless() && !kinds.iter().any(|kind| discriminant(kind) == discriminant(&deed)) {
            kinds.push(deed);
        }
    }
    kinds
}

/// "BlackHole"
pub fn injector(kind: Deed) -> String {
    let name = format!("{kind:?}");
    name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// The same, and deeds of this kind are not done. Nothing where it has none, or is told alike with it and without.
pub fn without(scenario: &Scenario, kind: Deed) -> Option<Scenario> {
    let is_of_it = |deed: &Deed| discriminant(deed) == discriminant(&kind);
    let mut idle = scenario.clone();
    idle.world.broken.iter_mut().filter(|deed| is_of_it(deed)).for_each(|deed| *deed = harmless(*deed));
    idle.steps.iter_mut().filter(|step| is_of_it(&step.deed)).for_each(|step| step.deed = harmless(step.deed));
    let concerned = scenario.world.broken.iter().chain(scenario.steps.iter().map(|step| &step.deed)).any(is_of_it);
    let says_something = !scenario.is_null() || !scenario.ending.findings.is_empty();
    (concerned && says_something).then_some(idle)
}

/// What is left of a deed without its harm.
fn harmless(deed: Deed) -> Deed {
    match deed {
        // A later step may take it down.
        Deed::TunnelTakesRoute | Deed::TunnelTakesFarEnd => Deed::TunnelUp,
        _ => Deed::Nothing,
    }
}

/// `changed` gives nothing where the part plays no role.
fn fall(
    off: String,
    played: &[(Scenario, Played)],
    changed: impl Fn(&Scenario, &Played) -> Result<Option<Played>>,
) -> Result<Fall> {
    let mut fall = Fall { off, concerned: 0, rows: 0, exact_before: 0, exact_after: 0, scenarios: BTreeSet::new() };
    for (scenario, before) in played {
        let Some(after) = changed(scenario, before)? else { continue };
        let (before, after) = (judge(scenario, before), judge(scenario, &after));
        let exact = |judged: &Judged| judged.rows.iter().filter(|row| row.label == Label::Exact).count();
        fall.concerned += 1;
        fall.rows += before.rows.len();
        fall.exact_before += exact(&before);
        fall.exact_after += exact(&after);
        if before.is_well() && !after.is_well() {
            fall.scenarios.insert(scenario.name.clone());
        }
    }
    Ok(fall)
}

impl Fall {
    /// The score fell.
    pub fn is_seen(&self) -> bool {
        !self.scenarios.is_empty()
    }
}

impl fmt::Display for Fall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { off, rows, exact_before, exact_after, scenarios, .. } = self;
        write!(f, "without {off}: {exact_after} of {rows} causes right, and not {exact_before}; ")?;
        match scenarios.len() {
            0 => write!(f, "NO SCENARIO NOTICES"),
            n => {
                let some: Vec<&str> = scenarios.iter().take(3).map(String::as_str).collect();
                write!(f, "{n} scenarios fall: {}{}", some.join(", "), if n > 3 { ", …" } else { "" })
            }
        }
    }
}
