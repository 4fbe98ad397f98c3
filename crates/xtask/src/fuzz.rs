//! `cargo xtask fuzz [TARGET] [SECONDS]`: each fuzz target for a while, or the one named, by hand.
//!
//! The committed corpus is only read; what a run finds goes beside it, and is committed by whoever finds it worth that.

use crate::test::cargo;
use anyhow::{Context, Result, bail, ensure};
use std::process::{ExitCode, Stdio};

const SECONDS: u32 = 60;
/// In seconds: an input that costs more is a finding, as one that panics is. Memory is bounded by the fuzzer itself, to 2 GB.
const TIMEOUT: &str = "-timeout=10";

pub fn fuzz(args: &[String]) -> Result<ExitCode> {
    let (named, seconds) = match args {
        [] => (None, SECONDS),
        [one] if one.parse::<u32>().is_err() => (Some(one), SECONDS),
        [seconds] => (None, number(seconds)?),
        [target, seconds, ..] => (Some(target), number(seconds)?),
    };
    let there = cargo(&["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ensure!(
        there.is_ok_and(|status| status.success()),
        "cargo-fuzz is not installed. It comes with `cargo install cargo-fuzz`, and needs a C++ compiler \
         (on Debian and Ubuntu: apt-get install g++)"
    );
    let mut targets = Vec::new();
    for entry in std::fs::read_dir("fuzz/fuzz_targets").context("listing fuzz/fuzz_targets")? {
        let path = entry?.path();
        targets.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    targets.sort();
    if let Some(named) = named {
        ensure!(targets.contains(named), "there is no fuzz target {named}; there are {}", targets.join(", "));
        targets.retain(|target| target == named);
    }
    let mut broken = Vec::new();
    for target in &targets {
        println!("\n==> {target}, for {seconds} s");
        let (found, corpus) = (format!("fuzz/found/{target}"), format!("fuzz/corpus/{target}"));
        std::fs::create_dir_all(&found).with_context(|| format!("making {found}"))?;
        let status = cargo(&[
            "fuzz",
            "run",
            target,
            &found,
            &corpus,
            "--",
            &format!("-max_total_time={seconds}"),
            "-print_funcs=0",
            TIMEOUT,
        ])
        // The sanitizer's flags are unstable; this lets the stable compiler take them.
        .env("RUSTC_BOOTSTRAP", "1")
        .status()
        .context("starting cargo fuzz")?;
        if !status.success() {
            broken.push(target.as_str());
        }
    }
    if broken.is_empty() {
        println!("\n{} targets ran for {seconds} s each and found nothing", targets.len());
        return Ok(ExitCode::SUCCESS);
    }
    bail!("found something: {}. The inputs are under fuzz/artifacts", broken.join(", "))
}

fn number(seconds: &str) -> Result<u32> {
    seconds.parse().with_context(|| format!("{seconds} is not a number of seconds"))
}
