//! The score as JSON, with all that it was made of: when, on which machine, by which seed, and every run.

use super::{Run, Score};
use anyhow::{Context, Result};
use engine::Clock;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Report<'a> {
    made: String,
    machine: Machine,
    seed: u64,
    score: Score,
    runs: &'a [Run],
}

#[derive(Serialize)]
pub struct Machine {
    kernel: String,
    cores: usize,
    /// Of the last minute, the last five, the last fifteen.
    load: String,
}

pub fn write(file: &Path, runs: &[Run], seed: u64) -> Result<()> {
    let made = Clock::real().now().wall.timestamp().to_string();
    let report = Report { made, machine: machine()?, seed, score: Score::of(runs), runs };
    let text = serde_json::to_vec_pretty(&report).context("writing the score")?;
    std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

pub fn machine() -> Result<Machine> {
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("reading {path}"));
    let load = read("/proc/loadavg")?.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let kernel = read("/proc/sys/kernel/osrelease")?.trim().to_owned();
    let cores = std::thread::available_parallelism().context("counting the cores")?.get();
    Ok(Machine { kernel, cores, load })
}
