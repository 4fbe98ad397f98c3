//! `linewitness runs`: what this computer keeps of its runs, and what of it is to go.

use crate::{args::Runs, say};
use desk::{
    Failure,
    kept::{self, Entry, Told},
};
use engine::runs::State;
use jiff::tz::TimeZone;
use std::process::ExitCode;
use std::time::Duration;

pub fn run(args: &Runs) -> Result<ExitCode, Failure> {
    if let Some(last) = args.keep {
        let removed = kept::keep_last(last)?;
        say::line(format_args!("{}.", removed.as_deref().unwrap_or("Nothing had to be removed")));
    } else if args.delete.is_empty() {
        list()?;
    } else {
        args.delete.iter().try_for_each(|run| delete(run))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn delete(run: &str) -> Result<(), Failure> {
    match kept::delete(run)? {
        Some(elsewhere) => say::line(format_args!("Removed {run}; its bundle stays: {}", elsewhere.display())),
        None => say::line(format_args!("Removed {run}.")),
    }
    Ok(())
}

/// The latest last, where the eye is.
fn list() -> Result<(), Failure> {
    let entries = kept::all()?;
    entries.iter().for_each(|entry| say::line(words(entry)));
    let bytes = entries.iter().map(|entry| entry.bytes).sum();
    say::line(match entries.len() {
        0 => "No runs are kept.".to_owned(),
        1 => format!("1 run, {}.", kept::size(bytes)),
        n => format!("{n} runs, {}; the limit is {}.", kept::size(bytes), kept::limit()?),
    });
    Ok(())
}

/// One line to find it by, one of what became of it, one with where its bundle is.
fn words(entry: &Entry) -> String {
    let began = entry.started.timestamp().to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    let told = entry.told();
    // A float becomes the nearest number that there is.
    let held = |told: &Told| explain::planned(Duration::from_secs(told.held_s.round() as u64));
    let long = told.as_ref().map(|told| format!(", {}", held(told))).unwrap_or_default();
    let (run, size) = (&entry.run, kept::size(entry.bytes));
    let headline = told.map(|told| format!("\n    {}", told.headline)).unwrap_or_default();
    let bundle = match (&entry.bundle, entry.state) {
        (Some(bundle), _) => format!("saved as {}", bundle.display()),
        (None, State::Bundled) => "its bundle is not where it was saved".into(),
        (None, State::BrokenOff) => format!("broke off; `linewitness recover {run}` makes its bundle"),
        (None, State::Live) => "running".into(),
    };
    format!("{run}   {began}{long}, {size}{headline}\n    {bundle}")
}
