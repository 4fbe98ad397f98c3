//! `linewitness recover`: the bundle of a run that broke off.

use crate::{args::Recover, say};
use desk::{
    Failure, files,
    recover::{bundle_name, offer, recover},
};
use engine::runs::Found;
use std::path::PathBuf;
use std::process::ExitCode;

pub fn run(args: &Recover) -> Result<ExitCode, Failure> {
    let mut broken = offer()?;
    if let Some(wanted) = &args.run {
        broken.retain(|run| run.about.run.to_string() == *wanted);
        if broken.is_empty() {
            let shown = record::Heard::new(wanted);
            return Err(Failure::bad_input(format!(
                "no run named {shown} broke off; `linewitness recover` lists and recovers all that did"
            )));
        }
    }
    if broken.is_empty() {
        say::line("No run broke off; there is nothing to recover.");
    }
    if broken.len() > 1 && args.out.is_some() {
        return Err(Failure::bad_input("several runs broke off, and --out names one file; name the run as well"));
    }
    // One that cannot be made keeps no other from being made.
    let done = broken.iter().map(|run| one(run, args.out.clone()));
    let failed = done.filter_map(Result::err).reduce(|first, also| {
        say::aside(format_args!("linewitness: {first}"));
        also
    });
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

fn one(run: &Found, out: Option<PathBuf>) -> Result<(), Failure> {
    let out = files::free(out.unwrap_or_else(|| bundle_name(&run.about.run)))?;
    let recovered = recover(run, &out)?;
    recovered.damage.iter().for_each(say::aside);
    say::line(format_args!("{}\nSaved as {}", recovered.story.head.headline, recovered.written.given.display()));
    recovered.written.not_done.iter().for_each(say::aside);
    Ok(())
}
