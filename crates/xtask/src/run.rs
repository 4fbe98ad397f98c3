//! `cargo xtask run`: from a clean clone to a held call with one command.

use crate::packages::{self, TO_RUN};
use crate::test::cargo;
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Long enough to see the call stand and tick, short enough to wait for.
const SELF_TEST: &[&str] = &["hold", "--for", "20s"];

pub fn run(args: &[String]) -> Result<ExitCode> {
    if cfg!(target_os = "linux") {
        packages::ensure_there(&TO_RUN.iter().collect::<Vec<_>>())?;
    } else {
        println!("On macOS and Windows nothing is needed beyond Rust and the linker that it asked for.");
    }
    let args: Vec<&str> = args.iter().map(String::as_str).skip_while(|arg| *arg == "--").collect();
    let args = if args.is_empty() { SELF_TEST } else { &args };
    println!("building and running: linewitness {}", args.join(" "));
    // From the workspace, as the tests are built, so that both share what is compiled.
    let mut command = cargo(&["run", "--quiet", "--bin", "linewitness", "--"]);
    let status = command.args(args).status().context("starting cargo")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
