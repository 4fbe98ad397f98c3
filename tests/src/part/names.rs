//! Name servers: Debian's dnsmasq beyond the router, and a client that asks it instead of the machine's own.

use crate::{Program, World};
use anyhow::{Context, Result};

/// Answers in the server's namespace under an address of its own.
pub const ADDRESS: &str = "10.83.0.53";

/// The far end by name.
pub const FAR: &str = "far.example";

/// Serves these names and no others. Programs of the client that are started from now on ask there: a second each, twice,
/// as impatient systems do, so that a dead server is told within a story's time.
pub fn start(world: &World, names: &[(&str, &str)]) -> Result<Program> {
    world.server.ip(&["addr", "add", &format!("{ADDRESS}/24"), "dev", "eth0"])?;
    let write = |name: &str, text: String| {
        let path = world.dir.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    let resolver = write("resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:1 attempts:2\n"))?;
    // Services of the machine that answer names by other ways than packets are not asked.
    let switch = write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n".to_owned())?;
    world.client.put_instead(&[(&resolver, "/etc/resolv.conf"), (&switch, "/etc/nsswitch.conf")])?;

    let records: String = names.iter().map(|(name, address)| format!("host-record={name},{address}\n")).collect();
    let settings = write(
        "dnsmasq.conf",
        format!(
            "no-daemon\nno-resolv\nno-hosts\nbind-interfaces\nlisten-address={ADDRESS}\nexcept-interface=lo\n\
             pid-file\nlog-queries\n{records}"
        ),
    )?;
    let program =
        crate::rights::program("dnsmasq").context("dnsmasq, of the package dnsmasq-base, is not installed")?;
    let settings = format!("--conf-file={}", settings.display());
    let mut program = Program::start(world, &world.server, "dnsmasq", &program.to_string_lossy(), &[&settings])?;
    program.listens(&world.server, 53)?;
    Ok(program)
}
