//! `play`: a scenario on a real kernel. The world is made of network namespaces and real programs, the hold is the program
//! that people run, and the truth is taken from packets.

pub mod capture;
pub mod cast;
mod crossing;
mod deeds;
mod flows;
mod logind;
mod truths;

use crate::browser::{Beside, Browser, Onsets, Page};
use crate::scenario::ending::Outcome;
use crate::scenario::{Dice, Scenario};
use crate::truth::{Effect, Played, Truth};
use crate::{Hold, Told, World};
use anyhow::{Context, Result, ensure};
use capture::Capture;
use cast::Cast;
use crossing::Ends;
use deeds::{Deeds, Done};
use engine::Clock;
pub use flows::Flows;
use record::fact::{CallEndedBy, Far, Mark, Sight, Signaling, System};
use record::{Event, Fact, Stamp};
use std::path::Path;
use std::time::Duration;
use truths::{Carried, Seen};

/// A loss that lasts so long is a drop.
const COUNTS_FROM: Duration = Duration::from_secs(1);
/// The verdict's times are the wall clock's, and so is the truth that they are held against.
const STEPPED_US: i64 = 1_000;

/// `dir` is emptied; what everybody wrote is left in it.
pub fn play(scenario: &Scenario, seed: u64, dir: &Path) -> Result<Played> {
    play_beside(scenario, seed, dir, None).map(|(played, _)| played)
}

/// With a page of a browser beside the hold, which calls the same far end and meets the same faults.
pub fn play_beside(
    scenario: &Scenario,
    seed: u64,
    dir: &Path,
    browser: Option<&Browser>,
) -> Result<(Played, Option<Beside>)> {
    let world = World::new(dir)?;
    let mut cast = cast::enter(&world, scenario)?;
    let profile = cast.profile(&world, scenario)?;
    let captures = [Capture::begin(&world.client)?, Capture::begin(&world.server)?];
    let began = Clock::real().now();
    let page = browser.map(|browser| browser.call(&world, &cast::call(scenario))).transpose()?;
    let mut deeds = Deeds::new(&world, page.as_ref(), Clock::real(), scenario.world.second_passes_all);
    let broken = scenario.world.broken.map(|deed| deeds.begin(deed, &mut cast, None)).transpose()?;

    let by = cast.starter(&world, scenario)?;
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
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
    // The server may well have seen none.
    ensure!(!client.is_empty(), "void: the capture saw no packet");
    for (name, packets) in [("packets.txt", &client), ("packets-at-the-server.txt", &server)] {
        let text: String = packets.iter().map(|packet| format!("{packet}\n")).collect();
        std::fs::write(dir.join(name), text).context("writing what was captured")?;
    }
    let stepped = Clock::real().now().stepped_since(began);
    ensure!(stepped.abs() <= STEPPED_US, "void: the wall clock was set by {stepped} us meanwhile");
    drop(deeds);
    let ends = Ends { client: &client, server: &server };
    let seen = Seen { packets: &client, ends, flows: &Flows::all(&told.bundle.log.events), over: over(&told)? };
    let truths = truths(&done, &seen)?;
    if scenario.is_null() {
        still_null(&done, &truths)?;
    }
    if !scenario.steps.iter().any(|step| step.deed.takes_time_away()) {
        had_time(&told.bundle.log.events)?;
    }
    let beside = page.map(|page| beside(page, scenario.is_null(), &done, &truths, &seen)).transpose()?;
    ended_as_said(&told)?;
    let played = Played { truths, log: told.bundle.log, verdict: told.verdict };
    let truths = serde_json::to_vec_pretty(&played.truths).context("writing what really happened")?;
    std::fs::write(dir.join("truths.json"), truths).context("writing what really happened")?;
    Ok((played, beside))
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

/// On a machine with no time to spare a fault lasts longer than it should, and is then not too short to count.
fn still_null(done: &[Carried], truths: &[Truth]) -> Result<()> {
    let lost = |effect: &Effect| Some(effect.back?.latest.since(effect.began?.earliest));
    for (one, truth) in done.iter().zip(truths).filter(|(one, _)| !one.deed.stops_the_program()) {
        let lost = lost(&truth.media).unwrap_or_default();
        ensure!(
            lost < COUNTS_FROM,
            "void: {:?} took media away for {lost:?}, so this run is none without a loss",
            one.deed
        );
    }
    Ok(())
}

/// Where the machine itself gave either end no time, that is what ended the call or kept it from coming back.
fn had_time(events: &[Event]) -> Result<()> {
    for event in events {
        let stood_still = match &event.fact {
            Fact::System(System::TicksMissed { since }) => event.at.awake_since(*since),
            Fact::Far(Far::Saw { sight: Sight::StoodStill { from, to }, .. }) => {
                Duration::from_micros(to.micros().saturating_sub(from.micros()).max(0).unsigned_abs())
            }
            _ => continue,
        };
        ensure!(stood_still < COUNTS_FROM, "void: this machine gave a program no time for {stood_still:?}");
    }
    Ok(())
}

fn truths(done: &[Carried], seen: &Seen) -> Result<Vec<Truth>> {
    let truth = |(n, one): (usize, &Carried)| {
        one.seen_alike(seen)?;
        let truth = one.truth(seen);
        one.crossed_alike(&truth, seen)?;
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

/// What the page said until the hold's goodbye, and when it began for either.
fn beside(page: Page, null: bool, done: &[Carried], truths: &[Truth], seen: &Seen) -> Result<Beside> {
    let (said, flows) = page.end()?;
    let its = Seen { flows: &flows, ..*seen };
    let truth = |one: &Carried| {
        let one = one.met_by_the_page();
        one.seen_alike(&its).context("beside the hold")?;
        // A rule that takes nothing away touches packets all the same; what the page lost by it, if anything, the capture shows.
        Ok(if null { Carried { hits: None, ..one }.truth(&its) } else { one.truth(&its) })
    };
    let its_truths: Vec<Truth> = done.iter().map(truth).collect::<Result<_>>()?;
    let onsets = |truths: &[Truth], seen: &Seen| match truths {
        [] => Onsets { signaling: truths::ended(seen), media: None },
        truths => Onsets::of(truths),
    };
    let said = said.into_iter().filter(|said| said.at <= seen.over.wall).collect();
    Ok(Beside { said, hold: onsets(truths, seen), page: onsets(&its_truths, &its) })
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
