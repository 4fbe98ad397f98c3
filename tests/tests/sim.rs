//! Every scenario on the computed network, with several seeds each, judged by what really happened.
//!
//! `SCENARIO=name` plays those whose name contains it, `SEEDS=40` with more seeds, `SHOW=1` prints what each log holds.

#![expect(clippy::print_stderr, reason = "who looks for a fault wants to see the log")]

use linewitness_lab::judge::{self, Judged};
use linewitness_lab::scenario::{self, Runner, Scenario};
use linewitness_lab::sim;
use linewitness_lab::truth::Played;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Steps sway, so that with these most phases of a heartbeat and of a control are met.
const SEEDS: u64 = 4;
const AT_A_TIME: usize = 2;

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn every_scenario_is_told_as_it_was() {
    let wanted = setting("SCENARIO").unwrap_or_default();
    let seeds = setting("SEEDS").and_then(|n| n.parse().ok()).unwrap_or(SEEDS);
    let all = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let played: Vec<(&Scenario, u64)> = all
        .iter()
        .filter(|scenario| scenario.is_played_in(Runner::Sim) && scenario.name.contains(&wanted))
        .flat_map(|scenario| (1..=if sways(scenario) { seeds } else { 1 }).map(move |seed| (scenario, seed)))
        .collect();
    assert!(!played.is_empty(), "there are scenarios for it");
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((scenario, seed)) = played.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(failure) = play(scenario, *seed) {
                        failures.lock().expect("no holder panics").push((scenario.name.clone(), failure));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no holder panics");
    failures.sort();
    let open =
        |name: &str| all.iter().find(|scenario| scenario.name == name).and_then(|scenario| scenario.open.clone());
    let mended: Vec<&str> = played
        .iter()
        .map(|(scenario, _)| scenario.name.as_str())
        .filter(|name| open(name).is_some() && !failures.iter().any(|(failed, _)| failed == name))
        .collect();
    for (name, _) in &failures {
        if let Some(why) = open(name) {
            eprintln!("*** {name} IS TOLD WRONGLY, which is known: {why} ***");
        }
    }
    failures.retain(|(name, _)| open(name).is_none());
    let failures: Vec<_> = failures.into_iter().map(|(_, says)| says).collect();
    assert!(failures.is_empty(), "{} of {} were told wrongly:\n{}", failures.len(), played.len(), failures.join("\n"));
    assert!(mended.is_empty(), "told well by now, and no longer `open`: {mended:?}");
}

#[test]
fn the_same_seed_gives_the_same_log_to_the_last_byte() {
    let all = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let scenario = all
        .iter()
        .find(|scenario| scenario.is_played_in(Runner::Sim) && sways(scenario))
        .expect("there are scenarios for it");
    let [one, two, other] = [7, 7, 8].map(|seed| sim::play(scenario, seed).expect("it can be played").log);
    let lines = |log: &record::Log| String::from_utf8(log.write_lines()).expect("JSON is text");
    let differs =
        lines(&one).lines().zip(lines(&two).lines()).find(|(one, two)| one != two).map(|(a, b)| format!("{a}\n{b}"));
    assert_eq!(differs, None);
    assert_ne!(lines(&one), lines(&other));
}

/// Where nothing is moved, one seed is as good as another.
fn sways(scenario: &Scenario) -> bool {
    scenario.steps.iter().any(|step| step.sway.is_some())
}

/// What is wrong with it, if anything.
fn play(scenario: &Scenario, seed: u64) -> Option<String> {
    let played = match sim::play(scenario, seed) {
        Ok(played) => played,
        Err(error) => return Some(format!("{} with seed {seed}: {error:#}", scenario.name)),
    };
    if setting("SHOW").is_some() {
        show(scenario, seed, &played);
    }
    let judged = judge::judge(scenario, &played);
    (!judged.is_well()).then(|| report(scenario, seed, &played, &judged))
}

fn report(scenario: &Scenario, seed: u64, played: &Played, judged: &Judged) -> String {
    let mut text = format!("\n{} with seed {seed}: {}\n", scenario.name, scenario.story);
    for row in &judged.rows {
        let _ = writeln!(text, "  {row:?}");
    }
    for complaint in &judged.complaints {
        let _ = writeln!(text, "  - {complaint}");
    }
    let _ = writeln!(text, "  said was: {}", played.verdict.summary());
    text
}

fn show(scenario: &Scenario, seed: u64, played: &Played) {
    eprintln!("{} with seed {seed}\n{}", scenario.name, String::from_utf8_lossy(&played.log.write_lines()));
    for truth in &played.truths {
        eprintln!("{truth:?}");
    }
    eprintln!("{}", played.verdict.summary());
}
