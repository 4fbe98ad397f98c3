//! `linewitness recover`: the bundle of a run that broke off.

use crate::{args::Recover, files, say, say::Failure};
use engine::runs::{self, Found, State};
use std::path::PathBuf;
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
        let (_, log, _, damage) = runs::read(&run.folder)
            .map_err(|error| Failure::ours(format!("{}: {}", run.folder.display(), files::why(&error))))?;
        for damage in damage {
            say::aside(damage);
        }
        let story = explain::story(&log);
        runs::write_bundle(&run.folder, &run.about, files::verdict_json(&story).as_bytes(), &out)
            .map_err(|error| Failure::ours(format!("{}: {}", out.display(), files::why(&error))))?;
        say::line(format_args!("{}\nSaved as {}", story.head.headline, out.display()));
    }
    Ok(ExitCode::SUCCESS)
}

pub fn broken_off() -> Result<Vec<Found>, Failure> {
    let home = runs::home().map_err(|error| Failure::ours(error.to_string()))?;
    let found =
        runs::list(&home).map_err(|error| Failure::ours(format!("{}: {}", home.display(), files::why(&error))))?;
    Ok(found.into_iter().filter(|run| run.state == State::BrokenOff).collect())
}

pub fn bundle_name(run: &record::RunId) -> PathBuf {
    PathBuf::from(format!("linewitness-{run}.witness"))
}
