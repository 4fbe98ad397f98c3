//! The scenarios in real network namespaces, and stories that no file can tell: of the lab itself, of the hold's own end, of
//! far ends with their own ways.
//!
//! They take minutes and need root or user namespaces, so they are told when asked for: `cargo xtask lab [FILTER]`.

mod disk;
mod ipv6;
mod janus;
mod parts;
mod process;
mod relay;
mod truth;
mod user;

#[cfg(target_os = "linux")]
use linewitness_lab::{
    Piece, mutation, scenario,
    scenario::{Runner, Scenario},
    stage,
};
use std::process::ExitCode;

/// Set by `cargo xtask`; a plain `cargo test` only says that the lab is there.
const ASKED: &str = "LINEWITNESS_LAB";
/// The order, and when in a heartbeat's course each fault begins: the same in every run that asks for no other.
#[cfg(target_os = "linux")]
const SEED: u64 = 1;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    if std::env::var_os(ASKED).is_none() {
        return told_nothing("told by `cargo xtask lab`, which takes minutes");
    }
    let stories = [
        janus::STORIES,
        user::STORIES,
        ipv6::STORIES,
        disk::STORIES,
        process::STORIES,
        relay::STORIES,
        parts::STORIES,
        truth::STORIES,
    ];
    let Asked { seed, repeat, at_a_time, record, browser, without_injectors, filter } = asked(std::env::args().skip(1));
    if browser {
        return linewitness_lab::browser::main(&filter, seed);
    }
    let scenarios = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let played: Vec<Scenario> = scenarios.into_iter().filter(|scenario| scenario.is_played_in(Runner::Netns)).collect();
    if without_injectors {
        let kinds = mutation::kinds(played.iter());
        let each = played.iter().filter(|scenario| scenario.open.is_none());
        let idle = each.flat_map(|one| kinds.iter().filter_map(move |kind| Piece::without(one, *kind, seed)));
        return stage::main(idle.collect(), &filter, seed, at_a_time);
    }
    let again = |scenario: Scenario| (seed..seed + repeat).map(move |seed| Piece::of(scenario.clone(), seed, record));
    let pieces = played.into_iter().flat_map(again).chain(stories.concat().into_iter().map(Piece::from));
    stage::main(pieces.collect(), &filter, seed, at_a_time)
}

#[cfg(target_os = "linux")]
struct Asked {
    seed: u64,
    /// Each scenario so many times, with this seed and those after it.
    repeat: u64,
    at_a_time: usize,
    /// What is told well is kept as a recording.
    record: bool,
    /// Only what is played beside a browser, beside it.
    browser: bool,
    /// Every scenario is played with each of its injectors switched off, and must then be told wrongly.
    without_injectors: bool,
    filter: Vec<String>,
}

/// `[FILTER]… [--seed N] [--repeat N] [--at-a-time N] [--record] [--browser] [--without-injectors]`; other flags are of cargo's own test programs and
/// mean nothing here.
#[cfg(target_os = "linux")]
fn asked(mut args: impl Iterator<Item = String>) -> Asked {
    let mut asked = Asked {
        seed: SEED,
        repeat: 1,
        at_a_time: stage::AT_A_TIME,
        record: false,
        browser: false,
        without_injectors: false,
        filter: Vec::new(),
    };
    while let Some(arg) = args.next() {
        let mut number = || {
            let given = args.next().unwrap_or_default();
            given.parse::<u64>().unwrap_or_else(|_| panic!("{arg} wants a number, and not {given:?}"))
        };
        match arg.as_str() {
            "--seed" => asked.seed = number(),
            "--repeat" => asked.repeat = number().max(1),
            "--at-a-time" => asked.at_a_time = number().clamp(1, 64) as usize,
            "--record" => asked.record = true,
            "--browser" => asked.browser = true,
            "--without-injectors" => asked.without_injectors = true,
            flag if flag.starts_with('-') => {}
            _ => asked.filter.push(arg),
        }
    }
    asked
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    told_nothing("needing Linux' network namespaces; run them there, or in a virtual machine")
}

#[expect(clippy::print_stdout, reason = "the line that cargo's own test programs end with")]
fn told_nothing(why: &str) -> ExitCode {
    println!("\nrunning 0 tests: the lab's stories are {why}\n");
    println!("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n");
    ExitCode::SUCCESS
}
