//! `Ns`: one network namespace, made by `ip netns` and removed with everything in it when dropped.

use anyhow::{Context, Result, bail, ensure};
use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Where `ip netns` keeps the names.
pub const FOLDER: &str = "/run/netns";

#[derive(Debug)]
pub struct Ns {
    pub name: String,
    /// Files that programs started from now on find in the place of the machine's own.
    instead: OnceLock<Vec<(CString, CString)>>,
}

impl Ns {
    pub fn new(name: String) -> Result<Self> {
        ip(&["netns", "add", &name])?;
        let ns = Self { name, instead: OnceLock::new() };
        ns.ip(&["link", "set", "lo", "up"])?;
        // Link-local addresses and their detection of duplicates would only add chance to the timing.
        ns.sysctl("ipv6/conf/all/disable_ipv6", "1")?;
        // A new namespace takes this over from the machine, and only routers shall pass packets on.
        ns.sysctl("ipv4/ip_forward", "0")?;
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
        if let Some(files) = self.instead.get() {
            let files = files.clone();
            // SAFETY: between fork and exec only system calls are made, on text that was put together before.
            unsafe { command.pre_exec(move || put_over(&files)) };
        }
        command
    }

    /// Programs started in here from now on, and nobody else, read `files` where the machine has its own: what to read
    /// first, then where. Can be said once.
    pub fn put_instead(&self, files: &[(&Path, &str)]) -> Result<()> {
        let plain = |path: &Path| CString::new(path.as_os_str().as_bytes()).context("a path without a zero byte");
        let there = |place: &&(&Path, &str)| Path::new(place.1).exists();
        let files = files.iter().filter(there).map(|(file, place)| Ok((plain(file)?, plain(Path::new(place))?)));
        let files = files.collect::<Result<_>>()?;
        ensure!(self.instead.set(files).is_ok(), "{} has its own files already", self.name);
        Ok(())
    }

    /// Runs `f` on a thread of its own that has entered the namespace; sockets made there belong to it for good.
    pub fn inside<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        let path = format!("{FOLDER}/{}", self.name);
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    enter(&path)?;
                    Ok(f())
                })
                .join()
                .unwrap_or_else(|_| bail!("a step inside {path} panicked"))
        })
    }
}

/// The calling thread, which must be one that ends there, goes into the namespace for good. Threads that it starts are in
/// there too.
pub(crate) fn enter(path: &str) -> Result<()> {
    let file = File::open(path).with_context(|| format!("opening {path}"))?;
    // SAFETY: the descriptor is open, and the call changes this thread alone.
    match unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()).with_context(|| format!("entering {path}")),
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

/// In a mount namespace of the child's own, so that the machine sees nothing of it.
fn put_over(files: &[(CString, CString)]) -> std::io::Result<()> {
    let done = |code: i32| if code == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
    let nothing = std::ptr::null();
    // SAFETY: every pointer is to a text that ends with a zero byte and outlives the call, or null where that is allowed.
    unsafe {
        done(libc::unshare(libc::CLONE_NEWNS))?;
        done(libc::mount(c"none".as_ptr(), c"/".as_ptr(), nothing, libc::MS_REC | libc::MS_PRIVATE, nothing.cast()))?;
        for (file, place) in files {
            done(libc::mount(file.as_ptr(), place.as_ptr(), nothing, libc::MS_BIND, nothing.cast()))?;
        }
    }
    Ok(())
}

fn ip(args: &[&str]) -> Result<()> {
    let done = Command::new("ip").args(args).output().context("starting ip, of the package iproute2")?;
    if !done.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
