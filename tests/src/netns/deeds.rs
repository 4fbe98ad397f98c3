//! `Deeds`: what a scenario does to the world, and how it is undone.

use super::cast::Cast;
use super::flows::Flows;
use super::truths::Carried;
use crate::browser::Page;
use crate::far::portal;
use crate::fault::InForce;
use crate::part::{busy, second_uplink, second_uplink::SecondUplink, translation, tunnel, tunnel::Tunnel};
use crate::scenario::deed::{Deed, Ports};
use crate::scenario::ending::Plane;
use crate::world::{CLIENT, GATEWAY, SERVER};
use crate::{Fault, Hold, Program, World};
use anyhow::{Context, Result, bail, ensure};
use engine::Clock;
use record::fact::CallEndedBy;
use record::{Stamp, wire::FromFar};

pub struct Deeds<'w> {
    world: &'w World,
    /// It meets what the hold meets.
    page: Option<&'w Page>,
    clock: Clock,
    second: Option<SecondUplink<'w>>,
    tunnel: Option<Tunnel<'w>>,
    spinning: Option<[Program; 2]>,
    portal: Option<Program>,
    starver: Option<Program>,
    addresses: u8,
    second_passes_all: bool,
}

/// A deed that was done.
pub struct Done<'w> {
    deed: Deed,
    began: (Stamp, Stamp),
    undone: Option<(Stamp, Stamp)>,
    flows: Flows,
    pages: Flows,
    fault: Option<InForce<'w>>,
    hits: Option<Vec<crate::witness::Hit>>,
}

/// Those that the client gets in turn.
fn address(number: u8) -> String {
    format!("10.81.1.{}", 76 + number)
}

/// Longer than any story.
const ALWAYS: u32 = 300;

impl<'w> Deeds<'w> {
    pub fn new(world: &'w World, page: Option<&'w Page>, clock: Clock, second_passes_all: bool) -> Self {
        Self {
            world,
            page,
            clock,
            second: None,
            tunnel: None,
            spinning: None,
            portal: None,
            starver: None,
            addresses: 0,
            second_passes_all,
        }
    }

    pub fn begin(&mut self, deed: Deed, cast: &mut Cast, hold: Option<&Hold>) -> Result<Done<'w>> {
        let flows =
            hold.map(|hold| Ok::<_, anyhow::Error>(Flows::in_use(&hold.events()?))).transpose()?.unwrap_or_default();
        let pages = self.page.map(Page::flows).transpose()?.unwrap_or_default();
        self.prepare(deed, cast)?;
        let before = self.clock.now();
        let fault = rules(deed, &flows, &pages)?.map(|rules| self.world.faults(rules)).transpose()?;
        self.act(deed, cast, hold)?;
        let began = (before, self.clock.now());
        Ok(Done { deed, began, undone: None, flows, pages, fault, hits: None })
    }

    /// What takes time and is not the deed itself.
    fn prepare(&mut self, deed: Deed, cast: &Cast) -> Result<()> {
        match deed {
            Deed::RouteMoved if self.second.is_none() => self.second = Some(second_uplink::plug_in(self.world)?),
            Deed::TunnelTakesRoute | Deed::TunnelTakesFarEnd if self.tunnel.is_none() => {
                self.tunnel = Some(tunnel::up(self.world)?)
            }
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
        match deed {
            Deed::Nothing
            | Deed::BlackHole
            | Deed::Rejected
            | Deed::UdpToServerLost
            | Deed::UdpToClientLost
            | Deed::UdpLost
            | Deed::UdpRejected
            | Deed::Policed { .. }
            | Deed::Loss { .. }
            | Deed::SignalingVanishes
            | Deed::MediaVanishes
            | Deed::SignalingReset
            | Deed::GatewaySilent
            | Deed::GatewayHangs
            | Deed::NamesSilent
            | Deed::PortalClosed => Ok(()),
            Deed::NameServerKilled => cast.kill_names(),
            Deed::WebProxyKilled => cast.kill_web_proxy(),
            Deed::PublicAddressChanged => world.router_gets_another_address(),
            Deed::MappingsLost { ports: Ports::Same } => world.router_forgets(translation::Ports::Same),
            Deed::MappingsLost { ports: Ports::Other } => world.router_forgets(translation::Ports::Other),
            Deed::Unrouted => world.router_loses_the_server(),
            Deed::LinkDown => world.client_link_down(),
            Deed::CableOut => world.cable_is_in(false),
            Deed::AddressChanged => {
                self.addresses += 1;
                world.change_client_address(&address(self.addresses))
            }
            Deed::Renumbered => {
                let old = if self.addresses == 0 { CLIENT.to_owned() } else { address(self.addresses) };
                self.addresses += 1;
                world.renumber_client(&address(self.addresses), &old)
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
                if self.tunnel.is_none() {
                    self.tunnel = Some(tunnel::up(world)?);
                }
                Ok(())
            }
            Deed::TunnelTakesRoute => self.tunnel.as_ref().context("up before")?.take_route(),
            Deed::TunnelGone => self.tunnel.take().context("up before").map(drop),
            Deed::TunnelTakesFarEnd => self.tunnel.as_ref().context("up before")?.take_route_to(SERVER),
            Deed::Bridge => world.client_gains_a_bridge(),
            Deed::Busy => {
                self.spinning = Some(busy::spin(world, ALWAYS)?);
                Ok(())
            }
            Deed::Frozen | Deed::Sleep => self.signal(hold.context("before the hold began")?, libc::SIGSTOP),
            Deed::Starved => {
                let pid = hold.context("before the hold began")?.program.pid();
                let script = format!("while :; do kill -STOP {pid}; sleep 1.4; kill -CONT {pid}; sleep 0.1; done");
                self.starver = Some(Program::start(world, client, "starver", "sh", &["-c", &script])?);
                Ok(())
            }
            Deed::SocketTaken => {
                let flows = Flows::in_use(&hold.context("before the hold began")?.events()?);
                let port = flows.ports(Plane::Signaling).next().context("no signaling connection is in use")?;
                let taken = client.command("ss").args(["-K", "sport", "=", &format!(":{port}")]).output();
                let taken = taken.context("starting ss, of the package iproute2")?;
                ensure!(taken.status.success(), "ss -K: {}", String::from_utf8_lossy(&taken.stderr));
                Ok(())
            }
            Deed::ConnectionsEnded { by } => {
                cast.ender()?.end_all(by);
                Ok(())
            }
            Deed::FarEndHangsUp => {
                let ended = FromFar::Ended { by: CallEndedBy::FarEnd, says: "we close at six".into() };
                cast.ender()?.says_goodbye(&serde_json::to_string(&ended).context("texts alone")?)
            }
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
            Deed::CableOut => world.cable_is_in(true),
            Deed::WebProxyKilled => cast.start_web_proxy(world),
            Deed::Starved => {
                drop(self.starver.take());
                hold.program.signal(libc::SIGCONT)
            }
            Deed::SecondUplink => self.second.take().context("plugged in before")?.unplug(),
            Deed::RouteMoved | Deed::RouteGone => {
                client.ip(&["route", "replace", "default", "via", GATEWAY, "dev", "eth0"])
            }
            Deed::TunnelUp | Deed::TunnelTakesRoute | Deed::TunnelTakesFarEnd => {
                drop(self.tunnel.take());
                Ok(())
            }
            Deed::Bridge => world.client_loses_the_bridge(),
            Deed::Busy => {
                drop(self.spinning.take());
                Ok(())
            }
            Deed::Frozen => self.signal(hold, libc::SIGCONT),
            Deed::Sleep => {
                self.signal(hold, libc::SIGCONT)?;
                cast.logind.as_ref().context("it told of falling asleep")?.tells_of_sleep(false)
            }
            Deed::FarEndFrozen => cast.far_end()?.signal(libc::SIGCONT),
            Deed::FarEndStopped | Deed::FarEndKilled => cast.start_far_end(world),
            Deed::RelayKilled => cast.start_relay(world),
            // What a rule did is undone with the rule.
            _ => Ok(()),
        }
    }

    fn signal(&self, hold: &Hold, signal: i32) -> Result<()> {
        hold.program.signal(signal)?;
        self.page.map_or(Ok(()), |page| page.signal(signal))
    }
}

