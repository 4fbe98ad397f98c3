//! Whatever happens, in whatever order: nothing panics, nothing is *shown* and wrong, and where only harmless things were
//! done nothing was lost. The reference is simple: who may own a loss is known from what was really done near it.
//!
//! `FROM=17` begins with another seed, `RUNS=1000` plays more of them.

use linewitness_lab::scenario::{Dice, Scenario};
use linewitness_lab::sim;
use linewitness_lab::truth::Played;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const RUNS: u64 = 200;
const AT_A_TIME: usize = 2;
/// Of each hold; what is done begins within the first part, so that its end is seen too.
const LENGTH: u64 = 45;
const BEGINS_WITHIN: u64 = 30;
/// A loss is found by the slowest heartbeat, and what a fault left behind (a silence that waits for TCP) ends it later.
const NEAR: Duration = Duration::from_secs(15);

/// What is done, for how long at most, and who may own what follows; nobody where nothing may follow.
const DEEDS: &[(&str, Option<u64>, &[&str])] = &[
    ("\"black_hole\"", Some(12), &["internet_path"]),
    ("\"rejected\"", Some(12), &["internet_path"]),
    ("\"unrouted\"", Some(12), &["internet_path"]),
    ("\"udp_to_server_lost\"", Some(12), &["internet_path", "local_network"]),
    ("\"udp_to_client_lost\"", Some(12), &["internet_path", "local_network"]),
    ("\"udp_lost\"", Some(12), &["internet_path", "local_network"]),
    ("\"signaling_vanishes\"", None, &["internet_path"]),
    ("\"signaling_reset\"", None, &["internet_path"]),
    ("\"media_vanishes\"", None, &["internet_path", "local_network"]),
    ("\"gateway_silent\"", Some(12), &["local_network"]),
    ("{ mappings_lost = { ports = \"other\" } }", None, &["local_network", "internet_path"]),
    ("\"link_down\"", Some(12), &["this_computer"]),
    ("\"address_changed\"", None, &["this_computer"]),
    ("\"route_moved\"", Some(12), &["this_computer"]),
    ("\"route_gone\"", Some(12), &["this_computer"]),
    ("\"tunnel_takes_route\"", Some(12), &["this_computer"]),
    ("\"frozen\"", Some(8), &["this_computer"]),
    ("\"sleep\"", Some(12), &["this_computer"]),
    ("\"far_end_killed\"", Some(6), &["voice_service"]),
    ("\"far_end_stopped\"", Some(6), &["voice_service"]),
    ("\"far_end_frozen\"", Some(10), &["voice_service"]),
    ("\"second_uplink\"", Some(10), &[]),
    ("\"tunnel_up\"", Some(10), &[]),
    ("\"bridge\"", Some(10), &[]),
    ("\"temporary_address_renewed\"", None, &[]),
    ("\"busy\"", Some(10), &[]),
    ("\"portal_closed\"", Some(10), &[]),
    ("{ jitter = { ms = 30 } }", Some(20), &[]),
    ("{ loss = { percent = 1 } }", Some(20), &[]),
    ("{ clock_step = { seconds = 3600 } }", None, &[]),
    ("{ mappings_lost = { ports = \"same\" } }", None, &[]),
];

struct Done {
    begin: Duration,
    end: Duration,
    owners: &'static [&'static str],
}

/// Up to four of them, one after the other or into each other; every third schedule holds harmless ones alone.
fn schedule(seed: u64) -> (Scenario, Vec<Done>) {
    let mut dice = Dice::new(seed);
    let harmless = dice.throw().is_multiple_of(3);
    let deeds: Vec<_> = DEEDS.iter().filter(|(.., owners)| !harmless || owners.is_empty()).collect();
    let mut begins: Vec<u64> = (0..=dice.throw() % 4).map(|_| 3_000 + dice.throw() % (BEGINS_WITHIN * 1_000)).collect();
    begins.sort_unstable();
    let mut text = format!(
        "story = \"Anything.\"\n[world]\ncontrol = {}\nlogind = {}\n[run]\nfor = \"{LENGTH}s\"\n",
        dice.throw().is_multiple_of(2),
        dice.throw().is_multiple_of(2),
    );
    let mut done = vec![];
    for begin in begins {
        let (deed, most, owners) = *deeds[(dice.throw() % deeds.len() as u64) as usize];
        text += &format!("[[step]]\nat = \"{begin}ms\"\ndo = {deed}\n");
        let lasts = most.map(|most| 200 + dice.throw() % (most * 1_000));
        text += &lasts.map_or(String::new(), |ms| format!("for = \"{ms}ms\"\n"));
        let begin = Duration::from_millis(begin);
        let end = lasts.map_or(begin, |ms| begin + Duration::from_millis(ms));
        done.push(Done { begin, end, owners });
    }
    text += "[expect]\noutcome = \"held\"\n";
    let scenario = Scenario::parse(&format!("schedule {seed}"), &text).unwrap_or_else(|e| panic!("{e:#}\n{text}"));
    (scenario, done)
}

/// Every sentence is a fault.
fn judge(played: &Played, done: &[Done]) -> Vec<String> {
    let first = played.log.events.first().expect("a log begins with its mark").at;
    // A verdict tells every time by the clock of the start.
    let at = |wall: record::Wall| Duration::from_micros((wall.micros() - first.wall.micros()).max(0) as u64);
    let mut wrong = vec![];
    for drop in &played.verdict.drops {
        let (from, to) = (at(drop.last_good), at(drop.declared));
        let near = |one: &&Done| one.begin <= to + NEAR && one.end + NEAR >= from;
        let owners: Vec<_> = done.iter().filter(near).flat_map(|one| one.owners).collect();
        let about = format!("{} {} ({}, {})", drop.plane, drop.cause, drop.owner, drop.confidence);
        if owners.is_empty() {
            wrong.push(format!("{about} at {from:?}, and nothing was done that loses anything: {}", drop.says));
        } else if drop.confidence == "shown" && !owners.contains(&&drop.owner.as_str()) {
            wrong.push(format!("{about} at {from:?}, and only {owners:?} can own it: {}", drop.says));
        }
    }
    wrong
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_is_shown_and_wrong_whatever_happens() {
    let from = setting("FROM").unwrap_or(1);
    let end = from + setting("RUNS").unwrap_or(RUNS);
    let (next, wrong) = (AtomicU64::new(from), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let (scenario, done) = schedule(seed);
                    let found = match sim::play(&scenario, seed) {
                        Ok(played) => judge(&played, &done),
                        Err(error) => vec![format!("{error:#}")],
                    };
                    let steps: Vec<_> = scenario.steps.iter().map(|s| (s.at, s.deed, s.lasts)).collect();
                    let told = found.iter().map(|says| format!("seed {seed}: {says}\n    {steps:?}"));
                    wrong.lock().expect("no holder panics").extend(told);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no holder panics");
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} schedules:\n{}", wrong.len(), end - from, wrong.join("\n"));
}
