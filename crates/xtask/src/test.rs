//! `cargo xtask test`: everything that continuous integration runs, in order.
//!
//! All builds are of the whole workspace in one profile, so that nothing is compiled twice with other features.

use crate::check_os;
use crate::e2e;
use crate::examples;
use crate::packages::{self, TO_BUILD_THE_WINDOW, TO_DRIVE_THE_WINDOW, TO_RUN, TO_TEST};
use crate::steps::Steps;
use crate::ui;
use anyhow::Result;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

pub fn test() -> Result<ExitCode> {
    let mut steps = Steps::default();
    if cfg!(target_os = "linux") {
        let wanted: Vec<_> =
            TO_RUN.iter().chain(TO_BUILD_THE_WINDOW).chain(TO_DRIVE_THE_WINDOW).chain(TO_TEST).collect();
        steps.check("packages", || packages::ensure_there(&wanted));
    }
    ui::add_to(&mut steps);
    if works(&["fmt", "--version"]) {
        steps.command("format", &mut cargo(&["fmt", "--all", "--check"]));
    } else {
        steps.skip("format", "cargo fmt is not installed; `rustup component add rustfmt` brings it");
    }
    if works(&["clippy", "--version"]) {
        let all = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        steps.command("lints", &mut cargo(&all));
    } else {
        steps.skip("lints", "cargo clippy is not installed; `rustup component add clippy` brings it");
    }
    check_os::add_to(&mut steps);
    steps.command("build", &mut build());
    steps.tests("tests", &mut cargo(&["test", "--workspace", "--no-fail-fast"]));
    ui::add_generated_to(&mut steps);
    steps.check("examples", examples::are_as_kept);
    if cfg!(target_os = "linux") {
        e2e::add_to(&mut steps, &[]);
        steps.tests("lab", &mut lab(&[]));
    } else {
        steps.skip("e2e", "the window is driven on Linux alone");
        steps.skip("lab", "its faults need Linux' network namespaces");
    }
    if works(&["deny", "--version"]) {
        steps.command("deny", &mut cargo(&["deny", "check"]));
    } else {
        steps.skip("deny", "cargo-deny is not installed; `cargo install cargo-deny` brings it in some minutes");
    }
    Ok(steps.close())
}

/// The tests, and beside them the program that the lab tests.
pub fn build() -> Command {
    cargo(&["build", "--workspace", "--tests", "--bin", "linewitness", "--bin", "linewitness-window"])
}

/// The program of the terminal alone.
pub fn build_program() -> Command {
    cargo(&["build", "--package", "linewitness-cli", "--bin", "linewitness"])
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// The lab's stories.
pub fn lab(filter: &[String]) -> Command {
    let mut command = cargo(&["test", "--workspace", "--test", "lab", "--"]);
    command.args(filter).env("LINEWITNESS_LAB", "1");
    command
}

/// The cargo that runs this, and so the same toolchain, without what it set for us as `package xtask`: ring's build asks
/// for these variables, and would be compiled anew at each change between `cargo xtask` and plain cargo.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

pub fn works(args: &[&str]) -> bool {
    cargo(args).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