impl Done<'_> {
    /// At the end, with whatever rule is still in force lifted and read.
    pub fn carried(mut self) -> Result<Carried> {
        if let Some(fault) = self.fault.take() {
            self.hits = Some(fault.lift()?.hits);
        }
        let Self { deed, began, undone, flows, pages, hits, .. } = self;
        Ok(Carried { deed, began, undone, flows, pages, hits })
    }
}

/// The deed as rules of the router, where it is one. What is done to the hold's flow is done to those of the page beside it.
fn rules(deed: Deed, flows: &Flows, pages: &Flows) -> Result<Option<Vec<Fault>>> {
    let each = |plane: Plane, fault: fn(u16) -> Fault| {
        let port = flows.ports(plane).next().with_context(|| format!("no flow of {} is in use", plane.name()))?;
        Ok::<_, anyhow::Error>([port].into_iter().chain(pages.ports(plane)).map(fault).collect())
    };
    Ok(Some(match deed {
        Deed::SignalingVanishes => each(Plane::Signaling, |client_port| Fault::TcpFlowSilent { client_port })?,
        Deed::SignalingReset => each(Plane::Signaling, |client_port| Fault::TcpFlowReset { client_port })?,
        Deed::MediaVanishes => each(Plane::Media, |client_port| Fault::UdpFlowSilent { client_port })?,
        Deed::BlackHole => vec![Fault::BlackHole],
        Deed::Rejected => vec![Fault::Rejected],
        Deed::UdpToServerLost => vec![Fault::UdpToServer],
        Deed::UdpToClientLost => vec![Fault::UdpToClient],
        Deed::UdpLost => vec![Fault::Udp],
        Deed::UdpRejected => vec![Fault::UdpRejected],
        Deed::Policed { packets } => vec![Fault::Policed { packets }],
        Deed::Loss { percent } => vec![Fault::Loss { percent }],
        Deed::GatewaySilent => vec![Fault::GatewaySilent],
        Deed::GatewayHangs => vec![Fault::GatewayHangs],
        Deed::NamesSilent => vec![Fault::NamesSilent],
        Deed::MappingsLost { .. } | Deed::PublicAddressChanged => vec![Fault::NewMapping],
        Deed::PortalClosed => vec![Fault::Portal],
        _ => return Ok(None),
    }))
}
