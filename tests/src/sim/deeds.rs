//! What a scenario does to its world, and undoes.

use super::far::{self, Far};
use super::front::{self, Front};
use super::net::Net;
use super::packet::Proto;
use super::router::Fault;
use super::servers;
use super::station::Uplink;
use super::time::Program;
use crate::scenario::{Deed, Scenario, World, ending::Plane, world};
use record::fact::Power;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// How long a system waits for whoever wants to write something before it sleeps.
const LAST_WORDS: Duration = Duration::from_millis(40);
/// The next packet of a call with sound is due within this.
const FRAME: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub struct Stage(Rc<Inner>);

struct Inner {
    net: Net,
    far: RefCell<Option<Far>>,
    front: Option<Front>,
    client: RefCell<Option<Program>>,
    logind: bool,
    rules: far::Rules,
    starving: Cell<bool>,
}

impl Stage {
    pub fn build(net: &Net, world: &World) -> Self {
        if world.control {
            servers::control(net);
        }
        if world.names {
            servers::names(net);
        }
        let rules = far::Rules::of(world);
        let far = (world.far == world::Far::Reflector).then(|| Far::start(net, rules));
        let client = RefCell::default();
        let front = world.in_front.map(|kind| Front::start(net, kind));
        let (logind, starving) = (world.logind, Cell::new(false));
        Self(Rc::new(Inner { net: net.clone(), far: RefCell::new(far), front, client, logind, rules, starving }))
    }

    /// Where the call is placed to.
    pub fn door(&self) -> SocketAddr {
        if self.0.front.is_some() { front::address() } else { far::address() }
    }

    pub fn client_is(&self, program: &Program) {
        *self.0.client.borrow_mut() = Some(program.clone());
    }

    /// From now on, when the call stands.
    pub fn schedule(&self, scenario: &Scenario, times: &[Duration]) {
        for (n, (step, at)) in scenario.steps.iter().zip(times).enumerate() {
            let (stage, deed, lasts) = (self.clone(), step.deed, step.lasts);
            self.0.net.0.time.after(*at, move || {
                stage.begin(Some(n), deed);
                if let Some(lasts) = lasts {
                    let undone = stage.clone();
                    stage.0.net.0.time.after(lasts.get(), move || undone.end(n, deed));
                }
            });
        }
    }

    /// A step's deed, or none's: what is broken from the beginning on.
    pub fn begin(&self, step: Option<usize>, deed: Deed) {
        let net = &self.0.net.0;
        let (station, truths) = (&net.station, &net.truths);
        let fault = |fault| net.router.borrow_mut().begin(step.map_or(0, |step| step + 1), fault);
        let here = || step.into_iter().for_each(|step| truths.begins_locally(step));
        let there = || step.into_iter().for_each(|step| truths.begins_at_the_far_end(step));
        let now = |plane| step.into_iter().for_each(|step| truths.began(step, plane));
        let soon = |plane| step.into_iter().for_each(|step| truths.began_within(step, plane, FRAME));
        let next = |plane| step.into_iter().for_each(|step| truths.begins_with_the_next(step, plane));
        match deed {
            Deed::BlackHole
            | Deed::Rejected
            | Deed::Unrouted
            | Deed::UdpToServerLost
            | Deed::UdpToClientLost
            | Deed::UdpLost
            | Deed::UdpRejected
            | Deed::Policed { .. }
            | Deed::Jitter { .. }
            | Deed::GatewaySilent
            | Deed::NamesSilent
            | Deed::PortalClosed => fault(Fault::Of(deed)),
            Deed::Loss { .. } => {
                step.into_iter().for_each(|step| truths.takes_by_chance(step));
                fault(Fault::Of(deed));
            }
            Deed::SignalingVanishes => {
                truths.signaling_port().into_iter().for_each(|port| fault(Fault::Flow(Proto::Tcp, port)));
            }
            Deed::SignalingReset => truths.signaling_port().into_iter().for_each(|port| fault(Fault::Reset(port))),
            Deed::MediaVanishes => {
                truths.media_ports().into_iter().for_each(|port| fault(Fault::Flow(Proto::Udp, port)));
            }
            Deed::MappingsLost { ports } => {
                net.router.borrow_mut().forget(ports);
                next(Plane::Signaling);
                next(Plane::Media);
            }
            Deed::LinkDown => {
                here();
                station.link_is(false);
            }
            Deed::PublicAddressChanged => {
                net.router.borrow_mut().gets_another_address();
                next(Plane::Signaling);
                next(Plane::Media);
            }
            Deed::CableOut => {
                here();
                station.carrier_is(false);
            }
            Deed::Renumbered => {
                here();
                station.renumbered();
            }
            Deed::AddressChanged => {
                here();
                station.address_changes();
            }
            Deed::TemporaryAddressRenewed => station.temporary_address_is_renewed(),
            Deed::SecondUplink => station.plug(Uplink::Second),
            Deed::RouteMoved => {
                here();
                station.plug(Uplink::Second);
                station.route_is(Some(Uplink::Second));
            }
            Deed::RouteGone => {
                here();
                station.route_is(None);
            }
            Deed::TunnelUp => station.plug(Uplink::Tunnel),
            Deed::TunnelTakesRoute => {
                here();
                station.plug(Uplink::Tunnel);
                station.route_is(Some(Uplink::Tunnel));
            }
            Deed::TunnelGone => {
                here();
                station.unplug(Uplink::Tunnel);
            }
            Deed::Bridge => station.bridge(true),
            Deed::Busy => station.load_is(198.0),
            Deed::Frozen => {
                soon(Plane::Media);
                soon(Plane::Signaling);
                self.freeze(true);
            }
            Deed::Starved => {
                soon(Plane::Media);
                soon(Plane::Signaling);
                self.0.starving.set(true);
                self.starve();
            }
            Deed::Sleep => self.sleep(step),
            Deed::ClockStep { seconds } => net.client.clock().step_wall(seconds * 1_000_000),
            Deed::FarEndStopped | Deed::FarEndKilled => {
                there();
                now(Plane::Signaling);
                if let Some(far) = self.0.far.borrow_mut().take() {
                    if deed == Deed::FarEndKilled { far.kill() } else { far.stop() }
                }
            }
            Deed::FarEndFrozen => {
                soon(Plane::Media);
                next(Plane::Signaling);
                self.0.far.borrow().iter().for_each(|far| far.stands_still(true));
            }
            Deed::FarEndStarted => self.start_far_end(),
            Deed::ProxyKilled => {
                now(Plane::Signaling);
                self.0.front.iter().for_each(Front::kill);
            }
            Deed::FarEndHangsUp => {
                there();
                now(Plane::Signaling);
                self.0.far.borrow().iter().for_each(Far::hang_up);
            }
            Deed::ConnectionsEnded { by } => {
                now(Plane::Signaling);
                self.0.front.iter().for_each(|front| front.end_all(by));
            }
            Deed::Nothing
            | Deed::RelayKilled
            | Deed::RelayStarted
            | Deed::GatewayHangs
            | Deed::NameServerKilled
            | Deed::WebProxyKilled
            | Deed::SocketTaken
            | Deed::TunnelTakesFarEnd => {}
        }
    }

