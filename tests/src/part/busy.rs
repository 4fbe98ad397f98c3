//! A busy computer: programs that compute and want nothing of the network.

use crate::{Program, World};
use anyhow::Result;

/// Two spinning programs that end by themselves. Niced, as whatever computes in the background should be: other stories run
/// beside this one.
pub fn spin(world: &World, seconds: u32) -> Result<[Program; 2]> {
    let start = |name: &str| {
        let spinning = ["-n", "5", "timeout", &format!("{seconds}"), "sh", "-c", "while :; do :; done"];
        Program::start(world, &world.client, name, "nice", &spinning)
    };
    Ok([start("spinning-1")?, start("spinning-2")?])
}
