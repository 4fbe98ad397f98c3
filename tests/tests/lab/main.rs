//! The scenarios in real network namespaces, and stories that no file can tell: of the lab itself, of the hold's own end, of
//! far ends with their own ways.
//!
//! They take minutes and need root or user namespaces, so they are told when asked for: `cargo xtask lab [FILTER]`.

mod ipv6;
mod janus;
mod parts;
mod process;
mod proxy;
mod relay;
mod truth;
mod user;

#[cfg(target_os = "linux")]
use linewitness_lab::{Piece, scenario, scenario::Runner};
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
        proxy::STORIES,
        process::STORIES,
        relay::STORIES,
        parts::STORIES,
        truth::STORIES,
    ];
    let Asked { seed, filter } = asked(std::env::args().skip(1));
    let scenarios = scenario::all().unwrap_or_else(|error| panic!("{error:#}"));
    let played = scenarios.into_iter().filter(|scenario| scenario.is_played_in(Runner::Netns));
    let pieces = played.map(|scenario| Piece::of(scenario, seed)).chain(stories.concat().into_iter().map(Piece::from));
    linewitness_lab::stage::main(pieces.collect(), &filter, seed)
}

#[cfg(target_os = "linux")]
struct Asked {
    seed: u64,
    filter: Vec<String>,
}

/// `[FILTER]… [--seed N]`; flags of cargo's own test programs mean nothing here.
#[cfg(target_os = "linux")]
fn asked(args: impl Iterator<Item = String>) -> Asked {
    let mut asked = Asked { seed: SEED, filter: Vec::new() };
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seed" => {
                asked.seed = args.next_if(|n| n.parse::<u64>().is_ok()).map_or(SEED, |n| n.parse().unwrap_or(SEED))
            }
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
