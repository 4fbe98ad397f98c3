//! `cargo xtask package`: what people install: both programs, menu entry, icons, file types and scheme in one package.

use crate::packages::{self, TO_BUILD_THE_WINDOW};
use crate::test::cargo;
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

/// Names and lines are for whoever measures; in a package they would be most of it.
const STRIPPED: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_STRIP", "symbols"), ("CARGO_PROFILE_RELEASE_DEBUG", "false")];

pub fn package(args: &[String]) -> Result<ExitCode> {
    if cfg!(target_os = "linux") {
        packages::ensure_there(&TO_BUILD_THE_WINDOW.iter().collect::<Vec<_>>())?;
    }
    let ui = Ui::ready()?;
    ui.build()?;
    let mut terminal = cargo(&["build", "--release", "--bin", "linewitness"]);
    let terminal = terminal.envs(STRIPPED).status().context("starting cargo build")?;
    ensure!(terminal.success(), "the build failed (see above)");
    lay_beside()?;
    let mut tauri = ui.tool("tauri");
    tauri.args(["build", "--config", "src-tauri/tauri.package.json", "--bundles", KINDS]);
    let done = tauri.args(args).envs(STRIPPED).status().context("starting tauri build")?;
    ensure!(done.success(), "the packages could not be made (see above)");
    println!("the packages are in {}", target().join("release/bundle").display());
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
    let from = target().join(format!("release/linewitness{end}"));
    std::fs::copy(&from, folder.join(format!("linewitness-{host}{end}")))
        .with_context(|| format!("copying {}", from.display()))?;
    Ok(())
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
