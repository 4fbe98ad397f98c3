//! `cargo xtask package`: what people install: both programs, menu entry, icons, file types and scheme in one package.

use crate::packages::{self, TO_BUILD_THE_WINDOW};
use crate::test::{cargo, target};
use crate::ui::Ui;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Those that are made without downloads or other people's tools.
const KINDS: &str = if cfg!(windows) {
    "nsis"
} else if cfg!(target_os = "macos") {
    "app,dmg"
} else {
    "deb,rpm"
};

/// Of Cargo.toml.
const PROFILE: &str = "shipped";

pub fn package(args: &[String]) -> Result<ExitCode> {
    if cfg!(target_os = "linux") {
        packages::ensure_there(&TO_BUILD_THE_WINDOW.iter().collect::<Vec<_>>())?;
    }
    let ui = Ui::ready()?;
    ui.build()?;
    let terminal = cargo(&["build", "--profile", PROFILE, "--bin", "linewitness"]).status();
    let terminal = terminal.context("starting cargo build")?;
    ensure!(terminal.success(), "the build failed (see above)");
    lay_beside()?;
    let mut tauri = ui.tool("tauri");
    tauri.args(["build", "--config", "src-tauri/tauri.package.json", "--bundles", KINDS]);
    // What stands after the two dashes is for cargo.
    tauri.args(args).args(["--", "--profile", PROFILE]);
    let done = tauri.status().context("starting tauri build")?;
    ensure!(done.success(), "the packages could not be made (see above)");
    println!("the packages are in {}", built().join("bundle").display());
    Ok(ExitCode::SUCCESS)
}

/// Where the packager looks for the terminal's program, under the name that it asks for.
fn lay_beside() -> Result<()> {
    let host = Command::new("rustc").arg("-vV").output().context("asking rustc for its host")?;
    let host = String::from_utf8_lossy(&host.stdout).into_owned();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let folder = Path::new("src-tauri/binaries");
    std::fs::create_dir_all(folder).context("making src-tauri/binaries")?;
    let end = std::env::consts::EXE_SUFFIX;
    let from = built().join(format!("linewitness{end}"));
    std::fs::copy(&from, folder.join(format!("linewitness-{host}{end}")))
        .with_context(|| format!("copying {}", from.display()))?;
    Ok(())
}

fn built() -> PathBuf {
    target().join(PROFILE)
}
