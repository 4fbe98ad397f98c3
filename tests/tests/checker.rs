//! The checker checked: with one injector switched off at a time, the stories that it makes must be told wrongly, and say so.

use linewitness_lab::scenario::{self, Runner};
use linewitness_lab::{mutation, sim};

const SEED: u64 = 1;

#[test]
fn without_an_injector_the_score_falls() {
    let scenarios = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let played = scenarios.into_iter().filter(|scenario| scenario.is_played_in(Runner::Sim) && scenario.open.is_none());
    let played: Vec<_> = played
        .map(|scenario| {
            let one = sim::play(&scenario, SEED).unwrap_or_else(|error| panic!("{}: {error:#}", scenario.name));
            (scenario, one)
        })
        .collect();
    let falls =
        mutation::injectors(&played, |scenario| sim::play(scenario, SEED)).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(falls.len() >= 15, "only {} kinds of deeds break anything", falls.len());
    let unseen: Vec<String> = falls.iter().filter(|fall| !fall.is_seen()).map(ToString::to_string).collect();
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}