    fn end(&self, step: usize, deed: Deed) {
        let net = &self.0.net.0;
        let station = &net.station;
        net.router.borrow_mut().end(step + 1);
        match deed {
            Deed::LinkDown => station.link_is(true),
            Deed::CableOut => station.carrier_is(true),
            Deed::Starved => {
                self.0.starving.set(false);
                self.freeze(false);
            }
            Deed::SecondUplink | Deed::RouteMoved => station.unplug(Uplink::Second),
            Deed::TunnelUp | Deed::TunnelTakesRoute => station.unplug(Uplink::Tunnel),
            Deed::RouteGone => station.route_is(Some(Uplink::First)),
            Deed::Bridge => station.bridge(false),
            Deed::Busy => station.load_is(8.0),
            Deed::Frozen => self.freeze(false),
            Deed::Sleep => {
                net.client.sleeps(false);
                if self.0.logind {
                    station.says(Power::Woke);
                }
            }
            Deed::FarEndFrozen => self.0.far.borrow().iter().for_each(|far| far.stands_still(false)),
            Deed::FarEndStopped | Deed::FarEndKilled => self.start_far_end(),
            _ => {}
        }
        net.truths.undone(step);
    }

    /// A tenth of each second and a half is given.
    fn starve(&self) {
        if !self.0.starving.get() {
            return;
        }
        self.freeze(true);
        let (run, again) = (self.clone(), self.clone());
        self.0.net.0.time.after(Duration::from_millis(1_400), move || run.freeze(false));
        self.0.net.0.time.after(Duration::from_millis(1_500), move || again.starve());
    }

    fn freeze(&self, still: bool) {
        self.0.client.borrow().iter().for_each(|program| program.stands_still(still));
    }

    fn sleep(&self, step: Option<usize>) {
        let net = self.0.net.clone();
        let falls_asleep = move || {
            net.0.client.sleeps(true);
            for plane in [Plane::Signaling, Plane::Media] {
                step.into_iter().for_each(|step| net.0.truths.began_within(step, plane, FRAME));
            }
        };
        if self.0.logind {
            self.0.net.0.station.says(Power::AboutToSleep);
            self.0.net.0.time.after(LAST_WORDS, falls_asleep);
        } else {
            falls_asleep();
        }
    }

    fn start_far_end(&self) {
        let mut far = self.0.far.borrow_mut();
        if far.is_none() {
            *far = Some(Far::start(&self.0.net, self.0.rules));
        }
    }
}
