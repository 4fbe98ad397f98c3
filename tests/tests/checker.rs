//! The checker checked: with one injector, one watcher or one rule switched off at a time, some story must be told wrongly.

use explain::Cause;
use linewitness_lab::scenario::{self, Runner, Scenario};
use linewitness_lab::truth::Played;
use linewitness_lab::{mutation, recording, sim};

const SEED: u64 = 1;

fn computed() -> Vec<(Scenario, Played)> {
    let scenarios = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let played = scenarios.into_iter().filter(|scenario| scenario.is_played_in(Runner::Sim) && scenario.open.is_none());
    let play = |scenario: Scenario| {
        let one = sim::play(&scenario, SEED).unwrap_or_else(|error| panic!("{}: {error:#}", scenario.name));
        (scenario, one)
    };
    played.map(play).collect()
}

fn all_are_seen(falls: &[mutation::Fall]) {
    let unseen: Vec<String> = falls.iter().filter(|fall| !fall.is_seen()).map(ToString::to_string).collect();
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

#[test]
fn without_an_injector_the_score_falls() {
    let again = |scenario: &Scenario| sim::play(scenario, SEED);
    let falls = mutation::injectors(&computed(), again).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(falls.len() >= 15, "only {} kinds of deeds break anything", falls.len());
    all_are_seen(&falls);
}

/// A rule that nothing needs would be removed, or gets a scenario.
#[test]
fn without_a_rule_the_score_falls() {
    let recorded = recording::all().unwrap_or_else(|error| panic!("{error:#}"));
    let all: Vec<_> = computed().into_iter().chain(recorded).collect();
    let falls = mutation::rules(&all).unwrap_or_else(|error| panic!("{error:#}"));
    let needed = falls.into_iter().filter(|(cause, _)| !UNMET.contains(cause)).map(|(_, fall)| fall);
    all_are_seen(&needed.collect::<Vec<_>>());
}

/// No hold of our own can meet them: its calls are never quiet for long enough.
const UNMET: [Cause; 1] = [Cause::NatExpired];

/// On what was computed, and on what real kernels left behind.
#[test]
fn without_a_watcher_the_score_falls() {
    let recorded = recording::all().unwrap_or_else(|error| panic!("{error:#}"));
    let all: Vec<_> = computed().into_iter().chain(recorded).collect();
    let falls = mutation::watchers(&all).unwrap_or_else(|error| panic!("{error:#}"));
    all_are_seen(&falls);
}
