//! `Disguise`: in what form a cause is met. Another deed, or another part that stands in the way, is another form; a phase, a
//! length, a percentage is not.

use crate::scenario::{Scenario, ending};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// What is done until the drop begins, and all that the world has in the call's way.
pub type Disguise = BTreeSet<String>;

/// Of one drop that is expected.
pub fn of(scenario: &Scenario, drop: &ending::Drop) -> Disguise {
    let world = &scenario.world;
    let deeds = scenario.steps.iter().map(|step| step.deed);
    // The step that the drop is of; where none is named, the world itself does it, or all of them together.
    let of_it = deeds.enumerate().filter(|(n, _)| drop.step.is_none_or(|step| step == n + 1)).map(|(_, deed)| deed);
    let done = of_it.chain(world.broken).filter(|deed| !deed.is_harmless()).map(word);
    let parts = [
        world.in_front.map(word),
        world.web_proxy.map(word),
        world.token.map(word),
        Some(format!("far {}", word(world.far))).filter(|far| far != "far Reflector"),
        world.router_keeps_tcp_for.map(|_| "a firewall that forgets TCP".into()),
        world.router_keeps_udp_for.map(|_| "a router that forgets UDP".into()),
        world.far_ends_idle_after.map(|_| "a far end that ends quiet connections".into()),
        world.far_is_full.then(|| "a far end without a place".into()),
        world.relay.then(|| "a relay".into()),
        world.no_pings.then(|| "a system that lets nobody send pings".into()),
        // Told by the system, or by the stamps alone.
        world.logind.then(|| "a system that tells of sleep".into()),
        scenario
            .run
            .sections
            .get("ice")
            .filter(|ice| ice.get("servers").is_some())
            .map(|_| "a relay of one's own".into()),
    ];
    done.chain(parts.into_iter().flatten()).collect()
}

/// Without figures.
fn word(of: impl Debug) -> String {
    format!("{of:?}").chars().filter(|c| !c.is_ascii_digit()).collect()
}
