//! Nothing happens, or nothing that matters. A drop reported here is the worst failure there is.
#![cfg(target_os = "linux")]

use crate::parts::{CONNTRACK, TUN};
use anyhow::{Context, Result, ensure};
use linewitness_lab::part::{busy, second_uplink, translation::Ports, tunnel};
use linewitness_lab::{Fault, Hold, Story, Told, World, far::reflector};
use record::Fact;
use record::fact::{Action, Media};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_minute_in_which_nothing_happens_is_held", needs: &[], tell: nothing },
    Story { name: "an_unrelated_interface_that_comes_and_goes_is_no_drop", needs: &[], tell: unrelated_interface },
    Story { name: "five_percent_of_all_packets_lost_is_no_drop_and_no_restart", needs: &[], tell: loss },
    Story { name: "a_second_uplink_that_comes_and_goes_is_no_drop", needs: &[], tell: second_uplink },
    Story { name: "a_tunnel_without_a_route_is_no_drop", needs: TUN, tell: idle_tunnel },
    Story { name: "a_router_that_gives_the_same_port_again_is_no_drop", needs: CONNTRACK, tell: same_port },
    Story { name: "a_busy_computer_is_no_drop", needs: &[], tell: busy_computer },
];

fn unrelated_interface(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "25s"])?;
    for _ in 0..2 {
        sleep(Duration::from_secs(4));
        world.client_gains_a_bridge()?;
        sleep(Duration::from_secs(4));
        world.client_loses_the_bridge()?;
    }
    hold.finish(Duration::from_secs(25))?.expect(held_untouched)
}

fn loss(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "25s"])?;
    let in_force = world.fault(Fault::Loss { percent: 5 })?;
    let told = hold.finish(Duration::from_secs(25))?;
    let truth = in_force.lift()?;
    // About 50 packets a second, both ways, for 25 s: some 2,500, of which 125 are lost.
    ensure!((60..=250).contains(&truth.hits.len()), "void: {} packets were lost", truth.hits.len());
    told.expect(held_untouched)
}

/// With an address and a worse default route, as a docking station's.
fn second_uplink(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "20s"])?;
    sleep(Duration::from_secs(4));
    let second = second_uplink::plug_in(world)?;
    second.offer_route()?;
    sleep(Duration::from_secs(6));
    second.unplug()?;
    hold.finish(Duration::from_secs(20))?.expect(held_untouched)
}

fn idle_tunnel(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "20s"])?;
    sleep(Duration::from_secs(4));
    let tunnel = tunnel::up(world)?;
    sleep(Duration::from_secs(6));
    ensure!(tunnel.carried() == 0, "void: {} packets went through the tunnel", tunnel.carried());
    drop(tunnel);
    hold.finish(Duration::from_secs(20))?.expect(held_untouched)
}

fn same_port(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "20s"])?;
    let seen = world.fault(Fault::NewMapping)?;
    for _ in 0..3 {
        sleep(Duration::from_secs(4));
        world.router_forgets(Ports::Same)?;
    }
    let media = hold.media_address()?.port();
    let told = hold.finish(Duration::from_secs(20))?;
    seen.lift()?.first_of(media).context("the media's mapping was never forgotten")?;
    told.expect(held_untouched)
}

fn busy_computer(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "15s"])?;
    sleep(Duration::from_secs(3));
    let _spinning = busy::spin(world, 6)?;
    hold.finish(Duration::from_secs(15))?.expect(held_untouched)
}

/// Held, and the path left alone.
fn held_untouched(told: &Told) -> Result<()> {
    told.ended("held", 0)?;
    ensure!(told.verdict.drops.is_empty(), "expected no drop");
    let acted = told.count(|fact| matches!(fact, Fact::Action(Action::Began { .. })));
    ensure!(acted == 0, "it acted {acted} times on a path that carried the call");
    Ok(())
}

fn nothing(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::start(world, "hold", &["--to", &reflector::url(), "--for", "60s"])?;
    hold.finish(Duration::from_secs(60))?.expect(|told| {
        told.ended("held", 0)?;
        ensure!(told.verdict.drops.is_empty(), "expected no drop");
        ensure!(told.verdict.owner == "not_proven", "nothing dropped, and yet {} is blamed", told.verdict.owner);
        ensure!((59.5..=61.0).contains(&told.verdict.held_s), "held for {} s of 60", told.verdict.held_s);
        ensure!(
            told.count(|fact| matches!(fact, Fact::Action(Action::Began { .. }))) == 0,
            "it acted on a healthy path"
        );

        let arrived: u32 = told
            .bundle
            .log
            .events
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::Media(Media::Sample(sample)) => Some(sample.rtp_in),
                _ => None,
            })
            .sum();
        // 50 packets a second for a minute, less the setting up and the last second.
        ensure!((2_850..=3_050).contains(&arrived), "{arrived} packets came back in a minute");
        Ok(())
    })
}
