//! The service itself is restarted, or is not there.
#![cfg(target_os = "linux")]

use crate::path::same_call;
use anyhow::{Result, ensure};
use linewitness_lab::{Hold, Story, World, far::reflector, world::now};
use record::Fact;
use record::fact::{Action, ConnectStage, Move, Signaling, Trouble};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_service_killed_and_started_again_is_a_restart_on_both_planes", needs: &[], tell: restarted },
    Story { name: "a_service_stopped_in_order_and_started_again_is_a_restart", needs: &[], tell: stopped_and_back },
    Story { name: "a_service_stopped_in_order_for_good_has_closed_and_no_person_hung_up", needs: &[], tell: stopped },
    Story { name: "a_service_that_stands_still_is_named_and_no_path_is_blamed", needs: &[], tell: frozen },
    Story { name: "a_service_that_is_not_there_is_a_handshake_failed_at_tcp", needs: &[], tell: absent },
];

fn restarted(world: &World) -> Result<()> {
    let reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "35s"])?;
    sleep(Duration::from_secs(6));
    let killed = now();
    reflector.kill()?;
    sleep(Duration::from_secs(2));
    let _again = reflector::start(world, "reflector-again")?;
    let back = now();
    hold.finish(Duration::from_secs(35))?.expect(|told| {
        told.ended("dropped", 3)?;
        for plane in ["signaling", "media"] {
            let drop = told.verdict.one(plane)?;
            drop.is("service_restarted", "voice_service", "shown")?;
            drop.last_good_before(killed, if plane == "media" { 40.0 } else { 5_500.0 })?;
            drop.first_bad_after(killed, 350.0)?;
            drop.restored_after(killed, back, 10_000.0)?;
        }
        ensure!(same_call(told).is_err(), "the old call cannot have survived, and no new one is noted");
        let anew = told.count(|fact| matches!(fact, Fact::Action(Action::Began { step: Move::NewCall, .. })));
        ensure!(anew <= 3, "{anew} new calls for one restart");
        Ok(())
    })
}

/// Its kernel goes on acknowledging and taking packets in, which from here looks like a loss on the way back.
fn frozen(world: &World) -> Result<()> {
    let reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "25s"])?;
    sleep(Duration::from_secs(6));
    let stopped = now();
    reflector.signal(libc::SIGSTOP)?;
    sleep(Duration::from_secs(4));
    let woken = now();
    reflector.signal(libc::SIGCONT)?;
    hold.finish(Duration::from_secs(25))?.expect(|told| {
        told.ended("dropped", 3)?;
        let media = told.verdict.one("media")?;
        media.is("service_unreachable", "voice_service", "shown")?;
        media.last_good_before(stopped, 40.0)?;
        media.first_bad_after(stopped, 350.0)?;
        media.restored_after(stopped, woken, 1_500.0)?;
        for drop in told.verdict.on("signaling") {
            drop.is("service_unreachable", "voice_service", "shown")?;
        }
        same_call(told)
    })
}

fn stopped_and_back(world: &World) -> Result<()> {
    let reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "25s"])?;
    sleep(Duration::from_secs(6));
    let asked = now();
    reflector.stop()?;
    sleep(Duration::from_secs(2));
    let _again = reflector::start(world, "reflector-again")?;
    let back = now();
    hold.finish(Duration::from_secs(25))?.expect(|told| {
        told.ended("dropped", 3)?;
        for plane in ["signaling", "media"] {
            let drop = told.verdict.one(plane)?;
            ensure!(
                (drop.cause.as_str(), drop.owner.as_str()) == ("service_restarted", "voice_service"),
                "{plane}: a service that was stopped and came back is {} ({})",
                drop.cause,
                drop.owner
            );
            drop.first_bad_after(asked, 2_000.0)?;
            drop.restored_after(asked, back, 10_000.0)?;
        }
        Ok(())
    })
}

fn stopped(world: &World) -> Result<()> {
    let reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "20s"])?;
    sleep(Duration::from_secs(6));
    let asked = now();
    reflector.stop()?;
    hold.finish(Duration::from_secs(20))?.expect(|told| {
        told.ended("dropped", 3)?;
        for plane in ["signaling", "media"] {
            let drop = told.verdict.one(plane)?;
            ensure!(
                (drop.cause.as_str(), drop.owner.as_str()) == ("service_closed", "voice_service"),
                "{plane}: a service that said goodbye and stayed away is {} ({})",
                drop.cause,
                drop.owner
            );
            drop.first_bad_after(asked, 2_000.0)?;
            ensure!(drop.restored.is_none(), "{plane}: restored, and nobody is there");
        }
        Ok(())
    })
}

fn absent(world: &World) -> Result<()> {
    let hold = Hold::start(world, "hold", &["--to", &reflector::url(), "--for", "10s"])?;
    hold.finish(Duration::from_secs(10))?.expect(|told| {
        told.ended("not_established", 4)?;
        let refused = told.count(|fact| {
            matches!(
                fact,
                Fact::Signaling(Signaling::ConnectFailed { stage: ConnectStage::Tcp, trouble: Trouble::Refused, .. })
            )
        });
        ensure!(refused > 0, "nobody listened, and no refused connection is in the log");
        let signaling = told.verdict.one("signaling")?;
        ensure!(signaling.cause == "handshake_failed", "the cause is {}", signaling.cause);
        ensure!(signaling.measured["stage"] == "tcp", "measured is {}", signaling.measured);
        ensure!(signaling.restored.is_none(), "restored, and nobody is there");
        Ok(())
    })
}
