//! Debian's haproxy as a proxy before the reflector.

use super::reflector;
use crate::{Program, World, world::SERVER};
use anyhow::{Context, Result};
use std::time::Duration;

pub const PORT: u16 = 8081;

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}/call")
}

/// Passes WebSockets on to the reflector, and ends those on which nothing crossed either way for so long.
pub fn proxy(world: &World, tunnel: Duration) -> Result<Program> {
    let settings = world.dir.join("haproxy.cfg");
    let text = format!(
        "global\n  maxconn 200\n\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  timeout tunnel {}s\n\
         frontend calls\n  bind {SERVER}:{PORT}\n  default_backend reflector\n\
         backend reflector\n  server reflector {SERVER}:{}\n",
        tunnel.as_secs(),
        reflector::PORT
    );
    std::fs::write(&settings, text).with_context(|| format!("writing {}", settings.display()))?;
    let program = crate::rights::program("haproxy").context("haproxy, of the package haproxy, is not installed")?;
    let settings = settings.to_str().context("the lab's folder has a plain name")?;
    // In the foreground, and one process, which its id ends.
    let args = ["-db", "-f", settings];
    let mut program = Program::start(world, &world.server, "haproxy", &program.to_string_lossy(), &args)?;
    program.listens(&world.server, PORT)?;
    Ok(program)
}
