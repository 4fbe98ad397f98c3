//! What the router remembers of the flows it translates, and how it forgets.

use crate::World;
use anyhow::{Context, Result, ensure};
use std::process::Output;

/// Which port a flow gets that the router meets anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ports {
    /// The one it had: nobody notices.
    Same,
    Other,
}

const OUTWARDS: &str = "oifname { \"wan\", \"away\" }";

impl World {
    /// All mappings are gone, as after a router's restart or a failover; flows that go on are met anew.
    pub fn router_forgets(&self, ports: Ports) -> Result<()> {
        if ports == Ports::Other {
            // Below those that clients choose by themselves, so that none of them can be kept.
            self.router.nft(&format!(
                "flush chain ip world out
                 add rule ip world out {OUTWARDS} meta l4proto {{ tcp, udp }} masquerade to :20000-29999
                 add rule ip world out {OUTWARDS} masquerade\n"
            ))?;
        }
        let Output { status, stderr, .. } =
            self.router.command("conntrack").arg("-F").output().context("starting conntrack")?;
        ensure!(status.success(), "conntrack -F: {}", String::from_utf8_lossy(&stderr));
        Ok(())
    }

    /// Mappings of UDP flows end so long after their last packet, whether one packet crossed or many.
    pub fn router_keeps_udp_for(&self, seconds: u32) -> Result<()> {
        for key in ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"] {
            self.router.sysctl(&format!("netfilter/{key}"), &seconds.to_string())?;
        }
        Ok(())
    }

    /// As carrier-grade translation with too few ports does it.
    pub fn router_bars_forgotten_udp(&self) -> Result<()> {
        let flow = "udp sport . udp dport";
        self.router.nft(&format!(
            "add set ip world known {{ type inet_service . inet_service; flags dynamic, timeout; timeout 5m; size 4096; }}
             insert rule ip world through iifname \"lan\" ct state established update @known {{ {flow} }}
             insert rule ip world through iifname \"lan\" ct state new {flow} @known drop\n"
        ))
    }

    /// One socket is seen from another port by each who is asked.
    pub fn router_scatters_ports(&self) -> Result<()> {
        self.router
            .nft(&format!("flush chain ip world out\nadd rule ip world out {OUTWARDS} masquerade fully-random\n"))
    }

    /// A firewall without a word: TCP connections are forgotten so long after their last segment, and segments of
    /// connections that it does not know vanish.
    pub fn router_keeps_tcp_for(&self, seconds: u32) -> Result<()> {
        self.router.sysctl("netfilter/nf_conntrack_tcp_timeout_established", &seconds.to_string())?;
        self.router.sysctl("netfilter/nf_conntrack_tcp_loose", "0")?;
        self.router.nft("add rule ip world through meta l4proto tcp ct state invalid drop\n")
    }
}
