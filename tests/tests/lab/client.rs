//! The client's own network changes under a standing call.
#![cfg(target_os = "linux")]

use crate::{parts::TUN, path::same_call};
use anyhow::{Result, ensure};
use linewitness_lab::part::{second_uplink, tunnel};
use linewitness_lab::{Hold, Story, Told, World, far::reflector, verdict::ms_between, world::now};
use record::fact::{Ice, Net};
use record::{Fact, Wall};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story {
        name: "an_address_changed_under_the_call_is_named_and_survived_by_an_ice_restart",
        needs: &[],
        tell: new_address,
    },
    Story { name: "an_interface_down_and_up_again_is_named_and_survived", needs: &[], tell: down_and_up },
    Story { name: "a_default_route_that_moves_to_a_second_uplink_is_named_and_followed", needs: &[], tell: second_way },
    Story {
        name: "a_connection_that_a_moved_route_left_behind_did_not_die_on_the_path",
        needs: &[],
        tell: left_behind,
    },
    Story { name: "a_tunnel_that_takes_the_route_is_named_and_carries_the_call_on", needs: TUN, tell: into_tunnel },
];

fn new_address(world: &World) -> Result<()> {
    const NEW: &str = "10.81.1.77";
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "35s"])?;
    sleep(Duration::from_secs(6));
    let before = now();
    world.change_client_address(NEW)?;
    let after = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        told.ended("dropped", 3)?;
        let media = told.verdict.one("media")?;
        // The old address is gone between these two; packets sent before may still be on their way back.
        media.last_good_before(after, 40.0 + ms_between(before, after))?;
        media.restored_after(before, after, 8_000.0)?;
        told.all_are(&["media"], "address_changed", "this_computer", "shown")?;
        told.rests_on(media, "the old address gone", |fact| matches!(fact, Fact::Net(Net::AddressGone { .. })))?;
        left_from(told, NEW)?;
        same_call(told)
    })
}

fn down_and_up(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "35s"])?;
    sleep(Duration::from_secs(6));
    let before = now();
    world.client_link_down()?;
    let after = now();
    sleep(Duration::from_secs(5));
    world.client_link_up()?;
    let up = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        told.ended("dropped", 3)?;
        let media = told.verdict.one("media")?;
        media.last_good_before(after, 40.0 + ms_between(before, after))?;
        media.first_bad_after(before, 350.0)?;
        media.restored_after(before, up, 8_000.0)?;
        told.all_are(&["media"], "link_down", "this_computer", "shown")?;
        told.rests_on(media, "the link down", |fact| matches!(fact, Fact::Net(Net::Link { up: false, .. })))?;
        same_call(told)
    })
}

fn second_way(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "35s"])?;
    sleep(Duration::from_secs(5));
    let second = second_uplink::plug_in(world)?;
    sleep(Duration::from_secs(1));
    let before = now();
    second.take_route()?;
    let after = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        lost_by_a_route_that_moved(told, before, after, "network_switched")?;
        left_from(told, second_uplink::ADDRESS)?;
        same_call(told)
    })
}

/// The other router passes everything on under its own address: media goes on by it, and the far end knows nothing of the
/// connection that comes with it.
fn left_behind(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "35s"])?;
    sleep(Duration::from_secs(5));
    let second = second_uplink::plug_in(world)?;
    second.pass_all()?;
    sleep(Duration::from_secs(1));
    let before = now();
    second.take_route()?;
    let after = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        told.ended("dropped", 3)?;
        let signaling = told.verdict.one("signaling")?;
        // The next heartbeat finds it, five seconds later at most.
        signaling.first_bad_after(before, 6_500.0)?;
        signaling.restored_after(before, after, 20_000.0)?;
        told.verdict.none("media")?;
        told.all_are(&["signaling"], "network_switched", "this_computer", "shown")?;
        told.rests_on(signaling, "the route moved", |fact| matches!(fact, Fact::Net(Net::Route { found: false, .. })))?;
        same_call(told)
    })
}

/// Media alone was lost, with the deed between these two; the cause is this computer's own, and shown by the route itself.
fn lost_by_a_route_that_moved(told: &Told, before: Wall, after: Wall, cause: &str) -> Result<()> {
    told.ended("dropped", 3)?;
    let media = told.verdict.one("media")?;
    media.last_good_before(after, 40.0 + ms_between(before, after))?;
    media.first_bad_after(before, 350.0)?;
    media.restored_after(before, after, 15_000.0)?;
    told.all_are(&["media"], cause, "this_computer", "shown")?;
    told.rests_on(media, "the route moved", |fact| matches!(fact, Fact::Net(Net::Route { found: false, .. })))
}

fn into_tunnel(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "35s"])?;
    sleep(Duration::from_secs(5));
    let tunnel = tunnel::up(world)?;
    sleep(Duration::from_secs(1));
    let before = now();
    tunnel.take_route()?;
    let after = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        lost_by_a_route_that_moved(told, before, after, "vpn_changed")?;
        left_from(told, tunnel::ADDRESS)?;
        // Some seconds of the call at the least, each way.
        ensure!(tunnel.carried() > 500, "only {} packets went through the tunnel", tunnel.carried());
        same_call(told)
    })
}

/// Media goes over that address of ours since.
fn left_from(told: &Told, address: &str) -> Result<()> {
    let from =
        told.count(|fact| matches!(fact, Fact::Ice(Ice::Pair { local, .. }) if local.ip().to_string() == address));
    ensure!(from > 0, "media never left from the new address {address}");
    Ok(())
}
