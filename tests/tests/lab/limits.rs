//! How long a quiet connection, a quiet mapping, an old connection lives: set in real programs, and measured from the client.
//! Each limit must be found to the second.
#![cfg(target_os = "linux")]

use crate::path::same_call;
use anyhow::{Context, Result, ensure};
use linewitness_lab::far::{ender, haproxy, nginx, reflector};
use linewitness_lab::{Hold, Program, Story, Told, World, hold};
use record::Fact;
use record::fact::{Control, Lane};
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_silent_firewalls_limit_of_12_seconds_is_found", needs: &[], tell: firewall },
    Story { name: "a_routers_limit_of_15_seconds_for_quiet_udp_is_found", needs: &[], tell: quiet_udp },
    Story { name: "the_13_seconds_of_nginx_are_found_and_the_call_is_held", needs: NGINX, tell: nginx_beside },
    Story { name: "a_quiet_call_is_dropped_by_nginx_after_13_seconds", needs: NGINX, tell: nginx_drops },
    Story { name: "the_9_seconds_of_haproxy_are_found", needs: &[("haproxy", "haproxy")], tell: haproxy_beside },
    Story { name: "a_lifetime_of_10_seconds_is_told_from_a_silence", needs: &[], tell: lifetime },
    Story { name: "a_silence_of_10_seconds_is_told_from_a_lifetime", needs: &[], tell: silence },
];

const NGINX: &[(&str, &str)] = &[("nginx", "nginx")];

/// What the product promises.
const WITHIN: f64 = 1.0;

/// The ladders alone differ; everything else runs as it does by default.
fn told(world: &World, url: &str, heartbeat: &str, ladders: [&str; 2], seconds: u64) -> Result<Told> {
    let [quiet, udp] = ladders;
    let lanes = format!("[lanes]\nquiet_ladder = [{quiet}]\nudp_ladder = [{udp}]");
    let profile = hold::profile_to(world, url, heartbeat, &lanes)?;
    let hold = Hold::established(world, "hold", &[&profile, "--for", &format!("{seconds}s")])?;
    hold.finish(Duration::from_secs(seconds))
}

fn behind(world: &World, proxy: impl FnOnce() -> Result<Program>) -> Result<[Program; 2]> {
    Ok([reflector::start(world, "reflector")?, proxy()?])
}

fn firewall(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    world.router_keeps_tcp_for(12)?;
    let rungs = r#""5s", "8s", "10s", "14s", "17s""#;
    told(world, &reflector::url(), "", [rungs, ""], 65)?.expect(|told| {
        held(told)?;
        let limit = told.verdict.finding("idle_limit")?;
        limit.is_near(12.0, WITHIN)?;
        limit.ended("silence")?;
        told.verdict.finds_no("lifetime_limit")
    })
}

fn quiet_udp(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    world.router_keeps_udp_for(15)?;
    let rungs = r#""8s", "12s", "14s", "17s", "20s""#;
    told(world, &reflector::url(), "", ["", rungs], 65)?.expect(|told| {
        held(told)?;
        let limits = told.verdict.findings("udp_idle_limit");
        ensure!(!limits.is_empty(), "no udp_idle_limit was found");
        limits.iter().try_for_each(|limit| limit.is_near(15.0, WITHIN))?;
        told.verdict.finds_no("idle_limit")
    })
}

fn nginx_beside(world: &World) -> Result<()> {
    let _both = behind(world, || nginx::proxy(world, Duration::from_secs(13)))?;
    let rungs = r#""5s", "8s", "10s", "14s", "17s", "20s""#;
    told(world, &nginx::url(), "", [rungs, ""], 45)?.expect(|told| {
        held(told)?;
        let limit = told.verdict.finding("idle_limit")?;
        limit.is_near(13.0, WITHIN)?;
        limit.ended("fin")?;
        told.verdict.finding("heartbeat_advice")?;
        told.verdict.finds_no("lifetime_limit")
    })
}

fn nginx_drops(world: &World) -> Result<()> {
    let _both = behind(world, || nginx::proxy(world, Duration::from_secs(13)))?;
    let rungs = r#""5s", "8s", "10s", "14s""#;
    told(world, &nginx::url(), "heartbeat = \"off\"", [rungs, ""], 35)?.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("media")?;
        told.all_are(&["signaling"], "idle_timeout", "internet_path", "shown")?;
        for drop in told.verdict.on("signaling") {
            drop.measures(13.0, WITHIN)?;
            ensure!(drop.measured["ended"] == "fin", "it ended by FIN, measured is {}", drop.measured);
            told.rests_on(drop, "a lane that talked and lived", |fact| {
                matches!(fact, Fact::Lane(Lane::Sample { .. }))
            })?;
        }
        same_call(told)
    })
}

fn haproxy_beside(world: &World) -> Result<()> {
    let _both = behind(world, || haproxy::proxy(world, Duration::from_secs(9)))?;
    let rungs = r#""3s", "6s", "8s", "10s", "13s""#;
    told(world, &haproxy::url(), "", [rungs, ""], 35)?.expect(|told| {
        held(told)?;
        let limit = told.verdict.finding("idle_limit")?;
        limit.is_near(9.0, WITHIN)?;
        limit.ended("fin")?;
        told.verdict.finds_no("lifetime_limit")
    })
}

const AROUND_TEN: &str = r#""4s", "7s", "9s", "11s", "13s""#;

fn lifetime(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let _ender = ender::start(world, ender::Ends::AtAge(Duration::from_secs(10)))?;
    told(world, &ender::url(), "", [AROUND_TEN, ""], 40)?.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("media")?;
        let limit = told.verdict.finding("lifetime_limit")?;
        limit.is_near(10.0, WITHIN)?;
        limit.ended("fin")?;
        told.verdict.finds_no("idle_limit")?;
        let drops = told.verdict.on("signaling");
        ensure!(drops.len() >= 3, "in 40 s it grew 10 s old three times and more");
        for drop in &drops {
            let said = (drop.cause.as_str(), drop.owner.as_str());
            ensure!(said == ("lifetime_cap", "internet_path"), "expected a lifetime_cap, the verdict is {said:?}");
            drop.measures(10.0, WITHIN)?;
        }
        // Nothing beside it grew older, so the first two only suggest it; by them the third was foretold.
        let last = drops[drops.len() - 1];
        last.is("lifetime_cap", "internet_path", "shown")?;
        told.rests_on(last, "a prediction", |fact| matches!(fact, Fact::Prediction(_)))?;
        same_call(told)
    })
}

fn silence(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let _ender = ender::start(world, ender::Ends::WhenIdle(Duration::from_secs(10)))?;
    told(world, &ender::url(), "", [AROUND_TEN, ""], 35)?.expect(|told| {
        held(told)?;
        let limit = told.verdict.finding("idle_limit")?;
        limit.is_near(10.0, WITHIN)?;
        limit.ended("fin")?;
        told.verdict.finds_no("lifetime_limit")
    })
}

/// The call lived through it, and so did what was asked beside it.
fn held(told: &Told) -> Result<()> {
    told.ended("held", 0)?;
    ensure!(told.verdict.drops.is_empty(), "expected no drop");
    let silent =
        told.bundle.log.events.iter().find(|event| matches!(&event.fact, Fact::Control(Control::Silent { .. })));
    match silent {
        None => Ok(()),
        Some(event) => Err(anyhow::anyhow!("{:?}", event.fact)).context("nothing failed, and a control fell silent"),
    }
}
