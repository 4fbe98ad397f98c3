//! A second way out of the client, as a phone's tethering or a docking station brings it: another interface, another
//! router with its own address translation, the same server at the end.
//!
//! Like mobile networks it passes on only what comes from its own addresses: flows of the first uplink are lost in it. Other
//! routers pass on whatever comes and give it their own address: then UDP finds its way, and TCP connections do not.
//!
//! ```text
//! client eth1 ── lan router-2 wan ── eth1 server
//! 10.82.1.2    10.82.1.1  10.84.0.1   10.84.0.2
//! ```

use crate::{
    World,
    ns::Ns,
    world::{SERVER, cable},
};
use anyhow::Result;

pub const ADDRESS: &str = "10.82.1.2";
const GATEWAY: &str = "10.82.1.1";
/// As the server sees whatever comes this way.
pub const SEEN_AS: &str = "10.84.0.1";

pub struct SecondUplink<'w> {
    world: &'w World,
    router: Ns,
}

/// Plugged in: it has an address, and nothing goes there yet.
pub fn plug_in(world: &World) -> Result<SecondUplink<'_>> {
    let router = world.namespace("router-2")?;
    cable(&world.server, "eth1", &router, "wan")?;
    cable(&world.client, "eth1", &router, "lan")?;
    router.ip(&["addr", "add", &format!("{GATEWAY}/24"), "dev", "lan"])?;
    router.ip(&["addr", "add", &format!("{SEEN_AS}/24"), "dev", "wan"])?;
    world.server.ip(&["addr", "add", "10.84.0.2/24", "dev", "eth1"])?;
    // The one way it knows: what comes back for an address that is not on its own link has none.
    router.ip(&["route", "add", &format!("{SERVER}/32"), "via", "10.84.0.2"])?;
    router.sysctl("ipv4/ip_forward", "1")?;
    router.nft(
        "table ip world {
            chain out { type nat hook postrouting priority srcnat; oifname \"wan\" masquerade; }
            chain into { type filter hook input priority filter; iifname \"wan\" ct state { new, invalid } drop; }
            chain through { type filter hook forward priority filter; iifname \"lan\" ip saddr != 10.82.1.0/24 drop; }
        }",
    )?;
    world.client.ip(&["addr", "add", &format!("{ADDRESS}/24"), "dev", "eth1"])?;
    Ok(SecondUplink { world, router })
}

impl SecondUplink<'_> {
    /// A default route as well, but a worse one than the first uplink's: nothing moves.
    pub fn offer_route(&self) -> Result<()> {
        self.world.client.ip(&["route", "add", "default", "via", GATEWAY, "dev", "eth1", "metric", "600"])
    }

    /// From now on it passes on what comes from addresses that are not its own.
    pub fn pass_all(&self) -> Result<()> {
        self.router.nft("flush chain ip world through")
    }

    /// The default route moves here. The first interface stays up and keeps its address.
    pub fn take_route(&self) -> Result<()> {
        self.world.client.ip(&["route", "replace", "default", "via", GATEWAY, "dev", "eth1"])
    }

    pub fn unplug(self) -> Result<()> {
        self.world.client.ip(&["link", "del", "eth1"])
    }
}
