//! The client's own network changes under a standing call.
#![cfg(target_os = "linux")]

use crate::path::same_call;
use anyhow::{Result, ensure};
use linewitness_lab::{Hold, Story, World, far::reflector, world::now};
use record::Fact;
use record::fact::Ice;
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "an_address_changed_under_the_call_is_survived_by_an_ice_restart", needs: &[], tell: new_address },
    Story { name: "an_interface_down_and_up_again_is_survived", needs: &[], tell: down_and_up },
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
        media.last_good_before(after, 40.0 + linewitness_lab::world::ms_between(before, after))?;
        media.restored_after(before, after, 8_000.0)?;
        blames_nobody_afar(&told.verdict)?;
        let moved =
            told.count(|fact| matches!(fact, Fact::Ice(Ice::Pair { local, .. }) if local.ip().to_string() == NEW));
        ensure!(moved > 0, "media never left from the new address {NEW}");
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
        media.last_good_before(after, 40.0 + linewitness_lab::world::ms_between(before, after))?;
        media.first_bad_after(before, 350.0)?;
        media.restored_after(before, up, 8_000.0)?;
        blames_nobody_afar(&told.verdict)?;
        same_call(told)
    })
}

/// Without a watcher of interfaces the cause may stay open, but the fault lies with neither the service nor its operator.
fn blames_nobody_afar(verdict: &linewitness_lab::verdict::Verdict) -> Result<()> {
    for drop in &verdict.drops {
        ensure!(drop.owner != "voice_service", "{}: the service is blamed for the client's network", drop.plane);
    }
    Ok(())
}
