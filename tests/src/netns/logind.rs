//! logind, of a D-Bus of the world's own with python-dbusmock in its place: it tells of sleep when it is told to.

use crate::{Program, World, world::wait_until};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Duration;

/// The system's own, which sees Debian's packages whatever other Pythons there are.
const PYTHON: &str = "/usr/bin/python3";
pub const NEEDS: [(&str, &str); 1] = [("dbus-daemon", "dbus")];

/// Asks the mock what is delayed, or has it say that sleep begins or is over.
const ASK: &str = "
import dbus, sys
address, what = sys.argv[1:]
manager = 'org.freedesktop.login1.Manager'
logind = dbus.bus.BusConnection(address).get_object('org.freedesktop.login1', '/org/freedesktop/login1')
if what == 'inhibitors':
    print([str(held[3]) for held in logind.ListInhibitors(dbus_interface=manager)])
else:
    sleeps = dbus.Boolean(what == 'sleep')
    logind.EmitSignal(manager, 'PrepareForSleep', 'b', [sleeps], dbus_interface='org.freedesktop.DBus.Mock')
";

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
    wait_until("logind answers", PATIENCE, || Ok(logind.ask("inhibitors").is_ok()))
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
        self.ask(if begins { "sleep" } else { "wake" }).map(|_| ())
    }

    /// Until nobody asks for a moment more before the computer may sleep.
    pub fn nobody_delays(&self) -> Result<()> {
        wait_until("sleep is let go", PATIENCE, || Ok(!self.ask("inhibitors")?.contains("delay")))
    }

    fn ask(&self, what: &str) -> Result<String> {
        let done = Command::new(PYTHON).args(["-c", ASK, &self.address, what]).output().context("starting python3")?;
        ensure!(done.status.success(), "asking logind's mock: {}", String::from_utf8_lossy(&done.stderr).trim());
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}
