//! `cargo xtask run`: from a clean clone to the window, or to a held call where there is no display, with one command.

use crate::packages::{self, TO_BUILD_THE_WINDOW, TO_RUN};
use crate::test::cargo;
use crate::ui::Ui;
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Long enough to see the call stand and tick, short enough to wait for.
const SELF_TEST: &[&str] = &["hold", "--for", "20s"];

pub fn run(args: &[String]) -> Result<ExitCode> {
    if cfg!(target_os = "linux") {
        packages::ensure_there(&TO_RUN.iter().collect::<Vec<_>>())?;
    } else {
        println!("On macOS and Windows nothing is needed beyond Rust, Node 22 and the linker that Rust asked for.");
    }
    let mut args: Vec<&str> = args.iter().map(String::as_str).skip_while(|arg| *arg == "--").collect();
    let headless = args.contains(&"--headless");
    args.retain(|arg| *arg != "--headless");
    if !args.is_empty() {
        return terminal(&args);
    }
    match why_no_window(headless)? {
        Some(why) => {
            println!("{why}; holding a call in the terminal instead");
            terminal(SELF_TEST)
        }
        None => window(),
    }
}

fn why_no_window(headless: bool) -> Result<Option<&'static str>> {
    if headless {
        return Ok(Some("no window was wanted"));
    }
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !named("DISPLAY") && !named("WAYLAND_DISPLAY") {
        return Ok(Some("there is no display here"));
    }
    let wanted: Vec<_> = TO_BUILD_THE_WINDOW.iter().collect();
    packages::ensure_there(&wanted)?;
    Ok((!packages::are_there(&wanted)).then_some("what the window is built with is not installed"))
}

fn window() -> Result<ExitCode> {
    Ui::ready()?.build()?;
    println!("building and opening the window");
    started("linewitness-window", &[])
}

fn terminal(args: &[&str]) -> Result<ExitCode> {
    println!("building and running: linewitness {}", args.join(" "));
    started("linewitness", args)
}

fn started(program: &str, args: &[&str]) -> Result<ExitCode> {
    // From the workspace, as the tests are built, so that both share what is compiled.
    let mut command = cargo(&["run", "--quiet", "--bin", program, "--"]);
    let status = command.args(args).status().context("starting cargo")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
