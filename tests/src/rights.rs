//! What the lab may do here: root makes network namespaces; anyone else needs user namespaces, which not every system
//! allows.

use crate::World;
use anyhow::{Context, Result};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Set in the copy of the lab that runs inside a user namespace, so that it does not try again.
const INSIDE: &str = "LINEWITNESS_LAB_INSIDE";

/// Returns when the process may make network namespaces, as it is or started anew as root of a user namespace of its
/// own; else says why not. Must be called before the process has a second thread.
pub fn ensure() -> std::result::Result<(), String> {
    let folders = search_path();
    let path = std::env::join_paths(folders).map_err(|error| format!("PATH cannot be extended: {error}"))?;
    // SAFETY: no other thread reads the environment, for there is none yet.
    unsafe { std::env::set_var("PATH", path) };
    // SAFETY: asks for a number and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    if root {
        if std::env::var_os(INSIDE).is_some() {
            // `ip netns` keeps its names under /run, which the new root does not own; over it goes a folder that it does.
            run("mount", &["-t", "tmpfs", "tmpfs", "/run"])?;
        }
        return try_one();
    }
    let unshare = ["--user", "--map-root-user", "--mount", "--net", "--"];
    run("unshare", &[&unshare[..], &["true"]].concat())
        .map_err(|why| format!("not root, and user namespaces are not allowed here ({why})"))?;
    let myself = std::env::current_exe().map_err(|error| format!("cannot find my own program: {error}"))?;
    let failed =
        Command::new("unshare").args(unshare).arg(myself).args(std::env::args_os().skip(1)).env(INSIDE, "1").exec();
    Err(format!("could not start anew in a user namespace: {failed}"))
}

/// Containers often have root without the right; only making one tells.
fn try_one() -> std::result::Result<(), String> {
    let name = format!("lwlab-{}-try", std::process::id());
    let answer = run("ip", &["netns", "add", &name]);
    crate::ns::remove(&name);
    answer.map_err(|why| format!("this system lets nobody make network namespaces here ({why})"))
}

fn run(program: &str, args: &[&str]) -> std::result::Result<(), String> {
    match Command::new(program).args(args).output() {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim())),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// What begins a program as an ordinary user, who may write into the world's folder. Inside a user namespace there is no
/// other user than root; without capabilities the network takes that one for an ordinary user too.
pub fn ordinary_user(world: &World) -> Result<Vec<String>> {
    let users = std::fs::read_to_string("/proc/self/uid_map").context("reading which users there are")?;
    let only_root = users.split_whitespace().nth(2) == Some("1");
    let mut by = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"].map(str::to_owned).to_vec();
    if !only_root {
        by.extend([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]);
        let home = world.dir.join("home");
        std::fs::create_dir_all(&home)?;
        for folder in [&home, &world.dir] {
            std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(by)
}
/// As every system numbers the user without rights.
const NOBODY: u32 = 65_534;

/// Where a program is.
pub fn program(name: &str) -> Option<PathBuf> {
    search_path().into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether a device may be used; some systems keep theirs for root.
pub fn may_open(device: &str) -> bool {
    std::fs::File::options().read(true).write(true).open(device).is_ok()
}

/// With the folders that only root's search path has: `nft` and others lie there.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(sbin).collect()
}
