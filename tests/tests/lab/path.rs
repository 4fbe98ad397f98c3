//! The path between the client and the service breaks, in one way or another.
#![cfg(target_os = "linux")]

use crate::beyond;
use anyhow::{Context, Result, ensure};
use linewitness_lab::{Fault, Hold, Story, Truth, World, far::reflector, hold};
use record::fact::{Action, CallEndedBy, ControlKind, Move, Signaling};
use record::{Fact, Wall};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_silently_dead_signaling_socket_is_half_open_and_the_call_goes_on", needs: &[], tell: half_open },
    Story {
        name: "a_black_hole_of_six_seconds_is_a_lost_path_on_both_planes_timed_by_packets",
        needs: beyond::CONTROL,
        tell: black_hole,
    },
    Story { name: "udp_cut_towards_the_service_is_one_way_loss_outwards", needs: &[], tell: cut_outwards },
    Story { name: "udp_cut_towards_the_client_is_one_way_loss_inwards", needs: &[], tell: cut_inwards },
    Story { name: "a_reset_of_the_signaling_socket_is_named_and_the_call_goes_on", needs: &[], tell: reset },
    Story { name: "udp_cut_under_a_call_without_audio_is_a_drop_of_media", needs: &[], tell: cut_without_audio },
    Story { name: "a_dead_socket_on_which_nothing_is_sent_is_not_called_dropped", needs: &[], tell: dead_and_unused },
];

/// A call that has found its rhythm.
const SETTLED: Duration = Duration::from_secs(6);
const FAULT: Duration = Duration::from_secs(6);
/// An answer to a packet lost comes 20 ms after the last one at best; the same again for two busy cores.
const LAST_GOOD_MS: f64 = 40.0;
/// A gap is declared after 300 ms, and its first missing packet is due long before.
const FIRST_BAD_MS: f64 = 350.0;
/// How soon media flows again by itself once the path does: the echo needs a round trip, and consent a check.
const RESUMES_MS: f64 = 1_500.0;

/// A hold of `planned` with the fault in force for six seconds of it, what it did, and when it first touched the media.
fn hold_with(world: &World, to: &[&str], fault: Fault, planned: u64) -> Result<(linewitness_lab::Told, Truth, Wall)> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &[to, &["--for", &format!("{planned}s")]].concat())?;
    sleep(SETTLED);
    let media = hold.media_address()?.port();
    let in_force = world.fault(fault)?;
    in_force.bites(Duration::from_secs(1))?;
    sleep(FAULT);
    let truth = in_force.lift()?;
    let touched = truth.first_of(media)?;
    Ok((hold.finish(Duration::from_secs(planned))?, truth, touched))
}

fn black_hole(world: &World) -> Result<()> {
    // A far end that was switched off looks the same, unless another server falls silent with it.
    let (_control, profile) = beyond::with_stun(world)?;
    let (told, truth, touched) = hold_with(world, &[&profile], Fault::BlackHole, 30)?;
    told.expect(|told| {
        told.ended("dropped", 3)?;
        let (signaling, media) = (told.verdict.one("signaling")?, told.verdict.one("media")?);
        media.last_good_before(touched, LAST_GOOD_MS)?;
        media.first_bad_after(touched, FIRST_BAD_MS)?;
        media.restored_after(truth.last(), truth.lifted, RESUMES_MS)?;
        // Signaling is quiet between heartbeats, five seconds apart, and TCP's own patience doubles while it waits.
        signaling.last_good_before(truth.first(), 5_500.0)?;
        signaling.restored_after(truth.last(), truth.lifted, 8_000.0)?;
        for drop in [signaling, media] {
            drop.is("path_lost", "internet_path", "shown")?;
            // Which answered throughout.
            told.rests_on_control(drop, ControlKind::Gateway)?;
            told.rests_on_control(drop, ControlKind::Stun)?;
        }
        same_call(told)
    })
}

fn half_open(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "45s"])?;
    sleep(SETTLED);
    let in_force = world.fault(Fault::TcpFlowSilent { client_port: hold.signaling_port()? })?;
    in_force.bites(Duration::from_secs(7))?;
    let told = hold.finish(Duration::from_secs(45))?;
    let truth = in_force.lift()?;
    told.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("media")?;
        let signaling = told.verdict.one("signaling")?;
        signaling.is("half_open", "internet_path", "shown")?;
        signaling.last_good_before(truth.first(), 6_000.0)?;
        // Found by the kernel's own figures: with five seconds between heartbeats, well under ten from the first byte lost.
        ensure!(
            linewitness_lab::verdict::ms_between(truth.first(), signaling.declared) < 10_000.0,
            "declared at {}, the first byte was lost at {}",
            signaling.declared,
            truth.first()
        );
        signaling.restored()?;
        same_call(told)
    })
}

