//! `cargo xtask bench [FILTER]`: every benchmark of the workspace. They measure and judge nothing: a figure that got worse
//! is for a person to see, not for a test that fails on a busy machine.

use crate::test::cargo;
use anyhow::{Context, Result, ensure};
use std::process::{Command, ExitCode};

pub fn bench(filter: &[String]) -> Result<ExitCode> {
    build()?;
    // By pattern, and so without the tests, which would run and measure nothing.
    measured(cargo(&["bench", "--workspace", "--bench", "*", "--"]).args(filter))
}

/// `cargo xtask soak [TIME]`: one call for ten minutes, or as long as given.
pub fn soak(length: &[String]) -> Result<ExitCode> {
    build()?;
    let length = length.first().map_or("10m", String::as_str);
    measured(cargo(&["bench", "--workspace", "--bench", "whole"]).env("LINEWITNESS_SOAK", length))
}

fn build() -> Result<()> {
    // The program that the benchmark of the whole starts; cargo builds for a benchmark only those of its own package.
    let build = cargo(&["build", "--profile", "bench", "--workspace", "--bench", "*", "--bin", "linewitness"]).status();
    ensure!(build.context("starting cargo build")?.success(), "the build failed (see above)");
    Ok(())
}

fn measured(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("starting cargo bench")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
