//! Our own far end, as a support desk would start it.

use crate::{Program, World, hold, world::SERVER};
use anyhow::Result;

pub const PORT: u16 = 7000;

pub fn url() -> String {
    format!("ws://{SERVER}:{PORT}/call")
}

/// `name` tells the logs of one start from those of the next.
pub fn start(world: &World, name: &str) -> Result<Program> {
    let listen = format!("{SERVER}:{PORT}");
    let mut program = Program::start(world, &world.server, name, hold::binary()?, &["reflect", "--listen", &listen])?;
    program.listens(&world.server, PORT)?;
    Ok(program)
}
