//! Signaling goes through an HTTP proxy on the client's own network, and the proxy dies.
#![cfg(target_os = "linux")]

use anyhow::Result;
use linewitness_lab::far::{proxy, reflector};
use linewitness_lab::{Hold, Story, World, world::now};
use record::Fact;
use record::fact::{ConnectStage, Signaling};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] =
    &[Story { name: "a_proxy_that_dies_is_named_and_the_service_is_not_blamed", needs: &[], tell: dies }];

fn dies(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let proxy = proxy::start(world, None)?;
    let by = ["env", &proxy::variable()];
    let hold = Hold::established_by(world, &by, "hold", &["--to", &reflector::url(), "--for", "25s"])?;
    // Long enough for connections beside the call to have been quiet for different times.
    sleep(Duration::from_secs(7));
    let killed = now();
    proxy.kill();
    sleep(Duration::from_secs(5));
    let _again = proxy::start(world, None)?;
    let back = now();
    hold.finish(Duration::from_secs(25))?.expect(|told| {
        told.ended("dropped", 3)?;
        // Media never went through it.
        told.verdict.none("media")?;
        let signaling = told.verdict.one("signaling")?;
        signaling.is("proxy_refused", "local_network", "shown")?;
        signaling.first_bad_after(killed, 350.0)?;
        signaling.restored_after(killed, back, 8_000.0)?;
        told.rests_on(signaling, "the proxy that took no connection", |fact| {
            matches!(fact, Fact::Signaling(Signaling::ConnectFailed { stage: ConnectStage::Proxy, .. }))
        })?;
        told.same_call()
    })
}
