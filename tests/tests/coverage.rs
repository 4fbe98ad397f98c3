//! Every cause and every finding that the product can say is told by some scenario, and every cause in at least two forms.
//! The lists are the product's own: what is added there has no scenario yet, and is named here.

use explain::{Cause, findings::FINDINGS, rules::RULES};
use linewitness_lab::disguise::{self, Disguise};
use linewitness_lab::scenario::{self, Scenario, ending};
use std::collections::BTreeSet;

/// Causes that a hold of our own cannot meet as the reason of a drop.
const UNMET: &[(Cause, &str)] = &[(
    Cause::NatExpired,
    "our calls check their path twice a second, and no kernel's router forgets sooner than after one: only the finding \
     `udp_idle_limit` can be played",
)];

/// Causes that have one form alone.
const ONE_FORM: &[(Cause, &str)] =
    &[(Cause::PeerLeft, "the far end's word is all there is to it: without one it is another cause")];

/// Findings that no world brings about within minutes.
const UNFOUND: &[(&str, &str)] = &[
    ("idle_unclear", "two limits behind one address, which no part has; the rules' own tests have it"),
    ("more_drops", "a hold of hundreds of drops; the rules' own tests have it"),
];

fn scenarios() -> Vec<Scenario> {
    scenario::all().unwrap_or_else(|error| panic!("{error:#}"))
}

fn name(cause: Cause) -> String {
    serde_json::to_value(cause).ok().and_then(|name| name.as_str().map(str::to_owned)).expect("a cause has a name")
}

fn forms(of: &str, all: &[Scenario]) -> BTreeSet<Disguise> {
    let drops = all.iter().filter(|scenario| scenario.open.is_none());
    let drops = drops.flat_map(|scenario| scenario.ending.drops.iter().map(move |drop| (scenario, drop)));
    // What is right as well if it is not said demands nothing.
    let demanded = |drop: &ending::Drop| drop.cause == of && !drop.perhaps;
    drops.filter(|(_, drop)| demanded(drop)).map(|(scenario, drop)| disguise::of(scenario, drop)).collect()
}

#[test]
fn every_cause_is_met_in_two_forms() {
    let all = scenarios();
    let mut missing = Vec::new();
    for cause in RULES.iter().map(|rule| rule.id) {
        let met = forms(&name(cause), &all);
        let excused = |list: &[(Cause, &str)]| list.iter().any(|(of, _)| *of == cause);
        let least = if excused(UNMET) { 0 } else { 2 - usize::from(excused(ONE_FORM)) };
        if met.len() < least {
            missing.push(format!("{} is met in {} of {least} forms: {met:?}", name(cause), met.len()));
        }
        // An excuse that is none any more.
        if least < 2 && met.len() > least {
            missing.push(format!("{} needs no excuse any more: {met:?}", name(cause)));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_finding_is_found() {
    let all = scenarios();
    let findings = all.iter().flat_map(|scenario| &scenario.ending.findings);
    let wanted: BTreeSet<&str> =
        findings.filter(|finding| !finding.perhaps).map(|finding| finding.id.as_str()).collect();
    let known: BTreeSet<&str> = FINDINGS.iter().map(|(id, _)| *id).collect();
    let excused: BTreeSet<&str> = UNFOUND.iter().map(|(id, _)| *id).collect();
    let missing: Vec<_> = known.difference(&wanted).filter(|id| !excused.contains(*id)).collect();
    assert!(missing.is_empty(), "found in no scenario: {missing:?}");
    let unknown: Vec<_> = wanted.difference(&known).chain(excused.difference(&known)).collect();
    assert!(unknown.is_empty(), "the product finds no such thing: {unknown:?}");
    let idle: Vec<_> = wanted.intersection(&excused).collect();
    assert!(idle.is_empty(), "found, and excused all the same: {idle:?}");
}

#[test]
fn scenarios_expect_causes_that_there_are() {
    let known: BTreeSet<String> = RULES.iter().map(|rule| name(rule.id)).collect();
    for scenario in scenarios() {
        for drop in &scenario.ending.drops {
            assert!(known.contains(&drop.cause), "{} expects {}, which is no cause", scenario.name, drop.cause);
        }
    }
}
