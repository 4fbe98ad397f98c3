//! `cargo xtask browser [FILTER]`: the lab's faults beside Debian's Chromium, both in one table. By hand: it takes a quarter of an
//! hour, a browser, and Node.js with a package from npm.

use crate::packages::{self, TO_BROWSE, TO_TEST};
use crate::{steps::Steps, test};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What drives the browser asks for this one.
const NODE: u32 = 20;

pub fn browser(filter: &[String]) -> Result<ExitCode> {
    ensure!(cfg!(target_os = "linux"), "the lab's faults need Linux' network namespaces; run it there");
    packages::ensure_there(&TO_TEST.iter().chain(TO_BROWSE).collect::<Vec<_>>())?;
    let node = node()?;
    ensure!(node >= NODE, "Node.js {node} is too old: {NODE} or later is needed, from https://nodejs.org");
    install()?;
    let mut steps = Steps::default();
    steps.command("build", &mut test::build());
    steps.command("browser", test::lab(&["--browser".to_owned()]).args(filter));
    Ok(steps.close())
}

fn node() -> Result<u32> {
    let missing = || format!("Node.js is not here: version {NODE} or later, with npm, comes from https://nodejs.org");
    let done = Command::new("node").arg("--version").output().with_context(missing)?;
    major(&String::from_utf8_lossy(&done.stdout)).with_context(missing)
}

/// Of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// playwright-core as the lock file has it, beside what cargo builds.
fn install() -> Result<()> {
    let (from, to) = (Path::new("tests/browser"), folder()?);
    std::fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        std::fs::copy(from.join(file), to.join(file)).with_context(|| format!("copying {file}"))?;
    }
    println!("installing playwright-core, which drives the browser, into {}", to.display());
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&to).status();
    let npm = npm.context("npm is not here: it comes with Node.js from https://nodejs.org")?;
    ensure!(
        npm.success(),
        "npm could not install playwright-core (see above); it needs its registry, or a mirror of it"
    );
    Ok(())
}

/// In the target folder, where the lab looks for it.
fn folder() -> Result<PathBuf> {
    let myself = std::env::current_exe().context("asking where this program lies")?;
    let target = myself.ancestors().nth(2).context("cargo puts it two folders deep")?;
    Ok(target.join("browser"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("node: not found"), None);
    }

    #[test]
    fn the_lock_file_names_no_registry() {
        let lock = include_str!("../../../tests/browser/package-lock.json");
        assert!(lock.contains("sha512-") && !lock.contains("\"resolved\""), "npm was run without tests/browser/.npmrc");
    }
}
