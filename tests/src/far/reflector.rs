//! Our own far end, as a support desk would start it.

use crate::{Program, World, hold, world::SERVER};
use anyhow::{Context, Result};
use std::net::{IpAddr, SocketAddr};

pub const PORT: u16 = 7000;

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}/call")
}

/// `name` tells the logs of one start from those of the next.
pub fn start(world: &World, name: &str) -> Result<Program> {
    start_with(world, name, SERVER, &[])
}

/// On another address of the server's, with more settings.
pub fn start_with(world: &World, name: &str, address: &str, settings: &[&str]) -> Result<Program> {
    let address: IpAddr = address.parse().context("the server's address")?;
    let listen = SocketAddr::new(address, PORT).to_string();
    let args = [&["reflect", "--listen", &listen], settings].concat();
    let mut program = Program::start(world, &world.server, name, hold::binary()?, &args)?;
    program.listens(&world.server, PORT)?;
    Ok(program)
}
