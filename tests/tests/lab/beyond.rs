//! What lies between the client and the service fails: the gateway, name servers, address translation, a rule against UDP.
#![cfg(target_os = "linux")]

use crate::{parts::CONNTRACK, path::same_call};
use anyhow::{Result, ensure};
use linewitness_lab::far::{certificate, control, reflector};
use linewitness_lab::part::{names, translation::Ports};
use linewitness_lab::world::{SERVER, now};
use linewitness_lab::{Fault, Hold, Story, World, hold};
use record::Fact;
use record::fact::{ControlKind, Lane, Net};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_silent_gateway_is_named_while_the_link_stands", needs: &[], tell: gateway },
    Story {
        name: "dead_name_servers_are_why_a_lost_socket_does_not_come_back",
        needs: &[("dnsmasq", "dnsmasq-base")],
        tell: dead_names,
    },
    Story { name: "a_router_that_gives_other_ports_rebinds_the_call", needs: REBOUND, tell: rebound },
    Story { name: "udp_blocked_from_the_start_is_why_the_call_never_stood", needs: CONTROL, tell: no_udp },
];

pub const CONTROL: &[(&str, &str)] = &[("nginx", "nginx"), ("turnserver", "coturn")];
const REBOUND: &[(&str, &str)] = &[CONNTRACK[0], CONTROL[0], CONTROL[1]];

/// All that is asked beside the call, and a server that has nothing to do with the far end.
pub fn with_stun(world: &World) -> Result<(control::Control, String)> {
    let control = control::start(world, &certificate::make(world)?)?;
    let controls = format!("[lanes]\ncontrols = [\"gateway\", \"dns\", \"far\", \"stun:{}:3478\"]", control::ADDRESS);
    Ok((control, hold::profile(world, "", &controls)?))
}

fn gateway(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "30s"])?;
    sleep(Duration::from_secs(6));
    let media_port = hold.media_address()?.port();
    let in_force = world.fault(Fault::GatewaySilent)?;
    in_force.bites(Duration::from_secs(1))?;
    sleep(Duration::from_secs(8));
    let truth = in_force.lift()?;
    hold.finish(Duration::from_secs(30))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.all_are(&["signaling", "media"], "gateway_lost", "local_network", "shown")?;
        let media = told.verdict.one("media")?;
        media.last_good_before(truth.first_of(media_port)?, 40.0)?;
        media.first_bad_after(truth.first_of(media_port)?, 350.0)?;
        media.restored_after(truth.last(), truth.lifted, 8_000.0)?;
        told.rests_on_control(media, ControlKind::Gateway)?;
        same_call(told)
    })
}

/// Names die first, and nothing is lost by that; then the socket is, and its way back needs one.
fn dead_names(world: &World) -> Result<()> {
    let _names = names::start(world, &[(names::FAR, SERVER)])?;
    let _reflector = reflector::start(world, "reflector")?;
    let url = format!("ws://{}:{}/call", names::FAR, reflector::PORT);
    let hold = Hold::established(world, "hold", &["--to", &url, "--for", "40s"])?;
    sleep(Duration::from_secs(4));
    let silent = world.fault(Fault::NamesSilent)?;
    sleep(Duration::from_secs(3));
    let reset = world.fault(Fault::TcpFlowReset { client_port: hold.signaling_port()? })?;
    reset.bites(Duration::from_secs(7))?;
    sleep(Duration::from_secs(8));
    let (silent, reset) = (silent.lift()?, reset.lift()?);
    hold.finish(Duration::from_secs(40))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("media")?;
        let signaling = told.verdict.one("signaling")?;
        signaling.is("dns_failed", "local_network", "shown")?;
        signaling.first_bad_after(reset.first(), 100.0)?;
        signaling.restored_after(silent.last(), silent.lifted, 12_000.0)?;
        told.rests_on_control(signaling, ControlKind::Dns)?;
        told.rests_on_control(signaling, ControlKind::FarTcp)?;
        same_call(told)
    })
}

fn rebound(world: &World) -> Result<()> {
    let (_control, profile) = with_stun(world)?;
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &[&profile, "--for", "35s"])?;
    sleep(Duration::from_secs(6));
    let media_port = hold.media_address()?.port();
    let seen = world.fault(Fault::NewMapping)?;
    let before = now();
    world.router_forgets(Ports::Other)?;
    let forgotten = now();
    let told = hold.finish(Duration::from_secs(35))?;
    let truth = seen.lift()?.first_of(media_port)?;
    ensure!(before <= truth, "void: the media's mapping was new before it was forgotten");
    told.expect(|told| {
        told.ended("dropped", 3)?;
        // Media finds its way back by the next check; TCP cannot. A port that changed shows that a mapping was lost, and not
        // by itself that the call was lost with it.
        told.all_are(&["signaling"], "nat_rebound", "local_network", "likely")?;
        let signaling = told.verdict.one("signaling")?;
        signaling.last_good_before(forgotten, 5_500.0)?;
        signaling.first_bad_after(before, 5_500.0)?;
        signaling.restored_after(before, forgotten, 15_000.0)?;
        told.rests_on(signaling, "another public port", |fact| {
            matches!(fact, Fact::Net(Net::PublicAddress { .. }) | Fact::Lane(Lane::SeenFrom { .. }))
        })?;
        // Mappings that were taken away while they were quiet say nothing of how long they would have been kept.
        told.verdict.finds_no("udp_idle_limit")?;
        same_call(told)
    })
}

fn no_udp(world: &World) -> Result<()> {
    let (_control, profile) = with_stun(world)?;
    let _reflector = reflector::start(world, "reflector")?;
    let in_force = world.fault(Fault::Udp)?;
    let told = Hold::start(world, "hold", &[&profile, "--for", "15s"])?.finish(Duration::from_secs(15))?;
    in_force.lift()?;
    told.expect(|told| {
        told.ended("not_established", 4)?;
        told.verdict.none("signaling")?;
        let media = told.verdict.one("media")?;
        media.is("udp_blocked", "local_network", "shown")?;
        told.rests_on(media, "TCP that stood", |fact| {
            matches!(fact, Fact::Signaling(record::fact::Signaling::Ready { .. }))
        })
    })
}
