//! `World`: client, router and server, joined by cables, with address translation in the router.
//!
//! ```text
//! client eth0 ── lan router wan ── eth0 server
//! 10.81.1.2   10.81.1.1  10.83.0.1   10.83.0.10
//! ```
//!
//! Every world has namespaces of its own, so all use the same addresses and several can live side by side. What only some
//! stories need (a second uplink, a tunnel, name servers, …) stands in `part`.

use crate::{far::control, ns, ns::Ns, witness::Witness};
use anyhow::{Context, Result};
use engine::Clock;
use record::Wall;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub const CLIENT: &str = "10.81.1.2";
pub const SERVER: &str = "10.83.0.10";
/// The router as the client knows it: its gateway.
pub const GATEWAY: &str = "10.81.1.1";
const WAN: &str = "10.83.0.1";
const BEYOND: &str = "10.83.0.0/24";

/// Names begin so; then follow the pid of the lab and the number of the world.
const PREFIX: &str = "lwlab-";

pub struct World {
    /// Logs, settings and bundles of this world; kept after the run.
    pub dir: PathBuf,
    // In this order they are dropped: the witness reads from the router.
    pub(crate) witness: Witness,
    pub client: Ns,
    pub router: Ns,
    pub server: Ns,
    pub(crate) fault_count: AtomicU32,
    number: u32,
}

impl World {
    /// `dir` is emptied.
    pub fn new(dir: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);

        if dir.exists() {
            std::fs::remove_dir_all(dir).with_context(|| format!("emptying {}", dir.display()))?;
        }
        std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;

        let (client, router, server) =
            (namespace(number, "client")?, namespace(number, "router")?, namespace(number, "server")?);
        cable(&client, "eth0", &router, "lan")?;
        cable(&server, "eth0", &router, "wan")?;
        router.ip(&["addr", "add", &format!("{GATEWAY}/24"), "dev", "lan"])?;
        router.ip(&["addr", "add", &format!("{WAN}/24"), "dev", "wan"])?;
        router.sysctl("ipv4/ip_forward", "1")?;
        client.ip(&["addr", "add", &format!("{CLIENT}/24"), "dev", "eth0"])?;
        client.ip(&["route", "add", "default", "via", GATEWAY])?;
        // As distributions set it, and a new namespace does not have it: whoever runs the lab may send pings.
        client.sysctl("ipv4/ping_group_range", "0 0")?;
        server.ip(&["addr", "add", &format!("{SERVER}/24"), "dev", "eth0"])?;
        server.ip(&["route", "add", "default", "via", WAN])?;
        router.nft(&ruleset())?;
        let witness = Witness::new(&router)?;
        Ok(Self { dir: dir.to_owned(), witness, client, router, server, fault_count: AtomicU32::new(0), number })
    }

    /// Another namespace of this world.
    pub(crate) fn namespace(&self, role: &str) -> Result<Ns> {
        namespace(self.number, role)
    }

    /// As after a new lease: the old address goes, another comes, and the default route with it.
    pub fn change_client_address(&self, new: &str) -> Result<()> {
        self.client.ip(&["addr", "flush", "dev", "eth0"])?;
        self.client.ip(&["addr", "add", &format!("{new}/24"), "dev", "eth0"])?;
        self.client.ip(&["route", "add", "default", "via", GATEWAY])
    }

    /// As while an administrator moves a network to other addresses: for a moment there are two.
    pub fn renumber_client(&self, new: &str, old: &str) -> Result<()> {
        self.client.sysctl("ipv4/conf/eth0/promote_secondaries", "1")?;
        self.client.ip(&["addr", "add", &format!("{new}/24"), "dev", "eth0"])?;
        self.client.ip(&["addr", "del", &format!("{old}/24"), "dev", "eth0"])?;
        self.client.ip(&["route", "replace", "default", "via", GATEWAY])
    }

    /// As after a line was dialled in anew: whatever it had translated to the old address is forgotten.
    pub fn router_gets_another_address(&self) -> Result<()> {
        for (address, interface) in [(WAN, "wan"), (control::ROUTER, "away")] {
            let another = address.replace(".0.1", ".0.2");
            // Only some worlds have the second interface.
            if self.router.ip(&["addr", "del", &format!("{address}/24"), "dev", interface]).is_ok() {
                self.router.ip(&["addr", "add", &format!("{another}/24"), "dev", interface])?;
            }
        }
        Ok(())
    }

    /// Its link stands, and it knows no way over it any more.
    pub fn router_loses_the_server(&self) -> Result<()> {
        self.router.ip(&["route", "del", BEYOND, "dev", "wan"])
    }

    pub fn router_finds_the_server(&self) -> Result<()> {
        self.router.ip(&["route", "add", BEYOND, "dev", "wan", "scope", "link", "src", WAN])
    }

    /// A bridge with a port of its own, as programs for containers and virtual machines make them. Neither carries
    /// anything of the call.
    pub fn client_gains_a_bridge(&self) -> Result<()> {
        self.client.ip(&["link", "add", "unrelated", "type", "bridge"])?;
        self.client.ip(&["link", "add", "guest", "type", "veth", "peer", "name", "guest-end"])?;
        self.client.ip(&["link", "set", "guest", "master", "unrelated"])?;
        self.client.ip(&["addr", "add", "172.29.0.1/16", "dev", "unrelated"])?;
        ["guest", "guest-end", "unrelated"].iter().try_for_each(|name| self.client.ip(&["link", "set", name, "up"]))
    }

    pub fn client_loses_the_bridge(&self) -> Result<()> {
        self.client.ip(&["link", "del", "guest"])?;
        self.client.ip(&["link", "del", "unrelated"])
    }

    pub fn client_link_down(&self) -> Result<()> {
        self.client.ip(&["link", "set", "eth0", "down"])
    }

    /// The cable is drawn at its other end.
    pub fn cable_is_in(&self, is: bool) -> Result<()> {
        self.router.ip(&["link", "set", "lan", if is { "up" } else { "down" }])
    }

    /// The kernel forgets routes over a link that goes down; addresses stay.
    pub fn client_link_up(&self) -> Result<()> {
        self.client.ip(&["link", "set", "eth0", "up"])?;
        self.client.ip(&["route", "add", "default", "via", GATEWAY])
    }
}

