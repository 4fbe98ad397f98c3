//! The call through a relay that none of us wrote, over each of its three transports.
#![cfg(target_os = "linux")]

use anyhow::{Result, ensure};
use linewitness_lab::far::coturn::{self, Over};
use linewitness_lab::far::{certificate, certificate::Certificate, reflector};
use linewitness_lab::world::{SERVER, now};
use linewitness_lab::{Hold, Program, Story, Told, World, hold, secrets};
use record::Fact;
use record::fact::{CandidateKind, Ice};
use std::thread::sleep;
use std::time::Duration;

const COTURN: &[(&str, &str)] = &[("turnserver", "coturn")];

pub const STORIES: &[Story] = &[
    Story { name: "a_relayed_call_over_tcp_is_held", needs: COTURN, tell: over_tcp },
    Story { name: "a_relayed_call_over_tls_is_held", needs: COTURN, tell: over_tls },
    Story { name: "a_relay_over_udp_that_dies_is_turn_failed_and_another_is_got", needs: COTURN, tell: dies_over_udp },
    Story { name: "a_relay_over_tcp_that_dies_is_turn_failed_and_another_is_got", needs: COTURN, tell: dies_over_tcp },
    Story {
        name: "relay_credentials_that_expire_end_nothing_and_a_relay_lost_after_is_got_with_new_ones",
        needs: COTURN,
        tell: renewed,
    },
];

fn over_tcp(world: &World) -> Result<()> {
    relayed(world, Over::Tcp)
}
fn over_tls(world: &World) -> Result<()> {
    relayed(world, Over::Tls)
}

fn relayed(world: &World, over: Over) -> Result<()> {
    held(world, over, coturn::PASSWORD, 15)?.expect(|told| {
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

fn dies_over_udp(world: &World) -> Result<()> {
    dies(world, Over::Udp)
}
fn dies_over_tcp(world: &World) -> Result<()> {
    dies(world, Over::Tcp)
}

/// Killed, and started again five seconds later without any memory.
fn dies(world: &World, over: Over) -> Result<()> {
    let certificate = certificate::make(world)?;
    let _reflector = reflector::start(world, "reflector")?;
    let coturn = coturn::start_plain(world, "coturn", SERVER)?;
    let profile = profile(world, &certificate, over, coturn::PASSWORD, 25)?;
    let hold = Hold::established(world, "hold", &[&profile])?;
    sleep(Duration::from_secs(4));
    let killed = now();
    coturn.kill()?;
    sleep(Duration::from_secs(5));
    let _again = coturn::start_plain(world, "coturn-again", SERVER)?;
    let back = now();
    hold.finish(Duration::from_secs(25))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("signaling")?;
        let media = told.verdict.one("media")?;
        media.is("turn_failed", "voice_service", "shown")?;
        media.last_good_before(killed, 40.0)?;
        media.first_bad_after(killed, 350.0)?;
        media.restored_after(killed, back, 10_000.0)?;
        told.same_call()
    })
}

const SECRET: &str = "shared-with-the-relay";
/// How long credentials of the far end's are good.
const TTL: u64 = 5;

/// The far end hands out credentials that expire under the call.
fn expiring(world: &World, planned: u64) -> Result<([Program; 2], Hold)> {
    let coturn = coturn::start_with_secret(world, "coturn", SECRET)?;
    let ttl = format!("{TTL}s");
    let relay = ["--turn-url", &Over::Udp.url(), "--turn-secret", SECRET, "--turn-ttl", &ttl];
    let reflector = reflector::start_with(world, "reflector", SERVER, &relay)?;
    let profile = hold::profile(world, "", "[ice]\npolicy = \"relay\"")?;
    let hold = Hold::established(world, "hold", &[&profile, "--for", &format!("{planned}s")])?;
    Ok(([reflector, coturn], hold))
}

/// What stands goes on; another relay needs new credentials, and those come with another session.
fn renewed(world: &World) -> Result<()> {
    let ([_reflector, coturn], hold) = expiring(world, 35)?;
    sleep(Duration::from_secs(TTL + 2));
    let killed = now();
    coturn.kill()?;
    let _again = coturn::start_with_secret(world, "coturn-again", SECRET)?;
    let back = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("signaling")?;
        let media = told.verdict.one("media")?;
        media.is("turn_failed", "voice_service", "shown")?;
        media.last_good_before(killed, 40.0)?;
        media.restored_after(killed, back, 12_000.0)
    })
}

fn held(world: &World, over: Over, password: &str, planned: u64) -> Result<Told> {
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
        secrets::url(&reflector::url()),
        certificate.ca.display(),
        over.url(),
        coturn::USER,
    );
    std::fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}
