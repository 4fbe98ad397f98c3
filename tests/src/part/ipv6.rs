//! A world with IPv6 alone, as some mobile and guest networks are: no address of IPv4 but the loopback's, no translation,
//! and a gateway that is known by the address it has on the link.
//!
//! ```text
//! client eth0 ── lan router wan ── eth0 server
//! fd81::2        fe80::1    fd83::1     fd83::10
//! ```

use crate::{Program, World, far::coturn, ns::Ns, witness, world::cable};
use anyhow::Result;

pub const CLIENT: &str = "fd81::2";
pub const SERVER: &str = "fd83::10";
pub const GATEWAY: &str = "fe80::1";
/// Every host's own on its link.
const HOST: &str = "fe80::2";
/// A second host beyond the router, with a STUN server.
pub const CONTROL: &str = "fd85::10";

/// Takes IPv4 away and gives IPv6.
pub fn only(world: &World) -> Result<()> {
    let World { client, router, server, .. } = world;
    for ns in [client, server] {
        ns.ip(&["-4", "addr", "flush", "scope", "global"])?;
    }
    router.sysctl("ipv6/conf/all/forwarding", "1")?;
    enable(router, "lan", GATEWAY, "fd81::1")?;
    enable(router, "wan", GATEWAY, "fd83::1")?;
    enable(client, "eth0", HOST, CLIENT)?;
    enable(server, "eth0", HOST, SERVER)?;
    client.ip(&["-6", "route", "add", "default", "via", GATEWAY, "dev", "eth0"])?;
    server.ip(&["-6", "route", "add", "default", "via", "fd83::1"])?;
    router.sysctl(&format!("ipv6/conf/{}/disable_ipv6", witness::INTO), "0")?;
    witness::see_ipv6(router)
}

/// As after another prefix was announced and the old one withdrawn.
pub fn change_client_address(world: &World, new: &str) -> Result<()> {
    add(&world.client, "eth0", new)?;
    world.client.ip(&["addr", "del", &format!("{CLIENT}/64"), "dev", "eth0"])
}

pub struct Control {
    _stun: Program,
    _host: Ns,
}

/// Answers over STUN, far from the far end.
pub fn control(world: &World) -> Result<Control> {
    let host = world.namespace("control")?;
    cable(&host, "eth0", &world.router, "away")?;
    enable(&world.router, "away", GATEWAY, "fd85::1")?;
    enable(&host, "eth0", HOST, CONTROL)?;
    host.ip(&["-6", "route", "add", "default", "via", "fd85::1"])?;
    let stun = coturn::stun(world, &host, &[CONTROL])?;
    Ok(Control { _stun: stun, _host: host })
}

/// With these addresses and none that the kernel thinks of. Without one of the link nobody is asked who has an address.
fn enable(ns: &Ns, interface: &str, of_the_link: &str, address: &str) -> Result<()> {
    ns.sysctl("ipv6/conf/lo/disable_ipv6", "0")?;
    ns.sysctl(&format!("ipv6/conf/{interface}/addr_gen_mode"), "1")?;
    ns.sysctl(&format!("ipv6/conf/{interface}/disable_ipv6"), "0")?;
    add(ns, interface, of_the_link)?;
    add(ns, interface, address)
}

/// At once: detecting duplicates would only add chance to the timing.
fn add(ns: &Ns, interface: &str, address: &str) -> Result<()> {
    ns.ip(&["addr", "add", &format!("{address}/64"), "dev", interface, "nodad"])
}
