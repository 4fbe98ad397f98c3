//! Names in the place of addresses and hosts: nothing that was recorded or computed in the lab is told otherwise for them, and
//! nothing that they stand for is left.

use linewitness_lab::scenario::{self, Runner};
use linewitness_lab::{mutation, recording, sim, verdict::Verdict};
use record::{Log, Names, Private};

#[test]
fn every_recording_is_told_under_names_as_it_is_told_without() {
    let all = recording::all().unwrap_or_else(|error| panic!("{error:#}"));
    let failures: Vec<String> =
        all.iter().flat_map(|(scenario, played)| wrong(&scenario.name, &played.log, &played.verdict)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_scenario_is_told_under_names_as_it_is_told_without() {
    let all = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let played = all.iter().filter(|scenario| scenario.is_played_in(Runner::Sim));
    let failures: Vec<String> = played
        .flat_map(|scenario| {
            let played = sim::play(scenario, 1).unwrap_or_else(|error| panic!("{}: {error:#}", scenario.name));
            wrong(&scenario.name, &played.log, &played.verdict)
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// By names that are counted, and by those of a desk's key.
fn wrong(name: &str, log: &Log, told: &Verdict) -> Vec<String> {
    let key = Private::new("a key of the lab's".to_owned());
    let ways = [("counted", Names::counted()), ("with a key", Names::with_key(&key))];
    ways.into_iter()
        .filter_map(|(way, names)| Some(format!("{name}, {way}: {}", wrong_with(names, log, told)?)))
        .collect()
}

fn wrong_with(mut names: Names, log: &Log, told: &Verdict) -> Option<String> {
    let mut named = log.clone();
    names.log(&mut named);
    let again = mutation::told(&named).expect("what is told can be read");
    if gist(told) != gist(&again) {
        return Some(format!("told otherwise:\n{:#?}\nand not\n{:#?}", gist(&again), gist(told)));
    }
    let (read, damage) = Log::read_lines(&named.write_lines());
    if read != named || !damage.is_empty() {
        return Some(format!("the lines read otherwise, {damage:?}"));
    }
    let text = String::from_utf8(named.write_lines()).expect("JSON is text") + &format!("{again:?}");
    names.map().into_iter().find(|line| text.contains(&line.is)).map(|line| format!("{} is left in it", line.is))
}

/// All that may not depend on what anything is called.
fn gist(told: &Verdict) -> Vec<String> {
    let drops = told.drops.iter().map(|drop| {
        let because: Vec<u64> = drop.because.iter().map(|because| because.seq).collect();
        let times = (drop.last_good, drop.first_bad, drop.declared, drop.restored);
        format!("{} {} {} {} {times:?} {because:?}", drop.plane, drop.cause, drop.owner, drop.confidence)
    });
    let mut findings: Vec<String> = told.findings.iter().map(|finding| finding.id.clone()).collect();
    findings.sort();
    let unconfirmed = told.unconfirmed.as_ref().map(|unconfirmed| (unconfirmed.plane.clone(), unconfirmed.since));
    let whole = format!("{} {} {findings:?} {unconfirmed:?} {}", told.outcome, told.owner, told.not_tested.len());
    drops.chain([whole]).collect()
}
