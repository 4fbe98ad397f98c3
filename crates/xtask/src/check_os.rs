//! `cargo xtask check-os`: the code for Windows and macOS, type-checked and linted from Linux.
//!
//! That takes the standard library of each system, of which only the metadata is built, from its sources. C code is
//! compiled to nothing, nothing is linked, and nothing is run: what only a real machine can show is listed in
//! ARCHITECTURE.md. Everything is kept under `target/cross`, so that only the first time takes minutes.

mod rust_src;
mod sysroot;

use crate::steps::Steps;
use crate::test::{cargo, works};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[derive(Debug)]
pub struct Target {
    /// The step's.
    name: &'static str,
    triple: &'static str,
}

const WINDOWS: Target = Target { name: "windows", triple: "x86_64-pc-windows-msvc" };
const MACOS: Target = Target { name: "macos", triple: "aarch64-apple-darwin" };
/// Reaches no line of ours that the other does not; some dependencies differ.
const WINDOWS_GNU: Target = Target { name: "windows-gnu", triple: "x86_64-pc-windows-gnu" };

/// The lab stands on network namespaces.
const LINUX_ALONE: &str = "linewitness-lab";

/// By hand: every system, with all tests and benchmarks.
pub fn check_os() -> Result<ExitCode> {
    let mut steps = Steps::default();
    add(&mut steps, &[WINDOWS, MACOS, WINDOWS_GNU], &["--all-targets"]);
    Ok(steps.close())
}

/// As a part of everything: both systems, and what is shipped.
pub fn add_to(steps: &mut Steps) {
    add(steps, &[WINDOWS, MACOS], &["--lib", "--bins"]);
}

fn add(steps: &mut Steps, targets: &[Target], what: &[&str]) {
    match Cross::find() {
        Ok(cross) => targets.iter().for_each(|target| {
            steps.check(target.name, || cross.check(target, what));
        }),
        Err(why) => steps.skip("check-os", &why),
    }
}

struct Cross {
    /// The standard library's.
    sources: PathBuf,
    /// As `rustc` words its version in full. Metadata of any other compiler cannot be read.
    compiler: String,
    home: PathBuf,
}

impl Cross {
    /// Or why it cannot be.
    fn find() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("it works on Linux; here `cargo xtask test` checks this system itself".into());
        }
        if !works(&["clippy", "--version"]) {
            return Err("cargo clippy is not installed; `rustup component add clippy` brings it".into());
        }
        let home = std::path::absolute("target/cross").map_err(|error| format!("target/cross: {error}"))?;
        let compiler = rust_src::output(Command::new("rustc").arg("-vV"))?;
        let version = compiler.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
        let sources = rust_src::find(version, &home)?;
        Ok(Self { sources, compiler, home })
    }

    fn check(&self, target: &Target, what: &[&str]) -> Result<()> {
        let sysroot = sysroot::ensure(self, target)?;
        let mut command = cargo(&["clippy", "--workspace", "--exclude", LINUX_ALONE, "--target", target.triple]);
        // Macros of our dependencies run a few times here; optimising them takes longer than they do.
        command.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
        command.arg("--target-dir").arg(self.home.join("target")).args(what);
        command.args(["--", "--deny", "warnings"]);
        self.set_tools(&mut command, target, &format!("--sysroot={}", sysroot.display()));
        run(&mut command)
    }

    /// `flags` are for the code of the other system; our own build scripts and macros are built without them.
    fn set_tools(&self, command: &mut Command, target: &Target, flags: &str) {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross");
        let under = target.triple.replace('-', "_");
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_TARGET_DIR"] {
            command.env_remove(name);
        }
        command
            .env(format!("CARGO_TARGET_{}_RUSTFLAGS", under.to_uppercase()), flags)
            .env(format!("CC_{under}"), tools.join("cc"))
            .env(format!("CXX_{under}"), tools.join("cc"))
            .env(format!("AR_{under}"), tools.join("ar"))
            .env(format!("RC_{under}"), tools.join("rc"));
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    anyhow::ensure!(status.success(), "cargo ended with {status}");
    Ok(())
}
