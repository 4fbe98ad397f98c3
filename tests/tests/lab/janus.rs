//! A far end and a protocol that none of us wrote: Janus' echo test, with a path lost and a socket lost on the way.
#![cfg(target_os = "linux")]

use anyhow::{Result, ensure};
use linewitness_lab::{Fault, Hold, Story, World, far::janus, secrets};
use record::Fact;
use record::fact::{Action, Move, Outcome, Signaling};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[Story {
    name: "janus_is_held_for_a_minute_through_a_lost_path_and_a_lost_socket",
    needs: &[("janus", "janus")],
    tell: lost_path_and_socket,
}];

fn lost_path_and_socket(world: &World) -> Result<()> {
    let _janus = janus::start(world)?;
    let profile = world.dir.join("janus.witness-profile");
    let text = format!(
        "name = \"Echo\"\nfor = \"60s\"\n[signaling]\nkind = \"janus\"\nurl = \"{}\"\n",
        secrets::url(&janus::url())
    );
    std::fs::write(&profile, text)?;
    let mut hold = Hold::established(world, "hold", &[&profile.to_string_lossy()])?;

    // Only another port gets through from here on, and only an ICE restart binds one.
    sleep(Duration::from_secs(10));
    let media_port = hold.media_address()?.port();
    let path = world.fault(Fault::UdpFlowSilent { client_port: media_port })?;
    path.bites(Duration::from_secs(1))?;
    hold.sees("an ICE restart that worked", Duration::from_secs(15), |fact| {
        matches!(fact, Fact::Signaling(Signaling::Answered { restarted: Some(true), .. }))
    })?;

    sleep(Duration::from_secs(10));
    let socket = world.fault(Fault::TcpFlowReset { client_port: hold.signaling_port()? })?;
    socket.bites(Duration::from_secs(26))?;
    hold.sees("the session claimed over a new socket", Duration::from_secs(15), |fact| {
        matches!(fact, Fact::Signaling(Signaling::Ready { resumed: true, .. }))
    })?;

    let told = hold.finish(Duration::from_secs(60))?;
    let (path, socket) = (path.lift()?, socket.lift()?);
    told.expect(|told| {
        told.ended("dropped", 3)?;
        let (signaling, media) = (told.verdict.one("signaling")?, told.verdict.one("media")?);
        media.last_good_before(path.first_of(media_port)?, 40.0)?;
        media.first_bad_after(path.first_of(media_port)?, 350.0)?;
        media.restored()?;
        ensure!(media.owner != "voice_service", "Janus is blamed for a path that was cut");
        signaling.is("connection_reset", "internet_path", "likely")?;
        signaling.first_bad_after(socket.first(), 100.0)?;
        signaling.restored()?;
        for step in ["restart_ice", "reconnect"] {
            ensure!(worked(told, step), "no {step} worked, by the log");
        }
        told.same_call()
    })
}

/// Whether a move of that kind was begun and ended well.
fn worked(told: &linewitness_lab::Told, kind: &str) -> bool {
    let events = &told.bundle.log.events;
    let began: Vec<u32> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::Action(Action::Began { id, step: Move::RestartIce, .. }) if kind == "restart_ice" => Some(*id),
            Fact::Action(Action::Began { id, step: Move::Reconnect { .. }, .. }) if kind == "reconnect" => Some(*id),
            _ => None,
        })
        .collect();
    events.iter().any(|event| {
        matches!(&event.fact, Fact::Action(Action::Ended { id, outcome: Outcome::Worked, .. }) if began.contains(id))
    })
}
