//! `cargo xtask bench [FILTER]`: every benchmark of the workspace. They measure and judge nothing: a figure that got worse
//! is for a person to see, not for a test that fails on a busy machine.

use crate::test::cargo;
use anyhow::{Context, Result, ensure};
use std::process::ExitCode;

pub fn bench(filter: &[String]) -> Result<ExitCode> {
    // The program that the benchmark of the whole starts; cargo builds for a benchmark only those of its own package.
    let build = cargo(&["build", "--profile", "bench", "--workspace", "--bench", "*", "--bin", "linewitness"]).status();
    ensure!(build.context("starting cargo build")?.success(), "the build failed (see above)");
    // By pattern, and so without the tests, which would run and measure nothing.
    let mut command = cargo(&["bench", "--workspace", "--bench", "*", "--"]);
    let status = command.args(filter).status().context("starting cargo bench")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
