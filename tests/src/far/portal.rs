//! A login page in the router, as hotels and trains have: `Fault::Portal` sends whoever asks for a plain web page to it.

use super::nginx;
use crate::{Program, World};
use anyhow::Result;

pub const PORT: u16 = 8880;

pub fn start(world: &World) -> Result<Program> {
    let server = format!("listen {PORT};\nlocation / {{ return 302 http://login.example/; }}");
    nginx::start(world, &world.router, "portal", PORT, &server)
}
