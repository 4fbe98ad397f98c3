//! The hold is run by an ordinary user where the system lets nobody send pings.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use linewitness_lab::{Fault, Hold, Story, Told, World, far::reflector, rights};
use record::{Event, Fact};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[Story {
    name: "without_pings_a_short_silence_of_the_gateway_is_blamed_on_nobody_else",
    needs: SETPRIV,
    tell: short,
}];

const SETPRIV: &[(&str, &str)] = &[("setpriv", "util-linux")];

fn short(world: &World) -> Result<()> {
    world.client.sysctl("ipv4/ping_group_range", "1 0")?;
    let _reflector = reflector::start(world, "reflector")?;
    let by = rights::ordinary_user(world)?;
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
    let hold = Hold::established_by(world, &by, "hold", &["--to", &reflector::url(), "--for", "20s"])?;
    sleep(Duration::from_secs(4));
    let media_port = hold.media_address()?.port();
    let in_force = world.fault(Fault::GatewaySilent)?;
    sleep(Duration::from_secs(5));
    let truth = in_force.lift()?;
    hold.finish(Duration::from_secs(20))?.expect(|told| {
        told.ended("dropped", 3)?;
        let media = told.verdict.one("media")?;
        media.last_good_before(truth.first_of(media_port)?, 40.0)?;
        media.restored_after(truth.last(), truth.lifted.wall, 8_000.0)?;
        let blind = blind(told).context("that pings are not permitted is not said")?;
        ensure!(
            blind.contains("net.ipv4.ping_group_range to \"0 2147483647\""),
            "it does not say what to change: {blind}"
        );
        told.verdict.drops.iter().try_for_each(|drop| {
            let blamed = drop.owner.as_str();
            ensure!(
                ["local_network", "not_proven"].contains(&blamed) && drop.confidence != "shown",
                "{}: nothing shows whose fault it was, and {} ({}) is blamed as {}",
                drop.plane,
                drop.cause,
                blamed,
                drop.confidence
            );
            Ok(())
        })?;
        told.same_call()
    })
}

/// What is said of the gateway's control.
fn blind(told: &Told) -> Option<String> {
    told.bundle.log.events.iter().find_map(|event: &Event| match &event.fact {
        Fact::Blind { watcher, why } if *watcher == record::Sense::Gateway => Some(why.to_string()),
        _ => None,
    })
}
