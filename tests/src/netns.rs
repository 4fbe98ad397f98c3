//! `play`: a scenario on a real kernel. The world is made of network namespaces and real programs, the hold is the program
//! that people run, and the truth is taken from packets.

pub mod capture;
pub mod cast;
mod crossing;
mod deeds;
mod flows;
mod logind;
mod truths;

use crate::scenario::ending::Outcome;
use crate::scenario::{Dice, Scenario};
use crate::truth::{Played, Truth};
use crate::{Hold, Told, World};
use anyhow::{Context, Result, ensure};
use capture::Capture;
use cast::Cast;
use crossing::Ends;
use deeds::{Deeds, Done};
use engine::Clock;
use flows::Flows;
use record::fact::{CallEndedBy, Mark, Signaling};
use record::{Fact, Stamp};
use std::path::Path;
use std::time::Duration;
use truths::{Carried, Seen};

/// The verdict's times are the wall clock's, and so is the truth that they are held against.
const STEPPED_US: i64 = 1_000;

/// `dir` is emptied; what everybody wrote is left in it.
pub fn play(scenario: &Scenario, seed: u64, dir: &Path) -> Result<Played> {
    let world = World::new(dir)?;
    let mut cast = cast::enter(&world, scenario)?;
    let profile = cast.profile(&world, scenario)?;
    let captures = [Capture::begin(&world.client)?, Capture::begin(&world.server)?];
    let began = Clock::real().now();
    let mut deeds = Deeds::new(&world, Clock::real(), scenario.world.second_passes_all);
    let broken = scenario.world.broken.map(|deed| deeds.begin(deed, &mut cast, None)).transpose()?;

    let variable = cast.logind.as_ref().map(logind::Logind::variable);
    let by: Vec<&str> = variable.iter().flat_map(|variable| ["env", variable]).collect();
    let length = scenario.run.length;
    let mut hold = Hold::start_by(&world, &by, "hold", &[&profile, "--for", &length.to_string()])?;
    let done = match scenario.ending.outcome {
        Outcome::NotEstablished => Vec::new(),
        _ => {
            let stands = hold.stands()?.at;
            carry_out(scenario, seed, stands, &mut deeds, &mut cast, &mut hold)?
        }
    };
    let told = hold.finish(length.get())?;

    let broken = broken.map(Done::carried).transpose().context("what was broken from the beginning on")?;
    ensure!(broken.is_none_or(|broken| broken.hits.is_none_or(|hits| !hits.is_empty())), "void: nothing was broken");
    let done: Vec<Carried> = done.into_iter().map(Done::carried).collect::<Result<_>>()?;
    let [client, server] = captures.map(Capture::end);
    let (client, server) = (client?, server?);
    for (name, packets) in [("packets.txt", &client), ("packets-at-the-server.txt", &server)] {
        let text: String = packets.iter().map(|packet| format!("{packet}\n")).collect();
        std::fs::write(dir.join(name), text).context("writing what was captured")?;
    }
    let stepped = Clock::real().now().stepped_since(began);
    ensure!(stepped.abs() <= STEPPED_US, "void: the wall clock was set by {stepped} us meanwhile");
    let truths = truths(&done, &told, Ends { client: &client, server: &server })?;
    ended_as_said(&told)?;
    let played = Played { truths, log: told.bundle.log, verdict: told.verdict };
    let truths = serde_json::to_vec_pretty(&played.truths).context("writing what really happened")?;
    std::fs::write(dir.join("truths.json"), truths).context("writing what really happened")?;
    Ok(played)
}

enum What {
    Begin,
    Undo,
}

/// Each step at its time since the call stands, and undone at its own.
fn carry_out<'w>(
    scenario: &Scenario,
    seed: u64,
    stands: Stamp,
    deeds: &mut Deeds<'w>,
    cast: &mut Cast,
    hold: &mut Hold,
) -> Result<Vec<Done<'w>>> {
    let begins = scenario.times(&mut Dice::new(seed));
    let mut plan: Vec<(Duration, usize, What)> = Vec::new();
    for (n, (step, begin)) in scenario.steps.iter().zip(begins).enumerate() {
        plan.push((begin, n, What::Begin));
        plan.extend(step.lasts.map(|lasts| (begin + lasts.get(), n, What::Undo)));
    }
    plan.sort_by_key(|(at, n, _)| (*at, *n));
    let clock = Clock::real();
    let mut done: Vec<Done> = Vec::new();
    for (at, n, what) in plan {
        // What lasts beyond the hold is undone after it, and nobody is left to see that.
        if at >= scenario.run.length.get() {
            break;
        }
        std::thread::sleep(at.saturating_sub(clock.now().since(stands)));
        let deed = scenario.steps[n].deed;
        hold.program.check_alive()?;
        match what {
            What::Begin => done.push(deeds.begin(deed, cast, Some(hold)).with_context(|| format!("step {}", n + 1))?),
            What::Undo => deeds.undo(&mut done[n], cast, hold).with_context(|| format!("undoing step {}", n + 1))?,
        }
    }
    Ok(done)
}

fn truths(done: &[Carried], told: &Told, ends: Ends) -> Result<Vec<Truth>> {
    let events = &told.bundle.log.events;
    let seen = Seen { packets: ends.client, ends, flows: &Flows::all(events), over: over(told)? };
    let truth = |(n, one): (usize, &Carried)| {
        one.seen_alike(&seen)?;
        let truth = one.truth(&seen);
        one.crossed_alike(&truth, &seen)?;
        ensure!(
            one.touched(&truth),
            "void: step {}, {:?}, touched no packet, so this run proves nothing",
            n + 1,
            one.deed
        );
        Ok(truth)
    };
    done.iter().enumerate().map(truth).collect()
}

/// The goodbye: what comes after it, and what does not, is no loss.
fn over(told: &Told) -> Result<Stamp> {
    let ends = |fact: &Fact| match fact {
        Fact::Signaling(Signaling::CallEnded { by, .. }) => *by == CallEndedBy::Us,
        fact => matches!(fact, Fact::Mark(Mark::Ended { .. })),
    };
    let end = told.bundle.log.events.iter().find(|event| ends(&event.fact));
    Ok(end.context("a whole log ends with its end")?.at)
}

/// The exit code says what the verdict says.
fn ended_as_said(told: &Told) -> Result<()> {
    let wanted = match told.verdict.outcome.as_str() {
        "dropped" => 3,
        "not_established" => 4,
        "ended_by_user" if !told.verdict.drops.is_empty() => 3,
        _ => 0,
    };
    ensure!(told.exit == wanted, "the exit code is {}, and the outcome {}", told.exit, told.verdict.outcome);
    Ok(())
}
