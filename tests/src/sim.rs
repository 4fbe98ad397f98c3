//! Plays a scenario on scripted clocks and a network that is computed: every packet of it, on every system, the same for
//! the same seed, and an hour in some tenths of a second.
//!
//! ```text
//! time     what is due next; computers with their clocks, programs on them
//! net      packets, sockets, the client's station, the router with its faults     truths: what each step touched first
//! client   the engine's own deciders, noting what the engine would note           far: a reflector's account of it
//! deeds    what a scenario does to all of them
//! ```

mod client;
mod deeds;
mod far;
mod front;
mod net;
mod packet;
mod profile;
mod router;
mod servers;
mod station;
mod tcp;
mod time;
mod told;
mod truths;
mod udp;

use crate::scenario::{Dice, Scenario};
use crate::truth::Played;
use crate::verdict::Verdict;
use anyhow::{Context, Result};
use deeds::Stage;
use net::Net;
use record::fact::Mark;
use record::{Event, Fact, Log, Stamp};
use router::Router;
use std::time::Duration;
use time::Time;
use truths::Truths;

/// 2026-11-21T10:00:00Z.
const START: i64 = 1_795_255_200_000_000;
const UP: u64 = 9_000_000_000;
/// The far end's clock is another one.
const FAR_AHEAD: i64 = 137_000;
/// Setting up and the end in order, beyond the hold's own time.
const BESIDE_THE_HOLD: Duration = Duration::from_secs(90);

pub fn play(scenario: &Scenario, seed: u64) -> Result<Played> {
    let mut dice = Dice::new(seed);
    let times = scenario.times(&mut dice);
    let time = Time::default();
    let client = time.computer(Stamp::new(START, UP, UP));
    let servers = time.computer(Stamp::new(START + FAR_AHEAD, UP, UP));
    let truths = Truths::new(client.clock().clone(), scenario.steps.len());
    let world = &scenario.world;
    let keeps = |span: Option<record::profile::Span>| span.map(record::profile::Span::get);
    let router = Router::new(
        keeps(world.router_keeps_tcp_for),
        keeps(world.router_keeps_udp_for),
        world.router_bars_forgotten_udp,
    );
    let net = Net::new(time.clone(), client, servers, router, truths.clone(), dice);
    let stage = Stage::build(&net, world);

    let profile = profile::of(scenario, stage.door())?;
    if profile.media.silence == record::profile::Silence::None {
        truths.media_is_checks();
    }
    let client = client::Client::new(&net, profile, stage.door(), world.names);
    stage.client_is(&client.program);
    if let Some(broken) = world.broken {
        stage.begin(None, broken);
    }
    let mut hold = client.hold()?;
    let mut log = Log::default();
    let mut take = |hold: &mut client::Hold| {
        while let Ok(event) = hold.events.try_recv() {
            log.events.push(Event::clone(&event));
        }
        log.events.iter().any(|event| matches!(event.fact, Fact::Mark(Mark::Established { .. })))
    };
    // In small steps: the deeds' times count from when the call stands.
    let mut stands = false;
    while !stands && !hold.is_over() && time.now() < BESIDE_THE_HOLD {
        time.run(Duration::from_millis(1), || hold.is_over());
        stands = take(&mut hold);
    }
    if stands {
        stage.schedule(scenario, &times);
        time.run(scenario.run.length.get() + BESIDE_THE_HOLD, || hold.is_over());
    }
    take(&mut hold);
    let over = hold.is_over();
    time.end();
    anyhow::ensure!(over, "the hold did not end by itself");

    let told = serde_json::to_vec(&explain::story(&log).head).context("a verdict is texts and numbers")?;
    let verdict = Verdict::read(&told)?;
    verdict.check_form(log.events.len() as u64).with_context(|| verdict.summary())?;
    Ok(Played { truths: truths.take(), log, verdict })
}
