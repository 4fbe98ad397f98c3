//! Node, which builds the page: the system's where it is new enough, else one of our own under `target/node`.

use crate::packages;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// npm's own registry carries Node as a package, so that no other download is needed. Older systems bring an npm that can
/// fetch it, and a Node that is too old for Vite.
const OUR_OWN: &str = "22";

/// As the page's build tools ask for it: 20.19, 22.12, or later.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|n| n.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(20), Some(minor)) => minor >= 19,
        (Some(22), Some(minor)) => minor >= 12,
        (Some(major), _) => major > 22,
        (None, _) => false,
    }
}

/// Makes sure of Node and npm, and gives the folder that is to stand first in the search path, where there is one.
pub fn ensure_there() -> Result<Option<PathBuf>> {
    if cfg!(target_os = "linux") {
        packages::ensure_there(&packages::TO_BUILD_THE_PAGE.iter().collect::<Vec<_>>())?;
    }
    if version("node").is_some_and(|version| is_new_enough(&version)) {
        return Ok(None);
    }
    let bin = our_own()?;
    let found = version(bin.join("node")).unwrap_or_default();
    ensure!(is_new_enough(&found), "the page needs Node 22, and {} is {found:?}", bin.display());
    Ok(Some(bin))
}

fn our_own() -> Result<PathBuf> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win",
        other => other,
    };
    let arch = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x64" };
    let package = format!("node-{system}-{arch}");
    let home = std::path::absolute("target/node").context("finding target/node")?;
    let bin = home.join("node_modules").join(&package).join("bin");
    if version(bin.join("node")).is_none() {
        println!("the page needs Node 22; fetching one for this workspace alone, from npm's registry");
        std::fs::create_dir_all(&home).with_context(|| format!("making {}", home.display()))?;
        let mut npm = npm(None);
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&home);
        let done = npm.arg(format!("{package}@{OUR_OWN}")).status().context("starting npm")?;
        ensure!(done.success(), "npm could not fetch {package} (see above); please install Node 22 or later");
    }
    Ok(bin)
}

/// `before`: a folder that stands first in its search path.
pub fn npm(before: Option<&Path>) -> Command {
    with_node(Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" }), before)
}

pub fn with_node(mut command: Command, before: Option<&Path>) -> Command {
    if let Some(before) = before {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(before.to_owned()).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
    }
    command
}

fn version(node: impl AsRef<Path>) -> Option<String> {
    let asked = Command::new(node.as_ref()).arg("--version").stderr(Stdio::null()).output().ok()?;
    asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_are_too_old_are_known() {
        for old in ["v12.22.9", "v18.20.4", "v20.18.1", "v22.11.0", "", "nonsense"] {
            assert!(!is_new_enough(old), "{old}");
        }
        for new in ["v20.19.2", "v22.12.0", "v24.0.0\n", "v23.1.0"] {
            assert!(is_new_enough(new), "{new}");
        }
    }
}
