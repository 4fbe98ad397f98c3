//! `Program`: a real program running inside a namespace, its output in files, ended by its pid.

use crate::{World, ns::Ns, world::wait_until};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

pub struct Program {
    pub name: String,
    child: Child,
    pub stdout: PathBuf,
    pub stderr: PathBuf,
}

/// Programs end within this after being asked, or are killed: the longest that a drain may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// In a world's folder: the home of all who are started in it.
pub const HOME: &str = "home";

/// The machine's own proxies must not carry the lab's calls.
const PROXIES: [&str; 8] =
    ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

impl Program {
    /// `name` is that of its log files, so it must be its own within the world.
    pub fn start(world: &World, ns: &Ns, name: &str, program: &str, args: &[&str]) -> Result<Self> {
        let (stdout, stderr) = (world.dir.join(format!("{name}.out")), world.dir.join(format!("{name}.err")));
        let home = world.dir.join(HOME);
        std::fs::create_dir_all(&home).context("making a home for the programs")?;
        let mut command = ns.command(program);
        command
            .args(args)
            .current_dir(&world.dir)
            .env("HOME", &home)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).with_context(|| format!("making {}", stdout.display()))?)
            .stderr(File::create(&stderr).with_context(|| format!("making {}", stderr.display()))?);
        for base in ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env_remove(base);
        }
        for proxy in PROXIES {
            command.env_remove(proxy);
        }
        // SAFETY: prctl is async-signal-safe and touches only the child. Should the lab die, so does the program.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let child = command.spawn().with_context(|| format!("starting {program}"))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: i32) -> Result<()> {
        // SAFETY: a plain signal to our own child, which is not reaped yet, so the pid is still its.
        match unsafe { libc::kill(self.child.id() as i32, signal) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()).with_context(|| format!("signalling {}", self.name)),
        }
    }

    /// Until it ends by itself.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let mut status = None;
        let child = &mut self.child;
        let ended = wait_until(&format!("{} ends", self.name), limit, || {
            status = child.try_wait().context("waiting for a program")?;
            Ok(status.is_some())
        });
        ended.with_context(|| self.last_words())?;
        status.context("it ended with a status")
    }

    /// Asks it to end, and makes it.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal(libc::SIGTERM)?;
        self.wait(PATIENCE)
    }

    /// As a crash would end it: nothing is said, nothing is saved.
    pub fn kill(mut self) -> Result<()> {
        self.signal(libc::SIGKILL)?;
        let status = self.wait(PATIENCE)?;
        match status.signal() {
            Some(libc::SIGKILL) => Ok(()),
            _ => bail!("{} had ended before it was killed, with {status}. {}", self.name, self.last_words()),
        }
    }

    /// Fails with its last words if it has ended.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} has ended with {status}. {}", self.name, self.last_words()),
        }
    }

    /// Until something listens on the TCP port in that namespace. Reads the kernel's table, so that no stray connection
    /// troubles the program.
    pub fn listens(&mut self, ns: &Ns, port: u16) -> Result<()> {
        // State 0A is LISTEN; the local address stands second, its port in hexadecimal after the colon.
        let wanted = format!(":{port:04X}");
        let listening = |tables: String| {
            tables.lines().any(|line| {
                let mut columns = line.split_whitespace().skip(1);
                columns.next().is_some_and(|local| local.ends_with(&wanted)) && columns.nth(1) == Some("0A")
            })
        };
        wait_until(&format!("{} listens on port {port}", self.name), PATIENCE, || {
            self.check_alive()?;
            let tables = ns.inside(|| {
                let table = |name| std::fs::read_to_string(format!("/proc/thread-self/net/{name}"));
                Ok::<_, std::io::Error>(table("tcp")? + &table("tcp6")?)
            })??;
            Ok(listening(tables))
        })
        .with_context(|| self.last_words())
    }

    pub fn last_words(&self) -> String {
        let tail = |path: &PathBuf| {
            let text = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&text[text.len().saturating_sub(1500)..]).trim().to_owned()
        };
        format!("Its last words: {} {}", tail(&self.stderr), tail(&self.stdout))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // A stopped process dies of SIGKILL too. Nothing more can be done about a failure here.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
