//! A second host beyond the router, on a link of its own: what else of the world is reached when the far end is not.

use super::{certificate::Certificate, coturn, nginx};
use crate::{Program, World, ns::Ns, world::cable};
use anyhow::Result;

pub const ADDRESS: &str = "10.85.0.10";
pub const NAME: &str = "control.example";
const SECOND_ADDRESS: &str = "10.85.0.11";
pub const ROUTER: &str = "10.85.0.1";

pub struct Control {
    _programs: [Program; 2],
    _host: Ns,
}

/// Answers over HTTPS and over STUN.
pub fn start(world: &World, certificate: &Certificate) -> Result<Control> {
    let host = world.namespace("control")?;
    cable(&host, "eth0", &world.router, "away")?;
    world.router.ip(&["addr", "add", &format!("{ROUTER}/24"), "dev", "away"])?;
    host.ip(&["addr", "add", &format!("{ADDRESS}/24"), "dev", "eth0"])?;
    let web = nginx::web(world, &host, ADDRESS, certificate)?;
    // With two of each it can tell by which of them it is seen how (RFC 5780).
    host.ip(&["addr", "add", &format!("{SECOND_ADDRESS}/24"), "dev", "eth0"])?;
    let stun = coturn::stun(world, &host, &[ADDRESS, SECOND_ADDRESS])?;
    Ok(Control { _programs: [web, stun], _host: host })
}
