//! `Deeds`: what a scenario does to the world, and how it is undone.

use super::cast::Cast;
use super::flows::Flows;
use super::truths::Carried;
use crate::far::portal;
use crate::fault::InForce;
use crate::part::{busy, second_uplink, second_uplink::SecondUplink, translation, tunnel, tunnel::Tunnel};
use crate::scenario::deed::{Deed, Ports};
use crate::world::GATEWAY;
use crate::{Fault, Hold, Program, World};
use anyhow::{Context, Result, bail};
use engine::Clock;
use record::Stamp;

pub struct Deeds<'w> {
    world: &'w World,
    clock: Clock,
    second: Option<SecondUplink<'w>>,
    tunnel: Option<Tunnel<'w>>,
    spinning: Option<[Program; 2]>,
    portal: Option<Program>,
    addresses: u8,
    second_passes_all: bool,
}

/// A deed that was done.
pub struct Done<'w> {
    deed: Deed,
    began: (Stamp, Stamp),
    undone: Option<(Stamp, Stamp)>,
    flows: Flows,
    fault: Option<InForce<'w>>,
    hits: Option<Vec<crate::witness::Hit>>,
}

/// Longer than any story.
const ALWAYS: u32 = 300;

impl<'w> Deeds<'w> {
    pub fn new(world: &'w World, clock: Clock, second_passes_all: bool) -> Self {
        let addresses = 0;
        Self { world, clock, second: None, tunnel: None, spinning: None, portal: None, addresses, second_passes_all }
    }

