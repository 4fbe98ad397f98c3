//! `Ns`: one network namespace, made by `ip netns` and removed with everything in it when dropped.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;

/// Where `ip netns` keeps the names.
pub const FOLDER: &str = "/run/netns";

#[derive(Debug)]
pub struct Ns {
    pub name: String,
}

impl Ns {
    pub fn new(name: String) -> Result<Self> {
        ip(&["netns", "add", &name])?;
        let ns = Self { name };
        ns.ip(&["link", "set", "lo", "up"])?;
        // Link-local addresses and their detection of duplicates would only add chance to the timing.
        ns.sysctl("ipv6/conf/all/disable_ipv6", "1")?;
        Ok(ns)
    }

    /// `ip` with the arguments, inside.
    pub fn ip(&self, args: &[&str]) -> Result<()> {
        ip(&[&["-n", self.name.as_str()], args].concat())
    }

    /// A setting under `/proc/sys/net`, which shows each thread its own namespace.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/net/{key}");
        self.inside(|| std::fs::write(&path, value))?.with_context(|| format!("writing {value} to {path}"))
    }

    /// Hands `nft` a whole ruleset or a change, which it applies at once or not at all.
    pub fn nft(&self, script: &str) -> Result<()> {
        use std::io::Write;
        let mut child = self
            .command("nft")
            .args(["-f", "-"])
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .context("starting nft")?;
        child.stdin.take().expect("piped above").write_all(script.as_bytes()).context("writing to nft")?;
        let done = child.wait_with_output().context("waiting for nft")?;
        if !done.status.success() {
            bail!("nft refused this:\n{script}\n{}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(())
    }

    /// A program to be run inside. `ip netns exec` replaces itself by it, so the child's pid is the program's own.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs `f` on a thread of its own that has entered the namespace; sockets made there belong to it for good.
    pub fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        let path = format!("{FOLDER}/{}", self.name);
        let file = File::open(&path).with_context(|| format!("opening {path}"))?;
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    // SAFETY: the descriptor is open, and only this thread, which ends here, changes its namespace.
                    let entered = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
                    if entered != 0 {
                        return Err(std::io::Error::last_os_error()).with_context(|| format!("entering {path}"));
                    }
                    Ok(f())
                })
                .join()
                .unwrap_or_else(|_| bail!("a step inside {path} panicked"))
        })
    }
}

impl Drop for Ns {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what still runs inside, process by process, and removes the name. Nobody is left to tell of a failure; the sweep
/// at the next start tries again.
pub fn remove(name: &str) {
    if let Ok(pids) = Command::new("ip").args(["netns", "pids", name]).output() {
        for pid in String::from_utf8_lossy(&pids.stdout).lines().filter_map(|line| line.trim().parse::<i32>().ok()) {
            // SAFETY: a plain signal to a process that lives in a namespace of our own.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
    }
    let _ = ip(&["netns", "del", name]);
}

fn ip(args: &[&str]) -> Result<()> {
    let done = Command::new("ip").args(args).output().context("starting ip, of the package iproute2")?;
    if !done.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
