//! IPv6 and nothing else: what holds over IPv4 holds here.
#![cfg(target_os = "linux")]

use anyhow::{Result, ensure};
use linewitness_lab::far::{coturn, reflector};
use linewitness_lab::part::ipv6::{self, CONTROL, SERVER};
use linewitness_lab::verdict::ms_between;
use linewitness_lab::world::now;
use linewitness_lab::{Fault, Hold, Program, Story, Told, World, hold};
use record::Fact;
use record::fact::{CandidateKind, ControlKind, Ice, Lane, Net};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "over_ipv6_alone_the_call_is_held_and_all_beside_it_answers", needs: COTURN, tell: held },
    Story { name: "over_ipv6_alone_a_silent_gateway_is_named", needs: COTURN, tell: gateway },
    Story { name: "over_ipv6_alone_a_lost_path_is_named", needs: COTURN, tell: path },
    Story { name: "over_ipv6_alone_a_changed_address_is_named_and_survived", needs: COTURN, tell: address },
    Story { name: "over_ipv6_alone_a_relayed_call_is_held", needs: COTURN, tell: relayed },
];

const COTURN: &[(&str, &str)] = &[("turnserver", "coturn")];

struct Around {
    _reflector: Program,
    _control: ipv6::Control,
    profile: String,
}

/// The far end, and all that is asked beside the call.
fn around(world: &World, more: &str) -> Result<Around> {
    ipv6::only(world)?;
    let control = ipv6::control(world)?;
    let reflector = reflector::start_with(world, "reflector", SERVER, &[])?;
    let url = format!("ws://[{SERVER}]:{}/call", reflector::PORT);
    let sections = format!("[lanes]\ncontrols = [\"gateway\", \"far\", \"stun:[{CONTROL}]:3478\"]\n{more}");
    let profile = hold::profile_to(world, &url, "", &sections)?;
    Ok(Around { _reflector: reflector, _control: control, profile })
}

fn held(world: &World) -> Result<()> {
    let around = around(world, "")?;
    let hold = Hold::established(world, "hold", &[&around.profile, "--for", "12s"])?;
    hold.finish(Duration::from_secs(12))?.expect(|told| {
        told.ended("held", 0)?;
        ensure!(told.verdict.drops.is_empty(), "expected no drop");
        for kind in [ControlKind::Gateway, ControlKind::FarTcp, ControlKind::FarUdp, ControlKind::Stun] {
            told.answered(kind)?;
        }
        ensure!(told.count(|fact| matches!(fact, Fact::Lane(Lane::Sample { .. }))) > 0, "no lane was held");
        all_over_ipv6(told)
    })
}

fn gateway(world: &World) -> Result<()> {
    let around = around(world, "")?;
    let hold = Hold::established(world, "hold", &[&around.profile, "--for", "25s"])?;
    sleep(Duration::from_secs(5));
    let media_port = hold.media_address()?.port();
    let in_force = world.fault(Fault::GatewaySilent)?;
    sleep(Duration::from_secs(7));
    let truth = in_force.lift()?;
    hold.finish(Duration::from_secs(25))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.all_are(&["signaling", "media"], "gateway_lost", "local_network", "shown")?;
        let media = told.verdict.one("media")?;
        media.last_good_before(truth.first_of(media_port)?, 40.0)?;
        media.first_bad_after(truth.first_of(media_port)?, 350.0)?;
        media.restored_after(truth.last(), truth.lifted.wall, 8_000.0)?;
        told.rests_on_control(media, ControlKind::Gateway)?;
        told.same_call()
    })
}

fn path(world: &World) -> Result<()> {
    let around = around(world, "")?;
    let hold = Hold::established(world, "hold", &[&around.profile, "--for", "25s"])?;
    sleep(Duration::from_secs(5));
    let media_port = hold.media_address()?.port();
    let in_force = world.fault(Fault::BlackHole)?;
    sleep(Duration::from_secs(6));
    let truth = in_force.lift()?;
    hold.finish(Duration::from_secs(25))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.all_are(&["signaling", "media"], "path_lost", "internet_path", "shown")?;
        let media = told.verdict.one("media")?;
        media.last_good_before(truth.first_of(media_port)?, 40.0)?;
        media.first_bad_after(truth.first_of(media_port)?, 350.0)?;
        media.restored_after(truth.last(), truth.lifted.wall, 1_500.0)?;
        told.rests_on_control(media, ControlKind::Gateway)?;
        told.rests_on_control(media, ControlKind::Stun)?;
        told.same_call()
    })
}

fn address(world: &World) -> Result<()> {
    const NEW: &str = "fd81::77";
    let around = around(world, "")?;
    let hold = Hold::established(world, "hold", &[&around.profile, "--for", "20s"])?;
    sleep(Duration::from_secs(5));
    let before = now();
    ipv6::change_client_address(world, NEW)?;
    let after = now();
    hold.finish(Duration::from_secs(20))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.all_are(&["media"], "address_changed", "this_computer", "shown")?;
        let media = told.verdict.one("media")?;
        media.last_good_before(after, 40.0 + ms_between(before, after))?;
        media.restored_after(before, after, 8_000.0)?;
        told.rests_on(media, "the old address gone", |fact| matches!(fact, Fact::Net(Net::AddressGone { .. })))?;
        let from =
            told.count(|fact| matches!(fact, Fact::Ice(Ice::Pair { local, .. }) if local.ip().to_string() == NEW));
        ensure!(from > 0, "media never left from the new address {NEW}");
        all_over_ipv6(told)?;
        told.same_call()
    })
}

fn relayed(world: &World) -> Result<()> {
    let urls = ["udp", "tcp"].map(|transport| format!("turn:[{SERVER}]:3478?transport={transport}"));
    let server = format!(
        "[ice]\npolicy = \"relay\"\n[[ice.servers]]\nurls = {urls:?}\nusername = \"{}\"\ncredential = \"{}\"\n",
        coturn::USER,
        coturn::PASSWORD
    );
    let around = around(world, &server)?;
    let _coturn = coturn::start_plain(world, "coturn", SERVER)?;
    let hold = Hold::established(world, "hold", &[&around.profile, "--for", "8s"])?;
    hold.finish(Duration::from_secs(8))?.expect(|told| {
        told.ended("held", 0)?;
        ensure!(told.verdict.drops.is_empty(), "expected no drop");
        let relayed = told.count(
            |fact| matches!(fact, Fact::Ice(Ice::Pair { local_kind, .. }) if *local_kind == CandidateKind::Relay),
        );
        ensure!(relayed > 0, "no pair over the relay");
        // Each under the name that the profile has for it, by which a relay that fails is found again.
        let named = |server: &str| urls.iter().any(|url| server == url.as_str());
        let other =
            told.count(|fact| matches!(fact, Fact::Ice(Ice::TurnAllocated { server, .. }) if !named(server.as_str())));
        ensure!(other == 0, "{other} relays of servers that nobody named");
        all_over_ipv6(told)
    })
}

fn all_over_ipv6(told: &Told) -> Result<()> {
    let of_ipv4 = |candidate: &str| candidate.parse().is_ok_and(|address: SocketAddr| address.is_ipv4());
    let stray = told.count(|fact| match fact {
        Fact::Ice(Ice::Pair { local, remote, .. }) => local.is_ipv4() || remote.is_ipv4(),
        Fact::Ice(Ice::LocalCandidate { address, .. } | Ice::RemoteCandidate { address, .. }) => {
            of_ipv4(address.as_str())
        }
        _ => false,
    });
    ensure!(stray == 0, "{stray} pairs and candidates of IPv4, where there is none");
    Ok(())
}
