//! The stories: each a world, something done to it, and what Linewitness must say of that.
//!
//! They take minutes and need root or user namespaces, so they are told when asked for: `cargo xtask lab [FILTER]`.

mod beyond;
mod clean;
mod client;
mod ipv6;
mod janus;
mod limits;
mod parts;
mod path;
mod process;
mod proxy;
mod relay;
mod service;
mod truth;
mod user;

use std::process::ExitCode;

/// Set by `cargo xtask`; a plain `cargo test` only says that the lab is there.
const ASKED: &str = "LINEWITNESS_LAB";

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    if std::env::var_os(ASKED).is_none() {
        return told_nothing("told by `cargo xtask lab`, which takes minutes");
    }
    // The longest first, so that nothing long is left alone at the end.
    let stories = [
        janus::STORIES,
        limits::STORIES,
        clean::STORIES,
        path::STORIES,
        service::STORIES,
        client::STORIES,
        beyond::STORIES,
        user::STORIES,
        ipv6::STORIES,
        proxy::STORIES,
        process::STORIES,
        relay::STORIES,
        parts::STORIES,
        truth::STORIES,
    ];
    // Flags of cargo's own test programs mean nothing here.
    let filter: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    linewitness_lab::stage::main(stories.concat(), &filter)
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
