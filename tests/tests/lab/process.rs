//! The hold's own process is interrupted or killed.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use linewitness_lab::{Hold, Program, Story, World, far::reflector, hold};
use record::fact::{EndedBy, Mark};
use record::{Fact, Log};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

pub const STORIES: &[Story] = &[
    Story { name: "a_hold_killed_outright_is_offered_as_a_bundle_at_the_next_start", needs: &[], tell: killed },
    Story { name: "ctrl_c_ends_the_hold_in_order_and_is_no_drop", needs: &[], tell: interrupted },
];

fn interrupted(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "5m"])?;
    sleep(Duration::from_secs(5));
    hold.interrupt()?.expect(|told| {
        told.ended("ended_by_user", 0)?;
        ensure!(told.verdict.drops.is_empty(), "a person's own hang-up is no drop");
        ensure!((4.0..8.0).contains(&told.verdict.held_s), "held for {} s of five", told.verdict.held_s);
        let ended = told.count(|fact| matches!(fact, Fact::Mark(Mark::Ended { by: EndedBy::User })));
        ensure!(ended == 1, "the log does not say that a person ended it");
        Ok(())
    })
}

fn killed(world: &World) -> Result<()> {
    let _reflector = reflector::start(world, "reflector")?;
    let hold = Hold::established(world, "hold", &["--to", &reflector::url(), "--for", "60s"])?;
    sleep(Duration::from_secs(4));
    let printed = hold.events()?.len();
    hold.program.kill()?;

    let left = find(&world.dir.join("home"), "events.jsonl").context("the killed run left no log under its home")?;
    let bytes = std::fs::read(&left)?;
    let (log, damage) = Log::read_lines(&bytes);
    ensure!(log.events.len() >= printed, "{printed} events were printed, {} are in the log", log.events.len());
    ensure!(
        damage.iter().all(|d| matches!(d, record::Damage::TornEnd { .. })),
        "a killed run may lose its last line and nothing else: {damage:?}"
    );

    let next = Hold::start(world, "next", &["--to", &reflector::url(), "--for", "3s"])?;
    let told = next.finish(Duration::from_secs(3))?;
    let run = left.parent().and_then(Path::file_name).context("a run has a folder")?.to_string_lossy();
    told.expect(|told| {
        told.ended("held", 0)?;
        let offer = format!("linewitness recover {run}");
        ensure!(told.stderr.contains(&offer), "the next start does not offer {offer:?}: {:?}", told.stderr);
        Ok(())
    })?;

    let mut recover = Program::start(world, &world.client, "recover", hold::binary()?, &["recover", &run])?;
    let status = recover.wait(Duration::from_secs(5))?;
    ensure!(status.success(), "recover ended with {status}. {}", recover.last_words());
    let made = find(&world.dir, &format!("linewitness-{run}.witness")).context("recover made no bundle")?;
    let (bundle, damage) = record::bundle::read(std::fs::File::open(&made)?)?;
    ensure!(damage.is_empty(), "the bundle of a killed run is damaged: {damage:?}");
    ensure!(bundle.log == log, "the bundle holds {} events of {}", bundle.log.events.len(), log.events.len());
    Ok(())
}

/// The first file of that name under `folder`.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) }
    })
}
