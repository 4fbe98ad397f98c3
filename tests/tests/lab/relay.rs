//! The call through a relay that none of us wrote, over each of its three transports.
#![cfg(target_os = "linux")]

use anyhow::{Result, ensure};
use linewitness_lab::far::coturn::{self, Over};
use linewitness_lab::far::{certificate, certificate::Certificate, reflector};
use linewitness_lab::{Hold, Story, Told, World};
use record::Fact;
use record::fact::{CandidateKind, Ice};
use std::time::Duration;

const COTURN: &[(&str, &str)] = &[("turnserver", "coturn")];

pub const STORIES: &[Story] = &[
    Story { name: "a_wrong_relay_password_is_turn_failed_and_nothing_is_established", needs: COTURN, tell: wrong },
    Story { name: "a_relayed_call_over_udp_is_held", needs: COTURN, tell: over_udp },
    Story { name: "a_relayed_call_over_tcp_is_held", needs: COTURN, tell: over_tcp },
    Story { name: "a_relayed_call_over_tls_is_held", needs: COTURN, tell: over_tls },
];

fn over_udp(world: &World) -> Result<()> {
    relayed(world, Over::Udp)
}
fn over_tcp(world: &World) -> Result<()> {
    relayed(world, Over::Tcp)
}
fn over_tls(world: &World) -> Result<()> {
    relayed(world, Over::Tls)
}

fn relayed(world: &World, over: Over) -> Result<()> {
    hold(world, over, coturn::PASSWORD, 15)?.expect(|told| {
        told.ended("held", 0)?;
        ensure!(told.verdict.drops.is_empty(), "expected no drop");
        let relay = told.count(
            |fact| matches!(fact, Fact::Ice(Ice::Pair { local_kind, .. }) if *local_kind == CandidateKind::Relay),
        );
        let other = told.count(
            |fact| matches!(fact, Fact::Ice(Ice::Pair { local_kind, .. }) if *local_kind != CandidateKind::Relay),
        );
        ensure!(relay > 0 && other == 0, "{relay} pairs over the relay and {other} beside it");
        Ok(())
    })
}

fn wrong(world: &World) -> Result<()> {
    hold(world, Over::Udp, "not-the-password", 15)?.expect(|told| {
        told.ended("not_established", 4)?;
        let refused = told.count(|fact| matches!(fact, Fact::Ice(Ice::TurnRefused { .. })));
        ensure!(refused > 0, "the relay refused, and the log does not say so");
        let media = told.verdict.one("media")?;
        media.is("turn_failed", "voice_service", "shown")?;
        ensure!(media.measured["code"] == 401.0, "measured is {}", media.measured);
        Ok(())
    })
}

fn hold(world: &World, over: Over, password: &str, planned: u64) -> Result<Told> {
    let certificate = certificate::make(world)?;
    let _reflector = reflector::start(world, "reflector")?;
    let _coturn = coturn::start(world, &certificate)?;
    let profile = profile(world, &certificate, over, password, planned)?;
    Hold::start(world, "hold", &[&profile])?.finish(Duration::from_secs(planned))
}

fn profile(world: &World, certificate: &Certificate, over: Over, password: &str, planned: u64) -> Result<String> {
    let path = world.dir.join("relay.witness-profile");
    let text = format!(
        "name = \"Relay {over:?}\"\nfor = \"{planned}s\"\n\
         [signaling]\nurl = \"{}\"\nca = \"{}\"\n\
         [ice]\npolicy = \"relay\"\n\
         [[ice.servers]]\nurls = [\"{}\"]\nusername = \"{}\"\ncredential = \"{password}\"\n",
        reflector::url(),
        certificate.ca.display(),
        over.url(),
        coturn::USER,
    );
    std::fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}