    pub fn begin(&mut self, deed: Deed, cast: &mut Cast, hold: Option<&Hold>) -> Result<Done<'w>> {
        let flows =
            hold.map(|hold| Ok::<_, anyhow::Error>(Flows::in_use(&hold.events()?))).transpose()?.unwrap_or_default();
        self.prepare(deed, cast)?;
        let before = self.clock.now();
        let fault = match rule(deed, &flows)? {
            Some(rule) => Some(self.world.fault(rule)?),
            None => None,
        };
        self.act(deed, cast, hold)?;
        let began = (before, self.clock.now());
        Ok(Done { deed, began, undone: None, flows, fault, hits: None })
    }

    /// What takes time and is not the deed itself.
    fn prepare(&mut self, deed: Deed, cast: &Cast) -> Result<()> {
        match deed {
            Deed::RouteMoved if self.second.is_none() => self.second = Some(second_uplink::plug_in(self.world)?),
            Deed::TunnelTakesRoute if self.tunnel.is_none() => self.tunnel = Some(tunnel::up(self.world)?),
            Deed::PortalClosed => self.portal = Some(portal::start(self.world)?),
            Deed::Sleep => {
                let logind = cast.logind.as_ref().context("sleep is told of by a logind, which this world has not")?;
                logind.tells_of_sleep(true)?;
                logind.nobody_delays()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn act(&mut self, deed: Deed, cast: &mut Cast, hold: Option<&Hold>) -> Result<()> {
        let (world, client) = (self.world, &self.world.client);
        let program = || hold.map(|hold| &hold.program).context("before the hold began");
        match deed {
            Deed::Nothing
            | Deed::BlackHole
            | Deed::Rejected
            | Deed::UdpToServerLost
            | Deed::UdpToClientLost
            | Deed::UdpLost
            | Deed::Loss { .. }
            | Deed::SignalingVanishes
            | Deed::MediaVanishes
            | Deed::SignalingReset
            | Deed::GatewaySilent
            | Deed::NamesSilent
            | Deed::PortalClosed => Ok(()),
            Deed::MappingsLost { ports: Ports::Same } => world.router_forgets(translation::Ports::Same),
            Deed::MappingsLost { ports: Ports::Other } => world.router_forgets(translation::Ports::Other),
            Deed::Unrouted => world.router_loses_the_server(),
            Deed::LinkDown => world.client_link_down(),
            Deed::AddressChanged => {
                self.addresses += 1;
                world.change_client_address(&format!("10.81.1.{}", 76 + self.addresses))
            }
            Deed::TemporaryAddressRenewed => {
                anyhow::bail!("nobody but a router of IPv6 brings a temporary address, and this world has none")
            }
            Deed::SecondUplink => {
                let second = second_uplink::plug_in(world)?;
                if self.second_passes_all {
                    second.pass_all()?;
                }
                second.offer_route()?;
                self.second = Some(second);
                Ok(())
            }
            Deed::RouteMoved => self.second.as_ref().context("plugged in before")?.take_route(),
            Deed::RouteGone => client.ip(&["route", "del", "default"]),
            Deed::TunnelUp => {
                self.tunnel = Some(tunnel::up(world)?);
                Ok(())
            }
            Deed::TunnelTakesRoute => self.tunnel.as_ref().context("up before")?.take_route(),
            Deed::TunnelGone => self.tunnel.take().context("up before").map(drop),
            Deed::Bridge => world.client_gains_a_bridge(),
            Deed::Busy => {
                self.spinning = Some(busy::spin(world, ALWAYS)?);
                Ok(())
            }
            Deed::Frozen | Deed::Sleep => program()?.signal(libc::SIGSTOP),
            Deed::FarEndStopped => cast.take_far_end()?.stop().map(|_| ()),
            Deed::FarEndKilled => cast.take_far_end()?.kill(),
            Deed::FarEndFrozen => cast.far_end()?.signal(libc::SIGSTOP),
            Deed::FarEndStarted => cast.start_far_end(world),
            Deed::ProxyKilled => cast.kill_proxy(),
            Deed::RelayKilled => cast.take_relay()?.kill(),
            Deed::RelayStarted => cast.start_relay(world),
            Deed::ClockStep { .. } => bail!("all namespaces share the machine's clock; only `sim` can set one"),
            Deed::Jitter { .. } => bail!("this kernel delays nothing; only `sim` can"),
        }
    }

    pub fn undo(&mut self, done: &mut Done<'w>, cast: &mut Cast, hold: &Hold) -> Result<()> {
        let before = self.clock.now();
        self.act_back(done.deed, cast, hold)?;
        let mut after = self.clock.now();
        if let Some(fault) = done.fault.take() {
            let truth = fault.lift()?;
            // Lifting waits a moment for what was still underway to the witness.
            after = truth.lifted;
            done.hits = Some(truth.hits);
        }
        done.undone = Some((before, after));
        Ok(())
    }

    fn act_back(&mut self, deed: Deed, cast: &mut Cast, hold: &Hold) -> Result<()> {
        let (world, client) = (self.world, &self.world.client);
        match deed {
            Deed::Unrouted => world.router_finds_the_server(),
            Deed::LinkDown => world.client_link_up(),
            Deed::SecondUplink => self.second.take().context("plugged in before")?.unplug(),
            Deed::RouteMoved | Deed::RouteGone => {
                client.ip(&["route", "replace", "default", "via", GATEWAY, "dev", "eth0"])
            }
            Deed::TunnelUp | Deed::TunnelTakesRoute => {
                drop(self.tunnel.take());
                Ok(())
            }
            Deed::Bridge => world.client_loses_the_bridge(),
            Deed::Busy => {
                drop(self.spinning.take());
                Ok(())
            }
            Deed::Frozen => hold.program.signal(libc::SIGCONT),
            Deed::Sleep => {
                hold.program.signal(libc::SIGCONT)?;
                cast.logind.as_ref().context("it told of falling asleep")?.tells_of_sleep(false)
            }
            Deed::FarEndFrozen => cast.far_end()?.signal(libc::SIGCONT),
            Deed::FarEndStopped | Deed::FarEndKilled => cast.start_far_end(world),
            Deed::RelayKilled => cast.start_relay(world),
            // What a rule did is undone with the rule.
            _ => Ok(()),
        }
    }
}

impl Done<'_> {
    /// At the end, with whatever rule is still in force lifted and read.
    pub fn carried(mut self) -> Result<Carried> {
        if let Some(fault) = self.fault.take() {
            self.hits = Some(fault.lift()?.hits);
        }
        let Self { deed, began, undone, flows, hits, .. } = self;
        Ok(Carried { deed, began, undone, flows, hits })
    }
}

/// The deed as rules of the router, where it is one.
fn rule(deed: Deed, flows: &Flows) -> Result<Option<Fault>> {
    let signaling = || flows.signaling_port().context("no signaling connection is in use");
    Ok(Some(match deed {
        Deed::BlackHole => Fault::BlackHole,
        Deed::Rejected => Fault::Rejected,
        Deed::UdpToServerLost => Fault::UdpToServer,
        Deed::UdpToClientLost => Fault::UdpToClient,
        Deed::UdpLost => Fault::Udp,
        Deed::Loss { percent } => Fault::Loss { percent },
        Deed::SignalingVanishes => Fault::TcpFlowSilent { client_port: signaling()? },
        Deed::SignalingReset => Fault::TcpFlowReset { client_port: signaling()? },
        Deed::MediaVanishes => {
            Fault::UdpFlowSilent { client_port: flows.media_port().context("no media flow is in use")? }
        }
        Deed::GatewaySilent => Fault::GatewaySilent,
        Deed::NamesSilent => Fault::NamesSilent,
        Deed::MappingsLost { .. } => Fault::NewMapping,
        Deed::PortalClosed => Fault::Portal,
        _ => return Ok(None),
    }))
}