fn cut_outwards(world: &World) -> Result<()> {
    one_way(world, Fault::UdpToServer, "out")
}

fn cut_inwards(world: &World) -> Result<()> {
    one_way(world, Fault::UdpToClient, "in")
}

fn one_way(world: &World, fault: Fault, direction: &str) -> Result<()> {
    let (told, truth, touched) = hold_with(world, &["--to", &reflector::url()], fault, 30)?;
    told.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("signaling")?;
        let media = told.verdict.one("media")?;
        media.is("one_way_loss", "internet_path", "shown")?;
        ensure!(
            media.measured["direction"] == direction,
            "the direction cut is {direction}, measured is {}",
            media.measured
        );
        media.last_good_before(touched, LAST_GOOD_MS)?;
        media.first_bad_after(touched, FIRST_BAD_MS)?;
        media.restored_after(truth.last(), truth.lifted, RESUMES_MS)?;
        same_call(told)
    })
}

fn reset(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "25s"])?;
    sleep(SETTLED);
    let in_force = world.fault(Fault::TcpFlowReset { client_port: hold.signaling_port()? })?;
    in_force.bites(Duration::from_secs(7))?;
    let told = hold.finish(Duration::from_secs(25))?;
    let truth = in_force.lift()?;
    told.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("media")?;
        let signaling = told.verdict.one("signaling")?;
        // From one end a device's reset looks like the service's own.
        signaling.is("connection_reset", "internet_path", "likely")?;
        // A reset is heard at once.
        signaling.first_bad_after(truth.first(), 100.0)?;
        signaling.restored()?;
        same_call(told)
    })
}

/// Without audio the checks of the path are all that shows its death.
fn cut_without_audio(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let profile = hold::profile(world, "", "[media]\nsilence = \"none\"")?;
    let hold = Hold::established(world, "hold", &[&profile, "--for", "20s"])?;
    sleep(Duration::from_secs(4));
    let media = hold.media_address()?.port();
    let in_force = world.fault(Fault::Udp)?;
    in_force.bites(Duration::from_secs(6))?;
    sleep(Duration::from_secs(12));
    let touched = in_force.lift()?.first_of(media)?;
    hold.finish(Duration::from_secs(20))?.expect(|told| {
        told.ended("dropped", 3)?;
        told.verdict.none("signaling")?;
        let media = told.verdict.one("media")?;
        ensure!(media.owner != "voice_service" && media.owner != "this_computer", "{} is blamed", media.owner);
        // Checks are some seconds apart.
        media.last_good_before(touched, 6_000.0)?;
        media.first_bad_after(touched, 12_000.0)?;
        same_call(told)
    })
}

/// Nothing is sent, so nothing shows that the socket is dead: to call it dropped would be a guess, and the call goes on.
fn dead_and_unused(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let profile = hold::profile(world, "heartbeat = \"off\"", "")?;
    let hold = Hold::established(world, "hold", &[&profile, "--for", "20s"])?;
    sleep(Duration::from_secs(4));
    let in_force = world.fault(Fault::TcpFlowSilent { client_port: hold.signaling_port()? })?;
    let told = hold.finish(Duration::from_secs(20))?;
    // The goodbye at the end is the first that it touches.
    let truth = in_force.lift()?;
    told.expect(|told| {
        told.ended("held", 0)?;
        told.verdict.none("signaling")?;
        told.verdict.none("media")?;
        let goodbye = told
            .bundle
            .log
            .events
            .iter()
            .find(|event| matches!(&event.fact, Fact::Signaling(Signaling::CallEnded { by: CallEndedBy::Us, .. })));
        let goodbye = goodbye.context("the log has no goodbye")?.at.wall;
        ensure!(truth.first() >= goodbye, "void: it was used at {}, before the goodbye", truth.first());
        same_call(told)
    })
}

/// The call that was placed is the call that was held: nothing was dialled anew.
pub fn same_call(told: &linewitness_lab::Told) -> Result<()> {
    let anew = told.count(|fact| matches!(fact, Fact::Action(Action::Began { step: Move::NewCall, .. })));
    ensure!(anew == 0, "a new call was placed where the old one could be recovered");
    Ok(())
}