/// Address translation outwards, nothing from outside to the router itself, and chains for each fault to come: for what
/// is passed on, and for all that the client and the router say to each other. That nothing from outside reaches the
/// router also keeps a stranger's packet from taking up a port that a flow of the client's is about to get back.
fn ruleset() -> String {
    let numbers = 1..=crate::fault::MOST;
    let chains: String = numbers.clone().map(|n| format!("chain fault{n} {{}}\n")).collect();
    let jumps: String = numbers.map(|n| format!("jump fault{n}\n")).collect();
    format!(
        "table ip world {{
            {chains}
            chain out {{ type nat hook postrouting priority srcnat; oifname {{ \"wan\", \"away\" }} masquerade; }}
            chain into {{ type filter hook input priority filter;
                iifname {{ \"wan\", \"away\" }} ct state {{ new, invalid }} drop
            }}
            chain through {{ type filter hook forward priority filter;
                {jumps}
            }}
        }}
        table ip portal {{
            {chains}
            chain asked {{ type nat hook prerouting priority dstnat;
                {jumps}
            }}
        }}
        table ip6 world {{
            {chains}
            chain through {{ type filter hook forward priority filter;
                {jumps}
            }}
        }}
        table netdev world {{
            {chains}
            chain heard {{ type filter hook ingress device \"lan\" priority filter;
                {jumps}
            }}
            chain said {{ type filter hook egress device \"lan\" priority filter;
                {jumps}
            }}
        }}"
    )
}

fn namespace(number: u32, role: &str) -> Result<Ns> {
    Ns::new(format!("{PREFIX}{}-{number}-{role}", std::process::id()))
}

/// Joins two namespaces.
pub(crate) fn cable(a: &Ns, a_end: &str, b: &Ns, b_end: &str) -> Result<()> {
    a.ip(&["link", "add", a_end, "type", "veth", "peer", "name", b_end, "netns", &b.name])?;
    a.ip(&["link", "set", a_end, "up"])?;
    b.ip(&["link", "set", b_end, "up"])
}

/// Removes what labs left behind that were killed. A running lab's worlds are known by its pid.
pub fn sweep() {
    let Ok(names) = std::fs::read_dir(ns::FOLDER) else { return };
    for name in names.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()).and_then(|p| p.parse().ok());
        if owner.is_some_and(|pid| !is_lab(pid)) {
            ns::remove(&name);
        }
    }
}

/// A pid is given anew to other programs after a while, so the program is asked for too. A dead process has none.
fn is_lab(pid: u32) -> bool {
    let program = std::fs::read_link(format!("/proc/{pid}/exe"));
    program.is_ok_and(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lab-")))
}

pub fn now() -> Wall {
    Clock::real().now().wall
}

/// Asks until the answer is yes. The interval is short against every limit of the lab.
pub fn wait_until(what: &str, limit: Duration, mut yes: impl FnMut() -> Result<bool>) -> Result<()> {
    let clock = Clock::real();
    let start = clock.now();
    while !yes()? {
        anyhow::ensure!(clock.now().since(start) < limit, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
