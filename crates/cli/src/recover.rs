//! `linewitness recover`: the bundle of a run that broke off.

use crate::{args::Recover, say};
use desk::{
    Failure, files,
    recover::{broken_off, bundle_name, recover},
};
use std::process::ExitCode;

pub fn run(args: &Recover) -> Result<ExitCode, Failure> {
    let mut broken = broken_off()?;
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
    for run in broken {
        let out = files::free(args.out.clone().unwrap_or_else(|| bundle_name(&run.about.run)))?;
        let (story, damage, written) = recover(&run, &out)?;
        damage.iter().for_each(say::aside);
        say::line(format_args!("{}\nSaved as {}", story.head.headline, written.given.display()));
    }
    Ok(ExitCode::SUCCESS)
}
