//! logind, of a D-Bus of the world's own with python-dbusmock in its place: it tells of sleep when it is told to.

use crate::{Program, World, world::wait_until};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// The system's own, which sees Debian's packages whatever other Pythons there are.
const PYTHON: &str = "/usr/bin/python3";
pub const NEEDS: [(&str, &str); 2] = [("dbus-daemon", "dbus-daemon"), ("gdbus", "libglib2.0-bin")];

pub struct Logind {
    address: String,
    _programs: [Program; 2],
}

const PATIENCE: Duration = Duration::from_secs(10);

pub fn start(world: &World) -> Result<Logind> {
    let socket = world.dir.join("bus");
    let address = format!("unix:path={}", socket.display());
    let args = ["--session", "--nofork", "--nopidfile", &format!("--address={address}")];
    let bus = Program::start(world, &world.client, "dbus", "dbus-daemon", &args)?;
    wait_until("the D-Bus stands", PATIENCE, || Ok(socket.exists()))?;
    let mock = [&variable(&address), PYTHON, "-m", "dbusmock", "--system", "--template", "logind"];
    let mock = Program::start(world, &world.client, "logind", "env", &mock)?;
    let logind = Logind { address, _programs: [bus, mock] };
    wait_until("logind answers", PATIENCE, || Ok(logind.call("login1.Manager.ListInhibitors", &[]).is_ok()))
        .context("python3-dbusmock in logind's place")?;
    Ok(logind)
}

fn variable(address: &str) -> String {
    format!("DBUS_SYSTEM_BUS_ADDRESS={address}")
}

impl Logind {
    /// As the hold is told where it is.
    pub fn variable(&self) -> String {
        variable(&self.address)
    }

    pub fn tells_of_sleep(&self, begins: bool) -> Result<()> {
        let value = format!("[<{begins}>]");
        self.call("DBus.Mock.EmitSignal", &["org.freedesktop.login1.Manager", "PrepareForSleep", "b", &value])
            .map(|_| ())
    }

    /// Until nobody asks for a moment more before the computer may sleep.
    pub fn nobody_delays(&self) -> Result<()> {
        wait_until("sleep is let go", PATIENCE, || {
            Ok(!self.call("login1.Manager.ListInhibitors", &[])?.contains("'delay'"))
        })
    }

    fn call(&self, method: &str, args: &[&str]) -> Result<String> {
        let done = Command::new("gdbus")
            .args(["call", "--address", &self.address, "--dest", "org.freedesktop.login1"])
            .args(["--object-path", "/org/freedesktop/login1", "--method", &format!("org.freedesktop.{method}")])
            .args(args)
            .output()
            .context("starting gdbus, of the package libglib2.0-bin")?;
        ensure!(done.status.success(), "gdbus {method}: {}", String::from_utf8_lossy(&done.stderr).trim());
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}
