//! `cargo xtask e2e [PATTERN]`: the window in the program itself, driven as a person would on a display of its own; and the report
//! in a browser. Debian's WebKitWebDriver and tauri-driver carry what is pressed and read.

use crate::packages::{self, TO_BUILD_THE_WINDOW, TO_DRIVE_THE_WINDOW};
use crate::{steps::Steps, test, ui::Ui};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const DRIVER: &str = "2.1.0";

pub fn e2e(pattern: &[String]) -> Result<ExitCode> {
    ensure!(cfg!(target_os = "linux"), "the window is driven on Linux alone: tauri-driver knows no macOS");
    packages::ensure_there(&TO_BUILD_THE_WINDOW.iter().chain(TO_DRIVE_THE_WINDOW).collect::<Vec<_>>())?;
    Ui::ready()?.build()?;
    let mut steps = Steps::default();
    steps.command("build", &mut test::build());
    add_to(&mut steps, pattern);
    Ok(steps.close())
}

/// After the build, with the page's packages there.
pub fn add_to(steps: &mut Steps, pattern: &[String]) {
    let mut ready = None;
    steps.check("tauri-driver", || {
        ready = Some((Ui::ready()?, driver()?));
        Ok(())
    });
    let Some((ui, driver)) = ready else { return };
    let mut node = ui.with_node(Command::new("node"));
    // One after another: each has the display's keyboard for itself.
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).current_dir("ui").env("TAURI_DRIVER", driver);
    if let Some(pattern) = pattern.first() {
        node.arg(format!("--test-name-pattern={pattern}"));
    }
    steps.tests("e2e", node.args(["e2e/window/window.test.mjs", "e2e/window/report.test.mjs"]));
}

/// From crates.io, built once, in a folder of its own.
fn driver() -> Result<PathBuf> {
    let root = test::target().join("tools");
    let root = std::path::absolute(&root).with_context(|| format!("finding {}", root.display()))?;
    let driver = root.join("bin/tauri-driver");
    if !Path::new(&driver).exists() {
        println!("building tauri-driver {DRIVER}, once");
        let mut install = test::cargo(&["install", "tauri-driver", "--locked", "--version", DRIVER, "--root"]);
        let done = install.arg(&root).status().context("starting cargo install")?;
        ensure!(done.success(), "tauri-driver could not be built (see above)");
    }
    Ok(driver)
}
