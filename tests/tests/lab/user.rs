//! The hold is run by an ordinary user where the system lets nobody send pings.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use linewitness_lab::{Fault, Hold, Story, Told, World, far::reflector, rights};
use record::fact::Net;
use record::{Event, Fact};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story {
        name: "without_pings_a_gateway_silent_for_long_is_named_by_the_table_of_neighbours",
        needs: SETPRIV,
        tell: long,
    },
    Story {
        name: "without_pings_a_short_silence_of_the_gateway_is_blamed_on_nobody_else",
        needs: SETPRIV,
        tell: short,
    },
];

const SETPRIV: &[(&str, &str)] = &[("setpriv", "util-linux")];

fn long(world: &World) -> Result<()> {
    // How long a neighbour's last answer counts is drawn from 15 to 45 seconds; a story cannot wait for so long.
    world.client.sysctl("ipv4/neigh/eth0/base_reachable_time_ms", "1000")?;
    silent_gateway(world, Duration::from_secs(13), 35, |told| {
        // The table was asked by the system and not by us, and tells it some seconds after.
        told.all_are(&["signaling", "media"], "gateway_lost", "local_network", "likely")?;
        told.rests_on(told.verdict.one("media")?, "the table of neighbours", |fact| {
            matches!(fact, Fact::Net(Net::Neighbour { .. }))
        })
    })
}

fn short(world: &World) -> Result<()> {
    silent_gateway(world, Duration::from_secs(5), 20, |told| {
        for drop in &told.verdict.drops {
            let blamed = drop.owner.as_str();
            ensure!(
                ["local_network", "not_proven"].contains(&blamed) && drop.confidence != "shown",
                "{}: nothing shows whose fault it was, and {} ({}) is blamed as {}",
                drop.plane,
                drop.cause,
                blamed,
                drop.confidence
            );
        }
        Ok(())
    })
}

fn silent_gateway(
    world: &World,
    silence: Duration,
    planned: u64,
    said: impl FnOnce(&Told) -> Result<()>,
) -> Result<()> {
    world.client.sysctl("ipv4/ping_group_range", "1 0")?;
    let _reflector = reflector::start(world, "reflector")?;
    let by = rights::ordinary_user(world)?;
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
    let planned_s = format!("{planned}s");
    let hold = Hold::established_by(world, &by, "hold", &["--to", &reflector::url(), "--for", &planned_s])?;
    sleep(Duration::from_secs(4));
    let media_port = hold.media_address()?.port();
    let in_force = world.fault(Fault::GatewaySilent)?;
    sleep(silence);
    let truth = in_force.lift()?;
    hold.finish(Duration::from_secs(planned))?.expect(|told| {
        told.ended("dropped", 3)?;
        let media = told.verdict.one("media")?;
        media.last_good_before(truth.first_of(media_port)?, 40.0)?;
        media.restored_after(truth.last(), truth.lifted.wall, 8_000.0)?;
        let blind = blind(told).context("that pings are not permitted is not said")?;
        ensure!(
            blind.contains("net.ipv4.ping_group_range to \"0 2147483647\""),
            "it does not say what to change: {blind}"
        );
        said(told)?;
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
